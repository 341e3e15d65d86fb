/* forwarded.h: the requests and the questions about sessions that a learner has sent to its leader, until they are
 * answered.
 *
 * A transaction that comes back belongs to the oldest unanswered request of its session, if that
 * has the same xid and was sent before the transaction was proposed: a client that resumes its
 * session may reuse its xids. Answers to syncs carry no data: they come in the order in which the
 * syncs were sent.
 * Source: CommitProcessor.java, FollowerRequestProcessor.java. */
#ifndef REPLICA_PROPOSALS_FORWARDED_H
#define REPLICA_PROPOSALS_FORWARDED_H

#include "replica/proposals/proposals.h"

struct forwarded_sync {
    struct proposal proposal;
    int64_t asked_zxid; /* the last one that was proposed when it was asked */
    int64_t zxid; /* answered when everything up to it is applied; -1: the leader has not said */
};

struct forwarded {       /* zeroed: empty */
    struct map sessions; /* id -> struct forwarded_queue */
    struct forwarded_item *spare;
    struct forwarded_sync *syncs; /* a queue: [sync_first, sync_first + sync_count) of the array */
    size_t sync_first, sync_count, sync_capacity;
    size_t count, bytes; /* of the requests */
    /* [question_first, question_end) of the array; session id 0: answered before those in front of it */
    struct session_question *questions;
    size_t question_first, question_end, question_capacity, open_questions;
    uint64_t last_question; /* its number */
    struct buffer to_leader;
};

void forwarded_deinit(struct forwarded *forwarded);
void forwarded_clear(struct forwarded *forwarded); /* no request will be answered */

/* Writes the packet for the leader, and remembers the request. multi: the body's operations; NULL:
 * not a multi. received_zxid: the last transaction that has come so far. */
void forwarded_add(struct forwarded *forwarded, const struct proposal *request,
                   const struct identities *identities, struct slice body,
                   const struct write_request *multi, int64_t received_zxid);
/* The request of this transaction, valid until forwarded_pop() of the same session. NULL: it came
 * from another server. */
const struct proposal *forwarded_match(const struct forwarded *forwarded, int64_t session_id,
                                       int32_t cxid, int32_t op, int64_t zxid);
void forwarded_pop(struct forwarded *forwarded, int64_t session_id);

/* proposals.h, "Questions about sessions". */
uint64_t forwarded_ask(struct forwarded *forwarded, const struct session_question *question);
const struct session_question *forwarded_last_question(const struct forwarded *forwarded,
                                                       int64_t session_id);
MUST_USE bool forwarded_take_question(struct forwarded *forwarded, int64_t session_id,
                                      bool in_order, struct session_question *ret_question);

/* The leader will say when. */
void forwarded_add_sync(struct forwarded *forwarded, const struct proposal *request,
                        int64_t asked_zxid);
/* Only the packet: a learner asks. */
void forwarded_ask_sync(struct forwarded *forwarded, const struct proposal *request,
                        const struct identities *identities, struct slice body);
size_t forwarded_unanswered_syncs(const struct forwarded *forwarded);
/* The leader has answered the oldest sync that it had not. False: there is none. */
MUST_USE bool forwarded_sync_answered(struct forwarded *forwarded, int64_t agreed_zxid);
/* The oldest sync, if it may be answered when everything up to applied_zxid is applied. False:
 * none. */
MUST_USE bool forwarded_next_sync(struct forwarded *forwarded, int64_t applied_zxid,
                                  struct proposal *ret_request);

#endif
