/* nodes.c: the znodes themselves, in chunks, each found by its id, and the bytes of each. Nodes never
 * move; an id is used again when its node is deleted. */
#include "replica/tree/tree_internal.h"

#include "base/array.h"

enum { CHUNK_BYTES = TREE_CHUNK_NODES * sizeof(struct znode), PAGE_BYTES = 4096 };

struct znode *tree_node(const struct tree *tree, uint32_t id)
{
    return &tree->chunks[id / TREE_CHUNK_NODES][id % TREE_CHUNK_NODES];
}

struct znode *tree_chunk_new(void)
{
    struct znode *chunk = mem_zalloc(CHUNK_BYTES);

    /* The zeros are there already, but the page is not: the compiler must not leave this out. */
    for (size_t at = 0; at < CHUNK_BYTES; at += PAGE_BYTES)
        ((volatile uint8_t *)chunk)[at] = 0;
    return chunk;
}

void tree_chunk_add(struct tree *tree, struct znode *chunk)
{
    tree->chunks = ARRAY_RESERVE(tree->chunks, tree->chunk_capacity, tree->chunk_count + 1, 1);
    tree->chunks[tree->chunk_count++] = chunk;
}

uint32_t tree_room(const struct tree *tree)
{
    return tree->chunk_count * TREE_CHUNK_NODES - tree->node_limit;
}

static uint32_t take_node(struct tree *tree)
{
    uint32_t id = tree->free_node;

    if (id != NODE_NONE) {
        ASSERT(!tree_node(tree, id)->live);
        tree->free_node = tree_node(tree, id)->hash_next;
        return id;
    }
    id = tree->node_limit++;
    if (id / TREE_CHUNK_NODES == tree->chunk_count)
        tree_chunk_add(tree, mem_zalloc(CHUNK_BYTES));
    return id;
}

struct slice znode_name(const struct znode *node)
{
    return slice_of(node->bytes, node->name_size);
}

struct slice znode_data(const struct znode *node)
{
    if (node->data_size < 0)
        return SLICE_NULL;
    return slice_of(node->bytes + node->name_size, (size_t)node->data_size);
}

struct stat_persisted znode_stat_persisted(const struct znode *node)
{
    return (struct stat_persisted){.czxid = node->czxid,
                                   .mzxid = node->mzxid,
                                   .ctime = node->ctime,
                                   .mtime = node->mtime,
                                   .version = node->version,
                                   .cversion = node->cversion,
                                   .aversion = node->aversion,
                                   .owner = node->owner,
                                   .pzxid = node->pzxid};
}

size_t znode_data_size(const struct znode *node)
{
    return node->data_size < 0 ? 0 : (size_t)node->data_size;
}

static void set_bytes(struct znode *node, struct slice name, struct slice data)
{
    ASSERT(name.size <= UINT32_MAX && data.size <= INT32_MAX);
    node->bytes = mem_alloc(name.size + data.size);
    if (name.size > 0)
        memcpy(node->bytes, name.data, name.size);
    if (data.size > 0)
        memcpy(node->bytes + name.size, data.data, data.size);
    node->name_size = (uint32_t)name.size;
    node->data_size = data.data == NULL ? -1 : (int32_t)data.size;
}

uint32_t tree_attach_node(struct tree *tree, uint32_t parent_id, struct slice name,
                          struct slice data)
{
    uint32_t id = take_node(tree);
    struct znode *node = tree_node(tree, id);

    *node = (struct znode){.parent = parent_id, .live = true};
    set_bytes(node, name, data);
    tree->node_count++;
    if (parent_id == NODE_NONE)
        return id;
    struct znode *parent = tree_node(tree, parent_id);
    ASSERT(parent->live);
    node->next = parent->first_child;
    if (node->next != NODE_NONE)
        tree_node(tree, node->next)->prev = id;
    parent->first_child = id;
    parent->child_count++;
    return id;
}

void tree_release_node(struct tree *tree, uint32_t id)
{
    struct znode *node = tree_node(tree, id);

    ASSERT(node->live && node->first_child == NODE_NONE);
    ASSERT(tree->node_count > 0);
    mem_free(node->bytes);
    *node = (struct znode){.hash_next = tree->free_node};
    tree->free_node = id;
    tree->node_count--;
}

void tree_replace_data(struct tree *tree, struct znode *node, struct slice data)
{
    size_t before = znode_data_size(node);

    ASSERT(node->live && data.size <= INT32_MAX);
    if (data.size != before)
        node->bytes = mem_realloc(node->bytes, node->name_size + data.size);
    if (data.size > 0)
        memcpy(node->bytes + node->name_size, data.data, data.size);
    node->data_size = data.data == NULL ? -1 : (int32_t)data.size;
    tree->data_bytes += data.size - before;
}
