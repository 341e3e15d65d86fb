/* proposals.h: how a request becomes an agreed change. Two doors:
 *
 *     submit a request        it is checked, becomes a transaction with a zxid, and goes to the log
 *     agreed up to zxid z     those transactions are applied, in order, and the observer is told
 *
 * Who makes the transaction depends on the server's role, and callers need not know it. A server that
 * stands alone has agreed to a transaction when its log holds it durably. A leader makes transactions
 * and its quorum agrees to them. A learner sends requests to its leader, and the leader says which of
 * the transactions that come back are agreed. Nothing is applied that is not durable here.
 * Transactions that are proposed and not yet applied are kept here, and behind them, for learners that
 * are behind, some that were applied. */
#ifndef REPLICA_PROPOSALS_PROPOSALS_H
#define REPLICA_PROPOSALS_PROPOSALS_H

#include "replica/effects/step.h"
#include "replica/proposals/janitor.h"
#include "replica/proposals/leader.h"
#include "replica/proposals/snapshots.h"

enum proposals_role {
    PROPOSALS_ALONE,
    PROPOSALS_IDLE, /* of an ensemble, and no leader is known: nothing may be submitted */
    PROPOSALS_LEADS,
    PROPOSALS_LEARNS
};

struct proposals_options {
    struct prepare_rules rules;
    struct sessions_options sessions;
    bool local_upgrading; /* a local session that wants an ephemeral becomes one of all servers */
    struct janitor_options janitor;
    struct snapshots_options snapshots;
    bool ensemble; /* begins as PROPOSALS_IDLE; false: PROPOSALS_ALONE for ever */
    /* Of applied transactions that are kept for learners; 0: none. The count, unless it is 0, is what they
     * are then, whatever their bytes. */
    size_t history_bytes_max, history_count_max;
};

/* A request or a transaction on its way. The client is CLIENT_NONE where the server itself asked, or
 * a client of another server. */
struct proposal {
    int64_t zxid;       /* 0 until it is a transaction */
    int64_t session_id; /* 0: the server's own */
    int64_t arrived_ms;
    uint32_t client,
        generation;     /* client numbers are used again; the generation tells one from the next */
    int32_t xid, op;    /* as the client asked */
    int32_t timeout_ms; /* OP_CREATE_SESSION */
    bool ephemeral_on_local;  /* it asks for an ephemeral of a local session: it will fail */
    const uint8_t *with_stat; /* OP_MULTI, when applied: one byte for each operation, 1: answer a
                                    create with its stat. NULL: none of them */
};

/* Told of every transaction as it is applied: before_txn() first, then each change of the tree, then
 * after_txn(). Between before_txn() and after_txn() the tree may be half changed, even over several
 * steps: it must not be read. */
struct proposals_observer {
    void (*before_txn)(void *context, const struct proposal *proposal);
    void (*after_txn)(void *context, const struct proposal *proposal, const struct txn *txn,
                      const struct txn_result *result);
    /* All that was agreed when the sync was asked for is applied. */
    void (*synced)(void *context, const struct proposal *proposal);
    /* The leader's answer about a session that came back to this learner; NULL: it is over. */
    void (*revalidated)(void *context, int64_t session_id, struct session *session);
    /* A learner's learner asks about a session: no client of this server has it any more. */
    void (*moved)(void *context, int64_t session_id);
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
/* Of an ensemble: observer->synced() comes when all that is agreed now has been applied here. */
void proposals_submit_sync(struct proposals *proposals, const struct proposal *request,
                           const struct identities *identities, struct slice body);

enum revalidation {
    SESSION_REFUSED, /* unknown, or being closed */
    SESSION_VALID,   /* and touched; its timeout is the new one. A local one of this server, too */
    SESSION_ASKED    /* the leader knows: observer->revalidated() will tell */
};
/* A client comes back with its session; its password is right. */
enum revalidation proposals_revalidate(struct proposals *proposals, int64_t session_id,
                                       int32_t timeout_ms);

/* --- the second door --- */
/* The log holds everything up to zxid durably. */
void proposals_durable(struct proposals *proposals, int64_t zxid,
                       const struct proposals_observer *observer);
/* Everything up to zxid is agreed. Applies what is durable, too, a few thousand changes at most.
 * While proposals_can_apply() says that more is left, call proposals_apply_agreed() in the next turn. */
void proposals_agreed(struct proposals *proposals, int64_t zxid,
                      const struct proposals_observer *observer);
void proposals_apply_agreed(struct proposals *proposals, const struct proposals_observer *observer);
bool proposals_can_apply(const struct proposals *proposals);
bool proposals_half_applied(const struct proposals *proposals); /* one is applied in part */

/* --- roles, for an ensemble --- */
enum proposals_role proposals_role(const struct proposals *proposals);
/* Everything proposed is durable: all of it is applied, agreed or not, as the log has it; whoever was
 * promised an answer does not get one. */
void proposals_become_idle(struct proposals *proposals, const struct proposals_observer *observer);
/* Idle, and nobody was served since: local sessions may begin, and nothing may be submitted. */
void proposals_serve_read_only(struct proposals *proposals);
/* Idle. Transactions are behind epoch_zxid, whose counter is 0. */
void proposals_lead(struct proposals *proposals, int64_t epoch_zxid);
void proposals_learn(struct proposals *proposals); /* idle */
/* Not while something is proposed: another tree takes the place of the one before, which is the
 * caller's again. Whatever was kept for learners is gone; a running image is lost. */
void proposals_replace_tree(struct proposals *proposals, struct tree *tree);

/* A learner's request, at the leader: it always becomes a transaction, if only an error one. `from`
 * says whose it is. */
void proposals_submit_for_learner(struct proposals *proposals, const struct leader_request *from,
                                  int32_t op, struct slice body);
/* The leader's transaction, at a learner. STATUS_EXISTS: an error with the zxid of the one before, which
 * some releases propose: nothing is to be done but to acknowledge it. Every other answer but OK: it
 * cannot be the next transaction, *ret_problem says why, and nothing was done. */
MUST_USE enum status proposals_receive(struct proposals *proposals, int64_t zxid,
                                       struct slice payload, const char **ret_problem);
/* The next sync of this server's own clients that the leader was not told of, and what was proposed when
 * it was asked. False: there is none. */
MUST_USE bool proposals_take_new_sync(struct proposals *proposals, int64_t *ret_asked_zxid);
size_t proposals_unanswered_syncs(const struct proposals *proposals); /* by the leader */
/* The leader's answer to the oldest unanswered sync; false: there is none. */
MUST_USE bool proposals_sync_answered(struct proposals *proposals,
                                      const struct proposals_observer *observer);
void proposals_revalidated(struct proposals *proposals, int64_t session_id, bool valid,
                           const struct proposals_observer *observer);
/* Packets that a learner has for its leader, in order; the caller sends and empties them. */
struct buffer *proposals_to_leader(struct proposals *proposals);

int64_t proposals_proposed_zxid(
    const struct proposals *proposals); /* the newest, logged or on its way */
int64_t proposals_durable_zxid(const struct proposals *proposals);
int64_t proposals_applied_zxid(const struct proposals *proposals);

/* What is kept, oldest first: applied transactions, then those that are not yet. The slices are valid
 * until the next transaction is applied. */
struct kept_txn {
    int64_t zxid;
    struct slice payload;
};
/* Everything kept has a zxid above this; what stood there before is gone. */
int64_t proposals_kept_above(const struct proposals *proposals);
size_t proposals_kept_count(const struct proposals *proposals);
struct kept_txn proposals_kept_at(const struct proposals *proposals, size_t index);
/* The index of the first one above zxid; proposals_kept_count(): there is none. */
size_t proposals_kept_behind(const struct proposals *proposals, int64_t zxid);

/* --- time --- */
/* Proposes to close expired sessions and to delete unneeded containers and TTL nodes, a few thousand
 * changes at most; nothing where another server decides that. Call it only after all that has arrived
 * was read: it may hold a ping. */
void proposals_tick(struct proposals *proposals);
/* The process was stopped for a while: every session gets its full timeout again. */
void proposals_touch_all_sessions(struct proposals *proposals);
int64_t proposals_wake_at_ms(const struct proposals *proposals);

/* --- looking in --- */
struct tree *proposals_tree(struct proposals *proposals);
struct sessions *proposals_sessions(struct proposals *proposals);
struct snapshots *proposals_snapshots(struct proposals *proposals);
size_t proposals_count(const struct proposals *proposals); /* transactions not yet applied */
size_t proposals_bytes(const struct proposals *proposals); /* the length of all of them */
/* The last transaction after which the tree's digest was not the one in the transaction; 0: none since this
 * tree is here. */
int64_t proposals_mismatch_zxid(const struct proposals *proposals);
/* It was so after the last transaction whose digest was compared, and no other can be applied. */
bool proposals_tree_differs(const struct proposals *proposals);
/* How many digests were the tree's, ever. */
uint64_t proposals_digests_fitting(const struct proposals *proposals);
/* Until zxid the tree may be ahead of the transactions: no digest is compared up to there. */
void proposals_compare_digests_above(struct proposals *proposals, int64_t zxid);

#endif
