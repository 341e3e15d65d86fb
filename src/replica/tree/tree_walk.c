/* The image of a tree at one zxid, while the tree lives on: copy before write.
 *
 * Every node carries a mark. Beginning a walk flips the meaning of the mark, so all nodes are "not
 * yet written" at once, without touching them. A node is written when the walk comes by, or
 * earlier, just before it changes; nodes made meanwhile are born with the new mark and so are never
 * part of the image. A parent is always written before its children. */
#include "replica/tree/tree_internal.h"

struct tree_walk {
    struct tree *tree;
    struct buffer early; /* records of nodes that changed before the walk came by */
    uint32_t next_id;
};

struct tree_walk *tree_walk_begin(struct tree *tree)
{
    ASSERT(tree->walk == NULL);
    struct tree_walk *walk = mem_zalloc(sizeof(*walk));
    walk->tree = tree;
    walk->next_id = NODE_ROOT;
    tree->walk = walk;
    tree->image_mark = !tree->image_mark;
    return walk;
}

void tree_walk_tables(struct tree_walk *walk, struct buffer *out)
{
    struct tree *tree = walk->tree;
    size_t cursor = 0;
    struct tree_session *session;

    buffer_i32(out, (int32_t)tree_session_count(tree));
    while ((session = tree_session_next(tree, &cursor)) != NULL) {
        if (session->orphan)
            continue;
        buffer_i64(out, session->id);
        buffer_i32(out, session->timeout_ms);
    }
    acl_table_write(&tree->acls, out);
}

static void write_node(const struct tree *tree, uint32_t id, struct buffer *out)
{
    const struct znode *node = tree_node(tree, id);
    size_t size_at = out->size;

    buffer_i32(out, 0);
    tree_path_append(tree, id, out);
    store_be32(out->data + size_at, (uint32_t)(out->size - size_at - 4));
    jute_put_bytes(out, znode_data(node));
    buffer_i64(out, acl_table_file_id(node->acl));
    stat_persisted_write(out, &(struct stat_persisted){.czxid = node->czxid,
                                                       .mzxid = node->mzxid,
                                                       .ctime = node->ctime,
                                                       .mtime = node->mtime,
                                                       .version = node->version,
                                                       .cversion = node->cversion,
                                                       .aversion = node->aversion,
                                                       .owner = node->owner,
                                                       .pzxid = node->pzxid});
}

static void write_with_ancestors(struct tree *tree, uint32_t id, struct buffer *out)
{
    while (tree_node(tree, id)->in_image != tree->image_mark) {
        uint32_t top = id; /* the highest that is not yet written */
        while (top != NODE_ROOT &&
               tree_node(tree, tree_node(tree, top)->parent)->in_image != tree->image_mark)
            top = tree_node(tree, top)->parent;
        write_node(tree, top, out);
        tree_node(tree, top)->in_image = tree->image_mark;
    }
}

void tree_walk_save(struct tree *tree, uint32_t id)
{
    if (tree->walk != NULL)
        write_with_ancestors(tree, id, &tree->walk->early);
}

bool tree_walk_step(struct tree_walk *walk, struct buffer *out, size_t bytes_max)
{
    struct tree *tree = walk->tree;

    buffer_append(out, buffer_slice(&walk->early));
    walk->early.size = 0;
    while (out->size < bytes_max && walk->next_id < tree->node_limit) {
        uint32_t id = walk->next_id++;
        if (tree_node(tree, id)->live)
            write_with_ancestors(tree, id, out);
    }
    return walk->next_id >= tree->node_limit;
}

void tree_walk_end(struct tree_walk *walk)
{
    struct tree *tree = walk->tree;

    /* Given up half way: the rest is marked as if written, so that the next walk starts even. */
    for (; walk->next_id < tree->node_limit; walk->next_id++)
        tree_node(tree, walk->next_id)->in_image = tree->image_mark;
    tree->walk = NULL;
    buffer_deinit(&walk->early);
    mem_free(walk);
}
