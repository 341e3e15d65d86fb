/* config.h: what the operator wants, from zoo.cfg and the -D words of SERVER_JVMFLAGS and JVMFLAGS.
 *
 * Names, defaults, ranges and exit codes are those of QuorumPeerConfig.java and of the system
 * properties that ZooKeeper's classes read; docs/compatibility.md tells where we differ. A line of
 * the file wins over a -D word of the same name, because Java sets the property from the file. */
#ifndef SERVER_CONFIG_CONFIG_H
#define SERVER_CONFIG_CONFIG_H

#include "base/arena.h"
#include "server/config/properties.h"

enum exit_code {
    EXIT_CODE_OK = 0,
    EXIT_CODE_UNEXPECTED = 1, /* port taken, damaged data, asked for what is not done here */
    EXIT_CODE_INVALID = 2,    /* invalid arguments or configuration */
    EXIT_CODE_DATA_DIR = 3,   /* dataDir or dataLogDir unusable */
};

struct config_problem {
    bool error;          /* false: a warning */
    enum exit_code code; /* of an error */
    int line;            /* 0: not about one line */
    const char *text;
};

struct config {
    const char *path; /* of the file; NULL: none */

    /* where */
    const char *data_dir, *data_log_dir; /* data_log_dir equals data_dir when not given */
    bool data_dir_autocreate;
    bool client_port_set;
    int32_t client_port;             /* 0: any free one */
    const char *client_port_address; /* NULL: all */
    int32_t client_port_listen_backlog;
    int64_t server_id; /* from myid; -1: none */

    /* sessions and connections */
    int32_t tick_ms, session_timeout_min_ms, session_timeout_max_ms;
    int32_t client_cnxns_max, cnxns_max; /* per host, in all; <= 0: no limit */
    int32_t sessionless_timeout_ms;
    bool tcp_keep_alive;
    int32_t jute_maxbuffer, jute_extra; /* jute_extra -1: as jute_maxbuffer */
    int32_t large_request_bytes_max, large_request_threshold;
    const char *four_letter_whitelist; /* NULL: only srvr */
    bool read_only_mode;

    /* the connection throttle (BlueThrottle.java) */
    int32_t throttle_tokens, throttle_fill_time_ms, throttle_fill_count, throttle_freeze_time_ms;
    double throttle_drop_increase, throttle_drop_decrease, throttle_decrease_ratio;
    bool throttle_weighted;
    int32_t throttle_weight_global, throttle_weight_local, throttle_weight_renew;

    /* requests */
    int32_t outstanding_max;
    int32_t request_throttle_max, request_throttle_stall_ms, throttled_op_wait_ms;
    bool enforce_quota, skip_acl, reconfig_enabled, extended_types, emulate_353_ttl;
    int32_t container_check_interval_ms, container_per_minute_max;
    int64_t container_never_used_max_ms;

    /* identities */
    bool digest_auth_enabled, ensemble_auth;
    const char *super_digest, *digest_algorithm; /* NULL: nobody is super */
    bool enforce_auth;
    const char *enforce_auth_schemes, *ensemble_names; /* NULL: not given */

    /* storage */
    int64_t prealloc_bytes, txn_log_size_limit_bytes, snap_size_limit_bytes;
    int32_t snap_count;
    bool force_sync, digest_enabled, trust_empty, last_zxid_section, db_autocreate;
    const char *snapshot_compression; /* "gz", "snappy", anything else: none */
    int64_t fsync_warning_ms, flush_delay_ms, write_queue_poll_ms; /* -1: flush_delay / 3 */
    int32_t batch_max;
    int32_t purge_retain;
    int64_t purge_interval_ms; /* <= 0: off */

    /* the ensemble that the file describes */
    int32_t voters, observers;
    bool standalone_enabled, multi_address;
    int32_t init_limit, sync_limit;
    const char *dynamic_config_file, *peer_type, *initial_config;

    bool unused_bool; /* checked, because Java checks it, and then of no interest */
    int32_t unused_int;

    struct config_problem *problems; /* in the order in which they were found */
    size_t problem_count, problem_capacity;
    struct properties file, words; /* zoo.cfg's lines, -D words */
    struct arena arena;            /* owns every text above */
};

void config_init(struct config *config); /* Java's defaults */
void config_deinit(struct config *config);

/* -Dname=value words, quoted as a shell would. Call before config_parse(). Other words are JVM
 * options and ignored. */
void config_add_flags(struct config *config, const char *flags);
/* The text of a zoo.cfg. Problems are kept in the config; touches no file and no network. */
void config_parse(struct config *config, const char *path, struct slice text);
/* What only the machine can tell: myid, dynamic file, names of hosts, directories with ` #` in their
 * names. Then the checks across keys. */
void config_complete(struct config *config);
/* Read the file, parse, complete. */
void config_load(struct config *config, const char *path);
/* The "port datadir [ticktime] [maxcnxns]" form. False: one of the words is no number. */
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
const char *config_text(struct config *config, const char *format, ...)
    __attribute__((format(printf, 2, 3))); /* lives as long as the config */

#endif
