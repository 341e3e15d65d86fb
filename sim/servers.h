/* servers.h: the servers of a world, seen from outside. */
#ifndef SIM_SERVERS_H
#define SIM_SERVERS_H

#include "sim/world.h"

struct node_hooks servers_hooks(struct world *world);
/* events_run, context: the world. The process of a server starts, or tries it again later. */
void servers_start(void *context, uint64_t index);

#endif
