/* proposals.c: the way of a request to a change of the tree, in every role.
 *
 * Transactions are applied in the order of their zxids, none before it is agreed and durable here. A
 * transaction's bytes stay where they are from its proposal until it is applied: the log thread
 * reads them. */
#include "replica/proposals/proposals.h"

#include "base/hash.h"
#include "replica/proposals/forwarded.h"
#include "replica/proposals/txn_ring.h"
#include "replica/store/txnlog_payload.h"
#include "wire/quorum.h"

enum {
    /* How many changes of znodes one step applies or proposes at most; it takes a few ms. */
    STEP_CHANGES_MAX = 1024
};

struct proposals {
    enum proposals_role role;
    struct prepare_rules rules;
    bool local_upgrading;
    struct tree *tree;
    struct step *step;
    struct sessions sessions;
    struct leader *leader; /* NULL where this server makes no transactions */
    struct janitor janitor;
    struct snapshots snapshots;
    struct txn_ring ring;
    struct forwarded forwarded; /* of a learner; the syncs of a leader's own clients, too */
    size_t new_syncs;           /* of a leader's own clients */
    struct buffer scratch;
    int64_t proposed_zxid, durable_zxid, agreed_zxid;
    int64_t changes_kept;  /* outstanding_kept_put_count() with the newest transaction */
    int64_t mismatch_zxid; /* the last transaction after which the tree was not as it says */
    bool differs;          /* after the last one that was compared */
    int64_t compared_above;
    uint64_t digests_fitting;
    /* Of the first in the ring, while it is applied in part. */
    struct txn applying;
    struct txn_progress progress;
};

static struct leader *new_leader(struct proposals *proposals, int64_t last_zxid)
{
    return leader_new(&proposals->rules, proposals->tree, &proposals->sessions, proposals->step,
                      last_zxid);
}

static void begin_at(struct proposals *proposals, int64_t zxid)
{
    proposals->proposed_zxid = proposals->durable_zxid = proposals->agreed_zxid = zxid;
    txn_ring_restart(&proposals->ring, zxid);
}

struct proposals *proposals_new(const struct proposals_options *options, struct tree *tree,
                                struct step *step)
{
    struct proposals *proposals = mem_zalloc(sizeof(*proposals));

    proposals->rules = options->rules;
    proposals->local_upgrading = options->local_upgrading;
    proposals->tree = tree;
    proposals->step = step;
    proposals->ring.kept_bytes_max = options->history_bytes_max;
    proposals->ring.kept_count_max = options->history_count_max;
    sessions_init(&proposals->sessions, &options->sessions, tree, step);
    begin_at(proposals, tree_last_zxid(tree));
    janitor_init(&proposals->janitor, &options->janitor, step->now_ms, step->wall_ms);
    snapshots_init(&proposals->snapshots, &options->snapshots, tree);
    proposals->role = options->ensemble ? PROPOSALS_IDLE : PROPOSALS_ALONE;
    if (!options->ensemble)
        proposals->leader = new_leader(proposals, tree_last_zxid(tree));
    return proposals;
}

void proposals_free(struct proposals *proposals)
{
    if (proposals == NULL)
        return;
    txn_ring_deinit(&proposals->ring);
    forwarded_deinit(&proposals->forwarded);
    snapshots_deinit(&proposals->snapshots);
    leader_free(proposals->leader);
    sessions_deinit(&proposals->sessions);
    buffer_deinit(&proposals->scratch);
    mem_free(proposals);
}

/* --- the first door --- */

/* Keeps the transaction's bytes, followed by what its answer needs, and appends it to the log. */
static void append(struct proposals *proposals, const struct proposal *proposal, struct slice bytes,
                   size_t payload_bytes, bool lacks_digest)
{
    struct pending *pending = txn_ring_add(&proposals->ring, proposal, bytes, payload_bytes);
    bool roll = snapshots_count_record(&proposals->snapshots, payload_bytes);

    if (proposals->leader != NULL) {
        int64_t kept = outstanding_kept_put_count(leader_outstanding(proposals->leader));
        pending->changes = kept - proposals->changes_kept;
        proposals->changes_kept = kept;
    }
    proposals->proposed_zxid = proposal->zxid;
    effects_add_append(proposals->step->effects,
                       (struct txnlog_append){.payload = pending->payload,
                                              .zxid = proposal->zxid,
                                              .lacks_digest = lacks_digest,
                                              .roll_before = roll});
}

static void propose(struct proposals *proposals, const struct txn *txn,
                    const struct proposal *request)
{
    struct buffer *scratch = &proposals->scratch;
    bool digest = tree_get_options(proposals->tree)->digest_enabled;
    struct proposal proposal = *request;

    scratch->size = 0;
    txn_write(scratch, txn);
    if (digest) /* of the tree after this transaction; errors carry it, too: Java checks each one */
        txn_digest_write(scratch,
                         &(struct txn_digest){.version = DIGEST_VERSION, .digest = txn->digest});
    size_t payload_bytes = scratch->size;
    for (int32_t i = 0; i < txn->op_count; i++)
        buffer_u8(scratch, txn->ops[i].with_stat ? 1 : 0);
    proposal.zxid = txn->header.zxid;
    append(proposals, &proposal, buffer_slice(scratch), payload_bytes, !digest);
    metrics_count(&proposals->step->metrics, METRIC_REQUESTS_PREPARED, 1);
}

/* It is complete and right before it is sent: a leader of some releases never goes on behind a request
 * that does not decode. */
static enum status forward(struct proposals *proposals, const struct proposal *request,
                           const struct identities *identities, struct slice body)
{
    struct write_request parsed;

    enum status status = write_request_read(request->op, body, proposals->rules.text_bytes_max,
                                            &proposals->step->arena, &parsed);
    if (status != STATUS_OK)
        return status;
    if (request->op == OP_CLOSE_SESSION) {
        struct session *session = sessions_find(&proposals->sessions, request->session_id);
        if (session != NULL)
            session->closing = true;
    }
    forwarded_add(&proposals->forwarded, request, identities, body,
                  request->op == OP_MULTI ? &parsed : NULL, proposals->proposed_zxid);
    return STATUS_OK;
}

static bool wants_ephemeral(const struct write_op *op)
{
    return (op->type == OP_CREATE || op->type == OP_CREATE2) &&
           (op->flags == MODE_EPHEMERAL || op->flags == MODE_EPHEMERAL_SEQUENTIAL);
}

/* Of a body that does not decode: no. */
static bool asks_for_ephemeral(struct proposals *proposals, int32_t op, struct slice body)
{
    struct write_request parsed;

    if ((op != OP_CREATE && op != OP_CREATE2 && op != OP_MULTI) ||
        write_request_read(op, body, proposals->rules.text_bytes_max, &proposals->step->arena,
                           &parsed) != STATUS_OK)
        return false;
    if (op != OP_MULTI)
        return wants_ephemeral(&parsed.op);
    for (int32_t i = 0; i < parsed.op_count; i++) {
        if (wants_ephemeral(&parsed.ops[i]))
            return true;
    }
    return false;
}

/* Its createSession goes right before the request. */
static void upgrade(struct proposals *proposals, struct session *session)
{
    sessions_upgrade(&proposals->sessions, session);
    proposals_submit_create_session(proposals,
                                    &(struct proposal){.session_id = session->id,
                                                       .arrived_ms = proposals->step->now_ms,
                                                       .client = CLIENT_NONE,
                                                       .op = OP_CREATE_SESSION,
                                                       .timeout_ms = session->timeout_ms});
}

/* An ephemeral is deleted when its session ends, so all servers must know the session. False: it may
 * not be upgraded. (QuorumZooKeeperServer.checkUpgradeSession()) */
static bool may_have_ephemeral(struct proposals *proposals, const struct proposal *request,
                               struct slice body)
{
    struct session *session = proposals->sessions.options.local
                                  ? sessions_find_here(&proposals->sessions, request->session_id)
                                  : NULL;

    if (mutant_is(proposals->step->mutant, MUTANT_EPHEMERAL_OF_LOCAL))
        return true;
    if (session == NULL || !session->local || !asks_for_ephemeral(proposals, request->op, body))
        return true;
    if (proposals->local_upgrading)
        upgrade(proposals, session);
    return proposals->local_upgrading;
}

enum status proposals_submit(struct proposals *proposals, const struct proposal *given,
                             const struct identities *identities, struct slice body)
{
    struct proposal own = *given;
    const struct proposal *request = &own;

    own.ephemeral_on_local = !may_have_ephemeral(proposals, given, body);
    struct leader_request from = {.session_id = request->session_id,
                                  .cxid = request->xid,
                                  .ephemeral_on_local = own.ephemeral_on_local,
                                  .identities = identities,
                                  .owner = proposals->role == PROPOSALS_LEADS ? SESSION_OWNER_HERE
                                                                              : SESSION_OWNER_NONE};
    struct txn txn;

    ASSERT(proposals->role != PROPOSALS_IDLE);
    if (proposals->role == PROPOSALS_LEARNS)
        return forward(proposals, request, identities, body);
    enum status status = leader_prepare(proposals->leader, &from, request->op, body, &txn);
    if (status == STATUS_OK)
        propose(proposals, &txn, request);
    return status;
}

static void propose_create_session(struct proposals *proposals, const struct proposal *request,
                                   int64_t owner)
{
    struct txn txn;

    leader_prepare_create_session(proposals->leader, request->session_id, request->timeout_ms,
                                  &txn);
    if (proposals->role == PROPOSALS_LEADS) { /* its first requests may stand right behind it */
        sessions_created(&proposals->sessions, request->session_id, request->timeout_ms);
        sessions_find(&proposals->sessions, request->session_id)->owner = owner;
    }
    propose(proposals, &txn, request);
}

void proposals_submit_create_session(struct proposals *proposals, const struct proposal *request)
{
    uint8_t timeout[4];

    ASSERT(proposals->role != PROPOSALS_IDLE);
    if (proposals->role != PROPOSALS_LEARNS) {
        propose_create_session(proposals, request, SESSION_OWNER_HERE);
        return;
    }
    store_be32(timeout, (uint32_t)request->timeout_ms);
    forwarded_add(&proposals->forwarded, request, /* identities= */ NULL,
                  slice_of(timeout, sizeof(timeout)), /* multi= */ NULL, proposals->proposed_zxid);
}

void proposals_submit_sync(struct proposals *proposals, const struct proposal *request,
                           const struct identities *identities, struct slice body)
{
    ASSERT(proposals->role == PROPOSALS_LEADS || proposals->role == PROPOSALS_LEARNS);
    forwarded_add_sync(&proposals->forwarded, request, proposals->proposed_zxid);
    if (proposals->role == PROPOSALS_LEARNS)
        forwarded_ask_sync(&proposals->forwarded, request, identities, body);
    else
        proposals->new_syncs++;
}

enum revalidation proposals_revalidate(struct proposals *proposals, int64_t session_id,
                                       int32_t timeout_ms)
{
    struct session *session = sessions_find_here(&proposals->sessions, session_id);
    bool local = session != NULL && session->local;

    if (proposals->role == PROPOSALS_IDLE && !local)
        return SESSION_REFUSED;
    if (proposals->role == PROPOSALS_LEARNS && !local) {
        if (session != NULL)
            session->owner = SESSION_OWNER_HERE; /* and no observer of this server */
        quorum_revalidate_put(
            &proposals->forwarded.to_leader,
            &(struct session_touch){.session_id = session_id, .timeout_ms = timeout_ms});
        return SESSION_ASKED;
    }
    if (session == NULL || session->closing)
        return SESSION_REFUSED;
    session->timeout_ms = timeout_ms;
    if (!local)
        session->owner = SESSION_OWNER_HERE;
    sessions_touch(&proposals->sessions, session);
    return SESSION_VALID;
}

/* --- the second door --- */

static void count_applied(struct proposals *proposals, const struct pending *pending,
                          const struct txn *txn)
{
    struct metrics *metrics = &proposals->step->metrics;

    metrics_count(metrics, METRIC_CHANGES_APPLIED, pending->changes);
    if (proposals->step->wall_ms >= txn->header.time_ms)
        metrics_observe(metrics, METRIC_PROPAGATION_LATENCY,
                        proposals->step->wall_ms - txn->header.time_ms);
    if (!txn->has_digest || txn->header.zxid <= proposals->compared_above)
        return;
    proposals->differs = (uint64_t)txn->digest != tree_digest(proposals->tree);
    proposals->digests_fitting += !proposals->differs;
    if (!proposals->differs)
        return;
    metrics_count(metrics, METRIC_DIGEST_MISMATCHES, 1);
    proposals->mismatch_zxid = txn->header.zxid;
}

static void write_wrong_byte(struct proposals *proposals)
{
    int64_t zxid = tree_last_zxid(proposals->tree);
    uint64_t chance = hash_u64((uint64_t)zxid, /* seed= */ proposals->sessions.options.server_id);
    uint32_t id;

    if (chance % 100 == 0 && proposals->step->now_ms < MUTANT_WRONG_UNTIL_MS)
        (void)tree_set_data(proposals->tree, SLICE("/"), SLICE("wrong"), 0, 0, 0, &id);
}

/* Whose request it was: as the ring has it, or the one of ours that the leader made it of. */
static const struct proposal *whose(const struct proposals *proposals,
                                    const struct pending *pending, int32_t type)
{
    const struct proposal *request = NULL;
    bool any = mutant_is(proposals->step->mutant, MUTANT_MATCH_BY_XID);

    if (proposals->role == PROPOSALS_LEARNS)
        request =
            forwarded_match(&proposals->forwarded, pending->proposal.session_id,
                            pending->proposal.xid, type, any ? INT64_MAX : pending->proposal.zxid);
    return request == NULL ? &pending->proposal : request;
}

/* False: the first transaction is applied only in part, and *changes_left is 0. */
static bool apply_first(struct proposals *proposals, const struct proposals_observer *observer,
                        uint32_t *changes_left)
{
    const struct pending *pending = txn_ring_at(&proposals->ring, proposals->ring.first);
    struct txn *txn = &proposals->applying;
    struct txn_result result;

    ASSERT(pending->proposal.zxid <= proposals->agreed_zxid);
    if (!proposals->progress.begun) {
        enum status status = txn_read(pending->payload, &proposals->step->arena, txn);
        ASSERT(status == STATUS_OK && txn->header.zxid == pending->proposal.zxid);
        ASSERT(txn->header.zxid > tree_last_zxid(proposals->tree));
    }
    const struct proposal *request = whose(proposals, pending, txn->header.type);
    struct proposal proposal = *request;
    proposal.zxid = pending->proposal.zxid;
    if (!proposals->progress.begun)
        observer->before_txn(observer->context, &proposal);
    if (!txn_apply_part(proposals->tree, txn, &observer->tree, &proposals->step->arena,
                        &proposals->progress, changes_left, &result)) {
        ASSERT(txn->header.type == OP_CLOSE_SESSION); /* of this type nothing lives in the arena */
        if (mutant_is(proposals->step->mutant, MUTANT_MULTI_PARTIAL_ZXID))
            tree_set_last_zxid(proposals->tree, txn->header.zxid);
        return false;
    }
    ASSERT(tree_last_zxid(proposals->tree) == pending->proposal.zxid);
    proposals->progress = (struct txn_progress){0};
    if (proposals->leader != NULL)
        leader_applied(proposals->leader, proposal.zxid);
    if (mutant_is(proposals->step->mutant, MUTANT_WRONG_BYTES) && txn->has_digest)
        write_wrong_byte(proposals);
    count_applied(proposals, pending, txn);
    tree_mark_digest(proposals->tree, proposal.zxid);
    if (txn->header.type == OP_CREATE_SESSION)
        sessions_created(&proposals->sessions, proposal.session_id, txn->op.timeout_ms);
    observer->after_txn(observer->context, &proposal, txn, &result);
    if (txn->header.type == OP_CLOSE_SESSION)
        sessions_closed(&proposals->sessions, proposal.session_id);
    if (request != &pending->proposal)
        forwarded_pop(&proposals->forwarded, proposal.session_id);
    txn_ring_applied(&proposals->ring);
    arena_reset(&proposals->step->arena);
    return true;
}

static int64_t next_zxid_to_apply(const struct proposals *proposals)
{
    return txn_ring_pending(&proposals->ring) == 0
               ? INT64_MAX
               : txn_ring_at(&proposals->ring, proposals->ring.first)->proposal.zxid;
}

bool proposals_can_apply(const struct proposals *proposals)
{
    int64_t zxid = next_zxid_to_apply(proposals);

    return zxid <= proposals->agreed_zxid &&
           (zxid <= proposals->durable_zxid ||
            mutant_is(proposals->step->mutant, MUTANT_APPLY_BEFORE_DURABLE));
}

bool proposals_half_applied(const struct proposals *proposals)
{
    return proposals->progress.begun;
}

/* Everything before the next transaction is in the tree, and a sync asks for no more. */
static void answer_syncs(struct proposals *proposals, const struct proposals_observer *observer)
{
    struct proposal request;
    int64_t next_zxid = next_zxid_to_apply(proposals);
    int64_t applied_zxid = next_zxid == INT64_MAX ? INT64_MAX : next_zxid - 1;

    while (!proposals->progress.begun &&
           forwarded_next_sync(&proposals->forwarded, applied_zxid, &request))
        observer->synced(observer->context, &request);
}

void proposals_apply_agreed(struct proposals *proposals, const struct proposals_observer *observer)
{
    uint32_t changes_left = STEP_CHANGES_MAX;

    answer_syncs(proposals, observer);
    while (changes_left > 0 && proposals_can_apply(proposals)) {
        if (!apply_first(proposals, observer, &changes_left))
            return;
        answer_syncs(proposals, observer);
    }
}

void proposals_durable(struct proposals *proposals, int64_t zxid,
                       const struct proposals_observer *observer)
{
    ASSERT(zxid >= proposals->durable_zxid && zxid <= proposals->proposed_zxid);
    proposals->durable_zxid = zxid;
    if (proposals->role == PROPOSALS_ALONE)
        proposals->agreed_zxid = zxid;
    proposals_apply_agreed(proposals, observer);
}

void proposals_agreed(struct proposals *proposals, int64_t zxid,
                      const struct proposals_observer *observer)
{
    ASSERT(zxid >= proposals->agreed_zxid && zxid <= proposals->proposed_zxid);
    ASSERT(proposals->role == PROPOSALS_LEADS || proposals->role == PROPOSALS_LEARNS);
    proposals->agreed_zxid = zxid;
    proposals_apply_agreed(proposals, observer);
}

/* --- roles --- */

enum proposals_role proposals_role(const struct proposals *proposals)
{
    return proposals->role;
}

void proposals_become_idle(struct proposals *proposals, const struct proposals_observer *observer)
{
    ASSERT(proposals->role != PROPOSALS_ALONE);
    ASSERT(proposals->durable_zxid == proposals->proposed_zxid);
    forwarded_clear(&proposals->forwarded);
    leader_free(proposals->leader);
    proposals->leader = NULL;
    proposals->changes_kept = 0;
    proposals->role = PROPOSALS_IDLE;
    proposals->new_syncs = 0;
    proposals->agreed_zxid = proposals->proposed_zxid;
    while (proposals_can_apply(proposals))
        proposals_apply_agreed(proposals, observer);
    ASSERT(txn_ring_pending(&proposals->ring) == 0 && !proposals->progress.begun);
}

void proposals_serve_read_only(struct proposals *proposals)
{
    ASSERT(proposals->role == PROPOSALS_IDLE && txn_ring_pending(&proposals->ring) == 0);
    sessions_begin(&proposals->sessions, proposals->tree, /* reports= */ false);
}

/* For tests: so near to their end do the counters begin. */
static int64_t late_counter(enum mutant mutant)
{
    return mutant_is(mutant, MUTANT_LATE_COUNTERS)   ? INT64_C(0xfffeffd0)
           : mutant_is(mutant, MUTANT_ROLLOVER_WRAP) ? INT64_C(0xffffffd0)
                                                     : 0;
}

void proposals_lead(struct proposals *proposals, int64_t epoch_zxid)
{
    ASSERT(proposals->role == PROPOSALS_IDLE && txn_ring_pending(&proposals->ring) == 0);
    ASSERT(zxid_counter(epoch_zxid) == 0 && epoch_zxid > proposals->proposed_zxid);
    epoch_zxid += late_counter(proposals->step->mutant);
    proposals->role = PROPOSALS_LEADS;
    sessions_begin(&proposals->sessions, proposals->tree, /* reports= */ false);
    proposals->leader = new_leader(proposals, epoch_zxid);
}

void proposals_learn(struct proposals *proposals)
{
    ASSERT(proposals->role == PROPOSALS_IDLE && txn_ring_pending(&proposals->ring) == 0);
    proposals->role = PROPOSALS_LEARNS;
    sessions_begin(&proposals->sessions, proposals->tree, /* reports= */ true);
}

void proposals_replace_tree(struct proposals *proposals, struct tree *tree)
{
    ASSERT(proposals->leader == NULL && txn_ring_pending(&proposals->ring) == 0);
    snapshots_replace_tree(&proposals->snapshots, tree);
    proposals->tree = tree;
    proposals->mismatch_zxid = proposals->compared_above = 0;
    proposals->differs = false;
    begin_at(proposals, tree_last_zxid(tree));
    sessions_begin(&proposals->sessions, tree, proposals->role == PROPOSALS_LEARNS);
}

void proposals_submit_for_learner(struct proposals *proposals, const struct leader_request *from,
                                  int32_t op, struct slice body)
{
    const struct op_info *info = op_find(op);
    struct proposal request = {.session_id = from->session_id,
                               .arrived_ms = proposals->step->now_ms,
                               .client = CLIENT_NONE,
                               .xid = from->cxid,
                               .op = op};
    struct txn txn;

    ASSERT(proposals->role == PROPOSALS_LEADS);
    if (op == OP_CREATE_SESSION && body.size >= 4) {
        request.timeout_ms = (int32_t)load_be32(body.data);
        propose_create_session(proposals, &request, from->owner);
    } else {
        if (info == NULL || info->class != OP_CLASS_WRITE)
            leader_prepare_error(proposals->leader, from, ZK_UNIMPLEMENTED, &txn);
        else if (leader_prepare(proposals->leader, from, op, body, &txn) != STATUS_OK)
            leader_prepare_error(proposals->leader, from, ZK_MARSHALLING_ERROR, &txn);
        propose(proposals, &txn, &request);
    }
    arena_reset(&proposals->step->arena);
}

enum status proposals_receive(struct proposals *proposals, int64_t zxid, struct slice payload,
                              const char **ret_problem)
{
    struct txnlog_append checked;
    struct txn_header header;
    struct proposal proposal = {
        .zxid = zxid, .arrived_ms = proposals->step->now_ms, .client = CLIENT_NONE};

    ASSERT(proposals->role == PROPOSALS_LEARNS);
    enum status status = txnlog_payload_check(payload, zxid, proposals->proposed_zxid,
                                              proposals->rules.text_bytes_max,
                                              &proposals->step->arena, &checked, ret_problem);
    arena_reset(&proposals->step->arena);
    if (status != STATUS_OK)
        return status;
    status = txn_read_header(payload, &header);
    ASSERT(status == STATUS_OK);
    proposal.session_id = header.client_id;
    proposal.xid = header.cxid;
    proposal.op = header.type;
    append(proposals, &proposal, checked.payload, checked.payload.size, checked.lacks_digest);
    return STATUS_OK;
}

bool proposals_take_new_sync(struct proposals *proposals, int64_t *ret_asked_zxid)
{
    const struct forwarded *forwarded = &proposals->forwarded;

    if (proposals->new_syncs == 0)
        return false;
    *ret_asked_zxid =
        forwarded->syncs[forwarded->sync_first + forwarded->sync_count - proposals->new_syncs--]
            .asked_zxid;
    return true;
}

size_t proposals_unanswered_syncs(const struct proposals *proposals)
{
    return forwarded_unanswered_syncs(&proposals->forwarded);
}

bool proposals_sync_answered(struct proposals *proposals, const struct proposals_observer *observer)
{
    if (!forwarded_sync_answered(&proposals->forwarded, proposals->agreed_zxid))
        return false;
    answer_syncs(proposals, observer);
    return true;
}

void proposals_revalidated(struct proposals *proposals, int64_t session_id, bool valid,
                           const struct proposals_observer *observer)
{
    struct session *session = sessions_find(&proposals->sessions, session_id);

    ASSERT(proposals->role == PROPOSALS_LEARNS);
    if (!valid)
        session = NULL;
    else if (session == NULL) { /* its createSession is on its way to here */
        sessions_created(&proposals->sessions, session_id, /* timeout_ms= */ 0);
        session = sessions_find(&proposals->sessions, session_id);
        session->owner = SESSION_OWNER_HERE;
    }
    observer->revalidated(observer->context, session_id, session);
}

struct buffer *proposals_to_leader(struct proposals *proposals)
{
    return &proposals->forwarded.to_leader;
}

int64_t proposals_proposed_zxid(const struct proposals *proposals)
{
    return proposals->proposed_zxid;
}

int64_t proposals_durable_zxid(const struct proposals *proposals)
{
    return proposals->durable_zxid;
}

int64_t proposals_applied_zxid(const struct proposals *proposals)
{
    return tree_last_zxid(proposals->tree);
}

int64_t proposals_kept_above(const struct proposals *proposals)
{
    return proposals->ring.kept_above;
}

size_t proposals_kept_count(const struct proposals *proposals)
{
    return (size_t)(proposals->ring.end - proposals->ring.oldest);
}

struct kept_txn proposals_kept_at(const struct proposals *proposals, size_t index)
{
    const struct pending *item = txn_ring_at(&proposals->ring, proposals->ring.oldest + index);

    return (struct kept_txn){.zxid = item->proposal.zxid, .payload = item->payload};
}

size_t proposals_kept_behind(const struct proposals *proposals, int64_t zxid)
{
    size_t low = 0, high = proposals_kept_count(proposals);

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (proposals_kept_at(proposals, middle).zxid <= zxid)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* --- time --- */

static void expire_sessions(struct proposals *proposals)
{
    struct session *expired;
    uint32_t changes = 0;

    if (mutant_is(proposals->step->mutant, MUTANT_NEVER_EXPIRES))
        return;
    while (changes < STEP_CHANGES_MAX &&
           (expired = sessions_next_expired(&proposals->sessions)) != NULL) {
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
        if (mutant_is(proposals->step->mutant, MUTANT_EXPIRE_WITHOUT_QUORUM))
            txn_apply(proposals->tree, &txn, NULL, &proposals->step->arena, NULL);
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
    if (proposals->leader == NULL)
        return;
    expire_sessions(proposals);
    if (!proposals->progress.begun)
        janitor_run(&proposals->janitor, proposals->tree, proposals->step->now_ms,
                    proposals->step->wall_ms, delete_unneeded, proposals);
}

void proposals_touch_all_sessions(struct proposals *proposals)
{
    sessions_touch_all(&proposals->sessions);
}

int64_t proposals_wake_at_ms(const struct proposals *proposals)
{
    int64_t expiry_ms = sessions_next_expiry_ms(&proposals->sessions);
    int64_t janitor_ms = janitor_next_ms(&proposals->janitor);

    if (proposals_can_apply(proposals))
        return proposals->step->now_ms;
    if (proposals->leader == NULL)
        return INT64_MAX;
    return expiry_ms < janitor_ms ? expiry_ms : janitor_ms;
}

/* --- looking in --- */

struct tree *proposals_tree(struct proposals *proposals)
{
    return proposals->tree;
}

struct sessions *proposals_sessions(struct proposals *proposals)
{
    return &proposals->sessions;
}

struct snapshots *proposals_snapshots(struct proposals *proposals)
{
    return &proposals->snapshots;
}

size_t proposals_count(const struct proposals *proposals)
{
    return txn_ring_pending(&proposals->ring) + proposals->forwarded.count;
}

size_t proposals_bytes(const struct proposals *proposals)
{
    return proposals->ring.pending_bytes + proposals->forwarded.bytes;
}

int64_t proposals_mismatch_zxid(const struct proposals *proposals)
{
    return proposals->mismatch_zxid;
}

bool proposals_tree_differs(const struct proposals *proposals)
{
    return proposals->differs && !proposals_can_apply(proposals);
}

uint64_t proposals_digests_fitting(const struct proposals *proposals)
{
    return proposals->digests_fitting;
}

void proposals_compare_digests_above(struct proposals *proposals, int64_t zxid)
{
    proposals->compared_above = zxid;
}
