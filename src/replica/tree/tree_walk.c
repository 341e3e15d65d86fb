/* tree_walk.c: images of a tree, each at one zxid, taken while the tree changes: copy before write.
 *
 * Every walk has one bit for each node that may be in its image: is it written? A node is written when the walk
 * reaches it, or earlier, just before it changes. A node that is created during the walk counts as written at
 * once, and so is not in the image. A parent is always written before its children, even when it is written
 * early: saved nodes are handed out before the walk continues.
 *
 * Walks know nothing of each other. Only the bound of what is saved is one for all: the walk that has most
 * of it, so the one that is taken most slowly, is lost. */
#include "replica/tree/tree_internal.h"

/* A step looks at so many ids at most: those of deleted and of saved nodes give no bytes. */
enum { WORD_BITS = 64, SAVED_KEPT_MAX = 1 << 20, STEP_IDS_MAX = 4096 };

struct tree_walk {
    struct list in_walks;
    struct tree *tree;
    struct buffer saved; /* records of nodes that changed before the walk reached them */
    size_t saved_taken;  /* how many of these bytes were handed out */
    uint64_t *written;   /* a bit for each id */
    uint32_t next_id, end_id;
    bool lost; /* too much was saved */
};

static struct tree_walk *walk_at(struct list *at)
{
    return CONTAINER_OF(at, struct tree_walk, in_walks);
}

static bool is_written(const struct tree_walk *walk, uint32_t id)
{
    return id >= walk->end_id || (walk->written[id / WORD_BITS] >> (id % WORD_BITS) & 1) != 0;
}

static void set_written(struct tree_walk *walk, uint32_t id)
{
    if (id < walk->end_id)
        walk->written[id / WORD_BITS] |= UINT64_C(1) << (id % WORD_BITS);
}

struct tree_walk *tree_walk_begin(struct tree *tree)
{
    struct tree_walk *walk = mem_zalloc(sizeof(*walk));

    walk->tree = tree;
    walk->next_id = NODE_ROOT;
    walk->end_id = tree->node_limit;
    walk->written = mem_zalloc((walk->end_id / WORD_BITS + 1) * sizeof(*walk->written));
    list_add_last(&tree->walks, &walk->in_walks);
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
    struct stat_persisted stat = znode_stat_persisted(node);
    stat_persisted_write(out, &stat);
}

static void write_with_ancestors(struct tree_walk *walk, uint32_t id, struct buffer *out)
{
    const struct tree *tree = walk->tree;

    while (!is_written(walk, id)) {
        uint32_t top = id; /* the highest that is not yet written */
        while (top != NODE_ROOT && !is_written(walk, tree_node(tree, top)->parent))
            top = tree_node(tree, top)->parent;
        write_node(tree, top, out);
        set_written(walk, top);
    }
}

/* Bytes that were handed out count, too, until they make room. */
static void keep_bound(struct tree *tree)
{
    struct tree_walk *most = NULL;
    size_t bytes = 0;

    for (struct list *at = tree->walks.next; at != &tree->walks; at = at->next) {
        struct tree_walk *walk = walk_at(at);
        bytes += walk->saved.size;
        if (most == NULL || walk->saved.size > most->saved.size)
            most = walk;
    }
    if (bytes <= TREE_WALK_SAVED_BYTES_MAX)
        return;
    ASSERT(most != NULL);
    most->lost = true;
    buffer_deinit(&most->saved);
}

void tree_walk_save(struct tree *tree, uint32_t id)
{
    bool saved = false;

    for (struct list *at = tree->walks.next; at != &tree->walks; at = at->next) {
        struct tree_walk *walk = walk_at(at);
        if (walk->lost || is_written(walk, id))
            continue;
        write_with_ancestors(walk, id, &walk->saved);
        saved = true;
    }
    if (saved)
        keep_bound(tree);
}

void tree_walk_leave_out(struct tree *tree, uint32_t id)
{
    for (struct list *at = tree->walks.next; at != &tree->walks; at = at->next)
        set_written(walk_at(at), id);
}

/* What was handed out makes room when the rest is the smaller part: so each byte is moved once or so. */
static void drop_taken(struct tree_walk *walk)
{
    size_t rest = walk->saved.size - walk->saved_taken;

    if (rest > walk->saved_taken)
        return;
    memmove(walk->saved.data, walk->saved.data + walk->saved_taken, rest);
    walk->saved.size = rest;
    walk->saved_taken = 0;
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
    if (taken < left) {
        drop_taken(walk);
        return false;
    }
    walk->saved.size = walk->saved_taken = 0;
    if (walk->saved.capacity > SAVED_KEPT_MAX)
        buffer_deinit(&walk->saved);
    return true;
}

enum tree_walk_state tree_walk_step(struct tree_walk *walk, struct buffer *out, size_t bytes_max)
{
    if (walk->lost)
        return TREE_WALK_LOST;
    if (!take_saved(walk, out, bytes_max))
        return TREE_WALK_MORE;
    for (uint32_t ids = STEP_IDS_MAX;
         ids > 0 && out->size < bytes_max && walk->next_id < walk->end_id; ids--) {
        uint32_t id = walk->next_id++;
        if (tree_node(walk->tree, id)->live)
            write_with_ancestors(walk, id, out);
    }
    return walk->next_id >= walk->end_id ? TREE_WALK_DONE : TREE_WALK_MORE;
}

void tree_walk_end(struct tree_walk *walk)
{
    list_remove(&walk->in_walks);
    buffer_deinit(&walk->saved);
    mem_free(walk->written);
    mem_free(walk);
}

void tree_walks_end(struct tree *tree)
{
    while (!list_empty(&tree->walks))
        tree_walk_end(walk_at(tree->walks.next));
}
