/* txn_world.h: a tree with outstanding transactions, for tests of prepare and apply: requests in,
 * transactions out. */
#ifndef TEST_LIB_TXN_WORLD_H
#define TEST_LIB_TXN_WORLD_H

#include "replica/txn/prepare.h"

struct txn_world {
    struct tree *tree;
    struct outstanding *outstanding;
    struct prepare_rules rules;
    struct identities *identities; /* of 127.0.0.1 */
    struct arena arena;
    int64_t session_id, time_ms;
    int64_t proposed_zxid;
    struct buffer *payloads; /* proposed and not applied, oldest first */
    size_t payload_count, payload_capacity;
};

/* extended_types on; session 7 is committed. */
void txn_world_init(struct txn_world *world);
void txn_world_deinit(struct txn_world *world);

/* Decodes and prepares a request; the body must decode. The transaction's bytes are queued; `ret_txn` is
 * valid until the next txn_world_apply_all(). */
void txn_world_propose(struct txn_world *world, int32_t type, struct slice body,
                       struct txn *ret_txn);
void txn_world_queue(struct txn_world *world, const struct txn *txn); /* proposes this one */
/* A prepare for the next zxid, for calls that txn_world_propose() does not make. */
struct prepare txn_world_prepare(struct txn_world *world);
/* Applies the oldest; its digest must be the tree's. */
void txn_world_apply_one(struct txn_world *world, struct txn_result *ret_result);
void txn_world_apply_all(struct txn_world *world);

/* Propose and apply a thing that must succeed, or just answer the error code. */
int32_t txn_world_try(struct txn_world *world, int32_t type, struct buffer *body);
void txn_world_must(struct txn_world *world, int32_t type, struct buffer *body);
void txn_world_make(struct txn_world *world, const char *path); /* an open, empty node */
void txn_world_login(struct txn_world *world, const char *user_and_password);
void txn_world_logout(struct txn_world *world);

#endif
