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

static void begin_round(struct janitor *janitor, int64_t now_ms)
{
    janitor->next_ms = now_ms;
    janitor->round = JANITOR_CONTAINERS;
    janitor->cursor = 0;
    janitor->left = janitor->options.per_minute_max * (int64_t)janitor->options.check_interval_ms /
                    MS_PER_MINUTE;
    if (janitor->left < 1)
        janitor->left = 1;
}

static void end_round(struct janitor *janitor, int64_t now_ms)
{
    janitor->round = JANITOR_RESTS;
    janitor->next_ms += janitor->options.check_interval_ms;
    if (janitor->next_ms <= now_ms)
        janitor->next_ms = now_ms + 1;
}

/* The next node of the round; NODE_NONE: it has come to its end. */
static uint32_t next_node(struct janitor *janitor, const struct tree *tree)
{
    if (janitor->round == JANITOR_CONTAINERS) {
        uint32_t id = tree_container_next(tree, &janitor->cursor);
        if (id != NODE_NONE)
            return id;
        janitor->round = JANITOR_TTLS;
        janitor->cursor = 0;
    }
    return tree_ttl_next(tree, &janitor->cursor);
}

void janitor_run(struct janitor *janitor, const struct tree *tree, int64_t now_ms, int64_t wall_ms,
                 janitor_visit *visit, void *context)
{
    int64_t steady_wall_ms = janitor->start_wall_ms + (now_ms - janitor->start_ms);

    if (now_ms < janitor->next_ms)
        return;
    if (janitor->round == JANITOR_RESTS)
        begin_round(janitor, now_ms);
    if (wall_ms > steady_wall_ms && !mutant_is(janitor->options.mutant, MUTANT_TTL_BY_WALL_CLOCK))
        wall_ms = steady_wall_ms; /* the one by which nodes are younger */
    for (int looks = 0; looks < JANITOR_LOOKS_MAX; looks++) {
        uint32_t id = janitor->left > 0 ? next_node(janitor, tree) : NODE_NONE;
        if (id == NODE_NONE) {
            end_round(janitor, now_ms);
            return;
        }
        const struct znode *node = tree_node(tree, id);
        if (janitor->round == JANITOR_CONTAINERS ? container_is_due(janitor, node, wall_ms)
                                                 : ttl_is_due(tree, node, wall_ms)) {
            visit(context, id);
            janitor->left--;
        }
    }
}
