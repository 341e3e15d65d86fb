#include "server/front/front_internal.h"

#include "base/hash.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>

enum {
    BACKLOG_DEFAULT = 50,  /* as Java's ServerSocket */
    DESCRIPTORS_KEPT = 64, /* for log, snapshots, libuv */
    REFUSAL_LINES_MAX = 10 /* a second */
};

struct front *front_new(struct server *server)
{
    const struct config *config = server->config;
    struct front *front = mem_zalloc(sizeof(*front));
    struct rlimit limit;

    front->server = server;
    front->read_buffer = mem_alloc(READ_BUFFER_BYTES);
    map_init(&front->hosts);
    list_init(&front->dirty);
    list_init(&front->waiting);
    list_init(&front->later);
    list_init(&front->ending);
    uv_idle_init(&server->loop, &front->again);
    front->queue_bytes_max = 2 * (size_t)config->jute_maxbuffer + (1 << 20);
    front->trace_mask = 306; /* ZooTrace's default: warnings, client pings, sessions, ... */
    front->bad_frames.per_second_max = front->refusals.per_second_max = REFUSAL_LINES_MAX;
    front->slow_readers.per_second_max = front->expired.per_second_max = REFUSAL_LINES_MAX;
    if (getrandom(&front->host_seed, sizeof(front->host_seed), 0) < 0)
        front->host_seed = uv_hrtime();
    front->connections_max = UINT32_MAX;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        front->connections_max = limit.rlim_cur > 2 * DESCRIPTORS_KEPT
                                     ? (uint32_t)limit.rlim_cur - DESCRIPTORS_KEPT
                                     : (uint32_t)limit.rlim_cur / 2;
    struct throttle_options throttle = {
        .tokens_max = config->throttle_tokens,
        .fill_time_ms = config->throttle_fill_time_ms,
        .fill_count = config->throttle_fill_count,
        .freeze_time_ms = config->throttle_freeze_time_ms,
        .drop_increase = config->throttle_drop_increase,
        .drop_decrease = config->throttle_drop_decrease,
        .decrease_ratio = config->throttle_decrease_ratio,
    };
    throttle_init(&front->throttle, &throttle, server_now_ms(server));
    return front;
}

void front_free(struct front *front)
{
    if (front == NULL)
        return;
    ASSERT(front->connection_count == 0);
    buffer_deinit(&front->scratch);
    map_deinit(&front->hosts);
    mem_free(front->read_buffer);
    mem_free(front->connections);
    mem_free(front->free_ids);
    mem_free(front->next_send);
    mem_free(front);
}

/* --- connections per host --- */

static struct host_count *host_find(struct front *front, struct address_host host,
                                    uint64_t *ret_key)
{
    *ret_key = hash_bytes(slice_of(host.bytes, sizeof(host.bytes)), front->host_seed);
    struct host_count *count = map_get(&front->hosts, *ret_key);

    while (count != NULL && memcmp(&count->host, &host, sizeof(host)) != 0)
        count = count->next;
    return count;
}

static uint32_t host_connections(struct front *front, struct address_host host)
{
    uint64_t key;
    struct host_count *count = host_find(front, host, &key);

    return count == NULL ? 0 : count->count;
}

static void host_add(struct front *front, struct address_host host)
{
    uint64_t key;
    struct host_count *count = host_find(front, host, &key);

    if (count == NULL) {
        count = mem_zalloc(sizeof(*count));
        count->host = host;
        count->next = map_get(&front->hosts, key);
        map_set(&front->hosts, key, count);
    }
    count->count++;
}

static void host_remove(struct front *front, struct address_host host)
{
    uint64_t key;
    struct host_count *count = host_find(front, host, &key);

    if (--count->count > 0)
        return;
    struct host_count *first = map_remove(&front->hosts, key);
    if (first == count)
        first = count->next;
    for (struct host_count *each = first; each != NULL; each = each->next) {
        if (each->next == count)
            each->next = count->next;
    }
    if (first != NULL)
        map_set(&front->hosts, key, first);
    mem_free(count);
}

/* --- ids: small and dense --- */

static uint32_t take_id(struct front *front)
{
    if (front->free_id_count == 0) {
        uint32_t old = front->connection_capacity, capacity = old == 0 ? 64 : old * 2;
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

void front_forget(struct front *front, struct connection *connection)
{
    front->connections[connection->id] = NULL;
    front->free_ids[front->free_id_count++] = connection->id;
    front->connection_count--;
    host_remove(front, connection->host);
}

/* --- accepting --- */

static void on_refused_closed(uv_handle_t *handle)
{
    mem_free(handle->data);
}

static void refuse(struct front *front, struct connection *connection, const char *what, long max)
{
    char text[ADDRESS_TEXT_MAX];
    uint32_t held_back = 0;

    front->metrics.connections_rejected++;
    if (log_limit_take(&front->refusals, server_now_ms(front->server), &held_back)) {
        address_host_text(connection->host, text);
        log_warn("front", "Too many connections from /%s - max is %ld%s (not said before: %u)",
                 text, max, what, held_back);
    }
    /* A reset, as Java's zero linger: no TIME_WAIT on our side for a flood. */
    if (uv_tcp_close_reset(&connection->tcp, on_refused_closed) != 0)
        uv_close((uv_handle_t *)&connection->tcp, on_refused_closed);
}

static bool within_limits(struct front *front, struct connection *connection)
{
    const struct config *config = front->server->config;
    int32_t per_host = config->client_cnxns_max;

    if (per_host > 0 && host_connections(front, connection->host) >= (uint32_t)per_host) {
        refuse(front, connection, "", per_host);
        return false;
    }
    if (config->cnxns_max > 0 && front->connection_count >= (uint32_t)config->cnxns_max) {
        refuse(front, connection, " in all (maxCnxns)", config->cnxns_max);
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
    struct sockaddr_storage peer = {0};
    int peer_size = sizeof(peer);

    uv_tcp_init(&front->server->loop, &connection->tcp);
    connection->tcp.data = connection;
    connection->front = front;
    if (uv_accept((uv_stream_t *)&front->listener, (uv_stream_t *)&connection->tcp) != 0 ||
        uv_tcp_getpeername(&connection->tcp, (struct sockaddr *)&peer, &peer_size) != 0) {
        uv_close((uv_handle_t *)&connection->tcp, on_refused_closed); /* gone already */
        return;
    }
    connection->host = address_host((struct sockaddr *)&peer);
    connection->port = (uint16_t)address_port((struct sockaddr *)&peer);
    if (!within_limits(front, connection))
        return;
    uv_tcp_nodelay(&connection->tcp, 1);
    if (front->server->config->tcp_keep_alive)
        uv_tcp_keepalive(&connection->tcp, 1, 60);
    connection->id = take_id(front);
    front->connections[connection->id] = connection;
    front->connection_count++;
    host_add(front, connection->host);
    connection_start(connection);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct front *front = listener->data;
    uint32_t held_back = 0;

    if (status == 0) {
        accept_one(front);
    } else if (log_limit_take(&front->refusals, server_now_ms(front->server), &held_back)) {
        /* Out of descriptors: libuv keeps a spare one to take and close what waits. */
        log_warn("front", "Error accepting new connection: %s", uv_strerror(status));
    }
}

/* --- connections that never become a session, or say nothing for their whole timeout --- */

static void expire_if_idle(struct front *front, struct connection *connection, int64_t now_ms)
{
    int64_t interval_ms = front->server->config->sessionless_timeout_ms;
    int64_t timeout_ms = interval_ms;
    struct client_info info;
    char peer[PEER_TEXT_MAX];
    uint32_t held_back = 0;
    bool session = connection->known &&
                   clients_info(replica_clients(front->server->replica), connection->id, &info) &&
                   info.session_id != 0;
    size_t queued = uv_stream_get_write_queue_size((uv_stream_t *)&connection->tcp);

    if (queued != connection->stalled_bytes)
        connection->heard_ms = now_ms; /* it takes its answers, however slowly */
    connection->stalled_bytes = queued;
    if (session && queued == 0)
        timeout_ms = info.session_timeout_ms;
    int64_t due_ms = ((connection->heard_ms + timeout_ms) / interval_ms + 1) * interval_ms;
    if (now_ms < due_ms)
        return;
    if (queued > 0) {
        connection_log_slow(connection);
        connection_close_now(connection);
        return;
    }
    if (!session && !connection->closing)
        front->metrics.sessionless_expired++;
    if (log_limit_take(&front->expired, now_ms, &held_back)) {
        connection_address(connection, peer);
        log_info("front", "closing a silent connection peer=%s session=0x%llx silent_ms=%lld", peer,
                 session ? (unsigned long long)info.session_id : 0ull,
                 (long long)(now_ms - connection->heard_ms));
    }
    connection_close_now(connection);
}

static void arm_idle_check(struct front *front);

static void on_idle_check(uv_timer_t *timer)
{
    struct front *front = timer->data;
    int64_t now_ms = server_now_ms(front->server);

    for (uint32_t id = 0; id < front->connection_capacity; id++) {
        if (front->connections[id] != NULL && !front->connections[id]->closed)
            expire_if_idle(front, front->connections[id], now_ms);
    }
    arm_idle_check(front);
}

static void arm_idle_check(struct front *front)
{
    int64_t interval_ms = front->server->config->sessionless_timeout_ms;
    int64_t now_ms = server_now_ms(front->server);

    uv_timer_start(&front->idle_check, on_idle_check,
                   (uint64_t)(interval_ms - now_ms % interval_ms), 0);
}

/* --- listening --- */

static enum status bind_failed(struct front *front, int error)
{
    const struct config *config = front->server->config;

    log_error("front", "the client port could not be opened: %s address=%s port=%d",
              uv_strerror(error),
              config->client_port_address == NULL ? "0.0.0.0" : config->client_port_address,
              config->client_port);
    return error == UV_EADDRINUSE ? STATUS_BUSY : STATUS_IO;
}

enum status front_listen(struct front *front)
{
    const struct config *config = front->server->config;
    struct sockaddr_storage address;
    int size = sizeof(address);

    uv_timer_init(&front->server->loop, &front->idle_check);
    front->idle_check.data = front;
    uv_tcp_init(&front->server->loop, &front->listener);
    front->listener.data = front;
    if (!config->client_port_set) {
        log_info("front", "clientPort is not set");
        return STATUS_OK;
    }
    if (address_resolve(config->client_port_address, config->client_port, &address) != STATUS_OK)
        return bind_failed(front, UV_EADDRNOTAVAIL);
    int error = uv_tcp_bind(&front->listener, (struct sockaddr *)&address, 0);
    if (error == UV_EAFNOSUPPORT && config->client_port_address == NULL) {
        struct sockaddr_in any = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)config->client_port)};
        error = uv_tcp_bind(&front->listener, (struct sockaddr *)&any, 0); /* no IPv6 here */
    }
    int backlog = config->client_port_listen_backlog > 0 ? config->client_port_listen_backlog
                                                         : BACKLOG_DEFAULT;
    if (error == 0)
        error = uv_listen((uv_stream_t *)&front->listener, backlog, on_connection);
    if (error != 0)
        return bind_failed(front, error);
    uv_tcp_getsockname(&front->listener, (struct sockaddr *)&address, &size);
    front->bound_port = address_port((struct sockaddr *)&address);
    front->listening = true;
    const char *host =
        config->client_port_address == NULL ? "0.0.0.0" : config->client_port_address;
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
