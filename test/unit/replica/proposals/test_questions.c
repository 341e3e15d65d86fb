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
            question.number = forwarded_ask(&forwarded, &question);
            CHECK_U64("number", question.number, asker);
            naive.items[naive.count++] = question;
        } else {
            struct session_question got = {0}, want = {0};
            bool found = naive_take(&naive, session_id, &want);
            CHECK(forwarded_take_question(&forwarded, session_id, /* in_order= */ false, &got) ==
                  found);
            CHECK_U64("number", got.number, want.number);
        }
        check_last(&forwarded, &naive, session_id);
        if (random_below(&seed, 2000) == 0) {
            forwarded_clear(&forwarded);
            naive.count = 0;
        }
    }
    struct session_question none;
    CHECK(!forwarded_take_question(&forwarded, /* session_id= */ 0, /* in_order= */ true, &none));
    CHECK(forwarded.question_capacity <= 4 * OPEN_MAX);
    forwarded_deinit(&forwarded);
}

/* A leader of Java's answers them all in order, but an observer master of Java's can lose an answer. */
TEST(in_order_an_answer_ends_the_earlier_questions_that_have_none)
{
    static const int64_t sessions[] = {7, 8, 7, 9};
    struct forwarded forwarded = {0};
    struct session_question got;

    for (size_t i = 0; i < ARRAY_LEN(sessions); i++)
        (void)forwarded_ask(&forwarded, &(struct session_question){.session_id = sessions[i]});
    CHECK(forwarded_take_question(&forwarded, 8, /* in_order= */ true, &got));
    CHECK_U64("number", got.number, 2);
    CHECK(forwarded_take_question(&forwarded, 7, /* in_order= */ true, &got));
    CHECK_U64("the first one's answer is lost", got.number, 3);
    CHECK(!forwarded_take_question(&forwarded, 7, /* in_order= */ true, &got));
    CHECK(forwarded_take_question(&forwarded, 9, /* in_order= */ true, &got));
    CHECK_U64("open", forwarded.open_questions, 0);
    forwarded_deinit(&forwarded);
}
