/* cluster.c: builds the world of a seed, lets it go on, breaks it, heals it. */
#include "sim/cluster.h"

#include "base/hash.h"
#include "replica/store/snapshot_stream.h"
#include "replica/txn/txn.h"
#include "sim/chance.h"
#include "sim/checker.h"
#include "sim/faults.h"
#include "sim/packets.h"
#include "sim/speaker.h"
#include "sim/timely.h"
#include "sim/world.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum {
    TICK_MS = 200,
    INIT_LIMIT = 10,
    SYNC_LIMIT = 5,
    SETTLE_STEP_US = 100000,
    QUIET_US = 2500000,
    REST_US = 1500000,
    HAND_LATENCY_US = 500,
    MASTER_PORT = 2889,
    HAND_THINK_US = 40000
};

/* --- the trace --- */

/* The length of the conversion behind the '%'; *ret_long, *ret_precision: its value is of 64 bits, a
 * precision comes before it. */
static size_t conversion(const char *at, bool *ret_long, bool *ret_precision)
{
    size_t size = strspn(at, "-.0123456789*lz");

    *ret_long = memchr(at, 'l', size) != NULL || memchr(at, 'z', size) != NULL;
    *ret_precision = memchr(at, '*', size) != NULL;
    return size + 1;
}

/* The line's values go into the hash as they are: to write them as text costs a fifth of a run. */
static uint64_t hash_line(uint64_t hash, const char *format, va_list values)
{
    for (const char *at = strchr(format, '%'); at != NULL; at = strchr(at, '%')) {
        bool is_long, has_precision;
        size_t size = conversion(++at, &is_long, &has_precision);
        char kind = at[size - 1];
        size_t length = has_precision ? (size_t)va_arg(values, int) : SIZE_MAX;
        at += size;
        if (kind == 's') {
            const char *text = va_arg(values, const char *);
            hash = hash_bytes(slice_of(text, length == SIZE_MAX ? strlen(text) : length), hash);
        } else {
            ASSERT(kind == 'd' || kind == 'x' || kind == 'u');
            uint64_t value = is_long ? va_arg(values, uint64_t) : va_arg(values, unsigned);
            hash = hash_u64(value, hash);
        }
    }
    return hash_bytes(slice_text(format), hash);
}

__attribute__((format(printf, 3, 0))) static void vnote(struct world *world,
                                                        const struct node *node, const char *format,
                                                        va_list values)
{
    char line[1024];
    int at = 0;
    va_list again;

    va_copy(again, values);
    uint64_t who = node == NULL ? 0 : (uint64_t)node->options.id;
    uint64_t when = hash_u64((uint64_t)world->events.now_us, world->verdict.hash);
    world->verdict.hash = hash_line(hash_u64(who, when), format, again);
    va_end(again);
    if (world->run->trace == NULL)
        return;
    at = snprintf(line, sizeof(line), "%10.3f ", (double)world->events.now_us / 1000.0);
    at += node != NULL
              ? snprintf(line + at, sizeof(line) - (size_t)at, "n%" PRId64 " ", node->options.id)
              : snprintf(line + at, sizeof(line) - (size_t)at, "-- ");
    vsnprintf(line + at, sizeof(line) - (size_t)at, format, values);
    world->run->trace(world->run->context, line);
}

void world_note(struct world *world, const struct node *node, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    vnote(world, node, format, values);
    va_end(values);
}

void world_fail(struct world *world, const struct node *node, const char *format, ...)
{
    va_list values;

    if (world->verdict.failed)
        return;
    world->verdict.failed = true;
    world->verdict.check = format;
    va_start(values, format);
    vsnprintf(world->verdict.problem, sizeof(world->verdict.problem), format, values);
    va_end(values);
    world_note(world, node, "FAILED: %s", world->verdict.problem);
}

/* --- the network's hooks: the first hosts are nodes, the others clients --- */

static uint64_t route_key(int host, uint64_t number)
{
    return (uint64_t)host << 48 | number;
}

static struct route *route_of(struct world *world, int host, uint64_t number)
{
    return map_get(&world->routes, route_key(host, number));
}

static void free_route(struct route *route)
{
    if (route == NULL)
        return;
    snapshot_stream_free(route->stream);
    buffer_deinit(&route->input);
    mem_free(route);
}

static void add_route(struct world *world, int host, uint64_t number, enum network_port port,
                      int peer)
{
    struct route *route = mem_zalloc(sizeof(*route));

    /* One of an earlier life of the server, which counts from 1 again. */
    free_route(map_remove(&world->routes, route_key(host, number)));
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
    add_route(world, host, *ret_number, port, from);
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

    struct route *route = route_of(world, host, number);

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
    } else if (route_of(world, host, number) != NULL) {
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

    if (route_of(world, host, number) != NULL)
        node_peer_ready(&world->nodes[host], number);
}

/* --- the nodes' hooks --- */

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
    struct route *route = route_of(world, host, effect->connection);

    switch (effect->kind) {
    case PEER_DIAL: {
        enum network_port port = effect->port == PEER_PORT_QUORUM   ? NETWORK_QUORUM
                                 : effect->port == PEER_PORT_MASTER ? NETWORK_MASTER
                                                                    : NETWORK_ELECTION;
        int peer = host_of_name(world, effect->host);
        add_route(world, host, effect->connection, port, peer);
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

static void restart(void *context, uint64_t index);

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
    events_in(&world->events, 1000 + chance_below(&chance, 4000000), restart, world,
              (uint64_t)node->options.index);
}

static void restart(void *context, uint64_t index)
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
        if (node->quarantined)
            node->harmed = false;
        world_note(world, node, "starts zxid=%" PRIx64 " accepted=%" PRId64 " current=%" PRId64,
                   (uint64_t)node->durable_zxid, node->accepted_epoch, node->current_epoch);
        checker_booted(world->checker, node);
        network_is_back(world->network, (int)index);
    } else if (sim_disk_crashed(node->sim)) {
        node_crash(node, SIM_LOSE_SOME, "the power failed during the start");
        events_in(&world->events, 100000, restart, world, index);
    } else if ((status == STATUS_NO_SPACE || status == STATUS_IO) && !world->healing) {
        world_note(world, node, "it does not start: %s", status_text(status));
        events_in(&world->events, 500000, restart, world, index);
    } else if (world->hand != NULL) {
        world_note(world, node, "it does not start: %s: %.*s", status_text(status),
                   (int)problem.size, (const char *)problem.data);
    } else if (node->rotten[0] != '\0') { /* its operator has a backup of the file */
        world_note(world, node, "it does not start: %.*s", (int)problem.size,
                   (const char *)problem.data);
        node_unrot(node);
        events_in(&world->events, 100000, restart, world, index);
    } else {
        world_fail(world, node, "it does not start: %s: %.*s", status_text(status),
                   (int)problem.size, (const char *)problem.data);
    }
    buffer_deinit(&problem);
}

/* --- the world of a seed --- */

static void make_membership(struct world *world)
{
    struct buffer problem = {0};
    int64_t server;

    world->membership = membership_new();
    for (int i = 0; i < world->node_count; i++) {
        char name[32], value[64];
        snprintf(name, sizeof(name), "server.%d", i + 1);
        snprintf(value, sizeof(value), "n%d:2888:3888:%s", i + 1,
                 i < world->options.nodes ? "participant" : "observer");
        enum status status =
            membership_add(world->membership, slice_text(name), slice_text(value), false, &problem);
        ASSERT(status == STATUS_OK);
    }
    enum status status = membership_finish(world->membership, &problem, &server);
    ASSERT(status == STATUS_OK);
    buffer_deinit(&problem);
}

/* All disks are fast and alike, and every turn comes at once. */
static void by_hand(const struct world *world, struct node_options *options)
{
    const struct cluster_hand *hand = world->hand;

    options->snap_count = hand->snap_count > 0 ? hand->snap_count : INT32_MAX;
    options->history_bytes_max = hand->history_bytes_max > 0 ? hand->history_bytes_max : 1 << 20;
    options->snapshot_size_factor = hand->log_files_are_read ? 0 : -1;
    options->prepared_bytes_max = 0;
    options->container_check_ms = 60000;
    options->turn_spread_us = options->sync_spread_us = options->stall_one_in = 0;
    options->keeps_events_back = false;
}

static int64_t drift(const struct world *world, uint64_t *seed)
{
    int64_t most = world->options.drift_ppm;

    return chance_below(seed, 2 * most + 1) - most;
}

static void make_nodes(struct world *world, uint64_t *seed)
{
    struct node_hooks hooks = {.peer = on_peer,
                               .client_send = on_client_send,
                               .client_close = on_client_close,
                               .append = on_append,
                               .durable = on_durable,
                               .stored = on_stored,
                               .imaged = on_imaged,
                               .turned = on_turned,
                               .died = on_died,
                               .context = world};

    static const double factors[] = {-1, 0, 10}; /* no history from the log files; any; some */

    for (int i = 0; i < world->node_count; i++) {
        struct node_options options = {
            .id = i + 1,
            .index = i,
            .membership = world->membership,
            .tick_ms = TICK_MS,
            .init_limit = INIT_LIMIT,
            .sync_limit = SYNC_LIMIT,
            .snap_count = (int32_t)(10 + chance_below(seed, 100)),
            .container_check_ms = 300,
            .history_bytes_max = 1 << (8 + chance_below(seed, 12)),
            .prealloc_bytes = (size_t)4096 << chance_below(seed, 5),
            .local_sessions = world->options.local_sessions != 0,
            .observer_master_port = world->options.observer_masters != 0 ? MASTER_PORT : 0,
            .read_only = world->options.read_only != 0,
            .prepared_bytes_max = chance_of(seed, 2) ? 0 : 1 + (size_t)chance_below(seed, 1000),
            .snapshot_size_factor = factors[chance_below(seed, 3)],
            .turn_spread_us = 200,
            .sync_min_us = 100,
            .sync_spread_us = world->options.sync_spread_us,
            .stall_one_in = world->options.stall_one_in,
            .stall_max_us = 3000000,
            .keeps_events_back = world->options.keeps_back != 0 && chance_of(seed, 2),
            .rate_ppm = drift(world, seed),
            .mutant = world->run->mutant,
            .bug = world->run->bug};
        if (world->hand != NULL)
            by_hand(world, &options);
        node_init(&world->nodes[i], &options, &hooks, &world->events, chance_fork(seed));
        if (world->hand != NULL)
            continue;
        node_accepted_before(&world->nodes[i], world->options.first_epoch);
        events_in(&world->events, chance_below(seed, 500000), restart, world, (uint64_t)i);
    }
}

static void make_world(struct world *world, const struct cluster_run *run,
                       const struct cluster_hand *hand)
{
    uint64_t seed = run->seed;

    *world = (struct world){.run = run, .hand = hand};
    world->events.chance = chance_fork(&seed);
    world->options = run->settings != NULL ? *run->settings : settings_of_seed(run->seed);
    if (hand != NULL)
        world->options = (struct settings){.nodes = hand->voters,
                                           .observers = hand->observers,
                                           .clients = hand->speakers,
                                           .think_us = HAND_THINK_US,
                                           .local_sessions = hand->local_sessions,
                                           .observer_masters = hand->observer_masters,
                                           .read_only = hand->read_only};
    world->node_count = (int)(world->options.nodes + world->options.observers);
    map_init(&world->routes);
    struct network_options network = {.latency_min_us = world->options.latency_min_us,
                                      .latency_spread_us = world->options.latency_spread_us,
                                      .chunk_max = world->options.chunk_max,
                                      .slow_one_in = world->options.slow_one_in};
    struct network_hooks hooks = {.accept = on_accept,
                                  .opened = on_opened,
                                  .bytes = on_bytes,
                                  .closed = on_closed,
                                  .ready = on_ready,
                                  .context = world};
    if (hand != NULL)
        network = (struct network_options){.latency_min_us = HAND_LATENCY_US};
    world->network = network_new(&world->events, &network, &hooks, chance_fork(&seed));
    make_membership(world);
    make_nodes(world, &seed);
}

/* --- the end of the faults --- */

static void heal(struct world *world)
{
    world->healing = true;
    world_note(world, NULL, "--- no more faults ---");
    network_heal(world->network);
    network_calm(world->network);
    for (int i = 0; i < world->node_count; i++) {
        struct node *node = &world->nodes[i];
        node_calm(node);
        if (!node->up)
            restart(world, (uint64_t)i);
    }
}

/* --- a run --- */

static void run_until(struct world *world, int64_t end_us)
{
    while (!world->verdict.failed && events_step(&world->events, end_us)) {
    }
}

static void free_world(struct world *world)
{
    size_t cursor = 0;
    struct route *route;

    for (int i = 0; i < world->node_count; i++)
        node_deinit(&world->nodes[i]);
    speakers_free(world->speakers, (int)world->options.clients);
    checker_free(world->checker);
    timely_free(world->timely);
    network_free(world->network);
    while ((route = map_next(&world->routes, &cursor, NULL)) != NULL)
        free_route(route);
    map_deinit(&world->routes);
    membership_free(world->membership);
    events_deinit(&world->events);
}

/* Every server serves, and every client has written since the faults ended. */
static bool is_settled(const struct world *world, uint64_t writes_before)
{
    for (int i = 0; i < world->node_count; i++) {
        struct ensemble_info info;
        const struct node *node = &world->nodes[i];
        if (!node->up || !replica_ensemble(node->replica, &info) || !info.serves)
            return false;
    }
    return world->verdict.writes >= writes_before + 10 &&
           speakers_fewest_writes(world->speakers, (int)world->options.clients) > 0;
}

static void spoil_acl(struct tree *tree, uint32_t id)
{
    static const uint8_t nobody[] = {0, 0, 0, 0, 0, 0, 0, 1, 'a', 0, 0, 0, 1, 'b'};
    struct jute_vector acl = {slice_of(nobody, sizeof(nobody)), 1};
    uint32_t same;
    enum zk_error err = tree_set_acl(tree, SLICE("/p1"), acl, tree_node(tree, id)->aversion, &same);

    ASSERT(err == ZK_OK && same == id);
}

/* Bugs that only a comparison of whole trees finds. */
static void spoil_end(struct world *world)
{
    struct node *node = &world->nodes[world->node_count - 1];

    if (world->verdict.failed || !node->up)
        return;
    struct tree *tree = (struct tree *)(uintptr_t)replica_tree(node->replica);
    uint32_t id = tree_find(tree, SLICE("/p1"));
    if (world->run->bug == NODE_CHANGES_AN_ACL && id != NODE_NONE)
        spoil_acl(tree, id);
    if (world->run->bug == NODE_CHANGES_ITS_TREE && id != NODE_NONE)
        tree_node(tree, id)->czxid++;
    if (world->run->bug == NODE_KEEPS_A_SESSION)
        tree_session_add(tree, 1, 1000);
}

/* Within ten times initLimit all serve and every client has written; from then on nobody is elected and no
 * session ends; then all become the same. */
static void recover(struct world *world)
{
    int clients = (int)world->options.clients;
    int64_t limit_us = INT64_C(10) * INIT_LIMIT * TICK_MS * 1000;
    int64_t end_us = world->events.now_us + limit_us;
    uint64_t writes = world->verdict.writes;

    heal(world);
    speakers_count_anew(world->speakers, clients);
    while (!world->verdict.failed && world->events.now_us < end_us && !is_settled(world, writes))
        run_until(world, world->events.now_us + SETTLE_STEP_US);
    if (!world->verdict.failed && !is_settled(world, writes))
        world_fail(world, NULL, "not all serve and write although all is healed");
    world_note(world, NULL, "--- all serve ---");
    world->settled = true;
    world->settled_us = world->events.now_us;
    uint64_t elections = world->verdict.elections;
    if (world->run->seed % 8 != 0 && end_us > world->events.now_us + QUIET_US)
        end_us = world->events.now_us + QUIET_US; /* sometimes all the time there is */
    run_until(world, end_us);
    speakers_rest(world->speakers, clients);
    run_until(world, world->events.now_us + REST_US);
    /* A container or TTL node may just be going. */
    for (int i = 0; i < 10 && !checker_is_even(world->checker); i++)
        run_until(world, world->events.now_us + SETTLE_STEP_US);
    if (!world->verdict.failed && world->verdict.elections != elections)
        world_fail(world, NULL, "there is another leader although nothing happened");
    spoil_end(world);
    if (!world->verdict.failed)
        checker_compare_all(world->checker);
}

struct cluster_verdict cluster_simulate(const struct cluster_run *run)
{
    struct world *world = mem_zalloc(sizeof(*world));
    uint64_t seed = run->seed;

    make_world(world, run, /* hand= */ NULL);
    uint64_t swarm = chance_u64(&seed) + 1;
    world->checker = checker_new(world);
    world->timely = timely_new(world);
    world->speakers = speakers_new(world, (int)world->options.clients, chance_fork(&swarm));
    faults_begin(world, 1000000, chance_fork(&swarm));
    run_until(world, world->options.faults_ms * 1000);
    if (!world->verdict.failed)
        recover(world);
    struct cluster_verdict verdict = world->verdict;
    for (int i = 0; i < world->node_count; i++)
        verdict.histories += world->nodes[i].history_parts;
    verdict.simulated_ms = world->events.now_us / 1000;
    free_world(world);
    mem_free(world);
    return verdict;
}

/* --- by hand --- */

struct world *cluster_open(const struct cluster_run *run, const struct cluster_hand *hand)
{
    struct world *world = mem_zalloc(sizeof(*world));
    uint64_t seed = run->seed;

    make_world(world, run, hand);
    world->checker = checker_new(world);
    world->timely = timely_new(world);
    world->speakers = speakers_new(world, hand->speakers, chance_fork(&seed));
    return world;
}

void cluster_close(struct world *world)
{
    free_world(world);
    mem_free(world);
}

void cluster_start(struct world *world, int index)
{
    restart(world, (uint64_t)index);
}
