/* turn.h: measures the turns of the event loop, and logs what a long one did.
 *
 * A turn begins with the first event after a poll of the sockets and ends before the next poll: no
 * request is read meanwhile. Turns without events are not counted. */
#ifndef SERVER_TURN_H
#define SERVER_TURN_H

#include "replica/replica.h"

struct turn { /* zeroed: nothing has happened */
    int64_t began_ns;
    uint32_t events[REPLICA_EVENT_KINDS];
    uint64_t records, sent_bytes, snapshot_bytes;
    int64_t changes_before;
    /* The thread's processor time and page faults, read once in a ms at most. */
    int64_t cpu_ns, cpu_read_ns; /* as it was read, and when */
    long page_faults;
    int64_t since_ns; /* how long the turns since then were */
};

/* Longer ones are logged, and those that used the processor for so long. */
enum { TURN_TOLD_MS = 100, TURN_TOLD_CPU_MS = 20 };

static inline bool turn_has_begun(const struct turn *turn)
{
    return turn->began_ns != 0;
}

void turn_begin(struct turn *turn, const struct metrics *replica);
/* Observes METRIC_TURN_TIME, of longer ones METRIC_TURN_CPU_TIME, in `metrics`. */
void turn_end(struct turn *turn, const struct metrics *replica, struct metrics *metrics);

#endif
