/* histogram.h: counts of durations in buckets whose width is 1/64 of their value: percentiles to
 * 1.6 %, in fixed memory, at the cost of one increment. */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include "base/base.h"

enum {
    HISTOGRAM_SUB_BITS = 6,
    HISTOGRAM_BUCKETS = (64 - HISTOGRAM_SUB_BITS) << HISTOGRAM_SUB_BITS
};

struct histogram { /* zero it before use */
    uint64_t counts[HISTOGRAM_BUCKETS];
    uint64_t count;
    int64_t max_ns;
};

void histogram_add(struct histogram *histogram, int64_t duration_ns);
/* The value that `fraction` (0..1) of all durations do not exceed; 0 when empty. */
int64_t histogram_at_ns(const struct histogram *histogram, double fraction);

#endif
