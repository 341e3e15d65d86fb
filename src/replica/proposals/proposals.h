/* proposals.h: how a request becomes an agreed change. Two doors:
 *
 *     submit a request        it is checked, becomes a transaction with a zxid, and goes to the log
 *     agreed up to zxid z     those transactions are applied, in order, and the observer is told
 *
 * A server that stands alone has agreed to a transaction when its log holds it durably. Transactions
 * that are proposed and not yet applied are kept here. Callers need not know which server prepares a
 * transaction, nor which servers agree to it. */
#ifndef REPLICA_PROPOSALS_PROPOSALS_H
#define REPLICA_PROPOSALS_PROPOSALS_H

#include "replica/effects/step.h"
#include "replica/proposals/janitor.h"
#include "replica/proposals/leader.h"
#include "replica/proposals/snapshots.h"

struct proposals_options {
    struct leader_options leader;
    struct janitor_options janitor;
    struct snapshots_options snapshots;
};

/* A request or a transaction on its way. The client is CLIENT_NONE where the server itself asked. */
struct proposal {
    int64_t zxid;       /* 0 until it is a transaction */
    int64_t session_id; /* 0: the server's own */
    int64_t arrived_ms;
    uint32_t client,
        generation;     /* client numbers are used again; the generation tells one from the next */
    int32_t xid, op;    /* as the client asked */
    int32_t timeout_ms; /* OP_CREATE_SESSION */
    const uint8_t *with_stat; /* OP_MULTI, when applied: one byte for each operation, 1: answer a
                                    create with its stat */
};

/* Told of every transaction as it is applied: before_txn() first, then each change of the tree, then
 * after_txn(). Between before_txn() and after_txn() the tree may be half changed, even over several
 * steps: it must not be read. */
struct proposals_observer {
    void (*before_txn)(void *context, const struct proposal *proposal);
    void (*after_txn)(void *context, const struct proposal *proposal, const struct txn *txn,
                      const struct txn_result *result);
    struct txn_observer tree; /* its context is the same */
    void *context;
};

struct proposals;
/* Tree and step are borrowed for life. */
struct proposals *proposals_new(const struct proposals_options *options, struct tree *tree,
                                struct step *step);
void proposals_free(struct proposals *proposals); /* NULL is fine */

/* --- the first door --- */
/* STATUS_MALFORMED: the body does not decode; nothing was proposed, and the answer is -5. */
MUST_USE enum status proposals_submit(struct proposals *proposals, const struct proposal *request,
                                      const struct identities *identities, struct slice body);
/* The session's id and timeout are the request's. */
void proposals_submit_create_session(struct proposals *proposals, const struct proposal *request);

/* --- the second door --- */
/* Everything up to zxid is agreed. Applies it, a few thousand changes at most. While
 * proposals_can_apply() says that more is left, call proposals_apply_agreed() in the next turn. */
void proposals_agreed(struct proposals *proposals, int64_t zxid,
                      const struct proposals_observer *observer);
void proposals_apply_agreed(struct proposals *proposals, const struct proposals_observer *observer);
bool proposals_can_apply(const struct proposals *proposals);
bool proposals_half_applied(const struct proposals *proposals); /* one is applied in part */

/* --- time --- */
/* Proposes to close expired sessions and to delete unneeded containers and TTL nodes, a few thousand
 * changes at most. Call it only after all that has arrived was read: it may hold a ping. */
void proposals_tick(struct proposals *proposals);
/* The process was stopped for a while: every session gets its full timeout again. */
void proposals_touch_all_sessions(struct proposals *proposals);
int64_t proposals_wake_at_ms(const struct proposals *proposals);

/* --- looking in --- */
struct leader *proposals_leader(struct proposals *proposals);
struct snapshots *proposals_snapshots(struct proposals *proposals);
size_t proposals_count(const struct proposals *proposals); /* transactions not yet applied */
size_t proposals_bytes(const struct proposals *proposals); /* the length of all of them */
int64_t proposals_changes_applied(const struct proposals *proposals); /* to znodes, since start */

#endif
