#include "sim/driver.h"
#include "test/lib/check.h"
#include "test/lib/replica_rig.h"
#include "test/lib/requests.h"

#include "replica/replica.h"

#include <stdio.h>

static struct buffer body, want;

static void begin(struct driver *rig)
{
    rig_begin(rig, 1);
}

static void end(struct driver *rig)
{
    driver_deinit(rig);
    buffer_deinit(&body);
    buffer_deinit(&want);
}

static void want_stat(const struct driver *rig, const char *path)
{
    const struct tree *tree = replica_tree(rig->replica);
    uint32_t id = tree_find(tree, slice_text(path));
    struct zk_stat stat;

    CHECK(id != NODE_NONE);
    tree_stat(tree, tree_node(tree, id), &stat);
    zk_stat_write(&want, &stat);
}

/* The answer's body is what was put into `want`, which is emptied. */
static void check_read(struct driver *rig, int32_t op, const char *name)
{
    struct rig_reply reply = rig_do(rig, 0, op, &body, ZK_OK);

    CHECK_I64("zxid of a read", reply.zxid, tree_last_zxid(replica_tree(rig->replica)));
    CHECK_SLICE(name, reply.body, want.data == NULL ? SLICE("") : buffer_slice(&want));
    want.size = 0;
}

TEST(reads_answer_what_the_records_say)
{
    struct driver rig;

    begin(&rig);
    rig_make(&rig, 0, "/a");
    rig_make(&rig, 0, "/a/b");

    put_path_watch(&body, "/a", false);
    want_stat(&rig, "/a");
    check_read(&rig, OP_EXISTS, "exists");

    put_path_watch(&body, "/a", false);
    jute_put_bytes(&want, SLICE("data"));
    want_stat(&rig, "/a");
    check_read(&rig, OP_GET_DATA, "getData");

    put_path_watch(&body, "/a", false);
    static const char *const kids[] = {"b"};
    put_texts(&want, 1, kids);
    check_read(&rig, OP_GET_CHILDREN, "getChildren");

    put_path_watch(&body, "/a", false);
    put_texts(&want, 1, kids);
    want_stat(&rig, "/a");
    check_read(&rig, OP_GET_CHILDREN2, "getChildren2");

    put_path_watch(&body, "/a/b", false);
    buffer_i32(&want, 0);
    check_read(&rig, OP_GET_CHILDREN, "no children");

    put_text(&body, "/a");
    buffer_i32(&want, 1);
    buffer_append(&want, OPEN_ACL.bytes);
    want_stat(&rig, "/a");
    check_read(&rig, OP_GET_ACL, "getACL");

    put_text(&body, "/");
    buffer_i32(&want, 5);
    check_read(&rig, OP_GET_ALL_CHILDREN_NUMBER, "all descendants of the root");
    put_text(&body, "");
    buffer_i32(&want, 6);
    check_read(&rig, OP_GET_ALL_CHILDREN_NUMBER, "Java's table knows the root twice");
    put_text(&body, "/a");
    buffer_i32(&want, 1);
    check_read(&rig, OP_GET_ALL_CHILDREN_NUMBER, "of a node");

    put_text(&body, "any text");
    put_text(&want, "any text");
    check_read(&rig, OP_SYNC, "sync");
    put_text(&body, NULL);
    put_text(&want, NULL);
    check_read(&rig, OP_SYNC, "sync of null");

    buffer_i32(&want, 1);
    put_text(&want, "ip");
    put_text(&want, "127.0.0.1");
    check_read(&rig, OP_WHO_AM_I, "whoAmI");

    put_text(&body, "/a");
    buffer_i32(&want, OWNER_NONE);
    buffer_i64(&want, 0);
    check_read(&rig, OP_GET_KIND, "kind of a persistent node");
    end(&rig);
}

TEST(the_empty_path_reads_the_root)
{
    static const int32_t ops[] = {OP_EXISTS, OP_GET_DATA, OP_GET_CHILDREN, OP_GET_CHILDREN2};
    struct driver rig;

    begin(&rig);
    for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
        put_path_watch(&body, "", false);
        (void)rig_do(&rig, 0, ops[i], &body, ZK_OK);
        put_path_watch(&body, "/nothing", false);
        CHECK_U64("no body", rig_do(&rig, 0, ops[i], &body, ZK_NO_NODE).body.size, 0);
        put_path_watch(&body, NULL, false);
        (void)rig_do(&rig, 0, ops[i], &body, ZK_MARSHALLING_ERROR);
        put_path_watch(&body, "a/b", false); /* nothing is checked: it is just not there */
        (void)rig_do(&rig, 0, ops[i], &body, ZK_NO_NODE);
    }
    put_text(&body, "");
    (void)rig_do(&rig, 0, OP_GET_ACL, &body, ZK_OK);
    put_text(&body, NULL);
    (void)rig_do(&rig, 0, OP_GET_ACL, &body, ZK_MARSHALLING_ERROR);
    put_text(&body, NULL);
    (void)rig_do(&rig, 0, OP_GET_ALL_CHILDREN_NUMBER, &body, ZK_MARSHALLING_ERROR);
    jute_put_bytes(&body, SLICE("/a\0b"));
    jute_put_bool(&body, true);
    (void)rig_do(&rig, 0, OP_EXISTS, &body, ZK_BAD_ARGUMENTS);
    end(&rig);
}

TEST(reads_ask_for_permission_before_they_leave_a_watch)
{
    static const struct {
        int32_t op, perms, want;
    } rows[] = {
        {OP_EXISTS, PERM_READ, ZK_OK},
        {OP_EXISTS, PERM_ALL & ~PERM_READ, ZK_NO_AUTH},
        {OP_GET_DATA, PERM_READ, ZK_OK},
        {OP_GET_DATA, PERM_ALL & ~PERM_READ, ZK_NO_AUTH},
        {OP_GET_CHILDREN, PERM_READ, ZK_OK},
        {OP_GET_CHILDREN, PERM_ALL & ~PERM_READ, ZK_NO_AUTH},
        {OP_GET_CHILDREN2, PERM_ALL & ~PERM_READ, ZK_NO_AUTH},
        {OP_GET_ACL, PERM_READ, ZK_OK},
        {OP_GET_ACL, PERM_ADMIN, ZK_OK},
        {OP_GET_ACL, PERM_WRITE, ZK_NO_AUTH},
        {OP_GET_ALL_CHILDREN_NUMBER, PERM_READ, ZK_OK},
        {OP_GET_ALL_CHILDREN_NUMBER, PERM_ALL & ~PERM_READ, ZK_NO_AUTH},
        {OP_SYNC, 0, ZK_OK},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct driver rig;
        struct replica_counts counts;
        begin(&rig);
        put_create_acl(&body, "/p", one_acl(SLICE("world"), SLICE("anyone"), rows[i].perms), 0);
        (void)rig_do(&rig, 0, OP_CREATE, &body, ZK_OK);
        bool watches = rows[i].op == OP_EXISTS || rows[i].op == OP_GET_DATA ||
                       rows[i].op == OP_GET_CHILDREN || rows[i].op == OP_GET_CHILDREN2;
        put_text(&body, "/p");
        if (watches)
            jute_put_bool(&body, true);
        (void)rig_do(&rig, 0, rows[i].op, &body, rows[i].want);
        replica_counts(rig.replica, &counts);
        CHECK_U64("watches", counts.clients.watches_all, watches && rows[i].want == ZK_OK);
        end(&rig);
    }
}

TEST(a_missing_node_leaves_a_watch_by_exists_only)
{
    static const struct {
        int32_t op;
        uint32_t watches;
    } rows[] = {{OP_EXISTS, 1}, {OP_GET_DATA, 0}, {OP_GET_CHILDREN, 0}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct driver rig;
        struct replica_counts counts;
        begin(&rig);
        put_path_watch(&body, "/none", true);
        (void)rig_do(&rig, 0, rows[i].op, &body, ZK_NO_NODE);
        replica_counts(rig.replica, &counts);
        CHECK_U64("watches", counts.clients.watches_all, rows[i].watches);
        end(&rig);
    }
}

TEST(digests_are_hidden_from_who_may_only_read)
{
    struct driver rig;
    struct buffer acl = {0};

    begin(&rig);
    jute_put_acl(&acl, &(struct jute_acl){SLICE("world"), SLICE("anyone"), PERM_READ});
    jute_put_acl(&acl, &(struct jute_acl){SLICE("digest"), SLICE("u:secret"), PERM_ALL});
    put_create_acl(&body, "/p", (struct jute_vector){buffer_slice(&acl), 2}, 0);
    (void)rig_do(&rig, 0, OP_CREATE, &body, ZK_OK);
    put_text(&body, "/p");
    buffer_i32(&want, 2);
    jute_put_acl(&want, &(struct jute_acl){SLICE("world"), SLICE("anyone"), PERM_READ});
    jute_put_acl(&want, &(struct jute_acl){SLICE("digest"), SLICE("u:x"), PERM_ALL});
    want_stat(&rig, "/p");
    check_read(&rig, OP_GET_ACL, "masked");
    buffer_deinit(&acl);
    end(&rig);
}

TEST(a_session_lists_its_ephemerals_by_a_prefix_of_text)
{
    static const struct {
        const char *prefix;
        int32_t count;
    } rows[] = {{NULL, 3},  {"", 3},     {"  ", 3}, {"/", 3},  {" / ", 3}, {"/p", 2},
                {"/p3", 1}, {"/p3e", 1}, {"/q", 1}, {"/x", 0}, {"p", 0},   {" /p", 0}};
    struct driver rig;

    begin(&rig);
    rig_connect(&rig, 1);
    (void)rig_create(&rig, 0, "/p1", MODE_EPHEMERAL);
    (void)rig_create(&rig, 0, "/p3e", MODE_EPHEMERAL);
    (void)rig_create(&rig, 0, "/q", MODE_EPHEMERAL);
    (void)rig_create(&rig, 1, "/p-of-another", MODE_EPHEMERAL);
    driver_sync(&rig);
    for (int i = 0; i < 3; i++)
        (void)rig_next(&rig, 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        put_text(&body, rows[i].prefix);
        struct rig_reply reply = rig_do(&rig, 0, OP_GET_EPHEMERALS, &body, ZK_OK);
        CHECK_I64(rows[i].prefix == NULL ? "null" : rows[i].prefix,
                  (int32_t)load_be32(reply.body.data), rows[i].count);
    }
    put_text(&body, "/q");
    static const char *const q[] = {"/q"};
    put_texts(&want, 1, q);
    check_read(&rig, OP_GET_EPHEMERALS, "the whole path");
    end(&rig);
}

TEST(a_multi_read_answers_each_part_and_sets_no_watch)
{
    struct driver rig;
    struct replica_counts counts;

    begin(&rig);
    rig_make(&rig, 0, "/a");
    rig_make(&rig, 0, "/a/b");
    put_multi_op(&body, OP_GET_DATA);
    put_path_watch(&body, "/a", true);
    put_multi_op(&body, OP_GET_CHILDREN);
    put_path_watch(&body, "/none", true);
    put_multi_op(&body, OP_GET_CHILDREN);
    put_path_watch(&body, "/a", true);
    put_multi_end(&body);
    multi_header_write(&want, &(struct multi_header){.type = OP_GET_DATA});
    jute_put_bytes(&want, SLICE("data"));
    want_stat(&rig, "/a");
    multi_header_write(&want, &(struct multi_header){.type = OP_ERROR, .err = ZK_NO_NODE});
    buffer_i32(&want, ZK_NO_NODE);
    multi_header_write(&want, &(struct multi_header){.type = OP_GET_CHILDREN});
    static const char *const kids[] = {"b"};
    put_texts(&want, 1, kids);
    put_multi_end(&want);
    check_read(&rig, OP_MULTI_READ, "multiRead");
    replica_counts(rig.replica, &counts);
    CHECK_U64("watches", counts.clients.watches_all, 0);
    put_multi_end(&body);
    put_multi_end(&want);
    check_read(&rig, OP_MULTI_READ, "an empty one");
    end(&rig);
}

TEST(writes_answer_what_the_records_say)
{
    struct driver rig;

    begin(&rig);
    put_create(&body, "/c2", SLICE("x"), 0);
    struct rig_reply reply = rig_do(&rig, 0, OP_CREATE2, &body, ZK_OK);
    put_text(&want, "/c2");
    want_stat(&rig, "/c2");
    CHECK_SLICE("create2", reply.body, buffer_slice(&want));
    want.size = 0;
    put_set_data(&body, "/c2", SLICE("y"), 0);
    reply = rig_do(&rig, 0, OP_SET_DATA, &body, ZK_OK);
    want_stat(&rig, "/c2");
    CHECK_SLICE("setData", reply.body, buffer_slice(&want));
    want.size = 0;
    put_set_acl(&body, "/c2", OPEN_ACL, 0);
    reply = rig_do(&rig, 0, OP_SET_ACL, &body, ZK_OK);
    want_stat(&rig, "/c2");
    CHECK_SLICE("setACL", reply.body, buffer_slice(&want));
    want.size = 0;
    put_create(&body, "/box", SLICE(""), MODE_CONTAINER);
    reply = rig_do(&rig, 0, OP_CREATE_CONTAINER, &body, ZK_OK);
    put_text(&want, "/box");
    want_stat(&rig, "/box");
    CHECK_SLICE("createContainer", reply.body, buffer_slice(&want));
    put_path_version(&body, "/c2", -1);
    CHECK_U64("delete", rig_do(&rig, 0, OP_DELETE, &body, ZK_OK).body.size, 0);
    end(&rig);
}

TEST(a_multi_answers_part_by_part)
{
    struct driver rig;

    begin(&rig);
    put_multi_op(&body, OP_CREATE);
    put_create(&body, "/m", SLICE(""), 0);
    put_multi_op(&body, OP_CHECK);
    put_path_version(&body, "/m", 0);
    put_multi_op(&body, OP_SET_DATA);
    put_set_data(&body, "/m", SLICE("xyz"), 0);
    put_multi_end(&body);
    struct rig_reply reply = rig_do(&rig, 0, OP_MULTI, &body, ZK_OK);
    multi_header_write(&want, &(struct multi_header){.type = OP_CREATE});
    put_text(&want, "/m");
    multi_header_write(&want, &(struct multi_header){.type = OP_CHECK});
    multi_header_write(&want, &(struct multi_header){.type = OP_SET_DATA});
    want_stat(&rig, "/m");
    put_multi_end(&want);
    CHECK_SLICE("done", reply.body, buffer_slice(&want));

    put_multi_op(&body, OP_CREATE);
    put_create(&body, "/n", SLICE(""), 0);
    put_multi_op(&body, OP_DELETE);
    put_path_version(&body, "/none", -1);
    put_multi_op(&body, OP_DELETE);
    put_path_version(&body, "/m", -1);
    put_multi_end(&body);
    reply = rig_do(&rig, 0, OP_MULTI, &body, ZK_OK); /* the header says nothing of it */
    want.size = 0;
    static const int32_t codes[] = {ZK_OK, ZK_NO_NODE, ZK_RUNTIME_INCONSISTENCY};
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        multi_header_write(&want, &(struct multi_header){.type = OP_ERROR, .err = codes[i]});
        buffer_i32(&want, codes[i]);
    }
    put_multi_end(&want);
    CHECK_SLICE("failed", reply.body, buffer_slice(&want));
    end(&rig);
}

TEST(thousands_of_writes_may_be_on_their_way)
{
    enum { WRITES = 5000 };
    struct driver rig;
    char data[200];

    begin(&rig);
    int32_t first = rig.clients[0].last_xid + 1;
    for (int i = 0; i < WRITES; i++) {
        snprintf(data, sizeof(data), "%0150d", i);
        (void)rig_set(&rig, 0, "/", data);
        if (i % 1000 == 999) /* a few of them are done: the ring goes round, chunks come back */
            driver_sync_to(&rig, rig.appended_zxid - 300);
    }
    (void)rig_get(&rig, 0, "/", false);
    driver_sync(&rig);
    for (int32_t i = 0; i < WRITES; i++)
        CHECK_I64("version",
                  (int32_t)load_be32(rig_expect(&rig, 0, first + i, ZK_OK).body.data + 32), i + 1);
    CHECK_SLICE("the last one", slice_of(rig_next(&rig, 0).body.data + 4, 150),
                slice_of(data, 150));
    end(&rig);
}

TEST(clients_may_have_any_number)
{
    struct replica_options options = rig_options();
    struct replica *replica = replica_new(&options, rig_tree(), 0);
    struct effects effects = {0};
    static const uint32_t ids[] = {0, 63, 64, 1000, 70000};
    struct client_info info;

    for (size_t i = 0; i < ARRAY_LEN(ids); i++)
        replica_step(replica,
                     &(struct replica_event){
                         .kind = REPLICA_CLIENT_OPENED, .client = ids[i], .address = SLICE("::1")},
                     &effects);
    for (size_t i = 0; i < ARRAY_LEN(ids); i++)
        CHECK(clients_info(replica_clients(replica), ids[i], &info));
    CHECK(!clients_info(replica_clients(replica), 500, &info));
    replica_step(replica, &(struct replica_event){.kind = REPLICA_CLIENT_CLOSED, .client = 1000},
                 &effects);
    CHECK(!clients_info(replica_clients(replica), 1000, &info));
    effects_deinit(&effects);
    replica_free(replica);
}
