/* nullserver.c: the do-nothing server: takes any handshake, cuts frames, answers a constant.
 *
 * What the load generator reaches against it is the most that this machine, this kernel and this
 * client give to any server on one thread: the ceiling in bench/compare.py's table. Not a part of
 * the product: it trusts its peer's frame sizes up to one buffer and keeps no state.
 *
 *     nullserver PORT [DATA_BYTES] */
#include "base/buffer.h"
#include "wire/records.h"
#include "wire/zk.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_BYTES = 1 << 20, EVENTS_MAX = 512, BACKLOG = 1024 };

struct connection {
    int fd;
    bool shaken, closing;
    struct buffer in, out;
};

static uint8_t data_reply[REPLY_HEADER_BYTES + 4 + 65536 + STAT_BYTES + 4];
static size_t data_bytes = 100;

static void reply_begin(struct buffer *out, size_t body_bytes, int32_t xid)
{
    uint8_t *at = buffer_extend(out, 4 + REPLY_HEADER_BYTES);
    struct reply_header header = {.xid = xid, .zxid = 1};

    store_be32(at, (uint32_t)(REPLY_HEADER_BYTES + body_bytes));
    reply_header_put(at + 4, &header);
}

static void answer(struct connection *connection, const uint8_t *frame, size_t size)
{
    static const uint8_t zeros[STAT_BYTES];
    struct buffer *out = &connection->out;

    if (!connection->shaken) { /* protocol, timeout, session id, password, read-only */
        buffer_i32(out, size >= 45 ? 37 : 36);
        buffer_i32(out, 0);
        buffer_i32(out, 30000);
        buffer_i64(out, connection->fd + 1);
        jute_put_bytes(out, slice_of(zeros, PASSWORD_BYTES));
        if (size >= 45)
            jute_put_bool(out, false);
        connection->shaken = true;
        return;
    }
    int32_t xid = (int32_t)load_be32(frame), op = (int32_t)load_be32(frame + 4);
    switch (op) {
    case OP_GET_DATA:
        reply_begin(out, 4 + data_bytes + STAT_BYTES, xid);
        buffer_append(out, slice_of(data_reply, 4 + data_bytes + STAT_BYTES));
        break;
    case OP_SET_DATA:
    case OP_EXISTS:
        reply_begin(out, STAT_BYTES, xid);
        buffer_append(out, slice_of(zeros, STAT_BYTES));
        break;
    case OP_CREATE:
        reply_begin(out, 6, xid);
        jute_put_bytes(out, SLICE("/n"));
        break;
    default:
        reply_begin(out, 0, xid);
        connection->closing |= op == OP_CLOSE_SESSION;
    }
}

static bool serve(struct connection *connection)
{
    static uint8_t chunk[READ_BYTES];
    size_t had = connection->in.size, taken = 0;

    if (had > 0)
        memcpy(chunk, connection->in.data, had);
    ssize_t got = recv(connection->fd, chunk + had, READ_BYTES - had, 0);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR;
    if (got == 0)
        return false;
    size_t size = had + (size_t)got;
    while (size - taken >= 4) {
        size_t frame_bytes = load_be32(chunk + taken);
        if (frame_bytes < 8 || frame_bytes > READ_BYTES / 2)
            return false;
        if (size - taken - 4 < frame_bytes)
            break;
        answer(connection, chunk + taken + 4, frame_bytes);
        taken += 4 + frame_bytes;
    }
    connection->in.size = 0;
    buffer_append(&connection->in, slice_of(chunk + taken, size - taken));
    size_t sent = 0;
    while (sent < connection->out.size) {
        ssize_t now = send(connection->fd, connection->out.data + sent, connection->out.size - sent,
                           MSG_NOSIGNAL);
        if (now < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        if (now > 0)
            sent += (size_t)now;
    }
    connection->out.size = 0;
    return !connection->closing;
}

static void take_connection(int listener, int epoll_fd)
{
    int one = 1, fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0)
        return;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    struct connection *connection = mem_zalloc(sizeof(*connection));
    connection->fd = fd;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
        abort();
}

static int listen_on(uint16_t port)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    (void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(listener, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(listener, BACKLOG) != 0) {
        perror("nullserver");
        exit(1);
    }
    return listener;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: nullserver PORT [DATA_BYTES]\n");
        return 2;
    }
    if (argc > 2)
        data_bytes = (size_t)strtoul(argv[2], NULL, 10) % 65536;
    store_be32(data_reply, (uint32_t)data_bytes);
    int listener = listen_on((uint16_t)strtoul(argv[1], NULL, 10));
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event) != 0)
        return 1;
    for (;;) {
        struct epoll_event events[EVENTS_MAX];
        int count = epoll_wait(epoll_fd, events, EVENTS_MAX, -1);
        for (int i = 0; i < count; i++) {
            struct connection *connection = events[i].data.ptr;
            if (connection == NULL) {
                take_connection(listener, epoll_fd);
            } else if (!serve(connection)) {
                close(connection->fd);
                buffer_deinit(&connection->in);
                buffer_deinit(&connection->out);
                mem_free(connection);
            }
        }
    }
}
