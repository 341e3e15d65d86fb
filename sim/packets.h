/* packets.h: what servers say to each other, read along for the trace and the checks. */
#ifndef SIM_PACKETS_H
#define SIM_PACKETS_H

#include "sim/world.h"

/* Bytes that the node sends on this connection. */
void packets_note(struct world *world, struct node *node, struct route *route, struct slice bytes);

#endif
