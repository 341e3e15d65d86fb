/* connections.h: one connection to each server at the election port, and the messages on it.
 *
 * Of two servers the one with the larger id dials and both use that connection. The other one dials, says
 * who it is and hangs up, which asks the first to dial back. Voters are kept connected; to all others a
 * connection lives as long as somebody wants it.
 *
 * Each server has room for one message that waits; a new one takes its place. The last message is sent
 * again on every new connection that nothing else waits for, since it may have been lost with the one
 * before. So a server hears the last that was said to it, and perhaps hears it twice.
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
    int64_t hello_timeout_ms; /* how long who has connected may take to say who it is */
    int32_t redial_min_ms, redial_max_ms;
    uint64_t *next_number; /* of dialled connections: odd, shared with all who dial; borrowed */
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

/* Before all else, and whenever they change; borrowed until the next call. `last_seen` may be NULL. */
void connections_set_members(struct connections *connections, const struct membership *committed,
                             const struct membership *last_seen, int64_t now_ms,
                             struct effects *effects);
void connections_send(struct connections *connections, int64_t to, struct slice message,
                      int64_t now_ms, struct effects *effects);
/* Of an open connection: what is sent again on the next one in place of what was sent last. */
void connections_say_next_time(struct connections *connections, int64_t to, struct slice message);

/* Is this connection one of ours? Every one that is accepted at the election port becomes so. */
bool connections_owns(const struct connections *connections, uint64_t number);
void connections_opened(struct connections *connections, uint64_t number, int64_t now_ms,
                        struct effects *effects);
void connections_bytes(struct connections *connections, uint64_t number, struct slice bytes,
                       int64_t now_ms, struct effects *effects);
void connections_closed(struct connections *connections, uint64_t number, int64_t now_ms,
                        struct effects *effects);
void connections_tick(struct connections *connections, int64_t now_ms, struct effects *effects);
int64_t connections_wake_at_ms(const struct connections *connections); /* INT64_MAX: never */

/* What happened, in its order. False: that was all. */
bool connections_next(struct connections *connections, struct connections_news *ret_news);

#endif
