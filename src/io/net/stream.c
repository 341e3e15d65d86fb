/* stream.c: bytes are given to the kernel at once, by send(); only what it does not accept goes
 * into libuv's queue. */
#include "io/net/stream.h"

#include <errno.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    READ_BUFFER_BYTES = 256 << 10,
    KEEP_ALIVE_DELAY_S = 60,
    PARTS_PER_CALL = 64 /* of stream_send_parts(), handed to the kernel together */
};

struct stream_write {
    uv_write_t request;
    struct stream *stream;
    struct buffer bytes;
};

void net_init(struct net *net, uv_loop_t *loop)
{
    *net = (struct net){.loop = loop, .read_buffer = mem_alloc(READ_BUFFER_BYTES)};
}

void net_deinit(struct net *net)
{
    mem_free(net->read_buffer);
    *net = (struct net){0};
}

void stream_init(struct stream *stream, struct net *net, const struct stream_events *events,
                 void *context)
{
    *stream = (struct stream){.net = net, .events = events, .context = context};
    uv_tcp_init(net->loop, &stream->tcp);
    stream->tcp.data = stream;
}

enum status stream_accept(struct stream *stream, uv_stream_t *listener,
                          struct sockaddr_storage *ret_peer)
{
    int peer_size = sizeof(*ret_peer);

    *ret_peer = (struct sockaddr_storage){0};
    if (uv_accept(listener, (uv_stream_t *)&stream->tcp) != 0 ||
        uv_tcp_getpeername(&stream->tcp, (struct sockaddr *)ret_peer, &peer_size) != 0)
        return STATUS_IO;
    uv_tcp_nodelay(&stream->tcp, 1);
    return STATUS_OK;
}

enum status stream_open(struct stream *stream, int fd, struct sockaddr_storage *ret_peer)
{
    int peer_size = sizeof(*ret_peer);

    *ret_peer = (struct sockaddr_storage){0};
    if (uv_tcp_open(&stream->tcp, fd) != 0) {
        close(fd);
        return STATUS_IO;
    }
    if (uv_tcp_getpeername(&stream->tcp, (struct sockaddr *)ret_peer, &peer_size) != 0)
        return STATUS_IO;
    uv_tcp_nodelay(&stream->tcp, 1);
    return STATUS_OK;
}

void stream_keep_alive(struct stream *stream)
{
    uv_tcp_keepalive(&stream->tcp, 1, KEEP_ALIVE_DELAY_S);
}

/* --- reading --- */

static void on_alloc(uv_handle_t *handle, size_t wish, uv_buf_t *ret_buffer)
{
    struct stream *stream = handle->data;

    (void)wish;
    *ret_buffer = uv_buf_init((char *)stream->net->read_buffer, READ_BUFFER_BYTES);
}

static void on_read(uv_stream_t *handle, ssize_t size, const uv_buf_t *buffer)
{
    struct stream *stream = handle->data;

    if (size > 0)
        stream->events->bytes(stream->context, (const uint8_t *)buffer->base, (size_t)size);
    else if (size < 0) /* 0: nothing just now */
        stream->events->ended(stream->context, size != UV_EOF);
}

void stream_read(struct stream *stream, bool wanted)
{
    if (stream->closed || wanted == stream->reading)
        return;
    stream->reading = wanted;
    if (wanted)
        uv_read_start((uv_stream_t *)&stream->tcp, on_alloc, on_read);
    else
        uv_read_stop((uv_stream_t *)&stream->tcp);
}

/* --- sending --- */

size_t stream_queued(const struct stream *stream)
{
    return stream->out.size + stream->writing_bytes;
}

size_t stream_kernel_queue(const struct stream *stream)
{
    return uv_stream_get_write_queue_size((const uv_stream_t *)&stream->tcp);
}

static bool write_later(struct stream *stream, struct buffer *bytes);

static void on_written(uv_write_t *request, int status)
{
    struct stream_write *writing = CONTAINER_OF(request, struct stream_write, request);
    struct stream *stream = writing->stream;
    struct buffer out = stream->out;

    ASSERT(stream->writing == writing);
    buffer_deinit(&writing->bytes);
    mem_free(writing);
    stream->writing = NULL;
    stream->writing_bytes = 0;
    if (stream->closed)
        return;
    buffer_init(&stream->out);
    if (status != 0 || (out.size > 0 && !write_later(stream, &out))) {
        buffer_deinit(&out);
        stream->events->ended(stream->context, /* broken= */ true);
        return;
    }
    stream->events->written(stream->context);
}

/* Takes the bytes. False: broken. */
static bool write_later(struct stream *stream, struct buffer *bytes)
{
    struct stream_write *writing = mem_zalloc(sizeof(*writing));

    ASSERT(stream->writing == NULL && !stream->closed && bytes->size > 0);
    writing->stream = stream;
    writing->bytes = *bytes;
    buffer_init(bytes);
    stream->writing = writing;
    stream->writing_bytes = writing->bytes.size;
    uv_buf_t buffer = uv_buf_init((char *)writing->bytes.data, (unsigned)writing->bytes.size);
    if (uv_write(&writing->request, (uv_stream_t *)&stream->tcp, &buffer, 1, on_written) == 0)
        return true;
    stream->writing = NULL;
    stream->writing_bytes = 0;
    buffer_deinit(&writing->bytes);
    mem_free(writing);
    return false;
}

/* What the kernel takes now, in bytes; -1: broken. */
static ssize_t send_now(struct stream *stream, const struct slice *parts, size_t count)
{
    struct iovec vectors[PARTS_PER_CALL];
    struct msghdr message = {.msg_iov = vectors, .msg_iovlen = count};
    uv_os_fd_t fd;

    if (uv_fileno((uv_handle_t *)&stream->tcp, &fd) != 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        vectors[i] = (struct iovec){(void *)(uintptr_t)parts[i].data, parts[i].size};
    ssize_t taken = count == 1 ? send(fd, parts[0].data, parts[0].size, MSG_DONTWAIT | MSG_NOSIGNAL)
                               : sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    return taken < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : taken;
}

/* The parts after their first `skipped` bytes. */
static void append_rest(struct buffer *rest, const struct slice *parts, size_t count,
                        size_t skipped)
{
    size_t total = 0;

    for (size_t i = 0; i < count; i++)
        total += parts[i].size;
    ASSERT(skipped < total);
    buffer_reserve(rest, total - skipped);
    for (size_t i = 0; i < count; i++) {
        size_t skip = skipped < parts[i].size ? skipped : parts[i].size;
        buffer_append(rest, slice_of(parts[i].data + skip, parts[i].size - skip));
        skipped -= skip;
    }
}

enum status stream_send_parts(struct stream *stream, const struct slice *parts, size_t count)
{
    if (stream->closed)
        return STATUS_OK;
    while (count > 0 && stream->writing == NULL) {
        size_t now = count < PARTS_PER_CALL ? count : PARTS_PER_CALL, size = 0;
        for (size_t i = 0; i < now; i++)
            size += parts[i].size;
        ssize_t taken = size == 0 ? 0 : send_now(stream, parts, now);
        if (taken < 0)
            return STATUS_IO;
        ASSERT(stream->out.size == 0); /* nothing may be overtaken */
        if ((size_t)taken < size) {
            struct buffer rest = {0};
            append_rest(&rest, parts, count, (size_t)taken);
            return write_later(stream, &rest) ? STATUS_OK : STATUS_IO;
        }
        parts += now;
        count -= now;
    }
    for (; count > 0; parts++, count--)
        buffer_append(&stream->out, *parts);
    return STATUS_OK;
}

enum status stream_send(struct stream *stream, struct slice bytes)
{
    return stream_send_parts(stream, &bytes, bytes.size > 0 ? 1 : 0);
}

/* --- the end --- */

size_t stream_unconfirmed(const struct stream *stream)
{
    uv_os_fd_t fd;
    int bytes = 0;

    if (stream->closed || uv_fileno((const uv_handle_t *)&stream->tcp, &fd) != 0 ||
        ioctl(fd, SIOCOUTQ, &bytes) != 0)
        return 0;
    return (size_t)bytes;
}

void stream_end_output(struct stream *stream)
{
    uv_os_fd_t fd;

    ASSERT(stream->closed || stream_queued(stream) == 0);
    if (!stream->closed && uv_fileno((uv_handle_t *)&stream->tcp, &fd) == 0)
        (void)shutdown(fd, SHUT_WR); /* where that fails, the reading ends, too */
}

static void on_closed(uv_handle_t *handle)
{
    struct stream *stream = handle->data;

    ASSERT(stream->closed && stream->writing == NULL); /* libuv has ended each write before */
    buffer_deinit(&stream->out);
    stream->events->closed(stream->context);
}

void stream_close(struct stream *stream)
{
    if (stream->closed)
        return;
    stream->closed = true;
    stream->reading = false;
    uv_close((uv_handle_t *)&stream->tcp, on_closed);
}

void stream_reset(struct stream *stream)
{
    if (stream->closed)
        return;
    if (uv_tcp_close_reset(&stream->tcp, on_closed) != 0) {
        stream_close(stream);
        return;
    }
    stream->closed = true;
    stream->reading = false;
}
