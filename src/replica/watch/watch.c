/* watch.c: two tables of watches, by path and by (path, client). A path is in the table exactly while it
 * has watches; firing costs one look-up for the path and each path above it, however many watches
 * there are. */
#include "replica/watch/watch.h"

#include "base/hash.h"

struct watch_path {
    struct table_entry by_path;
    struct list watches;
    enum watch_table table;
    uint32_t count;
    size_t size;
    uint8_t bytes[];
};

struct watch {
    struct table_entry by_pair; /* (path, client) */
    struct list in_path, in_client;
    struct watch_path *path;
    struct watch_client *client;
    unsigned kinds;
};

struct watches {
    struct table paths; /* of both tables */
    struct table pairs;
    uint64_t hash_seed;
    uint32_t recursive_count, path_counts[2], watch_counts[2], data_clients;
    size_t recursive_size_max; /* no recursive watch has a longer path */
};

struct watches *watches_new(uint64_t hash_seed)
{
    struct watches *watches = mem_zalloc(sizeof(*watches));
    watches->hash_seed = hash_seed;
    return watches;
}

void watches_free(struct watches *watches)
{
    if (watches == NULL)
        return;
    ASSERT(watches->pairs.count == 0 && watches->paths.count == 0);
    table_deinit(&watches->paths);
    table_deinit(&watches->pairs);
    mem_free(watches);
}

void watch_client_init(struct watch_client *client, uint32_t id)
{
    *client = (struct watch_client){.id = id};
    list_init(&client->watches);
}

static struct slice path_of(const struct watch_path *path)
{
    return slice_of(path->bytes, path->size);
}

static uint64_t path_hash(const struct watches *watches, enum watch_table table, struct slice path)
{
    return hash_bytes(path, watches->hash_seed + (uint64_t)table);
}

static struct watch_path *find_path(const struct watches *watches, enum watch_table table,
                                    struct slice path)
{
    uint64_t hash = path_hash(watches, table, path);

    for (struct table_entry *entry = table_first(&watches->paths, hash); entry != NULL;
         entry = entry->next) {
        struct watch_path *found = CONTAINER_OF(entry, struct watch_path, by_path);
        if (entry->hash == hash && found->table == table && slice_equal(path_of(found), path))
            return found;
    }
    return NULL;
}

static uint64_t pair_hash(const struct watch_path *path, const struct watch_client *client)
{
    return hash_u64((uint64_t)(uintptr_t)path, client->id);
}

static struct watch *find_watch(const struct watches *watches, const struct watch_path *path,
                                const struct watch_client *client)
{
    uint64_t hash = pair_hash(path, client);

    for (struct table_entry *entry = table_first(&watches->pairs, hash); entry != NULL;
         entry = entry->next) {
        struct watch *watch = CONTAINER_OF(entry, struct watch, by_pair);
        if (watch->path == path && watch->client == client)
            return watch;
    }
    return NULL;
}

static struct watch_path *add_path(struct watches *watches, enum watch_table table,
                                   struct slice path)
{
    struct watch_path *added = mem_alloc(sizeof(*added) + path.size);

    *added = (struct watch_path){.table = table, .size = path.size};
    if (path.size > 0)
        memcpy(added->bytes, path.data, path.size);
    list_init(&added->watches);
    added->by_path.hash = path_hash(watches, table, path);
    table_insert(&watches->paths, &added->by_path);
    watches->path_counts[table]++;
    return added;
}

void watches_add(struct watches *watches, enum watch_table table, struct slice path,
                 struct watch_client *client, unsigned kinds)
{
    struct watch_path *at = find_path(watches, table, path);

    ASSERT(kinds != 0);
    if (at == NULL)
        at = add_path(watches, table, path);
    struct watch *watch = find_watch(watches, at, client);
    if (watch == NULL) {
        watch = mem_zalloc(sizeof(*watch));
        watch->path = at;
        watch->client = client;
        watch->by_pair.hash = pair_hash(at, client);
        table_insert(&watches->pairs, &watch->by_pair);
        list_add_last(&at->watches, &watch->in_path);
        list_add_last(&client->watches, &watch->in_client);
        at->count++;
        watches->watch_counts[table]++;
        if (table == WATCH_DATA && client->data_watches++ == 0)
            watches->data_clients++;
    }
    if ((kinds & WATCH_RECURSIVE) != 0 && (watch->kinds & WATCH_RECURSIVE) == 0) {
        watches->recursive_count++;
        if (path.size > watches->recursive_size_max)
            watches->recursive_size_max = path.size;
    }
    watch->kinds |= kinds;
}

/* A watch without any kind left is freed, and so is a path without watches. */
static void remove_kinds(struct watches *watches, struct watch *watch, unsigned kinds)
{
    struct watch_path *path = watch->path;

    ASSERT(path->count > 0 && watches->watch_counts[path->table] > 0);
    if ((watch->kinds & kinds & WATCH_RECURSIVE) != 0 && --watches->recursive_count == 0)
        watches->recursive_size_max = 0;
    watch->kinds &= ~kinds;
    if (watch->kinds != 0)
        return;
    table_remove(&watches->pairs, &watch->by_pair);
    list_remove(&watch->in_path);
    list_remove(&watch->in_client);
    watches->watch_counts[path->table]--;
    ASSERT(path->table != WATCH_DATA || watch->client->data_watches > 0);
    if (path->table == WATCH_DATA && --watch->client->data_watches == 0)
        watches->data_clients--;
    mem_free(watch);
    if (--path->count == 0) {
        table_remove(&watches->paths, &path->by_path);
        watches->path_counts[path->table]--;
        mem_free(path);
    }
}

void watches_drop_client(struct watches *watches, struct watch_client *client)
{
    while (!list_empty(&client->watches))
        remove_kinds(watches, CONTAINER_OF(client->watches.next, struct watch, in_client),
                     WATCH_KINDS);
}

unsigned watches_held(const struct watches *watches, enum watch_table table, struct slice path,
                      const struct watch_client *client)
{
    const struct watch_path *at = find_path(watches, table, path);
    const struct watch *watch = at == NULL ? NULL : find_watch(watches, at, client);
    return watch == NULL ? 0 : watch->kinds;
}

void watches_remove(struct watches *watches, enum watch_table table, struct slice path,
                    struct watch_client *client, unsigned kinds)
{
    struct watch_path *at = find_path(watches, table, path);
    struct watch *watch = at == NULL ? NULL : find_watch(watches, at, client);

    if (watch != NULL)
        remove_kinds(watches, watch, kinds);
}

static bool deliver_once(struct watch_client *client, uint64_t step, watch_deliver *deliver,
                         void *context)
{
    if (client->last_step == step)
        return false;
    client->last_step = step;
    deliver(context, client);
    return true;
}

uint32_t watches_trigger(struct watches *watches, enum watch_table table, struct slice path,
                         uint64_t step, watch_deliver *deliver, void *context)
{
    struct watch_path *at = find_path(watches, table, path);
    uint32_t waited = at == NULL ? 0 : at->count;

    if (at != NULL) {
        uint32_t left =
            at->count; /* the path may be freed with its last watch, so it is not asked again */
        struct list *next = at->watches.next;
        while (left-- > 0) {
            struct watch *watch = CONTAINER_OF(next, struct watch, in_path);
            next = next->next;
            (void)deliver_once(watch->client, step, deliver,
                               context); /* `waited` counts it anyway */
            remove_kinds(watches, watch, WATCH_STANDARD);
        }
    }
    if (table != WATCH_DATA || watches->recursive_count == 0)
        return waited;
    for (size_t size = path.size; size > 1;) {
        while (size > 1 && path.data[size - 1] != '/')
            size--;
        size = size > 1 ? size - 1 : 1;         /* the parent; at the top "/" itself */
        if (size > watches->recursive_size_max) /* deep paths: each look-up hashes all of one */
            continue;
        at = find_path(watches, table, slice_of(path.data, size));
        for (struct list *entry = at == NULL ? NULL : at->watches.next;
             entry != NULL && entry != &at->watches; entry = entry->next) {
            struct watch *watch = CONTAINER_OF(entry, struct watch, in_path);
            if ((watch->kinds & WATCH_RECURSIVE) != 0 &&
                deliver_once(watch->client, step, deliver, context))
                waited++;
        }
    }
    return waited;
}

void watches_count(const struct watches *watches, uint32_t *ret_clients, uint32_t *ret_paths,
                   uint32_t *ret_watches, uint32_t *ret_all)
{
    *ret_clients = watches->data_clients;
    *ret_paths = watches->path_counts[WATCH_DATA];
    *ret_watches = watches->watch_counts[WATCH_DATA];
    *ret_all = watches->watch_counts[WATCH_DATA] + watches->watch_counts[WATCH_CHILD];
}

void watches_visit_by_path(const struct watches *watches, watch_visit *visit, void *context)
{
    struct table_entry *entry = NULL;

    while ((entry = table_next(&watches->paths, entry)) != NULL) {
        struct watch_path *path = CONTAINER_OF(entry, struct watch_path, by_path);
        if (path->table != WATCH_DATA)
            continue;
        for (struct list *at = path->watches.next; at != &path->watches; at = at->next)
            visit(context, path_of(path), CONTAINER_OF(at, struct watch, in_path)->client);
    }
}

void watches_visit_client(const struct watch_client *client, watch_visit *visit, void *context)
{
    for (struct list *at = client->watches.next; at != &client->watches; at = at->next) {
        struct watch *watch = CONTAINER_OF(at, struct watch, in_client);
        if (watch->path->table == WATCH_DATA)
            visit(context, path_of(watch->path), client);
    }
}
