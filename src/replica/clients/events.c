/* events.c: watch events. The frame of an event is written once and sent to everybody who waits for
 * it and may read the znode. */
#include "replica/clients/client.h"

static size_t event_begin(struct clients *clients, int64_t zxid, enum zk_event type,
                          struct slice path)
{
    struct buffer *bytes = &clients->step->effects->bytes;
    size_t start = frame_begin(clients);

    reply_header_write(bytes, &(struct reply_header){.xid = XID_NOTIFICATION, .zxid = zxid});
    watcher_event_write(
        bytes, &(struct watcher_event){.type = type, .state = STATE_SYNC_CONNECTED, .path = path});
    store_be32(bytes->data + start, (uint32_t)(bytes->size - start - 4));
    return start;
}

void event_send(struct clients *clients, struct client *client, int64_t zxid, enum zk_event type,
                struct slice path)
{
    size_t start = event_begin(clients, zxid, type, path);
    send_event(clients, client, start, clients->step->effects->bytes.size - start);
}

/* --- events of a transaction: one frame for all who get it --- */

static void deliver(void *context, struct watch_client *watch_client)
{
    struct clients *clients = context;
    struct watch_event *event = &clients->event;
    struct client *client = CONTAINER_OF(watch_client, struct client, watch);

    ASSERT(client->state == CLIENT_SERVING); /* no other client has a watch */
    if (!acl_allows(clients->acl, tree_acl(clients->tree, event->acl), PERM_READ,
                    client->identities))
        return; /* it may not read the znode; a one-shot watch is used up all the same */
    if (event->size == 0) {
        event->offset = event_begin(clients, event->zxid, (enum zk_event)event->type, event->path);
        event->size = clients->step->effects->bytes.size - event->offset;
    }
    send_event(clients, client, event->offset, event->size);
}

static void trigger(struct clients *clients, enum watch_table table, enum zk_event type,
                    struct slice path, uint32_t acl)
{
    static const enum metric_id watchers[] = {[EVENT_CREATED] = METRIC_WATCHERS_CREATED,
                                              [EVENT_DELETED] = METRIC_WATCHERS_DELETED,
                                              [EVENT_DATA_CHANGED] = METRIC_WATCHERS_CHANGED,
                                              [EVENT_CHILDREN_CHANGED] = METRIC_WATCHERS_CHILDREN};
    struct watch_event *event = &clients->event;

    ASSERT(clients->tree_half_changed); /* changes come from a transaction */
    event->type = type;
    event->path = path;
    event->acl = acl;
    event->size = 0;
    uint32_t waited = watches_trigger(clients->watches, table, path, event->step, deliver, clients);
    if (waited > 0)
        metrics_observe(&clients->step->metrics, watchers[type], waited);
}

static void node_created(void *context, struct slice path, uint32_t acl)
{
    struct clients *clients = context;
    clients->event.step++;
    trigger(clients, WATCH_DATA, EVENT_CREATED, path, acl);
}

static void node_deleted(void *context, struct slice path, uint32_t acl)
{
    struct clients *clients = context;
    clients->event.step++;
    trigger(clients, WATCH_DATA, EVENT_DELETED, path, acl);
    trigger(clients, WATCH_CHILD, EVENT_DELETED, path, acl); /* the same step: once per client */
}

static void data_changed(void *context, struct slice path, uint32_t acl)
{
    struct clients *clients = context;
    clients->event.step++;
    trigger(clients, WATCH_DATA, EVENT_DATA_CHANGED, path, acl);
}

static void children_changed(void *context, struct slice parent_path, uint32_t acl)
{
    struct clients *clients = context;
    clients->event.step++;
    trigger(clients, WATCH_CHILD, EVENT_CHILDREN_CHANGED, parent_path, acl);
}

static void written(void *context, struct slice path, size_t data_bytes)
{
    const struct clients *clients = context;
    traffic_write(clients->step->traffic, path, data_bytes);
}

void events_begin(struct clients *clients, int64_t zxid)
{
    clients->event.zxid = zxid;
}

struct txn_observer events_observer(struct clients *clients)
{
    return (struct txn_observer){node_created,     node_deleted, data_changed,
                                 children_changed, clients,      written};
}
