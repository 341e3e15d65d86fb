#include "base/histogram.h"

#include "test/lib/check.h"

TEST(an_empty_histogram_is_all_zeros)
{
    struct histogram histogram = {0};

    CHECK_I64("p99", histogram_percentile(&histogram, 0.99), 0);
    CHECK_I64("max", histogram.summary.max, 0);
}

TEST(small_values_are_exact)
{
    struct histogram histogram = {0};

    for (int64_t value = 1; value <= 100; value++)
        histogram_add(&histogram, value);
    CHECK_I64("p0", histogram_percentile(&histogram, 0), 1);
    CHECK_I64("p50", histogram_percentile(&histogram, 0.5), 50);
    CHECK_I64("p99", histogram_percentile(&histogram, 0.99), 99);
    CHECK_I64("p100", histogram_percentile(&histogram, 1), 100);
}

PROPERTY(a_percentile_is_right_to_a_64th)
{
    struct histogram histogram = {0};
    int64_t scale = INT64_C(1) << random_below(&seed, 31);

    for (int64_t i = 1; i <= 1000; i++)
        histogram_add(&histogram, i * scale);
    for (int share = 1; share <= 999; share++) {
        double got = (double)histogram_percentile(&histogram, share / 1000.0),
               want = (double)share * (double)scale;
        CHECK(got >= want && got <= want * 65 / 64 + 1);
    }
}

TEST(a_huge_value_is_kept_in_the_last_bucket)
{
    struct histogram histogram = {0};

    histogram_add(&histogram, INT64_MAX);
    histogram_add(&histogram, INT64_C(1) << HISTOGRAM_VALUE_BITS);
    CHECK_I64("count", histogram.buckets[HISTOGRAM_BUCKETS - 1], 2);
    CHECK_I64("p50", histogram_percentile(&histogram, 0.5), INT64_MAX);
}

TEST(the_greatest_value_below_the_last_bucket_has_its_own)
{
    struct histogram histogram = {0};

    histogram_add(&histogram, (INT64_C(1) << HISTOGRAM_VALUE_BITS) - 1);
    CHECK_I64("count", histogram.buckets[HISTOGRAM_BUCKETS - 1], 1);
    histogram_add(&histogram, (INT64_C(1) << HISTOGRAM_VALUE_BITS) * 63 / 64);
    CHECK_I64("count", histogram.buckets[HISTOGRAM_BUCKETS - 2], 1);
}

TEST(what_was_added_many_times_counts_as_often)
{
    struct histogram histogram = {0}, one_by_one = {0};

    for (int i = 0; i < 3; i++)
        histogram_add(&one_by_one, 400);
    histogram_add_times(&histogram, 400, 3);
    CHECK(memcmp(&histogram, &one_by_one, sizeof(histogram)) == 0);
    histogram_add_times(&histogram, 7, 0);
    CHECK_I64("never", histogram.summary.min, 400);
    histogram_add_times(&histogram, 0, INT64_C(5) << 32); /* an hour at a million a second */
    CHECK_I64("count", histogram.summary.count, (INT64_C(5) << 32) + 3);
    CHECK_I64("p99", histogram_percentile(&histogram, 0.99), 0);
    CHECK_I64("max", histogram.summary.max, 400);
}

TEST(two_that_are_merged_are_as_one_that_was_given_all)
{
    struct histogram left = {0}, right = {0}, all = {0};

    for (int64_t value = 1; value < 100000; value = value * 3 / 2 + 1) {
        histogram_add(value % 2 == 0 ? &left : &right, value);
        histogram_add(&all, value);
    }
    histogram_merge(&left, &right);
    CHECK(memcmp(&left, &all, sizeof(all)) == 0);
}
