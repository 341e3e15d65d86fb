/* Which nodes are due, by clocks that jump. */
#include "replica/proposals/janitor.h"
#include "test/lib/check.h"
#include "test/lib/requests.h"
#include "wire/zk.h"

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

static struct tree *with_ttl_node(int64_t mtime_ms)
{
    struct tree *tree = tree_new(&(struct tree_options){.hash_seed = 1, .extended_types = true});
    uint32_t id;
    enum zk_error err = tree_create(tree,
                                    &(struct tree_create){.path = SLICE("/t"),
                                                          .data = SLICE("d"),
                                                          .acl = OPEN_ACL,
                                                          .owner = owner_of_ttl(TTL_MS),
                                                          .zxid = 1,
                                                          .time_ms = mtime_ms,
                                                          .parent_cversion = -1},
                                    &id);
    CHECK(err == ZK_OK);
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
