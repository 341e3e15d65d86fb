/* mutant.h: deliberate bugs. The simulator must find each of them: test/simulation/test_mutants.c by seeds,
 * test/simulation/test_stories_*.c by stories.
 *
 * One at a time is chosen, in tests only. Builds for use do not define PADDOCK_MUTANTS: there
 * mutant_is() is false, and the compiler leaves nothing of it. */
#ifndef REPLICA_EFFECTS_MUTANT_H
#define REPLICA_EFFECTS_MUTANT_H

#include "base/base.h"

enum mutant {
    MUTANT_NONE,
    /* what is on disk */
    MUTANT_LEADER_SELF_ACK_EARLY, /* a leader counts itself before its own sync */
    MUTANT_APPLY_BEFORE_DURABLE,  /* what is committed is applied before this server's own sync */
    MUTANT_EPOCH_BEFORE_HISTORY,  /* the epoch is taken over before the history is durable */
    MUTANT_NEWLEADER_ACK_ASYNC,   /* NEWLEADER is acknowledged before the history is durable */
    MUTANT_ZERO_IS_EOF,           /* what is no record is taken for the end of the log */
    MUTANT_QUARANTINE_IN_MEMORY,  /* a crash ends a quarantine */
    MUTANT_QUARANTINE_VOTES,      /* a server in quarantine takes part like any other */
    MUTANT_FULL_LEADER_STAYS,     /* a leader that cannot log goes on leading */
    /* roles begin and end */
    MUTANT_MEM_AHEAD_VOTE,     /* an election begins before the log is synced */
    MUTANT_STALE_WORK,         /* or while the last role's work on files is under way */
    MUTANT_DIRTY_SNAPSHOT,     /* a leader to be writes a snapshot of its uncommitted tail */
    MUTANT_HALF_OPEN_FOREVER,  /* a learner never gives up a silent leader */
    MUTANT_TRUSTS_OLD_CONTACT, /* who stood still for long goes on as if it had not */
    MUTANT_LATE_COUNTERS, /* no bug: epochs begin with nearly all zxids used up; and with it: */
    MUTANT_ROLLOVER_WRAP, /* the counter runs into the epoch */
    /* synchronisation */
    MUTANT_TRUNC_KEEPS_SNAPSHOT, /* snapshots above the cut stay */
    MUTANT_TRUNC_OFF_BY_ONE,     /* one record too many stays */
    MUTANT_DIFF_BY_RANGE,        /* a learner's zxid is in range, so it is held to be ours */
    MUTANT_DIFF_HOLE,            /* a DIFF leaves one out */
    MUTANT_FORWARD_GAP,          /* proposals between NEWLEADER and UPTODATE are lost, */
    MUTANT_UPTODATE_OLD_COMMIT,  /* or commits */
    MUTANT_PARTIAL_SNAP_KEPT,    /* half a SNAP stays in memory when its leader is lost */
    MUTANT_WORK_BESIDE_IMAGE,    /* files are cut while a snapshot is being written */
    /* broadcast */
    MUTANT_VOTER_LOGS_NOTHING,  /* what spares an observer its log spares it a voter, too */
    MUTANT_OBSERVER_COUNTS,     /* an observer stands for a voter that is away */
    MUTANT_COMMIT_OUT_OF_ORDER, /* the later ones first */
    MUTANT_SYNC_LOCAL,          /* a sync is answered without the leader */
    MUTANT_MATCH_BY_XID,        /* an old transaction is taken for a new request with its xid */
    /* observer masters */
    MUTANT_MASTER_TAKES_BACK, /* an observer that has heard of more is cut to what this one knows */
    MUTANT_MASTER_FENCES_NOTHING, /* an observer may still write for a session that went to another */
    MUTANT_MASTER_MIXES_SYNCS, /* the leader's next answer is for an observer, whoever asked first */
    /* read-only servers */
    MUTANT_READ_ONLY_SAYS_YES, /* to a write, which is lost */
    /* sessions and the tree */
    MUTANT_OLD_OWNER_EXECUTES,    /* a session's earlier server may still write for it */
    MUTANT_CREATE_AFTER_CLOSE,    /* a session that is being closed may still write */
    MUTANT_EXPIRE_WITHOUT_QUORUM, /* ephemerals go when the leader finds the session expired */
    MUTANT_NEVER_EXPIRES,         /* a session that nobody hears goes on for ever */
    MUTANT_WALL_CLOCK_EXPIRY,     /* sessions expire by the time of day */
    MUTANT_TOUCH_AFTER_EXPIRY,    /* behind a pause, sessions expire before anybody is heard */
    MUTANT_EPHEMERAL_OF_LOCAL,    /* a local session gets an ephemeral without being upgraded */
    MUTANT_SETWATCHES_GAP,        /* a client that comes back gets its events, and no watches */
    MUTANT_TTL_BY_WALL_CLOCK,     /* a node's age is what the time of day says */
    MUTANT_DELETES_WHAT_CHANGED,  /* a TTL node goes although a write to it is under way */
    MUTANT_MULTI_PARTIAL_ZXID, /* a snapshot in the middle of a transaction says that it has it */
    MUTANT_WRONG_BYTES /* the memory is bad: in the first seconds a tree gets a wrong byte now and
                          then. It must be noticed and repaired */
};

enum { MUTANT_WRONG_UNTIL_MS = 12000 };

static inline bool mutant_is(enum mutant chosen, enum mutant which)
{
#ifdef PADDOCK_MUTANTS
    return chosen == which;
#else
    (void)chosen, (void)which;
    return false;
#endif
}

#endif
