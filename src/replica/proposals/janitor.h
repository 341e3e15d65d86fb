/* janitor.h: which containers and TTL nodes are to be deleted.
 *
 * A container is deleted when it has lost its last child, or when it has been empty for long and
 * never had a child. A TTL node is deleted when it has no children and has not been changed for its
 * TTL. Its age is the smaller of two: by the wall clock, and by the wall time at start plus what the
 * monotonic clock has counted since. So a wall clock that jumps forward or back deletes nothing
 * early.
 * docs/protocol.md, "Containers and TTL nodes". */
#ifndef REPLICA_PROPOSALS_JANITOR_H
#define REPLICA_PROPOSALS_JANITOR_H

#include "replica/effects/mutant.h"
#include "replica/tree/tree.h"

struct janitor_options {
    int32_t check_interval_ms, per_minute_max;
    int64_t never_used_max_ms; /* 0: an unused container is kept for ever */
    enum mutant mutant;        /* for tests */
};

struct janitor {
    struct janitor_options options;
    int64_t start_ms, start_wall_ms;
    int64_t next_ms; /* when the next round begins; of a round under way: when it began */
    enum { JANITOR_RESTS, JANITOR_CONTAINERS, JANITOR_TTLS } round;
    size_t cursor; /* of the round, in the tree's list */
    int64_t left;  /* so many more it may visit */
};

void janitor_init(struct janitor *janitor, const struct janitor_options *options, int64_t now_ms,
                  int64_t wall_ms);
/* When janitor_run() has work again; a time that has come while a round is under way. */
int64_t janitor_next_ms(const struct janitor *janitor);
/* One round an interval: visits the nodes that are to be deleted, at most as many as per_minute_max allows
 * for the interval. A call looks at JANITOR_LOOKS_MAX nodes at most, so that no turn takes long; the next
 * one goes on. The tree must not change during a call. What changes between two calls of a round may be
 * left out, or visited twice; the next round finds what is left. */
enum { JANITOR_LOOKS_MAX = 10000 };
typedef void janitor_visit(void *context, uint32_t node_id);
void janitor_run(struct janitor *janitor, const struct tree *tree, int64_t now_ms, int64_t wall_ms,
                 janitor_visit *visit, void *context);

#endif
