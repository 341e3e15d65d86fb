/* listener.c: accepts connections, within the limits; closes those that have been silent for too long; and
 * has the functions that other rooms call. */
#include "server/front/front_internal.h"

#include "base/array.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>

enum {
    CONNECTIONS_FIRST = 64,
    BACKLOG_DEFAULT = 50,  /* as Java's ServerSocket */
    DESCRIPTORS_KEPT = 64, /* for log, snapshots, libuv */
    REFUSAL_LINES_MAX = 10 /* a second */
};

/* --- ids: small and dense --- */

static uint32_t take_id(struct front *front)
{
    if (front->free_id_count == 0) {
        uint32_t old = front->connection_capacity,
                 capacity = array_capacity(old, (size_t)old + 1, CONNECTIONS_FIRST);
        front->connections = mem_realloc(front->connections, capacity * sizeof(void *));
        front->free_ids = mem_realloc(front->free_ids, capacity * sizeof(uint32_t));
        for (uint32_t id = capacity; id-- > old;) {
            front->connections[id] = NULL;
            front->free_ids[front->free_id_count++] = id;
        }
        front->connection_capacity = capacity;
    }
    return front->free_ids[--front->free_id_count];
}

/* Its stream is closed: the number is free again. */
static void forget(struct connection *connection)
{
    struct front *front = connection->front;

    ASSERT(front->connections[connection->id] == connection && front->connection_count > 0);
    front->connections[connection->id] = NULL;
    front->free_ids[front->free_id_count++] = connection->id;
    front->connection_count--;
    hosts_remove(&front->hosts, connection->host);
}

/* --- birth and death --- */

static uint64_t seed(void)
{
    uint64_t value;

    return getrandom(&value, sizeof(value), 0) == (ssize_t)sizeof(value) ? value : uv_hrtime();
}

struct front *front_new(struct host *host, const struct front_config *config,
                        const struct jute_config *jute)
{
    struct front *front = mem_zalloc(sizeof(*front));
    struct rlimit limit;

    front->host = host;
    front->config = config;
    front->frame_bytes_max = jute->buffer_bytes_max;
    net_init(&front->net, host->loop);
    front->forget = forget;
    list_init(&front->answered);
    list_init(&front->waiting);
    list_init(&front->waiting_next);
    list_init(&front->ending);
    uv_idle_init(host->loop, &front->stay_awake);
    front->queue_bytes_max = 2 * (size_t)jute->buffer_bytes_max + (1 << 20);
    front->bad_frames.per_second_max = front->refusals.per_second_max = REFUSAL_LINES_MAX;
    front->slow_readers.per_second_max = front->expired.per_second_max = REFUSAL_LINES_MAX;
    hosts_init(&front->hosts, seed());
    front->random_state = seed() | 1;
    front->connections_max = UINT32_MAX;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        front->connections_max = limit.rlim_cur > 2 * DESCRIPTORS_KEPT
                                     ? (uint32_t)limit.rlim_cur - DESCRIPTORS_KEPT
                                     : (uint32_t)limit.rlim_cur / 2;
    struct throttle_options throttle = {
        .tokens_max = config->throttle.tokens_max,
        .fill_time_ms = config->throttle.fill_time_ms,
        .fill_count = config->throttle.fill_count,
        .freeze_time_ms = config->throttle.freeze_time_ms,
        .drop_increase = config->throttle.drop_increase,
        .drop_decrease = config->throttle.drop_decrease,
        .decrease_ratio = config->throttle.decrease_ratio,
    };
    throttle_init(&front->throttle, &throttle, host_now_ms(host));
    return front;
}

void front_free(struct front *front)
{
    if (front == NULL)
        return;
    ASSERT(front->connection_count == 0 && front->large_bytes == 0);
    ASSERT(list_empty(&front->answered) && list_empty(&front->ending));
    ASSERT(list_empty(&front->waiting) && list_empty(&front->waiting_next));
    buffer_deinit(&front->scratch);
    hosts_deinit(&front->hosts);
    net_deinit(&front->net);
    metrics_deinit(&front->metrics);
    mem_free(front->connections);
    mem_free(front->free_ids);
    mem_free(front->next_send);
    mem_free(front);
}

/* --- accepting --- */

/* The connection was refused before it got an id. */
static void on_refused_closed(void *context)
{
    mem_free(context);
}

static const struct stream_events refused = {.closed = on_refused_closed};

static void refuse(struct front *front, struct connection *connection, const char *what, long max)
{
    char text[ADDRESS_TEXT_MAX];
    uint32_t suppressed = 0;

    metrics_count(&front->metrics, METRIC_CONNECTIONS_REJECTED, 1);
    if (log_limit_take(&front->refusals, host_now_ms(front->host), &suppressed)) {
        address_host_text(connection->host, text);
        log_warn("front", "Too many connections from /%s - max is %ld%s suppressed_lines=%u", text,
                 max, what, suppressed);
    }
    connection->stream.events = &refused;
    stream_reset(&connection->stream); /* as Java's zero linger: no TIME_WAIT here for a flood */
}

static bool within_limits(struct front *front, struct connection *connection)
{
    const struct front_config *config = front->config;
    int32_t per_host = config->connections_per_host_max;

    if (per_host > 0 && hosts_count(&front->hosts, connection->host) >= (uint32_t)per_host) {
        refuse(front, connection, "", per_host);
        return false;
    }
    if (config->connections_max > 0 &&
        front->connection_count >= (uint32_t)config->connections_max) {
        refuse(front, connection, " in all (maxCnxns)", config->connections_max);
        return false;
    }
    if (front->connection_count >= front->connections_max) {
        refuse(front, connection, " in all (open files)", (long)front->connections_max);
        return false;
    }
    return true;
}

static void accept_one(struct front *front)
{
    struct connection *connection = mem_zalloc(sizeof(*connection));
    struct sockaddr_storage peer;

    stream_init(&connection->stream, &front->net, &connection_stream_events, connection);
    connection->front = front;
    if (stream_accept(&connection->stream, (uv_stream_t *)&front->listener, &peer) != STATUS_OK) {
        connection->stream.events = &refused;
        stream_close(&connection->stream);
        return;
    }
    connection->host = address_host((struct sockaddr *)&peer);
    connection->port = (uint16_t)address_port((struct sockaddr *)&peer);
    if (!within_limits(front, connection))
        return;
    if (front->config->tcp_keep_alive)
        stream_keep_alive(&connection->stream);
    connection->id = take_id(front);
    ASSERT(front->connections[connection->id] == NULL);
    front->connections[connection->id] = connection;
    front->connection_count++;
    hosts_add(&front->hosts, connection->host);
    connection_start(connection);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct front *front = listener->data;
    uint32_t suppressed = 0;

    front->host->begin_turn(front->host);
    if (status == 0) {
        accept_one(front);
    } else if (log_limit_take(&front->refusals, host_now_ms(front->host), &suppressed)) {
        /* No descriptor is left: libuv keeps a spare one, with which it accepts and closes what waits. */
        log_warn("front", "Error accepting new connection: %s", uv_strerror(status));
    }
}

/* --- connections that have no session for long, or are silent for their whole timeout --- */

static void log_silent(struct front *front, const struct connection *connection, int64_t session_id,
                       int64_t now_ms)
{
    char peer[PEER_TEXT_MAX];
    uint32_t suppressed = 0;

    if (!log_limit_take(&front->expired, now_ms, &suppressed))
        return;
    connection_address(connection, peer);
    log_info("front", "closing a silent connection peer=%s session=0x%llx silent_ms=%lld", peer,
             (unsigned long long)session_id, (long long)(now_ms - connection->heard_ms));
}

static void expire_if_idle(struct front *front, struct connection *connection, int64_t now_ms)
{
    size_t queued = stream_kernel_queue(&connection->stream);
    struct client_info info = {0};

    if (queued != connection->stalled_bytes)
        connection->heard_ms = now_ms; /* it takes its answers, however slowly */
    connection->stalled_bytes = queued;
    if (now_ms < connection_idle_end_ms(connection))
        return;
    if (queued > 0) {
        connection_log_slow(connection);
        connection_close_now(connection);
        return;
    }
    (void)connection_client(connection, &info); /* session 0 when the replica knows nothing */
    if (info.session_id == 0 && !connection->closing)
        metrics_count(&front->metrics, METRIC_SESSIONLESS_EXPIRED, 1);
    log_silent(front, connection, info.session_id, now_ms);
    connection_close_now(connection);
}

static void arm_idle_check(struct front *front);

static void on_idle_check(uv_timer_t *timer)
{
    struct front *front = timer->data;

    front->idle_check_due = true;
    front_update_stay_awake(front);
}

void front_end_silent(struct front *front)
{
    int64_t now_ms = host_now_ms(front->host);

    if (!front->idle_check_due)
        return;
    front->host->begin_turn(front->host);
    front->idle_check_due = false;
    front_update_stay_awake(front);
    for (uint32_t id = 0; id < front->connection_capacity; id++) {
        if (front->connections[id] != NULL && !front->connections[id]->stream.closed)
            expire_if_idle(front, front->connections[id], now_ms);
    }
    arm_idle_check(front);
}

static void arm_idle_check(struct front *front)
{
    int64_t interval_ms = front->config->sessionless_timeout_ms;
    int64_t now_ms = host_now_ms(front->host);

    uv_timer_start(&front->idle_check, on_idle_check,
                   (uint64_t)(interval_ms - now_ms % interval_ms), 0);
}

/* --- listening --- */

static enum status bind_failed(struct front *front, int error)
{
    const struct front_config *config = front->config;

    log_error("front", "the client port could not be opened: %s address=%s port=%d",
              uv_strerror(error), config->address == NULL ? "0.0.0.0" : config->address,
              config->port);
    return error == UV_EADDRINUSE ? STATUS_BUSY : STATUS_IO;
}

enum status front_listen(struct front *front)
{
    const struct front_config *config = front->config;
    struct sockaddr_storage address = config->bind_address;
    int size = sizeof(address);

    uv_timer_init(front->host->loop, &front->idle_check);
    front->idle_check.data = front;
    uv_tcp_init(front->host->loop, &front->listener);
    front->listener.data = front;
    if (!config->port_set) {
        log_info("front", "clientPort is not set");
        return STATUS_OK;
    }
    ASSERT(address.ss_family != AF_UNSPEC); /* config_resolve() came first */
    int error = uv_tcp_bind(&front->listener, (struct sockaddr *)&address, 0);
    if (error == UV_EAFNOSUPPORT && config->address == NULL) {
        struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons((uint16_t)config->port)};
        error = uv_tcp_bind(&front->listener, (struct sockaddr *)&any, 0); /* no IPv6 here */
    }
    int backlog = config->listen_backlog > 0 ? config->listen_backlog : BACKLOG_DEFAULT;
    if (error == 0)
        error = uv_listen((uv_stream_t *)&front->listener, backlog, on_connection);
    if (error != 0)
        return bind_failed(front, error);
    uv_tcp_getsockname(&front->listener, (struct sockaddr *)&address, &size);
    front->bound_port = address_port((struct sockaddr *)&address);
    front->listening = true;
    const char *host = config->address == NULL ? "0.0.0.0" : config->address;
    log_info("front", "binding to port %s/%s:%d", host, host, front->bound_port);
    return STATUS_OK;
}

void front_serve(struct front *front)
{
    arm_idle_check(front);
}

void front_stop(struct front *front)
{
    front->stopping = true;
    if (!uv_is_closing((uv_handle_t *)&front->listener))
        uv_close((uv_handle_t *)&front->listener, NULL);
    for (uint32_t id = 0; id < front->connection_capacity; id++) {
        if (front->connections[id] != NULL)
            connection_update_reading(front->connections[id]);
    }
}

void front_close_all(struct front *front)
{
    for (uint32_t id = 0; id < front->connection_capacity; id++) {
        if (front->connections[id] != NULL)
            connection_close_now(front->connections[id]);
    }
}

/* --- looking in --- */

bool front_next_connection(const struct front *front, uint32_t *cursor,
                           struct connection_facts *ret_facts)
{
    for (; *cursor < front->connection_capacity; (*cursor)++) {
        const struct connection *connection = front->connections[*cursor];
        if (connection == NULL || connection->stream.closed)
            continue;
        (*cursor)++;
        *ret_facts = (struct connection_facts){.id = connection->id,
                                               .reads = connection->stream.reading,
                                               .writes = connection->stream.writing != NULL,
                                               .asks_word = connection->asks_word,
                                               .idle_end_ms = connection_idle_end_ms(connection)};
        ret_facts->is_client = connection_client(connection, &ret_facts->client);
        connection_address(connection, ret_facts->peer);
        return true;
    }
    return false;
}

uint32_t front_connection_count(const struct front *front)
{
    return front->connection_count;
}

int front_port(const struct front *front)
{
    return front->bound_port;
}

void front_collect_metrics(const struct front *front, struct metrics *all)
{
    metrics_collect(all, &front->metrics, METRICS_OF_FRONT);
    metrics_set(all, METRIC_CONNECTIONS, front->connection_count);
    metrics_set_real(all, METRIC_DROP_PROBABILITY, front->throttle.drop);
}

void front_reset_metrics(struct front *front)
{
    metrics_reset(&front->metrics);
}
