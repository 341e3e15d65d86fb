/* stream.c: send() first, libuv's queue only for what the kernel does not take. */
#include "io/net/stream.h"

#include <errno.h>
#include <sys/socket.h>

enum { READ_BUFFER_BYTES = 256 << 10, KEEP_ALIVE_DELAY_S = 60 };

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

enum status stream_send(struct stream *stream, struct slice bytes)
{
    uv_os_fd_t fd;

    if (stream->closed || bytes.size == 0)
        return STATUS_OK;
    if (stream->writing != NULL) {
        buffer_append(&stream->out, bytes);
        return STATUS_OK;
    }
    if (uv_fileno((uv_handle_t *)&stream->tcp, &fd) != 0)
        return STATUS_IO;
    ssize_t taken = send(fd, bytes.data, bytes.size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (taken < 0 && (errno == EAGAIN || errno == EINTR))
        taken = 0;
    if (taken < 0)
        return STATUS_IO;
    if ((size_t)taken == bytes.size)
        return STATUS_OK;
    struct buffer rest = {0};
    buffer_append(&rest, slice_of(bytes.data + taken, bytes.size - (size_t)taken));
    return write_later(stream, &rest) ? STATUS_OK : STATUS_IO;
}

/* --- the end --- */

static void on_closed(uv_handle_t *handle)
{
    struct stream *stream = handle->data;

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
