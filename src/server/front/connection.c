/* connection.c: one client's connection: it gives whole frames to the replica, sends answers back, and
 * ends. The replica knows nothing of a connection that is closing. */
#include "server/front/front_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FRAME_HEAD_BYTES = 4,
    /* The real server sends a word's answer in pieces of this size, and counts each as a packet. */
    WORD_PIECE_BYTES = 8192
};

void connection_address(const struct connection *connection, char ret_text[PEER_TEXT_MAX])
{
    char host[ADDRESS_TEXT_MAX];

    address_host_text(connection->host, host);
    snprintf(ret_text, PEER_TEXT_MAX, "/%s:%u", host, connection->port);
}

static size_t queued(const struct connection *connection)
{
    return stream_queued(&connection->stream);
}

/* While many answers wait for a client, no more of its requests are read. So a slow client loses nothing,
 * and one that never reads is closed by the idle check. */
static bool has_share(const struct connection *connection)
{
    return queued(connection) + connection->turn_bytes <= connection->front->queue_bytes_max / 2;
}

/* --- closing --- */

/* From now on the replica gets no frames from this connection, and answers to it are dropped. */
static void leave_replica(struct connection *connection)
{
    struct front *front = connection->front;

    if (connection->closing)
        return;
    connection->closing = true;
    connection->first_send = connection->last_send = NO_SEND;
    list_remove(&connection->in_waiting);
    ASSERT(front->large_bytes >= connection->large_bytes);
    front->large_bytes -= connection->large_bytes;
    connection->large_bytes = 0;
    connection_update_reading(connection);
    if (connection->known) {
        struct replica_event event = {.kind = REPLICA_CLIENT_CLOSED, .client = connection->id};
        connection->known = false;
        front->host->step(front->host, &event);
    }
}

void connection_close_now(struct connection *connection)
{
    if (connection->stream.closed)
        return;
    leave_replica(connection);
    list_remove(&connection->in_answered);
    stream_close(&connection->stream);
}

void connection_close(struct connection *connection)
{
    if (connection->stream.closed)
        return;
    leave_replica(connection);
    if (queued(connection) == 0)
        connection_close_now(connection); /* else on_stream_written() or the idle check does it */
}

/* --- sending --- */

void connection_log_slow(const struct connection *connection)
{
    struct front *front = connection->front;
    char peer[PEER_TEXT_MAX];
    uint32_t suppressed = 0;

    if (log_limit_take(&front->slow_readers, host_now_ms(front->host), &suppressed)) {
        connection_address(connection, peer);
        log_warn("front",
                 "closing a client that does not read its answers peer=%s queued_bytes=%zu "
                 "suppressed_lines=%u",
                 peer, queued(connection), suppressed);
    }
}

bool connection_send(struct connection *connection, struct slice bytes)
{
    /* The bound is on what waits already: a single answer is always taken, however large. */
    if (!connection->stream.closed && bytes.size > 0 &&
        queued(connection) > connection->front->queue_bytes_max) {
        connection_log_slow(connection);
        return false;
    }
    return stream_send(&connection->stream, bytes) == STATUS_OK;
}

/* --- reading --- */

static void close_malformed(struct connection *connection, int32_t size)
{
    struct front *front = connection->front;
    char peer[PEER_TEXT_MAX];
    uint32_t suppressed = 0;

    if (log_limit_take(&front->bad_frames, host_now_ms(front->host), &suppressed)) {
        connection_address(connection, peer);
        log_warn("front",
                 "closing a connection: frame length %d is outside 0..%d (jute.maxbuffer) "
                 "peer=%s suppressed_lines=%u",
                 size, front->frame_bytes_max, peer, suppressed);
    }
    connection_close(connection);
}

/* The sum of large requests in progress has a bound (largeRequestMaxBytes). */
static bool large_allowed(struct connection *connection, int32_t size)
{
    struct front *front = connection->front;
    const struct front_config *config = front->config;
    uint32_t suppressed = 0;
    char peer[PEER_TEXT_MAX];

    if (config->large_request_threshold <= 0 || size <= config->large_request_threshold ||
        front->large_bytes + size <= config->large_request_bytes_max)
        return true;
    metrics_count(&front->metrics, METRIC_LARGE_REQUESTS_REJECTED, 1);
    if (log_limit_take(&front->bad_frames, host_now_ms(front->host), &suppressed)) {
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
    int32_t threshold = front->config->large_request_threshold;

    if (threshold > 0 && size > threshold) {
        connection->large_bytes += (uint32_t)size;
        front->large_bytes += size;
    }
}

/* In [0, 1), by xorshift64* from front's seed. */
static double chance(struct front *front)
{
    uint64_t random = front->random_state;

    random ^= random >> 12;
    random ^= random << 25;
    random ^= random >> 27;
    front->random_state = random;
    return (double)((random * UINT64_C(0x2545f4914f6cdd1d)) >> 11) / (double)(UINT64_C(1) << 53);
}

/* Does this first frame ask for an existing session? */
static bool asks_for_session(struct slice frame)
{
    struct connect_request request;
    struct arena arena;
    struct reader reader;

    arena_init(&arena);
    reader_init(&reader, frame, &arena, frame.size);
    bool asks = connect_request_read(&reader, &request) == STATUS_OK && request.session_id != 0;
    arena_deinit(&arena);
    return asks;
}

/* The connection throttle, asked once for each connection, at its ConnectRequest. */
static bool connect_allowed(struct connection *connection, struct slice frame)
{
    struct front *front = connection->front;
    const struct front_config *config = front->config;
    int64_t now_ms = host_now_ms(front->host);
    int32_t need = 1;

    if (config->throttle.weighted)
        need =
            asks_for_session(frame) ? config->throttle.weight_renew : config->throttle.weight_new;
    bool allowed = throttle_take(&front->throttle, need, now_ms, chance(front));
    metrics_observe(&front->metrics, METRIC_TOKEN_DEFICIT, throttle_deficit(&front->throttle));
    metrics_count(&front->metrics, METRIC_CONNECT_REQUESTS, 1);
    if (!allowed)
        metrics_count(&front->metrics, METRIC_CONNECTIONS_REJECTED, 1);
    return allowed;
}

static bool may_parse(const struct connection *connection)
{
    return !connection->paused && !connection->close_wanted && !connection->closing &&
           has_share(connection);
}

/* Gives one whole frame to the replica. False: the next one must wait. */
static bool step_frame(struct connection *connection, struct slice frame)
{
    struct host *host = connection->front->host;
    struct replica_event event = {.client = connection->id};

    ASSERT(may_parse(connection)); /* the replica gets nothing from one that it paused or closed */
    if (!connection->known) {
        char address[ADDRESS_TEXT_MAX];
        if (!connect_allowed(connection, frame)) {
            connection_close(connection);
            return false;
        }
        address_host_text(connection->host, address);
        event.kind = REPLICA_CLIENT_OPENED;
        event.address = slice_text(address);
        connection->known = true;
        host->step(host, &event);
    }
    count_large(connection, (int32_t)frame.size);
    event.kind = REPLICA_CLIENT_FRAME;
    event.address = SLICE_NULL;
    event.bytes = frame;
    metrics_count(&connection->front->metrics, METRIC_PACKETS_RECEIVED, 1);
    host->step(host, &event);
    return may_parse(connection);
}

/* If these bytes are a four-letter word: answers it and closes. False: they are none. */
static bool answer_word(struct connection *connection, struct slice bytes)
{
    struct front *front = connection->front;
    struct host *host = front->host;
    struct buffer answer = {0};

    if (!host->is_word(host, bytes))
        return false;
    connection->asks_word = true;
    metrics_count(&front->metrics, METRIC_PACKETS_RECEIVED, 1); /* mntr and srvr show themselves */
    metrics_count(&front->metrics, METRIC_BYTES_RECEIVED, FRAME_HEAD_BYTES);
    host->answer_word(host, connection->id, bytes, &answer);
    metrics_count(&front->metrics, METRIC_PACKETS_SENT,
                  (int64_t)((answer.size + WORD_PIECE_BYTES - 1) / WORD_PIECE_BYTES));
    if (connection_send(connection, buffer_slice(&answer)))
        connection_close(connection);
    else
        connection_close_now(connection);
    buffer_deinit(&answer);
    return true;
}

/* Gives every whole frame in these bytes to the replica, without copying. Returns how many bytes that
 * were; fewer than `size` when the last frame is incomplete or must wait. */
static size_t parse_frames(struct connection *connection, const uint8_t *bytes, size_t size)
{
    int32_t frame_max = connection->front->frame_bytes_max;
    size_t at = 0;

    while (size - at >= FRAME_HEAD_BYTES) {
        int32_t frame_size = (int32_t)load_be32(bytes + at);
        if (frame_size < 0 || frame_size > frame_max) {
            if (connection->known || !answer_word(connection, slice_of(bytes + at, size - at)))
                close_malformed(connection, frame_size);
            return at;
        }
        if (!large_allowed(connection, frame_size))
            return at;
        if (size - at - FRAME_HEAD_BYTES < (size_t)frame_size)
            return at;
        at += FRAME_HEAD_BYTES + (size_t)frame_size;
        metrics_count(&connection->front->metrics, METRIC_BYTES_RECEIVED,
                      FRAME_HEAD_BYTES + frame_size);
        if (!step_frame(connection, slice_of(bytes + at - (size_t)frame_size, (size_t)frame_size)))
            return at;
    }
    return at;
}

/* How many bytes the frame at the start of `in` still lacks. 0: it is whole, and waits for its turn. */
static size_t bytes_missing(const struct connection *connection)
{
    size_t have = connection->in.size;

    if (have < FRAME_HEAD_BYTES)
        return FRAME_HEAD_BYTES - have;
    size_t whole = FRAME_HEAD_BYTES + (size_t)load_be32(connection->in.data);
    return have < whole ? whole - have : 0;
}

static void drop_parsed(struct buffer *in, size_t parsed)
{
    ASSERT(parsed <= in->size);
    if (parsed == in->size) {
        buffer_deinit(in);
    } else if (parsed > 0) {
        memmove(in->data, in->data + parsed, in->size - parsed);
        in->size -= parsed;
    }
}

static void parse_bytes(struct connection *connection, const uint8_t *bytes, size_t size)
{
    /* First complete the frame in `in`. It grows by the bytes that arrive, not by the length it claims. */
    while (size > 0 && connection->in.size > 0 && may_parse(connection)) {
        size_t missing = bytes_missing(connection), more = missing < size ? missing : size;
        if (missing == 0)
            break; /* front_feed_waiting() comes to it */
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

/* Frames that wait because enough was answered in this turn continue in the next one. */
static void list_for_next_turn(struct connection *connection)
{
    struct front *front = connection->front;

    if (connection->in.size > 0 && !connection->paused && !connection->closing &&
        !connection->close_wanted && connection->turn_bytes > 0 && !has_share(connection) &&
        list_empty(&connection->in_waiting))
        list_add_last(&front->waiting_next, &connection->in_waiting);
}

/* The replica may hold answers back until there is room for them: now there is. */
static void ask_for_held_answers(struct connection *connection)
{
    struct replica_event event = {.kind = REPLICA_CLIENT_READY, .client = connection->id};

    if (!connection->held || !connection->known || connection->close_wanted ||
        connection->closing || !has_share(connection))
        return;
    connection->held = false;
    connection->front->host->step(connection->front->host, &event);
}

void connection_feed(struct connection *connection)
{
    ask_for_held_answers(connection);
    if (connection->in.size > 0 && may_parse(connection))
        drop_parsed(&connection->in,
                    parse_frames(connection, connection->in.data, connection->in.size));
    list_for_next_turn(connection);
    connection_update_reading(connection);
}

/* --- events of the stream --- */

static void on_bytes(void *context, const uint8_t *bytes, size_t size)
{
    struct connection *connection = context;

    connection->front->host->begin_turn(connection->front->host);
    connection->heard_ms = host_now_ms(connection->front->host);
    parse_bytes(connection, bytes, size);
    list_for_next_turn(connection);
    connection_update_reading(connection);
}

static void on_ended(void *context, bool broken)
{
    struct connection *connection = context;

    connection->front->host->begin_turn(connection->front->host);
    if (!broken && !connection->closing)
        metrics_count(&connection->front->metrics, METRIC_CONNECTIONS_DROPPED, 1);
    connection_close_now(connection);
}

static void on_stream_written(void *context)
{
    struct connection *connection = context;

    connection->heard_ms = host_now_ms(connection->front->host);
    if (connection->closing && queued(connection) == 0)
        connection_close_now(connection);
    else
        connection_feed(connection);
}

static void on_closed(void *context)
{
    struct connection *connection = context;

    ASSERT(connection->closing && !connection->known);
    ASSERT(list_empty(&connection->in_answered) && list_empty(&connection->in_waiting));
    connection->front->forget(connection);
    buffer_deinit(&connection->in);
    mem_free(connection);
}

const struct stream_events connection_stream_events = {on_bytes, on_ended, on_stream_written,
                                                       on_closed};

void connection_update_reading(struct connection *connection)
{
    stream_read(&connection->stream, may_parse(connection) && !connection->front->stopping);
}

void connection_start(struct connection *connection)
{
    list_init(&connection->in_answered);
    list_init(&connection->in_waiting);
    connection->first_send = connection->last_send = NO_SEND;
    connection->heard_ms = host_now_ms(connection->front->host);
    connection_update_reading(connection);
}

/* --- looking in --- */

bool connection_client(const struct connection *connection, struct client_info *ret_info)
{
    return connection->known && clients_info(replica_clients(connection->front->host->replica),
                                             connection->id, ret_info);
}

int64_t connection_idle_end_ms(const struct connection *connection)
{
    int64_t interval_ms = connection->front->config->sessionless_timeout_ms;
    int64_t timeout_ms = interval_ms;
    struct client_info info;

    if (connection_client(connection, &info) && info.session_id != 0 &&
        stream_kernel_queue(&connection->stream) == 0)
        timeout_ms = info.session_timeout_ms;
    return ((connection->heard_ms + timeout_ms) / interval_ms + 1) * interval_ms;
}
