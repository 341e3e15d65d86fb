/* proposals_apply.c: the second door: what is agreed is applied to the tree.
 *
 * Transactions are applied in the order of their zxids, none before it is agreed and durable here. */
#include "replica/proposals/proposals_internal.h"

#include "base/hash.h"

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
void proposals_answer_syncs(struct proposals *proposals, const struct proposals_observer *observer)
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

    proposals_answer_syncs(proposals, observer);
    while (changes_left > 0 && proposals_can_apply(proposals)) {
        if (!apply_first(proposals, observer, &changes_left))
            return;
        proposals_answer_syncs(proposals, observer);
    }
}

void proposals_durable(struct proposals *proposals, int64_t zxid,
                       const struct proposals_observer *observer)
{
    ASSERT(zxid >= proposals->durable_zxid && zxid <= proposals->logged_zxid);
    proposals->durable_zxid = zxid == proposals->logged_zxid ? proposals->proposed_zxid : zxid;
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
