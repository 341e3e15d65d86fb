/* fuzz_fourletter.c: a stranger at the client port of a whole server, who begins with a word, or
 * with anything, in pieces of any size.
 *
 * First byte: which word, or none. Second byte: size of the pieces. The rest comes behind the word.
 * Checked: a word is answered and the connection ends; the server still answers ruok to others. */
#include "io/log.h"
#include "server/front/front_internal.h"
#include "server/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WAIT_NS UINT64_C(20000000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char words[][5] = {"conf",
                                "cons",
                                "crst",
                                "dirs",
                                "dump",
                                "envi",
                                "gtmk",
                                "hash",
                                "isro",
                                "mntr",
                                "ruok",
                                "srst",
                                "srvr",
                                "stat",
                                "stmk",
                                "wchc",
                                "wchp",
                                "wchs",
                                "\xff\xf4\xff\xfd"};

static struct server the_server;

static void remove_data(void)
{
    char command[128];

    server_close(&the_server);
    snprintf(command, sizeof(command), "rm -rf '%s'", the_server.config->directories.data);
    if (system(command) != 0)
        abort();
}

static struct server *started(void)
{
    static struct config config;
    static char directory[] = "/tmp/fuzz-fourletter-XXXXXX";

    if (the_server.front != NULL)
        return &the_server;
    ASSERT(mkdtemp(directory) != NULL);
    ASSERT(log_open("/dev/null", LOG_LEVEL_TRACE) == STATUS_OK);
    config_init(&config);
    config_parse(&config, "fuzz",
                 SLICE("tickTime=2000\nclientPort=0\nclientPortAddress=127.0.0.1\n"
                       "maxClientCnxns=0\n4lw.commands.whitelist=*\n"));
    config.directories.data = directory;
    config_complete(&config);
    config_resolve(&config);
    ASSERT(config_error(&config) == NULL);
    ASSERT(server_open(&the_server, &config) == EXIT_CODE_OK);
    front_serve(the_server.front);
    atexit(remove_data);
    return &the_server;
}

static void turn(struct server *server)
{
    for (int i = 0; i < 3; i++)
        uv_run(&server->loop, UV_RUN_NOWAIT);
}

/* What the server sent until it closed. */
static size_t talk(struct server *server, struct slice bytes, size_t piece, char *answer,
                   size_t capacity)
{
    enum { OWN_ADDRESSES = 200 };
    static uint32_t talks;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    size_t got = 0;

    /* Ports of ended connections stay taken for a minute: one address has too few of them. */
    struct sockaddr_in own = {.sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK + talks++ % OWN_ADDRESSES)};
    ASSERT(bind(fd, (struct sockaddr *)&own, sizeof(own)) == 0);
    address.sin_port = htons((uint16_t)server->front->bound_port);
    ASSERT(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
    turn(server);
    for (size_t at = 0; at < bytes.size; at += piece) {
        size_t more = bytes.size - at < piece ? bytes.size - at : piece;
        if (send(fd, bytes.data + at, more, MSG_NOSIGNAL) < 0)
            break; /* closed already */
        turn(server);
    }
    shutdown(fd, SHUT_WR);
    uint64_t end_ns = uv_hrtime() + WAIT_NS; /* a session waits for the disk */
    for (;;) {
        turn(server);
        ssize_t size = recv(fd, answer + got, capacity - got, MSG_DONTWAIT);
        if (size == 0 || (size < 0 && errno != EAGAIN))
            break;
        got += size > 0 ? (size_t)size : 0;
        if (got == capacity)
            got = 0; /* more than anybody asked for; keep on reading */
        ASSERT(uv_hrtime() < end_ns);
    }
    close(fd);
    turn(server);
    return got;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char answer[1 << 18];
    struct server *server = started();
    struct buffer bytes;

    if (size < 2 || size > 4096)
        return 0;
    size_t word = data[0] % (ARRAY_LEN(words) + 1), piece = data[1] == 0 ? 4096 : data[1];
    buffer_init(&bytes);
    if (word < ARRAY_LEN(words))
        buffer_append(&bytes, slice_of(words[word], 4));
    buffer_append(&bytes, slice_of(data + 2, size - 2));
    size_t got = talk(server, buffer_slice(&bytes), piece, answer, sizeof(answer));
    if (word < ARRAY_LEN(words)) {
        bool silent = word == 7 || word == 14 || word == 18; /* hash, stmk, the telnet bytes */
        ASSERT(silent || got > 0);
    }
    buffer_deinit(&bytes);
    got = talk(server, SLICE("ruok"), 4, answer, sizeof(answer));
    ASSERT(got == 4 && memcmp(answer, "imok", 4) == 0);
    return 0;
}
