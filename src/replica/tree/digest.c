/* The digest of the tree (DigestCalculator.java, version 2; storage reference, section 8). */
#include "replica/tree/tree_internal.h"

#include "base/checksum.h"

static uint32_t node_digest(const struct tree *tree, struct slice path, const struct znode *node)
{
    uint8_t stat[60];

    if (!tree->options.digest_enabled || slice_starts_with(path, SLICE("/zookeeper/")))
        return 0;
    if (path.size == 1) /* the root counts once, under "" */
        path.size = 0;
    store_be64(stat, (uint64_t)node->czxid);
    store_be64(stat + 8, (uint64_t)node->mzxid);
    store_be64(stat + 16, (uint64_t)node->pzxid);
    store_be64(stat + 24, (uint64_t)node->ctime);
    store_be64(stat + 32, (uint64_t)node->mtime);
    store_be32(stat + 40, (uint32_t)node->version);
    store_be32(stat + 44, (uint32_t)node->cversion);
    store_be32(stat + 48, (uint32_t)node->aversion);
    store_be64(stat + 52, (uint64_t)node->owner);
    uint32_t crc = crc32_add(0, path);
    crc = crc32_add(crc, slice_of(node->bytes + node->name_size,
                                  node->data_size < 0 ? 0 : (size_t)node->data_size));
    return crc32_add(crc, slice_of(stat, sizeof(stat)));
}

void tree_node_changed(struct tree *tree, struct slice path, struct znode *node)
{
    uint32_t digest = node_digest(tree, path, node);

    tree->digest += (uint64_t)digest - node->digest;
    node->digest = digest;
}

uint64_t tree_digest(const struct tree *tree)
{
    return tree->digest;
}

void tree_mark_digest(struct tree *tree, int64_t zxid)
{
    if (zxid % DIGEST_MARK_EVERY != 0)
        return;
    if (tree->digest_marks == NULL)
        tree->digest_marks = mem_alloc(DIGEST_MARKS_KEPT * sizeof(*tree->digest_marks));
    tree->digest_marks[tree->digest_mark_count++ % DIGEST_MARKS_KEPT] =
        (struct digest_mark){zxid, tree->digest};
}

const struct digest_mark *tree_digest_mark_next(const struct tree *tree, uint64_t *cursor)
{
    uint64_t count = tree->digest_mark_count;

    if (*cursor + DIGEST_MARKS_KEPT < count)
        *cursor = count - DIGEST_MARKS_KEPT;
    return *cursor == count ? NULL : &tree->digest_marks[(*cursor)++ % DIGEST_MARKS_KEPT];
}
