/* test_turn.c: the order of a turn of the real loop, under a clock that this file moves.
 *
 * clock_gettime() below stands in for the C library's, also inside libuv, so that no load of the machine
 * makes anything late: time passes when the test says so, and the kernel is asked, not waited for. */
#include "test/lib/check.h"

#include "io/log.h"
#include "server/server.h"
#include "wire/records.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    TICK_MS = 1000,
    TIMEOUT_MS = 2 * TICK_MS,
    STEP_MS = 100,
    TURNS_PER_STEP = 4,
    ROUNDS = 20,
    PING_ANSWER_BYTES = 4 + REPLY_HEADER_BYTES
};

static struct server server;
static struct config config;
static char directory[64];
static _Atomic int64_t clock_ms = 1000000;

int clock_gettime(clockid_t id, struct timespec *ret_time)
{
    int64_t ms = atomic_load(&clock_ms);

    if (id != CLOCK_MONOTONIC && id != CLOCK_MONOTONIC_COARSE)
        return (int)syscall(SYS_clock_gettime, id, ret_time);
    *ret_time = (struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    return 0;
}

static void turns(int count)
{
    for (int i = 0; i < count; i++)
        uv_run(&server.loop, UV_RUN_NOWAIT);
}

/* Nobody turns the loop while these pass. */
static void stand_still(int64_t ms)
{
    atomic_fetch_add(&clock_ms, ms);
}

static void start(void)
{
    char text[256];

    snprintf(directory, sizeof(directory), "/tmp/paddock-turn-XXXXXX");
    CHECK(mkdtemp(directory) != NULL);
    CHECK_STATUS(log_open("/dev/null", LOG_LEVEL_ERROR), STATUS_OK);
    snprintf(text, sizeof(text),
             "tickTime=%d\ndataDir=%s\nclientPort=0\nclientPortAddress=127.0.0.1\nforceSync=no\n",
             TICK_MS, directory);
    config_init(&config);
    config_parse(&config, "test", slice_text(text));
    config_complete(&config);
    config_resolve(&config);
    CHECK(config_error(&config) == NULL);
    CHECK(server_open(&server, &config) == EXIT_CODE_OK);
    front_serve(server.front);
    turns(TURNS_PER_STEP);
}

static void end(void)
{
    char command[128];

    server_close(&server);
    config_deinit(&config);
    snprintf(command, sizeof(command), "rm -rf '%s'", directory);
    CHECK(system(command) == 0);
}

static void send_frame(int fd, const struct buffer *payload)
{
    uint8_t frame[128];

    CHECK(4 + payload->size <= sizeof(frame));
    store_be32(frame, (uint32_t)payload->size);
    memcpy(frame + 4, payload->data, payload->size);
    /* In one piece, which arrives as one. */
    CHECK(write(fd, frame, 4 + payload->size) == (ssize_t)(4 + payload->size));
}

/* Is this handle the server's end of the client's connection? Waits until it has bytes to read. */
static void wait_readable_if_peer(uv_handle_t *handle, void *context)
{
    const struct sockaddr_in *client = context;
    struct sockaddr_in peer = {0};
    int size = sizeof(peer);
    uv_os_fd_t fd;

    if (handle->type != UV_TCP ||
        uv_tcp_getpeername((uv_tcp_t *)handle, (struct sockaddr *)&peer, &size) != 0 ||
        peer.sin_port != client->sin_port || uv_fileno(handle, &fd) != 0)
        return;
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    CHECK(poll(&readable, 1, -1) == 1);
}

/* What was sent has arrived in the server's socket. */
static void wait_arrived(int fd)
{
    struct sockaddr_in client = {0};
    socklen_t size = sizeof(client);

    CHECK(getsockname(fd, (struct sockaddr *)&client, &size) == 0);
    uv_walk(&server.loop, wait_readable_if_peer, &client);
}

/* Turns the loop, without a moment passing, until the server has answered so many bytes. False: it
 * closed the connection. */
static bool await(int fd, size_t size)
{
    uint8_t bytes[256];

    struct pollfd readable = {.fd = fd, .events = POLLIN};

    CHECK(size <= sizeof(bytes));
    for (size_t got = 0; got < size;) {
        ssize_t more = recv(fd, bytes + got, size - got, MSG_DONTWAIT);
        if (more == 0)
            return false;
        if (more > 0) {
            got += (size_t)more;
            continue;
        }
        turns(1);
        (void)poll(&readable, 1, 1); /* the log thread has work to do */
    }
    return true;
}

static int connect_client(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)front_port(server.front)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct buffer request = {0};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    CHECK(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
    connect_request_write(
        &request, &(struct connect_request){.timeout_ms = TIMEOUT_MS, .password = SLICE("")});
    send_frame(fd, &request);
    buffer_deinit(&request);
    CHECK(await(fd, 4 + 36));
    return fd;
}

static void ping(int fd)
{
    struct buffer request = {0};

    request_header_write(&request, &(struct request_header){.xid = XID_PING, .type = OP_PING});
    send_frame(fd, &request);
    buffer_deinit(&request);
}

/* Time passes and the loop turns; a client that speaks all the time steps the replica up to the end, so
 * that the replica does not take what comes next for a long standstill. */
static void pass(int speaking, int64_t ms)
{
    for (int64_t passed = 0; passed < ms; passed += STEP_MS) {
        stand_still(STEP_MS);
        turns(TURNS_PER_STEP);
        ping(speaking);
        CHECK(await(speaking, PING_ANSWER_BYTES));
    }
}

/* The loop stands still over the moment at which the session would expire, for less than the two
 * ticks behind which every session gets a full timeout again. Both clients were silent for the same
 * time; a ping of one of them waits in its socket. */
TEST(a_ping_that_has_arrived_is_read_before_its_session_can_expire)
{
    start();
    int speaking = connect_client();
    for (int round = 0; round < ROUNDS; round++) {
        int pinging = connect_client(), silent = connect_client();
        pass(speaking, TIMEOUT_MS - STEP_MS);
        ping(pinging);
        wait_arrived(pinging);
        stand_still(2 * TICK_MS - STEP_MS);
        if (!await(pinging, PING_ANSWER_BYTES))
            check_failed(__FILE__, __LINE__, "round %d: expired, with its ping in the socket",
                         round);
        CHECK(!await(silent, 1)); /* without a ping, this was the end */
        close(pinging);
        close(silent);
        pass(speaking, 3 * STEP_MS); /* so that each round meets the ticks elsewhere */
    }
    close(speaking);
    end();
}
