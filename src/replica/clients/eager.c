/* eager.c: in an ensemble, a client's write may be refused by the tree of its own server, before the leader
 * hears of it (enableEagerACLCheck).
 *
 * Nothing is refused here but what an ACL forbids; all else is the leader's to decide, also whether the znode
 * is there. A client that waits for answers is not looked at here either: what it asked before may change the
 * ACL, and answers keep their order. */
#include "replica/clients/client.h"
#include "replica/txn/request.h"

struct eager_question {
    struct slice path; /* of the znode whose ACL decides; null: nothing is looked at */
    int32_t permission;
    bool has_acl; /* the request has one itself, which must be valid */
};

/* As the leader would find: a path that is wrong. */
static bool has_parent(struct slice path)
{
    return path.size > 0 && memchr(path.data, '/', path.size) != NULL &&
           memchr(path.data, '\0', path.size) == NULL && !zk_path_special(path);
}

static struct eager_question question_of(const struct write_op *op)
{
    struct eager_question question = {.path = op->path};

    switch (op->type) {
    case OP_CREATE:
    case OP_CREATE2:
        question.permission = PERM_CREATE;
        question.has_acl = true;
        break;
    case OP_DELETE:
        question.permission = PERM_DELETE;
        break;
    case OP_SET_DATA:
        question.permission = PERM_WRITE;
        return question;
    case OP_SET_ACL:
        question.permission = PERM_ADMIN;
        question.has_acl = true;
        return question;
    default:
        return (struct eager_question){0};
    }
    question.path = has_parent(op->path) ? zk_path_parent(op->path) : SLICE_NULL;
    return question;
}

static bool waits_for_answers(const struct clients *clients, const struct client *client)
{
    return client->waiting_reads.count > 0 || client->writes_proposed != client->writes_applied ||
           client->answers_held || clients->tree_half_changed;
}

enum zk_error eager_check(struct clients *clients, const struct client *client, int32_t type,
                          struct slice body)
{
    struct arena *arena = &clients->step->arena;
    struct write_request request;
    struct jute_vector acl;

    if (!clients->options.eager_acl_check ||
        proposals_role(clients->proposals) == PROPOSALS_ALONE || type == OP_MULTI ||
        waits_for_answers(clients, client) ||
        write_request_read(type, body, clients->options.text_bytes_max, arena, &request) !=
            STATUS_OK)
        return ZK_OK;
    struct eager_question question = question_of(&request.op);
    if (question.path.data == NULL)
        return ZK_OK;
    if (question.has_acl &&
        acl_fix_up(clients->acl, request.op.acl, client->identities, arena, &acl) == ZK_INVALID_ACL)
        return ZK_INVALID_ACL;
    uint32_t id = tree_find(clients->tree, question.path);
    if (id == NODE_NONE)
        return ZK_OK;
    return acl_allows(clients->acl, tree_acl(clients->tree, tree_node(clients->tree, id)->acl),
                      question.permission, client->identities)
               ? ZK_OK
               : ZK_NO_AUTH;
}
