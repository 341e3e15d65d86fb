/* connection.c: opens, writes, reads and ends one connection to another server. Its end is reported to the
 * replica exactly once, or not at all when the replica has closed it. */
#include "server/peer/peer_internal.h"

#include "base/array.h"

#include <netinet/in.h>
#include <stdio.h>

enum {
    PARTS_FIRST = 4,
    /* What was sent before a close leaves first, as long as the other side takes it: so long it may
     * take nothing. */
    LINGER_MS = 3000
};

static void tell(struct peer_connection *connection, enum replica_event_kind kind)
{
    struct host *host = connection->peers->host;
    struct replica_event event = {.kind = kind,
                                  .connection = connection->number,
                                  .port = connection->port,
                                  .address = slice_text(connection->address)};

    host->step(host, &event);
}

static struct peer_connection *connection_new(struct peers *peers, uint64_t number,
                                              enum peer_port port)
{
    struct peer_connection *connection = mem_zalloc(sizeof(*connection));

    connection->peers = peers;
    connection->number = number;
    connection->port = port;
    list_add_last(&peers->connections, &connection->in_all);
    list_init(&connection->in_turn);
    list_init(&connection->in_ready);
    ASSERT(map_get(&peers->by_number, number) == NULL);
    map_set(&peers->by_number, number, connection);
    return connection;
}

/* No callback of it comes any more. */
static void connection_free(struct peer_connection *connection)
{
    struct peers *peers = connection->peers;

    ASSERT(list_empty(&connection->in_turn) && list_empty(&connection->in_ready));
    ASSERT(connection->dial == NULL);
    if (connection->accepted) {
        ASSERT(peers->accepted_count > 0);
        peers->accepted_count--;
    }
    list_remove(&connection->in_all);
    buffer_deinit(&connection->early);
    mem_free(connection->parts);
    mem_free(connection);
}

/* --- the end --- */

/* From now on the replica does not know it. False: it did not before. */
static bool forget(struct peer_connection *connection)
{
    list_remove(&connection->in_turn);
    list_remove(&connection->in_ready);
    if (map_get(&connection->peers->by_number, connection->number) != connection)
        return false;
    map_remove(&connection->peers->by_number, connection->number);
    return true;
}

void peer_connection_close(struct peer_connection *connection)
{
    (void)forget(connection);
    if (connection->dial != NULL)
        dial_cancel(connection->dial);
    connection->dial = NULL;
    if (connection->open)
        stream_close(&connection->stream); /* frees it when the stream is closed */
    else
        connection_free(connection);
}

void peer_connection_lost(struct peer_connection *connection)
{
    if (forget(connection) && !connection->closing) {
        connection->closing = true; /* whatever the replica does now, this is over */
        tell(connection, REPLICA_PEER_CLOSED);
    }
    peer_connection_close(connection);
}

void peer_connection_finish(struct peer_connection *connection)
{
    struct peers *peers = connection->peers;

    ASSERT(connection->closing && connection->finished && connection->part_count == 0);
    (void)forget(connection);
    if (!connection->open || connection->broken ||
        (stream_queued(&connection->stream) == 0 && stream_unconfirmed(&connection->stream) == 0)) {
        peer_connection_close(connection);
        return;
    }
    /* Closed now, with unread bytes of the other side, the kernel would throw away what is on its
     * way: so its end is awaited. */
    if (stream_queued(&connection->stream) == 0)
        stream_end_output(&connection->stream);
    connection->stalled_bytes = stream_kernel_queue(&connection->stream);
    connection->linger_end_ms = host_now_ms(peers->host) + LINGER_MS;
    if (!uv_is_active((const uv_handle_t *)&peers->linger))
        uv_timer_again(&peers->linger);
}

void peer_connection_check_linger(struct peer_connection *connection, int64_t now_ms)
{
    ASSERT(connection->open && connection->finished);
    size_t waiting = stream_kernel_queue(&connection->stream);

    if (waiting != connection->stalled_bytes)
        connection->linger_end_ms = now_ms + LINGER_MS;
    connection->stalled_bytes = waiting;
    if (now_ms < connection->linger_end_ms)
        return;
    if (waiting > 0)
        peer_log(connection, LOG_LEVEL_WARN, "another server did not read the last bytes for it",
                 NULL);
    peer_connection_close(connection);
}

/* --- sending --- */

bool peer_connection_has_room(const struct peer_connection *connection)
{
    return connection->open && stream_queued(&connection->stream) <= PEER_ROOM_BYTES;
}

void peer_connection_tell_ready(struct peer_connection *connection)
{
    list_remove(&connection->in_ready);
    if (!connection->held || connection->closing || !peer_connection_has_room(connection))
        return;
    connection->held = false;
    tell(connection, REPLICA_PEER_READY);
}

void peer_connection_add_part(struct peer_connection *connection, struct slice bytes)
{
    if (connection->part_count > 0) {
        struct slice *last = &connection->parts[connection->part_count - 1];
        if (last->data + last->size == bytes.data) {
            last->size += bytes.size;
            return;
        }
    }
    connection->parts = ARRAY_RESERVE(connection->parts, connection->part_capacity,
                                      connection->part_count + 1, PARTS_FIRST);
    connection->parts[connection->part_count++] = bytes;
}

static size_t waiting_bytes(const struct peer_connection *connection)
{
    return connection->open ? stream_queued(&connection->stream) : connection->early.size;
}

void peer_connection_flush(struct peer_connection *connection)
{
    size_t count = connection->part_count;

    connection->part_count = 0;
    if (count == 0 || connection->broken)
        return;
    /* The bound is on what waits already: the bytes of one turn are always taken. */
    if (waiting_bytes(connection) > connection->peers->options.queue_bytes_max) {
        connection->broken = true;
        peer_log(connection, LOG_LEVEL_WARN, "closing a connection",
                 "the other server does not read what is sent to it");
    } else if (connection->open) {
        connection->broken =
            stream_send_parts(&connection->stream, connection->parts, count) != STATUS_OK;
        if (connection->broken)
            peer_log(connection, LOG_LEVEL_INFO, "a connection broke", NULL);
    } else {
        for (size_t i = 0; i < count; i++)
            buffer_append(&connection->early, connection->parts[i]);
    }
}

/* --- events of the stream --- */

static void on_bytes(void *context, const uint8_t *bytes, size_t size)
{
    struct peer_connection *connection = context;
    struct host *host = connection->peers->host;
    struct replica_event event = {.kind = REPLICA_PEER_BYTES,
                                  .connection = connection->number,
                                  .port = connection->port,
                                  .bytes = slice_of(bytes, size)};

    connection->heard = true;
    if (!connection->closing && !connection->broken)
        host->step(host, &event);
}

static void on_ended(void *context, bool broken)
{
    struct peer_connection *connection = context;
    /* A connection that ends without a byte was only a check whether the port is open. */
    bool of_note = !connection->accepted || connection->heard;

    if (!connection->closing)
        peer_log(connection, of_note ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG,
                 broken ? "a connection broke" : "the other server ended a connection", NULL);
    peer_connection_lost(connection);
}

static void on_written(void *context)
{
    struct peer_connection *connection = context;

    if (!connection->finished)
        peer_connection_tell_ready(connection);
    else if (stream_queued(&connection->stream) == 0)
        stream_end_output(&connection->stream);
}

static void on_closed(void *context)
{
    connection_free(context);
}

static const struct stream_events connection_events = {on_bytes, on_ended, on_written, on_closed};

/* --- opening --- */

static void read_address(struct peer_connection *connection, const struct sockaddr_storage *peer)
{
    address_host_text(address_host((const struct sockaddr *)peer), connection->address);
    if (connection->accepted)
        snprintf(connection->name, sizeof(connection->name), "%s:%d", connection->address,
                 address_port((const struct sockaddr *)peer));
}

static void begin(struct peer_connection *connection)
{
    if (connection->peers->options.tcp_keep_alive)
        stream_keep_alive(&connection->stream);
    stream_read(&connection->stream, true);
    if (!connection->closing)
        tell(connection, REPLICA_PEER_OPENED);
}

static void on_dialed(void *context, int fd, int error)
{
    struct peer_connection *connection = context;
    struct sockaddr_storage peer;

    ASSERT(connection->dial != NULL && !connection->open);
    connection->dial = NULL;
    if (!connection->closing)
        peer_log_dialed(connection, error);
    if (error != 0) {
        peer_connection_lost(connection);
        return;
    }
    stream_init(&connection->stream, &connection->peers->net, &connection_events, connection);
    connection->open = true;
    struct buffer early = connection->early;
    buffer_init(&connection->early);
    if (stream_open(&connection->stream, fd, &peer) != STATUS_OK ||
        stream_send(&connection->stream, buffer_slice(&early)) != STATUS_OK) {
        buffer_deinit(&early);
        peer_connection_lost(connection);
        return;
    }
    buffer_deinit(&early);
    read_address(connection, &peer);
    begin(connection);
    peer_connection_tell_ready(connection);
}

static int32_t dial_timeout_ms(const struct peers *peers, const struct peer_effect *effect)
{
    int32_t most_ms = peers->options.connect_timeout_ms;

    return effect->timeout_ms > 0 && (most_ms <= 0 || effect->timeout_ms < most_ms)
               ? effect->timeout_ms
               : most_ms;
}

void peer_connection_dial(struct peers *peers, const struct peer_effect *effect)
{
    struct peer_connection *connection = connection_new(peers, effect->connection, effect->port);
    char host[HOST_TEXT_MAX];

    ASSERT(effect->connection % 2 == 1);
    snprintf(host, sizeof(host), "%.*s", (int)effect->host.size, (const char *)effect->host.data);
    snprintf(connection->name, sizeof(connection->name), "%s:%u", host, effect->port_number);
    connection->dial = dial_start(peers->host->loop, host, effect->port_number,
                                  dial_timeout_ms(peers, effect), on_dialed, connection);
}

void peer_connection_accept(struct peers *peers, enum peer_port port, uv_stream_t *socket)
{
    struct peer_connection *connection = connection_new(peers, peers->next_number, port);
    struct sockaddr_storage peer;

    ASSERT(connection->number % 2 == 0);
    peers->next_number += 2;
    connection->accepted = true;
    peers->accepted_count++;
    stream_init(&connection->stream, &peers->net, &connection_events, connection);
    connection->open = true;
    if (stream_accept(&connection->stream, socket, &peer) != STATUS_OK) {
        peer_connection_close(connection); /* it has gone already */
        return;
    }
    read_address(connection, &peer);
    if (peers->accepted_count > PEER_ACCEPTED_MAX) {
        peer_log(connection, LOG_LEVEL_WARN, "refusing a connection",
                 "too many are open that others have opened");
        peer_connection_close(connection);
        return;
    }
    peer_log(connection, LOG_LEVEL_DEBUG, "another server has connected", NULL);
    begin(connection);
}
