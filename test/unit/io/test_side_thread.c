/* Work on a thread of its own. */
#include "io/side_thread.h"
#include "test/lib/check.h"

#include <pthread.h>

struct sum {
    uint64_t from, to, value;
    pthread_t worker;
};

static void add_up(void *argument)
{
    struct sum *sum = argument;

    sum->worker = pthread_self();
    sum->value = 0;
    for (uint64_t i = sum->from; i <= sum->to; i++)
        sum->value += i;
}

TEST(each_work_is_done_on_the_other_thread_before_wait_returns)
{
    struct side_work *side = side_thread_new();

    CHECK(side != NULL);
    for (uint64_t i = 0; i < 1000; i++) {
        struct sum sum = {.from = i, .to = 2 * i};
        side->begin(side, add_up, &sum);
        side->wait(side);
        CHECK_U64("sum", sum.value, (i + 1) * 3 * i / 2);
        CHECK(!pthread_equal(sum.worker, pthread_self()));
    }
    side_thread_free(side);
}

TEST(a_thread_that_had_no_work_ends)
{
    side_thread_free(side_thread_new());
    side_thread_free(NULL);
}
