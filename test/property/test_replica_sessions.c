#include "test/lib/check.h"

#include "replica/session/session_table.h"

PROPERTY(a_session_dies_past_its_deadline_and_within_a_tick)
{
    int32_t tick_ms = 1 + random_below(&seed, 3000);
    int64_t now_ms = random_below(&seed, 1000000);
    struct session_table *table = session_table_new(tick_ms, now_ms);

    for (int64_t id = 1; id <= 300; id++) {
        int32_t timeout_ms = 1 + random_below(&seed, 3000);
        struct session *session = session_table_add(table, id, timeout_ms, now_ms);
        for (int32_t touches = random_below(&seed, 4); touches > 0; touches--) {
            now_ms += random_below(&seed, timeout_ms); /* always in time */
            CHECK(session_table_pop_expired(table, now_ms) == NULL);
            session_table_touch(table, session, now_ms);
        }
        int64_t deadline_ms = now_ms + timeout_ms;
        struct session *dead;
        while ((dead = session_table_pop_expired(table, now_ms)) == NULL)
            now_ms++;
        CHECK(dead == session);
        CHECK(deadline_ms < now_ms && now_ms <= deadline_ms + tick_ms);
        session_table_remove(table, session);
    }
    session_table_free(table);
}

PROPERTY(of_many_sessions_exactly_the_silent_ones_die)
{
    enum { COUNT = 100, TICK_MS = 500 };
    struct session_table *table = session_table_new(TICK_MS, 0);
    struct {
        struct session *session;
        int64_t deadline_ms;
    } all[COUNT];
    int64_t now_ms = 0;

    for (int i = 0; i < COUNT; i++) {
        int32_t timeout_ms = 1000 + random_below(&seed, 4000);
        all[i].session = session_table_add(table, i + 1, timeout_ms, now_ms);
        all[i].deadline_ms = now_ms + timeout_ms;
    }
    for (int step = 0; step < 500; step++) {
        int who = random_below(&seed, COUNT);
        struct session *dead;
        if (all[who].session != NULL && random_below(&seed, 3) != 0) {
            session_table_touch(table, all[who].session, now_ms);
            all[who].deadline_ms = now_ms + all[who].session->timeout_ms;
        }
        now_ms += random_below(&seed, 60);
        while ((dead = session_table_pop_expired(table, now_ms)) != NULL) {
            int at = (int)dead->id - 1;
            CHECK(all[at].session == dead && all[at].deadline_ms < now_ms);
            session_table_remove(table, dead);
            all[at].session = NULL;
        }
        for (int i = 0; i < COUNT; i++)
            CHECK(all[i].session == NULL || now_ms <= all[i].deadline_ms + TICK_MS);
    }
    session_table_free(table);
}
