/* store_world.h: a history of a server, made from a seed: transactions, and the tree that they give.
 *
 * It remembers every transaction, so that the tree after any of them can be built again and compared. */
#ifndef TEST_LIB_STORE_WORLD_H
#define TEST_LIB_STORE_WORLD_H

#include "replica/replica.h"
#include "replica/store/recovery.h"
#include "replica/store/snapshot.h"
#include "replica/txn/txn.h"

struct world_txn {
    uint8_t *bytes;
    size_t size;
    int64_t zxid;
    bool is_error;
};
struct store_world {
    uint64_t seed;
    struct tree *tree; /* after all of txns */
    struct world_txn *txns;
    size_t count, capacity;
    int64_t session;
    int32_t session_count;
    uint32_t name_count;
    size_t data_bytes_max; /* of a znode; 0: 300 */
    bool digest_off;
    bool close_unlisted; /* a closeSession does not name its paths: its record has no trailer */
    bool new_epochs;     /* now and then a new epoch begins */
    struct arena arena;
};

extern const struct tree_options world_tree_options;
struct recovery_options world_recovery_options(void);

void world_init(struct store_world *world, uint64_t seed);
void world_deinit(struct store_world *world);
/* Makes and applies one more; valid until the world ends or forgets it. */
struct txnlog_append world_next(struct store_world *world);
struct txnlog_append world_append(const struct store_world *world, size_t index);
/* One of the given kind: its op is filled in by the caller. */
struct txnlog_append world_add(struct store_world *world, const struct txn_op *op);
struct txnlog_append world_create(struct store_world *world, const char *path, struct slice data);
/* Goes back to `zxid`: later transactions are forgotten. */
void world_go_back(struct store_world *world, int64_t zxid);
int64_t world_zxid(const struct store_world *world);
/* world_init(), and so many transactions; the world's tree. */
struct tree *world_grown(struct store_world *world, int count);
/* Of the tree as it is, as the daemon writes it. */
void world_write_snapshot(const struct store_world *world, struct disk *disk);
/* As a start reads it. The caller frees the tree in any case. */
enum status world_read_snapshot_with(struct disk *disk, const char *name, struct side_work *side,
                                     struct tree **ret_tree, struct snapshot_info *info);
/* It reads the same with work beside it and without; else the test fails. */
enum status world_read_snapshot(struct disk *disk, const char *name, struct tree **ret_tree,
                                struct snapshot_info *info);

/* Both trees hold the same nodes, data, stats, ACLs, sessions and zxid; else the test fails. */
void check_same_tree(const struct tree *got, const struct tree *want);
/* The reason of a recovery that was not OK, for messages. */
const char *recovery_reason(const struct recovery *recovery);
bool recovery_noted(const struct recovery *recovery, const char *part);

#endif
