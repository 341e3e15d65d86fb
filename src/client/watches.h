/* watches.h: the watchers on the client's side. */
#ifndef CLIENT_WATCHES_H
#define CLIENT_WATCHES_H

#include "base/slice.h"

enum client_watch_kind {
    CLIENT_WATCH_DATA = 1,
    CLIENT_WATCH_EXIST = 2, /* on a znode that is not there */
    CLIENT_WATCH_CHILD = 4,
    CLIENT_WATCH_PERSISTENT = 8,
    CLIENT_WATCH_RECURSIVE = 16,
    CLIENT_WATCH_ANY = 31
};

/* The function to call. Only the host knows its type; here it is only compared. */
struct client_watcher {
    void (*function)(void);
    void *context;
};

/* One watcher on one path. The memory comes with the request that sets it, so that setting it cannot
 * fail. */
struct client_watch {
    struct client_watch *next;
    struct client_watcher watcher;
    uint32_t hash;
    uint8_t kind;       /* enum client_watch_kind */
    uint32_t set_after; /* this many events of the session */
    uint32_t path_size;
    uint8_t path[]; /* with the chroot */
};

enum { CLIENT_WATCHES_FIRST = 16 };
struct client_watches {
    struct client_watch **buckets; /* bucket_count is a power of 2 */
    uint32_t bucket_count, count;
    uint32_t session_events; /* so far */
    struct client_watch *first_buckets[CLIENT_WATCHES_FIRST];
};

void client_watches_init(struct client_watches *watches);
void client_watches_deinit(struct client_watches *watches);

/* NULL: no memory. Freed by mem_free(). */
MUST_USE struct client_watch *client_watch_make(struct slice path, struct client_watcher watcher);

/* Takes ownership of `watch`. The same watcher on the same path with the same kind is kept once. */
void client_watches_add(struct client_watches *watches, struct client_watch *watch,
                        enum client_watch_kind kind);

/* Is there one of these kinds (a set of enum client_watch_kind)? `watcher` NULL: of anybody. */
bool client_watches_has(const struct client_watches *watches, struct slice path, unsigned kinds,
                        const struct client_watcher *watcher);
void client_watches_remove(struct client_watches *watches, struct slice path, unsigned kinds,
                           const struct client_watcher *watcher);

/* Which watchers an event (enum zk_event) on a path calls: each of them once. At most `max` are written
 * to ret_watchers; returns how many watches match, which may be more than the watchers written.
 * Nothing is removed. */
size_t client_watches_match(const struct client_watches *watches, struct slice path, int32_t event,
                            struct client_watcher *ret_watchers, size_t max);
/* Each watcher of all watches. */
size_t client_watches_all(const struct client_watches *watches, struct client_watcher *ret_watchers,
                          size_t max);
/* The watcher after *watcher in the order in which client_watchers_once() sorts, of the watches that were set
 * before the session's event of this number. False: there is none. It looks at all watches. */
bool client_watches_after(const struct client_watches *watches, uint32_t event,
                          struct client_watcher *watcher);
/* Sorts, and removes duplicates. Returns how many are left. */
size_t client_watchers_once(struct client_watcher *watchers, size_t count);

/* Removes the watches that an event uses up: all that match, except persistent ones. */
void client_watches_use_up(struct client_watches *watches, struct slice path, int32_t event);

/* Walks all watches, each path of a kind once, in no particular order. Begin with {0}. NULL: the
 * end. */
struct client_watch_walk {
    uint32_t bucket;
    const struct client_watch *at;
};
const struct client_watch *client_watches_next(const struct client_watches *watches,
                                               struct client_watch_walk *walk);

#endif
