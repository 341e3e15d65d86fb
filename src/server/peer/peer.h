/* peer.h: the bytes to and from the other servers of the ensemble.
 *
 * This room carries out what the replica wants done with peers (replica/effects/effects.h), and reports
 * to it what happens to the connections. It decides nothing: the replica decides to whom to connect
 * and when, which connection to keep, and what the bytes mean.
 *
 * At the end of a turn there is one send for each connection, directly from the effects' bytes, which
 * connections may share. What the kernel does not accept is copied and waits, up to a bound.
 * Reading from a peer is never slowed down: a learner's ACKs come after its requests. */
#ifndef SERVER_PEER_PEER_H
#define SERVER_PEER_PEER_H

#include "server/host/host.h"

enum {
    /* How much may wait for one connection. A follower that was suspended for a short time must not
     * be disconnected: this is two seconds of a full gigabit link, more than syncLimit allows it to
     * fall behind at usual rates. In a large ensemble in which all voters reach the bound it is
     * some gigabytes; a higher bound could end the server for lack of memory. */
    PEER_QUEUE_BYTES_MAX = 256 << 20,
    /* Below this a connection has room for more. It is well above 0, so that the kernel always has bytes
     * to send while a snapshot is read. */
    PEER_ROOM_BYTES = 1 << 20,
    /* Connections that others have opened. An ensemble has at most 255 servers with two connections each;
     * any more come from strangers, who must not use up the descriptors that clients need. */
    PEER_ACCEPTED_MAX = 1024
};

struct peer_address {
    const char *host; /* as configured */
    uint16_t port;
};

struct peer_options {
    /* This server's own addresses, from its server.N line. Borrowed for its lifetime. */
    const struct peer_address *election, *quorum, *master; /* master: for observers */
    size_t election_count, quorum_count, master_count;
    bool listen_on_all;         /* quorumListenOnAllIPs: of the addresses, only the ports count */
    int32_t bind_attempts_max;  /* electionPortBindRetry: of the election port; <= 0: no end */
    int32_t connect_timeout_ms; /* cnxTimeout; <= 0: only the system's */
    bool tcp_keep_alive;
    size_t queue_bytes_max; /* PEER_QUEUE_BYTES_MAX, but for tests */
    /* The election port could not be bound, and it is not tried again. It was logged. */
    void (*cannot_listen)(void *context);
    void *context;
};

struct peers;
/* The host is borrowed for its lifetime. */
struct peers *peers_new(struct host *host, const struct peer_options *options);
void peers_free(
    struct peers *peers); /* may be NULL; after peers_close_all(), when the loop has ended */
void peers_start(struct peers *peers); /* listens at the election port */
void peers_close_all(struct peers *peers);

/* --- the turn, in this order (replica.h has its contract) --- */
/* Call it after every step: nothing more is reported about a connection that the replica closes. */
void peers_note_effects(struct peers *peers);
void peers_carry_out(struct peers *peers);       /* steps nothing */
void peers_effects_cleared(struct peers *peers); /* the effects were cleared */
void peers_end_connections(struct peers *peers); /* steps: ends connections whose bytes could not be
                                                    sent */
bool peers_has_work(const struct peers *peers);

/* The port that is bound, for a configured port 0; 0: none. */
uint16_t peers_port(const struct peers *peers, enum peer_port port);

#endif
