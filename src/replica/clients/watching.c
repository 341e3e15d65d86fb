/* watching.c: setting, asking for and removing watches. The handlers of ZK_WATCHING_OPS (wire/ops.h):
 * an answer is ZK_OK and perhaps a body, or an error; events may leave before it. */
#include "replica/clients/client.h"

enum { CATCH_UP_ZXID = -1 /* events of setWatches belong to no transaction */ };

/* --- setWatches: events for what changed while the client was away; the other watches are set --- */

static const struct znode *node_at(const struct read_context *read, struct slice path)
{
    const struct tree *tree = read->clients->tree;
    uint32_t id = path.data == NULL ? NODE_NONE : tree_find(tree, path);

    return id == NODE_NONE ? NULL : tree_node(tree, id);
}

static void catch_up(const struct read_context *read, enum zk_event type, struct slice path)
{
    event_send(read->clients, read->client, CATCH_UP_ZXID, type, path);
}

static void watch(const struct read_context *read, enum watch_table table, struct slice path,
                  unsigned kinds)
{
    watches_add(read->clients->watches, table, path, &read->client->watch, kinds);
}

static void rewatch_data(const struct read_context *read, struct slice path, int64_t seen_zxid)
{
    const struct znode *node = node_at(read, path);

    if (node == NULL)
        catch_up(read, EVENT_DELETED, path);
    else if (node->mzxid > seen_zxid)
        catch_up(read, EVENT_DATA_CHANGED, path);
    else if (!mutant_is(read->clients->step->mutant, MUTANT_SETWATCHES_GAP))
        watch(read, WATCH_DATA, path, WATCH_STANDARD);
}

static void rewatch_exists(const struct read_context *read, struct slice path)
{
    if (node_at(read, path) != NULL)
        catch_up(read, EVENT_CREATED, path);
    else
        watch(read, WATCH_DATA, path, WATCH_STANDARD);
}

static void rewatch_children(const struct read_context *read, struct slice path, int64_t seen_zxid)
{
    const struct znode *node = node_at(read, path);

    if (node == NULL)
        catch_up(read, EVENT_DELETED, path);
    else if (node->pzxid > seen_zxid)
        catch_up(read, EVENT_CHILDREN_CHANGED, path);
    else
        watch(read, WATCH_CHILD, path, WATCH_STANDARD);
}

static void watch_persistently(const struct read_context *read, struct slice path)
{
    watch(read, WATCH_DATA, path, WATCH_PERSISTENT);
    watch(read, WATCH_CHILD, path, WATCH_PERSISTENT);
}

/* One list after the other; as in Java, the lists before a null one have their effect. */
static enum zk_error watching_set_watches2(const struct read_context *read,
                                           struct set_watches2 *request)
{
    struct slice path;

    if (request->data.count < 0)
        return ZK_MARSHALLING_ERROR;
    while (jute_next_text(&request->data, &path))
        rewatch_data(read, path, request->relative_zxid);
    if (request->exist.count < 0)
        return ZK_MARSHALLING_ERROR;
    while (jute_next_text(&request->exist, &path))
        rewatch_exists(read, path);
    if (request->child.count < 0)
        return ZK_MARSHALLING_ERROR;
    while (jute_next_text(&request->child, &path))
        rewatch_children(read, path, request->relative_zxid);
    if (request->persistent.count < 0)
        return ZK_MARSHALLING_ERROR;
    while (jute_next_text(&request->persistent, &path))
        watch_persistently(read, path);
    if (request->persistent_recursive.count < 0)
        return ZK_MARSHALLING_ERROR;
    while (jute_next_text(&request->persistent_recursive, &path))
        watch(read, WATCH_DATA, path, WATCH_RECURSIVE);
    return ZK_OK;
}

static enum zk_error watching_set_watches(const struct read_context *read,
                                          struct set_watches *request)
{
    struct set_watches2 newer = {.relative_zxid = request->relative_zxid,
                                 .data = request->data,
                                 .exist = request->exist,
                                 .child = request->child,
                                 .persistent = {SLICE(""), 0},
                                 .persistent_recursive = {SLICE(""), 0}};

    return watching_set_watches2(read, &newer);
}

/* --- addWatch, checkWatches, removeWatches --- */

static enum zk_error watching_add_watch(const struct read_context *read,
                                        struct path_type_request *request)
{
    if (request->path.data == NULL)
        return ZK_MARSHALLING_ERROR; /* Java accepts it, and then fails to close the session */
    switch (request->type) {
    case WATCH_ADD_PERSISTENT:
        watch_persistently(read, request->path);
        return ZK_OK;
    case WATCH_ADD_RECURSIVE:
        watch(read, WATCH_DATA, request->path, WATCH_RECURSIVE);
        return ZK_OK;
    default:
        return ZK_MARSHALLING_ERROR;
    }
}

struct watch_kinds { /* the kinds of watches that a watcher type means, in each table */
    unsigned data, child;
};

static bool kinds_of(int32_t type, struct watch_kinds *ret_kinds)
{
    switch (type) {
    case WATCHER_CHILDREN:
        *ret_kinds = (struct watch_kinds){0, WATCH_STANDARD};
        return true;
    case WATCHER_DATA:
        *ret_kinds = (struct watch_kinds){WATCH_STANDARD, 0};
        return true;
    case WATCHER_ANY:
        *ret_kinds = (struct watch_kinds){WATCH_KINDS, WATCH_KINDS};
        return true;
    case WATCHER_PERSISTENT:
        *ret_kinds = (struct watch_kinds){WATCH_PERSISTENT, WATCH_PERSISTENT};
        return true;
    case WATCHER_RECURSIVE:
        *ret_kinds = (struct watch_kinds){WATCH_RECURSIVE, 0};
        return true;
    default:
        return false;
    }
}

/* Of the kinds that the request names, those that the client has on the path. */
static enum zk_error find_kinds(const struct read_context *read,
                                const struct path_type_request *request,
                                struct watch_kinds *ret_held)
{
    struct watches *watches = read->clients->watches;
    const struct watch_client *client = &read->client->watch;
    struct watch_kinds asked;

    if (!kinds_of(request->type, &asked))
        return ZK_MARSHALLING_ERROR;
    ret_held->data = watches_held(watches, WATCH_DATA, request->path, client) & asked.data;
    ret_held->child = watches_held(watches, WATCH_CHILD, request->path, client) & asked.child;
    return ret_held->data == 0 && ret_held->child == 0 ? ZK_NO_WATCHER : ZK_OK;
}

static enum zk_error watching_check_watches(const struct read_context *read,
                                            struct path_type_request *request)
{
    struct watch_kinds held;

    return find_kinds(read, request, &held);
}

static enum zk_error watching_remove_watches(const struct read_context *read,
                                             struct path_type_request *request)
{
    struct watches *watches = read->clients->watches;
    struct watch_client *client = &read->client->watch;
    struct watch_kinds held;

    enum zk_error err = find_kinds(read, request, &held);
    if (err != ZK_OK)
        return err;
    watches_remove(watches, WATCH_DATA, request->path, client, held.data);
    watches_remove(watches, WATCH_CHILD, request->path, client, held.child);
    return ZK_OK;
}

/* --- all together --- */

#define ANSWER(id, number, cons, name, class, record, rules, handler)                              \
    case OP_##id: {                                                                                \
        struct record request;                                                                     \
        if (record##_read(&reader, &request) != STATUS_OK)                                         \
            return ZK_MARSHALLING_ERROR;                                                           \
        return watching_##handler(read, &request);                                                 \
    }

enum zk_error watching_answer(struct read_context *read)
{
    struct reader reader;

    reader_init(&reader, read->body, &read->clients->step->arena,
                read->clients->options.text_bytes_max);
    switch (read->op) {
        ZK_WATCHING_OPS(ANSWER)
    default:
        ASSERT(false && "no operation about watches");
        return ZK_UNIMPLEMENTED;
    }
}

void watching_put_body(struct clients *clients, int32_t op)
{
    if (op == OP_ADD_WATCH) /* an ErrorResponse */
        buffer_i32(&clients->step->effects->bytes, ZK_OK);
}
