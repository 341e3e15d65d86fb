#include "test/lib/check.h"

#include "replica/session/session_table.h"

enum { TICK_MS = 2000 };

TEST(a_deadline_belongs_to_the_bucket_that_ends_after_it)
{
    static const struct {
        const char *name;
        int64_t now_ms;
        int32_t timeout_ms;
        int64_t bucket_end_ms;
    } rows[] = {
        {"in the middle", 0, 3000, 4000},       {"just before a boundary", 0, 3999, 4000},
        {"on a boundary: next", 0, 4000, 6000}, {"just behind one", 1, 4000, 6000},
        {"no timeout at all", 0, 0, 2000},      {"far away", 1000001, 40000, 1042000},
        {"below zero", 5000, -90000, 6000},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct session_table *table = session_table_new(TICK_MS, rows[i].now_ms);
        struct session *session = session_table_add(table, 1, rows[i].timeout_ms, rows[i].now_ms);
        CHECK_I64(rows[i].name, session->bucket_end_ms, rows[i].bucket_end_ms);
        CHECK(session_table_pop_expired(table, rows[i].bucket_end_ms - 1) == NULL);
        CHECK(session_table_pop_expired(table, rows[i].bucket_end_ms) == session);
        CHECK(session_table_pop_expired(table, rows[i].bucket_end_ms) == NULL);
        session_table_free(table);
    }
}

TEST(a_session_is_found_until_it_is_removed)
{
    struct session_table *table = session_table_new(TICK_MS, 0);

    CHECK(session_table_find(table, 7) == NULL);
    struct session *session = session_table_add(table, 7, 4000, 0);
    CHECK(session_table_find(table, 7) == session);
    CHECK_U64("count", session_table_count(table), 1);
    session_table_remove(table, session);
    CHECK(session_table_find(table, 7) == NULL);
    CHECK_U64("count", session_table_count(table), 0);
    CHECK(session_table_pop_expired(table, 100000) == NULL);
    session_table_free(table);
}

TEST(an_expired_session_stays_in_the_table_until_it_is_removed)
{
    struct session_table *table = session_table_new(TICK_MS, 0);
    struct session *session = session_table_add(table, 7, 4000, 0);

    CHECK(session_table_pop_expired(table, 6000) == session);
    CHECK(session_table_find(table, 7) == session);
    CHECK(session_table_pop_expired(table, 90000) == NULL);
    session_table_remove(table, session);
    session_table_free(table);
}

TEST(a_touch_moves_the_end_and_a_closing_session_is_never_touched)
{
    struct session_table *table = session_table_new(TICK_MS, 0);
    struct session *session = session_table_add(table, 7, 4000, 0);

    session_table_touch(table, session, 3000);
    CHECK_I64("moved", session->bucket_end_ms, 8000);
    session->timeout_ms = 20000;
    session_table_touch(table, session, 3000);
    CHECK_I64("a longer timeout", session->bucket_end_ms, 24000);
    session->timeout_ms = 4000;
    session_table_touch(table, session, 3500);
    CHECK_I64("a shorter one", session->bucket_end_ms, 8000);
    session->closing = true;
    session_table_touch(table, session, 7000);
    CHECK_I64("closing", session->bucket_end_ms, 8000);
    CHECK(session_table_pop_expired(table, 8000) == session);
    session_table_free(table);
}

TEST(a_whole_bucket_dies_at_once_and_the_oldest_first)
{
    struct session_table *table = session_table_new(TICK_MS, 0);
    int64_t died[6];
    size_t count = 0;

    session_table_add(table, 1, 9000, 0);  /* 10000 */
    session_table_add(table, 2, 4000, 0);  /* 6000 */
    session_table_add(table, 3, 5999, 0);  /* 6000 */
    session_table_add(table, 4, 7000, 0);  /* 8000 */
    session_table_add(table, 5, 30000, 0); /* 32000 */
    for (struct session *dead; (dead = session_table_pop_expired(table, 11000)) != NULL;)
        died[count++] = dead->id;
    CHECK_U64("how many", count, 4);
    CHECK(died[0] + died[1] == 5 && died[2] == 4 && died[3] == 1);
    session_table_free(table);
}

TEST(after_a_pause_everybody_has_a_full_timeout_again)
{
    struct session_table *table = session_table_new(TICK_MS, 0);
    struct session *one = session_table_add(table, 1, 4000, 0);
    struct session *two = session_table_add(table, 2, 10000, 0);

    session_table_touch_all(table, 500000);
    CHECK(session_table_pop_expired(table, 500000) == NULL);
    CHECK_I64("one", one->bucket_end_ms, 506000);
    CHECK_I64("two", two->bucket_end_ms, 512000);
    CHECK_I64("the next to look at", session_table_next_bucket_ms(table), 502000);
    CHECK(session_table_pop_expired(table, 506000) == one);
    session_table_free(table);
}

TEST(the_time_to_wake_is_the_end_of_the_oldest_bucket)
{
    struct session_table *table = session_table_new(TICK_MS, 1999);

    CHECK_I64("at start", session_table_next_bucket_ms(table), 2000);
    CHECK(session_table_pop_expired(table, 1999) == NULL);
    CHECK_I64("not yet", session_table_next_bucket_ms(table), 2000);
    CHECK(session_table_pop_expired(table, 2000) == NULL);
    CHECK_I64("then", session_table_next_bucket_ms(table), 4000);
    session_table_free(table);
}

TEST(every_session_is_walked_once)
{
    struct session_table *table = session_table_new(TICK_MS, 0);
    uint64_t sum = 0;
    size_t cursor = 0;
    struct session *session;

    for (int64_t id = 1; id <= 1000; id++)
        session_table_add(table, id, 4000, 0);
    while ((session = session_table_next(table, &cursor)) != NULL)
        sum += (uint64_t)session->id;
    CHECK_U64("sum", sum, 1000 * 1001 / 2);
    session_table_free(table);
}

TEST(a_session_that_moves_to_another_table_keeps_its_address_and_gets_its_full_timeout)
{
    struct session_table *from = session_table_new(TICK_MS, 0);
    struct session_table *to = session_table_new(TICK_MS, 0);
    struct session *session = session_table_add(from, 1, 4000, 0);

    session_table_move(from, to, session, 5000);
    CHECK(session_table_find(from, 1) == NULL && session_table_find(to, 1) == session);
    CHECK(session_table_pop_expired(from, 100000) == NULL);
    CHECK_I64("its end", session->bucket_end_ms, 10000);
    CHECK(session_table_pop_expired(to, 10000) == session);
    session_table_free(from);
    session_table_free(to);
}
