/* connections.h: one connection to each server at the election port, and the messages on it.
 *
 * Of two servers, the one with the larger id connects, and both use that connection. The other one
 * also connects, says who it is and closes the connection: this asks the first to connect. Voters
 * stay connected; a connection to any other server lives as long as one of the two needs it, and the
 * connections of an observer to the voters while it looks for the leader.
 *
 * For each server at most one message waits; a new one replaces it. The last message is sent again
 * on every new connection for which no other message waits, because it may have been lost with the
 * connection before. So a server receives the last message that was sent to it, perhaps twice.
 *
 * Connections are numbered, opened and closed as replica/effects/effects.h says. What comes out for the
 * election is fetched with connections_next().
 * Source: QuorumCnxManager.java. */
#ifndef REPLICA_ELECTION_CONNECTIONS_H
#define REPLICA_ELECTION_CONNECTIONS_H

#include "replica/effects/effects.h"
#include "replica/election/election.h"

struct connections_options {
    int64_t my_id;
    bool many_addresses;      /* multiAddress.enabled: all addresses are used, and said */
    int32_t first_try_ms;     /* of each of several addresses; 0: no limit */
    int64_t hello_timeout_ms; /* how long a new connection may take to say who it is */
    int32_t redial_min_ms, redial_max_ms;
    uint64_t *next_number; /* of outgoing connections: odd, shared with all that open connections;
                        borrowed */
};

enum connections_news_kind { CONNECTIONS_LINK, CONNECTIONS_MESSAGE };
struct connections_news {
    enum connections_news_kind kind;
    int64_t id;
    enum election_link link; /* CONNECTIONS_LINK */
    struct slice
        message; /* CONNECTIONS_MESSAGE: valid until the next call but connections_send() */
};

struct connections;
MUST_USE struct connections *connections_new(const struct connections_options *options);
void connections_free(struct connections *connections);

/* Call it first, and whenever they change; borrowed until the next call. `last_seen` may be
 * NULL. */
void connections_set_members(struct connections *connections, const struct membership *committed,
                             const struct membership *last_seen, struct effects *effects);
/* An election begins, or is decided. Before the first call: it is decided. */
void connections_set_looking(struct connections *connections, bool looking);
void connections_send(struct connections *connections, int64_t to, struct slice message,
                      struct effects *effects);

/* Does this connection belong here? Every one that is accepted at the election port does. */
bool connections_owns(const struct connections *connections, uint64_t number);
void connections_opened(struct connections *connections, uint64_t number, int64_t now_ms,
                        struct effects *effects);
void connections_bytes(struct connections *connections, uint64_t number, struct slice bytes,
                       int64_t now_ms, struct effects *effects);
void connections_closed(struct connections *connections, uint64_t number, int64_t now_ms);
void connections_tick(struct connections *connections, int64_t now_ms, struct effects *effects);
int64_t connections_wake_at_ms(const struct connections *connections); /* INT64_MAX: never */

/* The next event, in order. False: there is no more. */
bool connections_next(struct connections *connections, struct connections_news *ret_news);

#endif
