#include "test/lib/check.h"
#include "test/lib/requests.h"

#include "replica/tree/tree.h"

#include <stdio.h>

static int64_t zxid;

static struct tree *new_tree(void)
{
    zxid = 0;
    return tree_new(&(struct tree_options){.hash_seed = 1, .digest_enabled = true});
}

static void make(struct tree *tree, const char *path, const char *data)
{
    uint32_t id;
    struct slice text = slice_text(path);

    for (size_t i = 1; i <= text.size; i++) { /* with all that is above it */
        if (i < text.size && text.data[i] != '/')
            continue;
        struct slice part = slice_of(text.data, i);
        if (i < text.size && tree_find(tree, part) != NODE_NONE)
            continue;
        enum zk_error err =
            tree_create(tree,
                        &(struct tree_create){.path = part,
                                              .data = i == text.size ? slice_text(data) : SLICE(""),
                                              .acl = OPEN_ACL,
                                              .zxid = ++zxid,
                                              .parent_cversion = -1},
                        &id);
        CHECK_I64(path, err, ZK_OK);
    }
}

static void set(struct tree *tree, const char *path, const char *data)
{
    uint32_t id;
    zxid++;
    CHECK_I64(path, tree_set_data(tree, slice_text(path), slice_text(data), 1, zxid, 0, &id),
              ZK_OK);
}

static void limit(struct tree *tree, const char *path, const char *limits)
{
    char node[128];

    snprintf(node, sizeof(node), "/zookeeper/quota%s/zookeeper_limits", path);
    make(tree, node, limits);
    snprintf(node, sizeof(node), "/zookeeper/quota%s/zookeeper_stats", path);
    make(tree, node, "count=0,bytes=0");
}

static void check_stats(const struct tree *tree, const char *name, const char *path,
                        const char *want)
{
    char node[128];

    snprintf(node, sizeof(node), "/zookeeper/quota%s/zookeeper_stats", path);
    uint32_t id = tree_find(tree, slice_text(node));
    CHECK(id != NODE_NONE);
    CHECK_SLICE(name, znode_data(tree_node(tree, id)), slice_text(want));
}

TEST(usage_counts_the_root_of_the_quota_and_all_below)
{
    struct tree *tree = new_tree();

    make(tree, "/q/a", "123");
    set(tree, "/q", "ab");
    limit(tree, "/q", "count=-1,bytes=-1");
    check_stats(tree, "when it is set up", "/q", "count=2,bytes=5");
    make(tree, "/q/b/c", "4567");
    check_stats(tree, "create", "/q", "count=4,bytes=9");
    set(tree, "/q/a", "1");
    check_stats(tree, "set", "/q", "count=4,bytes=7");
    CHECK_I64("delete", tree_delete(tree, SLICE("/q/b/c"), ++zxid), ZK_OK);
    check_stats(tree, "delete", "/q", "count=3,bytes=3");
    make(tree, "/qq", "elsewhere");
    check_stats(tree, "not by prefix of the name", "/q", "count=3,bytes=3");
    tree_free(tree);
}

TEST(usage_changes_no_stat_of_its_node)
{
    struct tree *tree = new_tree();

    make(tree, "/q", "");
    limit(tree, "/q", "count=10");
    uint32_t id = tree_find(tree, SLICE("/zookeeper/quota/q/zookeeper_stats"));
    struct zk_stat stat;
    uint8_t before[STAT_BYTES], after[STAT_BYTES];
    tree_stat(tree, tree_node(tree, id), &stat);
    zk_stat_put(before, &stat);
    make(tree, "/q/a", "abc");
    check_stats(tree, "it was charged", "/q", "count=2,bytes=3");
    tree_stat(tree, tree_node(tree, id), &stat);
    zk_stat_put(after, &stat);
    CHECK_SLICE("stat", slice_of(after, STAT_BYTES), slice_of(before, STAT_BYTES));
    tree_free(tree);
}

TEST(only_the_innermost_quota_is_charged)
{
    struct tree *tree = new_tree();

    make(tree, "/q/in", "");
    limit(tree, "/q", "count=100");
    limit(tree, "/q/in", "count=100");
    make(tree, "/q/in/x", "123");
    make(tree, "/q/y", "1");
    check_stats(tree, "inner", "/q/in", "count=2,bytes=3");
    check_stats(tree, "outer", "/q", "count=3,bytes=1");
    tree_free(tree);
}

TEST(other_keys_of_the_usage_are_kept_and_sorted)
{
    struct tree *tree = new_tree();

    make(tree, "/q", "");
    make(tree, "/zookeeper/quota/q/zookeeper_limits", "count=5");
    make(tree, "/zookeeper/quota/q/zookeeper_stats", "");
    set(tree, "/zookeeper/quota/q/zookeeper_stats", "zz=3,count=1;;bytes=2=;aa=4,mid=");
    make(tree, "/q/x", "123");
    /* "mid=" at the end does not parse: the text stays as it is. */
    check_stats(tree, "unparsable", "/q", "zz=3,count=1;;bytes=2=;aa=4,mid=");
    set(tree, "/zookeeper/quota/q/zookeeper_stats", "zz=3,count=1;;bytes=2=;aa=4");
    make(tree, "/q/y", "123");
    check_stats(tree, "kept", "/q", "count=2,bytes=5=;aa=4;zz=3");
    tree_free(tree);
}

TEST(loading_counts_usage_anew)
{
    struct tree *tree = tree_new_empty(&(struct tree_options){.hash_seed = 1});
    static const struct {
        const char *path, *data;
    } nodes[] = {{"/zookeeper", ""},
                 {"/zookeeper/quota", ""},
                 {"/zookeeper/quota/q", ""},
                 {"/zookeeper/quota/q/zookeeper_limits", "count=5"},
                 {"/zookeeper/quota/q/zookeeper_stats", "count=77,bytes=77"},
                 {"/zookeeper/quota/gone", ""},
                 {"/zookeeper/quota/gone/zookeeper_limits", "count=5"},
                 {"/zookeeper/quota/gone/zookeeper_stats", "count=77,bytes=77"},
                 {"/zookeeper/quota/bare", ""},
                 {"/zookeeper/quota/bare/zookeeper_limits", "count=5"},
                 {"/q", "ab"},
                 {"/q/x", "c"}};
    struct stat_persisted stat = {.mzxid = 3};

    for (size_t i = 0; i < ARRAY_LEN(nodes); i++)
        CHECK_STATUS(
            tree_load_node(tree, slice_text(nodes[i].path), slice_text(nodes[i].data), -1, &stat),
            STATUS_OK);
    tree_load_finish(tree);
    check_stats(tree, "counted", "/q", "count=2,bytes=3");
    check_stats(tree, "of nothing", "/gone", "count=0,bytes=0");
    tree_free(tree);
}

struct check_row {
    const char *name, *limits, *stats;
    int64_t count, bytes;
    enum zk_error want;
};

static void check_rows(const struct check_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct tree *tree = new_tree();
        make(tree, "/q", "");
        make(tree, "/zookeeper/quota/q/zookeeper_limits", rows[i].limits);
        make(tree, "/zookeeper/quota/q/zookeeper_stats", "");
        set(tree, "/zookeeper/quota/q/zookeeper_stats", rows[i].stats);
        CHECK_I64(rows[i].name,
                  tree_quota_check(tree, SLICE("/q/new"), rows[i].count, rows[i].bytes),
                  rows[i].want);
        CHECK_I64("somewhere else", tree_quota_check(tree, SLICE("/other"), 100, 100), ZK_OK);
        tree_free(tree);
    }
}

TEST(a_hard_limit_refuses_what_goes_over_it)
{
    static const struct check_row rows[] = {
        {"no limit", "count=-1,bytes=-1", "count=5,bytes=5", 1, 1, ZK_OK},
        {"soft limits never", "count=1,bytes=1", "count=5,bytes=5", 1, 1, ZK_OK},
        {"up to the count", "countHardLimit=6", "count=5,bytes=5", 1, 9, ZK_OK},
        {"over the count", "countHardLimit=5", "count=5,bytes=5", 1, 9, ZK_QUOTA_EXCEEDED},
        {"up to the bytes", "byteHardLimit=8", "count=5,bytes=5", 1, 3, ZK_OK},
        {"over the bytes", "byteHardLimit=8", "count=5,bytes=5", 1, 4, ZK_QUOTA_EXCEEDED},
        {"no more nodes", "countHardLimit=1", "count=5,bytes=5", 0, 1, ZK_OK},
        {"no more bytes", "byteHardLimit=1", "count=5,bytes=5", 0, 0, ZK_OK},
        {"fewer, but still over", "byteHardLimit=1", "count=5,bytes=5", 0, -1, ZK_QUOTA_EXCEEDED},
        {"a limit of zero", "countHardLimit=0", "count=0,bytes=0", 1, 0, ZK_QUOTA_EXCEEDED},
        {"the writer's form", "count=4,bytes=20=;byteHardLimit=20;countHardLimit=4",
         "count=4,bytes=0", 1, 0, ZK_QUOTA_EXCEEDED},
        {"no usage yet counts as -1", "countHardLimit=0", "", 1, 0, ZK_OK},
    };

    check_rows(rows, ARRAY_LEN(rows));
}

TEST(limits_are_parsed_as_the_real_server_parses_them)
{
    static const struct check_row rows[] = {
        {"nothing", "", "count=1", 1, 0, ZK_OK},
        {"several separators", "a=1,;;,countHardLimit=1", "count=1", 1, 0, ZK_QUOTA_EXCEEDED},
        {"separators at the end", "countHardLimit=1,;", "count=1", 1, 0, ZK_QUOTA_EXCEEDED},
        {"a separator in front", ",countHardLimit=1", "count=1", 1, 0, ZK_MARSHALLING_ERROR},
        {"nothing behind =", "countHardLimit=", "count=1", 1, 0, ZK_MARSHALLING_ERROR},
        {"no =", "countHardLimit", "count=1", 1, 0, ZK_MARSHALLING_ERROR},
        {"== is -1", "countHardLimit==1", "count=1", 1, 0, ZK_OK},
        {"up to the second =", "countHardLimit=1=99", "count=1", 1, 0, ZK_QUOTA_EXCEEDED},
        {"the last one counts", "countHardLimit=1,countHardLimit=9", "count=1", 1, 0, ZK_OK},
        {"words", "countHardLimit=many", "count=1", 1, 0, ZK_MARSHALLING_ERROR},
        {"words under any key", "foo=bar", "count=1", 1, 0, ZK_MARSHALLING_ERROR},
        {"a space", "countHardLimit= 1", "count=1", 1, 0, ZK_MARSHALLING_ERROR},
        {"a sign", "countHardLimit=+1", "count=1", 1, 0, ZK_QUOTA_EXCEEDED},
        {"only a sign", "countHardLimit=-", "count=1", 1, 0, ZK_MARSHALLING_ERROR},
        {"the largest", "countHardLimit=9223372036854775807", "count=1", 1, 0, ZK_OK},
        {"the smallest", "countHardLimit=-9223372036854775808", "count=1", 1, 0, ZK_OK},
        {"too large", "countHardLimit=9223372036854775808", "count=1", 1, 0, ZK_MARSHALLING_ERROR},
        {"too small", "countHardLimit=-9223372036854775809", "count=1", 1, 0, ZK_MARSHALLING_ERROR},
        {"far too large", "countHardLimit=92233720368547758070", "count=1", 1, 0,
         ZK_MARSHALLING_ERROR},
        {"usage in words", "countHardLimit=1", "count=x", 1, 0, ZK_MARSHALLING_ERROR},
    };

    check_rows(rows, ARRAY_LEN(rows));
}

TEST(limits_without_usage_refuse_nothing)
{
    struct tree *tree = new_tree();

    make(tree, "/q", "");
    make(tree, "/zookeeper/quota/q/zookeeper_limits", "countHardLimit=0");
    CHECK_I64("no usage node", tree_quota_check(tree, SLICE("/q/x"), 1, 0), ZK_OK);
    make(tree, "/q/x", "charging nobody is fine, too");
    tree_free(tree);
}

TEST(a_quota_ends_with_its_limits)
{
    struct tree *tree = new_tree();

    make(tree, "/q", "");
    limit(tree, "/q", "countHardLimit=1");
    CHECK_I64("over", tree_quota_check(tree, SLICE("/q/x"), 1, 0), ZK_QUOTA_EXCEEDED);
    CHECK_I64("delete", tree_delete(tree, SLICE("/zookeeper/quota/q/zookeeper_limits"), ++zxid),
              ZK_OK);
    CHECK_I64("free", tree_quota_check(tree, SLICE("/q/x"), 1, 0), ZK_OK);
    make(tree, "/q/x", "abc");
    check_stats(tree, "no longer charged", "/q", "count=1,bytes=0");
    tree_free(tree);
}

TEST(a_tree_without_the_quota_node_has_no_quotas)
{
    struct tree *tree = new_tree();

    make(tree, "/q", "");
    limit(tree, "/q", "countHardLimit=1");
    CHECK_I64("delete", tree_delete(tree, SLICE("/zookeeper/quota"), ++zxid), ZK_OK);
    CHECK_I64("free", tree_quota_check(tree, SLICE("/q/x"), 1, 0), ZK_OK);
    make(tree, "/q/x", "");
    CHECK_I64("delete", tree_delete(tree, SLICE("/q/x"), ++zxid), ZK_OK);
    tree_free(tree);
}
