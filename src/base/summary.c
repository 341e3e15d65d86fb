/* summary.c: a negative measurement (a clock that went back) counts as 0. */
#include "base/summary.h"

void summary_add(struct summary *summary, int64_t value)
{
    summary_add_times(summary, value, 1);
}

void summary_add_times(struct summary *summary, int64_t value, int64_t times)
{
    if (times <= 0)
        return;
    if (value < 0)
        value = 0;
    if (summary->count == 0 || value < summary->min)
        summary->min = value;
    if (value > summary->max)
        summary->max = value;
    summary->count += times;
    summary->sum += value * times;
}

void summary_merge(struct summary *summary, const struct summary *from)
{
    if (from->count == 0)
        return;
    if (summary->count == 0 || from->min < summary->min)
        summary->min = from->min;
    if (from->max > summary->max)
        summary->max = from->max;
    summary->count += from->count;
    summary->sum += from->sum;
}
