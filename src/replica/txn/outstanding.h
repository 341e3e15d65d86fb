/* outstanding.h: the tree as it will be when everything proposed has been applied.
 *
 * Only the differences from the tree are kept: one record for each path that a proposed transaction
 * changes, until the last such transaction is applied. Requests are checked against this, so no
 * request waits for the transactions before it. */
#ifndef REPLICA_TXN_OUTSTANDING_H
#define REPLICA_TXN_OUTSTANDING_H

#include "replica/tree/tree.h"

struct future_node { /* a node as it will be */
    int64_t czxid, mzxid, pzxid, ctime, mtime, owner;
    int32_t version, cversion, aversion;
    uint32_t child_count, acl;
    int64_t data_bytes;
    uint32_t content_crc; /* CRC-32 of path and data, so that a stat change need not read them */
    uint32_t digest;
    bool exists, content_crc_known;
};

struct outstanding;
struct outstanding *outstanding_new(struct tree *tree);
void outstanding_free(struct outstanding *outstanding);

/* The node as it will be. False: it will not exist, and *ret_node says so. */
bool outstanding_get(const struct outstanding *outstanding, struct slice path,
                     struct future_node *ret_node);
/* From zxid on the node is as `future` says. `future` came from outstanding_get() for the same path
 * and was changed, or it is a new node. Its digest is computed here, and its ACL list gets a
 * reference. */
void outstanding_put(struct outstanding *outstanding, struct slice path,
                     const struct future_node *future, int64_t zxid);
/* For create and setData: the node's new data. */
void outstanding_set_content(struct future_node *future, struct slice path, struct slice data);

/* Used around a multi: all its puts take effect, or none. */
void outstanding_begin(struct outstanding *outstanding);
void outstanding_commit(struct outstanding *outstanding);
void outstanding_rollback(struct outstanding *outstanding);

/* How many puts there were since the start: all of them, and those that were not rolled back. */
int64_t outstanding_put_count(const struct outstanding *outstanding);
int64_t outstanding_kept_put_count(const struct outstanding *outstanding);

/* The tree has applied everything up to zxid. */
void outstanding_applied(struct outstanding *outstanding, int64_t zxid);
/* It has, all of it. */
bool outstanding_is_empty(const struct outstanding *outstanding);
/* Digest of the tree after everything proposed. */
uint64_t outstanding_digest(const struct outstanding *outstanding);
/* Session `owner` is closed with zxid: every node that will exist and belong to it is deleted, and its
 * path visited once. The cost depends on the number of these nodes and their parents only, not on how
 * many changes are outstanding. */
typedef void outstanding_visit(void *context, struct slice path);
void outstanding_close_owner(struct outstanding *outstanding, int64_t owner, int64_t zxid,
                             outstanding_visit *visit, void *context);

#endif
