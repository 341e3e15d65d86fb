/* histogram.c: which bucket a value belongs to, and back. A percentile is the end of its bucket, but
 * never outside of what was measured. */
#include "base/histogram.h"

enum { EXACT_END = 2 << HISTOGRAM_SUB_BITS };

static size_t bucket_of(int64_t value)
{
    if (value < EXACT_END)
        return value < 0 ? 0 : (size_t)value;
    if (value >> HISTOGRAM_VALUE_BITS != 0)
        return HISTOGRAM_BUCKETS - 1;
    unsigned shift = 63u - (unsigned)__builtin_clzll((uint64_t)value) - HISTOGRAM_SUB_BITS;
    return ((size_t)shift << HISTOGRAM_SUB_BITS) + (size_t)(value >> shift);
}

static int64_t bucket_end(size_t bucket)
{
    if (bucket < EXACT_END)
        return (int64_t)bucket;
    if (bucket == HISTOGRAM_BUCKETS - 1)
        return INT64_MAX;
    size_t shift = (bucket >> HISTOGRAM_SUB_BITS) - 1;
    uint64_t top = bucket - (shift << HISTOGRAM_SUB_BITS);
    return (int64_t)(((top + 1) << shift) - 1);
}

void histogram_add(struct histogram *histogram, int64_t value)
{
    summary_add(&histogram->summary, value);
    histogram->buckets[bucket_of(value)]++;
}

void histogram_add_times(struct histogram *histogram, int64_t value, int64_t times)
{
    if (times <= 0)
        return;
    summary_add_times(&histogram->summary, value, times);
    histogram->buckets[bucket_of(value)] += times;
}

void histogram_merge(struct histogram *histogram, const struct histogram *from)
{
    summary_merge(&histogram->summary, &from->summary);
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        histogram->buckets[i] += from->buckets[i];
}

int64_t histogram_percentile(const struct histogram *histogram, double share)
{
    ASSERT(share >= 0 && share <= 1);
    const struct summary *summary = &histogram->summary;
    double wanted = share * (double)summary->count;
    int64_t seen = 0;

    for (size_t i = 0; i < HISTOGRAM_BUCKETS && summary->count > 0; i++) {
        seen += histogram->buckets[i];
        if (seen > 0 && (double)seen >= wanted) {
            int64_t end = bucket_end(i);
            return end < summary->max ? end : summary->max;
        }
    }
    return summary->max;
}
