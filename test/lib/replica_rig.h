/* replica_rig.h: a replica on the bench: clients that send frames, a log that is durable when the
 * test says so, a clock that moves when the test moves it.
 *
 * Every step is carried out at once: frames go into each client's mailbox, appends into `appends`.
 * Where something is expected and not there, the test fails. */
#ifndef TEST_LIB_REPLICA_RIG_H
#define TEST_LIB_REPLICA_RIG_H

#include "replica/replica.h"

enum { RIG_CLIENTS = 16, RIG_TICK_MS = 1000, RIG_TIMEOUT_MS = 6000 };

struct rig_client {
    bool open, closed, paused; /* closed: the replica asked for it */
    bool held;                 /* there is room at once, unless ready_by_hand */
    int holds;
    const char *close_reason;
    struct buffer mail; /* frames, from read_at on not looked at yet */
    size_t read_at;
    int64_t session_id;
    int32_t timeout_ms, last_xid;
    bool shaken; /* its ConnectResponse was looked at */
};

struct rig_append {
    struct buffer payload;
    int64_t zxid;
    bool lacks_digest, roll_before;
};

struct rig {
    struct replica *replica;
    struct effects effects;
    int64_t now_ms, wall_ms;
    struct rig_client clients[RIG_CLIENTS];
    struct rig_append *appends;
    size_t append_count, append_capacity;
    int64_t appended_zxid;
    bool snapshot_begun;       /* by the last steps; the test clears it */
    struct buffer *transcript; /* NULL, or: every effect of every step as bytes */
    bool ready_by_hand;        /* rig_ready() says when a held client has room again */
};

struct replica_options rig_options(void);
struct tree *rig_tree(void); /* a fresh one, with extended types */
void rig_init(struct rig *rig, const struct replica_options *options, struct tree *tree);
void rig_deinit(struct rig *rig);

void rig_step(struct rig *rig, struct replica_event event);
void rig_open(struct rig *rig, uint32_t client);
void rig_frame(struct rig *rig, uint32_t client, struct slice payload);
void rig_gone(struct rig *rig, uint32_t client);  /* its connection is no more */
void rig_ready(struct rig *rig, uint32_t client); /* nothing when it is not held */
void rig_sync(struct rig *rig);                   /* all that was appended is durable */
void rig_sync_to(struct rig *rig, int64_t zxid);
void rig_pass(struct rig *rig, int64_t ms); /* time, with ticks as often as the replica asks */
void rig_jump(struct rig *rig, int64_t ms); /* time, then one tick: the process stood still */

/* The handshake. session_id 0: a new one. The answer is looked at by rig_shaken(). */
void rig_shake(struct rig *rig, uint32_t client, int64_t session_id, int32_t timeout_ms);
/* False: refused. */
bool rig_shaken(struct rig *rig, uint32_t client);
/* Open, shake, sync and look: an established client. */
void rig_connect(struct rig *rig, uint32_t client);
void rig_connect_to(struct rig *rig, uint32_t client, int64_t session_id);

/* Sends a request with the client's next xid, which it returns. Empties `body` (NULL: none). */
int32_t rig_send(struct rig *rig, uint32_t client, int32_t op, struct buffer *body);
void rig_send_xid(struct rig *rig, uint32_t client, int32_t xid, int32_t op, struct buffer *body);
int32_t rig_create(struct rig *rig, uint32_t client, const char *path, int32_t flags);
int32_t rig_set(struct rig *rig, uint32_t client, const char *path, const char *data);
int32_t rig_delete(struct rig *rig, uint32_t client, const char *path);
int32_t rig_get(struct rig *rig, uint32_t client, const char *path, bool watch);

struct rig_reply {
    int32_t xid, err;
    int64_t zxid;
    struct slice body; /* valid until the client's mail grows */
};
bool rig_silent(const struct rig *rig, uint32_t client); /* nothing unread */
struct rig_reply rig_next(struct rig *rig, uint32_t client);
struct rig_reply rig_expect(struct rig *rig, uint32_t client, int32_t xid, int32_t err);
void rig_expect_event(struct rig *rig, uint32_t client, int64_t zxid, int32_t type,
                      const char *path);
/* Sends, syncs and expects. */
struct rig_reply rig_do(struct rig *rig, uint32_t client, int32_t op, struct buffer *body,
                        int32_t err);
void rig_make(struct rig *rig, uint32_t client, const char *path);

/* Takes the whole running image; then the next one may begin. */
void rig_finish_image(struct rig *rig);

#endif
