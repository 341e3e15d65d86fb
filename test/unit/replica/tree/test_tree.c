#include "test/lib/check.h"
#include "test/lib/requests.h"
#include "test/lib/tree_dump.h"

#include "replica/tree/tree.h"

#include <inttypes.h>
#include <stdio.h>

static struct tree *new_tree(void)
{
    return tree_new(
        &(struct tree_options){.hash_seed = 1, .extended_types = true, .digest_enabled = true});
}

struct made { /* how a node is made: by whom, when */
    int64_t owner, zxid, time_ms;
};

static enum zk_error make_as(struct tree *tree, const char *path, struct slice data,
                             struct made made, uint32_t *ret_id)
{
    return tree_create(tree,
                       &(struct tree_create){.path = slice_text(path),
                                             .data = data,
                                             .acl = OPEN_ACL,
                                             .owner = made.owner,
                                             .zxid = made.zxid,
                                             .time_ms = made.time_ms,
                                             .parent_cversion = -1},
                       ret_id);
}

static uint32_t make(struct tree *tree, const char *path, struct slice data, int64_t zxid)
{
    uint32_t id = NODE_NONE;

    CHECK_I64(path, make_as(tree, path, data, (struct made){0, zxid, zxid * 10}, &id), ZK_OK);
    return id;
}

static struct zk_stat stat_of(const struct tree *tree, const char *path)
{
    struct zk_stat stat;
    uint32_t id = tree_find(tree, slice_text(path));

    CHECK(id != NODE_NONE);
    tree_stat(tree, tree_node(tree, id), &stat);
    return stat;
}

static void check_stat(const char *name, struct zk_stat got, struct zk_stat want)
{
    uint8_t got_bytes[STAT_BYTES], want_bytes[STAT_BYTES];

    zk_stat_put(got_bytes, &got);
    zk_stat_put(want_bytes, &want);
    CHECK_SLICE(name, slice_of(got_bytes, STAT_BYTES), slice_of(want_bytes, STAT_BYTES));
}

TEST(a_fresh_tree_has_the_nodes_stats_and_digest_of_a_fresh_server)
{
    struct tree *tree = new_tree();

    CHECK_U64("digest", tree_digest(tree), 1371985504);
    CHECK_U64("digest", tree_digest_from_scratch(tree), 1371985504);
    CHECK_U64("nodes", tree_node_count(tree), 4);
    check_stat("/", stat_of(tree, "/"), (struct zk_stat){.cversion = -1, .num_children = 1});
    check_stat("/zookeeper", stat_of(tree, "/zookeeper"),
               (struct zk_stat){.cversion = -2, .num_children = 2});
    check_stat("quota", stat_of(tree, "/zookeeper/quota"), (struct zk_stat){0});
    check_stat("config", stat_of(tree, "/zookeeper/config"), (struct zk_stat){.aversion = -1});
    const struct znode *config = tree_node(tree, tree_find(tree, SLICE("/zookeeper/config")));
    struct jute_vector acl = tree_acl(tree, config->acl);
    struct jute_acl entry;
    CHECK(jute_next_acl(&acl, &entry));
    CHECK_I64("config is read-only", entry.perms, PERM_READ);
    CHECK_SLICE("its data is empty, not null", znode_data(config), SLICE(""));
    tree_free(tree);
}

TEST(a_digest_that_is_switched_off_is_zero)
{
    struct tree *tree = tree_new(&(struct tree_options){.hash_seed = 1});

    make(tree, "/a", SLICE("x"), 1);
    CHECK_U64("digest", tree_digest(tree), 0);
    tree_free(tree);
}

TEST(the_digest_does_not_depend_on_the_order_of_changes)
{
    static const char *const paths[] = {"/a", "/b", "/c", "/d"};
    struct tree *forth = new_tree(), *back = new_tree();

    /* Equal stats: the same zxid for all, so that only the order differs. */
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        make(forth, paths[i], slice_text(paths[i]), 9);
        make(back, paths[3 - i], slice_text(paths[3 - i]), 9);
    }
    CHECK_U64("digest", tree_digest(forth), tree_digest(back));
    CHECK(tree_digest(forth) != 1371985504);
    CHECK_U64("from scratch", tree_digest_from_scratch(back), tree_digest(back));
    tree_free(forth);
    tree_free(back);
}

TEST(nodes_below_zookeeper_count_nothing_in_the_digest)
{
    struct tree *tree = new_tree();
    uint32_t id;
    uint64_t before = tree_digest(tree);

    CHECK_I64("set", tree_set_data(tree, SLICE("/zookeeper/config"), SLICE("x"), 1, 5, 5, &id),
              ZK_OK);
    CHECK_U64("digest", tree_digest(tree), before);
    make(tree, "/zookeeperx", SLICE(""), 6); /* not below */
    CHECK(tree_digest(tree) != before);
    tree_free(tree);
}

TEST(the_digest_takes_in_data_of_every_size)
{
    struct tree *tree = new_tree();
    uint8_t data[600];
    uint32_t id;

    memset(data, 'd', sizeof(data));
    make(tree, "/a", SLICE_NULL, 2);
    for (size_t size = 0; size <= sizeof(data); size++) {
        CHECK_I64(
            "set",
            tree_set_data(tree, SLICE("/a"), slice_of(data, size), 1, (int64_t)size + 3, 5, &id),
            ZK_OK);
        CHECK_U64("digest", tree_digest(tree), tree_digest_from_scratch(tree));
    }
    tree_free(tree);
}

TEST(a_path_is_found_exactly_as_it_was_made)
{
    static const struct {
        const char *path;
        bool found;
    } rows[] = {
        {"", true},       {"/", true},        {"/a", true},     {"/a/b", true},
        {"/a/b/c", true}, {"a", false},       {"/a/", false},   {"//", false},
        {"//a", false},   {"/a//b", false},   {"/a/b/", false}, {"/A", false},
        {"/ab", false},   {"/a/b/d", false},  {"/b", false},    {"/a/b/c/d", false},
        {"x/a", false},   {"/a/b/c/", false},
    };
    struct tree *tree = new_tree();

    make(tree, "/a", SLICE(""), 1);
    make(tree, "/a/b", SLICE(""), 2);
    make(tree, "/a/b/c", SLICE(""), 3);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        CHECK_I64(rows[i].path, tree_find(tree, slice_text(rows[i].path)) != NODE_NONE,
                  rows[i].found);
    CHECK(tree_find(tree, SLICE("")) == NODE_ROOT && tree_find(tree, SLICE("/")) == NODE_ROOT);
    struct buffer path = {0};
    tree_path_append(tree, tree_find(tree, SLICE("/a/b/c")), &path);
    CHECK_SLICE("path", buffer_slice(&path), SLICE("/a/b/c"));
    path.size = 0;
    tree_path_append(tree, NODE_ROOT, &path);
    CHECK_U64("the root's path is empty", path.size, 0);
    buffer_deinit(&path);
    tree_free(tree);
}

TEST(a_hundred_thousand_nodes_are_found_while_the_table_grows_and_shrinks)
{
    enum { COUNT = 100000 };
    struct tree *tree = new_tree();
    char path[32];

    for (int i = 0; i < COUNT; i++) {
        snprintf(path, sizeof(path), "/n%d", i);
        make(tree, path, slice_text(path), i + 1);
        /* One made long ago is still there, wherever the splitting has moved it. */
        snprintf(path, sizeof(path), "/n%d", i / 3);
        uint32_t id = tree_find(tree, slice_text(path));
        CHECK(id != NODE_NONE);
        CHECK_SLICE("data", znode_data(tree_node(tree, id)), slice_text(path));
    }
    CHECK_U64("nodes", tree_node_count(tree), COUNT + 4);
    CHECK_I64("children", stat_of(tree, "/").num_children, COUNT + 1);
    CHECK_U64("descendants", tree_count_descendants(tree, NODE_ROOT, NULL), COUNT + 3);
    for (int i = 0; i < COUNT; i += 2) {
        snprintf(path, sizeof(path), "/n%d", i);
        CHECK_I64(path, tree_delete(tree, slice_text(path), COUNT + i), ZK_OK);
    }
    for (int i = 0; i < COUNT; i++) {
        snprintf(path, sizeof(path), "/n%d", i);
        CHECK_I64(path, tree_find(tree, slice_text(path)) != NODE_NONE, i % 2);
    }
    for (int i = 0; i < COUNT; i += 2) { /* ids and buckets are used again */
        snprintf(path, sizeof(path), "/n%d", i);
        make(tree, path, SLICE(""), 3 * COUNT + i);
    }
    CHECK_U64("nodes", tree_node_count(tree), COUNT + 4);
    CHECK_U64("digest", tree_digest(tree), tree_digest_from_scratch(tree));
    tree_free(tree);
}

TEST(nodes_fill_the_chunks_that_were_added_before_the_tree_makes_one)
{
    struct tree *tree = new_tree();
    char path[32];

    tree_chunk_add(tree, tree_chunk_new());
    tree_chunk_add(tree, tree_chunk_new());
    uint32_t room = tree_room(tree);
    CHECK_U64("room", room, 3 * TREE_CHUNK_NODES - 1 - tree_node_count(tree));
    for (uint32_t i = 0; i <= room; i++) {
        CHECK_U64("room", tree_room(tree), room - i);
        snprintf(path, sizeof(path), "/n%" PRIu32, i);
        make(tree, path, SLICE(""), i + 1);
    }
    CHECK_U64("room", tree_room(tree), TREE_CHUNK_NODES - 1);
    CHECK(tree_find(tree, SLICE("/n0")) != NODE_NONE);
    CHECK(tree_find(tree, slice_text(path)) != NODE_NONE);
    tree_free(tree);
}

TEST(changes_leave_the_stats_that_the_protocol_names)
{
    struct tree *tree = new_tree();
    uint32_t id;

    make(tree, "/p", SLICE("abc"), 10);
    struct zk_stat root = {.cversion = 0, .num_children = 2, .pzxid = 10};
    check_stat("the parent's cversion and pzxid alone", stat_of(tree, "/"), root);
    struct zk_stat p = {
        .czxid = 10, .mzxid = 10, .pzxid = 10, .ctime = 100, .mtime = 100, .data_length = 3};
    check_stat("create", stat_of(tree, "/p"), p);

    CHECK_I64("set", tree_set_data(tree, SLICE("/p"), SLICE("four"), 1, 11, 110, &id), ZK_OK);
    p.version = 1, p.mzxid = 11, p.mtime = 110, p.data_length = 4;
    check_stat("set data", stat_of(tree, "/p"), p);
    check_stat("set data changes no parent", stat_of(tree, "/"), root);

    CHECK_I64("acl", tree_set_acl(tree, SLICE("/p"), one_acl(SLICE("ip"), SLICE("::1"), 1), 1, &id),
              ZK_OK);
    p.aversion = 1;
    check_stat("set ACL changes aversion alone", stat_of(tree, "/p"), p);

    make(tree, "/p/x", SLICE(""), 12);
    make(tree, "/p/y", SLICE(""), 13);
    p.cversion = 2, p.num_children = 2, p.pzxid = 13; /* 2 creates: 2 * 2 - 2 */
    check_stat("two children", stat_of(tree, "/p"), p);

    CHECK_I64("delete", tree_delete(tree, SLICE("/p/x"), 14), ZK_OK);
    p.cversion = 3, p.num_children = 1, p.pzxid = 14; /* 2 * 2 - 1 */
    check_stat("a delete is seen in the parent", stat_of(tree, "/p"), p);
    check_stat("and no further up", stat_of(tree, "/"), root);
    CHECK_U64("digest", tree_digest(tree), tree_digest_from_scratch(tree));
    tree_free(tree);
}

TEST(null_data_and_empty_data_stay_apart)
{
    struct tree *tree = new_tree();
    uint32_t id;

    make(tree, "/n", SLICE_NULL, 1);
    CHECK_SLICE("null", znode_data(tree_node(tree, tree_find(tree, SLICE("/n")))), SLICE_NULL);
    CHECK_I64("its length", stat_of(tree, "/n").data_length, 0);
    CHECK_I64("set", tree_set_data(tree, SLICE("/n"), SLICE(""), 1, 2, 2, &id), ZK_OK);
    CHECK_SLICE("empty", znode_data(tree_node(tree, id)), SLICE(""));
    CHECK_I64("set", tree_set_data(tree, SLICE("/n"), SLICE("abc"), 2, 3, 3, &id), ZK_OK);
    CHECK_SLICE("some", znode_data(tree_node(tree, id)), SLICE("abc"));
    CHECK_SLICE("the name is still in front of it", znode_name(tree_node(tree, id)), SLICE("n"));
    CHECK_I64("set", tree_set_data(tree, SLICE("/n"), SLICE_NULL, 3, 4, 4, &id), ZK_OK);
    CHECK_SLICE("null again", znode_data(tree_node(tree, id)), SLICE_NULL);
    CHECK_U64("digest", tree_digest(tree), tree_digest_from_scratch(tree));
    tree_free(tree);
}

TEST(the_data_bytes_that_operators_see_are_paths_and_data)
{
    struct tree *tree = new_tree();
    uint64_t fresh = tree_data_bytes(tree);
    uint32_t id;

    CHECK_U64("fresh", fresh,
              strlen("/zookeeper") + strlen("/zookeeper/quota") + strlen("/zookeeper/config"));
    make(tree, "/abc", SLICE("12345"), 1);
    CHECK_U64("create", tree_data_bytes(tree), fresh + 4 + 5);
    CHECK_I64("set", tree_set_data(tree, SLICE("/abc"), SLICE("1"), 1, 2, 2, &id), ZK_OK);
    CHECK_U64("set", tree_data_bytes(tree), fresh + 4 + 1);
    CHECK_I64("delete", tree_delete(tree, SLICE("/abc"), 3), ZK_OK);
    CHECK_U64("delete", tree_data_bytes(tree), fresh);
    tree_free(tree);
}

TEST(a_change_of_what_is_not_there_says_so)
{
    struct tree *tree = new_tree();
    uint32_t id = 77;

    CHECK_I64("create", make_as(tree, "/no/x", SLICE(""), (struct made){0, 1, 1}, &id), ZK_NO_NODE);
    CHECK_I64("delete", tree_delete(tree, SLICE("/no/x"), 2), ZK_NO_NODE);
    CHECK_I64("set", tree_set_data(tree, SLICE("/no"), SLICE(""), 1, 3, 3, &id), ZK_NO_NODE);
    CHECK_I64("acl", tree_set_acl(tree, SLICE("/no"), OPEN_ACL, 1, &id), ZK_NO_NODE);
    CHECK_U64("the output is written only on success", id, 77);
    CHECK_U64("nothing changed", tree_digest(tree), 1371985504);
    tree_free(tree);
}

/* --- a replay over a tree that is ahead of the log --- */

TEST(a_create_of_what_is_there_moves_the_parent_forward_and_takes_the_acl)
{
    struct tree *tree = new_tree();
    uint32_t id;

    make(tree, "/p", SLICE("new"), 20);
    struct tree_create again = {.path = SLICE("/p"),
                                .data = SLICE("old"),
                                .acl = one_acl(SLICE("ip"), SLICE("10.0.0.1"), 5),
                                .zxid = 30,
                                .time_ms = 1,
                                .parent_cversion = 9};
    CHECK_I64("again", tree_create(tree, &again, &id), ZK_NODE_EXISTS);
    CHECK_I64("the parent is ahead", tree_node(tree, NODE_ROOT)->cversion, 9);
    CHECK_I64("and its pzxid", stat_of(tree, "/").pzxid, 30);
    again.parent_cversion = 4;
    again.zxid = 31;
    CHECK_I64("again", tree_create(tree, &again, &id), ZK_NODE_EXISTS);
    CHECK_I64("never back", tree_node(tree, NODE_ROOT)->cversion, 9);
    CHECK_I64("neither", stat_of(tree, "/").pzxid, 30);
    const struct znode *node = tree_node(tree, tree_find(tree, SLICE("/p")));
    CHECK_SLICE("data stays", znode_data(node), SLICE("new"));
    CHECK_I64("czxid stays", node->czxid, 20);
    CHECK_SLICE("the list is the transaction's", tree_acl(tree, node->acl).bytes, again.acl.bytes);
    CHECK_U64("digest", tree_digest(tree), tree_digest_from_scratch(tree));
    tree_free(tree);
}

TEST(a_delete_of_what_is_gone_still_moves_the_parents_pzxid)
{
    struct tree *tree = new_tree();

    make(tree, "/p", SLICE(""), 5);
    CHECK_I64("gone", tree_delete(tree, SLICE("/p/x"), 8), ZK_NO_NODE);
    CHECK_I64("pzxid", stat_of(tree, "/p").pzxid, 8);
    CHECK_I64("gone", tree_delete(tree, SLICE("/p/x"), 7), ZK_NO_NODE);
    CHECK_I64("never back", stat_of(tree, "/p").pzxid, 8);
    CHECK_U64("digest", tree_digest(tree), tree_digest_from_scratch(tree));
    tree_free(tree);
}

TEST(a_delete_takes_what_hangs_below)
{
    struct tree *tree = new_tree();
    uint32_t id;

    tree_session_add(tree, 9, 4000);
    make(tree, "/p", SLICE(""), 1);
    make(tree, "/p/q", SLICE(""), 2);
    make(tree, "/p/q/r", SLICE("data"), 3);
    CHECK_I64("e", make_as(tree, "/p/q/e", SLICE(""), (struct made){9, 4, 4}, &id), ZK_OK);
    CHECK_I64("delete", tree_delete(tree, SLICE("/p"), 5), ZK_OK);
    CHECK_U64("nodes", tree_node_count(tree), 4);
    CHECK_U64("ephemerals", tree_ephemeral_count(tree), 0);
    CHECK_U64("of the session", tree_session(tree, 9)->ephemeral_count, 0);
    CHECK(tree_find(tree, SLICE("/p/q/r")) == NODE_NONE);
    CHECK_U64("digest", tree_digest(tree), tree_digest_from_scratch(tree));
    tree_free(tree);
}

TEST(an_ephemeral_never_gets_a_child)
{
    struct tree *tree = new_tree();
    uint32_t id;

    CHECK_I64("e", make_as(tree, "/e", SLICE(""), (struct made){9, 1, 1}, &id), ZK_OK);
    uint64_t before = tree_digest(tree);
    CHECK_I64("x", make_as(tree, "/e/x", SLICE(""), (struct made){0, 2, 2}, &id),
              ZK_NO_CHILDREN_FOR_EPHEMERALS);
    CHECK_U64("nothing changed", tree_digest(tree), before);
    CHECK_U64("nodes", tree_node_count(tree), 5);
    tree_free(tree);
}

TEST(counting_descendants_of_a_deep_tree_needs_no_stack)
{
    /* A chain by hand: a hundred thousand creates by path would look up five thousand million
     * names. */
    enum { LEVELS = 100000 };
    struct tree *tree = new_tree();
    uint32_t parent = NODE_ROOT;

    for (int i = 0; i < LEVELS; i++) {
        /* Born under the root, moved below the last: what the table of names says is not asked. */
        char path[32];
        snprintf(path, sizeof(path), "/d%d", i);
        uint32_t id = make(tree, path, SLICE("xy"), i + 1);
        struct znode *node = tree_node(tree, id), *root = tree_node(tree, NODE_ROOT);
        if (parent != NODE_ROOT) {
            root->first_child = node->next;
            tree_node(tree, root->first_child)->prev = NODE_NONE;
            root->child_count--;
            node->next = node->prev = NODE_NONE;
            tree_node(tree, parent)->first_child = id;
            tree_node(tree, parent)->child_count = 1;
            node->parent = parent;
        }
        parent = id;
    }
    uint64_t bytes = 0;
    CHECK_U64("levels", tree_count_descendants(tree, NODE_ROOT, &bytes), LEVELS + 3);
    CHECK_U64("bytes", bytes, 2 * LEVELS);
    struct buffer path = {0};
    tree_path_append(tree, parent, &path);
    CHECK(path.size > 5 * LEVELS);
    buffer_deinit(&path);
    tree_free(tree);
}
