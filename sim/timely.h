/* timely.h: what must happen in time. A server that has lost its leader, or a leader that has lost its quorum,
 * soon answers its clients nothing more; a session that is heard does not expire, and one that is not does. */
#ifndef SIM_TIMELY_H
#define SIM_TIMELY_H

#include "sim/world.h"

struct timely;
struct timely *timely_new(struct world *world);
void timely_free(struct timely *timely);

/* Bytes have come to the node from a peer, and from a client. */
void timely_peer_bytes(struct timely *timely, struct node *node, struct route *route,
                       struct slice bytes);
/* The node gives up a connection to a learner: it may not have looked at what came on it last. */
void timely_peer_dropped(struct timely *timely, const struct node *node);
void timely_client_bytes(struct timely *timely, struct node *node, uint64_t connection);
void timely_client_closed(struct timely *timely, struct node *node, uint64_t connection);
/* The node is about to send this to a client, to log this. */
void timely_client_send(struct timely *timely, struct node *node, uint64_t connection,
                        struct slice bytes);
/* A leader is about to answer a learner's question for a session. */
void timely_revalidates(struct timely *timely, struct slice data);
void timely_append(struct timely *timely, struct node *node, const struct txnlog_append *append);
void timely_turned(struct timely *timely, struct node *node);

#endif
