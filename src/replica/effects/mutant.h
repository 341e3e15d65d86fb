/* mutant.h: deliberate bugs. The simulator must find each of them (test/simulation/test_mutants.c).
 *
 * One at a time is chosen, in tests only. Builds for use do not define PADDOCK_MUTANTS: there
 * mutant_is() is false, and the compiler leaves nothing of it. */
#ifndef REPLICA_EFFECTS_MUTANT_H
#define REPLICA_EFFECTS_MUTANT_H

#include "base/base.h"

enum mutant {
    MUTANT_NONE,
    MUTANT_LEADER_SELF_ACK_EARLY, /* a leader counts itself before its own sync */
    MUTANT_OBSERVER_COUNTS,       /* an observer stands for a voter that is away */
    MUTANT_EPOCH_BEFORE_HISTORY,  /* the epoch is taken over before the history is durable */
    MUTANT_DIFF_BY_RANGE,         /* a learner's zxid is in range, so it is held to be ours */
    MUTANT_OLD_OWNER_EXECUTES,    /* a session's earlier server may still write for it */
    MUTANT_SYNC_LOCAL,            /* a sync is answered without the leader */
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
