/* clients.h: what the clients of this server see: handshake, the order of requests, reads, watches,
 * throttling, answers.
 *
 * The order of one client: its write is submitted when it arrives; a read that arrives after writes
 * that are not yet applied waits until they are. A watch event is sent before any answer that shows
 * the change. */
#ifndef REPLICA_CLIENTS_CLIENTS_H
#define REPLICA_CLIENTS_CLIENTS_H

#include "replica/proposals/proposals.h"
#include "replica/watch/watch.h"

struct clients_options {
    int32_t session_timeout_min_ms, session_timeout_max_ms; /* min <= max */
    size_t text_bytes_max;                                  /* jute.maxbuffer + extrasize */
    struct slice
        enforce_auth_schemes;      /* comma list; null: not enforced; borrowed for its lifetime */
    int32_t outstanding_max;       /* globalOutstandingLimit; <= 0: none */
    int32_t throttle_requests_max; /* request_throttle_max_requests; <= 0: off */
    int32_t throttle_stall_ms;
    int32_t throttled_op_wait_ms; /* <= 0: off */
    /* Stale is a request whose connection is gone, or that waits for longer than the session may be silent. */
    bool throttle_drops_stale, stale_connection_check, stale_latency_check;
    bool
        eager_acl_check; /* of an ensemble: a write is refused here when an ACL of this server's tree says so */
    bool local_sessions; /* a new session is known to this server only */
};

struct clients;
/* All arguments are borrowed for the lifetime of the object. */
struct clients *clients_new(const struct clients_options *options, struct proposals *proposals,
                            struct tree *tree, const struct acl_rules *acl, struct step *step);
void clients_free(struct clients *clients); /* may be NULL */

/* The host chooses the number of a client; it may be reused after clients_gone(). */
void clients_opened(struct clients *clients, uint32_t id, struct slice address);
void clients_frame(struct clients *clients, uint32_t id, struct slice bytes);
void clients_ready(struct clients *clients,
                   uint32_t id); /* after CLIENT_HOLD there is room again */
void clients_gone(struct clients *clients, uint32_t id);
/* Call it after proposals_agreed() and proposals_apply_agreed(): throttled requests and paused
 * clients continue, as far as there is room now. */
void clients_admit_waiting(struct clients *clients);
/* Call it before proposals_tick(): no session expires because this server has paused its client. */
void clients_touch_paused(struct clients *clients);
/* Ends local sessions that are over. Call it after clients_touch_paused(). */
void clients_expire_local(struct clients *clients);
int64_t clients_wake_at_ms(const struct clients *clients);
/* What proposals report while they apply transactions. */
struct proposals_observer clients_observer(struct clients *clients);

/* --- roles, for an ensemble. Serving from the start on --- */
void clients_serve(struct clients *clients);
/* Without a quorum: serves only clients that accept a read-only session, from the tree as it is. */
void clients_serve_read_only(struct clients *clients);
void clients_replace_tree(struct clients *clients, struct tree *tree); /* not while serving */
/* Disconnects every client, and refuses new ones. */
void clients_stop(struct clients *clients, const char *reason);
/* Call it when stopped, and when no proposal is left: writes that were sent to a leader get no
 * answer. */
void clients_forget_writes(struct clients *clients);
void clients_check_turn(const struct clients *clients); /* asserts what holds when a turn ends */

/* --- for operators --- */
struct clients_counts {
    uint32_t watch_connections, watch_paths, watches; /* data table: what wchs shows */
    uint32_t watches_all;                             /* both tables */
    int64_t waiting; /* requests that wait to be answered or proposed */
    int64_t response_last_bytes, response_min_bytes, response_max_bytes; /* -1: none yet */
};
struct clients_counts clients_count(const struct clients *clients);
void clients_reset_stats(struct clients *clients); /* srst; not the step's metrics */

struct client_info {
    int64_t session_id; /* 0: no session yet */
    int32_t session_timeout_ms;
    int64_t received, sent, queued;
    int32_t last_op, last_cxid;
    int64_t last_zxid, last_response_ms, last_latency_ms;
    struct summary latency_ms;
    int64_t established_wall_ms;
};
bool clients_info(const struct clients *clients, uint32_t id, struct client_info *ret_info);
void clients_reset_each(struct clients *clients); /* crst */
/* Data table only, one call per (path, session id), grouped by path or by session. */
typedef void clients_visit_watch(void *context, struct slice path, int64_t session_id);
void clients_visit_watches_by_path(const struct clients *clients, clients_visit_watch *visit,
                                   void *context);
void clients_visit_watches_by_session(const struct clients *clients, clients_visit_watch *visit,
                                      void *context);

#endif
