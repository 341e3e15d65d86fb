/* model.h: a slow and simple model of the tree, with every version of it: what the committed transactions
 * make of each path. Servers' answers and trees are compared with it. */
#ifndef SIM_MODEL_H
#define SIM_MODEL_H

#include "replica/txn/txn.h"
#include "sim/world.h"

struct model;
struct model *model_new(struct world *world);
void model_free(struct model *model);

/* One change of a committed transaction. session_known: the transaction's session was made by one, too. */
void model_apply(struct model *model, const struct txn *txn, const struct txn_op *op,
                 bool session_known);
void model_close_session(struct model *model, int64_t id, int64_t zxid);

struct model_node {
    bool exists, container;
    int32_t version, aversion;
    int64_t mzxid, mtime_ms, owner; /* owner: the session of an ephemeral */
    int64_t ttl_ms;                 /* 0: none */
    struct slice data;
    struct jute_vector acl;
};
/* As the committed tree of this zxid has it. */
struct model_node model_look(const struct model *model, struct slice path, int64_t zxid);
/* The first change of the node's data or existence behind the zxid; INT64_MAX: none so far. */
int64_t model_next_change(const struct model *model, struct slice path, int64_t behind_zxid);
int32_t model_child_count(const struct model *model, struct slice parent, int64_t zxid);
bool model_has_child(const struct model *model, struct slice parent, struct slice name,
                     int64_t zxid);

/* The server's tree must have these nodes and no others. */
void model_compare(const struct model *model, const struct node *node, const struct tree *tree,
                   int64_t zxid);

#endif
