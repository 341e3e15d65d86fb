/* settings.c: the draw of a seed. Each class of faults is absent in half of the runs, so that some are harsh
 * in one way only. What is drawn here has a stream of numbers of its own. */
#include "sim/settings.h"

#include "sim/chance.h"

#include <stddef.h>

static const struct setting table[] = {
#define SETTINGS_ROW(name, smallest, text)                                                         \
    {#name, text, smallest, offsetof(struct settings, name),                                       \
     offsetof(struct settings, name) >= offsetof(struct settings, crash_one_in)},
    SETTINGS(SETTINGS_ROW)
#undef SETTINGS_ROW
};

static int64_t one_in(uint64_t *seed, int64_t most)
{
    return chance_of(seed, 2) ? 0 : 1 + chance_below(seed, most);
}

static void draw_faults(struct settings *settings, uint64_t *seed)
{
    settings->faults_ms = 5000 + chance_below(seed, 25000);
    settings->fault_every_us = 50000 + chance_below(seed, 1000000);
    settings->crash_one_in = one_in(seed, 12);
    settings->outage_one_in = settings->crash_one_in * 8;
    settings->pause_one_in = one_in(seed, 12);
    settings->partition_one_in = one_in(seed, 12);
    settings->break_one_in = one_in(seed, 12);
    settings->half_open_one_in = one_in(seed, 24);
    settings->slow_link_one_in = one_in(seed, 12);
    settings->clock_one_in = one_in(seed, 12);
    settings->full_one_in = one_in(seed, 12);
    settings->error_one_in = one_in(seed, 24);
    settings->rot_one_in = chance_of(seed, 2) ? 0 : one_in(seed, 12);
}

struct settings settings_of_seed(uint64_t number)
{
    struct settings settings = {0};
    uint64_t start = number, seed = chance_fork(&start);

    settings.nodes = chance_of(&seed, 3) ? 5 : 3;
    settings.observers = chance_of(&seed, 4) ? 1 : 0;
    settings.clients = 2 + chance_below(&seed, 4);
    settings.think_us = INT64_C(20000) << chance_below(&seed, 5);
    settings.jump_one_in = chance_of(&seed, 2) ? 0 : 10 + chance_below(&seed, 200);
    settings.first_xid = chance_of(&seed, 4) ? INT32_MAX - chance_below(&seed, 200) : 0;
    settings.first_epoch = chance_of(&seed, 4) ? (INT64_C(1) << chance_below(&seed, 31)) - 1 : 0;
    if (settings.first_epoch > INT32_MAX - 100000)
        settings.first_epoch = INT32_MAX - 100000; /* a run needs a few hundred at most */
    settings.latency_min_us = chance_below(&seed, 2000);
    settings.latency_spread_us = 1 << chance_below(&seed, 16);
    settings.chunk_max = chance_of(&seed, 2) ? 0 : 1 + chance_below(&seed, 200);
    settings.slow_one_in = chance_of(&seed, 2) ? 0 : 100;
    settings.sync_spread_us = 1 << chance_below(&seed, 15);
    settings.stall_one_in = chance_of(&seed, 3) ? 200 : 0;
    settings.keeps_back = chance_of(&seed, 2);
    settings.drift_ppm = chance_of(&seed, 2) ? 0 : chance_below(&seed, 50000);
    draw_faults(&settings, &seed);
    settings.local_sessions = chance_of(&seed, 8);
    settings.observer_masters = settings.observers > 0 && chance_of(&seed, 2);
    settings.library_clients = chance_of(&seed, 3) ? 0 : chance_below(&seed, settings.clients + 1);
    settings.read_only = chance_of(&seed, 3);
    if (settings.read_only !=
        0) { /* where servers are often alone, and have sessions of their own */
        settings.library_clients = settings.clients; /* only those may be read-only */
        settings.partition_one_in = 1 + chance_below(&seed, 3);
        settings.local_sessions = settings.local_sessions != 0 || chance_of(&seed, 2);
    }
    if (chance_of(&seed, 10)) { /* two servers, and an operator who knows all */
        settings.nodes = 2;
        settings.oracle_one_in = 1 + chance_below(&seed, 6);
        settings.rot_one_in = 0;
    }
    settings.unlogged_observers = settings.observers > 0 && chance_of(&seed, 3);
    settings.close_unlisted = chance_of(&seed, 8);
    return settings;
}

size_t settings_count(void)
{
    return ARRAY_LEN(table);
}

const struct setting *settings_at(size_t index)
{
    ASSERT(index < ARRAY_LEN(table));
    return &table[index];
}

int64_t *settings_value(struct settings *settings, const struct setting *setting)
{
    return (int64_t *)(void *)((char *)settings + setting->offset);
}
