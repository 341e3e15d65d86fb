/* digest.c: the digest of the tree, the sum of the digests of its nodes (docs/protocol.md, "Digests").
 * It is kept up to date with each change of a node, never computed from the whole tree. */
#include "replica/tree/tree_internal.h"

#include "base/checksum.h"

/* Folding is quick over one run of bytes, not over three short ones. */
static uint32_t node_digest(struct tree *tree, struct slice path, const struct znode *node)
{
    size_t data_size = node->data_size < 0 ? 0 : (size_t)node->data_size;
    const uint8_t *data = node->bytes + node->name_size;
    uint8_t *end = tree->digest_input + sizeof(tree->digest_input),
            *stat = end - TREE_DIGEST_STAT_BYTES;
    uint8_t *start = stat;
    uint32_t crc = 0;

    if (!tree->options.digest_enabled || tree_is_outside_digest(path))
        return 0;
    if (path.size == 1) /* the root counts once, under "" */
        path.size = 0;
    TREE_DIGEST_STAT_PUT(stat, node);
    if (path.size + data_size > sizeof(tree->digest_input) - TREE_DIGEST_STAT_BYTES) {
        crc = crc32_add(crc32_add(0, path), slice_of(data, data_size));
    } else {
        start -= data_size;
        if (data_size > 0)
            memcpy(start, data, data_size);
        start -= path.size;
        if (path.size > 0)
            memcpy(start, path.data, path.size);
    }
    return crc32_add(crc, slice_of(start, (size_t)(end - start)));
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
