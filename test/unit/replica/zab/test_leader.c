/* A leader, fed with the packets of one follower by hand: when it gives up. */
#include "replica/zab/zab_leader.h"

#include "test/lib/check.h"
#include "wire/quorum.h"

enum { LEADER_ID = 3, FOLLOWER_ID = 1, EPOCH = 1, TEXT_BYTES_MAX = 1 << 20 };
enum { TICK_MS = 1000, SYNC_LIMIT = 5, CONNECTION = 7 };

struct bench {
    struct tree *tree;
    struct step step;
    struct effects effects;
    struct proposals *proposals;
    struct proposals_observer observer;
    struct membership *membership;
    struct zab zab;
    uint64_t next_connection;
    struct zab_leader *leader;
    struct buffer packet;
};

static void ignore_before(void *context, const struct proposal *proposal)
{
    (void)context, (void)proposal;
}

static void ignore_after(void *context, const struct proposal *proposal, const struct txn *txn,
                         const struct txn_result *result)
{
    (void)context, (void)proposal, (void)txn, (void)result;
}

static void ignore_change(void *context, struct slice path, uint32_t acl)
{
    (void)context, (void)path, (void)acl;
}

static void ignore_written(void *context, struct slice path, size_t bytes)
{
    (void)context, (void)path, (void)bytes;
}

static struct membership *only_the_leader(void)
{
    struct membership *membership = membership_new();
    struct buffer problem = {0};
    int64_t server;

    CHECK(membership_add(membership, SLICE("server.3"), SLICE("c:1:2"), false, &problem) ==
          STATUS_OK);
    CHECK(membership_finish(membership, &problem, &server) == STATUS_OK);
    buffer_deinit(&problem);
    return membership;
}

static struct membership *three_servers(void)
{
    struct membership *membership = membership_new();
    struct buffer problem = {0};
    int64_t server;

    CHECK(membership_add(membership, SLICE("server.1"), SLICE("a:1:2"), false, &problem) ==
          STATUS_OK);
    CHECK(membership_add(membership, SLICE("server.2"), SLICE("b:1:2"), false, &problem) ==
          STATUS_OK);
    CHECK(membership_add(membership, SLICE("server.3"), SLICE("c:1:2"), false, &problem) ==
          STATUS_OK);
    CHECK(membership_finish(membership, &problem, &server) == STATUS_OK);
    buffer_deinit(&problem);
    return membership;
}

static struct bench *bench_of(struct membership *membership)
{
    struct bench *bench = mem_zalloc(sizeof(*bench));
    const struct tree_options tree = {.digest_enabled = true};
    struct proposals_options options = {.rules = {.text_bytes_max = TEXT_BYTES_MAX},
                                        .sessions = {.tick_ms = TICK_MS, .server_id = LEADER_ID},
                                        .snapshots = {.snap_count = 1000},
                                        .ensemble = true,
                                        .history_bytes_max = 1 << 20};

    bench->tree = tree_new(&tree);
    arena_init(&bench->step.arena);
    bench->step.effects = &bench->effects;
    bench->step.now_ms = bench->step.wall_ms = 1000;
    bench->proposals = proposals_new(&options, bench->tree, &bench->step);
    bench->observer = (struct proposals_observer){.before_txn = ignore_before,
                                                  .after_txn = ignore_after,
                                                  .tree = {.node_created = ignore_change,
                                                           .node_deleted = ignore_change,
                                                           .data_changed = ignore_change,
                                                           .children_changed = ignore_change,
                                                           .written = ignore_written},
                                                  .context = bench};
    bench->membership = membership;
    bench->next_connection = 1;
    bench->zab = (struct zab){.options = {.my_id = LEADER_ID,
                                          .tick_ms = TICK_MS,
                                          .init_limit = 10,
                                          .sync_limit = SYNC_LIMIT,
                                          .packet_bytes_max = TEXT_BYTES_MAX},
                              .membership = bench->membership,
                              .proposals = bench->proposals,
                              .observer = &bench->observer,
                              .step = &bench->step,
                              .next_connection = &bench->next_connection};
    bench->leader = zab_leader_new(&bench->zab);
    return bench;
}

static struct bench *bench_new(void)
{
    return bench_of(three_servers());
}

static void bench_free(struct bench *bench)
{
    zab_leader_free(bench->leader);
    proposals_free(bench->proposals);
    membership_free(bench->membership);
    tree_free(bench->tree);
    arena_deinit(&bench->step.arena);
    metrics_deinit(&bench->step.metrics);
    effects_deinit(&bench->effects);
    buffer_deinit(&bench->packet);
    mem_free(bench);
}

static void hear(struct bench *bench, int32_t type, int64_t zxid, struct slice data)
{
    bench->packet.size = 0;
    quorum_packet_put(&bench->packet, type, zxid, data);
    zab_leader_bytes(bench->leader, CONNECTION, buffer_slice(&bench->packet));
}

static void store_done(struct bench *bench)
{
    CHECK(zab_store_done(&bench->zab));
    effects_clear(&bench->effects);
    zab_leader_store_done(bench->leader, STATUS_OK);
}

static void reach_serving(struct bench *bench)
{
    const uint8_t info[20] = {[7] = FOLLOWER_ID, [9] = 1 /* the protocol: 0x10000 */};
    const uint8_t epoch[4] = {0};

    zab_leader_opened(bench->leader, CONNECTION);
    hear(bench, QUORUM_FOLLOWER_INFO, 0, slice_of(info, sizeof(info)));
    store_done(bench);
    hear(bench, QUORUM_ACK_EPOCH, 0, slice_of(epoch, sizeof(epoch)));
    store_done(bench);
    zab_leader_end_turn(bench->leader);
    hear(bench, QUORUM_ACK, zxid_of_epoch(EPOCH), SLICE_NULL);
    zab_leader_end_turn(bench->leader);
    CHECK(zab_leader_serves(bench->leader) && zab_leader_failed(bench->leader) == NULL);
}

/* One more write, and a tick; the follower acknowledges at once. */
static void second(struct bench *bench, int64_t counter)
{
    const struct proposal request = {.session_id = 100 + counter, .timeout_ms = 30000};

    bench->step.now_ms += TICK_MS;
    proposals_submit_create_session(bench->proposals, &request);
    zab_leader_end_turn(bench->leader);
    hear(bench, QUORUM_ACK, zxid_make(EPOCH, counter), SLICE_NULL);
    zab_leader_end_turn(bench->leader);
    zab_leader_tick(bench->leader);
    effects_clear(&bench->effects);
}

TEST(a_leader_whose_log_is_always_one_write_behind_goes_on)
{
    struct bench *bench = bench_new();

    reach_serving(bench);
    for (int64_t counter = 1; counter < 5 * SYNC_LIMIT; counter++) {
        if (counter > 1)
            proposals_durable(bench->proposals, zxid_make(EPOCH, counter - 1), &bench->observer);
        second(bench, counter);
        CHECK(zab_leader_failed(bench->leader) == NULL);
    }
    proposals_durable(bench->proposals, proposals_proposed_zxid(bench->proposals),
                      &bench->observer);
    bench_free(bench);
}

TEST(a_leader_whose_log_stands_still_gives_up_after_sync_limit)
{
    struct bench *bench = bench_new();
    int64_t counter = 0;

    reach_serving(bench);
    while (zab_leader_failed(bench->leader) == NULL && counter < 3 * SYNC_LIMIT)
        second(bench, ++counter);
    CHECK_I64("ticks", counter, SYNC_LIMIT + 2);
    CHECK(strstr(zab_leader_failed(bench->leader), "not synced within syncLimit") != NULL);
    proposals_durable(bench->proposals, proposals_proposed_zxid(bench->proposals),
                      &bench->observer);
    bench_free(bench);
}

TEST(a_leader_that_is_a_quorum_by_itself_waits_for_nobody)
{
    struct bench *bench = bench_of(only_the_leader());
    const struct proposal request = {.session_id = 101, .timeout_ms = 30000};

    store_done(bench); /* the promise, then the epoch */
    store_done(bench);
    zab_leader_end_turn(bench->leader);
    CHECK(zab_leader_serves(bench->leader));
    proposals_submit_create_session(bench->proposals, &request);
    zab_leader_end_turn(bench->leader);
    CHECK_I64("not before it is on disk", proposals_applied_zxid(bench->proposals), 0);
    proposals_durable(bench->proposals, zxid_make(EPOCH, 1), &bench->observer);
    zab_leader_end_turn(bench->leader);
    CHECK_I64("committed", proposals_applied_zxid(bench->proposals), zxid_make(EPOCH, 1));
    bench->step.now_ms += 10 * SYNC_LIMIT * TICK_MS;
    zab_leader_tick(bench->leader);
    CHECK(zab_leader_failed(bench->leader) == NULL);
    bench_free(bench);
}

TEST(a_leader_tells_how_many_transactions_its_epoch_has_left)
{
    struct bench *bench = bench_of(only_the_leader());
    const struct proposal request = {.session_id = 101, .timeout_ms = 30000};

    CHECK_I64("it does not serve yet", zab_leader_zxids_left(bench->leader), -1);
    store_done(bench);
    store_done(bench);
    CHECK_I64("all", zab_leader_zxids_left(bench->leader), ZAB_COUNTER_LAST);
    proposals_submit_create_session(bench->proposals, &request);
    CHECK_I64("but one", zab_leader_zxids_left(bench->leader), ZAB_COUNTER_LAST - 1);
    zab_leader_end_turn(bench->leader);
    proposals_durable(bench->proposals, zxid_make(EPOCH, 1), &bench->observer);
    zab_leader_end_turn(bench->leader);
    bench_free(bench);
}

TEST(a_leader_without_zxids_ends_its_epoch)
{
    struct bench *bench = bench_of(only_the_leader());

    bench->step.mutant = MUTANT_LATE_COUNTERS; /* no bug: nearly all are used up */
    store_done(bench);
    store_done(bench);
    while (zab_leader_zxids_left(bench->leader) > 0) {
        const struct proposal request = {.session_id = zab_leader_zxids_left(bench->leader),
                                         .timeout_ms = 30000};
        CHECK(zab_leader_failed(bench->leader) == NULL);
        proposals_submit_create_session(bench->proposals, &request);
        int64_t zxid = proposals_proposed_zxid(bench->proposals);
        zab_leader_end_turn(bench->leader);
        proposals_durable(bench->proposals, zxid, &bench->observer);
        zab_leader_end_turn(bench->leader);
        effects_clear(&bench->effects);
    }
    CHECK(zab_leader_failed(bench->leader) != NULL &&
          strstr(zab_leader_failed(bench->leader), "used up") != NULL);
    CHECK_I64("the last one waits for the next leader", proposals_applied_zxid(bench->proposals),
              proposals_proposed_zxid(bench->proposals) - 1);
    bench_free(bench);
}
