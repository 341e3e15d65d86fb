/* leader.h: what only a leader does, or a server that stands alone.
 *
 * It checks requests against the tree as it will be, turns them into transactions with zxids, makes
 * session ids, and decides when a session has expired. A follower does none of this: it sends its
 * clients' requests to the leader and applies what comes back. */
#ifndef REPLICA_PROPOSALS_LEADER_H
#define REPLICA_PROPOSALS_LEADER_H

#include "replica/effects/step.h"
#include "replica/session/session_table.h"
#include "replica/txn/prepare.h"

struct leader_options {
    struct prepare_rules rules;
    int32_t tick_ms;         /* > 0: width of a session's bucket */
    uint8_t server_id;       /* top byte of session ids */
    int64_t session_seed_ms; /* wall clock at start: first session id */
};

/* Whose request it is. */
struct leader_request {
    int64_t session_id; /* 0: the server's own */
    int32_t cxid;
    const struct identities *identities; /* NULL: the server itself, which may do everything */
};

struct leader;
/* The step is borrowed for life. */
struct leader *leader_new(const struct leader_options *options, struct tree *tree,
                          struct step *step);
void leader_free(struct leader *leader); /* NULL is fine */

/* Each of these fills in a transaction with the next zxid, and the caller must propose it. Its slices
 * point into the step's arena or into the request. */

/* STATUS_MALFORMED: the body does not decode; there is no transaction. (A multi that does not decode
 * becomes a transaction of type error.) */
MUST_USE enum status leader_prepare(struct leader *leader, const struct leader_request *from,
                                    int32_t op, struct slice body, struct txn *ret_txn);
void leader_prepare_create_session(struct leader *leader, int64_t session_id, int32_t timeout_ms,
                                   struct txn *ret_txn);
void leader_prepare_close_session(struct leader *leader, struct session *session,
                                  struct txn *ret_txn);
/* False: the node is gone, in use or of another kind; there is no transaction. */
MUST_USE bool leader_prepare_delete_container(struct leader *leader, struct slice path,
                                              struct txn *ret_txn);

/* Everything up to zxid is in the tree. */
void leader_applied(struct leader *leader, int64_t zxid);
struct outstanding *leader_outstanding(struct leader *leader);

/* --- sessions --- */
int64_t leader_new_session_id(struct leader *leader); /* never handed out before */
struct session *leader_session(const struct leader *leader, int64_t id); /* NULL: unknown */
/* A client comes back with its session: NULL where it must be refused (no such session, it is being
 * closed, or the password is not its own). Then nothing has changed. */
struct session *leader_revalidate(struct leader *leader, int64_t id, struct slice password,
                                  int32_t timeout_ms);
void leader_touch(struct leader *leader, struct session *session);
void leader_touch_all(struct leader *leader); /* after the process was stopped for a while */
void leader_session_created(struct leader *leader, int64_t id, int32_t timeout_ms);
void leader_session_closed(struct leader *leader, int64_t id);
/* The next expired session; NULL: none. Each is returned once, so the caller must close it. */
struct session *leader_next_expired(struct leader *leader);
int64_t leader_next_expiry_ms(const struct leader *leader);
const struct session_table *leader_sessions(const struct leader *leader);

#endif
