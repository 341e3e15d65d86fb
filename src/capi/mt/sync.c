/* sync.c: the synchronous functions: the request of the asynchronous one, and a wait for its answer. The
 * caller's own thread reads the answer. */
#define THREADED
#include "capi/calls.h"
#include "capi/mt/inside.h"
#include "capi/reply.h"

/* A request under way, and who waits for it. */
struct answer {
    struct handle_wait wait;
    struct call *call;
    struct call_way way;
};

static const struct call_way *ask(struct answer *answer, enum call_kind kind)
{
    *answer = (struct answer){.way = {.kind = kind}};
    pthread_cond_init(&answer->wait.done_cond, NULL);
    answer->way.ret_call = &answer->call;
    answer->way.wait = &answer->wait;
    return &answer->way;
}

/* `rc` is what the call has given. Gives the answer's error; its body stays until drop(). */
static int await(zhandle_t *zh, struct answer *answer, int rc)
{
    if (rc != ZOK)
        return rc;
    wait_for_answer(zh, &answer->wait);
    return answer->call->request.err;
}

static int drop(struct answer *answer, int rc)
{
    if (answer->call != NULL) {
        deallocate_String_vector(&answer->call->names);
        client_request_deinit(&answer->call->request);
        mem_free(answer->call);
    }
    pthread_cond_destroy(&answer->wait.done_cond);
    return rc;
}

static int stat_after(struct reader *reader, struct Stat *stat)
{
    struct Stat unwanted;

    return reply_stat(reader, stat == NULL ? &unwanted : stat);
}

int zoo_create(zhandle_t *zh, const char *path, const char *value, int valuelen,
               const struct ACL_vector *acl, int mode, char *path_buffer, int path_buffer_len)
{
    return zoo_create_ttl(zh, path, value, valuelen, acl, mode, -1, path_buffer, path_buffer_len);
}

static int create(zhandle_t *zh, enum call_kind kind, const char *path, const char *value,
                  int valuelen, const struct ACL_vector *acl, int mode, int64_t ttl,
                  char *path_buffer, int path_buffer_len, struct Stat *stat)
{
    struct answer answer;
    struct reader reader;
    struct slice made = SLICE_NULL;
    int rc = await(zh, &answer,
                   call_create(zh, ask(&answer, kind), path, value, valuelen, acl, mode, ttl));

    if (rc == ZOK) {
        reply_reader(&reader, answer.call);
        rc = reply_path(zh, &reader, &made);
        if (rc == ZOK && stat != NULL && reader_left(&reader) > 0)
            rc = reply_stat(&reader, stat);
        if (rc == ZOK)
            reply_copy_text(made, path_buffer, path_buffer_len);
    }
    return drop(&answer, rc);
}

int zoo_create_ttl(zhandle_t *zh, const char *path, const char *value, int valuelen,
                   const struct ACL_vector *acl, int mode, int64_t ttl, char *path_buffer,
                   int path_buffer_len)
{
    return create(zh, CALL_STRING, path, value, valuelen, acl, mode, ttl, path_buffer,
                  path_buffer_len, NULL);
}

int zoo_create2(zhandle_t *zh, const char *path, const char *value, int valuelen,
                const struct ACL_vector *acl, int mode, char *path_buffer, int path_buffer_len,
                struct Stat *stat)
{
    return zoo_create2_ttl(zh, path, value, valuelen, acl, mode, -1, path_buffer, path_buffer_len,
                           stat);
}

int zoo_create2_ttl(zhandle_t *zh, const char *path, const char *value, int valuelen,
                    const struct ACL_vector *acl, int mode, int64_t ttl, char *path_buffer,
                    int path_buffer_len, struct Stat *stat)
{
    return create(zh, CALL_STRING_STAT, path, value, valuelen, acl, mode, ttl, path_buffer,
                  path_buffer_len, stat);
}

int zoo_delete(zhandle_t *zh, const char *path, int version)
{
    struct answer answer;

    return drop(&answer,
                await(zh, &answer, call_delete(zh, ask(&answer, CALL_VOID), path, version)));
}

static int exists(zhandle_t *zh, const char *path, struct call_watch watch, struct Stat *stat)
{
    struct answer answer;
    struct reader reader;
    int rc = await(zh, &answer, call_read(zh, ask(&answer, CALL_STAT), OP_EXISTS, path, watch));

    if (rc == ZOK) {
        reply_reader(&reader, answer.call);
        rc = stat_after(&reader, stat);
    }
    return drop(&answer, rc);
}

int zoo_exists(zhandle_t *zh, const char *path, int watch, struct Stat *stat)
{
    return exists(zh, path, (struct call_watch){.global = watch != 0}, stat);
}

int zoo_wexists(zhandle_t *zh, const char *path, watcher_fn watcher, void *watcherCtx,
                struct Stat *stat)
{
    return exists(zh, path, (struct call_watch){watcher, watcherCtx, false}, stat);
}

/* The data and the stat of an answer; frees it. */
static int take_data(struct answer *answer, int rc, char *buffer, int *buffer_len,
                     struct Stat *stat)
{
    struct reader reader;

    if (rc == ZOK) {
        reply_reader(&reader, answer->call);
        struct slice value = reader_buffer(&reader);
        rc = stat_after(&reader, stat);
        if (rc == ZOK && value.data == NULL) {
            *buffer_len = -1;
        } else if (rc == ZOK) {
            if (*buffer_len < 0 || buffer == NULL)
                *buffer_len = 0;
            if ((size_t)*buffer_len > value.size)
                *buffer_len = (int)value.size;
            if (*buffer_len > 0)
                memcpy(buffer, value.data, (size_t)*buffer_len);
        }
    }
    return drop(answer, rc);
}

static int get(zhandle_t *zh, const char *path, struct call_watch watch, char *buffer,
               int *buffer_len, struct Stat *stat)
{
    struct answer answer;

    if (buffer_len == NULL)
        return ZBADARGUMENTS;
    int rc = await(zh, &answer, call_read(zh, ask(&answer, CALL_DATA), OP_GET_DATA, path, watch));
    return take_data(&answer, rc, buffer, buffer_len, stat);
}

int zoo_get(zhandle_t *zh, const char *path, int watch, char *buffer, int *buffer_len,
            struct Stat *stat)
{
    return get(zh, path, (struct call_watch){.global = watch != 0}, buffer, buffer_len, stat);
}

int zoo_wget(zhandle_t *zh, const char *path, watcher_fn watcher, void *watcherCtx, char *buffer,
             int *buffer_len, struct Stat *stat)
{
    return get(zh, path, (struct call_watch){watcher, watcherCtx, false}, buffer, buffer_len, stat);
}

static int get_config(zhandle_t *zh, struct call_watch watch, char *buffer, int *buffer_len,
                      struct Stat *stat)
{
    struct answer answer;

    if (buffer_len == NULL)
        return ZBADARGUMENTS;
    int rc = await(zh, &answer, call_get_config(zh, ask(&answer, CALL_DATA), watch));
    return take_data(&answer, rc, buffer, buffer_len, stat);
}

int zoo_getconfig(zhandle_t *zh, int watch, char *buffer, int *buffer_len, struct Stat *stat)
{
    return get_config(zh, (struct call_watch){.global = watch != 0}, buffer, buffer_len, stat);
}

int zoo_wgetconfig(zhandle_t *zh, watcher_fn watcher, void *watcherCtx, char *buffer,
                   int *buffer_len, struct Stat *stat)
{
    return get_config(zh, (struct call_watch){watcher, watcherCtx, false}, buffer, buffer_len,
                      stat);
}

int zoo_reconfig(zhandle_t *zh, const char *joining, const char *leaving, const char *members,
                 int64_t version, char *buffer, int *buffer_len, struct Stat *stat)
{
    struct answer answer;

    if (buffer_len == NULL)
        return ZBADARGUMENTS;
    int rc = await(zh, &answer,
                   call_reconfig(zh, ask(&answer, CALL_DATA), joining, leaving, members, version));
    return take_data(&answer, rc, buffer, buffer_len, stat);
}

int zoo_set(zhandle_t *zh, const char *path, const char *buffer, int buflen, int version)
{
    return zoo_set2(zh, path, buffer, buflen, version, NULL);
}

int zoo_set2(zhandle_t *zh, const char *path, const char *buffer, int buflen, int version,
             struct Stat *stat)
{
    struct answer answer;
    struct reader reader;
    int rc =
        await(zh, &answer, call_set(zh, ask(&answer, CALL_STAT), path, buffer, buflen, version));

    if (rc == ZOK) {
        reply_reader(&reader, answer.call);
        rc = stat_after(&reader, stat);
    }
    return drop(&answer, rc);
}

/* Copies, made when the reply came if it has set a watch. The reader is behind them then. */
static int take_names(struct reader *reader, struct call *call, struct String_vector *ret_names)
{
    if (call->names.data == NULL)
        return reply_names(reader, ret_names);
    (void)reader_texts(reader);
    *ret_names = call->names;
    call->names = (struct String_vector){0};
    return ZOK;
}

static int get_children(zhandle_t *zh, int op, const char *path, struct call_watch watch,
                        struct String_vector *strings, struct Stat *stat)
{
    struct answer answer;
    struct reader reader;
    struct String_vector names = {0};
    int rc = await(zh, &answer, call_read(zh, ask(&answer, CALL_STRINGS), op, path, watch));

    if (rc == ZOK) {
        reply_reader(&reader, answer.call);
        rc = take_names(&reader, answer.call, &names);
        if (rc == ZOK && op == OP_GET_CHILDREN2)
            rc = stat_after(&reader, stat);
        if (rc == ZOK && strings != NULL)
            *strings = names;
        else
            deallocate_String_vector(&names);
    }
    return drop(&answer, rc);
}

int zoo_get_children(zhandle_t *zh, const char *path, int watch, struct String_vector *strings)
{
    return get_children(zh, OP_GET_CHILDREN, path, (struct call_watch){.global = watch != 0},
                        strings, NULL);
}

int zoo_wget_children(zhandle_t *zh, const char *path, watcher_fn watcher, void *watcherCtx,
                      struct String_vector *strings)
{
    return get_children(zh, OP_GET_CHILDREN, path, (struct call_watch){watcher, watcherCtx, false},
                        strings, NULL);
}

int zoo_get_children2(zhandle_t *zh, const char *path, int watch, struct String_vector *strings,
                      struct Stat *stat)
{
    return get_children(zh, OP_GET_CHILDREN2, path, (struct call_watch){.global = watch != 0},
                        strings, stat);
}

int zoo_wget_children2(zhandle_t *zh, const char *path, watcher_fn watcher, void *watcherCtx,
                       struct String_vector *strings, struct Stat *stat)
{
    return get_children(zh, OP_GET_CHILDREN2, path, (struct call_watch){watcher, watcherCtx, false},
                        strings, stat);
}

int zoo_get_acl(zhandle_t *zh, const char *path, struct ACL_vector *acl, struct Stat *stat)
{
    struct answer answer;
    struct reader reader;
    struct ACL_vector entries = {0};
    int rc = await(zh, &answer, call_path(zh, ask(&answer, CALL_ACL), OP_GET_ACL, path));

    if (rc == ZOK) {
        reply_reader(&reader, answer.call);
        rc = reply_acl(&reader, &entries);
        if (rc == ZOK)
            rc = stat_after(&reader, stat);
        if (rc == ZOK && acl != NULL)
            *acl = entries;
        else
            deallocate_ACL_vector(&entries);
    }
    return drop(&answer, rc);
}

int zoo_set_acl(zhandle_t *zh, const char *path, int version, const struct ACL_vector *acl)
{
    struct answer answer;

    return drop(&answer,
                await(zh, &answer, call_set_acl(zh, ask(&answer, CALL_VOID), path, version, acl)));
}

int zoo_multi(zhandle_t *zh, int count, const zoo_op_t *ops, zoo_op_result_t *results)
{
    struct answer answer;
    int rc = await(zh, &answer, call_multi(zh, ask(&answer, CALL_MULTI), count, ops, results));

    if (answer.call != NULL)
        rc = reply_multi(zh, answer.call);
    return drop(&answer, rc);
}

int zoo_remove_watches(zhandle_t *zh, const char *path, ZooWatcherType wtype, watcher_fn watcher,
                       void *watcherCtx, int local)
{
    struct answer answer;
    struct call_watch watch = {watcher, watcherCtx, false};

    if (watcher == NULL)
        return ZBADARGUMENTS;
    return drop(&answer, await(zh, &answer,
                               call_remove_watches(zh, ask(&answer, CALL_VOID), path, (int)wtype,
                                                   &watch, local != 0)));
}

int zoo_remove_all_watches(zhandle_t *zh, const char *path, ZooWatcherType wtype, int local)
{
    struct answer answer;

    return drop(&answer, await(zh, &answer,
                               call_remove_watches(zh, ask(&answer, CALL_VOID), path, (int)wtype,
                                                   NULL, local != 0)));
}
