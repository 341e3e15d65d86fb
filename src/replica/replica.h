/* replica.h: one server, as a pure machine. Events in, effects out; nothing else.
 *
 * It reads no clock, socket, file, thread or random source: time comes with every event, chance
 * with the options. The daemon (src/server/) and the simulator (sim/) drive exactly this.
 *
 * The contract of a turn, for the code that drives it (the host):
 *
 *  1. Step once for each event, in the order in which the events happened. All steps of a turn append
 *     to one struct effects. A step never fails: it answers, closes or ignores bad input.
 *  2. Until the turn ends, the effects may only be looked at: the last CLIENT_SEND may still grow, the
 *     bytes may move, and more effects may follow. A pause, resume, hold or close may be carried out
 *     at once.
 *  3. At the end of the turn call replica_end_turn(). Then carry all effects out once: the appends to the
 *     log as one batch, one send for each client, closes after the sends of their client, the start of a
 *     snapshot. The effects of one client keep their order; those of different clients need not.
 *  4. Then call effects_clear(). Events that this has caused (connections that ended, ...) are
 *     stepped after that, and belong to the next turn.
 *
 * REPLICA_LOG_SYNCED is stepped in any later turn, when a sync has made the appends durable; their
 * payloads may be read until then. REPLICA_TICK is stepped at least every tick_ms, and no later than
 * at wake_at_ms. When wake_at_ms is now or past, step it in the next turn, after all bytes that
 * have arrived were read. */
#ifndef REPLICA_REPLICA_H
#define REPLICA_REPLICA_H

#include "replica/clients/clients.h"
#include "replica/effects/mutant.h"
#include "replica/ensemble.h"

struct replica_options {
    int32_t tick_ms;                                        /* > 0 */
    int32_t session_timeout_min_ms, session_timeout_max_ms; /* min <= max */
    uint8_t server_id;       /* top byte of session ids; 1 on a standalone server */
    int64_t session_seed_ms; /* wall clock at start: first session id */
    uint64_t random_seed;    /* spreads snapshots */
    size_t text_bytes_max;   /* jute.maxbuffer + extrasize */
    bool enforce_quota, skip_acl, reconfig_enabled;
    bool close_unlisted; /* not closeSessionTxn.enabled */
    /* auth */
    bool digest_auth_enabled;
    struct slice digest_algorithm;     /* "SHA1", "SHA-256", ...; borrowed for replica's life */
    struct slice super_digest;         /* "super:<base64>"; null: nobody is super */
    struct slice enforce_auth_schemes; /* comma list; null: not enforced */
    struct slice ensemble_names;       /* comma list; null: any name is accepted */
    bool ensemble_auth;                /* the ensemble scheme is registered */
    /* throttles */
    int32_t outstanding_max;       /* globalOutstandingLimit; <= 0: none */
    int32_t throttle_requests_max; /* request_throttle_max_requests; <= 0: off */
    int32_t throttle_stall_ms;
    int32_t throttled_op_wait_ms; /* <= 0: off */
    bool throttle_keeps_stale;    /* not request_throttle_drop_stale */
    bool stale_connections_pass;  /* not request_stale_connection_check */
    bool stale_latency_check;     /* request_stale_latency_check */
    bool eager_acl_check;         /* enableEagerACLCheck; of an ensemble */
    /* of an ensemble */
    bool local_sessions, local_upgrading; /* localSessionsEnabled, localSessionsUpgradingEnabled */
    /* janitors */
    int32_t container_check_interval_ms, container_per_minute_max;
    int64_t container_never_used_max_ms;     /* 0: kept for ever */
    const struct ensemble_options *ensemble; /* NULL: this server stands alone; borrowed */
    size_t history_bytes_max;                /* of transactions kept for learners that are behind */
    size_t history_count_max;                /* not 0: this many of them, whatever their bytes */
    /* snapshots */
    int32_t snap_count;              /* >= 2 */
    int64_t snap_size_limit_bytes;   /* <= 0: off */
    bool snapshot_last_zxid_section; /* serializeLastProcessedZxid.enabled */
    enum mutant mutant;              /* for tests: a deliberate bug */
    struct traffic *traffic;         /* ownership passes; counts what was replayed; NULL: nothing
                                        was */
};

enum replica_event_kind {
    REPLICA_CLIENT_OPENED, /* client, address */
    REPLICA_CLIENT_FRAME,  /* client, bytes: one frame's payload, borrowed for the call */
    REPLICA_CLIENT_CLOSED, /* client: its connection is gone; the id may be used again */
    REPLICA_CLIENT_READY,  /* client: after CLIENT_HOLD, there is room for more answers */
    REPLICA_LOG_SYNCED,    /* zxid: all appends up to it are durable */
    REPLICA_SNAPSHOT_DONE, /* the image was written (or given up): a new one may begin */
    REPLICA_TICK,          /* time passed; at least every tick_ms, and at wake_at_ms */
    /* of an ensemble */
    REPLICA_PEER_OPENED, /* connection, port: a connection was opened, from here or by another
                            server */
    REPLICA_PEER_BYTES,  /* connection, bytes: what has arrived, borrowed for the call */
    REPLICA_PEER_CLOSED, /* connection: it is gone, or could not be opened */
    REPLICA_PEER_READY,  /* connection: after PEER_HOLD, there is room for more */
    /* status, zxid (the last one of the files), tree (STORE_TRUNCATE, STORE_RELOAD: the replica's
     * now). status: OK; otherwise the work was refused and nothing was changed. STATUS_NOT_FOUND:
     * STORE_TRUNCATE, the zxid cannot be reached; STATUS_INVALID: STORE_WRITE_EPOCHS, the snapshot
     * of STORE_RESTART_LOG was not written. */
    REPLICA_STORE_DONE,
    /* connection, bytes: the answer to HISTORY_OPEN or HISTORY_READ. status: OK, there is more; END: that
     * was the last part; other: as history_reader_work() says. */
    REPLICA_HISTORY,
    REPLICA_ORACLE /* granted: its answer now */
};
enum { REPLICA_EVENT_KINDS = REPLICA_ORACLE + 1 };

struct replica_event {
    enum replica_event_kind kind;
    uint32_t client; /* small and dense: chosen by front, free again after CLOSED */
    int64_t now_ms;  /* monotonic */
    int64_t wall_ms; /* since 1970; goes into transactions, decides nothing */
    int64_t zxid;
    struct slice bytes;
    struct slice address; /* the peer's IP address as text, in the form that Java prints */
    uint64_t connection;  /* to another server */
    enum peer_port port;
    enum status status; /* SNAPSHOT_DONE: OK: the file is written; STORE_DONE; HISTORY */
    struct tree *tree;
    bool granted;
};

struct replica;
/* Ownership of the tree passes. Options are copied (their slices are borrowed for its lifetime). */
struct replica *replica_new(const struct replica_options *options, struct tree *tree,
                            int64_t now_ms);
void replica_free(struct replica *replica);
/* Appends to `effects`. */
void replica_step(struct replica *replica, const struct replica_event *event,
                  struct effects *effects);

/* The last call of a turn, before its effects are carried out: it appends the messages to other
 * servers, begins a snapshot if one is due, and says when to wake. When more steps follow all the
 * same, it is called again. */
void replica_end_turn(struct replica *replica, struct effects *effects);

/* After snapshot_begin: the next part of the image (about bytes_max bytes, appended to `out`), until
 * IMAGE_END or IMAGE_LOST. The bytes are those of a snapshot file without its seals. Report
 * REPLICA_SNAPSHOT_DONE when the file is written or given up. */
enum image_part replica_snapshot_next(struct replica *replica, struct buffer *out,
                                      size_t bytes_max);
int64_t replica_snapshot_zxid(const struct replica *replica); /* of the running image */
/* Ask for a snapshot at the end of the turn. */
void replica_request_snapshot(struct replica *replica);

/* --- for four-letter words and metrics. Only the resets change anything. --- */
struct replica_counts {
    int64_t last_zxid;
    uint32_t znodes, ephemerals;
    uint32_t sessions;       /* known to all servers */
    uint32_t local_sessions; /* known to this server only */
    uint64_t data_bytes;
    int64_t outstanding; /* received, not answered */
    struct clients_counts clients;
};
void replica_counts(const struct replica *replica, struct replica_counts *ret_counts);
/* Java keeps the root under two names, "" and "/": one node and one byte more for operators. */
enum { ROOT_COUNTED_AGAIN = 1 };
const struct metrics *replica_metrics(const struct replica *replica); /* the replica's own */
const struct traffic *replica_traffic(const struct replica *replica);
/* Adds to `all` what was counted, and the gauges, which are read when they are shown. */
void replica_collect_metrics(const struct replica *replica, struct metrics *all);
void replica_reset_stats(struct replica *replica);                    /* srst */
const struct clients *replica_clients(const struct replica *replica); /* clients_info(), ... */
void replica_reset_client_stats(struct replica *replica);             /* crst */

/* Session buckets in order of expiry: visit is called once per (expire_at_ms monotonic, id). */
typedef void replica_visit_session(void *context, int64_t expires_at_ms, int64_t session_id);
void replica_visit_sessions(const struct replica *replica, replica_visit_session *visit,
                            void *context);
void replica_visit_local_sessions(const struct replica *replica, replica_visit_session *visit,
                                  void *context);
/* The tree's digest after every 128th zxid that was applied since the server loaded its snapshot,
 * oldest first; at most the last 1,024. */
typedef void replica_visit_digest(void *context, int64_t zxid, uint64_t digest);
void replica_visit_digests(const struct replica *replica, replica_visit_digest *visit,
                           void *context);
/* False: this is a standalone server. */
bool replica_ensemble(const struct replica *replica, struct ensemble_info *ret_info);
const struct tree *replica_tree(const struct replica *replica); /* ephemerals for dump, hash */
/* A long transaction is applied in part: the tree is between two zxids. */
bool replica_half_applied(const struct replica *replica);

#endif
