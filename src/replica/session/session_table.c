/* session_table.c: sessions in buckets by the tick at which they expire. Touching and expiring one costs
 * the same however many there are. */
#include "replica/session/session_table.h"

struct bucket {
    struct list sessions;
};

struct session_table {
    struct map sessions; /* id -> session */
    struct map buckets;  /* end -> bucket; only those with sessions */
    int64_t next_end_ms; /* of the oldest bucket that has not expired */
    int32_t tick_ms;
};

static int64_t bucket_end(const struct session_table *table, int64_t time_ms)
{
    return (time_ms / table->tick_ms + 1) * table->tick_ms;
}

struct session_table *session_table_new(int32_t tick_ms, int64_t now_ms)
{
    struct session_table *table = mem_zalloc(sizeof(*table));
    ASSERT(tick_ms > 0 && now_ms >= 0);
    table->tick_ms = tick_ms;
    table->next_end_ms = bucket_end(table, now_ms);
    return table;
}

void session_table_free(struct session_table *table)
{
    size_t cursor = 0;
    void *value;

    if (table == NULL)
        return;
    while ((value = map_next(&table->sessions, &cursor, NULL)) != NULL)
        mem_free(value);
    cursor = 0;
    while ((value = map_next(&table->buckets, &cursor, NULL)) != NULL)
        mem_free(value);
    map_deinit(&table->sessions);
    map_deinit(&table->buckets);
    mem_free(table);
}

struct session *session_table_find(const struct session_table *table, int64_t id)
{
    return map_get(&table->sessions, (uint64_t)id);
}

static void leave_bucket(struct session_table *table, struct session *session)
{
    struct bucket *bucket = map_get(&table->buckets, (uint64_t)session->bucket_end_ms);

    list_remove(&session->in_bucket);
    if (bucket != NULL && list_empty(&bucket->sessions)) {
        map_remove(&table->buckets, (uint64_t)session->bucket_end_ms);
        mem_free(bucket);
    }
}

static void enter_bucket(struct session_table *table, struct session *session, int64_t end_ms)
{
    if (end_ms < table->next_end_ms) /* a session that was loaded may have a negative timeout */
        end_ms = table->next_end_ms;
    struct bucket *bucket = map_get(&table->buckets, (uint64_t)end_ms);
    if (bucket == NULL) {
        bucket = mem_alloc(sizeof(*bucket));
        list_init(&bucket->sessions);
        map_set(&table->buckets, (uint64_t)end_ms, bucket);
    }
    session->bucket_end_ms = end_ms;
    list_add_last(&bucket->sessions, &session->in_bucket);
}

struct session *session_table_add(struct session_table *table, int64_t id, int32_t timeout_ms,
                                  int64_t now_ms)
{
    struct session *session = mem_zalloc(sizeof(*session));

    ASSERT(session_table_find(table, id) == NULL);
    session->id = id;
    session->timeout_ms = timeout_ms;
    map_set(&table->sessions, (uint64_t)id, session);
    enter_bucket(table, session, bucket_end(table, now_ms + timeout_ms));
    return session;
}

void session_table_remove(struct session_table *table, struct session *session)
{
    leave_bucket(table, session);
    void *removed = map_remove(&table->sessions, (uint64_t)session->id);
    ASSERT(removed == session);
    mem_free(session);
}

void session_table_move(struct session_table *from, struct session_table *to,
                        struct session *session, int64_t now_ms)
{
    ASSERT(session_table_find(to, session->id) == NULL);
    leave_bucket(from, session);
    void *removed = map_remove(&from->sessions, (uint64_t)session->id);
    ASSERT(removed == session);
    map_set(&to->sessions, (uint64_t)session->id, session);
    enter_bucket(to, session, bucket_end(to, now_ms + session->timeout_ms));
}

void session_table_touch(struct session_table *table, struct session *session, int64_t now_ms)
{
    int64_t end_ms = bucket_end(table, now_ms + session->timeout_ms);

    if (end_ms == session->bucket_end_ms || session->closing)
        return;
    leave_bucket(table, session);
    enter_bucket(table, session, end_ms);
}

struct session *session_table_pop_expired(struct session_table *table, int64_t now_ms)
{
    while (table->next_end_ms <= now_ms) {
        struct bucket *bucket = map_get(&table->buckets, (uint64_t)table->next_end_ms);
        if (bucket != NULL) {
            ASSERT(!list_empty(&bucket->sessions));
            struct session *session =
                CONTAINER_OF(bucket->sessions.next, struct session, in_bucket);
            leave_bucket(table, session);
            return session;
        }
        table->next_end_ms += table->tick_ms;
    }
    return NULL;
}

void session_table_touch_all(struct session_table *table, int64_t now_ms)
{
    size_t cursor = 0;
    struct session *session;

    while ((session = map_next(&table->sessions, &cursor, NULL)) != NULL)
        session_table_touch(table, session, now_ms);
    table->next_end_ms = bucket_end(table, now_ms);
}

int64_t session_table_next_bucket_ms(const struct session_table *table)
{
    return table->next_end_ms;
}

uint32_t session_table_count(const struct session_table *table)
{
    return (uint32_t)table->sessions.count;
}

struct session *session_table_next(const struct session_table *table, size_t *cursor)
{
    return map_next(&table->sessions, cursor, NULL);
}
