#include "sim/driver.h"
#include "test/lib/check.h"
#include "test/lib/replica_rig.h"
#include "test/lib/requests.h"

#include "replica/replica.h"

#include <stdlib.h>

static struct buffer body;

static void end(struct driver *rig)
{
    driver_deinit(rig);
    buffer_deinit(&body);
}

static bool exists(const struct driver *rig, const char *path)
{
    return tree_find(replica_tree(rig->replica), slice_text(path)) != NODE_NONE;
}

/* --- the handshake --- */

TEST(the_timeout_is_kept_within_the_bounds)
{
    static const struct {
        int32_t asked, given;
    } rows[] = {{0, 2000},      {-1, 2000},     {1999, 2000},       {2000, 2000},     {7777, 7777},
                {20000, 20000}, {20001, 20000}, {INT32_MAX, 20000}, {INT32_MIN, 2000}};
    struct driver rig;

    rig_begin(&rig, 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        driver_open(&rig, 0);
        driver_shake(&rig, 0, 0, rows[i].asked);
        driver_sync(&rig);
        CHECK(rig_shaken(&rig, 0));
        CHECK_I64("timeout", rig.clients[0].timeout_ms, rows[i].given);
        driver_gone(&rig, 0);
    }
    end(&rig);
}

TEST(a_client_of_old_gets_no_read_only_byte)
{
    struct driver rig;
    uint8_t password[PASSWORD_BYTES] = {0};

    rig_begin(&rig, 0);
    driver_open(&rig, 0);
    struct connect_request request = {.protocol_version = 5, /* whatever it is */
                                      .timeout_ms = 4000,
                                      .password = slice_of(password, sizeof(password))};
    struct slice frame;
    rig_shake(&rig, 0, &request, /* read_only_byte= */ false);
    driver_sync(&rig);
    CHECK(driver_next_frame(&rig, 0, &frame));
    CHECK_U64("its size", frame.size, 36);
    CHECK(rig_silent(&rig, 0));
    end(&rig);
}

TEST(a_new_session_may_come_with_any_password)
{
    static const struct slice passwords[] = {
        {NULL, 0}, {(const uint8_t *)"", 0}, {(const uint8_t *)"long, very long password", 24}};
    struct driver rig;

    rig_begin(&rig, 0);
    for (size_t i = 0; i < ARRAY_LEN(passwords); i++) {
        driver_open(&rig, 0);
        struct connect_request request = {.timeout_ms = 4000, .password = passwords[i]};
        rig_shake(&rig, 0, &request, /* read_only_byte= */ true);
        driver_sync(&rig);
        CHECK(rig_shaken(&rig, 0));
        driver_gone(&rig, 0);
    }
    end(&rig);
}

TEST(a_client_that_has_seen_more_is_closed_without_a_word)
{
    struct driver rig;

    rig_begin(&rig, 1);
    rig_make(&rig, 0, "/a");
    (void)rig_create(&rig, 0, "/b", 0); /* proposed is not applied */
    for (int64_t ahead = 0; ahead < 2; ahead++) {
        driver_open(&rig, 1);
        struct connect_request request = {.timeout_ms = 4000,
                                          .last_zxid_seen = rig.appended_zxid - 1 + ahead};
        rig_shake(&rig, 1, &request, /* read_only_byte= */ false);
        CHECK_I64("closed", rig.clients[1].closed, ahead);
        CHECK(rig_silent(&rig, 1));
        driver_gone(&rig, 1);
    }
    end(&rig);
}

TEST(frames_that_come_before_the_answer_are_served_after_it_in_order)
{
    struct driver rig;

    rig_begin(&rig, 0);
    driver_open(&rig, 0);
    driver_shake(&rig, 0, 0, 4000);
    int32_t write = rig_create(&rig, 0, "/a", 0);
    int32_t read = rig_get(&rig, 0, "/a", false);
    CHECK_U64("nothing is proposed for a session that is not there", rig.record_count, 1);
    driver_sync(&rig);
    CHECK(rig_shaken(&rig, 0));
    CHECK(rig_silent(&rig, 0));
    driver_sync(&rig);
    (void)rig_expect(&rig, 0, write, ZK_OK);
    (void)rig_expect(&rig, 0, read, ZK_OK);
    end(&rig);
}

TEST(a_session_of_a_connection_that_broke_in_the_handshake_is_there_all_the_same)
{
    struct driver rig;
    struct replica_counts counts;

    rig_begin(&rig, 0);
    driver_open(&rig, 0);
    driver_shake(&rig, 0, 0, 4000);
    driver_gone(&rig, 0);
    driver_open(&rig, 0); /* the id is used again, and is nobody's yet */
    driver_sync(&rig);
    CHECK(rig_silent(&rig, 0));
    replica_counts(rig.replica, &counts);
    CHECK_U64("sessions", counts.sessions, 1);
    driver_pass(&rig, 4000 + 2 * RIG_TICK_MS);
    driver_sync(&rig);
    replica_counts(rig.replica, &counts);
    CHECK_U64("it expires like any other", counts.sessions, 0);
    end(&rig);
}

/* --- coming back --- */

TEST(a_session_is_attached_to_by_its_password_only)
{
    struct driver rig;
    uint8_t right[PASSWORD_BYTES], wrong[PASSWORD_BYTES];

    rig_begin(&rig, 1);
    int64_t session_id = rig.clients[0].session_id;
    driver_gone(&rig, 0);
    zk_session_password(session_id, right);
    memcpy(wrong, right, sizeof(wrong));
    wrong[15] ^= 1;
    const struct {
        const char *name;
        int64_t session_id;
        struct slice password;
        bool want;
    } rows[] = {
        {"wrong", session_id, slice_of(wrong, PASSWORD_BYTES), false},
        {"null", session_id, SLICE_NULL, false},
        {"empty", session_id, SLICE(""), false},
        {"short", session_id, slice_of(right, PASSWORD_BYTES - 1), false},
        {"another session", session_id + 1, slice_of(right, PASSWORD_BYTES), false},
        {"right", session_id, slice_of(right, PASSWORD_BYTES), true},
    };
    size_t records = rig.record_count;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        driver_open(&rig, 0);
        struct connect_request request = {
            .timeout_ms = 4000, .session_id = rows[i].session_id, .password = rows[i].password};
        rig_shake(&rig, 0, &request, /* read_only_byte= */ true);
        CHECK_I64(rows[i].name, rig_shaken(&rig, 0), rows[i].want);
        CHECK_I64(rows[i].name, rig.clients[0].closed, !rows[i].want);
        driver_gone(&rig, 0);
    }
    CHECK_U64("attaching takes no zxid", rig.record_count, records);
    end(&rig);
}

TEST(a_newcomer_with_a_wrong_password_does_not_touch_the_older_connection)
{
    struct driver rig;

    rig_begin(&rig, 1);
    driver_open(&rig, 1);
    struct connect_request request = {.timeout_ms = 4000,
                                      .session_id = rig.clients[0].session_id,
                                      .password = SLICE("0123456789abcdef")};
    rig_shake(&rig, 1, &request, /* read_only_byte= */ true);
    CHECK(!rig.clients[0].closed && rig.clients[1].closed);
    CHECK(!rig_shaken(&rig, 1));
    (void)rig_send(&rig, 0, OP_PING, NULL);
    (void)rig_expect(&rig, 0, XID_PING, ZK_OK);
    rig_connect_to(&rig, 2, rig.clients[0].session_id);
    end(&rig);
}

TEST(who_comes_back_while_writes_are_on_their_way_waits_for_them)
{
    struct driver rig;

    rig_begin(&rig, 1);
    int64_t session_id = rig.clients[0].session_id;
    (void)rig_create(&rig, 0, "/a", 0);
    int64_t first = rig.appended_zxid;
    (void)rig_create(&rig, 0, "/b", 0);
    driver_open(&rig, 1);
    driver_shake(&rig, 1, session_id, 4000);
    CHECK(rig.clients[0].closed && rig_silent(&rig, 1) && rig.clients[1].paused);
    int32_t early = rig_get(&rig, 1, "/b", false);
    driver_sync_to(&rig, first);
    CHECK(rig_silent(&rig, 1));
    driver_sync(&rig);
    CHECK(rig_silent(&rig, 0)); /* the answers went with the old connection */
    CHECK(rig_shaken(&rig, 1));
    CHECK_I64("session", rig.clients[1].session_id, session_id);
    (void)rig_expect(&rig, 1, early, ZK_OK);
    CHECK(!rig.clients[1].paused);
    end(&rig);
}

TEST(two_may_come_back_at_once_and_the_last_one_wins)
{
    struct driver rig;

    rig_begin(&rig, 1);
    (void)rig_create(&rig, 0, "/a", 0);
    driver_open(&rig, 1);
    driver_shake(&rig, 1, rig.clients[0].session_id, 4000);
    driver_open(&rig, 2);
    driver_shake(&rig, 2, rig.clients[0].session_id, 4000);
    CHECK(rig.clients[0].closed && rig.clients[1].closed && !rig.clients[2].closed);
    driver_gone(&rig, 1);
    driver_sync(&rig);
    CHECK(rig_shaken(&rig, 2));
    end(&rig);
}

TEST(watches_go_with_the_connection)
{
    struct driver rig;

    rig_begin(&rig, 2);
    rig_make(&rig, 0, "/a");
    (void)rig_expect(&rig, 1, rig_get(&rig, 1, "/a", true), ZK_OK);
    int64_t session_id = rig.clients[1].session_id;
    driver_gone(&rig, 1);
    rig_connect_to(&rig, 1, session_id);
    (void)rig_set(&rig, 0, "/a", "x");
    driver_sync(&rig);
    CHECK(rig_silent(&rig, 1));
    end(&rig);
}

TEST(the_timeout_of_the_last_attach_counts)
{
    struct driver rig;

    rig_begin(&rig, 1);
    driver_gone(&rig, 0);
    driver_open(&rig, 1);
    driver_shake(&rig, 1, rig.clients[0].session_id, 20000);
    CHECK(rig_shaken(&rig, 1));
    CHECK_I64("timeout", rig.clients[1].timeout_ms, 20000);
    driver_pass(&rig, 12000);
    CHECK(!rig.clients[1].closed);
    driver_pass(&rig, 8000 + 2 * RIG_TICK_MS);
    driver_sync(&rig);
    CHECK(rig.clients[1].closed);
    end(&rig);
}

/* --- the end --- */

TEST(a_close_is_answered_and_takes_the_ephemerals_along)
{
    struct driver rig;

    rig_begin(&rig, 2);
    rig_make(&rig, 0, "/p");
    (void)rig_create(&rig, 0, "/p/e", MODE_EPHEMERAL);
    driver_sync(&rig);
    (void)rig_next(&rig, 0);
    put_path_type(&body, "/p", WATCH_ADD_PERSISTENT);
    (void)rig_do(&rig, 1, OP_ADD_WATCH, &body, ZK_OK);
    (void)rig_create(&rig, 0, "/p/late", MODE_EPHEMERAL); /* on its way */
    int32_t late = rig.clients[0].last_xid;
    int32_t xid = rig_send(&rig, 0, OP_CLOSE_SESSION, NULL);
    int32_t behind = rig_create(&rig, 0, "/behind", 0);
    CHECK(exists(&rig, "/p/e") && behind > xid);
    int64_t zxid = rig.appended_zxid;
    driver_sync(&rig);
    (void)rig_expect(&rig, 0, late, ZK_OK);
    CHECK_I64("zxid", rig_expect(&rig, 0, xid, ZK_OK).zxid, zxid);
    CHECK(rig_silent(&rig, 0) && rig.clients[0].closed);
    CHECK(rig.clients[0].close_reason == NULL); /* an ordinary end */
    CHECK(!exists(&rig, "/p/e") && !exists(&rig, "/p/late") && !exists(&rig, "/behind"));
    rig_expect_event(&rig, 1, zxid - 1, EVENT_CHILDREN_CHANGED, "/p");
    rig_expect_event(&rig, 1, zxid, EVENT_CHILDREN_CHANGED, "/p");
    rig_expect_event(&rig, 1, zxid, EVENT_CHILDREN_CHANGED, "/p");
    CHECK(rig_silent(&rig, 1));
    driver_gone(&rig, 0);
    driver_open(&rig, 0);
    driver_shake(&rig, 0, rig.clients[0].session_id, 4000);
    CHECK(!rig_shaken(&rig, 0));
    end(&rig);
}

TEST(a_session_that_is_closing_cannot_be_attached_to)
{
    struct driver rig;

    rig_begin(&rig, 1);
    (void)rig_send(&rig, 0, OP_CLOSE_SESSION, NULL);
    driver_open(&rig, 1);
    driver_shake(&rig, 1, rig.clients[0].session_id, 4000);
    CHECK(!rig_shaken(&rig, 1));
    driver_sync(&rig);
    end(&rig);
}

TEST(a_silent_session_expires_and_its_connection_closes_without_a_word)
{
    struct driver rig;

    rig_begin(&rig, 1);
    (void)rig_create(&rig, 0, "/e", MODE_EPHEMERAL);
    driver_sync(&rig);
    (void)rig_next(&rig, 0);
    int64_t heard_ms = rig.now_ms, records = (int64_t)rig.record_count;
    while ((int64_t)rig.record_count == records)
        driver_jump(&rig, 100);
    CHECK(rig.now_ms > heard_ms + RIG_TIMEOUT_MS &&
          rig.now_ms <= heard_ms + RIG_TIMEOUT_MS + RIG_TICK_MS + 100);
    CHECK(exists(&rig, "/e") && !rig.clients[0].closed); /* until it is durable */
    driver_pass(&rig, 3 * RIG_TICK_MS);
    CHECK_I64("proposed once", (int64_t)rig.record_count, records + 1);
    driver_sync(&rig);
    CHECK(!exists(&rig, "/e") && rig.clients[0].closed && rig_silent(&rig, 0));
    struct replica_counts counts;
    replica_counts(rig.replica, &counts);
    CHECK_I64("counted", metrics_number(replica_metrics(rig.replica), METRIC_SESSIONS_EXPIRED), 1);
    end(&rig);
}

TEST(anything_that_is_heard_keeps_a_session)
{
    struct driver rig;

    rig_begin(&rig, 1);
    for (int i = 0; i < 10; i++) {
        driver_pass(&rig, RIG_TIMEOUT_MS - RIG_TICK_MS);
        int32_t xid = XID_PING;
        if (i % 2 == 0)
            rig_send_xid(&rig, 0, xid, OP_PING, NULL);
        else
            xid = rig_get(&rig, 0, "/", false);
        (void)rig_expect(&rig, 0, xid, ZK_OK);
    }
    CHECK(!rig.clients[0].closed);
    end(&rig);
}

TEST(nothing_of_a_session_is_taken_once_its_expiry_is_proposed)
{
    struct driver rig;

    rig_begin(&rig, 1);
    size_t records = rig.record_count;
    while (rig.record_count == records)
        driver_jump(&rig, 100);
    records = rig.record_count;
    (void)rig_create(&rig, 0, "/e", MODE_EPHEMERAL);
    (void)rig_get(&rig, 0, "/", false);
    (void)rig_send(&rig, 0, OP_PING, NULL);
    CHECK_U64("records", rig.record_count, records);
    driver_sync(&rig);
    CHECK(rig_silent(&rig, 0) && rig.clients[0].closed && !exists(&rig, "/e"));
    end(&rig);
}

TEST(a_long_pause_of_the_process_gives_everybody_a_full_timeout)
{
    struct driver rig;

    rig_begin(&rig, 1);
    driver_jump(&rig, 3600000);
    CHECK_U64("nobody died", rig.record_count, 1);
    driver_pass(&rig, RIG_TIMEOUT_MS - 1);
    CHECK_U64("still", rig.record_count, 1);
    driver_pass(&rig, 2 * RIG_TICK_MS);
    CHECK_U64("but then", rig.record_count, 2);
    driver_sync(&rig);
    end(&rig);
}

TEST(the_wall_clock_decides_nothing)
{
    struct driver rig;

    rig_begin(&rig, 1);
    rig.wall_ms += INT64_C(10) * 365 * 86400 * 1000;
    driver_jump(&rig, 10);
    rig.wall_ms = -5;
    driver_jump(&rig, 10);
    CHECK_U64("nobody died", rig.record_count, 1);
    rig_make(&rig, 0, "/a");
    struct zk_stat stat;
    const struct tree *tree = replica_tree(rig.replica);
    tree_stat(tree, tree_node(tree, tree_find(tree, SLICE("/a"))), &stat);
    CHECK_I64("it stands in transactions, as it is", stat.ctime, 5);
    end(&rig);
}

/* --- ids --- */

TEST(a_session_id_is_the_server_the_time_and_a_count)
{
    struct driver rig;

    rig_begin(&rig, 2);
    int64_t first = rig.clients[0].session_id;
    CHECK_I64("server", (first >> 56) & 0xff, 1);
    CHECK_I64("time", (first >> 16) & 0xffffffffff, INT64_C(1000000000) & 0xffffffffff);
    CHECK_I64("count", rig.clients[1].session_id, first + 1);
    end(&rig);
}

TEST(session_ids_are_never_given_again_whatever_the_clock_says)
{
    struct replica_options options = rig_options();
    struct tree *tree = rig_tree();
    struct driver rig;
    int64_t taken = (INT64_C(1) << 56) + (options.session_seed_ms << 16) + 5000;

    tree_session_add(tree, taken, 4000); /* of a server whose clock was ahead of ours */
    tree_session_add(tree, INT64_C(2) << 56 | 99, 4000); /* of another server */
    rig_init(&rig, &options, tree);
    rig_connect(&rig, 0);
    CHECK(rig.clients[0].session_id > taken + (INT64_C(1) << 40));
    CHECK_I64("of this server", rig.clients[0].session_id >> 56, 1);
    end(&rig);
}

/* One session lives over both restarts; all others are closed, and nothing tells what their ids were. */
TEST(ids_of_closed_sessions_are_not_given_again_by_a_server_whose_clock_stands_behind)
{
    struct replica_options options = rig_options();
    int64_t living = (INT64_C(1) << 56) + (options.session_seed_ms << 16) + 5000, first[2];

    for (int run = 0; run < 2; run++) {
        struct tree *tree = rig_tree();
        struct driver rig;
        tree_session_add(tree, living, 4000);
        tree_set_last_zxid(tree, 100 + run); /* the session of the first run cost one */
        rig_init(&rig, &options, tree);
        rig_connect(&rig, 0);
        first[run] = rig.clients[0].session_id;
        end(&rig);
    }
    CHECK(first[1] > first[0]);
}

/* Sessions that only their server knows cost no zxid. */
TEST(nor_are_ids_of_local_sessions_which_nothing_in_the_tree_tells_of)
{
    struct replica_options options = rig_options();
    int64_t living = (INT64_C(1) << 56) + (options.session_seed_ms << 16) + (INT64_C(1) << 40);
    int64_t first[2];

    for (int run = 0; run < 2; run++) {
        struct tree *tree = rig_tree();
        struct driver rig;
        tree_session_add(tree, living, 4000);
        options.session_seed_ms += run; /* it starts a millisecond later */
        rig_init(&rig, &options, tree);
        rig_connect(&rig, 0);
        first[run] = rig.clients[0].session_id;
        end(&rig);
    }
    CHECK(first[0] > living && first[1] > living);
    CHECK(llabs(first[1] - first[0]) >= 1 << 16);
}

TEST(sessions_of_the_tree_are_alive_after_a_start_with_a_full_timeout)
{
    struct replica_options options = rig_options();
    struct tree *tree = rig_tree();
    struct driver rig;

    tree_session_add(tree, 77, 8000);
    rig_init(&rig, &options, tree);
    driver_pass(&rig, 8000);
    CHECK_U64("alive", rig.record_count, 0);
    rig_connect_to(&rig, 0, 77);
    driver_gone(&rig, 0);
    driver_pass(&rig, 8000 + 2 * RIG_TICK_MS);
    CHECK_U64("and mortal", rig.record_count, 1);
    driver_sync(&rig);
    end(&rig);
}

/* --- auth --- */

static void put_auth(const char *scheme, struct slice auth)
{
    buffer_i32(&body, 0);
    put_text(&body, scheme);
    jute_put_bytes(&body, auth);
}

TEST(auth_is_answered_at_once_and_counts_for_later_requests)
{
    struct driver rig;

    rig_begin(&rig, 1);
    struct jute_vector mine = one_acl(SLICE("auth"), SLICE(""), PERM_ALL);
    put_create_acl(&body, "/early", mine, 0);
    int32_t early = rig_send(&rig, 0, OP_CREATE, &body);
    put_auth("digest", SLICE("u:p"));
    rig_send_xid(&rig, 0, XID_AUTH, OP_AUTH, &body);
    struct rig_reply reply = rig_expect(&rig, 0, XID_AUTH, ZK_OK); /* overtakes */
    CHECK_I64("zxid", reply.zxid, 0);
    put_create_acl(&body, "/late", mine, 0);
    int32_t late = rig_send(&rig, 0, OP_CREATE, &body);
    driver_sync(&rig);
    (void)rig_expect(&rig, 0, early, ZK_INVALID_ACL);
    (void)rig_expect(&rig, 0, late, ZK_OK);
    end(&rig);
}

TEST(a_read_that_waits_keeps_the_identities_of_its_arrival)
{
    struct driver rig;

    rig_begin(&rig, 2);
    put_auth("digest", SLICE("u:p"));
    rig_send_xid(&rig, 0, XID_AUTH, OP_AUTH, &body);
    (void)rig_next(&rig, 0);
    put_create_acl(&body, "/mine", one_acl(SLICE("auth"), SLICE(""), PERM_ALL), 0);
    (void)rig_do(&rig, 0, OP_CREATE, &body, ZK_OK);

    int32_t write = rig_create(&rig, 1, "/x", 0);
    int32_t before = rig_get(&rig, 1, "/mine", false);
    put_auth("digest", SLICE("u:p"));
    rig_send_xid(&rig, 1, XID_AUTH, OP_AUTH, &body);
    int32_t after = rig_get(&rig, 1, "/mine", false);
    driver_sync(&rig);
    (void)rig_expect(&rig, 1, XID_AUTH, ZK_OK);
    (void)rig_expect(&rig, 1, write, ZK_OK);
    (void)rig_expect(&rig, 1, before, ZK_NO_AUTH);
    (void)rig_expect(&rig, 1, after, ZK_OK);
    end(&rig);
}

TEST(a_failed_auth_is_answered_and_closes_the_connection_only)
{
    struct driver rig;
    struct replica_counts counts;

    rig_begin(&rig, 1);
    put_auth("nonsense", SLICE(""));
    rig_send_xid(&rig, 0, XID_AUTH, OP_AUTH, &body);
    CHECK_I64("zxid", rig_expect(&rig, 0, XID_AUTH, ZK_AUTH_FAILED).zxid, 0);
    CHECK(rig.clients[0].closed);
    replica_counts(rig.replica, &counts);
    CHECK_U64("sessions", counts.sessions, 1);
    driver_gone(&rig, 0);
    rig_connect(&rig, 1);
    buffer_append(&body, SLICE("\0\0"));
    rig_send_xid(&rig, 1, XID_AUTH, OP_AUTH, &body); /* does not decode */
    CHECK(rig.clients[1].closed && rig_silent(&rig, 1));
    end(&rig);
}

TEST(sasl_without_sasl_says_yes_and_nothing_more)
{
    struct driver rig;

    rig_begin(&rig, 1);
    jute_put_bytes(&body, SLICE("token"));
    rig_send_xid(&rig, 0, 5, OP_SASL, &body);
    struct rig_reply reply = rig_expect(&rig, 0, 5, ZK_OK);
    CHECK_SLICE("null", reply.body, SLICE("\xff\xff\xff\xff"));
    CHECK_I64("zxid", reply.zxid, 0);
    end(&rig);
}

TEST(enforced_authentication_refuses_everything_else_before)
{
    struct replica_options options = rig_options();
    struct driver rig;

    options.enforce_auth_schemes = SLICE("sasl,digest");
    rig_begin_with(&rig, &options, 2);
    int32_t ping = rig_send(&rig, 0, OP_PING, NULL);
    CHECK_I64("zxid", rig_expect(&rig, 0, ping, ZK_SESSION_CLOSED_REQUIRE_AUTH).zxid, 0);
    CHECK(rig.clients[0].closed);
    put_auth("digest", SLICE("u:p"));
    rig_send_xid(&rig, 1, XID_AUTH, OP_AUTH, &body);
    (void)rig_expect(&rig, 1, XID_AUTH, ZK_OK);
    (void)rig_expect(&rig, 1, rig_get(&rig, 1, "/", false), ZK_OK);
    end(&rig);
}

TEST(the_wrong_ensemble_is_told_nothing)
{
    struct replica_options options = rig_options();
    struct driver rig;

    options.ensemble_auth = true;
    options.ensemble_names = SLICE("ours");
    rig_begin_with(&rig, &options, 1);
    put_auth("ensemble", SLICE("ours"));
    rig_send_xid(&rig, 0, XID_AUTH, OP_AUTH, &body);
    (void)rig_expect(&rig, 0, XID_AUTH, ZK_OK);
    put_auth("ensemble", SLICE("theirs"));
    rig_send_xid(&rig, 0, XID_AUTH, OP_AUTH, &body);
    CHECK(rig_silent(&rig, 0) && rig.clients[0].closed);
    end(&rig);
}
