/* answers.c: frames for clients, written straight into the bytes of the effects. All that is sent to
 * a client passes through here, and is counted here only. */
#include "replica/clients/client.h"

enum { FRAME_HEAD_BYTES = 4 };

static void send(struct clients *clients, struct client *client, size_t offset, size_t size)
{
    ASSERT(client->state != CLIENT_CLOSING); /* the host has its CLIENT_CLOSE already */
    client->sent++;
    effects_add_send(clients->step->effects, client->id, offset, size);
}

size_t frame_begin(struct clients *clients)
{
    size_t start = clients->step->effects->bytes.size;
    (void)buffer_extend(&clients->step->effects->bytes, FRAME_HEAD_BYTES);
    return start;
}

void frame_end(struct clients *clients, struct client *client, size_t start)
{
    struct buffer *bytes = &clients->step->effects->bytes;

    ASSERT(bytes->size >= start + FRAME_HEAD_BYTES);
    store_be32(bytes->data + start, (uint32_t)(bytes->size - start - FRAME_HEAD_BYTES));
    send(clients, client, start, bytes->size - start);
}

size_t reply_begin(struct clients *clients)
{
    size_t start = clients->step->effects->bytes.size;
    (void)buffer_extend(&clients->step->effects->bytes, FRAME_HEAD_BYTES + REPLY_HEADER_BYTES);
    return start;
}

void reply_drop_body(struct clients *clients, size_t start)
{
    struct buffer *bytes = &clients->step->effects->bytes;

    ASSERT(bytes->size >= start + FRAME_HEAD_BYTES + REPLY_HEADER_BYTES);
    bytes->size = start + FRAME_HEAD_BYTES + REPLY_HEADER_BYTES;
}

/* Counts what Java counts: each frame with a reply's header, events too. */
static void count_response(struct clients *clients, size_t frame_bytes)
{
    int64_t size = (int64_t)frame_bytes;

    clients->response_last = size;
    if (clients->response_min < 0 || size < clients->response_min)
        clients->response_min = size;
    if (size > clients->response_max)
        clients->response_max = size;
}

void send_event(struct clients *clients, struct client *client, size_t offset, size_t size)
{
    ASSERT(size >= FRAME_HEAD_BYTES + REPLY_HEADER_BYTES);
    count_response(clients, size - FRAME_HEAD_BYTES);
    metrics_count(&clients->step->metrics, METRIC_WATCH_BYTES, (int64_t)(size - FRAME_HEAD_BYTES));
    send(clients, client, offset, size);
}

void reply_end(struct clients *clients, struct client *client, size_t start, int32_t xid,
               int64_t zxid, enum zk_error err)
{
    struct buffer *bytes = &clients->step->effects->bytes;

    ASSERT(bytes->size >= start + FRAME_HEAD_BYTES + REPLY_HEADER_BYTES);
    reply_header_put(bytes->data + start + FRAME_HEAD_BYTES,
                     &(struct reply_header){.xid = xid, .zxid = zxid, .err = err});
    count_response(clients, bytes->size - start - FRAME_HEAD_BYTES);
    frame_end(clients, client, start);
}

void reply_error(struct clients *clients, struct client *client, int32_t xid, int64_t zxid,
                 enum zk_error err)
{
    reply_end(clients, client, reply_begin(clients), xid, zxid, err);
}

bool is_late(const struct clients *clients, const struct session *session, int64_t arrived_ms)
{
    return clients->options.stale_latency_check && session != NULL &&
           clients->step->now_ms - arrived_ms > session->timeout_ms;
}

void client_answered(struct clients *clients, struct client *client, int32_t op, int32_t xid,
                     int64_t zxid, int64_t arrived_ms, enum metric_id latency)
{
    int64_t ms = clients->step->now_ms - arrived_ms;

    if (op != OP_PING && op != OP_CREATE_SESSION)
        metrics_count(&clients->step->metrics, METRIC_RESPONSE_BYTES, clients->response_last);
    client->last_op = op;
    if (client->attachment != NULL && op != OP_ERROR && op != OP_CLOSE_SESSION &&
        is_late(clients, client->attachment->session, arrived_ms))
        metrics_count(&clients->step->metrics, METRIC_STALE_REPLIES, 1);
    if (xid >= 0)
        client->last_cxid = xid;
    client->last_zxid = zxid;
    client->last_response_ms = clients->step->now_ms;
    client->last_latency_ms = ms;
    summary_add(&client->latency_ms, ms);
    metrics_observe(&clients->step->metrics, latency, ms);
}
