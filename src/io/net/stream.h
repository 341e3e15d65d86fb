/* stream.h: bytes to and from one peer, over libuv.
 *
 * Bytes that were read are in a buffer that all streams of a `net` share; to keep them longer, copy them.
 * What is sent goes to the kernel at once; what the kernel does not accept waits here, in order.
 * The owner limits how much may wait, with stream_queued(). A stream knows nothing about frames or
 * znodes. */
#ifndef IO_NET_STREAM_H
#define IO_NET_STREAM_H

#include "base/buffer.h"

#include <uv.h>

struct net { /* what the streams of one loop share */
    uv_loop_t *loop;
    uint8_t *read_buffer;
};
void net_init(struct net *net, uv_loop_t *loop);
void net_deinit(struct net *net); /* every stream is closed */

struct stream_events {
    void (*bytes)(void *context, const uint8_t *bytes, size_t size);
    /* The peer has closed it (false), or it broke (true): close it. */
    void (*ended)(void *context, bool broken);
    void (*written)(void *context); /* the kernel has accepted what waited, or the next part of
                                       it */
    void (*closed)(void *context);  /* the last event, some time after stream_close() */
};

struct stream_write; /* bytes on their way, owned by libuv until they are out */

struct stream {
    uv_tcp_t tcp; /* the first member */
    struct net *net;
    const struct stream_events *events;
    void *context;
    struct stream_write *writing;
    size_t writing_bytes;
    struct buffer out; /* after `writing` */
    bool reading, closed;
};

/* Ready for stream_accept(). The events are borrowed for its lifetime. */
void stream_init(struct stream *stream, struct net *net, const struct stream_events *events,
                 void *context);
/* Accepts the connection that the listener reports. STATUS_IO: it is gone already; close it. */
MUST_USE enum status stream_accept(struct stream *stream, uv_stream_t *listener,
                                   struct sockaddr_storage *ret_peer);
/* Takes a socket that is connected already. STATUS_IO: it is gone; close the stream. */
MUST_USE enum status stream_open(struct stream *stream, int fd, struct sockaddr_storage *ret_peer);
void stream_keep_alive(struct stream *stream);
void stream_read(struct stream *stream,
                 bool wanted); /* starts or stops; stopping is back-pressure */
/* STATUS_IO: the stream is broken: close it. */
MUST_USE enum status stream_send(struct stream *stream, struct slice bytes);
/* The same for several pieces, which are sent one after the other. */
MUST_USE enum status stream_send_parts(struct stream *stream, const struct slice *parts,
                                       size_t count);
size_t stream_queued(const struct stream *stream);       /* sent by the owner, not in the kernel */
size_t stream_kernel_queue(const struct stream *stream); /* of these, what the kernel has refused */
/* Bytes that the kernel has accepted and the other side's kernel has not confirmed yet. */
size_t stream_unconfirmed(const struct stream *stream);
/* Ends sending: after what was sent, the other side reads end of file. Nothing may wait here
 * (stream_queued() is 0). Reading continues. */
void stream_end_output(struct stream *stream);
/* At once; what waits is lost. More than once is fine. */
void stream_close(struct stream *stream);
void stream_reset(struct stream *stream); /* the same with a reset: nothing lingers on our side */

#endif
