/* dial.h: an outgoing connection to a name: looks it up each time, then tries each of its addresses
 * in turn. */
#ifndef IO_NET_DIAL_H
#define IO_NET_DIAL_H

#include "base/base.h"

#include <uv.h>

/* fd >= 0: connected, and the callee owns the socket (stream_open()). Otherwise `error` is libuv's
 * error for the address that was tried last, or for the name. The dial is over. */
typedef void dial_done(void *context, int fd, int error);

struct dial;
/* The host is copied. timeout_ms is that of the look-up, and of each address; <= 0: only the system's.
 * done() never comes before this has returned. */
struct dial *dial_start(uv_loop_t *loop, const char *host, uint16_t port, int64_t timeout_ms,
                        dial_done *done, void *context);
void dial_cancel(struct dial *dial); /* done() will not be called; the dial is over */

#endif
