/* address.h: socket addresses as ZooKeeper writes them. */
#ifndef IO_ADDRESS_H
#define IO_ADDRESS_H

#include "base/base.h"

#include <sys/socket.h>

enum { ADDRESS_TEXT_MAX = 48 };

/* What tells one client host from another: IPv4 as IPv4-mapped IPv6. */
struct address_host {
    uint8_t bytes[16];
};

struct address_host address_host(const struct sockaddr *address);
int address_port(const struct sockaddr *address);
/* As Java's getHostAddress(): "10.0.0.1", also for an IPv4-mapped IPv6 address; IPv6 in eight groups,
 * lower case, no "::": "0:0:0:0:0:0:0:1". */
void address_host_text(struct address_host host, char ret_text[ADDRESS_TEXT_MAX]);

/* Name or number to an address to bind. Blocks in DNS. NULL host: every address, dual stack when the
 * machine has IPv6. STATUS_NOT_FOUND: the name does not resolve. */
MUST_USE enum status address_resolve(const char *host, int port,
                                     struct sockaddr_storage *ret_address);

#endif
