/* zab.h: what leader and learner share: the server's promises, its place in the ensemble, and the way
 * to files and connections.
 *
 * ZAB in short. A server that won the election waits for a quorum of learners, promises an epoch above
 * all that they have promised (discovery), brings each of them to its own history (synchronisation),
 * and when a quorum has that on disk, it serves: proposals in the order of their zxids, each committed
 * when a quorum has it on disk (broadcast). Whoever loses its leader, or a leader its quorum, gives up
 * its role, and all elect anew.
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
    int32_t redial_ms;     /* of a learner that does not reach its leader; 0: as is usual */
    /* A leader that has no quorum for its epoch for longer gives up as soon as a server that elected it
     * looks again; below 0: only after initLimit. */
    int32_t epoch_wait_max_ms;
    /* A learner gets a DIFF from the log files, if these are at most this part of the snapshot that it
     * would get; 0: of any size; below 0: never. */
    double snapshot_size_factor;
    bool force_snapshot; /* a learner gets a SNAP where a DIFF would do */
    /* So many learners are brought in step at once; an observer that comes then is closed. 0: all. */
    int32_t snap_syncs_max, diff_syncs_max;
    bool observer;
    /* observerMasterPort: where followers serve observers; 0: only leaders do. */
    uint16_t observer_master_port;
    /* An observer waits for some time below this before it dials, or before it tries all again. */
    int64_t observer_reconnect_ms;
    /* Learners' requests wait while so many bytes of transactions are not applied; so many may wait of
     * each learner, or it is dropped. */
    size_t prepared_bytes_max, waiting_bytes_max;
    size_t packet_bytes_max; /* what a packet may be, snapshots aside */
};

struct zab { /* one for the life of the replica; roles come and go */
    struct zab_options options;
    const struct membership *membership;
    struct proposals *proposals;
    const struct proposals_observer *observer;
    struct step *step;
    uint64_t *next_connection;             /* odd: the next one to dial */
    int64_t accepted_epoch, current_epoch; /* as the files have them, durably */
    int64_t highest_promise;               /* that a member told of: the next epoch is above it */
    struct store_work work;                /* begun and not done, while store_busy */
    bool store_busy;
    bool must_have_snapshot; /* its own state is wrong: it asks the leader for everything */
    enum oracle oracle;      /* what it said last */
    bool quarantined;        /* ensemble.h: what it says counts nowhere, */
    int64_t
        elected_epoch; /* and it learns only in the epoch that a majority of the others tells of */
    uint64_t repaired_at;   /* how many digests had fitted when that was last so; 0: never */
    uint64_t masters_tried; /* zab_master.h */
    const char *fatal;      /* the process must end: why */
};

/* Of no transaction: what a leader's epoch begins behind. */
static inline int64_t zxid_of_epoch(int64_t epoch)
{
    return zxid_make(epoch, 0);
}

/* The store is not busy. REPLICA_STORE_DONE is for the role that asked. */
void zab_begin_store(struct zab *zab, struct store_work work);
/* True: it was begun, and what it has written is noted. */
MUST_USE bool zab_store_done(struct zab *zab);

/* The tree is not the one that a transaction's digest tells of, which the leader of this epoch computed;
 * or one before. Why the role ends. */
const char *zab_tree_differs(struct zab *zab);
const char *zab_fetch_all(struct zab *zab);

/* How old the transaction is, by the clock of the leader that proposed it. Clocks differ: an age below 0
 * is left out. */
void zab_observe_age(struct zab *zab, size_t kept_index, enum metric_id metric);

/* One packet without authinfo to the connection. */
void zab_send(struct zab *zab, uint64_t connection, int32_t type, int64_t zxid, struct slice data);
void zab_send_bytes(struct zab *zab, uint64_t connection, struct slice data);
void zab_close(struct zab *zab, uint64_t connection, const char *reason);

/* Where a peer's bytes are gathered until a packet is whole. */
struct zab_input {
    struct buffer bytes;
    size_t read_at;
};
void zab_input_add(struct zab_input *input, struct slice bytes);
struct slice zab_input_rest(const struct zab_input *input);
void zab_input_take(struct zab_input *input, size_t size);
void zab_input_deinit(struct zab_input *input);

#endif
