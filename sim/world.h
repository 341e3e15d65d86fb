/* world.h: what the files of the simulated ensemble share. Not for others: their doors are cluster.h and
 * story.h. */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "sim/cluster.h"
#include "sim/network.h"
#include "sim/node.h"

enum { WORLD_NODES_MAX = 7 };

struct snapshot_stream;
struct route { /* one end of a connection between servers */
    int host, peer;
    uint64_t number;
    enum network_port port;
    struct buffer input; /* of a learner's connection: no whole packet yet */
    bool image;          /* a snapshot is on its way */
    struct snapshot_stream *stream;
    bool up_to_date;        /* UPTODATE was sent */
    int64_t committed_zxid; /* the last COMMIT that was sent */
};

struct chain;
struct checker;
struct timely;
struct speaker;

struct world {
    const struct cluster_run *run;
    struct cluster_verdict verdict;
    struct settings options;
    struct events events;
    struct network *network;
    struct membership *membership;
    struct node nodes[WORLD_NODES_MAX];
    int node_count;
    uint64_t fault_chance;
    struct map routes;
    struct chain *chain;
    struct checker *checker;
    struct timely *timely;
    struct speaker *speakers;
    int64_t highest_answered; /* zxid of a write that some client was answered */
    bool healing;             /* no more faults */
    bool settled;             /* and all serve: nobody is elected and no session ends any more */
    int64_t settled_us;       /* from then on */
    const struct cluster_hand *hand; /* NULL: all is by seed */
    struct network_hooks guests;     /* of the hosts that a story plays: world_is_guest() */
};

/* Clients of a story are behind all others; of the servers, those that it said. */
static inline bool world_is_guest(const struct world *world, int host)
{
    return world->hand != NULL &&
           (host >= world->node_count ? host >= world->node_count + world->options.clients
                                      : (world->hand->guests >> host & 1));
}

/* A line of the trace, and into the hash. node NULL: of nobody. */
void world_note(struct world *world, const struct node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The first one is the verdict. */
void world_fail(struct world *world, const struct node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
