/* tree.h: the state that transactions build: znodes, ACL lists and sessions, as of one zxid.
 *
 * It decides nothing: the same transactions give the same tree and the same digest on every server.
 * Paths are absolute; the root is "" or "/". Times are wall-clock ms from the transactions.
 * Nodes are named by 32-bit ids, which stay valid until the node is deleted; pointers to a znode
 * stay valid as long, pointers into its bytes until its data changes.
 * docs/protocol.md, "Stat". */
#ifndef REPLICA_TREE_TREE_H
#define REPLICA_TREE_TREE_H

#include "base/buffer.h"
#include "base/map.h"
#include "base/table.h"
#include "wire/records.h"
#include "wire/zk.h"

struct znode {
    uint32_t parent, first_child, next, prev, hash_next; /* node ids; 0: none */
    uint32_t acl;                                        /* id in the ACL table */
    uint32_t name_size;
    int32_t data_size; /* -1: null */
    uint32_t digest;   /* what this node adds to the tree's digest */
    uint16_t hash_tag; /* here, next to the other fields that a look-up reads */
    bool live;
    uint8_t *bytes; /* the name, then the data */
    int64_t czxid, mzxid, pzxid, ctime, mtime, owner;
    int32_t version, cversion, aversion; /* as stored: cversion counts creates */
    uint32_t child_count;                /* of an ephemeral: its index in its session's list */
};

/* A session with a committed createSession, or an owner of ephemerals that has none (orphan). */
struct tree_session {
    int64_t id;
    int32_t timeout_ms;
    bool orphan;
    uint32_t *ephemerals; /* node ids, any order */
    uint32_t ephemeral_count, ephemeral_capacity;
};

struct tree_options {
    uint64_t hash_seed;
    bool extended_types; /* TTL owners are understood */
    bool emulate_353_ttl;
    bool digest_enabled;
};

struct tree;
struct tree *tree_new(const struct tree_options *options); /* the four nodes of a fresh database */
struct tree *tree_new_empty(const struct tree_options *options); /* only the root: for loading */
void tree_free(struct tree *tree);

int64_t tree_last_zxid(const struct tree *tree);
void tree_set_last_zxid(struct tree *tree, int64_t zxid);
/* Sum of the node digests modulo 2^64; 0 when switched off. */
uint64_t tree_digest(const struct tree *tree);
/* What goes into the digest of a node after its path and its data, in this order. `node` points to
 * a struct that has these fields: a znode, or one that does not exist yet. */
enum { TREE_DIGEST_STAT_BYTES = 60 };
#define TREE_DIGEST_STAT_PUT(at, node)                                                             \
    do {                                                                                           \
        store_be64((at), (uint64_t)(node)->czxid);                                                 \
        store_be64((at) + 8, (uint64_t)(node)->mzxid);                                             \
        store_be64((at) + 16, (uint64_t)(node)->pzxid);                                            \
        store_be64((at) + 24, (uint64_t)(node)->ctime);                                            \
        store_be64((at) + 32, (uint64_t)(node)->mtime);                                            \
        store_be32((at) + 40, (uint32_t)(node)->version);                                          \
        store_be32((at) + 44, (uint32_t)(node)->cversion);                                         \
        store_be32((at) + 48, (uint32_t)(node)->aversion);                                         \
        store_be64((at) + 52, (uint64_t)(node)->owner);                                            \
    } while (0)
/* Nodes whose digest is 0, whatever their content. */
static inline bool tree_is_outside_digest(struct slice path)
{
    return slice_starts_with(path, SLICE("/zookeeper/"));
}
/* Call it after each transaction after which the tree is exact: every 128th zxid's digest is kept,
 * the last 1,024 of them, so that servers can be compared. */
void tree_mark_digest(struct tree *tree, int64_t zxid);
struct digest_mark {
    int64_t zxid;
    uint64_t digest;
};
/* Walk, oldest first: start with *cursor = 0; NULL ends. */
const struct digest_mark *tree_digest_mark_next(const struct tree *tree, uint64_t *cursor);
uint32_t tree_node_count(const struct tree *tree); /* root counted once */
uint64_t tree_data_bytes(const struct tree *tree); /* paths and data, for operators */
uint32_t tree_ephemeral_count(const struct tree *tree);
const struct tree_options *tree_get_options(const struct tree *tree);

/* --- looking things up --- */
enum { NODE_NONE = 0, NODE_ROOT = 1 };
uint32_t tree_find(const struct tree *tree, struct slice path); /* NODE_NONE: no such node */
uint32_t tree_find_child(const struct tree *tree, uint32_t parent, struct slice name);
struct znode *tree_node(const struct tree *tree, uint32_t id); /* id of a live node */
/* Znodes stand in chunks, which never move. A chunk can be made on another thread, before the tree needs
 * it: the first writes to memory that is new to the process were a sixth of the work of replaying
 * creates. */
enum { TREE_CHUNK_NODES = 1024 };
MUST_USE struct znode *tree_chunk_new(void); /* the caller's, until it is added; or mem_free() */
void tree_chunk_add(struct tree *tree, struct znode *chunk);
/* So many more nodes find room in the chunks; where some were deleted, more. */
uint32_t tree_room(const struct tree *tree);
/* So many more nodes may come soon: the table by which they are found grows now, and not with each of
 * them. 4 bytes for each that does not come. */
void tree_expect_nodes(struct tree *tree, uint32_t more);
/* Brings into the processor's cache what a change of the znode at `path` will touch: first its bucket,
 * then, with other work in between, the nodes there one by one, from depth 0 on. Nothing changes;
 * any path is allowed. */
uint64_t tree_ahead_bucket(const struct tree *tree, struct slice path);
void tree_ahead_node(const struct tree *tree, uint64_t hash, uint32_t depth);
struct slice znode_name(const struct znode *node);
struct slice znode_data(const struct znode *node);
struct stat_persisted znode_stat_persisted(const struct znode *node); /* as in a snapshot */
bool znode_is_ephemeral(const struct tree *tree, const struct znode *node);
enum owner_kind tree_owner_kind(const struct tree_options *options, int64_t owner);
int64_t tree_owner_ttl_ms(const struct tree_options *options, int64_t owner);
/* As clients see it: cversion 2*stored-children, owner 0 unless a session's. */
void tree_stat(const struct tree *tree, const struct znode *node, struct zk_stat *ret_stat);
/* The full path ("" for the root), appended. */
void tree_path_append(const struct tree *tree, uint32_t id, struct buffer *path);
uint64_t tree_count_descendants(const struct tree *tree, uint32_t id, uint64_t *ret_data_bytes);

/* --- ACL lists: interned by content; one id per distinct list --- */
enum { ACL_OPEN = 0 /* world:anyone:31 */, ACL_UNKNOWN = 1 /* damaged snapshot: deny */ };
/* Takes one reference. The vector is not empty. */
uint32_t tree_acl_intern(struct tree *tree, struct jute_vector acl);
void tree_acl_hold(struct tree *tree, uint32_t id); /* one more reference */
void tree_acl_release(struct tree *tree, uint32_t id);
struct jute_vector tree_acl(const struct tree *tree, uint32_t id);

/* --- sessions --- */
struct tree_session *tree_session(const struct tree *tree, int64_t id); /* NULL: unknown */
uint32_t tree_session_count(const struct tree *tree);                   /* without orphans */
/* Walk: start with *cursor = 0; NULL ends; orphans included. */
struct tree_session *tree_session_next(const struct tree *tree, size_t *cursor);
void tree_session_add(struct tree *tree, int64_t id, int32_t timeout_ms);
void tree_session_remove(struct tree *tree, int64_t id); /* its ephemerals are gone already */

/* --- containers and TTL nodes, for the janitors --- */
uint32_t tree_container_next(const struct tree *tree, size_t *cursor); /* NODE_NONE ends */
uint32_t tree_ttl_next(const struct tree *tree, size_t *cursor);

/* --- changing; used by txn/apply --- */
struct tree_create {
    struct slice path, data;
    struct jute_vector acl;
    int64_t owner, zxid, time_ms;
    int32_t parent_cversion; /* -1: stored + 1 */
};
/* ZK_NO_NODE: there is no parent. ZK_NODE_EXISTS: a replay over a fuzzy snapshot; only the parent's
 * cversion and pzxid and the node's ACL have changed. ZK_NO_CHILDREN_FOR_EPHEMERALS: nothing has
 * changed. */
enum zk_error tree_create(struct tree *tree, const struct tree_create *create, uint32_t *ret_id);
/* ZK_NO_NODE: there is no such node; the parent's pzxid has changed, if there is a parent. */
enum zk_error tree_delete(struct tree *tree, struct slice path, int64_t zxid);
/* Both: ZK_NO_NODE. */
enum zk_error tree_set_data(struct tree *tree, struct slice path, struct slice data,
                            int32_t version, int64_t zxid, int64_t time_ms, uint32_t *ret_id);
enum zk_error tree_set_acl(struct tree *tree, struct slice path, struct jute_vector acl,
                           int32_t aversion, uint32_t *ret_id);

/* --- quotas: limits and usage live in /zookeeper/quota/<path>/zookeeper_{limits,stats} --- */
/* Would `count` more nodes and `bytes` more data under `path` break a hard limit of the innermost
 * quota? ZK_QUOTA_EXCEEDED; ZK_MARSHALLING_ERROR: limits or usage that cannot be parsed. */
enum zk_error tree_quota_check(const struct tree *tree, struct slice path, int64_t count,
                               int64_t bytes);

/* All quotas of one namespace, added up as Java does: a limit that is not given is -1. */
struct tree_quota_sum {
    int64_t count_limit, bytes_limit, count, bytes; /* limits: the hard ones, where given */
    bool limited, counted;                          /* whether the limits and the usage have a
                                                       meaning */
};
typedef void tree_quota_visit(void *context, struct slice name, const struct tree_quota_sum *sum);
void tree_quota_visit_all(const struct tree *tree, tree_quota_visit *visit, void *context);

/* --- loading a snapshot: sessions, ACL table, nodes (parents first), then finish --- */
/* Before the first node: about how many there will be. Too low a number costs time, too high a
 * number costs 4 bytes for each. */
void tree_load_reserve(struct tree *tree, uint32_t nodes);
void tree_load_acl(struct tree *tree, int64_t file_acl_id, struct jute_vector acl);
/* STATUS_CORRUPT: the parent is missing or ephemeral. The path "" is the root. A file_acl_id that is
 * not in the table becomes ACL_UNKNOWN. */
MUST_USE enum status tree_load_node(struct tree *tree, struct slice path, struct slice data,
                                    int64_t file_acl_id, const struct stat_persisted *stat);
/* Call it after the last node. False: a path was in the snapshot twice, and the tree cannot be
 * used. */
MUST_USE bool tree_load_unique(struct tree *tree);
/* Computes the usage of quotas. Adds no node: a snapshot of 3.4 has no /zookeeper/config, and like Java
 * this adds none. */
void tree_load_finish(struct tree *tree);

/* --- images of the tree, each at one zxid, written step by step while the tree changes ---
 *
 * A node that is about to change is first saved in memory, until the next step writes it. When more
 * than TREE_WALK_SAVED_BYTES_MAX bytes are saved in all (a disk or a connection hangs), the image
 * that has most of them is lost: nothing more is saved for it, and its next step answers
 * TREE_WALK_LOST. */
enum { TREE_WALK_SAVED_BYTES_MAX = 64 << 20 };
enum tree_walk_state { TREE_WALK_MORE, TREE_WALK_DONE, TREE_WALK_LOST };
struct tree_walk;
/* The image is the tree as it is now. Until it ends it costs a bit for each node and a comparison
 * for each change. */
struct tree_walk *tree_walk_begin(struct tree *tree);
/* Sessions and ACL table in snapshot format (counts included), as they are now: call right after
 * begin, before the tree changes. */
void tree_walk_tables(const struct tree_walk *walk, struct buffer *out);
/* Appends node records until `out` holds about bytes_max, or all are written (DONE). The "/" that
 * ends the list is not written. A record may begin in one step and end in the next. A step takes a
 * bounded time: among many deleted nodes it may append less, or nothing (MORE). */
enum tree_walk_state tree_walk_step(struct tree_walk *walk, struct buffer *out, size_t bytes_max);
void tree_walk_end(struct tree_walk *walk); /* at any time; tree_free() does it, too */

#endif
