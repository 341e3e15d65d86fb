#include "test/lib/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/* A poll sleeps on although a timer before it made the condition true: so it is woken now and then. */
enum { DEADLINE_MS = 30000, WAKE_MS = 2 };

static void on_wake(uv_timer_t *timer)
{
    struct sockets_deadline *deadline = timer->data;

    if (uv_now(timer->loop) > deadline->end_ms)
        check_failed(__FILE__, __LINE__, "waited too long for: %s", deadline->condition);
}

void sockets_deadline(uv_loop_t *loop, struct sockets_deadline *deadline, const char *condition)
{
    uv_update_time(loop);
    uv_timer_init(loop, &deadline->timer);
    deadline->timer.data = deadline;
    deadline->condition = condition;
    deadline->end_ms = uv_now(loop) + DEADLINE_MS;
    uv_timer_start(&deadline->timer, on_wake, WAKE_MS, WAKE_MS);
}

static void on_closed(uv_handle_t *handle)
{
    handle->data = NULL;
}

void sockets_in_time(uv_loop_t *loop, struct sockets_deadline *deadline)
{
    uv_close((uv_handle_t *)&deadline->timer, on_closed);
    while (deadline->timer.data != NULL) /* it stands on the stack of the test */
        uv_run(loop, UV_RUN_NOWAIT);
}

void sockets_run_dry(uv_loop_t *loop)
{
    uv_run(loop, UV_RUN_DEFAULT);
    CHECK_I64("everything is closed", uv_loop_close(loop), 0);
}

int sockets_bound(uint16_t *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    CHECK(fd >= 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_I64("bind", bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    CHECK_I64("name", getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

int sockets_listening(int backlog, uint16_t *ret_port)
{
    int fd = sockets_bound(ret_port);

    CHECK_I64("listen", listen(fd, backlog), 0);
    return fd;
}

static int connect_to(uint16_t port, int flags)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | flags, 0);

    CHECK(fd >= 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 || errno == EINPROGRESS);
    return fd;
}

int sockets_connect(uint16_t port)
{
    return connect_to(port, 0);
}

void sockets_deaf(struct sockets_deaf *deaf)
{
    deaf->listener = sockets_listening(0, &deaf->port);
    for (size_t i = 0; i < ARRAY_LEN(deaf->waiting);
         i++) /* its queue is full: the next are dropped */
        deaf->waiting[i] = connect_to(deaf->port, SOCK_NONBLOCK);
}

void sockets_deaf_close(struct sockets_deaf *deaf)
{
    for (size_t i = 0; i < ARRAY_LEN(deaf->waiting); i++)
        close(deaf->waiting[i]);
    close(deaf->listener);
}
