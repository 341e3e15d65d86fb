/* snapshot_comparer.c: two trees level by level, paths in order, so that each pair is looked at once. Sizes
 * are of data; a node's descendants are counted without the node, their bytes with it. */
#include "base/array.h"
#include "base/number.h"
#include "io/java_text.h"
#include "tools/java_options.h"
#include "tools/snapshot_file.h"
#include "tools/tools.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { EXIT_BAD = 1, EXIT_USAGE = 2, LINE_BYTES_MAX = 1 << 16 };
enum { BYTES, DEBUG, INTERACTIVE, LEFT, NODES, RIGHT };

static const struct java_option options[] = {
    [BYTES] = {"b", "bytes", true},
    [DEBUG] = {"d", "debug", false},
    [INTERACTIVE] = {"i", "interactive", false},
    [LEFT] = {"l", "left", true},
    [NODES] = {"n", "nodes", true},
    [RIGHT] = {"r", "right", true},
};

static int print_usage(const char *problem)
{
    fprintf(stderr, "%s\n", problem);
    fputs("usage: java -cp <classPath> org.apache.zookeeper.server.SnapshotComparer\n"
          " -b,--bytes <BYTETHRESHOLD>   (Required) The node data delta size threshold, in bytes, "
          "for "
          "printing the node.\n"
          " -d,--debug                   Use debug output.\n"
          " -i,--interactive             Enter interactive mode.\n"
          " -l,--left <LEFT>             (Required) The left snapshot file.\n"
          " -n,--nodes <NODETHRESHOLD>   (Required) The descendant node delta size threshold, in "
          "nodes, "
          "for printing the node.\n"
          " -r,--right <RIGHT>           (Required) The right snapshot file.\n",
          stdout);
    return EXIT_USAGE;
}

struct entry {
    uint32_t id;
    char *path; /* "" for the root; with a zero byte at its end */
    int64_t bytes, descendants;
};
struct layer {
    struct entry *entries; /* by path */
    size_t count, capacity;
};
struct side {
    struct tree *tree;
    struct layer *layers;
    size_t layer_count, layer_capacity;
};

struct comparer {
    struct side left, right;
    int64_t byte_threshold, node_threshold;
    bool debug, interactive;
};

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* --- reading --- */

static void add_entry(struct side *side, struct layer *layer, uint32_t id, struct buffer *path)
{
    path->size = 0;
    tree_path_append(side->tree, id, path);
    layer->entries = ARRAY_RESERVE(layer->entries, layer->capacity, layer->count + 1, ARRAY_FIRST);
    struct entry *entry = &layer->entries[layer->count++];
    entry->id = id;
    entry->path = mem_alloc(path->size + 1);
    if (path->size > 0)
        memcpy(entry->path, path->data, path->size);
    entry->path[path->size] = '\0';
    entry->bytes = tree_node(side->tree, id)->data_size;
    if (entry->bytes < 0)
        entry->bytes = 0;
    entry->descendants = 0;
}

static int by_path(const void *left, const void *right)
{
    return strcmp(((const struct entry *)left)->path, ((const struct entry *)right)->path);
}

static struct layer *add_layer(struct side *side)
{
    side->layers =
        ARRAY_RESERVE(side->layers, side->layer_capacity, side->layer_count + 1, ARRAY_FIRST);
    struct layer *layer = &side->layers[side->layer_count++];
    *layer = (struct layer){0};
    return layer;
}

/* Adds what stands below to each node, from the deepest level up. */
static void sum_up(struct side *side)
{
    for (size_t depth = side->layer_count; depth-- > 1;) {
        struct layer *below = &side->layers[depth], *above = &side->layers[depth - 1];
        struct map by_id;
        map_init(&by_id);
        for (size_t i = 0; i < above->count; i++)
            map_set(&by_id, above->entries[i].id, &above->entries[i]);
        for (size_t i = 0; i < below->count; i++) {
            struct entry *parent =
                map_get(&by_id, tree_node(side->tree, below->entries[i].id)->parent);
            parent->bytes += below->entries[i].bytes;
            parent->descendants += below->entries[i].descendants + 1;
        }
        map_deinit(&by_id);
    }
}

static void make_layers(struct side *side)
{
    struct buffer path;

    buffer_init(&path);
    add_entry(side, add_layer(side), NODE_ROOT, &path);
    for (size_t depth = 0; depth < side->layer_count; depth++) {
        struct layer next = {0};
        for (size_t i = 0; i < side->layers[depth].count; i++) {
            uint32_t parent = side->layers[depth].entries[i].id;
            for (uint32_t id = tree_node(side->tree, parent)->first_child; id != NODE_NONE;
                 id = tree_node(side->tree, id)->next)
                add_entry(side, &next, id, &path);
        }
        if (next.count > 0) {
            qsort(next.entries, next.count, sizeof(*next.entries), by_path);
            *add_layer(side) = next;
        }
    }
    buffer_deinit(&path);
    sum_up(side);
}

static bool load(struct side *side, const char *path)
{
    struct snapshot_info info;
    double begin_s = now_s();

    fflush(stdout);
    side->tree = snapshot_file_load(path, &info);
    if (side->tree == NULL)
        return false;
    printf("Deserialized snapshot in %s in %f seconds\n", snapshot_file_base_name(path),
           now_s() - begin_s);
    begin_s = now_s();
    make_layers(side);
    printf("Processed data tree in %f seconds\n", now_s() - begin_s);
    return true;
}

static void free_side(struct side *side)
{
    for (size_t depth = 0; depth < side->layer_count; depth++) {
        for (size_t i = 0; i < side->layers[depth].count; i++)
            mem_free(side->layers[depth].entries[i].path);
        mem_free(side->layers[depth].entries);
    }
    mem_free(side->layers);
    tree_free(side->tree);
}

static void print_totals(const struct side *side)
{
    printf("Node count: %lld\nTotal size: %lld\nMax depth: %zu\n",
           (long long)side->layers[0].entries[0].descendants + 1,
           (long long)side->layers[0].entries[0].bytes, side->layer_count);
    for (size_t depth = 0; depth < side->layer_count; depth++)
        printf("Count of nodes at depth %zu: %zu\n", depth, side->layers[depth].count);
    fputc('\n', stdout);
}

/* --- comparing --- */

static void print_path(const char *path)
{
    struct buffer text;

    buffer_init(&text);
    java_put_text(&text, slice_text(path));
    fwrite(text.data, 1, text.size, stdout);
    buffer_deinit(&text);
}

static void print_node(const char *before, const char *path)
{
    fputs(before, stdout);
    print_path(path);
}

static void print_both(const struct comparer *comparer, const struct entry *left,
                       const struct entry *right)
{
    int64_t bytes = right->bytes - left->bytes, nodes = right->descendants - left->descendants;

    if (llabs(bytes) > comparer->byte_threshold || llabs(nodes) > comparer->node_threshold) {
        print_node("Node ", left->path);
        printf(" found in both trees. Delta: %lld bytes, %lld descendants\n", (long long)bytes,
               (long long)nodes);
    } else if (comparer->debug || comparer->interactive) {
        print_node("Filtered node ", left->path);
        printf(" of left size %lld, right size %lld\n", (long long)left->bytes,
               (long long)right->bytes);
    }
}

static void print_one(const struct comparer *comparer, const struct entry *entry, const char *name)
{
    if (entry->bytes > comparer->byte_threshold || entry->descendants > comparer->node_threshold) {
        print_node("Node ", entry->path);
        printf(" found only in %s tree. Descendant size: %lld. Descendant count: %lld\n", name,
               (long long)entry->bytes, (long long)entry->descendants);
    } else if (comparer->debug || comparer->interactive) {
        printf("Filtered %s ", name);
        print_node("node ", entry->path);
        printf(" of size %lld\n", (long long)entry->bytes);
    }
}

static void print_comparing(const struct comparer *comparer, const char *left, const char *right,
                            int order)
{
    if (!comparer->debug)
        return;
    print_node("Comparing ", left);
    print_node(" to ", right);
    fputs(order == 0 ? "\nsame\n" : order < 0 ? "\nleft is less\n" : "\nright is less\n", stdout);
}

static void compare_layers(const struct comparer *comparer, const struct layer *left,
                           const struct layer *right)
{
    size_t i = 0, j = 0;

    while (i < left->count && j < right->count) {
        const struct entry *a = &left->entries[i], *b = &right->entries[j];
        int order = strcmp(a->path, b->path);
        print_comparing(comparer, a->path, b->path, order);
        if (order == 0) {
            print_both(comparer, a, b);
            i++;
            j++;
        } else if (order < 0) {
            print_one(comparer, a, "left");
            i++;
        } else {
            print_one(comparer, b, "right");
            j++;
        }
    }
    for (; i < left->count; i++)
        print_one(comparer, &left->entries[i], "left");
    for (; j < right->count; j++)
        print_one(comparer, &right->entries[j], "right");
}

static const struct layer *layer_at(const struct side *side, size_t depth)
{
    static const struct layer none;

    return depth < side->layer_count ? &side->layers[depth] : &none;
}

static size_t depth_count(const struct comparer *comparer)
{
    return comparer->left.layer_count > comparer->right.layer_count ? comparer->left.layer_count
                                                                    : comparer->right.layer_count;
}

static void compare_depth(const struct comparer *comparer, size_t depth)
{
    printf("Analysis for depth %zu\n", depth);
    compare_layers(comparer, layer_at(&comparer->left, depth), layer_at(&comparer->right, depth));
}

/* --- the interactive form --- */

/* The children of `path` on one side: a run of its layer, by path. False: there is no such node. */
static bool children_of(const struct side *side, const char *path, struct layer *ret_children)
{
    uint32_t parent = tree_find(side->tree, slice_text(path));
    size_t depth = 1;

    *ret_children = (struct layer){0};
    if (parent == NODE_NONE)
        return false;
    for (uint32_t id = parent; id != NODE_ROOT; id = tree_node(side->tree, id)->parent)
        depth++;
    const struct layer *layer = layer_at(side, depth);
    for (size_t i = 0; i < layer->count; i++) {
        if (tree_node(side->tree, layer->entries[i].id)->parent != parent)
            continue;
        ret_children->entries = ARRAY_RESERVE(ret_children->entries, ret_children->capacity,
                                              ret_children->count + 1, ARRAY_FIRST);
        ret_children->entries[ret_children->count++] = layer->entries[i];
    }
    return true;
}

static void compare_subtree(const struct comparer *comparer, const char *path)
{
    struct layer left, right;
    bool in_left = children_of(&comparer->left, path, &left);
    bool in_right = children_of(&comparer->right, path, &right);

    printf("Analysis for node %s\n", path);
    if (!in_left && !in_right)
        printf("Path %s is neither found in left tree nor right tree.\n", path);
    else
        compare_layers(comparer, &left, &right);
    mem_free(left.entries);
    mem_free(right.entries);
}

static void print_threshold(const struct comparer *comparer)
{
    printf("Printing analysis for nodes difference larger than %lld bytes or node count difference "
           "larger than %lld.\n",
           (long long)comparer->byte_threshold, (long long)comparer->node_threshold);
}

static void answer_line(const struct comparer *comparer, const char *line, size_t *depth)
{
    int64_t number;
    size_t last = depth_count(comparer) - 1;

    if (line[0] == '\0') {
        compare_depth(comparer, (*depth)++);
    } else if (line[0] == '/') {
        compare_subtree(comparer, line);
    } else if (!number_parse(slice_text(line), 10, &number)) {
        printf("Input %s is not valid. Depth must be in range [0, %zu]. Path must be an absolute "
               "path which starts with '/'.\n",
               line, last);
    } else if (number < 0 || number > (int64_t)last) {
        printf("Depth must be in range [0, %zu]", last);
    } else {
        *depth = (size_t)number;
        compare_depth(comparer, *depth);
    }
}

/* Until the last level was printed, or the input ends. */
static void run_interactive(const struct comparer *comparer)
{
    char line[LINE_BYTES_MAX];
    size_t depth = 0;
    bool first = true;

    while (depth < depth_count(comparer)) {
        fputs(first ? "" : "\n", stdout);
        first = false;
        printf("Current depth is %zu\n"
               "- Press enter to move to print current depth layer;\n"
               "- Type a number to jump to and print all nodes at a given depth;\n"
               "- Enter an ABSOLUTE path to print the immediate subtree of a node. Path must start "
               "with '/'.\n",
               depth);
        fflush(stdout);
        if (fgets(line, sizeof(line), stdin) == NULL)
            return;
        line[strcspn(line, "\r\n")] = '\0';
        print_threshold(comparer);
        answer_line(comparer, line, &depth);
    }
    fputs("\nAll layers compared.\n", stdout);
}

static int compare(struct comparer *comparer, const char *left, const char *right)
{
    fputs("Successfully parsed options!\n", stdout);
    if (!load(&comparer->left, left) || !load(&comparer->right, right)) {
        free_side(&comparer->left);
        free_side(&comparer->right);
        return EXIT_BAD;
    }
    print_totals(&comparer->left);
    print_totals(&comparer->right);
    if (comparer->interactive) {
        run_interactive(comparer);
    } else {
        print_threshold(comparer);
        for (size_t depth = 0; depth < depth_count(comparer); depth++)
            compare_depth(comparer, depth);
        fputs("All layers compared.\n", stdout);
    }
    free_side(&comparer->left);
    free_side(&comparer->right);
    return fflush(stdout) == 0 ? 0 : EXIT_BAD;
}

/* -l, -r, -b and -n must be there. False: said. */
static bool check_required(const struct java_words *words)
{
    static const int required[] = {LEFT, RIGHT, BYTES, NODES};
    char problem[64] = "";
    int missing = 0;

    for (size_t i = 0; i < ARRAY_LEN(required); i++) {
        if (words->given[required[i]])
            continue;
        size_t size = strlen(problem);
        snprintf(problem + size, sizeof(problem) - size, "%s%s", missing++ == 0 ? "" : ", ",
                 options[required[i]].letter);
    }
    if (missing == 0)
        return true;
    char sentence[128];
    snprintf(sentence, sizeof(sentence), "Missing required option%s: %s", missing == 1 ? "" : "s",
             problem);
    (void)print_usage(sentence);
    return false;
}

static bool parse_threshold(const char *text, int64_t *ret_value)
{
    if (number_parse(slice_text(text), 10, ret_value) && *ret_value >= INT32_MIN &&
        *ret_value <= INT32_MAX)
        return true;
    fprintf(stderr, "-b and -n take a number. For input string: \"%s\"\n", text);
    return false;
}

int snapshot_comparer_main(int argc, char **argv)
{
    struct comparer comparer = {0};
    struct java_words words;
    int code = EXIT_USAGE;

    if (!java_options_parse(options, ARRAY_LEN(options), (const char *const *)argv + 1, argc - 1,
                            &words))
        code = print_usage(words.problem);
    else if (check_required(&words))
        code = parse_threshold(words.value[BYTES], &comparer.byte_threshold) &&
                       parse_threshold(words.value[NODES], &comparer.node_threshold)
                   ? 0
                   : EXIT_BAD;
    if (code == 0) {
        comparer.debug = words.given[DEBUG];
        comparer.interactive = words.given[INTERACTIVE];
        code = compare(&comparer, words.value[LEFT], words.value[RIGHT]);
    }
    java_words_deinit(&words);
    return code;
}
