/* look.c: finds nodes by their paths, and tells what clients see of them. Nothing here changes the
 * tree. */
#include "replica/tree/tree_internal.h"

uint32_t tree_find(const struct tree *tree, struct slice path)
{
    uint32_t id = NODE_ROOT;

    if (path.size == 0 || (path.size == 1 && path.data[0] == '/'))
        return NODE_ROOT;
    if (path.data[0] != '/')
        return NODE_NONE;
    for (size_t start = 1; start <= path.size;) {
        const uint8_t *slash = memchr(path.data + start, '/', path.size - start);
        size_t end = slash == NULL ? path.size : (size_t)(slash - path.data);
        if (end == start) /* no node has an empty name: "//" or a slash at the end */
            return NODE_NONE;
        id = tree_find_child(tree, id, slice_of(path.data + start, end - start));
        if (id == NODE_NONE)
            return NODE_NONE;
        start = end + 1;
    }
    return path.data[path.size - 1] == '/' ? NODE_NONE : id;
}

uint64_t tree_ahead_bucket(const struct tree *tree, struct slice path)
{
    if (path.size == 0 || path.data[0] != '/')
        return 0;
    uint32_t parent = tree_find(tree, zk_path_parent(path));
    uint64_t hash = tree_hash_key(tree, parent, zk_path_name(path));
    tree_hash_prefetch(tree, hash);
    return hash;
}

int64_t tree_last_zxid(const struct tree *tree)
{
    return tree->last_zxid;
}

uint32_t tree_node_count(const struct tree *tree)
{
    return tree->node_count;
}

uint64_t tree_data_bytes(const struct tree *tree)
{
    return tree->data_bytes;
}

uint32_t tree_ephemeral_count(const struct tree *tree)
{
    return tree->ephemeral_count;
}

const struct tree_options *tree_get_options(const struct tree *tree)
{
    return &tree->options;
}

void tree_stat(const struct tree *tree, const struct znode *node, struct zk_stat *ret_stat)
{
    bool ephemeral = znode_is_ephemeral(tree, node);
    uint32_t children = ephemeral ? 0 : node->child_count;

    *ret_stat = (struct zk_stat){
        .czxid = node->czxid,
        .mzxid = node->mzxid,
        .pzxid = node->pzxid,
        .ctime = node->ctime,
        .mtime = node->mtime,
        .version = node->version,
        .cversion = (int32_t)((uint32_t)node->cversion * 2 - children),
        .aversion = node->aversion,
        .ephemeral_owner = ephemeral ? node->owner : 0,
        .data_length = node->data_size < 0 ? 0 : node->data_size,
        .num_children = (int32_t)children,
    };
}

void tree_path_append(const struct tree *tree, uint32_t id, struct buffer *path)
{
    size_t size = 0;

    for (uint32_t at = id; at != NODE_ROOT; at = tree_node(tree, at)->parent)
        size += 1 + tree_node(tree, at)->name_size;
    uint8_t *end = buffer_extend(path, size) + size;
    for (uint32_t at = id; at != NODE_ROOT; at = tree_node(tree, at)->parent) {
        ASSERT(end != NULL);
        const struct znode *node = tree_node(tree, at);
        end -= node->name_size;
        memcpy(end, node->bytes, node->name_size);
        *--end = '/';
    }
}

uint64_t tree_count_descendants(const struct tree *tree, uint32_t id, uint64_t *ret_data_bytes)
{
    uint64_t count = 0, bytes = 0;

    /* Preorder over sibling links: no recursion, paths may be very deep. */
    for (uint32_t at = tree_node(tree, id)->first_child; at != NODE_NONE;) {
        const struct znode *node = tree_node(tree, at);
        count++;
        bytes += znode_data_size(node);
        if (node->first_child != NODE_NONE) {
            at = node->first_child;
            continue;
        }
        while (at != id && tree_node(tree, at)->next == NODE_NONE)
            at = tree_node(tree, at)->parent;
        at = at == id ? NODE_NONE : tree_node(tree, at)->next;
    }
    if (ret_data_bytes != NULL)
        *ret_data_bytes = bytes;
    return count;
}
