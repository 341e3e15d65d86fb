/* model.c: each path has a list of versions, in the order of zxids. Nothing here is shared with the
 * replica's tree, so that the two do not make the same mistake. */
#include "sim/model.h"

#include "base/array.h"
#include "base/hash.h"
#include "wire/zk.h"

#include <inttypes.h>

enum { BUCKETS = 1024 };

struct version { /* of one path, from zxid on */
    int64_t zxid, czxid, mzxid, mtime_ms;
    bool exists, container;
    int32_t version, aversion;
    int64_t owner, ttl_ms;
    struct buffer data, acl;
    int32_t acl_count;
};

struct path {
    struct path *next;
    struct buffer name;
    struct version *versions;
    size_t count, capacity;
};

struct model {
    struct world *world;
    struct path *paths[BUCKETS];
};

struct model *model_new(struct world *world)
{
    struct model *model = mem_zalloc(sizeof(*model));

    model->world = world;
    return model;
}

static void free_path(struct path *path)
{
    for (size_t i = 0; i < path->count; i++) {
        buffer_deinit(&path->versions[i].data);
        buffer_deinit(&path->versions[i].acl);
    }
    mem_free(path->versions);
    buffer_deinit(&path->name);
    mem_free(path);
}

void model_free(struct model *model)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        while (model->paths[i] != NULL) {
            struct path *path = model->paths[i];
            model->paths[i] = path->next;
            free_path(path);
        }
    }
    mem_free(model);
}

static struct path *find_path(const struct model *model, struct slice name)
{
    struct path *path = model->paths[hash_bytes(name, 1) % BUCKETS];

    while (path != NULL && !slice_equal(buffer_slice(&path->name), name))
        path = path->next;
    return path;
}

static struct path *make_path(struct model *model, struct slice name)
{
    struct path *path = find_path(model, name);

    if (path != NULL)
        return path;
    path = mem_zalloc(sizeof(*path));
    buffer_append(&path->name, name);
    path->next = model->paths[hash_bytes(name, 1) % BUCKETS];
    model->paths[hash_bytes(name, 1) % BUCKETS] = path;
    return path;
}

static const struct version *version_at(const struct path *path, int64_t zxid)
{
    for (size_t i = path == NULL ? 0 : path->count; i-- > 0;) {
        if (path->versions[i].zxid <= zxid)
            return &path->versions[i];
    }
    return NULL;
}

static struct version *add_version(struct path *path, int64_t zxid, bool exists)
{
    path->versions = ARRAY_RESERVE(path->versions, path->capacity, path->count + 1, 4);
    struct version *version = &path->versions[path->count++];
    *version = (struct version){.zxid = zxid, .mzxid = zxid, .exists = exists};
    return version;
}

void model_close_session(struct model *model, int64_t id, int64_t zxid)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct path *path = model->paths[i]; path != NULL; path = path->next) {
            const struct version *version = version_at(path, zxid);
            if (version != NULL && version->exists && version->owner == id)
                (void)add_version(path, zxid, false);
        }
    }
}

/* --- changes --- */

static void set_acl(struct version *version, struct jute_vector acl)
{
    version->acl.size = 0;
    buffer_append(&version->acl, acl.bytes);
    version->acl_count = acl.count;
}

static void create(struct path *path, const struct txn *txn, const struct txn_op *op)
{
    struct version *after = add_version(path, txn->header.zxid, /* exists= */ true);

    after->czxid = txn->header.zxid;
    after->mtime_ms = txn->header.time_ms;
    after->owner = op->ephemeral ? txn->header.client_id : 0;
    after->container = op->type == OP_CREATE_CONTAINER;
    after->ttl_ms = op->type == OP_CREATE_TTL ? op->ttl_ms : 0;
    buffer_append(&after->data, op->data);
    set_acl(after, op->acl);
}

/* A setData, or a setACL, which is no change to who watches. */
static void change(struct path *path, const struct txn *txn, const struct txn_op *op)
{
    size_t before_index = path->count - 1;
    struct version *after = add_version(path, txn->header.zxid, /* exists= */ true);
    const struct version *before = &path->versions[before_index];

    *after = *before;
    after->zxid = txn->header.zxid;
    after->data = after->acl = (struct buffer){0};
    set_acl(after, (struct jute_vector){buffer_slice(&before->acl), before->acl_count});
    if (op->type == OP_SET_ACL) {
        after->aversion++;
        set_acl(after, op->acl);
        buffer_append(&after->data, buffer_slice(&before->data));
        return;
    }
    after->version++;
    after->mzxid = txn->header.zxid;
    after->mtime_ms = txn->header.time_ms;
    buffer_append(&after->data, op->data);
}

static bool is_create(int32_t type)
{
    return type == OP_CREATE || type == OP_CREATE2 || type == OP_CREATE_CONTAINER ||
           type == OP_CREATE_TTL;
}

static void check_next(struct model *model, int64_t zxid, const struct txn_op *op,
                       const struct version *before)
{
    int32_t next = op->type == OP_SET_ACL ? before->aversion + 1 : before->version + 1;

    if (op->version != next)
        world_fail(model->world, NULL, "%" PRIx64 " gives version %d to %.*s, and %d is next",
                   (uint64_t)zxid, op->version, (int)op->path.size, (const char *)op->path.data,
                   next);
}

void model_apply(struct model *model, const struct txn *txn, const struct txn_op *op,
                 bool session_known)
{
    int64_t zxid = txn->header.zxid;

    if (op->type == OP_ERROR || op->type == OP_CHECK || op->type == OP_CREATE_SESSION ||
        op->type == OP_CLOSE_SESSION)
        return;
    struct path *path = make_path(model, op->path);
    const struct version *before = version_at(path, zxid);
    bool existed = before != NULL && before->exists;
    if (is_create(op->type) == existed) {
        world_fail(model->world, NULL, "%" PRIx64 " changes %.*s, which %s", (uint64_t)zxid,
                   (int)op->path.size, (const char *)op->path.data,
                   existed ? "exists" : "does not exist");
        return;
    }
    if (op->ephemeral && !session_known)
        world_fail(model->world, NULL,
                   "%" PRIx64 " makes an ephemeral of a session that nobody was told of",
                   (uint64_t)zxid);
    if (!existed) {
        create(path, txn, op);
    } else if (op->type == OP_DELETE || op->type == OP_DELETE_CONTAINER) {
        (void)add_version(path, zxid, false);
    } else {
        check_next(model, zxid, op, before);
        change(path, txn, op);
    }
}

/* --- looking --- */

struct model_node model_look(const struct model *model, struct slice path, int64_t zxid)
{
    const struct version *version = version_at(find_path(model, path), zxid);

    if (version == NULL || !version->exists)
        return (struct model_node){0};
    return (struct model_node){.exists = true,
                               .container = version->container,
                               .version = version->version,
                               .aversion = version->aversion,
                               .mzxid = version->mzxid,
                               .mtime_ms = version->mtime_ms,
                               .owner = version->owner,
                               .ttl_ms = version->ttl_ms,
                               .data = buffer_slice(&version->data),
                               .acl = {buffer_slice(&version->acl), version->acl_count}};
}

int64_t model_next_change(const struct model *model, struct slice path, int64_t behind_zxid)
{
    const struct path *at = find_path(model, path);

    for (size_t i = 0; at != NULL && i < at->count; i++) {
        if (at->versions[i].mzxid > behind_zxid)
            return at->versions[i].mzxid;
    }
    return INT64_MAX;
}

/* Is it a child of the parent, and there at zxid? */
static bool is_child(const struct path *path, struct slice parent, int64_t zxid)
{
    const struct version *version = version_at(path, zxid);

    return version != NULL && version->exists &&
           slice_equal(zk_path_parent(buffer_slice(&path->name)), parent);
}

int32_t model_child_count(const struct model *model, struct slice parent, int64_t zxid)
{
    int32_t count = 0;

    for (size_t i = 0; i < BUCKETS; i++) {
        for (const struct path *path = model->paths[i]; path != NULL; path = path->next)
            count += is_child(path, parent, zxid);
    }
    return count;
}

bool model_has_child(const struct model *model, struct slice parent, struct slice name,
                     int64_t zxid)
{
    struct buffer full = {0};

    buffer_append(&full, parent);
    buffer_u8(&full, '/');
    buffer_append(&full, name);
    const struct path *path = find_path(model, buffer_slice(&full));
    buffer_deinit(&full);
    return path != NULL && is_child(path, parent, zxid);
}

/* --- whole trees --- */

static bool has_owner(const struct tree *tree, const struct znode *got, const struct version *want)
{
    const struct tree_options *options = tree_get_options(tree);

    switch (tree_owner_kind(options, got->owner)) {
    case OWNER_CONTAINER:
        return want->container;
    case OWNER_TTL:
        return want->ttl_ms == tree_owner_ttl_ms(options, got->owner);
    default:
        return got->owner == want->owner && !want->container && want->ttl_ms == 0;
    }
}

static bool has_acl(const struct tree *tree, const struct znode *got, const struct version *want)
{
    struct jute_vector acl = tree_acl(tree, got->acl);

    return got->aversion == want->aversion && acl.count == want->acl_count &&
           slice_equal(acl.bytes, buffer_slice(&want->acl));
}

static void compare_node(const struct model *model, const struct node *node,
                         const struct tree *tree, const struct path *path, int64_t zxid)
{
    struct slice name = buffer_slice(&path->name);
    const struct version *want = version_at(path, zxid);
    uint32_t id = tree_find(tree, name);

    if (id == NODE_NONE) {
        world_fail(model->world, node, "it has no %.*s", (int)name.size, (const char *)name.data);
        return;
    }
    const struct znode *got = tree_node(tree, id);
    if (got->mzxid != want->mzxid || got->czxid != want->czxid || got->version != want->version ||
        got->mtime != want->mtime_ms || !has_owner(tree, got, want) ||
        !slice_equal(znode_data(got), buffer_slice(&want->data)) ||
        (!znode_is_ephemeral(tree, got) &&
         (int32_t)got->child_count != model_child_count(model, name, zxid)))
        world_fail(model->world, node, "its %.*s is another one than the committed one",
                   (int)name.size, (const char *)name.data);
    else if (!has_acl(tree, got, want))
        world_fail(model->world, node, "its %.*s has another ACL than the committed one",
                   (int)name.size, (const char *)name.data);
}

/* Nodes that no transaction of the run has made. */
static uint32_t count_given(const struct tree *tree)
{
    static const char *const given[] = {"/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config"};
    uint32_t count = 0;

    for (size_t i = 0; i < ARRAY_LEN(given); i++)
        count += tree_find(tree, slice_text(given[i])) != NODE_NONE;
    return count;
}

void model_compare(const struct model *model, const struct node *node, const struct tree *tree,
                   int64_t zxid)
{
    uint32_t nodes = count_given(tree);

    for (size_t i = 0; i < BUCKETS; i++) {
        for (const struct path *path = model->paths[i]; path != NULL; path = path->next) {
            const struct version *version = version_at(path, zxid);
            if (version == NULL || !version->exists)
                continue;
            nodes++;
            compare_node(model, node, tree, path, zxid);
        }
    }
    if (nodes != tree_node_count(tree))
        world_fail(model->world, node, "it has %u nodes, and %u are committed",
                   tree_node_count(tree), nodes);
}
