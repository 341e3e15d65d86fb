/* A leader, fed with the packets of one follower by hand: when it gives up. */
#include "replica/zab/zab_leader.h"

#include "test/lib/check.h"
#include "test/lib/leader_bench.h"
#include "wire/quorum.h"

enum { EPOCH = LEADER_BENCH_EPOCH, CONNECTION = LEADER_BENCH_FOLLOWER };
enum { TICK_MS = ZAB_BENCH_TICK_MS, SYNC_LIMIT = ZAB_BENCH_SYNC_LIMIT };

/* It leads. */
static struct leader_bench *bench_of(struct membership *membership)
{
    struct leader_bench *bench = leader_bench_new(membership);

    leader_bench_lead(bench);
    return bench;
}

static struct leader_bench *bench_new(void)
{
    return bench_of(zab_bench_servers(1, 3));
}

/* One more write, and a tick; the follower acknowledges at once. */
static void second(struct leader_bench *bench, int64_t counter)
{
    const struct proposal request = {.session_id = 100 + counter, .timeout_ms = 30000};

    bench->around.step.now_ms += TICK_MS;
    proposals_submit_create_session(bench->around.proposals, &request);
    zab_leader_end_turn(bench->leader);
    leader_bench_hear(bench, CONNECTION, QUORUM_ACK, zxid_make(EPOCH, counter), SLICE_NULL);
    zab_leader_end_turn(bench->leader);
    zab_leader_tick(bench->leader);
    effects_clear(&bench->around.effects);
}

/* A server of Java without any data says so. */
TEST(a_learner_whose_last_zxid_is_minus_one_does_not_count_for_an_epoch)
{
    struct leader_bench *bench = bench_new();

    leader_bench_introduce(bench, CONNECTION, 1, QUORUM_FOLLOWER_INFO);
    leader_bench_store_done(bench);
    leader_bench_promise(bench, CONNECTION, -1);
    CHECK(!bench->around.effects.store_begin); /* it waits for another one's */
    leader_bench_free(bench);
}

TEST(a_leader_whose_log_is_always_one_write_behind_goes_on)
{
    struct leader_bench *bench = bench_new();

    leader_bench_reach_serving(bench);
    for (int64_t counter = 1; counter < 5 * SYNC_LIMIT; counter++) {
        if (counter > 1)
            proposals_durable(bench->around.proposals, zxid_make(EPOCH, counter - 1),
                              &bench->around.observer);
        second(bench, counter);
        CHECK(zab_leader_failed(bench->leader) == NULL);
    }
    proposals_durable(bench->around.proposals, proposals_proposed_zxid(bench->around.proposals),
                      &bench->around.observer);
    leader_bench_free(bench);
}

TEST(a_leader_whose_log_stands_still_gives_up_after_sync_limit)
{
    struct leader_bench *bench = bench_new();
    int64_t counter = 0;

    leader_bench_reach_serving(bench);
    while (zab_leader_failed(bench->leader) == NULL && counter < 3 * SYNC_LIMIT)
        second(bench, ++counter);
    CHECK_I64("ticks", counter, SYNC_LIMIT + 2);
    CHECK(strstr(zab_leader_failed(bench->leader), "not synced within syncLimit") != NULL);
    proposals_durable(bench->around.proposals, proposals_proposed_zxid(bench->around.proposals),
                      &bench->around.observer);
    leader_bench_free(bench);
}

TEST(a_leader_that_is_a_quorum_by_itself_waits_for_nobody)
{
    struct leader_bench *bench = bench_of(zab_bench_servers(LEADER_BENCH_ID, LEADER_BENCH_ID));
    const struct proposal request = {.session_id = 101, .timeout_ms = 30000};

    leader_bench_store_done(bench); /* the promise, then the epoch */
    leader_bench_store_done(bench);
    zab_leader_end_turn(bench->leader);
    CHECK(zab_leader_serves(bench->leader));
    proposals_submit_create_session(bench->around.proposals, &request);
    zab_leader_end_turn(bench->leader);
    CHECK_I64("not before it is on disk", proposals_applied_zxid(bench->around.proposals), 0);
    proposals_durable(bench->around.proposals, zxid_make(EPOCH, 1), &bench->around.observer);
    zab_leader_end_turn(bench->leader);
    CHECK_I64("committed", proposals_applied_zxid(bench->around.proposals), zxid_make(EPOCH, 1));
    bench->around.step.now_ms += 10 * SYNC_LIMIT * TICK_MS;
    zab_leader_tick(bench->leader);
    CHECK(zab_leader_failed(bench->leader) == NULL);
    leader_bench_free(bench);
}

TEST(a_leader_tells_how_many_transactions_its_epoch_has_left)
{
    struct leader_bench *bench = bench_of(zab_bench_servers(LEADER_BENCH_ID, LEADER_BENCH_ID));
    const struct proposal request = {.session_id = 101, .timeout_ms = 30000};

    CHECK_I64("it does not serve yet", zab_leader_zxids_left(bench->leader), -1);
    leader_bench_store_done(bench);
    leader_bench_store_done(bench);
    CHECK_I64("all", zab_leader_zxids_left(bench->leader), ZAB_COUNTER_LAST);
    proposals_submit_create_session(bench->around.proposals, &request);
    CHECK_I64("but one", zab_leader_zxids_left(bench->leader), ZAB_COUNTER_LAST - 1);
    zab_leader_end_turn(bench->leader);
    proposals_durable(bench->around.proposals, zxid_make(EPOCH, 1), &bench->around.observer);
    zab_leader_end_turn(bench->leader);
    leader_bench_free(bench);
}

TEST(a_leader_without_zxids_ends_its_epoch)
{
    struct leader_bench *bench = bench_of(zab_bench_servers(LEADER_BENCH_ID, LEADER_BENCH_ID));

    bench->around.step.mutant = MUTANT_LATE_COUNTERS; /* no bug: nearly all are used up */
    leader_bench_store_done(bench);
    leader_bench_store_done(bench);
    while (zab_leader_zxids_left(bench->leader) > 0) {
        const struct proposal request = {.session_id = zab_leader_zxids_left(bench->leader),
                                         .timeout_ms = 30000};
        CHECK(zab_leader_failed(bench->leader) == NULL);
        proposals_submit_create_session(bench->around.proposals, &request);
        int64_t zxid = proposals_proposed_zxid(bench->around.proposals);
        zab_leader_end_turn(bench->leader);
        proposals_durable(bench->around.proposals, zxid, &bench->around.observer);
        zab_leader_end_turn(bench->leader);
        effects_clear(&bench->around.effects);
    }
    CHECK(zab_leader_failed(bench->leader) != NULL &&
          strstr(zab_leader_failed(bench->leader), "used up") != NULL);
    CHECK_I64("the last one waits for the next leader",
              proposals_applied_zxid(bench->around.proposals),
              proposals_proposed_zxid(bench->around.proposals) - 1);
    leader_bench_free(bench);
}

/* A ZooKeeper 3.8.0 follower breaks down at the COMMIT of what it was proposed in front of NEWLEADER. */
TEST(what_is_not_agreed_yet_is_proposed_to_a_late_follower_behind_newleader)
{
    enum { LATE = CONNECTION + 2 };
    struct leader_bench *bench = bench_new();

    leader_bench_reach_serving(bench);
    second(bench, 1); /* agreed by the follower and, below, by the leader's own log */
    proposals_durable(bench->around.proposals, zxid_make(EPOCH, 1), &bench->around.observer);
    zab_leader_end_turn(bench->leader);
    proposals_submit_create_session(bench->around.proposals,
                                    &(struct proposal){.session_id = 102, .timeout_ms = 30000});
    zab_leader_end_turn(bench->leader); /* the second one waits for its acknowledgements */
    leader_bench_introduce(bench, LATE, 2, QUORUM_FOLLOWER_INFO);
    effects_clear(&bench->around.effects);
    leader_bench_promise(bench, LATE, 0);
    CHECK_TEXT("the way", zab_bench_sent(&bench->around),
               "DIFF PROPOSAL COMMIT NEWLEADER PROPOSAL ");
    proposals_durable(bench->around.proposals, zxid_make(EPOCH, 2), &bench->around.observer);
    leader_bench_hear(bench, CONNECTION, QUORUM_ACK, zxid_make(EPOCH, 2), SLICE_NULL);
    zab_leader_end_turn(bench->leader);
    leader_bench_free(bench);
}

/* --- how many learners at once, and by which way --- */

static void join(struct leader_bench *bench, uint64_t connection, uint8_t id, int32_t type)
{
    effects_clear(&bench->around.effects);
    leader_bench_introduce(bench, connection, id, type);
    effects_clear(&bench->around.effects);
    leader_bench_promise(bench, connection, 0);
}

static const char *closed_because(const struct leader_bench *bench)
{
    for (size_t i = 0; i < bench->around.effects.peer_count; i++) {
        if (bench->around.effects.peers[i].kind == PEER_CLOSE)
            return bench->around.effects.peers[i].reason;
    }
    return "it is open";
}

TEST(an_observer_that_comes_while_as_many_as_may_be_are_brought_in_step_is_closed)
{
    enum { FIRST = CONNECTION + 2, SECOND = CONNECTION + 4, VOTER = CONNECTION + 6 };
    struct leader_bench *bench = bench_new();

    bench->around.zab.options.diff_syncs_max = 1;
    bench->around.zab.options.snap_syncs_max = 1;
    leader_bench_reach_serving(bench);
    join(bench, FIRST, 11, QUORUM_OBSERVER_INFO);
    CHECK_TEXT("the first", zab_bench_sent(&bench->around), "DIFF NEWLEADER ");
    join(bench, SECOND, 12, QUORUM_OBSERVER_INFO);
    CHECK(strstr(closed_because(bench), "leader.maxConcurrentDiffSyncs") != NULL);
    CHECK_TEXT("the second", zab_bench_sent(&bench->around), "");
    join(bench, VOTER, 2, QUORUM_FOLLOWER_INFO);
    CHECK_TEXT("a quorum may need a follower", zab_bench_sent(&bench->around), "DIFF NEWLEADER ");
    leader_bench_hear(bench, FIRST, QUORUM_ACK, zxid_of_epoch(EPOCH), SLICE_NULL);
    leader_bench_hear(bench, VOTER, QUORUM_ACK, zxid_of_epoch(EPOCH), SLICE_NULL);
    join(bench, SECOND, 12, QUORUM_OBSERVER_INFO);
    CHECK_TEXT("when these are done", zab_bench_sent(&bench->around), "DIFF NEWLEADER ");
    leader_bench_free(bench);
}

TEST(learners_that_take_or_wait_for_a_snapshot_have_a_limit_of_their_own)
{
    enum { FIRST = CONNECTION + 2, SECOND = CONNECTION + 4, THIRD = CONNECTION + 6 };
    struct leader_bench *bench = bench_new();

    bench->around.zab.options.diff_syncs_max = 1;
    bench->around.zab.options.snap_syncs_max = 2;
    leader_bench_reach_serving(bench);
    bench->around.zab.options.force_snapshot = true;
    join(bench, FIRST, 11, QUORUM_OBSERVER_INFO);
    CHECK_TEXT("it waits", closed_because(bench), "it is open");
    zab_leader_end_turn(bench->leader);
    join(bench, SECOND, 12, QUORUM_OBSERVER_INFO);
    CHECK_TEXT("it waits, too", closed_because(bench), "it is open");
    join(bench, THIRD, 13, QUORUM_OBSERVER_INFO);
    CHECK(strstr(closed_because(bench), "leader.maxConcurrentSnapSyncs") != NULL);
    bench->around.zab.options.force_snapshot = false;
    join(bench, THIRD, 13, QUORUM_OBSERVER_INFO);
    CHECK_TEXT("a DIFF", zab_bench_sent(&bench->around), "DIFF NEWLEADER ");
    leader_bench_free(bench);
}

TEST(a_forced_snapshot_goes_to_who_lacks_nothing_and_not_to_who_has_more)
{
    enum { SAME = CONNECTION + 2, MORE = CONNECTION + 4 };
    struct leader_bench *bench = bench_new();

    leader_bench_reach_serving(bench);
    bench->around.zab.options.force_snapshot = true;
    join(bench, SAME, 11, QUORUM_OBSERVER_INFO);
    zab_leader_end_turn(bench->leader);
    CHECK(strncmp(zab_bench_sent(&bench->around), "SNAP ", 5) == 0);
    leader_bench_introduce(bench, MORE, 2, QUORUM_FOLLOWER_INFO);
    effects_clear(&bench->around.effects);
    leader_bench_promise(bench, MORE, 3);
    CHECK_TEXT("it stands in its log", zab_bench_sent(&bench->around), "TRUNC NEWLEADER ");
    leader_bench_free(bench);
}

TEST(a_leader_without_an_epoch_gives_up_when_an_elector_looks_again_after_its_patience)
{
    struct leader_bench *bench = bench_new();

    zab_leader_elector_looks_again(bench->leader);
    bench->around.step.now_ms += 501;
    zab_leader_elector_looks_again(bench->leader);
    CHECK(zab_leader_failed(bench->leader) == NULL); /* no such limit was given */
    bench->around.zab.options.epoch_wait_max_ms = 501;
    zab_leader_elector_looks_again(bench->leader);
    CHECK(zab_leader_failed(bench->leader) == NULL);
    bench->around.zab.options.epoch_wait_max_ms = 500;
    zab_leader_elector_looks_again(bench->leader);
    CHECK(strstr(zab_leader_failed(bench->leader), "leader.maxTimeToWaitForEpoch") != NULL);
    leader_bench_free(bench);
}

TEST(a_leader_whose_epoch_has_its_quorum_goes_on_when_an_elector_looks_again)
{
    struct leader_bench *bench = bench_new();

    bench->around.zab.options.epoch_wait_max_ms = 0;
    leader_bench_reach_serving(bench);
    bench->around.step.now_ms += 1;
    zab_leader_elector_looks_again(bench->leader);
    CHECK(zab_leader_failed(bench->leader) == NULL);
    leader_bench_free(bench);
}

/* --- two voters and an oracle --- */

static void write_one(struct leader_bench *bench, int64_t counter)
{
    const struct proposal request = {.session_id = 100 + counter, .timeout_ms = 30000};

    proposals_submit_create_session(bench->around.proposals, &request);
    zab_leader_end_turn(bench->leader);
    proposals_durable(bench->around.proposals, zxid_make(EPOCH, counter), &bench->around.observer);
    zab_leader_end_turn(bench->leader);
    effects_clear(&bench->around.effects);
}

static int64_t applied(const struct leader_bench *bench)
{
    return zxid_counter(proposals_applied_zxid(bench->around.proposals));
}

TEST(one_of_two_voters_leads_alone_while_the_oracle_grants_it)
{
    struct leader_bench *bench = bench_of(zab_bench_servers(2, 3));

    CHECK(!bench->around.effects.store_begin); /* nobody has said anything yet */
    zab_leader_free(bench->leader);
    bench->around.zab.oracle = ORACLE_GRANTS;
    leader_bench_lead(bench);
    leader_bench_store_done(bench);
    leader_bench_store_done(bench);
    CHECK(zab_leader_serves(bench->leader));
    write_one(bench, 1);
    CHECK_I64("committed", applied(bench), 1);
    bench->around.step.now_ms += 10 * SYNC_LIMIT * TICK_MS;
    zab_leader_tick(bench->leader);
    CHECK(zab_leader_failed(bench->leader) == NULL);
    bench->around.zab.oracle = ORACLE_REFUSES;
    zab_leader_tick(bench->leader);
    CHECK(zab_leader_failed(bench->leader) != NULL);
    leader_bench_free(bench);
}

TEST(what_waits_for_the_other_voter_is_committed_when_that_is_gone_and_the_oracle_grants_it)
{
    struct leader_bench *bench = bench_of(zab_bench_servers(2, 3));

    bench->around.zab.oracle = ORACLE_GRANTS;
    leader_bench_introduce(bench, CONNECTION, 2, QUORUM_FOLLOWER_INFO);
    leader_bench_store_done(bench);
    leader_bench_promise(bench, CONNECTION, 0);
    leader_bench_store_done(bench);
    write_one(bench, 1);
    CHECK_I64("not in step yet: it is not waited for", applied(bench), 1);
    leader_bench_hear(bench, CONNECTION, QUORUM_ACK, zxid_of_epoch(EPOCH), SLICE_NULL);
    write_one(bench, 2);
    CHECK_I64("it is there: nobody goes on alone", applied(bench), 1);
    zab_leader_closed(bench->leader, CONNECTION);
    zab_leader_end_turn(bench->leader);
    CHECK_I64("it is gone", applied(bench), 2);
    CHECK(zab_leader_failed(bench->leader) == NULL);
    leader_bench_free(bench);
}

TEST(an_oracle_does_not_make_one_of_three_a_quorum)
{
    struct leader_bench *bench = bench_new();

    zab_leader_free(bench->leader);
    bench->around.zab.oracle = ORACLE_GRANTS;
    leader_bench_lead(bench);
    CHECK(!bench->around.effects.store_begin);
    leader_bench_free(bench);
}
