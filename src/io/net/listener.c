/* listener.c: every attempt has a socket of its own; one that failed closes and frees itself. The
 * result of an attempt is reported by the timer, never by the call that made it. */
#include "io/net/listener.h"

#include "io/net/resolve.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

enum { RETRY_MS = 1000 };

struct listener {
    uv_loop_t *loop;
    const struct listener_events *events;
    void *context;
    char host[HOST_TEXT_MAX]; /* "": every address */
    uint16_t port, bound_port;
    int backlog, attempts_max, attempts;
    uv_timer_t timer;
    struct resolving *resolving;
    uv_tcp_t *socket; /* NULL: not bound */
    int error;        /* of the last attempt */
};

static void free_handle(uv_handle_t *handle)
{
    mem_free(handle);
}

static void free_listener(uv_handle_t *timer)
{
    mem_free(timer->data);
}

static void close_socket(struct listener *listener)
{
    if (listener->socket != NULL)
        uv_close((uv_handle_t *)listener->socket, free_handle);
    listener->socket = NULL;
}

static void on_connection(uv_stream_t *socket, int error)
{
    struct listener *listener = socket->data;

    if (error == 0)
        listener->events->connection(listener->context, socket);
    else
        listener->events->lost(listener->context, error);
}

static void on_try_again(uv_timer_t *timer);

static void on_tell(uv_timer_t *timer)
{
    struct listener *listener = timer->data;
    bool again = listener->attempts_max <= 0 || listener->attempts < listener->attempts_max;

    if (listener->error == 0) {
        listener->events->opened(listener->context);
        return;
    }
    if (again)
        uv_timer_start(timer, on_try_again, RETRY_MS, 0);
    listener->events->failed(listener->context, listener->error, again);
}

static void report_later(struct listener *listener, int error)
{
    ASSERT((error == 0) == (listener->socket != NULL));
    listener->error = error;
    listener->attempts++;
    uv_timer_start(&listener->timer, on_tell, 0, 0);
}

static int bind_to(struct listener *listener, const struct sockaddr_storage *address)
{
    struct sockaddr_storage bound = {0};
    struct sockaddr_in v4;
    int size = sizeof(bound);

    ASSERT(listener->socket == NULL);
    listener->socket = mem_zalloc(sizeof(*listener->socket));
    uv_tcp_init(listener->loop, listener->socket);
    listener->socket->data = listener;
    int error = uv_tcp_bind(listener->socket, (const struct sockaddr *)address, 0);
    if (error == 0)
        error = uv_listen((uv_stream_t *)listener->socket, listener->backlog, on_connection);
    if (error == 0)
        error = uv_tcp_getsockname(listener->socket, (struct sockaddr *)&bound, &size);
    if (error != 0) {
        close_socket(listener);
        return error;
    }
    memcpy(&v4, &bound, sizeof(v4)); /* the port stands at the same place in both families */
    listener->bound_port = ntohs(v4.sin_port);
    return 0;
}

/* Both families where the machine has IPv6. */
static int bind_to_all(struct listener *listener)
{
    struct sockaddr_storage any = {0};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(listener->port)};
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(listener->port)};

    memcpy(&any, &v6, sizeof(v6));
    int error = bind_to(listener, &any);
    if (error != UV_EAFNOSUPPORT)
        return error;
    memset(&any, 0, sizeof(any));
    memcpy(&any, &v4, sizeof(v4));
    return bind_to(listener, &any);
}

static void on_resolved(void *context, const struct resolved *found, int error)
{
    struct listener *listener = context;

    listener->resolving = NULL;
    report_later(listener, error != 0 ? error : bind_to(listener, &found->addresses[0]));
}

static void try_to_bind(struct listener *listener)
{
    struct resolved found = {.count = 0};

    if (listener->host[0] == '\0') {
        report_later(listener, bind_to_all(listener));
    } else if (resolve_number(listener->host, listener->port, &found)) {
        report_later(listener, bind_to(listener, &found.addresses[0]));
    } else {
        int error = resolve_start(listener->loop, listener->host, listener->port, on_resolved,
                                  listener, &listener->resolving);
        if (error != 0)
            report_later(listener, error);
    }
}

static void on_try_again(uv_timer_t *timer)
{
    try_to_bind(timer->data);
}

struct listener *listener_open(uv_loop_t *loop, const struct listener_options *options,
                               const struct listener_events *events, void *context)
{
    struct listener *listener = mem_zalloc(sizeof(*listener));

    listener->loop = loop;
    listener->events = events;
    listener->context = context;
    listener->port = options->port;
    listener->backlog = options->backlog;
    listener->attempts_max = options->attempts_max;
    if (options->host != NULL)
        snprintf(listener->host, sizeof(listener->host), "%s", options->host);
    uv_timer_init(loop, &listener->timer);
    listener->timer.data = listener;
    try_to_bind(listener);
    return listener;
}

void listener_close(struct listener *listener)
{
    close_socket(listener);
    if (listener->resolving != NULL)
        resolve_cancel(listener->resolving);
    uv_close((uv_handle_t *)&listener->timer, free_listener);
}

uint16_t listener_port(const struct listener *listener)
{
    return listener->bound_port;
}
