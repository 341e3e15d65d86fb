/* reads.c: the handlers of ZK_READ_OPS (wire/ops.h). Each answers from the tree as it is now: it
 * appends its body and returns ZK_OK, or returns an error. None of them changes the tree.
 * docs/protocol.md, "Reads". */
#include "replica/clients/client.h"

#include "base/utf16.h"

struct raw { /* the "record" of an operation that reads the bytes itself */
    struct slice body;
};

static enum status raw_read(struct reader *reader, struct raw *ret_raw)
{
    ret_raw->body = slice_of(reader->pos, reader_left(reader));
    return STATUS_OK;
}

static bool allowed(const struct read_context *read, const struct znode *node, int32_t permissions)
{
    return acl_allows(read->clients->acl, tree_acl(read->clients->tree, node->acl), permissions,
                      read->identities);
}

static void watch(const struct read_context *read, enum watch_table table, struct slice path)
{
    watches_add(read->clients->watches, table, path, &read->client->watch, WATCH_STANDARD);
}

static struct buffer *out(const struct read_context *read)
{
    return &read->clients->step->effects->bytes;
}

static void put_stat(const struct read_context *read, const struct znode *node)
{
    struct zk_stat stat;

    tree_stat(read->clients->tree, node, &stat);
    zk_stat_write(out(read), &stat);
}

/* ZK_NO_NODE, ZK_NO_AUTH; ZK_MARSHALLING_ERROR for a null path, as Java answers it. */
static enum zk_error find_readable(const struct read_context *read, struct slice path,
                                   int32_t permissions, uint32_t *ret_id)
{
    if (path.data == NULL)
        return ZK_MARSHALLING_ERROR;
    *ret_id = tree_find(read->clients->tree, path);
    if (*ret_id == NODE_NONE)
        return ZK_NO_NODE;
    return allowed(read, tree_node(read->clients->tree, *ret_id), permissions) ? ZK_OK : ZK_NO_AUTH;
}

static enum zk_error read_exists(struct read_context *read,
                                 const struct path_watch_request *request)
{
    uint32_t id = NODE_NONE;

    if (request->path.size > 0 && memchr(request->path.data, '\0', request->path.size) != NULL)
        return ZK_BAD_ARGUMENTS;
    enum zk_error err = find_readable(read, request->path, PERM_READ, &id);
    if (err != ZK_OK && err != ZK_NO_NODE)
        return err;
    if (request->watch)
        watch(read, WATCH_DATA, request->path);
    if (err == ZK_OK) {
        put_stat(read, tree_node(read->clients->tree, id));
        traffic_read(read->clients->step->traffic, request->path, 0);
    }
    return err;
}

static void put_data(const struct read_context *read, struct slice path, uint32_t id)
{
    const struct znode *node = tree_node(read->clients->tree, id);
    struct slice data = znode_data(node);

    jute_put_bytes(out(read), data);
    put_stat(read, node);
    traffic_read(read->clients->step->traffic, path, data.size);
}

static enum zk_error read_get_data(struct read_context *read,
                                   const struct path_watch_request *request)
{
    uint32_t id;

    enum zk_error err = find_readable(read, request->path, PERM_READ, &id);
    if (err != ZK_OK)
        return err;
    if (request->watch)
        watch(read, WATCH_DATA, request->path);
    put_data(read, request->path, id);
    return ZK_OK;
}

static void put_children(const struct read_context *read, struct slice path, uint32_t id)
{
    struct tree *tree = read->clients->tree;
    const struct znode *node = tree_node(tree, id);
    uint32_t left = znode_is_ephemeral(tree, node) ? 0 : node->child_count;
    size_t units = 0;

    buffer_i32(out(read), (int32_t)left);
    for (uint32_t child = node->first_child; child != NODE_NONE;) {
        const struct znode *at = tree_node(tree, child);
        jute_put_bytes(out(read), znode_name(at));
        units += utf16_units(znode_name(at));
        child = at->next;
        left--;
    }
    ASSERT(left == 0);
    traffic_read(read->clients->step->traffic, path, units);
}

static enum zk_error read_get_children(struct read_context *read,
                                       const struct path_watch_request *request)
{
    uint32_t id;

    enum zk_error err = find_readable(read, request->path, PERM_READ, &id);
    if (err != ZK_OK)
        return err;
    if (request->watch)
        watch(read, WATCH_CHILD, request->path);
    put_children(read, request->path, id);
    return ZK_OK;
}

static enum zk_error read_get_children2(struct read_context *read,
                                        const struct path_watch_request *request)
{
    enum zk_error err = read_get_children(read, request);

    if (err == ZK_OK)
        put_stat(read,
                 tree_node(read->clients->tree, tree_find(read->clients->tree, request->path)));
    return err;
}

static enum zk_error read_get_acl(struct read_context *read, const struct path_request *request)
{
    uint32_t id;

    enum zk_error err = find_readable(read, request->path, PERM_READ | PERM_ADMIN, &id);
    if (err != ZK_OK)
        return err;
    const struct znode *node = tree_node(read->clients->tree, id);
    struct jute_vector acl = tree_acl(read->clients->tree, node->acl);
    if (allowed(read, node, PERM_ADMIN))
        jute_put_vector(out(read), acl);
    else
        acl_write_masked(out(read), acl);
    put_stat(read, node);
    return ZK_OK;
}

static enum zk_error read_get_all_children_number(struct read_context *read,
                                                  const struct path_request *request)
{
    uint32_t id;

    enum zk_error err = find_readable(read, request->path, PERM_READ, &id);
    if (err != ZK_OK)
        return err;
    uint64_t count = tree_count_descendants(read->clients->tree, id, NULL);
    if (request->path.size == 0) /* Java's table knows the root twice, and "" counts it */
        count++;
    buffer_i32(out(read), (int32_t)count);
    return ZK_OK;
}

static enum zk_error read_get_ephemerals(struct read_context *read,
                                         const struct path_request *request)
{
    const struct tree *tree = read->clients->tree;
    struct buffer path = {0};
    int32_t count = 0;

    ASSERT(read->client->attachment != NULL);
    struct slice bare = slice_trim(request->path);
    bool all = bare.size == 0 || slice_equal(bare, SLICE("/"));
    size_t count_at = out(read)->size;
    buffer_i32(out(read), 0);
    const struct tree_session *session = tree_session(tree, read->client->attachment->session_id);
    for (uint32_t i = 0; session != NULL && i < session->ephemeral_count; i++) {
        path.size = 0;
        tree_path_append(tree, session->ephemerals[i], &path);
        if (!all && !slice_starts_with(buffer_slice(&path), request->path))
            continue;
        jute_put_bytes(out(read), buffer_slice(&path));
        count++;
    }
    store_be32(out(read)->data + count_at, (uint32_t)count);
    buffer_deinit(&path);
    return ZK_OK;
}

static enum zk_error read_who_am_i(struct read_context *read, const struct raw *request)
{
    const struct identities *identities = read->identities;

    (void)request;
    buffer_i32(out(read), (int32_t)identities->count);
    for (uint32_t i = 0; i < identities->count; i++) {
        jute_put_bytes(out(read), identities->items[i].scheme);
        jute_put_bytes(out(read), identity_user(&identities->items[i]));
    }
    return ZK_OK;
}

/* Whether it is a container, or has a TTL: no operation of ZooKeeper tells it. */
static enum zk_error read_get_kind(struct read_context *read, const struct path_request *request)
{
    const struct tree_options *options = tree_get_options(read->clients->tree);
    uint32_t id;

    enum zk_error err = find_readable(read, request->path, PERM_READ, &id);
    if (err != ZK_OK)
        return err;
    int64_t owner = tree_node(read->clients->tree, id)->owner;
    enum owner_kind kind = tree_owner_kind(options, owner);
    buffer_i32(out(read), (int32_t)kind);
    buffer_i64(out(read), kind == OWNER_TTL ? tree_owner_ttl_ms(options, owner) : 0);
    return ZK_OK;
}

static enum zk_error read_sync(struct read_context *read, const struct path_request *request)
{
    jute_put_bytes(out(read), request->path);
    return ZK_OK;
}

/* An operation that multiRead does not allow, or a null path, fails the whole request. The results
 * before it are sent all the same: no client reads the body of an answer with an error. */
static enum zk_error read_multi_read(struct read_context *read, const struct raw *request)
{
    struct read_op *ops;
    int32_t count;
    enum zk_error whole = ZK_OK;

    if (multi_read_request_read(request->body, read->clients->options.text_bytes_max,
                                &read->clients->step->arena, &ops, &count) != STATUS_OK)
        return ZK_MARSHALLING_ERROR;
    for (int32_t i = 0; i < count && whole == ZK_OK; i++) {
        uint32_t id;
        bool is_read = ops[i].type == OP_GET_DATA || ops[i].type == OP_GET_CHILDREN;
        if (!is_read || ops[i].path.data == NULL) {
            whole = ZK_MARSHALLING_ERROR;
            continue;
        }
        enum zk_error err = find_readable(read, ops[i].path, PERM_READ, &id);
        multi_header_write(
            out(read),
            &(struct multi_header){.type = err == ZK_OK ? ops[i].type : OP_ERROR, .err = err});
        if (err != ZK_OK)
            buffer_i32(out(read), err);
        else if (ops[i].type == OP_GET_DATA)
            put_data(read, ops[i].path, id);
        else
            put_children(read, ops[i].path, id);
    }
    multi_header_write(out(read), &(struct multi_header){.type = -1, .done = true, .err = -1});
    read->body_with_error = true;
    return whole;
}

/* --- all together --- */

#define ANSWER(id, number, cons, name, class, record, rules, handler)                              \
    case OP_##id: {                                                                                \
        struct record request;                                                                     \
        if (record##_read(&reader, &request) != STATUS_OK)                                         \
            return ZK_MARSHALLING_ERROR;                                                           \
        return read_##handler(read, &request);                                                     \
    }

enum zk_error read_answer(struct read_context *read)
{
    struct reader reader;

    reader_init(&reader, read->body, &read->clients->step->arena,
                read->clients->options.text_bytes_max);
    switch (read->op) {
        ZK_READ_OPS(ANSWER)
    default:
        ASSERT(false && "not a read");
        return ZK_UNIMPLEMENTED;
    }
}
