#include "sim/driver.h"
#include "test/lib/check.h"
#include "test/lib/replica_rig.h"
#include "test/lib/requests.h"

#include "replica/replica.h"

#include <stdio.h>

enum { STEP_CHANGES_MAX = 1024 /* as in proposals_internal.h */ };

static struct buffer body;

static void end(struct driver *rig)
{
    driver_deinit(rig);
    buffer_deinit(&body);
}

/* A tree in which session 7 of server 1 owns so many nodes. */
static struct tree *tree_with_ephemerals(int64_t session_id, int32_t count)
{
    struct tree *tree = rig_tree();

    tree_session_add(tree, session_id, RIG_TIMEOUT_MS);
    for (int32_t i = 0; i < count; i++) {
        char path[32];
        uint32_t id;
        snprintf(path, sizeof(path), "/e%d", i);
        CHECK(tree_create(tree,
                          &(struct tree_create){.path = slice_text(path),
                                                .data = SLICE(""),
                                                .owner = session_id,
                                                .zxid = 1,
                                                .time_ms = 1,
                                                .parent_cversion = -1},
                          &id) == ZK_OK);
    }
    tree_set_last_zxid(tree, 1);
    return tree;
}

static int32_t ask_exists(struct driver *rig, uint32_t client, const char *path)
{
    body.size = 0;
    path_watch_request_write(&body, &(struct path_watch_request){.path = slice_text(path)});
    return rig_send(rig, client, OP_EXISTS, &body);
}

TEST(the_end_of_a_session_with_many_nodes_takes_several_steps_and_reads_wait_for_all_of_it)
{
    enum { NODES = 2 * STEP_CHANGES_MAX + 100 };
    struct replica_options options = rig_options();
    const int64_t session_id = INT64_C(0x0100000000000007);
    struct driver rig;

    rig_init(&rig, &options, tree_with_ephemerals(session_id, NODES));
    driver_open(&rig, 0);
    driver_shake(&rig, 0, session_id, RIG_TIMEOUT_MS);
    CHECK(rig_shaken(&rig, 0));
    rig_connect(&rig, 1);
    (void)rig_send(&rig, 0, OP_CLOSE_SESSION, NULL);
    int32_t write = rig_create(&rig, 1, "/e0", 0); /* judged as if the others were gone */
    driver_sync(&rig);
    CHECK_U64("one step's part is gone", tree_ephemeral_count(replica_tree(rig.replica)),
              NODES - STEP_CHANGES_MAX);
    replica_request_snapshot(rig.replica);
    int32_t read = ask_exists(&rig, 1, "/e1");
    CHECK(rig_silent(&rig, 1) && !rig.clients[0].closed);
    CHECK(!rig.image_running);
    CHECK_I64("the rest is wanted in the next turn", rig.effects.wake_at_ms, rig.now_ms);
    driver_jump(&rig, 1);
    CHECK(rig_silent(&rig, 1) && !rig.clients[0].closed && !rig.image_running);
    driver_jump(&rig, 1);
    CHECK(rig.clients[0].closed && rig.image_running);
    CHECK_U64("all are gone", tree_ephemeral_count(replica_tree(rig.replica)), 0);
    (void)rig_expect(&rig, 1, write, ZK_OK);
    (void)rig_expect(&rig, 1, read, ZK_NO_NODE);
    CHECK_I64("digest", metrics_number(replica_metrics(rig.replica), METRIC_DIGEST_MISMATCHES), 0);
    driver_image_finish(&rig);
    end(&rig);
}

TEST(pings_are_answered_while_a_transaction_is_applied_in_part)
{
    struct replica_options options = rig_options();
    const int64_t session_id = INT64_C(0x0100000000000007);
    struct driver rig;

    rig_init(&rig, &options, tree_with_ephemerals(session_id, 2 * STEP_CHANGES_MAX));
    driver_open(&rig, 0);
    driver_shake(&rig, 0, session_id, RIG_TIMEOUT_MS);
    CHECK(rig_shaken(&rig, 0));
    rig_connect(&rig, 1);
    (void)rig_send(&rig, 0, OP_CLOSE_SESSION, NULL);
    driver_sync(&rig);
    rig_send_xid(&rig, 1, XID_PING, OP_PING, NULL);
    (void)rig_expect(&rig, 1, XID_PING, ZK_OK);
    int32_t read = ask_exists(&rig, 1, "/e1");
    rig_send_xid(&rig, 1, XID_PING, OP_PING, NULL);
    CHECK(rig_silent(&rig, 1)); /* behind the read: in its order */
    driver_jump(&rig, 1);
    (void)rig_expect(&rig, 1, read, ZK_NO_NODE);
    (void)rig_expect(&rig, 1, XID_PING, ZK_OK);
    end(&rig);
}

TEST(many_sessions_that_expire_together_are_closed_some_thousand_a_step)
{
    enum { SESSIONS = 2 * STEP_CHANGES_MAX + 10 };
    struct replica_options options = rig_options();
    struct tree *tree = rig_tree();
    struct driver rig;
    size_t most = 0;

    for (int64_t i = 1; i <= SESSIONS; i++)
        tree_session_add(tree, i, RIG_TIMEOUT_MS);
    rig_init(&rig, &options, tree);
    for (int32_t ms = 0; ms < RIG_TIMEOUT_MS + 2 * RIG_TICK_MS; ms += RIG_TICK_MS / 2) {
        size_t before = rig.record_count;
        driver_jump(&rig, RIG_TICK_MS / 2);
        while (rig.effects.wake_at_ms <= rig.now_ms) {
            if (rig.record_count - before > most)
                most = rig.record_count - before;
            before = rig.record_count;
            driver_jump(&rig, 0);
        }
    }
    CHECK_U64("in one step", most, STEP_CHANGES_MAX);
    CHECK_U64("all of them", rig.record_count, SESSIONS);
    driver_sync(&rig);
    while (rig.effects.wake_at_ms <= rig.now_ms)
        driver_jump(&rig, 0);
    CHECK_U64("all are gone", tree_session_count(replica_tree(rig.replica)), 0);
    end(&rig);
}

TEST(a_session_does_not_expire_while_its_requests_wait_for_the_server)
{
    struct replica_options options = rig_options();
    struct driver rig;

    options.outstanding_max = 1;
    rig_begin_with(&rig, &options, 1);
    (void)rig_create(&rig, 0, "/a", 0);
    CHECK(rig.clients[0].paused);
    driver_pass(&rig, 3 * RIG_TIMEOUT_MS); /* the disk is slow; its pings are not read */
    CHECK_I64("expired", metrics_number(replica_metrics(rig.replica), METRIC_SESSIONS_EXPIRED), 0);
    driver_sync(&rig);
    CHECK(!rig.clients[0].paused);
    driver_pass(&rig, 2 * RIG_TIMEOUT_MS);
    CHECK_I64("expired", metrics_number(replica_metrics(rig.replica), METRIC_SESSIONS_EXPIRED), 1);
    end(&rig);
}
