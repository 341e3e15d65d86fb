/* requests.h: every request that a client can make.
 *
 * Paths come without the chroot. Each returns CLIENT_OK, and the request then completes through
 * client_take_done(); or CLIENT_BAD_ARGUMENTS, CLIENT_INVALID_ACL, CLIENT_INVALID_STATE (the
 * session is over) or CLIENT_NO_MEMORY, and it never completes. A watcher may be NULL: no watch. */
#ifndef CLIENT_REQUESTS_H
#define CLIENT_REQUESTS_H

#include "client/client.h"
#include "wire/jute.h"

struct client_acl {
    int32_t perms;
    struct slice scheme, id;
};

struct client_create {
    struct slice path, data;
    const struct client_acl *acl;
    size_t acl_count;
    int32_t mode;   /* enum zk_create_mode */
    int64_t ttl_ms; /* only with the TTL modes; else -1 */
    bool with_stat; /* create2 */
};
MUST_USE enum client_error client_create(struct client *client, struct client_request *request,
                                         const struct client_create *create);
MUST_USE enum client_error client_delete(struct client *client, struct client_request *request,
                                         struct slice path, int32_t version);
/* OP_EXISTS, OP_GET_DATA, OP_GET_CHILDREN, OP_GET_CHILDREN2: with the watch that each of them sets. */
MUST_USE enum client_error client_read(struct client *client, struct client_request *request,
                                       int32_t op, struct slice path,
                                       const struct client_watcher *watcher);
/* getData of /zookeeper/config, which is never under the chroot. */
MUST_USE enum client_error client_get_config(struct client *client, struct client_request *request,
                                             const struct client_watcher *watcher);
/* OP_SYNC, OP_GET_ACL: a path and nothing else. */
MUST_USE enum client_error client_path(struct client *client, struct client_request *request,
                                       int32_t op, struct slice path);
MUST_USE enum client_error client_set_data(struct client *client, struct client_request *request,
                                           struct slice path, struct slice data, int32_t version);
MUST_USE enum client_error client_set_acl(struct client *client, struct client_request *request,
                                          struct slice path, const struct client_acl *acl,
                                          size_t acl_count, int32_t version);
MUST_USE enum client_error client_reconfig(struct client *client, struct client_request *request,
                                           struct slice joining, struct slice leaving,
                                           struct slice members, int64_t version);

/* Removes a watcher (NULL: all watchers) of these kinds from a path, when the server has agreed; or at
 * once and without a server. CLIENT_NO_WATCHER: there is none. `type` is an enum zk_watcher_type. */
MUST_USE enum client_error client_remove_watches(struct client *client,
                                                 struct client_request *request, struct slice path,
                                                 int32_t type,
                                                 const struct client_watcher *watcher);
MUST_USE enum client_error client_remove_watches_here(struct client *client, struct slice path,
                                                      int32_t type,
                                                      const struct client_watcher *watcher);

/* Any request: `body` as the server reads it, its paths with the chroot. Only CLIENT_INVALID_STATE or
 * CLIENT_NO_MEMORY. */
MUST_USE enum client_error client_raw(struct client *client, struct client_request *request,
                                      int32_t op, struct slice body);
/* The same, and it is not kept: client_options.on_answer is told the answer. A client has such requests or
 * others, not both at once. */
MUST_USE enum client_error client_send(struct client *client, int32_t op, struct slice body);
/* Call it before client_raw(): the reply sets a watch on `path`, by this rule. CLIENT_NO_MEMORY. */
MUST_USE enum client_error client_want_watch(struct client *client, struct client_request *request,
                                             struct slice path, enum client_watch_rule rule,
                                             const struct client_watcher *watcher);

/* One operation of a multi: OP_CREATE, OP_CREATE_CONTAINER, OP_CREATE2, OP_CREATE_TTL (from
 * create.mode and create.with_stat), OP_DELETE, OP_SET_DATA or OP_CHECK. */
struct client_op {
    int32_t op;
    struct client_create create; /* path and data also of the others */
    int32_t version;
};
MUST_USE enum client_error client_multi(struct client *client, struct client_request *request,
                                        const struct client_op *ops, size_t count);

/* The answer to a multi, read one operation after another: its number, and its error. */
struct client_multi_answer {
    int32_t op; /* OP_ERROR: only err is set */
    int32_t err;
    struct slice path; /* of a create; with the chroot */
    bool has_stat;
    const uint8_t *stat; /* STAT_BYTES */
};
/* STATUS_END after the last; STATUS_MALFORMED. */
MUST_USE enum status client_multi_next(struct reader *reader,
                                       struct client_multi_answer *ret_answer);

#endif
