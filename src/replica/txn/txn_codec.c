/* txn_codec.c: a transaction's bytes in the log. It reads what any release since 3.4 has written, and
 * writes what all of them can read. */
#include "replica/txn/txn.h"

enum {
    TEXT_BYTES_MAX = INT32_MAX, /* the record's length is the limit */
    MULTI_OP_BYTES_MIN = 8      /* type and length: bounds the array before it is made */
};

static struct txn_op from_create(int32_t type, const struct create_txn *create)
{
    return (struct txn_op){.type = type,
                           .path = create->path,
                           .data = create->data,
                           .acl = create->acl,
                           .ephemeral = create->ephemeral,
                           .parent_cversion = create->parent_cversion};
}

/* Releases before 3.4 wrote no parent cversion: the payload ends before it. */
static enum status read_create(struct reader *reader, int32_t type, struct txn_op *ret_op)
{
    struct reader again = *reader;
    struct create_txn create;
    enum status status = create_txn_read(reader, &create);

    if (status == STATUS_OK) {
        *ret_op = from_create(type, &create);
        return STATUS_OK;
    }
    struct create_txn_v0 v0;
    *reader = again;
    status = create_txn_v0_read(reader, &v0);
    if (status == STATUS_OK && reader_left(reader) != 0)
        return STATUS_MALFORMED;
    *ret_op = (struct txn_op){.type = type,
                              .path = v0.path,
                              .data = v0.data,
                              .acl = v0.acl,
                              .ephemeral = v0.ephemeral,
                              .parent_cversion = -1};
    return status;
}

static enum status read_create_container(struct reader *reader, struct txn_op *ret_op)
{
    struct create_container_txn create;
    enum status status = create_container_txn_read(reader, &create);

    *ret_op = (struct txn_op){.type = OP_CREATE_CONTAINER,
                              .path = create.path,
                              .data = create.data,
                              .acl = create.acl,
                              .parent_cversion = create.parent_cversion};
    return status;
}

static enum status read_create_ttl(struct reader *reader, struct txn_op *ret_op)
{
    struct create_ttl_txn create;
    enum status status = create_ttl_txn_read(reader, &create);

    *ret_op = (struct txn_op){.type = OP_CREATE_TTL,
                              .path = create.path,
                              .data = create.data,
                              .acl = create.acl,
                              .parent_cversion = create.parent_cversion,
                              .ttl_ms = create.ttl_ms};
    return status;
}

static enum status read_set(struct reader *reader, int32_t type, struct txn_op *ret_op)
{
    if (type == OP_SET_ACL) {
        struct set_acl_txn set;
        enum status status = set_acl_txn_read(reader, &set);
        *ret_op =
            (struct txn_op){.type = type, .path = set.path, .acl = set.acl, .version = set.version};
        return status;
    }
    struct set_data_txn set;
    enum status status = set_data_txn_read(reader, &set);
    *ret_op =
        (struct txn_op){.type = type, .path = set.path, .data = set.data, .version = set.version};
    return status;
}

/* 3.4 and 3.5 wrote nothing, and a 3.6 with closeSessionTxn.enabled=false only the digest. */
static enum status read_close_session(struct reader *reader, struct txn_op *ret_op)
{
    struct close_session_txn close;

    *ret_op = (struct txn_op){.type = OP_CLOSE_SESSION, .paths = {SLICE_NULL, -1}};
    if (reader_left(reader) == 0)
        return STATUS_OK;
    if (reader_left(reader) == DIGEST_BYTES && load_be32(reader->pos) == DIGEST_VERSION)
        return STATUS_OK;
    enum status status = close_session_txn_read(reader, &close);
    ret_op->paths = close.paths;
    return status;
}

static enum status read_op(struct reader *reader, int32_t type, struct txn_op *ret_op)
{
    switch (type) {
    case OP_CREATE:
    case OP_CREATE2:
        return read_create(reader, type, ret_op);
    case OP_CREATE_CONTAINER:
        return read_create_container(reader, ret_op);
    case OP_CREATE_TTL:
        return read_create_ttl(reader, ret_op);
    case OP_DELETE:
    case OP_DELETE_CONTAINER: {
        struct delete_txn delete;
        enum status status = delete_txn_read(reader, &delete);
        *ret_op = (struct txn_op){.type = type, .path = delete.path};
        return status;
    }
    case OP_SET_DATA:
    case OP_RECONFIG:
    case OP_SET_ACL:
        return read_set(reader, type, ret_op);
    case OP_CHECK: {
        struct check_txn check;
        enum status status = check_txn_read(reader, &check);
        *ret_op = (struct txn_op){.type = type, .path = check.path, .version = check.version};
        return status;
    }
    case OP_CREATE_SESSION: {
        struct create_session_txn create;
        enum status status = create_session_txn_read(reader, &create);
        *ret_op = (struct txn_op){.type = type, .timeout_ms = create.timeout_ms};
        return status;
    }
    case OP_CLOSE_SESSION:
        return read_close_session(reader, ret_op);
    case OP_ERROR: {
        struct error_txn error;
        enum status status = error_txn_read(reader, &error);
        *ret_op = (struct txn_op){.type = type, .err = error.err};
        return status;
    }
    default:
        return STATUS_UNSUPPORTED;
    }
}

/* As read_op(). A null path is malformed where there must be a path. */
static enum status read_whole_op(struct reader *reader, int32_t type, struct txn_op *ret_op)
{
    enum status status = read_op(reader, type, ret_op);

    if (status != STATUS_OK || type == OP_CREATE_SESSION || type == OP_CLOSE_SESSION ||
        type == OP_ERROR)
        return status;
    return ret_op->path.data == NULL ? STATUS_MALFORMED : STATUS_OK;
}

static enum status read_multi(struct reader *reader, struct arena *arena, struct txn *txn)
{
    int32_t count = reader_i32(reader);

    if (reader->status != STATUS_OK)
        return STATUS_MALFORMED;
    if (count < 0)
        count = 0;
    if ((size_t)count > reader_left(reader) / MULTI_OP_BYTES_MIN)
        return STATUS_MALFORMED;
    txn->ops = arena_alloc(arena, (size_t)count * sizeof(*txn->ops));
    txn->op_count = count;
    for (int32_t i = 0; i < count; i++) {
        int32_t type = reader_i32(reader);
        struct slice body = reader_buffer(reader);
        if (reader->status != STATUS_OK || body.data == NULL)
            return STATUS_MALFORMED;
        struct reader op_reader;
        reader_init(&op_reader, body, arena, TEXT_BYTES_MAX);
        op_reader.texts_as_they_are = true;
        enum status status = read_whole_op(&op_reader, type, &txn->ops[i]);
        if (status != STATUS_OK)
            return status;
    }
    txn->op = (struct txn_op){.type = OP_MULTI};
    return STATUS_OK;
}

enum status txn_read_header(struct slice payload, struct txn_header *ret_header)
{
    struct reader reader;

    reader_init(&reader, payload, NULL, 0);
    return txn_header_read(&reader, ret_header);
}

enum status txn_read(struct slice payload, struct arena *arena, struct txn *ret_txn)
{
    struct reader reader;

    reader_init(&reader, payload, arena, TEXT_BYTES_MAX);
    reader.texts_as_they_are = true;
    *ret_txn = (struct txn){0};
    enum status status = txn_header_read(&reader, &ret_txn->header);
    if (status != STATUS_OK)
        return status;
    status = ret_txn->header.type == OP_MULTI
                 ? read_multi(&reader, arena, ret_txn)
                 : read_whole_op(&reader, ret_txn->header.type, &ret_txn->op);
    if (status != STATUS_OK)
        return status;
    ret_txn->body_end = (size_t)(reader.pos - payload.data);
    ASSERT(ret_txn->body_end <= payload.size);
    struct txn_digest digest;
    if (reader_left(&reader) >= DIGEST_BYTES && txn_digest_read(&reader, &digest) == STATUS_OK &&
        digest.version == DIGEST_VERSION && ret_txn->header.type != OP_ERROR) {
        ret_txn->has_digest = true;
        ret_txn->digest = digest.digest;
    }
    return STATUS_OK;
}

static void write_op(struct buffer *buffer, const struct txn_op *op)
{
    switch (op->type) {
    case OP_CREATE:
    case OP_CREATE2:
        create_txn_write(buffer, &(struct create_txn){.path = op->path,
                                                      .data = op->data,
                                                      .acl = op->acl,
                                                      .ephemeral = op->ephemeral,
                                                      .parent_cversion = op->parent_cversion});
        break;
    case OP_CREATE_CONTAINER:
        create_container_txn_write(
            buffer, &(struct create_container_txn){.path = op->path,
                                                   .data = op->data,
                                                   .acl = op->acl,
                                                   .parent_cversion = op->parent_cversion});
        break;
    case OP_CREATE_TTL:
        create_ttl_txn_write(buffer,
                             &(struct create_ttl_txn){.path = op->path,
                                                      .data = op->data,
                                                      .acl = op->acl,
                                                      .parent_cversion = op->parent_cversion,
                                                      .ttl_ms = op->ttl_ms});
        break;
    case OP_DELETE:
    case OP_DELETE_CONTAINER:
        delete_txn_write(buffer, &(struct delete_txn){.path = op->path});
        break;
    case OP_SET_DATA:
    case OP_RECONFIG:
        set_data_txn_write(buffer, &(struct set_data_txn){
                                       .path = op->path, .data = op->data, .version = op->version});
        break;
    case OP_SET_ACL:
        set_acl_txn_write(buffer, &(struct set_acl_txn){
                                      .path = op->path, .acl = op->acl, .version = op->version});
        break;
    case OP_CHECK:
        check_txn_write(buffer, &(struct check_txn){.path = op->path, .version = op->version});
        break;
    case OP_CREATE_SESSION:
        create_session_txn_write(buffer,
                                 &(struct create_session_txn){.timeout_ms = op->timeout_ms});
        break;
    case OP_CLOSE_SESSION:
        if (op->paths.bytes.data != NULL)
            close_session_txn_write(buffer, &(struct close_session_txn){.paths = op->paths});
        break;
    case OP_ERROR:
        error_txn_write(buffer, &(struct error_txn){.err = op->err});
        break;
    default:
        ASSERT(false && "a transaction of a type that is never written");
    }
}

void txn_write(struct buffer *buffer, const struct txn *txn)
{
    txn_header_write(buffer, &txn->header);
    if (txn->header.type != OP_MULTI) {
        write_op(buffer, &txn->op);
        return;
    }
    buffer_i32(buffer, txn->op_count);
    for (int32_t i = 0; i < txn->op_count; i++) {
        buffer_i32(buffer, txn->ops[i].type);
        size_t size_at = buffer->size;
        buffer_i32(buffer, 0);
        write_op(buffer, &txn->ops[i]);
        store_be32(buffer->data + size_at, (uint32_t)(buffer->size - size_at - 4));
    }
}
