/* pipeline.h: what the files of this room share. Not for other rooms: their door is replica.h.
 *
 * The walk of a request: replica.c (events) > connect.c (handshake) or requests.c (order, queues)
 * > reads.c, watching.c (answered at once) or writes.c (proposed, made durable, applied, answered).
 *
 * Order per client: a write is proposed when it arrives; a read that arrives behind unfinished
 * writes waits in the client's queue until they are applied. */
#ifndef REPLICA_PIPELINE_PIPELINE_H
#define REPLICA_PIPELINE_PIPELINE_H

#include "base/list.h"
#include "replica/acl/acl.h"
#include "replica/pipeline/log_space.h"
#include "replica/replica.h"
#include "replica/session/session_table.h"
#include "replica/store/snapshot.h"
#include "replica/txn/outstanding.h"
#include "replica/txn/prepare.h"
#include "replica/watch/watch.h"

enum client_state {
    CLIENT_NEW,      /* no ConnectRequest yet */
    CLIENT_SETTLING, /* its session is being made or freed from an older connection's writes */
    CLIENT_SERVING,
    CLIENT_CLOSING /* absorbs everything */
};

struct latency {
    int64_t min_ms, max_ms, sum_ms, count;
};

/* A frame that waits: for earlier writes of its client, for its session, or for the throttle. */
struct waiting {
    struct waiting *next;
    struct identities *identities; /* of the moment it arrived */
    uint64_t after_write;          /* of the client's writes, how many must be applied */
    int64_t arrived_ms;
    uint32_t client, generation;
    bool throttled;
    size_t size;
    uint8_t bytes[];
};

struct waiting_queue {
    struct waiting *first, *last;
    uint32_t count;
};

struct client {
    uint32_t id, generation; /* generation: the id is used again, pending answers tell by it */
    enum client_state state;
    struct session *session; /* NULL before and after it has one */
    int64_t settling_session;
    int32_t settling_timeout_ms;
    bool wants_read_only_byte;
    struct identities *identities;
    struct slice address; /* owned */
    struct watch_client watch;
    struct waiting_queue reads; /* behind writes */
    struct waiting_queue early; /* frames of a settling client */
    uint64_t writes_proposed, writes_applied;
    bool paused;
    bool held; /* answers wait for CLIENT_READY */
    struct list in_paused;
    /* for cons */
    int64_t received, sent, established_wall_ms, last_zxid, last_response_ms, last_latency_ms;
    int32_t last_op, last_cxid;
    struct latency latency;
};

struct pending { /* a proposed transaction that is not applied yet */
    int64_t zxid, arrived_ms, session_id;
    int64_t changes; /* outstanding_puts_kept() with its own */
    struct slice payload;
    const uint8_t *with_stat; /* OP_MULTI: a byte for each operation (txn_op.with_stat) */
    struct log_chunk *chunk;
    uint32_t client, generation;
    int32_t xid, op; /* of the request; OP_CREATE_SESSION and janitors: client is CLIENT_NONE */
    int32_t timeout_ms;
};

struct replica {
    struct replica_options options;
    struct prepare_rules rules;
    struct tree *tree;
    struct outstanding *outstanding;
    struct watches *watches;
    struct session_table *sessions;
    struct client **clients;
    uint32_t client_capacity, client_count, next_generation;
    struct arena arena;              /* scratch of one request or one applied transaction */
    struct effects *effects; /* of the running step */
    int64_t now_ms, wall_ms, start_ms, start_wall_ms;
    /* proposals */
    struct log_space log_space;
    struct buffer scratch;
    struct pending *pending; /* a ring */
    size_t pending_first, pending_count, pending_capacity;
    size_t waiting_count, waiting_bytes, pending_bytes;
    int64_t last_proposed_zxid, next_session_id;
    /* throttle */
    struct waiting_queue throttled;
    struct list paused;
    /* watch events of the transaction being applied */
    uint64_t watch_step;
    int64_t event_zxid;
    size_t event_offset, event_size;
    struct slice event_path;
    uint32_t event_acl;
    int32_t event_type;
    /* snapshots */
    struct snapshot_image *image;
    bool image_wanted, image_running, roll_next;
    int64_t image_zxid, records_since_roll, records_limit, bytes_since_roll, bytes_limit;
    uint64_t random_state;
    /* janitors */
    int64_t janitor_next_ms;
    /* for operators */
    int64_t packets_received, packets_sent, digest_mismatches, throttled_ops;
    int64_t requests_prepared, requests_throttled, requests_unknown, sessions_expired;
    int64_t changes_applied;                               /* of outstanding_puts_kept() */
    int64_t changes_queued_before, changes_applied_before; /* at the last srst */
    int64_t connection_revalidates, response_last, response_min, response_max;
    int64_t response_bytes, watch_bytes;
    struct latency latency;
    struct summary read_latency, write_latency, propagation_latency, throttle_latency; /* ms */
    struct summary watchers[EVENT_CHILDREN_CHANGED + 1]; /* how many an event of this type had */
};

/* --- replica.c: effects --- */
struct client *client_find(const struct replica *replica, uint32_t id, uint32_t generation);
void client_close(struct replica *replica, struct client *client, const char *reason);
void client_pause(struct replica *replica, struct client *client);
void client_resume(struct replica *replica, struct client *client);
void client_hold(struct replica *replica, struct client *client);
/* A frame for a client: begin, append the body to effects->bytes, end. */
size_t frame_begin(struct replica *replica);
void frame_end(struct replica *replica, struct client *client, size_t start);
/* A reply: begin leaves room for the header, the body follows, end fills the header in. */
size_t reply_begin(struct replica *replica);
void reply_drop_body(struct replica *replica, size_t start);
void reply_end(struct replica *replica, struct client *client, size_t start, int32_t xid,
               int64_t zxid, enum zk_error err);
void reply_error(struct replica *replica, struct client *client, int32_t xid, int64_t zxid,
                 enum zk_error err);
/* Behind the reply. op: OP_ERROR when it came to nothing; latency: where it counts. */
void client_answered(struct replica *replica, struct client *client, int32_t op, int32_t xid,
                     int64_t zxid, int64_t arrived_ms, struct summary *latency);
/* A watch event's frame, which others may get, too. */
void send_event(struct replica *replica, struct client *client, size_t offset, size_t size);
int64_t outstanding_requests(const struct replica *replica);

/* --- connect.c --- */
void connect_frame(struct replica *replica, struct client *client, struct slice bytes);
void connect_session_created(struct replica *replica, const struct pending *pending);
void connect_session_settled(struct replica *replica, struct session *session);
void session_end(struct replica *replica, int64_t session_id, uint32_t keep_client);

/* --- requests.c --- */
void request_frame(struct replica *replica, struct client *client, struct slice bytes,
                   int64_t arrived_ms, bool was_throttled);
void requests_before_write(struct replica *replica, struct client *client);
void requests_after_write(struct replica *replica, struct client *client);
void requests_release_throttled(struct replica *replica);
void waiting_clear(struct replica *replica, struct waiting_queue *queue);
struct waiting *waiting_add(struct replica *replica, struct waiting_queue *queue,
                            const struct client *client, struct slice bytes);
struct waiting *waiting_take(struct replica *replica, struct waiting_queue *queue);
void waiting_free(struct waiting *waiting);
void requests_apply_pressure(struct replica *replica, struct client *client);
void requests_relieve_pressure(struct replica *replica);

/* --- reads.c: the answer's body, appended; the error decides whether it is sent --- */
struct read_context {
    struct replica *replica;
    struct client *client;
    const struct identities *identities;
    int32_t op;
    struct slice body;
    bool body_with_error; /* out: what stands there is sent although it failed */
};
enum zk_error read_answer(struct read_context *read);
/* setWatches, addWatch, checkWatches, removeWatches (watching.c). */
enum zk_error watching_answer(struct read_context *read);
void watching_add(struct replica *replica, struct client *client, enum watch_table table,
                  struct slice path);
void watching_send_event(struct replica *replica, struct client *client, int64_t zxid,
                         enum zk_event type, struct slice path);
const struct txn_observer *watching_observer(struct replica *replica, struct txn_observer *observer,
                                             int64_t zxid);

/* --- writes.c --- */
void write_frame(struct replica *replica, struct client *client, int32_t xid, int32_t op,
                 struct slice body, int64_t arrived_ms);
void write_create_session(struct replica *replica, struct client *client, int64_t session_id,
                          int32_t timeout_ms);
void write_close_session(struct replica *replica, struct session *session);
void write_log_synced(struct replica *replica, int64_t zxid);
/* The node is to go; nothing happens when it is used again or not a container or TTL node. */
void write_delete_container(struct replica *replica, struct slice path);

/* --- snapshots.c, janitor.c --- */
void snapshots_count_record(struct replica *replica, size_t bytes);
void snapshots_draw_limits(struct replica *replica);
void snapshots_begin_if_wanted(struct replica *replica);
void janitor_tick(struct replica *replica);

#endif
