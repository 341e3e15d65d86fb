/* cell.c: identities, waiting and repeating. Rule: the table's mutex is taken before a cell's, and no
 * function of the C API or of the user is called with either. */
#include "recipes/cell.h"

#include <time.h>

#define BUCKET_COUNT 256
#define PAUSE_MS 50
#define MEMORY_PAUSE_MS 10
#define SERVER_PAUSES 9

static struct {
    pthread_mutex_t mutex;
    uint64_t last_id;
    struct cell *buckets[BUCKET_COUNT];
} table = {.mutex = PTHREAD_MUTEX_INITIALIZER};

int64_t cell_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t cell_deadline_ms(int timeout_ms)
{
    return timeout_ms < 0 ? RECIPES_NO_END : cell_now_ms() + timeout_ms;
}

static void put_into_table(struct cell *cell)
{
    pthread_mutex_lock(&table.mutex);
    cell->id = ++table.last_id;
    cell->next = table.buckets[cell->id % BUCKET_COUNT];
    table.buckets[cell->id % BUCKET_COUNT] = cell;
    pthread_mutex_unlock(&table.mutex);
}

int cell_init(struct cell *cell, zhandle_t *zh,
              void (*on_event)(struct cell *, int type, int state, const char *path))
{
    pthread_condattr_t attributes;

    *cell = (struct cell){.zh = zh, .on_event = on_event};
    if (pthread_condattr_init(&attributes) != 0)
        return ZSYSTEMERROR;
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    bool failed = pthread_cond_init(&cell->cond, &attributes) != 0;
    pthread_condattr_destroy(&attributes);
    if (failed)
        return ZSYSTEMERROR;
    if (pthread_mutex_init(&cell->mutex, NULL) != 0) {
        pthread_cond_destroy(&cell->cond);
        return ZSYSTEMERROR;
    }
    put_into_table(cell);
    return ZOK;
}

/* No callback runs in it, or will, behind this. */
static void take_from_table(struct cell *cell)
{
    pthread_mutex_lock(&table.mutex);
    struct cell **link = &table.buckets[cell->id % BUCKET_COUNT];
    while (*link != cell)
        link = &(*link)->next;
    *link = cell->next;
    pthread_mutex_unlock(&table.mutex);

    pthread_mutex_lock(&cell->mutex);
    while (cell->busy > 0)
        pthread_cond_wait(&cell->cond, &cell->mutex);
    pthread_mutex_unlock(&cell->mutex);
}

void cell_deinit(struct cell *cell)
{
    take_from_table(cell);
    pthread_mutex_destroy(&cell->mutex);
    pthread_cond_destroy(&cell->cond);
}

void cell_renew(struct cell *cell)
{
    take_from_table(cell);
    pthread_mutex_lock(&cell->mutex);
    cell->away = false; /* it has no watch; the next one is set while there is a connection */
    pthread_mutex_unlock(&cell->mutex);
    put_into_table(cell);
}

void *cell_context(const struct cell *cell)
{
    return (void *)(uintptr_t)cell->id;
}

struct cell *cell_enter(const void *context)
{
    uint64_t id = (uintptr_t)context;

    pthread_mutex_lock(&table.mutex);
    struct cell *cell = table.buckets[id % BUCKET_COUNT];
    while (cell != NULL && cell->id != id)
        cell = cell->next;
    if (cell != NULL) {
        pthread_mutex_lock(&cell->mutex);
        cell->busy++;
        pthread_mutex_unlock(&cell->mutex);
    }
    pthread_mutex_unlock(&table.mutex);
    return cell;
}

void cell_leave(struct cell *cell)
{
    pthread_mutex_lock(&cell->mutex);
    cell->busy--;
    cell->changed = true;
    pthread_cond_broadcast(&cell->cond);
    pthread_mutex_unlock(&cell->mutex);
}

void cell_watch(zhandle_t *zh, int type, int state, const char *path, void *context)
{
    struct cell *cell = cell_enter(context);

    (void)zh;
    if (cell == NULL)
        return;
    if (type == ZOO_SESSION_EVENT) {
        pthread_mutex_lock(&cell->mutex);
        cell->away = state != ZOO_CONNECTED_STATE;
        if (state == ZOO_EXPIRED_SESSION_STATE)
            cell->dead = ZSESSIONEXPIRED;
        else if (state == ZOO_AUTH_FAILED_STATE)
            cell->dead = ZAUTHFAILED;
        pthread_mutex_unlock(&cell->mutex);
    }
    if (cell->on_event != NULL)
        cell->on_event(cell, type, state, path);
    cell_leave(cell);
}

void cell_forget_changes(struct cell *cell)
{
    pthread_mutex_lock(&cell->mutex);
    cell->changed = false;
    pthread_mutex_unlock(&cell->mutex);
}

void cell_cancel(struct cell *cell)
{
    pthread_mutex_lock(&cell->mutex);
    cell->cancelled = true;
    pthread_cond_broadcast(&cell->cond);
    pthread_mutex_unlock(&cell->mutex);
}

/* With the mutex. Waits until `until_ms` if nothing ends it earlier. */
static int wait_locked(struct cell *cell, int64_t until_ms)
{
    struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};

    while (!cell->changed && !cell->cancelled && cell->dead == 0) {
        if (until_ms == RECIPES_NO_END)
            pthread_cond_wait(&cell->cond, &cell->mutex);
        else if (pthread_cond_timedwait(&cell->cond, &cell->mutex, &until) != 0)
            return ZOPERATIONTIMEOUT;
    }
    cell->changed = false;
    if (cell->dead != 0)
        return cell->dead;
    if (!cell->cancelled)
        return ZOK;
    cell->cancelled = false;
    return ZCLOSING;
}

int cell_wait(struct cell *cell, int64_t deadline_ms)
{
    pthread_mutex_lock(&cell->mutex);
    int rc = wait_locked(cell, deadline_ms);
    pthread_mutex_unlock(&cell->mutex);
    return rc;
}

bool cell_has_server(zhandle_t *zh)
{
    int state = zoo_state(zh);

    return state == ZOO_CONNECTED_STATE || state == ZOO_READONLY_STATE ||
           is_unrecoverable(zh) != ZOK;
}

bool cell_wait_a_moment(zhandle_t *zh)
{
    if (is_unrecoverable(zh) != ZOK)
        return false;
    nanosleep(&(struct timespec){.tv_nsec = MEMORY_PAUSE_MS * 1000000L}, NULL);
    return true;
}

bool cell_wait_for_server(zhandle_t *zh)
{
    bool goes_on = cell_wait_a_moment(zh);

    for (int i = 0; i < SERVER_PAUSES && goes_on && !cell_has_server(zh); i++)
        goes_on = cell_wait_a_moment(zh);
    return goes_on;
}

bool cell_unknown(int rc)
{
    return rc == ZCONNECTIONLOSS || rc == ZOPERATIONTIMEOUT;
}

bool cell_refused_now(int rc)
{
    return rc == ZSESSIONMOVED || rc == ZNOTREADONLY || rc == ZTHROTTLEDOP;
}

bool cell_again(struct cell *cell, int64_t deadline_ms, int *rc)
{
    if (*rc == ZINVALIDSTATE && zoo_state(cell->zh) == ZOO_EXPIRED_SESSION_STATE)
        *rc = ZSESSIONEXPIRED;
    if (*rc == ZINVALIDSTATE && zoo_state(cell->zh) == ZOO_AUTH_FAILED_STATE)
        *rc = ZAUTHFAILED;
    if (!cell_unknown(*rc) && !cell_refused_now(*rc))
        return false;
    /* Not asked again before there is a connection: with Apache ZooKeeper's library each request without
     * one is an attempt to connect, and fails with it. */
    do {
        int64_t until_ms = cell_now_ms() + PAUSE_MS;
        if (until_ms > deadline_ms) {
            *rc = ZOPERATIONTIMEOUT;
            return false;
        }
        *rc = cell_wait(cell, until_ms);
        if (*rc != ZOK && *rc != ZOPERATIONTIMEOUT)
            return false;
    } while (!cell_has_server(cell->zh));
    return true;
}
