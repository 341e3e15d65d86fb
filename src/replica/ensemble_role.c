/* ensemble_role.c: a server's roles in an ensemble: how each begins and ends, and what it is in between.
 *
 * One state is behind the other: draining, looking, in a role, and draining again. Nothing of one role may
 * reach into the next: before an election begins, every append is durable, no work on the files is under
 * way, and the tree is what the files have. */
#include "replica/ensemble_internal.h"

#include "replica/zab/zab_master.h"

enum {
    READ_ONLY_AFTER_MS = 2000, /* at least: of looking */
    /* In quarantine, until it looks again: the others may be about to have a leader. */
    QUARANTINE_PAUSE_MS = 200
};

/* --- the tree --- */

/* /zookeeper/config holds the servers as this one knows them. It is no transaction, and the digest
 * leaves the node out. (ZKDatabase.initConfigInZKDatabase()) */
void ensemble_write_config_node(struct ensemble *ensemble)
{
    const struct membership *membership = ensemble->zab.membership;
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

void ensemble_replace_tree(struct ensemble *ensemble, struct tree *tree)
{
    struct tree *before = *ensemble->tree;

    proposals_replace_tree(ensemble->proposals, tree);
    clients_replace_tree(ensemble->clients, tree);
    *ensemble->tree = tree;
    ensemble_write_config_node(ensemble);
    tree_free(before);
}

void ensemble_take_tree_of_leader(struct ensemble *ensemble)
{
    struct zab_learner *learner = ensemble->learner;

    if (zab_learner_wants_no_image(learner))
        snapshots_give_up(proposals_snapshots(ensemble->proposals));
    struct tree *tree = zab_learner_take_tree(learner);
    if (tree != NULL) {
        ensemble_replace_tree(ensemble, tree);
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
        ensemble->down_since_ms = ensemble_now_ms(ensemble);
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
    election_resign(ensemble->voting.election);
    ensemble->phase = ENSEMBLE_DRAINING;
    if (ensemble->zab.quarantined)
        ensemble->looks_from_ms = ensemble_now_ms(ensemble) + QUARANTINE_PAUSE_MS;
    else if (ensemble->observes)
        ensemble->looks_from_ms =
            ensemble_now_ms(ensemble) +
            zab_some_delay_ms(&ensemble->zab, ensemble->options.observer_election_ms);
}

static bool is_drained(const struct ensemble *ensemble)
{
    enum mutant mutant = ensemble->step->mutant;

    return (!ensemble->zab.store_busy || mutant_is(mutant, MUTANT_STALE_WORK)) &&
           (proposals_durable_zxid(ensemble->proposals) ==
                proposals_proposed_zxid(ensemble->proposals) ||
            mutant_is(mutant, MUTANT_MEM_AHEAD_VOTE));
}

void ensemble_begin_looking(struct ensemble *ensemble)
{
    ensemble->phase = ENSEMBLE_LOOKING;
    ensemble->looking_since_ms = ensemble_now_ms(ensemble);
    ensemble->info.elections++;
    metrics_count(&ensemble->step->metrics, METRIC_LOOKING_COUNT, 1);
    voting_look(&ensemble->voting,
                ensemble->zab.quarantined ? -1 : proposals_durable_zxid(ensemble->proposals),
                ensemble->zab.current_epoch, ensemble_now_ms(ensemble));
}

void ensemble_drain(struct ensemble *ensemble)
{
    struct snapshots *snapshots = proposals_snapshots(ensemble->proposals);

    if (!is_drained(ensemble) || ensemble_now_ms(ensemble) < ensemble->looks_from_ms)
        return;
    proposals_become_idle(ensemble->proposals, ensemble->zab.observer);
    clients_forget_writes(ensemble->clients);
    if (proposals_tree_differs(ensemble->proposals))
        ensemble->must_reload = true;
    if (!ensemble->must_reload) {
        ensemble_begin_looking(ensemble);
        return;
    }
    snapshots_give_up(snapshots);
    if (snapshots_running(snapshots))
        return;
    ensemble->must_reload = false;
    ensemble->phase = ENSEMBLE_RELOADING;
    zab_begin_store(&ensemble->zab, (struct store_work){.kind = STORE_RELOAD});
}

/* So long that they have a leader by then, if they are a quorum without this server. */
void ensemble_let_others_elect(struct ensemble *ensemble)
{
    ensemble->looks_from_ms = ensemble_now_ms(ensemble) +
                              (int64_t)ensemble->options.init_limit * ensemble->zab.options.tick_ms;
}

/* --- quarantine --- */

/* A promise that is forgotten may have been made to a leader that still waits for others. When that
 * leader must have given up, nobody counts on the promise any more. */
void ensemble_begin_quarantine(struct ensemble *ensemble)
{
    if (!ensemble->options.quarantined ||
        mutant_is(ensemble->step->mutant, MUTANT_QUARANTINE_VOTES))
        return;
    ensemble->zab.quarantined = true;
    ensemble->zab.options.observer = true;
    if (ensemble->options.promises_lost)
        ensemble_let_others_elect(ensemble);
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

void ensemble_on_quarantine_ended(struct ensemble *ensemble)
{
    ensemble->zab.quarantined = false;
    ensemble->zab.options.observer = ensemble->observes;
    if (ensemble->phase == ENSEMBLE_IN_ROLE)
        leave_role(ensemble, "out of quarantine, this server looks for its leader again");
}

/* --- read-only, while it looks --- */

int64_t ensemble_read_only_at_ms(const struct ensemble *ensemble)
{
    int32_t tick_ms = ensemble->zab.options.tick_ms;

    if (!ensemble->options.read_only || ensemble->phase != ENSEMBLE_LOOKING ||
        ensemble->read_only || ensemble->zab.quarantined)
        return INT64_MAX;
    return ensemble->looking_since_ms +
           (tick_ms > READ_ONLY_AFTER_MS ? tick_ms : READ_ONLY_AFTER_MS);
}

/* What is read is what this server knew last: everything in its log, agreed or not. */
void ensemble_begin_read_only(struct ensemble *ensemble)
{
    if (ensemble_now_ms(ensemble) < ensemble_read_only_at_ms(ensemble))
        return;
    ensemble->read_only = true;
    ensemble->info.role_since_ms = ensemble_now_ms(ensemble);
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

/* --- in a role --- */

void ensemble_begin_role(struct ensemble *ensemble)
{
    enum peer_state state = election_state(ensemble->voting.election);
    int64_t id = election_vote(ensemble->voting.election).leader;
    const struct member *leader = membership_find(ensemble->zab.membership, id);

    connections_set_looking(ensemble->voting.connections, false);
    end_read_only(ensemble);
    ensemble->info.election_ms = ensemble_now_ms(ensemble) - ensemble->looking_since_ms;
    ensemble->info.role_since_ms = ensemble_now_ms(ensemble);
    ensemble->info.roles_begun++;
    if (!ensemble->zab.options.observer)
        metrics_observe(&ensemble->step->metrics, METRIC_ELECTION_TIME, ensemble->info.election_ms);
    ensemble->phase = ENSEMBLE_IN_ROLE;
    if (ensemble->zab.quarantined) {
        ensemble->zab.must_have_snapshot = true;
        ensemble->zab.elected_epoch = election_vote(ensemble->voting.election).epoch;
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
    int64_t down_ms = ensemble_now_ms(ensemble) - ensemble->down_since_ms;

    ensemble->info.down_ms = down_ms;
    metrics_observe(metrics, METRIC_UNAVAILABLE_TIME, down_ms);
    if (ensemble->leader != NULL)
        metrics_observe(metrics, METRIC_LEADER_UNAVAILABLE_TIME, down_ms);
}

void ensemble_look_at_role(struct ensemble *ensemble)
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
    election_set_epoch(ensemble->voting.election, ensemble->leader != NULL
                                                      ? zab_leader_epoch(ensemble->leader)
                                                      : zab_learner_epoch(ensemble->learner));
    if (ensemble->leader == NULL || ensemble->options.leader_serves)
        clients_serve(ensemble->clients);
}
