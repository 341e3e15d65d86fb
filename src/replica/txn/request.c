/* request.c: decodes the bytes of a write request into a struct. It checks the format only; whether
 * the request is allowed is for prepare.c. */
#include "replica/txn/request.h"

#include "base/array.h"

enum { MULTI_HEADER_BYTES = 9, OPS_FIRST = 8 };

/* --- one reader for each handler of the table of operations (wire/ops.h) --- */

static enum status read_create(struct reader *reader, struct write_op *op)
{
    struct create_request create;
    enum status status = create_request_read(reader, &create);

    op->path = create.path;
    op->data = create.data;
    op->acl = create.acl;
    op->flags = create.flags;
    op->ttl_ms = -1;
    return status;
}

static enum status read_create_ttl(struct reader *reader, struct write_op *op)
{
    struct create_ttl_request create;
    enum status status = create_ttl_request_read(reader, &create);

    op->path = create.path;
    op->data = create.data;
    op->acl = create.acl;
    op->flags = create.flags;
    op->ttl_ms = create.ttl_ms;
    return status;
}

static enum status read_delete(struct reader *reader, struct write_op *op)
{
    struct path_version_request request;
    enum status status = path_version_request_read(reader, &request);

    op->path = request.path;
    op->version = request.version;
    return status;
}

static enum status read_check(struct reader *reader, struct write_op *op)
{
    return read_delete(reader, op); /* the same record */
}

static enum status read_set_data(struct reader *reader, struct write_op *op)
{
    struct set_data_request request;
    enum status status = set_data_request_read(reader, &request);

    op->path = request.path;
    op->data = request.data;
    op->version = request.version;
    return status;
}

static enum status read_set_acl(struct reader *reader, struct write_op *op)
{
    struct set_acl_request request;
    enum status status = set_acl_request_read(reader, &request);

    op->path = request.path;
    op->acl = request.acl;
    op->version = request.version;
    return status;
}

static enum status read_reconfig(struct reader *reader, struct write_op *op)
{
    struct reconfig_request request;

    (void)op; /* a server alone has no use for it */
    return reconfig_request_read(reader, &request);
}

static enum status read_close_session(struct reader *reader, struct write_op *op)
{
    (void)reader; /* it has no body, and what stands there is ignored */
    (void)op;
    return STATUS_OK;
}

#define READ_OP(id, number, cons, name, class, record, rules, handler)                             \
    case OP_##id:                                                                                  \
        return read_##handler(reader, ret_op);

static enum status read_op(struct reader *reader, int32_t type, struct write_op *ret_op)
{
    *ret_op = (struct write_op){.type = type};
    switch (type) {
        ZK_CHANGING_OPS(READ_OP)
        ZK_MULTI_ONLY_OPS(READ_OP)
    default:
        return STATUS_MALFORMED;
    }
}

/* --- multi --- */

/* In a multi the flags of a create decide which operation it is: docs/protocol.md, "multi and multiRead". */
static enum status read_multi_op(struct reader *reader, int32_t type, struct write_op *ret_op)
{
    const struct op_info *info = op_find(type);

    if (info == NULL || (info->rules & OP_IN_MULTI) == 0)
        return STATUS_MALFORMED;
    enum status status = read_op(reader, type, ret_op);
    if (status == STATUS_OK && ret_op->path.data == NULL)
        return STATUS_MALFORMED; /* as in Java, it fails the whole multi */
    if (status != STATUS_OK || ret_op->type == OP_DELETE || ret_op->type == OP_SET_DATA ||
        ret_op->type == OP_CHECK)
        return status;
    if (ret_op->flags < MODE_PERSISTENT || ret_op->flags > MODE_SEQUENTIAL_TTL)
        return STATUS_MALFORMED;
    bool ttl_mode = ret_op->flags == MODE_TTL || ret_op->flags == MODE_SEQUENTIAL_TTL;
    if (ttl_mode)
        return type == OP_CREATE_TTL ? STATUS_OK : STATUS_MALFORMED;
    if (ret_op->flags == MODE_CONTAINER)
        ret_op->type = OP_CREATE_CONTAINER;
    else if (type == OP_CREATE_TTL)
        ret_op->type = OP_CREATE;
    ret_op->ttl_ms = -1;
    return STATUS_OK;
}

static enum status read_multi(struct reader *reader, struct arena *arena,
                              struct write_request *request)
{
    const uint8_t *start = reader->pos;
    int32_t capacity = 0;

    for (;;) {
        struct multi_header header;
        size_t offset = (size_t)(reader->pos - start);
        if (multi_header_read(reader, &header) != STATUS_OK)
            return STATUS_MALFORMED;
        if (header.done)
            return STATUS_OK;
        if (request->op_count == capacity) {
            capacity = (int32_t)array_capacity((size_t)capacity, (size_t)capacity + 1, OPS_FIRST);
            struct write_op *grown = arena_alloc(arena, (size_t)capacity * sizeof(*grown));
            if (request->op_count > 0)
                memcpy(grown, request->ops, (size_t)request->op_count * sizeof(*grown));
            request->ops = grown;
        }
        if (read_multi_op(reader, header.type, &request->ops[request->op_count]) != STATUS_OK)
            return STATUS_MALFORMED;
        request->ops[request->op_count].offset = offset;
        request->op_count++;
    }
}

enum status write_request_read(int32_t type, struct slice body, size_t text_bytes_max,
                               struct arena *arena, struct write_request *ret_request)
{
    struct reader reader;

    reader_init(&reader, body, arena, text_bytes_max);
    *ret_request = (struct write_request){.type = type};
    if (type == OP_MULTI)
        return read_multi(&reader, arena, ret_request);
    return read_op(&reader, type, &ret_request->op);
}

enum status multi_read_request_read(struct slice body, size_t text_bytes_max, struct arena *arena,
                                    struct read_op **ret_ops, int32_t *ret_count)
{
    struct reader reader;
    struct write_op write;
    bool first_is_read = false;
    int32_t count = 0;
    struct read_op *ops = arena_alloc(arena, (body.size / MULTI_HEADER_BYTES + 1) * sizeof(*ops));

    reader_init(&reader, body, arena, text_bytes_max);
    for (;;) {
        struct multi_header header;
        struct path_watch_request request;
        if (multi_header_read(&reader, &header) != STATUS_OK)
            return STATUS_MALFORMED;
        if (header.done)
            break;
        const struct op_info *info = op_find(header.type);
        bool is_read = info != NULL && (info->rules & OP_IN_MULTI_READ) != 0;
        if (count > 0 && is_read != first_is_read) /* the two kinds do not mix */
            return STATUS_MALFORMED;
        first_is_read = is_read;
        if (is_read) {
            if (path_watch_request_read(&reader, &request) != STATUS_OK)
                return STATUS_MALFORMED;
        } else if (read_multi_op(&reader, header.type, &write) != STATUS_OK) {
            return STATUS_MALFORMED;
        }
        ops[count++] = (struct read_op){header.type, is_read ? request.path : write.path};
    }
    *ret_ops = ops;
    *ret_count = count;
    return STATUS_OK;
}
