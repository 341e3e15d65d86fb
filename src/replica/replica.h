/* replica.h: one server, as a pure machine. Events in, effects out; nothing else.
 *
 * It reads no clock, socket, file, thread or random source: time comes with every event, chance
 * with the options. The daemon (src/server/) and the simulator drive exactly this.
 *
 * Order of a turn: step once for each thing that happened; then carry out the effects once (one
 * log write and sync, one send per client); then effects_clear(). */
#ifndef REPLICA_REPLICA_H
#define REPLICA_REPLICA_H

#include "base/summary.h"
#include "replica/effects/effects.h"
#include "replica/tree/tree.h"

struct replica_options {
    int32_t tick_ms;                                        /* > 0 */
    int32_t session_timeout_min_ms, session_timeout_max_ms; /* min <= max */
    uint8_t server_id;       /* top byte of session ids; 1 when alone */
    int64_t session_seed_ms; /* wall clock at start: first session id */
    uint64_t random_seed;    /* spreads snapshots */
    size_t text_bytes_max;   /* jute.maxbuffer + extrasize */
    bool enforce_quota, skip_acl, reconfig_enabled;
    /* auth */
    bool digest_auth_enabled;
    struct slice digest_algorithm;     /* "SHA1", "SHA-256", ...; borrowed for replica's life */
    struct slice super_digest;         /* "super:<base64>"; null: nobody is super */
    struct slice enforce_auth_schemes; /* comma list; null: not enforced */
    struct slice ensemble_names;       /* comma list; null: any name is right */
    bool ensemble_auth;                /* the ensemble scheme is registered */
    /* throttles */
    int32_t outstanding_max;       /* globalOutstandingLimit; <= 0: none */
    int32_t throttle_requests_max; /* request_throttle_max_requests; <= 0: off */
    int32_t throttle_stall_ms;
    int32_t throttled_op_wait_ms; /* <= 0: off */
    /* janitors */
    int32_t container_check_interval_ms, container_per_minute_max;
    int64_t container_never_used_max_ms; /* 0: kept for ever */
    /* snapshots */
    int32_t snap_count;              /* >= 2 */
    int64_t snap_size_limit_bytes;   /* <= 0: off */
    bool snapshot_last_zxid_section; /* serializeLastProcessedZxid.enabled */
};

enum replica_event_kind {
    REPLICA_CLIENT_OPENED, /* client, address */
    REPLICA_CLIENT_FRAME,  /* client, bytes: one frame's payload, borrowed for the call */
    REPLICA_CLIENT_CLOSED, /* client: its connection is gone; the id may be used again */
    REPLICA_CLIENT_READY,  /* client: after CLIENT_HOLD, there is room for more answers */
    REPLICA_LOG_SYNCED,    /* zxid: all appends up to it are durable */
    REPLICA_SNAPSHOT_DONE, /* the image was written (or given up): a new one may begin */
    REPLICA_TICK           /* time passed; at least every tick_ms, and at wake_at_ms */
};

struct replica_event {
    enum replica_event_kind kind;
    uint32_t client; /* small and dense: chosen by front, free again after CLOSED */
    int64_t now_ms;  /* monotonic */
    int64_t wall_ms; /* since 1970; goes into transactions, decides nothing */
    int64_t zxid;
    struct slice bytes;
    struct slice address; /* textual peer address, Java's getHostAddress form */
};

struct replica;
/* Takes the tree. Options are copied (their slices are borrowed for life). */
struct replica *replica_new(const struct replica_options *options, struct tree *tree,
                            int64_t now_ms);
void replica_free(struct replica *replica);
/* Appends to `effects`. Never fails: bad input is answered, closed or ignored. */
void replica_step(struct replica *replica, const struct replica_event *event,
                  struct effects *effects);

/* After snapshot_begin: the next part of the image (about bytes_max bytes, appended to `out`).
 * `ret_seal` true: a checksum seal stands behind this part. False: the image ended with the part
 * before. The bytes are those of a snapshot file without its seals. */
bool replica_snapshot_next(struct replica *replica, struct buffer *out, size_t bytes_max,
                           bool *ret_seal);
int64_t replica_snapshot_zxid(const struct replica *replica); /* of the running image */
/* Ask for a snapshot at the next step (start of serving, admin). */
void replica_request_snapshot(struct replica *replica);

/* --- looking in, for four-letter words and metrics. Nothing here changes anything. --- */
struct replica_counts {
    int64_t last_zxid;
    uint32_t znodes, ephemerals, sessions;
    uint64_t data_bytes;
    uint32_t watch_connections, watch_paths, watches; /* data table: what wchs shows */
    uint32_t watches_all;                             /* both tables: watch_count */
    int64_t outstanding;                              /* taken in, not answered */
    int64_t packets_received, packets_sent;
    int64_t latency_min_ms, latency_max_ms, latency_sum_ms, latency_count;
    int64_t digest_mismatches, throttled_ops, watch_bytes, connection_revalidates;
    int64_t response_last_bytes, response_min_bytes, response_max_bytes; /* -1: none yet */
    int64_t response_bytes;                  /* of all answers to requests but pings */
    int64_t requests_prepared;               /* decided: read, or judged and proposed */
    int64_t changes_queued, changes_applied; /* to znodes, by proposed transactions */
    int64_t requests_unknown;                /* of no known operation */
    int64_t requests_throttled, sessions_expired;
    const struct summary *read_latency, *write_latency, *propagation_latency; /* ms */
    const struct summary *throttle_latency; /* ms; of those that were held back */
    const struct summary *watchers;         /* how many an event had, by its zk_event */
};
void replica_counts(const struct replica *replica, struct replica_counts *ret_counts);
void replica_reset_stats(struct replica *replica); /* srst: all that counts what happened */

struct replica_client_info {
    int64_t session_id; /* 0: no session yet */
    int32_t session_timeout_ms;
    int64_t received, sent, queued;
    int32_t last_op, last_cxid;
    int64_t last_zxid, last_response_ms, last_latency_ms;
    int64_t latency_min_ms, latency_max_ms, latency_sum_ms, latency_count;
    int64_t established_wall_ms;
};
bool replica_client_info(const struct replica *replica, uint32_t client,
                         struct replica_client_info *ret_info); /* false: unknown */
void replica_reset_client_stats(struct replica *replica);       /* crst */
const char *replica_op_name(int32_t op); /* "PING", "GETD", ... as cons shows */

/* Session buckets in order of expiry: visit is called once per (expire_at_ms monotonic, id). */
typedef void replica_visit_session(void *context, int64_t expires_at_ms, int64_t session_id);
void replica_visit_sessions(const struct replica *replica, replica_visit_session *visit,
                            void *context);
/* Data table only, one call per (path, session id), grouped by path or by session. */
typedef void replica_visit_watch(void *context, struct slice path, int64_t session_id);
void replica_visit_watches_by_path(const struct replica *replica, replica_visit_watch *visit,
                                   void *context);
void replica_visit_watches_by_session(const struct replica *replica, replica_visit_watch *visit,
                                      void *context);
/* The tree's digest at every 128th zxid applied since the snapshot of the start, oldest first, at
 * most the last 1024. */
typedef void replica_visit_digest(void *context, int64_t zxid, uint64_t digest);
void replica_visit_digests(const struct replica *replica, replica_visit_digest *visit,
                           void *context);
const struct tree *replica_tree(const struct replica *replica); /* ephemerals for dump, hash */

#endif
