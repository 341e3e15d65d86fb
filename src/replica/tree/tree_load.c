/* tree_load.c: makes a tree of a snapshot's records, parents before their children. A record that does
 * not fit the tree so far is damage, and the tree is then useless. */
#include "replica/tree/tree_internal.h"

void tree_load_reserve(struct tree *tree, uint32_t nodes)
{
    tree_hash_reserve(tree, nodes);
}

static uint64_t load_hash(const struct tree *tree, uint32_t at)
{
    uint64_t hash;

    memcpy(&hash, tree->load_hashes.data + at * sizeof(hash), sizeof(hash));
    return hash;
}

/* The nodes `from` up to `to`, in the order in which they came. */
static void load_insert(struct tree *tree, uint32_t from, uint32_t to)
{
    for (uint32_t at = from; at < to; at++) {
        if (at + LOAD_AHEAD < to)
            tree_hash_prefetch(tree, load_hash(tree, at + LOAD_AHEAD));
        tree_hash_insert(tree, NODE_ROOT + 1 + at, load_hash(tree, at));
    }
}

/* To split bucket after bucket costs a cache miss or two for each node. When nobody could say how many
 * nodes there are, a table of twice the size is filled again, in the order of the nodes. */
static void load_make_room(struct tree *tree)
{
    uint32_t loaded = tree->hashed_count;

    if (!tree_hash_is_full(tree) || loaded > UINT32_MAX / 4)
        return;
    tree_hash_empty(tree);
    tree_hash_reserve(tree, loaded * 2);
    load_insert(tree, 0, loaded);
}

/* While a snapshot is loaded, most time goes into cache misses: each node goes into a random bucket of
 * the hash table. So its bucket is prefetched, and the node is inserted some nodes later. */
static void load_hash_later(struct tree *tree)
{
    uint32_t count = (uint32_t)(tree->load_hashes.size / sizeof(uint64_t));

    load_make_room(tree);
    tree_hash_prefetch(tree, load_hash(tree, count - 1));
    if (count - tree->hashed_count > LOAD_AHEAD)
        tree_hash_insert(tree, NODE_ROOT + 1 + tree->hashed_count,
                         load_hash(tree, tree->hashed_count));
}

static void load_hash_now(struct tree *tree)
{
    uint32_t count = (uint32_t)(tree->load_hashes.size / sizeof(uint64_t));

    load_insert(tree, tree->hashed_count, count);
}

enum status tree_load_node(struct tree *tree, struct slice path, struct slice data,
                           int64_t file_acl_id, const struct stat_persisted *stat)
{
    uint32_t id = NODE_ROOT;

    if (path.size == 0) { /* the root comes first, and cannot be ephemeral */
        if (tree_node(tree, NODE_ROOT)->first_child != NODE_NONE ||
            tree_owner_kind(&tree->options, stat->owner) == OWNER_SESSION)
            return STATUS_CORRUPT;
        tree_replace_data(tree, tree_node(tree, NODE_ROOT), data);
    } else {
        struct slice parent_path = zk_path_parent(path);
        if (tree->load_parent == NODE_NONE ||
            !slice_equal(parent_path, buffer_slice(&tree->load_parent_path))) {
            load_hash_now(tree);
            tree->load_parent = tree_find(tree, parent_path);
            tree->load_parent_path.size = 0;
            buffer_append(&tree->load_parent_path, parent_path);
        }
        struct slice name = zk_path_name(path);
        bool doubled = parent_path.size > 0 && parent_path.data[parent_path.size - 1] == '/';
        if (tree->load_parent == NODE_NONE || path.data[0] != '/' || name.size == 0 || doubled ||
            znode_is_ephemeral(tree, tree_node(tree, tree->load_parent)))
            return STATUS_CORRUPT;
        uint64_t hash = tree_hash_key(tree, tree->load_parent, name);
        memcpy(buffer_extend(&tree->load_hashes, sizeof(hash)), &hash, sizeof(hash));
        id = tree_attach_node(tree, tree->load_parent, name, data);
        ASSERT(id == NODE_ROOT + tree->load_hashes.size / sizeof(hash));
        load_hash_later(tree);
        tree->data_bytes += path.size + data.size;
    }
    struct znode *node = tree_node(tree, id);
    uintptr_t acl = file_acl_id == -1
                        ? ACL_OPEN + 1
                        : (uintptr_t)map_get(&tree->acls.file_ids, (uint64_t)file_acl_id);
    node->acl = acl == 0 ? ACL_UNKNOWN : (uint32_t)(acl - 1);
    if (node->acl != ACL_OPEN) /* ACL_UNKNOWN is never released: once used, always in the table */
        tree->acls.entries[node->acl].references++;
    node->czxid = stat->czxid;
    node->mzxid = stat->mzxid;
    node->pzxid = stat->pzxid;
    node->ctime = stat->ctime;
    node->mtime = stat->mtime;
    node->version = stat->version;
    node->cversion = stat->cversion;
    node->aversion = stat->aversion;
    node->owner = stat->owner;
    tree_owner_index(tree, id);
    tree_node_changed(tree, path, node);
    return STATUS_OK;
}

/* A look-up of each node finds that node, not another one of the same path. */
static bool every_node_is_found(const struct tree *tree)
{
    for (uint32_t id = NODE_ROOT + 1; id < tree->node_limit; id++) {
        const struct znode *node = tree_node(tree, id);
        if (node->live && tree_find_child(tree, node->parent, znode_name(node)) != id)
            return false;
    }
    return true;
}

enum { GROUP_SLOTS = 2048, GROUP_HASHES = 512 };

/* Is a value twice in this group? True as well when the group is too large for the slots. */
static bool has_duplicate(const uint64_t *group, size_t count, uint64_t slots[GROUP_SLOTS])
{
    if (count > GROUP_SLOTS / 2)
        return true;
    memset(slots, 0, GROUP_SLOTS * sizeof(*slots));
    for (size_t i = 0; i < count; i++) {
        uint64_t value = group[i] | UINT64_C(1) << 63; /* 0: a free slot */
        size_t at = (size_t)(value >> 32) % GROUP_SLOTS;
        for (; slots[at] != 0; at = (at + 1) % GROUP_SLOTS) {
            if (slots[at] == value)
                return true;
        }
        slots[at] = value;
    }
    return false;
}

/* To look each path up before it is inserted would cost a cache miss or two for each node. Instead the
 * hashes of all paths are compared at the end, in groups that fit into the cache. Only when two are
 * equal are the paths themselves looked at. */
bool tree_load_unique(struct tree *tree)
{
    const uint8_t *hashes = tree->load_hashes.data;
    size_t count = tree->load_hashes.size / sizeof(uint64_t), groups = 1; /* a power of two */
    uint64_t hash, slots[GROUP_SLOTS];
    bool unique = true;

    load_hash_now(tree);
    while (count / groups > GROUP_HASHES)
        groups *= 2;
    size_t *starts = mem_zalloc((groups + 1) * sizeof(*starts));
    uint64_t *grouped = mem_alloc(count * sizeof(*grouped));
    for (size_t i = 0; i < count; i++) {
        memcpy(&hash, hashes + i * sizeof(hash), sizeof(hash));
        starts[hash % groups]++;
    }
    for (size_t i = 1; i <= groups; i++)
        starts[i] += starts[i - 1];
    for (size_t i = 0; i < count; i++) {
        memcpy(&hash, hashes + i * sizeof(hash), sizeof(hash));
        grouped[--starts[hash % groups]] = hash;
    }
    for (size_t i = 0; i < groups && unique; i++)
        unique = !has_duplicate(grouped + starts[i], starts[i + 1] - starts[i], slots);
    mem_free(grouped);
    mem_free(starts);
    buffer_deinit(&tree->load_hashes);
    return unique || every_node_is_found(tree);
}

void tree_load_finish(struct tree *tree)
{
    size_t cursor = 0;
    void *value;

    load_hash_now(tree);
    while ((value = map_next(&tree->acls.file_ids, &cursor, NULL)) != NULL)
        acl_table_release(&tree->acls, (uint32_t)((uintptr_t)value - 1));
    map_deinit(&tree->acls.file_ids);
    buffer_deinit(&tree->load_parent_path);
    buffer_deinit(&tree->load_hashes);
    tree->load_parent = NODE_NONE;
    tree->quota_root = tree_find(tree, SLICE("/zookeeper/quota"));
    tree_quota_recount_all(tree);
}
