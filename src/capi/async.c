/* async.c: the asynchronous functions of the public API. Each says what its completion is, and the rest is
 * in calls.c. */
#include "capi/calls.h"
#include "capi/threads.h"

#define WAY(kind_of_call, completion, completion_data)                                             \
    (&(struct call_way){.kind = (kind_of_call),                                                    \
                        .function = (void (*)(void))(completion),                                  \
                        .data = (completion_data)})

static struct call_watch global_if(int watch)
{
    return (struct call_watch){.global = watch != 0};
}

static struct call_watch watch_by(watcher_fn watcher, void *context)
{
    return (struct call_watch){.function = watcher, .context = context};
}

int zoo_acreate(zhandle_t *zh, const char *path, const char *value, int valuelen,
                const struct ACL_vector *acl, int mode, string_completion_t completion,
                const void *data)
{
    return zoo_acreate_ttl(zh, path, value, valuelen, acl, mode, -1, completion, data);
}

int zoo_acreate_ttl(zhandle_t *zh, const char *path, const char *value, int valuelen,
                    const struct ACL_vector *acl, int mode, int64_t ttl,
                    string_completion_t completion, const void *data)
{
    return call_create(zh, WAY(CALL_STRING, completion, data), path, value, valuelen, acl, mode,
                       ttl);
}

int zoo_acreate2(zhandle_t *zh, const char *path, const char *value, int valuelen,
                 const struct ACL_vector *acl, int mode, string_stat_completion_t completion,
                 const void *data)
{
    return zoo_acreate2_ttl(zh, path, value, valuelen, acl, mode, -1, completion, data);
}

int zoo_acreate2_ttl(zhandle_t *zh, const char *path, const char *value, int valuelen,
                     const struct ACL_vector *acl, int mode, int64_t ttl,
                     string_stat_completion_t completion, const void *data)
{
    return call_create(zh, WAY(CALL_STRING_STAT, completion, data), path, value, valuelen, acl,
                       mode, ttl);
}

int zoo_adelete(zhandle_t *zh, const char *path, int version, void_completion_t completion,
                const void *data)
{
    return call_delete(zh, WAY(CALL_VOID, completion, data), path, version);
}

int zoo_aexists(zhandle_t *zh, const char *path, int watch, stat_completion_t completion,
                const void *data)
{
    return call_read(zh, WAY(CALL_STAT, completion, data), OP_EXISTS, path, global_if(watch));
}

int zoo_awexists(zhandle_t *zh, const char *path, watcher_fn watcher, void *watcherCtx,
                 stat_completion_t completion, const void *data)
{
    return call_read(zh, WAY(CALL_STAT, completion, data), OP_EXISTS, path,
                     watch_by(watcher, watcherCtx));
}

int zoo_aget(zhandle_t *zh, const char *path, int watch, data_completion_t completion,
             const void *data)
{
    return call_read(zh, WAY(CALL_DATA, completion, data), OP_GET_DATA, path, global_if(watch));
}

int zoo_awget(zhandle_t *zh, const char *path, watcher_fn watcher, void *watcherCtx,
              data_completion_t completion, const void *data)
{
    return call_read(zh, WAY(CALL_DATA, completion, data), OP_GET_DATA, path,
                     watch_by(watcher, watcherCtx));
}

int zoo_agetconfig(zhandle_t *zh, int watch, data_completion_t completion, const void *data)
{
    return call_get_config(zh, WAY(CALL_DATA, completion, data), global_if(watch));
}

int zoo_awgetconfig(zhandle_t *zh, watcher_fn watcher, void *watcherCtx,
                    data_completion_t completion, const void *data)
{
    return call_get_config(zh, WAY(CALL_DATA, completion, data), watch_by(watcher, watcherCtx));
}

int zoo_areconfig(zhandle_t *zh, const char *joining, const char *leaving, const char *members,
                  int64_t version, data_completion_t dc, const void *data)
{
    return call_reconfig(zh, WAY(CALL_DATA, dc, data), joining, leaving, members, version);
}

int zoo_aset(zhandle_t *zh, const char *path, const char *buffer, int buflen, int version,
             stat_completion_t completion, const void *data)
{
    return call_set(zh, WAY(CALL_STAT, completion, data), path, buffer, buflen, version);
}

int zoo_aget_children(zhandle_t *zh, const char *path, int watch, strings_completion_t completion,
                      const void *data)
{
    return call_read(zh, WAY(CALL_STRINGS, completion, data), OP_GET_CHILDREN, path,
                     global_if(watch));
}

int zoo_awget_children(zhandle_t *zh, const char *path, watcher_fn watcher, void *watcherCtx,
                       strings_completion_t completion, const void *data)
{
    return call_read(zh, WAY(CALL_STRINGS, completion, data), OP_GET_CHILDREN, path,
                     watch_by(watcher, watcherCtx));
}

int zoo_aget_children2(zhandle_t *zh, const char *path, int watch,
                       strings_stat_completion_t completion, const void *data)
{
    return call_read(zh, WAY(CALL_STRINGS_STAT, completion, data), OP_GET_CHILDREN2, path,
                     global_if(watch));
}

int zoo_awget_children2(zhandle_t *zh, const char *path, watcher_fn watcher, void *watcherCtx,
                        strings_stat_completion_t completion, const void *data)
{
    return call_read(zh, WAY(CALL_STRINGS_STAT, completion, data), OP_GET_CHILDREN2, path,
                     watch_by(watcher, watcherCtx));
}

int zoo_async(zhandle_t *zh, const char *path, string_completion_t completion, const void *data)
{
    return call_path(zh, WAY(CALL_STRING, completion, data), OP_SYNC, path);
}

int zoo_aget_acl(zhandle_t *zh, const char *path, acl_completion_t completion, const void *data)
{
    return call_path(zh, WAY(CALL_ACL, completion, data), OP_GET_ACL, path);
}

int zoo_aset_acl(zhandle_t *zh, const char *path, int version, struct ACL_vector *acl,
                 void_completion_t completion, const void *data)
{
    return call_set_acl(zh, WAY(CALL_VOID, completion, data), path, version, acl);
}

int zoo_amulti(zhandle_t *zh, int count, const zoo_op_t *ops, zoo_op_result_t *results,
               void_completion_t completion, const void *data)
{
    return call_multi(zh, WAY(CALL_MULTI, completion, data), count, ops, results);
}

int zoo_aremove_watches(zhandle_t *zh, const char *path, ZooWatcherType wtype, watcher_fn watcher,
                        void *watcherCtx, int local, void_completion_t *completion,
                        const void *data)
{
    struct call_watch watch = watch_by(watcher, watcherCtx);

    if (watcher == NULL)
        return ZBADARGUMENTS;
    return call_remove_watches(zh, WAY(CALL_VOID, (uintptr_t)completion, data), path, (int)wtype,
                               &watch, local != 0);
}

int zoo_aremove_all_watches(zhandle_t *zh, const char *path, ZooWatcherType wtype, int local,
                            void_completion_t *completion, const void *data)
{
    return call_remove_watches(zh, WAY(CALL_VOID, (uintptr_t)completion, data), path, (int)wtype,
                               NULL, local != 0);
}

int zoo_add_auth(zhandle_t *zh, const char *scheme, const char *cert, int certLen,
                 void_completion_t completion, const void *data)
{
    if (zh == NULL || scheme == NULL || (cert == NULL && certLen > 0))
        return ZBADARGUMENTS;
    struct slice proof = cert == NULL || certLen < 0 ? SLICE_NULL : slice_of(cert, (size_t)certLen);
    handle_lock(zh);
    int rc = (int)client_add_auth(&zh->client, slice_text(scheme), proof,
                                  (void (*)(void))completion, data);
    if (rc == ZOK)
        threads_wake_for_request(zh);
    handle_unlock(zh);
    return rc;
}

/* The operations of a multi. */

void zoo_create_op_init(zoo_op_t *op, const char *path, const char *value, int valuelen,
                        const struct ACL_vector *acl, int mode, char *path_buffer,
                        int path_buffer_len)
{
    op->type = mode == ZOO_CONTAINER ? ZOO_CREATE_CONTAINER_OP : ZOO_CREATE_OP;
    op->create_op.path = path;
    op->create_op.data = value;
    op->create_op.datalen = valuelen;
    op->create_op.acl = acl;
    op->create_op.flags = mode;
    op->create_op.ttl = 0;
    op->create_op.buf = path_buffer;
    op->create_op.buflen = path_buffer_len;
}

void zoo_create2_op_init(zoo_op_t *op, const char *path, const char *value, int valuelen,
                         const struct ACL_vector *acl, int mode, char *path_buffer,
                         int path_buffer_len)
{
    zoo_create_op_init(op, path, value, valuelen, acl, mode, path_buffer, path_buffer_len);
    op->type = ZOO_CREATE2_OP;
}

void zoo_delete_op_init(zoo_op_t *op, const char *path, int version)
{
    op->type = ZOO_DELETE_OP;
    op->delete_op.path = path;
    op->delete_op.version = version;
}

void zoo_set_op_init(zoo_op_t *op, const char *path, const char *buffer, int buflen, int version,
                     struct Stat *stat)
{
    op->type = ZOO_SETDATA_OP;
    op->set_op.path = path;
    op->set_op.data = buffer;
    op->set_op.datalen = buflen;
    op->set_op.version = version;
    op->set_op.stat = stat;
}

void zoo_check_op_init(zoo_op_t *op, const char *path, int version)
{
    op->type = ZOO_CHECK_OP;
    op->check_op.path = path;
    op->check_op.version = version;
}
