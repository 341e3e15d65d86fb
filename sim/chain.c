/* chain.c: what is committed is applied to the model in the order of the chain, and a session has nothing outside
 * of its two ends. What a client is told is looked up here. */
#include "sim/chain.h"

#include "replica/store/txnlog_format.h"

#include <inttypes.h>

enum { XIDS_MAX = 1 << 20 };

struct chain_session {
    int64_t id;
    bool closed, restarts;
    int64_t closed_us; /* when its end was logged */
    int32_t last_cxid;
};

struct chain {
    struct world *world;
    struct map links; /* zxid -> struct chain_link */
    int64_t committed_zxid;
    struct model *model;
    struct map sessions; /* id -> struct chain_session */
    struct arena arena;
};

struct chain *chain_new(struct world *world)
{
    struct chain *chain = mem_zalloc(sizeof(*chain));

    chain->world = world;
    chain->model = model_new(world);
    map_init(&chain->links);
    map_init(&chain->sessions);
    arena_init(&chain->arena);
    return chain;
}

void chain_free(struct chain *chain)
{
    size_t cursor = 0;
    struct chain_link *link;
    struct chain_session *session;

    while ((link = map_next(&chain->links, &cursor, NULL)) != NULL) {
        buffer_deinit(&link->payload);
        mem_free(link);
    }
    map_deinit(&chain->links);
    cursor = 0;
    while ((session = map_next(&chain->sessions, &cursor, NULL)) != NULL)
        mem_free(session);
    map_deinit(&chain->sessions);
    model_free(chain->model);
    arena_deinit(&chain->arena);
    mem_free(chain);
}

/* --- logs --- */

struct chain_link *chain_at(const struct chain *chain, int64_t zxid)
{
    return map_get(&chain->links, (uint64_t)zxid);
}

bool chain_holds(const struct chain *chain, int64_t last_zxid, int64_t zxid)
{
    while (last_zxid > zxid) {
        const struct chain_link *link = chain_at(chain, last_zxid);
        if (link == NULL)
            return false;
        last_zxid = link->before;
    }
    return last_zxid == zxid;
}

/* The digest behind an error changes nothing: from the log files a learner gets it without. */
static bool same_record(struct slice one, struct slice other)
{
    enum { ERROR_BYTES = 36 };

    if (one.size >= ERROR_BYTES && other.size >= ERROR_BYTES &&
        txnlog_payload_type(one) == OP_ERROR)
        one.size = other.size = ERROR_BYTES;
    return slice_equal(one, other);
}

void chain_add(struct chain *chain, const struct node *node, int64_t before,
               const struct txnlog_append *append)
{
    struct chain_link *link = chain_at(chain, append->zxid);

    if (link == NULL) {
        link = mem_zalloc(sizeof(*link));
        link->zxid = append->zxid;
        link->before = before;
        link->logged_us = chain->world->events.now_us;
        link->by = node->options.index;
        link->life = node->life;
        link->jumps = node->clock_jumps;
        buffer_append(&link->payload, append->payload);
        map_set(&chain->links, (uint64_t)append->zxid, link);
        return;
    }
    if (link->before != before)
        world_fail(chain->world, node,
                   "it logs %" PRIx64 " behind %" PRIx64 ", elsewhere it stands behind %" PRIx64,
                   (uint64_t)append->zxid, (uint64_t)before, (uint64_t)link->before);
    if (!same_record(buffer_slice(&link->payload), append->payload))
        world_fail(chain->world, node, "it logs a %" PRIx64 " that is another one elsewhere",
                   (uint64_t)append->zxid);
}

/* --- commits --- */

/* Nothing of a session but between its two ends, and its requests in their order. */
static void check_session(struct chain *chain, const struct txn *txn, int64_t logged_us)
{
    const struct txn_header *header = &txn->header;
    struct chain_session *session = map_get(&chain->sessions, (uint64_t)header->client_id);
    struct world *world = chain->world;

    if (header->type == OP_CREATE_SESSION) {
        if (session != NULL && !session->closed) {
            world_fail(world, NULL, "session %" PRIx64 " is created twice, again by %" PRIx64,
                       (uint64_t)header->client_id, (uint64_t)header->zxid);
            return;
        }
        if (session == NULL)
            session = mem_zalloc(sizeof(*session));
        *session = (struct chain_session){.id = header->client_id};
        map_set(&chain->sessions, (uint64_t)header->client_id, session);
        return;
    }
    if (header->type == OP_ERROR || header->client_id == 0)
        return;
    if ((session == NULL || session->closed) && world->options.local_sessions != 0 &&
        header->type != OP_CLOSE_SESSION)
        return; /* known to one server only; after its clock was set back, perhaps with an old id */
    if (session == NULL || session->closed) {
        if (header->type != OP_CLOSE_SESSION)
            world_fail(world, NULL, "%" PRIx64 " is of session %" PRIx64 ", which is %s",
                       (uint64_t)header->zxid, (uint64_t)header->client_id,
                       session == NULL ? "unknown" : "closed");
        return;
    }
    if (header->type == OP_CLOSE_SESSION) {
        session->closed = true;
        session->closed_us = logged_us;
        model_close_session(chain->model, header->client_id, header->zxid);
        return;
    }
    bool wraps = session->last_cxid > INT32_MAX - XIDS_MAX && header->cxid < XIDS_MAX;
    if (header->cxid <= session->last_cxid && !wraps && !session->restarts)
        world_fail(
            world, NULL, "request %d of session %" PRIx64 " is executed by %" PRIx64 ", behind %d",
            header->cxid, (uint64_t)header->client_id, (uint64_t)header->zxid, session->last_cxid);
    session->last_cxid = header->cxid;
}

/* A container or TTL node goes only when it has no children, and a TTL node in its time: by the clock that the
 * leader shows, and by what has really passed unless that clock has jumped in between. */
static void check_deletion(struct chain *chain, const struct txn *txn,
                           const struct chain_link *link)
{
    struct world *world = chain->world;
    struct slice path = txn->op.path;
    int64_t zxid = txn->header.zxid;
    struct model_node node = model_look(chain->model, path, zxid);

    if (!node.container && node.ttl_ms == 0)
        world_fail(world, NULL, "%" PRIx64 " takes %.*s away, which is to stay", (uint64_t)zxid,
                   (int)path.size, (const char *)path.data);
    if (model_child_count(chain->model, path, zxid) > 0)
        world_fail(world, NULL, "%" PRIx64 " takes %.*s away, which has children", (uint64_t)zxid,
                   (int)path.size, (const char *)path.data);
    const struct chain_link *written = chain_at(chain, node.mzxid);
    if (node.ttl_ms == 0 || written == NULL)
        return;
    int64_t passed_ms = (link->logged_us - written->logged_us) * 20 / 19 / 1000; /* clocks drift */
    bool same_clock = written->by == link->by && written->life == link->life &&
                      (written->jumps == 0 || written->jumps == link->jumps);
    if (txn->header.time_ms - node.mtime_ms < node.ttl_ms ||
        (same_clock && passed_ms + 2 < node.ttl_ms))
        world_fail(world, NULL,
                   "%" PRIx64 " takes %.*s away after %" PRId64 " ms, and it was to stay %" PRId64,
                   (uint64_t)zxid, (int)path.size, (const char *)path.data, passed_ms, node.ttl_ms);
}

void chain_commit(struct chain *chain, struct chain_link *link)
{
    struct txn txn;

    link->committed = true;
    chain->committed_zxid = link->zxid;
    if (txn_read(buffer_slice(&link->payload), &chain->arena, &txn) != STATUS_OK) {
        world_fail(chain->world, NULL, "%" PRIx64 " does not decode", (uint64_t)link->zxid);
        return;
    }
    check_session(chain, &txn, link->logged_us);
    bool session_known = chain_knows_session(chain, txn.header.client_id);
    if (txn.header.type == OP_MULTI) {
        bool failed = false;
        for (int32_t i = 0; i < txn.op_count; i++)
            failed = failed || txn.ops[i].type == OP_ERROR;
        for (int32_t i = 0; i < txn.op_count && !failed; i++)
            model_apply(chain->model, &txn, &txn.ops[i], session_known);
    } else {
        if (txn.header.type == OP_DELETE_CONTAINER)
            check_deletion(chain, &txn, link);
        model_apply(chain->model, &txn, &txn.op, session_known);
    }
    arena_reset(&chain->arena);
}

/* --- sessions, and what clients see --- */

const struct model *chain_model(const struct chain *chain)
{
    return chain->model;
}

bool chain_is_committed(const struct chain *chain, int64_t zxid)
{
    const struct chain_link *link = chain_at(chain, zxid);

    return link == NULL ? zxid <= chain->committed_zxid : link->committed;
}

int64_t chain_committed_zxid(const struct chain *chain)
{
    return chain->committed_zxid;
}

bool chain_knows_session(const struct chain *chain, int64_t session_id)
{
    return map_get(&chain->sessions, (uint64_t)session_id) != NULL;
}

bool chain_session_is_open(const struct chain *chain, int64_t session_id)
{
    const struct chain_session *session = map_get(&chain->sessions, (uint64_t)session_id);

    return session != NULL && !session->closed;
}

bool chain_session_ended_before(const struct chain *chain, int64_t session_id, int64_t us)
{
    const struct chain_session *session = map_get(&chain->sessions, (uint64_t)session_id);

    return session != NULL && session->closed && session->closed_us < us;
}

void chain_write_answered(struct chain *chain, int64_t session_id, int32_t xid, int64_t zxid,
                          int32_t err)
{
    const struct chain_link *link = chain_at(chain, zxid);
    struct txn txn;

    if (link == NULL || !link->committed) {
        world_fail(chain->world, NULL,
                   "a client was answered with %" PRIx64 ", which is not committed",
                   (uint64_t)zxid);
        return;
    }
    if (txn_read(buffer_slice(&link->payload), &chain->arena, &txn) != STATUS_OK ||
        txn.header.client_id != session_id || txn.header.cxid != xid)
        world_fail(chain->world, NULL,
                   "request %d of session %" PRIx64 " was answered with %" PRIx64
                   ", which is of another",
                   xid, (uint64_t)session_id, (uint64_t)zxid);
    else if (txn.header.type != OP_MULTI &&
             err != (txn.header.type == OP_ERROR ? txn.op.err : ZK_OK))
        world_fail(chain->world, NULL, "%" PRIx64 " was answered with error %d, and is not one",
                   (uint64_t)zxid, err);
    arena_reset(&chain->arena);
}

void chain_xids_restart(struct chain *chain, int64_t session_id)
{
    struct chain_session *session = map_get(&chain->sessions, (uint64_t)session_id);

    if (session != NULL)
        session->restarts = true;
}

void chain_compare(const struct chain *chain, const struct node *node, const struct tree *tree)
{
    uint32_t sessions = 0;
    const struct chain_session *session;
    size_t cursor = 0;

    model_compare(chain->model, node, tree, chain->committed_zxid);
    while ((session = map_next(&chain->sessions, &cursor, NULL)) != NULL) {
        if (session->closed)
            continue;
        sessions++;
        if (tree_session(tree, session->id) == NULL)
            world_fail(chain->world, node, "it has no session %" PRIx64, (uint64_t)session->id);
    }
    if (sessions != tree_session_count(tree))
        world_fail(chain->world, node, "it has %u sessions, and %u are open",
                   tree_session_count(tree), sessions);
}
