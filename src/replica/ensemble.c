/* ensemble.c: one state after the other: draining, looking, in a role, and draining again.
 *
 * Nothing of one role may reach into the next: before an election begins, every append is durable, no
 * work on the files is under way, and the tree is what the files have. */
#include "replica/ensemble.h"

#include "replica/election/connections.h"
#include "replica/membership/membership.h"
#include "replica/replica.h"
#include "replica/zab/zab_leader.h"
#include "replica/zab/zab_learner.h"
#include "replica/zab/zab_master.h"

enum {
    REDIAL_MIN_MS = 10,
    REDIAL_MAX_MS = 1000,
    READ_ONLY_AFTER_MS = 2000, /* at least: of looking */
    PREPARED_BYTES_MAX = 16 << 20,
    WAITING_BYTES_MAX = 64 << 20,
    /* In quarantine, until it looks again: the others may be about to have a leader. */
    QUARANTINE_PAUSE_MS = 200
};

enum ensemble_phase {
    ENSEMBLE_DRAINING, /* the last role is over: its appends and its work on files come to an end */
    ENSEMBLE_RELOADING, /* the tree is read anew: what the leader sent was not completed */
    ENSEMBLE_LOOKING,
    ENSEMBLE_IN_ROLE
};

struct ensemble {
    struct ensemble_options options;
    enum ensemble_phase phase;
    struct step *step;
    struct tree **tree;
    struct proposals *proposals;
    struct clients *clients;
    struct zab zab;
    uint64_t next_connection;
    struct connections *connections;
    struct election *election;
    struct election_effects election_effects;
    struct buffer message;
    struct zab_leader *leader;   /* NULL: does not lead */
    struct zab_learner *learner; /* NULL: does not learn */
    bool begun, serves, must_reload;
    bool read_only; /* looking, and clients may read meanwhile */
    bool observes;  /* by its configuration */
    int64_t looks_from_ms;
    int64_t looking_since_ms, down_since_ms;
    struct ensemble_info info; /* what is remembered of it */
};

static int64_t now_ms(const struct ensemble *ensemble)
{
    return ensemble->step->now_ms;
}

/* --- the tree --- */

/* /zookeeper/config holds the servers as this one knows them. It is no transaction, and the digest
 * leaves the node out. (ZKDatabase.initConfigInZKDatabase()) */
static void write_config_node(struct ensemble *ensemble)
{
    const struct membership *membership = ensemble->options.membership;
    struct buffer text = {0};
    uint32_t id;

    membership_write(&text, membership);
    enum zk_error err = tree_set_data(*ensemble->tree, SLICE("/zookeeper/config"),
                                      buffer_slice(&text), (int32_t)membership->version,
                                      membership->version, ensemble->step->wall_ms, &id);
    /* A snapshot of other software may lack the node; then clients miss it, too. */
    ASSERT(err == ZK_OK || err == ZK_NO_NODE);
    buffer_deinit(&text);
}

/* A promise that is forgotten may have been made to a leader that still waits for others. When that
 * leader must have given up, nobody counts on the promise any more. */
static void begin_quarantine(struct ensemble *ensemble)
{
    if (!ensemble->options.quarantined ||
        mutant_is(ensemble->step->mutant, MUTANT_QUARANTINE_VOTES))
        return;
    ensemble->zab.quarantined = true;
    ensemble->zab.options.observer = true;
    if (ensemble->options.promises_lost)
        ensemble->looks_from_ms = now_ms(ensemble) + (int64_t)ensemble->options.init_limit *
                                                         ensemble->zab.options.tick_ms;
}

struct ensemble *ensemble_new(const struct ensemble_options *options, int32_t tick_ms,
                              size_t packet_bytes_max, struct step *step, struct tree **tree,
                              struct proposals *proposals, struct clients *clients,
                              const struct proposals_observer *observer)
{
    struct ensemble *ensemble = mem_zalloc(sizeof(*ensemble));
    const struct member *me = membership_find(options->membership, options->my_id);

    ensemble->options = *options;
    ensemble->step = step;
    ensemble->tree = tree;
    ensemble->proposals = proposals;
    ensemble->clients = clients;
    ensemble->next_connection = 1;
    bool observes = me == NULL || me->role == MEMBER_OBSERVER;
    ensemble->observes = observes;
    ensemble->zab =
        (struct zab){.options = {.my_id = options->my_id,
                                 .tick_ms = tick_ms,
                                 .init_limit = options->init_limit,
                                 .sync_limit = options->sync_limit,
                                 .connect_limit = options->connect_limit,
                                 .prepared_bytes_max = options->prepared_bytes_max != 0
                                                           ? options->prepared_bytes_max
                                                           : PREPARED_BYTES_MAX,
                                 .waiting_bytes_max = options->waiting_bytes_max != 0
                                                          ? options->waiting_bytes_max
                                                          : WAITING_BYTES_MAX,
                                 .first_try_ms = options->first_try_ms,
                                 .redial_ms = options->redial_ms,
                                 .epoch_wait_max_ms = options->epoch_wait_max_ms,
                                 .snapshot_size_factor = options->snapshot_size_factor,
                                 .force_snapshot = options->force_snapshot,
                                 .snap_syncs_max = options->snap_syncs_max,
                                 .diff_syncs_max = options->diff_syncs_max,
                                 .observer = observes,
                                 .observer_master_port = options->observer_master_port,
                                 .observer_reconnect_ms = options->observer_reconnect_ms,
                                 .packet_bytes_max = packet_bytes_max},
                     .membership = options->membership,
                     .proposals = proposals,
                     .observer = observer,
                     .step = step,
                     .next_connection = &ensemble->next_connection,
                     .accepted_epoch = options->accepted_epoch,
                     .current_epoch = options->current_epoch};
    int64_t hello_ms = options->hello_timeout_ms > 0 ? options->hello_timeout_ms
                                                     : (int64_t)tick_ms * options->sync_limit;
    ensemble->connections =
        connections_new(&(struct connections_options){.my_id = options->my_id,
                                                      .many_addresses = options->many_addresses,
                                                      .first_try_ms = options->first_try_ms,
                                                      .hello_timeout_ms = hello_ms,
                                                      .redial_min_ms = REDIAL_MIN_MS,
                                                      .redial_max_ms = REDIAL_MAX_MS,
                                                      .next_number = &ensemble->next_connection});
    ensemble->election =
        election_new(&(struct election_options){.my_id = options->my_id,
                                                .reconfig_enabled = options->reconfig_enabled,
                                                .finalize_ms = options->finalize_ms,
                                                .resend_min_ms = options->resend_min_ms,
                                                .resend_max_ms = options->resend_max_ms});
    election_set_members(ensemble->election, options->membership, NULL,
                         observes ? MEMBER_OBSERVER : MEMBER_PARTICIPANT);
    ensemble->phase = ENSEMBLE_DRAINING;
    ensemble->down_since_ms = step->now_ms;
    begin_quarantine(ensemble);
    clients_stop(clients, NULL);
    write_config_node(ensemble);
    return ensemble;
}

void ensemble_free(struct ensemble *ensemble)
{
    struct effects nobody = {0};

    if (ensemble == NULL)
        return;
    ensemble->step->effects = &nobody;
    zab_leader_free(ensemble->leader);
    zab_learner_free(ensemble->learner);
    connections_free(ensemble->connections);
    election_free(ensemble->election);
    election_effects_deinit(&ensemble->election_effects);
    buffer_deinit(&ensemble->message);
    effects_deinit(&nobody);
    ensemble->step->effects = NULL;
    mem_free(ensemble);
}

/* --- another tree --- */

static void replace_tree(struct ensemble *ensemble, struct tree *tree)
{
    struct tree *before = *ensemble->tree;

    proposals_replace_tree(ensemble->proposals, tree);
    clients_replace_tree(ensemble->clients, tree);
    *ensemble->tree = tree;
    write_config_node(ensemble);
    tree_free(before);
}

static void take_tree_of_leader(struct ensemble *ensemble)
{
    struct zab_learner *learner = ensemble->learner;

    if (zab_learner_wants_no_image(learner))
        snapshots_give_up(proposals_snapshots(ensemble->proposals));
    struct tree *tree = zab_learner_take_tree(learner);
    if (tree != NULL) {
        replace_tree(ensemble, tree);
        zab_learner_tree_taken(learner);
    }
    if (zab_learner_wants_snapshot(learner))
        snapshots_request(proposals_snapshots(ensemble->proposals));
}

/* --- roles begin and end --- */

static void leave_role(struct ensemble *ensemble, const char *reason)
{
    clients_stop(ensemble->clients, reason);
    if (ensemble->serves)
        ensemble->down_since_ms = now_ms(ensemble);
    ensemble->serves = false;
    ensemble->info.roles_lost++;
    ensemble->info.lost_because = reason;
    ensemble->must_reload = ensemble->learner != NULL &&
                            zab_learner_left_files_unfinished(ensemble->learner) &&
                            !mutant_is(ensemble->step->mutant, MUTANT_PARTIAL_SNAP_KEPT);
    zab_leader_free(ensemble->leader);
    zab_learner_free(ensemble->learner);
    ensemble->leader = NULL;
    ensemble->learner = NULL;
    election_resign(ensemble->election);
    ensemble->phase = ENSEMBLE_DRAINING;
    if (ensemble->zab.quarantined)
        ensemble->looks_from_ms = now_ms(ensemble) + QUARANTINE_PAUSE_MS;
    else if (ensemble->observes)
        ensemble->looks_from_ms =
            now_ms(ensemble) +
            zab_some_delay_ms(&ensemble->zab, ensemble->options.observer_election_ms);
}

/* What the leader of the others has sent is on the disk. */
static void end_quarantine(struct ensemble *ensemble)
{
    if (!ensemble->zab.store_busy)
        zab_begin_store(&ensemble->zab, (struct store_work){.kind = STORE_WRITE_EPOCHS,
                                                            .accepted_epoch = -1,
                                                            .current_epoch = -1,
                                                            .ends_quarantine = true});
}

static void on_quarantine_ended(struct ensemble *ensemble)
{
    ensemble->zab.quarantined = false;
    ensemble->zab.options.observer = ensemble->observes;
    if (ensemble->phase == ENSEMBLE_IN_ROLE)
        leave_role(ensemble, "out of quarantine, this server looks for its leader anew");
}

static bool is_drained(const struct ensemble *ensemble)
{
    enum mutant mutant = ensemble->step->mutant;

    return (!ensemble->zab.store_busy || mutant_is(mutant, MUTANT_STALE_WORK)) &&
           (proposals_durable_zxid(ensemble->proposals) ==
                proposals_proposed_zxid(ensemble->proposals) ||
            mutant_is(mutant, MUTANT_MEM_AHEAD_VOTE));
}

static void begin_looking(struct ensemble *ensemble)
{
    ensemble->phase = ENSEMBLE_LOOKING;
    ensemble->looking_since_ms = now_ms(ensemble);
    ensemble->info.elections++;
    metrics_count(&ensemble->step->metrics, METRIC_LOOKING_COUNT, 1);
    election_start(ensemble->election,
                   ensemble->zab.quarantined ? -1 : proposals_durable_zxid(ensemble->proposals),
                   ensemble->zab.current_epoch, now_ms(ensemble), &ensemble->election_effects);
}

static void drain(struct ensemble *ensemble)
{
    struct snapshots *snapshots = proposals_snapshots(ensemble->proposals);

    if (!is_drained(ensemble) || now_ms(ensemble) < ensemble->looks_from_ms)
        return;
    proposals_become_idle(ensemble->proposals, ensemble->zab.observer);
    clients_forget_writes(ensemble->clients);
    if (proposals_tree_differs(ensemble->proposals))
        ensemble->must_reload = true;
    if (!ensemble->must_reload) {
        begin_looking(ensemble);
        return;
    }
    snapshots_give_up(snapshots);
    if (snapshots_running(snapshots))
        return;
    ensemble->must_reload = false;
    ensemble->phase = ENSEMBLE_RELOADING;
    zab_begin_store(&ensemble->zab, (struct store_work){.kind = STORE_RELOAD});
}

static int64_t read_only_at_ms(const struct ensemble *ensemble)
{
    int32_t tick_ms = ensemble->zab.options.tick_ms;

    if (!ensemble->options.read_only || ensemble->phase != ENSEMBLE_LOOKING ||
        ensemble->read_only || ensemble->zab.quarantined)
        return INT64_MAX;
    return ensemble->looking_since_ms +
           (tick_ms > READ_ONLY_AFTER_MS ? tick_ms : READ_ONLY_AFTER_MS);
}

/* What is read is what this server knew last: everything in its log, agreed or not. */
static void begin_read_only(struct ensemble *ensemble)
{
    if (now_ms(ensemble) < read_only_at_ms(ensemble))
        return;
    ensemble->read_only = true;
    ensemble->info.role_since_ms = now_ms(ensemble);
    proposals_serve_read_only(ensemble->proposals);
    clients_serve_read_only(ensemble->clients);
}

static void end_read_only(struct ensemble *ensemble)
{
    if (!ensemble->read_only)
        return;
    ensemble->read_only = false;
    clients_stop(ensemble->clients, "there is a quorum: this server is no longer read-only");
    clients_forget_writes(ensemble->clients);
}

static void begin_role(struct ensemble *ensemble)
{
    enum peer_state state = election_state(ensemble->election);
    int64_t id = election_vote(ensemble->election).leader;
    const struct member *leader = membership_find(ensemble->options.membership, id);

    end_read_only(ensemble);
    ensemble->info.election_ms = now_ms(ensemble) - ensemble->looking_since_ms;
    ensemble->info.role_since_ms = now_ms(ensemble);
    ensemble->info.roles_begun++;
    if (!ensemble->zab.options.observer)
        metrics_observe(&ensemble->step->metrics, METRIC_ELECTION_TIME, ensemble->info.election_ms);
    ensemble->phase = ENSEMBLE_IN_ROLE;
    if (ensemble->zab.quarantined) {
        ensemble->zab.must_have_snapshot = true;
        ensemble->zab.elected_epoch = election_vote(ensemble->election).epoch;
    }
    if (state == PEER_LEADING) {
        ASSERT(!ensemble->zab.quarantined);
        ensemble->leader = zab_leader_new(&ensemble->zab);
        if (mutant_is(ensemble->step->mutant, MUTANT_DIRTY_SNAPSHOT))
            snapshots_request(proposals_snapshots(ensemble->proposals));
    } else if (leader != NULL) {
        ensemble->learner = zab_learner_new(&ensemble->zab, leader);
    } else {
        leave_role(ensemble, "the elected leader is no server of this configuration");
    }
}

static void count_down_time(struct ensemble *ensemble)
{
    struct metrics *metrics = &ensemble->step->metrics;
    int64_t down_ms = now_ms(ensemble) - ensemble->down_since_ms;

    ensemble->info.down_ms = down_ms;
    metrics_observe(metrics, METRIC_UNAVAILABLE_TIME, down_ms);
    if (ensemble->leader != NULL)
        metrics_observe(metrics, METRIC_LEADER_UNAVAILABLE_TIME, down_ms);
}

static void look_at_role(struct ensemble *ensemble)
{
    if (ensemble->leader != NULL)
        zab_leader_look_at_tree(ensemble->leader);
    else
        zab_learner_look_at_tree(ensemble->learner);
    const char *failed = ensemble->leader != NULL ? zab_leader_failed(ensemble->leader)
                                                  : zab_learner_failed(ensemble->learner);
    bool serves = ensemble->leader != NULL ? zab_leader_serves(ensemble->leader)
                                           : zab_learner_serves(ensemble->learner);

    if (failed != NULL) {
        leave_role(ensemble, failed);
        return;
    }
    if (!serves || ensemble->serves)
        return;
    if (ensemble->zab.quarantined) {
        end_quarantine(ensemble);
        return;
    }
    ensemble->serves = true;
    count_down_time(ensemble);
    election_set_epoch(ensemble->election, ensemble->leader != NULL
                                               ? zab_leader_epoch(ensemble->leader)
                                               : zab_learner_epoch(ensemble->learner));
    if (ensemble->leader == NULL || ensemble->options.leader_serves)
        clients_serve(ensemble->clients);
}

/* --- the election's messages --- */

static void send_notifications(struct ensemble *ensemble)
{
    struct election_effects *effects = &ensemble->election_effects;

    for (uint32_t i = 0; i < effects->send_count; i++) {
        ensemble->message.size = 0;
        notification_write(&ensemble->message, &effects->sends[i].notification);
        connections_send(ensemble->connections, effects->sends[i].to,
                         buffer_slice(&ensemble->message), now_ms(ensemble),
                         ensemble->step->effects);
    }
    effects->send_count = 0;
    effects->newer_config = SLICE_NULL;
}

static void hear(struct ensemble *ensemble)
{
    struct connections_news news;
    struct notification said;

    while (connections_next(ensemble->connections, &news)) {
        if (news.kind == CONNECTIONS_LINK)
            election_set_link(ensemble->election, news.id, news.link, now_ms(ensemble),
                              &ensemble->election_effects);
        else if (notification_read(news.message, &said) == STATUS_OK)
            election_hear(ensemble->election, news.id, &said, now_ms(ensemble),
                          &ensemble->election_effects);
        if (ensemble->leader != NULL && election_elector_looks_again(ensemble->election, news.id))
            zab_leader_elector_looks_again(ensemble->leader);
        send_notifications(ensemble);
    }
}

void ensemble_settle(struct ensemble *ensemble)
{
    hear(ensemble);
    if (ensemble->phase == ENSEMBLE_IN_ROLE && ensemble->learner != NULL)
        take_tree_of_leader(ensemble);
    if (ensemble->phase == ENSEMBLE_IN_ROLE)
        look_at_role(ensemble);
    if (ensemble->phase == ENSEMBLE_DRAINING)
        drain(ensemble);
    send_notifications(ensemble);
    if (ensemble->election_effects.decided && ensemble->phase == ENSEMBLE_LOOKING)
        begin_role(ensemble);
    ensemble->election_effects.decided = false;
    begin_read_only(ensemble);
    if (ensemble->zab.fatal != NULL)
        ensemble->step->effects->fatal = ensemble->zab.fatal;
}

void ensemble_stood_still(struct ensemble *ensemble, int64_t ms)
{
    if (mutant_is(ensemble->step->mutant, MUTANT_TRUSTS_OLD_CONTACT))
        return;
    if (ensemble->leader != NULL)
        zab_leader_stood_still(ensemble->leader, ms);
    if (ensemble->learner != NULL)
        zab_learner_stood_still(ensemble->learner, ms);
    ensemble_settle(ensemble);
}

/* --- events --- */

/* Who serves learners, leader or observer master; NULL: nobody does. */
static struct zab_leader *learners_of(const struct ensemble *ensemble)
{
    return ensemble->learner != NULL ? zab_learner_observers(ensemble->learner) : ensemble->leader;
}

static struct zab_leader *learners_at(const struct ensemble *ensemble, enum peer_port port)
{
    return (port == PEER_PORT_QUORUM) == (ensemble->leader != NULL) ? learners_of(ensemble) : NULL;
}

static bool is_dialled(uint64_t connection)
{
    return connection % 2 == 1;
}

static void on_opened(struct ensemble *ensemble, const struct replica_event *event)
{
    bool dialled = is_dialled(event->connection);

    if (event->port == PEER_PORT_ELECTION)
        connections_opened(ensemble->connections, event->connection, now_ms(ensemble),
                           ensemble->step->effects);
    else if (dialled && ensemble->learner != NULL)
        zab_learner_opened(ensemble->learner, event->connection);
    else if (!dialled && learners_at(ensemble, event->port) != NULL)
        zab_leader_opened(learners_at(ensemble, event->port), event->connection);
    else
        zab_close(&ensemble->zab, event->connection,
                  event->port == PEER_PORT_QUORUM ? "this server does not lead"
                                                  : "this server does not follow");
}

static void on_bytes(struct ensemble *ensemble, const struct replica_event *event)
{
    if (connections_owns(ensemble->connections, event->connection))
        connections_bytes(ensemble->connections, event->connection, event->bytes, now_ms(ensemble),
                          ensemble->step->effects);
    else if (is_dialled(event->connection) && ensemble->learner != NULL)
        zab_learner_bytes(ensemble->learner, event->connection, event->bytes);
    else if (learners_of(ensemble) != NULL)
        zab_leader_bytes(learners_of(ensemble), event->connection, event->bytes);
}

static void on_closed(struct ensemble *ensemble, const struct replica_event *event)
{
    if (connections_owns(ensemble->connections, event->connection))
        connections_closed(ensemble->connections, event->connection, now_ms(ensemble),
                           ensemble->step->effects);
    else if (is_dialled(event->connection) && ensemble->learner != NULL)
        zab_learner_closed(ensemble->learner, event->connection);
    else if (learners_of(ensemble) != NULL)
        zab_leader_closed(learners_of(ensemble), event->connection);
}

static void on_store_done(struct ensemble *ensemble, const struct replica_event *event)
{
    struct tree *tree = event->tree;

    if (!zab_store_done(&ensemble->zab))
        ASSERT(!"work on the files is done that nobody has begun");
    if (ensemble->zab.work.ends_quarantine) {
        on_quarantine_ended(ensemble);
        return;
    }
    if (ensemble->phase == ENSEMBLE_RELOADING) {
        ASSERT(event->status == STATUS_OK && tree != NULL);
        replace_tree(ensemble, tree);
        begin_looking(ensemble);
        return;
    }
    if (ensemble->learner != NULL) {
        zab_learner_store_done(ensemble->learner, event->status, &tree);
    } else if (ensemble->leader != NULL) {
        zab_leader_store_done(ensemble->leader, event->status);
    } else if (tree != NULL) { /* the role is over, but the files are as it wanted them */
        replace_tree(ensemble, tree);
        return;
    }
    tree_free(tree);
}

static void on_tick(struct ensemble *ensemble)
{
    connections_tick(ensemble->connections, now_ms(ensemble), ensemble->step->effects);
    election_tick(ensemble->election, now_ms(ensemble), &ensemble->election_effects);
    if (ensemble->leader != NULL)
        zab_leader_tick(ensemble->leader);
    if (ensemble->learner != NULL)
        zab_learner_tick(ensemble->learner);
}

/* The first step opens the connections to the others: there were no effects before. */
static void begin(struct ensemble *ensemble)
{
    if (ensemble->begun)
        return;
    ensemble->begun = true;
    connections_set_members(ensemble->connections, ensemble->options.membership, NULL,
                            now_ms(ensemble), ensemble->step->effects);
}

void ensemble_step(struct ensemble *ensemble, const struct replica_event *event)
{
    begin(ensemble);
    switch (event->kind) {
    case REPLICA_PEER_OPENED:
        on_opened(ensemble, event);
        break;
    case REPLICA_PEER_BYTES:
        on_bytes(ensemble, event);
        break;
    case REPLICA_PEER_CLOSED:
        on_closed(ensemble, event);
        break;
    case REPLICA_PEER_READY:
        if (learners_of(ensemble) != NULL)
            zab_leader_ready(learners_of(ensemble), event->connection);
        break;
    case REPLICA_STORE_DONE:
        on_store_done(ensemble, event);
        break;
    case REPLICA_HISTORY:
        if (learners_of(ensemble) != NULL)
            zab_leader_history(learners_of(ensemble), event->connection, event->status,
                               event->bytes);
        break;
    case REPLICA_ORACLE:
        ensemble->zab.oracle = event->granted ? ORACLE_GRANTS : ORACLE_REFUSES;
        election_set_oracle(ensemble->election, ensemble->zab.oracle, now_ms(ensemble),
                            &ensemble->election_effects);
        break;
    case REPLICA_TICK:
        on_tick(ensemble);
        break;
    default:
        ASSERT(!"not of an ensemble");
    }
}

void ensemble_snapshot_done(struct ensemble *ensemble, bool written)
{
    if (ensemble->learner != NULL)
        zab_learner_snapshot_done(ensemble->learner, written);
}

void ensemble_end_turn(struct ensemble *ensemble)
{
    if (ensemble->leader != NULL)
        zab_leader_end_turn(ensemble->leader);
    if (ensemble->learner != NULL)
        zab_learner_end_turn(ensemble->learner);
}

int64_t ensemble_wake_at_ms(const struct ensemble *ensemble)
{
    const int64_t wishes[] = {
        ensemble->phase == ENSEMBLE_DRAINING && ensemble->looks_from_ms > now_ms(ensemble)
            ? ensemble->looks_from_ms
            : INT64_MAX,
        read_only_at_ms(ensemble),
        connections_wake_at_ms(ensemble->connections),
        election_wake_at_ms(ensemble->election),
        ensemble->leader != NULL ? zab_leader_wake_at_ms(ensemble->leader) : INT64_MAX,
        ensemble->learner != NULL ? zab_learner_wake_at_ms(ensemble->learner) : INT64_MAX};
    int64_t earliest_ms = INT64_MAX;

    for (size_t i = 0; i < ARRAY_LEN(wishes); i++) {
        if (wishes[i] < earliest_ms)
            earliest_ms = wishes[i];
    }
    return earliest_ms;
}

bool ensemble_may_snapshot(const struct ensemble *ensemble)
{
    return ensemble->serves || mutant_is(ensemble->step->mutant, MUTANT_DIRTY_SNAPSHOT) ||
           (ensemble->learner != NULL && zab_learner_writes_snapshot(ensemble->learner));
}

bool ensemble_awaits_snapshot(const struct ensemble *ensemble)
{
    return !ensemble->serves && ensemble->learner != NULL &&
           zab_learner_writes_snapshot(ensemble->learner);
}

/* --- looking in --- */

struct ensemble_info ensemble_info(const struct ensemble *ensemble)
{
    struct ensemble_info info = ensemble->info;

    info.state = PEER_LOOKING;
    info.leader = info.leader_zxid = info.epoch = info.zxids_left = info.learns_from = -1;
    info.serves = ensemble->serves;
    info.takes_clients =
        ensemble->serves && (ensemble->leader == NULL || ensemble->options.leader_serves);
    info.read_only = ensemble->read_only;
    info.quarantined = ensemble->zab.quarantined;
    info.own_zxid = proposals_durable_zxid(ensemble->proposals);
    info.own_epoch = ensemble->zab.current_epoch;
    if (ensemble->phase != ENSEMBLE_IN_ROLE)
        return info;
    struct vote vote = election_vote(ensemble->election);
    info.state = election_state(ensemble->election);
    info.leader = vote.leader;
    info.leader_zxid = vote.zxid;
    if (ensemble->leader != NULL) {
        info.epoch = zab_leader_epoch(ensemble->leader);
        info.zxids_left = zab_leader_zxids_left(ensemble->leader);
    } else {
        info.epoch = zab_learner_epoch(ensemble->learner);
        info.synchronised_by = zab_learner_way(ensemble->learner);
        info.learns_from = zab_learner_server(ensemble->learner);
        info.observer_master = zab_learner_observers(ensemble->learner) != NULL;
    }
    return info;
}

void ensemble_collect_metrics(const struct ensemble *ensemble, struct metrics *all)
{
    metrics_set(all, METRIC_QUORUM_SIZE, ensemble->options.membership->voter_count);
    if (learners_of(ensemble) != NULL)
        metrics_set(all, METRIC_SYNCED_OBSERVERS,
                    zab_leader_count(learners_of(ensemble)).synced_observers);
    if (ensemble->leader == NULL)
        return;
    struct zab_leader_counts counts = zab_leader_count(ensemble->leader);
    metrics_set(all, METRIC_LEARNERS, counts.learners);
    metrics_set(all, METRIC_SYNCED_FOLLOWERS, counts.synced_followers);
    metrics_set(all, METRIC_SYNCED_NON_VOTING, counts.synced_non_voting);
    metrics_set(all, METRIC_ZXIDS_LEFT, zab_leader_zxids_left(ensemble->leader));
    metrics_set(all, METRIC_PENDING_SYNCS, (int64_t)counts.pending_syncs);
    metrics_set(all, METRIC_LEADER_UPTIME, counts.served_ms);
    metrics_set(all, METRIC_PROPOSAL_SIZE_LAST, counts.proposal_last_bytes);
    metrics_set(all, METRIC_PROPOSAL_SIZE_MIN, counts.proposal_min_bytes);
    metrics_set(all, METRIC_PROPOSAL_SIZE_MAX, counts.proposal_max_bytes);
}

void ensemble_reset_stats(struct ensemble *ensemble)
{
    if (ensemble->leader != NULL)
        zab_leader_reset_stats(ensemble->leader);
}
