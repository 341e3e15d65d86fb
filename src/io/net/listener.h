/* listener.h: a port to which others connect. A bind that fails is tried again every second. After
 * a restart the port can be bound at once (SO_REUSEADDR). */
#ifndef IO_NET_LISTENER_H
#define IO_NET_LISTENER_H

#include "base/base.h"

#include <uv.h>

struct listener_options {
    const char *host; /* name or number; NULL: every address of the machine. Copied */
    uint16_t port;    /* 0: any free one */
    int backlog;
    int attempts_max; /* attempts to bind; <= 0: no limit */
};

struct listener_events { /* none comes before listener_open() has returned */
    void (*opened)(void *context);
    /* It could not be bound: an error of libuv. again: it is tried again in a second; otherwise this
     * was the last attempt. */
    void (*failed)(void *context, int error, bool again);
    void (*connection)(void *context, uv_stream_t *socket); /* one waits: stream_accept() */
    void (*lost)(void *context, int error); /* one could not be accepted: out of descriptors, ... */
};

struct listener;
/* The events are borrowed for its lifetime. If the host is not a name, it listens when this
 * returns. */
struct listener *listener_open(uv_loop_t *loop, const struct listener_options *options,
                               const struct listener_events *events, void *context);
void listener_close(struct listener *listener);          /* no event any more; frees itself */
uint16_t listener_port(const struct listener *listener); /* 0: not bound */

#endif
