#include "test/lib/store_world.h"

#include "test/lib/check.h"
#include "test/lib/late_side.h"

#include <stdio.h>

enum { NAMES = 12 };

const struct tree_options world_tree_options = {
    .hash_seed = 7, .extended_types = true, .digest_enabled = true};

struct recovery_options world_recovery_options(void)
{
    return (struct recovery_options){.tree = world_tree_options,
                                     .db_autocreate = true,
                                     .last_zxid_section = true,
                                     .side = test_late_side()};
}

void world_init(struct store_world *world, uint64_t seed)
{
    *world = (struct store_world){.seed = seed, .tree = tree_new(&world_tree_options)};
    arena_init(&world->arena);
}

static void forget(struct store_world *world, size_t count)
{
    while (world->count > count)
        mem_free(world->txns[--world->count].bytes);
}

void world_deinit(struct store_world *world)
{
    forget(world, 0);
    mem_free(world->txns);
    tree_free(world->tree);
    arena_deinit(&world->arena);
}

int64_t world_zxid(const struct store_world *world)
{
    return tree_last_zxid(world->tree);
}

struct tree *world_grown(struct store_world *world, int count)
{
    world_init(world, 11);
    for (int i = 0; i < count; i++)
        (void)world_next(world);
    return world->tree;
}

void world_write_snapshot(const struct store_world *world, struct disk *disk)
{
    const struct snapshot_image_options options = {true, true, false};

    CHECK_STATUS(snapshot_write(disk, world->tree, &options, STORE_PLAIN), STATUS_OK);
}

enum status world_read_snapshot_with(struct disk *disk, const char *name, struct side_work *side,
                                     struct tree **ret_tree, struct snapshot_info *info)
{
    *ret_tree = tree_new_empty(&world_tree_options);
    enum status status = snapshot_load(disk, name, 0, side, *ret_tree, info);
    if (status == STATUS_OK)
        tree_load_finish(*ret_tree);
    return status;
}

enum status world_read_snapshot(struct disk *disk, const char *name, struct tree **ret_tree,
                                struct snapshot_info *info)
{
    struct snapshot_info other;

    enum status status = world_read_snapshot_with(disk, name, test_late_side(), ret_tree, &other);
    tree_free(*ret_tree);
    CHECK_STATUS(world_read_snapshot_with(disk, name, NULL, ret_tree, info), status);
    CHECK_U64("bytes", other.bytes, info->bytes);
    CHECK_U64("nodes", other.nodes, info->nodes);
    CHECK(other.problem == info->problem);
    return status;
}

struct txnlog_append world_append(const struct store_world *world, size_t index)
{
    const struct world_txn *txn = &world->txns[index];

    return (struct txnlog_append){.payload = slice_of(txn->bytes, txn->size),
                                  .zxid = txn->zxid,
                                  .lacks_digest = txn->is_error || world->digest_off};
}

static struct txnlog_append add_txn(struct store_world *world, const struct txn *txn)
{
    struct buffer bytes = {0};
    bool is_error = txn->header.type == OP_ERROR;

    txn_apply(world->tree, txn, NULL, &world->arena, NULL);
    txn_write(&bytes, txn);
    arena_reset(&world->arena);
    if (!is_error && !world->digest_off) {
        buffer_i32(&bytes, 2);
        buffer_i64(&bytes, (int64_t)tree_digest(world->tree));
    }
    if (world->count == world->capacity) {
        world->capacity = world->capacity == 0 ? 64 : world->capacity * 2;
        world->txns = mem_realloc(world->txns, world->capacity * sizeof(*world->txns));
    }
    world->txns[world->count] =
        (struct world_txn){bytes.data, bytes.size, txn->header.zxid, is_error};
    return world_append(world, world->count++);
}

static struct txn_header next_header(struct store_world *world, int32_t type)
{
    int64_t zxid = world_zxid(world) + 1;

    if (world->new_epochs && random_below(&world->seed, 12) == 0)
        zxid = zxid_make(zxid_epoch(zxid) + 1, 1);
    return (struct txn_header){.client_id = world->session,
                               .cxid = (int32_t)zxid,
                               .zxid = zxid,
                               .time_ms = 1700000000000 + zxid,
                               .type = type};
}

struct txnlog_append world_add(struct store_world *world, const struct txn_op *op)
{
    struct txn txn = {.header = next_header(world, op->type), .op = *op};

    return add_txn(world, &txn);
}

static struct jute_vector acl_of(struct store_world *world, int32_t perms)
{
    struct buffer bytes = {0};

    jute_put_acl(&bytes, &(struct jute_acl){
                             .perms = perms, .scheme = SLICE("world"), .id = SLICE("anyone")});
    struct jute_vector acl = {arena_copy(&world->arena, buffer_slice(&bytes)), 1};
    buffer_deinit(&bytes);
    return acl;
}

struct txnlog_append world_create(struct store_world *world, const char *path, struct slice data)
{
    return world_add(world, &(struct txn_op){.type = OP_CREATE,
                                             .path = slice_text(path),
                                             .data = data,
                                             .acl = acl_of(world, PERM_ALL),
                                             .parent_cversion = -1});
}

static struct slice random_path(struct store_world *world)
{
    char path[64];
    int size = snprintf(path, sizeof(path), "/n%d", random_below(&world->seed, NAMES));

    if (random_below(&world->seed, 2) == 0)
        size += snprintf(path + size, sizeof(path) - (size_t)size, "/n%d",
                         random_below(&world->seed, NAMES));
    return arena_copy(&world->arena, slice_of(path, (size_t)size));
}

static struct slice random_data(struct store_world *world)
{
    size_t max = world->data_bytes_max == 0 ? 300 : world->data_bytes_max;
    size_t size = (size_t)random_below(&world->seed, (int32_t)max);

    if (random_below(&world->seed, 8) == 0)
        return SLICE_NULL;
    uint8_t *bytes = arena_alloc(&world->arena, size);
    random_fill(&world->seed, bytes, size);
    return slice_of(bytes, size);
}

/* What the pipeline would have made of a random request: it fits the tree. */
static struct txn_op random_op(struct store_world *world)
{
    struct slice path = random_path(world);
    uint32_t id = tree_find(world->tree, path);
    uint32_t parent = tree_find(world->tree, zk_path_parent(path));

    if (id == NODE_NONE) {
        if (parent == NODE_NONE || znode_is_ephemeral(world->tree, tree_node(world->tree, parent)))
            return (struct txn_op){.type = OP_ERROR, .err = ZK_NO_NODE};
        int32_t kind = random_below(&world->seed, 6);
        return (struct txn_op){.type = kind == 0   ? OP_CREATE_TTL
                                       : kind == 1 ? OP_CREATE_CONTAINER
                                                   : OP_CREATE2,
                               .path = path,
                               .data = random_data(world),
                               .acl = acl_of(world, random_below(&world->seed, 2) ? 31 : 15),
                               .ttl_ms = 1000,
                               .ephemeral = kind == 2 && world->session != 0,
                               .parent_cversion = tree_node(world->tree, parent)->cversion + 1};
    }
    const struct znode *node = tree_node(world->tree, id);
    switch (random_below(&world->seed, 5)) {
    case 0:
        if (znode_is_ephemeral(world->tree, node) || node->child_count == 0)
            return (struct txn_op){.type = OP_DELETE, .path = path};
        return (struct txn_op){.type = OP_ERROR, .err = ZK_NOT_EMPTY};
    case 1:
        return (struct txn_op){.type = OP_SET_ACL,
                               .path = path,
                               .acl = acl_of(world, 1 + random_below(&world->seed, 31)),
                               .version = node->aversion + 1};
    default:
        return (struct txn_op){.type = OP_SET_DATA,
                               .path = path,
                               .data = random_data(world),
                               .version = node->version + 1};
    }
}

static struct txnlog_append add_close(struct store_world *world)
{
    struct tree_session *session = tree_session(world->tree, world->session);
    struct buffer paths = {0};

    for (uint32_t i = 0; i < session->ephemeral_count; i++) {
        size_t head = paths.size;
        buffer_i32(&paths, 0);
        tree_path_append(world->tree, session->ephemerals[i], &paths);
        store_be32(paths.data + head, (uint32_t)(paths.size - head - 4));
    }
    buffer_extend(&paths, 0);
    struct jute_vector list = {
        arena_copy(&world->arena,
                   slice_of(paths.size == 0 ? (const uint8_t *)"" : paths.data, paths.size)),
        (int32_t)session->ephemeral_count};
    if (world->close_unlisted)
        list = (struct jute_vector){SLICE_NULL, -1};
    struct txnlog_append append =
        world_add(world, &(struct txn_op){.type = OP_CLOSE_SESSION, .paths = list});
    buffer_deinit(&paths);
    world->session = 0;
    return append;
}

struct txnlog_append world_next(struct store_world *world)
{
    int32_t kind = random_below(&world->seed, 20);

    if (world->session == 0 && kind < 6) {
        world->session = 0x100000000000000 + ++world->session_count;
        return world_add(world, &(struct txn_op){.type = OP_CREATE_SESSION, .timeout_ms = 30000});
    }
    if (world->session != 0 && kind == 0)
        return add_close(world);
    if (kind == 1) {
        struct txn_op ops[2] = {random_op(world), {.type = OP_CHECK, .path = SLICE("/")}};
        struct txn txn = {.header = next_header(world, OP_MULTI),
                          .op = {.type = OP_MULTI},
                          .ops = ops,
                          .op_count = 2};
        return add_txn(world, &txn);
    }
    struct txn_op op = random_op(world);
    return world_add(world, &op);
}

void world_go_back(struct store_world *world, int64_t zxid)
{
    size_t kept = 0;

    while (kept < world->count && world->txns[kept].zxid <= zxid)
        kept++;
    forget(world, kept);
    tree_free(world->tree);
    world->tree = tree_new(&world_tree_options);
    world->session = 0;
    for (size_t i = 0; i < kept; i++) {
        struct txn txn;
        CHECK_STATUS(
            txn_read(slice_of(world->txns[i].bytes, world->txns[i].size), &world->arena, &txn),
            STATUS_OK);
        txn_apply(world->tree, &txn, NULL, &world->arena, NULL);
        if (txn.header.type == OP_CREATE_SESSION)
            world->session = txn.header.client_id;
        if (txn.header.type == OP_CLOSE_SESSION)
            world->session = 0;
        arena_reset(&world->arena);
    }
    CHECK_I64("the world goes back to", world_zxid(world), zxid);
}

static void check_same_node(const struct tree *got, uint32_t got_id, const struct tree *want,
                            uint32_t want_id)
{
    const struct znode *left = tree_node(got, got_id), *right = tree_node(want, want_id);
    struct buffer path = {0};

    tree_path_append(want, want_id, &path);
    buffer_u8(&path, 0);
    const char *name = (const char *)path.data;
    CHECK_SLICE(name, znode_data(left), znode_data(right));
    CHECK((znode_data(left).data == NULL) == (znode_data(right).data == NULL));
    CHECK_I64(name, left->czxid, right->czxid);
    CHECK_I64(name, left->mzxid, right->mzxid);
    CHECK_I64(name, left->pzxid, right->pzxid);
    CHECK_I64(name, left->ctime, right->ctime);
    CHECK_I64(name, left->mtime, right->mtime);
    CHECK_I64(name, left->owner, right->owner);
    CHECK_I64(name, left->version, right->version);
    CHECK_I64(name, left->cversion, right->cversion);
    CHECK_I64(name, left->aversion, right->aversion);
    struct jute_vector left_acl = tree_acl(got, left->acl), right_acl = tree_acl(want, right->acl);
    CHECK_I64(name, left_acl.count, right_acl.count);
    CHECK_SLICE(name, left_acl.bytes, right_acl.bytes);
    buffer_deinit(&path);
    if (znode_is_ephemeral(want, right))
        return;
    CHECK_U64("children", left->child_count, right->child_count);
    for (uint32_t child = right->first_child; child != NODE_NONE;
         child = tree_node(want, child)->next) {
        uint32_t other = tree_find_child(got, got_id, znode_name(tree_node(want, child)));
        CHECK(other != NODE_NONE);
        check_same_node(got, other, want, child);
    }
}

void check_same_tree(const struct tree *got, const struct tree *want)
{
    struct tree_session *session;
    size_t cursor = 0;

    CHECK_I64("zxid", tree_last_zxid(got), tree_last_zxid(want));
    check_same_node(got, NODE_ROOT, want, NODE_ROOT);
    CHECK_U64("nodes", tree_node_count(got), tree_node_count(want));
    CHECK_U64("digest", tree_digest(got), tree_digest(want));
    CHECK_U64("sessions", tree_session_count(got), tree_session_count(want));
    while ((session = tree_session_next(want, &cursor)) != NULL) {
        struct tree_session *other = tree_session(got, session->id);
        CHECK(other != NULL);
        CHECK_I64("timeout", other->timeout_ms, session->timeout_ms);
        CHECK_U64("ephemerals", other->ephemeral_count, session->ephemeral_count);
    }
}

const char *recovery_reason(const struct recovery *recovery)
{
    return recovery->notes.count == 0 ? "nothing noted"
                                      : recovery->notes.notes[recovery->notes.count - 1].text;
}

bool recovery_noted(const struct recovery *recovery, const char *part)
{
    for (size_t i = 0; i < recovery->notes.count; i++) {
        if (strstr(recovery->notes.notes[i].text, part) != NULL)
            return true;
    }
    return false;
}
