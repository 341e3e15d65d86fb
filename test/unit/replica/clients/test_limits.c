/* What a client has to wait for when too much is on its way, and what is counted. */
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

static int64_t outstanding(const struct driver *rig)
{
    struct replica_counts counts;
    replica_counts(rig->replica, &counts);
    return counts.outstanding;
}

/* --- back-pressure --- */

TEST(reading_stops_at_the_limit_and_goes_on_below_it)
{
    struct replica_options options = rig_options();
    struct driver rig;

    options.outstanding_max = 4;
    rig_begin_with(&rig, &options, 3);
    for (int i = 0; i < 3; i++)
        (void)rig_set(&rig, 0, "/", "x");
    CHECK(!rig.clients[0].paused);
    (void)rig_set(&rig, 0, "/", "x");
    CHECK(rig.clients[0].paused);
    CHECK(!rig.clients[1].paused); /* owes nothing */
    (void)rig_expect(&rig, 1, rig_get(&rig, 1, "/", false), ZK_OK);
    CHECK(!rig.clients[1].paused);
    (void)rig_set(&rig, 1, "/", "x");
    CHECK(rig.clients[1].paused);
    (void)rig_set(&rig, 0, "/", "on the wire already"); /* taken all the same */
    CHECK_I64("outstanding", outstanding(&rig), 6);
    driver_sync_to(&rig, rig.appended_zxid - 4);
    CHECK(rig.clients[0].paused && rig.clients[1].paused);
    driver_sync_to(&rig, rig.appended_zxid - 3);
    CHECK(!rig.clients[0].paused && !rig.clients[1].paused);
    driver_sync(&rig);
    CHECK_I64("outstanding", outstanding(&rig), 0);
    end(&rig);
}

TEST(a_client_that_is_paused_may_close_and_its_id_is_free_again)
{
    struct replica_options options = rig_options();
    struct driver rig;

    options.outstanding_max = 1;
    rig_begin_with(&rig, &options, 1);
    (void)rig_set(&rig, 0, "/", "x");
    CHECK(rig.clients[0].paused);
    (void)rig_get(&rig, 0, "/", false);
    driver_gone(&rig, 0);
    driver_open(&rig, 0);
    driver_shake(&rig, 0, 0, 4000);
    driver_sync(&rig);
    CHECK(rig_shaken(&rig, 0)); /* and no answer of the earlier one */
    CHECK(rig_silent(&rig, 0) && !rig.clients[0].paused);
    CHECK_I64("outstanding", outstanding(&rig), 0);
    end(&rig);
}

TEST(many_large_writes_stop_reading_whatever_their_number)
{
    struct replica_options options = rig_options();
    struct driver rig;
    static char data[1000001];
    int writes = 0;

    options.outstanding_max = 0; /* no limit of their number */
    rig_begin_with(&rig, &options, 1);
    memset(data, 'x', sizeof(data) - 1);
    for (; !rig.clients[0].paused && writes < 200; writes++)
        (void)rig_set(&rig, 0, "/", data);
    CHECK(writes >= 64 && writes < 100);
    driver_sync(&rig);
    CHECK(!rig.clients[0].paused);
    for (; writes > 0; writes--)
        (void)rig_next(&rig, 0);
    CHECK(rig_silent(&rig, 0));
    end(&rig);
}

/* --- the throttle --- */

TEST(the_throttle_holds_requests_back_in_order)
{
    struct replica_options options = rig_options();
    struct driver rig;

    options.throttle_requests_max = 2;
    options.throttle_stall_ms = 100;
    rig_begin_with(&rig, &options, 2);
    size_t records = rig.record_count;
    int32_t first = rig_create(&rig, 0, "/a", 0);
    (void)rig_create(&rig, 0, "/b", 0);
    (void)rig_create(&rig, 0, "/c", 0); /* held back */
    int32_t read = rig_get(&rig, 0, "/c", false);
    int32_t other = rig_get(&rig, 1, "/a", false);
    CHECK_U64("proposed", rig.record_count, records + 2);
    CHECK(rig_silent(&rig, 1));
    CHECK_I64("outstanding", outstanding(&rig), 5);
    driver_sync_to(&rig, rig.appended_zxid - 1);
    (void)rig_expect(&rig, 0, first, ZK_OK);
    CHECK_U64("one more", rig.record_count, records + 3);
    CHECK(rig_silent(&rig, 1)); /* behind the two of the first client */
    driver_sync(&rig);
    (void)rig_expect(&rig, 0, first + 1, ZK_OK);
    (void)rig_expect(&rig, 0, first + 2, ZK_OK);
    (void)rig_expect(&rig, 0, read, ZK_OK);
    (void)rig_expect(&rig, 1, other, ZK_OK);
    end(&rig);
}

TEST(what_waited_too_long_in_the_throttle_is_refused_and_has_no_effect)
{
    struct replica_options options = rig_options();
    struct driver rig;
    struct replica_counts counts;

    options.throttle_requests_max = 1;
    options.throttle_stall_ms = 100;
    options.throttled_op_wait_ms = 1000;
    rig_begin_with(&rig, &options, 2);
    int32_t first = rig_create(&rig, 0, "/a", 0);
    int32_t write = rig_create(&rig, 0, "/late", 0);
    int32_t read = rig_get(&rig, 1, "/a", false);
    rig_send_xid(&rig, 1, XID_PING, OP_PING, NULL);
    int32_t last = rig_send(&rig, 1, OP_CLOSE_SESSION, NULL);
    driver_jump(&rig, 1001);
    driver_sync(&rig);
    (void)rig_expect(&rig, 0, first, ZK_OK);
    CHECK_I64("zxid", rig_expect(&rig, 0, write, ZK_THROTTLED_OP).zxid, 3);
    (void)rig_expect(&rig, 1, read, ZK_THROTTLED_OP);
    (void)rig_expect(&rig, 1, XID_PING, ZK_OK); /* never */
    driver_sync(&rig);
    (void)rig_expect(&rig, 1, last, ZK_OK); /* nor this */
    CHECK_I64("no effect", tree_find(replica_tree(rig.replica), SLICE("/late")), NODE_NONE);
    replica_counts(rig.replica, &counts);
    CHECK_I64("counted", metrics_number(replica_metrics(rig.replica), METRIC_THROTTLED_OPS), 2);
    CHECK_I64("held back", metrics_number(replica_metrics(rig.replica), METRIC_REQUESTS_THROTTLED),
              4);
    CHECK_I64("held back",
              metrics_summary(replica_metrics(rig.replica), METRIC_THROTTLE_LATENCY)->count, 4);
    CHECK_I64("for", metrics_summary(replica_metrics(rig.replica), METRIC_THROTTLE_LATENCY)->max,
              1001);
    end(&rig);
}

TEST(throttled_requests_of_a_client_that_left_are_forgotten)
{
    struct replica_options options = rig_options();
    struct driver rig;

    options.throttle_requests_max = 1;
    options.throttle_stall_ms = 100;
    rig_begin_with(&rig, &options, 2);
    (void)rig_create(&rig, 0, "/a", 0);
    (void)rig_create(&rig, 1, "/b", 0);
    driver_gone(&rig, 1);
    driver_open(&rig, 1); /* somebody else under the same id */
    driver_sync(&rig);
    driver_sync(&rig);
    CHECK(rig_silent(&rig, 1));
    CHECK_I64("never proposed", tree_find(replica_tree(rig.replica), SLICE("/b")), NODE_NONE);
    CHECK_I64("outstanding", outstanding(&rig), 0);
    end(&rig);
}

TEST(a_throttled_request_keeps_the_identities_of_its_arrival)
{
    struct replica_options options = rig_options();
    struct driver rig;

    options.throttle_requests_max = 1;
    options.throttle_stall_ms = 100;
    rig_begin_with(&rig, &options, 1);
    (void)rig_create(&rig, 0, "/a", 0);
    put_create_acl(&body, "/b", one_acl(SLICE("auth"), SLICE(""), PERM_ALL), 0);
    int32_t held_back = rig_send(&rig, 0, OP_CREATE, &body);
    buffer_i32(&body, 0);
    put_text(&body, "digest");
    jute_put_bytes(&body, SLICE("u:p"));
    rig_send_xid(&rig, 0, XID_AUTH, OP_AUTH, &body);
    (void)rig_expect(&rig, 0, XID_AUTH, ZK_OK);
    driver_sync(&rig);
    (void)rig_next(&rig, 0);
    driver_sync(&rig);
    (void)rig_expect(&rig, 0, held_back, ZK_INVALID_ACL);
    put_create_acl(&body, "/b", one_acl(SLICE("auth"), SLICE(""), PERM_ALL), 0);
    (void)rig_do(&rig, 0, OP_CREATE, &body, ZK_OK);
    end(&rig);
}

/* --- looking in --- */

TEST(the_counts_are_what_happened)
{
    struct replica_options options = rig_options();
    struct driver rig;
    struct replica_counts counts;

    rig_begin_with(&rig, &options, 0);
    replica_counts(rig.replica, &counts);
    CHECK_I64("no answer yet", counts.clients.response_min_bytes, -1);
    rig_connect(&rig, 0);
    rig_make(&rig, 0, "/a");
    (void)rig_create(&rig, 0, "/e", MODE_EPHEMERAL);
    driver_pass(&rig, 40);
    driver_sync(&rig);
    (void)rig_next(&rig, 0);
    (void)rig_expect(&rig, 0, rig_get(&rig, 0, "/a", true), ZK_OK);
    (void)rig_create(&rig, 0, "/b", 0);
    replica_counts(rig.replica, &counts);
    CHECK_I64("zxid", counts.last_zxid, 3);
    CHECK_U64("znodes", counts.znodes, 6);
    CHECK_U64("ephemerals", counts.ephemerals, 1);
    CHECK_U64("sessions", counts.sessions, 1);
    CHECK_I64("outstanding", counts.outstanding, 1);
    struct metrics all = {0};
    replica_collect_metrics(rig.replica, &all);
    CHECK_I64("znodes", metrics_number(&all, METRIC_ZNODES), 7);
    CHECK_I64("latency", metrics_number(&all, METRIC_LATENCY_MAX), 40);
    CHECK_I64("latency", metrics_number(&all, METRIC_LATENCY_MIN), 0);
    CHECK(all.values[METRIC_LATENCY_AVERAGE].real == 10.0); /* of 4: the session's, too */
    CHECK_I64("held back or not", metrics_summary(&all, METRIC_THROTTLE_LATENCY)->count, 5);
    metrics_deinit(&all);
    CHECK(counts.clients.watches == 1 && counts.clients.watch_paths == 1 &&
          counts.clients.watch_connections == 1);
    CHECK_I64("requests", metrics_number(replica_metrics(rig.replica), METRIC_REQUESTS_PREPARED),
              5);
    CHECK_I64("mismatches", metrics_number(replica_metrics(rig.replica), METRIC_DIGEST_MISMATCHES),
              0);
    CHECK_I64("smallest", counts.clients.response_min_bytes, REPLY_HEADER_BYTES + 6);
    CHECK_I64("largest", counts.clients.response_max_bytes,
              REPLY_HEADER_BYTES + 4 + 4 + STAT_BYTES);

    struct client_info info;
    CHECK(clients_info(replica_clients(rig.replica), 0, &info));
    CHECK_I64("session", info.session_id, rig.clients[0].session_id);
    CHECK_I64("queued", info.queued, 1);
    CHECK_I64("last op", info.last_op, OP_GET_DATA);
    CHECK_I64("last xid", info.last_cxid, 3);
    CHECK(!clients_info(replica_clients(rig.replica), 1, &info));
    CHECK(!clients_info(replica_clients(rig.replica), 1000, &info));

    replica_reset_stats(rig.replica);
    replica_reset_client_stats(rig.replica);
    replica_counts(rig.replica, &counts);
    CHECK(metrics_summary(replica_metrics(rig.replica), METRIC_READ_LATENCY)->count == 0 &&
          counts.clients.response_last_bytes == -1);
    CHECK_U64("not what is", counts.znodes, 6);
    CHECK(clients_info(replica_clients(rig.replica), 0, &info));
    CHECK(info.received == 0 && info.last_op == OP_ERROR && info.latency_ms.count == 0);
    end(&rig);
}

TEST(changes_count_when_they_are_proposed_and_again_when_they_are_applied)
{
    struct replica_options options = rig_options();
    struct driver rig;

    rig_begin_with(&rig, &options, 1);
    rig_make(&rig, 0, "/a");
    const struct metrics *metrics = replica_metrics(rig.replica);
    CHECK_I64("queued", metrics_number(metrics, METRIC_CHANGES_QUEUED), 2); /* parent and node */
    CHECK_I64("applied", metrics_number(metrics, METRIC_CHANGES_APPLIED), 2);
    (void)rig_create(&rig, 0, "/b", 0);
    (void)rig_create(&rig, 0, "/a", 0); /* there is one: changes nothing */
    (void)rig_create(&rig, 0, "/c", 0);
    CHECK_I64("queued", metrics_number(metrics, METRIC_CHANGES_QUEUED), 6);
    CHECK_I64("applied", metrics_number(metrics, METRIC_CHANGES_APPLIED), 2);
    replica_reset_stats(rig.replica);
    driver_sync(&rig);
    CHECK_I64("queued", metrics_number(metrics, METRIC_CHANGES_QUEUED), 0);
    CHECK_I64("applied", metrics_number(metrics, METRIC_CHANGES_APPLIED), 4);
    end(&rig);
}

TEST(operations_have_the_names_that_operators_know)
{
    static const struct {
        int32_t op;
        const char *name;
    } rows[] = {{OP_PING, "PING"},           {OP_GET_DATA, "GETD"},      {OP_CREATE2, "CREA"},
                {OP_CREATE_SESSION, "SESS"}, {OP_CLOSE_SESSION, "CLOS"}, {4711, "NA"}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        CHECK_TEXT(rows[i].name, op_cons_name(rows[i].op), rows[i].name);
}

struct session_list {
    int64_t expires_at_ms, id;
    uint32_t count;
};

static void list_session(void *context, int64_t expires_at_ms, int64_t session_id)
{
    struct session_list *list = context;

    CHECK(expires_at_ms > list->expires_at_ms ||
          (expires_at_ms == list->expires_at_ms && session_id > list->id));
    list->expires_at_ms = expires_at_ms;
    list->id = session_id;
    list->count++;
}

TEST(sessions_are_listed_in_the_order_of_their_end)
{
    struct replica_options options = rig_options();
    struct driver rig;
    struct session_list list = {0};

    rig_begin_with(&rig, &options, 0);
    for (int i = 0; i < 40; i++) {
        driver_open(&rig, 0);
        driver_shake(&rig, 0, 0, 2000 + i * 7919 % 18000);
        driver_sync(&rig);
        driver_gone(&rig, 0);
    }
    replica_visit_sessions(rig.replica, list_session, &list);
    CHECK_U64("all of them", list.count, 40);
    end(&rig);
}

struct watch_list {
    struct buffer text;
};

static void list_watch(void *context, struct slice path, int64_t session_id)
{
    buffer_printf(&((struct watch_list *)context)->text, "%.*s@%d ", (int)path.size,
                  (const char *)path.data, (int)(session_id & 0xff));
}

TEST(watches_are_listed_by_path_and_by_session)
{
    struct replica_options options = rig_options();
    struct driver rig;
    struct watch_list list = {0};

    rig_begin_with(&rig, &options, 2);
    (void)rig_get(&rig, 1, "/", true);
    put_path_watch(&body, "/", true);
    (void)rig_send(&rig, 0, OP_GET_CHILDREN, &body); /* of the other table: not shown */
    clients_visit_watches_by_path(replica_clients(rig.replica), list_watch, &list);
    CHECK_SLICE("by path", buffer_slice(&list.text), SLICE("/@1 "));
    list.text.size = 0;
    clients_visit_watches_by_session(replica_clients(rig.replica), list_watch, &list);
    CHECK_SLICE("by session", buffer_slice(&list.text), SLICE("/@1 "));
    buffer_deinit(&list.text);
    end(&rig);
}
