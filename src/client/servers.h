/* servers.h: the servers that a client may connect to, the order in which it tries them, and when a
 * changed list makes it move. */
#ifndef CLIENT_SERVERS_H
#define CLIENT_SERVERS_H

#include "base/slice.h"

enum { CLIENT_ADDRESS_BYTES_MAX = 32 };

/* A socket address of the host. Two are the same server when their bytes are equal, so the host sets
 * all that it does not use to zero. */
struct client_address {
    uint8_t bytes[CLIENT_ADDRESS_BYTES_MAX];
    uint32_t size;
};

struct client_servers {
    struct client_address *items; /* mem_free() */
    uint32_t count, next;
    uint64_t random; /* state of the generator, never 0 */
    bool in_order;   /* not shuffled */
};

void client_servers_init(struct client_servers *servers, uint64_t seed, bool in_order);
void client_servers_deinit(struct client_servers *servers);

/* Takes ownership of `items` (mem_try_alloc()). `current`: the server that the client is connected
 * to, or NULL. Returns whether the client must leave it, so that all clients are spread evenly over
 * a list that has grown or shrunk: with s servers before and n now, of them `kept` in both lists,
 *
 *     n > s    a client stays with probability s / n, others go to a server that is new
 *     n <= s   a client stays when its server is in the list; others go to a server that was there
 *              before with probability kept * (s - n) / (n * (s - kept)), else to a new one
 *
 * The servers of the chosen kind are tried first. A list with the same servers changes nothing. */
MUST_USE bool client_servers_set(struct client_servers *servers, struct client_address *items,
                                 uint32_t count, const struct client_address *current);

/* The next server to try, in a circle. There is at least one. */
const struct client_address *client_servers_next(struct client_servers *servers);
/* The server that was returned last will be returned again. */
void client_servers_again(struct client_servers *servers);

#endif
