/* Which nodes are due, by clocks that jump. */
#include "replica/proposals/janitor.h"
#include "test/lib/check.h"
#include "test/lib/requests.h"
#include "wire/zk.h"

#include <stdio.h>

enum { WALL_MS = 1000000, TTL_MS = 1000, INTERVAL_MS = 100 };

static const struct janitor_options every_interval = {.check_interval_ms = INTERVAL_MS,
                                                      .per_minute_max = 1000000};

static void count(void *context, uint32_t node_id)
{
    int *visits = context;

    (void)node_id;
    ++*visits;
}

static int due(struct janitor *janitor, const struct tree *tree, int64_t now_ms, int64_t wall_ms)
{
    int visits = 0;

    janitor_run(janitor, tree, now_ms, wall_ms, count, &visits);
    return visits;
}

static void make(struct tree *tree, const char *path, int64_t owner, int64_t mtime_ms)
{
    uint32_t id;
    enum zk_error err = tree_create(tree,
                                    &(struct tree_create){.path = slice_text(path),
                                                          .data = SLICE("d"),
                                                          .acl = OPEN_ACL,
                                                          .owner = owner,
                                                          .zxid = 1,
                                                          .time_ms = mtime_ms,
                                                          .parent_cversion = -1},
                                    &id);
    CHECK(err == ZK_OK);
}

static struct tree *empty_tree(void)
{
    return tree_new(&(struct tree_options){.hash_seed = 1, .extended_types = true});
}

static struct tree *with_ttl_node(int64_t mtime_ms)
{
    struct tree *tree = empty_tree();

    make(tree, "/t", owner_of_ttl(TTL_MS), mtime_ms);
    return tree;
}

TEST(a_ttl_node_goes_in_its_time)
{
    struct tree *tree = with_ttl_node(WALL_MS);
    struct janitor janitor;

    janitor_init(&janitor, &every_interval, 0, WALL_MS);
    CHECK(due(&janitor, tree, TTL_MS, WALL_MS + TTL_MS) == 0);
    CHECK(due(&janitor, tree, TTL_MS + INTERVAL_MS, WALL_MS + TTL_MS + INTERVAL_MS) == 1);
    tree_free(tree);
}

TEST(a_ttl_node_that_is_made_behind_a_jump_of_the_clock_back_does_not_go_early)
{
    const int64_t back_ms = WALL_MS / 2;
    struct tree *tree = with_ttl_node(back_ms);
    struct janitor janitor;

    janitor_init(&janitor, &every_interval, 0, WALL_MS);
    CHECK(due(&janitor, tree, INTERVAL_MS, back_ms + INTERVAL_MS) == 0);
    CHECK(due(&janitor, tree, 2 * TTL_MS, back_ms + 2 * TTL_MS) == 1);
    tree_free(tree);
}

TEST(a_clock_that_jumps_ahead_takes_no_ttl_node_early)
{
    struct tree *tree = with_ttl_node(WALL_MS);
    struct janitor janitor;

    janitor_init(&janitor, &every_interval, 0, WALL_MS);
    CHECK(due(&janitor, tree, INTERVAL_MS, 2 * WALL_MS) == 0);
    CHECK(due(&janitor, tree, 2 * TTL_MS, 2 * WALL_MS) == 1);
    tree_free(tree);
}

/* So that no client waits while a million of them are looked at. */
TEST(a_round_over_many_nodes_is_made_in_bounded_steps)
{
    enum { CONTAINERS = JANITOR_LOOKS_MAX + 500, TTLS = 2 * JANITOR_LOOKS_MAX };
    const struct janitor_options options = {
        .check_interval_ms = INTERVAL_MS, .per_minute_max = 100000000, .never_used_max_ms = 1};
    struct tree *tree = empty_tree();
    struct janitor janitor;
    int64_t now_ms = 2 * TTL_MS;
    char path[32];
    int steps = 0, visits = 0;

    for (int i = 0; i < CONTAINERS; i++) {
        snprintf(path, sizeof(path), "/c%d", i);
        make(tree, path, OWNER_CONTAINER_VALUE, WALL_MS);
    }
    for (int i = 0; i < TTLS; i++) {
        snprintf(path, sizeof(path), "/t%d", i);
        make(tree, path, owner_of_ttl(TTL_MS), WALL_MS);
    }
    janitor_init(&janitor, &options, 0, WALL_MS);
    for (; janitor_next_ms(&janitor) <= now_ms; steps++, now_ms++) {
        int step = due(&janitor, tree, now_ms, WALL_MS + now_ms);
        CHECK(step <= JANITOR_LOOKS_MAX);
        visits += step;
    }
    CHECK_I64("visits", visits, CONTAINERS + TTLS);
    CHECK_I64("steps", steps, 4);
    CHECK_I64("the next round", janitor_next_ms(&janitor), 2 * TTL_MS + INTERVAL_MS);
    tree_free(tree);
}

TEST(a_round_visits_no_more_than_its_share_of_a_minute)
{
    const struct janitor_options options = {.check_interval_ms = 60000, .per_minute_max = 3};
    struct tree *tree = empty_tree();
    struct janitor janitor;
    char path[32];

    for (int i = 0; i < 10; i++) {
        snprintf(path, sizeof(path), "/t%d", i);
        make(tree, path, owner_of_ttl(TTL_MS), WALL_MS);
    }
    janitor_init(&janitor, &options, 0, WALL_MS);
    CHECK_I64("visits", due(&janitor, tree, 60000, WALL_MS + 60000), 3);
    CHECK_I64("the next round", janitor_next_ms(&janitor), 120000);
    CHECK_I64("before it", due(&janitor, tree, 119999, WALL_MS + 119999), 0);
    CHECK_I64("then", due(&janitor, tree, 120000, WALL_MS + 120000), 3);
    tree_free(tree);
}
