/* zookeeper.h: the C API of ZooKeeper. Names, values and layouts are those of Apache ZooKeeper's C
 * client, so that programs built for one run with the other.
 *
 * Two libraries have this API. libzookeeper_mt has threads of its own: define THREADED before this line
 * to see its synchronous calls. libzookeeper_st has none: its user calls zookeeper_interest() and
 * zookeeper_process() in a loop, and has no synchronous calls.
 *
 * An asynchronous call returns ZOK when the request is under way, and its completion will run; with
 * any other result the completion never runs. Pointers that a completion or a watcher gets are
 * valid until it returns. A request that fails with ZCONNECTIONLOSS or ZOPERATIONTIMEOUT may have
 * been executed or not.
 *
 * Errors of nearly every call, besides those that are named at it: ZBADARGUMENTS (a NULL handle or path,
 * an invalid path), ZINVALIDSTATE (the session is over), ZSYSTEMERROR (no memory), ZCONNECTIONLOSS,
 * ZOPERATIONTIMEOUT (the connection was given up meanwhile), ZSESSIONEXPIRED, ZCLOSING
 * (zookeeper_close() was called meanwhile), ZNOAUTH, ZNOTREADONLY, ZTHROTTLEDOP. */
#ifndef ZOOKEEPER_H
#define ZOOKEEPER_H

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "proto.h"
#include "recordio.h"
#include "zookeeper.jute.h"
#include "zookeeper_version.h"

#define ZOOAPI __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

enum ZOO_ERRORS {
    ZOK = 0,
    /* Of the library, or of the system. */
    ZSYSTEMERROR = -1, /* no memory */
    ZRUNTIMEINCONSISTENCY =
        -2, /* an unexpected reply; in a multi: after the operation that failed */
    ZDATAINCONSISTENCY = -3,
    ZCONNECTIONLOSS = -4,   /* the connection was lost before the reply arrived */
    ZMARSHALLINGERROR = -5, /* a request or a reply that cannot be decoded */
    ZUNIMPLEMENTED = -6,
    ZOPERATIONTIMEOUT = -7, /* the server was silent for too long */
    ZBADARGUMENTS = -8,
    ZINVALIDSTATE = -9, /* the session is over, or the handle is being closed */
    ZNEWCONFIGNOQUORUM = -13,
    ZRECONFIGINPROGRESS = -14,
    ZSSLCONNECTIONERROR = -15,
    /* Of the service. */
    ZAPIERROR = -100,
    ZNONODE = -101,
    ZNOAUTH = -102,
    ZBADVERSION = -103,
    ZNOCHILDRENFOREPHEMERALS = -108,
    ZNODEEXISTS = -110,
    ZNOTEMPTY = -111,
    ZSESSIONEXPIRED = -112,
    ZINVALIDCALLBACK = -113,
    ZINVALIDACL = -114,
    ZAUTHFAILED = -115,
    ZCLOSING = -116,
    ZNOTHING = -117, /* no error: there was nothing to process */
    ZSESSIONMOVED = -118,
    ZNOTREADONLY = -119, /* a write, sent to a read-only server */
    ZEPHEMERALONLOCALSESSION = -120,
    ZNOWATCHER = -121,
    ZRECONFIGDISABLED = -123,
    ZSESSIONCLOSEDREQUIRESASLAUTH = -124,
    ZTHROTTLEDOP = -127
};

typedef enum {
    ZOO_LOG_LEVEL_ERROR = 1,
    ZOO_LOG_LEVEL_WARN = 2,
    ZOO_LOG_LEVEL_INFO = 3,
    ZOO_LOG_LEVEL_DEBUG = 4
} ZooLogLevel;

/* Permissions of an ACL. */
extern ZOOAPI const int ZOO_PERM_READ;
extern ZOOAPI const int ZOO_PERM_WRITE;
extern ZOOAPI const int ZOO_PERM_CREATE;
extern ZOOAPI const int ZOO_PERM_DELETE;
extern ZOOAPI const int ZOO_PERM_ADMIN;
extern ZOOAPI const int ZOO_PERM_ALL;

extern ZOOAPI struct Id ZOO_ANYONE_ID_UNSAFE;
extern ZOOAPI struct Id ZOO_AUTH_IDS; /* in an ACL: all identities of the client that sets it */
extern ZOOAPI struct ACL_vector ZOO_OPEN_ACL_UNSAFE;
extern ZOOAPI struct ACL_vector ZOO_READ_ACL_UNSAFE;
extern ZOOAPI struct ACL_vector ZOO_CREATOR_ALL_ACL;

#define ZOO_CONFIG_NODE "/zookeeper/config"

/* Flags of zookeeper_init(). */
#define ZOO_READONLY 1         /* a read-only server is acceptable */
#define ZOO_NO_LOG_CLIENTENV 2 /* no lines about the environment in the log */

/* What zookeeper_interest() asks for. */
extern ZOOAPI const int ZOOKEEPER_WRITE;
extern ZOOAPI const int ZOOKEEPER_READ;

/* Modes of zoo_create(). */
extern ZOOAPI const int ZOO_PERSISTENT;
extern ZOOAPI const int ZOO_EPHEMERAL;
extern ZOOAPI const int ZOO_PERSISTENT_SEQUENTIAL;
extern ZOOAPI const int ZOO_EPHEMERAL_SEQUENTIAL;
extern ZOOAPI const int ZOO_CONTAINER;
extern ZOOAPI const int ZOO_PERSISTENT_WITH_TTL;
extern ZOOAPI const int ZOO_PERSISTENT_SEQUENTIAL_WITH_TTL;
extern ZOOAPI const int ZOO_SEQUENCE; /* the older form: ZOO_EPHEMERAL | ZOO_SEQUENCE */

/* States. The first two are final. */
extern ZOOAPI const int ZOO_EXPIRED_SESSION_STATE;
extern ZOOAPI const int ZOO_AUTH_FAILED_STATE;
extern ZOOAPI const int ZOO_CONNECTING_STATE;
extern ZOOAPI const int ZOO_ASSOCIATING_STATE;
extern ZOOAPI const int ZOO_CONNECTED_STATE;
extern ZOOAPI const int ZOO_READONLY_STATE;
extern ZOOAPI const int ZOO_SSL_CONNECTING_STATE;
extern ZOOAPI const int ZOO_NOTCONNECTED_STATE;

/* Types of events. */
extern ZOOAPI const int ZOO_CREATED_EVENT;
extern ZOOAPI const int ZOO_DELETED_EVENT;
extern ZOOAPI const int ZOO_CHANGED_EVENT;
extern ZOOAPI const int ZOO_CHILD_EVENT;
extern ZOOAPI const int ZOO_SESSION_EVENT; /* the state has changed; the path is "" */
extern ZOOAPI const int ZOO_NOTWATCHING_EVENT;

typedef struct _zhandle zhandle_t;

typedef struct _zcert {
    char *certstr;
    char *ca;
    char *cert;
    char *key;
    char *passwd;
} zcert_t;

typedef struct _zsock {
    int sock;
    zcert_t *cert;
} zsock_t;

/* Identifies a session and its owner; keep it secret. */
typedef struct {
    int64_t client_id;
    char passwd[16];
} clientid_t;

/* One operation of a multi. Fill it with the functions below. */
typedef struct zoo_op {
    int type;
    union {
        struct {
            const char *path;
            const char *data;
            int datalen;
            char *buf; /* for the path that was made */
            int buflen;
            const struct ACL_vector *acl;
            int flags;
            int64_t ttl;
        } create_op;
        struct {
            const char *path;
            int version;
        } delete_op;
        struct {
            const char *path;
            const char *data;
            int datalen;
            int version;
            struct Stat *stat; /* for the new stat; may be NULL */
        } set_op;
        struct {
            const char *path;
            int version;
        } check_op;
    };
} zoo_op_t;

void zoo_create_op_init(zoo_op_t *op, const char *path, const char *value, int valuelen,
                        const struct ACL_vector *acl, int mode, char *path_buffer,
                        int path_buffer_len);
void zoo_create2_op_init(zoo_op_t *op, const char *path, const char *value, int valuelen,
                         const struct ACL_vector *acl, int mode, char *path_buffer,
                         int path_buffer_len);
void zoo_delete_op_init(zoo_op_t *op, const char *path, int version);
void zoo_set_op_init(zoo_op_t *op, const char *path, const char *buffer, int buflen, int version,
                     struct Stat *stat);
void zoo_check_op_init(zoo_op_t *op, const char *path, int version);

/* Of a multi. In a failed one `err` is ZOK for the operations before the one that failed and
 * ZRUNTIMEINCONSISTENCY for those after it; nothing has been done. */
typedef struct zoo_op_result {
    int err;
    char *value; /* the buffer of the create operation */
    int valuelen;
    struct Stat *stat;
} zoo_op_result_t;

typedef void (*watcher_fn)(zhandle_t *zh, int type, int state, const char *path, void *watcherCtx);
typedef void (*log_callback_fn)(const char *message);

/* A handle and its session. `host` is "host:port,host:port/chroot"; an IPv6 address has no brackets.
 * `fn` is called for each change of the session's state. `clientid`: a session to continue, or
 * NULL. Returns at once and connects in the background. NULL, with errno: EINVAL (the string or its
 * chroot is invalid), ENOENT (no name is known), EAGAIN (no name server answers), ENOMEM, or the
 * system's error. */
ZOOAPI zhandle_t *zookeeper_init(const char *host, watcher_fn fn, int recv_timeout,
                                 const clientid_t *clientid, void *context, int flags);
ZOOAPI zhandle_t *zookeeper_init2(const char *host, watcher_fn fn, int recv_timeout,
                                  const clientid_t *clientid, void *context, int flags,
                                  log_callback_fn log_callback);

/* TLS and SASL are not in this build: NULL, with errno ENOTSUP. */
ZOOAPI zhandle_t *zookeeper_init_ssl(const char *host, const char *cert, watcher_fn fn,
                                     int recv_timeout, const clientid_t *clientid, void *context,
                                     int flags);
typedef struct zoo_sasl_params {
    const char *service;
    const char *host;
    const char *mechlist;
    const void *callbacks;
} zoo_sasl_params_t;
ZOOAPI zhandle_t *zookeeper_init_sasl(const char *host, watcher_fn fn, int recv_timeout,
                                      const clientid_t *clientid, void *context, int flags,
                                      log_callback_fn log_callback, zoo_sasl_params_t *sasl_params);

/* Ends the session and frees the handle. Completions that are still waiting run with ZCLOSING before it
 * returns; none runs after. May be called in a watcher or a completion. */
ZOOAPI int zookeeper_close(zhandle_t *zh);

/* Sets another list of servers, without a chroot. The client moves to another server when that is
 * needed to spread all clients evenly. On an error the old list stays. */
ZOOAPI int zoo_set_servers(zhandle_t *zh, const char *hosts);
/* While connected, names are looked up again no more often than this; 0: at each ping; -1: never. */
ZOOAPI int zoo_set_servers_resolution_delay(zhandle_t *zh, int delay_ms);
ZOOAPI void zoo_cycle_next_server(zhandle_t *zh);
/* "address:port", in memory of the handle. */
ZOOAPI const char *zoo_get_current_server(zhandle_t *zh);
ZOOAPI struct sockaddr *zookeeper_get_connected_host(zhandle_t *zh, struct sockaddr *addr,
                                                     socklen_t *addr_len);
ZOOAPI const clientid_t *zoo_client_id(zhandle_t *zh);
/* The timeout that the server has granted, in milliseconds. */
ZOOAPI int zoo_recv_timeout(zhandle_t *zh);
ZOOAPI const void *zoo_get_context(zhandle_t *zh);
ZOOAPI void zoo_set_context(zhandle_t *zh, void *context);
/* The former one. */
ZOOAPI watcher_fn zoo_set_watcher(zhandle_t *zh, watcher_fn newFn);
ZOOAPI int zoo_state(zhandle_t *zh);
/* ZINVALIDSTATE: the session is over, make another handle. */
ZOOAPI int is_unrecoverable(zhandle_t *zh);
ZOOAPI const char *zerror(int c);
ZOOAPI const char *zoo_version_str(void);
/* 1: in all handles that are made from now on, servers are tried in the order of the list. */
ZOOAPI void zoo_deterministic_conn_order(int yesOrNo);

ZOOAPI void zoo_set_debug_level(ZooLogLevel logLevel);
ZOOAPI void zoo_set_log_stream(FILE *logStream);
ZOOAPI log_callback_fn zoo_get_log_callback(const zhandle_t *zh);
ZOOAPI void zoo_set_log_callback(zhandle_t *zh, log_callback_fn callback);

#ifndef THREADED
/* What the handle waits for: wait until *fd (-1: none) is ready for *interest, at most *tv, and then
 * call zookeeper_process(). Errors, after which it is called again: ZCONNECTIONLOSS, ZOPERATIONTIMEOUT;
 * and ZINVALIDSTATE. */
ZOOAPI int zookeeper_interest(zhandle_t *zh, int *fd, int *interest, struct timeval *tv);
/* Reads, writes, and runs completions and watchers. ZNOTHING, which is no error: `events` said that there
 * was something to read, and there was nothing. */
ZOOAPI int zookeeper_process(zhandle_t *zh, int events);
#endif

typedef void (*void_completion_t)(int rc, const void *data);
typedef void (*stat_completion_t)(int rc, const struct Stat *stat, const void *data);
typedef void (*data_completion_t)(int rc, const char *value, int value_len, const struct Stat *stat,
                                  const void *data);
typedef void (*strings_completion_t)(int rc, const struct String_vector *strings, const void *data);
typedef void (*strings_stat_completion_t)(int rc, const struct String_vector *strings,
                                          const struct Stat *stat, const void *data);
typedef void (*string_completion_t)(int rc, const char *value, const void *data);
typedef void (*string_stat_completion_t)(int rc, const char *string, const struct Stat *stat,
                                         const void *data);
typedef void (*acl_completion_t)(int rc, struct ACL_vector *acl, struct Stat *stat,
                                 const void *data);

/* ZNONODE (no parent), ZNODEEXISTS, ZNOCHILDRENFOREPHEMERALS, ZINVALIDACL. valuelen -1: null data. */
ZOOAPI int zoo_acreate(zhandle_t *zh, const char *path, const char *value, int valuelen,
                       const struct ACL_vector *acl, int mode, string_completion_t completion,
                       const void *data);
/* ttl: 1 to 2^40-1 milliseconds with a TTL mode, otherwise -1. */
ZOOAPI int zoo_acreate_ttl(zhandle_t *zh, const char *path, const char *value, int valuelen,
                           const struct ACL_vector *acl, int mode, int64_t ttl,
                           string_completion_t completion, const void *data);
ZOOAPI int zoo_acreate2(zhandle_t *zh, const char *path, const char *value, int valuelen,
                        const struct ACL_vector *acl, int mode, string_stat_completion_t completion,
                        const void *data);
ZOOAPI int zoo_acreate2_ttl(zhandle_t *zh, const char *path, const char *value, int valuelen,
                            const struct ACL_vector *acl, int mode, int64_t ttl,
                            string_stat_completion_t completion, const void *data);
/* ZNONODE, ZBADVERSION, ZNOTEMPTY. version -1: any. */
ZOOAPI int zoo_adelete(zhandle_t *zh, const char *path, int version, void_completion_t completion,
                       const void *data);
/* ZNONODE: it does not exist, and the watch is set. */
ZOOAPI int zoo_aexists(zhandle_t *zh, const char *path, int watch, stat_completion_t completion,
                       const void *data);
ZOOAPI int zoo_awexists(zhandle_t *zh, const char *path, watcher_fn watcher, void *watcherCtx,
                        stat_completion_t completion, const void *data);
/* ZNONODE: it does not exist, and no watch is set. */
ZOOAPI int zoo_aget(zhandle_t *zh, const char *path, int watch, data_completion_t completion,
                    const void *data);
ZOOAPI int zoo_awget(zhandle_t *zh, const char *path, watcher_fn watcher, void *watcherCtx,
                     data_completion_t completion, const void *data);
ZOOAPI int zoo_agetconfig(zhandle_t *zh, int watch, data_completion_t completion, const void *data);
ZOOAPI int zoo_awgetconfig(zhandle_t *zh, watcher_fn watcher, void *watcherCtx,
                           data_completion_t completion, const void *data);
/* ZRECONFIGDISABLED, ZNEWCONFIGNOQUORUM, ZRECONFIGINPROGRESS, ZBADVERSION. */
ZOOAPI int zoo_areconfig(zhandle_t *zh, const char *joining, const char *leaving,
                         const char *members, int64_t version, data_completion_t dc,
                         const void *data);
/* ZNONODE, ZBADVERSION. */
ZOOAPI int zoo_aset(zhandle_t *zh, const char *path, const char *buffer, int buflen, int version,
                    stat_completion_t completion, const void *data);
ZOOAPI int zoo_aget_children(zhandle_t *zh, const char *path, int watch,
                             strings_completion_t completion, const void *data);
ZOOAPI int zoo_awget_children(zhandle_t *zh, const char *path, watcher_fn watcher, void *watcherCtx,
                              strings_completion_t completion, const void *data);
ZOOAPI int zoo_aget_children2(zhandle_t *zh, const char *path, int watch,
                              strings_stat_completion_t completion, const void *data);
ZOOAPI int zoo_awget_children2(zhandle_t *zh, const char *path, watcher_fn watcher,
                               void *watcherCtx, strings_stat_completion_t completion,
                               const void *data);
/* The server has caught up with all that was agreed before. */
ZOOAPI int zoo_async(zhandle_t *zh, const char *path, string_completion_t completion,
                     const void *data);
ZOOAPI int zoo_aget_acl(zhandle_t *zh, const char *path, acl_completion_t completion,
                        const void *data);
ZOOAPI int zoo_aset_acl(zhandle_t *zh, const char *path, int version, struct ACL_vector *acl,
                        void_completion_t completion, const void *data);
/* All of it or nothing. `ops` and `results` must stay until the completion runs. ZUNIMPLEMENTED: an
 * operation that cannot be part of a multi. */
ZOOAPI int zoo_amulti(zhandle_t *zh, int count, const zoo_op_t *ops, zoo_op_result_t *results,
                      void_completion_t completion, const void *data);
/* Sent now, and again after each reconnection. ZAUTHFAILED in the completion ends the session. */
ZOOAPI int zoo_add_auth(zhandle_t *zh, const char *scheme, const char *cert, int certLen,
                        void_completion_t completion, const void *data);

typedef enum { ZWATCHTYPE_CHILD = 1, ZWATCHTYPE_DATA = 2, ZWATCHTYPE_ANY = 3 } ZooWatcherType;

/* ZNOWATCHER. local: without asking a server. The completion is a void_completion_t, cast to a pointer
 * to one: the type is a mistake as old as the function, and programs depend on it. */
ZOOAPI int zoo_aremove_watches(zhandle_t *zh, const char *path, ZooWatcherType wtype,
                               watcher_fn watcher, void *watcherCtx, int local,
                               void_completion_t *completion, const void *data);
ZOOAPI int zoo_aremove_all_watches(zhandle_t *zh, const char *path, ZooWatcherType wtype, int local,
                                   void_completion_t *completion, const void *data);
ZOOAPI int zoo_remove_all_watches(zhandle_t *zh, const char *path, ZooWatcherType wtype, int local);

#ifdef THREADED
/* The same, but they wait for the answer. path_buffer gets the path that was created, cut to its
 * length and always with a zero byte at its end. */
ZOOAPI int zoo_create(zhandle_t *zh, const char *path, const char *value, int valuelen,
                      const struct ACL_vector *acl, int mode, char *path_buffer,
                      int path_buffer_len);
ZOOAPI int zoo_create_ttl(zhandle_t *zh, const char *path, const char *value, int valuelen,
                          const struct ACL_vector *acl, int mode, int64_t ttl, char *path_buffer,
                          int path_buffer_len);
ZOOAPI int zoo_create2(zhandle_t *zh, const char *path, const char *value, int valuelen,
                       const struct ACL_vector *acl, int mode, char *path_buffer,
                       int path_buffer_len, struct Stat *stat);
ZOOAPI int zoo_create2_ttl(zhandle_t *zh, const char *path, const char *value, int valuelen,
                           const struct ACL_vector *acl, int mode, int64_t ttl, char *path_buffer,
                           int path_buffer_len, struct Stat *stat);
ZOOAPI int zoo_delete(zhandle_t *zh, const char *path, int version);
ZOOAPI int zoo_exists(zhandle_t *zh, const char *path, int watch, struct Stat *stat);
ZOOAPI int zoo_wexists(zhandle_t *zh, const char *path, watcher_fn watcher, void *watcherCtx,
                       struct Stat *stat);
/* *buffer_len: the buffer's size, and then how much of it is used; -1 for null data. What does not fit
 * is cut off, without an error: stat->dataLength has the real length. */
ZOOAPI int zoo_get(zhandle_t *zh, const char *path, int watch, char *buffer, int *buffer_len,
                   struct Stat *stat);
ZOOAPI int zoo_wget(zhandle_t *zh, const char *path, watcher_fn watcher, void *watcherCtx,
                    char *buffer, int *buffer_len, struct Stat *stat);
ZOOAPI int zoo_getconfig(zhandle_t *zh, int watch, char *buffer, int *buffer_len,
                         struct Stat *stat);
ZOOAPI int zoo_wgetconfig(zhandle_t *zh, watcher_fn watcher, void *watcherCtx, char *buffer,
                          int *buffer_len, struct Stat *stat);
ZOOAPI int zoo_reconfig(zhandle_t *zh, const char *joining, const char *leaving,
                        const char *members, int64_t version, char *buffer, int *buffer_len,
                        struct Stat *stat);
ZOOAPI int zoo_set(zhandle_t *zh, const char *path, const char *buffer, int buflen, int version);
ZOOAPI int zoo_set2(zhandle_t *zh, const char *path, const char *buffer, int buflen, int version,
                    struct Stat *stat);
/* deallocate_String_vector() frees the names. */
ZOOAPI int zoo_get_children(zhandle_t *zh, const char *path, int watch,
                            struct String_vector *strings);
ZOOAPI int zoo_wget_children(zhandle_t *zh, const char *path, watcher_fn watcher, void *watcherCtx,
                             struct String_vector *strings);
ZOOAPI int zoo_get_children2(zhandle_t *zh, const char *path, int watch,
                             struct String_vector *strings, struct Stat *stat);
ZOOAPI int zoo_wget_children2(zhandle_t *zh, const char *path, watcher_fn watcher, void *watcherCtx,
                              struct String_vector *strings, struct Stat *stat);
/* deallocate_ACL_vector() frees the entries. */
ZOOAPI int zoo_get_acl(zhandle_t *zh, const char *path, struct ACL_vector *acl, struct Stat *stat);
ZOOAPI int zoo_set_acl(zhandle_t *zh, const char *path, int version, const struct ACL_vector *acl);
ZOOAPI int zoo_multi(zhandle_t *zh, int count, const zoo_op_t *ops, zoo_op_result_t *results);
ZOOAPI int zoo_remove_watches(zhandle_t *zh, const char *path, ZooWatcherType wtype,
                              watcher_fn watcher, void *watcherCtx, int local);
#endif

#ifdef __cplusplus
}
#endif

#endif
