/* quota.c: limits on the number of znodes and bytes below a path, and what is used of them.
 *
 * There is no table of quotas beside the tree: the subtree /zookeeper/quota is the table, and the
 * innermost quota of a path is found by walking both together. docs/protocol.md, "Quotas". */
#include "replica/tree/tree_internal.h"

#include <stdio.h>

#define LIMITS SLICE("zookeeper_limits")
#define STATS SLICE("zookeeper_stats")
#define QUOTA_PREFIX SLICE("/zookeeper/quota")

struct quota_values {
    int64_t count, bytes, count_hard, bytes_hard; /* -1: not given */
    struct slice text;                            /* what they were read from */
};

/* The id under /zookeeper/quota that has the innermost limits for `path`; NODE_NONE: there are none. */
static uint32_t innermost_quota(const struct tree *tree, struct slice path)
{
    uint32_t at = tree->quota_root, found = NODE_NONE;

    if (at == NODE_NONE || tree_node(tree, at)->child_count == 0)
        return NODE_NONE;
    for (size_t start = 1; start < path.size;) {
        const uint8_t *slash = memchr(path.data + start, '/', path.size - start);
        size_t end = slash == NULL ? path.size : (size_t)(slash - path.data);
        at = tree_find_child(tree, at, slice_of(path.data + start, end - start));
        if (at == NODE_NONE)
            break;
        if (tree_find_child(tree, at, LIMITS) != NODE_NONE)
            found = at;
        start = end + 1;
    }
    return found;
}

/* Java's Long.parseLong: an optional sign and decimal digits. */
static bool parse_number(struct slice text, int64_t *ret_value)
{
    bool negative = text.size > 0 && text.data[0] == '-';
    size_t i = negative || (text.size > 0 && text.data[0] == '+') ? 1 : 0;
    int64_t value = 0;

    if (i == text.size)
        return false;
    for (; i < text.size; i++) {
        int64_t digit = text.data[i] - '0'; /* counted downwards: INT64_MIN has no positive */
        if (digit < 0 || digit > 9 || value < (INT64_MIN + digit) / 10)
            return false;
        value = value * 10 - digit;
    }
    if (!negative && value == INT64_MIN)
        return false;
    *ret_value = negative ? value : -value;
    return true;
}

static bool is_separator(uint8_t byte)
{
    return byte == ',' || byte == ';';
}

/* The next key=value of `text`. STATUS_END: no more. STATUS_MALFORMED: a separator at the start, or
 * nothing after the first '=', which Java does not accept either. An empty value is one that is
 * followed by another '='. */
static enum status next_pair(struct slice *text, struct slice *ret_key, struct slice *ret_value)
{
    size_t end = 0, next = 0;

    if (text->size == 0)
        return STATUS_END;
    while (end < text->size && !is_separator(text->data[end]))
        end++;
    for (next = end; next < text->size && is_separator(text->data[next]);)
        next++;
    struct slice pair = slice_of(text->data, end);
    *text = slice_of(text->data + next, text->size - next);
    const uint8_t *equals = memchr(pair.data, '=', pair.size);
    if (equals == NULL || equals + 1 == pair.data + pair.size)
        return STATUS_MALFORMED;
    *ret_key = slice_of(pair.data, (size_t)(equals - pair.data));
    *ret_value = slice_of(equals + 1, pair.size - ret_key->size - 1);
    const uint8_t *second = memchr(ret_value->data, '=', ret_value->size);
    if (second != NULL)
        ret_value->size = (size_t)(second - ret_value->data);
    return STATUS_OK;
}

static bool read_values(struct slice text, struct quota_values *ret_values)
{
    struct quota_values values = {-1, -1, -1, -1, text};
    struct slice key, value;
    enum status status;

    while ((status = next_pair(&text, &key, &value)) == STATUS_OK) {
        int64_t number = -1;
        if (value.size > 0 && !parse_number(value, &number))
            return false;
        if (slice_equal(key, SLICE("count")))
            values.count = number;
        else if (slice_equal(key, SLICE("bytes")))
            values.bytes = number;
        else if (slice_equal(key, SLICE("countHardLimit")))
            values.count_hard = number;
        else if (slice_equal(key, SLICE("byteHardLimit")))
            values.bytes_hard = number;
    }
    *ret_values = values;
    return status == STATUS_END;
}

static bool values_of(const struct tree *tree, uint32_t quota, struct slice name,
                      struct quota_values *ret_values, uint32_t *ret_id)
{
    *ret_id = tree_find_child(tree, quota, name);
    return *ret_id != NODE_NONE && read_values(znode_data(tree_node(tree, *ret_id)), ret_values);
}

/* Writes the new count and bytes; the other keys are kept, in the order in which Java writes them. */
static void write_stats(struct tree *tree, uint32_t stats, const struct quota_values *values)
{
    struct {
        struct slice key, value;
    } others[16];
    size_t other_count = 0;
    struct slice text = values->text, key, value;
    struct buffer out = {0};

    while (other_count < ARRAY_LEN(others) && next_pair(&text, &key, &value) == STATUS_OK) {
        if (slice_equal(key, SLICE("count")) || slice_equal(key, SLICE("bytes")))
            continue;
        size_t at = other_count++;
        for (; at > 0; at--) {
            struct slice before = others[at - 1].key;
            size_t shorter = before.size < key.size ? before.size : key.size;
            int order = memcmp(before.data, key.data, shorter);
            if (order < 0 || (order == 0 && before.size <= key.size))
                break;
            others[at] = others[at - 1];
        }
        others[at].key = key;
        others[at].value = value.size == 0 ? SLICE("-1") : value;
    }
    buffer_printf(&out, "count=%lld,bytes=%lld", (long long)values->count,
                  (long long)values->bytes);
    for (size_t i = 0; i < other_count; i++) {
        buffer_append(&out, i == 0 ? SLICE("=;") : SLICE(";"));
        buffer_append(&out, others[i].key);
        buffer_append(&out, SLICE("="));
        buffer_append(&out, others[i].value);
    }
    tree_walk_save(tree, stats);
    tree_replace_data(tree, tree_node(tree, stats), buffer_slice(&out));
    buffer_deinit(&out);
}

void tree_quota_charge(struct tree *tree, struct slice path, int64_t count, int64_t bytes)
{
    uint32_t quota = innermost_quota(tree, path), stats;
    struct quota_values values;

    if (quota == NODE_NONE || !values_of(tree, quota, STATS, &values, &stats))
        return;
    values.count += count;
    values.bytes += bytes;
    write_stats(tree, stats, &values);
}

/* The znode that the quota node speaks about, or NODE_NONE. */
static uint32_t subject_of(const struct tree *tree, uint32_t quota)
{
    struct buffer path = {0};

    tree_path_append(tree, quota, &path);
    ASSERT(path.size >= QUOTA_PREFIX.size);
    uint32_t id =
        tree_find(tree, slice_of(path.data + QUOTA_PREFIX.size, path.size - QUOTA_PREFIX.size));
    buffer_deinit(&path);
    return id;
}

static void recount(struct tree *tree, uint32_t quota)
{
    uint32_t stats = tree_find_child(tree, quota, STATS);
    uint32_t subject = subject_of(tree, quota);
    struct quota_values values = {.text = SLICE_NULL};

    if (stats == NODE_NONE)
        return;
    if (subject != NODE_NONE) {
        uint64_t bytes;
        values.count = (int64_t)tree_count_descendants(tree, subject, &bytes) + 1;
        values.bytes = (int64_t)(bytes + znode_data(tree_node(tree, subject)).size);
    }
    write_stats(tree, stats, &values);
}

void tree_quota_node_created(struct tree *tree, struct slice path)
{
    struct slice parent = zk_path_parent(path);

    if (!slice_starts_with(parent, SLICE("/zookeeper/quota/")) ||
        !slice_equal(zk_path_name(path), STATS))
        return;
    recount(tree, tree_find(tree, parent));
}

/* In preorder, below `top`. */
static uint32_t next_quota_node(const struct tree *tree, uint32_t top, uint32_t at)
{
    const struct znode *node = tree_node(tree, at);

    if (!znode_is_ephemeral(tree, node) && node->first_child != NODE_NONE)
        return node->first_child;
    while (at != top && tree_node(tree, at)->next == NODE_NONE)
        at = tree_node(tree, at)->parent;
    return at == top ? NODE_NONE : tree_node(tree, at)->next;
}

void tree_quota_recount_all(struct tree *tree)
{
    uint32_t root = tree->quota_root;

    if (root == NODE_NONE)
        return;
    for (uint32_t at = tree_node(tree, root)->first_child; at != NODE_NONE;
         at = next_quota_node(tree, root, at)) {
        if (tree_find_child(tree, at, LIMITS) != NODE_NONE)
            recount(tree, at);
    }
}

enum zk_error tree_quota_check(const struct tree *tree, struct slice path, int64_t count,
                               int64_t bytes)
{
    uint32_t quota = innermost_quota(tree, path), limits_id, stats_id;
    struct quota_values limits, stats;

    if (quota == NODE_NONE)
        return ZK_OK;
    if (tree_find_child(tree, quota, STATS) == NODE_NONE)
        return ZK_OK;
    if (!values_of(tree, quota, LIMITS, &limits, &limits_id) ||
        !values_of(tree, quota, STATS, &stats, &stats_id))
        return ZK_MARSHALLING_ERROR;
    if (count != 0 && limits.count_hard > -1 && stats.count + count > limits.count_hard)
        return ZK_QUOTA_EXCEEDED;
    if (bytes != 0 && limits.bytes_hard > -1 && stats.bytes + bytes > limits.bytes_hard)
        return ZK_QUOTA_EXCEEDED;
    return ZK_OK;
}

static void add_limits(struct tree_quota_sum *sum, const struct quota_values *limits)
{
    sum->count_limit += limits->count_hard > -1 ? limits->count_hard : limits->count;
    sum->bytes_limit += limits->bytes_hard > -1 ? limits->bytes_hard : limits->bytes;
    sum->limited = true;
}

static void add_usage(struct tree_quota_sum *sum, const struct quota_values *usage)
{
    sum->count += usage->count;
    sum->bytes += usage->bytes;
    sum->counted = true;
}

/* Quotas that cannot be parsed are left out. (Java's mntr then answers nothing.) */
static struct tree_quota_sum add_up(const struct tree *tree, uint32_t top)
{
    struct tree_quota_sum sum = {0};

    for (uint32_t at = top; at != NODE_NONE; at = next_quota_node(tree, top, at)) {
        struct quota_values values;
        uint32_t id;
        if (values_of(tree, at, LIMITS, &values, &id))
            add_limits(&sum, &values);
        if (values_of(tree, at, STATS, &values, &id))
            add_usage(&sum, &values);
    }
    return sum;
}

void tree_quota_visit_all(const struct tree *tree, tree_quota_visit *visit, void *context)
{
    if (tree->quota_root == NODE_NONE)
        return;
    for (uint32_t at = tree_node(tree, tree->quota_root)->first_child; at != NODE_NONE;
         at = tree_node(tree, at)->next) {
        struct tree_quota_sum sum = add_up(tree, at);
        if (sum.limited || sum.counted)
            visit(context, znode_name(tree_node(tree, at)), &sum);
    }
}
