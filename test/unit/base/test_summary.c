#include "base/summary.h"

#include "test/lib/check.h"

TEST(an_empty_summary_is_all_zeros)
{
    struct summary summary = {0};

    CHECK_I64("p99", summary_percentile(&summary, 0.99), 0);
    CHECK_I64("max", summary.max, 0);
}

TEST(count_sum_least_and_greatest_are_exact)
{
    struct summary summary = {0};
    static const int64_t values[] = {7, 0, 3, 1000000, 12};

    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        summary_add(&summary, values[i]);
    CHECK_I64("count", summary.count, 5);
    CHECK_I64("sum", summary.sum, 1000022);
    CHECK_I64("min", summary.min, 0);
    CHECK_I64("max", summary.max, 1000000);
}

PROPERTY(a_percentile_is_right_to_an_eighth)
{
    struct summary summary = {0};
    int32_t scale = 1 << random_below(&seed, 20);

    for (int64_t i = 1; i <= 1000; i++)
        summary_add(&summary, i * scale);
    for (int share = 1; share <= 999; share++) {
        double got = (double)summary_percentile(&summary, share / 1000.0),
               want = (double)share * scale;
        CHECK(got <= want + 0.5 && got >= want * 7 / 8 - 1);
    }
}

TEST(a_huge_value_is_kept_in_the_last_bucket)
{
    struct summary summary = {0};

    summary_add(&summary, INT64_MAX);
    CHECK_I64("p50", summary_percentile(&summary, 0.5) > 0, 1);
    CHECK_I64("max", summary.max, INT64_MAX);
}

TEST(what_was_added_many_times_counts_as_often)
{
    struct summary summary = {0}, one_by_one = {0};

    for (int i = 0; i < 3; i++)
        summary_add(&one_by_one, 40);
    summary_add_times(&summary, 40, 3);
    CHECK(memcmp(&summary, &one_by_one, sizeof(summary)) == 0);
    summary_add_times(&summary, 7, 0);
    CHECK_I64("never", summary.min, 40);
    summary_add_times(&summary, 0, INT64_C(5) << 32); /* an hour at a million a second */
    CHECK_I64("count", summary.count, (INT64_C(5) << 32) + 3);
    CHECK_I64("p99", summary_percentile(&summary, 0.99), 0);
    CHECK_I64("max", summary.max, 40);
}
