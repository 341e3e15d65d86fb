/* tree_hints.c: memory is asked for what the next changes will need. Nothing here changes the tree, and
 * nothing relies on a hint: the node may be gone, or of another name, when its change comes. */
#include "replica/tree/tree_internal.h"

static bool same_parent(const struct tree_hints *hints, struct slice parent_path)
{
    return hints->parent != NODE_NONE &&
           slice_equal(parent_path, slice_of(hints->parent_path, hints->parent_path_size));
}

uint64_t tree_hint_path(const struct tree *tree, struct tree_hints *hints, struct slice path)
{
    if (path.size == 0 || path.data[0] != '/')
        return 0;
    struct slice parent_path = zk_path_parent(path);
    if (!same_parent(hints, parent_path)) {
        hints->parent = NODE_NONE;
        if (parent_path.size > sizeof(hints->parent_path))
            return 0;
        hints->parent = tree_find(tree, parent_path);
        if (hints->parent == NODE_NONE)
            return 0; /* perhaps a change before this one makes it */
        hints->parent_path_size = (uint32_t)parent_path.size;
        if (parent_path.size > 0)
            memcpy(hints->parent_path, parent_path.data, parent_path.size);
    }
    uint64_t hash = tree_hash_key(tree, hints->parent, zk_path_name(path));
    tree_hash_prefetch(tree, hash);
    return hash;
}

void tree_hint_node(const struct tree *tree, uint64_t handle)
{
    if (handle != 0)
        tree_hash_prefetch_node(tree, handle);
}
