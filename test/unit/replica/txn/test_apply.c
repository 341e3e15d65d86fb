#include "test/lib/check.h"
#include "test/lib/requests.h"

#include "replica/txn/txn.h"

#include <stdio.h>

struct world {
    struct tree *tree;
    struct arena arena;
    struct buffer story; /* what observers were told */
    int64_t zxid;
};

static void begin(struct world *world)
{
    *world = (struct world){.tree = tree_new(&(struct tree_options){
                                .hash_seed = 1, .extended_types = true, .digest_enabled = true})};
    arena_init(&world->arena);
}

static void end(struct world *world)
{
    tree_free(world->tree);
    arena_deinit(&world->arena);
    buffer_deinit(&world->story);
}

static void tell(void *context, const char *what, struct slice path, uint32_t acl)
{
    struct world *world = context;
    struct jute_vector list = tree_acl(world->tree, acl);
    struct jute_acl entry;

    CHECK(jute_next_acl(&list, &entry)); /* the list is still there, though the node may not be */
    buffer_printf(&world->story, "%s(%.*s,%d) ", what, (int)path.size, (const char *)path.data,
                  entry.perms);
}

static void created(void *context, struct slice path, uint32_t acl)
{
    tell(context, "created", path, acl);
}

static void deleted(void *context, struct slice path, uint32_t acl)
{
    tell(context, "deleted", path, acl);
}

static void changed(void *context, struct slice path, uint32_t acl)
{
    tell(context, "changed", path, acl);
}

static void children(void *context, struct slice path, uint32_t acl)
{
    tell(context, "children", path, acl);
}

static struct txn_result apply(struct world *world, struct txn txn)
{
    struct txn_observer observer = {created, deleted, changed, children, world, NULL};
    struct txn_result result;

    world->story.size = 0;
    txn.header.zxid = ++world->zxid;
    txn.header.time_ms = world->zxid * 10;
    txn.header.type = txn.op.type;
    txn_apply(world->tree, &txn, &observer, &world->arena, &result);
    CHECK_I64("last zxid", tree_last_zxid(world->tree), world->zxid);
    return result;
}

static void check_story(const struct world *world, const char *want)
{
    struct slice told = world->story.data == NULL ? SLICE("") : buffer_slice(&world->story);
    CHECK_SLICE(want, told, slice_text(want));
}

static struct txn create(const char *path, int32_t perms)
{
    return (struct txn){.op = {.type = OP_CREATE,
                               .path = slice_text(path),
                               .acl = one_acl(SLICE("world"), SLICE("anyone"), perms),
                               .data = SLICE("d"),
                               .parent_cversion = -1}};
}

TEST(observers_are_told_what_the_protocol_orders)
{
    struct world world;

    begin(&world);
    struct txn_result result = apply(&world, create("/p", 3));
    check_story(&world, "created(/p,3) children(/,31) ");
    CHECK_I64("stat", result.op.stat.czxid, 1);
    apply(&world, create("/p/c", 5));
    check_story(&world, "created(/p/c,5) children(/p,3) ");
    result = apply(
        &world,
        (struct txn){
            .op = {.type = OP_SET_DATA, .path = SLICE("/p/c"), .data = SLICE("x"), .version = 1}});
    check_story(&world, "changed(/p/c,5) ");
    CHECK_I64("stat", result.op.stat.mzxid, 3);
    CHECK_I64("stat", result.op.stat.version, 1);
    result = apply(&world, (struct txn){.op = {.type = OP_SET_ACL,
                                               .path = SLICE("/p/c"),
                                               .acl = one_acl(SLICE("world"), SLICE("anyone"), 6),
                                               .version = 1}});
    check_story(&world, "");
    CHECK_I64("stat", result.op.stat.aversion, 1);
    apply(&world, (struct txn){.op = {.type = OP_CHECK, .path = SLICE("/p")}});
    check_story(&world, "");
    apply(&world, (struct txn){.op = {.type = OP_DELETE, .path = SLICE("/p/c")}});
    check_story(&world, "deleted(/p/c,6) children(/p,3) ");
    apply(&world, (struct txn){.op = {.type = OP_DELETE_CONTAINER, .path = SLICE("/p")}});
    check_story(&world, "deleted(/p,3) children(/,31) ");
    end(&world);
}

TEST(what_cannot_be_done_is_answered_and_told_to_nobody)
{
    struct world world;

    begin(&world);
    apply(&world, create("/p", 31));
    static const struct {
        struct txn_op op;
        int32_t err;
    } rows[] = {
        {{.type = OP_CREATE, .path = {(const uint8_t *)"/no/x", 5}}, ZK_NO_NODE},
        {{.type = OP_CREATE, .path = {(const uint8_t *)"/p", 2}}, ZK_NODE_EXISTS},
        {{.type = OP_DELETE, .path = {(const uint8_t *)"/x", 2}}, ZK_NO_NODE},
        {{.type = OP_SET_DATA, .path = {(const uint8_t *)"/x", 2}}, ZK_NO_NODE},
        {{.type = OP_SET_ACL, .path = {(const uint8_t *)"/x", 2}}, ZK_NO_NODE},
        {{.type = OP_ERROR, .err = ZK_QUOTA_EXCEEDED}, ZK_QUOTA_EXCEEDED},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct txn_result result = apply(&world, (struct txn){.op = rows[i].op});
        CHECK_I64("err", result.op.err, rows[i].err);
        CHECK_I64("type", result.op.type, OP_ERROR);
        check_story(&world, "");
    }
    end(&world);
}

TEST(a_multi_with_an_error_changes_nothing_and_answers_each_part)
{
    struct world world;
    struct txn_op ops[] = {create("/a", 31).op,
                           {.type = OP_ERROR, .err = ZK_BAD_VERSION},
                           {.type = OP_ERROR, .err = ZK_RUNTIME_INCONSISTENCY}};

    begin(&world);
    uint64_t before = tree_digest(world.tree);
    struct txn_result result =
        apply(&world, (struct txn){.op = {.type = OP_MULTI}, .ops = ops, .op_count = 3});
    CHECK_U64("digest", tree_digest(world.tree), before);
    CHECK_I64("the multi itself", result.op.err, ZK_OK);
    static const int32_t want[] = {ZK_OK, ZK_BAD_VERSION, ZK_RUNTIME_INCONSISTENCY};
    for (size_t i = 0; i < 3; i++) {
        CHECK_I64("type", result.ops[i].type, OP_ERROR);
        CHECK_I64("err", result.ops[i].err, want[i]);
    }
    check_story(&world, "");
    end(&world);
}

TEST(a_multi_is_told_part_by_part_and_answers_the_stat_of_the_moment)
{
    struct world world;
    struct txn_op ops[] = {
        create("/a", 31).op,
        {.type = OP_SET_DATA, .path = SLICE("/a"), .data = SLICE("1"), .version = 1},
        {.type = OP_SET_DATA, .path = SLICE("/a"), .data = SLICE("22"), .version = 2},
        {.type = OP_CHECK, .path = SLICE("/a"), .version = 2},
        {.type = OP_DELETE, .path = SLICE("/a")}};

    begin(&world);
    struct txn_result result =
        apply(&world, (struct txn){.op = {.type = OP_MULTI}, .ops = ops, .op_count = 5});
    check_story(&world, "created(/a,31) children(/,31) changed(/a,31) changed(/a,31) "
                        "deleted(/a,31) children(/,31) ");
    CHECK_I64("version", result.ops[1].stat.version, 1);
    CHECK_I64("length", result.ops[1].stat.data_length, 1);
    CHECK_I64("version", result.ops[2].stat.version, 2);
    CHECK_I64("length", result.ops[2].stat.data_length, 2);
    CHECK_I64("type", result.ops[3].type, OP_CHECK);
    CHECK_I64("type", result.ops[4].type, OP_DELETE);
    end(&world);
}

TEST(an_owner_is_made_from_the_kind_of_create)
{
    struct world world;
    static const struct {
        const char *path;
        int32_t type;
        bool ephemeral;
        int64_t owner;
    } rows[] = {
        {"/n", OP_CREATE, false, 0},
        {"/e", OP_CREATE2, true, 0x77},
        {"/c", OP_CREATE_CONTAINER, false, INT64_MIN},
        {"/t", OP_CREATE_TTL, false, (int64_t)0xff00000000001234},
    };

    begin(&world);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct txn txn = create(rows[i].path, 31);
        txn.header.client_id = 0x77;
        txn.op.type = rows[i].type;
        txn.op.ephemeral = rows[i].ephemeral;
        txn.op.ttl_ms = 0x1234;
        apply(&world, txn);
        uint32_t id = tree_find(world.tree, slice_text(rows[i].path));
        CHECK_I64(rows[i].path, tree_node(world.tree, id)->owner, rows[i].owner);
    }
    end(&world);
}

static void make_ephemeral(struct world *world, const char *path, int64_t session_id)
{
    struct txn txn = create(path, 31);
    txn.header.client_id = session_id;
    txn.op.ephemeral = true;
    apply(world, txn);
}

static void create_session(struct world *world, int64_t id)
{
    apply(world, (struct txn){.header = {.client_id = id},
                              .op = {.type = OP_CREATE_SESSION, .timeout_ms = 4000}});
}

TEST(closing_a_session_deletes_what_is_listed_and_what_it_still_has)
{
    struct world world;
    struct buffer paths = {0};

    begin(&world);
    create_session(&world, 7);
    CHECK_I64("timeout", tree_session(world.tree, 7)->timeout_ms, 4000);
    make_ephemeral(&world, "/e1", 7);
    make_ephemeral(&world, "/e2", 7);
    make_ephemeral(&world, "/forgotten", 7);
    make_ephemeral(&world, "/other", 8);
    jute_put_bytes(&paths, SLICE("/e2"));
    jute_put_bytes(&paths, SLICE("/never/was"));
    jute_put_bytes(&paths, SLICE_NULL);
    jute_put_bytes(&paths, SLICE("/e1"));
    apply(&world,
          (struct txn){.header = {.client_id = 7},
                       .op = {.type = OP_CLOSE_SESSION, .paths = {buffer_slice(&paths), 4}}});
    check_story(&world, "deleted(/e2,31) children(/,31) deleted(/e1,31) children(/,31) "
                        "deleted(/forgotten,31) children(/,31) ");
    CHECK(tree_session(world.tree, 7) == NULL);
    CHECK(tree_find(world.tree, SLICE("/other")) != NODE_NONE);
    buffer_deinit(&paths);
    end(&world);
}

TEST(closing_without_a_list_deletes_all_that_the_session_has)
{
    struct world world;

    begin(&world);
    create_session(&world, 7);
    make_ephemeral(&world, "/e1", 7);
    make_ephemeral(&world, "/e2", 7);
    apply(&world, (struct txn){.header = {.client_id = 7},
                               .op = {.type = OP_CLOSE_SESSION, .paths = {SLICE_NULL, -1}}});
    CHECK_U64("ephemerals", tree_ephemeral_count(world.tree), 0);
    CHECK_U64("sessions", tree_session_count(world.tree), 0);
    apply(&world, (struct txn){.header = {.client_id = 7}, /* again, as a replay might */
                               .op = {.type = OP_CLOSE_SESSION, .paths = {SLICE_NULL, -1}}});
    end(&world);
}

TEST(an_older_transaction_does_not_move_the_last_zxid_back)
{
    struct world world;
    struct txn txn = create("/a", 31);

    begin(&world);
    tree_set_last_zxid(world.tree, 100);
    txn.header.zxid = 50;
    txn.header.type = OP_CREATE;
    txn_apply(world.tree, &txn, NULL, NULL, NULL);
    CHECK_I64("zxid", tree_last_zxid(world.tree), 100);
    end(&world);
}
