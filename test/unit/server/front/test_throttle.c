#include "server/front/throttle.h"

#include "test/lib/check.h"

static struct throttle_options options(void)
{
    return (struct throttle_options){.tokens_max = 3,
                                     .fill_time_ms = 10,
                                     .fill_count = 1,
                                     .freeze_time_ms = -1,
                                     .drop_increase = 0.5,
                                     .drop_decrease = 0.25};
}

TEST(without_tokens_nobody_is_refused)
{
    struct throttle throttle;
    struct throttle_options off = {0};

    throttle_init(&throttle, &off, 0);
    for (int i = 0; i < 1000; i++)
        CHECK(throttle_take(&throttle, 1, 0, 0));
}

TEST(tokens_run_out_and_come_back_with_time)
{
    struct throttle throttle;
    struct throttle_options some = options();

    throttle_init(&throttle, &some, 0);
    for (int i = 0; i < 3; i++)
        CHECK(throttle_take(&throttle, 1, 0, 0.99));
    CHECK(!throttle_take(&throttle, 1, 0, 0.99));
    CHECK_I64("deficit", throttle_deficit(&throttle), 3);
    CHECK(!throttle_take(&throttle, 1, 5, 0.99));
    CHECK(throttle_take(&throttle, 1, 25, 0.99));
    CHECK(throttle_take(&throttle, 1, 25, 0.99));
    CHECK(!throttle_take(&throttle, 1, 25, 0.99));
}

TEST(more_tokens_than_the_maximum_never_gather)
{
    struct throttle throttle;
    struct throttle_options some = options();

    throttle_init(&throttle, &some, 0);
    CHECK(throttle_take(&throttle, 3, INT64_C(1) << 40, 0.99));
    CHECK(!throttle_take(&throttle, 1, INT64_C(1) << 40, 0.99));
}

TEST(a_heavy_session_needs_its_whole_weight)
{
    struct throttle throttle;
    struct throttle_options some = options();

    throttle_init(&throttle, &some, 0);
    CHECK(throttle_take(&throttle, 2, 0, 0.99));
    CHECK(!throttle_take(&throttle, 2, 0, 0.99));
    CHECK(throttle_take(&throttle, 1, 0, 0.99));
}

TEST(random_drops_begin_when_there_are_no_tokens_and_end_when_there_are)
{
    struct throttle throttle;
    struct throttle_options some = options();

    some.freeze_time_ms = 5;
    some.decrease_ratio = 0.5;
    throttle_init(&throttle, &some, 0);
    CHECK(throttle_take(&throttle, 3, 0, 0.4));
    CHECK(!throttle_take(&throttle, 1, 6, 0.4)); /* 0.5 now, and the dice say 0.4 */
    CHECK(throttle.drop > 0.49 && throttle.drop < 0.51);
    CHECK(throttle_take(&throttle, 1, 1000, 0.4)); /* plenty again: 0.25 */
    CHECK(throttle.drop > 0.24 && throttle.drop < 0.26);
}
