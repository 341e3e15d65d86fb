#include "test/lib/late_side.h"

#include "test/lib/check.h"

static void (*waiting)(void *argument);
static void *waiting_argument;

static void begin(struct side_work *side, void (*work)(void *argument), void *argument)
{
    (void)side;
    CHECK(waiting == NULL);
    waiting = work;
    waiting_argument = argument;
}

static void wait_done(struct side_work *side)
{
    void (*work)(void *argument) = waiting;

    (void)side;
    CHECK(work != NULL);
    waiting = NULL;
    work(waiting_argument);
}

struct side_work *test_late_side(void)
{
    static struct side_work side = {.begin = begin, .wait = wait_done};

    return &side;
}
