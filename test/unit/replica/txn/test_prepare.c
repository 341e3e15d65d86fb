#include "test/lib/check.h"
#include "test/lib/requests.h"
#include "test/lib/txn_world.h"

#include "replica/txn/prepare.h"

#include <stdio.h>

static const char U_P[] = "u:Jq7wMyA/w2Vd5WIDAKdu4OIIFEQ=";

static struct buffer body;

static void create_as(struct txn_world *world, const char *path, struct jute_vector acl,
                      int32_t flags)
{
    put_create_acl(&body, path, acl, flags);
    txn_world_must(world, OP_CREATE, &body);
}

static void begin(struct txn_world *world)
{
    txn_world_init(world);
    txn_world_make(world, "/a");
    txn_world_make(world, "/a/kid");
    create_as(world, "/e", OPEN_ACL, MODE_EPHEMERAL);
    create_as(world, "/closed", one_acl(SLICE("world"), SLICE("anyone"), 0), 0);
    create_as(world, "/readonly", one_acl(SLICE("world"), SLICE("anyone"), PERM_READ), 0);
}

static void end(struct txn_world *world)
{
    buffer_deinit(&body);
    txn_world_deinit(world);
}

static int32_t try_create(struct txn_world *world, int32_t type, const char *path, int32_t flags)
{
    put_create(&body, path, SLICE(""), flags);
    return txn_world_try(world, type, &body);
}

/* --- create --- */

TEST(the_flags_of_a_create_are_one_of_seven_values)
{
    static const struct {
        int32_t type, flags;
        int64_t ttl_ms; /* OP_CREATE_TTL */
        bool extended;
        int32_t want;
    } rows[] = {
        {OP_CREATE, -1, 0, true, ZK_BAD_ARGUMENTS},
        {OP_CREATE, 7, 0, true, ZK_BAD_ARGUMENTS},
        {OP_CREATE2, 8, 0, true, ZK_BAD_ARGUMENTS},
        {OP_CREATE_CONTAINER, 9, 0, true, ZK_BAD_ARGUMENTS},
        {OP_CREATE_TTL, 7, 5, true, ZK_BAD_ARGUMENTS},
        {OP_CREATE, 0, 0, true, ZK_OK},
        {OP_CREATE, 1, 0, true, ZK_OK},
        {OP_CREATE2, 2, 0, true, ZK_OK},
        {OP_CREATE2, 3, 0, true, ZK_OK},
        {OP_CREATE, 4, 0, true, ZK_OK},
        {OP_CREATE, 5, 0, true, ZK_BAD_ARGUMENTS},
        {OP_CREATE2, 6, 0, true, ZK_BAD_ARGUMENTS},
        {OP_CREATE, 5, 0, false, ZK_UNIMPLEMENTED},
        {OP_CREATE_CONTAINER, 6, 0, true, ZK_BAD_ARGUMENTS},
        {OP_CREATE_CONTAINER, 6, 0, false, ZK_UNIMPLEMENTED},
        {OP_CREATE_CONTAINER, 0, 0, true, ZK_OK},
        {OP_CREATE_CONTAINER, 3, 0, true, ZK_OK},
        {OP_CREATE_CONTAINER, 4, 0, true, ZK_OK},
        {OP_CREATE_TTL, 5, 1, true, ZK_OK},
        {OP_CREATE_TTL, 6, TTL_MS_MAX, true, ZK_OK},
        {OP_CREATE_TTL, 5, TTL_MS_MAX + 1, true, ZK_BAD_ARGUMENTS},
        {OP_CREATE_TTL, 5, 0, true, ZK_BAD_ARGUMENTS},
        {OP_CREATE_TTL, 5, -1, true, ZK_BAD_ARGUMENTS},
        {OP_CREATE_TTL, 5, 0, false, ZK_UNIMPLEMENTED},
        {OP_CREATE_TTL, 0, 5, true, ZK_BAD_ARGUMENTS},
        {OP_CREATE_TTL, 0, 0, true, ZK_BAD_ARGUMENTS},
        {OP_CREATE_TTL, 0, -5, true, ZK_BAD_ARGUMENTS}, /* the one that kills a Java server */
        {OP_CREATE_TTL, 4, -5, true, ZK_BAD_ARGUMENTS},
    };
    char name[64];

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct txn_world world;
        txn_world_init(&world);
        if (!rows[i].extended) {
            outstanding_free(world.outstanding);
            tree_free(world.tree);
            world.tree = tree_new(&(struct tree_options){.hash_seed = 1, .digest_enabled = true});
            world.outstanding = outstanding_new(world.tree);
        }
        if (rows[i].type == OP_CREATE_TTL)
            put_create_ttl(&body, "/new", rows[i].flags, rows[i].ttl_ms);
        else
            put_create(&body, "/new", SLICE(""), rows[i].flags);
        snprintf(name, sizeof(name), "op %d flags %d ttl %lld", rows[i].type, rows[i].flags,
                 (long long)rows[i].ttl_ms);
        CHECK_I64(name, txn_world_try(&world, rows[i].type, &body), rows[i].want);
        end(&world);
    }
}

TEST(the_opcode_decides_what_is_made)
{
    static const struct {
        int32_t type, flags;
        int64_t owner;
    } rows[] = {
        {OP_CREATE, 0, 0},
        {OP_CREATE, 1, 7},
        {OP_CREATE2, 3, 7},
        {OP_CREATE, 4, 0}, /* plain, outside a multi */
        {OP_CREATE_CONTAINER, 0, INT64_MIN},
        {OP_CREATE_CONTAINER, 1, INT64_MIN},
        {OP_CREATE_TTL, 5, (int64_t)0xff00000000000064},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct txn_world world;
        struct txn txn;
        begin(&world);
        put_create(&body, "/new", SLICE(""), rows[i].flags);
        if (rows[i].type == OP_CREATE_TTL)
            buffer_i64(&body, 100);
        txn_world_propose(&world, rows[i].type, buffer_slice(&body), &txn);
        char path[64];
        snprintf(path, sizeof(path), "%.*s", (int)txn.op.path.size, (const char *)txn.op.path.data);
        txn_world_apply_all(&world);
        uint32_t id = tree_find(world.tree, slice_text(path));
        CHECK(id != NODE_NONE);
        CHECK_I64(path, tree_node(world.tree, id)->owner, rows[i].owner);
        end(&world);
    }
}

TEST(a_create_is_checked_in_the_order_of_the_protocol)
{
    struct jute_vector bad_acl = one_acl(SLICE("foo"), SLICE("bar"), 1);
    struct jute_vector null_id = one_acl(SLICE("world"), SLICE_NULL, 1);
    const struct {
        const char *name, *path;
        int32_t flags;
        struct jute_vector acl;
        int32_t want;
    } rows[] = {
        {"flags before the path", NULL, 9, OPEN_ACL, ZK_BAD_ARGUMENTS},
        {"null path", NULL, 0, OPEN_ACL, ZK_MARSHALLING_ERROR},
        {"null path before the list", NULL, 0, bad_acl, ZK_MARSHALLING_ERROR},
        {"empty path", "", 0, OPEN_ACL, ZK_BAD_ARGUMENTS},
        {"no slash", "foo", 0, OPEN_ACL, ZK_BAD_ARGUMENTS},
        {"no slash before the list", "foo", 0, bad_acl, ZK_BAD_ARGUMENTS},
        {"relative: no parent", "foo/bar", 0, OPEN_ACL, ZK_NO_NODE},
        {"the list before the parent", "/no/x", 0, bad_acl, ZK_INVALID_ACL},
        {"the list before the whole path", "/a/..", 0, bad_acl, ZK_INVALID_ACL},
        {"a null id", "/new", 0, null_id, ZK_MARSHALLING_ERROR},
        {"no parent", "/no/x", 0, OPEN_ACL, ZK_NO_NODE},
        {"no parent /a/", "/a//b", 0, OPEN_ACL, ZK_NO_NODE},
        {"no permission", "/closed/x", 0, OPEN_ACL, ZK_NO_AUTH},
        {"permission before the whole path", "/closed/..", 0, OPEN_ACL, ZK_NO_AUTH},
        {"permission before existence", "/readonly/x", 0, OPEN_ACL, ZK_NO_AUTH},
        {"a slash behind", "/a/", 0, OPEN_ACL, ZK_BAD_ARGUMENTS},
        {"..", "/a/..", 0, OPEN_ACL, ZK_BAD_ARGUMENTS},
        {"a control character", "/a/\x01", 0, OPEN_ACL, ZK_BAD_ARGUMENTS},
        {"a bad name below an ephemeral", "/e/.", 0, OPEN_ACL, ZK_BAD_ARGUMENTS},
        {"the root", "/", 0, OPEN_ACL, ZK_NODE_EXISTS},
        {"exists", "/a/kid", 0, OPEN_ACL, ZK_NODE_EXISTS},
        {"below an ephemeral", "/e/x", 0, OPEN_ACL, ZK_NO_CHILDREN_FOR_EPHEMERALS},
        {"sequential below an ephemeral", "/e/x", 2, OPEN_ACL, ZK_NO_CHILDREN_FOR_EPHEMERALS},
        {"sequential //", "//", 2, OPEN_ACL, ZK_BAD_ARGUMENTS},
        {"sequential empty", "", 2, OPEN_ACL, ZK_BAD_ARGUMENTS},
        {"under the config", "/zookeeper/config/x", 0, OPEN_ACL, ZK_NO_AUTH},
        {"under zookeeper", "/zookeeper/x", 0, OPEN_ACL, ZK_OK},
        {"fine", "/a/new", 0, OPEN_ACL, ZK_OK},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct txn_world world;
        begin(&world);
        put_create_acl(&body, rows[i].path, rows[i].acl, rows[i].flags);
        CHECK_I64(rows[i].name, txn_world_try(&world, OP_CREATE, &body), rows[i].want);
        end(&world);
    }
}

static void check_created(struct txn_world *world, const char *path, int32_t flags,
                          const char *want)
{
    struct txn txn;

    body.size = 0;
    put_create(&body, path, SLICE(""), flags);
    txn_world_propose(world, OP_CREATE, buffer_slice(&body), &txn);
    CHECK_I64(want, txn.header.type, OP_CREATE);
    CHECK_SLICE(want, txn.op.path, slice_text(want));
    body.size = 0;
}

TEST(sequence_numbers_count_every_create_under_the_parent)
{
    struct txn_world world;

    begin(&world);
    txn_world_make(&world, "/s");
    check_created(&world, "/s/n-", 2, "/s/n-0000000000"); /* outstanding creates count */
    check_created(&world, "/s/n-", 2, "/s/n-0000000001");
    check_created(&world, "/s/plain", 0, "/s/plain");
    check_created(&world, "/s/n-", 3, "/s/n-0000000003");
    txn_world_apply_all(&world);
    put_path_version(&body, "/s/n-0000000003", -1);
    txn_world_must(&world, OP_DELETE, &body);
    check_created(&world, "/s/n-", 2, "/s/n-0000000004"); /* deletes do not */
    check_created(&world, "/s/", 2, "/s/0000000005");
    check_created(&world, "/s/.", 2, "/s/.0000000006");
    check_created(&world, "/", 2, "/0000000005"); /* the fixed nodes do not count */
    txn_world_apply_all(&world);
    end(&world);
}

TEST(a_sequence_freezes_at_its_last_number)
{
    struct txn_world world;
    uint32_t id;

    begin(&world);
    txn_world_make(&world, "/s");
    CHECK_I64("nearly full",
              tree_create(world.tree,
                          &(struct tree_create){.path = SLICE("/s/first"),
                                                .acl = OPEN_ACL,
                                                .zxid = world.proposed_zxid,
                                                .parent_cversion = INT32_MAX - 1},
                          &id),
              ZK_OK);
    outstanding_applied(world.outstanding, world.proposed_zxid); /* the tree was changed by hand */
    check_created(&world, "/s/n", 2, "/s/n2147483646");
    check_created(&world, "/s/n", 2, "/s/n2147483647");
    CHECK_I64("the same again", try_create(&world, OP_CREATE, "/s/n", 2), ZK_NODE_EXISTS);
    uint32_t parent = tree_find(world.tree, SLICE("/s"));
    int64_t pzxid = tree_node(world.tree, parent)->pzxid;
    check_created(&world, "/s/other", 2, "/s/other2147483647");
    check_created(&world, "/s/plain", 0, "/s/plain");
    txn_world_apply_all(&world);
    CHECK_I64("frozen", tree_node(world.tree, parent)->cversion, INT32_MAX);
    CHECK_I64("and pzxid with it", tree_node(world.tree, parent)->pzxid, pzxid);
    end(&world);
}

TEST(a_negative_count_is_printed_with_its_sign)
{
    struct txn_world world;

    begin(&world);
    txn_world_make(&world, "/s");
    tree_node(world.tree, tree_find(world.tree, SLICE("/s")))->cversion = -3;
    put_create(&body, "/s/n", SLICE(""), 2);
    struct txn txn;
    txn_world_propose(&world, OP_CREATE, buffer_slice(&body), &txn);
    CHECK_SLICE("path", txn.op.path, SLICE("/s/n-000000003"));
    end(&world);
}

/* --- delete, setData, setACL, check --- */

TEST(a_delete_is_checked_in_the_order_of_the_protocol)
{
    static const struct {
        const char *name, *path;
        int32_t version, want;
    } rows[] = {
        {"null", NULL, -1, ZK_MARSHALLING_ERROR},
        {"empty", "", -1, ZK_BAD_ARGUMENTS},
        {"no slash", "foo", -1, ZK_BAD_ARGUMENTS},
        {"the root", "/", -1, ZK_BAD_ARGUMENTS},
        {"special", "/zookeeper", -1, ZK_BAD_ARGUMENTS},
        {"special", "/zookeeper/quota", -1, ZK_BAD_ARGUMENTS},
        {"special before the version", "/zookeeper/config", 77, ZK_BAD_ARGUMENTS},
        {"no parent", "/no/x", -1, ZK_NO_NODE},
        {"a slash behind", "/a/", -1, ZK_NO_NODE},
        {"two slashes", "/a//x", -1, ZK_NO_NODE},
        {"permission before existence", "/closed/x", -1, ZK_NO_AUTH},
        {"missing", "/a/x", -1, ZK_NO_NODE},
        {"missing before the version", "/a/x", 5, ZK_NO_NODE},
        {"version before emptiness", "/a", 5, ZK_BAD_VERSION},
        {"version -2 is no wildcard", "/a/kid", -2, ZK_BAD_VERSION},
        {"not empty", "/a", 0, ZK_NOT_EMPTY},
        {"fine", "/a/kid", 0, ZK_OK},
        {"any version", "/a/kid", -1, ZK_OK},
        {"an ephemeral", "/e", -1, ZK_OK},
        {"its own list does not matter", "/closed", -1, ZK_OK},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct txn_world world;
        begin(&world);
        put_path_version(&body, rows[i].path, rows[i].version);
        CHECK_I64(rows[i].name, txn_world_try(&world, OP_DELETE, &body), rows[i].want);
        end(&world);
    }
}

TEST(set_data_is_checked_in_the_order_of_the_protocol)
{
    static const struct {
        const char *name, *path;
        int32_t version, want;
    } rows[] = {
        {"null", NULL, -1, ZK_BAD_ARGUMENTS},
        {"empty", "", -1, ZK_BAD_ARGUMENTS},
        {"a slash behind", "/a/", -1, ZK_BAD_ARGUMENTS},
        {"missing", "/no", 5, ZK_NO_NODE},
        {"permission before the version", "/readonly", 5, ZK_NO_AUTH},
        {"version", "/a", 5, ZK_BAD_VERSION},
        {"the root", "/", 0, ZK_OK},
        {"special", "/zookeeper/quota", -1, ZK_OK},
        {"fine", "/a", 0, ZK_OK},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct txn_world world;
        begin(&world);
        put_set_data(&body, rows[i].path, SLICE("x"), rows[i].version);
        CHECK_I64(rows[i].name, txn_world_try(&world, OP_SET_DATA, &body), rows[i].want);
        end(&world);
    }
}

TEST(set_acl_is_checked_in_the_order_of_the_protocol)
{
    struct jute_vector bad_acl = one_acl(SLICE("foo"), SLICE("bar"), 1);
    const struct {
        const char *name, *path;
        struct jute_vector acl;
        int32_t version, want;
    } rows[] = {
        {"null", NULL, bad_acl, -1, ZK_BAD_ARGUMENTS},
        {"path before the list", "/a/", bad_acl, -1, ZK_BAD_ARGUMENTS},
        {"the list before the node", "/no", bad_acl, -1, ZK_INVALID_ACL},
        {"missing", "/no", OPEN_ACL, 5, ZK_NO_NODE},
        {"permission before the version", "/readonly", OPEN_ACL, 5, ZK_NO_AUTH},
        {"version", "/a", OPEN_ACL, 5, ZK_BAD_VERSION},
        {"fine", "/a", OPEN_ACL, 0, ZK_OK},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct txn_world world;
        begin(&world);
        put_set_acl(&body, rows[i].path, rows[i].acl, rows[i].version);
        CHECK_I64(rows[i].name, txn_world_try(&world, OP_SET_ACL, &body), rows[i].want);
        end(&world);
    }
}

TEST(reconfig_is_disabled_or_not_for_a_server_that_stands_alone)
{
    for (int enabled = 0; enabled < 2; enabled++) {
        struct txn_world world;
        txn_world_init(&world);
        world.rules.reconfig_enabled = enabled;
        for (int i = 0; i < 3; i++)
            put_text(&body, NULL);
        buffer_i64(&body, -1);
        CHECK_I64("reconfig", txn_world_try(&world, OP_RECONFIG, &body),
                  enabled ? ZK_UNIMPLEMENTED : ZK_RECONFIG_DISABLED);
        end(&world);
    }
}

TEST(every_operation_asks_for_its_own_permission)
{
    static const struct {
        const char *name;
        int32_t type, needs;
    } rows[] = {
        {"create", OP_CREATE, PERM_CREATE},    {"delete", OP_DELETE, PERM_DELETE},
        {"set data", OP_SET_DATA, PERM_WRITE}, {"set ACL", OP_SET_ACL, PERM_ADMIN},
        {"check", OP_CHECK, PERM_READ},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (int32_t perm = PERM_READ; perm <= PERM_ADMIN; perm *= 2) {
            struct txn_world world;
            struct txn txn;
            txn_world_init(&world);
            create_as(&world, "/p", OPEN_ACL, 0);
            txn_world_make(&world, "/p/kid");
            put_set_acl(&body, "/p", one_acl(SLICE("world"), SLICE("anyone"), perm), -1);
            txn_world_must(&world, OP_SET_ACL, &body);
            int32_t type = rows[i].type;
            if (type == OP_CHECK)
                put_multi_op(&body, OP_CHECK);
            if (type == OP_CREATE)
                put_create(&body, "/p/new", SLICE(""), 0);
            else if (type == OP_SET_DATA)
                put_set_data(&body, "/p", SLICE(""), -1);
            else if (type == OP_SET_ACL)
                put_set_acl(&body, "/p", OPEN_ACL, -1);
            else
                put_path_version(&body, type == OP_DELETE ? "/p/kid" : "/p", -1);
            if (type == OP_CHECK) {
                put_multi_end(&body);
                type = OP_MULTI;
            }
            txn_world_propose(&world, type, buffer_slice(&body), &txn);
            const struct txn_op *op = type == OP_MULTI ? &txn.ops[0] : &txn.op;
            CHECK_I64(rows[i].name, op->type == OP_ERROR ? op->err : ZK_OK,
                      perm == rows[i].needs ? ZK_OK : ZK_NO_AUTH);
            txn_world_apply_all(&world);
            end(&world);
        }
    }
}

TEST(an_identity_opens_what_its_digest_is_on)
{
    struct txn_world world;

    txn_world_init(&world);
    txn_world_login(&world, "u:p");
    create_as(&world, "/mine", one_acl(SLICE("auth"), SLICE(""), PERM_ALL), 0);
    const struct znode *node = tree_node(world.tree, tree_find(world.tree, SLICE("/mine")));
    CHECK_SLICE("the placeholder is gone", tree_acl(world.tree, node->acl).bytes,
                one_acl(SLICE("digest"), slice_text(U_P), PERM_ALL).bytes);
    CHECK_I64("mine", try_create(&world, OP_CREATE, "/mine/x", 0), ZK_OK);
    txn_world_logout(&world);
    CHECK_I64("not somebody else's", try_create(&world, OP_CREATE, "/mine/y", 0), ZK_NO_AUTH);
    world.rules.acl.skip_acl = true;
    CHECK_I64("skipACL", try_create(&world, OP_CREATE, "/mine/y", 0), ZK_OK);
    end(&world);
}

TEST(versions_wrap_through_minus_one)
{
    struct txn_world world;
    struct txn txn;
    uint32_t id;

    begin(&world);
    CHECK_I64("set",
              tree_set_data(world.tree, SLICE("/a"), SLICE(""), -2, world.proposed_zxid, 0, &id),
              ZK_OK);
    outstanding_applied(world.outstanding, world.proposed_zxid);
    static const int32_t want[] = {-1, 0, 1};
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        body.size = 0;
        put_set_data(&body, "/a", SLICE(""), -1);
        txn_world_propose(&world, OP_SET_DATA, buffer_slice(&body), &txn);
        CHECK_I64("version", txn.op.version, want[i]);
    }
    txn_world_apply_all(&world);
    end(&world);
}

/* --- quotas --- */

TEST(a_quota_that_is_enforced_is_checked_where_the_protocol_says)
{
    struct txn_world world;

    begin(&world);
    txn_world_make(&world, "/q");
    txn_world_make(&world, "/zookeeper/quota/q");
    put_create(&body, "/zookeeper/quota/q/zookeeper_limits",
               SLICE("count=-1,bytes=-1=;byteHardLimit=4;countHardLimit=2"), 0);
    txn_world_must(&world, OP_CREATE, &body);
    txn_world_make(&world, "/zookeeper/quota/q/zookeeper_stats");
    txn_world_make(&world, "/q/x");
    CHECK_I64("not enforced", try_create(&world, OP_CREATE, "/q/y", 0), ZK_OK);
    world.rules.enforce_quota = true;
    CHECK_I64("over the count", try_create(&world, OP_CREATE, "/q/z", 0), ZK_QUOTA_EXCEEDED);
    CHECK_I64("existence comes first", try_create(&world, OP_CREATE, "/q/y", 0), ZK_NODE_EXISTS);
    put_set_data(&body, "/q/x", SLICE("12345"), 99);
    CHECK_I64("the version comes later", txn_world_try(&world, OP_SET_DATA, &body),
              ZK_QUOTA_EXCEEDED);
    put_set_data(&body, "/q/x", SLICE("1234"), 0);
    CHECK_I64("up to the limit", txn_world_try(&world, OP_SET_DATA, &body), ZK_OK);
    put_set_data(&body, "/q/x", SLICE("5678"), 1);
    CHECK_I64("as many bytes", txn_world_try(&world, OP_SET_DATA, &body), ZK_OK);
    put_set_data(&body, "/zookeeper/quota/q/zookeeper_limits", SLICE("nonsense"), -1);
    txn_world_must(&world, OP_SET_DATA, &body);
    CHECK_I64("limits that nobody can read", try_create(&world, OP_CREATE, "/q/z", 0),
              ZK_MARSHALLING_ERROR);
    end(&world);
}

/* --- multi --- */

static void multi_create(const char *path, int32_t flags)
{
    put_multi_op(&body, OP_CREATE);
    put_create(&body, path, SLICE("m"), flags);
}

static void multi_version(int32_t type, const char *path, int32_t version)
{
    put_multi_op(&body, type);
    put_path_version(&body, path, version);
}

static void multi_set(const char *path, int32_t version)
{
    put_multi_op(&body, OP_SET_DATA);
    put_set_data(&body, path, SLICE("new"), version);
}

TEST(parts_of_a_multi_see_what_came_before_them)
{
    struct txn_world world;
    struct txn txn;

    begin(&world);
    multi_create("/m", 0);
    multi_set("/m", 0);
    multi_version(OP_CHECK, "/m", 1);
    multi_create("/m/s", 2);
    multi_create("/m/s", 2);
    multi_set("/m", 1);
    multi_version(OP_DELETE, "/m/s0000000000", 0);
    put_multi_end(&body);
    txn_world_propose(&world, OP_MULTI, buffer_slice(&body), &txn);
    static const int32_t want[] = {OP_CREATE, OP_SET_DATA, OP_CHECK, OP_CREATE,
                                   OP_CREATE, OP_SET_DATA, OP_DELETE};
    CHECK_I64("parts", txn.op_count, ARRAY_LEN(want));
    for (size_t i = 0; i < ARRAY_LEN(want); i++)
        CHECK_I64("type", txn.ops[i].type, want[i]);
    CHECK_SLICE("sequence", txn.ops[4].path, SLICE("/m/s0000000001"));
    CHECK_I64("version", txn.ops[5].version, 2);
    txn_world_apply_all(&world);
    CHECK(tree_find(world.tree, SLICE("/m/s0000000000")) == NODE_NONE);
    CHECK(tree_find(world.tree, SLICE("/m/s0000000001")) != NODE_NONE);
    end(&world);
}

TEST(a_multi_that_fails_leaves_nothing_behind_for_later_requests)
{
    struct txn_world world;
    struct txn txn;

    begin(&world);
    check_created(&world, "/before", 0, "/before"); /* outstanding all the while */
    uint64_t digest = outstanding_digest(world.outstanding);
    body.size = 0;
    multi_create("/m", 0);
    multi_version(OP_DELETE, "/a/kid", -1);
    multi_version(OP_DELETE, "/before", -1);
    multi_set("/a", 0);
    multi_create("/before", 0);
    multi_set("/a", 77); /* fails */
    multi_create("/n", 0);
    put_multi_end(&body);
    txn_world_propose(&world, OP_MULTI, buffer_slice(&body), &txn);
    CHECK(txn.ops[5].type == OP_ERROR && txn.ops[6].type == OP_ERROR);
    CHECK_I64("the failing one", txn.ops[5].err, ZK_BAD_VERSION);
    CHECK_I64("behind it", txn.ops[6].err, ZK_RUNTIME_INCONSISTENCY);
    CHECK_U64("digest", outstanding_digest(world.outstanding), digest);
    CHECK(txn.has_digest && (uint64_t)txn.digest == digest);
    struct future_node state;
    CHECK(!outstanding_get(world.outstanding, SLICE("/m"), &state));
    CHECK(outstanding_get(world.outstanding, SLICE("/a/kid"), &state));
    CHECK(outstanding_get(world.outstanding, SLICE("/a"), &state) && state.version == 0 &&
          state.child_count == 1);
    CHECK(outstanding_get(world.outstanding, SLICE("/before"), &state));
    check_created(&world, "/m", 0, "/m");
    txn_world_apply_all(&world);
    CHECK(tree_find(world.tree, SLICE("/before")) != NODE_NONE);
    CHECK(tree_find(world.tree, SLICE("/n")) == NODE_NONE);
    end(&world);
}

TEST(a_create2_in_a_multi_is_stored_as_a_create)
{
    struct txn_world world;
    struct txn txn;

    begin(&world);
    put_multi_op(&body, OP_CREATE2);
    put_create(&body, "/two", SLICE(""), 0);
    multi_create("/one", 0);
    put_multi_end(&body);
    txn_world_propose(&world, OP_MULTI, buffer_slice(&body), &txn);
    CHECK(txn.ops[0].type == OP_CREATE && txn.ops[0].with_stat);
    CHECK(txn.ops[1].type == OP_CREATE && !txn.ops[1].with_stat);
    txn_world_apply_all(&world);
    CHECK(tree_find(world.tree, SLICE("/two")) != NODE_NONE);
    end(&world);
}

TEST(an_empty_multi_takes_a_zxid)
{
    struct txn_world world;
    struct txn txn;

    begin(&world);
    put_multi_end(&body);
    txn_world_propose(&world, OP_MULTI, buffer_slice(&body), &txn);
    CHECK_I64("type", txn.header.type, OP_MULTI);
    CHECK(txn.has_digest);
    txn_world_apply_all(&world);
    CHECK_I64("zxid", tree_last_zxid(world.tree), world.proposed_zxid);
    end(&world);
}

TEST(a_multi_that_no_reader_would_take_fails_as_a_whole)
{
    struct txn_world world;
    struct txn txn;
    char path[16];

    begin(&world);
    world.rules.text_bytes_max = 8000;
    uint64_t digest = outstanding_digest(world.outstanding);
    for (int i = 0; i < 60; i++) {
        snprintf(path, sizeof(path), "/m%d", i);
        multi_create(path, 0);
    }
    put_multi_end(&body);
    txn_world_propose(&world, OP_MULTI, buffer_slice(&body), &txn);
    CHECK_I64("type", txn.header.type, OP_ERROR);
    CHECK_I64("err", txn.op.err, ZK_MARSHALLING_ERROR);
    CHECK_U64("digest", outstanding_digest(world.outstanding), digest);
    txn_world_apply_all(&world);
    CHECK(tree_find(world.tree, SLICE("/m0")) == NODE_NONE);
    end(&world);
}

/* --- what is outstanding --- */

TEST(a_record_that_no_reader_would_take_is_not_proposed)
{
    struct jute_vector whoever_i_am = one_acl(SLICE("auth"), SLICE(""), PERM_ALL);
    struct txn_world world;
    char user[64];

    txn_world_init(&world);
    world.rules.text_bytes_max = 1024;
    for (int i = 0; i < 12; i++) { /* each adds more than 40 bytes to the list */
        snprintf(user, sizeof(user), "somebody-%d:secret", i);
        txn_world_login(&world, user);
    }
    put_create_acl(&body, "/small", whoever_i_am, 0);
    CHECK_I64("fits", txn_world_try(&world, OP_CREATE, &body), ZK_OK);
    for (int i = 12; i < 24; i++) {
        snprintf(user, sizeof(user), "somebody-%d:secret", i);
        txn_world_login(&world, user);
    }
    put_create_acl(&body, "/large", whoever_i_am, 0);
    CHECK_I64("create", txn_world_try(&world, OP_CREATE, &body), ZK_MARSHALLING_ERROR);
    CHECK_U64("nothing is left", tree_find(world.tree, SLICE("/large")), NODE_NONE);
    body.size = 0;
    set_acl_request_write(&body, &(struct set_acl_request){
                                     .path = SLICE("/small"), .acl = whoever_i_am, .version = -1});
    CHECK_I64("setACL", txn_world_try(&world, OP_SET_ACL, &body), ZK_MARSHALLING_ERROR);
    end(&world);
}

TEST(requests_are_judged_by_what_will_be)
{
    struct txn_world world;
    struct txn txn;

    begin(&world);
    check_created(&world, "/p", 0, "/p");
    check_created(&world, "/p/c", 0, "/p/c");
    body.size = 0;
    put_path_version(&body, "/p", -1);
    txn_world_propose(&world, OP_DELETE, buffer_slice(&body), &txn);
    CHECK_I64("a child is coming", txn.op.err, ZK_NOT_EMPTY);
    body.size = 0;
    put_path_version(&body, "/p/c", 0);
    txn_world_propose(&world, OP_DELETE, buffer_slice(&body), &txn);
    CHECK_I64("it can be deleted", txn.header.type, OP_DELETE);
    body.size = 0;
    put_path_version(&body, "/p", 0);
    txn_world_propose(&world, OP_DELETE, buffer_slice(&body), &txn);
    CHECK_I64("and the parent, too", txn.header.type, OP_DELETE);
    check_created(&world, "/p", 1, "/p");
    body.size = 0;
    put_create(&body, "/p/c", SLICE(""), 0);
    txn_world_propose(&world, OP_CREATE, buffer_slice(&body), &txn);
    CHECK_I64("an ephemeral now", txn.op.err, ZK_NO_CHILDREN_FOR_EPHEMERALS);
    CHECK(tree_find(world.tree, SLICE("/p")) == NODE_NONE); /* nothing is applied yet */
    txn_world_apply_all(&world);
    CHECK(tree_find(world.tree, SLICE("/p")) != NODE_NONE);
    end(&world);
}

TEST(permissions_of_an_outstanding_list_count)
{
    struct txn_world world;
    struct txn txn;

    begin(&world);
    put_set_acl(&body, "/a", one_acl(SLICE("ip"), SLICE("9.9.9.9"), PERM_ALL), -1);
    txn_world_propose(&world, OP_SET_ACL, buffer_slice(&body), &txn);
    CHECK_I64("set", txn.header.type, OP_SET_ACL);
    body.size = 0;
    put_create(&body, "/a/x", SLICE(""), 0);
    txn_world_propose(&world, OP_CREATE, buffer_slice(&body), &txn);
    CHECK_I64("closed already", txn.op.err, ZK_NO_AUTH);
    txn_world_apply_all(&world);
    end(&world);
}

/* --- sessions and janitors --- */

static struct txn close_session(struct txn_world *world)
{
    struct txn txn;

    body.size = 0;
    txn_world_propose(world, OP_CLOSE_SESSION, SLICE(""), &txn);
    return txn;
}

TEST(a_close_session_lists_what_the_session_will_own)
{
    struct txn_world world;

    begin(&world);
    create_as(&world, "/e2", OPEN_ACL, MODE_EPHEMERAL);
    check_created(&world, "/e3", 1, "/e3"); /* on its way */
    body.size = 0;
    put_path_version(&body, "/e2", -1);
    struct txn txn;
    txn_world_propose(&world, OP_DELETE, buffer_slice(&body), &txn); /* going anyway */
    txn = close_session(&world);
    CHECK_I64("two", txn.op.paths.count, 2);
    struct slice path;
    CHECK(jute_next_text(&txn.op.paths, &path) && slice_equal(path, SLICE("/e")));
    CHECK(jute_next_text(&txn.op.paths, &path) && slice_equal(path, SLICE("/e3")));
    struct future_node state;
    CHECK(!outstanding_get(world.outstanding, SLICE("/e"), &state));
    CHECK(!outstanding_get(world.outstanding, SLICE("/e3"), &state));
    txn_world_apply_all(&world);
    CHECK_U64("ephemerals", tree_ephemeral_count(world.tree), 0);
    CHECK_U64("sessions", tree_session_count(world.tree), 0);
    end(&world);
}

TEST(a_close_session_without_a_list_is_a_header_and_deletes_the_same)
{
    enum { HEADER_BYTES = 32 };
    struct txn_world world;
    struct buffer record = {0};

    begin(&world);
    world.rules.close_unlisted = true;
    create_as(&world, "/e2", OPEN_ACL, MODE_EPHEMERAL);
    check_created(&world, "/e3", 1, "/e3"); /* on its way */
    struct txn txn = close_session(&world);
    txn_write(&record, &txn);
    CHECK_U64("bytes", record.size, HEADER_BYTES);
    buffer_deinit(&record);
    struct future_node state;
    CHECK(!outstanding_get(world.outstanding, SLICE("/e3"), &state));
    txn_world_apply_all(&world); /* the digest says that all of them are gone */
    CHECK_U64("ephemerals", tree_ephemeral_count(world.tree), 0);
    CHECK_U64("sessions", tree_session_count(world.tree), 0);
    end(&world);
}

TEST(a_close_session_spares_what_others_made_in_the_place)
{
    struct txn_world world;

    begin(&world);
    tree_session_add(world.tree, 8, 4000);
    body.size = 0;
    put_path_version(&body, "/e", -1);
    struct txn txn;
    txn_world_propose(&world, OP_DELETE, buffer_slice(&body), &txn);
    world.session_id = 8;
    check_created(&world, "/e", 1, "/e");
    world.session_id = 7;
    txn = close_session(&world);
    CHECK_I64("nothing", txn.op.paths.count, 0);
    txn_world_apply_all(&world);
    CHECK_I64("owner", tree_node(world.tree, tree_find(world.tree, SLICE("/e")))->owner, 8);
    end(&world);
}

TEST(a_second_close_session_behind_the_first_closes_nothing)
{
    struct txn_world world;

    begin(&world);
    create_as(&world, "/e2", OPEN_ACL, MODE_EPHEMERAL);
    struct txn txn = close_session(&world); /* it expires, */
    CHECK_I64("two", txn.op.paths.count, 2);
    txn = close_session(&world); /* and its client closes it through another server */
    CHECK_I64("type", txn.header.type, OP_CLOSE_SESSION);
    CHECK_I64("nothing", txn.op.paths.count, 0);
    txn_world_apply_all(&world);
    CHECK_U64("ephemerals", tree_ephemeral_count(world.tree), 0);
    CHECK_U64("sessions", tree_session_count(world.tree), 0);
    end(&world);
}

TEST(the_list_of_a_close_session_stays_readable)
{
    struct txn_world world;
    char path[32];

    begin(&world);
    world.rules.text_bytes_max = 1000;
    for (int i = 0; i < 200; i++) {
        snprintf(path, sizeof(path), "/ephemeral-%d", i);
        create_as(&world, path, OPEN_ACL, MODE_EPHEMERAL);
    }
    struct txn txn = close_session(&world);
    CHECK(txn.op.paths.count > 10 && txn.op.paths.bytes.size < 1000);
    txn_world_apply_all(&world); /* the digest says that all of them are gone */
    CHECK_U64("ephemerals", tree_ephemeral_count(world.tree), 0);
    end(&world);
}

TEST(a_create_session_changes_no_digest)
{
    struct txn_world world;
    struct txn txn;

    begin(&world);
    world.session_id = 9;
    struct prepare prepare = txn_world_prepare(&world);
    prepare_create_session(&prepare, 12345, &txn);
    CHECK_U64("digest", (uint64_t)txn.digest, tree_digest(world.tree));
    txn_world_queue(&world, &txn);
    txn_world_apply_all(&world);
    CHECK_I64("timeout", tree_session(world.tree, 9)->timeout_ms, 12345);
    end(&world);
}

TEST(janitors_delete_empty_containers_and_ttl_nodes_only)
{
    static const struct {
        const char *path;
        enum zk_error want;
    } rows[] = {
        {"/box", ZK_OK},
        {"/full", ZK_NOT_EMPTY},
        {"/ttl", ZK_OK},
        {"/a/kid", ZK_BAD_VERSION},
        {"/e", ZK_BAD_VERSION},
        {"/gone", ZK_NO_NODE},
        {"/filling", ZK_NOT_EMPTY},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct txn_world world;
        struct txn txn;
        begin(&world);
        static const char *const boxes[] = {"/box", "/full", "/filling"};
        for (size_t j = 0; j < ARRAY_LEN(boxes); j++) {
            put_create(&body, boxes[j], SLICE(""), MODE_CONTAINER);
            txn_world_must(&world, OP_CREATE_CONTAINER, &body);
        }
        put_create_ttl(&body, "/ttl", MODE_TTL, 5);
        txn_world_must(&world, OP_CREATE_TTL, &body);
        txn_world_make(&world, "/full/x");
        check_created(&world, "/filling/x", 0, "/filling/x"); /* on its way */
        struct prepare prepare = txn_world_prepare(&world);
        CHECK_I64(rows[i].path, prepare_delete_container(&prepare, slice_text(rows[i].path), &txn),
                  rows[i].want);
        if (rows[i].want == ZK_OK) {
            CHECK_I64("type", txn.header.type, OP_DELETE_CONTAINER);
            txn_world_queue(&world, &txn);
        }
        txn_world_apply_all(&world);
        end(&world);
    }
}

TEST(an_error_transaction_has_no_digest)
{
    struct txn_world world;
    struct txn txn;

    begin(&world);
    struct prepare prepare = txn_world_prepare(&world);
    prepare_error(&prepare, ZK_MARSHALLING_ERROR, &txn);
    CHECK_I64("type", txn.header.type, OP_ERROR);
    CHECK_I64("err", txn.op.err, ZK_MARSHALLING_ERROR);
    CHECK(!txn.has_digest);
    txn_world_queue(&world, &txn);
    txn_world_apply_all(&world);
    end(&world);
}
