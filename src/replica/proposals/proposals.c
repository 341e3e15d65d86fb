/* proposals.c: the way of a request to a change of the tree, in every role: what it is made of, how roles change
 * it, and what is kept of it for learners.
 *
 * The two doors are proposals_submit.c and proposals_apply.c. */
#include "replica/proposals/proposals_internal.h"

static struct leader *new_leader(struct proposals *proposals, int64_t last_zxid)
{
    return leader_new(&proposals->rules, proposals->tree, &proposals->sessions, proposals->step,
                      last_zxid);
}

static void begin_at(struct proposals *proposals, int64_t zxid)
{
    proposals->proposed_zxid = proposals->durable_zxid = proposals->agreed_zxid = zxid;
    proposals->logged_zxid = zxid;
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

/* --- what a leader or a learner hears and says --- */

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
    proposals_answer_syncs(proposals, observer);
    return true;
}

void proposals_ask_for_observer(struct proposals *proposals,
                                const struct session_question *question)
{
    ASSERT(proposals->role == PROPOSALS_LEARNS && question->asker != 0);
    (void)forwarded_ask(&proposals->forwarded, question); /* its answer is found by the asker */
}

const struct session_question *proposals_last_question(const struct proposals *proposals,
                                                       int64_t session_id)
{
    return forwarded_last_question(&proposals->forwarded, session_id);
}

bool proposals_take_question(struct proposals *proposals, int64_t session_id, bool in_order,
                             struct session_question *ret_question)
{
    return forwarded_take_question(&proposals->forwarded, session_id, in_order, ret_question);
}

void proposals_revalidated(struct proposals *proposals, const struct session_question *question,
                           bool valid, const struct proposals_observer *observer)
{
    int64_t session_id = question->session_id;
    struct session *session = sessions_find(&proposals->sessions, session_id);

    ASSERT(proposals->role == PROPOSALS_LEARNS);
    if (!valid)
        session = NULL;
    else if (session == NULL) { /* its createSession is on its way to here */
        sessions_created(&proposals->sessions, session_id, /* timeout_ms= */ 0);
        session = sessions_find(&proposals->sessions, session_id);
        session->owner = SESSION_OWNER_HERE;
    }
    observer->revalidated(observer->context, question->number, session);
}

struct buffer *proposals_to_leader(struct proposals *proposals)
{
    return &proposals->forwarded.to_leader;
}

/* --- what is kept --- */

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

/* --- what always holds --- */

static void check_ring(const struct proposals *proposals)
{
    const struct txn_ring *ring = &proposals->ring;
    int64_t applied_zxid = tree_last_zxid(proposals->tree);

    ASSERT(ring->kept_above <= applied_zxid);
    ASSERT(!proposals->progress.begun || txn_ring_pending(ring) > 0);
    if (txn_ring_pending(ring) > 0)
        ASSERT(txn_ring_at(ring, ring->first)->proposal.zxid > applied_zxid);
    else
        ASSERT(proposals->proposed_zxid == applied_zxid);
    if (ring->oldest < ring->end)
        ASSERT(txn_ring_at(ring, ring->end - 1)->proposal.zxid == proposals->proposed_zxid);
}

void proposals_check_turn(const struct proposals *proposals)
{
    int64_t applied_zxid = tree_last_zxid(proposals->tree);
    enum proposals_role role = proposals->role;

    ASSERT(applied_zxid <= proposals->agreed_zxid && applied_zxid <= proposals->durable_zxid);
    ASSERT(proposals->agreed_zxid <= proposals->proposed_zxid);
    ASSERT(proposals->durable_zxid <= proposals->proposed_zxid);
    ASSERT(proposals->logged_zxid <= proposals->proposed_zxid);
    ASSERT(role != PROPOSALS_ALONE || proposals->agreed_zxid == proposals->durable_zxid);
    ASSERT((proposals->leader != NULL) == (role == PROPOSALS_ALONE || role == PROPOSALS_LEADS));
    ASSERT(proposals->forwarded.count == 0 || role == PROPOSALS_LEARNS);
    ASSERT(proposals->leader == NULL || txn_ring_pending(&proposals->ring) > 0 ||
           leader_awaits_nothing(proposals->leader));
    ASSERT(proposals->new_syncs <= proposals->forwarded.sync_count);
    check_ring(proposals);
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
