/* proposals.h: how a request becomes an agreed change. Two doors:
 *
 *     submit a request        it is judged, gets a zxid and goes to the log
 *     agreed up to zxid z     those transactions are applied, in order, and the observer is told
 *
 * On a server that stands alone, durable is agreed. What waits between the two doors is kept here.
 * Nobody above knows who judges and who agrees. */
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
    int64_t zxid;       /* 0 until it is judged */
    int64_t session_id; /* 0: the server's own */
    int64_t arrived_ms;
    uint32_t client,
        generation;           /* generation: the number is used again; a late answer tells by it */
    int32_t xid, op;          /* as the client asked */
    int32_t timeout_ms;       /* OP_CREATE_SESSION */
    const uint8_t *with_stat; /* OP_MULTI, when applied: one byte for each operation, 1: answer a
                                    create with its stat */
};

/* Told of every transaction as it is applied: before() first, then what changes in the tree, then
 * applied(). Between before() and applied() the tree may be half changed, over several steps even:
 * it must not be read. */
struct proposals_observer {
    void (*before)(void *context, const struct proposal *proposal);
    void (*applied)(void *context, const struct proposal *proposal, const struct txn *txn,
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
/* Applies what is agreed, some thousand changes at most: proposals_unfinished() tells whether there
 * is more, and then proposals_go_on() is to be called in the next turn. */
void proposals_agreed(struct proposals *proposals, int64_t zxid,
                      const struct proposals_observer *observer);
void proposals_go_on(struct proposals *proposals, const struct proposals_observer *observer);
bool proposals_unfinished(const struct proposals *proposals);
bool proposals_applying(const struct proposals *proposals); /* one is applied in part */

/* --- time --- */
/* Sessions that are over and nodes that nobody needs: their transactions are proposed, some thousand
 * changes at most. Call behind a read of all that has arrived, for a ping may be among it. */
void proposals_tick(struct proposals *proposals);
void proposals_stood_still(struct proposals *proposals); /* every session gets its timeout again */
int64_t proposals_wake_at_ms(const struct proposals *proposals);

/* --- looking in --- */
struct leader *proposals_leader(struct proposals *proposals);
struct snapshots *proposals_snapshots(struct proposals *proposals);
size_t proposals_count(const struct proposals *proposals);            /* proposed, not applied */
int64_t proposals_changes_applied(const struct proposals *proposals); /* to znodes, ever */
size_t proposals_bytes(const struct proposals *proposals); /* ... and how long they are */

#endif
