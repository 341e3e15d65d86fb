/* txn.h: one agreed change: its bytes in the log, and what it does to the tree.
 *
 * Payload of a log record: header, body by type, then optionally the digest (12 bytes). Bytes after
 * it are ignored here (the log's trailer, store/txnlog_format.h).
 * docs/protocol.md, "The transaction log" and "Restoring". */
#ifndef REPLICA_TXN_TXN_H
#define REPLICA_TXN_TXN_H

#include "base/arena.h"
#include "replica/tree/tree.h"
#include "wire/records.h"

struct txn_op {   /* one change: a whole transaction, or one of a multi */
    int32_t type; /* enum zk_op */
    struct slice path, data;
    struct jute_vector acl;
    struct jute_vector paths; /* OP_CLOSE_SESSION: ephemerals to delete; count -1: not recorded */
    int64_t ttl_ms;
    int32_t version;         /* set data, set ACL: the resulting one; check: the expected one */
    int32_t parent_cversion; /* creates; -1: compute */
    int32_t timeout_ms;      /* OP_CREATE_SESSION */
    int32_t err;             /* OP_ERROR */
    bool ephemeral;
    bool with_stat; /* not stored: a create2 of a multi, to be answered with its stat */
};

struct txn {
    struct txn_header header;
    struct txn_op op;   /* op.type == header.type */
    struct txn_op *ops; /* OP_MULTI: in the arena */
    int32_t op_count;
    bool has_digest; /* a digest of version 2 was there */
    int64_t digest;  /* of the tree after this transaction */
    size_t body_end; /* when read: in the payload; the digest begins here */
};

/* STATUS_MALFORMED: the bytes do not follow the format. STATUS_UNSUPPORTED: a type that no release
 * writes. Slices point into `payload` (or the arena). */
MUST_USE enum status txn_read(struct slice payload, struct arena *arena, struct txn *ret_txn);
/* Only the header: for scans. */
MUST_USE enum status txn_read_header(struct slice payload, struct txn_header *ret_header);
/* Header and body, without a digest. */
void txn_write(struct buffer *buffer, const struct txn *txn);

/* Is called for each change, in the order of watch events. The first four (all or none of them) are
 * for watches; `written` (may be NULL) is for statistics. `acl` decides who may get the event: the
 * node's list, or for children_changed the parent's. */
struct txn_observer {
    void (*node_created)(void *context, struct slice path, uint32_t acl);
    void (*node_deleted)(void *context, struct slice path, uint32_t acl);
    void (*data_changed)(void *context, struct slice path, uint32_t acl);
    void (*children_changed)(void *context, struct slice parent_path, uint32_t acl);
    void *context;
    void (*written)(void *context, struct slice path, size_t data_bytes);
};

struct txn_op_result {
    int32_t type; /* as answered: OP_ERROR when failed */
    int32_t err;
    struct slice path;   /* of a create, borrowed from the transaction */
    struct zk_stat stat; /* after this operation: creates, set data, set ACL */
};
struct txn_result {
    struct txn_op_result op;
    struct txn_op_result *ops; /* OP_MULTI: op_count of them, in the arena */
};

/* How far a long transaction has been applied; zeroed: not begun. */
struct txn_progress {
    struct jute_vector paths; /* OP_CLOSE_SESSION: still to delete */
    bool begun;
};
/* Like txn_apply(), but with at most *changes_left changes of znodes, which it counts down. False: more
 * is left, and the tree must not be read until the rest is applied. Only closeSession needs more than
 * one call. The last call fills in *ret_result. */
MUST_USE bool txn_apply_part(struct tree *tree, const struct txn *txn,
                             const struct txn_observer *observer, struct arena *arena,
                             struct txn_progress *progress, uint32_t *changes_left,
                             struct txn_result *ret_result);

/* Applies the transaction and sets the tree's last zxid. The tree may be ahead of the log (a fuzzy
 * snapshot): nodes that exist already are accepted, as "Restoring" in docs/protocol.md says.
 * `observer` and `ret_result` may be NULL; the arena holds a multi's results. */
void txn_apply(struct tree *tree, const struct txn *txn, const struct txn_observer *observer,
               struct arena *arena, struct txn_result *ret_result);

#endif
