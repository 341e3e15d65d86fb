/* watches.c: a hash table of watches by path. Setting one never fails: its memory was allocated
 * before, and when the table cannot grow its chains get longer. */
#include "client/watches.h"

#include "wire/zk.h"

#include <stdlib.h>

void client_watches_init(struct client_watches *watches)
{
    *watches = (struct client_watches){.bucket_count = CLIENT_WATCHES_FIRST};
    watches->buckets = watches->first_buckets;
}

void client_watches_deinit(struct client_watches *watches)
{
    for (uint32_t i = 0; i < watches->bucket_count; i++) {
        while (watches->buckets[i] != NULL) {
            struct client_watch *watch = watches->buckets[i];
            watches->buckets[i] = watch->next;
            mem_free(watch);
        }
    }
    if (watches->buckets != watches->first_buckets)
        mem_free(watches->buckets);
    client_watches_init(watches);
}

static uint32_t hash_of(struct slice path)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < path.size; i++)
        hash = (hash ^ path.data[i]) * 16777619u;
    return hash ^ hash >> 15;
}

static struct slice path_of(const struct client_watch *watch)
{
    return slice_of(watch->path, watch->path_size);
}

static bool same_watcher(const struct client_watcher *left, const struct client_watcher *right)
{
    return left->function == right->function && left->context == right->context;
}

struct client_watch *client_watch_make(struct slice path, struct client_watcher watcher)
{
    struct client_watch *watch;

    if (path.size > UINT32_MAX / 2)
        return NULL;
    watch = mem_try_zalloc(sizeof(*watch) + path.size + 1);
    if (watch == NULL)
        return NULL;
    if (path.size > 0)
        memcpy(watch->path, path.data, path.size);
    watch->path_size = (uint32_t)path.size;
    watch->watcher = watcher;
    watch->hash = hash_of(path_of(watch));
    return watch;
}

static struct client_watch **bucket_of(const struct client_watches *watches, uint32_t hash)
{
    return &watches->buckets[hash & (watches->bucket_count - 1)];
}

static void grow(struct client_watches *watches)
{
    uint32_t old_count = watches->bucket_count;
    struct client_watch **old = watches->buckets;
    struct client_watch **wider = mem_try_zalloc(2 * (size_t)old_count * sizeof(*wider));

    if (wider == NULL)
        return;
    watches->buckets = wider;
    watches->bucket_count = 2 * old_count;
    for (uint32_t i = 0; i < old_count; i++) {
        while (old[i] != NULL) {
            struct client_watch *watch = old[i], **bucket = bucket_of(watches, watch->hash);
            old[i] = watch->next;
            watch->next = *bucket;
            *bucket = watch;
        }
    }
    if (old != watches->first_buckets)
        mem_free(old);
}

static bool is_on(const struct client_watch *watch, uint32_t hash, struct slice path)
{
    return watch->hash == hash && slice_equal(path_of(watch), path);
}

bool client_watches_has(const struct client_watches *watches, struct slice path, unsigned kinds,
                        const struct client_watcher *watcher)
{
    uint32_t hash = hash_of(path);
    const struct client_watch *watch = *bucket_of(watches, hash);

    for (; watch != NULL; watch = watch->next)
        if ((watch->kind & kinds) && is_on(watch, hash, path) &&
            (watcher == NULL || same_watcher(&watch->watcher, watcher)))
            return true;
    return false;
}

void client_watches_add(struct client_watches *watches, struct client_watch *watch,
                        enum client_watch_kind kind)
{
    if (client_watches_has(watches, path_of(watch), kind, &watch->watcher)) {
        mem_free(watch);
        return;
    }
    if (watches->count >= watches->bucket_count)
        grow(watches);
    struct client_watch **bucket = bucket_of(watches, watch->hash);
    watch->kind = (uint8_t)kind;
    watch->set_after = watches->session_events;
    watch->next = *bucket;
    *bucket = watch;
    watches->count++;
}

void client_watches_remove(struct client_watches *watches, struct slice path, unsigned kinds,
                           const struct client_watcher *watcher)
{
    uint32_t hash = hash_of(path);
    struct client_watch **at = bucket_of(watches, hash);

    while (*at != NULL) {
        struct client_watch *watch = *at;
        if ((watch->kind & kinds) && is_on(watch, hash, path) &&
            (watcher == NULL || same_watcher(&watch->watcher, watcher))) {
            *at = watch->next;
            mem_free(watch);
            watches->count--;
        } else {
            at = &watch->next;
        }
    }
}

/* Which kinds on the very path an event is for. */
static unsigned kinds_for(int32_t event)
{
    switch (event) {
    case EVENT_CREATED:
    case EVENT_DATA_CHANGED:
        return CLIENT_WATCH_DATA | CLIENT_WATCH_EXIST;
    case EVENT_DELETED:
        return CLIENT_WATCH_DATA | CLIENT_WATCH_EXIST | CLIENT_WATCH_CHILD;
    case EVENT_CHILDREN_CHANGED:
        return CLIENT_WATCH_CHILD;
    default:
        return 0;
    }
}

struct collection {
    struct client_watcher *watchers;
    size_t count, max;
};

static void collect(struct collection *found, const struct client_watch *watch)
{
    if (found->count < found->max)
        found->watchers[found->count] = watch->watcher;
    found->count++;
}

static void collect_on(struct collection *found, const struct client_watches *watches,
                       struct slice path, unsigned kinds)
{
    uint32_t hash = hash_of(path);
    const struct client_watch *watch = *bucket_of(watches, hash);

    for (; watch != NULL; watch = watch->next)
        if ((watch->kind & kinds) && is_on(watch, hash, path))
            collect(found, watch);
}

size_t client_watches_match(const struct client_watches *watches, struct slice path, int32_t event,
                            struct client_watcher *ret_watchers, size_t max)
{
    struct collection found = {ret_watchers, 0, max};

    collect_on(&found, watches, path, kinds_for(event) | CLIENT_WATCH_PERSISTENT);
    if (event == EVENT_CHILDREN_CHANGED)
        return found.count;
    while (path.size > 0) {
        collect_on(&found, watches, path, CLIENT_WATCH_RECURSIVE);
        if (path.size == 1)
            break;
        struct slice parent = zk_path_parent(path);
        path = parent.size == 0 ? SLICE("/") : parent;
    }
    return found.count;
}

size_t client_watches_all(const struct client_watches *watches, struct client_watcher *ret_watchers,
                          size_t max)
{
    struct collection found = {ret_watchers, 0, max};

    for (uint32_t i = 0; i < watches->bucket_count; i++)
        for (const struct client_watch *at = watches->buckets[i]; at != NULL; at = at->next)
            collect(&found, at);
    return found.count;
}

static int compare_watchers(const void *left, const void *right)
{
    return memcmp(left, right, sizeof(struct client_watcher));
}

bool client_watches_after(const struct client_watches *watches, uint32_t event,
                          struct client_watcher *watcher)
{
    const struct client_watcher *next = NULL;

    for (uint32_t i = 0; i < watches->bucket_count; i++)
        for (const struct client_watch *at = watches->buckets[i]; at != NULL; at = at->next)
            if (at->set_after < event && compare_watchers(&at->watcher, watcher) > 0 &&
                (next == NULL || compare_watchers(&at->watcher, next) < 0))
                next = &at->watcher;
    if (next == NULL)
        return false;
    *watcher = *next;
    return true;
}

size_t client_watchers_once(struct client_watcher *watchers, size_t count)
{
    size_t left = 0;

    if (count > 1)
        qsort(watchers, count, sizeof(*watchers), compare_watchers);
    for (size_t i = 0; i < count; i++)
        if (left == 0 || !same_watcher(&watchers[left - 1], &watchers[i]))
            watchers[left++] = watchers[i];
    return left;
}

void client_watches_use_up(struct client_watches *watches, struct slice path, int32_t event)
{
    client_watches_remove(watches, path, kinds_for(event), NULL);
}

/* Does an earlier one of the same chain name the same path and kind? */
static bool named_before(const struct client_watches *watches, const struct client_watch *watch)
{
    const struct client_watch *at = *bucket_of(watches, watch->hash);

    for (; at != watch; at = at->next)
        if (at->kind == watch->kind && is_on(at, watch->hash, path_of(watch)))
            return true;
    return false;
}

const struct client_watch *client_watches_next(const struct client_watches *watches,
                                               struct client_watch_walk *walk)
{
    for (;;) {
        if (walk->at != NULL) {
            walk->at = walk->at->next;
        } else {
            if (walk->bucket == watches->bucket_count)
                return NULL;
            walk->at = watches->buckets[walk->bucket];
        }
        if (walk->at == NULL)
            walk->bucket++;
        else if (!named_before(watches, walk->at))
            return walk->at;
    }
}
