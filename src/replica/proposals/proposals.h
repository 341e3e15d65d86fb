/* proposals.h: how a request becomes an agreed change. Two doors:
 *
 *     submit a request        it is checked, becomes a transaction with a zxid, and goes to the log
 *     agreed up to zxid z     those transactions are applied, in order, and reported to the observer
 *
 * Who makes the transaction depends on the server's role; callers need not know it. On a standalone
 * server a transaction is agreed when it is durable in the log. A leader makes transactions and its
 * quorum agrees to them. A learner sends requests to its leader, and the leader says which of the
 * transactions that come back are agreed. Nothing is applied before it is durable here. This room
 * keeps the transactions that are proposed and not yet applied, and some that were applied, for
 * learners that are behind. */
#ifndef REPLICA_PROPOSALS_PROPOSALS_H
#define REPLICA_PROPOSALS_PROPOSALS_H

#include "replica/effects/step.h"
#include "replica/proposals/janitor.h"
#include "replica/proposals/leader.h"
#include "replica/proposals/snapshots.h"

enum proposals_role {
    PROPOSALS_ALONE,
    PROPOSALS_IDLE, /* in an ensemble without a known leader: nothing may be submitted */
    PROPOSALS_LEADS,
    PROPOSALS_LEARNS
};

struct proposals_options {
    struct prepare_rules rules;
    struct sessions_options sessions;
    bool local_upgrading; /* a local session that creates an ephemeral becomes one of all servers */
    struct janitor_options janitor;
    struct snapshots_options snapshots;
    bool ensemble; /* begins as PROPOSALS_IDLE; false: PROPOSALS_ALONE for ever */
    /* How much of the applied transactions is kept for learners; 0: nothing. If the count is not 0,
     * it is the limit, whatever the bytes. */
    size_t history_bytes_max, history_count_max;
};

/* A request or a transaction that is not done yet. The client is CLIENT_NONE if the server itself
 * made the request, or a client of another server. */
struct proposal {
    int64_t zxid;       /* 0 until it is a transaction */
    int64_t session_id; /* 0: the server's own */
    int64_t arrived_ms;
    uint32_t client, generation; /* client numbers are reused; the generation distinguishes them */
    int32_t xid, op;             /* as the client asked */
    int32_t timeout_ms;          /* OP_CREATE_SESSION */
    bool ephemeral_on_local;     /* it asks for an ephemeral of a local session: it will fail */
    const uint8_t *with_stat;    /* OP_MULTI, when applied: one byte for each operation, 1: answer a
                                    create with its stat. NULL: none of them */
};

/* Called for every transaction as it is applied: before_txn() first, then each change of the tree,
 * then after_txn(). Between before_txn() and after_txn() the tree may be half changed, even over
 * several steps: it must not be read. */
struct proposals_observer {
    void (*before_txn)(void *context, const struct proposal *proposal);
    void (*after_txn)(void *context, const struct proposal *proposal, const struct txn *txn,
                      const struct txn_result *result);
    /* All that was agreed when the sync was asked for is applied. */
    void (*synced)(void *context, const struct proposal *proposal);
    /* The leader's answer about a session that reconnected to this learner; NULL: it has ended. */
    void (*revalidated)(void *context, uint64_t question, struct session *session);
    /* An observer of this server asks about a session: no client of this server has it any more. */
    void (*moved)(void *context, int64_t session_id);
    struct txn_observer tree; /* its context is the same */
    void *context;
};

struct proposals;
/* Tree and step are borrowed for its lifetime. */
struct proposals *proposals_new(const struct proposals_options *options, struct tree *tree,
                                struct step *step);
void proposals_free(struct proposals *proposals); /* may be NULL */

/* --- the first door --- */
/* STATUS_MALFORMED: the body does not decode; nothing was proposed, and the answer is -5. */
MUST_USE enum status proposals_submit(struct proposals *proposals, const struct proposal *request,
                                      const struct identities *identities, struct slice body);
/* The session's id and timeout are the request's. */
void proposals_submit_create_session(struct proposals *proposals, const struct proposal *request);
/* In an ensemble: observer->synced() is called when all that is agreed now has been applied
 * here. */
void proposals_submit_sync(struct proposals *proposals, const struct proposal *request,
                           const struct identities *identities, struct slice body);

enum revalidation {
    SESSION_REFUSED, /* unknown, or being closed */
    SESSION_VALID,   /* and touched; its timeout is the new one. A local one of this server, too */
    SESSION_ASKED    /* the leader decides: observer->revalidated() will be called */
};
/* A client reconnects with its session; its password was checked. SESSION_ASKED: *ret_question is the number of
 * the question to the leader. */
enum revalidation proposals_revalidate(struct proposals *proposals, int64_t session_id,
                                       int32_t timeout_ms, uint64_t *ret_question);

/* --- the second door --- */
/* The log holds everything up to zxid durably. */
void proposals_durable(struct proposals *proposals, int64_t zxid,
                       const struct proposals_observer *observer);
/* Everything up to zxid is agreed. Applies those transactions that are durable too, a few thousand
 * changes at most. While proposals_can_apply() is true, call proposals_apply_agreed() in the next
 * turn. */
void proposals_agreed(struct proposals *proposals, int64_t zxid,
                      const struct proposals_observer *observer);
void proposals_apply_agreed(struct proposals *proposals, const struct proposals_observer *observer);
bool proposals_can_apply(const struct proposals *proposals);
bool proposals_half_applied(const struct proposals *proposals); /* one is applied in part */

/* --- roles, for an ensemble --- */
enum proposals_role proposals_role(const struct proposals *proposals);
/* Call it when everything proposed is durable: all of it is applied, agreed or not, as it is in the
 * log. Requests that wait for an answer do not get one. */
void proposals_become_idle(struct proposals *proposals, const struct proposals_observer *observer);
/* Call it when idle, before any client is served: local sessions may begin, and nothing may be
 * submitted. */
void proposals_serve_read_only(struct proposals *proposals);
/* Call it when idle. Transactions get zxids after epoch_zxid, whose counter is 0. */
void proposals_lead(struct proposals *proposals, int64_t epoch_zxid);
void proposals_learn(struct proposals *proposals); /* idle */
/* Not while something is proposed: replaces the tree; the caller owns the old one again. The
 * transactions kept for learners are dropped; a running image is lost. */
void proposals_replace_tree(struct proposals *proposals, struct tree *tree);

/* A learner's request, at the leader: it always becomes a transaction, perhaps one of type error.
 * `from` says whose it is. */
void proposals_submit_for_learner(struct proposals *proposals, const struct leader_request *from,
                                  int32_t op, struct slice body);
/* The leader's transaction, at a learner. logged: it goes to the log; otherwise it stays in memory, and is
 * durable as soon as all before it is. Then nothing is logged until the tree is replaced. STATUS_EXISTS: an error with the zxid of the one before, which
 * some releases propose: only acknowledge it. Any other status except OK: it cannot be the next
 * transaction, *ret_problem says why, and nothing was done. */
MUST_USE enum status proposals_receive(struct proposals *proposals, int64_t zxid,
                                       struct slice payload, bool logged, const char **ret_problem);
/* The next sync of this server's own clients that was not sent to the leader yet, and the last zxid
 * that was proposed when it was requested. False: there is none. */
MUST_USE bool proposals_take_new_sync(struct proposals *proposals, int64_t *ret_asked_zxid);
size_t proposals_unanswered_syncs(const struct proposals *proposals); /* by the leader */
/* The leader's answer to the oldest unanswered sync; false: there is none. */
MUST_USE bool proposals_sync_answered(struct proposals *proposals,
                                      const struct proposals_observer *observer);

/* Questions about sessions to the leader. It answers those about one session in the order in which they were
 * asked, whoever waits for the answer, or does not any more. */
struct session_question {
    uint64_t number; /* in the order of asking; > 0 */
    int64_t session_id;
    int32_t timeout_ms;
    uint64_t asker; /* the connection of an observer of this server; 0: one of its own clients */
};
/* The question gets the next number, whatever number it brings. */
void proposals_ask_for_observer(struct proposals *proposals,
                                const struct session_question *question);
/* Who asked last; NULL: no question about the session is open. Valid until the next one. */
const struct session_question *proposals_last_question(const struct proposals *proposals,
                                                       int64_t session_id);
/* The oldest one about the session, which the leader has answered. False: there is none. in_order: the leader
 * answers all questions in the order of asking, as Java's does: an earlier one will not be answered any more. */
MUST_USE bool proposals_take_question(struct proposals *proposals, int64_t session_id,
                                      bool in_order, struct session_question *ret_question);
/* The answer to a question of one of this server's own clients. */
void proposals_revalidated(struct proposals *proposals, const struct session_question *question,
                           bool valid, const struct proposals_observer *observer);
/* Packets from a learner to its leader, in order; the caller sends them and empties the buffer. */
struct buffer *proposals_to_leader(struct proposals *proposals);

int64_t proposals_proposed_zxid(
    const struct proposals *proposals); /* the newest, logged or on its way */
int64_t proposals_durable_zxid(const struct proposals *proposals);
int64_t proposals_applied_zxid(const struct proposals *proposals);

/* The transactions that are kept, oldest first: applied ones, then those not applied yet. The
 * slices are valid until the next transaction is applied. */
struct kept_txn {
    int64_t zxid;
    struct slice payload;
};
/* Everything kept has a zxid above this; older ones were dropped. */
int64_t proposals_kept_above(const struct proposals *proposals);
size_t proposals_kept_count(const struct proposals *proposals);
struct kept_txn proposals_kept_at(const struct proposals *proposals, size_t index);
/* The index of the first one above zxid; proposals_kept_count(): there is none. */
size_t proposals_kept_behind(const struct proposals *proposals, int64_t zxid);

/* --- time --- */
/* Proposes to close expired sessions and to delete unneeded containers and TTL nodes, a few thousand
 * changes at most; does nothing where another server decides that. Call it only after all bytes
 * that have arrived were read: there may be a ping among them. */
void proposals_tick(struct proposals *proposals);
/* Call it when the process was suspended for a while: every session gets its full timeout again. */
void proposals_touch_all_sessions(struct proposals *proposals);
void proposals_check_turn(
    const struct proposals *proposals); /* asserts what holds when a turn ends */
int64_t proposals_wake_at_ms(const struct proposals *proposals);

/* --- for operators --- */
struct tree *proposals_tree(struct proposals *proposals);
struct sessions *proposals_sessions(struct proposals *proposals);
struct snapshots *proposals_snapshots(struct proposals *proposals);
size_t proposals_count(const struct proposals *proposals); /* transactions not yet applied */
size_t proposals_bytes(const struct proposals *proposals); /* the length of all of them */
/* The last transaction after which the tree's digest differed from the one in the transaction; 0:
 * none since this tree is in use. */
int64_t proposals_mismatch_zxid(const struct proposals *proposals);
/* The last digest that was compared differed, and no transaction can be applied now. */
bool proposals_tree_differs(const struct proposals *proposals);
/* How many compared digests were equal, ever. */
uint64_t proposals_digests_fitting(const struct proposals *proposals);
/* Up to zxid the tree may be ahead of the transactions: no digest is compared before. */
void proposals_compare_digests_above(struct proposals *proposals, int64_t zxid);

#endif
