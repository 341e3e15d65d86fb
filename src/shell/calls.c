/* calls.c: fills in the record of each request, whose path gets the chroot, and reads the answer. */
#include "shell/calls.h"

#include "shell/texts.h"

enum { ANSWER_TEXT_BYTES_MAX = 1 << 28 };

struct call {
    struct service *connection;
    struct buffer request;
    struct reader answer;
};

static void begin(struct call *call, struct service *connection)
{
    call->connection = connection;
    buffer_init(&call->request);
}

static void begin_with_path(struct call *call, struct service *connection, struct slice path)
{
    begin(call, connection);
    path_request_write(&call->request,
                       &(struct path_request){service_server_path(connection, path)});
}

static void begin_watching(struct call *call, struct service *connection, struct slice path,
                           bool watch)
{
    begin(call, connection);
    path_watch_request_write(
        &call->request, &(struct path_watch_request){service_server_path(connection, path), watch});
}

/* Sends it; the answer can then be read, and has set the watch on the path. */
static int32_t finish_watching(struct call *call, int32_t op, enum client_watch_rule rule,
                               struct slice path)
{
    struct slice answer;
    int32_t err =
        service_call(call->connection, op, buffer_slice(&call->request), rule, path, &answer);

    buffer_deinit(&call->request);
    reader_init(&call->answer, answer, NULL, ANSWER_TEXT_BYTES_MAX);
    call->answer.texts_as_they_are = true;
    return err;
}

static int32_t finish(struct call *call, int32_t op)
{
    return finish_watching(call, op, CLIENT_SETS_NO_WATCH, SLICE_NULL);
}

/* After everything was read. */
static int32_t checked(const struct call *call)
{
    return call->answer.status == STATUS_OK ? (int32_t)ZK_OK : (int32_t)ZK_MARSHALLING_ERROR;
}

static int32_t read_stat(struct call *call, struct zk_stat *ret_stat)
{
    return zk_stat_read(&call->answer, ret_stat) == STATUS_OK ? (int32_t)ZK_OK
                                                              : (int32_t)ZK_MARSHALLING_ERROR;
}

static int32_t finish_with_stat(struct call *call, int32_t op, struct zk_stat *ret_stat)
{
    int32_t err = finish(call, op);

    return err == ZK_OK ? read_stat(call, ret_stat) : err;
}

struct jute_vector call_acl(struct slice bytes)
{
    ASSERT(bytes.size >= 4);
    return (struct jute_vector){slice_of(bytes.data + 4, bytes.size - 4),
                                (int32_t)load_be32(bytes.data)};
}

int32_t call_put_create(struct buffer *out, struct service *connection,
                        const struct call_create *create)
{
    bool ttl = create->mode == MODE_TTL || create->mode == MODE_SEQUENTIAL_TTL;
    struct slice path = service_server_path(connection, create->path);
    struct jute_vector acl = call_acl(create->acl);

    if (ttl)
        create_ttl_request_write(out, &(struct create_ttl_request){path, create->data, acl,
                                                                   (int32_t)create->mode,
                                                                   create->ttl_ms});
    else
        create_request_write(
            out, &(struct create_request){path, create->data, acl, (int32_t)create->mode});
    return ttl ? OP_CREATE_TTL : create->mode == MODE_CONTAINER ? OP_CREATE_CONTAINER : OP_CREATE;
}

int32_t call_create(struct service *connection, const struct call_create *create,
                    struct slice *ret_path)
{
    struct call call;

    begin(&call, connection);
    int32_t op = call_put_create(&call.request, connection, create);
    int32_t err = finish(&call, op);
    if (err != ZK_OK)
        return err;
    *ret_path = service_own_path(connection, reader_text(&call.answer));
    return checked(&call);
}

int32_t call_delete(struct service *connection, struct slice path, int32_t version)
{
    struct call call;

    begin(&call, connection);
    path_version_request_write(&call.request, &(struct path_version_request){
                                                  service_server_path(connection, path), version});
    return finish(&call, OP_DELETE);
}

int32_t call_set(struct service *connection, struct slice path, struct slice data, int32_t version,
                 struct zk_stat *ret_stat)
{
    struct call call;

    begin(&call, connection);
    set_data_request_write(
        &call.request,
        &(struct set_data_request){service_server_path(connection, path), data, version});
    return finish_with_stat(&call, OP_SET_DATA, ret_stat);
}

int32_t call_get(struct service *connection, struct slice path, bool watch, struct slice *ret_data,
                 struct zk_stat *ret_stat)
{
    struct call call;

    begin_watching(&call, connection, path, watch);
    int32_t err =
        finish_watching(&call, OP_GET_DATA, watch ? CLIENT_SETS_DATA : CLIENT_SETS_NO_WATCH, path);
    if (err != ZK_OK)
        return err;
    *ret_data = reader_buffer(&call.answer);
    return read_stat(&call, ret_stat);
}

int32_t call_exists(struct service *connection, struct slice path, bool watch,
                    struct zk_stat *ret_stat)
{
    struct call call;

    begin_watching(&call, connection, path, watch);
    int32_t err =
        finish_watching(&call, OP_EXISTS, watch ? CLIENT_SETS_EXIST : CLIENT_SETS_NO_WATCH, path);
    return err == ZK_OK ? read_stat(&call, ret_stat) : err;
}

int32_t call_children(struct service *connection, struct slice path, bool watch,
                      struct jute_vector *ret_names, struct zk_stat *ret_stat)
{
    struct call call;

    begin_watching(&call, connection, path, watch);
    int32_t err = finish_watching(&call, OP_GET_CHILDREN2,
                                  watch ? CLIENT_SETS_CHILD : CLIENT_SETS_NO_WATCH, path);
    if (err != ZK_OK)
        return err;
    *ret_names = reader_texts(&call.answer);
    return read_stat(&call, ret_stat);
}

int32_t call_get_acl(struct service *connection, struct slice path, struct jute_vector *ret_acl,
                     struct zk_stat *ret_stat)
{
    struct call call;

    begin_with_path(&call, connection, path);
    int32_t err = finish(&call, OP_GET_ACL);
    if (err != ZK_OK)
        return err;
    *ret_acl = reader_acls(&call.answer);
    return read_stat(&call, ret_stat);
}

int32_t call_set_acl(struct service *connection, struct slice path, struct slice acl,
                     int32_t version, struct zk_stat *ret_stat)
{
    struct call call;

    begin(&call, connection);
    set_acl_request_write(
        &call.request,
        &(struct set_acl_request){service_server_path(connection, path), call_acl(acl), version});
    return finish_with_stat(&call, OP_SET_ACL, ret_stat);
}

int32_t call_sync(struct service *connection, struct slice path)
{
    struct call call;

    begin_with_path(&call, connection, path);
    return finish(&call, OP_SYNC);
}

int32_t call_add_watch(struct service *connection, struct slice path, enum zk_watch_mode mode)
{
    struct call call;

    begin(&call, connection);
    path_type_request_write(
        &call.request,
        &(struct path_type_request){service_server_path(connection, path), (int32_t)mode});
    return finish_watching(
        &call, OP_ADD_WATCH,
        mode == WATCH_ADD_PERSISTENT ? CLIENT_SETS_PERSISTENT : CLIENT_SETS_RECURSIVE, path);
}

int32_t call_remove_watches(struct service *connection, struct slice path,
                            enum zk_watcher_type type)
{
    struct call call;

    begin(&call, connection);
    path_type_request_write(
        &call.request,
        &(struct path_type_request){service_server_path(connection, path), (int32_t)type});
    return finish(&call, OP_REMOVE_WATCHES);
}

int32_t call_ephemerals(struct service *connection, struct slice path,
                        struct jute_vector *ret_paths)
{
    struct call call;

    begin_with_path(&call, connection, path);
    int32_t err = finish(&call, OP_GET_EPHEMERALS);
    if (err != ZK_OK)
        return err;
    *ret_paths = reader_texts(&call.answer);
    return checked(&call);
}

int32_t call_descendants(struct service *connection, struct slice path, int32_t *ret_count)
{
    struct call call;

    begin_with_path(&call, connection, path);
    int32_t err = finish(&call, OP_GET_ALL_CHILDREN_NUMBER);
    if (err != ZK_OK)
        return err;
    *ret_count = reader_i32(&call.answer);
    return checked(&call);
}

int32_t call_who_am_i(struct service *connection, struct jute_vector *ret_ids)
{
    struct call call;

    begin(&call, connection);
    int32_t err = finish(&call, OP_WHO_AM_I);
    if (err != ZK_OK)
        return err;
    int32_t count = reader_i32(&call.answer);
    const uint8_t *start = call.answer.pos;
    for (int32_t i = 0; i < count && call.answer.status == STATUS_OK; i++) {
        (void)reader_text(&call.answer);
        (void)reader_text(&call.answer);
    }
    *ret_ids = (struct jute_vector){slice_of(start, (size_t)(call.answer.pos - start)), count};
    return checked(&call);
}

static struct slice optional(const char *text)
{
    return text == NULL ? SLICE_NULL : slice_text(text);
}

int32_t call_reconfig(struct service *connection, const struct call_reconfig *reconfig,
                      struct slice *ret_data, struct zk_stat *ret_stat)
{
    struct call call;

    begin(&call, connection);
    reconfig_request_write(&call.request,
                           &(struct reconfig_request){.joining = optional(reconfig->joining),
                                                      .leaving = optional(reconfig->leaving),
                                                      .new_members = optional(reconfig->members),
                                                      .config_id = reconfig->version});
    int32_t err = finish(&call, OP_RECONFIG);
    if (err != ZK_OK)
        return err;
    *ret_data = reader_buffer(&call.answer);
    return read_stat(&call, ret_stat);
}

void call_put_delete_all(struct buffer *out, struct service *connection, char *const *paths,
                         size_t count)
{
    const struct multi_header each = {.type = OP_DELETE, .err = -1};
    const struct multi_header last = {.type = -1, .done = true, .err = -1};

    while (count > 0) {
        multi_header_write(out, &each);
        struct slice path = service_server_path(connection, slice_text(paths[--count]));
        path_version_request_write(out, &(struct path_version_request){path, /* version= */ -1});
    }
    multi_header_write(out, &last);
}

int32_t call_read_delete_all(struct slice answer)
{
    struct multi_header first;
    struct reader reader;
    int32_t err = ZK_OK;

    reader_init(&reader, answer, NULL, ANSWER_TEXT_BYTES_MAX);
    if (multi_header_read(&reader, &first) != STATUS_OK)
        return ZK_MARSHALLING_ERROR;
    while (first.type == OP_ERROR && !first.done) { /* none was deleted: which is to blame? */
        int32_t one = reader_i32(&reader);
        if (one != ZK_OK && one != ZK_RUNTIME_INCONSISTENCY)
            return one;
        if (multi_header_read(&reader, &first) != STATUS_OK)
            return ZK_MARSHALLING_ERROR;
        err = ZK_RUNTIME_INCONSISTENCY;
    }
    return err;
}
