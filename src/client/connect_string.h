/* connect_string.h: "host:port,host:port/chroot" taken apart. Names are not resolved here: that is the
 * host's work. */
#ifndef CLIENT_CONNECT_STRING_H
#define CLIENT_CONNECT_STRING_H

#include "base/slice.h"

struct client_host {
    struct slice name; /* an IPv6 address stands without brackets */
    uint16_t port;
};

/* The list of hosts is what stands before the first '/'; the chroot begins with it and belongs to all
 * hosts. A chroot of "/" alone is none. STATUS_INVALID: the chroot is no valid path. */
MUST_USE enum status connect_string_split(struct slice text, struct slice *ret_hosts,
                                          struct slice *ret_chroot);

/* Takes the next host from the front of *hosts. Empty entries are skipped. STATUS_END: there is no
 * more. STATUS_INVALID: an entry without a port, or whose port is none. */
MUST_USE enum status connect_string_next(struct slice *hosts, struct client_host *ret_host);

#endif
