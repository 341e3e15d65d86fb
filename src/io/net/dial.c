/* dial.c: one address at a time. An attempt that was given up closes and frees itself; the dial lives
 * until its timer is closed, and reports exactly once how it ended, or nothing when it was
 * cancelled. */
#include "io/net/dial.h"

#include "io/net/resolve.h"

#include <fcntl.h>
#include <string.h>

struct attempt {
    uv_tcp_t tcp;
    uv_connect_t request;
    struct dial *dial; /* NULL: given up */
};

struct dial {
    uv_loop_t *loop;
    dial_done *done;
    void *context;
    int64_t timeout_ms;
    uv_timer_t timer; /* of what is under way */
    struct resolving *resolving;
    struct attempt *attempt;
    struct resolved found;
    size_t next; /* of found: the address that comes when this one fails */
    int error;
};

/* --- the end --- */

static void on_attempt_closed(uv_handle_t *handle)
{
    mem_free(handle->data);
}

static void give_up_attempt(struct dial *dial)
{
    struct attempt *attempt = dial->attempt;

    if (attempt == NULL)
        return;
    dial->attempt = NULL;
    attempt->dial = NULL;
    uv_close((uv_handle_t *)&attempt->tcp, on_attempt_closed);
}

static void on_timer_closed(uv_handle_t *handle)
{
    mem_free(handle->data);
}

void dial_cancel(struct dial *dial)
{
    give_up_attempt(dial);
    if (dial->resolving != NULL)
        resolve_cancel(dial->resolving);
    dial->resolving = NULL;
    uv_close((uv_handle_t *)&dial->timer, on_timer_closed);
}

static void finish(struct dial *dial, int fd, int error)
{
    dial_done *done = dial->done;
    void *context = dial->context;

    dial_cancel(dial);
    done(context, fd, error);
}

static void on_failed(uv_timer_t *timer)
{
    struct dial *dial = timer->data;

    finish(dial, -1, dial->error);
}

/* Never from within dial_start(): its caller does not have the dial yet. */
static void fail_later(struct dial *dial, int error)
{
    ASSERT(error != 0 && dial->attempt == NULL && dial->resolving == NULL);
    dial->error = error;
    uv_timer_start(&dial->timer, on_failed, 0, 0);
}

/* --- the addresses --- */

/* When nobody listens at a port that the kernel also gives to outgoing connections, a socket may connect
 * to itself. */
static bool is_connected_to_itself(const uv_tcp_t *tcp)
{
    struct sockaddr_storage here = {0}, there = {0};
    int here_size = sizeof(here), there_size = sizeof(there);

    return uv_tcp_getsockname(tcp, (struct sockaddr *)&here, &here_size) == 0 &&
           uv_tcp_getpeername(tcp, (struct sockaddr *)&there, &there_size) == 0 &&
           here_size == there_size && memcmp(&here, &there, (size_t)here_size) == 0;
}

/* The socket itself, for whoever dialed: the handle is closed with its own descriptor. */
static int take_socket(const uv_tcp_t *tcp)
{
    uv_os_fd_t fd;

    if (uv_fileno((const uv_handle_t *)tcp, &fd) != 0)
        return -1;
    return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

static void try_next(struct dial *dial, int error);

static void on_connected(uv_connect_t *request, int error)
{
    struct attempt *attempt = CONTAINER_OF(request, struct attempt, request);
    struct dial *dial = attempt->dial;

    if (dial == NULL)
        return; /* it is being closed */
    ASSERT(dial->attempt == attempt);
    if (error == 0 && is_connected_to_itself(&attempt->tcp))
        error = UV_ECONNREFUSED;
    if (error == 0) {
        int fd = take_socket(&attempt->tcp);
        finish(dial, fd, fd < 0 ? UV_EMFILE : 0);
        return;
    }
    try_next(dial, error);
}

static void on_timeout(uv_timer_t *timer)
{
    try_next(timer->data, UV_ETIMEDOUT);
}

static void arm_timeout(struct dial *dial)
{
    uv_timer_stop(&dial->timer);
    if (dial->timeout_ms > 0)
        uv_timer_start(&dial->timer, on_timeout, (uint64_t)dial->timeout_ms, 0);
}

/* 0, or why this address cannot even be tried. */
static int try_address(struct dial *dial, const struct sockaddr_storage *address)
{
    struct attempt *attempt = mem_zalloc(sizeof(*attempt));

    ASSERT(dial->attempt == NULL);
    uv_tcp_init(dial->loop, &attempt->tcp);
    attempt->tcp.data = attempt;
    attempt->dial = dial;
    dial->attempt = attempt;
    int error = uv_tcp_connect(&attempt->request, &attempt->tcp, (const struct sockaddr *)address,
                               on_connected);
    if (error != 0)
        give_up_attempt(dial);
    else
        arm_timeout(dial);
    return error;
}

/* `error` is why the one before failed. */
static void try_next(struct dial *dial, int error)
{
    give_up_attempt(dial);
    if (dial->resolving != NULL) { /* it took too long */
        resolve_cancel(dial->resolving);
        dial->resolving = NULL;
    }
    while (dial->next < dial->found.count) {
        error = try_address(dial, &dial->found.addresses[dial->next++]);
        if (error == 0)
            return;
    }
    fail_later(dial, error);
}

static void on_resolved(void *context, const struct resolved *found, int error)
{
    struct dial *dial = context;

    ASSERT(dial->resolving != NULL && (error != 0 || found->count > 0));
    dial->resolving = NULL;
    dial->found = *found;
    try_next(dial, error);
}

struct dial *dial_start(uv_loop_t *loop, const char *host, uint16_t port, int64_t timeout_ms,
                        dial_done *done, void *context)
{
    struct dial *dial = mem_zalloc(sizeof(*dial));

    dial->loop = loop;
    dial->timeout_ms = timeout_ms;
    dial->done = done;
    dial->context = context;
    uv_timer_init(loop, &dial->timer);
    dial->timer.data = dial;
    if (resolve_number(host, port, &dial->found)) {
        try_next(dial, 0);
        return dial;
    }
    int error = resolve_start(loop, host, port, on_resolved, dial, &dial->resolving);
    if (error == 0)
        arm_timeout(dial);
    else
        fail_later(dial, error);
    return dial;
}
