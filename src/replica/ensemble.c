/* ensemble.c: what a member of an ensemble is told, and whom it tells: the election, the leader or the
 * learner that this server is.
 *
 * After every step all of them settle: what one has decided is done to the others (ensemble_role.c). */
#include "replica/ensemble_internal.h"

enum {
    REDIAL_MIN_MS = 10,
    REDIAL_MAX_MS = 1000,
    GONE_AFTER_MS = 400, /* an elected leader that refuses connections at both ports */
    PREPARED_BYTES_MAX = 16 << 20,
    WAITING_BYTES_MAX = 64 << 20
};

/* --- birth and death --- */

static size_t or_usual(size_t bytes_max, size_t usual_bytes)
{
    return bytes_max != 0 ? bytes_max : usual_bytes;
}

/* Whoever votes logs all that it acknowledges. */
static bool logs_nothing(const struct ensemble *ensemble)
{
    return ensemble->options.unlogged_observer &&
           (ensemble->observes || mutant_is(ensemble->step->mutant, MUTANT_VOTER_LOGS_NOTHING));
}

static struct zab_options zab_options_of(const struct ensemble *ensemble, int32_t tick_ms,
                                         size_t packet_bytes_max)
{
    const struct ensemble_options *options = &ensemble->options;

    return (struct zab_options){
        .my_id = options->my_id,
        .tick_ms = tick_ms,
        .init_limit = options->init_limit,
        .sync_limit = options->sync_limit,
        .connect_limit = options->connect_limit,
        .prepared_bytes_max = or_usual(options->prepared_bytes_max, PREPARED_BYTES_MAX),
        .waiting_bytes_max = or_usual(options->waiting_bytes_max, WAITING_BYTES_MAX),
        .first_try_ms = options->first_try_ms,
        .redial_ms = options->redial_ms,
        .epoch_wait_max_ms = options->epoch_wait_max_ms,
        .snapshot_size_factor = options->snapshot_size_factor,
        .force_snapshot = options->force_snapshot,
        .snap_syncs_max = options->snap_syncs_max,
        .diff_syncs_max = options->diff_syncs_max,
        .observer = ensemble->observes,
        .unlogged = logs_nothing(ensemble),
        .observer_master_port = options->observer_master_port,
        .observer_reconnect_ms = options->observer_reconnect_ms,
        .packet_bytes_max = packet_bytes_max};
}

static struct connections *new_connections(struct ensemble *ensemble, int32_t tick_ms)
{
    const struct ensemble_options *options = &ensemble->options;
    int64_t hello_ms = options->hello_timeout_ms > 0 ? options->hello_timeout_ms
                                                     : (int64_t)tick_ms * options->sync_limit;

    return connections_new(
        &(struct connections_options){.my_id = options->my_id,
                                      .many_addresses = options->many_addresses,
                                      .first_try_ms = options->first_try_ms,
                                      .hello_timeout_ms = hello_ms,
                                      .redial_min_ms = REDIAL_MIN_MS,
                                      .redial_max_ms = REDIAL_MAX_MS,
                                      .next_number = &ensemble->next_connection});
}

static struct election *new_election(const struct ensemble *ensemble)
{
    const struct ensemble_options *options = &ensemble->options;
    struct election *election =
        election_new(&(struct election_options){.my_id = options->my_id,
                                                .finalize_ms = options->finalize_ms,
                                                .resend_min_ms = options->resend_min_ms,
                                                .resend_max_ms = options->resend_max_ms});

    election_set_members(election, ensemble->zab.membership, NULL,
                         ensemble->observes ? MEMBER_OBSERVER : MEMBER_PARTICIPANT);
    return election;
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
    ensemble->observes = me == NULL || me->role == MEMBER_OBSERVER;
    ensemble->zab = (struct zab){.options = zab_options_of(ensemble, tick_ms, packet_bytes_max),
                                 .membership = membership_copy(options->membership),
                                 .proposals = proposals,
                                 .observer = observer,
                                 .step = step,
                                 .next_connection = &ensemble->next_connection,
                                 .accepted_epoch = options->accepted_epoch,
                                 .current_epoch = options->current_epoch,
                                 .must_have_snapshot = options->tree_differs};
    ensemble->voting.connections = new_connections(ensemble, tick_ms);
    ensemble->voting.election = new_election(ensemble);
    ensemble->phase = ENSEMBLE_DRAINING;
    ensemble->down_since_ms = step->now_ms;
    ensemble->told_version = ensemble->zab.membership->version;
    ensemble_begin_quarantine(ensemble);
    if (options->tree_differs && !ensemble->observes) /* what it would lead with is wrong */
        ensemble_let_others_elect(ensemble);
    clients_stop(clients, NULL);
    ensemble_write_config_node(ensemble);
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
    voting_deinit(&ensemble->voting);
    membership_free(ensemble->zab.membership);
    effects_deinit(&nobody);
    ensemble->step->effects = NULL;
    mem_free(ensemble);
}

/* --- settling --- */

static void hear(struct ensemble *ensemble)
{
    struct voting *voting = &ensemble->voting;
    int64_t from;

    while (voting_hear(voting, ensemble_now_ms(ensemble), ensemble->step->effects, &from)) {
        if (ensemble->leader != NULL && election_elector_looks_again(voting->election, from))
            zab_leader_elector_looks_again(ensemble->leader);
        struct election_effects *news = &voting->effects;
        if (news->newer_version != 0)
            zab_hear_config(&ensemble->zab, news->newer_version, news->other_servers);
        news->newer_version = 0;
    }
}

/* A later version of the configuration was adopted: the others and the clients see it from now on. */
static void tell_version(struct ensemble *ensemble)
{
    const struct membership *membership = ensemble->zab.membership;

    if (membership->version == ensemble->told_version)
        return;
    ensemble->told_version = membership->version;
    election_set_members(ensemble->voting.election, membership, NULL,
                         ensemble->observes ? MEMBER_OBSERVER : MEMBER_PARTICIPANT);
    ensemble_write_config_node(ensemble);
}

/* Whom this server has elected may have found a better one meanwhile, or be dead. */
static void doubt_leader(struct ensemble *ensemble)
{
    if (election_leader_turned_away(ensemble->voting.election))
        zab_learner_doubt_leader(ensemble->learner, /* after_ms= */ 0);
    else if (election_leader_is_gone(ensemble->voting.election))
        zab_learner_doubt_leader(ensemble->learner, GONE_AFTER_MS);
}

/* The first step or turn opens the connections to the others: there were no effects before. */
static void begin(struct ensemble *ensemble)
{
    if (ensemble->begun)
        return;
    ensemble->begun = true;
    connections_set_members(ensemble->voting.connections, ensemble->zab.membership, NULL,
                            ensemble->step->effects);
}

void ensemble_settle(struct ensemble *ensemble)
{
    begin(ensemble);
    hear(ensemble);
    if (ensemble->phase == ENSEMBLE_IN_ROLE && ensemble->learner != NULL)
        doubt_leader(ensemble);
    if (ensemble->phase == ENSEMBLE_IN_ROLE && ensemble->learner != NULL)
        ensemble_take_tree_of_leader(ensemble);
    if (ensemble->phase == ENSEMBLE_IN_ROLE)
        ensemble_look_at_role(ensemble);
    if (ensemble->phase == ENSEMBLE_DRAINING)
        ensemble_drain(ensemble);
    voting_say(&ensemble->voting, ensemble->step->effects);
    tell_version(ensemble);
    if (ensemble->voting.effects.decided && ensemble->phase == ENSEMBLE_LOOKING)
        ensemble_begin_role(ensemble);
    ensemble->voting.effects.decided = false;
    ensemble_begin_read_only(ensemble);
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
        connections_opened(ensemble->voting.connections, event->connection,
                           ensemble_now_ms(ensemble), ensemble->step->effects);
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
    if (connections_owns(ensemble->voting.connections, event->connection))
        connections_bytes(ensemble->voting.connections, event->connection, event->bytes,
                          ensemble_now_ms(ensemble), ensemble->step->effects);
    else if (is_dialled(event->connection) && ensemble->learner != NULL)
        zab_learner_bytes(ensemble->learner, event->connection, event->bytes);
    else if (learners_of(ensemble) != NULL)
        zab_leader_bytes(learners_of(ensemble), event->connection, event->bytes);
}

static void on_closed(struct ensemble *ensemble, const struct replica_event *event)
{
    if (connections_owns(ensemble->voting.connections, event->connection))
        connections_closed(ensemble->voting.connections, event->connection,
                           ensemble_now_ms(ensemble));
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
        ensemble_on_quarantine_ended(ensemble);
        return;
    }
    if (ensemble->phase == ENSEMBLE_RELOADING) {
        ASSERT(event->status == STATUS_OK && tree != NULL);
        ensemble_replace_tree(ensemble, tree);
        ensemble_begin_looking(ensemble);
        return;
    }
    if (ensemble->learner != NULL) {
        zab_learner_store_done(ensemble->learner, event->status, &tree);
    } else if (ensemble->leader != NULL) {
        zab_leader_store_done(ensemble->leader, event->status);
    } else if (tree != NULL) { /* the role is over, but the files are as it wanted them */
        ensemble_replace_tree(ensemble, tree);
        return;
    }
    tree_free(tree);
}

static void on_tick(struct ensemble *ensemble)
{
    voting_tick(&ensemble->voting, ensemble_now_ms(ensemble), ensemble->step->effects);
    if (ensemble->leader != NULL)
        zab_leader_tick(ensemble->leader);
    if (ensemble->learner != NULL)
        zab_learner_tick(ensemble->learner);
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
        election_set_oracle(ensemble->voting.election, ensemble->zab.oracle,
                            ensemble_now_ms(ensemble), &ensemble->voting.effects);
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

void ensemble_check_turn(const struct ensemble *ensemble)
{
    const struct zab *zab = &ensemble->zab;
    const struct proposals *proposals = ensemble->proposals;
    bool leads = ensemble->leader != NULL, learns = ensemble->learner != NULL;

    ASSERT(!(leads && learns));
    ASSERT((ensemble->phase == ENSEMBLE_IN_ROLE) == (leads || learns));
    ASSERT(!ensemble->serves || (ensemble->phase == ENSEMBLE_IN_ROLE && !zab->quarantined));
    ASSERT(!ensemble->read_only || (ensemble->phase == ENSEMBLE_LOOKING && !zab->quarantined));
    ASSERT(ensemble->phase != ENSEMBLE_RELOADING || zab->store_busy);
    ASSERT(zab->current_epoch <= zab->accepted_epoch);
    if (ensemble->phase == ENSEMBLE_LOOKING) { /* it votes for what its files have */
        ASSERT(proposals_role(proposals) == PROPOSALS_IDLE);
        ASSERT(proposals_durable_zxid(proposals) == proposals_proposed_zxid(proposals));
        ASSERT(proposals_applied_zxid(proposals) == proposals_proposed_zxid(proposals));
    }
    if (leads)
        zab_leader_check_turn(ensemble->leader);
    if (learns)
        zab_learner_check_turn(ensemble->learner);
}

int64_t ensemble_wake_at_ms(const struct ensemble *ensemble)
{
    const int64_t wishes[] = {
        ensemble->phase == ENSEMBLE_DRAINING && ensemble->looks_from_ms > ensemble_now_ms(ensemble)
            ? ensemble->looks_from_ms
            : INT64_MAX,
        ensemble_read_only_at_ms(ensemble), voting_wake_at_ms(&ensemble->voting),
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
    return (ensemble->serves && !ensemble->zab.options.unlogged) ||
           mutant_is(ensemble->step->mutant, MUTANT_DIRTY_SNAPSHOT) ||
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
    info.membership = ensemble->zab.membership;
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
    struct vote vote = election_vote(ensemble->voting.election);
    info.state = election_state(ensemble->voting.election);
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
    metrics_set(all, METRIC_QUORUM_SIZE, ensemble->zab.membership->voter_count);
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
