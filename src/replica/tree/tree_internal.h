/* tree_internal.h: what the files of this room share. Not for other rooms. */
#ifndef REPLICA_TREE_TREE_INTERNAL_H
#define REPLICA_TREE_TREE_INTERNAL_H

#include "replica/tree/tree.h"

enum {
    NODES_PER_CHUNK = 1024, /* nodes never move: chunks are added, not grown */
    HEADS_PER_SEGMENT = 1024,
    LOAD_WAITING = 16 /* loaded nodes whose place in the hash is on its way to the cache */
};

struct acl_entry {
    struct jute_vector acl; /* bytes owned; data == NULL: the id is free */
    uint32_t references, hash_next;
};

struct acl_table {
    struct acl_entry *entries;
    uint32_t count, capacity, free_id; /* free ids are chained through hash_next */
    uint32_t heads[256];
    struct map file_ids; /* while loading: id in the snapshot -> our id + 1 */
};

struct tree {
    struct tree_options options;
    int64_t last_zxid;
    uint64_t digest;
    /* nodes: id -> chunk and place */
    struct znode **chunks;
    uint32_t chunk_count, node_limit, free_node, node_count, ephemeral_count;
    uint64_t data_bytes;
    /* (parent, name) -> node: linear hashing, one bucket is split per growth step */
    uint32_t **segments;
    uint32_t segment_count, bucket_count, bucket_mask; /* mask of the larger power of two */
    uint32_t hashed_count;
    struct acl_table acls;
    struct map sessions; /* id -> struct tree_session; id 0 is never one */
    uint32_t orphan_count;
    struct map containers; /* node id -> any */
    struct map ttls;
    uint32_t quota_root; /* id of /zookeeper/quota, or NODE_NONE */
    /* loading: where the last node's parent was */
    struct buffer load_parent_path;
    struct buffer load_hashes; /* uint64_t each, of all nodes but the root */
    struct {
        uint64_t hash;
        uint32_t id; /* NODE_NONE: free */
    } load_waiting[LOAD_WAITING];
    uint32_t load_waiting_next;
    uint32_t load_parent;
    /* image */
    struct tree_walk *walk;
    bool image_mark; /* nodes with this in_image are in the running (or last) image */
};

void acl_table_init(struct acl_table *table);
void acl_table_deinit(struct acl_table *table);
uint32_t acl_table_intern(struct acl_table *table, struct jute_vector acl);
void acl_table_release(struct acl_table *table, uint32_t id);
void acl_table_write(const struct acl_table *table, struct buffer *out);
int64_t acl_table_file_id(uint32_t id);

/* To be called before a node changes or goes: a running walk writes it as it was. */
void tree_walk_save(struct tree *tree, uint32_t id);

/* The counts of quotas, kept beside the znodes that carry them (quota.c). */
void tree_quota_charge(struct tree *tree, struct slice path, int64_t count, int64_t bytes);
void tree_quota_node_created(struct tree *tree, struct slice path);
void tree_quota_recount_all(struct tree *tree);

/* Replaces the data of a node; the caller keeps digest and sizes right. */
void tree_replace_data(struct tree *tree, struct znode *node, struct slice data);
uint32_t tree_node_digest(const struct tree *tree, struct slice path, const struct znode *node);

#endif
