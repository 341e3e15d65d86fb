/* calls.h: making a request on a handle, for the asynchronous and the synchronous functions alike.
 * Each returns ZOK when the request is under way; otherwise an error, and then the completion never
 * runs. */
#ifndef CAPI_CALLS_H
#define CAPI_CALLS_H

#include "capi/handle.h"

/* Where the answer goes: to a function of the kind's type, or to a caller that waits. */
struct call_way {
    enum call_kind kind;
    void (*function)(void);
    const void *data;
    struct call **ret_call; /* NULL, or the caller waits for this one and then frees it */
    struct handle_wait *wait;
};

/* The function that a watch calls; NULL: no watch. `global`: the handle's own, as it is now. */
struct call_watch {
    watcher_fn function;
    void *context;
    bool global;
};

int call_create(zhandle_t *zh, const struct call_way *way, const char *path, const char *value,
                int valuelen, const struct ACL_vector *acl, int mode, int64_t ttl);
int call_delete(zhandle_t *zh, const struct call_way *way, const char *path, int version);
int call_read(zhandle_t *zh, const struct call_way *way, int op, const char *path,
              struct call_watch watch);
int call_get_config(zhandle_t *zh, const struct call_way *way, struct call_watch watch);
int call_path(zhandle_t *zh, const struct call_way *way, int op, const char *path);
int call_set(zhandle_t *zh, const struct call_way *way, const char *path, const char *buffer,
             int buflen, int version);
int call_set_acl(zhandle_t *zh, const struct call_way *way, const char *path, int version,
                 const struct ACL_vector *acl);
int call_reconfig(zhandle_t *zh, const struct call_way *way, const char *joining,
                  const char *leaving, const char *members, int64_t version);
int call_multi(zhandle_t *zh, const struct call_way *way, int count, const zoo_op_t *ops,
               zoo_op_result_t *results);
/* watcher NULL: all. Local ones are done at once, and the function is called before this returns. */
int call_remove_watches(zhandle_t *zh, const struct call_way *way, const char *path, int type,
                        const struct call_watch *watch, bool local);
/* The last of a session. */
int call_close(zhandle_t *zh, const struct call_way *way);

#endif
