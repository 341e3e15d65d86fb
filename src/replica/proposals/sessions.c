/* sessions.c: one table for all roles. No id is given twice while its session lives: the next one is
 * above all of this server's that the tree knows. Those that the tree knows and this run did not give
 * show that the wall clock was set back before the start; then the next one is far above them, for
 * sessions that are closed, and whose ids are forgotten, may have been later ones. */
#include "replica/proposals/sessions.h"

#include "base/array.h"

/* The server's number in the top byte, below it the time in ms, with 16 bits to count in
 * (SessionTrackerImpl.initializeNextSessionId()). */
static int64_t first_id(const struct sessions_options *options)
{
    return (int64_t)((uint64_t)options->server_id << 56 |
                     ((uint64_t)options->session_seed_ms << 24 >> 8 & 0x00ffffffffffffff));
}

bool sessions_made_here(const struct sessions *sessions, int64_t id)
{
    return (uint64_t)id >> 56 == sessions->options.server_id;
}

enum { SKIPPED_BITS = 44 }; /* three days: 16 bits below a millisecond */

/* The next id behind one of an earlier run of this server. Two such runs, one after the other, give different
 * ids: each global session costs a zxid, and they begin at different times, as far apart as ids of Java's. */
static int64_t id_far_above(const struct sessions *sessions, int64_t id)
{
    uint64_t skipped = UINT64_C(1) << SKIPPED_BITS;
    uint64_t more = (uint64_t)tree_last_zxid(sessions->tree) +
                    ((uint64_t)sessions->options.session_seed_ms << 16);
    int64_t far = id + (int64_t)(skipped + more % (skipped / 2));

    return (uint64_t)far >> 56 == (uint64_t)id >> 56 ? far : id + 1;
}

static void adopt(struct sessions *sessions)
{
    size_t cursor = 0;
    const struct tree_session *known;

    while ((known = tree_session_next(sessions->tree, &cursor)) != NULL) {
        if (known->orphan)
            continue;
        (void)session_table_add(sessions->table, known->id, known->timeout_ms,
                                sessions->step->now_ms);
        if (sessions_made_here(sessions, known->id) && known->id >= sessions->next_id)
            sessions->next_id = id_far_above(sessions, known->id);
    }
}

void sessions_init(struct sessions *sessions, const struct sessions_options *options,
                   struct tree *tree, struct step *step)
{
    *sessions = (struct sessions){.options = *options, .step = step, .next_id = first_id(options)};
    sessions_begin(sessions, tree, /* reports= */ false);
}

void sessions_deinit(struct sessions *sessions)
{
    session_table_free(sessions->table);
    session_table_free(sessions->local);
    mem_free(sessions->heard);
    *sessions = (struct sessions){0};
}

void sessions_begin(struct sessions *sessions, struct tree *tree, bool reports)
{
    session_table_free(sessions->table);
    session_table_free(sessions->local);
    sessions->table = session_table_new(sessions->options.tick_ms, sessions->step->now_ms);
    sessions->local = session_table_new(sessions->options.tick_ms, sessions->step->now_ms);
    sessions->tree = tree;
    sessions->reports = reports;
    sessions->heard_count = 0;
    adopt(sessions);
}

int64_t sessions_new_id(struct sessions *sessions)
{
    do {
        if (sessions->next_id == 0 || sessions->next_id == OWNER_CONTAINER_VALUE)
            sessions->next_id++;
        sessions->next_id++;
    } while (sessions_find_here(sessions, sessions->next_id - 1) != NULL ||
             tree_session(sessions->tree, sessions->next_id - 1) != NULL);
    return sessions->next_id - 1;
}

struct session *sessions_find(const struct sessions *sessions, int64_t id)
{
    return session_table_find(sessions->table, id);
}

struct session *sessions_find_here(const struct sessions *sessions, int64_t id)
{
    struct session *session = session_table_find(sessions->local, id);

    return session != NULL ? session : sessions_find(sessions, id);
}

static void note_heard(struct sessions *sessions, struct session *session)
{
    if (session->heard)
        return;
    session->heard = true;
    sessions->heard = ARRAY_RESERVE(sessions->heard, sessions->heard_capacity,
                                    sessions->heard_count + 1, ARRAY_FIRST);
    sessions->heard[sessions->heard_count++] = session->id;
}

void sessions_touch(struct sessions *sessions, struct session *session)
{
    if (session->local) {
        session_table_touch(sessions->local, session, sessions->step->now_ms);
        return;
    }
    session_table_touch(sessions->table, session, sessions->step->now_ms);
    if (sessions->reports)
        note_heard(sessions, session);
}

void sessions_touch_all(struct sessions *sessions)
{
    session_table_touch_all(sessions->table, sessions->step->now_ms);
    session_table_touch_all(sessions->local, sessions->step->now_ms);
}

void sessions_created(struct sessions *sessions, int64_t id, int32_t timeout_ms)
{
    struct session *session = sessions_find(sessions, id);

    if (session == NULL)
        session = session_table_add(sessions->table, id, timeout_ms, sessions->step->now_ms);
    if (sessions->reports) /* as Java's learners do, wherever its client is */
        note_heard(sessions, session);
}

void sessions_closed(struct sessions *sessions, int64_t id)
{
    struct session *session = sessions_find(sessions, id);

    if (session != NULL)
        session_table_remove(sessions->table, session);
}

/* --- local sessions --- */

struct session *sessions_add_local(struct sessions *sessions, int64_t id, int32_t timeout_ms)
{
    struct session *session =
        session_table_add(sessions->local, id, timeout_ms, sessions->step->now_ms);

    session->local = true;
    return session;
}

void sessions_remove_local(struct sessions *sessions, struct session *session)
{
    ASSERT(session->local);
    session_table_remove(sessions->local, session);
}

void sessions_upgrade(struct sessions *sessions, struct session *session)
{
    ASSERT(session->local && !session->closing);
    session_table_move(sessions->local, sessions->table, session, sessions->step->now_ms);
    session->local = false;
    if (sessions->reports)
        note_heard(sessions, session);
}

struct session *sessions_next_expired_local(struct sessions *sessions)
{
    return session_table_pop_expired(sessions->local, sessions->step->now_ms);
}

int64_t sessions_next_local_expiry_ms(const struct sessions *sessions)
{
    return session_table_count(sessions->local) == 0
               ? INT64_MAX
               : session_table_next_bucket_ms(sessions->local);
}

/* --- expiry --- */

struct session *sessions_next_expired(struct sessions *sessions)
{
    struct session *session;
    int64_t now_ms = sessions->step->now_ms;

    ASSERT(!sessions->reports);
    if (mutant_is(sessions->step->mutant, MUTANT_WALL_CLOCK_EXPIRY))
        now_ms = sessions->step->wall_ms - sessions->options.session_seed_ms;
    do
        session = session_table_pop_expired(sessions->table, now_ms);
    while (session != NULL && session->closing);
    return session;
}

int64_t sessions_next_expiry_ms(const struct sessions *sessions)
{
    return session_table_next_bucket_ms(sessions->table);
}

void sessions_report(struct sessions *sessions, sessions_visit_heard *visit, void *context)
{
    for (size_t i = 0; i < sessions->heard_count; i++) {
        struct session *session = sessions_find(sessions, sessions->heard[i]);
        if (session == NULL)
            continue; /* closed meanwhile */
        session->heard = false;
        visit(context, session);
    }
    sessions->heard_count = 0;
}
