/* network.h: connections between hosts by the rules of TCP: what is sent comes in order, cut anew at any
 * byte, and late; or the connection breaks at any byte, which each side learns at its own time. Nothing
 * is lost within a connection that lives: where the way is blocked, bytes wait until it is open again.
 *
 * A host is a number; so is its end of a connection. The two ends of one connection have different
 * numbers, each as its own host numbers them. */
#ifndef SIM_NETWORK_H
#define SIM_NETWORK_H

#include "base/buffer.h"
#include "sim/events.h"

enum { NETWORK_HOSTS_MAX = 32 };
enum network_port { NETWORK_ELECTION, NETWORK_QUORUM, NETWORK_MASTER, NETWORK_CLIENT };

struct network_hooks {
    /* True: somebody listens there, and this is the number of its end of the connection. */
    bool (*accept)(void *context, int host, enum network_port port, int from, uint64_t *ret_number);
    void (*opened)(void *context, int host, uint64_t number, enum network_port port);
    void (*bytes)(void *context, int host, uint64_t number, struct slice bytes);
    void (*closed)(void *context, int host, uint64_t number);
    void (*ready)(void *context, int host, uint64_t number);
    void *context;
};

struct network_options {
    int64_t latency_min_us, latency_spread_us; /* of one way: min + below(spread) */
    int64_t chunk_max;                         /* bytes that come at once; 0: all that wait */
    int64_t slow_one_in; /* one delivery in so many takes up to a hundred times as long */
};

struct network;
struct network *network_new(struct events *events, const struct network_options *options,
                            const struct network_hooks *hooks, uint64_t seed);
void network_free(struct network *network);

/* Nothing gets from one host to the other until it is unblocked. */
void network_block(struct network *network, int from, int to, bool blocked);
bool network_blocked(const struct network *network, int from, int to);
/* Everything on this way takes so many times as long. */
void network_slow(struct network *network, int from, int to, int64_t factor);
void network_heal(struct network *network); /* all ways are open, and none is slow */
/* No delivery is slow from now on, and there is room for what the clients of a run ask. Within this time who
 * has a connection that is half open is told. */
enum { NETWORK_CALM_TELL_US = 1000000 };
void network_calm(struct network *network);

/* opened() or closed() follows. */
void network_dial(struct network *network, int host, uint64_t number, int to,
                  enum network_port port);
void network_send(struct network *network, int host, uint64_t number, struct slice bytes);
/* ready() follows when most of what was sent has arrived. */
void network_hold(struct network *network, int host, uint64_t number);
/* What was sent still arrives, then the other side is told. Nothing is reported to this side any more. */
void network_close(struct network *network, int host, uint64_t number);
/* All connections of the host break. Silently: the others learn it much later. */
void network_crash(struct network *network, int host, bool silently);
/* The host answers again: who sends on a connection from before its crash learns that at once. */
void network_is_back(struct network *network, int host);
/* One connection, by chance, breaks at some byte. False: there is none. Half: one side is told, the other
 * one much later. */
bool network_break_one(struct network *network, bool half);

#endif
