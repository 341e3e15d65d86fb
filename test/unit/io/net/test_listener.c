#include "io/net/listener.h"

#include "io/net/stream.h"
#include "test/lib/names.h"
#include "test/lib/sockets.h"

#include <unistd.h>

struct heard {
    int opened, failed, last_failed, connections, error;
    uv_tcp_t accepted;
    uv_loop_t *loop;
};

static void on_opened(void *context)
{
    ((struct heard *)context)->opened++;
}

static void on_failed(void *context, int error, bool again)
{
    struct heard *heard = context;

    heard->failed++;
    heard->last_failed += again ? 0 : 1;
    heard->error = error;
}

static void on_connection(void *context, uv_stream_t *socket)
{
    struct heard *heard = context;

    uv_tcp_init(heard->loop, &heard->accepted);
    CHECK_I64("accept", uv_accept(socket, (uv_stream_t *)&heard->accepted), 0);
    heard->connections++;
}

static void on_lost(void *context, int error)
{
    (void)context;
    check_failed(__FILE__, __LINE__, "lost: %s", uv_strerror(error));
}

static const struct listener_events events = {on_opened, on_failed, on_connection, on_lost};

static struct listener *open_at(struct heard *heard, const char *host, uint16_t port, int attempts)
{
    struct listener_options options = {
        .host = host, .port = port, .backlog = 8, .attempts_max = attempts};
    struct listener *listener = listener_open(heard->loop, &options, &events, heard);

    CHECK_I64("nothing is told before it has returned", heard->opened + heard->failed, 0);
    return listener;
}

TEST(a_port_that_is_open_tells_who_connects)
{
    uv_loop_t loop;
    struct heard heard = {.loop = &loop};

    uv_loop_init(&loop);
    struct listener *listener = open_at(&heard, "127.0.0.1", 0, 1);
    int fd = sockets_connect(listener_port(listener)); /* it listens already */
    SOCKETS_UNTIL(&loop, heard.opened > 0 && heard.connections > 0);
    uv_close((uv_handle_t *)&heard.accepted, NULL);
    listener_close(listener);
    sockets_run_dry(&loop);
    close(fd);
}

TEST(every_address_of_the_machine_can_be_listened_at)
{
    uv_loop_t loop;
    struct heard heard = {.loop = &loop};

    uv_loop_init(&loop);
    struct listener *listener = open_at(&heard, NULL, 0, 1);
    int fd = sockets_connect(listener_port(listener));
    SOCKETS_UNTIL(&loop, heard.connections > 0);
    uv_close((uv_handle_t *)&heard.accepted, NULL);
    listener_close(listener);
    sockets_run_dry(&loop);
    close(fd);
}

TEST(a_taken_port_is_tried_again_until_it_is_free)
{
    uv_loop_t loop;
    struct heard heard = {.loop = &loop};
    uint16_t port;
    int other = sockets_listening(8, &port);

    uv_loop_init(&loop);
    struct listener *listener = open_at(&heard, "127.0.0.1", port, 0);
    SOCKETS_UNTIL(&loop, heard.failed > 0);
    CHECK_I64("error", heard.error, UV_EADDRINUSE);
    CHECK_I64("not the last attempt", heard.last_failed, 0);
    close(other);
    SOCKETS_UNTIL(&loop, heard.opened > 0);
    CHECK_I64("port", listener_port(listener), port);
    listener_close(listener);
    sockets_run_dry(&loop);
}

TEST(the_last_attempt_says_that_it_is_the_last)
{
    uv_loop_t loop;
    struct heard heard = {.loop = &loop};
    uint16_t port;
    int other = sockets_listening(8, &port);

    uv_loop_init(&loop);
    struct listener *listener = open_at(&heard, "127.0.0.1", port, 2);
    SOCKETS_UNTIL(&loop, heard.last_failed > 0);
    CHECK_I64("attempts", heard.failed, 2);
    listener_close(listener);
    sockets_run_dry(&loop);
    CHECK_I64("no more attempts", heard.failed + heard.opened, 2);
    close(other);
}

TEST(a_host_name_is_looked_up_anew_by_each_attempt)
{
    uv_loop_t loop;
    struct heard heard = {.loop = &loop};

    uv_loop_init(&loop);
    struct listener *listener = open_at(&heard, "myself", 0, 0);
    SOCKETS_UNTIL(&loop, heard.failed > 0);
    CHECK_I64("error", heard.error, UV_EAI_NONAME);
    names_set("myself", "127.0.0.1");
    SOCKETS_UNTIL(&loop, heard.opened > 0);
    listener_close(listener);
    sockets_run_dry(&loop);
    names_forget();
}

TEST(a_closed_listener_tells_nothing)
{
    uv_loop_t loop;
    struct heard heard = {.loop = &loop};

    uv_loop_init(&loop);
    names_set("myself", "127.0.0.1");
    names_hang("myself");
    listener_close(open_at(&heard, "myself", 0, 0));
    listener_close(open_at(&heard, "127.0.0.1", 0, 0));
    names_forget();
    sockets_run_dry(&loop);
    CHECK_I64("told", heard.opened + heard.failed, 0);
}

TEST(a_port_is_taken_again_at_once_though_its_old_connections_linger)
{
    uv_loop_t loop;
    struct heard heard = {.loop = &loop};

    uv_loop_init(&loop);
    struct listener *listener = open_at(&heard, "127.0.0.1", 0, 1);
    uint16_t port = listener_port(listener);
    int fd = sockets_connect(port);
    SOCKETS_UNTIL(&loop, heard.connections > 0);
    uv_close((uv_handle_t *)&heard.accepted,
             NULL); /* the listening side ends it: TIME_WAIT is here */
    listener_close(listener);
    uv_run(&loop, UV_RUN_DEFAULT);
    char byte;
    CHECK_I64("the end", read(fd, &byte, 1), 0);
    close(fd);
    heard.opened = 0;
    listener = open_at(&heard, "127.0.0.1", port, 1);
    SOCKETS_UNTIL(&loop, heard.opened + heard.failed > 0);
    CHECK_I64("error", heard.error, 0);
    listener_close(listener);
    sockets_run_dry(&loop);
}
