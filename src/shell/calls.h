/* calls.h: one function for each request that the shell makes. Each blocks; the answer is ZK_OK, the
 * server's error, or CALL_CONNECTION_LOSS (service.h). What is returned through pointers is valid
 * until the next call. An answer that does not follow its format is ZK_MARSHALLING_ERROR. */
#ifndef SHELL_CALLS_H
#define SHELL_CALLS_H

#include "shell/service.h"
#include "wire/records.h"

struct call_create {
    struct slice path, data;
    struct slice acl; /* a vector of the wire */
    enum zk_create_mode mode;
    int64_t ttl_ms;
};
/* Of the bytes of a list as they stand on the wire, at least its number. */
struct jute_vector call_acl(struct slice bytes);
/* Appends the request alone to `out`. Returns its operation. */
int32_t call_put_create(struct buffer *out, struct service *connection,
                        const struct call_create *create);
int32_t call_create(struct service *connection, const struct call_create *create,
                    struct slice *ret_path);
int32_t call_delete(struct service *connection, struct slice path, int32_t version);
int32_t call_set(struct service *connection, struct slice path, struct slice data, int32_t version,
                 struct zk_stat *ret_stat);
int32_t call_get(struct service *connection, struct slice path, bool watch, struct slice *ret_data,
                 struct zk_stat *ret_stat);
int32_t call_exists(struct service *connection, struct slice path, bool watch,
                    struct zk_stat *ret_stat);
/* Children with stat. */
int32_t call_children(struct service *connection, struct slice path, bool watch,
                      struct jute_vector *ret_names, struct zk_stat *ret_stat);
int32_t call_get_acl(struct service *connection, struct slice path, struct jute_vector *ret_acl,
                     struct zk_stat *ret_stat);
int32_t call_set_acl(struct service *connection, struct slice path, struct slice acl,
                     int32_t version, struct zk_stat *ret_stat);
int32_t call_sync(struct service *connection, struct slice path);
int32_t call_add_watch(struct service *connection, struct slice path, enum zk_watch_mode mode);
int32_t call_remove_watches(struct service *connection, struct slice path,
                            enum zk_watcher_type type);
/* Paths of this session's ephemerals that begin with `path`, chroot included. */
int32_t call_ephemerals(struct service *connection, struct slice path,
                        struct jute_vector *ret_paths);
int32_t call_descendants(struct service *connection, struct slice path, int32_t *ret_count);
/* Identities as a vector of scheme and id. */
int32_t call_who_am_i(struct service *connection, struct jute_vector *ret_ids);
struct call_reconfig {
    const char *joining, *leaving, *members; /* NULL: not given */
    int64_t version;
};
int32_t call_reconfig(struct service *connection, const struct call_reconfig *reconfig,
                      struct slice *ret_data, struct zk_stat *ret_stat);
/* A multi that deletes all or none of the paths, the last one first; the body of its answer. */
void call_put_delete_all(struct buffer *out, struct service *connection, char *const *paths,
                         size_t count);
int32_t call_read_delete_all(struct slice answer);

#endif
