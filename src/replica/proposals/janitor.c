/* janitor.c: looks at the containers and TTL nodes that the tree lists, containers first. It
 * proposes nothing itself: it reports to the caller which nodes are to be deleted. */
#include "replica/proposals/janitor.h"

enum { MS_PER_MINUTE = 60000 };

void janitor_init(struct janitor *janitor, const struct janitor_options *options, int64_t now_ms,
                  int64_t wall_ms)
{
    *janitor = (struct janitor){.options = *options,
                                .start_ms = now_ms,
                                .start_wall_ms = wall_ms,
                                .next_ms = now_ms + options->check_interval_ms};
}

int64_t janitor_next_ms(const struct janitor *janitor)
{
    return janitor->next_ms;
}

static bool container_is_due(const struct janitor *janitor, const struct znode *node,
                             int64_t wall_ms)
{
    int64_t never_used_max_ms = janitor->options.never_used_max_ms;

    if (node->child_count > 0)
        return false;
    if (node->cversion > 0)
        return true;
    return never_used_max_ms > 0 && wall_ms - node->mtime > never_used_max_ms;
}

static bool ttl_is_due(const struct tree *tree, const struct znode *node, int64_t wall_ms)
{
    return node->child_count == 0 &&
           wall_ms - node->mtime > tree_owner_ttl_ms(tree_get_options(tree), node->owner);
}

void janitor_run(struct janitor *janitor, const struct tree *tree, int64_t now_ms, int64_t wall_ms,
                 janitor_visit *visit, void *context)
{
    int64_t interval_ms = janitor->options.check_interval_ms;
    int64_t left = janitor->options.per_minute_max * (int64_t)interval_ms / MS_PER_MINUTE;
    int64_t steady_wall_ms = janitor->start_wall_ms + (now_ms - janitor->start_ms);
    size_t cursor = 0;
    uint32_t id;

    if (now_ms < janitor->next_ms)
        return;
    janitor->next_ms = now_ms + interval_ms;
    if (wall_ms > steady_wall_ms && !mutant_is(janitor->options.mutant, MUTANT_TTL_BY_WALL_CLOCK))
        wall_ms = steady_wall_ms; /* the one by which nodes are younger */
    if (left < 1)
        left = 1;
    while (left > 0 && (id = tree_container_next(tree, &cursor)) != NODE_NONE) {
        if (container_is_due(janitor, tree_node(tree, id), wall_ms)) {
            visit(context, id);
            left--;
        }
    }
    cursor = 0;
    while (left > 0 && (id = tree_ttl_next(tree, &cursor)) != NODE_NONE) {
        if (ttl_is_due(tree, tree_node(tree, id), wall_ms)) {
            visit(context, id);
            left--;
        }
    }
}
