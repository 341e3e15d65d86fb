/* commands_tree.c: commands that look at a whole subtree: tree, find and du. A znode that may not be read
 * is named, the rest is shown, and the exit code says so. Nothing is kept of znodes that were shown. */
#include "base/array.h"
#include "base/number.h"
#include "shell/commands.h"
#include "shell/interrupt.h"
#include "shell/walk.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* What the three have in common. */
struct look {
    struct shell *shell;
    const char *root;
    int64_t count, bytes; /* of what was shown */
    bool unreadable;
};

static bool parse_depth(const struct java_words *words, int option, size_t *ret_depth)
{
    int64_t depth = WALK_ALL;

    if (words->given[option] && (!number_parse(slice_text(words->value[option]), 10, &depth) ||
                                 depth < 0 || depth > WALK_ALL)) {
        (void)answer_fail(EXIT_USAGE, "--depth takes a number from 0 on, not \"%s\"",
                          words->value[option]);
        return false;
    }
    *ret_depth = (size_t)depth;
    return true;
}

/* Tells of a znode that could not be read. */
static void note_unreadable(struct look *look, const struct walk_node *node)
{
    look->unreadable = true;
    (void)answer_fail_call(node->err, node->path);
}

static int look_at_all(struct look *look, size_t depth_max, walk_visit *visit, void *context)
{
    const struct walk_options options = {.depth_max = depth_max};

    interrupt_begin();
    int32_t err = walk(look->shell->connection, look->root, &options, visit, context);
    bool interrupted = interrupt_seen();
    interrupt_end();
    if (err != ZK_OK)
        return answer_fail_call(err, look->root);
    if (interrupted)
        return answer_fail(EXIT_INTERRUPTED, "interrupted: this is not all");
    return look->unreadable ? EXIT_FAILED : 0;
}

/* As JSON: an element of the list of znodes. */
static void put_node(const struct walk_node *node)
{
    struct json *json = answer_json();

    json_open(json, NULL, '{');
    json_text(json, "path", slice_text(node->path));
    json_stat(json, &node->stat);
    json_close(json, '}');
    answer_flush();
}

static void put_totals(const struct look *look)
{
    json_close(answer_json(), ']');
    json_int(answer_json(), "count", look->count);
    json_int(answer_json(), "bytes", look->bytes);
}

static const char *name_of(const struct walk_node *node)
{
    const char *slash = strrchr(node->path, '/');

    return node->depth == 0 || slash == NULL ? node->path : slash + 1;
}

/* --- tree --- */

struct tree {
    struct look look;
    bool with_stat;
    bool *more; /* by depth: another child of this parent comes later */
    size_t more_capacity;
};

static void print_branch(struct tree *tree, const struct walk_node *node)
{
    tree->more = ARRAY_RESERVE(tree->more, tree->more_capacity, node->depth + 1, ARRAY_FIRST);
    tree->more[node->depth] = !node->last;
    for (size_t i = 1; i < node->depth; i++)
        fputs(tree->more[i] ? "\u2502   " : "    ", stdout);
    if (node->depth > 0)
        fputs(node->last ? "\u2514\u2500\u2500 " : "\u251c\u2500\u2500 ", stdout);
    fputs(name_of(node), stdout);
    if (node->err != ZK_OK)
        fputs("  (not readable)", stdout);
    else if (tree->with_stat)
        printf("  %d B", node->stat.data_length);
    if (tree->with_stat && node->err == ZK_OK && node->stat.ephemeral_owner != 0)
        printf("  ephemeral of 0x%llx", (unsigned long long)node->stat.ephemeral_owner);
    fputc('\n', stdout);
}

static bool visit_tree(void *context, const struct walk_node *node)
{
    struct tree *tree = context;

    if (!answer_is_json())
        print_branch(tree, node);
    if (node->err != ZK_OK) {
        note_unreadable(&tree->look, node);
    } else {
        tree->look.count++;
        tree->look.bytes += node->stat.data_length;
        if (answer_is_json())
            put_node(node);
    }
    return !interrupt_seen();
}

COMMAND(run_tree)
{
    struct tree tree = {.look = {.shell = shell}, .with_stat = words->given[TREE_STAT]};
    size_t depth;

    if (words->word_count != 2)
        return command_usage(command);
    tree.look.root = words->words[1];
    if (!parse_depth(words, TREE_DEPTH, &depth) || !shell_check_path(tree.look.root))
        return EXIT_FAILED;
    answer_path(tree.look.root);
    if (answer_is_json())
        json_open(answer_json(), "znodes", '[');
    int code = look_at_all(&tree.look, depth, visit_tree, &tree);
    mem_free(tree.more);
    if (answer_is_json())
        put_totals(&tree.look);
    else if (tree.look.count > 0)
        printf("\n%lld znodes, %lld bytes\n", (long long)tree.look.count,
               (long long)tree.look.bytes);
    return code;
}

/* --- find --- */

struct find {
    struct look look;
    const char *pattern; /* NULL: any name */
    bool whole_path;     /* the pattern has a slash */
    bool ephemeral;
    int64_t owner;               /* 0: any */
    int64_t larger, smaller;     /* -1: any */
    int64_t before_ms, after_ms; /* of the last change; 0: any */
};

/* A number with a unit behind it: `letters` and what each stands for. */
static bool parse_with_unit(const char *text, const char *letters, const int64_t *units,
                            int64_t *ret_value)
{
    size_t size = strlen(text);
    int64_t unit = 1;
    const char *found = size == 0 ? NULL : strchr(letters, text[size - 1]);

    if (found != NULL) {
        unit = units[found - letters];
        size--;
    }
    return number_parse(slice_of(text, size), 10, ret_value) && *ret_value >= 0 &&
           !__builtin_mul_overflow(*ret_value, unit, ret_value);
}

static bool parse_size(const struct java_words *words, int option, int64_t *ret_bytes)
{
    static const int64_t units[] = {1 << 10, 1 << 20};

    *ret_bytes = -1;
    if (!words->given[option] || parse_with_unit(words->value[option], "km", units, ret_bytes))
        return true;
    (void)answer_fail(EXIT_USAGE,
                      "A size is a number of bytes, or one with k or m after it, not \"%s\"",
                      words->value[option]);
    return false;
}

static bool parse_age(const struct java_words *words, int option, int64_t *ret_ms)
{
    static const int64_t units[] = {1, 60, 60 * 60, 24 * 60 * 60};
    int64_t age_s;

    *ret_ms = 0;
    if (!words->given[option])
        return true;
    int64_t now_s = (int64_t)time(NULL);
    if (parse_with_unit(words->value[option], "smhd", units, &age_s) && age_s <= now_s) {
        *ret_ms = (now_s - age_s) * 1000;
        return true;
    }
    (void)answer_fail(
        EXIT_USAGE, "An age is a number of seconds, or one with s, m, h or d after it, not \"%s\"",
        words->value[option]);
    return false;
}

static bool parse_owner(const struct java_words *words, int64_t *ret_owner)
{
    char *end = NULL;

    *ret_owner = 0;
    if (!words->given[FIND_OWNER])
        return true;
    const char *text = words->value[FIND_OWNER];
    if (strncmp(text, "0x", 2) == 0 && text[2] != '\0' && strlen(text) <= 18)
        *ret_owner = (int64_t)strtoull(text + 2, &end, 16);
    if (end != NULL && *end == '\0' && *ret_owner != 0)
        return true;
    (void)answer_fail(EXIT_USAGE, "--owner takes a session like 0x10000a1b2c30001, not \"%s\"",
                      text);
    return false;
}

static bool matches(const struct find *find, const struct walk_node *node)
{
    const struct zk_stat *stat = &node->stat;

    if (find->pattern != NULL &&
        fnmatch(find->pattern, find->whole_path ? node->path : name_of(node),
                find->whole_path ? FNM_PATHNAME : 0) != 0)
        return false;
    return (!find->ephemeral || stat->ephemeral_owner != 0) &&
           (find->owner == 0 || stat->ephemeral_owner == find->owner) &&
           (find->larger < 0 || stat->data_length > find->larger) &&
           (find->smaller < 0 || stat->data_length < find->smaller) &&
           (find->before_ms == 0 || stat->mtime < find->before_ms) &&
           (find->after_ms == 0 || stat->mtime >= find->after_ms);
}

static bool visit_find(void *context, const struct walk_node *node)
{
    struct find *find = context;

    if (node->err != ZK_OK) {
        note_unreadable(&find->look, node);
    } else if (matches(find, node)) {
        find->look.count++;
        find->look.bytes += node->stat.data_length;
        if (answer_is_json())
            put_node(node);
        else
            puts(node->path);
    }
    return !interrupt_seen();
}

COMMAND(run_find)
{
    struct find find = {.look = {.shell = shell},
                        .pattern = words->value[FIND_NAME],
                        .ephemeral = words->given[FIND_EPHEMERAL]};
    size_t depth;

    if (words->word_count != 2)
        return command_usage(command);
    find.look.root = words->words[1];
    find.whole_path = find.pattern != NULL && strchr(find.pattern, '/') != NULL;
    if (!parse_depth(words, FIND_DEPTH, &depth) || !parse_owner(words, &find.owner) ||
        !parse_size(words, FIND_LARGER, &find.larger) ||
        !parse_size(words, FIND_SMALLER, &find.smaller) ||
        !parse_age(words, FIND_OLDER, &find.before_ms) ||
        !parse_age(words, FIND_NEWER, &find.after_ms) || !shell_check_path(find.look.root))
        return EXIT_FAILED;
    answer_path(find.look.root);
    if (answer_is_json())
        json_open(answer_json(), "znodes", '[');
    int code = look_at_all(&find.look, depth, visit_find, &find);
    if (answer_is_json())
        put_totals(&find.look);
    return code;
}

/* --- du --- */

enum { DU_DEPTH_DEFAULT = 1 };

struct sum {
    char *path;
    int64_t bytes, count;
};

struct du {
    struct look look;
    size_t depth_shown;
    struct sum *sums; /* of all znodes that are shown */
    size_t count, capacity;
    size_t *open; /* by depth: the sums that the next znode belongs to */
    size_t open_count, open_capacity;
};

static bool visit_du(void *context, const struct walk_node *node)
{
    struct du *du = context;

    if (node->depth < du->open_count)
        du->open_count = node->depth;
    if (node->depth <= du->depth_shown) {
        du->sums = ARRAY_RESERVE(du->sums, du->capacity, du->count + 1, ARRAY_FIRST);
        du->open = ARRAY_RESERVE(du->open, du->open_capacity, du->open_count + 1, ARRAY_FIRST);
        char *path = mem_alloc(strlen(node->path) + 1);
        memcpy(path, node->path, strlen(node->path) + 1);
        du->open[du->open_count++] = du->count;
        du->sums[du->count++] = (struct sum){.path = path};
    }
    if (node->err != ZK_OK) {
        note_unreadable(&du->look, node);
    } else {
        for (size_t i = 0; i < du->open_count; i++) {
            du->sums[du->open[i]].bytes += node->stat.data_length;
            du->sums[du->open[i]].count++;
        }
    }
    return !interrupt_seen();
}

static int by_bytes(const void *left, const void *right)
{
    const struct sum *one = left, *other = right;

    if (one->bytes != other->bytes)
        return one->bytes < other->bytes ? 1 : -1;
    if (one->count != other->count)
        return one->count < other->count ? 1 : -1;
    return strcmp(one->path, other->path);
}

static void print_sum(const struct sum *sum)
{
    struct json *json;

    if (!answer_is_json()) {
        printf("%12lld %9lld  %s\n", (long long)sum->bytes, (long long)sum->count, sum->path);
        return;
    }
    json = answer_json();
    json_open(json, NULL, '{');
    json_text(json, "path", slice_text(sum->path));
    json_int(json, "bytes", sum->bytes);
    json_int(json, "count", sum->count);
    json_close(json, '}');
    answer_flush();
}

static void print_sums(struct du *du, size_t top)
{
    if (du->count > 0)
        qsort(du->sums, du->count, sizeof(*du->sums), by_bytes);
    if (answer_is_json())
        json_open(answer_json(), "subtrees", '[');
    else if (du->count > 0)
        printf("%12s %9s  %s\n", "BYTES", "ZNODES", "PATH");
    for (size_t i = 0; i < du->count; i++) {
        if (i < top)
            print_sum(&du->sums[i]);
        mem_free(du->sums[i].path);
    }
    if (answer_is_json())
        json_close(answer_json(), ']');
    mem_free(du->sums);
    mem_free(du->open);
}

COMMAND(run_du)
{
    struct du du = {.look = {.shell = shell}, .depth_shown = DU_DEPTH_DEFAULT};
    int64_t top = INT64_MAX;

    if (words->word_count != 2)
        return command_usage(command);
    du.look.root = words->words[1];
    if (words->given[DU_DEPTH] && !parse_depth(words, DU_DEPTH, &du.depth_shown))
        return EXIT_FAILED;
    if (words->given[DU_TOP] &&
        (!number_parse(slice_text(words->value[DU_TOP]), 10, &top) || top < 1))
        return answer_fail(EXIT_USAGE, "--top takes a number from 1 on, not \"%s\"",
                           words->value[DU_TOP]);
    if (!shell_check_path(du.look.root))
        return EXIT_FAILED;
    answer_path(du.look.root);
    int code = look_at_all(&du.look, WALK_ALL, visit_du, &du);
    print_sums(&du, (size_t)top);
    return code;
}
