/* txn_line.c: zxid, time, session, what was done. The parts of a multi stand in the same line. Numbers of 64
 * bits are hexadecimal texts in JSON, because many readers of JSON have doubles only. */
#include "tools/txn_line.h"

#include "tools/tool_text.h"
#include "wire/ops.h"

static bool has_data(int32_t type)
{
    return type == OP_CREATE || type == OP_CREATE2 || type == OP_CREATE_CONTAINER ||
           type == OP_CREATE_TTL || type == OP_SET_DATA || type == OP_RECONFIG;
}

static bool has_version(int32_t type)
{
    return type == OP_SET_DATA || type == OP_SET_ACL || type == OP_CHECK || type == OP_RECONFIG;
}

static bool is_create(int32_t type)
{
    return has_data(type) && type != OP_SET_DATA && type != OP_RECONFIG;
}

static bool has_acl(int32_t type)
{
    return is_create(type) || type == OP_SET_ACL;
}

/* --- for people --- */

static void put_op(struct buffer *out, const struct txn_op *op, bool data)
{
    buffer_printf(out, "%s", tool_type_name(op->type));
    if (op->path.data != NULL) {
        buffer_u8(out, ' ');
        tool_put_path(out, op->path);
    }
    if (op->ephemeral)
        buffer_printf(out, " ephemeral");
    if (op->type == OP_CREATE_TTL)
        buffer_printf(out, " ttl %lld ms", (long long)op->ttl_ms);
    if (has_version(op->type))
        buffer_printf(out, " version %d", op->version);
    if (has_acl(op->type) && data) {
        buffer_printf(out, " acl ");
        tool_put_acl(out, op->acl);
    }
    if (has_data(op->type))
        buffer_printf(out, " %zu bytes", op->data.size);
    if (has_data(op->type) && data) {
        buffer_u8(out, ' ');
        tool_put_json(out, op->data);
    }
    if (op->type == OP_CREATE_SESSION)
        buffer_printf(out, " timeout %d ms", op->timeout_ms);
    if (op->type == OP_ERROR)
        buffer_printf(out, " %d", op->err);
}

static void put_paths(struct buffer *out, struct jute_vector paths)
{
    struct slice path;

    while (jute_next_text(&paths, &path)) {
        buffer_u8(out, ' ');
        tool_put_path(out, path);
    }
}

void txn_line_put(struct buffer *out, const struct log_record *record, bool data)
{
    const struct txn *txn = &record->txn;

    buffer_printf(out, "0x%llx ", (unsigned long long)txn->header.zxid);
    tool_put_time(out, txn->header.time_ms);
    buffer_printf(out, " session 0x%llx cxid %d ", (unsigned long long)txn->header.client_id,
                  txn->header.cxid);
    put_op(out, &txn->op, data);
    for (int32_t i = 0; i < txn->op_count; i++) {
        buffer_printf(out, i == 0 ? ": " : "; ");
        put_op(out, &txn->ops[i], data);
    }
    if (txn->op.type == OP_CLOSE_SESSION && txn->op.paths.count > 0)
        put_paths(out, txn->op.paths);
    buffer_u8(out, '\n');
}

/* --- JSON --- */

static void put_json_op(struct buffer *out, const struct txn_op *op, bool data)
{
    buffer_printf(out, "\"type\":\"%s\"", tool_type_name(op->type));
    if (op->path.data != NULL) {
        buffer_printf(out, ",\"path\":");
        tool_put_json(out, op->path);
    }
    if (is_create(op->type))
        buffer_printf(out, ",\"ephemeral\":%s,\"parent_cversion\":%d",
                      op->ephemeral ? "true" : "false", op->parent_cversion);
    if (op->type == OP_CREATE_TTL)
        buffer_printf(out, ",\"ttl_ms\":%lld", (long long)op->ttl_ms);
    if (has_version(op->type))
        buffer_printf(out, ",\"version\":%d", op->version);
    if (has_acl(op->type)) {
        buffer_printf(out, ",\"acl\":");
        tool_put_json_acl(out, op->acl);
    }
    if (has_data(op->type))
        buffer_printf(out, ",\"data_bytes\":%zu", op->data.size);
    if (has_data(op->type) && data && op->data.data == NULL) {
        buffer_printf(out, ",\"data_base64\":null");
    } else if (has_data(op->type) && data) {
        buffer_printf(out, ",\"data_base64\":\"");
        tool_put_base64(out, op->data);
        buffer_u8(out, '"');
    }
    if (op->type == OP_CREATE_SESSION)
        buffer_printf(out, ",\"timeout_ms\":%d", op->timeout_ms);
    if (op->type == OP_ERROR)
        buffer_printf(out, ",\"error\":%d", op->err);
}

static void put_json_paths(struct buffer *out, struct jute_vector paths)
{
    struct slice path;
    const char *before = ",\"deleted\":[";

    while (jute_next_text(&paths, &path)) {
        buffer_printf(out, "%s", before);
        tool_put_json(out, path);
        before = ",";
    }
    buffer_printf(out, before[1] == '"' ? ",\"deleted\":[]" : "]");
}

static void put_json_place(struct buffer *out, const struct log_record *record)
{
    if (record->txn.has_digest)
        buffer_printf(out, ",\"digest\":\"0x%llx\"", (unsigned long long)record->txn.digest);
    buffer_printf(out, ",\"file\":");
    tool_put_json(out, slice_text(record->file->name));
    buffer_printf(out, ",\"offset\":%llu,\"record_bytes\":%llu}\n",
                  (unsigned long long)record->offset, (unsigned long long)record->bytes);
}

void txn_line_put_json(struct buffer *out, const struct log_record *record, bool data)
{
    const struct txn *txn = &record->txn;

    buffer_printf(out, "{\"zxid\":\"0x%llx\",\"time\":\"", (unsigned long long)txn->header.zxid);
    tool_put_time(out, txn->header.time_ms);
    buffer_printf(out, "\",\"session\":\"0x%llx\",\"cxid\":%d,",
                  (unsigned long long)txn->header.client_id, txn->header.cxid);
    put_json_op(out, &txn->op, data);
    for (int32_t i = 0; i < txn->op_count; i++) {
        buffer_printf(out, i == 0 ? ",\"ops\":[{" : ",{");
        put_json_op(out, &txn->ops[i], data);
        buffer_u8(out, '}');
    }
    if (txn->op_count > 0)
        buffer_u8(out, ']');
    if (txn->op.type == OP_CLOSE_SESSION && txn->op.paths.count >= 0)
        put_json_paths(out, txn->op.paths);
    put_json_place(out, record);
}
