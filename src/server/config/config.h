/* config.h: what the operator wants, from zoo.cfg and the -D properties in SERVER_JVMFLAGS and
 * JVMFLAGS.
 *
 * Names, defaults, ranges and exit codes are those of ZooKeeper and of the system
 * properties that ZooKeeper's classes read; docs/compatibility.md says where we differ. A line of
 * the file overrides a -D property of the same name, because Java sets the property from the
 * file. */
#ifndef SERVER_CONFIG_CONFIG_H
#define SERVER_CONFIG_CONFIG_H

#include "base/arena.h"
#include "server/config/exit_code.h"
#include "server/config/properties.h"

#include <sys/socket.h>

struct config_problem {
    bool error;          /* false: a warning */
    enum exit_code code; /* of an error */
    int line;            /* 0: not about one line */
    const char *text;
};

/* One struct per consumer: a room reads the struct that is meant for it. */
struct directories_config {
    const char *data, *log; /* the same when dataLogDir is not given */
    bool autocreate;
};

struct loop_config {
    int32_t busy_poll_us; /* poll the sockets for this long before sleeping; 0: sleep at once */
};

struct session_config {
    int32_t tick_ms, timeout_min_ms, timeout_max_ms;
};

struct jute_config { /* what a record may have at most: read by front, replica and store */
    int32_t buffer_bytes_max;
    int32_t extra_bytes; /* for what a server adds to a request; -1: as buffer_bytes_max */
};

struct connection_throttle_config { /* connection_throttle_* */
    int32_t tokens_max, fill_time_ms, fill_count, freeze_time_ms;
    double drop_increase, drop_decrease, decrease_ratio;
    bool weighted;
    int32_t weight_global, weight_local, weight_renew;
    int32_t weight_new; /* of a new session: one of the first two */
};

struct front_config {
    bool port_set;
    int32_t port;                         /* 0: any free one */
    const char *address;                  /* NULL: all */
    struct sockaddr_storage bind_address; /* of the two above; config_resolve() fills it */
    int32_t listen_backlog;
    int32_t connections_per_host_max, connections_max; /* <= 0: no limit */
    int32_t sessionless_timeout_ms;
    bool tcp_keep_alive;
    int32_t large_request_bytes_max, large_request_threshold;
    struct connection_throttle_config throttle;
};

struct words_config {      /* four-letter words */
    const char *whitelist; /* NULL: only srvr */
    bool read_only_mode;
};

struct request_config {
    int32_t outstanding_max;
    int32_t throttle_max, throttle_stall_ms, throttled_op_wait_ms;
    /* request_throttle_drop_stale, request_stale_*_check */
    bool throttle_drops_stale, stale_connection_check, stale_latency_check;
    bool close_lists_paths; /* closeSessionTxn.enabled */
    bool eager_acl_check;   /* enableEagerACLCheck */
    bool enforce_quota, skip_acl, reconfig_enabled;
};

struct container_config {
    int32_t check_interval_ms, per_minute_max;
    int64_t never_used_max_ms;
};

struct auth_config {
    bool digest_enabled, ensemble_enabled; /* is the scheme there? */
    const char *super_digest;              /* NULL: nobody is super */
    const char *digest_algorithm;
    bool enforced;
    const char *enforced_schemes, *ensemble_names; /* NULL: not given */
};

struct tree_config {
    bool extended_types, emulate_353_ttl;
    bool digest_enabled; /* of the tree, and in the log's records */
};

struct log_config {
    int64_t prealloc_bytes, size_limit_bytes;
    bool force_sync;
    int64_t fsync_warning_ms, flush_delay_ms;
    int64_t write_queue_poll_ms; /* -1: flush_delay_ms / 3 */
    int32_t batch_max;
};

struct snapshot_config {
    int32_t count;
    int64_t size_limit_bytes;
    bool last_zxid_section;
    const char *compression; /* a name that store knows; any other: none */
    int32_t retain;
    int64_t purge_interval_ms; /* <= 0: off */
};

struct recovery_config {
    bool trust_empty, db_autocreate;
};

/* clientPortAddress, and the host after `;` in the own server line, when they are written differently:
 * config_resolve() looks whether they are one. */
struct client_hosts {
    const char *from_key, *from_line; /* NULL: nothing to compare */
    int64_t id;
    int line;
};

struct membership;
struct ensemble_config {
    int64_t my_id; /* the number in the file myid; -1: there is no such file */
    int32_t voters, observers;
    bool standalone_enabled, multi_address;
    int32_t init_limit, sync_limit;
    double snapshot_size_factor;
    const char *oracle_path;   /* NULL: none */
    int32_t history_count;     /* commitLogCount; 0: not given */
    int32_t redial_ms;         /* leaderConnectDelayDuringRetryMs; -1: not given */
    int32_t epoch_wait_max_ms; /* leader.maxTimeToWaitForEpoch; below 0: off */
    bool checks_reach;         /* multiAddress.reachabilityCheck*: of each of several addresses */
    int32_t reach_timeout_ms;
    int32_t hello_timeout_ms;               /* quorumCnxnTimeoutMs; <= 0: syncLimit */
    bool force_snapshot;                    /* forceSnapshotSync */
    int32_t snap_syncs_max, diff_syncs_max; /* leader.maxConcurrent*Syncs */
    int32_t connect_limit;                /* connectToLearnerMasterLimit, in ticks; 0: init_limit */
    bool leader_serves;                   /* a leader takes clients, too */
    bool local_sessions, local_upgrading; /* localSessions*Enabled */
    int32_t resend_min_ms, resend_max_ms; /* fastleader.*: between two notifications */
    int32_t observer_master_port;         /* where followers serve observers; 0: nowhere */
    int64_t observer_reconnect_ms, observer_election_ms; /* observer.*: waits are below these */
    bool sync_enabled;                                   /* syncEnabled, */
    const char *observer_sync; /* and observer.syncEnabled, which comes first; NULL: not given */
    const char *dynamic_file, *peer_type;
    struct client_hosts client_hosts;
    struct membership *members; /* who they are (replica/membership); NULL: not read yet */
};

struct peers_config {
    bool listen_on_all; /* at every address of the machine */
    bool tcp_keep_alive;
    int32_t connect_timeout_ms;
    int32_t bind_retry; /* of the election port; 0: for ever, < 0: the default */
};

struct config {
    const char *path; /* of the file; NULL: none */
    struct directories_config directories;
    struct loop_config loop;
    struct session_config session;
    struct jute_config jute;
    struct front_config front;
    struct words_config words;
    struct request_config request;
    struct container_config container;
    struct auth_config auth;
    struct tree_config tree;
    struct log_config log;
    struct snapshot_config snapshot;
    struct recovery_config recovery;
    struct ensemble_config ensemble;
    struct peers_config peers;
    struct {
        bool flag;
        int32_t number;
    } checked_only; /* Java refuses a bad value; a good one has no effect here */

    struct config_problem *problems; /* in the order in which they were found */
    size_t problem_count, problem_capacity;
    struct properties file, flags; /* the lines of zoo.cfg, the -D properties */
    struct arena arena;            /* owns every text above */
};

void config_init(struct config *config); /* Java's defaults */
void config_deinit(struct config *config);

/* -Dname=value arguments, quoted as in a shell. Call it before config_parse(). Other arguments are
 * JVM options and are ignored. */
void config_add_flags(struct config *config, const char *flags);
/* The text of a zoo.cfg. Problems are kept in the config; touches no file and no network. */
void config_parse(struct config *config, const char *path, struct slice text);
/* Reads what is only in files: myid, the dynamic file, whether directories with ` #` in their names
 * exist. Then checks the keys against each other. Changes nothing and does not use the network. */
void config_complete(struct config *config);
/* For a start, when there is no error: the names of hosts become addresses. Blocks in DNS. */
void config_resolve(struct config *config);
/* Read the file, parse, complete. */
void config_load(struct config *config, const char *path);
/* The "port datadir [ticktime] [maxcnxns]" form. False: one of the arguments is not a number. */
MUST_USE bool config_from_words(struct config *config, int word_count, char **words);

/* The first error, or NULL. */
const struct config_problem *config_error(const struct config *config);
void config_problem(struct config *config, bool error, enum exit_code code, int line,
                    const char *format, ...) __attribute__((format(printf, 5, 6)));
#define config_warn(config, line, ...)                                                             \
    config_problem(config, false, EXIT_CODE_OK, line, __VA_ARGS__)
#define config_invalid(config, line, ...)                                                          \
    config_problem(config, true, EXIT_CODE_INVALID, line, __VA_ARGS__)
#define config_refuse(config, line, ...)                                                           \
    config_problem(config, true, EXIT_CODE_UNEXPECTED, line, __VA_ARGS__)
/* The last line of the file that gives this key; 0: none. */
int config_line_of(const struct config *config, const char *key);
const char *config_text(struct config *config, const char *format, ...)
    __attribute__((format(printf, 2, 3))); /* lives as long as the config */

#endif
