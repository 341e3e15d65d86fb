#include "test/lib/image.h"

#include "test/lib/check.h"

enum { TEXT_BYTES_MAX = 1 << 30 };

struct tree *image_load(const struct tree_options *options, struct slice tables, struct slice nodes)
{
    struct tree *tree = tree_new_empty(options);
    struct arena arena;
    struct reader reader;

    arena_init(&arena);
    reader_init(&reader, tables, &arena, TEXT_BYTES_MAX);
    for (int32_t left = reader_i32(&reader); left > 0; left--) {
        int64_t id = reader_i64(&reader);
        tree_session_add(tree, id, reader_i32(&reader));
    }
    for (int32_t left = reader_i32(&reader); left > 0; left--) {
        int64_t id = reader_i64(&reader);
        tree_load_acl(tree, id, reader_acls(&reader));
    }
    CHECK_STATUS(reader.status, STATUS_OK);
    CHECK_U64("nothing is left of the tables", reader_left(&reader), 0);

    reader_init(&reader, nodes, &arena, TEXT_BYTES_MAX);
    while (reader_left(&reader) > 0) {
        struct stat_persisted stat;
        struct slice path = reader_text(&reader);
        struct slice data = reader_buffer(&reader);
        int64_t acl = reader_i64(&reader);
        CHECK_STATUS(stat_persisted_read(&reader, &stat), STATUS_OK);
        CHECK_STATUS(tree_load_node(tree, path, data, acl, &stat), STATUS_OK);
    }
    tree_load_finish(tree);
    arena_deinit(&arena);
    return tree;
}
