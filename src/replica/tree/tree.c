/* tree.c: making a tree, and the changes that transactions make. Every change keeps the indexes, the
 * digest, the quotas and running images right. */
#include "replica/tree/tree_internal.h"

/* --- linking and unlinking --- */

static uint32_t link_node(struct tree *tree, uint32_t parent_id, struct slice name, uint64_t hash,
                          struct slice data)
{
    uint32_t id = tree_attach_node(tree, parent_id, name, data);

    tree_walk_leave_out(tree, id);
    if (parent_id != NODE_NONE)
        tree_hash_insert(tree, id, hash);
    return id;
}

static void unlink_leaf(struct tree *tree, uint32_t id, size_t path_size)
{
    struct znode *node = tree_node(tree, id);
    struct znode *parent = tree_node(tree, node->parent);

    ASSERT(id != NODE_ROOT && parent->live);
    tree_owner_unindex(tree, id);
    tree_hash_remove(tree, id);
    if (node->prev != NODE_NONE)
        tree_node(tree, node->prev)->next = node->next;
    else
        parent->first_child = node->next;
    if (node->next != NODE_NONE)
        tree_node(tree, node->next)->prev = node->prev;
    parent->child_count--;
    acl_table_release(&tree->acls, node->acl);
    tree->digest -= node->digest;
    tree->data_bytes -= path_size + znode_data_size(node);
    if (id == tree->quota_root)
        tree->quota_root = NODE_NONE;
    tree_release_node(tree, id);
}

/* A replay over a fuzzy snapshot may delete a node below which later nodes hang already; their own
 * records make them again. Live, only leaves are deleted. */
static void unlink_subtree(struct tree *tree, uint32_t top, size_t path_size)
{
    while (tree_node(tree, top)->first_child != NODE_NONE) {
        uint32_t id = tree_node(tree, top)->first_child;
        while (tree_node(tree, id)->first_child != NODE_NONE)
            id = tree_node(tree, id)->first_child;
        struct buffer path = {0};
        tree_path_append(tree, id, &path);
        tree_walk_save(tree, id);
        unlink_leaf(tree, id, path.size);
        buffer_deinit(&path);
    }
    unlink_leaf(tree, top, path_size);
}

/* --- making a tree --- */

struct tree *tree_new_empty(const struct tree_options *options)
{
    struct tree *tree = mem_zalloc(sizeof(*tree));

    tree->options = *options;
    list_init(&tree->walks);
    acl_table_init(&tree->acls, options->hash_seed);
    tree_hash_init(tree);
    tree->node_limit = NODE_ROOT;
    uint32_t root = link_node(tree, NODE_NONE, SLICE(""), /* hash= */ 0, SLICE(""));
    ASSERT(root == NODE_ROOT);
    tree_node_changed(tree, SLICE(""), tree_node(tree, root));
    return tree;
}

/* Java counts the digest of every node as it is added, the fixed ones included. */
static void add_fixed_node(struct tree *tree, struct slice path)
{
    if (tree_find(tree, path) != NODE_NONE)
        return;
    uint32_t parent = tree_find(tree, zk_path_parent(path));
    ASSERT(parent != NODE_NONE);
    struct slice name = zk_path_name(path);
    uint32_t id = link_node(tree, parent, name, tree_hash_key(tree, parent, name), SLICE(""));
    struct znode *node = tree_node(tree, id);
    if (slice_equal(path, SLICE("/zookeeper/config"))) {
        struct buffer bytes = {0};
        struct jute_acl read_only = {SLICE("world"), SLICE("anyone"), PERM_READ};
        jute_put_acl(&bytes, &read_only);
        node->acl = acl_table_intern(&tree->acls, (struct jute_vector){buffer_slice(&bytes), 1});
        node->aversion = -1;
        buffer_deinit(&bytes);
    }
    tree->data_bytes += path.size;
    tree_node_changed(tree, path, node);
}

static void add_fixed_nodes(struct tree *tree)
{
    add_fixed_node(tree, SLICE("/zookeeper"));
    add_fixed_node(tree, SLICE("/zookeeper/quota"));
    add_fixed_node(tree, SLICE("/zookeeper/config"));
    tree->quota_root = tree_find(tree, SLICE("/zookeeper/quota"));
}

struct tree *tree_new(const struct tree_options *options)
{
    struct tree *tree = tree_new_empty(options);

    add_fixed_nodes(tree);
    return tree;
}

void tree_free(struct tree *tree)
{
    if (tree == NULL)
        return;
    tree_walks_end(tree);
    for (uint32_t id = NODE_ROOT; id < tree->node_limit; id++)
        mem_free(tree_node(tree, id)->bytes);
    for (uint32_t i = 0; i < tree->chunk_count; i++)
        mem_free(tree->chunks[i]);
    mem_free(tree->chunks);
    tree_hash_deinit(tree);
    mem_free(tree->digest_marks);
    acl_table_deinit(&tree->acls);
    size_t cursor = 0;
    struct tree_session *session;
    while ((session = map_next(&tree->sessions, &cursor, NULL)) != NULL) {
        mem_free(session->ephemerals);
        mem_free(session);
    }
    map_deinit(&tree->sessions);
    map_deinit(&tree->containers);
    map_deinit(&tree->ttls);
    buffer_deinit(&tree->load_parent_path);
    buffer_deinit(&tree->load_hashes);
    mem_free(tree);
}

/* --- changing --- */

static void parent_gained_child(struct tree *tree, struct slice path, struct znode *parent,
                                int32_t cversion, int64_t zxid)
{
    if (cversion == -1)
        cversion = (int32_t)((uint32_t)parent->cversion + 1);
    if (cversion > parent->cversion) { /* never back: the log may be behind the tree */
        parent->cversion = cversion;
        parent->pzxid = zxid;
    }
    tree_node_changed(tree, path, parent);
}

enum zk_error tree_create(struct tree *tree, const struct tree_create *create, uint32_t *ret_id)
{
    struct slice parent_path = zk_path_parent(create->path);
    struct slice name = zk_path_name(create->path);
    uint32_t parent = tree_find(tree, parent_path);

    if (parent == NODE_NONE)
        return ZK_NO_NODE;
    if (znode_is_ephemeral(tree, tree_node(tree, parent)))
        return ZK_NO_CHILDREN_FOR_EPHEMERALS; /* only a broken log says so */
    tree_walk_save(tree, parent);
    uint64_t hash = tree_hash_key(tree, parent, name);
    uint32_t id = tree_hash_find(tree, parent, name, hash);
    if (id != NODE_NONE) {
        struct znode *node = tree_node(tree, id);
        parent_gained_child(tree, parent_path, tree_node(tree, parent), create->parent_cversion,
                            create->zxid);
        tree_walk_save(tree, id);
        uint32_t before = node->acl;
        node->acl = acl_table_intern(&tree->acls, create->acl);
        acl_table_release(&tree->acls, before);
        return ZK_NODE_EXISTS;
    }
    id = link_node(tree, parent, name, hash, create->data);
    struct znode *node = tree_node(tree, id);
    node->czxid = node->mzxid = node->pzxid = create->zxid;
    node->ctime = node->mtime = create->time_ms;
    node->owner = create->owner;
    node->acl = acl_table_intern(&tree->acls, create->acl);
    tree->data_bytes += create->path.size + create->data.size;
    tree_owner_index(tree, id);
    tree_node_changed(tree, create->path, node);
    parent_gained_child(tree, parent_path, tree_node(tree, parent), create->parent_cversion,
                        create->zxid);
    if (tree->quota_root != NODE_NONE && tree_node(tree, tree->quota_root)->child_count > 0) {
        tree_quota_charge(tree, create->path, 1, (int64_t)create->data.size);
        tree_quota_node_created(tree, create->path);
    }
    *ret_id = id;
    return ZK_OK;
}

enum zk_error tree_delete(struct tree *tree, struct slice path, int64_t zxid)
{
    struct slice parent_path = zk_path_parent(path);
    uint32_t parent_id = tree_find(tree, parent_path);

    if (parent_id == NODE_NONE)
        return ZK_NO_NODE;
    struct znode *parent = tree_node(tree, parent_id);
    if (zxid > parent->pzxid) {
        tree_walk_save(tree, parent_id);
        parent->pzxid = zxid;
        tree_node_changed(tree, parent_path, parent);
    }
    uint32_t id = tree_find_child(tree, parent_id, zk_path_name(path));
    if (id == NODE_NONE)
        return ZK_NO_NODE;
    tree_walk_save(tree, id);
    int64_t bytes = (int64_t)znode_data_size(tree_node(tree, id));
    unlink_subtree(tree, id, path.size);
    if (tree->quota_root != NODE_NONE && tree_node(tree, tree->quota_root)->child_count > 0)
        tree_quota_charge(tree, path, -1, -bytes);
    return ZK_OK;
}

enum zk_error tree_set_data(struct tree *tree, struct slice path, struct slice data,
                            int32_t version, int64_t zxid, int64_t time_ms, uint32_t *ret_id)
{
    uint32_t id = tree_find(tree, path);

    if (id == NODE_NONE)
        return ZK_NO_NODE;
    struct znode *node = tree_node(tree, id);
    tree_walk_save(tree, id);
    int64_t difference = (int64_t)data.size - (int64_t)znode_data_size(node);
    tree_replace_data(tree, node, data);
    node->version = version;
    node->mzxid = zxid;
    node->mtime = time_ms;
    tree_node_changed(tree, path, node);
    if (tree->quota_root != NODE_NONE && tree_node(tree, tree->quota_root)->child_count > 0)
        tree_quota_charge(tree, path, 0, difference);
    *ret_id = id;
    return ZK_OK;
}

enum zk_error tree_set_acl(struct tree *tree, struct slice path, struct jute_vector acl,
                           int32_t aversion, uint32_t *ret_id)
{
    uint32_t id = tree_find(tree, path);

    if (id == NODE_NONE)
        return ZK_NO_NODE;
    struct znode *node = tree_node(tree, id);
    tree_walk_save(tree, id);
    uint32_t before = node->acl;
    node->acl = acl_table_intern(&tree->acls, acl);
    acl_table_release(&tree->acls, before);
    node->aversion = aversion;
    tree_node_changed(tree, path, node);
    *ret_id = id;
    return ZK_OK;
}

void tree_set_last_zxid(struct tree *tree, int64_t zxid)
{
    tree->last_zxid = zxid;
}
