/* tree_internal.h: what the files of this room share. Not for other rooms.
 *
 * From the bottom up: nodes.c, acl_table.c, tree_hash.c, tree_owners.c, look.c, digest.c,
 * tree_walk.c, quota.c, tree.c, tree_load.c. A file calls those before it. */
#ifndef REPLICA_TREE_TREE_INTERNAL_H
#define REPLICA_TREE_TREE_INTERNAL_H

#include "base/list.h"
#include "replica/tree/tree.h"

enum {
    BUCKETS_PER_SEGMENT = 1024,
    DIGEST_MARK_EVERY = 128,
    DIGEST_MARKS_KEPT = 1024,
    LOAD_AHEAD = 16 /* loaded nodes whose buckets are being prefetched */
};

struct acl_entry {
    struct jute_vector acl; /* bytes owned; data == NULL: the id is free */
    uint32_t references, hash_next;
};

struct acl_table {
    struct acl_entry *entries;
    uint32_t count, capacity, free_id; /* free ids are chained through hash_next */
    uint32_t *heads;                   /* by content; a power of two, at least as many as lists */
    uint32_t head_count, used;         /* used: ids that are found by content */
    uint64_t hash_seed;
    struct map file_ids; /* while loading: id in the snapshot -> our id + 1 */
};

/* Buckets of the table of nodes. A bucket's nodes are chained through hash_next. Its filter has the bit of
 * each of them (others may be set, too): most look-ups of a key that is not there, so most creates, read
 * no node. */
struct hash_segment {
    uint32_t heads[BUCKETS_PER_SEGMENT];
    uint8_t filters[BUCKETS_PER_SEGMENT];
};

struct tree {
    struct tree_options options;
    int64_t last_zxid;
    uint64_t digest;
    uint8_t digest_input[512];        /* of one node, when it is not longer */
    struct digest_mark *digest_marks; /* a ring of the newest; NULL before the first */
    uint64_t digest_mark_count;       /* ever made */
    /* nodes: an id is a chunk's index and an index in the chunk */
    struct znode **chunks;
    uint32_t chunk_count, chunk_capacity, node_limit, free_node, node_count, ephemeral_count;
    uint64_t data_bytes;
    /* (parent, name) -> node: tree_hash.c */
    struct hash_segment **segments;
    uint32_t segment_count, segment_capacity, bucket_count,
        bucket_mask; /* mask of the larger power of two */
    uint32_t hashed_count;
    struct acl_table acls;
    struct map sessions; /* id -> struct tree_session; id 0 is never one */
    uint32_t orphan_count;
    struct map containers; /* node id -> any */
    struct map ttls;
    uint32_t quota_root; /* id of /zookeeper/quota, or NODE_NONE */
    /* loading (tree_load.c): where the last node's parent was */
    struct buffer load_parent_path;
    /* uint64_t each, of all nodes but the root; the first hashed_count of those nodes are in the table. */
    struct buffer load_hashes;
    uint32_t load_parent;
    struct list walks; /* images under way */
};

void acl_table_init(struct acl_table *table, uint64_t hash_seed);
void acl_table_deinit(struct acl_table *table);
uint32_t acl_table_intern(struct acl_table *table, struct jute_vector acl);
void acl_table_release(struct acl_table *table, uint32_t id);
void acl_table_write(const struct acl_table *table, struct buffer *out);
int64_t acl_table_file_id(uint32_t id);

/* (parent, name) -> node (tree_hash.c). Lookups take the hash of the key, made once. */
void tree_hash_init(struct tree *tree);
void tree_hash_deinit(struct tree *tree);
void tree_hash_reserve(struct tree *tree, uint32_t nodes); /* while it is empty */
bool tree_hash_is_full(const struct tree *tree);           /* one more node needs a new bucket */
void tree_hash_empty(struct tree *tree); /* no node is found from now on: insert all again */
uint64_t tree_hash_key(const struct tree *tree, uint32_t parent, struct slice name);
void tree_hash_prefetch(const struct tree *tree, uint64_t hash);
uint32_t tree_hash_find(const struct tree *tree, uint32_t parent, struct slice name, uint64_t hash);
void tree_hash_insert(struct tree *tree, uint32_t id, uint64_t hash);
void tree_hash_remove(struct tree *tree, uint32_t id);

/* Adds a node to the lists by owner (of a session, containers, TTL nodes), or removes it
 * (tree_owners.c). */
void tree_owner_index(struct tree *tree, uint32_t id);
void tree_owner_unindex(struct tree *tree, uint32_t id);

/* Nodes (nodes.c). Makes a node below its parent, not yet in any index; deletes a leaf that was
 * removed from all of them. */
uint32_t tree_attach_node(struct tree *tree, uint32_t parent_id, struct slice name,
                          struct slice data);
void tree_release_node(struct tree *tree, uint32_t id);
size_t znode_data_size(const struct znode *node); /* 0 for null */

/* Keep the digest up to date (digest.c). */
void tree_node_changed(struct tree *tree, struct slice path, struct znode *node);

/* Call it before a node changes or is deleted: running walks save it as it was. */
void tree_walk_save(struct tree *tree, uint32_t id);
void tree_walk_leave_out(struct tree *tree,
                         uint32_t id); /* it is new: running images do not contain it */
void tree_walks_end(struct tree *tree);

/* The usage of quotas, kept beside the znodes that show it (quota.c). */
void tree_quota_charge(struct tree *tree, struct slice path, int64_t count, int64_t bytes);
void tree_quota_node_created(struct tree *tree, struct slice path);
void tree_quota_recount_all(struct tree *tree);

/* Replaces the data of a node; the caller keeps digest and sizes right. */
void tree_replace_data(struct tree *tree, struct znode *node, struct slice data);

#endif
