/* snapshot_summary.c: for each inner node how many nodes and how many bytes stand below it; depth first,
 * children in the order of Java's hash table. */
#include "base/number.h"
#include "io/java_text.h"
#include "tools/snapshot_file.h"
#include "tools/tools.h"

#include <stdio.h>

enum { EXIT_BAD = 1, EXIT_USAGE = 2 };

static int usage(void)
{
    fputs("USAGE:\n\n\n"
          "SnapshotRecursiveSummary  <snapshot_file>  <starting_node>  <max_depth>\n\n\n"
          "snapshot_file:    path to the zookeeper snapshot\n"
          "starting_node:    the path in the zookeeper tree where the traversal should begin\n"
          "max_depth:        defines the depth where the tool still writes to the output. 0 means "
          "there is no depth limit, every non-leaf node's stats will be displayed, 1 means it will "
          "only contain the starting node's and it's children's stats, 2 ads another level and so "
          "on. This ONLY affects the level of details displayed, NOT the calculation.\n",
          stderr);
    return EXIT_USAGE;
}

static void print_node(const struct tree *tree, uint32_t id, size_t level, struct buffer *scratch)
{
    uint64_t bytes, count = tree_count_descendants(tree, id, &bytes);

    bytes += znode_data(tree_node(tree, id)).size;
    scratch->size = 0;
    tree_path_append(tree, id, scratch);
    struct buffer path;
    buffer_init(&path);
    java_put_text(&path, scratch->size == 0 ? SLICE("/") : buffer_slice(scratch));
    for (int line = 0; line < 3; line++) {
        for (size_t i = 0; i < level; i++)
            fputs("--", stdout);
        if (line == 0)
            printf(" %.*s\n", (int)path.size, (const char *)path.data);
        else
            printf("   %s: %llu\n", line == 1 ? "children" : "data",
                   (unsigned long long)(line == 1 ? count : bytes));
    }
    buffer_deinit(&path);
}

struct level {
    uint32_t *ids;
    size_t count, next;
};

static void print_tree(const struct tree *tree, uint32_t start, int64_t max_depth)
{
    struct level *levels = NULL;
    size_t depth = 0, capacity = 0;
    struct buffer scratch;
    uint32_t id = start;

    buffer_init(&scratch);
    for (;;) {
        bool inner = tree_node(tree, id)->first_child != NODE_NONE;
        if (inner && (max_depth == 0 || (int64_t)depth <= max_depth)) {
            print_node(tree, id, depth, &scratch);
            if (depth == capacity) {
                capacity = capacity == 0 ? 16 : capacity * 2;
                levels = mem_realloc(levels, capacity * sizeof(*levels));
            }
            struct level *level = &levels[depth++];
            level->next = 0;
            level->ids = snapshot_file_children(tree, id, &level->count);
        }
        while (depth > 0 && levels[depth - 1].next == levels[depth - 1].count)
            mem_free(levels[--depth].ids);
        if (depth == 0)
            break;
        id = levels[depth - 1].ids[levels[depth - 1].next++];
    }
    buffer_deinit(&scratch);
    mem_free(levels);
}

int snapshot_summary_main(int argc, char **argv)
{
    struct snapshot_info info;
    int64_t max_depth;

    if (argc != 4 || !number_parse(slice_text(argv[3]), 10, &max_depth) || max_depth < INT32_MIN ||
        max_depth > INT32_MAX)
        return usage();
    struct tree *tree = snapshot_file_load(argv[1], &info);
    if (tree == NULL)
        return EXIT_BAD;
    uint32_t start = tree_find(tree, slice_text(argv[2]));
    if (start == NODE_NONE) {
        fprintf(stderr, "%s: there is no node %s in it\n", argv[1], argv[2]);
        tree_free(tree);
        return EXIT_BAD;
    }
    print_tree(tree, start, max_depth);
    fputc('\n', stdout);
    tree_free(tree);
    return fflush(stdout) == 0 ? 0 : EXIT_BAD;
}
