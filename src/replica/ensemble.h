/* ensemble.h: this server's part in an ensemble: it looks for a leader, leads or learns, and looks again.
 *
 * It connects the rooms: the election and its connections (election/), leader and learner (zab/),
 * the transactions (proposals/) and the clients of this server (clients/). A role ends when the
 * leader or the quorum is lost, or the disk fails it: every client of this server is disconnected,
 * everything in the log is applied, and the next election begins with what is durable. During a
 * long election a server may let clients read (read_only).
 *
 * A member that has lost something it promised is in quarantine (store/quarantine.h). It votes for
 * nobody and serves nobody. When a quorum of the others reports a leader, all with one epoch, it
 * learns from that leader as an observer, without a vote, and asks it for everything. When it has
 * all that this epoch began with, and the leader says that a quorum has it too (UPTODATE), the
 * quarantine is ended on the disk, and the server looks for its leader again, as a voter. */
#ifndef REPLICA_ENSEMBLE_H
#define REPLICA_ENSEMBLE_H

#include "replica/clients/clients.h"
#include "replica/effects/step.h"
#include "wire/quorum.h"

struct membership;
struct replica_event;

struct ensemble_options {
    int64_t my_id;
    const struct membership *membership;          /* copied */
    int32_t init_limit, sync_limit;               /* in ticks; > 0 */
    int32_t connect_limit;                        /* connectToLearnerMasterLimit; 0: init_limit */
    size_t prepared_bytes_max, waiting_bytes_max; /* zab.h; 0: the default */
    uint16_t observer_master_port;                /* zab.h; 0: none */
    int64_t observer_reconnect_ms;                /* zab.h */
    bool unlogged_observer;       /* zab.h: unlogged, if this server is an observer */
    int64_t observer_election_ms; /* an observer that lost its leader waits for a random time below
                                 this */
    int32_t redial_ms, epoch_wait_max_ms;   /* zab.h */
    int32_t hello_timeout_ms;               /* connections.h; <= 0: sync_limit */
    int32_t first_try_ms;                   /* connections.h */
    double snapshot_size_factor;            /* zab.h */
    bool force_snapshot;                    /* zab.h */
    int32_t snap_syncs_max, diff_syncs_max; /* zab.h */
    int32_t finalize_ms;                    /* a quorum's wait for better votes */
    /* The time between two notifications to a server that does not answer; > 0. */
    int32_t resend_min_ms, resend_max_ms;
    bool many_addresses;
    bool leader_serves;                    /* a leader takes clients, too */
    bool read_only;                        /* clients may read while there is no quorum */
    int64_t accepted_epoch, current_epoch; /* as the files have them */
    bool quarantined,
        promises_lost; /* likewise; promises_lost: it is unknown which epoch it accepted */
    /* From what its log says of it: it lets the others elect first, and takes everything from its leader. */
    bool tree_differs;
};

struct ensemble;
/* Borrows everything for its lifetime; *tree is replaced when the leader sends another one. */
struct ensemble *ensemble_new(const struct ensemble_options *options, int32_t tick_ms,
                              size_t packet_bytes_max, struct step *step, struct tree **tree,
                              struct proposals *proposals, struct clients *clients,
                              const struct proposals_observer *observer);
void ensemble_free(struct ensemble *ensemble); /* may be NULL */

/* No event was stepped for this time. Call it before the next event, so that no request is answered
 * from knowledge that is too old. */
void ensemble_stood_still(struct ensemble *ensemble, int64_t ms);
/* Events of peers and of the store, and the tick. */
void ensemble_step(struct ensemble *ensemble, const struct replica_event *event);
void ensemble_snapshot_done(struct ensemble *ensemble, bool written);
/* After every step: roles begin and end. */
void ensemble_settle(struct ensemble *ensemble);
void ensemble_end_turn(struct ensemble *ensemble);         /* what is sent once a turn */
void ensemble_check_turn(const struct ensemble *ensemble); /* asserts what holds when a turn ends */
int64_t ensemble_wake_at_ms(const struct ensemble *ensemble);
/* May a snapshot of the tree be written? It may contain only what is agreed. */
bool ensemble_may_snapshot(const struct ensemble *ensemble);
bool ensemble_awaits_snapshot(const struct ensemble *ensemble); /* to serve: the leader's state */

/* --- looking in --- */
struct ensemble_info {
    enum peer_state state;
    const struct membership *membership; /* borrowed; with the version that is in force */
    int64_t leader,
        leader_zxid;      /* who was elected, and with which last transaction; -1: nobody yet */
    int64_t epoch;        /* the leader's; -1: not agreed yet */
    int64_t learns_from;  /* the leader, or an observer's master; -1: nobody yet */
    bool observer_master; /* a follower that serves observers */
    const char *synchronised_by; /* of a learner: "DIFF", "TRUNC", "SNAP"; NULL: not yet */
    bool serves;
    bool takes_clients; /* serves clients (a leader may leave that to the others) */
    bool read_only;     /* does not serve, but clients may read */
    bool quarantined;
    int64_t own_zxid;      /* the last one on disk */
    int64_t own_epoch;     /* as the files have it */
    int64_t election_ms;   /* how long the last election took */
    int64_t down_ms;       /* how long this server did not serve before it did */
    int64_t role_since_ms; /* monotonic: when the last role began, or the time of reading only */
    uint32_t elections;    /* begun since the start */
    uint32_t roles_begun, roles_lost;
    const char *lost_because; /* why the last role ended; NULL: none has */
    int64_t zxids_left; /* of a leader: transactions until a new epoch must begin; -1: it does not
                           serve */
};
struct ensemble_info ensemble_info(const struct ensemble *ensemble);
/* Sets the metrics of this member's role. */
void ensemble_collect_metrics(const struct ensemble *ensemble, struct metrics *all);
void ensemble_reset_stats(struct ensemble *ensemble);

#endif
