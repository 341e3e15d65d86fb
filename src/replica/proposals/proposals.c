/* proposals.c: the ring of transactions that are proposed and not yet applied.
 *
 * Transactions are applied in the order of their zxids, none before it is agreed. A transaction's
 * bytes stay where they are from its proposal until it is applied: the log thread reads them. */
#include "replica/proposals/proposals.h"

#include "replica/proposals/log_space.h"

enum {
    DIGEST_VERSION = 2,
    PENDING_FIRST = 256,
    /* How many changes of znodes one step applies or proposes at most; it takes a few ms. */
    STEP_CHANGES_MAX = 4096
};

struct pending {
    struct proposal proposal;
    struct slice payload;
    struct log_chunk *chunk;
    int64_t changes; /* outstanding_kept_put_count() with its own */
};

struct proposals {
    struct tree *tree;
    struct step *step;
    struct leader *leader;
    struct janitor janitor;
    struct snapshots snapshots;
    struct log_space log_space;
    struct buffer scratch;
    struct pending *pending; /* a ring; its size is a power of two */
    size_t first, count, capacity, bytes;
    int64_t agreed_zxid;
    int64_t changes_applied; /* of outstanding_kept_put_count() */
    /* Of the first in the ring, while it is applied in part. */
    struct txn applying;
    struct txn_progress progress;
};

struct proposals *proposals_new(const struct proposals_options *options, struct tree *tree,
                                struct step *step)
{
    struct proposals *proposals = mem_zalloc(sizeof(*proposals));

    proposals->tree = tree;
    proposals->step = step;
    proposals->leader = leader_new(&options->leader, tree, step);
    proposals->agreed_zxid = tree_last_zxid(tree);
    janitor_init(&proposals->janitor, &options->janitor, step->now_ms, step->wall_ms);
    snapshots_init(&proposals->snapshots, &options->snapshots, tree);
    return proposals;
}

static struct pending *first_pending(struct proposals *proposals)
{
    ASSERT(proposals->count > 0);
    return &proposals->pending[proposals->first];
}

static void drop_first_pending(struct proposals *proposals)
{
    struct pending *pending = first_pending(proposals);

    proposals->bytes -= pending->payload.size;
    log_space_release(&proposals->log_space, pending->chunk);
    proposals->first = (proposals->first + 1) & (proposals->capacity - 1);
    proposals->count--;
}

void proposals_free(struct proposals *proposals)
{
    if (proposals == NULL)
        return;
    while (proposals->count > 0)
        drop_first_pending(proposals);
    log_space_deinit(&proposals->log_space);
    snapshots_deinit(&proposals->snapshots);
    leader_free(proposals->leader);
    buffer_deinit(&proposals->scratch);
    mem_free(proposals->pending);
    mem_free(proposals);
}

/* --- the first door --- */

static void grow_pending(struct proposals *proposals)
{
    size_t capacity = proposals->capacity == 0 ? PENDING_FIRST : proposals->capacity * 2;
    struct pending *grown = mem_alloc(capacity * sizeof(*grown));

    for (size_t i = 0; i < proposals->count; i++)
        grown[i] = proposals->pending[(proposals->first + i) & (proposals->capacity - 1)];
    mem_free(proposals->pending);
    proposals->pending = grown;
    proposals->first = 0;
    proposals->capacity = capacity;
}

static struct pending *add_pending(struct proposals *proposals)
{
    if (proposals->count == proposals->capacity)
        grow_pending(proposals);
    return &proposals->pending[(proposals->first + proposals->count++) & (proposals->capacity - 1)];
}

/* Keeps the transaction's bytes, followed by what its answer needs, and appends it to the log. */
static void propose(struct proposals *proposals, const struct txn *txn,
                    const struct proposal *request)
{
    struct buffer *scratch = &proposals->scratch;
    bool digest = tree_get_options(proposals->tree)->digest_enabled;
    struct pending pending = {.proposal = *request};

    scratch->size = 0;
    txn_write(scratch, txn);
    if (digest) /* of the tree after this transaction; errors carry it, too: Java checks each one */
        txn_digest_write(scratch,
                         &(struct txn_digest){.version = DIGEST_VERSION, .digest = txn->digest});
    size_t payload_bytes = scratch->size;
    for (int32_t i = 0; i < txn->op_count; i++)
        buffer_u8(scratch, txn->ops[i].with_stat ? 1 : 0);
    pending.payload = log_space_copy(&proposals->log_space, buffer_slice(scratch), &pending.chunk);
    pending.payload.size = payload_bytes;
    pending.proposal.zxid = txn->header.zxid;
    pending.proposal.with_stat = pending.payload.data + payload_bytes;
    pending.changes = outstanding_kept_put_count(leader_outstanding(proposals->leader));
    *add_pending(proposals) = pending;
    proposals->bytes += payload_bytes;
    metrics_count(&proposals->step->metrics, METRIC_REQUESTS_PREPARED, 1);
    bool roll = snapshots_count_record(&proposals->snapshots, payload_bytes);
    effects_add_append(proposals->step->effects,
                       (struct txnlog_append){.payload = pending.payload,
                                              .zxid = pending.proposal.zxid,
                                              .lacks_digest = !digest,
                                              .roll_before = roll});
}

enum status proposals_submit(struct proposals *proposals, const struct proposal *request,
                             const struct identities *identities, struct slice body)
{
    struct leader_request from = {
        .session_id = request->session_id, .cxid = request->xid, .identities = identities};
    struct txn txn;

    enum status status = leader_prepare(proposals->leader, &from, request->op, body, &txn);
    if (status == STATUS_OK)
        propose(proposals, &txn, request);
    return status;
}

void proposals_submit_create_session(struct proposals *proposals, const struct proposal *request)
{
    struct txn txn;

    leader_prepare_create_session(proposals->leader, request->session_id, request->timeout_ms,
                                  &txn);
    propose(proposals, &txn, request);
}

/* --- the second door --- */

static void count_applied(struct proposals *proposals, const struct pending *pending,
                          const struct txn *txn)
{
    struct metrics *metrics = &proposals->step->metrics;

    proposals->changes_applied = pending->changes;
    if (proposals->step->wall_ms >= txn->header.time_ms)
        metrics_observe(metrics, METRIC_PROPAGATION_LATENCY,
                        proposals->step->wall_ms - txn->header.time_ms);
    if (txn->has_digest && (uint64_t)txn->digest != tree_digest(proposals->tree))
        metrics_count(metrics, METRIC_DIGEST_MISMATCHES, 1);
}

/* False: the first transaction is applied only in part, and *changes_left is 0. */
static bool apply_first(struct proposals *proposals, const struct proposals_observer *observer,
                        uint32_t *changes_left)
{
    const struct pending *pending = first_pending(proposals);
    struct txn *txn = &proposals->applying;
    struct txn_result result;

    if (!proposals->progress.begun) {
        enum status status = txn_read(pending->payload, &proposals->step->arena, txn);
        ASSERT(status == STATUS_OK && txn->header.zxid == pending->proposal.zxid);
        observer->before_txn(observer->context, &pending->proposal);
    }
    if (!txn_apply_part(proposals->tree, txn, &observer->tree, &proposals->step->arena,
                        &proposals->progress, changes_left, &result)) {
        ASSERT(txn->header.type == OP_CLOSE_SESSION); /* of this type nothing lives in the arena */
        return false;
    }
    proposals->progress = (struct txn_progress){0};
    leader_applied(proposals->leader, pending->proposal.zxid);
    count_applied(proposals, pending, txn);
    tree_mark_digest(proposals->tree, pending->proposal.zxid);
    if (txn->header.type == OP_CREATE_SESSION)
        leader_session_created(proposals->leader, pending->proposal.session_id,
                               pending->proposal.timeout_ms);
    observer->after_txn(observer->context, &pending->proposal, txn, &result);
    if (txn->header.type == OP_CLOSE_SESSION)
        leader_session_closed(proposals->leader, pending->proposal.session_id);
    drop_first_pending(proposals);
    arena_reset(&proposals->step->arena);
    return true;
}

bool proposals_can_apply(const struct proposals *proposals)
{
    return proposals->count > 0 &&
           proposals->pending[proposals->first].proposal.zxid <= proposals->agreed_zxid;
}

bool proposals_half_applied(const struct proposals *proposals)
{
    return proposals->progress.begun;
}

void proposals_apply_agreed(struct proposals *proposals, const struct proposals_observer *observer)
{
    uint32_t changes_left = STEP_CHANGES_MAX;

    while (changes_left > 0 && proposals_can_apply(proposals)) {
        if (!apply_first(proposals, observer, &changes_left))
            return;
    }
}

void proposals_agreed(struct proposals *proposals, int64_t zxid,
                      const struct proposals_observer *observer)
{
    ASSERT(zxid >= proposals->agreed_zxid);
    proposals->agreed_zxid = zxid;
    proposals_apply_agreed(proposals, observer);
}

/* --- time --- */

static void expire_sessions(struct proposals *proposals)
{
    struct session *expired;
    uint32_t changes = 0;

    while (changes < STEP_CHANGES_MAX &&
           (expired = leader_next_expired(proposals->leader)) != NULL) {
        const struct tree_session *owner = tree_session(proposals->tree, expired->id);
        struct proposal request = {.session_id = expired->id,
                                   .arrived_ms = proposals->step->now_ms,
                                   .client = CLIENT_NONE,
                                   .op = OP_CLOSE_SESSION};
        struct txn txn;
        changes += owner == NULL ? 1 : owner->ephemeral_count + 1;
        metrics_count(&proposals->step->metrics, METRIC_SESSIONS_EXPIRED, 1);
        leader_prepare_close_session(proposals->leader, expired, &txn);
        propose(proposals, &txn, &request);
        arena_reset(&proposals->step->arena);
    }
}

/* Proposing changes no index of the tree (applying does), so the janitor's walk stays valid. */
static void delete_unneeded(void *context, uint32_t node_id)
{
    struct proposals *proposals = context;
    struct proposal request = {
        .arrived_ms = proposals->step->now_ms, .client = CLIENT_NONE, .op = OP_DELETE_CONTAINER};
    struct buffer path = {0};
    struct txn txn;

    tree_path_append(proposals->tree, node_id, &path);
    if (leader_prepare_delete_container(proposals->leader, buffer_slice(&path), &txn))
        propose(proposals, &txn, &request);
    buffer_deinit(&path);
    arena_reset(&proposals->step->arena);
}

void proposals_tick(struct proposals *proposals)
{
    expire_sessions(proposals);
    if (!proposals->progress.begun)
        janitor_run(&proposals->janitor, proposals->tree, proposals->step->now_ms, delete_unneeded,
                    proposals);
}

void proposals_touch_all_sessions(struct proposals *proposals)
{
    leader_touch_all(proposals->leader);
}

int64_t proposals_wake_at_ms(const struct proposals *proposals)
{
    int64_t expiry_ms = leader_next_expiry_ms(proposals->leader);
    int64_t janitor_ms = janitor_next_ms(&proposals->janitor);

    if (proposals_can_apply(proposals))
        return proposals->step->now_ms;
    return expiry_ms < janitor_ms ? expiry_ms : janitor_ms;
}

/* --- looking in --- */

struct leader *proposals_leader(struct proposals *proposals)
{
    return proposals->leader;
}

struct snapshots *proposals_snapshots(struct proposals *proposals)
{
    return &proposals->snapshots;
}

size_t proposals_count(const struct proposals *proposals)
{
    return proposals->count;
}

size_t proposals_bytes(const struct proposals *proposals)
{
    return proposals->bytes;
}

int64_t proposals_changes_applied(const struct proposals *proposals)
{
    return proposals->changes_applied;
}
