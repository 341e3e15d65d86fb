/* servers.c: what the servers of a world do: to the network, before the eyes of those who check, and when
 * they die.
 *
 * A server that died comes back after a while that depends on its own life only. */
#include "sim/servers.h"

#include "base/hash.h"
#include "replica/txn/txn.h"
#include "sim/chance.h"
#include "sim/checker.h"
#include "sim/packets.h"
#include "sim/routes.h"
#include "sim/timely.h"

#include <inttypes.h>
#include <stdio.h>

/* --- connections --- */

static int host_of_name(const struct world *world, struct slice name)
{
    for (int i = 0; i < world->node_count; i++) {
        char text[32];
        snprintf(text, sizeof(text), "n%" PRId64, world->nodes[i].options.id);
        if (slice_equal(name, slice_text(text)))
            return i;
    }
    ASSERT(!"a host that is none of the ensemble");
    return 0;
}

/* Why a connection ends when a peer does not keep to the protocol. Servers of ours do. */
static bool is_breach(const char *reason)
{
    static const char *const breaches[] = {
        "is not the next one", "does not decode",        "is no packet",
        "came before",         "is of another epoch",    "nobody has asked",
        "did not answer",      "is not FOLLOWERINFO or", "did not say how"};

    for (size_t i = 0; reason != NULL && i < ARRAY_LEN(breaches); i++) {
        if (strstr(reason, breaches[i]) != NULL)
            return true;
    }
    return false;
}

static void on_peer(void *context, struct node *node, const struct peer_effect *effect,
                    struct slice bytes)
{
    struct world *world = context;
    int host = node->options.index;
    struct route *route = route_find(world, host, effect->connection);

    switch (effect->kind) {
    case PEER_DIAL: {
        enum network_port port = effect->port == PEER_PORT_QUORUM   ? NETWORK_QUORUM
                                 : effect->port == PEER_PORT_MASTER ? NETWORK_MASTER
                                                                    : NETWORK_ELECTION;
        int peer = host_of_name(world, effect->host);
        route_add(world, host, effect->connection, port, peer);
        world_note(world, node, "#%" PRIu64 " dials %.*s:%u", effect->connection,
                   (int)effect->host.size, (const char *)effect->host.data, effect->port_number);
        network_dial(world->network, host, effect->connection, peer, port);
        break;
    }
    case PEER_SEND:
        packets_note(world, node, route, bytes);
        network_send(world->network, host, effect->connection, bytes);
        break;
    case PEER_HOLD:
        network_hold(world->network, host, effect->connection);
        break;
    case PEER_CLOSE:
        world_note(world, node, "#%" PRIu64 " it closes%s%s", effect->connection,
                   effect->reason != NULL ? ": " : "",
                   effect->reason != NULL ? effect->reason : "");
        if (is_breach(effect->reason) && (world->hand == NULL || world->hand->guests == 0))
            world_fail(world, node, "its peer broke the protocol: %s", effect->reason);
        if (route != NULL && route->port != NETWORK_ELECTION)
            timely_peer_dropped(world->timely, node);
        network_close(world->network, host, effect->connection);
        break;
    case PEER_NOTE:
        world_note(world, node, "notes #%" PRIu64 ": %s", effect->connection, effect->reason);
        break;
    case PEER_LISTEN:
    case PEER_UNLISTEN:
        break;
    }
}

static void on_client_send(void *context, struct node *node, uint64_t connection,
                           struct slice bytes)
{
    struct world *world = context;

    timely_client_send(world->timely, node, connection, bytes);
    network_send(world->network, node->options.index, connection, bytes);
}

static void on_client_close(void *context, struct node *node, uint64_t connection,
                            const char *reason)
{
    struct world *world = context;

    (void)reason;
    timely_client_closed(world->timely, node, connection);
    network_close(world->network, node->options.index, connection);
}

/* --- the disk --- */

static void on_append(void *context, struct node *node, const struct txnlog_append *append)
{
    struct world *world = context;

    struct txn_header header = {0};

    if (txn_read_header(append->payload, &header) != STATUS_OK)
        world_fail(world, node, "it logs what is no transaction");
    world_note(world, node, "appends %" PRIx64 ": type %d, request %d of %" PRIx64,
               (uint64_t)append->zxid, header.type, header.cxid, (uint64_t)header.client_id);
    checker_append(world->checker, node, append);
    timely_append(world->timely, node, append);
}

static void on_durable(void *context, struct node *node, int64_t zxid)
{
    struct world *world = context;

    world_note(world, node, "synced %" PRIx64, (uint64_t)zxid);
    checker_durable(world->checker, node, zxid);
}

static void on_stored(void *context, struct node *node, const struct store_work *work,
                      enum status status, const struct tree *tree)
{
    static const char *const names[] = {"epochs", "truncate", "reload", "restart log"};
    struct world *world = context;

    checker_stored(world->checker, node, work, status);
    world_note(world, node,
               "%s done: %s zxid=%" PRIx64 " accepted=%" PRId64 " current=%" PRId64
               " tree=%" PRIx64,
               names[work->kind], status_text(status), (uint64_t)work->zxid, work->accepted_epoch,
               work->current_epoch, tree == NULL ? 0 : (uint64_t)tree_last_zxid(tree));
}

static void on_imaged(void *context, struct node *node, int64_t zxid)
{
    struct world *world = context;

    world_note(world, node, "a snapshot begins: %" PRIx64, (uint64_t)zxid);
}

static void on_turned(void *context, struct node *node)
{
    struct world *world = context;

    checker_turned(world->checker, node);
    timely_turned(world->timely, node);
}

/* --- death and start --- */

static void on_died(void *context, struct node *node, const char *why)
{
    struct world *world = context;

    world->verdict.crashes++;
    world_note(world, node, "died: %s", why);
    if (world->hand != NULL) {
        network_crash(world->network, node->options.index, /* silently= */ false);
        return;
    }
    /* By its own life: what happens to others changes nothing here. */
    uint64_t chance = hash_u64(node->life, world->run->seed + (uint64_t)node->options.index);
    bool silently = !world->healing && chance_of(&chance, 4);
    network_crash(world->network, node->options.index, silently);
    events_in(&world->events, 1000 + chance_below(&chance, 4000000), servers_start, world,
              (uint64_t)node->options.index);
}

void servers_start(void *context, uint64_t index)
{
    struct world *world = context;
    struct node *node = &world->nodes[index];
    struct buffer problem = {0};

    if (node->up)
        return;
    bool harmed = node->harmed || node->quarantined;
    enum status status = node_boot(node, &problem);
    if (status == STATUS_OK) {
        if (node->quarantined)
            world_note(world, node, "in quarantine: %.*s", (int)problem.size,
                       (const char *)problem.data);
        if (node->quarantined && !harmed)
            world_fail(world, node, "it starts in quarantine, and its files are as it wrote them");
        if (node->tree_differs && !harmed && world->run->mutant != MUTANT_WRONG_BYTES)
            world_fail(world, node,
                       "its tree is not what its log tells, and its files are as it wrote them");
        if (node->quarantined || node->tree_differs)
            node->harmed = false;
        world_note(world, node, "starts zxid=%" PRIx64 " accepted=%" PRId64 " current=%" PRId64,
                   (uint64_t)node->durable_zxid, node->accepted_epoch, node->current_epoch);
        checker_booted(world->checker, node);
        network_is_back(world->network, (int)index);
    } else if (sim_disk_crashed(node->sim)) {
        node_crash(node, SIM_LOSE_SOME, "the power failed during the start");
        events_in(&world->events, 100000, servers_start, world, index);
    } else if ((status == STATUS_NO_SPACE || status == STATUS_IO) && !world->healing) {
        world_note(world, node, "it does not start: %s", status_text(status));
        events_in(&world->events, 500000, servers_start, world, index);
    } else if (world->hand != NULL) {
        world_note(world, node, "it does not start: %s: %.*s", status_text(status),
                   (int)problem.size, (const char *)problem.data);
    } else if (node->rotten[0] != '\0') { /* its operator has a backup of the file */
        world_note(world, node, "it does not start: %.*s", (int)problem.size,
                   (const char *)problem.data);
        node_unrot(node);
        events_in(&world->events, 100000, servers_start, world, index);
    } else {
        world_fail(world, node, "it does not start: %s: %.*s", status_text(status),
                   (int)problem.size, (const char *)problem.data);
    }
    buffer_deinit(&problem);
}

struct node_hooks servers_hooks(struct world *world)
{
    return (struct node_hooks){.peer = on_peer,
                               .client_send = on_client_send,
                               .client_close = on_client_close,
                               .append = on_append,
                               .durable = on_durable,
                               .stored = on_stored,
                               .imaged = on_imaged,
                               .turned = on_turned,
                               .died = on_died,
                               .context = world};
}
