/* dump.c: the word dump: sessions and connections by when they end, and who owns ephemerals. */
#include "io/java_text.h"
#include "server/words/words_internal.h"

#include <stdlib.h>
#include <time.h>

static int64_t wall_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct bucket_lines { /* sessions or connections grouped by when they end */
    const struct words *words;
    struct buffer lines, ids; /* ids: of the bucket that is open */
    int64_t expires_ms;
    uint32_t buckets, total, in_bucket;
};

static void close_bucket(struct bucket_lines *bucket)
{
    const struct words *words = bucket->words;

    if (bucket->in_bucket == 0)
        return;
    buffer_printf(&bucket->lines, "%u expire at ", bucket->in_bucket);
    java_put_date(&bucket->lines, wall_ms() + bucket->expires_ms - host_now_ms(words->host));
    buffer_printf(&bucket->lines, ":\n");
    buffer_append(&bucket->lines, buffer_slice(&bucket->ids));
    bucket->ids.size = 0;
    bucket->in_bucket = 0;
    bucket->buckets++;
}

static void open_bucket(struct bucket_lines *bucket, int64_t expires_ms)
{
    if (bucket->expires_ms != expires_ms)
        close_bucket(bucket);
    bucket->expires_ms = expires_ms;
    bucket->in_bucket++;
    bucket->total++;
}

static void put_buckets(struct bucket_lines *bucket, const char *title, struct buffer *out)
{
    close_bucket(bucket);
    buffer_printf(out, "%s Sets (%u)/(%u):\n", title, bucket->buckets, bucket->total);
    buffer_append(out, buffer_slice(&bucket->lines));
    buffer_deinit(&bucket->lines);
    buffer_deinit(&bucket->ids);
}

static void add_session(void *context, int64_t expires_at_ms, int64_t session_id)
{
    struct bucket_lines *bucket = context;

    open_bucket(bucket, expires_at_ms);
    buffer_printf(&bucket->ids, "\t0x%llx\n", (unsigned long long)session_id);
}

static void put_ephemerals(const struct words *words, struct buffer *out)
{
    const struct tree *tree = replica_tree(words->replica);
    const struct tree_session *session;
    struct buffer lines;
    uint32_t owners = 0;

    buffer_init(&lines);
    for (size_t cursor = 0; (session = tree_session_next(tree, &cursor)) != NULL;) {
        if (session->ephemeral_count == 0)
            continue;
        owners++;
        buffer_printf(&lines, "0x%llx:\n", (unsigned long long)session->id);
        for (uint32_t i = 0; i < session->ephemeral_count; i++) {
            buffer_u8(&lines, '\t');
            tree_path_append(tree, session->ephemerals[i], &lines);
            buffer_u8(&lines, '\n');
        }
    }
    buffer_printf(out, "ephemeral nodes dump:\nSessions with Ephemerals (%u):\n", owners);
    buffer_append(out, buffer_slice(&lines));
    buffer_deinit(&lines);
}

struct connection_end {
    int64_t expires_ms, session_id;
    char peer[PEER_TEXT_MAX];
};

static int by_end(const void *left, const void *right)
{
    const struct connection_end *a = left, *b = right;

    return a->expires_ms < b->expires_ms ? -1 : a->expires_ms > b->expires_ms;
}

static void put_connection_ends(const struct words *words, struct buffer *out)
{
    size_t most = front_connection_count(words->front), count = 0;
    struct connection_end *ends = mem_alloc(sizeof(*ends) * most);
    struct bucket_lines bucket = {.words = words};
    struct connection_facts facts;

    for (uint32_t cursor = 0; front_next_connection(words->front, &cursor, &facts);) {
        ASSERT(count < most);
        ends[count].expires_ms = facts.idle_end_ms;
        ends[count].session_id = facts.client.session_id;
        memcpy(ends[count++].peer, facts.peer, sizeof(facts.peer));
    }
    qsort(ends, count, sizeof(*ends), by_end);
    for (size_t i = 0; i < count; i++) {
        open_bucket(&bucket, ends[i].expires_ms);
        buffer_printf(&bucket.ids, "\tip: %s sessionId: 0x%llx\n", ends[i].peer,
                      (unsigned long long)ends[i].session_id);
    }
    buffer_printf(out, "Connections dump:\n");
    put_buckets(&bucket, "Connections", out);
    mem_free(ends);
}

static int by_id(const void *left, const void *right)
{
    const struct tree_session *a = *(const struct tree_session *const *)left;
    const struct tree_session *b = *(const struct tree_session *const *)right;

    return (a->id > b->id) - (a->id < b->id);
}

/* A learner does not know when a session ends: its leader decides that. */
static void put_learner_sessions(const struct words *words, struct buffer *out)
{
    const struct tree *tree = replica_tree(words->replica);
    uint32_t most = tree_session_count(tree), count = 0;
    const struct tree_session **sorted = mem_alloc(sizeof(struct tree_session *) * most);
    const struct tree_session *session;

    for (size_t cursor = 0; (session = tree_session_next(tree, &cursor)) != NULL;) {
        if (session->orphan)
            continue;
        ASSERT(count < most);
        sorted[count++] = session;
    }
    qsort(sorted, count, sizeof(struct tree_session *), by_id);
    buffer_printf(out, "Global Sessions(%u):\n", count);
    for (uint32_t i = 0; i < count; i++)
        buffer_printf(out, "0x%llx\t%dms\n", (unsigned long long)sorted[i]->id,
                      sorted[i]->timeout_ms);
    mem_free(sorted);
}

static void put_local_sessions(const struct words *words, struct buffer *out)
{
    struct bucket_lines bucket = {.words = words};

    replica_visit_local_sessions(words->replica, add_session, &bucket);
    put_buckets(&bucket, "Local Session", out);
}

void words_put_dump(const struct words *words, struct buffer *out)
{
    struct bucket_lines bucket = {.words = words};
    struct ensemble_info info;
    bool local = words->settings.local_sessions;

    buffer_printf(out, "SessionTracker dump:\n");
    if (local)
        put_local_sessions(words, out);
    if (replica_ensemble(words->replica, &info) && info.state != PEER_LEADING) {
        put_learner_sessions(words, out);
    } else {
        replica_visit_sessions(words->replica, add_session, &bucket);
        put_buckets(&bucket, local ? "Global Session" : "Session", out);
    }
    put_ephemerals(words, out);
    put_connection_ends(words, out);
}
