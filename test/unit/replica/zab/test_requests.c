/* A leader with one follower beside it, whose packets are made by hand: what waits, and what does not. */
#include "replica/zab/zab_leader.h"

#include "test/lib/check.h"
#include "test/lib/leader_bench.h"
#include "wire/quorum.h"

enum { EPOCH = LEADER_BENCH_EPOCH, CONNECTION = LEADER_BENCH_FOLLOWER, LEARNER = CONNECTION + 2 };

static struct leader_bench *bench_new(size_t prepared_bytes_max, size_t waiting_bytes_max)
{
    struct leader_bench *bench = leader_bench_new(zab_bench_servers(1, 3));

    bench->around.zab.options.prepared_bytes_max = prepared_bytes_max;
    bench->around.zab.options.waiting_bytes_max = waiting_bytes_max;
    leader_bench_lead(bench);
    return bench;
}

/* A second one, over the connection LEARNER. */
static void add_learner(struct leader_bench *bench)
{
    leader_bench_introduce(bench, LEARNER, 2, QUORUM_FOLLOWER_INFO);
    leader_bench_promise(bench, LEARNER, 0);
    leader_bench_hear(bench, LEARNER, QUORUM_ACK, zxid_of_epoch(EPOCH), SLICE_NULL);
    effects_clear(&bench->around.effects);
}

static void ask(struct leader_bench *bench, int64_t session_id, int32_t op, int32_t cxid,
                struct slice body)
{
    struct forwarded_request request = {
        .header = {.session_id = session_id, .type = op, .cxid = cxid}, .body = body};

    bench->around.packet.size = 0;
    quorum_request_put(&bench->around.packet, &request, (struct jute_vector){.count = -1});
    zab_leader_bytes(bench->leader, CONNECTION, buffer_slice(&bench->around.packet));
}

static void ask_for_session(struct leader_bench *bench, int64_t session_id)
{
    const uint8_t timeout[] = {0, 0, 0x20, 0};

    ask(bench, session_id, OP_CREATE_SESSION, 0, slice_of(timeout, sizeof(timeout)));
}

/* A create of /a, which everybody may. */
static void ask_for_node(struct leader_bench *bench, int64_t session_id)
{
    struct buffer body = {0};

    jute_put_bytes(&body, SLICE("/a"));
    jute_put_bytes(&body, SLICE_NULL);
    buffer_i32(&body, 1);
    buffer_i32(&body, PERM_ALL);
    jute_put_bytes(&body, SLICE("world"));
    jute_put_bytes(&body, SLICE("anyone"));
    buffer_i32(&body, MODE_PERSISTENT);
    ask(bench, session_id, OP_CREATE, 1, buffer_slice(&body));
    buffer_deinit(&body);
}

static void revalidate(struct leader_bench *bench, uint64_t connection, int64_t session_id)
{
    struct session_touch question = {.session_id = session_id, .timeout_ms = 8192};

    bench->around.packet.size = 0;
    quorum_revalidate_put(&bench->around.packet, &question);
    zab_leader_bytes(bench->leader, connection, buffer_slice(&bench->around.packet));
}

/* All that is proposed is on disk here and at the follower, and applied; then the next ones follow. */
static void agree(struct leader_bench *bench)
{
    int64_t zxid = proposals_proposed_zxid(bench->around.proposals);

    zab_leader_end_turn(bench->leader);
    proposals_durable(bench->around.proposals, zxid, &bench->around.observer);
    leader_bench_hear(bench, CONNECTION, QUORUM_ACK, zxid, SLICE_NULL);
    zab_leader_end_turn(bench->leader);
    CHECK_I64("applied", proposals_applied_zxid(bench->around.proposals), zxid);
}

static struct txn_header proposed(const struct leader_bench *bench, int64_t zxid)
{
    const struct proposals *proposals = bench->around.proposals;
    struct txn_header header;

    struct kept_txn kept = proposals_kept_at(proposals, proposals_kept_behind(proposals, zxid) - 1);
    CHECK_I64("zxid", kept.zxid, zxid);
    CHECK_STATUS(txn_read_header(kept.payload, &header), STATUS_OK);
    return header;
}

static int32_t proposed_type(const struct leader_bench *bench, int64_t zxid)
{
    return proposed(bench, zxid).type;
}

/* A learner waits for a transaction with the session and cxid of its first request, and nothing behind that one
 * is answered before. */
TEST(whatever_a_learner_asks_becomes_one_transaction_with_its_session_and_cxid)
{
    static const uint8_t timeout[] = {0, 0, 0x20, 0}, few[] = {0, 0};
    static const struct {
        int64_t session_id;
        int32_t op;
        struct slice body;
    } asked[] = {
        {1, OP_CREATE_SESSION, {timeout, sizeof(timeout)}},
        {1, OP_CREATE_SESSION, {few, sizeof(few)}},
        {1, OP_CREATE, {few, sizeof(few)}},
        {1, OP_SET_DATA, {NULL, 0}},
        {1, OP_MULTI, {few, sizeof(few)}},
        {1, OP_CHECK, {few, sizeof(few)}},
        {1, OP_RECONFIG, {few, sizeof(few)}},
        {1, OP_GET_DATA, {few, sizeof(few)}},
        {1, 12345, {few, sizeof(few)}},
        {2, OP_DELETE, {few, sizeof(few)}}, /* there is no such session */
        {1, OP_CLOSE_SESSION, {NULL, 0}},
        {1, OP_CLOSE_SESSION, {NULL, 0}},
        {1, OP_DELETE, {few, sizeof(few)}},
    };
    struct leader_bench *bench = bench_new(/* prepared_bytes_max= */ 1 << 20, 1 << 20);

    leader_bench_reach_serving(bench);
    for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
        int32_t cxid = 100 + (int32_t)i;
        ask(bench, asked[i].session_id, asked[i].op, cxid, asked[i].body);
        CHECK_I64("proposed", proposals_proposed_zxid(bench->around.proposals),
                  zxid_make(EPOCH, (int32_t)i + 1));
        struct txn_header header = proposed(bench, zxid_make(EPOCH, (int32_t)i + 1));
        CHECK_I64("session", header.client_id, asked[i].session_id);
        CHECK_I64("cxid", header.cxid, cxid);
        CHECK_U64("still there", zab_leader_count(bench->leader).learners, 1);
    }
    agree(bench);
    leader_bench_free(bench);
}

TEST(requests_wait_while_too_much_is_prepared_and_what_stands_behind_them_does_not)
{
    struct leader_bench *bench = bench_new(/* prepared_bytes_max= */ 1, 1 << 20);
    int64_t first = zxid_make(EPOCH, 1);

    leader_bench_reach_serving(bench);
    for (int64_t session = 1; session <= 3; session++)
        ask_for_session(bench, session);
    zab_leader_end_turn(bench->leader);
    CHECK_I64("one is proposed", proposals_proposed_zxid(bench->around.proposals), first);
    agree(bench);
    CHECK_I64("the next one follows", proposals_proposed_zxid(bench->around.proposals), first + 1);
    agree(bench);
    CHECK_I64("and the last one", proposals_proposed_zxid(bench->around.proposals), first + 2);
    leader_bench_free(bench);
}

/* Of a client of the leader itself: it does not wait. */
static void propose_own(struct leader_bench *bench, int64_t session_id)
{
    const uint8_t timeout[] = {0, 0, 0x20, 0};
    struct leader_request from = {.session_id = session_id};

    proposals_submit_for_learner(bench->around.proposals, &from, OP_CREATE_SESSION,
                                 slice_of(timeout, sizeof(timeout)));
}

TEST(a_learner_has_its_turn_while_the_leaders_own_clients_prepare_too_much)
{
    struct leader_bench *bench = bench_new(/* prepared_bytes_max= */ 1, 1 << 20);
    int64_t first = zxid_make(EPOCH, 1);

    leader_bench_reach_serving(bench);
    propose_own(bench, 10);
    for (int64_t session = 1; session <= 3; session++)
        ask_for_session(bench, session);
    zab_leader_end_turn(bench->leader);
    CHECK_I64("its first one is proposed", proposals_proposed_zxid(bench->around.proposals),
              first + 1);
    propose_own(bench, 11);
    proposals_durable(bench->around.proposals, first + 2, &bench->around.observer);
    leader_bench_hear(bench, CONNECTION, QUORUM_ACK, first, SLICE_NULL);
    zab_leader_end_turn(bench->leader);
    CHECK_I64("the second one waits for the first",
              proposals_proposed_zxid(bench->around.proposals), first + 2);
    leader_bench_hear(bench, CONNECTION, QUORUM_ACK, first + 1, SLICE_NULL);
    zab_leader_end_turn(bench->leader);
    CHECK_I64("and is proposed behind it", proposals_proposed_zxid(bench->around.proposals),
              first + 3);
    leader_bench_free(bench);
}

TEST(a_learner_with_more_waiting_requests_than_may_be_is_dropped)
{
    struct leader_bench *bench =
        bench_new(/* prepared_bytes_max= */ 1, /* waiting_bytes_max= */ 250);

    leader_bench_reach_serving(bench);
    for (int64_t session = 1; session <= 4; session++)
        ask_for_session(bench, session);
    CHECK_U64("it is there", zab_leader_count(bench->leader).learners, 1);
    for (int64_t session = 5; session <= 20; session++)
        ask_for_session(bench, session);
    CHECK_U64("it is gone", zab_leader_count(bench->leader).learners, 0);
    zab_leader_end_turn(bench->leader);
    CHECK_I64("what waited is gone with it", proposals_proposed_zxid(bench->around.proposals),
              zxid_make(EPOCH, 1));
    leader_bench_free(bench);
}

TEST(a_REVALIDATE_waits_behind_requests_of_its_own_session_alone)
{
    struct leader_bench *bench = bench_new(/* prepared_bytes_max= */ 1, 1 << 20);

    leader_bench_reach_serving(bench);
    ask_for_session(bench, 1);
    agree(bench);
    ask_for_session(bench, 2);
    agree(bench);
    ask_for_session(bench, 3); /* this one is prepared; what follows waits */
    ask_for_node(bench, 1);
    effects_clear(&bench->around.effects);
    const struct session *session = sessions_find(proposals_sessions(bench->around.proposals), 1);
    int64_t end_ms = session->bucket_end_ms;
    bench->around.step.now_ms += 2 * ZAB_BENCH_TICK_MS;
    revalidate(bench, CONNECTION, 1);
    CHECK_TEXT("of its own", zab_bench_sent(&bench->around), "");
    CHECK(session->bucket_end_ms > end_ms); /* and its session does not expire meanwhile */
    revalidate(bench, CONNECTION, 2);
    CHECK_TEXT("of others", zab_bench_sent(&bench->around), "REVALIDATE ");
    agree(bench);
    CHECK_I64("its request", proposed_type(bench, zxid_make(EPOCH, 4)), OP_CREATE);
    agree(bench);
    CHECK(strstr(zab_bench_sent(&bench->around), "REVALIDATE ") != NULL);
    revalidate(bench, CONNECTION, 1);
    CHECK_TEXT("nothing waits any more", zab_bench_sent(&bench->around), "REVALIDATE ");
    leader_bench_free(bench);
}

/* Found by the simulator: the client had asked the server in between for more, and been answered. */
TEST(a_request_that_waits_is_not_executed_when_its_session_was_elsewhere_and_comes_back)
{
    struct leader_bench *bench = bench_new(/* prepared_bytes_max= */ 1, 1 << 20);
    int64_t third = zxid_make(EPOCH, 3);

    leader_bench_reach_serving(bench);
    add_learner(bench);
    ask_for_session(bench, 1);
    agree(bench);
    ask_for_session(bench, 2); /* prepared */
    ask_for_node(bench, 1);
    revalidate(bench, LEARNER, 1);
    revalidate(bench, CONNECTION, 1);
    agree(bench);
    CHECK_I64("the old request", proposals_proposed_zxid(bench->around.proposals), third);
    CHECK_I64("is an error", proposed_type(bench, third), OP_ERROR);
    leader_bench_free(bench);
}
