/* zab.h: what leader and learner share: the server's promises, its place in the ensemble, and the
 * access to files and connections.
 *
 * ZAB in short. A server that won the election waits for a quorum of learners, promises an epoch above
 * all that they have promised (discovery), brings each of them to its own history (synchronisation),
 * and when a quorum has that on disk, it serves: proposals in the order of their zxids, each committed
 * when a quorum has it on disk (broadcast). A learner that loses its leader, and a leader that
 * loses its quorum, give up their role, and a new election begins.
 * Source: Leader.java, LearnerHandler.java, Learner.java, Follower.java, Observer.java. */
#ifndef REPLICA_ZAB_ZAB_H
#define REPLICA_ZAB_ZAB_H

#include "replica/membership/membership.h"
#include "replica/proposals/proposals.h"

struct zab_options {
    int64_t my_id;
    int32_t tick_ms, init_limit, sync_limit; /* the limits in ticks; > 0 */
    int32_t connect_limit; /* connectToLearnerMasterLimit in ticks; 0: init_limit */
    int32_t first_try_ms;  /* connections.h */
    int32_t redial_ms;     /* between attempts of a learner to reach its leader; 0: the default */
    /* A leader without a quorum for its epoch for this time gives up as soon as a server that
     * elected it is looking again; below 0: only after initLimit. */
    int32_t epoch_wait_max_ms;
    /* A learner gets a DIFF from the log files if their size is at most this fraction of the
     * snapshot that it would get instead; 0: of any size; below 0: never. */
    double snapshot_size_factor;
    bool force_snapshot; /* a learner gets a SNAP where a DIFF would be enough */
    /* At most this many learners are synchronised at once; a further observer is disconnected. 0:
     * no limit. */
    int32_t snap_syncs_max, diff_syncs_max;
    bool observer;
    /* An observer that writes no log while it serves (syncEnabled=false): after a crash it begins with what it
     * had on disk before. */
    bool unlogged;
    /* observerMasterPort: where followers serve observers; 0: only leaders do. */
    uint16_t observer_master_port;
    /* An observer waits for a random time below this before it connects, or before it tries all
     * masters again. */
    int64_t observer_reconnect_ms;
    /* Learners' requests, but for one of each, wait while this many bytes of transactions are not applied; at
     * most this many bytes may wait per learner, or it is disconnected. */
    size_t prepared_bytes_max, waiting_bytes_max;
    size_t packet_bytes_max; /* of one packet; snapshots are no packets */
};

struct zab { /* one for the life of the replica; roles come and go */
    struct zab_options options;
    struct membership *membership; /* its version may change */
    struct proposals *proposals;
    const struct proposals_observer *observer;
    struct step *step;
    uint64_t *next_connection;             /* odd: the next outgoing connection */
    int64_t accepted_epoch, current_epoch; /* as the files have them, durably */
    int64_t highest_promise;               /* of any member: the next epoch is above it */
    struct store_work work;                /* begun and not done, while store_busy */
    bool store_busy;
    bool must_have_snapshot; /* its own state is wrong: it will ask the leader for everything */
    enum oracle oracle;      /* its last answer */
    bool quarantined;        /* ensemble.h: its votes do not count, */
    int64_t
        elected_epoch; /* and it learns only in the epoch that a majority of the others reports */
    uint64_t repaired_at;   /* how many digests had been equal when the tree last had to be
                               repaired; 0: never */
    uint64_t masters_tried; /* zab_master.h */
    const char *fatal;      /* the process must end: why */
};

/* The zxid with which a leader's epoch begins; no transaction has it. */
static inline int64_t zxid_of_epoch(int64_t epoch)
{
    return zxid_make(epoch, 0);
}

/* A member has a configuration with a higher version. One of the same servers is adopted. One of others ends
 * this process: a server that counts votes and acknowledgements by an old list of servers could commit
 * what the others' quorum does not have. */
void zab_hear_config(struct zab *zab, int64_t version, bool other_servers);

/* Call it when the store is not busy. REPLICA_STORE_DONE goes to the role that asked. */
void zab_begin_store(struct zab *zab, struct store_work work);
/* True: it was begun, and the epochs that it has written are recorded. */
MUST_USE bool zab_store_done(struct zab *zab);

/* The tree's digest differs from the one that the leader of this epoch, or an earlier one,
 * computed. Returns why the role ends. */
const char *zab_tree_differs(struct zab *zab);
const char *zab_fetch_all(struct zab *zab);

/* How old the transaction is, by the clock of the leader that proposed it. Clocks differ: an age
 * below 0 is not counted. */
void zab_observe_age(struct zab *zab, size_t kept_index, enum metric_id metric);

/* One packet without authinfo to the connection. */
void zab_send(struct zab *zab, uint64_t connection, int32_t type, int64_t zxid, struct slice data);
void zab_send_bytes(struct zab *zab, uint64_t connection, struct slice data);
void zab_close(struct zab *zab, uint64_t connection, const char *reason);

/* A peer's bytes are collected here until a packet is complete. */
struct zab_input {
    struct buffer bytes;
    size_t read_at;
};
void zab_input_add(struct zab_input *input, struct slice bytes);
struct slice zab_input_rest(const struct zab_input *input);
void zab_input_take(struct zab_input *input, size_t size);
void zab_input_deinit(struct zab_input *input);

#endif
