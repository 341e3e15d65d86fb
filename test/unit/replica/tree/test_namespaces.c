#include "test/lib/check.h"
#include "test/lib/requests.h"

#include "replica/tree/tree.h"

#include <stdio.h>

static struct tree *new_tree(void)
{
    return tree_new(&(struct tree_options){.hash_seed = 1});
}

static const struct tree_namespace *named(const struct tree *tree, const char *name)
{
    const struct tree_namespace *at = tree_namespaces(tree);

    while (at != NULL && !slice_equal(at->name, slice_text(name)))
        at = at->older;
    return at;
}

TEST(a_text_is_as_long_as_java_says)
{
    static const struct {
        const char *text;
        size_t units;
    } rows[] = {
        {"", 0},
        {"/abc", 4},
        {"/a path of more than eight bytes", 32},
        {"\xc3\xa9", 1},
        {"\xe2\x82\xac", 1},
        {"\xf0\x9f\x98\x80", 2},
        {"12345678\xc3\xa9", 9},
        {"\xc3\xa9 12345678 \xf0\x9f\x98\x80", 13},
        {"1234567\xe2\x82\xac 123456789", 18},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        CHECK_I64(rows[i].text, (int64_t)tree_text_units(slice_text(rows[i].text)),
                  (int64_t)rows[i].units);
}

TEST(what_is_read_counts_for_the_first_element_of_its_path)
{
    struct tree *tree = new_tree();

    tree_count_read(tree, SLICE("/app/x"), 10);
    tree_count_read(tree, SLICE("/app"), 0);
    tree_count_read(tree, SLICE("/application"), 0); /* begins like the one before */
    tree_count_read(tree, SLICE("/ap"), 0);
    tree_count_read(tree, SLICE("/app/y"), 1);
    tree_count_read(tree, SLICE("/"), 5);
    tree_count_read(tree, SLICE(""), 5);
    const struct tree_traffic *app = &named(tree, "app")->read;
    CHECK_I64("count", app->count, 3);
    CHECK_I64("sum", app->sum, 84 + 72 + 75);
    CHECK_I64("min", app->min, 72);
    CHECK_I64("max", app->max, 84);
    CHECK_I64("application", named(tree, "application")->read.count, 1);
    CHECK_I64("ap", named(tree, "ap")->read.count, 1);
    CHECK(named(tree, "") == NULL);
    CHECK(!named(tree, "app")->write.known);
    tree_free(tree);
}

TEST(a_reset_leaves_the_names)
{
    struct tree *tree = new_tree();

    tree_count_read(tree, SLICE("/a"), 10);
    tree_count_quota_exceeded(tree, SLICE("/q/x"));
    tree_namespaces_reset(tree);
    CHECK_I64("count", named(tree, "a")->read.count, 0);
    CHECK_I64("max", named(tree, "a")->read.max, 0);
    CHECK(named(tree, "a")->read.known && !named(tree, "a")->write.known);
    CHECK(named(tree, "q")->quota_known && named(tree, "q")->quota_exceeded == 0);
    tree_count_read(tree, SLICE("/a"), 30);
    CHECK_I64("min", named(tree, "a")->read.min, 100);
    tree_free(tree);
}

TEST(namespaces_beyond_a_thousand_are_not_counted)
{
    struct tree *tree = new_tree();
    char path[32];
    int count = 0;

    for (int i = 0; i < 3000; i++) {
        snprintf(path, sizeof(path), "/n%d", i);
        tree_count_read(tree, slice_text(path), 0);
    }
    for (const struct tree_namespace *at = tree_namespaces(tree); at != NULL; at = at->older)
        count++;
    CHECK_I64("namespaces", count, 1000);
    tree_count_read(tree, SLICE("/n0"), 0);
    tree_count_read(tree, SLICE("/n2999"), 0);
    CHECK_I64("an early one", named(tree, "n0")->read.count, 2);
    CHECK(named(tree, "n2999") == NULL);
    tree_free(tree);
}

TEST(a_namespace_with_a_long_name_is_not_counted)
{
    struct tree *tree = new_tree();
    char path[1 + 1025];

    memset(path, 'x', sizeof(path));
    path[0] = '/';
    tree_count_read(tree, slice_of(path, sizeof(path)), 0);
    CHECK(tree_namespaces(tree) == NULL);
    tree_count_read(tree, slice_of(path, sizeof(path) - 1), 0);
    CHECK_U64("name", tree_namespaces(tree)->name.size, 1024);
    tree_free(tree);
}
