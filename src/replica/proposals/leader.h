/* leader.h: what only a leader or a standalone server does: it turns requests into transactions.
 *
 * A request is checked against the tree as it will be when everything proposed is applied, and gets
 * the next zxid. A learner does not use it: it sends its clients' requests to the leader and
 * applies the transactions that come back. The table of outstanding changes exists as long as the
 * leadership. */
#ifndef REPLICA_PROPOSALS_LEADER_H
#define REPLICA_PROPOSALS_LEADER_H

#include "replica/proposals/sessions.h"
#include "replica/txn/prepare.h"

/* Whose request it is. */
struct leader_request {
    int64_t session_id; /* 0: the server's own */
    int64_t owner;      /* who sent it (sessions.h); SESSION_OWNER_NONE: not looked at */
    int32_t cxid;
    bool ephemeral_on_local; /* it asks for an ephemeral, and its local session stays local */
    const struct identities *identities; /* NULL: the server itself, which may do everything */
};

struct leader;
/* Everything is borrowed for its lifetime. The first transaction has the zxid after last_zxid. */
struct leader *leader_new(const struct prepare_rules *rules, struct tree *tree,
                          struct sessions *sessions, struct step *step, int64_t last_zxid);
void leader_free(struct leader *leader); /* may be NULL */

/* Each fills in a transaction with the next zxid; the caller must propose it (its slices live in
 * the step's arena or in the request). */

/* STATUS_MALFORMED: the body does not decode: there is nothing to propose. A multi always becomes a
 * transaction. */
MUST_USE enum status leader_prepare(struct leader *leader, const struct leader_request *from,
                                    int32_t op, struct slice body, struct txn *ret_txn);
/* A request that was refused before it was checked: it uses a zxid, too. */
void leader_prepare_error(struct leader *leader, const struct leader_request *from,
                          enum zk_error err, struct txn *ret_txn);
void leader_prepare_create_session(struct leader *leader, const struct leader_request *from,
                                   int32_t timeout_ms, struct txn *ret_txn);
void leader_prepare_close_session(struct leader *leader, struct session *session,
                                  struct txn *ret_txn);
/* False: the node is gone, in use or of another kind; there is nothing to propose. */
MUST_USE bool leader_prepare_delete_container(struct leader *leader, struct slice path,
                                              struct txn *ret_txn);

/* Everything up to zxid is in the tree. */
void leader_applied(struct leader *leader, int64_t zxid);
bool leader_awaits_nothing(const struct leader *leader); /* all that it made is in the tree */
struct outstanding *leader_outstanding(struct leader *leader);

#endif
