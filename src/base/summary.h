/* summary.h: many measurements in little room: count, sum, least, greatest, and percentiles that are
 * right to an eighth. Not thread-safe. */
#ifndef BASE_SUMMARY_H
#define BASE_SUMMARY_H

#include "base/base.h"

enum { SUMMARY_BUCKETS = 32 + 8 * 27 }; /* 0..31 exactly, then eight in each doubling */

struct summary {
    int64_t count, sum, min, max; /* min and max are 0 while nothing was added */
    int64_t buckets[SUMMARY_BUCKETS];
};

void summary_add(struct summary *summary, int64_t value);
void summary_add_times(struct summary *summary, int64_t value, int64_t times);
/* All that `from` was given, as if it had been added here. */
void summary_merge(struct summary *summary, const struct summary *from);
/* The value below which `share` (0..1) of the measurements lie; 0 when there are none. */
int64_t summary_percentile(const struct summary *summary, double share);

#endif
