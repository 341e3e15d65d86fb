/* histogram.h: many measurements as a summary and as counts in buckets, each 1/64 of its value wide:
 * percentiles to 1.6 %, in fixed memory, at the cost of one increment. Not thread-safe. */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include "base/summary.h"

enum {
    HISTOGRAM_SUB_BITS = 6,    /* 0..127 exactly, then 64 buckets in each doubling */
    HISTOGRAM_VALUE_BITS = 42, /* what is larger goes into the last bucket: 50 days of us */
    HISTOGRAM_BUCKETS = (HISTOGRAM_VALUE_BITS - HISTOGRAM_SUB_BITS + 1) << HISTOGRAM_SUB_BITS
};

struct histogram { /* zeroed: nothing was added */
    struct summary summary;
    int64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, int64_t value);
void histogram_add_times(struct histogram *histogram, int64_t value, int64_t times);
/* Adds all measurements of `from`. */
void histogram_merge(struct histogram *histogram, const struct histogram *from);
/* The value that `share` (0..1) of the measurements do not exceed; 0 when there are none. */
int64_t histogram_percentile(const struct histogram *histogram, double share);

#endif
