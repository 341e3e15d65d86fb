/* chain.h: every transaction that some server has logged, and what the committed ones make.
 *
 * A log is a chain: every transaction has one before it, the same on every server. So the zxid of a log's
 * last record says all of it. From the committed transactions a slow and simple model of the tree is made (model.h),
 * and the sessions; every answer to a client is compared with them. */
#ifndef SIM_CHAIN_H
#define SIM_CHAIN_H

#include "sim/model.h"

struct chain_link {       /* a transaction that somebody has logged */
    int64_t zxid, before; /* the one before it in every log */
    struct buffer payload;
    int64_t logged_us; /* when the first one did: */
    int by;
    uint64_t life, jumps; /* of its process, and of its clock */
    bool committed, has_digest;
    uint64_t digest; /* of the tree behind it, as the first server had it */
};

struct chain;
struct chain *chain_new(struct world *world);
void chain_free(struct chain *chain);

/* The node logs it behind the transaction `before`. Where another one has logged it, it must be the same. */
void chain_add(struct chain *chain, const struct node *node, int64_t before,
               const struct txnlog_append *append);
/* NULL: nobody has logged it. */
struct chain_link *chain_at(const struct chain *chain, int64_t zxid);
/* Has a log that ends with last_zxid this transaction in it? */
bool chain_holds(const struct chain *chain, int64_t last_zxid, int64_t zxid);
/* It is committed, and so is all before it. */
void chain_commit(struct chain *chain, struct chain_link *link);

int64_t chain_committed_zxid(const struct chain *chain);
/* A transaction of this zxid is agreed upon. What a read-only server shows need not be: its log is all it has. */
bool chain_is_committed(const struct chain *chain, int64_t zxid);
const struct model *chain_model(const struct chain *chain); /* of the committed tree */
/* The node's tree of committed_zxid has the committed nodes and sessions, and no others. */
void chain_compare(const struct chain *chain, const struct node *node, const struct tree *tree);

/* A transaction has created it. Otherwise it is a local one, and its end is no transaction. */
bool chain_knows_session(const struct chain *chain, int64_t session_id);
bool chain_session_is_open(const struct chain *chain, int64_t session_id);
/* A leader has ended it before this moment. */
bool chain_session_ended_before(const struct chain *chain, int64_t session_id, int64_t us);
/* A write was answered: its transaction is committed, it is the session's, and its error is this. */
void chain_write_answered(struct chain *chain, int64_t session_id, int32_t xid, int64_t zxid,
                          int32_t err);
/* The session's client counts its requests anew from here on. */
void chain_xids_restart(struct chain *chain, int64_t session_id);

#endif
