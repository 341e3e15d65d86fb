/* node_clients.h: the client connections of one simulated server, as the daemon's rooms of sockets keep them:
 * numbers, frames that are not whole yet, connections that the replica does not read or has closed. */
#ifndef SIM_NODE_CLIENTS_H
#define SIM_NODE_CLIENTS_H

#include "base/buffer.h"
#include "sim/bug.h"
#include "sim/inbox.h"

enum { NODE_CLIENTS = 64, NODE_FRAME_BYTES_MAX = 1 << 20 };

struct node_client {
    bool used, paused, closing;
    uint64_t connection;
    struct buffer input; /* no whole frame yet, or the client is paused */
};

/* Fields are for reading. A client's number in the replica is its place here. */
struct node_clients {
    struct node_client items[NODE_CLIENTS];
    struct inbox *inbox; /* where its events go */
    enum node_bug bug;
};

void node_clients_init(struct node_clients *clients, struct inbox *inbox, enum node_bug bug);
void node_clients_forget(struct node_clients *clients); /* the process is gone */

/* What the network brings. */
bool node_clients_accept(struct node_clients *clients, uint64_t connection); /* false: no place */
/* True: the replica gets at least one frame. */
bool node_clients_bytes(struct node_clients *clients, uint64_t connection, struct slice bytes);
void node_clients_closed(struct node_clients *clients, uint64_t connection);

/* An event is about to be stepped. False: its client is gone, and it is no news to the replica. */
bool node_clients_take(struct node_clients *clients, const struct replica_event *event);

/* What the replica wants. */
void node_clients_pause(struct node_clients *clients, uint32_t id);
void node_clients_resume(struct node_clients *clients, uint32_t id);
void node_clients_end(struct node_clients *clients, uint32_t id);
/* Some bugs are made here: `first` is the first frame that is sent. */
void node_clients_spoil_answers(const struct node_clients *clients, uint8_t *first, size_t size);

#endif
