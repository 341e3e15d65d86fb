#include "base/summary.h"

static size_t bucket_of(int64_t value)
{
    if (value < 32)
        return (size_t)value;
    unsigned doubling = 63 - (unsigned)__builtin_clzll((uint64_t)value); /* 5 for 32..63 */
    size_t bucket = 32 + (size_t)(doubling - 5) * 8 + (size_t)((value >> (doubling - 3)) & 7);
    return bucket < SUMMARY_BUCKETS ? bucket : SUMMARY_BUCKETS - 1;
}

static int64_t bucket_start(size_t bucket)
{
    if (bucket < 32)
        return (int64_t)bucket;
    unsigned doubling = 5 + (unsigned)((bucket - 32) / 8);
    return ((int64_t)8 + (int64_t)((bucket - 32) % 8)) << (doubling - 3);
}

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
    summary->buckets[bucket_of(value)] += times;
}

int64_t summary_percentile(const struct summary *summary, double share)
{
    double wanted = share * (double)summary->count, seen = 0;

    if (summary->count == 0)
        return 0;
    for (size_t i = 0; i < SUMMARY_BUCKETS; i++) {
        seen += (double)summary->buckets[i];
        if (seen > 0 && seen >= wanted) {
            int64_t value = bucket_start(i);
            return value > summary->max   ? summary->max
                   : value < summary->min ? summary->min
                                          : value;
        }
    }
    return summary->max;
}

void summary_merge(struct summary *summary, const struct summary *from)
{
    if (from->count == 0)
        return;
    if (summary->count == 0 || from->min < summary->min)
        summary->min = from->min;
    if (summary->count == 0 || from->max > summary->max)
        summary->max = from->max;
    summary->count += from->count;
    summary->sum += from->sum;
    for (size_t i = 0; i < SUMMARY_BUCKETS; i++)
        summary->buckets[i] += from->buckets[i];
}
