/* zab_learner_broadcast.c: what the leader proposes and commits, and what it is told in return.
 *
 * What the leader sends is logged as it came. It is committed in the order in which it was proposed, one
 * transaction behind the other, and acknowledged when it is on disk. */
#include "replica/zab/zab_learner_internal.h"

/* --- broadcast --- */

/* A leader of Java begins to keep what it sends when it begins the snapshot, which may have some of it. */
static bool is_in_snapshot(const struct zab_learner *learner, int64_t zxid)
{
    return zxid <= learner->snapshot_zxid;
}

static void count_commit(struct zab_learner *learner, size_t kept_index)
{
    metrics_count(learner_metrics(learner), METRIC_LEARNER_COMMIT_RECEIVED_COUNT, 1);
    metrics_count(learner_metrics(learner), METRIC_REQUEST_COMMIT_QUEUED, 1);
    zab_observe_age(learner->zab, kept_index, METRIC_COMMIT_PROPAGATION_LATENCY);
}

/* Only while it follows: the leader's history is not counted, as in Java. */
static void count_proposal(struct zab_learner *learner, int64_t zxid)
{
    struct proposals *proposals = learner->zab->proposals;
    size_t count = proposals_kept_count(proposals);

    if (learner->phase != LEARN_SERVING || learner->failed != NULL)
        return;
    metrics_count(learner_metrics(learner), METRIC_LEARNER_PROPOSAL_RECEIVED_COUNT, 1);
    if (count > 0 && proposals_kept_at(proposals, count - 1).zxid == zxid)
        zab_observe_age(learner->zab, count - 1, METRIC_PROPOSAL_LATENCY);
}

/* For tests: what comes between NEWLEADER and UPTODATE is not kept. */
static bool loses(const struct zab_learner *learner, enum mutant mutant)
{
    return mutant_is(learner->zab->step->mutant, mutant) &&
           (learner->phase == LEARN_PERSISTING || learner->phase == LEARN_ACKED);
}

/* The next one to be committed, and only that. */
static bool commit(struct zab_learner *learner, int64_t zxid)
{
    if (is_in_snapshot(learner, zxid) || loses(learner, MUTANT_UPTODATE_OLD_COMMIT))
        return true;
    struct proposals *proposals = learner->zab->proposals;
    size_t next = proposals_kept_behind(proposals, learner->committed_zxid);

    if (next == proposals_kept_count(proposals) ||
        proposals_kept_at(proposals, next).zxid != zxid) {
        learner_fail(learner, "the leader committed a transaction that is not the next one");
        return false;
    }
    learner->committed_zxid = zxid;
    if (learner->phase == LEARN_SERVING) {
        count_commit(learner, next);
        if (learner->master != NULL)
            zab_master_commit(learner->master, next);
        proposals_agreed(proposals, zxid, learner->zab->observer);
    }
    return true;
}

/* A configuration that others agree upon and we do not would make us count votes by the old one. */
static void on_reconfiguration(struct zab_learner *learner)
{
    zab_hear_config(learner->zab, /* version= */ 0, /* other_servers= */ true);
    learner_fail(learner, learner->zab->fatal);
}

/* Behind NEWLEADER, which has the configuration that the history before it led to. */
static bool changes_servers(const struct zab_learner *learner, const struct quorum_packet *packet)
{
    struct txn_header header;

    return learner->phase > LEARN_SYNCING && txn_read_header(packet->data, &header) == STATUS_OK &&
           header.type == OP_RECONFIG;
}

static bool receive(struct zab_learner *learner, const struct quorum_packet *packet)
{
    const char *problem = NULL;
    bool logged = learner_completes_files(learner) &&
                  (!learner->zab->options.unlogged || learner->phase == LEARN_SYNCING);

    if (is_in_snapshot(learner, packet->zxid) || loses(learner, MUTANT_FORWARD_GAP))
        return true;
    if (changes_servers(learner, packet)) {
        on_reconfiguration(learner);
        return false;
    }
    enum status status =
        proposals_receive(learner->zab->proposals, packet->zxid, packet->data, logged, &problem);

    if (status == STATUS_EXISTS && learner->phase == LEARN_SERVING &&
        !learner->zab->options.observer)
        learner_send(learner, QUORUM_ACK, packet->zxid, SLICE_NULL);
    else if (status != STATUS_OK && status != STATUS_EXISTS)
        learner_fail(learner, problem);
    return status == STATUS_OK;
}

bool learner_on_transaction(struct zab_learner *learner, const struct quorum_packet *packet)
{
    switch (packet->type) {
    case QUORUM_PROPOSAL:
        (void)receive(learner, packet);
        count_proposal(learner, packet->zxid);
        return true;
    case QUORUM_COMMIT:
        (void)commit(learner, packet->zxid);
        return true;
    case QUORUM_INFORM:
        if (receive(learner, packet))
            (void)commit(learner, packet->zxid);
        return true;
    case QUORUM_COMMIT_AND_ACTIVATE:
    case QUORUM_INFORM_AND_ACTIVATE:
        on_reconfiguration(learner);
        return true;
    default:
        return false;
    }
}

/* A leader of Java wants one acknowledgement for each transaction. */
void learner_acknowledge(struct zab_learner *learner)
{
    struct proposals *proposals = learner->zab->proposals;
    int64_t durable_zxid = proposals_durable_zxid(proposals);
    size_t index = proposals_kept_behind(proposals, learner->acked_zxid);
    size_t count = proposals_kept_count(proposals);

    if (learner->zab->options.observer)
        return;
    for (; index < count && proposals_kept_at(proposals, index).zxid <= durable_zxid; index++) {
        learner->acked_zxid = proposals_kept_at(proposals, index).zxid;
        zab_observe_age(learner->zab, index, METRIC_PROPOSAL_ACK_CREATION_LATENCY);
        learner_send(learner, QUORUM_ACK, learner->acked_zxid, SLICE_NULL);
    }
}

static void put_touch(void *context, const struct session *session)
{
    session_touch_write(context, &(struct session_touch){.session_id = session->id,
                                                         .timeout_ms = session->timeout_ms});
}

static void answer_ping(struct zab_learner *learner, int64_t zxid)
{
    struct zab *zab = learner->zab;
    struct buffer *bytes = &zab->step->effects->peer_bytes;
    size_t offset = bytes->size;

    size_t packet = quorum_packet_begin(bytes, QUORUM_PING, zxid);
    sessions_report(proposals_sessions(zab->proposals), put_touch, bytes);
    quorum_packet_end(bytes, packet);
    effects_add_peer_send(zab->step->effects, learner->connection, offset, bytes->size - offset);
}

void learner_on_serving_packet(struct zab_learner *learner, const struct quorum_packet *packet)
{
    struct zab *zab = learner->zab;
    struct session_valid answer;
    struct session_question question;

    switch (packet->type) {
    case QUORUM_PING:
        answer_ping(learner, packet->zxid);
        break;
    case QUORUM_REVALIDATE:
        if (quorum_revalidated_read(packet->data, &answer) != STATUS_OK)
            learner_fail(learner, "the leader's REVALIDATE does not decode");
        else if (!proposals_take_question(zab->proposals, answer.session_id,
                                          /* in_order= */ !learner->of_paddock, &question))
            break; /* nobody has asked it */
        else if (question.asker != 0)
            zab_master_revalidated(learner->master, &question, &answer);
        else
            proposals_revalidated(zab->proposals, &question, answer.valid, zab->observer);
        break;
    case QUORUM_SYNC:
        if ((learner->master == NULL || !zab_master_sync_answered(learner->master)) &&
            !proposals_sync_answered(zab->proposals, zab->observer))
            learner_fail(learner, "the leader answered a sync that nobody has asked for");
        break;
    default: /* of a later release: it may be ignored */
        break;
    }
}
