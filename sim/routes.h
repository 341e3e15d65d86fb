/* routes.h: the connections between simulated servers, and where to what the network brings goes. */
#ifndef SIM_ROUTES_H
#define SIM_ROUTES_H

#include "sim/world.h"

struct network_hooks routes_hooks(struct world *world);
void routes_free(struct world *world);

/* A server's end of a connection to another server. NULL: no such. */
struct route *route_find(struct world *world, int host, uint64_t number);
void route_add(struct world *world, int host, uint64_t number, enum network_port port, int peer);

#endif
