/* zab_learner.c: one phase behind the other; a packet that does not fit its phase ends the role.
 *
 * What the leader sends is logged as it came. Nothing of it is applied before the leader has said that
 * the quorum has this history (UPTODATE), and no promise or acknowledgement leaves before what it
 * promises is on disk. */
#include "replica/zab/zab_learner.h"

#include "replica/store/snapshot_stream.h"
#include "replica/zab/zab_master.h"
#include "wire/quorum.h"

enum {
    DIAL_AGAIN_FIRST_MS = 10,
    DIAL_AGAIN_MAX_MS = 500

};

enum learner_phase {
    LEARN_DIALLING,
    LEARN_ASKING,    /* FOLLOWERINFO is sent */
    LEARN_PROMISING, /* the accepted epoch is on its way to disk */
    LEARN_WAITING,   /* ACKEPOCH is sent: how will it bring us to its history? */
    LEARN_LOADING,   /* the bytes of a snapshot */
    LEARN_CUTTING,   /* the files are cut, or put aside */
    LEARN_SYNCING,   /* its transactions, up to NEWLEADER */
    LEARN_PERSISTING, /* NEWLEADER came: log, snapshot, then the current epoch, on their way to disk */
    LEARN_ACKED,      /* and that is said */
    LEARN_SERVING     /* UPTODATE */
};

struct zab_learner {
    struct zab *zab;
    const struct member *leader, *server; /* server: whom it has dialled last, leader or master */
    enum learner_phase phase;
    uint64_t connection; /* 0: none */
    uint32_t dials;
    int64_t begun_ms, dial_at_ms, heard_ms, sync_since_ms;
    const char *way; /* NULL: not known */
    struct zab_input input;
    int64_t epoch;   /* the leader's; -1: not known */
    bool of_paddock; /* the leader is no server of Java */
    const char *failed;
    struct zab_master *master; /* of observers, while it serves; NULL: none */
    /* a snapshot from the leader */
    struct snapshot_stream *stream;
    struct tree *tree; /* from the stream or the files, for the replica to take */
    int64_t snapshot_zxid;
    bool files_unfinished; /* from STORE_RESTART_LOG to the epoch that completes it */
    bool restarts_log;     /* the files are to make room for it */
    bool wants_snapshot;   /* it is to be written */
    bool writes_snapshot;
    struct store_work wanted_work; /* behind the image that is still running */
    bool wants_work, wants_no_image;
    /* transactions */
    int64_t committed_zxid; /* the leader said so */
    int64_t acked_zxid;
};

static int64_t now_ms(const struct zab_learner *learner)
{
    return learner->zab->step->now_ms;
}

static void fail(struct zab_learner *learner, const char *reason)
{
    if (learner->failed == NULL)
        learner->failed = reason;
}

static void send(struct zab_learner *learner, int32_t type, int64_t zxid, struct slice data)
{
    zab_send(learner->zab, learner->connection, type, zxid, data);
}

/* --- the connection --- */

/* Behind each of them it waits: the leader, or every voter as an observer master. */
static uint32_t dials_of_round(const struct zab_learner *learner)
{
    return zab_learns_from_master(learner->zab) ? learner->zab->membership->voter_count : 1;
}

static void dial(struct zab_learner *learner)
{
    struct zab *zab = learner->zab;
    bool by_master = zab_learns_from_master(zab);
    const struct member *server = by_master ? zab_next_master(zab) : learner->leader;
    uint32_t round = learner->dials / dials_of_round(learner);
    const struct member_address *address = &server->addresses[round % server->address_count];
    bool first_round = server->address_count > 1 && round < server->address_count;

    ASSERT(learner->connection == 0);
    learner->connection = *zab->next_connection;
    *zab->next_connection += 2;
    learner->dials++;
    learner->server = server;
    effects_add_peer(
        zab->step->effects,
        (struct peer_effect){.kind = PEER_DIAL,
                             .connection = learner->connection,
                             .port = by_master ? PEER_PORT_MASTER : PEER_PORT_QUORUM,
                             .host = address->host,
                             .port_number = by_master ? zab->options.observer_master_port
                                                      : address->quorum_port,
                             .timeout_ms = first_round ? zab->options.first_try_ms : 0});
}

struct zab_learner *zab_learner_new(struct zab *zab, const struct member *leader)
{
    struct zab_learner *learner = mem_zalloc(sizeof(*learner));

    learner->zab = zab;
    learner->leader = learner->server = leader;
    learner->epoch = -1;
    learner->begun_ms = learner->heard_ms = zab->step->now_ms;
    learner->committed_zxid = proposals_proposed_zxid(zab->proposals);
    learner->dial_at_ms = learner->begun_ms;
    if (zab->options.observer && !zab_learns_from_master(zab))
        learner->dial_at_ms += zab_some_delay_ms(zab, zab->options.observer_reconnect_ms);
    learner->heard_ms = learner->dial_at_ms;
    if (learner->dial_at_ms == learner->begun_ms)
        dial(learner);
    return learner;
}

void zab_learner_free(struct zab_learner *learner)
{
    if (learner == NULL)
        return;
    zab_master_free(learner->master);
    if (learner->connection != 0)
        zab_close(learner->zab, learner->connection, learner->failed);
    snapshot_stream_free(learner->stream);
    tree_free(learner->tree);
    zab_input_deinit(&learner->input);
    mem_free(learner);
}

void zab_learner_opened(struct zab_learner *learner, uint64_t connection)
{
    struct zab *zab = learner->zab;
    uint8_t bytes[20];

    if (connection != learner->connection || learner->phase != LEARN_DIALLING)
        return;
    learner->phase = LEARN_ASKING;
    learner->heard_ms = now_ms(learner);
    store_be64(bytes, (uint64_t)zab->options.my_id);
    store_be32(bytes + 8, LEARNER_PROTOCOL_VERSION);
    store_be64(bytes + 12, (uint64_t)zab->membership->version);
    send(learner, zab->options.observer ? QUORUM_OBSERVER_INFO : QUORUM_FOLLOWER_INFO,
         zxid_of_epoch(zab->accepted_epoch), slice_of(bytes, sizeof(bytes)));
}

void zab_learner_closed(struct zab_learner *learner, uint64_t connection)
{
    struct zab *zab = learner->zab;
    uint32_t round = learner->dials / dials_of_round(learner);
    int64_t pause_ms = (int64_t)DIAL_AGAIN_FIRST_MS << (round > 6 ? 6 : round);

    if (pause_ms > DIAL_AGAIN_MAX_MS)
        pause_ms = DIAL_AGAIN_MAX_MS;
    if (zab->options.redial_ms > 0)
        pause_ms = zab->options.redial_ms;
    if (connection != learner->connection)
        return;
    learner->connection = 0;
    if (learner->phase != LEARN_DIALLING) {
        fail(learner, "the leader closed the connection");
        return;
    }
    if (learner->dials % dials_of_round(learner) != 0) {
        dial(learner); /* the next master */
        return;
    }
    if (zab->options.observer)
        pause_ms += zab_some_delay_ms(zab, zab->options.observer_reconnect_ms);
    learner->dial_at_ms = now_ms(learner) + pause_ms;
}

/* --- work on the files, behind a running image of the tree --- */

static void want_work(struct zab_learner *learner, struct store_work work)
{
    ASSERT(!learner->wants_work);
    learner->wanted_work = work;
    learner->wants_work = learner->wants_no_image = true;
    learner->phase = LEARN_CUTTING;
}

static void begin_wanted_work(struct zab_learner *learner)
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

static void acknowledge_epoch(struct zab_learner *learner, bool promised_before)
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

    send(learner, QUORUM_ACK_EPOCH, zxid, slice_of(bytes, quorum_epoch_ack_write(bytes, &ack)));
    learner->phase = LEARN_WAITING;
    learner->sync_since_ms = now_ms(learner);
}

static void on_leader_info(struct zab_learner *learner, const struct quorum_packet *packet)
{
    struct zab *zab = learner->zab;
    struct leader_info info;

    if (packet->type != QUORUM_LEADER_INFO ||
        quorum_leader_info_read(packet->data, &info) != STATUS_OK ||
        info.protocol_version < LEARNER_PROTOCOL_VERSION) {
        fail(learner, "the leader did not answer with LEADERINFO of protocol 0x10000");
        return;
    }
    learner->of_paddock = info.paddock;
    learner->epoch = zxid_epoch(packet->zxid);
    if (learner->epoch < zab->accepted_epoch) {
        fail(learner, "the leader's epoch is below one that this server has accepted");
    } else if (zab->quarantined && learner->epoch != zab->elected_epoch) {
        fail(learner, "the leader's epoch is not yet that of a majority without this server");
    } else if (learner->epoch == zab->accepted_epoch) {
        acknowledge_epoch(learner, /* promised_before= */ true);
    } else {
        learner->phase = LEARN_PROMISING;
        zab_begin_store(zab, (struct store_work){.kind = STORE_WRITE_EPOCHS,
                                                 .accepted_epoch = learner->epoch,
                                                 .current_epoch = -1});
    }
}

/* --- synchronisation --- */

static void begin_syncing(struct zab_learner *learner)
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

static void on_way_to_sync(struct zab_learner *learner, const struct quorum_packet *packet)
{
    struct zab *zab = learner->zab;

    if (zab->quarantined && packet->type != QUORUM_SNAP && packet->type != QUORUM_PING) {
        fail(learner, "the leader did not send everything to a server in quarantine");
        return;
    }
    switch (packet->type) {
    case QUORUM_DIFF:
        learner->way = "DIFF";
        if (zab->must_have_snapshot)
            start_from_nothing(learner);
        else
            begin_syncing(learner);
        break;
    case QUORUM_TRUNC:
        learner->way = "TRUNC";
        if (packet->zxid == proposals_proposed_zxid(zab->proposals))
            begin_syncing(learner);
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
        fail(learner, "the leader did not say how to synchronise");
        break;
    }
}

static void on_snapshot_bytes(struct zab_learner *learner)
{
    size_t used = 0;
    ASSERT(learner->stream != NULL);
    enum status status =
        snapshot_stream_feed(learner->stream, zab_input_rest(&learner->input), &used);

    zab_input_take(&learner->input, used);
    if (status == STATUS_OK)
        return;
    if (status != STATUS_END) {
        fail(learner, "the leader's snapshot does not decode");
        return;
    }
    learner->tree = snapshot_stream_take(learner->stream, learner->snapshot_zxid);
    snapshot_stream_free(learner->stream);
    learner->stream = NULL;
    learner->restarts_log = true;
    want_work(learner,
              (struct store_work){.kind = STORE_RESTART_LOG, .zxid = learner->snapshot_zxid});
}

/* A leader of Java begins to keep what it sends when it begins the snapshot, which may have some of it. */
static bool is_in_snapshot(const struct zab_learner *learner, int64_t zxid)
{
    return zxid <= learner->snapshot_zxid;
}

static struct metrics *metrics_of(const struct zab_learner *learner)
{
    return &learner->zab->step->metrics;
}

static void count_commit(struct zab_learner *learner, size_t kept_index)
{
    metrics_count(metrics_of(learner), METRIC_LEARNER_COMMIT_RECEIVED_COUNT, 1);
    metrics_count(metrics_of(learner), METRIC_REQUEST_COMMIT_QUEUED, 1);
    zab_observe_age(learner->zab, kept_index, METRIC_COMMIT_PROPAGATION_LATENCY);
}

/* Only while it follows: the leader's history is not counted, as in Java. */
static void count_proposal(struct zab_learner *learner, int64_t zxid)
{
    struct proposals *proposals = learner->zab->proposals;
    size_t count = proposals_kept_count(proposals);

    if (learner->phase != LEARN_SERVING || learner->failed != NULL)
        return;
    metrics_count(metrics_of(learner), METRIC_LEARNER_PROPOSAL_RECEIVED_COUNT, 1);
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
        fail(learner, "the leader committed a transaction that is not the next one");
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

static bool receive(struct zab_learner *learner, const struct quorum_packet *packet)
{
    const char *problem = NULL;

    if (is_in_snapshot(learner, packet->zxid) || loses(learner, MUTANT_FORWARD_GAP))
        return true;
    enum status status =
        proposals_receive(learner->zab->proposals, packet->zxid, packet->data, &problem);

    if (status == STATUS_EXISTS && learner->phase == LEARN_SERVING &&
        !learner->zab->options.observer)
        send(learner, QUORUM_ACK, packet->zxid, SLICE_NULL);
    else if (status != STATUS_OK && status != STATUS_EXISTS)
        fail(learner, problem);
    return status == STATUS_OK;
}

/* A configuration that others activate and we do not would make us count votes by the old one. */
static void on_reconfiguration(struct zab_learner *learner)
{
    learner->zab->fatal =
        "the ensemble's servers were changed by reconfig, which this release does "
        "not follow: write the new servers into zoo.cfg and start again";
    fail(learner, learner->zab->fatal);
}

/* Of all phases behind the snapshot. */
static bool on_transaction(struct zab_learner *learner, const struct quorum_packet *packet)
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

/* NEWLEADER came: everything before it must be on disk, then the epoch. */
static void persist(struct zab_learner *learner)
{
    struct zab *zab = learner->zab;

    if (learner->phase != LEARN_PERSISTING || zab->store_busy || learner->wants_snapshot ||
        learner->writes_snapshot ||
        (proposals_durable_zxid(zab->proposals) != proposals_proposed_zxid(zab->proposals) &&
         !mutant_is(zab->step->mutant, MUTANT_EPOCH_BEFORE_HISTORY)))
        return;
    zab_begin_store(zab, (struct store_work){.kind = STORE_WRITE_EPOCHS,
                                             .accepted_epoch = -1,
                                             .current_epoch = learner->epoch});
}

static void on_new_leader(struct zab_learner *learner, const struct quorum_packet *packet)
{
    if (packet->zxid != zxid_of_epoch(learner->epoch)) {
        fail(learner, "NEWLEADER is of another epoch");
        return;
    }
    learner->phase = LEARN_PERSISTING;
    if (mutant_is(learner->zab->step->mutant, MUTANT_NEWLEADER_ACK_ASYNC))
        send(learner, QUORUM_ACK, zxid_of_epoch(learner->epoch), SLICE_NULL);
    persist(learner);
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

static void on_up_to_date(struct zab_learner *learner)
{
    struct proposals *proposals = learner->zab->proposals;

    if (learner->phase != LEARN_ACKED) {
        fail(learner, "UPTODATE came before the epoch was acknowledged");
        return;
    }
    send(learner, QUORUM_ACK, zxid_of_epoch(learner->epoch), SLICE_NULL);
    learner->phase = LEARN_SERVING;
    learner->zab->must_have_snapshot = false;
    metrics_observe(metrics_of(learner),
                    learner->zab->options.observer ? METRIC_OBSERVER_SYNC_TIME
                                                   : METRIC_FOLLOWER_SYNC_TIME,
                    now_ms(learner) - learner->sync_since_ms);
    learner->acked_zxid = learner->committed_zxid;
    /* A snapshot of Java's has some of what followed it, all of which has come by now. */
    if (learner->snapshot_zxid != 0 && !learner->of_paddock)
        proposals_compare_digests_above(proposals, proposals_proposed_zxid(proposals));
    begin_mastery(learner);
    proposals_agreed(proposals, learner->committed_zxid, learner->zab->observer);
}

/* --- broadcast --- */

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

static void on_serving_packet(struct zab_learner *learner, const struct quorum_packet *packet)
{
    struct zab *zab = learner->zab;
    struct session_valid answer;

    switch (packet->type) {
    case QUORUM_PING:
        answer_ping(learner, packet->zxid);
        break;
    case QUORUM_REVALIDATE:
        if (quorum_revalidated_read(packet->data, &answer) != STATUS_OK)
            fail(learner, "the leader's REVALIDATE does not decode");
        else if (learner->master == NULL || !zab_master_revalidated(learner->master, &answer))
            proposals_revalidated(zab->proposals, answer.session_id, answer.valid, zab->observer);
        break;
    case QUORUM_SYNC:
        if ((learner->master == NULL || !zab_master_sync_answered(learner->master)) &&
            !proposals_sync_answered(zab->proposals, zab->observer))
            fail(learner, "the leader answered a sync that nobody has asked for");
        break;
    default: /* of a later release: it may be ignored */
        break;
    }
}

/* --- a packet, in its phase --- */

static void on_packet(struct zab_learner *learner, const struct quorum_packet *packet)
{
    switch (learner->phase) {
    case LEARN_ASKING:
        on_leader_info(learner, packet);
        break;
    case LEARN_WAITING:
        on_way_to_sync(learner, packet);
        break;
    case LEARN_SYNCING:
    case LEARN_PERSISTING:
    case LEARN_ACKED:
        if (on_transaction(learner, packet))
            break;
        if (packet->type == QUORUM_NEW_LEADER && learner->phase == LEARN_SYNCING)
            on_new_leader(learner, packet);
        else if (packet->type == QUORUM_UP_TO_DATE)
            on_up_to_date(learner);
        break;
    case LEARN_SERVING:
        if (!on_transaction(learner, packet))
            on_serving_packet(learner, packet);
        break;
    case LEARN_DIALLING:
    case LEARN_PROMISING:
    case LEARN_LOADING:
    case LEARN_CUTTING:
        ASSERT(!"no packet is read in this phase");
    }
}

/* What follows waits until the files are as they must be. */
static bool reads_packets(const struct zab_learner *learner)
{
    return learner->failed == NULL && learner->phase != LEARN_PROMISING &&
           learner->phase != LEARN_CUTTING && learner->phase != LEARN_DIALLING;
}

static void read_input(struct zab_learner *learner)
{
    while (reads_packets(learner)) {
        struct quorum_packet packet;
        size_t size;
        if (learner->phase == LEARN_LOADING) {
            on_snapshot_bytes(learner);
            if (learner->phase == LEARN_LOADING)
                return;
            continue;
        }
        enum status status =
            quorum_packet_read(zab_input_rest(&learner->input),
                               learner->zab->options.packet_bytes_max, &packet, &size);
        if (status == STATUS_END)
            return;
        if (status != STATUS_OK) {
            fail(learner, "what the leader sends is no packet");
            return;
        }
        on_packet(learner, &packet);
        zab_input_take(&learner->input, size);
    }
}

void zab_learner_bytes(struct zab_learner *learner, uint64_t connection, struct slice bytes)
{
    if (connection != learner->connection || learner->failed != NULL)
        return;
    learner->heard_ms = now_ms(learner);
    zab_input_add(&learner->input, bytes);
    read_input(learner);
}

/* --- the files --- */

static void on_cut(struct zab_learner *learner, enum status status, struct tree **tree)
{
    struct zab *zab = learner->zab;

    if (status != STATUS_OK) {
        zab->must_have_snapshot = true;
        fail(learner, "the log does not hold the zxid to which the leader wants it cut");
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

void zab_learner_store_done(struct zab_learner *learner, enum status status, struct tree **tree)
{
    switch (learner->phase) {
    case LEARN_PROMISING:
        acknowledge_epoch(learner, /* promised_before= */ false);
        break;
    case LEARN_CUTTING:
        on_cut(learner, status, tree);
        return; /* goes on when the replica has taken the tree */
    case LEARN_PERSISTING:
        learner->files_unfinished = false;
        send(learner, QUORUM_ACK, zxid_of_epoch(learner->epoch), SLICE_NULL);
        learner->phase = LEARN_ACKED;
        break;
    default:
        ASSERT(!"no work on the files in this phase");
    }
    read_input(learner);
}

struct tree *zab_learner_take_tree(struct zab_learner *learner)
{
    struct tree *tree = learner->tree;

    if (tree == NULL || learner->phase != LEARN_CUTTING || learner->wants_work ||
        learner->zab->store_busy || learner->failed != NULL)
        return NULL;
    learner->tree = NULL;
    return tree;
}

void zab_learner_tree_taken(struct zab_learner *learner)
{
    ASSERT(learner->phase == LEARN_CUTTING && learner->tree == NULL);
    begin_syncing(learner);
    read_input(learner);
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
            fail(learner, "the leader's snapshot could not be written");
    }
    begin_wanted_work(learner);
}

/* --- the tree --- */

/* A leader of Java may be wrong itself (docs/protocol.md, "Digests"): then the digests fit again soon. */
void zab_learner_look_at_tree(struct zab_learner *learner)
{
    struct zab *zab = learner->zab;

    if (!learner->of_paddock || learner->phase != LEARN_SERVING || learner->failed != NULL)
        return;
    if (proposals_mismatch_zxid(zab->proposals) > zxid_of_epoch(learner->epoch))
        fail(learner, zab_tree_differs(zab));
    else if (proposals_tree_differs(zab->proposals))
        fail(learner, zab_fetch_all(zab));
}

/* --- time --- */

static int64_t limit_ms(const struct zab_learner *learner)
{
    const struct zab_options *options = &learner->zab->options;
    int32_t ticks =
        learner->phase == LEARN_SERVING || learner->phase == LEARN_ACKED ? options->sync_limit
        : learner->phase == LEARN_DIALLING && options->connect_limit > 0 ? options->connect_limit
                                                                         : options->init_limit;

    return (int64_t)ticks * options->tick_ms;
}

void zab_learner_stood_still(struct zab_learner *learner, int64_t ms)
{
    const struct zab_options *options = &learner->zab->options;

    if (ms > (int64_t)options->sync_limit * options->tick_ms)
        fail(learner, "this server stood still for longer than the limit");
}

void zab_learner_tick(struct zab_learner *learner)
{
    bool waits_for_disk = learner->phase == LEARN_PROMISING || learner->phase == LEARN_CUTTING ||
                          learner->phase == LEARN_PERSISTING;

    if (learner->failed != NULL)
        return;
    if (!waits_for_disk && now_ms(learner) - learner->heard_ms > limit_ms(learner) &&
        !mutant_is(learner->zab->step->mutant, MUTANT_HALF_OPEN_FOREVER)) {
        fail(learner, learner->phase == LEARN_DIALLING
                          ? "the leader could not be reached"
                          : "the leader was silent for longer than the limit");
        return;
    }
    if (learner->phase == LEARN_DIALLING && learner->connection == 0 &&
        now_ms(learner) >= learner->dial_at_ms)
        dial(learner);
    if (learner->master != NULL)
        zab_master_tick(learner->master);
}

int64_t zab_learner_wake_at_ms(const struct zab_learner *learner)
{
    if (learner->phase == LEARN_DIALLING && learner->connection == 0)
        return learner->dial_at_ms;
    int64_t silence_ms = learner->heard_ms + limit_ms(learner) + 1;
    int64_t master_ms =
        learner->master != NULL ? zab_master_wake_at_ms(learner->master) : INT64_MAX;
    return silence_ms < master_ms ? silence_ms : master_ms;
}

/* A leader of Java wants one acknowledgement for each transaction. */
static void acknowledge(struct zab_learner *learner)
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
        send(learner, QUORUM_ACK, learner->acked_zxid, SLICE_NULL);
    }
}

void zab_learner_end_turn(struct zab_learner *learner)
{
    struct buffer *requests = proposals_to_leader(learner->zab->proposals);

    begin_wanted_work(learner);
    persist(learner);
    if (learner->phase != LEARN_SERVING || learner->failed != NULL)
        return;
    acknowledge(learner);
    if (learner->master != NULL)
        zab_master_end_turn(learner->master);
    if (requests->size > 0)
        zab_send_bytes(learner->zab, learner->connection, buffer_slice(requests));
    requests->size = 0;
}

/* --- looking in --- */

const char *zab_learner_failed(const struct zab_learner *learner)
{
    return learner->failed;
}

bool zab_learner_serves(const struct zab_learner *learner)
{
    return learner->phase == LEARN_SERVING;
}

int64_t zab_learner_epoch(const struct zab_learner *learner)
{
    return learner->epoch;
}

int64_t zab_learner_server(const struct zab_learner *learner)
{
    return learner->server->id;
}

struct zab_leader *zab_learner_observers(const struct zab_learner *learner)
{
    return learner->master == NULL ? NULL : zab_master_learners(learner->master);
}

const char *zab_learner_way(const struct zab_learner *learner)
{
    return learner->way;
}
