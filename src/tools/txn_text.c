/* txn_text.c: the line of one transaction, to the byte as Java prints it: some fields as a list with
 * commas, some in the CSV form of Java's record library, the parts of a multi as raw bytes. */
#include "tools/txn_text.h"

#include "io/java_text.h"
#include "replica/store/txnlog_format.h"
#include "replica/txn/txn.h"

#include <stdio.h>

/* In the CSV form a text begins with ', and five characters are escaped. */
static void put_csv_text(struct buffer *out, struct slice text)
{
    struct buffer clean;

    if (text.data == NULL)
        return;
    buffer_init(&clean);
    java_put_text(&clean, text);
    buffer_u8(out, '\'');
    for (size_t i = 0; i < clean.size; i++) {
        uint8_t byte = clean.data[i];
        if (byte == 0 || byte == '\n' || byte == '\r' || byte == '%' || byte == ',' || byte == '}')
            buffer_printf(out, "%%%02X", byte);
        else
            buffer_u8(out, byte);
    }
    buffer_deinit(&clean);
}

static void put_acl(struct buffer *out, const struct jute_acl *acl)
{
    buffer_printf(out, "%d,s{", acl->perms);
    put_csv_text(out, acl->scheme);
    buffer_u8(out, ',');
    put_csv_text(out, acl->id);
    buffer_u8(out, '}');
}

/* As a Java list: each entry ends with a line end of its own. */
static void put_acl_list(struct buffer *out, struct jute_vector acl)
{
    struct jute_acl one;
    const char *before = "[";

    if (acl.bytes.data == NULL) {
        buffer_printf(out, "null");
        return;
    }
    while (jute_next_acl(&acl, &one)) {
        buffer_printf(out, "%s", before);
        put_acl(out, &one);
        buffer_u8(out, '\n');
        before = ", ";
    }
    buffer_printf(out, before[0] == '[' ? "[]" : "]");
}

static void put_csv_acls(struct buffer *out, struct jute_vector acl)
{
    struct jute_acl one;
    const char *before = "";

    buffer_printf(out, "v{");
    while (jute_next_acl(&acl, &one)) {
        buffer_printf(out, "%ss{", before);
        put_acl(out, &one);
        buffer_u8(out, '}');
        before = ",";
    }
    buffer_u8(out, '}');
}

static void put_csv_texts(struct buffer *out, struct jute_vector texts)
{
    struct slice one;
    const char *before = "";

    buffer_printf(out, "v{");
    while (jute_next_text(&texts, &one)) {
        buffer_printf(out, "%s", before);
        put_csv_text(out, one);
        before = ",";
    }
    buffer_u8(out, '}');
}

static void put_create(struct buffer *out, const struct txn_op *op)
{
    java_put_text(out, op->path);
    buffer_u8(out, ',');
    java_put_text(out, op->data);
    buffer_u8(out, ',');
    put_acl_list(out, op->acl);
    if (op->type == OP_CREATE || op->type == OP_CREATE2)
        buffer_printf(out, ",%s", op->ephemeral ? "true" : "false");
    buffer_printf(out, ",%d", op->parent_cversion);
    if (op->type == OP_CREATE_TTL)
        buffer_printf(out, ",%lld", (long long)op->ttl_ms);
}

static const char *name_of(int32_t type, char *unknown, size_t size)
{
    const struct op_info *info = op_find(type);

    if (type == OP_CREATE_TTL)
        return "createTtl";
    if (info != NULL)
        return info->name;
    snprintf(unknown, size, "unknown %d", type);
    return unknown;
}

/* The bytes of each part as they are, read as text. The vector was checked by txn_read(). */
static void put_multi(struct buffer *out, struct slice payload, struct arena *arena)
{
    struct reader reader;
    char unknown[24];

    reader_init(&reader, payload, arena, INT32_MAX);
    reader.pos += TXNLOG_PAYLOAD_BYTES_MIN;
    int32_t count = reader_i32(&reader);
    for (int32_t i = 0; i < count && reader.status == STATUS_OK; i++) {
        int32_t type = reader_i32(&reader);
        struct slice data = reader_buffer(&reader);
        buffer_printf(out, "%s%s:", i == 0 ? "" : ";", name_of(type, unknown, sizeof(unknown)));
        java_put_text(out, data);
    }
}

static void put_body(struct buffer *out, const struct txn *txn, struct slice payload,
                     struct arena *arena)
{
    const struct txn_op *op = &txn->op;

    switch (op->type) {
    case OP_CREATE:
    case OP_CREATE2:
    case OP_CREATE_CONTAINER:
    case OP_CREATE_TTL:
        put_create(out, op);
        break;
    case OP_SET_DATA:
    case OP_RECONFIG:
        java_put_text(out, op->path);
        buffer_u8(out, ',');
        java_put_text(out, op->data);
        buffer_printf(out, ",%d", op->version);
        break;
    case OP_SET_ACL:
        put_csv_text(out, op->path);
        buffer_u8(out, ',');
        put_csv_acls(out, op->acl);
        buffer_printf(out, ",%d", op->version);
        break;
    case OP_DELETE:
    case OP_DELETE_CONTAINER:
        put_csv_text(out, op->path);
        break;
    case OP_CREATE_SESSION:
        buffer_printf(out, "%d", op->timeout_ms);
        break;
    case OP_CLOSE_SESSION:
        if (op->paths.count >= 0)
            put_csv_texts(out, op->paths);
        break;
    case OP_ERROR:
        buffer_printf(out, "%d", op->err);
        break;
    case OP_MULTI:
        put_multi(out, payload, arena);
        break;
    default:
        break;
    }
}

enum status txn_text_put(struct buffer *out, struct slice payload, struct arena *arena)
{
    struct txn txn;
    char unknown[24];
    enum status status = txn_read(payload, arena, &txn);

    if (status != STATUS_OK)
        return status;
    java_put_date_short(out, txn.header.time_ms);
    buffer_printf(out, " session 0x%llx cxid 0x%llx zxid 0x%llx %s ",
                  (unsigned long long)txn.header.client_id,
                  (unsigned long long)(int64_t)txn.header.cxid, (unsigned long long)txn.header.zxid,
                  name_of(txn.header.type, unknown, sizeof(unknown)));
    put_body(out, &txn, payload, arena);
    return STATUS_OK;
}
