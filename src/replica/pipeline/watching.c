/* Setting, asking for and removing watches, and sending their events. */
#include "replica/pipeline/pipeline.h"

enum { CATCH_UP_ZXID = -1 /* events of setWatches belong to no transaction */ };

void watching_add(struct replica *replica, struct client *client, enum watch_table table,
                  struct slice path)
{
    watches_add(replica->watches, table, path, &client->watch, WATCH_STANDARD);
}

static size_t event_begin(struct replica *replica, int64_t zxid, enum zk_event type,
                          struct slice path)
{
    struct buffer *bytes = &replica->effects->bytes;
    size_t start = frame_begin(replica);

    reply_header_write(bytes, &(struct reply_header){.xid = XID_NOTIFICATION, .zxid = zxid});
    watcher_event_write(
        bytes, &(struct watcher_event){.type = type, .state = STATE_SYNC_CONNECTED, .path = path});
    store_be32(bytes->data + start, (uint32_t)(bytes->size - start - 4));
    return start;
}

void watching_send_event(struct replica *replica, struct client *client, int64_t zxid,
                         enum zk_event type, struct slice path)
{
    size_t start = event_begin(replica, zxid, type, path);
    send_event(replica, client, start, replica->effects->bytes.size - start);
}

/* --- events of a transaction: one frame for all who get it --- */

static void deliver(void *context, struct watch_client *watch_client)
{
    struct replica *replica = context;
    struct client *client = CONTAINER_OF(watch_client, struct client, watch);

    if (!acl_allows(&replica->rules.acl, tree_acl(replica->tree, replica->event_acl), PERM_READ,
                    client->identities))
        return; /* not for its eyes; a one-shot watch is used up all the same */
    if (replica->event_size == 0) {
        replica->event_offset = event_begin(
            replica, replica->event_zxid, (enum zk_event)replica->event_type, replica->event_path);
        replica->event_size = replica->effects->bytes.size - replica->event_offset;
    }
    send_event(replica, client, replica->event_offset, replica->event_size);
}

static void trigger(struct replica *replica, enum watch_table table, enum zk_event type,
                    struct slice path, uint32_t acl)
{
    replica->event_type = type;
    replica->event_path = path;
    replica->event_acl = acl;
    replica->event_size = 0;
    uint32_t waited =
        watches_trigger(replica->watches, table, path, replica->watch_step, deliver, replica);
    if (waited > 0)
        summary_add(&replica->watchers[type], waited);
}

static void node_created(void *context, struct slice path, uint32_t acl)
{
    struct replica *replica = context;
    replica->watch_step++;
    trigger(replica, WATCH_DATA, EVENT_CREATED, path, acl);
}

static void node_deleted(void *context, struct slice path, uint32_t acl)
{
    struct replica *replica = context;
    replica->watch_step++;
    trigger(replica, WATCH_DATA, EVENT_DELETED, path, acl);
    trigger(replica, WATCH_CHILD, EVENT_DELETED, path, acl); /* the same step: once per client */
}

static void data_changed(void *context, struct slice path, uint32_t acl)
{
    struct replica *replica = context;
    replica->watch_step++;
    trigger(replica, WATCH_DATA, EVENT_DATA_CHANGED, path, acl);
}

static void children_changed(void *context, struct slice parent_path, uint32_t acl)
{
    struct replica *replica = context;
    replica->watch_step++;
    trigger(replica, WATCH_CHILD, EVENT_CHILDREN_CHANGED, parent_path, acl);
}

const struct txn_observer *watching_observer(struct replica *replica, struct txn_observer *observer,
                                             int64_t zxid)
{
    replica->event_zxid = zxid;
    *observer =
        (struct txn_observer){node_created, node_deleted, data_changed, children_changed, replica};
    return observer;
}

/* --- setWatches: what happened while the client was away, and then the watches again --- */

static const struct znode *node_at(const struct replica *replica, struct slice path)
{
    uint32_t id = path.data == NULL ? NODE_NONE : tree_find(replica->tree, path);
    return id == NODE_NONE ? NULL : tree_node(replica->tree, id);
}

static void again_data(struct read_context *read, struct slice path, int64_t seen_zxid)
{
    const struct znode *node = node_at(read->replica, path);

    if (node == NULL)
        watching_send_event(read->replica, read->client, CATCH_UP_ZXID, EVENT_DELETED, path);
    else if (node->mzxid > seen_zxid)
        watching_send_event(read->replica, read->client, CATCH_UP_ZXID, EVENT_DATA_CHANGED, path);
    else
        watching_add(read->replica, read->client, WATCH_DATA, path);
}

static void again_exist(struct read_context *read, struct slice path)
{
    if (node_at(read->replica, path) != NULL)
        watching_send_event(read->replica, read->client, CATCH_UP_ZXID, EVENT_CREATED, path);
    else
        watching_add(read->replica, read->client, WATCH_DATA, path);
}

static void again_child(struct read_context *read, struct slice path, int64_t seen_zxid)
{
    const struct znode *node = node_at(read->replica, path);

    if (node == NULL)
        watching_send_event(read->replica, read->client, CATCH_UP_ZXID, EVENT_DELETED, path);
    else if (node->pzxid > seen_zxid)
        watching_send_event(read->replica, read->client, CATCH_UP_ZXID, EVENT_CHILDREN_CHANGED,
                            path);
    else
        watching_add(read->replica, read->client, WATCH_CHILD, path);
}

static enum zk_error set_watches(struct read_context *read)
{
    struct watches *watches = read->replica->watches;
    struct watch_client *client = &read->client->watch;
    struct set_watches2 request = {.persistent = {SLICE(""), 0},
                                   .persistent_recursive = {SLICE(""), 0}};
    struct reader reader;
    struct slice path;
    enum status status;

    reader_init(&reader, read->body, &read->replica->arena, read->replica->options.text_bytes_max);
    if (read->op == OP_SET_WATCHES2) {
        status = set_watches2_read(&reader, &request);
    } else {
        struct set_watches older;
        status = set_watches_read(&reader, &older);
        request.relative_zxid = older.relative_zxid;
        request.data = older.data;
        request.exist = older.exist;
        request.child = older.child;
    }
    if (status != STATUS_OK)
        return ZK_MARSHALLING_ERROR;
    /* One list after the other; Java comes as far as the first that is null. */
    if (request.data.count < 0)
        return ZK_MARSHALLING_ERROR;
    while (jute_next_text(&request.data, &path))
        again_data(read, path, request.relative_zxid);
    if (request.exist.count < 0)
        return ZK_MARSHALLING_ERROR;
    while (jute_next_text(&request.exist, &path))
        again_exist(read, path);
    if (request.child.count < 0)
        return ZK_MARSHALLING_ERROR;
    while (jute_next_text(&request.child, &path))
        again_child(read, path, request.relative_zxid);
    if (request.persistent.count < 0)
        return ZK_MARSHALLING_ERROR;
    while (jute_next_text(&request.persistent, &path)) {
        watches_add(watches, WATCH_DATA, path, client, WATCH_PERSISTENT);
        watches_add(watches, WATCH_CHILD, path, client, WATCH_PERSISTENT);
    }
    if (request.persistent_recursive.count < 0)
        return ZK_MARSHALLING_ERROR;
    while (jute_next_text(&request.persistent_recursive, &path))
        watches_add(watches, WATCH_DATA, path, client, WATCH_RECURSIVE);
    return ZK_OK;
}

/* --- addWatch, checkWatches, removeWatches --- */

static enum zk_error add_watch(struct read_context *read, const struct path_type_request *request)
{
    struct watches *watches = read->replica->watches;
    struct watch_client *client = &read->client->watch;

    switch (request->type) {
    case WATCH_ADD_PERSISTENT:
        watches_add(watches, WATCH_DATA, request->path, client, WATCH_PERSISTENT);
        watches_add(watches, WATCH_CHILD, request->path, client, WATCH_PERSISTENT);
        return ZK_OK;
    case WATCH_ADD_RECURSIVE:
        watches_add(watches, WATCH_DATA, request->path, client, WATCH_RECURSIVE);
        return ZK_OK;
    default:
        return ZK_MARSHALLING_ERROR;
    }
}

struct wanted { /* which kinds in which table a watcher type speaks of */
    unsigned data, child;
};

static bool wanted_of(int32_t type, struct wanted *ret_wanted)
{
    switch (type) {
    case WATCHER_CHILDREN:
        *ret_wanted = (struct wanted){0, WATCH_STANDARD};
        return true;
    case WATCHER_DATA:
        *ret_wanted = (struct wanted){WATCH_STANDARD, 0};
        return true;
    case WATCHER_ANY:
        *ret_wanted = (struct wanted){WATCH_KINDS, WATCH_KINDS};
        return true;
    case WATCHER_PERSISTENT:
        *ret_wanted = (struct wanted){WATCH_PERSISTENT, WATCH_PERSISTENT};
        return true;
    case WATCHER_RECURSIVE:
        *ret_wanted = (struct wanted){WATCH_RECURSIVE, 0};
        return true;
    default:
        return false;
    }
}

static enum zk_error check_or_remove(struct read_context *read,
                                     const struct path_type_request *request)
{
    struct watches *watches = read->replica->watches;
    struct watch_client *client = &read->client->watch;
    struct wanted wanted;

    if (!wanted_of(request->type, &wanted))
        return ZK_MARSHALLING_ERROR;
    unsigned data = watches_held(watches, WATCH_DATA, request->path, client) & wanted.data;
    unsigned child = watches_held(watches, WATCH_CHILD, request->path, client) & wanted.child;
    if (data == 0 && child == 0)
        return ZK_NO_WATCHER;
    if (read->op == OP_REMOVE_WATCHES) {
        watches_remove(watches, WATCH_DATA, request->path, client, data);
        watches_remove(watches, WATCH_CHILD, request->path, client, child);
    }
    return ZK_OK;
}

enum zk_error watching_answer(struct read_context *read)
{
    struct reader reader;
    struct path_type_request request;

    if (read->op == OP_SET_WATCHES || read->op == OP_SET_WATCHES2)
        return set_watches(read);
    reader_init(&reader, read->body, &read->replica->arena, read->replica->options.text_bytes_max);
    if (path_type_request_read(&reader, &request) != STATUS_OK)
        return ZK_MARSHALLING_ERROR;
    if (read->op == OP_ADD_WATCH && request.path.data == NULL)
        return ZK_MARSHALLING_ERROR; /* Java takes it, and cannot end the session any more */
    return read->op == OP_ADD_WATCH ? add_watch(read, &request) : check_or_remove(read, &request);
}
