/* load.h: closed-loop load: every session keeps a fixed number of requests outstanding. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "base/histogram.h"
#include "bench/options.h"

struct bench_result {
    struct histogram latency;
    uint64_t errors; /* answers with an error, lost connections excluded: those end the run */
    double seconds;
    int64_t longest_silence_ns; /* the longest time without any reply */
    double prefill_seconds;
};

/* Makes the root of the run and the first `count` znodes under it. False: reported on stderr. */
MUST_USE bool load_prefill(const struct bench_options *options, uint32_t count);
/* get, set, create, mix. */
MUST_USE bool load_run(const struct bench_options *options, struct bench_result *result);
/* One znode, options->sessions watchers; a duration is from setData to the last event. */
MUST_USE bool watchers_run(const struct bench_options *options, struct bench_result *result);
/* Sessions that only ping. Prints "ready" on stdout once all are connected. */
MUST_USE bool idle_run(const struct bench_options *options, struct bench_result *result);

#endif
