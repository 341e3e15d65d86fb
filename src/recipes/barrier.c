/* barrier.c: a node that is there or not. Every step can be made twice, so that a lost answer needs no
 * more than the step again. */
#include "recipes/ask.h"

int recipe_barrier_close(zhandle_t *zh, const char *path, const struct ACL_vector *acl,
                         int timeout_ms)
{
    int64_t deadline_ms = cell_deadline_ms(timeout_ms);
    struct cell cell;

    if (zh == NULL || !ask_is_path(path))
        return ZBADARGUMENTS;
    int rc = cell_init(&cell, zh, NULL);
    if (rc != ZOK)
        return rc;
    rc = ask_make_path(&cell, path, acl != NULL ? acl : &ZOO_OPEN_ACL_UNSAFE, deadline_ms);
    cell_deinit(&cell);
    return rc;
}

int recipe_barrier_open(zhandle_t *zh, const char *path, int timeout_ms)
{
    int64_t deadline_ms = cell_deadline_ms(timeout_ms);
    struct cell cell;

    if (zh == NULL || !ask_is_path(path))
        return ZBADARGUMENTS;
    int rc = cell_init(&cell, zh, NULL);
    if (rc != ZOK)
        return rc;
    rc = ask_delete(&cell, path, deadline_ms);
    cell_deinit(&cell);
    return rc;
}

/* Set when the node goes, and never again unset: it may be closed again before anybody looks. */
struct waiter {
    struct cell cell;
    bool opened;
};

static void on_event(struct cell *cell, int type, int state, const char *path)
{
    (void)state, (void)path;
    if (type != ZOO_DELETED_EVENT)
        return;
    pthread_mutex_lock(&cell->mutex);
    ((struct waiter *)cell)->opened = true; /* its first member */
    pthread_mutex_unlock(&cell->mutex);
}

static bool was_opened(struct waiter *waiter)
{
    pthread_mutex_lock(&waiter->cell.mutex);
    bool opened = waiter->opened;
    pthread_mutex_unlock(&waiter->cell.mutex);
    return opened;
}

int recipe_barrier_wait(zhandle_t *zh, const char *path, int timeout_ms)
{
    int64_t deadline_ms = cell_deadline_ms(timeout_ms);
    struct waiter waiter = {.opened = false};

    if (zh == NULL || !ask_is_path(path))
        return ZBADARGUMENTS;
    int rc = cell_init(&waiter.cell, zh, on_event);
    if (rc != ZOK)
        return rc;
    while (rc == ZOK && !was_opened(&waiter)) {
        cell_forget_changes(&waiter.cell);
        rc = ask_watch(&waiter.cell, path, NULL, deadline_ms);
        if (rc == ZOK)
            rc = cell_wait(&waiter.cell, deadline_ms);
    }
    cell_deinit(&waiter.cell);
    return rc == ZNONODE ? ZOK : rc;
}
