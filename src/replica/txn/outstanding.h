/* outstanding.h: the tree as it will be when everything proposed has been applied.
 *
 * Only the differences from the tree are kept: one record for each path that a proposed transaction
 * changes, until the last such transaction is applied. Requests are checked against this, so no
 * request waits for the transactions before it. */
#ifndef REPLICA_TXN_OUTSTANDING_H
#define REPLICA_TXN_OUTSTANDING_H

#include "replica/tree/tree.h"

struct node_state { /* of one path, as it will be */
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

/* False: there will be no such node; *ret_state then is an absent one. */
bool outstanding_get(const struct outstanding *outstanding, struct slice path,
                     struct node_state *ret_state);
/* The path will be like this from zxid on. `state` came from outstanding_get() for the same path
 * and was changed, or is new; its digest is brought up to date. A new acl id is held. */
void outstanding_put(struct outstanding *outstanding, struct slice path,
                     const struct node_state *state, int64_t zxid);
/* For create and set data: the content that state->content_crc stands for. */
void outstanding_set_content(struct node_state *state, struct slice path, struct slice data);

/* A multi: all its puts, or none. */
void outstanding_begin(struct outstanding *outstanding);
void outstanding_commit(struct outstanding *outstanding);
void outstanding_rollback(struct outstanding *outstanding);

/* How many puts there were: ever, and without those that were rolled back. */
int64_t outstanding_put_count(const struct outstanding *outstanding);
int64_t outstanding_kept_put_count(const struct outstanding *outstanding);

/* The tree has applied everything up to zxid. */
void outstanding_applied(struct outstanding *outstanding, int64_t zxid);
/* Digest of the tree after everything proposed. */
uint64_t outstanding_digest(const struct outstanding *outstanding);
/* Every node that will exist and belongs to `owner`, a session, goes with zxid; each of their paths
 * is visited once. Costs a look at each of these nodes and a put for each of their parents, however
 * many changes are outstanding. */
typedef void outstanding_visit(void *context, struct slice path);
void outstanding_close_owner(struct outstanding *outstanding, int64_t owner, int64_t zxid,
                             outstanding_visit *visit, void *context);

#endif
