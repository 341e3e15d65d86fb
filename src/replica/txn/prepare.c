/* prepare.c: every check of a write, in ZooKeeper's order, against the tree as it will be.
 *
 * docs/protocol.md, "Writes: the order of checks", has the same rows. The outstanding tree is changed
 * only after the last check, so a request that fails leaves no trace in it. */
#include "replica/txn/prepare.h"

#include <stdio.h>

/* --- small rules --- */

static bool has_nul(struct slice path)
{
    return path.size > 0 && memchr(path.data, '\0', path.size) != NULL;
}

static bool has_slash(struct slice path)
{
    return path.size > 0 && memchr(path.data, '/', path.size) != NULL;
}

/* Expected -1 fits any version. The new version wraps around, through -1 too, as up to 3.9.5. */
static enum zk_error next_version(int32_t current, int32_t expected, int32_t *ret_next)
{
    if (expected != -1 && expected != current)
        return ZK_BAD_VERSION;
    *ret_next = (int32_t)((uint32_t)current + 1);
    return ZK_OK;
}

static bool allowed(const struct prepare *prepare, const struct future_node *node,
                    int32_t permission)
{
    return acl_allows(&prepare->rules->acl, tree_acl(prepare->tree, node->acl), permission,
                      prepare->identities);
}

static bool is_ttl_mode(int32_t flags)
{
    return flags == MODE_TTL || flags == MODE_SEQUENTIAL_TTL;
}

static bool is_sequential_mode(int32_t flags)
{
    return flags == MODE_PERSISTENT_SEQUENTIAL || flags == MODE_EPHEMERAL_SEQUENTIAL ||
           flags == MODE_SEQUENTIAL_TTL;
}

static bool is_ephemeral_mode(int32_t flags)
{
    return flags == MODE_EPHEMERAL || flags == MODE_EPHEMERAL_SEQUENTIAL;
}

static enum zk_error check_quota(const struct prepare *prepare, struct slice path, int64_t count,
                                 int64_t bytes)
{
    if (!prepare->rules->enforce_quota)
        return ZK_OK;
    enum zk_error err = tree_quota_check(prepare->tree, path, count, bytes);
    if (err == ZK_QUOTA_EXCEEDED && prepare->traffic != NULL)
        traffic_quota_exceeded(prepare->traffic, path);
    return err;
}

/* Would the record be longer than a reader of the log accepts? A frame bounds what a client sends, but
 * `auth` in an ACL expands to all identities of the client. */
static bool record_too_large(const struct prepare *prepare, size_t bytes)
{
    enum { RECORD_OVERHEAD_BYTES = 64 }; /* header, lengths and digest of one change */

    return bytes + RECORD_OVERHEAD_BYTES > prepare->rules->text_bytes_max;
}

/* --- create --- */

static enum zk_error check_create_mode(const struct prepare *prepare, const struct write_op *op)
{
    if (op->flags < MODE_PERSISTENT || op->flags > MODE_SEQUENTIAL_TTL)
        return ZK_BAD_ARGUMENTS;
    if (is_ttl_mode(op->flags)) {
        if (!tree_get_options(prepare->tree)->extended_types)
            return ZK_UNIMPLEMENTED;
        return op->ttl_ms > 0 && op->ttl_ms <= TTL_MS_MAX ? ZK_OK : ZK_BAD_ARGUMENTS;
    }
    /* A createTTL without a TTL mode. (With a negative ttl it passes Java's checks and ends the server.) */
    if (op->ttl_ms >= 0 || op->type == OP_CREATE_TTL)
        return ZK_BAD_ARGUMENTS;
    return ZK_OK;
}

static struct slice with_sequence(const struct prepare *prepare, struct slice path,
                                  int32_t cversion)
{
    char suffix[16];
    int size = snprintf(suffix, sizeof(suffix), "%010d", cversion);

    ASSERT(size > 0 && (size_t)size < sizeof(suffix));
    uint8_t *whole = arena_alloc(prepare->arena, path.size + (size_t)size);
    memcpy(whole, path.data, path.size);
    memcpy(whole + path.size, suffix, (size_t)size);
    return slice_of(whole, path.size + (size_t)size);
}

/* The parent as it will be. Its cversion stays where the next one would overflow. */
static int32_t gain_child(struct future_node *parent, int64_t zxid)
{
    int32_t cversion = (int32_t)((uint32_t)parent->cversion + 1);

    parent->child_count++;
    if (cversion > parent->cversion) {
        parent->cversion = cversion;
        parent->pzxid = zxid;
    }
    return cversion;
}

struct creation {                   /* what the checks of a create find out */
    struct slice path, parent_path; /* the path with its sequence number */
    struct jute_vector acl;
    struct future_node parent;
    uint32_t old_digest; /* of the path as it will be before this create */
};

static enum zk_error check_create(struct prepare *prepare, const struct write_op *op,
                                  struct creation *ret_creation)
{
    struct creation *creation = ret_creation;
    struct future_node node;
    enum zk_error err = check_create_mode(prepare, op);

    if (err != ZK_OK)
        return err;
    if (is_ephemeral_mode(op->flags) && prepare->ephemerals_refused != ZK_OK)
        return prepare->ephemerals_refused;
    if (op->path.data == NULL)
        return ZK_MARSHALLING_ERROR;
    if (!has_slash(op->path) || has_nul(op->path))
        return ZK_BAD_ARGUMENTS;
    err = acl_fix_up(&prepare->rules->acl, op->acl, prepare->identities, prepare->arena,
                     &creation->acl);
    if (err != ZK_OK)
        return err;
    creation->parent_path = zk_path_parent(op->path);
    if (!outstanding_get(prepare->outstanding, creation->parent_path, &creation->parent))
        return ZK_NO_NODE;
    if (!allowed(prepare, &creation->parent, PERM_CREATE))
        return ZK_NO_AUTH;
    creation->path = is_sequential_mode(op->flags)
                         ? with_sequence(prepare, op->path, creation->parent.cversion)
                         : op->path;
    if (!zk_path_valid(creation->path))
        return ZK_BAD_ARGUMENTS;
    if (outstanding_get(prepare->outstanding, creation->path, &node))
        return ZK_NODE_EXISTS;
    creation->old_digest = node.digest;
    if (tree_owner_kind(tree_get_options(prepare->tree), creation->parent.owner) == OWNER_SESSION)
        return ZK_NO_CHILDREN_FOR_EPHEMERALS;
    err = check_quota(prepare, creation->path, 1, (int64_t)op->data.size);
    if (err != ZK_OK)
        return err;
    if (record_too_large(prepare, creation->path.size + op->data.size + creation->acl.bytes.size))
        return ZK_MARSHALLING_ERROR;
    return ZK_OK;
}

/* The operation decides what kind of node is made; the flags only say whether it is ephemeral. */
static int64_t owner_of_created(const struct prepare *prepare, const struct write_op *op)
{
    switch (op->type) {
    case OP_CREATE_CONTAINER:
        return OWNER_CONTAINER_VALUE;
    case OP_CREATE_TTL:
        ASSERT(op->ttl_ms > 0 && op->ttl_ms <= TTL_MS_MAX);
        return owner_of_ttl(op->ttl_ms);
    default:
        return is_ephemeral_mode(op->flags) ? prepare->header.client_id : 0;
    }
}

static void put_created(struct prepare *prepare, const struct write_op *op,
                        const struct creation *creation, int64_t owner)
{
    const struct txn_header *header = &prepare->header;
    struct future_node added = {.czxid = header->zxid,
                                .mzxid = header->zxid,
                                .pzxid = header->zxid,
                                .ctime = header->time_ms,
                                .mtime = header->time_ms,
                                .owner = owner,
                                .exists = true,
                                .digest = creation->old_digest};

    outstanding_set_content(&added, creation->path, op->data);
    added.acl = tree_acl_intern(prepare->tree, creation->acl);
    outstanding_put(prepare->outstanding, creation->parent_path, &creation->parent, header->zxid);
    outstanding_put(prepare->outstanding, creation->path, &added, header->zxid);
    tree_acl_release(prepare->tree, added.acl); /* the outstanding node has its own reference */
}

static enum zk_error prepare_create(struct prepare *prepare, const struct write_op *op,
                                    struct txn_op *ret_op)
{
    struct creation creation;
    enum zk_error err = check_create(prepare, op, &creation);

    if (err != ZK_OK)
        return err;
    *ret_op = (struct txn_op){.type = op->type,
                              .path = creation.path,
                              .data = op->data,
                              .acl = creation.acl,
                              .ephemeral = (op->type == OP_CREATE || op->type == OP_CREATE2) &&
                                           is_ephemeral_mode(op->flags),
                              .parent_cversion = gain_child(&creation.parent, prepare->header.zxid),
                              .ttl_ms = op->ttl_ms};
    put_created(prepare, op, &creation, owner_of_created(prepare, op));
    return ZK_OK;
}

static enum zk_error prepare_create_ttl(struct prepare *prepare, const struct write_op *op,
                                        struct txn_op *ret_op)
{
    return prepare_create(prepare, op, ret_op); /* only its record differs */
}

/* --- delete --- */

static void lose_child(struct prepare *prepare, struct slice parent_path)
{
    struct future_node parent;

    if (!outstanding_get(prepare->outstanding, parent_path, &parent))
        return;
    parent.child_count--;
    if (prepare->header.zxid > parent.pzxid)
        parent.pzxid = prepare->header.zxid;
    outstanding_put(prepare->outstanding, parent_path, &parent, prepare->header.zxid);
}

static void remove_node(struct prepare *prepare, struct slice path, const struct future_node *node)
{
    struct future_node gone = {.digest = node->digest};

    lose_child(prepare, zk_path_parent(path));
    outstanding_put(prepare->outstanding, path, &gone, prepare->header.zxid);
}

static enum zk_error prepare_delete(struct prepare *prepare, const struct write_op *op,
                                    struct txn_op *ret_op)
{
    struct future_node parent, node;
    int32_t unused;

    if (op->path.data == NULL)
        return ZK_MARSHALLING_ERROR;
    if (!has_slash(op->path) || has_nul(op->path) || zk_path_special(op->path))
        return ZK_BAD_ARGUMENTS;
    if (!outstanding_get(prepare->outstanding, zk_path_parent(op->path), &parent))
        return ZK_NO_NODE;
    if (!allowed(prepare, &parent, PERM_DELETE))
        return ZK_NO_AUTH;
    if (!outstanding_get(prepare->outstanding, op->path, &node))
        return ZK_NO_NODE;
    enum zk_error err = next_version(node.version, op->version, &unused);
    if (err != ZK_OK)
        return err;
    if (node.child_count > 0)
        return ZK_NOT_EMPTY;
    *ret_op = (struct txn_op){.type = OP_DELETE, .path = op->path};
    remove_node(prepare, op->path, &node);
    return ZK_OK;
}

/* --- setData, setACL, check --- */

static enum zk_error prepare_set_data(struct prepare *prepare, const struct write_op *op,
                                      struct txn_op *ret_op)
{
    struct future_node node;
    int32_t version;

    if (!zk_path_valid(op->path))
        return ZK_BAD_ARGUMENTS;
    if (!outstanding_get(prepare->outstanding, op->path, &node))
        return ZK_NO_NODE;
    if (!allowed(prepare, &node, PERM_WRITE))
        return ZK_NO_AUTH;
    enum zk_error err = check_quota(prepare, op->path, 0, (int64_t)op->data.size - node.data_bytes);
    if (err != ZK_OK)
        return err;
    err = next_version(node.version, op->version, &version);
    if (err != ZK_OK)
        return err;
    *ret_op = (struct txn_op){
        .type = OP_SET_DATA, .path = op->path, .data = op->data, .version = version};
    node.version = version;
    node.mzxid = prepare->header.zxid;
    node.mtime = prepare->header.time_ms;
    outstanding_set_content(&node, op->path, op->data);
    outstanding_put(prepare->outstanding, op->path, &node, prepare->header.zxid);
    return ZK_OK;
}

static enum zk_error prepare_set_acl(struct prepare *prepare, const struct write_op *op,
                                     struct txn_op *ret_op)
{
    struct future_node node;
    struct jute_vector acl;
    int32_t aversion;

    if (!zk_path_valid(op->path))
        return ZK_BAD_ARGUMENTS;
    enum zk_error err =
        acl_fix_up(&prepare->rules->acl, op->acl, prepare->identities, prepare->arena, &acl);
    if (err != ZK_OK)
        return err;
    if (!outstanding_get(prepare->outstanding, op->path, &node))
        return ZK_NO_NODE;
    if (!allowed(prepare, &node, PERM_ADMIN))
        return ZK_NO_AUTH;
    err = next_version(node.aversion, op->version, &aversion);
    if (err != ZK_OK)
        return err;
    if (record_too_large(prepare, op->path.size + acl.bytes.size))
        return ZK_MARSHALLING_ERROR;
    *ret_op =
        (struct txn_op){.type = OP_SET_ACL, .path = op->path, .acl = acl, .version = aversion};
    node.aversion = aversion;
    node.acl = tree_acl_intern(prepare->tree, acl);
    outstanding_put(prepare->outstanding, op->path, &node, prepare->header.zxid);
    tree_acl_release(prepare->tree, node.acl);
    return ZK_OK;
}

static enum zk_error prepare_check(struct prepare *prepare, const struct write_op *op,
                                   struct txn_op *ret_op)
{
    struct future_node node;
    int32_t next;

    if (!zk_path_valid(op->path))
        return ZK_BAD_ARGUMENTS;
    if (!outstanding_get(prepare->outstanding, op->path, &node))
        return ZK_NO_NODE;
    if (!allowed(prepare, &node, PERM_READ))
        return ZK_NO_AUTH;
    enum zk_error err = next_version(node.version, op->version, &next);
    if (err != ZK_OK)
        return err;
    *ret_op = (struct txn_op){.type = OP_CHECK, .path = op->path, .version = next};
    return ZK_OK;
}

/* --- reconfig --- */

/* A server that stands alone has nothing to reconfigure. */
static enum zk_error prepare_reconfig(struct prepare *prepare, const struct write_op *op,
                                      struct txn_op *ret_op)
{
    (void)op;
    (void)ret_op;
    return prepare->rules->reconfig_enabled ? ZK_UNIMPLEMENTED : ZK_RECONFIG_DISABLED;
}

/* --- closeSession --- */

struct deleted_paths {
    struct buffer paths;
    size_t bytes_max; /* 0: nothing is listed */
    int32_t count;
};

/* A list that would be too long to be read again is cut short: whoever applies the transaction deletes
 * everything that the session still owns anyway. */
static void list_path(void *context, struct slice path)
{
    struct deleted_paths *closing = context;

    if (closing->paths.size + path.size >= closing->bytes_max)
        return;
    jute_put_bytes(&closing->paths, path);
    closing->count++;
}

static enum zk_error prepare_close_session(struct prepare *prepare, const struct write_op *op,
                                           struct txn_op *ret_op)
{
    bool listed = !prepare->rules->close_unlisted;
    struct deleted_paths closing = {.bytes_max = listed ? prepare->rules->text_bytes_max / 2 : 0};

    (void)op;
    outstanding_close_owner(prepare->outstanding, prepare->header.client_id, prepare->header.zxid,
                            list_path, &closing);
    struct slice paths = closing.paths.data == NULL ? SLICE("") : buffer_slice(&closing.paths);
    *ret_op = (struct txn_op){.type = OP_CLOSE_SESSION, .paths = {SLICE_NULL, -1}};
    if (listed)
        ret_op->paths = (struct jute_vector){arena_copy(prepare->arena, paths), closing.count};
    buffer_deinit(&closing.paths);
    return ZK_OK;
}

/* --- all together --- */

#define PREPARE_OP(id, number, cons, name, class, record, rules, handler)                          \
    case OP_##id:                                                                                  \
        return prepare_##handler(prepare, op, ret_op);

static enum zk_error prepare_op(struct prepare *prepare, const struct write_op *op,
                                struct txn_op *ret_op)
{
    switch (op->type) {
        ZK_CHANGING_OPS(PREPARE_OP)
        ZK_MULTI_ONLY_OPS(PREPARE_OP)
    default:
        return ZK_UNIMPLEMENTED;
    }
}

static void complete_txn(struct prepare *prepare, struct txn *txn)
{
    prepare->header.type = txn->op.type;
    txn->header = prepare->header;
    txn->has_digest =
        tree_get_options(prepare->tree)->digest_enabled && txn->header.type != OP_ERROR;
    txn->digest = (int64_t)outstanding_digest(prepare->outstanding);
}

static bool multi_too_large(const struct prepare *prepare, const struct txn *txn)
{
    enum { OP_OVERHEAD_BYTES = 64, HEADROOM_BYTES = 4096 };
    size_t bytes = HEADROOM_BYTES;

    for (int32_t i = 0; i < txn->op_count; i++)
        bytes += txn->ops[i].path.size + txn->ops[i].data.size + txn->ops[i].acl.bytes.size +
                 OP_OVERHEAD_BYTES;
    return bytes > prepare->rules->text_bytes_max;
}

/* Releases before 3.8.2 silently skip a whole multi that has a create2. The two operations differ only
 * in their answers, so the log says create. */
static void store_as_create(struct txn_op *op)
{
    op->type = OP_CREATE;
    op->with_stat = true;
}

static void prepare_multi(struct prepare *prepare, const struct write_request *request,
                          struct txn *txn)
{
    enum zk_error failed = ZK_OK;

    txn->op = (struct txn_op){.type = OP_MULTI};
    txn->op_count = request->op_count;
    txn->ops = arena_alloc(prepare->arena, (size_t)request->op_count * sizeof(*txn->ops));
    outstanding_begin(prepare->outstanding);
    for (int32_t i = 0; i < request->op_count; i++) {
        if (failed != ZK_OK) {
            txn->ops[i] = (struct txn_op){.type = OP_ERROR, .err = ZK_RUNTIME_INCONSISTENCY};
            continue;
        }
        failed = prepare_op(prepare, &request->ops[i], &txn->ops[i]);
        if (failed != ZK_OK)
            txn->ops[i] = (struct txn_op){.type = OP_ERROR, .err = failed};
        else if (txn->ops[i].type == OP_CREATE2)
            store_as_create(&txn->ops[i]);
    }
    if (failed == ZK_OK && multi_too_large(prepare, txn))
        failed = ZK_MARSHALLING_ERROR;
    if (failed != ZK_OK)
        outstanding_rollback(prepare->outstanding);
    else
        outstanding_commit(prepare->outstanding);
    if (failed == ZK_MARSHALLING_ERROR) /* as in Java, this is the error of the whole multi */
        *txn = (struct txn){.op = {.type = OP_ERROR, .err = failed}};
}

void prepare_write(struct prepare *prepare, const struct write_request *request,
                   struct txn *ret_txn)
{
    *ret_txn = (struct txn){0};
    if (request->type == OP_MULTI) {
        prepare_multi(prepare, request, ret_txn);
    } else {
        enum zk_error err = prepare_op(prepare, &request->op, &ret_txn->op);
        if (err != ZK_OK)
            ret_txn->op = (struct txn_op){.type = OP_ERROR, .err = err};
    }
    complete_txn(prepare, ret_txn);
}

void prepare_error(struct prepare *prepare, enum zk_error err, struct txn *ret_txn)
{
    *ret_txn = (struct txn){.op = {.type = OP_ERROR, .err = err}};
    complete_txn(prepare, ret_txn);
}

void prepare_create_session(struct prepare *prepare, int32_t timeout_ms, struct txn *ret_txn)
{
    *ret_txn = (struct txn){.op = {.type = OP_CREATE_SESSION, .timeout_ms = timeout_ms}};
    complete_txn(prepare, ret_txn);
}

enum zk_error prepare_delete_container(struct prepare *prepare, struct slice path,
                                       struct txn *ret_txn)
{
    struct future_node node;

    if (!outstanding_get(prepare->outstanding, path, &node))
        return ZK_NO_NODE;
    if (node.child_count > 0)
        return ZK_NOT_EMPTY;
    enum owner_kind kind = tree_owner_kind(tree_get_options(prepare->tree), node.owner);
    if (kind != OWNER_CONTAINER && kind != OWNER_TTL)
        return ZK_BAD_VERSION;
    *ret_txn = (struct txn){.op = {.type = OP_DELETE_CONTAINER, .path = path}};
    remove_node(prepare, path, &node);
    complete_txn(prepare, ret_txn);
    return ZK_OK;
}
