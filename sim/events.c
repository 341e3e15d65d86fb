/* events.c: a binary heap by time, then by chance, then by the order in which things were added. */
#include "sim/events.h"

#include "base/array.h"
#include "sim/chance.h"

void events_deinit(struct events *events)
{
    mem_free(events->items);
    events->items = NULL;
    events->count = events->capacity = 0;
}

static bool is_before(const struct events_item *left, const struct events_item *right)
{
    if (left->at_us != right->at_us)
        return left->at_us < right->at_us;
    return left->tie != right->tie ? left->tie < right->tie : left->sequence < right->sequence;
}

static void swap(struct events_item *left, struct events_item *right)
{
    struct events_item kept = *left;

    *left = *right;
    *right = kept;
}

void events_at(struct events *events, int64_t at_us, events_run *run, void *context,
               uint64_t argument)
{
    size_t index = events->count;

    ASSERT(at_us >= events->now_us);
    events->items = ARRAY_RESERVE(events->items, events->capacity, events->count + 1, ARRAY_FIRST);
    events->items[events->count++] = (struct events_item){.at_us = at_us,
                                                          .tie = chance_u64(&events->chance),
                                                          .sequence = events->sequence++,
                                                          .run = run,
                                                          .context = context,
                                                          .argument = argument};
    while (index > 0 && is_before(&events->items[index], &events->items[(index - 1) / 2])) {
        swap(&events->items[index], &events->items[(index - 1) / 2]);
        index = (index - 1) / 2;
    }
}

void events_in(struct events *events, int64_t delay_us, events_run *run, void *context,
               uint64_t argument)
{
    events_at(events, events->now_us + delay_us, run, context, argument);
}

static void sink(struct events *events, size_t index)
{
    for (;;) {
        size_t first = index, child = 2 * index + 1;
        for (size_t at = child; at < child + 2 && at < events->count; at++) {
            if (is_before(&events->items[at], &events->items[first]))
                first = at;
        }
        if (first == index)
            return;
        swap(&events->items[index], &events->items[first]);
        index = first;
    }
}

bool events_step(struct events *events, int64_t end_us)
{
    if (events->count == 0 || events->items[0].at_us >= end_us) {
        if (events->now_us < end_us)
            events->now_us = end_us;
        return false;
    }
    struct events_item item = events->items[0];
    events->items[0] = events->items[--events->count];
    sink(events, 0);
    events->now_us = item.at_us;
    item.run(item.context, item.argument);
    return true;
}
