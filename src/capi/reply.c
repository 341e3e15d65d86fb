/* reply.c: from the bytes of a reply to the records of the public API. */
#include "capi/reply.h"

#include "client/paths.h"
#include "client/requests.h"
#include "wire/records.h"

#include <stdlib.h>

void reply_reader(struct reader *reader, const struct call *call)
{
    reader_init(reader, slice_of(call->request.reply, call->request.reply_size), NULL, INT32_MAX);
    reader->texts_as_they_are = true;
}

int reply_stat(struct reader *reader, struct Stat *ret_stat)
{
    struct zk_stat stat;

    if (zk_stat_read(reader, &stat) != STATUS_OK)
        return ZMARSHALLINGERROR;
    *ret_stat = (struct Stat){.czxid = stat.czxid,
                              .mzxid = stat.mzxid,
                              .ctime = stat.ctime,
                              .mtime = stat.mtime,
                              .version = stat.version,
                              .cversion = stat.cversion,
                              .aversion = stat.aversion,
                              .ephemeralOwner = stat.ephemeral_owner,
                              .dataLength = stat.data_length,
                              .numChildren = stat.num_children,
                              .pzxid = stat.pzxid};
    return ZOK;
}

static void fill_stat(const uint8_t *bytes, struct Stat *ret_stat)
{
    struct reader reader;

    reader_init(&reader, slice_of(bytes, STAT_BYTES), NULL, INT32_MAX);
    (void)reply_stat(&reader, ret_stat); /* all STAT_BYTES are there */
}

static bool read_names(struct reader *reader, struct jute_vector *ret_names)
{
    *ret_names = reader_texts(reader);
    return reader->status == STATUS_OK;
}

bool reply_keep_names(struct client_request *request)
{
    struct call *call = CONTAINER_OF(request, struct call, request);
    struct jute_vector names;
    struct reader reader;

    if (request->watch == NULL || (call->kind != CALL_STRINGS && call->kind != CALL_STRINGS_STAT))
        return true;
    reply_reader(&reader, call);
    if (call->wait != NULL)
        return reply_names(&reader, &call->names) != ZSYSTEMERROR;
    if (read_names(&reader, &names) && names.count > 0)
        call->names.data = malloc((size_t)names.count * sizeof(*call->names.data));
    return names.count <= 0 || call->names.data != NULL;
}

int reply_names_in_place(struct reader *reader, const struct call *call,
                         struct String_vector *ret_names, struct Stat *ret_stat)
{
    struct jute_vector names;
    struct slice name;

    *ret_names = (struct String_vector){0};
    if (!read_names(reader, &names))
        return ZMARSHALLINGERROR;
    if (ret_stat != NULL && reply_stat(reader, ret_stat) != ZOK)
        return ZMARSHALLINGERROR;
    if (names.count <= 0)
        return ZOK;
    char **texts = call->names.data;
    if (texts == NULL)
        texts = malloc((size_t)names.count * sizeof(*texts));
    if (texts == NULL)
        return ZSYSTEMERROR;
    /* The byte behind a name begins the length of the next one: it is overwritten when that was read. */
    char *end = NULL;
    while (jute_next_text(&names, &name)) {
        if (end != NULL)
            *end = '\0';
        texts[ret_names->count] = (char *)(uintptr_t)name.data;
        end = texts[ret_names->count++] + name.size;
    }
    if (end != NULL)
        *end = '\0';
    ret_names->data = texts;
    return ZOK;
}

static char *copy_text(struct slice text)
{
    char *copy = malloc(text.size + 1);

    if (copy == NULL)
        return NULL;
    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return copy;
}

int reply_names(struct reader *reader, struct String_vector *ret_names)
{
    struct jute_vector names;
    struct slice name;

    *ret_names = (struct String_vector){0};
    if (!read_names(reader, &names))
        return ZMARSHALLINGERROR;
    if (names.count <= 0)
        return ZOK;
    allocate_String_vector(ret_names, names.count);
    if (ret_names->data == NULL)
        return ZSYSTEMERROR;
    for (int32_t i = 0; jute_next_text(&names, &name); i++) {
        ret_names->data[i] = copy_text(name);
        if (ret_names->data[i] == NULL) {
            deallocate_String_vector(ret_names);
            return ZSYSTEMERROR;
        }
    }
    return ZOK;
}

int reply_acl(struct reader *reader, struct ACL_vector *ret_acl)
{
    struct jute_vector entries = reader_acls(reader);
    struct jute_acl entry;

    *ret_acl = (struct ACL_vector){0};
    if (reader->status != STATUS_OK)
        return ZMARSHALLINGERROR;
    if (entries.count <= 0)
        return ZOK;
    allocate_ACL_vector(ret_acl, entries.count);
    if (ret_acl->data == NULL)
        return ZSYSTEMERROR;
    for (int32_t i = 0; jute_next_acl(&entries, &entry); i++) {
        struct ACL *acl = &ret_acl->data[i];
        acl->perms = entry.perms;
        acl->id.scheme = copy_text(entry.scheme);
        acl->id.id = copy_text(entry.id);
        if (acl->id.scheme == NULL || acl->id.id == NULL) {
            deallocate_ACL_vector(ret_acl);
            return ZSYSTEMERROR;
        }
    }
    return ZOK;
}

int reply_path(const zhandle_t *zh, struct reader *reader, struct slice *ret_path)
{
    struct slice path = reader_text(reader);

    if (reader->status != STATUS_OK)
        return ZMARSHALLINGERROR;
    *ret_path = client_path_without_chroot(buffer_slice(&zh->client.chroot), path);
    return ZOK;
}

void reply_copy_text(struct slice text, char *to, int size)
{
    if (to == NULL || size <= 0)
        return;
    size_t copied = text.size < (size_t)size ? text.size : (size_t)size - 1;
    if (copied > 0)
        memcpy(to, text.data, copied);
    to[copied] = '\0';
}

static void fill_result(const zhandle_t *zh, const zoo_op_t *op,
                        const struct client_multi_answer *answer, zoo_op_result_t *result)
{
    result->err = answer->err;
    if (op->type == ZOO_CREATE_OP || op->type == ZOO_CREATE_CONTAINER_OP) {
        result->value = op->create_op.buf;
        result->valuelen = op->create_op.buflen;
        if (answer->op != OP_ERROR)
            reply_copy_text(
                client_path_without_chroot(buffer_slice(&zh->client.chroot), answer->path),
                op->create_op.buf, op->create_op.buflen);
    } else if (op->type == ZOO_SETDATA_OP && op->set_op.stat != NULL) {
        result->stat = op->set_op.stat;
        if (answer->has_stat)
            fill_stat(answer->stat, op->set_op.stat);
    }
}

int reply_multi(const zhandle_t *zh, const struct call *call)
{
    struct client_multi_answer answer;
    struct reader reader;
    int rc = call->request.err;

    reply_reader(&reader, call);
    for (int i = 0; i < call->op_count; i++) {
        zoo_op_result_t result = {.err = rc};
        if (call->request.reply_size > 0) {
            if (client_multi_next(&reader, &answer) != STATUS_OK)
                return ZMARSHALLINGERROR;
            fill_result(zh, &call->ops[i], &answer, &result);
            if (rc == ZOK && answer.err != ZOK && answer.err != ZRUNTIMEINCONSISTENCY)
                rc = answer.err;
        }
        if (call->results != NULL)
            call->results[i] = result;
    }
    return rc;
}
