/* Which requests leave the throttle, and which are dropped because nobody waits for them any more. One request
 * is let through at a time. */
#include "sim/driver.h"
#include "test/lib/check.h"
#include "test/lib/replica_rig.h"
#include "test/lib/requests.h"

static struct buffer body;
static struct driver rig;

/* Client 0 has proposed /first, so that all that follows is held back. */
static void begin(struct replica_options options)
{
    options.throttle_requests_max = 1;
    options.throttle_stall_ms = 100;
    rig_begin_with(&rig, &options, 2);
    (void)rig_create(&rig, 0, "/first", 0);
}

static void end(void)
{
    driver_deinit(&rig);
    buffer_deinit(&body);
}

static void let_all_through(void)
{
    for (int i = 0; i < 8; i++)
        driver_sync(&rig);
}

static bool exists(const char *path)
{
    return tree_find(replica_tree(rig.replica), slice_text(path)) != NODE_NONE;
}

static bool lives(int64_t session_id)
{
    return tree_session(replica_tree(rig.replica), session_id) != NULL;
}

static void check_counts(int64_t dropped, int64_t executed, int64_t answered)
{
    const struct metrics *metrics = replica_metrics(rig.replica);

    CHECK_I64("dropped", metrics_number(metrics, METRIC_STALE_REQUESTS_DROPPED), dropped);
    CHECK_I64("executed", metrics_number(metrics, METRIC_STALE_REQUESTS), executed);
    CHECK_I64("answered", metrics_number(metrics, METRIC_STALE_REPLIES), answered);
}

TEST(what_a_client_that_left_has_asked_is_dropped)
{
    begin(rig_options());
    (void)rig_create(&rig, 1, "/a", 0);
    (void)rig_get(&rig, 1, "/", false);
    driver_gone(&rig, 1);
    let_all_through();
    CHECK(!exists("/a"));
    check_counts(1, 0, 0); /* what follows it goes without being counted */
    end();
}

TEST(request_throttle_drop_stale_false_executes_what_a_client_that_left_has_asked)
{
    struct replica_options options = rig_options();

    options.throttle_keeps_stale = true;
    begin(options);
    (void)rig_create(&rig, 1, "/a", 0);
    (void)rig_get(&rig, 1, "/a", true);
    (void)rig_create(&rig, 1, "/b", MODE_EPHEMERAL);
    driver_gone(&rig, 1);
    driver_open(&rig, 1); /* somebody else under the same number */
    let_all_through();
    CHECK(exists("/a") && exists("/b"));
    CHECK(rig_silent(&rig, 1));
    check_counts(0, 3, 3);
    end();
}

TEST(request_stale_connection_check_false_takes_no_request_for_stale_because_its_client_left)
{
    struct replica_options options = rig_options();

    options.stale_connections_pass = true;
    begin(options);
    (void)rig_create(&rig, 1, "/a", 0);
    driver_gone(&rig, 1);
    let_all_through();
    CHECK(exists("/a"));
    check_counts(0, 0, 0);
    end();
}

TEST(a_session_may_come_back_while_what_its_last_connection_has_asked_is_being_done)
{
    struct replica_options options = rig_options();
    int64_t session_id;

    options.stale_connections_pass = true;
    begin(options);
    session_id = rig.clients[1].session_id;
    (void)rig_create(&rig, 1, "/a", 0);
    driver_gone(&rig, 1);
    driver_sync(&rig); /* /first; now /a is proposed */
    rig.clients[2].session_id = session_id;
    rig_connect_to(&rig, 2, session_id);
    int32_t read = rig_get(&rig, 2, "/a", false);
    let_all_through();
    (void)rig_expect(&rig, 2, read, ZK_OK);
    end();
}

TEST(a_closeSession_is_never_stale)
{
    begin(rig_options());
    int64_t session_id = rig.clients[1].session_id;
    (void)rig_send(&rig, 1, OP_CLOSE_SESSION, NULL);
    driver_gone(&rig, 1);
    let_all_through();
    CHECK(!lives(session_id));
    check_counts(0, 0, 0);
    end();
}

TEST(a_closeSession_behind_a_request_that_was_dropped_is_dropped)
{
    begin(rig_options());
    int64_t session_id = rig.clients[1].session_id;
    (void)rig_create(&rig, 1, "/a", 0);
    (void)rig_send(&rig, 1, OP_CLOSE_SESSION, NULL);
    driver_gone(&rig, 1);
    let_all_through();
    CHECK(!exists("/a") && lives(session_id));
    check_counts(1, 0, 0);
    end();
}

TEST(request_stale_latency_check_drops_what_waits_for_longer_than_its_session_and_closes)
{
    struct replica_options options = rig_options();

    options.stale_latency_check = true;
    begin(options);
    (void)rig_create(&rig, 1, "/a", 0);
    (void)rig_create(&rig, 1, "/b", 0);
    driver_jump(&rig, rig.clients[1].timeout_ms);
    CHECK(!rig.clients[1].closed);
    driver_jump(&rig, 1);
    CHECK(rig.clients[1].closed);
    let_all_through();
    CHECK(!exists("/a") && !exists("/b"));
    check_counts(1, 0, 1); /* the answer to /first is late, too */
    end();
}

TEST(without_request_stale_latency_check_no_wait_is_too_long)
{
    begin(rig_options());
    int32_t late = rig_create(&rig, 1, "/a", 0);
    driver_jump(&rig, rig.clients[1].timeout_ms + 1);
    let_all_through();
    (void)rig_expect(&rig, 1, late, ZK_OK);
    check_counts(0, 0, 0);
    end();
}

TEST(a_late_request_is_executed_and_counted_when_the_throttle_drops_nothing)
{
    struct replica_options options = rig_options();

    options.stale_latency_check = options.throttle_keeps_stale = true;
    begin(options);
    int32_t late = rig_create(&rig, 1, "/a", 0);
    driver_jump(&rig, rig.clients[1].timeout_ms + 1);
    let_all_through();
    (void)rig_expect(&rig, 1, late, ZK_OK);
    check_counts(0, 1, 2);
    end();
}
