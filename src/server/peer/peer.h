/* peer.h: the bytes to and from the other servers of the ensemble.
 *
 * What the replica wants done with peers (replica/effects/effects.h) is carried out here, and what
 * happens to the connections is told to it. Nothing is decided: who is dialed when, which connection is
 * kept and what the bytes mean is the replica's.
 *
 * At the end of a turn each connection gets one send, straight from the effects' bytes, however many
 * connections share them; what the kernel does not take is copied and waits, up to a bound. Nobody is
 * ever read slower: a learner's ACKs stand behind its requests. */
#ifndef SERVER_PEER_PEER_H
#define SERVER_PEER_PEER_H

#include "server/host/host.h"

enum {
    /* What may wait for one connection. A follower that was stopped for a while must not cost its
     * place: this is two seconds of a full gigabit link, more than syncLimit leaves it at the rates
     * of an ensemble that works. With all voters of a large ensemble at the bound it is some
     * gigabytes; more would take the server with it. */
    PEER_QUEUE_BYTES_MAX = 256 << 20,
    /* Below it a connection has room for more. Far from empty, so that the kernel never runs dry
     * while a snapshot is read. */
    PEER_ROOM_BYTES = 1 << 20,
    /* Connections that others have opened and that are open at once. An ensemble has at most 255
     * servers with two each; the rest are strangers, who must not take the clients' descriptors. */
    PEER_ACCEPTED_MAX = 1024
};

struct peer_address {
    const char *host; /* as configured */
    uint16_t port;
};

struct peer_options {
    /* This server's own, of its server.N line. Borrowed for life. */
    const struct peer_address *election, *quorum;
    size_t election_count, quorum_count;
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
/* The host is borrowed for life. */
struct peers *peers_new(struct host *host, const struct peer_options *options);
void peers_free(struct peers *peers);  /* NULL is fine; behind peers_close_all() and a dry loop */
void peers_start(struct peers *peers); /* listens at the election port */
void peers_close_all(struct peers *peers);

/* --- the turn, in this order (replica.h has its contract) --- */
/* Behind every step: nothing more is told of a connection that the replica closes. */
void peers_note_effects(struct peers *peers);
void peers_carry_out(struct peers *peers);       /* steps nothing */
void peers_effects_cleared(struct peers *peers); /* the effects were cleared */
void peers_end_connections(struct peers *peers); /* steps: those whose bytes could not leave */
bool peers_has_work(const struct peers *peers);

/* The port that is bound, for a configured port 0; 0: none. */
uint16_t peers_port(const struct peers *peers, enum peer_port port);

#endif
