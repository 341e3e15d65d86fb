/* events.h: what happens when, on one simulated clock. Of things that happen at the same moment chance
 * decides which comes first. */
#ifndef SIM_EVENTS_H
#define SIM_EVENTS_H

#include "base/base.h"

typedef void events_run(void *context, uint64_t argument);

struct events_item {
    int64_t at_us;
    uint64_t tie, sequence;
    events_run *run;
    void *context;
    uint64_t argument;
};

struct events {                /* zeroed but for `chance`: empty */
    struct events_item *items; /* a heap */
    size_t count, capacity;
    int64_t now_us;
    uint64_t chance, sequence;
};

void events_deinit(struct events *events);
/* Not before now. */
void events_at(struct events *events, int64_t at_us, events_run *run, void *context,
               uint64_t argument);
void events_in(struct events *events, int64_t delay_us, events_run *run, void *context,
               uint64_t argument);
/* Runs the next one; false: there is none before end_us, and the clock is there. */
bool events_step(struct events *events, int64_t end_us);

#endif
