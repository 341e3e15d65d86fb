#include "replica/store/snapshot.h"

enum { MAGIC = 0x5a4b534e, VERSION = 2, DIGEST_VERSION = 2 };

struct snapshot_image {
    struct tree_walk *walk;
    struct snapshot_image_options options;
    int64_t zxid;
    uint64_t digest;
    enum { TABLES, NODES, DIGEST, LAST_ZXID, NOTHING } next;
};

struct snapshot_image *snapshot_image_begin(struct tree *tree,
                                            const struct snapshot_image_options *options)
{
    struct snapshot_image *image = mem_zalloc(sizeof(*image));

    image->walk = tree_walk_begin(tree);
    image->options = *options;
    image->zxid = tree_last_zxid(tree);
    image->digest = tree_digest(tree);
    return image;
}

int64_t snapshot_image_zxid(const struct snapshot_image *image)
{
    return image->zxid;
}

bool snapshot_image_next(struct snapshot_image *image, struct buffer *out, size_t bytes_max,
                         bool *ret_seal)
{
    *ret_seal = false;
    switch (image->next) {
    case TABLES:
        buffer_i32(out, MAGIC);
        buffer_i32(out, VERSION);
        buffer_i64(out, -1);
        tree_walk_tables(image->walk, out);
        image->next = NODES;
        return true;
    case NODES:
        if (tree_walk_step(image->walk, out, out->size + bytes_max)) {
            jute_put_bytes(out, SLICE("/"));
            *ret_seal = true;
            image->next = image->options.digest_enabled ? DIGEST : NOTHING;
        }
        return true;
    case DIGEST:
        buffer_i64(out, image->zxid);
        buffer_i32(out, DIGEST_VERSION);
        buffer_i64(out, (int64_t)image->digest);
        *ret_seal = true;
        image->next = image->options.last_zxid_section ? LAST_ZXID : NOTHING;
        return true;
    case LAST_ZXID:
        buffer_i64(out, image->zxid);
        *ret_seal = true;
        image->next = NOTHING;
        return true;
    case NOTHING:
        break;
    }
    return false;
}

void snapshot_image_end(struct snapshot_image *image)
{
    if (image == NULL)
        return;
    tree_walk_end(image->walk);
    mem_free(image);
}
