/* Questions about sessions: each answer is that of the oldest open one about its session. */
#include "replica/proposals/forwarded.h"
#include "test/lib/check.h"

enum { TURNS = 20000, SESSIONS = 5, OPEN_MAX = 64 };

struct naive { /* a list of what is open, oldest first */
    struct session_question items[OPEN_MAX];
    size_t count;
};

static bool naive_take(struct naive *naive, int64_t session_id,
                       struct session_question *ret_question)
{
    for (size_t i = 0; i < naive->count; i++) {
        if (naive->items[i].session_id != session_id)
            continue;
        *ret_question = naive->items[i];
        memmove(naive->items + i, naive->items + i + 1,
                (--naive->count - i) * sizeof(*naive->items));
        return true;
    }
    return false;
}

static void check_last(const struct forwarded *forwarded, const struct naive *naive,
                       int64_t session_id)
{
    const struct session_question *last = forwarded_last_question(forwarded, session_id);
    size_t at = naive->count;

    while (at > 0 && naive->items[at - 1].session_id != session_id)
        at--;
    CHECK((last != NULL) == (at > 0));
    if (last != NULL)
        CHECK_U64("last asker", last->asker, naive->items[at - 1].asker);
}

PROPERTY(answers_come_in_the_order_of_the_questions_about_a_session)
{
    struct forwarded forwarded = {0};
    struct naive naive = {0};
    uint64_t asker = 0;

    for (int turn = 0; turn < TURNS; turn++) {
        int64_t session_id = 1 + random_below(&seed, SESSIONS);
        if (random_below(&seed, 2) == 0 && naive.count < OPEN_MAX) {
            struct session_question question = {.session_id = session_id, .asker = ++asker};
            forwarded_ask(&forwarded, &question);
            naive.items[naive.count++] = question;
        } else {
            struct session_question got = {0}, want = {0};
            bool found = naive_take(&naive, session_id, &want);
            CHECK(forwarded_take_question(&forwarded, session_id, &got) == found);
            CHECK_U64("asker", got.asker, want.asker);
        }
        check_last(&forwarded, &naive, session_id);
        if (random_below(&seed, 2000) == 0) {
            forwarded_clear(&forwarded);
            naive.count = 0;
        }
    }
    struct session_question none;
    CHECK(!forwarded_take_question(&forwarded, /* session_id= */ 0, &none));
    CHECK(forwarded.question_capacity <= 4 * OPEN_MAX);
    forwarded_deinit(&forwarded);
}
