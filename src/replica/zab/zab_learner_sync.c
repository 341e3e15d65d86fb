/* zab_learner_sync.c: how a learner comes to its leader's history, from LEADERINFO to UPTODATE.
 *
 * The leader's epoch is promised, then the leader says what is to be done with what is here: nothing, cut it, or put it
 * aside for a snapshot. No promise and no acknowledgement leaves before what it promises is on disk, and nothing
 * is applied before the leader has said that the quorum has this history (UPTODATE). */
#include "replica/zab/zab_learner_internal.h"

/* --- work on the files, behind a running image of the tree --- */

static void want_work(struct zab_learner *learner, struct store_work work)
{
    ASSERT(!learner->wants_work);
    learner->wanted_work = work;
    learner->wants_work = learner->wants_no_image = true;
    learner->phase = LEARN_CUTTING;
}

void learner_begin_wanted_work(struct zab_learner *learner)
{
    if (!learner->wants_work || learner->zab->store_busy ||
        (snapshots_running(proposals_snapshots(learner->zab->proposals)) &&
         !mutant_is(learner->zab->step->mutant, MUTANT_WORK_BESIDE_IMAGE)))
        return;
    ASSERT(learner->phase == LEARN_CUTTING);
    learner->wants_work = learner->wants_no_image = false;
    learner->files_unfinished = learner->wanted_work.kind == STORE_RESTART_LOG;
    zab_begin_store(learner->zab, learner->wanted_work);
}

/* --- discovery --- */

void learner_acknowledge_epoch(struct zab_learner *learner, bool promised_before)
{
    struct zab *zab = learner->zab;
    uint8_t bytes[ACK_EPOCH_BYTES_MAX];
    bool counts = !promised_before && !zab->quarantined;
    struct epoch_ack ack = {.epoch = counts ? (int32_t)zab->current_epoch : -1,
                            .wants_all = zab->must_have_snapshot && learner->of_paddock};
    /* A leader of Java cannot be asked for everything: only who has nothing gets it. */
    int64_t zxid = zab->quarantined ? -1
                   : zab->must_have_snapshot && !learner->of_paddock
                       ? 0
                       : proposals_durable_zxid(zab->proposals);

    learner_send(learner, QUORUM_ACK_EPOCH, zxid,
                 slice_of(bytes, quorum_epoch_ack_write(bytes, &ack)));
    learner->phase = LEARN_WAITING;
    learner->sync_since_ms = learner_now_ms(learner);
}

void learner_on_leader_info(struct zab_learner *learner, const struct quorum_packet *packet)
{
    struct zab *zab = learner->zab;
    struct leader_info info;

    if (packet->type != QUORUM_LEADER_INFO ||
        quorum_leader_info_read(packet->data, &info) != STATUS_OK ||
        info.protocol_version < LEARNER_PROTOCOL_VERSION) {
        learner_fail(learner, "the leader did not answer with LEADERINFO of protocol 0x10000");
        return;
    }
    learner->of_paddock = info.paddock;
    learner->epoch = zxid_epoch(packet->zxid);
    if (learner->epoch < zab->accepted_epoch) {
        learner_fail(learner, "the leader's epoch is below one that this server has accepted");
    } else if (zab->quarantined && learner->epoch != zab->elected_epoch) {
        learner_fail(learner,
                     "the leader's epoch is not yet that of a majority without this server");
    } else if (learner->epoch == zab->accepted_epoch) {
        learner_acknowledge_epoch(learner, /* promised_before= */ true);
    } else {
        learner->phase = LEARN_PROMISING;
        zab_begin_store(zab, (struct store_work){.kind = STORE_WRITE_EPOCHS,
                                                 .accepted_epoch = learner->epoch,
                                                 .current_epoch = -1});
    }
}

/* --- synchronisation --- */

void learner_begin_syncing(struct zab_learner *learner)
{
    learner->committed_zxid = proposals_proposed_zxid(learner->zab->proposals);
    if (proposals_role(learner->zab->proposals) == PROPOSALS_IDLE)
        proposals_learn(learner->zab->proposals);
    learner->phase = LEARN_SYNCING;
}

/* We said that we have nothing, and the leader has everything from the first transaction on. */
static void start_from_nothing(struct zab_learner *learner)
{
    learner->snapshot_zxid = 0;
    learner->tree = tree_new(tree_get_options(proposals_tree(learner->zab->proposals)));
    learner->restarts_log = true;
    want_work(learner, (struct store_work){.kind = STORE_RESTART_LOG, .zxid = 0});
}

void learner_on_way_to_sync(struct zab_learner *learner, const struct quorum_packet *packet)
{
    struct zab *zab = learner->zab;

    if (zab->quarantined && packet->type != QUORUM_SNAP && packet->type != QUORUM_PING) {
        learner_fail(learner, "the leader did not send everything to a server in quarantine");
        return;
    }
    switch (packet->type) {
    case QUORUM_DIFF:
        learner->way = "DIFF";
        if (zab->must_have_snapshot)
            start_from_nothing(learner);
        else
            learner_begin_syncing(learner);
        break;
    case QUORUM_TRUNC:
        learner->way = "TRUNC";
        if (packet->zxid == proposals_proposed_zxid(zab->proposals))
            learner_begin_syncing(learner);
        else
            want_work(learner, (struct store_work){.kind = STORE_TRUNCATE, .zxid = packet->zxid});
        break;
    case QUORUM_SNAP:
        learner->way = "SNAP";
        learner->snapshot_zxid = packet->zxid;
        learner->stream = snapshot_stream_new(tree_get_options(proposals_tree(zab->proposals)),
                                              zab->options.packet_bytes_max);
        learner->phase = LEARN_LOADING;
        break;
    case QUORUM_PING:
        break;
    default:
        learner_fail(learner, "the leader did not say how to synchronise");
        break;
    }
}

void learner_on_snapshot_bytes(struct zab_learner *learner)
{
    size_t used = 0;
    ASSERT(learner->stream != NULL);
    enum status status =
        snapshot_stream_feed(learner->stream, zab_input_rest(&learner->input), &used);

    zab_input_take(&learner->input, used);
    if (status == STATUS_OK)
        return;
    if (status != STATUS_END) {
        effects_add_peer(learner->zab->step->effects,
                         (struct peer_effect){.kind = PEER_NOTE,
                                              .connection = learner->connection,
                                              .reason = snapshot_stream_problem(learner->stream)});
        learner_fail(learner, "the leader's snapshot does not decode");
        return;
    }
    learner->tree = snapshot_stream_take(learner->stream, learner->snapshot_zxid);
    snapshot_stream_free(learner->stream);
    learner->stream = NULL;
    learner->restarts_log = true;
    want_work(learner,
              (struct store_work){.kind = STORE_RESTART_LOG, .zxid = learner->snapshot_zxid});
}

void learner_on_cut(struct zab_learner *learner, enum status status, struct tree **tree)
{
    struct zab *zab = learner->zab;

    if (status != STATUS_OK) {
        zab->must_have_snapshot = true;
        learner_fail(learner, "the log does not hold the zxid to which the leader wants it cut");
        return;
    }
    if (learner->restarts_log) {
        learner->restarts_log = false;
        learner->wants_snapshot = true;
    } else {
        ASSERT(learner->tree == NULL);
        learner->tree = *tree;
        *tree = NULL;
    }
}

bool learner_completes_files(const struct zab_learner *learner)
{
    return !learner->zab->options.unlogged || learner->files_unfinished;
}

void learner_acknowledge_new_leader(struct zab_learner *learner)
{
    learner_send(learner, QUORUM_ACK, zxid_of_epoch(learner->epoch), SLICE_NULL);
    learner->phase = LEARN_ACKED;
}

/* NEWLEADER came: everything before it must be on disk, then the epoch. Of a history that the files do not have
 * they do not tell: this server may be a voter some day. */
void learner_persist(struct zab_learner *learner)
{
    struct zab *zab = learner->zab;

    if (learner->phase != LEARN_PERSISTING || zab->store_busy || learner->wants_snapshot ||
        learner->writes_snapshot ||
        (proposals_durable_zxid(zab->proposals) != proposals_proposed_zxid(zab->proposals) &&
         !mutant_is(zab->step->mutant, MUTANT_EPOCH_BEFORE_HISTORY)))
        return;
    if (!learner_completes_files(learner)) {
        learner_acknowledge_new_leader(learner);
        return;
    }
    zab_begin_store(zab, (struct store_work){.kind = STORE_WRITE_EPOCHS,
                                             .accepted_epoch = -1,
                                             .current_epoch = learner->epoch});
}

/* The text in NEWLEADER; a leader of an old release sends none. */
static void hear_config(struct zab *zab, struct slice text)
{
    struct buffer problem = {0};
    struct membership *theirs = membership_parse(text, &problem);

    if (theirs != NULL && theirs->version > zab->membership->version)
        zab_hear_config(zab, theirs->version, !membership_same_servers(theirs, zab->membership));
    membership_free(theirs);
    buffer_deinit(&problem);
}

void learner_on_new_leader(struct zab_learner *learner, const struct quorum_packet *packet)
{
    if (packet->zxid != zxid_of_epoch(learner->epoch)) {
        learner_fail(learner, "NEWLEADER is of another epoch");
        return;
    }
    hear_config(learner->zab, packet->data);
    if (learner->zab->fatal != NULL) {
        learner_fail(learner, learner->zab->fatal);
        return;
    }
    learner->phase = LEARN_PERSISTING;
    if (mutant_is(learner->zab->step->mutant, MUTANT_NEWLEADER_ACK_ASYNC))
        learner_send(learner, QUORUM_ACK, zxid_of_epoch(learner->epoch), SLICE_NULL);
    learner_persist(learner);
}

/* From now on observers may learn from this follower. */
static void begin_mastery(struct zab_learner *learner)
{
    struct zab *zab = learner->zab;

    if (zab->options.observer_master_port != 0 && !zab->options.observer)
        learner->master =
            zab_master_new(zab, &(struct zab_mastery){.epoch = learner->epoch,
                                                      .committed_zxid = learner->committed_zxid,
                                                      .of_paddock = learner->of_paddock});
}

void learner_on_up_to_date(struct zab_learner *learner)
{
    struct proposals *proposals = learner->zab->proposals;

    if (learner->phase != LEARN_ACKED) {
        learner_fail(learner, "UPTODATE came before the epoch was acknowledged");
        return;
    }
    learner_send(learner, QUORUM_ACK, zxid_of_epoch(learner->epoch), SLICE_NULL);
    learner->phase = LEARN_SERVING;
    learner->zab->must_have_snapshot = false;
    metrics_observe(learner_metrics(learner),
                    learner->zab->options.observer ? METRIC_OBSERVER_SYNC_TIME
                                                   : METRIC_FOLLOWER_SYNC_TIME,
                    learner_now_ms(learner) - learner->sync_since_ms);
    learner->acked_zxid = learner->committed_zxid;
    /* A snapshot of Java's has some of what followed it, all of which has come by now. */
    if (learner->snapshot_zxid != 0 && !learner->of_paddock)
        proposals_compare_digests_above(proposals, proposals_proposed_zxid(proposals));
    begin_mastery(learner);
    proposals_agreed(proposals, learner->committed_zxid, learner->zab->observer);
}

/* --- what the replica is to do with its tree --- */

struct tree *zab_learner_take_tree(struct zab_learner *learner)
{
    struct tree *tree = learner->tree;

    if (tree == NULL || learner->phase != LEARN_CUTTING || learner->wants_work ||
        learner->zab->store_busy || learner->failed != NULL)
        return NULL;
    learner->tree = NULL;
    return tree;
}

bool zab_learner_wants_no_image(const struct zab_learner *learner)
{
    return learner->wants_no_image;
}

bool zab_learner_wants_snapshot(struct zab_learner *learner)
{
    if (!learner->wants_snapshot || learner->phase == LEARN_CUTTING)
        return false;
    learner->wants_snapshot = false;
    learner->writes_snapshot = true;
    return true;
}

bool zab_learner_writes_snapshot(const struct zab_learner *learner)
{
    return learner->writes_snapshot;
}

bool zab_learner_left_files_unfinished(const struct zab_learner *learner)
{
    return learner->files_unfinished;
}

void zab_learner_snapshot_done(struct zab_learner *learner, bool written)
{
    if (learner->writes_snapshot) {
        learner->writes_snapshot = false;
        if (!written)
            learner_fail(learner, "the leader's snapshot could not be written");
    }
    learner_begin_wanted_work(learner);
}
