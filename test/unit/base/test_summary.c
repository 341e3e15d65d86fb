#include "base/summary.h"

#include "test/lib/check.h"

TEST(count_sum_least_and_greatest_are_exact)
{
    struct summary summary = {0};
    static const int64_t values[] = {7, 3, 1000000, 12};

    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        summary_add(&summary, values[i]);
    CHECK_I64("count", summary.count, 4);
    CHECK_I64("sum", summary.sum, 1000022);
    CHECK_I64("min", summary.min, 3);
    CHECK_I64("max", summary.max, 1000000);
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
}

TEST(a_clock_that_went_back_measures_nothing)
{
    struct summary summary = {0};

    summary_add(&summary, -5);
    CHECK_I64("count", summary.count, 1);
    CHECK_I64("sum", summary.sum, 0);
    CHECK_I64("min", summary.min, 0);
}

TEST(two_that_are_merged_are_as_one_that_was_given_all)
{
    struct summary left = {0}, right = {0}, all = {0}, empty = {0};

    for (int64_t value = 10; value < 20; value++) {
        summary_add(value % 3 == 0 ? &left : &right, value);
        summary_add(&all, value);
    }
    summary_merge(&left, &right);
    summary_merge(&left, &empty);
    CHECK(memcmp(&left, &all, sizeof(all)) == 0);
}
