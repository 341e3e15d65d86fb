/* prepare.h: makes a transaction of a request, checked against the outstanding tree.
 *
 * The checks have ZooKeeper's order. A request that fails becomes a transaction of type error: it
 * uses a zxid and a log record, and changes nothing.
 * docs/protocol.md, "Writes: the order of checks". */
#ifndef REPLICA_TXN_PREPARE_H
#define REPLICA_TXN_PREPARE_H

#include "metrics/traffic.h"
#include "replica/acl/acl.h"
#include "replica/txn/outstanding.h"
#include "replica/txn/request.h"
#include "replica/txn/txn.h"

struct prepare_rules {
    struct acl_rules acl;
    bool enforce_quota, reconfig_enabled;
    bool close_unlisted;   /* a closeSession does not name the paths that it deletes */
    size_t text_bytes_max; /* what readers of our log accept as one text */
};

struct prepare { /* one request's; everything in it is borrowed */
    struct tree *tree;
    struct outstanding *outstanding;
    struct traffic *traffic; /* counts what quotas refuse; NULL: nothing is counted */
    const struct prepare_rules *rules;
    const struct identities *identities;
    struct arena *arena; /* the transaction's slices live here or in the request */
    /* The error for a create of an ephemeral if the session is local; ZK_OK if it is not. */
    enum zk_error ephemerals_refused;
    struct txn_header header; /* zxid, time, client, cxid: given; type: filled in */
};

void prepare_write(struct prepare *prepare, const struct write_request *request,
                   struct txn *ret_txn);
void prepare_error(struct prepare *prepare, enum zk_error err, struct txn *ret_txn);
void prepare_create_session(struct prepare *prepare, int32_t timeout_ms, struct txn *ret_txn);
/* For the janitor. There is no transaction when the node is gone (ZK_NO_NODE), has children
 * (ZK_NOT_EMPTY), or is neither a container nor a TTL node (ZK_BAD_VERSION). */
enum zk_error prepare_delete_container(struct prepare *prepare, struct slice path,
                                       struct txn *ret_txn);

#endif
