#include "replica/tree/tree_internal.h"

#include "base/crc32.h"
#include "base/hash.h"

/* --- nodes by id --- */

struct znode *tree_node(const struct tree *tree, uint32_t id)
{
    return &tree->chunks[id / NODES_PER_CHUNK][id % NODES_PER_CHUNK];
}

static uint32_t take_node(struct tree *tree)
{
    uint32_t id = tree->free_node;

    if (id != NODE_NONE) {
        tree->free_node = tree_node(tree, id)->hash_next;
        return id;
    }
    id = tree->node_limit++;
    if (id / NODES_PER_CHUNK == tree->chunk_count) {
        if ((tree->chunk_count & (tree->chunk_count - 1)) == 0) {
            uint32_t capacity = tree->chunk_count == 0 ? 1 : tree->chunk_count * 2;
            tree->chunks = mem_realloc(tree->chunks, capacity * sizeof(*tree->chunks));
        }
        tree->chunks[tree->chunk_count++] = mem_zalloc(NODES_PER_CHUNK * sizeof(struct znode));
    }
    return id;
}

struct slice znode_name(const struct znode *node)
{
    return slice_of(node->bytes, node->name_size);
}

struct slice znode_data(const struct znode *node)
{
    if (node->data_size < 0)
        return SLICE_NULL;
    return slice_of(node->bytes + node->name_size, (size_t)node->data_size);
}

static size_t data_size(const struct znode *node)
{
    return node->data_size < 0 ? 0 : (size_t)node->data_size;
}

/* --- the hash of (parent, name) --- */

static uint64_t key_hash(const struct tree *tree, uint32_t parent, struct slice name)
{
    return hash_bytes(name, tree->options.hash_seed + parent * UINT64_C(0x9e3779b97f4a7c15));
}

static uint32_t *bucket_head(const struct tree *tree, uint64_t hash)
{
    uint32_t bucket = (uint32_t)hash & tree->bucket_mask;

    if (bucket >= tree->bucket_count)
        bucket &= tree->bucket_mask >> 1;
    return &tree->segments[bucket / HEADS_PER_SEGMENT][bucket % HEADS_PER_SEGMENT];
}

static void grow_segments(struct tree *tree)
{
    if ((tree->segment_count & (tree->segment_count - 1)) == 0) {
        uint32_t capacity = tree->segment_count == 0 ? 1 : tree->segment_count * 2;
        tree->segments = mem_realloc(tree->segments, capacity * sizeof(*tree->segments));
    }
    tree->segments[tree->segment_count++] = mem_zalloc(HEADS_PER_SEGMENT * sizeof(uint32_t));
}

/* One bucket more, and its share of one old bucket: growing never stops the world. */
static void split_one_bucket(struct tree *tree)
{
    if (tree->bucket_count == HEADS_PER_SEGMENT * tree->segment_count)
        grow_segments(tree);
    uint32_t added = tree->bucket_count++;
    if (added > tree->bucket_mask)
        tree->bucket_mask = tree->bucket_mask * 2 + 1;
    uint32_t old = added & (tree->bucket_mask >> 1);
    uint32_t *from = &tree->segments[old / HEADS_PER_SEGMENT][old % HEADS_PER_SEGMENT];
    uint32_t *to = &tree->segments[added / HEADS_PER_SEGMENT][added % HEADS_PER_SEGMENT];
    while (*from != NODE_NONE) {
        struct znode *node = tree_node(tree, *from);
        uint64_t hash = key_hash(tree, node->parent, znode_name(node));
        if (((uint32_t)hash & tree->bucket_mask) == added) {
            uint32_t moved = *from;
            *from = node->hash_next;
            node->hash_next = *to;
            *to = moved;
        } else {
            from = &node->hash_next;
        }
    }
}

/* Bits of the hash that choose no bucket: they tell nodes apart without a look at their names. */
static uint16_t hash_tag(uint64_t hash)
{
    return (uint16_t)(hash >> 48);
}

static void hash_insert(struct tree *tree, uint32_t id, uint64_t hash)
{
    struct znode *node = tree_node(tree, id);

    if (++tree->hashed_count > tree->bucket_count)
        split_one_bucket(tree);
    uint32_t *head = bucket_head(tree, hash);
    node->hash_tag = hash_tag(hash);
    node->hash_next = *head;
    *head = id;
}

static void hash_remove(struct tree *tree, uint32_t id)
{
    struct znode *node = tree_node(tree, id);
    uint32_t *at = bucket_head(tree, key_hash(tree, node->parent, znode_name(node)));

    while (*at != id)
        at = &tree_node(tree, *at)->hash_next;
    *at = node->hash_next;
    tree->hashed_count--;
}

static uint32_t find_hashed(const struct tree *tree, uint32_t parent, struct slice name,
                            uint64_t hash)
{
    uint32_t id = *bucket_head(tree, hash);
    uint16_t tag = hash_tag(hash);

    while (id != NODE_NONE) {
        const struct znode *node = tree_node(tree, id);
        if (node->hash_tag == tag && node->parent == parent && node->name_size == name.size &&
            (name.size == 0 || memcmp(node->bytes, name.data, name.size) == 0))
            return id;
        id = node->hash_next;
    }
    return NODE_NONE;
}

uint32_t tree_find_child(const struct tree *tree, uint32_t parent, struct slice name)
{
    return find_hashed(tree, parent, name, key_hash(tree, parent, name));
}

void tree_load_reserve(struct tree *tree, uint32_t nodes)
{
    ASSERT(tree->hashed_count == 0);
    while (tree->bucket_count < nodes) {
        if (tree->bucket_count == HEADS_PER_SEGMENT * tree->segment_count)
            grow_segments(tree);
        tree->bucket_count += HEADS_PER_SEGMENT;
        while (tree->bucket_count - 1 > tree->bucket_mask)
            tree->bucket_mask = tree->bucket_mask * 2 + 1;
    }
}

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

/* --- owners --- */

enum owner_kind tree_owner_kind(const struct tree_options *options, int64_t owner)
{
    uint64_t bits = (uint64_t)owner;

    if (owner == 0)
        return OWNER_NONE;
    if (owner == OWNER_CONTAINER_VALUE)
        return OWNER_CONTAINER;
    if (options->emulate_353_ttl && owner < 0 && options->extended_types)
        return OWNER_TTL;
    if (options->extended_types && bits >> 56 == 0xff)
        return OWNER_TTL;
    return OWNER_SESSION;
}

int64_t tree_owner_ttl_ms(const struct tree_options *options, int64_t owner)
{
    if (options->emulate_353_ttl && (uint64_t)owner >> 56 != 0xff)
        return owner & INT64_MAX; /* the layout of release 3.5.3: all bits but the top one */
    return owner & TTL_MS_MAX;
}

bool znode_is_ephemeral(const struct tree *tree, const struct znode *node)
{
    return tree_owner_kind(&tree->options, node->owner) == OWNER_SESSION;
}

/* The place of an ephemeral in its owner's list stands in child_count: it never has children. */
static void owner_list_add(struct tree *tree, uint32_t id)
{
    struct znode *node = tree_node(tree, id);
    struct tree_session *session = map_get(&tree->sessions, (uint64_t)node->owner);

    if (session == NULL) {
        session = mem_zalloc(sizeof(*session));
        session->id = node->owner;
        session->orphan = true;
        tree->orphan_count++;
        map_set(&tree->sessions, (uint64_t)node->owner, session);
    }
    if (session->ephemeral_count == session->ephemeral_capacity) {
        session->ephemeral_capacity =
            session->ephemeral_capacity == 0 ? 4 : session->ephemeral_capacity * 2;
        session->ephemerals = mem_realloc(session->ephemerals, session->ephemeral_capacity *
                                                                   sizeof(*session->ephemerals));
    }
    node->child_count = session->ephemeral_count;
    session->ephemerals[session->ephemeral_count++] = id;
    tree->ephemeral_count++;
}

static void session_drop(struct tree *tree, struct tree_session *session)
{
    map_remove(&tree->sessions, (uint64_t)session->id);
    if (session->orphan)
        tree->orphan_count--;
    mem_free(session->ephemerals);
    mem_free(session);
}

static void owner_list_remove(struct tree *tree, uint32_t id)
{
    struct znode *node = tree_node(tree, id);
    struct tree_session *session = map_get(&tree->sessions, (uint64_t)node->owner);

    ASSERT(session != NULL && session->ephemerals[node->child_count] == id);
    uint32_t last = session->ephemerals[--session->ephemeral_count];
    session->ephemerals[node->child_count] = last;
    tree_node(tree, last)->child_count = node->child_count;
    tree->ephemeral_count--;
    if (session->orphan && session->ephemeral_count == 0)
        session_drop(tree, session);
}

static void index_owner(struct tree *tree, uint32_t id)
{
    switch (tree_owner_kind(&tree->options, tree_node(tree, id)->owner)) {
    case OWNER_SESSION:
        owner_list_add(tree, id);
        break;
    case OWNER_CONTAINER:
        map_set(&tree->containers, id, tree);
        break;
    case OWNER_TTL:
        map_set(&tree->ttls, id, tree);
        break;
    case OWNER_NONE:
        break;
    }
}

static void unindex_owner(struct tree *tree, uint32_t id)
{
    switch (tree_owner_kind(&tree->options, tree_node(tree, id)->owner)) {
    case OWNER_SESSION:
        owner_list_remove(tree, id);
        break;
    case OWNER_CONTAINER:
        map_remove(&tree->containers, id);
        break;
    case OWNER_TTL:
        map_remove(&tree->ttls, id);
        break;
    case OWNER_NONE:
        break;
    }
}

/* --- digest (DigestCalculator.java, version 2) --- */

uint32_t tree_node_digest(const struct tree *tree, struct slice path, const struct znode *node)
{
    uint8_t stat[60];

    if (!tree->options.digest_enabled || slice_starts_with(path, SLICE("/zookeeper/")))
        return 0;
    if (path.size == 1) /* the root counts once, under "" */
        path.size = 0;
    store_be64(stat, (uint64_t)node->czxid);
    store_be64(stat + 8, (uint64_t)node->mzxid);
    store_be64(stat + 16, (uint64_t)node->pzxid);
    store_be64(stat + 24, (uint64_t)node->ctime);
    store_be64(stat + 32, (uint64_t)node->mtime);
    store_be32(stat + 40, (uint32_t)node->version);
    store_be32(stat + 44, (uint32_t)node->cversion);
    store_be32(stat + 48, (uint32_t)node->aversion);
    store_be64(stat + 52, (uint64_t)node->owner);
    uint32_t crc = crc32_add(0, path);
    crc = crc32_add(crc, slice_of(node->bytes + node->name_size, data_size(node)));
    return crc32_add(crc, slice_of(stat, sizeof(stat)));
}

static void node_changed(struct tree *tree, struct slice path, struct znode *node)
{
    uint32_t digest = tree_node_digest(tree, path, node);

    tree->digest += (uint64_t)digest - node->digest;
    node->digest = digest;
}

/* --- linking and unlinking --- */

static void set_bytes(struct znode *node, struct slice name, struct slice data)
{
    node->bytes = mem_alloc(name.size + data.size);
    if (name.size > 0)
        memcpy(node->bytes, name.data, name.size);
    if (data.size > 0)
        memcpy(node->bytes + name.size, data.data, data.size);
    node->name_size = (uint32_t)name.size;
    node->data_size = data.data == NULL ? -1 : (int32_t)data.size;
}

/* All but the hash. */
static uint32_t attach_node(struct tree *tree, uint32_t parent_id, struct slice name,
                            struct slice data)
{
    uint32_t id = take_node(tree);
    struct znode *node = tree_node(tree, id);

    *node = (struct znode){.parent = parent_id, .live = true, .in_image = tree->image_mark};
    set_bytes(node, name, data);
    tree->node_count++;
    if (parent_id == NODE_NONE)
        return id;
    struct znode *parent = tree_node(tree, parent_id);
    node->next = parent->first_child;
    if (node->next != NODE_NONE)
        tree_node(tree, node->next)->prev = id;
    parent->first_child = id;
    parent->child_count++;
    return id;
}

static uint32_t link_node(struct tree *tree, uint32_t parent_id, struct slice name, uint64_t hash,
                          struct slice data)
{
    uint32_t id = attach_node(tree, parent_id, name, data);

    if (parent_id != NODE_NONE)
        hash_insert(tree, id, hash);
    return id;
}

/* A million names go to a million places: a load waits for memory more than for anything else.
 * So a loaded node asks for its place, and takes it when some more nodes have come. */
static void load_hash_later(struct tree *tree, uint32_t id, uint64_t hash)
{
    uint32_t at = tree->load_waiting_next++ % LOAD_WAITING;

    if (tree->load_waiting[at].id != NODE_NONE)
        hash_insert(tree, tree->load_waiting[at].id, tree->load_waiting[at].hash);
    __builtin_prefetch(bucket_head(tree, hash), /* write= */ 1);
    tree->load_waiting[at].hash = hash;
    tree->load_waiting[at].id = id;
}

static void load_hash_now(struct tree *tree)
{
    for (uint32_t at = 0; at < LOAD_WAITING; at++) {
        if (tree->load_waiting[at].id != NODE_NONE)
            hash_insert(tree, tree->load_waiting[at].id, tree->load_waiting[at].hash);
        tree->load_waiting[at].id = NODE_NONE;
    }
}

static void unlink_leaf(struct tree *tree, uint32_t id, size_t path_size)
{
    struct znode *node = tree_node(tree, id);
    struct znode *parent = tree_node(tree, node->parent);

    unindex_owner(tree, id);
    hash_remove(tree, id);
    if (node->prev != NODE_NONE)
        tree_node(tree, node->prev)->next = node->next;
    else
        parent->first_child = node->next;
    if (node->next != NODE_NONE)
        tree_node(tree, node->next)->prev = node->prev;
    parent->child_count--;
    acl_table_release(&tree->acls, node->acl);
    tree->digest -= node->digest;
    tree->data_bytes -= path_size + data_size(node);
    tree->node_count--;
    if (id == tree->quota_root)
        tree->quota_root = NODE_NONE;
    mem_free(node->bytes);
    *node = (struct znode){.hash_next = tree->free_node};
    tree->free_node = id;
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

void tree_replace_data(struct tree *tree, struct znode *node, struct slice data)
{
    size_t before = data_size(node);

    if (data.size != before)
        node->bytes = mem_realloc(node->bytes, node->name_size + data.size);
    if (data.size > 0)
        memcpy(node->bytes + node->name_size, data.data, data.size);
    node->data_size = data.data == NULL ? -1 : (int32_t)data.size;
    tree->data_bytes += data.size - before;
}

/* --- making a tree --- */

struct tree *tree_new_empty(const struct tree_options *options)
{
    struct tree *tree = mem_zalloc(sizeof(*tree));

    tree->options = *options;
    acl_table_init(&tree->acls);
    grow_segments(tree);
    tree->bucket_count = HEADS_PER_SEGMENT;
    tree->bucket_mask = HEADS_PER_SEGMENT - 1;
    tree->node_limit = NODE_ROOT;
    uint32_t root = link_node(tree, NODE_NONE, SLICE(""), /* hash= */ 0, SLICE(""));
    ASSERT(root == NODE_ROOT);
    node_changed(tree, SLICE(""), tree_node(tree, root));
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
    uint32_t id = link_node(tree, parent, name, key_hash(tree, parent, name), SLICE(""));
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
    node_changed(tree, path, node);
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
    if (tree->walk != NULL)
        tree_walk_end(tree->walk);
    for (uint32_t id = NODE_ROOT; id < tree->node_limit; id++)
        mem_free(tree_node(tree, id)->bytes);
    for (uint32_t i = 0; i < tree->chunk_count; i++)
        mem_free(tree->chunks[i]);
    mem_free(tree->chunks);
    for (uint32_t i = 0; i < tree->segment_count; i++)
        mem_free(tree->segments[i]);
    mem_free(tree->segments);
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
    node_changed(tree, path, parent);
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
    uint64_t hash = key_hash(tree, parent, name);
    uint32_t id = find_hashed(tree, parent, name, hash);
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
    index_owner(tree, id);
    node_changed(tree, create->path, node);
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
        node_changed(tree, parent_path, parent);
    }
    uint32_t id = tree_find_child(tree, parent_id, zk_path_name(path));
    if (id == NODE_NONE)
        return ZK_NO_NODE;
    tree_walk_save(tree, id);
    int64_t bytes = (int64_t)data_size(tree_node(tree, id));
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
    int64_t difference = (int64_t)data.size - (int64_t)data_size(node);
    tree_replace_data(tree, node, data);
    node->version = version;
    node->mzxid = zxid;
    node->mtime = time_ms;
    node_changed(tree, path, node);
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
    node_changed(tree, path, node);
    *ret_id = id;
    return ZK_OK;
}

/* --- sessions --- */

struct tree_session *tree_session(const struct tree *tree, int64_t id)
{
    struct tree_session *session = map_get(&tree->sessions, (uint64_t)id);
    return session == NULL || session->orphan ? NULL : session;
}

uint32_t tree_session_count(const struct tree *tree)
{
    return (uint32_t)tree->sessions.count - tree->orphan_count;
}

struct tree_session *tree_session_next(const struct tree *tree, size_t *cursor)
{
    return map_next(&tree->sessions, cursor, NULL);
}

void tree_session_add(struct tree *tree, int64_t id, int32_t timeout_ms)
{
    struct tree_session *session = map_get(&tree->sessions, (uint64_t)id);

    if (session == NULL) {
        session = mem_zalloc(sizeof(*session));
        session->id = id;
        map_set(&tree->sessions, (uint64_t)id, session);
    } else if (session->orphan) {
        session->orphan = false;
        tree->orphan_count--;
    }
    session->timeout_ms = timeout_ms;
}

void tree_session_remove(struct tree *tree, int64_t id)
{
    struct tree_session *session = tree_session(tree, id);

    if (session == NULL)
        return;
    if (session->ephemeral_count == 0) {
        session_drop(tree, session);
        return;
    }
    session->orphan = true; /* only in a replay: their deletes or a new owner's create follow */
    tree->orphan_count++;
}

/* --- loading --- */

enum status tree_load_node(struct tree *tree, struct slice path, struct slice data,
                           int64_t file_acl_id, const struct stat_persisted *stat)
{
    uint32_t id = NODE_ROOT;

    if (path.size == 0) { /* comes first, and has no owner that could forbid it children */
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
        uint64_t hash = key_hash(tree, tree->load_parent, name);
        memcpy(buffer_extend(&tree->load_hashes, sizeof(hash)), &hash, sizeof(hash));
        id = attach_node(tree, tree->load_parent, name, data);
        load_hash_later(tree, id, hash);
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
    index_owner(tree, id);
    node_changed(tree, path, node);
    return STATUS_OK;
}

/* Every node is found, and not another one of the same name. */
static bool all_found(const struct tree *tree)
{
    for (uint32_t id = NODE_ROOT + 1; id < tree->node_limit; id++) {
        const struct znode *node = tree_node(tree, id);
        if (node->live && tree_find_child(tree, node->parent, znode_name(node)) != id)
            return false;
    }
    return true;
}

enum { LIKE_SLOTS = 2048, LIKE_GROUP = 512 };

/* Is there a value twice in this group? Also true when the group is too large to tell. */
static bool like_in_group(const uint64_t *group, size_t count, uint64_t slots[LIKE_SLOTS])
{
    if (count > LIKE_SLOTS / 2)
        return true;
    memset(slots, 0, LIKE_SLOTS * sizeof(*slots));
    for (size_t i = 0; i < count; i++) {
        uint64_t value = group[i] | UINT64_C(1) << 63; /* 0: a free slot */
        size_t at = (size_t)(value >> 32) % LIKE_SLOTS;
        for (; slots[at] != 0; at = (at + 1) % LIKE_SLOTS) {
            if (slots[at] == value)
                return true;
        }
        slots[at] = value;
    }
    return false;
}

/* Looking for each node's like while a million are loaded would be a cache miss or two for each.
 * Instead their hashes are compared at the end, in groups that fit the cache. */
bool tree_load_unique(struct tree *tree)
{
    const uint8_t *hashes = tree->load_hashes.data;
    size_t count = tree->load_hashes.size / sizeof(uint64_t), groups = 1; /* a power of two */
    uint64_t hash, slots[LIKE_SLOTS];
    bool unique = true;

    load_hash_now(tree);
    while (count / groups > LIKE_GROUP)
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
        unique = !like_in_group(grouped + starts[i], starts[i + 1] - starts[i], slots);
    mem_free(grouped);
    mem_free(starts);
    buffer_deinit(&tree->load_hashes);
    return unique || all_found(tree);
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

/* --- looking --- */

int64_t tree_last_zxid(const struct tree *tree)
{
    return tree->last_zxid;
}

void tree_set_last_zxid(struct tree *tree, int64_t zxid)
{
    tree->last_zxid = zxid;
}

uint64_t tree_digest(const struct tree *tree)
{
    return tree->digest;
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
        bytes += data_size(node);
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

static uint32_t next_indexed(const struct map *map, size_t *cursor)
{
    uint64_t id;
    return map_next(map, cursor, &id) == NULL ? NODE_NONE : (uint32_t)id;
}

uint32_t tree_container_next(const struct tree *tree, size_t *cursor)
{
    return next_indexed(&tree->containers, cursor);
}

uint32_t tree_ttl_next(const struct tree *tree, size_t *cursor)
{
    return next_indexed(&tree->ttls, cursor);
}
