#include "test/lib/check.h"
#include "test/lib/requests.h"
#include "test/lib/tree_dump.h"

#include "replica/tree/tree.h"

#include <stdio.h>

static struct tree *new_tree(void)
{
    return tree_new(
        &(struct tree_options){.hash_seed = 1, .extended_types = true, .digest_enabled = true});
}

static uint32_t make_owned(struct tree *tree, const char *path, int64_t owner)
{
    static int64_t zxid = 1;
    uint32_t id = NODE_NONE;
    enum zk_error err = tree_create(tree,
                                    &(struct tree_create){.path = slice_text(path),
                                                          .data = SLICE("d"),
                                                          .acl = OPEN_ACL,
                                                          .owner = owner,
                                                          .zxid = zxid++,
                                                          .parent_cversion = -1},
                                    &id);
    CHECK_I64(path, err, ZK_OK);
    return id;
}

TEST(an_owner_field_is_read_as_the_options_say)
{
    static const struct {
        const char *name;
        int64_t owner;
        bool extended, emulate;
        enum owner_kind kind;
        int64_t ttl_ms;
    } rows[] = {
        {"nobody", 0, true, false, OWNER_NONE, 0},
        {"session", 0x100000000000001, true, false, OWNER_SESSION, 0},
        {"container", INT64_MIN, true, false, OWNER_CONTAINER, 0},
        {"container without extended types", INT64_MIN, false, false, OWNER_CONTAINER, 0},
        {"ttl", (int64_t)0xff00000000000064, true, false, OWNER_TTL, 100},
        {"the longest ttl", (int64_t)0xff0000ffffffffff, true, false, OWNER_TTL, TTL_MS_MAX},
        {"ttl without extended types", (int64_t)0xff00000000000064, false, false, OWNER_SESSION, 0},
        {"server 254", (int64_t)0xfe00000000000001, true, false, OWNER_SESSION, 0},
        {"ttl of 3.5.3", INT64_MIN | 100, true, true, OWNER_TTL, 100},
        {"ttl of 3.5.3, not asked for", INT64_MIN | 100, true, false, OWNER_SESSION, 0},
        {"ttl of today, emulating", (int64_t)0xff00000000000064, true, true, OWNER_TTL, 100},
        {"container, emulating", INT64_MIN, true, true, OWNER_CONTAINER, 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct tree_options options = {.extended_types = rows[i].extended,
                                       .emulate_353_ttl = rows[i].emulate};
        CHECK_I64(rows[i].name, tree_owner_kind(&options, rows[i].owner), rows[i].kind);
        if (rows[i].kind == OWNER_TTL)
            CHECK_I64(rows[i].name, tree_owner_ttl_ms(&options, rows[i].owner), rows[i].ttl_ms);
    }
}

TEST(clients_see_only_sessions_as_owners)
{
    static const struct {
        int64_t owner, seen;
    } rows[] = {{0, 0}, {55, 55}, {INT64_MIN, 0}, {(int64_t)0xff00000000000064, 0}};
    struct tree *tree = new_tree();

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char path[] = {'/', (char)('a' + i), 0};
        struct zk_stat stat;
        tree_stat(tree, tree_node(tree, make_owned(tree, path, rows[i].owner)), &stat);
        CHECK_I64(path, stat.ephemeral_owner, rows[i].seen);
        CHECK_I64(path, stat.num_children, 0);
    }
    tree_free(tree);
}

TEST(a_session_lists_its_ephemerals_through_any_order_of_deletes)
{
    struct tree *tree = new_tree();
    char path[32];
    uint64_t chance = 5;

    tree_session_add(tree, 7, 4000);
    make_owned(tree, "/p", 0);
    for (int i = 0; i < 200; i++) {
        snprintf(path, sizeof(path), "/p/e%d", i);
        make_owned(tree, path, 7);
    }
    struct tree_session *session = tree_session(tree, 7);
    for (uint32_t left = 200; left > 0; left--) {
        CHECK_U64("listed", session->ephemeral_count, left);
        CHECK_U64("counted", tree_ephemeral_count(tree), left);
        for (uint32_t i = 0; i < left; i++) {
            const struct znode *node = tree_node(tree, session->ephemerals[i]);
            CHECK(node->live && node->owner == 7 && node->child_count == i);
        }
        struct buffer victim = {0};
        tree_path_append(tree, session->ephemerals[random_below(&chance, (int32_t)left)], &victim);
        CHECK_I64("delete", tree_delete(tree, buffer_slice(&victim), 1000), ZK_OK);
        buffer_deinit(&victim);
    }
    tree_session_remove(tree, 7);
    CHECK(tree_session(tree, 7) == NULL);
    tree_free(tree);
}

TEST(an_owner_without_a_session_is_an_orphan_until_the_session_comes_or_the_last_node_goes)
{
    struct tree *tree = new_tree();

    make_owned(tree, "/a", 7);
    CHECK(tree_session(tree, 7) == NULL);
    CHECK_U64("sessions", tree_session_count(tree), 0);
    size_t cursor = 0;
    struct tree_session *orphan = tree_session_next(tree, &cursor);
    CHECK(orphan != NULL && orphan->orphan && orphan->ephemeral_count == 1);

    tree_session_add(tree, 7, 5000);
    CHECK(tree_session(tree, 7) == orphan && !orphan->orphan);
    CHECK_I64("timeout", orphan->timeout_ms, 5000);
    CHECK_U64("sessions", tree_session_count(tree), 1);

    tree_session_remove(tree, 7); /* in a replay: its nodes are still here */
    CHECK(tree_session(tree, 7) == NULL);
    CHECK_U64("sessions", tree_session_count(tree), 0);
    CHECK_I64("delete", tree_delete(tree, SLICE("/a"), 9), ZK_OK);
    cursor = 0;
    CHECK(tree_session_next(tree, &cursor) == NULL);
    tree_free(tree);
}

TEST(a_session_that_is_added_again_takes_the_new_timeout)
{
    struct tree *tree = new_tree();

    tree_session_add(tree, 7, 4000);
    tree_session_add(tree, 7, 9000);
    CHECK_U64("sessions", tree_session_count(tree), 1);
    CHECK_I64("timeout", tree_session(tree, 7)->timeout_ms, 9000);
    tree_session_remove(tree, 7);
    tree_session_remove(tree, 7); /* nothing to do */
    CHECK_U64("sessions", tree_session_count(tree), 0);
    tree_free(tree);
}

static uint32_t count_of(const struct tree *tree, uint32_t (*next)(const struct tree *, size_t *),
                         uint64_t *ret_sum)
{
    size_t cursor = 0;
    uint32_t count = 0, id;

    *ret_sum = 0;
    for (; (id = next(tree, &cursor)) != NODE_NONE; count++)
        *ret_sum += id;
    return count;
}

TEST(containers_and_ttl_nodes_are_indexed_while_they_live)
{
    struct tree *tree = new_tree();
    uint64_t sum;

    uint32_t a = make_owned(tree, "/a", INT64_MIN), b = make_owned(tree, "/b", INT64_MIN);
    uint32_t t = make_owned(tree, "/t", (int64_t)0xff00000000000064);
    make_owned(tree, "/n", 0);
    make_owned(tree, "/e", 3);
    CHECK_U64("containers", count_of(tree, tree_container_next, &sum), 2);
    CHECK_U64("which", sum, a + b);
    CHECK_U64("ttl nodes", count_of(tree, tree_ttl_next, &sum), 1);
    CHECK_U64("which", sum, t);
    CHECK_I64("delete", tree_delete(tree, SLICE("/a"), 100), ZK_OK);
    CHECK_I64("delete", tree_delete(tree, SLICE("/t"), 101), ZK_OK);
    CHECK_U64("containers", count_of(tree, tree_container_next, &sum), 1);
    CHECK_U64("which", sum, b);
    CHECK_U64("ttl nodes", count_of(tree, tree_ttl_next, &sum), 0);
    tree_free(tree);
}

/* --- ACL lists --- */

TEST(equal_lists_share_an_id_and_the_last_release_frees_it)
{
    struct tree *tree = new_tree();
    struct jute_vector list = one_acl(SLICE("digest"), SLICE("a:b"), 3);

    uint32_t id = tree_acl_intern(tree, list);
    CHECK(id > ACL_UNKNOWN);
    CHECK_U64("again", tree_acl_intern(tree, one_acl(SLICE("digest"), SLICE("a:b"), 3)), id);
    CHECK(tree_acl_intern(tree, one_acl(SLICE("digest"), SLICE("a:b"), 4)) != id);
    CHECK_SLICE("its bytes", tree_acl(tree, id).bytes, list.bytes);
    tree_acl_release(tree, id);
    CHECK_SLICE("still held once", tree_acl(tree, id).bytes, list.bytes);
    tree_acl_hold(tree, id);
    tree_acl_release(tree, id);
    tree_acl_release(tree, id);
    CHECK_U64("the id is free for another",
              tree_acl_intern(tree, one_acl(SLICE("ip"), SLICE("::1"), 1)), id);
    tree_free(tree);
}

TEST(the_open_list_and_no_list_are_one_id_that_is_never_freed)
{
    struct tree *tree = new_tree();

    CHECK_U64("open", tree_acl_intern(tree, OPEN_ACL), ACL_OPEN);
    CHECK_U64("empty", tree_acl_intern(tree, (struct jute_vector){SLICE(""), 0}), ACL_OPEN);
    CHECK_U64("null", tree_acl_intern(tree, (struct jute_vector){SLICE_NULL, -1}), ACL_OPEN);
    for (int i = 0; i < 10; i++) {
        tree_acl_release(tree, ACL_OPEN);
        tree_acl_release(tree, ACL_UNKNOWN);
    }
    CHECK_SLICE("open still", tree_acl(tree, ACL_OPEN).bytes, OPEN_ACL.bytes);
    struct jute_vector unknown = tree_acl(tree, ACL_UNKNOWN);
    struct jute_acl entry;
    CHECK(jute_next_acl(&unknown, &entry) && entry.perms == 0);
    tree_free(tree);
}

TEST(nodes_hold_their_lists)
{
    struct tree *tree = new_tree();
    struct jute_vector first = one_acl(SLICE("ip"), SLICE("10.0.0.1"), 1);
    struct jute_vector second = one_acl(SLICE("ip"), SLICE("10.0.0.2"), 1);
    uint32_t id;

    CHECK_I64("create",
              tree_create(tree,
                          &(struct tree_create){
                              .path = SLICE("/a"), .acl = first, .zxid = 1, .parent_cversion = -1},
                          &id),
              ZK_OK);
    uint32_t first_id = tree_node(tree, id)->acl;
    CHECK_I64("set", tree_set_acl(tree, SLICE("/a"), second, 1, &id), ZK_OK);
    uint32_t second_id = tree_node(tree, id)->acl;
    CHECK(second_id != first_id);
    CHECK_U64("the first one's id is free",
              tree_acl_intern(tree, one_acl(SLICE("ip"), SLICE("10.0.0.3"), 1)), first_id);
    CHECK_I64("delete", tree_delete(tree, SLICE("/a"), 2), ZK_OK);
    CHECK_U64("so is the second one's",
              tree_acl_intern(tree, one_acl(SLICE("ip"), SLICE("10.0.0.4"), 1)), second_id);
    tree_free(tree);
}

TEST(ten_thousand_lists_keep_their_content)
{
    enum { COUNT = 10000 };
    struct tree *tree = new_tree();
    static uint32_t ids[COUNT];
    char text[32];

    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < COUNT; i++) {
            snprintf(text, sizeof(text), "u:%d", i);
            ids[i] = tree_acl_intern(tree, one_acl(SLICE("digest"), slice_text(text), 31));
        }
        for (int i = 0; i < COUNT; i++) {
            snprintf(text, sizeof(text), "u:%d", i);
            CHECK_SLICE(text, tree_acl(tree, ids[i]).bytes,
                        one_acl(SLICE("digest"), slice_text(text), 31).bytes);
        }
        for (int i = 0; i < COUNT; i++)
            tree_acl_release(tree, ids[(i * 7919) % COUNT]);
    }
    CHECK_U64("and go with their holders",
              tree_acl_intern(tree, one_acl(SLICE("digest"), SLICE("x:y"), 31)) <= COUNT + 2, 1);
    tree_free(tree);
}
