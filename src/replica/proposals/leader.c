/* leader.c: turns requests into transactions, one after the other.
 *
 * Each transaction's zxid is the one before plus one. What it will change is kept in `outstanding`
 * until it is applied, and the next request is checked against that. */
#include "replica/proposals/leader.h"

struct leader {
    const struct prepare_rules *rules;
    struct tree *tree;
    struct outstanding *outstanding;
    struct sessions *sessions;
    struct step *step;
    int64_t last_zxid;    /* of the newest transaction that was prepared */
    int64_t puts_counted; /* of outstanding_put_count() */
};

struct leader *leader_new(const struct prepare_rules *rules, struct tree *tree,
                          struct sessions *sessions, struct step *step, int64_t last_zxid)
{
    struct leader *leader = mem_zalloc(sizeof(*leader));

    ASSERT(last_zxid >= tree_last_zxid(tree));
    leader->rules = rules;
    leader->tree = tree;
    leader->step = step;
    leader->sessions = sessions;
    leader->outstanding = outstanding_new(tree);
    leader->last_zxid = last_zxid;
    return leader;
}

void leader_free(struct leader *leader)
{
    if (leader == NULL)
        return;
    outstanding_free(leader->outstanding);
    mem_free(leader);
}

static struct prepare begin_prepare(struct leader *leader, const struct leader_request *from)
{
    return (struct prepare){.tree = leader->tree,
                            .outstanding = leader->outstanding,
                            .traffic = leader->step->traffic,
                            .rules = leader->rules,
                            .identities = from->identities,
                            .arena = &leader->step->arena,
                            .header = {.client_id = from->session_id,
                                       .cxid = from->cxid,
                                       .zxid = leader->last_zxid + 1,
                                       .time_ms = leader->step->wall_ms}};
}

/* The transaction will be proposed. */
static void give_zxid(struct leader *leader, const struct txn *txn)
{
    int64_t puts = outstanding_put_count(leader->outstanding);

    ASSERT(txn->header.zxid == leader->last_zxid + 1);
    leader->last_zxid = txn->header.zxid;
    metrics_count(&leader->step->metrics, METRIC_CHANGES_QUEUED, puts - leader->puts_counted);
    leader->puts_counted = puts;
}

/* No session of all servers. Is it a local one? Those of other servers are known there only, so any id
 * that is not ours may be one. (LeaderSessionTracker.checkSession()) */
static bool is_local(const struct leader *leader, int64_t session_id)
{
    const struct session *here = sessions_find_here(leader->sessions, session_id);

    if (!leader->sessions->options.local)
        return false;
    return here != NULL ? !here->closing : !sessions_made_here(leader->sessions, session_id);
}

/* A session that has moved to another server, or is over, changes nothing any more. A local one may
 * change everything, and own no ephemeral. */
static enum zk_error check_session(const struct leader *leader, const struct leader_request *from,
                                   enum zk_error *ret_ephemerals_refused)
{
    struct session *session = sessions_find(leader->sessions, from->session_id);

    *ret_ephemerals_refused = ZK_OK;
    if (from->owner == SESSION_OWNER_NONE)
        return ZK_OK;
    if (session == NULL && is_local(leader, from->session_id)) {
        if (mutant_is(leader->step->mutant, MUTANT_EPHEMERAL_OF_LOCAL))
            return ZK_OK;
        *ret_ephemerals_refused =
            from->ephemeral_on_local ? ZK_EPHEMERAL_ON_LOCAL_SESSION : ZK_SESSION_EXPIRED;
        return ZK_OK;
    }
    if (session == NULL ||
        (session->closing && !mutant_is(leader->step->mutant, MUTANT_CREATE_AFTER_CLOSE)))
        return ZK_SESSION_EXPIRED;
    if (session->owner == SESSION_OWNER_NONE)
        session->owner = from->owner;
    return session->owner == from->owner ||
                   mutant_is(leader->step->mutant, MUTANT_OLD_OWNER_EXECUTES)
               ? ZK_OK
               : ZK_SESSION_MOVED;
}

enum status leader_prepare(struct leader *leader, const struct leader_request *from, int32_t op,
                           struct slice body, struct txn *ret_txn)
{
    struct write_request request;
    struct prepare prepare = begin_prepare(leader, from);
    enum zk_error refused =
        op == OP_CLOSE_SESSION ? ZK_OK : check_session(leader, from, &prepare.ephemerals_refused);
    enum status status =
        write_request_read(op, body, leader->rules->text_bytes_max, &leader->step->arena, &request);

    if (status != STATUS_OK && op != OP_MULTI)
        return status;
    if (refused != ZK_OK)
        prepare_error(&prepare, refused, ret_txn);
    else if (status == STATUS_OK)
        prepare_write(&prepare, &request, ret_txn);
    else
        prepare_error(&prepare, ZK_MARSHALLING_ERROR, ret_txn);
    if (op == OP_CLOSE_SESSION) {
        struct session *session = sessions_find(leader->sessions, from->session_id);
        if (session != NULL)
            session->closing = true;
    }
    give_zxid(leader, ret_txn);
    return STATUS_OK;
}

void leader_prepare_error(struct leader *leader, const struct leader_request *from,
                          enum zk_error err, struct txn *ret_txn)
{
    struct prepare prepare = begin_prepare(leader, from);

    prepare_error(&prepare, err, ret_txn);
    give_zxid(leader, ret_txn);
}

void leader_prepare_create_session(struct leader *leader, const struct leader_request *from,
                                   int32_t timeout_ms, struct txn *ret_txn)
{
    struct prepare prepare = begin_prepare(leader, from);

    prepare_create_session(&prepare, timeout_ms, ret_txn);
    give_zxid(leader, ret_txn);
}

void leader_prepare_close_session(struct leader *leader, struct session *session,
                                  struct txn *ret_txn)
{
    const struct write_request request = {.type = OP_CLOSE_SESSION,
                                          .op = {.type = OP_CLOSE_SESSION}};
    struct prepare prepare =
        begin_prepare(leader, &(struct leader_request){.session_id = session->id});

    ASSERT(!session->closing);
    session->closing = true;
    prepare_write(&prepare, &request, ret_txn);
    give_zxid(leader, ret_txn);
}

/* What is proposed and not applied yet writes the node: what the janitor saw is old, and its time begins anew. */
static bool is_written(const struct leader *leader, struct slice path)
{
    struct future_node node;
    uint32_t id = tree_find(leader->tree, path);

    return id == NODE_NONE || !outstanding_get(leader->outstanding, path, &node) ||
           tree_node(leader->tree, id)->mzxid != node.mzxid;
}

bool leader_prepare_delete_container(struct leader *leader, struct slice path, struct txn *ret_txn)
{
    struct prepare prepare = begin_prepare(leader, &(struct leader_request){0});

    if (is_written(leader, path) && !mutant_is(leader->step->mutant, MUTANT_DELETES_WHAT_CHANGED))
        return false;
    if (prepare_delete_container(&prepare, path, ret_txn) != ZK_OK)
        return false;
    give_zxid(leader, ret_txn);
    return true;
}

void leader_applied(struct leader *leader, int64_t zxid)
{
    ASSERT(zxid <= leader->last_zxid);
    outstanding_applied(leader->outstanding, zxid);
}

bool leader_awaits_nothing(const struct leader *leader)
{
    return outstanding_is_empty(leader->outstanding);
}

struct outstanding *leader_outstanding(struct leader *leader)
{
    return leader->outstanding;
}
