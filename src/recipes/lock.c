/* lock.c: a lock is the first place in a queue; the node's name has its kind. */
#include "recipes/place.h"

struct recipe_lock {
    struct place place;
};

int recipe_lock_new(zhandle_t *zh, const char *path, recipe_lock_kind_t kind,
                    const recipe_options_t *options, recipe_lock_t **ret_lock)
{
    static const char *const markers[][2] = {[RECIPE_LOCK_EXCLUSIVE] = {"-lock-", "__lock__"},
                                             [RECIPE_LOCK_WRITE] = {"-__WRIT__", "__lock__"},
                                             [RECIPE_LOCK_READ] = {"-__READ__", "__rlock__"}};

    if (ret_lock == NULL || (unsigned)kind > RECIPE_LOCK_READ)
        return ZBADARGUMENTS;
    recipe_lock_t *lock = malloc(sizeof(*lock));
    if (lock == NULL)
        return ZSYSTEMERROR;
    bool kazoo = options != NULL && options->names == RECIPE_NAMES_KAZOO;
    int rc =
        place_init(&lock->place, zh, path, markers[kind][kazoo], kind == RECIPE_LOCK_READ, options);
    if (rc == ZOK)
        *ret_lock = lock;
    else
        free(lock);
    return rc;
}

int recipe_lock_acquire(recipe_lock_t *lock, int timeout_ms)
{
    return lock == NULL ? ZBADARGUMENTS : place_take(&lock->place, timeout_ms);
}

int recipe_lock_release(recipe_lock_t *lock)
{
    return lock == NULL ? ZBADARGUMENTS : place_give_back(&lock->place);
}

void recipe_lock_cancel(recipe_lock_t *lock)
{
    cell_cancel(&lock->place.cell);
}

recipe_state_t recipe_lock_state(recipe_lock_t *lock)
{
    return place_state(&lock->place);
}

int64_t recipe_lock_fence(recipe_lock_t *lock)
{
    return place_fence(&lock->place);
}

const char *recipe_lock_node(recipe_lock_t *lock)
{
    return lock->place.node != NULL ? lock->place.node : "";
}

void recipe_lock_free(recipe_lock_t *lock)
{
    if (lock == NULL)
        return;
    place_deinit(&lock->place);
    free(lock);
}
