/* faults.c: at each step of the faults every kind may happen.
 *
 * The numbers of a step are its own: whether one fault happens moves nothing in the others. So a shrunken
 * run can leave out some of them, and the rest comes at its time as before. */
#include "sim/faults.h"

#include "sim/chance.h"
#include "sim/checker.h"

#include <inttypes.h>
#include <stddef.h>

static void heal_ways(void *context, uint64_t unused)
{
    struct world *world = context;

    (void)unused;
    network_heal(world->network);
    world_note(world, NULL, "all ways are open");
}

static void block_ways(struct world *world, uint64_t *chance)
{
    int hosts = world->node_count + (int)world->options.clients;
    bool servers_only = world->options.read_only != 0 && !chance_of(chance, 4);
    bool all_alone = servers_only && chance_of(chance, 2); /* nobody has a quorum */
    int64_t kind = servers_only ? 0 : chance_below(chance, 4);
    uint64_t side =
        kind == 0 ? (uint64_t)1 << chance_below(chance, world->node_count) : chance_u64(chance);

    for (int from = 0; from < hosts; from++) {
        for (int to = 0; to < hosts; to++) {
            bool apart = kind == 3 ? chance_of(chance, 4) : (side >> from & 1) != (side >> to & 1);
            if (kind == 1 && (side >> from & 1) != 0)
                apart = false; /* one way only */
            apart = apart || all_alone;
            if (servers_only && (from >= world->node_count || to >= world->node_count))
                apart = false; /* clients reach the one that is alone, and may read there */
            network_block(world->network, from, to, from != to && apart);
        }
    }
    world_note(world, NULL, "ways are blocked, kind %d side %" PRIx64, (int)kind, side);
    events_in(&world->events, (servers_only ? 4000000 : 1000) + chance_below(chance, 8000000),
              heal_ways, world, 0);
}

/* A disk is as it should be again, unless the world heals all of them anyway. */
static void mend_disk(void *context, uint64_t index)
{
    struct world *world = context;

    sim_disk_set_space(world->nodes[index].sim, UINT64_MAX);
    sim_disk_mend(world->nodes[index].sim);
}

static void kill_one(struct world *world, struct node *node, uint64_t *chance)
{
    bool soon = chance_of(chance, 2);
    uint64_t changes = 1 + (uint64_t)chance_below(chance, 30);
    enum sim_disk_loss loss = (enum sim_disk_loss)chance_below(chance, 3);

    if (!node->up)
        return;
    if (!soon) {
        node_crash(node, loss, "killed");
        return;
    }
    sim_disk_crash_at(node->sim, changes);
    world_note(world, node, "its power will fail");
}

static void kill_all(struct world *world, struct node *node, uint64_t *chance)
{
    (void)node, (void)chance;
    for (int i = 0; i < world->node_count; i++) {
        if (world->nodes[i].up)
            node_crash(&world->nodes[i], SIM_LOSE_SOME, "the power failed for all");
    }
}

static void pause_one(struct world *world, struct node *node, uint64_t *chance)
{
    int64_t us = chance_below(chance, 4000000);

    if (!node->up)
        return;
    world_note(world, node, "stands still for %" PRId64 " ms", us / 1000);
    node_pause(node, us);
}

static void partition(struct world *world, struct node *node, uint64_t *chance)
{
    (void)node;
    block_ways(world, chance);
}

static void break_one(struct world *world, struct node *node, uint64_t *chance)
{
    (void)node, (void)chance;
    if (network_break_one(world->network, /* half= */ false))
        world_note(world, NULL, "a connection breaks");
}

static void half_open(struct world *world, struct node *node, uint64_t *chance)
{
    (void)node, (void)chance;
    if (network_break_one(world->network, /* half= */ true))
        world_note(world, NULL, "a connection is half open");
}

static void slow_link(struct world *world, struct node *node, uint64_t *chance)
{
    int from = (int)chance_below(chance, world->node_count);
    int64_t factor = 2 + chance_below(chance, 100);

    if (from == node->options.index)
        return;
    network_slow(world->network, from, node->options.index, factor);
    world_note(world, node, "what comes from server %d takes %" PRId64 " times as long", from + 1,
               factor);
}

static void jump_clock(struct world *world, struct node *node, uint64_t *chance)
{
    static const int64_t most_ms[] = {1000, 1000000, INT64_C(315360000000)}; /* ten years */
    int64_t most = most_ms[chance_below(chance, 3)];

    node_set_wall(node, chance_below(chance, 2 * most) - most);
    world_note(world, node, "its clock shows another time");
}

static void fill_disk(struct world *world, struct node *node, uint64_t *chance)
{
    sim_disk_set_space(node->sim, (uint64_t)chance_below(chance, 40));
    world_note(world, node, "its disk is full soon");
    events_in(&world->events, chance_below(chance, 3000000), mend_disk, world,
              (uint64_t)node->options.index);
}

static void fail_disk(struct world *world, struct node *node, uint64_t *chance)
{
    enum sim_disk_op op = (enum sim_disk_op)chance_below(chance, SIM_OP_COUNT);
    uint64_t calls = 1 + (uint64_t)chance_below(chance, 20);
    bool sticky = chance_of(chance, 2);

    sim_disk_fail_at(node->sim, op, calls, STATUS_IO);
    if (sticky)
        sim_disk_fail_from(node->sim, op);
    world_note(world, node, "its disk fails soon, operation %d%s", (int)op,
               sticky ? " for good" : "");
    events_in(&world->events, chance_below(chance, 5000000), mend_disk, world,
              (uint64_t)node->options.index);
}

struct sound { /* servers whose files are as they wrote them, but for one */
    const struct world *world;
    const struct node *but;
};

static bool is_sound(const void *context, int64_t id)
{
    const struct sound *sound = context;
    const struct node *node = &sound->world->nodes[id - 1];

    return node != sound->but && !node->harmed && !node->quarantined;
}

/* What a majority has lost comes back only from a backup: of each file of an ensemble of one there is
 * one. */
static bool may_be_harmed(const struct world *world, const struct node *node)
{
    struct sound sound = {world, node};

    return !membership_can_spare(world->membership, node->options.id) ||
           membership_quorum(world->membership, is_sound, &sound);
}

static void rot_file(struct world *world, struct node *node, uint64_t *chance)
{
    uint64_t choice = chance_u64(chance);

    if (!may_be_harmed(world, node))
        return;
    if (node->up)
        node_crash(node, SIM_LOSE_NOTHING, "killed, and its disk rots");
    node_rot(node, choice);
    if (node->rotten[0] != '\0')
        world_note(world, node, "a bit of %s is another one", node->rotten);
}

/* The rule of docs/operations.md: never both at a time, and nobody that was behind when the other one went on
 * alone. */
static bool may_go_on_alone(const struct world *world, const struct node *node)
{
    const struct node *other = &world->nodes[1 - node->options.index];

    return node->up && other->oracle != ORACLE_GRANTS &&
           (!other->up || other->oracle_told != ORACLE_GRANTS) &&
           node->accepted_epoch >= other->accepted_epoch && checker_has_all(world->checker, node);
}

static void change_oracle(struct world *world, struct node *node, uint64_t *chance)
{
    bool grants = !chance_of(chance, 3);

    if (!membership_heeds_oracle(world->membership) || node->options.index > 1 ||
        (grants && !may_go_on_alone(world, node)))
        return;
    world_note(world, node, "its oracle says %d", grants);
    node_set_oracle(node, grants);
}

typedef void fault_happens(struct world *world, struct node *node, uint64_t *chance);

static const struct {
    fault_happens *happens;
    size_t rate; /* its setting */
} kinds[] = {{kill_one, offsetof(struct settings, crash_one_in)},
             {kill_all, offsetof(struct settings, outage_one_in)},
             {pause_one, offsetof(struct settings, pause_one_in)},
             {partition, offsetof(struct settings, partition_one_in)},
             {break_one, offsetof(struct settings, break_one_in)},
             {half_open, offsetof(struct settings, half_open_one_in)},
             {slow_link, offsetof(struct settings, slow_link_one_in)},
             {jump_clock, offsetof(struct settings, clock_one_in)},
             {fill_disk, offsetof(struct settings, full_one_in)},
             {fail_disk, offsetof(struct settings, error_one_in)},
             {rot_file, offsetof(struct settings, rot_one_in)},
             {change_oracle, offsetof(struct settings, oracle_one_in)}};

/* By chance; in a shrunken run, those of its list. */
static bool is_due(struct world *world, uint32_t number, uint64_t *chance, int64_t rate)
{
    const struct cluster_run *run = world->run;
    struct cluster_verdict *verdict = &world->verdict;
    uint64_t drawn = chance_u64(chance);
    bool due = run->only == NULL && rate > 0 && drawn % (uint64_t)rate == 0;

    for (size_t i = 0; run->only != NULL && i < run->only_count; i++)
        due = due || run->only[i] == number;
    if (due && verdict->fault_count < CLUSTER_FAULTS_MAX)
        verdict->faults[verdict->fault_count++] = number;
    return due;
}

static void step(void *context, uint64_t number)
{
    struct world *world = context;

    if (world->healing)
        return;
    uint64_t own = chance_fork(&world->fault_chance);
    for (size_t kind = 0; kind < ARRAY_LEN(kinds); kind++) {
        uint64_t chance = chance_fork(&own);
        const int64_t *rate =
            (const int64_t *)(const void *)((const char *)&world->options + kinds[kind].rate);
        struct node *node = &world->nodes[chance_below(&chance, world->node_count)];
        if (is_due(world, (uint32_t)(number * ARRAY_LEN(kinds) + kind), &chance, *rate))
            kinds[kind].happens(world, node, &chance);
    }
    events_in(&world->events, 1 + chance_below(&own, 2 * world->options.fault_every_us), step,
              world, number + 1);
}

void faults_begin(struct world *world, int64_t start_us, uint64_t seed)
{
    world->fault_chance = seed;
    events_in(&world->events, start_us, step, world, 0);
}
