/* apply.c: an agreed transaction changes the tree, in the same way on every server. Whether the change
 * is allowed was decided when it was proposed, and is not asked again. */
#include "replica/txn/txn.h"

static bool watches(const struct txn_observer *observer)
{
    return observer != NULL && observer->node_created != NULL;
}

static void saw_write(const struct txn_observer *observer, struct slice path, size_t data_bytes)
{
    if (observer != NULL && observer->written != NULL)
        observer->written(observer->context, path, data_bytes);
}

static void saw_create(struct tree *tree, const struct txn_observer *observer, struct slice path,
                       uint32_t id)
{
    if (!watches(observer))
        return;
    const struct znode *node = tree_node(tree, id);
    struct slice parent = zk_path_parent(path);
    uint32_t parent_acl = tree_node(tree, node->parent)->acl;
    observer->node_created(observer->context, path, node->acl);
    observer->children_changed(observer->context, parent.size == 0 ? SLICE("/") : parent,
                               parent_acl);
}

/* The ACL of a deleted node decides who hears of it: a reference keeps the list until then. */
static enum zk_error delete_watched(struct tree *tree, const struct txn_observer *observer,
                                    struct slice path, int64_t zxid)
{
    uint32_t id = tree_find(tree, path);
    if (id == NODE_NONE)
        return tree_delete(tree, path, zxid);
    struct znode *node = tree_node(tree, id);
    uint32_t parent_acl = tree_node(tree, node->parent)->acl;
    uint32_t acl = tree_acl_intern(tree, tree_acl(tree, node->acl));
    enum zk_error err = tree_delete(tree, path, zxid);
    if (err == ZK_OK) {
        struct slice parent = zk_path_parent(path);
        observer->node_deleted(observer->context, path, acl);
        observer->children_changed(observer->context, parent.size == 0 ? SLICE("/") : parent,
                                   parent_acl);
    }
    tree_acl_release(tree, acl);
    return err;
}

static enum zk_error delete_node(struct tree *tree, const struct txn_observer *observer,
                                 struct slice path, int64_t zxid)
{
    enum zk_error err = watches(observer) ? delete_watched(tree, observer, path, zxid)
                                          : tree_delete(tree, path, zxid);

    if (err == ZK_OK)
        saw_write(observer, path, 0);
    return err;
}

static int64_t owner_of(const struct txn_header *header, const struct txn_op *op)
{
    if (op->type == OP_CREATE_CONTAINER)
        return OWNER_CONTAINER_VALUE;
    if (op->type == OP_CREATE_TTL)
        return owner_of_ttl(op->ttl_ms);
    return op->ephemeral ? header->client_id : 0;
}

/* False: *changes_left is used up, and the session owns more nodes. */
static bool close_session(struct tree *tree, const struct txn *txn,
                          const struct txn_observer *observer, struct txn_progress *progress,
                          uint32_t *changes_left)
{
    struct slice path;

    for (; *changes_left > 0 && jute_next_text(&progress->paths, &path); (*changes_left)--) {
        if (path.data != NULL)
            (void)delete_node(tree, observer, path, txn->header.zxid); /* may be gone: fine */
    }
    struct tree_session *session = tree_session(tree, txn->header.client_id);
    struct buffer left = {0};
    for (; *changes_left > 0 && session != NULL && session->ephemeral_count > 0;
         (*changes_left)--) {
        left.size = 0; /* what the list did not name */
        tree_path_append(tree, session->ephemerals[session->ephemeral_count - 1], &left);
        enum zk_error err = delete_node(tree, observer, buffer_slice(&left), txn->header.zxid);
        ASSERT(err == ZK_OK);
    }
    buffer_deinit(&left);
    if (*changes_left == 0 &&
        (progress->paths.count > 0 || (session != NULL && session->ephemeral_count > 0)))
        return false;
    tree_session_remove(tree, txn->header.client_id);
    return true;
}

static void apply_op(struct tree *tree, const struct txn *txn, const struct txn_op *op,
                     const struct txn_observer *observer, struct txn_op_result *result)
{
    const struct txn_header *header = &txn->header;
    uint32_t id = NODE_NONE;
    enum zk_error err = ZK_OK;

    *result = (struct txn_op_result){.type = op->type};
    switch (op->type) {
    case OP_CREATE:
    case OP_CREATE2:
    case OP_CREATE_CONTAINER:
    case OP_CREATE_TTL:
        err = tree_create(tree,
                          &(struct tree_create){.path = op->path,
                                                .data = op->data,
                                                .acl = op->acl,
                                                .owner = owner_of(header, op),
                                                .zxid = header->zxid,
                                                .time_ms = header->time_ms,
                                                .parent_cversion = op->parent_cversion},
                          &id);
        result->path = op->path;
        if (err == ZK_OK) {
            saw_write(observer, op->path, op->data.size);
            saw_create(tree, observer, op->path, id);
        }
        break;
    case OP_DELETE:
    case OP_DELETE_CONTAINER:
        err = delete_node(tree, observer, op->path, header->zxid);
        break;
    case OP_SET_DATA:
    case OP_RECONFIG:
        err = tree_set_data(tree, op->path, op->data, op->version, header->zxid, header->time_ms,
                            &id);
        if (err == ZK_OK)
            saw_write(observer, op->path, op->data.size);
        if (err == ZK_OK && watches(observer))
            observer->data_changed(observer->context, op->path, tree_node(tree, id)->acl);
        break;
    case OP_SET_ACL:
        err = tree_set_acl(tree, op->path, op->acl, op->version, &id);
        break;
    case OP_CREATE_SESSION:
        tree_session_add(tree, header->client_id, op->timeout_ms);
        break;
    case OP_ERROR:
        err = (enum zk_error)op->err;
        break;
    default: /* OP_CHECK changes nothing; OP_CLOSE_SESSION does not come here */
        break;
    }
    if (id != NODE_NONE)
        tree_stat(tree, tree_node(tree, id), &result->stat);
    if (err != ZK_OK) {
        result->type = OP_ERROR;
        result->err = err;
    }
}

static bool has_failed(const struct txn *txn)
{
    for (int32_t i = 0; i < txn->op_count; i++) {
        if (txn->ops[i].type == OP_ERROR)
            return true;
    }
    return false;
}

static void apply_multi(struct tree *tree, const struct txn *txn,
                        const struct txn_observer *observer, struct txn_op_result *results)
{
    bool failed = has_failed(txn);
    struct txn_op_result discarded;

    for (int32_t i = 0; i < txn->op_count; i++) {
        struct txn_op_result *result = results == NULL ? &discarded : &results[i];
        if (!failed) {
            apply_op(tree, txn, &txn->ops[i], observer, result);
            continue;
        }
        /* All or nothing: operations before the failing one answer 0, the others their error. */
        *result = (struct txn_op_result){
            .type = OP_ERROR, .err = txn->ops[i].type == OP_ERROR ? txn->ops[i].err : ZK_OK};
    }
}

bool txn_apply_part(struct tree *tree, const struct txn *txn, const struct txn_observer *observer,
                    struct arena *arena, struct txn_progress *progress, uint32_t *changes_left,
                    struct txn_result *ret_result)
{
    struct txn_result result = {.op = {.type = txn->header.type}};

    uint32_t changes = txn->header.type == OP_MULTI ? (uint32_t)txn->op_count : 1;

    ASSERT(*changes_left > 0);
    ASSERT(!progress->begun || txn->header.type == OP_CLOSE_SESSION);
    switch (txn->header.type) {
    case OP_CLOSE_SESSION:
        if (!progress->begun)
            *progress = (struct txn_progress){.paths = txn->op.paths, .begun = true};
        if (!close_session(tree, txn, observer, progress, changes_left))
            return false;
        break;
    case OP_MULTI:
        if (ret_result != NULL)
            result.ops = arena_alloc(arena, (size_t)txn->op_count * sizeof(*result.ops));
        apply_multi(tree, txn, observer, result.ops);
        break;
    default:
        apply_op(tree, txn, &txn->op, observer, &result.op);
        break;
    }
    *changes_left -= changes < *changes_left ? changes : *changes_left;
    if (txn->header.zxid > tree_last_zxid(tree))
        tree_set_last_zxid(tree, txn->header.zxid);
    if (ret_result != NULL)
        *ret_result = result;
    return true;
}

void txn_apply(struct tree *tree, const struct txn *txn, const struct txn_observer *observer,
               struct arena *arena, struct txn_result *ret_result)
{
    struct txn_progress progress = {0};
    uint32_t all = UINT32_MAX;

    bool done = txn_apply_part(tree, txn, observer, arena, &progress, &all, ret_result);
    ASSERT(done);
}
