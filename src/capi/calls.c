/* calls.c: arguments of the public functions to requests of the client. Everything that a caller can get
 * wrong is an error here, never an assertion. */
#include "capi/calls.h"

#include "capi/threads.h"
#include "client/requests.h"

enum { ACL_ON_THE_STACK = 8 };

/* Whoever tries until there is memory must learn that the session is over. */
static int refusal_without_memory(zhandle_t *zh)
{
    handle_lock(zh);
    bool over = client_is_dead(&zh->client) || zh->client.closing;
    handle_unlock(zh);
    return over ? ZINVALIDSTATE : ZSYSTEMERROR;
}

/* Takes the lock when it succeeds. */
static int begin(zhandle_t *zh, const struct call_way *way, struct call **ret_call)
{
    if (zh == NULL)
        return ZBADARGUMENTS;
    struct call *call = mem_try_alloc(sizeof(*call));
    if (call == NULL)
        return refusal_without_memory(zh);
    client_request_init(&call->request);
    call->kind = way->kind;
    call->function = way->function;
    call->data = way->data;
    call->wait = way->wait;
    call->ops = NULL;
    call->results = NULL;
    call->op_count = 0;
    call->names = (struct String_vector){0};
    handle_lock(zh);
    *ret_call = call;
    return ZOK;
}

/* Lets the lock go. */
static int end(zhandle_t *zh, const struct call_way *way, struct call *call, enum client_error err)
{
    if (err == CLIENT_OK) {
        if (way->ret_call != NULL) {
            *way->ret_call = call;
            zh->waiting++;
        }
        threads_wake_for_request(zh);
        handle_unlock(zh);
        return ZOK;
    }
    handle_unlock(zh);
    client_request_deinit(&call->request);
    mem_free(call);
    return (int)err;
}

static struct slice text_or_null(const char *text)
{
    return text == NULL ? SLICE_NULL : slice_text(text);
}

/* A negative length is null data. */
static struct slice data_of(const char *value, int size)
{
    return value == NULL || size < 0 ? SLICE_NULL : slice_of(value, (size_t)size);
}

static size_t acl_count(const struct ACL_vector *acl)
{
    return acl == NULL || acl->count < 0 || acl->data == NULL ? 0 : (size_t)acl->count;
}

static void fill_acl(const struct ACL_vector *acl, struct client_acl *ret_entries)
{
    for (size_t i = 0; i < acl_count(acl); i++)
        ret_entries[i] = (struct client_acl){.perms = acl->data[i].perms,
                                             .scheme = text_or_null(acl->data[i].id.scheme),
                                             .id = text_or_null(acl->data[i].id.id)};
}

/* The ACL as the client wants it; in `small` when it fits. NULL: no memory. */
static struct client_acl *acl_of(const struct ACL_vector *acl,
                                 struct client_acl small[ACL_ON_THE_STACK])
{
    size_t count = acl_count(acl);
    struct client_acl *entries =
        count <= ACL_ON_THE_STACK ? small : mem_try_alloc(count * sizeof(*entries));

    if (entries != NULL)
        fill_acl(acl, entries);
    return entries;
}

int call_create(zhandle_t *zh, const struct call_way *way, const char *path, const char *value,
                int valuelen, const struct ACL_vector *acl, int mode, int64_t ttl)
{
    struct client_acl small[ACL_ON_THE_STACK];
    struct call *call;

    if (path == NULL || (value == NULL && valuelen > 0))
        return ZBADARGUMENTS;
    if (acl == NULL)
        return zh == NULL ? ZBADARGUMENTS : ZINVALIDACL;
    struct client_acl *entries = acl_of(acl, small);
    if (entries == NULL)
        return ZSYSTEMERROR;
    int rc = begin(zh, way, &call);
    if (rc == ZOK) {
        struct client_create create = {.path = slice_text(path),
                                       .data = data_of(value, valuelen),
                                       .acl = entries,
                                       .acl_count = acl_count(acl),
                                       .mode = mode,
                                       .ttl_ms = ttl,
                                       .with_stat = way->kind == CALL_STRING_STAT};
        if (value == NULL && valuelen == 0)
            create.data = SLICE("");
        rc = end(zh, way, call, client_create(&zh->client, &call->request, &create));
    }
    if (entries != small)
        mem_free(entries);
    return rc;
}

int call_delete(zhandle_t *zh, const struct call_way *way, const char *path, int version)
{
    struct call *call;
    int rc = path == NULL ? ZBADARGUMENTS : begin(zh, way, &call);

    if (rc != ZOK)
        return rc;
    return end(zh, way, call,
               client_delete(&zh->client, &call->request, slice_text(path), version));
}

/* The watcher, or NULL for none. The lock is held. */
static const struct client_watcher *watcher_of(const zhandle_t *zh, struct call_watch watch,
                                               struct client_watcher *watcher)
{
    *watcher = (struct client_watcher){(void (*)(void))watch.function, watch.context};
    if (watch.global)
        *watcher = (struct client_watcher){(void (*)(void))zh->watcher, zh->context};
    return watcher->function == NULL ? NULL : watcher;
}

int call_read(zhandle_t *zh, const struct call_way *way, int op, const char *path,
              struct call_watch watch)
{
    struct client_watcher watcher;
    struct call *call;
    int rc = path == NULL ? ZBADARGUMENTS : begin(zh, way, &call);

    if (rc != ZOK)
        return rc;
    return end(zh, way, call,
               client_read(&zh->client, &call->request, op, slice_text(path),
                           watcher_of(zh, watch, &watcher)));
}

int call_get_config(zhandle_t *zh, const struct call_way *way, struct call_watch watch)
{
    struct client_watcher watcher;
    struct call *call;
    int rc = begin(zh, way, &call);

    if (rc != ZOK)
        return rc;
    return end(zh, way, call,
               client_get_config(&zh->client, &call->request, watcher_of(zh, watch, &watcher)));
}

int call_path(zhandle_t *zh, const struct call_way *way, int op, const char *path)
{
    struct call *call;
    int rc = path == NULL ? ZBADARGUMENTS : begin(zh, way, &call);

    if (rc != ZOK)
        return rc;
    return end(zh, way, call, client_path(&zh->client, &call->request, op, slice_text(path)));
}

int call_set(zhandle_t *zh, const struct call_way *way, const char *path, const char *buffer,
             int buflen, int version)
{
    struct call *call;
    int rc = path == NULL || (buffer == NULL && buflen > 0) ? ZBADARGUMENTS : begin(zh, way, &call);

    if (rc != ZOK)
        return rc;
    return end(zh, way, call,
               client_set_data(&zh->client, &call->request, slice_text(path),
                               data_of(buffer, buflen), version));
}

int call_set_acl(zhandle_t *zh, const struct call_way *way, const char *path, int version,
                 const struct ACL_vector *acl)
{
    struct client_acl small[ACL_ON_THE_STACK];
    struct client_acl *entries;
    struct call *call;

    if (path == NULL)
        return ZBADARGUMENTS;
    entries = acl_of(acl, small);
    if (entries == NULL)
        return ZSYSTEMERROR;
    int rc = begin(zh, way, &call);
    if (rc == ZOK)
        rc = end(zh, way, call,
                 client_set_acl(&zh->client, &call->request, slice_text(path), entries,
                                acl_count(acl), version));
    if (entries != small)
        mem_free(entries);
    return rc;
}

int call_reconfig(zhandle_t *zh, const struct call_way *way, const char *joining,
                  const char *leaving, const char *members, int64_t version)
{
    struct call *call;
    int rc = begin(zh, way, &call);

    if (rc != ZOK)
        return rc;
    return end(zh, way, call,
               client_reconfig(&zh->client, &call->request, text_or_null(joining),
                               text_or_null(leaving), text_or_null(members), version));
}

int call_remove_watches(zhandle_t *zh, const struct call_way *way, const char *path, int type,
                        const struct call_watch *watch, bool local)
{
    struct client_watcher watcher, *wanted = NULL;
    enum client_error err;
    struct call *call;
    int rc = path == NULL ? ZBADARGUMENTS : begin(zh, way, &call);

    if (rc != ZOK)
        return rc;
    if (watch != NULL) {
        watcher = (struct client_watcher){(void (*)(void))watch->function, watch->context};
        wanted = &watcher;
    }
    if (!local)
        return end(
            zh, way, call,
            client_remove_watches(&zh->client, &call->request, slice_text(path), type, wanted));
    err = client_remove_watches_here(&zh->client, slice_text(path), type, wanted);
    if (err == CLIENT_OK) { /* complete as it is */
        list_add_last(&zh->client.done, &call->request.item.link);
        return end(zh, way, call, CLIENT_OK);
    }
    return end(zh, way, call, err);
}

int call_close(zhandle_t *zh, const struct call_way *way)
{
    struct call *call;
    int rc = begin(zh, way, &call);

    if (rc != ZOK)
        return rc;
    client_close_session(&zh->client, &call->request, handle_now_ms());
    return end(zh, way, call, CLIENT_OK);
}

/* Multi. */

static int op_of(const zoo_op_t *from, struct client_op *ret_op, struct client_acl *acl)
{
    const struct ACL_vector *wanted = from->create_op.acl;

    switch (from->type) {
    case ZOO_CREATE_OP:
    case ZOO_CREATE_CONTAINER_OP:
        if (from->create_op.path == NULL)
            return ZBADARGUMENTS;
        if (wanted == NULL)
            return ZINVALIDACL;
        fill_acl(wanted, acl);
        *ret_op = (struct client_op){
            .op = OP_CREATE,
            .create = {.path = slice_text(from->create_op.path),
                       .data = data_of(from->create_op.data, from->create_op.datalen),
                       .acl = acl,
                       .acl_count = acl_count(wanted),
                       .mode = from->create_op.flags,
                       .ttl_ms = -1}};
        return ZOK;
    case ZOO_SETDATA_OP:
        if (from->set_op.path == NULL)
            return ZBADARGUMENTS;
        *ret_op =
            (struct client_op){.op = OP_SET_DATA,
                               .create = {.path = slice_text(from->set_op.path),
                                          .data = data_of(from->set_op.data, from->set_op.datalen)},
                               .version = from->set_op.version};
        return ZOK;
    case ZOO_DELETE_OP:
    case ZOO_CHECK_OP: /* the same layout */
        if (from->delete_op.path == NULL)
            return ZBADARGUMENTS;
        *ret_op = (struct client_op){.op = from->type == ZOO_DELETE_OP ? OP_DELETE : OP_CHECK,
                                     .create = {.path = slice_text(from->delete_op.path)},
                                     .version = from->delete_op.version};
        return ZOK;
    default:
        return ZUNIMPLEMENTED;
    }
}

static size_t acl_entries(const zoo_op_t *op)
{
    bool creates = op->type == ZOO_CREATE_OP || op->type == ZOO_CREATE_CONTAINER_OP;

    return creates ? acl_count(op->create_op.acl) : 0;
}

/* All operations, in one piece of memory with their ACLs behind them. */
static int make_ops(int count, const zoo_op_t *from, struct client_op **ret_ops)
{
    size_t entries = 0, used = 0;

    for (int i = 0; i < count; i++)
        entries += acl_entries(&from[i]);
    struct client_op *ops =
        mem_try_alloc((size_t)count * sizeof(*ops) + (entries + 1) * sizeof(struct client_acl));
    if (ops == NULL)
        return ZSYSTEMERROR;
    struct client_acl *acl = (struct client_acl *)(void *)(ops + count);
    for (int i = 0; i < count; i++) {
        size_t here = acl_entries(&from[i]);
        int rc = op_of(&from[i], &ops[i], acl + used);
        if (rc != ZOK) {
            mem_free(ops);
            return rc;
        }
        used += here;
    }
    *ret_ops = ops;
    return ZOK;
}

int call_multi(zhandle_t *zh, const struct call_way *way, int count, const zoo_op_t *ops,
               zoo_op_result_t *results)
{
    struct client_op *made;
    struct call *call;

    if (zh == NULL || count < 0 || (count > 0 && ops == NULL))
        return ZBADARGUMENTS;
    int rc = make_ops(count, ops, &made);
    if (rc != ZOK)
        return rc;
    rc = begin(zh, way, &call);
    if (rc == ZOK) {
        call->ops = ops;
        call->results = results;
        call->op_count = count;
        rc = end(zh, way, call, client_multi(&zh->client, &call->request, made, (size_t)count));
    }
    mem_free(made);
    return rc;
}
