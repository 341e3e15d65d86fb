#include "sim/driver.h"
#include "test/lib/check.h"
#include "test/lib/replica_rig.h"
#include "test/lib/requests.h"

#include "replica/replica.h"

static struct buffer body;

static void end(struct driver *rig)
{
    driver_deinit(rig);
    buffer_deinit(&body);
}

/* --- nothing is answered before it is durable --- */

TEST(a_write_is_answered_when_the_log_has_it_and_not_before)
{
    struct driver rig;

    rig_begin(&rig, 1);
    int32_t one = rig_create(&rig, 0, "/a", 0), two = rig_create(&rig, 0, "/b", 0);
    CHECK(rig_silent(&rig, 0));
    CHECK_I64("nor is it in the tree", tree_find(replica_tree(rig.replica), SLICE("/a")),
              NODE_NONE);
    driver_jump(&rig, 100);
    CHECK(rig_silent(&rig, 0));
    driver_sync_to(&rig, rig.appended_zxid - 1); /* the first of the two */
    struct rig_reply reply = rig_expect(&rig, 0, one, ZK_OK);
    CHECK_I64("zxid", reply.zxid, rig.appended_zxid - 1);
    CHECK_SLICE("body", reply.body, SLICE("\0\0\0\2/a"));
    CHECK(rig_silent(&rig, 0));
    driver_sync(&rig);
    CHECK_I64("zxid", rig_expect(&rig, 0, two, ZK_OK).zxid, rig.appended_zxid);
    end(&rig);
}

TEST(a_handshake_is_answered_when_its_session_is_durable)
{
    struct driver rig;

    rig_begin(&rig, 0);
    driver_open(&rig, 0);
    driver_shake(&rig, 0, 0, 3000);
    CHECK(rig_silent(&rig, 0));
    CHECK(rig.clients[0].paused); /* the server reads no more until it is settled */
    CHECK_U64("one record", rig.record_count, 1);
    driver_sync(&rig);
    CHECK(rig_shaken(&rig, 0));
    CHECK(!rig.clients[0].paused);
    CHECK_I64("timeout", rig.clients[0].timeout_ms, 3000);
    end(&rig);
}

TEST(a_failed_write_takes_a_zxid_and_waits_for_the_log_too)
{
    struct driver rig;

    rig_begin(&rig, 1);
    int32_t xid = rig_delete(&rig, 0, "/none");
    CHECK_U64("records", rig.record_count, 2);
    CHECK(!rig.records[1].lacks_digest && !rig.records[0].lacks_digest);
    CHECK(rig_silent(&rig, 0));
    driver_sync(&rig);
    struct rig_reply reply = rig_expect(&rig, 0, xid, ZK_NO_NODE);
    CHECK_I64("zxid", reply.zxid, rig.appended_zxid);
    CHECK_U64("no body", reply.body.size, 0);
    end(&rig);
}

/* --- order --- */

TEST(a_read_waits_for_the_clients_own_writes_and_for_nobody_elses)
{
    struct driver rig;

    rig_begin(&rig, 2);
    int32_t write = rig_create(&rig, 0, "/a", 0);
    int32_t own = rig_get(&rig, 0, "/a", false);
    int32_t ping = rig_send(&rig, 0, OP_PING, NULL);
    int32_t other = rig_get(&rig, 1, "/a", false);
    CHECK(rig_silent(&rig, 0));
    (void)rig_expect(&rig, 1, other, ZK_NO_NODE); /* at once, from the tree as it is */
    driver_sync(&rig);
    (void)rig_expect(&rig, 0, write, ZK_OK);
    CHECK(rig_expect(&rig, 0, own, ZK_OK).body.size > 4);
    CHECK(ping > 0);
    (void)rig_expect(&rig, 0, XID_PING, ZK_OK); /* whatever xid was sent */
    end(&rig);
}

TEST(answers_keep_the_order_of_requests_between_syncs_too)
{
    struct driver rig;

    rig_begin(&rig, 1);
    int32_t write_one = rig_create(&rig, 0, "/a", 0);
    int64_t zxid_one = rig.appended_zxid;
    int32_t read_one = rig_get(&rig, 0, "/a", false);
    int32_t write_two = rig_set(&rig, 0, "/a", "two");
    int32_t read_two = rig_get(&rig, 0, "/a", false);
    driver_sync_to(&rig, zxid_one);
    (void)rig_expect(&rig, 0, write_one, ZK_OK);
    struct rig_reply reply = rig_expect(&rig, 0, read_one, ZK_OK);
    CHECK_SLICE("as of its place", slice_of(reply.body.data, 8), SLICE("\0\0\0\4data"));
    CHECK_I64("zxid", reply.zxid, zxid_one);
    CHECK(rig_silent(&rig, 0));
    driver_sync(&rig);
    (void)rig_expect(&rig, 0, write_two, ZK_OK);
    reply = rig_expect(&rig, 0, read_two, ZK_OK);
    CHECK_SLICE("as of its place", slice_of(reply.body.data, 7), SLICE("\0\0\0\3two"));
    end(&rig);
}

TEST(a_write_that_does_not_decode_is_answered_in_its_turn_without_a_zxid)
{
    struct driver rig;

    rig_begin(&rig, 1);
    int32_t write = rig_create(&rig, 0, "/a", 0);
    buffer_append(&body, SLICE("\0\0\0\x7f"));
    int32_t bad = rig_send(&rig, 0, OP_CREATE, &body);
    int32_t read = rig_get(&rig, 0, "/a", false);
    int64_t zxid = rig.appended_zxid;
    CHECK(rig_silent(&rig, 0));
    driver_sync(&rig);
    (void)rig_expect(&rig, 0, write, ZK_OK);
    struct rig_reply reply = rig_expect(&rig, 0, bad, ZK_MARSHALLING_ERROR);
    CHECK_I64("zxid", reply.zxid, zxid);
    CHECK_U64("no body", reply.body.size, 0);
    (void)rig_expect(&rig, 0, read, ZK_OK);
    buffer_append(&body, SLICE("\0"));
    bad = rig_send(&rig, 0, OP_DELETE, &body);
    (void)rig_expect(&rig, 0, bad, ZK_MARSHALLING_ERROR); /* nothing to wait for */
    CHECK_I64("no record", rig.appended_zxid, zxid);
    CHECK(!rig.clients[0].closed);
    end(&rig);
}

TEST(a_multi_that_does_not_decode_takes_a_zxid)
{
    struct driver rig;

    rig_begin(&rig, 1);
    put_multi_op(&body, OP_SET_ACL);
    int64_t before = rig.appended_zxid;
    CHECK_I64("zxid", rig_do(&rig, 0, OP_MULTI, &body, ZK_MARSHALLING_ERROR).zxid, before + 1);
    end(&rig);
}

TEST(every_body_that_is_too_short_is_answered_minus_5)
{
    static const int32_t ops[] = {OP_CREATE,
                                  OP_CREATE2,
                                  OP_CREATE_CONTAINER,
                                  OP_CREATE_TTL,
                                  OP_DELETE,
                                  OP_EXISTS,
                                  OP_GET_DATA,
                                  OP_SET_DATA,
                                  OP_GET_ACL,
                                  OP_SET_ACL,
                                  OP_GET_CHILDREN,
                                  OP_GET_CHILDREN2,
                                  OP_SYNC,
                                  OP_MULTI,
                                  OP_MULTI_READ,
                                  OP_CHECK_WATCHES,
                                  OP_REMOVE_WATCHES,
                                  OP_ADD_WATCH,
                                  OP_SET_WATCHES,
                                  OP_SET_WATCHES2,
                                  OP_GET_EPHEMERALS,
                                  OP_GET_ALL_CHILDREN_NUMBER,
                                  OP_RECONFIG};
    struct driver rig;

    rig_begin(&rig, 1);
    for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
        for (int size = 0; size < 4; size++) {
            buffer_append(&body, slice_of("\0\0\0", (size_t)size));
            (void)rig_do(&rig, 0, ops[i], &body, ZK_MARSHALLING_ERROR);
        }
        buffer_append(&body, SLICE("\x7f\xff\xff\xff")); /* a text longer than the frame */
        (void)rig_do(&rig, 0, ops[i], &body, ZK_MARSHALLING_ERROR);
    }
    CHECK(!rig.clients[0].closed && rig_silent(&rig, 0));
    end(&rig);
}

TEST(an_unknown_operation_is_answered_minus_6_and_closed_in_its_turn)
{
    static const int32_t ops[] = {0, -1, 10, 13, 20, 23, 99, 108, 500, -10, INT32_MAX, INT32_MIN};

    for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
        struct driver rig;
        rig_begin(&rig, 1);
        int32_t write = rig_create(&rig, 0, "/a", 0);
        int32_t xid = rig_send(&rig, 0, ops[i], NULL);
        int32_t behind = rig_get(&rig, 0, "/a", false);
        driver_sync(&rig);
        (void)rig_expect(&rig, 0, write, ZK_OK);
        CHECK_I64("zxid", rig_expect(&rig, 0, xid, ZK_UNIMPLEMENTED).zxid, -1);
        CHECK(rig_silent(&rig, 0) && rig.clients[0].closed && behind > xid);
        driver_gone(&rig, 0);
        rig_connect_to(&rig, 1, rig.clients[0].session_id); /* the session lives on */
        end(&rig);
    }
}

TEST(a_header_that_is_too_short_closes_without_a_word)
{
    for (size_t size = 0; size < 8; size++) {
        struct driver rig;
        rig_begin(&rig, 1);
        driver_frame(&rig, 0, slice_of("\0\0\0\1\0\0\0\1", size));
        CHECK(rig_silent(&rig, 0) && rig.clients[0].closed);
        CHECK(rig.clients[0].close_reason != NULL);
        end(&rig);
    }
}

TEST(a_first_frame_that_is_no_connect_request_closes_without_a_word)
{
    struct driver rig;
    uint8_t frame[28] = {0};

    rig_begin(&rig, 0);
    for (size_t size = 0; size < 28; size++) { /* 28: where a password of length 0 would end */
        driver_open(&rig, 0);
        driver_frame(&rig, 0, slice_of(frame, size));
        CHECK(rig_silent(&rig, 0) && rig.clients[0].closed);
        driver_gone(&rig, 0);
    }
    CHECK_U64("records", rig.record_count, 0);
    end(&rig);
}

/* --- events --- */

TEST(the_event_of_a_change_comes_before_its_answer)
{
    struct driver rig;

    rig_begin(&rig, 2);
    rig_make(&rig, 0, "/p");
    put_path_watch(&body, "/p/c", true);
    (void)rig_do(&rig, 0, OP_EXISTS, &body, ZK_NO_NODE);
    put_path_watch(&body, "/p", true);
    (void)rig_do(&rig, 0, OP_GET_CHILDREN, &body, ZK_OK);
    put_path_watch(&body, "/p/c", true);
    (void)rig_do(&rig, 1, OP_EXISTS, &body, ZK_NO_NODE);

    int32_t xid = rig_create(&rig, 0, "/p/c", 0);
    CHECK(rig_silent(&rig, 0) && rig_silent(&rig, 1));
    driver_sync(&rig);
    rig_expect_event(&rig, 0, rig.appended_zxid, EVENT_CREATED, "/p/c");
    rig_expect_event(&rig, 0, rig.appended_zxid, EVENT_CHILDREN_CHANGED, "/p");
    (void)rig_expect(&rig, 0, xid, ZK_OK);
    rig_expect_event(&rig, 1, rig.appended_zxid, EVENT_CREATED, "/p/c");
    CHECK(rig_silent(&rig, 1));
    xid = rig_set(&rig, 0, "/p/c", "x"); /* all of them were used up */
    driver_sync(&rig);
    (void)rig_expect(&rig, 0, xid, ZK_OK);
    CHECK(rig_silent(&rig, 0) && rig_silent(&rig, 1));
    end(&rig);
}

TEST(a_watch_that_is_set_behind_a_write_does_not_see_it)
{
    struct driver rig;

    rig_begin(&rig, 1);
    rig_make(&rig, 0, "/p");
    int32_t write = rig_set(&rig, 0, "/p", "1");
    int32_t read = rig_get(&rig, 0, "/p", true);
    int32_t again = rig_set(&rig, 0, "/p", "2");
    driver_sync(&rig);
    (void)rig_expect(&rig, 0, write, ZK_OK);
    (void)rig_expect(&rig, 0, read, ZK_OK);
    rig_expect_event(&rig, 0, rig.appended_zxid, EVENT_DATA_CHANGED, "/p");
    (void)rig_expect(&rig, 0, again, ZK_OK);
    end(&rig);
}

TEST(a_delete_tells_each_client_once_and_the_parents_watchers)
{
    struct driver rig;

    rig_begin(&rig, 2);
    rig_make(&rig, 0, "/p");
    rig_make(&rig, 0, "/p/c");
    (void)rig_expect(&rig, 1, rig_get(&rig, 1, "/p/c", true), ZK_OK);
    put_path_watch(&body, "/p/c", true);
    (void)rig_do(&rig, 1, OP_GET_CHILDREN, &body, ZK_OK);
    put_path_watch(&body, "/p", true);
    (void)rig_do(&rig, 1, OP_GET_CHILDREN, &body, ZK_OK);
    put_path_type(&body, "/", WATCH_ADD_RECURSIVE);
    CHECK_SLICE("body of addWatch", rig_do(&rig, 1, OP_ADD_WATCH, &body, ZK_OK).body,
                SLICE("\0\0\0\0"));
    (void)rig_delete(&rig, 0, "/p/c");
    driver_sync(&rig);
    rig_expect_event(&rig, 1, rig.appended_zxid, EVENT_DELETED, "/p/c");
    rig_expect_event(&rig, 1, rig.appended_zxid, EVENT_CHILDREN_CHANGED, "/p");
    CHECK(rig_silent(&rig, 1));
    end(&rig);
}

TEST(events_of_a_multi_come_part_by_part)
{
    struct driver rig;

    rig_begin(&rig, 1);
    rig_make(&rig, 0, "/p");
    put_path_type(&body, "/", WATCH_ADD_RECURSIVE);
    (void)rig_do(&rig, 0, OP_ADD_WATCH, &body, ZK_OK);
    put_multi_op(&body, OP_CREATE);
    put_create(&body, "/p/1", SLICE(""), 0);
    put_multi_op(&body, OP_SET_DATA);
    put_set_data(&body, "/p", SLICE("x"), -1);
    put_multi_op(&body, OP_DELETE);
    put_path_version(&body, "/p/1", 0);
    put_multi_end(&body);
    int32_t xid = rig_send(&rig, 0, OP_MULTI, &body);
    driver_sync(&rig);
    rig_expect_event(&rig, 0, rig.appended_zxid, EVENT_CREATED, "/p/1");
    rig_expect_event(&rig, 0, rig.appended_zxid, EVENT_DATA_CHANGED, "/p");
    rig_expect_event(&rig, 0, rig.appended_zxid, EVENT_DELETED, "/p/1");
    (void)rig_expect(&rig, 0, xid, ZK_OK);
    end(&rig);
}

TEST(an_event_is_kept_from_who_may_not_read_and_its_watch_is_used_up)
{
    struct driver rig;

    rig_begin(&rig, 2);
    rig_make(&rig, 0, "/p");
    (void)rig_expect(&rig, 1, rig_get(&rig, 1, "/p", true), ZK_OK);
    put_set_acl(&body, "/p", one_acl(SLICE("world"), SLICE("anyone"), PERM_WRITE | PERM_ADMIN), -1);
    (void)rig_do(&rig, 0, OP_SET_ACL, &body, ZK_OK);
    (void)rig_set(&rig, 0, "/p", "secret");
    put_set_acl(&body, "/p", OPEN_ACL, -1);
    (void)rig_send(&rig, 0, OP_SET_ACL, &body);
    (void)rig_set(&rig, 0, "/p", "open");
    driver_sync(&rig);
    CHECK(rig_silent(&rig, 1));
    end(&rig);
}

/* --- setWatches --- */

TEST(set_watches_tells_what_was_missed_and_arms_the_rest)
{
    static const char *const data[] = {"/gone", "/changed", "/same"};
    static const char *const exist[] = {"/same", "/absent"};
    static const char *const child[] = {"/gone", "/parent", "/same"};
    struct driver rig;

    rig_begin(&rig, 2);
    rig_make(&rig, 0, "/same");
    rig_make(&rig, 0, "/changed");
    rig_make(&rig, 0, "/parent");
    int64_t seen = rig.appended_zxid;
    (void)rig_set(&rig, 0, "/changed", "x");
    (void)rig_create(&rig, 0, "/parent/kid", 0);
    driver_sync(&rig);
    buffer_i64(&body, seen);
    put_texts(&body, 3, data);
    put_texts(&body, 2, exist);
    put_texts(&body, 3, child);
    rig_send_xid(&rig, 1, XID_SET_WATCHES, OP_SET_WATCHES, &body);
    rig_expect_event(&rig, 1, -1, EVENT_DELETED, "/gone");
    rig_expect_event(&rig, 1, -1, EVENT_DATA_CHANGED, "/changed");
    rig_expect_event(&rig, 1, -1, EVENT_CREATED, "/same");
    rig_expect_event(&rig, 1, -1, EVENT_DELETED, "/gone");
    rig_expect_event(&rig, 1, -1, EVENT_CHILDREN_CHANGED, "/parent");
    CHECK_U64("no body", rig_expect(&rig, 1, XID_SET_WATCHES, ZK_OK).body.size, 0);
    struct replica_counts counts;
    replica_counts(rig.replica, &counts);
    CHECK_U64("armed: /same and /absent, and /same's children", counts.clients.watches_all, 3);
    (void)rig_set(&rig, 0, "/same", "y");
    (void)rig_create(&rig, 0, "/same/kid", 0);
    (void)rig_create(&rig, 0, "/absent", 0);
    driver_sync(&rig);
    rig_expect_event(&rig, 1, rig.appended_zxid - 2, EVENT_DATA_CHANGED, "/same");
    rig_expect_event(&rig, 1, rig.appended_zxid - 1, EVENT_CHILDREN_CHANGED, "/same");
    rig_expect_event(&rig, 1, rig.appended_zxid, EVENT_CREATED, "/absent");
    CHECK(rig_silent(&rig, 1));
    end(&rig);
}

TEST(set_watches_2_arms_lasting_watches_without_catching_up)
{
    static const char *const persistent[] = {"/p"}, *const recursive[] = {"/q"};
    struct driver rig;

    rig_begin(&rig, 1);
    rig_make(&rig, 0, "/p");
    rig_make(&rig, 0, "/q");
    buffer_i64(&body, 0);
    for (int i = 0; i < 3; i++)
        put_texts(&body, 0, NULL);
    put_texts(&body, 1, persistent);
    put_texts(&body, 1, recursive);
    (void)rig_do(&rig, 0, OP_SET_WATCHES2, &body, ZK_OK);
    for (int round = 0; round < 2; round++) {
        (void)rig_set(&rig, 0, "/p", "x");
        (void)rig_set(&rig, 0, "/q", "x");
        driver_sync(&rig);
        rig_expect_event(&rig, 0, rig.appended_zxid - 1, EVENT_DATA_CHANGED, "/p");
        (void)rig_next(&rig, 0);
        rig_expect_event(&rig, 0, rig.appended_zxid, EVENT_DATA_CHANGED, "/q");
        (void)rig_next(&rig, 0);
    }
    end(&rig);
}

TEST(watches_are_checked_and_removed_by_type)
{
    static const struct {
        int32_t type, check, again; /* again: after removing it once */
    } rows[] = {
        {0, ZK_MARSHALLING_ERROR, ZK_MARSHALLING_ERROR},
        {1, ZK_OK, ZK_NO_WATCHER},
        {2, ZK_OK, ZK_NO_WATCHER},
        {3, ZK_OK, ZK_NO_WATCHER},
        {4, ZK_OK, ZK_NO_WATCHER},
        {5, ZK_OK, ZK_NO_WATCHER},
        {6, ZK_MARSHALLING_ERROR, ZK_MARSHALLING_ERROR},
        {9, ZK_MARSHALLING_ERROR, ZK_MARSHALLING_ERROR},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct driver rig;
        rig_begin(&rig, 1);
        put_path_type(&body, "/", rows[i].type);
        bool known = rows[i].check != ZK_MARSHALLING_ERROR;
        (void)rig_do(&rig, 0, OP_CHECK_WATCHES, &body,
                     known ? ZK_NO_WATCHER : ZK_MARSHALLING_ERROR);
        put_path_watch(&body, "/", true);
        (void)rig_do(&rig, 0, OP_EXISTS, &body, ZK_OK);
        put_path_watch(&body, "/", true);
        (void)rig_do(&rig, 0, OP_GET_CHILDREN, &body, ZK_OK);
        for (int32_t mode = 0; mode < 2; mode++) {
            put_path_type(&body, "/", mode);
            (void)rig_do(&rig, 0, OP_ADD_WATCH, &body, ZK_OK);
        }
        for (int times = 0; times < 2; times++) {
            put_path_type(&body, "/", rows[i].type);
            (void)rig_do(&rig, 0, OP_CHECK_WATCHES, &body, rows[i].check); /* takes nothing */
        }
        put_path_type(&body, "/", rows[i].type);
        (void)rig_do(&rig, 0, OP_REMOVE_WATCHES, &body, rows[i].check);
        put_path_type(&body, "/", rows[i].type);
        (void)rig_do(&rig, 0, OP_REMOVE_WATCHES, &body, rows[i].again);
        put_path_type(&body, "/", WATCHER_ANY);
        (void)rig_do(&rig, 0, OP_CHECK_WATCHES, &body,
                     rows[i].type == WATCHER_ANY ? ZK_NO_WATCHER : ZK_OK);
        end(&rig);
    }
}

/* --- not too much at once --- */

TEST(large_answers_that_waited_for_a_write_leave_in_parts_and_in_order)
{
    enum { READS = 8, DATA_BYTES = 600 * 1024 }; /* two of them are more than leaves at once */
    struct driver rig;
    int32_t reads[READS];
    char *data = mem_zalloc(DATA_BYTES + 1);

    rig_begin(&rig, 0);
    memset(data, 'x', DATA_BYTES);
    rig_connect(&rig, 0);
    rig_make(&rig, 0, "/large");
    int32_t write = rig_set(&rig, 0, "/large", data);
    for (size_t i = 0; i < READS; i++)
        reads[i] = rig_get(&rig, 0, "/large", false);
    CHECK(rig_silent(&rig, 0));
    driver_sync(&rig);
    CHECK_I64("parts", rig.clients[0].hold_count, READS / 2 - 1);
    rig_expect(&rig, 0, write, ZK_OK);
    for (size_t i = 0; i < READS; i++)
        CHECK(rig_expect(&rig, 0, reads[i], ZK_OK).body.size > DATA_BYTES);
    CHECK(rig_silent(&rig, 0));
    mem_free(data);
    end(&rig);
}

TEST(a_write_is_never_answered_before_the_large_reads_in_front_of_it)
{
    enum { READS = 6, DATA_BYTES = 600 * 1024 };
    struct driver rig;
    char *data = mem_zalloc(DATA_BYTES + 1);

    rig_begin(&rig, 0);
    memset(data, 'x', DATA_BYTES);
    rig_connect(&rig, 0);
    rig_make(&rig, 0, "/large");
    int32_t first = rig_set(&rig, 0, "/large", data);
    for (int i = 0; i < READS; i++)
        (void)rig_get(&rig, 0, "/large", false);
    int32_t second = rig_set(&rig, 0, "/large", "small");
    int32_t between = rig_get(&rig, 0, "/large", false);
    for (int i = 0; i < READS; i++)
        (void)rig_get(&rig, 0, "/large", false);
    int32_t last = rig_send(&rig, 0, OP_CLOSE_SESSION, NULL);
    driver_sync(&rig); /* all three at once */
    (void)rig_expect(&rig, 0, first, ZK_OK);
    for (int32_t i = 1; i <= READS; i++)
        CHECK(rig_expect(&rig, 0, first + i, ZK_OK).body.size > DATA_BYTES); /* as it was then */
    (void)rig_expect(&rig, 0, second, ZK_OK);
    for (int32_t i = 0; i <= READS; i++)
        CHECK(rig_expect(&rig, 0, between + i, ZK_OK).body.size < DATA_BYTES);
    (void)rig_expect(&rig, 0, last, ZK_OK);
    CHECK(rig_silent(&rig, 0) && rig.clients[0].closed);
    mem_free(data);
    end(&rig);
}

TEST(who_asks_for_far_too_much_between_two_writes_is_closed)
{
    enum { READS = 200, DATA_BYTES = 600 * 1024 };
    struct driver rig;
    char *data = mem_zalloc(DATA_BYTES + 1);

    rig_begin(&rig, 0);
    memset(data, 'x', DATA_BYTES);
    rig_connect(&rig, 0);
    rig_connect(&rig, 1);
    rig_make(&rig, 0, "/large");
    (void)rig_set(&rig, 0, "/large", data);
    for (int i = 0; i < READS; i++)
        (void)rig_get(&rig, 0, "/large", false);
    (void)rig_set(&rig, 0, "/large", "small");
    driver_sync(&rig);
    CHECK(rig.clients[0].closed && rig.clients[0].close_reason != NULL);
    CHECK(rig.clients[0].mail.size < (size_t)READS * DATA_BYTES / 2);
    put_text(&body, "/large");
    (void)rig_do(&rig, 1, OP_GET_ACL, &body, ZK_OK); /* everyone else is unaffected */
    mem_free(data);
    end(&rig);
}
