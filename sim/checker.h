/* checker.h: knows all that happens in the ensemble, and says what must not have happened.
 *
 * A log is a chain: every transaction has one before it, the same on every server. So the zxid of a log's
 * last record says all of it. Committed is what a leader says is, or has
 * applied while it serves. From the committed
 * transactions a slow and simple model of the tree is made, every version of it is kept, and every answer
 * to a client is compared with it. */
#ifndef SIM_CHECKER_H
#define SIM_CHECKER_H

#include "sim/model.h"

struct checker *checker_new(struct world *world);
void checker_free(struct checker *checker);

/* --- what servers do --- */
void checker_append(struct checker *checker, struct node *node, const struct txnlog_append *append);
void checker_durable(struct checker *checker, struct node *node, int64_t zxid);
void checker_stored(struct checker *checker, struct node *node, const struct store_work *work,
                    enum status status);
void checker_booted(struct checker *checker, struct node *node);
void checker_wiped(struct checker *checker, struct node *node); /* an operator's deed */
void checker_turned(struct checker *checker, struct node *node);
/* The node is about to send this acknowledgement. */
void checker_acks(struct checker *checker, struct node *node, int64_t zxid);
/* The node is about to tell others that this is committed. */
void checker_commits(struct checker *checker, struct node *node, int64_t zxid);

/* --- what clients see --- */
const struct model *checker_model(const struct checker *checker); /* of the committed tree */
int64_t checker_committed_zxid(const struct checker *checker);
bool checker_has_all(const struct checker *checker, const struct node *node); /* on its disk */
/* A transaction of this zxid is agreed upon. What a read-only server shows need not be: its log is all it has. */
bool checker_is_committed(const struct checker *checker, int64_t zxid);
/* A transaction has created it. Otherwise it is a local one, and its end is no transaction. */
bool checker_knows_session(const struct checker *checker, int64_t session_id);
bool checker_session_is_open(const struct checker *checker, int64_t session_id);
/* A leader has ended it before this moment. */
bool checker_session_ended_before(const struct checker *checker, int64_t session_id, int64_t us);
/* A write was answered: its transaction is committed, it is the session's, and its error is this. */
void checker_write_answered(struct checker *checker, int64_t session_id, int32_t xid, int64_t zxid,
                            int32_t err);
/* The session's client counts its requests anew from here on. */
void checker_xids_restart(struct checker *checker, int64_t session_id);
/* All servers that are up have applied what is committed. */
bool checker_is_even(const struct checker *checker);
/* At the end: all servers are where the commits are, and are the same. */
void checker_compare_all(struct checker *checker);

#endif
