/* checker.c: the chain of all transactions, the commits on it, and what is on disk where. */
#include "sim/checker.h"

#include "base/array.h"
#include "replica/store/txnlog_format.h"
#include "sim/model.h"

#include <inttypes.h>

enum { EPOCHS_MAX = 4096, XIDS_MAX = 1 << 20 };

struct known {            /* a transaction that somebody has logged */
    int64_t zxid, before; /* the one before it in every log */
    struct buffer payload;
    int64_t logged_us; /* when the first one did: */
    int by;
    uint64_t life, jumps; /* of its process, and of its clock */
    bool committed, has_digest;
    uint64_t digest; /* of the tree behind it, as the first server had it */
};

struct model_session {
    int64_t id;
    bool closed, restarts;
    int64_t closed_us; /* when its end was logged */
    int32_t last_cxid;
};

struct on_node { /* what the checker knows of a server's files */
    int64_t last_zxid, durable_zxid;
    bool installing; /* a leader's state, and until it is complete the old one may come back */
    int64_t before_install_zxid;
    int64_t accepted_epoch, current_epoch;
    int64_t served_epoch;
    bool quarantined; /* what it has on disk counts nowhere */
    bool read_only;
};

struct checker {
    struct world *world;
    struct map known; /* zxid -> struct known */
    int64_t committed_zxid;
    struct on_node nodes[WORLD_NODES_MAX];
    int leaders[EPOCHS_MAX]; /* by epoch: index + 1; 0: none yet */
    struct model *model;
    struct map sessions; /* id -> struct model_session */
    struct arena arena;
};

struct checker *checker_new(struct world *world)
{
    struct checker *checker = mem_zalloc(sizeof(*checker));

    checker->world = world;
    checker->model = model_new(world);
    map_init(&checker->known);
    map_init(&checker->sessions);
    arena_init(&checker->arena);
    for (int i = 0; i < WORLD_NODES_MAX; i++)
        checker->nodes[i].accepted_epoch = checker->nodes[i].current_epoch =
            checker->nodes[i].served_epoch = -1;
    return checker;
}

void checker_free(struct checker *checker)
{
    size_t cursor = 0;
    struct known *known;
    struct model_session *session;

    while ((known = map_next(&checker->known, &cursor, NULL)) != NULL) {
        buffer_deinit(&known->payload);
        mem_free(known);
    }
    map_deinit(&checker->known);
    cursor = 0;
    while ((session = map_next(&checker->sessions, &cursor, NULL)) != NULL)
        mem_free(session);
    map_deinit(&checker->sessions);
    model_free(checker->model);
    arena_deinit(&checker->arena);
    mem_free(checker);
}

static struct known *known_at(const struct checker *checker, int64_t zxid)
{
    return map_get(&checker->known, (uint64_t)zxid);
}

static struct on_node *on(struct checker *checker, const struct node *node)
{
    return &checker->nodes[node->options.index];
}

/* Has a log that ends with last_zxid this transaction in it? */
static bool holds(const struct checker *checker, int64_t last_zxid, int64_t zxid)
{
    while (last_zxid > zxid) {
        const struct known *known = known_at(checker, last_zxid);
        if (known == NULL)
            return false;
        last_zxid = known->before;
    }
    return last_zxid == zxid;
}

/* Nothing of a session but between its two ends, and its requests in their order. */
static void check_session(struct checker *checker, const struct txn *txn, int64_t logged_us)
{
    const struct txn_header *header = &txn->header;
    struct model_session *session = map_get(&checker->sessions, (uint64_t)header->client_id);
    struct world *world = checker->world;

    if (header->type == OP_CREATE_SESSION) {
        if (session != NULL && !session->closed) {
            world_fail(world, NULL, "session %" PRIx64 " is created twice, again by %" PRIx64,
                       (uint64_t)header->client_id, (uint64_t)header->zxid);
            return;
        }
        if (session == NULL)
            session = mem_zalloc(sizeof(*session));
        *session = (struct model_session){.id = header->client_id};
        map_set(&checker->sessions, (uint64_t)header->client_id, session);
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
        model_close_session(checker->model, header->client_id, header->zxid);
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
static void check_deletion(struct checker *checker, const struct txn *txn,
                           const struct known *known)
{
    struct world *world = checker->world;
    struct slice path = txn->op.path;
    int64_t zxid = txn->header.zxid;
    struct model_node node = model_look(checker->model, path, zxid);

    if (!node.container && node.ttl_ms == 0)
        world_fail(world, NULL, "%" PRIx64 " takes %.*s away, which is to stay", (uint64_t)zxid,
                   (int)path.size, (const char *)path.data);
    if (model_child_count(checker->model, path, zxid) > 0)
        world_fail(world, NULL, "%" PRIx64 " takes %.*s away, which has children", (uint64_t)zxid,
                   (int)path.size, (const char *)path.data);
    const struct known *written = known_at(checker, node.mzxid);
    if (node.ttl_ms == 0 || written == NULL)
        return;
    int64_t passed_ms = (known->logged_us - written->logged_us) * 20 / 19 / 1000; /* clocks drift */
    bool same_clock = written->by == known->by && written->life == known->life &&
                      (written->jumps == 0 || written->jumps == known->jumps);
    if (txn->header.time_ms - node.mtime_ms < node.ttl_ms ||
        (same_clock && passed_ms + 2 < node.ttl_ms))
        world_fail(world, NULL,
                   "%" PRIx64 " takes %.*s away after %" PRId64 " ms, and it was to stay %" PRId64,
                   (uint64_t)zxid, (int)path.size, (const char *)path.data, passed_ms, node.ttl_ms);
}

static void apply(struct checker *checker, const struct known *known)
{
    struct txn txn;

    if (txn_read(buffer_slice(&known->payload), &checker->arena, &txn) != STATUS_OK) {
        world_fail(checker->world, NULL, "%" PRIx64 " does not decode", (uint64_t)known->zxid);
        return;
    }
    check_session(checker, &txn, known->logged_us);
    bool session_known = checker_knows_session(checker, txn.header.client_id);
    if (txn.header.type == OP_MULTI) {
        bool failed = false;
        for (int32_t i = 0; i < txn.op_count; i++)
            failed = failed || txn.ops[i].type == OP_ERROR;
        for (int32_t i = 0; i < txn.op_count && !failed; i++)
            model_apply(checker->model, &txn, &txn.ops[i], session_known);
    } else {
        if (txn.header.type == OP_DELETE_CONTAINER)
            check_deletion(checker, &txn, known);
        model_apply(checker->model, &txn, &txn.op, session_known);
    }
    arena_reset(&checker->arena);
}

/* --- logs --- */

/* The digest behind an error changes nothing: from the log files a learner gets it without. */
static bool same_record(struct slice one, struct slice other)
{
    enum { ERROR_BYTES = 36 };

    if (one.size >= ERROR_BYTES && other.size >= ERROR_BYTES &&
        txnlog_payload_type(one) == OP_ERROR)
        one.size = other.size = ERROR_BYTES;
    return slice_equal(one, other);
}

/* Zxids of an epoch follow each other without a gap, and an epoch begins with the first one. (Guests of a story
 * may do as they like, and one deliberate bug lets epochs begin late.) */
static void check_next(struct checker *checker, const struct node *node, int64_t before,
                       int64_t zxid)
{
    const struct world *world = checker->world;
    bool begins = zxid_epoch(zxid) > zxid_epoch(before) &&
                  (zxid_counter(zxid) == 1 || world->run->mutant == MUTANT_LATE_COUNTERS ||
                   world->run->mutant == MUTANT_ROLLOVER_WRAP);

    if (zxid != before + 1 && !begins && (world->hand == NULL || world->hand->guests == 0))
        world_fail(checker->world, node, "it logs %" PRIx64 " behind %" PRIx64 ": there is a gap",
                   (uint64_t)zxid, (uint64_t)before);
}

static bool is_unlogged(const struct checker *checker, const struct node *node)
{
    return node->options.unlogged_observer && node->options.index >= checker->world->options.nodes;
}

/* A read-only server shows what is in its log, all of it, and nothing else. (Who writes no log shows what it has
 * heard.) */
static void check_read_only(struct checker *checker, struct node *node,
                            const struct ensemble_info *info)
{
    struct on_node *at = on(checker, node);
    int64_t zxid = tree_last_zxid(replica_tree(node->replica));

    if (info->read_only && !at->read_only)
        world_note(checker->world, node, "it is read-only, zxid=%" PRIx64, (uint64_t)zxid);
    at->read_only = info->read_only;
    if (!info->read_only)
        return;
    if (info->serves || info->state != PEER_LOOKING || at->quarantined)
        world_fail(checker->world, node, "it is read-only, and %s",
                   at->quarantined ? "in quarantine" : "has a role");
    if (zxid != at->last_zxid && !is_unlogged(checker, node))
        world_fail(checker->world, node, "it shows %" PRIx64 ", and its log ends with %" PRIx64,
                   (uint64_t)zxid, (uint64_t)at->last_zxid);
}

void checker_append(struct checker *checker, struct node *node, const struct txnlog_append *append)
{
    struct on_node *at = on(checker, node);
    struct ensemble_info info;
    struct known *known = known_at(checker, append->zxid);
    int64_t before = at->last_zxid;

    /* A server that the story plays has no replica. */
    if (node->replica != NULL && replica_ensemble(node->replica, &info) &&
        (info.read_only || (info.serves && is_unlogged(checker, node))))
        world_fail(checker->world, node, "it is %s, and logs %" PRIx64,
                   info.read_only ? "read-only" : "to write no log", (uint64_t)append->zxid);
    at->last_zxid = append->zxid;
    check_next(checker, node, before, append->zxid);
    if (known == NULL) {
        known = mem_zalloc(sizeof(*known));
        known->zxid = append->zxid;
        known->before = before;
        known->logged_us = checker->world->events.now_us;
        known->by = node->options.index;
        known->life = node->life;
        known->jumps = node->clock_jumps;
        buffer_append(&known->payload, append->payload);
        map_set(&checker->known, (uint64_t)append->zxid, known);
        return;
    }
    if (known->before != before)
        world_fail(checker->world, node,
                   "it logs %" PRIx64 " behind %" PRIx64 ", elsewhere it stands behind %" PRIx64,
                   (uint64_t)append->zxid, (uint64_t)before, (uint64_t)known->before);
    if (!same_record(buffer_slice(&known->payload), append->payload))
        world_fail(checker->world, node, "it logs a %" PRIx64 " that is another one elsewhere",
                   (uint64_t)append->zxid);
}

void checker_durable(struct checker *checker, struct node *node, int64_t zxid)
{
    on(checker, node)->durable_zxid = zxid;
}

void checker_stored(struct checker *checker, struct node *node, const struct store_work *work,
                    enum status status)
{
    struct on_node *at = on(checker, node);

    if (status != STATUS_OK)
        return;
    switch (work->kind) {
    case STORE_WRITE_EPOCHS:
        if (node->accepted_epoch < at->accepted_epoch || node->current_epoch < at->current_epoch)
            world_fail(checker->world, node, "its epochs go back");
        at->accepted_epoch = node->accepted_epoch;
        at->current_epoch = node->current_epoch;
        if (work->current_epoch != EPOCH_NONE)
            at->installing = false;
        if (work->ends_quarantine)
            at->quarantined = false;
        return;
    case STORE_TRUNCATE:
        if (!holds(checker, at->last_zxid, work->zxid))
            world_fail(checker->world, node, "it was cut to %" PRIx64 ", which it did not have",
                       (uint64_t)work->zxid);
        break;
    case STORE_RELOAD:
        at->installing = false;
        break;
    case STORE_RESTART_LOG:
        if (!at->installing)
            at->before_install_zxid = at->durable_zxid;
        at->installing = true;
        break;
    }
    if (work->kind == STORE_TRUNCATE && node->durable_zxid != work->zxid)
        world_fail(checker->world, node, "it was cut to %" PRIx64 " and ends with %" PRIx64,
                   (uint64_t)work->zxid, (uint64_t)node->durable_zxid);
    at->last_zxid = at->durable_zxid = node->durable_zxid;
}

void checker_booted(struct checker *checker, struct node *node)
{
    struct on_node *at = on(checker, node);
    int64_t zxid = node->durable_zxid;
    bool cut = node->interrupted && node->work.kind == STORE_TRUNCATE && zxid == node->work.zxid;

    if (node->quarantined)
        cut = true; /* it has lost something, and says so */
    else if (at->quarantined && !(node->interrupted && node->work.ends_quarantine))
        world_fail(checker->world, node, "it forgot that it was in quarantine");
    at->quarantined = node->quarantined;
    if ((node->accepted_epoch < at->accepted_epoch || node->current_epoch < at->current_epoch) &&
        !(node->quarantined && node->promises_lost))
        world_fail(checker->world, node, "it forgot an epoch that it had written");
    if (node->current_epoch > node->accepted_epoch || zxid_epoch(zxid) > node->accepted_epoch)
        world_fail(checker->world, node, "its epochs do not fit its log");
    if (!cut && !holds(checker, zxid, at->durable_zxid) &&
        !(at->installing && holds(checker, zxid, at->before_install_zxid)))
        world_fail(checker->world, node, "it had %" PRIx64 " on disk and starts with %" PRIx64,
                   (uint64_t)at->durable_zxid, (uint64_t)zxid);
    at->installing = false;
    at->accepted_epoch = node->accepted_epoch;
    at->current_epoch = node->current_epoch;
    at->last_zxid = at->durable_zxid = zxid;
}

void checker_acks(struct checker *checker, struct node *node, int64_t zxid)
{
    const struct on_node *at = on(checker, node);

    if (zxid_counter(zxid) == 0 && at->current_epoch < zxid_epoch(zxid) &&
        !is_unlogged(checker, node))
        world_fail(checker->world, node, "it acknowledges epoch %" PRId64 " and has not written it",
                   zxid_epoch(zxid));
    if (zxid_counter(zxid) != 0 && at->quarantined)
        world_fail(checker->world, node, "it acknowledges %" PRIx64 " and is in quarantine",
                   (uint64_t)zxid);
    if (zxid_counter(zxid) != 0 && at->durable_zxid < zxid)
        world_fail(checker->world, node,
                   "it acknowledges %" PRIx64 ", and only %" PRIx64 " is durable", (uint64_t)zxid,
                   (uint64_t)at->durable_zxid);
}

void checker_wiped(struct checker *checker, struct node *node)
{
    *on(checker, node) =
        (struct on_node){.accepted_epoch = -1, .current_epoch = -1, .served_epoch = -1};
}

/* --- commits --- */

struct durable_at {
    const struct checker *checker;
    int64_t zxid;
};

static bool is_durable_at(const void *context, int64_t id)
{
    const struct durable_at *question = context;

    const struct on_node *at = &question->checker->nodes[id - 1];

    return !at->quarantined && holds(question->checker, at->durable_zxid, question->zxid);
}

static void commit_one(struct checker *checker, struct node *node, struct known *known)
{
    struct durable_at question = {.checker = checker, .zxid = known->zxid};

    known->committed = true;
    checker->world->verdict.commits++;
    bool alone = node_was_granted_since(node, checker->world->events.now_us) &&
                 is_durable_at(&question, node->options.id);
    if (!alone && !membership_quorum(checker->world->membership, is_durable_at, &question))
        world_fail(checker->world, node, "it commits %" PRIx64 ", which no quorum has on disk",
                   (uint64_t)known->zxid);
    apply(checker, known);
}

static void commit_up_to(struct checker *checker, struct node *node, int64_t zxid)
{
    struct known *chain[4096];
    size_t count = 0;

    for (int64_t at = zxid; at != checker->committed_zxid;) {
        struct known *known = known_at(checker, at);
        if (known == NULL || at < checker->committed_zxid || count == ARRAY_LEN(chain)) {
            world_fail(checker->world, node,
                       "it commits %" PRIx64 " without %" PRIx64 ", which is committed",
                       (uint64_t)zxid, (uint64_t)checker->committed_zxid);
            return;
        }
        chain[count++] = known;
        at = known->before;
    }
    while (count > 0)
        commit_one(checker, node, chain[--count]);
    checker->committed_zxid = zxid;
}

void checker_commits(struct checker *checker, struct node *node, int64_t zxid)
{
    const struct known *known = known_at(checker, zxid);

    if (zxid > checker->committed_zxid)
        commit_up_to(checker, node, zxid);
    else if (known == NULL || !known->committed)
        world_fail(checker->world, node,
                   "it commits %" PRIx64 ", and behind it %" PRIx64 " is committed", (uint64_t)zxid,
                   (uint64_t)checker->committed_zxid);
}

static void check_epoch(struct checker *checker, struct node *node,
                        const struct ensemble_info *info)
{
    struct on_node *at = on(checker, node);

    if (at->served_epoch == info->epoch)
        return;
    at->served_epoch = info->epoch;
    world_note(checker->world, node, "%s of epoch %" PRId64 " serves, zxid=%" PRIx64,
               peer_state_name(info->state), info->epoch,
               (uint64_t)tree_last_zxid(replica_tree(node->replica)));
    if (info->state != PEER_LEADING)
        return;
    checker->world->verdict.elections++;
    int *leader = &checker->leaders[info->epoch % EPOCHS_MAX];
    if (*leader != 0 && *leader != node->options.index + 1)
        world_fail(checker->world, node, "it leads epoch %" PRId64 ", which server %d has led",
                   info->epoch, *leader);
    *leader = node->options.index + 1;
}

/* A server that leads writes snapshots only of what is agreed upon. (A learner must write the one that its
 * leader sent, which a quorum agrees to only then.) */
static void check_image(struct checker *checker, struct node *node)
{
    struct ensemble_info info;

    if (!node->image_running || !replica_ensemble(node->replica, &info) ||
        info.state != PEER_LEADING)
        return;
    int64_t zxid = replica_snapshot_zxid(node->replica);
    const struct known *known = known_at(checker, zxid);
    if (known != NULL && !known->committed)
        world_fail(checker->world, node,
                   "it leads and writes a snapshot of %" PRIx64 ", which is not committed",
                   (uint64_t)zxid);
}

void checker_turned(struct checker *checker, struct node *node)
{
    struct ensemble_info info;
    const struct tree *tree = replica_tree(node->replica);
    int64_t zxid = tree_last_zxid(tree);

    if (replica_ensemble(node->replica, &info))
        check_read_only(checker, node, &info);
    if (!replica_ensemble(node->replica, &info) || !info.serves) {
        check_image(checker, node);
        on(checker, node)->served_epoch = -1;
        return;
    }
    if (on(checker, node)->quarantined)
        world_fail(checker->world, node, "it serves in quarantine");
    check_epoch(checker, node, &info);
    if (info.state == PEER_LEADING && zxid > checker->committed_zxid)
        commit_up_to(checker, node, zxid);
    check_image(checker, node);
    struct known *known = known_at(checker, zxid);
    if (known == NULL)
        return;
    if (!known->committed) {
        world_fail(checker->world, node, "it has applied %" PRIx64 ", which is not committed",
                   (uint64_t)zxid);
        return;
    }
    if (replica_half_applied(node->replica))
        return;
    if (known->has_digest && known->digest != tree_digest(tree))
        world_fail(checker->world, node, "its tree of %" PRIx64 " is another one than elsewhere",
                   (uint64_t)zxid);
    known->has_digest = true;
    known->digest = tree_digest(tree);
}

/* --- what clients see --- */

const struct model *checker_model(const struct checker *checker)
{
    return checker->model;
}

bool checker_has_all(const struct checker *checker, const struct node *node)
{
    const struct on_node *at = &checker->nodes[node->options.index];

    return !at->installing && holds(checker, at->durable_zxid, checker->committed_zxid);
}

bool checker_is_committed(const struct checker *checker, int64_t zxid)
{
    const struct known *known = known_at(checker, zxid);

    return known == NULL ? zxid <= checker->committed_zxid : known->committed;
}

int64_t checker_committed_zxid(const struct checker *checker)
{
    return checker->committed_zxid;
}

bool checker_knows_session(const struct checker *checker, int64_t session_id)
{
    return map_get(&checker->sessions, (uint64_t)session_id) != NULL;
}

bool checker_session_is_open(const struct checker *checker, int64_t session_id)
{
    const struct model_session *session = map_get(&checker->sessions, (uint64_t)session_id);

    return session != NULL && !session->closed;
}

bool checker_session_ended_before(const struct checker *checker, int64_t session_id, int64_t us)
{
    const struct model_session *session = map_get(&checker->sessions, (uint64_t)session_id);

    return session != NULL && session->closed && session->closed_us < us;
}

void checker_write_answered(struct checker *checker, int64_t session_id, int32_t xid, int64_t zxid,
                            int32_t err)
{
    const struct known *known = known_at(checker, zxid);
    struct txn txn;

    if (known == NULL || !known->committed) {
        world_fail(checker->world, NULL,
                   "a client was answered with %" PRIx64 ", which is not committed",
                   (uint64_t)zxid);
        return;
    }
    if (txn_read(buffer_slice(&known->payload), &checker->arena, &txn) != STATUS_OK ||
        txn.header.client_id != session_id || txn.header.cxid != xid)
        world_fail(checker->world, NULL,
                   "request %d of session %" PRIx64 " was answered with %" PRIx64
                   ", which is of another",
                   xid, (uint64_t)session_id, (uint64_t)zxid);
    else if (txn.header.type != OP_MULTI &&
             err != (txn.header.type == OP_ERROR ? txn.op.err : ZK_OK))
        world_fail(checker->world, NULL, "%" PRIx64 " was answered with error %d, and is not one",
                   (uint64_t)zxid, err);
    arena_reset(&checker->arena);
}

void checker_xids_restart(struct checker *checker, int64_t session_id)
{
    struct model_session *session = map_get(&checker->sessions, (uint64_t)session_id);

    if (session != NULL)
        session->restarts = true;
}

/* --- at the end --- */

static void compare_tree(struct checker *checker, const struct node *node, const struct tree *tree)
{
    uint32_t sessions = 0;
    const struct model_session *session;
    size_t cursor = 0;

    model_compare(checker->model, node, tree, checker->committed_zxid);
    while ((session = map_next(&checker->sessions, &cursor, NULL)) != NULL) {
        if (session->closed)
            continue;
        sessions++;
        if (tree_session(tree, session->id) == NULL)
            world_fail(checker->world, node, "it has no session %" PRIx64, (uint64_t)session->id);
    }
    if (sessions != tree_session_count(tree))
        world_fail(checker->world, node, "it has %u sessions, and %u are open",
                   tree_session_count(tree), sessions);
}

bool checker_is_even(const struct checker *checker)
{
    const struct world *world = checker->world;

    for (int i = 0; i < world->node_count; i++) {
        const struct node *node = &world->nodes[i];
        if (node->up && tree_last_zxid(replica_tree(node->replica)) != checker->committed_zxid)
            return false;
    }
    return true;
}

void checker_compare_all(struct checker *checker)
{
    struct world *world = checker->world;

    for (int i = 0; i < world->node_count; i++) {
        struct node *node = &world->nodes[i];
        struct ensemble_info info;
        if (!node->up || !replica_ensemble(node->replica, &info) || !info.serves) {
            world_fail(world, node, "it does not serve although all is healed");
            return;
        }
        int64_t zxid = tree_last_zxid(replica_tree(node->replica));
        if (zxid != checker->committed_zxid)
            world_fail(world, node, "it is at %" PRIx64 ", and %" PRIx64 " is committed",
                       (uint64_t)zxid, (uint64_t)checker->committed_zxid);
        compare_tree(checker, node, replica_tree(node->replica));
    }
}
