/* client.h: what the files of this room share. Other rooms include clients.h instead.
 *
 * From the bottom up: answers.c (frames), waiting.c (queues), client.c (the table of clients, their
 * end), events.c (watch events), reads.c and watching.c (answers from the tree), writes.c (to and
 * from proposals), eager.c (writes that are refused at once), requests.c (the order of a client's
 * requests), connect.c (sessions), throttle.c (requests that were held back), clients.c (the
 * interface). A file calls only those listed before it. */
#ifndef REPLICA_CLIENTS_CLIENT_H
#define REPLICA_CLIENTS_CLIENT_H

#include "base/list.h"
#include "replica/acl/acl.h"
#include "replica/clients/clients.h"

enum client_state {
    CLIENT_NEW,      /* no ConnectRequest yet */
    CLIENT_HELD,     /* its ConnectRequest waits, for a moment, until a leader is known */
    CLIENT_SETTLING, /* waits for createSession, or for the writes of its session's older connection */
    CLIENT_SERVING,
    CLIENT_CLOSING /* ignores everything that still comes */
};

/* A frame that waits: for earlier writes of its client, for its session, or for the throttle. */
struct waiting {
    struct waiting *next;
    struct identities *identities; /* when it arrived */
    uint64_t after_write;          /* how many of the client's writes must be applied first */
    int64_t arrived_ms;
    uint32_t client, generation;
    int64_t session_id; /* 0: it has none yet */
    bool throttled_too_long;
    bool must_drop; /* an earlier one of its connection was dropped by the throttle */
    size_t size;
    uint8_t bytes[];
};

struct waiting_queue {
    struct waiting *first, *last;
    uint32_t count;
};

/* A session as this server sees it: its connection, and its unfinished writes. It exists as long as
 * there is one of the two. */
struct attachment {
    int64_t session_id;
    struct session *session; /* local, or of all servers until its closeSession is applied */
    struct client *client;   /* NULL: none now */
    uint32_t write_count;    /* its writes that are proposed and not applied */
};

struct client {
    uint32_t id,
        generation; /* ids are reused; the generation distinguishes clients with the same id */
    enum client_state state;
    struct attachment *attachment; /* NULL before and after it has a session */
    bool wants_read_only_byte;
    struct identities *identities;
    struct watch_client watch;
    struct waiting_queue waiting_reads; /* they wait for writes */
    struct waiting_queue early_frames;  /* frames of a settling client */
    uint64_t writes_proposed, writes_applied;
    bool paused;
    bool answers_held;    /* answers wait for clients_ready() */
    struct list in_asked; /* or in_held: clients that wait for a leader, or for its answer */
    uint64_t asked;       /* the number of its question */
    int64_t asked_session_id;
    int32_t asked_timeout_ms;
    struct list in_paused;  /* among the clients that are paused because too much waits */
    struct list in_blocked; /* among the clients whose reads wait until the tree is whole */
    int64_t touched_ms;     /* when its session was touched last */
    /* for cons */
    int64_t received, sent, established_wall_ms, last_zxid, last_response_ms, last_latency_ms;
    int32_t last_op, last_cxid;
    struct summary latency_ms;
};

struct watch_event { /* of the transaction being applied: one frame for all clients that get it */
    uint64_t step;   /* a client gets one event for each step */
    int64_t zxid;
    size_t offset, size; /* of the frame in effects->bytes; size 0: not written yet */
    struct slice path;
    uint32_t acl;
    int32_t type;
};

struct clients {
    struct clients_options options;
    struct proposals *proposals;
    struct sessions *sessions;
    struct tree *tree;
    const struct acl_rules *acl;
    struct step *step;
    struct watches *watches;
    struct client **items; /* by id; NULL: free */
    uint32_t capacity, count, next_generation;
    struct map attachments; /* session id -> struct attachment */
    bool serving;           /* false: no leader is known, every client is refused */
    bool read_only;         /* serving, and there is no quorum: nothing can be written */
    bool tree_half_changed; /* a transaction is applied in part: reads wait */
    struct list blocked;
    struct waiting_queue throttled;
    struct list paused;
    struct list held;                    /* CLIENT_HELD, in the order in which they came */
    struct list asked;                   /* in the order in which the leader was asked */
    size_t waiting_count, waiting_bytes; /* in all queues */
    struct watch_event event;
    /* for operators */
    int64_t response_last, response_min, response_max;
};

/* --- answers.c. A frame: begin, append the body to effects->bytes, end. --- */
size_t frame_begin(struct clients *clients);
void frame_end(struct clients *clients, struct client *client, size_t start);
/* A reply: begin leaves room for the header, the body follows, end fills the header in. */
size_t reply_begin(struct clients *clients);
void reply_drop_body(struct clients *clients, size_t start);
void reply_end(struct clients *clients, struct client *client, size_t start, int32_t xid,
               int64_t zxid, enum zk_error err);
void reply_error(struct clients *clients, struct client *client, int32_t xid, int64_t zxid,
                 enum zk_error err);
/* Call it after the reply. op: OP_ERROR when the request failed; latency: which metric it counts in. */
void client_answered(struct clients *clients, struct client *client, int32_t op, int32_t xid,
                     int64_t zxid, int64_t arrived_ms, enum metric_id latency);
/* Has its request taken longer than its session may be silent, and is that looked at? */
bool is_late(const struct clients *clients, const struct session *session, int64_t arrived_ms);
/* A watch event's frame; the same bytes may be sent to several clients. */
void send_event(struct clients *clients, struct client *client, size_t offset, size_t size);

/* --- waiting.c --- */
struct waiting *waiting_add(struct clients *clients, struct waiting_queue *queue,
                            const struct client *client, struct slice bytes);
struct waiting *waiting_take(struct clients *clients, struct waiting_queue *queue);
void waiting_free(struct waiting *waiting);
void waiting_clear(struct clients *clients, struct waiting_queue *queue);

/* --- client.c --- */
struct client *client_add(struct clients *clients, uint32_t id, struct slice address);
/* NULL: there is no client with this id, or it is another one by now. */
struct client *client_find(const struct clients *clients, uint32_t id, uint32_t generation);
void client_pause(struct clients *clients, struct client *client);
void client_resume(struct clients *clients, struct client *client);
void client_hold(struct clients *clients, struct client *client);
void client_close(struct clients *clients, struct client *client, const char *reason);
void client_remove(struct clients *clients, struct client *client);
struct attachment *attachment_find(const struct clients *clients, int64_t session_id);
/* From now on the session's requests come through this client. */
void attachment_join(struct clients *clients, struct session *session, struct client *client);
/* One of its writes was proposed, was applied. True: that was the last one. */
void attachment_wrote(struct attachment *attachment);
/* Likewise, of a client that has left or is about to. */
void attachment_wrote_for_nobody(struct clients *clients, struct session *session);
bool attachment_applied(struct clients *clients, struct attachment *attachment);

/* --- events.c --- */
/* One event for one client. */
void event_send(struct clients *clients, struct client *client, int64_t zxid, enum zk_event type,
                struct slice path);
/* The changes that are reported to the observer from now on belong to this transaction. */
void events_begin(struct clients *clients, int64_t zxid);
struct txn_observer events_observer(struct clients *clients);

/* --- reads.c appends the answer's body; the caller sends it unless there is an error.
 *     watching.c appends events; the body of its answer follows with watching_put_body(). --- */
struct read_context {
    struct clients *clients;
    struct client *client;
    const struct identities *identities;
    int32_t op;
    struct slice body;
    bool body_with_error; /* out: the body is sent although the request failed */
};
enum zk_error read_answer(struct read_context *read);
enum zk_error watching_answer(struct read_context *read);
void watching_put_body(struct clients *clients, int32_t op); /* of an answer that is ZK_OK */

/* --- writes.c --- */
/* STATUS_MALFORMED: the body does not decode, and nothing was proposed. */
MUST_USE enum status write_submit(struct clients *clients, struct client *client, int32_t xid,
                                  int32_t op, struct slice body, int64_t arrived_ms);
/* In an ensemble: later requests of the client wait until this one is answered. */
void sync_submit(struct clients *clients, struct client *client, int32_t xid, struct slice body);
void write_answer(struct clients *clients, struct client *client, const struct proposal *proposal,
                  const struct txn *txn, const struct txn_result *result);

/* The request of a client that has left (NULL) or is about to; its session lives. */
void write_submit_for_nobody(struct clients *clients, struct client *client,
                             const struct waiting *waiting, struct session *session);

/* --- eager.c --- */
/* Not ZK_OK: the answer to a write, which is not proposed. */
enum zk_error eager_check(struct clients *clients, const struct client *client, int32_t type,
                          struct slice body);

/* --- requests.c --- */
void request_frame(struct clients *clients, struct client *client, struct slice bytes,
                   int64_t arrived_ms, bool was_throttled);
void requests_before_write(struct clients *clients, struct client *client);
void requests_after_write(struct clients *clients, struct client *client);
void requests_release_blocked(struct clients *clients);
bool request_waited_too_long(const struct clients *clients, int32_t op, int64_t arrived_ms);
void requests_pause_over_limit(struct clients *clients, struct client *client);
void requests_resume_paused(struct clients *clients);

/* --- connect.c --- */
void connect_frame(struct clients *clients, struct client *client, struct slice bytes);
void connect_session_created(struct clients *clients, const struct proposal *proposal);
/* No client is served now, but an election may end in a moment: the request waits until
 * connect_release_held(), or until connect_end_held() finds that it has waited for too long. */
void connect_hold(struct clients *clients, struct client *client, struct slice bytes);
void connect_release_held(struct clients *clients);
void connect_end_held(struct clients *clients);
int64_t connect_held_until_ms(const struct clients *clients); /* INT64_MAX: nobody is held */
/* The leader's answer; NULL: the session is over. */
void connect_session_revalidated(struct clients *clients, uint64_t question,
                                 struct session *session);
/* A client of an observer that learns from this server has the session now. */
void connect_session_moved(struct clients *clients, int64_t session_id);
void connect_session_settled(struct clients *clients, int64_t session_id);
void connect_session_ended(struct clients *clients, int64_t session_id);

/* --- throttle.c --- */
void throttle_release(struct clients *clients);

#endif
