/* summary.h: many measurements in four numbers: count, sum, least, greatest. Not thread-safe.
 * Where percentiles are asked for, base/histogram.h. */
#ifndef BASE_SUMMARY_H
#define BASE_SUMMARY_H

#include "base/base.h"

struct summary {
    int64_t count, sum, min, max; /* min and max are 0 while nothing was added */
};

void summary_add(struct summary *summary, int64_t value);
void summary_add_times(struct summary *summary, int64_t value, int64_t times);
/* Adds all measurements of `from`. */
void summary_merge(struct summary *summary, const struct summary *from);

#endif
