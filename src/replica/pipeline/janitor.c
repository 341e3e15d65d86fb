/* Containers that lost their last child and TTL nodes past their time (ContainerManager.java).
 *
 * Age is wall time as it was at start plus what the monotonic clock has counted since, so that a
 * clock that jumps forward deletes nothing early. */
#include "replica/pipeline/pipeline.h"

enum { MS_PER_MINUTE = 60000 };

static int64_t steady_wall_ms(const struct replica *replica)
{
    return replica->start_wall_ms + (replica->now_ms - replica->start_ms);
}

static bool container_is_due(const struct replica *replica, const struct znode *node)
{
    if (node->child_count > 0)
        return false;
    if (node->cversion > 0)
        return true;
    int64_t never_used_max_ms = replica->options.container_never_used_max_ms;
    return never_used_max_ms > 0 && steady_wall_ms(replica) - node->mtime > never_used_max_ms;
}

static bool ttl_is_due(const struct replica *replica, const struct znode *node)
{
    return node->child_count == 0 &&
           steady_wall_ms(replica) - node->mtime >
               tree_owner_ttl_ms(tree_get_options(replica->tree), node->owner);
}

/* Proposing changes no index of the tree (applying does), so the walks below stay valid. */
static void propose_delete(struct replica *replica, uint32_t id)
{
    struct buffer path = {0};

    tree_path_append(replica->tree, id, &path);
    write_delete_container(replica, buffer_slice(&path));
    buffer_deinit(&path);
    arena_reset(&replica->arena);
}

void janitor_tick(struct replica *replica)
{
    const struct tree *tree = replica->tree;
    int64_t interval_ms = replica->options.container_check_interval_ms;
    int64_t budget = replica->options.container_per_minute_max * interval_ms / MS_PER_MINUTE;
    size_t cursor = 0;
    uint32_t id;

    if (replica->now_ms < replica->janitor_next_ms)
        return;
    replica->janitor_next_ms = replica->now_ms + interval_ms;
    if (budget < 1)
        budget = 1;
    while (budget > 0 && (id = tree_container_next(tree, &cursor)) != NODE_NONE) {
        if (container_is_due(replica, tree_node(tree, id))) {
            propose_delete(replica, id);
            budget--;
        }
    }
    cursor = 0;
    while (budget > 0 && (id = tree_ttl_next(tree, &cursor)) != NODE_NONE) {
        if (ttl_is_due(replica, tree_node(tree, id))) {
            propose_delete(replica, id);
            budget--;
        }
    }
}
