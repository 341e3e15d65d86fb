/* snapshot_image.c: the bytes of a snapshot, without seals, of the tree as it was when the image began.
 * What is not a node is fixed at that moment: zxid, digest, sessions, ACL lists. */
#include "replica/store/snapshot.h"

enum { VERSION = 2 };

struct snapshot_image {
    struct tree_walk *walk;
    struct snapshot_image_options options;
    int64_t zxid;
    uint64_t digest;
    struct buffer head; /* up to the nodes; empty once it was taken */
    enum { HEAD, NODES, DIGEST, LAST_ZXID, NOTHING } next;
};

struct snapshot_image *snapshot_image_begin(struct tree *tree,
                                            const struct snapshot_image_options *options)
{
    struct snapshot_image *image = mem_zalloc(sizeof(*image));

    image->walk = tree_walk_begin(tree);
    image->options = *options;
    image->zxid = tree_last_zxid(tree);
    image->digest = tree_digest(tree);
    if (!options->wire) {
        buffer_i32(&image->head, SNAPSHOT_MAGIC);
        buffer_i32(&image->head, VERSION);
        buffer_i64(&image->head, -1);
    }
    tree_walk_tables(image->walk, &image->head);
    return image;
}

int64_t snapshot_image_zxid(const struct snapshot_image *image)
{
    return image->zxid;
}

static enum image_part next_nodes(struct snapshot_image *image, struct buffer *out,
                                  size_t bytes_max)
{
    switch (tree_walk_step(image->walk, out, out->size + bytes_max)) {
    case TREE_WALK_MORE:
        break;
    case TREE_WALK_DONE:
        jute_put_bytes(out, SLICE("/"));
        if (image->options.wire) {
            jute_put_bytes(out, SLICE("BenWasHere"));
            image->next = NOTHING;
            return IMAGE_PART;
        }
        image->next = image->options.digest_enabled ? DIGEST : NOTHING;
        return IMAGE_PART_SEALED;
    case TREE_WALK_LOST:
        return IMAGE_LOST;
    }
    return IMAGE_PART;
}

enum image_part snapshot_image_next(struct snapshot_image *image, struct buffer *out,
                                    size_t bytes_max)
{
    switch (image->next) {
    case HEAD:
        ASSERT(image->head.size > 0);
        buffer_append(out, buffer_slice(&image->head));
        buffer_deinit(&image->head);
        image->next = NODES;
        return IMAGE_PART;
    case NODES:
        return next_nodes(image, out, bytes_max);
    case DIGEST:
        ASSERT(image->options.digest_enabled && !image->options.wire);
        buffer_i64(out, image->zxid);
        buffer_i32(out, DIGEST_VERSION);
        buffer_i64(out, (int64_t)image->digest);
        image->next = image->options.last_zxid_section ? LAST_ZXID : NOTHING;
        return IMAGE_PART_SEALED;
    case LAST_ZXID:
        ASSERT(image->options.last_zxid_section);
        buffer_i64(out, image->zxid);
        image->next = NOTHING;
        return IMAGE_PART_SEALED;
    case NOTHING:
        break;
    }
    return IMAGE_END;
}

void snapshot_image_end(struct snapshot_image *image)
{
    if (image == NULL)
        return;
    tree_walk_end(image->walk);
    buffer_deinit(&image->head);
    mem_free(image);
}
