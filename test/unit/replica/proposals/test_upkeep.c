/* What a server does by itself: containers and TTL nodes go in their time, and snapshots begin in theirs. */
#include "sim/driver.h"
#include "test/lib/check.h"
#include "test/lib/replica_rig.h"
#include "test/lib/requests.h"

#include "replica/replica.h"

#include <stdio.h>

static struct buffer body;

static void end(struct driver *rig)
{
    driver_deinit(rig);
    buffer_deinit(&body);
}

/* --- janitors --- */

static void make_typed(struct driver *rig, int32_t op, const char *path, int64_t ttl_ms)
{
    if (op == OP_CREATE_TTL)
        put_create_ttl(&body, path, MODE_TTL, ttl_ms);
    else
        put_create(&body, path, SLICE(""), MODE_CONTAINER);
    (void)rig_do(rig, 0, op, &body, ZK_OK);
}

static bool exists(const struct driver *rig, const char *path)
{
    return tree_find(replica_tree(rig->replica), slice_text(path)) != NODE_NONE;
}

static void keep_alive(struct driver *rig, int64_t ms)
{
    for (; ms > 0; ms -= 1000) {
        driver_pass(rig, ms < 1000 ? ms : 1000);
        rig_send_xid(rig, 0, XID_PING, OP_PING, NULL);
        (void)rig_expect(rig, 0, XID_PING, ZK_OK);
    }
}

TEST(a_container_goes_when_its_last_child_has_gone)
{
    struct replica_options options = rig_options();
    struct driver rig;

    rig_begin_with(&rig, &options, 1);
    make_typed(&rig, OP_CREATE_CONTAINER, "/never", 0);
    make_typed(&rig, OP_CREATE_CONTAINER, "/used", 0);
    make_typed(&rig, OP_CREATE_CONTAINER, "/in-use", 0);
    rig_make(&rig, 0, "/used/x");
    rig_make(&rig, 0, "/in-use/x");
    (void)rig_delete(&rig, 0, "/used/x");
    driver_sync(&rig);
    (void)rig_next(&rig, 0);
    size_t records = rig.record_count;
    (void)rig_expect(&rig, 0, rig_get(&rig, 0, "/used", true), ZK_OK);
    keep_alive(&rig, 59000);
    CHECK_U64("not yet", rig.record_count, records);
    keep_alive(&rig, 2000);
    CHECK_U64("one", rig.record_count, records + 1);
    driver_sync(&rig);
    rig_expect_event(&rig, 0, rig.appended_zxid, EVENT_DELETED, "/used");
    CHECK(exists(&rig, "/never") && !exists(&rig, "/used") && exists(&rig, "/in-use"));
    keep_alive(&rig, 700000);
    CHECK(exists(&rig, "/never")); /* kept for ever by default */
    end(&rig);
}

TEST(a_container_that_was_never_used_goes_when_asked_for)
{
    struct replica_options options = rig_options();
    struct driver rig;

    options.container_check_interval_ms = 1000;
    options.container_never_used_max_ms = 5000;
    rig_begin_with(&rig, &options, 1);
    make_typed(&rig, OP_CREATE_CONTAINER, "/never", 0);
    keep_alive(&rig, 4000);
    driver_sync(&rig);
    CHECK(exists(&rig, "/never"));
    keep_alive(&rig, 3000);
    driver_sync(&rig);
    CHECK(!exists(&rig, "/never"));
    end(&rig);
}

TEST(a_ttl_node_goes_when_nothing_was_written_for_its_time)
{
    struct replica_options options = rig_options();
    struct driver rig;

    options.container_check_interval_ms = 1000;
    rig_begin_with(&rig, &options, 1);
    make_typed(&rig, OP_CREATE_TTL, "/left", 5000);
    make_typed(&rig, OP_CREATE_TTL, "/written", 5000);
    make_typed(&rig, OP_CREATE_TTL, "/parent", 5000);
    rig_make(&rig, 0, "/parent/x");
    keep_alive(&rig, 4000);
    (void)rig_set(&rig, 0, "/written", "again");
    driver_sync(&rig);
    (void)rig_next(&rig, 0);
    keep_alive(&rig, 3000);
    driver_sync(&rig);
    CHECK(!exists(&rig, "/left") && exists(&rig, "/written") && exists(&rig, "/parent"));
    keep_alive(&rig, 3000);
    driver_sync(&rig);
    CHECK(!exists(&rig, "/written") && exists(&rig, "/parent"));
    end(&rig);
}

TEST(a_wall_clock_that_jumps_ends_no_ttl)
{
    struct replica_options options = rig_options();
    struct driver rig;

    options.container_check_interval_ms = 1000;
    rig_begin_with(&rig, &options, 1);
    make_typed(&rig, OP_CREATE_TTL, "/t", 50000);
    rig.wall_ms += 86400000;
    keep_alive(&rig, 3000);
    driver_sync(&rig);
    CHECK(exists(&rig, "/t"));
    end(&rig);
}

TEST(janitors_delete_no_more_than_they_may_at_once)
{
    struct replica_options options = rig_options();
    struct driver rig;
    char path[16];

    options.container_check_interval_ms = 6000;
    options.container_per_minute_max = 50; /* 5 at a time */
    rig_begin_with(&rig, &options, 1);
    for (int i = 0; i < 12; i++) {
        snprintf(path, sizeof(path), "/t%d", i);
        make_typed(&rig, OP_CREATE_TTL, path, 1);
    }
    size_t records = rig.record_count;
    static const size_t want[] = {5, 10, 12, 12};
    for (size_t round = 0; round < ARRAY_LEN(want); round++) {
        keep_alive(&rig, 6000);
        driver_sync(&rig);
        CHECK_U64("deleted", rig.record_count - records, want[round]);
    }
    end(&rig);
}

/* --- snapshots --- */

TEST(a_snapshot_begins_after_so_many_records_and_rolls_the_log)
{
    struct replica_options options = rig_options();
    struct driver rig;
    size_t last = 0;

    options.snap_count = 100;
    rig_begin_with(&rig, &options, 1);
    for (int snapshots = 0; snapshots < 5; snapshots++) {
        while (!rig.image_running) {
            driver_sync(&rig);
            (void)rig_set(&rig, 0, "/", "x");
        }
        size_t records = rig.record_count - last;
        CHECK(records > 50 && records <= 101);
        CHECK_I64("its zxid is the tree's", replica_snapshot_zxid(rig.replica),
                  tree_last_zxid(replica_tree(rig.replica)));
        last = rig.record_count;
        CHECK(!rig.records[last - 1].roll_before);
        (void)rig_set(&rig, 0, "/", "x");
        CHECK(rig.records[last].roll_before);
        driver_image_finish(&rig);
    }
    end(&rig);
}

TEST(the_size_of_the_log_begins_a_snapshot_too)
{
    struct replica_options options = rig_options();
    struct driver rig;
    char data[1001];

    memset(data, 'x', 1000);
    data[1000] = 0;
    options.snap_size_limit_bytes = 20000;
    rig_begin_with(&rig, &options, 1);
    int writes = 0;
    for (; !rig.image_running && writes < 100; writes++)
        (void)rig_set(&rig, 0, "/", data);
    CHECK(writes >= 9 && writes <= 20);
    end(&rig);
}

TEST(while_an_image_is_written_no_other_begins_but_the_log_is_rolled)
{
    struct replica_options options = rig_options();
    struct driver rig;
    size_t rolls = 0;

    options.snap_count = 10;
    rig_begin_with(&rig, &options, 1);
    replica_request_snapshot(rig.replica);
    driver_jump(&rig, 1);
    CHECK(rig.image_running); /* asked for at start */
    for (int i = 0; i < 100; i++) {
        (void)rig_set(&rig, 0, "/", "x");
        driver_sync(&rig);
    }
    CHECK_U64("images", rig.image_count, 1);
    for (size_t i = 0; i < rig.record_count; i++)
        rolls += rig.records[i].roll_before;
    CHECK(rolls >= 9);
    driver_image_finish(&rig);
    for (int i = 0; i < 20; i++)
        (void)rig_set(&rig, 0, "/", "x");
    CHECK_U64("images", rig.image_count, 2);
    end(&rig);
}

TEST(an_image_that_was_given_up_half_way_is_no_obstacle_for_the_next)
{
    struct replica_options options = rig_options();
    struct driver rig;
    struct buffer part = {0};

    rig_begin_with(&rig, &options, 0);
    for (int i = 0; i < 3; i++) {
        replica_request_snapshot(rig.replica);
        driver_jump(&rig, 1);
        CHECK(rig.image_running);
        CHECK(driver_image_next(&rig, 10));
        driver_image_give_up(&rig); /* the disk is full */
        CHECK(replica_snapshot_next(rig.replica, &part, 10) == IMAGE_END);
    }
    buffer_deinit(&part);
    end(&rig);
}
