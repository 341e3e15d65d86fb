/* resolve.h: the addresses behind a name, looked up while the loop goes on.
 *
 * Nothing is cached: every look-up asks the resolver. It runs on libuv's pool of four threads,
 * where one that hangs occupies a thread until the resolver gives up; numeric addresses are parsed
 * directly and need no thread. */
#ifndef IO_NET_RESOLVE_H
#define IO_NET_RESOLVE_H

#include "base/base.h"

#include <sys/socket.h>
#include <uv.h>

enum { RESOLVED_MAX = 16, HOST_TEXT_MAX = 256 };

struct resolved { /* IPv4 first, as Java has them, otherwise in the resolver's order */
    struct sockaddr_storage addresses[RESOLVED_MAX];
    size_t count;
};

/* "10.0.0.1", "::1". False: not a number. */
MUST_USE bool resolve_number(const char *host, uint16_t port, struct resolved *ret_found);

/* error 0: `found` has at least one. Otherwise an error of libuv. */
typedef void resolve_done(void *context, const struct resolved *found, int error);
struct resolving;
/* 0: done() comes later. Otherwise an error of libuv, and nothing was begun. */
MUST_USE int resolve_start(uv_loop_t *loop, const char *host, uint16_t port, resolve_done *done,
                           void *context, struct resolving **ret_resolving);
void resolve_cancel(struct resolving *resolving); /* done() will not be called */

#endif
