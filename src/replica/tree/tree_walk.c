/* tree_walk.c: the image of a tree at one zxid, taken while the tree changes: copy before write.
 *
 * Every image has a number, and every node has the number of the last image that it is in. A node is
 * written when the walk reaches it, or earlier, just before it changes. Nodes that are created during
 * the walk get its number at once, and so are not in the image. A parent is always written before its
 * children, even when it is written early: saved nodes are handed out before the walk continues.
 *
 * Numbers have 8 bits. A complete walk gives its number to every node; after a walk that was given up,
 * some nodes keep older numbers. Before such a number could be used again, all nodes get the current
 * one. That takes long, but it is needed only after GIVEN_UP_MAX walks in a row that were given up. */
#include "replica/tree/tree_internal.h"

enum { GIVEN_UP_MAX = 250 };

struct tree_walk {
    struct tree *tree;
    struct buffer saved; /* records of nodes that changed before the walk reached them */
    size_t saved_taken;  /* how many of these bytes were handed out */
    uint32_t next_id;
    bool lost; /* too much was saved */
};

struct tree_walk *tree_walk_begin(struct tree *tree)
{
    ASSERT(tree->walk == NULL);
    struct tree_walk *walk = mem_zalloc(sizeof(*walk));
    walk->tree = tree;
    walk->next_id = NODE_ROOT;
    tree->walk = walk;
    if (tree->given_up >= GIVEN_UP_MAX) {
        for (uint32_t id = NODE_ROOT; id < tree->node_limit; id++)
            tree_node(tree, id)->image = tree->image;
        tree->given_up = 0;
    }
    tree->image++;
    return walk;
}

void tree_walk_tables(const struct tree_walk *walk, struct buffer *out)
{
    const struct tree *tree = walk->tree;
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
    while (tree_node(tree, id)->image != tree->image) {
        uint32_t top = id; /* the highest that is not yet written */
        while (top != NODE_ROOT &&
               tree_node(tree, tree_node(tree, top)->parent)->image != tree->image)
            top = tree_node(tree, top)->parent;
        write_node(tree, top, out);
        tree_node(tree, top)->image = tree->image;
    }
}

void tree_walk_save(struct tree *tree, uint32_t id)
{
    struct tree_walk *walk = tree->walk;

    if (walk == NULL || walk->lost)
        return;
    write_with_ancestors(tree, id, &walk->saved);
    if (walk->saved.size > TREE_WALK_SAVED_BYTES_MAX) { /* bytes that were handed out count too */
        walk->lost = true;
        buffer_deinit(&walk->saved);
    }
}

/* True: nothing saved is left. */
static bool take_saved(struct tree_walk *walk, struct buffer *out, size_t bytes_max)
{
    ASSERT(walk->saved_taken <= walk->saved.size);
    size_t left = walk->saved.size - walk->saved_taken;
    size_t room = out->size < bytes_max ? bytes_max - out->size : 0;
    size_t taken = left < room ? left : room;

    buffer_append(out, slice_of(walk->saved.data + walk->saved_taken, taken));
    walk->saved_taken += taken;
    if (taken < left)
        return false;
    walk->saved.size = walk->saved_taken = 0;
    return true;
}

enum tree_walk_state tree_walk_step(struct tree_walk *walk, struct buffer *out, size_t bytes_max)
{
    struct tree *tree = walk->tree;

    ASSERT(tree->walk == walk);
    if (walk->lost)
        return TREE_WALK_LOST;
    if (!take_saved(walk, out, bytes_max))
        return TREE_WALK_MORE;
    while (out->size < bytes_max && walk->next_id < tree->node_limit) {
        uint32_t id = walk->next_id++;
        if (tree_node(tree, id)->live)
            write_with_ancestors(tree, id, out);
    }
    return walk->next_id >= tree->node_limit ? TREE_WALK_DONE : TREE_WALK_MORE;
}

void tree_walk_end(struct tree_walk *walk)
{
    struct tree *tree = walk->tree;

    ASSERT(tree->walk == walk);
    tree->given_up = walk->next_id >= tree->node_limit ? 0 : (uint8_t)(tree->given_up + 1);
    tree->walk = NULL;
    buffer_deinit(&walk->saved);
    mem_free(walk);
}
