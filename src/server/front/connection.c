#include "server/front/front_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { FRAME_HEAD_BYTES = 4, CONNECT_SESSION_AT = 16 };

struct pending_write {
    uv_write_t request;
    struct connection *connection;
    struct buffer bytes;
};

void connection_address(const struct connection *connection, char *text)
{
    char host[ADDRESS_TEXT_MAX];

    address_host_text(connection->host, host);
    snprintf(text, PEER_TEXT_MAX, "/%s:%u", host, connection->port);
}

size_t connection_queued(const struct connection *connection)
{
    return connection->out.size + connection->writing_bytes;
}

/* Answers that wait for the client are bounded by not taking more of its requests: a reader that is
 * merely slow loses nothing, and one that never reads is closed by the idle check. */
bool connection_has_share(const struct connection *connection)
{
    return connection_queued(connection) + connection->turn_bytes <=
           connection->front->queue_bytes_max / 2;
}

/* --- closing --- */

static void on_closed(uv_handle_t *handle)
{
    struct connection *connection = handle->data;

    front_forget(connection->front, connection);
    buffer_deinit(&connection->in);
    buffer_deinit(&connection->out);
    mem_free(connection);
}

/* Out of the replica's sight: no frames from it, no answers to it. */
static void part(struct connection *connection)
{
    struct front *front = connection->front;

    if (connection->closing)
        return;
    connection->closing = true;
    connection->first_send = connection->last_send = NO_SEND;
    list_remove(&connection->waiting);
    front->large_bytes -= connection->large_bytes;
    connection->large_bytes = 0;
    connection_update_reading(connection);
    if (connection->known) {
        struct replica_event event = {.kind = REPLICA_CLIENT_CLOSED, .client = connection->id};
        connection->known = false;
        server_step(front->server, &event);
    }
}

void connection_close_now(struct connection *connection)
{
    if (connection->closed)
        return;
    part(connection);
    connection->closed = true;
    list_remove(&connection->dirty);
    uv_close((uv_handle_t *)&connection->tcp, on_closed);
}

void connection_close(struct connection *connection)
{
    if (connection->closed)
        return;
    part(connection);
    if (connection_queued(connection) == 0)
        connection_close_now(connection); /* else on_written() or the idle check does it */
}

/* --- sending --- */

static bool write_later(struct connection *connection, struct buffer *bytes);

static void on_written(uv_write_t *request, int status)
{
    struct pending_write *writing = CONTAINER_OF(request, struct pending_write, request);
    struct connection *connection = writing->connection;
    struct buffer out = connection->out;

    buffer_deinit(&writing->bytes);
    mem_free(writing);
    connection->writing = NULL;
    connection->writing_bytes = 0;
    if (connection->closed)
        return;
    if (status != 0) {
        connection_close_now(connection);
        return;
    }
    connection->heard_ms = server_now_ms(connection->front->server);
    buffer_init(&connection->out);
    if (out.size > 0 && !write_later(connection, &out)) {
        connection_close_now(connection);
        return;
    }
    if (connection->closing && connection_queued(connection) == 0)
        connection_close_now(connection);
    else
        connection_feed(connection);
}

/* The kernel takes nothing more just now: libuv keeps these bytes until it does. */
static bool write_later(struct connection *connection, struct buffer *bytes)
{
    struct pending_write *writing = mem_zalloc(sizeof(*writing));

    writing->connection = connection;
    writing->bytes = *bytes;
    buffer_init(bytes);
    connection->writing = writing;
    connection->writing_bytes = writing->bytes.size;
    uv_buf_t buffer = uv_buf_init((char *)writing->bytes.data, (unsigned)writing->bytes.size);
    if (uv_write(&writing->request, (uv_stream_t *)&connection->tcp, &buffer, 1, on_written) == 0)
        return true;
    connection->writing = NULL;
    connection->writing_bytes = 0;
    buffer_deinit(&writing->bytes);
    mem_free(writing);
    return false;
}

void connection_log_slow(const struct connection *connection)
{
    struct front *front = connection->front;
    char peer[PEER_TEXT_MAX];
    uint32_t held_back = 0;

    if (log_limit_take(&front->slow_readers, server_now_ms(front->server), &held_back)) {
        connection_address(connection, peer);
        log_warn("front",
                 "closing a client that does not read its answers peer=%s queued_bytes=%zu "
                 "(not said before: %u)",
                 peer, connection_queued(connection), held_back);
    }
}

bool connection_send(struct connection *connection, struct slice bytes)
{
    struct front *front = connection->front;

    if (connection->closed || bytes.size == 0)
        return true;
    if (connection->writing != NULL) {
        /* The bound is on what waits already: one answer, however large, is always taken. */
        if (connection_queued(connection) > front->queue_bytes_max) {
            connection_log_slow(connection);
            return false;
        }
        buffer_append(&connection->out, bytes);
        return true;
    }
    uv_os_fd_t fd;
    if (uv_fileno((uv_handle_t *)&connection->tcp, &fd) != 0)
        return false;
    ssize_t taken = send(fd, bytes.data, bytes.size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (taken < 0 && (errno == EAGAIN || errno == EINTR))
        taken = 0;
    if (taken < 0)
        return false;
    if ((size_t)taken == bytes.size)
        return true;
    struct buffer rest;
    buffer_init(&rest);
    buffer_append(&rest, slice_of(bytes.data + taken, bytes.size - (size_t)taken));
    return write_later(connection, &rest);
}

/* --- reading --- */

static void close_malformed(struct connection *connection, int32_t size)
{
    struct front *front = connection->front;
    char peer[PEER_TEXT_MAX];
    uint32_t held_back = 0;

    if (log_limit_take(&front->bad_frames, server_now_ms(front->server), &held_back)) {
        connection_address(connection, peer);
        log_warn("front",
                 "closing a connection: frame length %d is outside 0..%d (jute.maxbuffer) "
                 "peer=%s (not said before: %u)",
                 size, front->server->config->jute_maxbuffer, peer, held_back);
    }
    connection_close(connection);
}

/* The sum of large requests in progress has a bound (largeRequestMaxBytes). */
static bool large_allowed(struct connection *connection, int32_t size)
{
    struct front *front = connection->front;
    const struct config *config = front->server->config;
    uint32_t held_back = 0;
    char peer[PEER_TEXT_MAX];

    if (config->large_request_threshold <= 0 || size <= config->large_request_threshold ||
        front->large_bytes + size <= config->large_request_bytes_max)
        return true;
    front->metrics.large_requests_rejected++;
    if (log_limit_take(&front->bad_frames, server_now_ms(front->server), &held_back)) {
        connection_address(connection, peer);
        log_warn("front",
                 "closing a connection: rejecting a large request frame_bytes=%d "
                 "large_bytes_in_progress=%lld largeRequestMaxBytes=%d peer=%s",
                 size, (long long)front->large_bytes, config->large_request_bytes_max, peer);
    }
    connection_close(connection);
    return false;
}

static void count_large(struct connection *connection, int32_t size)
{
    struct front *front = connection->front;
    int32_t threshold = front->server->config->large_request_threshold;

    if (threshold > 0 && size > threshold) {
        connection->large_bytes += (uint32_t)size;
        front->large_bytes += size;
    }
}

static double chance(void)
{
    return (double)random() / ((double)RAND_MAX + 1);
}

/* The throttle is asked once, for the ConnectRequest. */
static bool connect_allowed(struct connection *connection, struct slice frame)
{
    struct front *front = connection->front;
    const struct config *config = front->server->config;
    int64_t now_ms = server_now_ms(front->server);
    int32_t need = 1;

    if (config->throttle_weighted) {
        bool renew =
            frame.size >= CONNECT_SESSION_AT + 8 && load_be64(frame.data + CONNECT_SESSION_AT) != 0;
        need = renew ? config->throttle_weight_renew : config->throttle_weight_global;
    }
    bool allowed = throttle_take(&front->throttle, need, now_ms, chance());
    summary_add(&front->metrics.token_deficit, throttle_deficit(&front->throttle));
    front->metrics.connect_requests++;
    if (!allowed)
        front->metrics.connections_rejected++;
    return allowed;
}

static bool may_parse(const struct connection *connection)
{
    return !connection->paused && !connection->close_wanted && !connection->closing &&
           connection_has_share(connection);
}

/* One whole frame to the replica. False: give it no more now. */
static bool give_frame(struct connection *connection, struct slice frame)
{
    struct server *server = connection->front->server;
    struct replica_event event = {.client = connection->id};

    if (!connection->known) {
        char host[ADDRESS_TEXT_MAX];
        if (!connect_allowed(connection, frame)) {
            connection_close(connection);
            return false;
        }
        address_host_text(connection->host, host);
        event.kind = REPLICA_CLIENT_OPENED;
        event.address = slice_text(host);
        connection->known = true;
        server_step(server, &event);
    }
    count_large(connection, (int32_t)frame.size);
    event.kind = REPLICA_CLIENT_FRAME;
    event.address = SLICE_NULL;
    event.bytes = frame;
    server_step(server, &event);
    return may_parse(connection);
}

/* Gives every whole frame in these bytes to the replica, in place. Returns how many bytes are done
 * with; fewer than `size` when the last frame is incomplete or the connection must wait. */
static size_t parse_frames(struct connection *connection, const uint8_t *bytes, size_t size)
{
    int32_t frame_max = connection->front->server->config->jute_maxbuffer;
    size_t at = 0;

    while (size - at >= FRAME_HEAD_BYTES) {
        int32_t frame_size = (int32_t)load_be32(bytes + at);
        if (frame_size < 0 || frame_size > frame_max) {
            if (connection->known || !four_letter_try(connection, bytes + at, size - at))
                close_malformed(connection, frame_size);
            return at;
        }
        if (!large_allowed(connection, frame_size))
            return at;
        if (size - at - FRAME_HEAD_BYTES < (size_t)frame_size)
            return at;
        at += FRAME_HEAD_BYTES + (size_t)frame_size;
        connection->front->metrics.bytes_received += FRAME_HEAD_BYTES + frame_size;
        if (!give_frame(connection, slice_of(bytes + at - (size_t)frame_size, (size_t)frame_size)))
            return at;
    }
    return at;
}

/* How many bytes the frame at the start of `in` still lacks. */
static size_t bytes_missing(const struct connection *connection)
{
    size_t have = connection->in.size;

    if (have < FRAME_HEAD_BYTES)
        return FRAME_HEAD_BYTES - have;
    return FRAME_HEAD_BYTES + load_be32(connection->in.data) - have;
}

static void drop_parsed(struct buffer *in, size_t parsed)
{
    if (parsed == in->size) {
        buffer_deinit(in);
    } else if (parsed > 0) {
        memmove(in->data, in->data + parsed, in->size - parsed);
        in->size -= parsed;
    }
}

static void take_bytes(struct connection *connection, const uint8_t *bytes, size_t size)
{
    /* First fill up the frame that is incomplete; grown as bytes arrive, never by what it claims. */
    while (size > 0 && connection->in.size > 0 && may_parse(connection)) {
        size_t missing = bytes_missing(connection), more = missing < size ? missing : size;
        buffer_append(&connection->in, slice_of(bytes, more));
        bytes += more;
        size -= more;
        if (more == missing || connection->in.size == FRAME_HEAD_BYTES)
            drop_parsed(&connection->in,
                        parse_frames(connection, connection->in.data, connection->in.size));
    }
    if (connection->in.size == 0 && may_parse(connection)) {
        size_t parsed = parse_frames(connection, bytes, size);
        bytes += parsed;
        size -= parsed;
    }
    if (size > 0 && !connection->closing && !connection->close_wanted)
        buffer_append(&connection->in, slice_of(bytes, size));
}

/* Frames are here that had no share of this turn. */
static void continue_later(struct connection *connection)
{
    struct front *front = connection->front;

    if (connection->in.size > 0 && !connection->paused && !connection->closing &&
        !connection->close_wanted && connection->turn_bytes > 0 &&
        !connection_has_share(connection) && list_empty(&connection->waiting))
        list_add_last(&front->later, &connection->waiting);
}

/* Answers that the replica holds back until there is room for them. */
static void take_held(struct connection *connection)
{
    struct replica_event event = {.kind = REPLICA_CLIENT_READY, .client = connection->id};

    if (!connection->held || !connection->known || connection->close_wanted ||
        connection->closing || !connection_has_share(connection))
        return;
    connection->held = false;
    server_step(connection->front->server, &event);
}

void connection_feed(struct connection *connection)
{
    take_held(connection);
    if (connection->in.size > 0 && may_parse(connection))
        drop_parsed(&connection->in,
                    parse_frames(connection, connection->in.data, connection->in.size));
    continue_later(connection);
    connection_update_reading(connection);
}

static void on_alloc(uv_handle_t *handle, size_t wish, uv_buf_t *ret_buffer)
{
    struct connection *connection = handle->data;

    (void)wish;
    *ret_buffer = uv_buf_init((char *)connection->front->read_buffer, READ_BUFFER_BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct connection *connection = stream->data;
    struct front *front = connection->front;

    if (size == 0)
        return; /* EAGAIN */
    if (size < 0) {
        if (size == UV_EOF && !connection->closing)
            front->metrics.connections_dropped++;
        connection_close_now(connection);
        return;
    }
    connection->heard_ms = server_now_ms(front->server);
    take_bytes(connection, (const uint8_t *)buffer->base, (size_t)size);
    continue_later(connection);
    connection_update_reading(connection);
}

void connection_update_reading(struct connection *connection)
{
    bool wanted = may_parse(connection) && !connection->front->stopping;

    if (connection->closed || wanted == connection->reading)
        return;
    connection->reading = wanted;
    if (wanted)
        uv_read_start((uv_stream_t *)&connection->tcp, on_alloc, on_read);
    else
        uv_read_stop((uv_stream_t *)&connection->tcp);
}

void connection_start(struct connection *connection)
{
    list_init(&connection->dirty);
    list_init(&connection->waiting);
    connection->first_send = connection->last_send = NO_SEND;
    connection->heard_ms = server_now_ms(connection->front->server);
    connection_update_reading(connection);
}
