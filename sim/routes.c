/* routes.c: what the network brings, to servers, clients, and the hosts that a story plays.
 *
 * The first hosts are servers, the others clients. A connection between servers has a route at each end,
 * which knows what it is for. */
#include "sim/routes.h"

#include "replica/store/snapshot_stream.h"
#include "sim/speaker.h"
#include "sim/timely.h"

#include <inttypes.h>

static uint64_t route_key(int host, uint64_t number)
{
    return (uint64_t)host << 48 | number;
}

struct route *route_find(struct world *world, int host, uint64_t number)
{
    return map_get(&world->routes, route_key(host, number));
}

static void route_free(struct route *route)
{
    if (route == NULL)
        return;
    snapshot_stream_free(route->stream);
    buffer_deinit(&route->input);
    mem_free(route);
}

void route_add(struct world *world, int host, uint64_t number, enum network_port port, int peer)
{
    struct route *route = mem_zalloc(sizeof(*route));

    /* One of an earlier life of the server, which counts from 1 again. */
    route_free(map_remove(&world->routes, route_key(host, number)));
    *route = (struct route){.host = host, .peer = peer, .number = number, .port = port};
    map_set(&world->routes, route_key(host, number), route);
}

static bool on_accept(void *context, int host, enum network_port port, int from,
                      uint64_t *ret_number)
{
    struct world *world = context;
    struct node *node = &world->nodes[host];

    if (world_is_guest(world, host))
        return world->guests.accept(world->guests.context, host, port, from, ret_number);
    if (!node->up || (port == NETWORK_QUORUM && !node->listens[PEER_PORT_QUORUM]) ||
        (port == NETWORK_MASTER && !node->listens[PEER_PORT_MASTER]))
        return false;
    if (port == NETWORK_CLIENT)
        return node_accept_client(node, ret_number);
    *ret_number = node_accept_peer(node);
    route_add(world, host, *ret_number, port, from);
    world_note(world, node, "#%" PRIu64 " is accepted from n%d, %s port", *ret_number, from + 1,
               port == NETWORK_QUORUM   ? "quorum"
               : port == NETWORK_MASTER ? "observer master"
                                        : "election");
    return true;
}

static void on_opened(void *context, int host, uint64_t number, enum network_port port)
{
    struct world *world = context;

    if (world_is_guest(world, host))
        world->guests.opened(world->guests.context, host, number, port);
    else if (host < world->node_count && port != NETWORK_CLIENT)
        node_peer_opened(&world->nodes[host], number,
                         port == NETWORK_QUORUM   ? PEER_PORT_QUORUM
                         : port == NETWORK_MASTER ? PEER_PORT_MASTER
                                                  : PEER_PORT_ELECTION);
    else if (host >= world->node_count)
        speaker_opened(world->speakers, host - world->node_count, number);
}

static void on_bytes(void *context, int host, uint64_t number, struct slice bytes)
{
    struct world *world = context;

    struct route *route = route_find(world, host, number);

    if (world_is_guest(world, host)) {
        world->guests.bytes(world->guests.context, host, number, bytes);
    } else if (route != NULL) {
        timely_peer_bytes(world->timely, &world->nodes[host], route, bytes);
        node_peer_bytes(&world->nodes[host], number, bytes);
    } else if (host < world->node_count) {
        if (node_client_bytes(&world->nodes[host], number, bytes))
            timely_client_bytes(world->timely, &world->nodes[host], number);
    } else {
        speaker_bytes(world->speakers, host - world->node_count, number, bytes);
    }
}

static void on_closed(void *context, int host, uint64_t number)
{
    struct world *world = context;

    if (world_is_guest(world, host)) {
        world->guests.closed(world->guests.context, host, number);
    } else if (route_find(world, host, number) != NULL) {
        world_note(world, &world->nodes[host], "#%" PRIu64 " is closed", number);
        node_peer_closed(&world->nodes[host], number);
    } else if (host < world->node_count) {
        timely_client_closed(world->timely, &world->nodes[host], number);
        node_client_closed(&world->nodes[host], number);
    } else {
        speaker_closed(world->speakers, host - world->node_count, number);
    }
}

static void on_ready(void *context, int host, uint64_t number)
{
    struct world *world = context;

    if (route_find(world, host, number) != NULL)
        node_peer_ready(&world->nodes[host], number);
}

struct network_hooks routes_hooks(struct world *world)
{
    return (struct network_hooks){.accept = on_accept,
                                  .opened = on_opened,
                                  .bytes = on_bytes,
                                  .closed = on_closed,
                                  .ready = on_ready,
                                  .context = world};
}

void routes_free(struct world *world)
{
    size_t cursor = 0;
    struct route *route;

    while ((route = map_next(&world->routes, &cursor, NULL)) != NULL)
        route_free(route);
    map_deinit(&world->routes);
}
