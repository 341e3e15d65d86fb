#include "test/lib/check.h"

#include "io/log.h"
#include "server/server.h"
#include "wire/records.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { TICK_MS = 200, TIMEOUT_MS = 2 * TICK_MS };

static struct server server;
static struct config config;
static char directory[64];

static void start(void)
{
    char text[256];

    snprintf(directory, sizeof(directory), "/tmp/paddock-turn-XXXXXX");
    CHECK(mkdtemp(directory) != NULL);
    CHECK_STATUS(log_open("/dev/null", LOG_LEVEL_ERROR), STATUS_OK);
    snprintf(text, sizeof(text), "tickTime=%d\nclientPort=0\nclientPortAddress=127.0.0.1\n",
             TICK_MS);
    config_init(&config);
    config_parse(&config, "test", slice_text(text));
    config.data_dir = directory;
    config_complete(&config);
    CHECK(config_error(&config) == NULL);
    CHECK(server_open(&server, &config) == EXIT_CODE_OK);
    front_serve(server.front);
}

static void end(void)
{
    char command[128];

    server_close(&server);
    config_deinit(&config);
    snprintf(command, sizeof(command), "rm -rf '%s'", directory);
    CHECK(system(command) == 0);
}

static void turn(void)
{
    uv_run(&server.loop, UV_RUN_NOWAIT);
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void send_frame(int fd, const struct buffer *payload)
{
    uint8_t head[4];

    store_be32(head, (uint32_t)payload->size);
    CHECK(write(fd, head, sizeof(head)) == (ssize_t)sizeof(head));
    CHECK(write(fd, payload->data, payload->size) == (ssize_t)payload->size);
}

/* Turns the loop until the server has answered this many bytes. */
static void await(int fd, size_t size)
{
    uint8_t bytes[256];
    int64_t until_ms = now_ms() + 20000;

    CHECK(size <= sizeof(bytes));
    for (size_t got = 0; got < size;) {
        ssize_t more = recv(fd, bytes + got, size - got, MSG_DONTWAIT);
        CHECK(more != 0); /* closed */
        if (more > 0)
            got += (size_t)more;
        else
            turn();
        CHECK(now_ms() < until_ms);
    }
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
    await(fd, 4 + 36);
    return fd;
}

static void ping(int fd)
{
    struct buffer request = {0};

    request_header_write(&request, &(struct request_header){.xid = XID_PING, .type = OP_PING});
    send_frame(fd, &request);
    buffer_deinit(&request);
}

/* The loop stands still over the moment at which the session would expire, for less than the two
 * ticks behind which every session gets a full timeout again; its ping waits in the socket. */
TEST(a_ping_that_has_arrived_is_read_before_its_session_can_expire)
{
    start();
    int fd = connect_client();
    for (int round = 0; round < 5; round++) {
        int64_t heard_ms = now_ms();
        while (now_ms() < heard_ms + TIMEOUT_MS - TICK_MS / 2)
            turn();
        ping(fd);
        usleep((TICK_MS * 2 - TICK_MS / 4) * 1000); /* nobody turns the loop */
        await(fd, 4 + REPLY_HEADER_BYTES);
        CHECK_I64("expired", replica_metrics(server.replica)->values[METRIC_SESSIONS_EXPIRED], 0);
    }
    close(fd);
    end();
}
