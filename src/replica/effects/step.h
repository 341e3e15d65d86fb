/* step.h: what the rooms of the replica share while one event is handled.
 *
 * The replica fills it in at the start of every step; the rooms keep a pointer to it. Time comes in
 * here and nowhere else. */
#ifndef REPLICA_EFFECTS_STEP_H
#define REPLICA_EFFECTS_STEP_H

#include "base/arena.h"
#include "metrics/metrics.h"
#include "metrics/traffic.h"
#include "replica/effects/effects.h"
#include "replica/effects/mutant.h"

struct step {
    struct effects *effects;
    struct arena
        arena; /* temporary memory of one request or one applied transaction; reset after it */
    struct metrics metrics;
    struct traffic *traffic;
    enum mutant mutant; /* none, except in tests */
    int64_t now_ms;     /* monotonic */
    int64_t wall_ms;    /* since 1970; goes into transactions, decides nothing */
};

#endif
