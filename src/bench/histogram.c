#include "bench/histogram.h"

static size_t bucket_of(uint64_t value)
{
    if (value < (2u << HISTOGRAM_SUB_BITS))
        return (size_t)value;
    unsigned shift = 63u - (unsigned)__builtin_clzll(value) - HISTOGRAM_SUB_BITS;
    return ((size_t)shift << HISTOGRAM_SUB_BITS) + (size_t)(value >> shift);
}

static int64_t bucket_end_ns(size_t bucket)
{
    if (bucket < (2u << HISTOGRAM_SUB_BITS))
        return (int64_t)bucket;
    size_t shift = (bucket >> HISTOGRAM_SUB_BITS) - 1;
    uint64_t top = bucket - (shift << HISTOGRAM_SUB_BITS);
    return (int64_t)(((top + 1) << shift) - 1);
}

void histogram_add(struct histogram *histogram, int64_t duration_ns)
{
    if (duration_ns < 0)
        duration_ns = 0;
    histogram->counts[bucket_of((uint64_t)duration_ns)]++;
    histogram->count++;
    if (duration_ns > histogram->max_ns)
        histogram->max_ns = duration_ns;
}

int64_t histogram_at_ns(const struct histogram *histogram, double fraction)
{
    uint64_t wanted = (uint64_t)(fraction * (double)histogram->count + 0.5), seen = 0;

    if (wanted < 1)
        wanted = 1;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS && histogram->count > 0; i++) {
        seen += histogram->counts[i];
        if (seen >= wanted) {
            int64_t end_ns = bucket_end_ns(i);
            return end_ns < histogram->max_ns ? end_ns : histogram->max_ns;
        }
    }
    return 0;
}
