/* node_clients.c: what a replica has closed is filtered here: no event of it reaches the replica any more,
 * but the one that says that it is gone. */
#include "sim/node_clients.h"

#include "wire/ops.h"
#include "wire/records.h"

void node_clients_init(struct node_clients *clients, struct inbox *inbox, enum node_bug bug)
{
    *clients = (struct node_clients){.inbox = inbox, .bug = bug};
}

void node_clients_forget(struct node_clients *clients)
{
    for (uint32_t id = 0; id < NODE_CLIENTS; id++) {
        buffer_deinit(&clients->items[id].input);
        clients->items[id] = (struct node_client){0};
    }
}

static struct node_client *find(struct node_clients *clients, uint64_t connection, uint32_t *ret_id)
{
    for (uint32_t id = 0; id < NODE_CLIENTS; id++) {
        if (!clients->items[id].used || clients->items[id].connection != connection)
            continue;
        *ret_id = id;
        return &clients->items[id];
    }
    return NULL;
}

bool node_clients_accept(struct node_clients *clients, uint64_t connection)
{
    for (uint32_t id = 0; id < NODE_CLIENTS; id++) {
        struct node_client *client = &clients->items[id];
        if (client->used)
            continue;
        *client = (struct node_client){.used = true, .connection = connection};
        struct inbox_event *item = inbox_add(clients->inbox, REPLICA_CLIENT_OPENED);
        item->event.client = id;
        item->event.address = SLICE("10.0.1.1");
        return true;
    }
    return false;
}

/* Some bugs are made here: the replica gets another request than the client's. */
static void spoil_request(enum node_bug bug, uint8_t *bytes, size_t size)
{
    int32_t type = size < 16 ? 0 : (int32_t)load_be32(bytes + 4);

    if (bug == NODE_FORGETS_CHANGES && type == OP_SET_WATCHES)
        memset(bytes + 9, 0xff, 7); /* its relativeZxid */
    if (bug == NODE_LISTS_ANOTHER && type == OP_GET_CHILDREN)
        bytes[14] ^= 1; /* "/p0" is "/p1" */
}

/* True: there was a whole one. */
static bool take_frames(struct node_clients *clients, uint32_t id)
{
    struct node_client *client = &clients->items[id];
    size_t at = 0;

    while (!client->paused && !client->closing && client->input.size - at >= 4) {
        size_t size = load_be32(client->input.data + at);
        ASSERT(size < NODE_FRAME_BYTES_MAX);
        if (client->input.size - at - 4 < size)
            break;
        struct inbox_event *item = inbox_add(clients->inbox, REPLICA_CLIENT_FRAME);
        item->event.client = id;
        inbox_own_bytes(item, slice_of(client->input.data + at + 4, size));
        spoil_request(clients->bug, item->bytes, size);
        at += 4 + size;
    }
    if (at > 0) /* nothing came yet: there is no memory */
        memmove(client->input.data, client->input.data + at, client->input.size - at);
    client->input.size -= at;
    return at > 0;
}

bool node_clients_bytes(struct node_clients *clients, uint64_t connection, struct slice bytes)
{
    uint32_t id;
    struct node_client *client = find(clients, connection, &id);

    if (client == NULL || client->closing)
        return false;
    buffer_append(&client->input, bytes);
    return take_frames(clients, id);
}

void node_clients_end(struct node_clients *clients, uint32_t id)
{
    struct node_client *client = &clients->items[id];

    if (client->closing)
        return;
    client->closing = true;
    inbox_add(clients->inbox, REPLICA_CLIENT_CLOSED)->event.client = id;
}

void node_clients_closed(struct node_clients *clients, uint64_t connection)
{
    uint32_t id;

    if (find(clients, connection, &id) != NULL)
        node_clients_end(clients, id);
}

bool node_clients_take(struct node_clients *clients, const struct replica_event *event)
{
    struct node_client *client = &clients->items[event->client];

    switch (event->kind) {
    case REPLICA_CLIENT_FRAME:
    case REPLICA_CLIENT_READY:
        return client->used;
    case REPLICA_CLIENT_CLOSED:
        buffer_deinit(&client->input);
        *client = (struct node_client){0};
        return true;
    default:
        return true;
    }
}

void node_clients_pause(struct node_clients *clients, uint32_t id)
{
    clients->items[id].paused = true;
}

void node_clients_resume(struct node_clients *clients, uint32_t id)
{
    clients->items[id].paused = false;
    (void)take_frames(clients, id);
}

/* Where an event stands in front of an answer, the two change places. */
void node_clients_spoil_answers(const struct node_clients *clients, uint8_t *first, size_t size)
{
    if (clients->bug != NODE_SENDS_EVENTS_LATE)
        return;
    size_t first_bytes = 4 + load_be32(first);
    if (first_bytes >= size || (int32_t)load_be32(first + 4) != XID_NOTIFICATION)
        return;
    uint8_t *second = first + first_bytes;
    size_t second_bytes = 4 + load_be32(second);
    uint8_t *event = mem_alloc(first_bytes);
    memcpy(event, first, first_bytes);
    memmove(first, second, second_bytes);
    memcpy(first + second_bytes, event, first_bytes);
    mem_free(event);
}
