#include "test/lib/check.h"
#include "test/lib/image.h"
#include "test/lib/requests.h"
#include "test/lib/tree_dump.h"

#include "replica/tree/tree.h"

#include <stdio.h>

static const struct tree_options options = {
    .hash_seed = 1, .extended_types = true, .digest_enabled = true};

static void make_acl(struct tree *tree, const char *path, const char *data, struct jute_vector acl)
{
    static int64_t zxid;
    uint32_t id;

    CHECK_I64(path,
              tree_create(tree,
                          &(struct tree_create){.path = slice_text(path),
                                                .data = slice_text(data),
                                                .acl = acl,
                                                .zxid = ++zxid,
                                                .parent_cversion = -1},
                          &id),
              ZK_OK);
}

static void make(struct tree *tree, const char *path, const char *data)
{
    make_acl(tree, path, data, OPEN_ACL);
}

static void finish(struct tree_walk *walk, struct buffer *nodes)
{
    while (tree_walk_step(walk, nodes, nodes->size + 100) == TREE_WALK_MORE) {
    }
    tree_walk_end(walk);
}

static bool holds(const struct buffer *bytes, const char *text)
{
    return memmem(bytes->data, bytes->size, text, strlen(text)) != NULL;
}

/* The next image, during which the tree stays as it is, loads back the same. */
static void check_next_image(struct tree *tree)
{
    struct buffer tables = {0}, nodes = {0}, want = {0}, got = {0};
    struct tree_walk *walk = tree_walk_begin(tree);

    tree_walk_tables(walk, &tables);
    finish(walk, &nodes);
    struct tree *image = image_load(&options, buffer_slice(&tables), buffer_slice(&nodes));
    tree_dump_content(tree, &want);
    tree_dump_content(image, &got);
    check_same_dump("image and tree", &got, &want);
    CHECK_U64("digest", tree_digest(image), tree_digest(tree));
    CHECK_U64("data bytes", tree_data_bytes(image), tree_data_bytes(tree));
    tree_free(image);
    buffer_deinit(&tables);
    buffer_deinit(&nodes);
    buffer_deinit(&want);
    buffer_deinit(&got);
}

TEST(an_untouched_tree_loads_back_the_same)
{
    struct tree *tree = tree_new(&options);

    tree_session_add(tree, 5, 4000);
    make_acl(tree, "/a", "1", one_acl(SLICE("ip"), SLICE("10.0.0.0/8"), 3));
    make_acl(tree, "/a/b", "2", one_acl(SLICE("digest"), SLICE("u:h"), 31));
    check_next_image(tree);
    tree_free(tree);
}

TEST(the_usage_of_a_quota_is_in_the_image_as_it_was)
{
    struct tree *tree = tree_new(&options);
    struct buffer nodes = {0};

    make(tree, "/q", "");
    make(tree, "/zookeeper/quota/q", "");
    make(tree, "/zookeeper/quota/q/zookeeper_limits", "count=9");
    make(tree, "/zookeeper/quota/q/zookeeper_stats", "");
    struct tree_walk *walk = tree_walk_begin(tree);
    make(tree, "/q/x", "123456");
    finish(walk, &nodes);
    CHECK(holds(&nodes, "count=1,bytes=0") && !holds(&nodes, "count=2"));
    buffer_deinit(&nodes);
    tree_free(tree);
}

TEST(a_walk_that_is_given_up_spoils_no_later_one)
{
    struct tree *tree = tree_new(&options);
    char path[32];

    for (int i = 0; i < 3000; i++) {
        snprintf(path, sizeof(path), "/n%d", i);
        make(tree, path, "data");
    }
    for (int round = 0; round < 5; round++) {
        struct buffer nodes = {0};
        struct tree_walk *walk = tree_walk_begin(tree);
        for (int i = 0; i < round; i++)
            (void)tree_walk_step(walk, &nodes, nodes.size + 4000);
        snprintf(path, sizeof(path), "/n%d", round * 7);
        CHECK_I64(path, tree_delete(tree, slice_text(path), 90000), ZK_OK);
        make(tree, path, "made meanwhile");
        tree_walk_end(walk);
        check_next_image(tree);
        buffer_deinit(&nodes);
    }
    tree_free(tree);
}

TEST(a_tree_can_go_while_it_is_walked)
{
    struct tree *tree = tree_new(&options);

    (void)tree_walk_begin(tree);
    make(tree, "/a", "saved for nobody");
    tree_free(tree);
}

/* --- loading what others wrote --- */

TEST(a_node_that_cannot_be_loaded_is_refused)
{
    static const struct {
        const char *name, *path;
    } rows[] = {
        {"no parent", "/x/y"},          {"not absolute", "a"},
        {"an empty name", "/"},         {"a slash behind", "/a/"},
        {"below an ephemeral", "/e/x"}, {"an empty name inside", "/a//b"},
        {"two slashes", "//a"},
    };
    struct stat_persisted stat = {0}, owned = {.owner = 77};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct tree *tree = tree_new_empty(&options);
        CHECK_STATUS(tree_load_node(tree, SLICE("/a"), SLICE(""), -1, &stat), STATUS_OK);
        CHECK_STATUS(tree_load_node(tree, SLICE("/e"), SLICE(""), -1, &owned), STATUS_OK);
        if (tree_load_node(tree, slice_text(rows[i].path), SLICE(""), -1, &stat) != STATUS_CORRUPT)
            check_failed(__FILE__, __LINE__, "%s was loaded", rows[i].name);
        tree_free(tree);
    }
}

TEST(a_path_that_was_loaded_twice_is_found_among_any_number_of_nodes)
{
    static const int counts[] = {1, 700, 5000, 40000};
    struct stat_persisted stat = {0};
    char path[32];

    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        for (int twice = 0; twice < 2; twice++) {
            struct tree *tree = tree_new_empty(&options);
            CHECK_STATUS(tree_load_node(tree, SLICE("/a"), SLICE(""), -1, &stat), STATUS_OK);
            for (int n = 0; n < counts[i]; n++) {
                (void)snprintf(path, sizeof(path), "/a/n%d", n);
                CHECK_STATUS(tree_load_node(tree, slice_text(path), SLICE(""), -1, &stat),
                             STATUS_OK);
            }
            if (twice) {
                (void)snprintf(path, sizeof(path), "/a/n%d", counts[i] / 2);
                CHECK_STATUS(tree_load_node(tree, slice_text(path), SLICE(""), -1, &stat),
                             STATUS_OK);
            }
            CHECK(tree_load_unique(tree) == !twice);
            tree_free(tree);
        }
    }
}

TEST(room_that_was_reserved_changes_nothing_but_the_time_it_takes)
{
    static const uint32_t sizes[] = {0, 1, 1024, 1025, 5000, 100000};
    struct stat_persisted stat = {.czxid = 1};

    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct tree *tree = tree_new_empty(&options);
        char path[32];
        tree_load_reserve(tree, sizes[i]);
        for (int j = 0; j < 3000; j++) {
            snprintf(path, sizeof(path), "/n%d", j);
            CHECK_STATUS(tree_load_node(tree, slice_text(path), slice_text(path), -1, &stat),
                         STATUS_OK);
            if (j >= 2000) { /* the parent, which came just now or long ago, must be found */
                snprintf(path, sizeof(path), "/n%d/child", j % 2 == 0 ? j : j - 2000);
                CHECK_STATUS(tree_load_node(tree, slice_text(path), SLICE(""), -1, &stat),
                             STATUS_OK);
            }
        }
        CHECK(tree_load_unique(tree));
        tree_load_finish(tree);
        CHECK_I64("delete", tree_delete(tree, SLICE("/n78"), 9), ZK_OK);
        make(tree, "/one-more", "");
        for (int j = 0; j < 3000; j++) {
            snprintf(path, sizeof(path), "/n%d", j);
            CHECK_I64(path, tree_find(tree, slice_text(path)) != NODE_NONE, j != 78);
        }
        CHECK(tree_find(tree, SLICE("/one-more")) != NODE_NONE);
        tree_free(tree);
    }
}

/* The table grows at any node of a family, also when the nodes before it have just been inserted. */
TEST(families_of_any_size_are_loaded_and_found)
{
    static const int sizes[] = {0, 1, 2, 3, 7, 15, 16, 17, 18, 100, 1000, 1023};
    struct stat_persisted stat = {.czxid = 1};

    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct tree *tree = tree_new_empty(&options);
        struct lines {
            char path[32];
        } *lines = mem_alloc(10000 * sizeof(*lines));
        int count = 0;
        while (count + sizes[i] < 9000) {
            int parent = count;
            snprintf(lines[count++].path, sizeof(lines->path), "/p%d", parent);
            for (int child = 0; child < sizes[i]; child++)
                snprintf(lines[count++].path, sizeof(lines->path), "/p%d/%d", parent, child);
        }
        for (int j = 0; j < count; j++)
            CHECK_STATUS(tree_load_node(tree, slice_text(lines[j].path), SLICE(""), -1, &stat),
                         STATUS_OK);
        CHECK(tree_load_unique(tree));
        tree_load_finish(tree);
        for (int j = 0; j < count; j++)
            CHECK(tree_find(tree, slice_text(lines[j].path)) != NODE_NONE);
        CHECK_U64("nodes", tree_node_count(tree), (uint64_t)count + 1);
        tree_free(tree);
        mem_free(lines);
    }
}

TEST(the_root_comes_first_and_belongs_to_nobody)
{
    struct stat_persisted stat = {.mzxid = 7}, owned = {.owner = 77};

    struct tree *tree = tree_new_empty(&options);
    CHECK_STATUS(tree_load_node(tree, SLICE(""), SLICE("data"), -1, &owned), STATUS_CORRUPT);
    CHECK_STATUS(tree_load_node(tree, SLICE(""), SLICE("data"), -1, &stat), STATUS_OK);
    CHECK_SLICE("data", znode_data(tree_node(tree, NODE_ROOT)), SLICE("data"));
    CHECK_STATUS(tree_load_node(tree, SLICE("/a"), SLICE(""), -1, &stat), STATUS_OK);
    CHECK_STATUS(tree_load_node(tree, SLICE(""), SLICE(""), -1, &stat), STATUS_CORRUPT);
    tree_free(tree);
}

TEST(a_list_that_is_not_in_the_table_denies_everything)
{
    struct tree *tree = tree_new_empty(&options);
    struct stat_persisted stat = {0};

    tree_load_acl(tree, 3, one_acl(SLICE("ip"), SLICE("::1"), 31));
    CHECK_STATUS(tree_load_node(tree, SLICE("/known"), SLICE(""), 3, &stat), STATUS_OK);
    CHECK_STATUS(tree_load_node(tree, SLICE("/open"), SLICE(""), -1, &stat), STATUS_OK);
    CHECK_STATUS(tree_load_node(tree, SLICE("/unknown"), SLICE(""), 4, &stat), STATUS_OK);
    tree_load_finish(tree);
    CHECK_U64("open", tree_node(tree, tree_find(tree, SLICE("/open")))->acl, ACL_OPEN);
    uint32_t unknown = tree_node(tree, tree_find(tree, SLICE("/unknown")))->acl;
    CHECK_U64("unknown", unknown, ACL_UNKNOWN);
    struct jute_vector acl = tree_acl(tree, unknown);
    struct jute_acl entry;
    CHECK(acl.count == 1 && jute_next_acl(&acl, &entry));
    CHECK_I64("no permission", entry.perms, 0);
    CHECK(tree_node(tree, tree_find(tree, SLICE("/known")))->acl > ACL_UNKNOWN);
    tree_free(tree);
}

TEST(a_list_that_no_loaded_node_uses_is_dropped)
{
    struct tree *tree = tree_new_empty(&options);
    struct buffer tables = {0};

    tree_load_acl(tree, 3, one_acl(SLICE("ip"), SLICE("::1"), 31));
    tree_load_finish(tree);
    struct tree_walk *walk = tree_walk_begin(tree);
    tree_walk_tables(walk, &tables);
    tree_walk_end(walk);
    CHECK(!holds(&tables, "::1"));
    buffer_deinit(&tables);
    tree_free(tree);
}

/* --- bounds --- */

/* A node whose data is this long, of one letter. */
static void make_large(struct tree *tree, const char *path, size_t size, char letter)
{
    char *data = mem_alloc(size + 1);

    memset(data, letter, size);
    data[size] = '\0';
    make(tree, path, data);
    mem_free(data);
}

static void set_data(struct tree *tree, const char *path, const char *data)
{
    uint32_t id;

    CHECK_I64(path,
              tree_set_data(tree, slice_text(path), slice_text(data), /* version= */ 1,
                            /* zxid= */ 100000, /* time_ms= */ 1, &id),
              ZK_OK);
}

TEST(what_is_saved_before_changes_leaves_in_steps_too)
{
    struct tree *tree = tree_new(&options);
    struct buffer nodes = {0};
    char path[32];

    for (int i = 0; i < 20; i++) {
        snprintf(path, sizeof(path), "/n%d", i);
        make_large(tree, path, 1000, 'x');
    }
    struct tree_walk *walk = tree_walk_begin(tree);
    for (int i = 0; i < 20; i++) {
        snprintf(path, sizeof(path), "/n%d", i);
        set_data(tree, path, "changed");
    }
    CHECK(tree_walk_step(walk, &nodes, 5000) == TREE_WALK_MORE);
    CHECK_U64("bytes of one step", nodes.size, 5000);
    finish(walk, &nodes);
    CHECK(!holds(&nodes, "changed"));
    buffer_deinit(&nodes);
    tree_free(tree);
}

/* Else a snapshot of a tree from which much was deleted would keep the clients waiting. */
TEST(a_step_passes_a_bounded_number_of_deleted_nodes)
{
    enum { NODES = 100000, STEPS_MIN = 10 };
    struct tree *tree = tree_new(&options);
    struct buffer nodes = {0};
    char path[32];
    size_t steps = 0;

    for (int i = 0; i < NODES; i++) {
        snprintf(path, sizeof(path), "/n%d", i);
        make(tree, path, "data");
    }
    for (int i = 0; i < NODES; i++) {
        snprintf(path, sizeof(path), "/n%d", i);
        CHECK_I64(path, tree_delete(tree, slice_text(path), 90000), ZK_OK);
    }
    struct tree_walk *walk = tree_walk_begin(tree);
    while (tree_walk_step(walk, &nodes, 1 << 20) == TREE_WALK_MORE)
        steps++;
    CHECK(steps >= STEPS_MIN);
    tree_walk_end(walk);
    check_next_image(tree);
    tree_free(tree);
    buffer_deinit(&nodes);
}

TEST(an_image_is_lost_when_more_changes_than_the_bound_while_nobody_takes_it)
{
    enum { NODES = 70, NODE_BYTES = 1 << 20 };
    struct tree *tree = tree_new(&options);
    struct buffer nodes = {0};
    char path[32];

    for (int i = 0; i < NODES; i++) {
        snprintf(path, sizeof(path), "/n%d", i);
        make_large(tree, path, NODE_BYTES, 'x');
    }
    struct tree_walk *walk = tree_walk_begin(tree);
    for (int i = 0; i < NODES; i++) {
        snprintf(path, sizeof(path), "/n%d", i);
        set_data(tree, path, "changed");
    }
    CHECK(tree_walk_step(walk, &nodes, 5000) == TREE_WALK_LOST);
    set_data(tree, "/n0", "changed again");
    CHECK(tree_walk_step(walk, &nodes, 5000) == TREE_WALK_LOST);
    tree_walk_end(walk);
    check_next_image(tree);
    tree_free(tree);
    buffer_deinit(&nodes);
}

TEST(of_two_images_the_one_that_is_taken_too_slowly_is_lost_and_the_other_is_whole)
{
    enum { NODES = 70, NODE_BYTES = 1 << 20 };
    struct tree *tree = tree_new(&options);
    struct buffer nodes = {0}, tables = {0}, want = {0}, got = {0}, none = {0};
    char path[32];

    for (int i = 0; i < NODES; i++) {
        snprintf(path, sizeof(path), "/n%d", i);
        make_large(tree, path, NODE_BYTES, 'x');
    }
    struct tree_walk *slow = tree_walk_begin(tree);
    tree_dump_content(tree, &want);
    struct tree_walk *fast = tree_walk_begin(tree);
    tree_walk_tables(fast, &tables);
    for (int i = NODES - 1; i >= 0; i--) {
        snprintf(path, sizeof(path), "/n%d", i);
        set_data(tree, path, "changed");
        CHECK(tree_walk_step(fast, &nodes, nodes.size + NODE_BYTES) != TREE_WALK_LOST);
    }
    CHECK(tree_walk_step(slow, &none, 5000) == TREE_WALK_LOST);
    tree_walk_end(slow);
    finish(fast, &nodes);
    struct tree *image = image_load(&options, buffer_slice(&tables), buffer_slice(&nodes));
    tree_dump_content(image, &got);
    check_same_dump("image and tree", &got, &want);
    tree_free(image);
    tree_free(tree);
    buffer_deinit(&nodes);
    buffer_deinit(&tables);
    buffer_deinit(&want);
    buffer_deinit(&got);
    buffer_deinit(&none);
}

TEST(an_image_is_whole_however_many_were_given_up_before_it)
{
    struct tree *tree = tree_new(&options);
    struct buffer nodes = {0};
    char path[32];

    for (int i = 0; i < 50; i++) {
        snprintf(path, sizeof(path), "/n%d", i);
        make(tree, path, "data");
    }
    for (int given_up = 0; given_up < 600; given_up++) {
        struct tree_walk *walk = tree_walk_begin(tree);
        (void)tree_walk_step(walk, &nodes, nodes.size + (size_t)(given_up % 7) * 100);
        tree_walk_end(walk);
    }
    check_next_image(tree);
    tree_free(tree);
    buffer_deinit(&nodes);
}
