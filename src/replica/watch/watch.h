/* watch.h: which clients watch what, and which of them a change concerns.
 *
 * There are two tables, data and child, of watches keyed by path and client. A watch belongs to a
 * client's connection and ends with it. A standard watch is removed by its first event; persistent and
 * recursive ones stay. A client may have all three kinds on one path.
 * docs/protocol.md, "Watches". */
#ifndef REPLICA_WATCH_WATCH_H
#define REPLICA_WATCH_WATCH_H

#include "base/list.h"
#include "base/slice.h"
#include "base/table.h"

enum watch_table { WATCH_DATA, WATCH_CHILD };
enum watch_kind { WATCH_STANDARD = 1, WATCH_PERSISTENT = 2, WATCH_RECURSIVE = 4, WATCH_KINDS = 7 };

struct watch_client { /* kept by the caller beside its client; zero, then watch_client_init() */
    struct list watches;
    uint64_t last_step; /* the trigger that reached it last: one event per step */
    uint32_t id;
    uint32_t data_watches; /* how many of its watches are in the data table */
};

struct watches;
struct watches *watches_new(uint64_t hash_seed);
void watches_free(struct watches *watches); /* after every client was dropped */
void watch_client_init(struct watch_client *client, uint32_t id);
void watches_drop_client(struct watches *watches, struct watch_client *client);

/* Adds these kinds; adding one again changes nothing. */
void watches_add(struct watches *watches, enum watch_table table, struct slice path,
                 struct watch_client *client, unsigned kinds);
/* The kinds that the client has on this path; 0: none. */
unsigned watches_held(const struct watches *watches, enum watch_table table, struct slice path,
                      const struct watch_client *client);
void watches_remove(struct watches *watches, enum watch_table table, struct slice path,
                    struct watch_client *client, unsigned kinds);

typedef void watch_deliver(void *context, struct watch_client *client);
/* Calls deliver for the clients that watch `path` in `table`, and for the data table also for those with
 * recursive watches on a path above it, each client at most once in a step. Calling it again with the
 * same step (a delete: first the data table, then the child table) skips the clients that were called
 * before. Returns how many watches there were, those of skipped clients included. */
uint32_t watches_trigger(struct watches *watches, enum watch_table table, struct slice path,
                         uint64_t step, watch_deliver *deliver, void *context);

/* Data table only, as four-letter words count them; `all` counts both. */
void watches_count(const struct watches *watches, uint32_t *ret_clients, uint32_t *ret_paths,
                   uint32_t *ret_watches, uint32_t *ret_all);
typedef void watch_visit(void *context, struct slice path, const struct watch_client *client);
void watches_visit_by_path(const struct watches *watches, watch_visit *visit, void *context);
void watches_visit_client(const struct watch_client *client, watch_visit *visit, void *context);

#endif
