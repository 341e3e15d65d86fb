/* cluster.c: builds the world of a seed, lets it go on, breaks it, heals it. */
#include "sim/cluster.h"

#include "sim/chain.h"
#include "sim/chance.h"
#include "sim/checker.h"
#include "sim/faults.h"
#include "sim/routes.h"
#include "sim/servers.h"
#include "sim/speaker.h"
#include "sim/timely.h"

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
    struct node_hooks hooks = servers_hooks(world);

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
            .close_unlisted = world->options.close_unlisted != 0,
            .unlogged_observer = world->options.unlogged_observers != 0,
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
        if (world->options.oracle_one_in != 0)
            node_set_oracle(&world->nodes[i], /* grants= */ false);
        events_in(&world->events, chance_below(seed, 500000), servers_start, world, (uint64_t)i);
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
                                           .unlogged_observers = hand->unlogged_observers,
                                           .read_only = hand->read_only};
    world->node_count = (int)(world->options.nodes + world->options.observers);
    map_init(&world->routes);
    struct network_options network = {.latency_min_us = world->options.latency_min_us,
                                      .latency_spread_us = world->options.latency_spread_us,
                                      .chunk_max = world->options.chunk_max,
                                      .slow_one_in = world->options.slow_one_in};
    struct network_hooks hooks = routes_hooks(world);
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
            servers_start(world, (uint64_t)i);
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
    for (int i = 0; i < world->node_count; i++)
        node_deinit(&world->nodes[i]);
    speakers_free(world->speakers, (int)world->options.clients);
    checker_free(world->checker);
    chain_free(world->chain);
    timely_free(world->timely);
    network_free(world->network);
    routes_free(world);
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

/* Within ten times initLimit all serve and every client has written, and nobody takes a lost connection for
 * a good one; from then on nobody is elected and no session ends; then all become the same. */
static void recover(struct world *world)
{
    int clients = (int)world->options.clients;
    int64_t limit_us = INT64_C(10) * INIT_LIMIT * TICK_MS * 1000;
    int64_t end_us = world->events.now_us + limit_us;
    int64_t told_us = world->events.now_us + NETWORK_CALM_TELL_US;
    uint64_t writes = world->verdict.writes;

    heal(world);
    speakers_count_anew(world->speakers, clients);
    while (!world->verdict.failed && world->events.now_us < end_us &&
           (world->events.now_us <= told_us || !is_settled(world, writes)))
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
    world->chain = chain_new(world);
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
    world->chain = chain_new(world);
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
    servers_start(world, (uint64_t)index);
}
