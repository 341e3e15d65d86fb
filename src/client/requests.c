/* requests.c: arguments to frames. Everything is checked and measured before the first byte is written,
 * so that a request is either refused or complete. */
#include "client/requests.h"

#include "client/frames.h"
#include "client/paths.h"

enum {
    FIELD_BYTES = 4, /* the length before a text, a buffer or a vector */
    MULTI_HEADER_BYTES = 9,
    NUMBERS_BYTES_MAX = 16, /* what a record has besides texts, buffers and vectors */
    FIELDS_MAX = 4
};

static struct slice chroot_of(const struct client *client)
{
    return buffer_slice(&client->chroot);
}

/* The path as the server knows it, in client->scratch; valid until the next call. */
static bool put_chroot(struct client *client, struct slice *path)
{
    struct slice chroot = chroot_of(client);
    struct buffer *scratch = &client->scratch;

    if (chroot.size == 0)
        return true;
    if (path->size == 1) { /* "/" is the chroot itself */
        *path = chroot;
        return true;
    }
    scratch->size = 0;
    if (!buffer_try_reserve(scratch, chroot.size + path->size))
        return false;
    buffer_append(scratch, chroot);
    buffer_append(scratch, *path);
    *path = buffer_slice(scratch);
    return true;
}

/* Checks the path, opens a frame for it and `more` bytes, and makes it the server's. */
static enum client_error open_for_path(struct client *client, struct client_request *request,
                                       int32_t op, struct slice *path, size_t more)
{
    if (!client_path_valid(*path, false))
        return CLIENT_BAD_ARGUMENTS;
    if (!put_chroot(client, path))
        return CLIENT_NO_MEMORY;
    return client_frame_open(client, request, op,
                             FIELDS_MAX * FIELD_BYTES + NUMBERS_BYTES_MAX + path->size + more);
}

/* The watch that comes with a request. Nothing for no watcher. */
static bool prepare_watch(struct client_request *request, struct slice path,
                          const struct client_watcher *watcher, enum client_watch_rule rule)
{
    if (watcher == NULL)
        return true;
    request->watch = client_watch_make(path, *watcher);
    request->watch_rule = rule;
    return request->watch != NULL;
}

static enum client_error check_mode(int32_t mode, int64_t ttl_ms)
{
    if (mode < MODE_PERSISTENT || mode > MODE_SEQUENTIAL_TTL)
        return CLIENT_BAD_ARGUMENTS;
    if (mode == MODE_TTL || mode == MODE_SEQUENTIAL_TTL)
        return ttl_ms > 0 && ttl_ms <= TTL_MS_MAX ? CLIENT_OK : CLIENT_BAD_ARGUMENTS;
    return ttl_ms == -1 ? CLIENT_OK : CLIENT_BAD_ARGUMENTS;
}

static bool is_sequential(int32_t mode)
{
    return mode == MODE_PERSISTENT_SEQUENTIAL || mode == MODE_EPHEMERAL_SEQUENTIAL ||
           mode == MODE_SEQUENTIAL_TTL;
}

static size_t acl_bytes(const struct client_acl *acl, size_t count)
{
    size_t bytes = 0;

    for (size_t i = 0; i < count; i++)
        bytes += 3 * FIELD_BYTES + acl[i].scheme.size + acl[i].id.size;
    return bytes;
}

static void put_acl(struct buffer *buffer, const struct client_acl *acl, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct jute_acl entry = {.scheme = acl[i].scheme, .id = acl[i].id, .perms = acl[i].perms};
        jute_put_acl(buffer, &entry);
    }
}

/* The ACL's bytes, for a record's field. The buffer is the caller's to free. */
static bool make_acl(struct buffer *bytes, const struct client_acl *acl, size_t count,
                     struct jute_vector *ret_vector)
{
    buffer_init(bytes);
    if (!buffer_try_reserve(bytes, acl_bytes(acl, count) + 1))
        return false;
    put_acl(bytes, acl, count);
    *ret_vector = (struct jute_vector){buffer_slice(bytes), (int32_t)count};
    return true;
}

static enum client_error check_create(const struct client_create *create)
{
    enum client_error err = check_mode(create->mode, create->ttl_ms);

    if (err != CLIENT_OK)
        return err;
    if (!client_path_valid(create->path, is_sequential(create->mode)))
        return CLIENT_BAD_ARGUMENTS;
    return create->acl_count == 0 ? CLIENT_INVALID_ACL : CLIENT_OK;
}

static int32_t op_of_create(const struct client_create *create)
{
    if (create->mode == MODE_TTL || create->mode == MODE_SEQUENTIAL_TTL)
        return OP_CREATE_TTL;
    if (create->mode == MODE_CONTAINER)
        return OP_CREATE_CONTAINER;
    return create->with_stat ? OP_CREATE2 : OP_CREATE;
}

static size_t create_bytes(const struct client *client, const struct client_create *create)
{
    return FIELDS_MAX * FIELD_BYTES + NUMBERS_BYTES_MAX + client->chroot.size + create->path.size +
           create->data.size + acl_bytes(create->acl, create->acl_count);
}

/* After its frame or its header in a multi. */
static void put_create(struct buffer *out, const struct client_create *create, struct slice path,
                       struct jute_vector acl)
{
    if (op_of_create(create) == OP_CREATE_TTL)
        create_ttl_request_write(out, &(struct create_ttl_request){path, create->data, acl,
                                                                   create->mode, create->ttl_ms});
    else
        create_request_write(out, &(struct create_request){path, create->data, acl, create->mode});
}

enum client_error client_create(struct client *client, struct client_request *request,
                                const struct client_create *create)
{
    enum client_error err = check_create(create);
    struct slice path = create->path;
    struct jute_vector acl;
    struct buffer bytes;

    if (err != CLIENT_OK)
        return err;
    if (!make_acl(&bytes, create->acl, create->acl_count, &acl))
        return CLIENT_NO_MEMORY;
    err = put_chroot(client, &path) ? client_frame_open(client, request, op_of_create(create),
                                                        create_bytes(client, create))
                                    : CLIENT_NO_MEMORY;
    if (err == CLIENT_OK) {
        put_create(&client->out, create, path, acl);
        client_frame_close(client, request);
    }
    buffer_deinit(&bytes);
    return err;
}

enum client_error client_delete(struct client *client, struct client_request *request,
                                struct slice path, int32_t version)
{
    enum client_error err = open_for_path(client, request, OP_DELETE, &path, 0);

    if (err != CLIENT_OK)
        return err;
    path_version_request_write(&client->out, &(struct path_version_request){path, version});
    client_frame_close(client, request);
    return CLIENT_OK;
}

static enum client_watch_rule rule_of_read(int32_t op)
{
    switch (op) {
    case OP_EXISTS:
        return CLIENT_SETS_EXIST;
    case OP_GET_DATA:
        return CLIENT_SETS_DATA;
    default:
        return CLIENT_SETS_CHILD;
    }
}

/* `path` is the server's. */
static enum client_error read_path(struct client *client, struct client_request *request,
                                   int32_t op, struct slice path,
                                   const struct client_watcher *watcher)
{
    if (!prepare_watch(request, path, watcher, rule_of_read(op)))
        return CLIENT_NO_MEMORY;
    enum client_error err =
        client_frame_open(client, request, op, FIELD_BYTES + path.size + NUMBERS_BYTES_MAX);
    if (err != CLIENT_OK)
        return err;
    path_watch_request_write(&client->out, &(struct path_watch_request){path, watcher != NULL});
    client_frame_close(client, request);
    return CLIENT_OK;
}

enum client_error client_read(struct client *client, struct client_request *request, int32_t op,
                              struct slice path, const struct client_watcher *watcher)
{
    if (!client_path_valid(path, false))
        return CLIENT_BAD_ARGUMENTS;
    if (!put_chroot(client, &path))
        return CLIENT_NO_MEMORY;
    return read_path(client, request, op, path, watcher);
}

enum client_error client_get_config(struct client *client, struct client_request *request,
                                    const struct client_watcher *watcher)
{
    return read_path(client, request, OP_GET_DATA, SLICE("/zookeeper/config"), watcher);
}

enum client_error client_path(struct client *client, struct client_request *request, int32_t op,
                              struct slice path)
{
    enum client_error err = open_for_path(client, request, op, &path, 0);

    if (err != CLIENT_OK)
        return err;
    path_request_write(&client->out, &(struct path_request){path});
    client_frame_close(client, request);
    return CLIENT_OK;
}

enum client_error client_set_data(struct client *client, struct client_request *request,
                                  struct slice path, struct slice data, int32_t version)
{
    enum client_error err = open_for_path(client, request, OP_SET_DATA, &path, data.size);

    if (err != CLIENT_OK)
        return err;
    set_data_request_write(&client->out, &(struct set_data_request){path, data, version});
    client_frame_close(client, request);
    return CLIENT_OK;
}

enum client_error client_set_acl(struct client *client, struct client_request *request,
                                 struct slice path, const struct client_acl *acl, size_t acl_count,
                                 int32_t version)
{
    struct jute_vector vector;
    struct buffer bytes;

    if (!make_acl(&bytes, acl, acl_count, &vector))
        return CLIENT_NO_MEMORY;
    enum client_error err = open_for_path(client, request, OP_SET_ACL, &path, bytes.size);
    if (err == CLIENT_OK) {
        set_acl_request_write(&client->out, &(struct set_acl_request){path, vector, version});
        client_frame_close(client, request);
    }
    buffer_deinit(&bytes);
    return err;
}

enum client_error client_reconfig(struct client *client, struct client_request *request,
                                  struct slice joining, struct slice leaving, struct slice members,
                                  int64_t version)
{
    size_t bytes =
        FIELDS_MAX * FIELD_BYTES + NUMBERS_BYTES_MAX + joining.size + leaving.size + members.size;
    enum client_error err = client_frame_open(client, request, OP_RECONFIG, bytes);

    if (err != CLIENT_OK)
        return err;
    reconfig_request_write(&client->out,
                           &(struct reconfig_request){joining, leaving, members, version});
    client_frame_close(client, request);
    return CLIENT_OK;
}

static enum client_error path_and_type(struct client *client, struct client_request *request,
                                       int32_t op, struct slice path, int32_t type)
{
    enum client_error err =
        client_frame_open(client, request, op, FIELD_BYTES + path.size + NUMBERS_BYTES_MAX);

    if (err != CLIENT_OK)
        return err;
    path_type_request_write(&client->out, &(struct path_type_request){path, type});
    client_frame_close(client, request);
    return CLIENT_OK;
}

static unsigned kinds_of_type(int32_t type)
{
    switch (type) {
    case WATCHER_CHILDREN:
        return CLIENT_WATCH_CHILD;
    case WATCHER_DATA:
        return CLIENT_WATCH_DATA | CLIENT_WATCH_EXIST;
    case WATCHER_ANY:
        return CLIENT_WATCH_ANY;
    case WATCHER_PERSISTENT:
        return CLIENT_WATCH_PERSISTENT;
    case WATCHER_RECURSIVE:
        return CLIENT_WATCH_RECURSIVE;
    default:
        return 0;
    }
}

static enum client_error find_removed(struct client *client, struct slice *path, int32_t type,
                                      const struct client_watcher *watcher)
{
    unsigned kinds = kinds_of_type(type);

    if (kinds == 0 || !client_path_valid(*path, false))
        return CLIENT_BAD_ARGUMENTS;
    if (client_is_dead(client) || client->closing)
        return CLIENT_INVALID_STATE;
    if (!put_chroot(client, path))
        return CLIENT_NO_MEMORY;
    return client_watches_has(&client->watches, *path, kinds, watcher) ? CLIENT_OK
                                                                       : CLIENT_NO_WATCHER;
}

enum client_error client_remove_watches(struct client *client, struct client_request *request,
                                        struct slice path, int32_t type,
                                        const struct client_watcher *watcher)
{
    struct client_watcher anybody = {NULL, NULL};
    enum client_error err = find_removed(client, &path, type, watcher);

    if (err != CLIENT_OK)
        return err;
    if (!prepare_watch(request, path, watcher == NULL ? &anybody : watcher,
                       watcher == NULL ? CLIENT_REMOVES_ALL : CLIENT_REMOVES_WATCH))
        return CLIENT_NO_MEMORY;
    request->removed_kinds = kinds_of_type(type);
    return path_and_type(client, request, watcher == NULL ? OP_REMOVE_WATCHES : OP_CHECK_WATCHES,
                         path, type);
}

enum client_error client_remove_watches_here(struct client *client, struct slice path, int32_t type,
                                             const struct client_watcher *watcher)
{
    enum client_error err = find_removed(client, &path, type, watcher);

    if (err == CLIENT_OK)
        client_watches_remove(&client->watches, path, kinds_of_type(type), watcher);
    return err;
}

enum client_error client_raw(struct client *client, struct client_request *request, int32_t op,
                             struct slice body)
{
    enum client_error err = client_frame_open(client, request, op, body.size);

    if (err != CLIENT_OK)
        return err;
    buffer_append(&client->out, body);
    client_frame_close(client, request);
    return CLIENT_OK;
}

enum client_error client_send(struct client *client, int32_t op, struct slice body)
{
    struct buffer *out = &client->out;
    enum client_error err = client_frame_start(client, op, body.size);

    if (err != CLIENT_OK)
        return err;
    store_be32(out->data + client->frame_at, (uint32_t)(REQUEST_HEADER_BYTES + body.size));
    memcpy(out->data + out->size, body.data, body.size);
    out->size += body.size;
    client->out_frames++;
    return CLIENT_OK;
}

enum client_error client_want_watch(struct client *client, struct client_request *request,
                                    struct slice path, enum client_watch_rule rule,
                                    const struct client_watcher *watcher)
{
    if (!put_chroot(client, &path) || !prepare_watch(request, path, watcher, rule))
        return CLIENT_NO_MEMORY;
    return CLIENT_OK;
}

/* Multi. */

static enum client_error check_op(const struct client_op *op)
{
    switch (op->op) {
    case OP_CREATE:
        return check_create(&op->create);
    case OP_DELETE:
    case OP_SET_DATA:
    case OP_CHECK:
        return client_path_valid(op->create.path, false) ? CLIENT_OK : CLIENT_BAD_ARGUMENTS;
    default:
        return CLIENT_BAD_ARGUMENTS;
    }
}

/* False: no memory for the ACL or the path. Their place in the frame is reserved already. */
static bool put_op(struct client *client, const struct client_op *op)
{
    struct buffer *out = &client->out;
    struct slice path = op->create.path;
    struct jute_vector acl;
    struct buffer bytes;

    if (!put_chroot(client, &path))
        return false;
    if (op->op == OP_CREATE) {
        if (!make_acl(&bytes, op->create.acl, op->create.acl_count, &acl))
            return false;
        multi_header_write(out, &(struct multi_header){op_of_create(&op->create), false, -1});
        put_create(out, &op->create, path, acl);
        buffer_deinit(&bytes);
        return true;
    }
    multi_header_write(out, &(struct multi_header){op->op, false, -1});
    if (op->op == OP_SET_DATA)
        set_data_request_write(out, &(struct set_data_request){path, op->create.data, op->version});
    else
        path_version_request_write(out, &(struct path_version_request){path, op->version});
    return true;
}

enum client_error client_multi(struct client *client, struct client_request *request,
                               const struct client_op *ops, size_t count)
{
    size_t bytes = MULTI_HEADER_BYTES;

    for (size_t i = 0; i < count; i++) {
        enum client_error err = check_op(&ops[i]);
        if (err != CLIENT_OK)
            return err;
        bytes += MULTI_HEADER_BYTES + create_bytes(client, &ops[i].create);
    }
    enum client_error err = client_frame_open(client, request, OP_MULTI, bytes);
    if (err != CLIENT_OK)
        return err;
    for (size_t i = 0; i < count; i++) {
        if (!put_op(client, &ops[i])) {
            client->out.size = client->frame_at; /* as if it had never been begun */
            return CLIENT_NO_MEMORY;
        }
    }
    multi_header_write(&client->out, &(struct multi_header){-1, true, -1});
    client_frame_close(client, request);
    return CLIENT_OK;
}

static bool take_stat(struct reader *reader, struct client_multi_answer *answer)
{
    if (reader_left(reader) < STAT_BYTES)
        return false;
    answer->has_stat = true;
    answer->stat = reader->pos;
    reader->pos += STAT_BYTES;
    return true;
}

enum status client_multi_next(struct reader *reader, struct client_multi_answer *ret_answer)
{
    struct multi_header header;
    bool fits = true;

    if (multi_header_read(reader, &header) != STATUS_OK)
        return STATUS_MALFORMED;
    if (header.done)
        return STATUS_END;
    *ret_answer = (struct client_multi_answer){.op = header.type, .err = header.err};
    switch (header.type) {
    case OP_ERROR:
        ret_answer->err = reader_i32(reader);
        break;
    case OP_CREATE:
        ret_answer->path = reader_text(reader);
        break;
    case OP_CREATE2:
    case OP_CREATE_CONTAINER:
    case OP_CREATE_TTL:
        ret_answer->path = reader_text(reader);
        fits = take_stat(reader, ret_answer);
        break;
    case OP_SET_DATA:
        fits = take_stat(reader, ret_answer);
        break;
    case OP_DELETE:
    case OP_CHECK:
        break;
    default:
        fits = false;
    }
    return fits && reader->status == STATUS_OK ? STATUS_OK : STATUS_MALFORMED;
}
