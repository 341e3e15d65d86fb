/* tree_hash.c: finds a node by its parent and name. Linear hashing: each insertion splits one bucket at
 * most, so that growing never takes long. */
#include "replica/tree/tree_internal.h"

#include "base/array.h"
#include "base/hash.h"

uint64_t tree_hash_key(const struct tree *tree, uint32_t parent, struct slice name)
{
    return hash_bytes(name, tree->options.hash_seed + parent * UINT64_C(0x9e3779b97f4a7c15));
}

static uint32_t bucket_of(const struct tree *tree, uint64_t hash)
{
    uint32_t bucket = (uint32_t)hash & tree->bucket_mask;

    return bucket < tree->bucket_count ? bucket : bucket & (tree->bucket_mask >> 1);
}

static uint32_t *head_of(const struct tree *tree, uint32_t bucket)
{
    return &tree->segments[bucket / BUCKETS_PER_SEGMENT]->heads[bucket % BUCKETS_PER_SEGMENT];
}

static uint8_t *filter_of(const struct tree *tree, uint32_t bucket)
{
    return &tree->segments[bucket / BUCKETS_PER_SEGMENT]->filters[bucket % BUCKETS_PER_SEGMENT];
}

/* Three buckets for four nodes: as much memory as one head for each node, the filter included. */
static uint64_t buckets_for(uint64_t nodes)
{
    return nodes - nodes / 4;
}

static void grow_segments(struct tree *tree)
{
    tree->segments =
        ARRAY_RESERVE(tree->segments, tree->segment_capacity, tree->segment_count + 1, 1);
    tree->segments[tree->segment_count++] = mem_zalloc(sizeof(struct hash_segment));
}

/* Bits of the hash that the node keeps. A look-up tells most nodes apart by them, and a large table
 * splits its buckets by them: neither reads a name. */
enum { TAG_SHIFT = 16, SPLITS_AHEAD = 4 };

static uint16_t hash_tag(uint64_t hash)
{
    return (uint16_t)(hash >> TAG_SHIFT);
}

/* One of the eight bits of a bucket's filter: by those bits of the hash that choose a bucket only in a
 * table of 2^29 of them. */
static uint8_t filter_bit(uint16_t tag)
{
    return (uint8_t)(1 << (tag >> 13));
}

/* Does the node belong in the bucket that was added for this bit of the hash? */
static bool has_bit(const struct tree *tree, const struct znode *node, uint32_t bit)
{
    if (bit >= UINT32_C(1) << TAG_SHIFT)
        return (node->hash_tag & (bit >> TAG_SHIFT)) != 0;
    return (tree_hash_key(tree, node->parent, znode_name(node)) & bit) != 0;
}

static void prefetch_node(const struct tree *tree, uint32_t id)
{
    if (id != NODE_NONE)
        __builtin_prefetch(tree_node(tree, id), /* write= */ 1);
}

/* The chains of the buckets that are split soon come into the processor's cache, node by node: all those
 * buckets are below bucket_count, for the table is larger than SPLITS_AHEAD times their number. */
static void prefetch_splits(const struct tree *tree, uint32_t old)
{
    for (uint32_t ahead = SPLITS_AHEAD; ahead > 0; ahead--) {
        uint32_t id = *head_of(tree, old + ahead * 2);
        for (uint32_t depth = SPLITS_AHEAD - ahead; depth > 0 && id != NODE_NONE; depth--)
            id = tree_node(tree, id)->hash_next;
        prefetch_node(tree, id);
    }
}

/* Adds one bucket, and moves to it the nodes of one old bucket that belong there now. */
static void split_one_bucket(struct tree *tree)
{
    if (tree->bucket_count == BUCKETS_PER_SEGMENT * tree->segment_count)
        grow_segments(tree);
    uint32_t added = tree->bucket_count++;
    if (added > tree->bucket_mask)
        tree->bucket_mask = tree->bucket_mask * 2 + 1;
    uint32_t old = added & (tree->bucket_mask >> 1), bit = added & ~(tree->bucket_mask >> 1);
    uint32_t *from = head_of(tree, old), *to = head_of(tree, added);
    uint8_t stay = 0, move = 0;
    ASSERT(bit != 0 && *to == NODE_NONE);
    prefetch_splits(tree, old);
    while (*from != NODE_NONE) {
        struct znode *node = tree_node(tree, *from);
        if (has_bit(tree, node, bit)) {
            uint32_t moved = *from;
            *from = node->hash_next;
            node->hash_next = *to;
            *to = moved;
            move |= filter_bit(node->hash_tag);
        } else {
            from = &node->hash_next;
            stay |= filter_bit(node->hash_tag);
        }
    }
    *filter_of(tree, old) = stay;
    *filter_of(tree, added) = move;
}

void tree_hash_init(struct tree *tree)
{
    grow_segments(tree);
    tree->bucket_count = BUCKETS_PER_SEGMENT;
    tree->bucket_mask = BUCKETS_PER_SEGMENT - 1;
}

void tree_hash_deinit(struct tree *tree)
{
    for (uint32_t i = 0; i < tree->segment_count; i++)
        mem_free(tree->segments[i]);
    mem_free(tree->segments);
}

void tree_hash_reserve(struct tree *tree, uint32_t nodes)
{
    uint32_t segments =
        (uint32_t)((buckets_for(nodes) + BUCKETS_PER_SEGMENT - 1) / BUCKETS_PER_SEGMENT);

    ASSERT(tree->hashed_count == 0);
    while (tree->segment_count < segments)
        grow_segments(tree);
    tree->bucket_count = tree->segment_count * BUCKETS_PER_SEGMENT;
    while (tree->bucket_count - 1 > tree->bucket_mask)
        tree->bucket_mask = tree->bucket_mask * 2 + 1;
}

bool tree_hash_is_full(const struct tree *tree)
{
    return buckets_for((uint64_t)tree->hashed_count + 1) > tree->bucket_count;
}

void tree_hash_empty(struct tree *tree)
{
    for (uint32_t i = 0; i < tree->segment_count; i++)
        memset(tree->segments[i], 0, sizeof(*tree->segments[i]));
    tree->hashed_count = 0;
}

void tree_expect_nodes(struct tree *tree, uint32_t more)
{
    uint64_t wanted = buckets_for((uint64_t)tree->hashed_count + more);

    while (tree->bucket_count < wanted && tree->bucket_count < UINT32_MAX / 2)
        split_one_bucket(tree);
}

void tree_hash_insert(struct tree *tree, uint32_t id, uint64_t hash)
{
    struct znode *node = tree_node(tree, id);

    if (tree_hash_is_full(tree))
        split_one_bucket(tree);
    tree->hashed_count++;
    uint32_t bucket = bucket_of(tree, hash), *head = head_of(tree, bucket);
    node->hash_tag = hash_tag(hash);
    node->hash_next = *head;
    *head = id;
    *filter_of(tree, bucket) |= filter_bit(node->hash_tag);
}

void tree_hash_remove(struct tree *tree, uint32_t id)
{
    struct znode *node = tree_node(tree, id);
    uint32_t bucket = bucket_of(tree, tree_hash_key(tree, node->parent, znode_name(node)));
    uint32_t *head = head_of(tree, bucket), *at = head;

    while (*at != id) {
        ASSERT(*at != NODE_NONE);
        at = &tree_node(tree, *at)->hash_next;
    }
    ASSERT(tree->hashed_count > 0);
    *at = node->hash_next;
    if (*head == NODE_NONE)
        *filter_of(tree, bucket) = 0;
    tree->hashed_count--;
}

void tree_hash_prefetch(const struct tree *tree, uint64_t hash)
{
    uint32_t bucket = bucket_of(tree, hash);

    __builtin_prefetch(head_of(tree, bucket), /* write= */ 1);
    __builtin_prefetch(filter_of(tree, bucket), /* write= */ 1);
}

/* The first node of the only bucket in which the key can be; NODE_NONE when the filter says that it is
 * not there. */
static uint32_t first_candidate(const struct tree *tree, uint64_t hash)
{
    uint32_t bucket = bucket_of(tree, hash);

    return (*filter_of(tree, bucket) & filter_bit(hash_tag(hash))) == 0 ? NODE_NONE
                                                                        : *head_of(tree, bucket);
}

void tree_ahead_node(const struct tree *tree, uint64_t hash, uint32_t depth)
{
    uint32_t id = first_candidate(tree, hash);
    uint16_t tag = hash_tag(hash);

    for (; depth > 0 && id != NODE_NONE; depth--) {
        const struct znode *node = tree_node(tree, id);
        if (node->hash_tag == tag) {
            __builtin_prefetch(node->bytes, /* write= */ 1);
            return;
        }
        id = node->hash_next;
    }
    if (id == NODE_NONE)
        return;
    const struct znode *node = tree_node(tree, id);
    __builtin_prefetch(node, /* write= */ 1);
    __builtin_prefetch((const uint8_t *)(node + 1) - 1, /* write= */ 1);
}

uint32_t tree_hash_find(const struct tree *tree, uint32_t parent, struct slice name, uint64_t hash)
{
    uint32_t id = first_candidate(tree, hash);
    uint16_t tag = hash_tag(hash);

    while (id != NODE_NONE) {
        const struct znode *node = tree_node(tree, id);
        if (node->hash_tag == tag && node->parent == parent && node->name_size == name.size &&
            (name.size == 0 || memcmp(node->bytes, name.data, name.size) == 0))
            return id;
        id = node->hash_next;
    }
    return NODE_NONE;
}

uint32_t tree_find_child(const struct tree *tree, uint32_t parent, struct slice name)
{
    return tree_hash_find(tree, parent, name, tree_hash_key(tree, parent, name));
}
