/* A learner, fed with the packets of a leader by hand: what it promises, acknowledges and gives up. */
#include "replica/zab/zab_learner.h"

#include "replica/store/snapshot.h"
#include "test/lib/check.h"
#include "test/lib/zab_bench.h"
#include "wire/quorum.h"

enum { EPOCH = 5, TEXT_BYTES_MAX = ZAB_BENCH_TEXT_BYTES_MAX };

struct bench {
    struct zab_bench around;
    uint64_t connection;
    struct zab_learner *learner;
};

static struct bench *bench_new(void)
{
    struct bench *bench = mem_zalloc(sizeof(*bench));

    zab_bench_init(&bench->around, /* my_id= */ 1, zab_bench_servers(1, 3));
    bench->connection = 1;
    bench->learner =
        zab_learner_new(&bench->around.zab, membership_find(bench->around.membership, /* id= */ 3));
    return bench;
}

static void bench_free(struct bench *bench)
{
    zab_learner_free(bench->learner);
    zab_bench_deinit(&bench->around);
    mem_free(bench);
}

static void hear(struct bench *bench, int32_t type, int64_t zxid, struct slice data)
{
    zab_learner_bytes(bench->learner, bench->connection,
                      zab_bench_packet(&bench->around, type, zxid, data));
}

static void store_done(struct bench *bench)
{
    struct tree *none = NULL;

    CHECK(zab_store_done(&bench->around.zab));
    effects_clear(&bench->around.effects);
    zab_learner_store_done(bench->learner, STATUS_OK, &none);
}

/* The snapshot of the bench's own tree, as a leader sends it. */
static void hear_snapshot(struct bench *bench, int64_t zxid)
{
    const struct snapshot_image_options options = {.wire = true};
    struct snapshot_image *image = snapshot_image_begin(bench->around.tree, &options);
    struct buffer bytes = {0};

    hear(bench, QUORUM_SNAP, zxid, SLICE_NULL);
    while (snapshot_image_next(image, &bytes, 1 << 16) != IMAGE_END)
        ;
    snapshot_image_end(image);
    zab_learner_bytes(bench->learner, bench->connection, buffer_slice(&bytes));
    buffer_deinit(&bytes);
    zab_learner_end_turn(bench->learner);
    CHECK(bench->around.effects.store_begin &&
          bench->around.effects.store_work.kind == STORE_RESTART_LOG);
    store_done(bench);
    struct tree *tree = zab_learner_take_tree(bench->learner);
    CHECK(tree != NULL);
    proposals_replace_tree(bench->around.proposals, tree);
    tree_free(bench->around.tree);
    bench->around.tree = tree;
    zab_learner_tree_taken(bench->learner);
    CHECK(zab_learner_wants_snapshot(bench->learner));
    zab_learner_snapshot_done(bench->learner, /* written= */ true);
}

static void hear_leader_info(struct bench *bench, bool paddock)
{
    uint8_t info[LEADER_INFO_BYTES];

    quorum_leader_info_write(info);
    hear(bench, QUORUM_LEADER_INFO, zxid_of_epoch(EPOCH), slice_of(info, paddock ? 8 : 4));
}

static void reach_serving_behind(struct bench *bench, bool paddock, int64_t snapshot_zxid)
{
    zab_learner_opened(bench->learner, bench->connection);
    CHECK_TEXT("first", zab_bench_sent(&bench->around), "FOLLOWERINFO ");
    hear_leader_info(bench, paddock);
    CHECK(bench->around.effects.store_begin &&
          bench->around.effects.store_work.accepted_epoch == EPOCH);
    CHECK_TEXT("nothing is promised before it is on disk", zab_bench_sent(&bench->around), "");
    store_done(bench);
    CHECK_I64("accepted", bench->around.zab.accepted_epoch, EPOCH);
    CHECK_TEXT("then it is", zab_bench_sent(&bench->around), "ACKEPOCH ");
    if (snapshot_zxid != 0)
        hear_snapshot(bench, snapshot_zxid);
    else
        hear(bench, QUORUM_DIFF, 0, SLICE_NULL);
    hear(bench, QUORUM_NEW_LEADER, zxid_of_epoch(EPOCH), SLICE_NULL);
    zab_learner_end_turn(bench->learner);
    CHECK(bench->around.effects.store_begin &&
          bench->around.effects.store_work.current_epoch == EPOCH);
    CHECK_TEXT("nor is the history acknowledged", zab_bench_sent(&bench->around), "");
    store_done(bench);
    CHECK_TEXT("then it is, too", zab_bench_sent(&bench->around), "ACK ");
    CHECK(!zab_learner_serves(bench->learner));
    hear(bench, QUORUM_UP_TO_DATE, QUORUM_NO_ZXID, SLICE_NULL);
    CHECK_TEXT("and once more", zab_bench_sent(&bench->around), "ACK ");
    CHECK(zab_learner_serves(bench->learner) && zab_learner_failed(bench->learner) == NULL);
}

static void reach_serving(struct bench *bench)
{
    reach_serving_behind(bench, /* paddock= */ true, /* snapshot_zxid= */ 0);
}

/* A createSession of this zxid, whose digest is the tree's, or `wrong` beside it. */
static void propose(struct bench *bench, int64_t zxid, int64_t wrong)
{
    struct buffer bytes = {0};
    struct txn txn = {
        .header = {.client_id = zxid, .zxid = zxid, .time_ms = 1000, .type = OP_CREATE_SESSION},
        .op = {.type = OP_CREATE_SESSION, .timeout_ms = 5000}};

    txn_write(&bytes, &txn);
    txn_digest_write(
        &bytes, &(struct txn_digest){.version = 2,
                                     .digest = (int64_t)tree_digest(bench->around.tree) + wrong});
    hear(bench, QUORUM_PROPOSAL, zxid, buffer_slice(&bytes));
    buffer_deinit(&bytes);
}

static void propose_session(struct bench *bench, int64_t zxid)
{
    propose(bench, zxid, /* wrong= */ 0);
}

static void make_durable(struct bench *bench, int64_t zxid)
{
    proposals_durable(bench->around.proposals, zxid, &bench->around.observer);
    zab_learner_end_turn(bench->learner);
}

TEST(nothing_is_promised_or_acknowledged_before_it_is_on_disk)
{
    struct bench *bench = bench_new();
    int64_t zxid = zxid_make(EPOCH, 1);

    reach_serving(bench);
    propose_session(bench, zxid);
    hear(bench, QUORUM_COMMIT, zxid, SLICE_NULL);
    zab_learner_end_turn(bench->learner);
    CHECK_TEXT("not on disk", zab_bench_sent(&bench->around), "");
    CHECK_I64("committed, and not applied", proposals_applied_zxid(bench->around.proposals), 0);
    make_durable(bench, zxid);
    CHECK_TEXT("on disk", zab_bench_sent(&bench->around), "ACK ");
    CHECK_I64("applied", proposals_applied_zxid(bench->around.proposals), zxid);
    CHECK(zab_learner_failed(bench->learner) == NULL);
    bench_free(bench);
}

/* To DIFF; NEWLEADER comes next. */
static void reach_history(struct bench *bench)
{
    zab_learner_opened(bench->learner, bench->connection);
    hear_leader_info(bench, /* paddock= */ false);
    store_done(bench);
    hear(bench, QUORUM_DIFF, 0, SLICE_NULL);
    (void)zab_bench_sent(&bench->around);
}

static void propose_reconfig(struct bench *bench, int64_t zxid)
{
    struct buffer bytes = {0};
    struct txn txn = {.header = {.zxid = zxid, .time_ms = 1000, .type = OP_RECONFIG},
                      .op = {.type = OP_RECONFIG,
                             .path = SLICE("/zookeeper/config"),
                             .data = SLICE("server.1=a:1:2\nversion=500000001")}};

    txn_write(&bytes, &txn);
    hear(bench, QUORUM_PROPOSAL, zxid, buffer_slice(&bytes));
    buffer_deinit(&bytes);
}

/* It would count acknowledgements by another list of servers than the others. */
TEST(
    a_leader_whose_configuration_has_other_servers_ends_the_process_before_its_history_is_acknowledged)
{
    static const struct {
        struct slice config;
        bool fatal;
        int64_t version;
    } rows[] = {
        {SLICE("server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2\nversion=500000000"), false,
         0x500000000},
        {SLICE("server.1=x:1:2\nserver.2=y:1:2\nserver.3=z:1:2\nversion=500000000"), false,
         0x500000000},
        {SLICE("server.1=a:1:2\nserver.3=c:1:2\nversion=500000000"), true, 0},
        {SLICE("server.1=a:1:2\nserver.2=b:1:2\nserver.4=c:1:2\nversion=500000000"), true, 0},
        {SLICE("server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2:observer\nversion=500000000"), true,
         0},
        {SLICE("server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2\ngroup.1=1:2:3\nversion=1"), true,
         0},
        {SLICE("server.1=a:1:2\nserver.3=c:1:2\nversion=0"), false, 0}, /* not by reconfig */
        {SLICE("what is this"), false, 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bench *bench = bench_new();
        reach_history(bench);
        hear(bench, QUORUM_NEW_LEADER, zxid_of_epoch(EPOCH), rows[i].config);
        zab_learner_end_turn(bench->learner);
        CHECK((bench->around.zab.fatal != NULL) == rows[i].fatal);
        CHECK((zab_learner_failed(bench->learner) != NULL) == rows[i].fatal);
        CHECK(bench->around.effects.store_begin == !rows[i].fatal);
        CHECK_I64("version", bench->around.membership->version, rows[i].version);
        bench_free(bench);
    }
}

TEST(a_proposal_of_other_servers_is_not_logged_and_ends_the_process)
{
    int64_t zxid = zxid_make(EPOCH, 1);

    for (int history = 0; history < 2; history++) {
        struct bench *bench = bench_new();
        if (history)
            reach_history(bench);
        else
            reach_serving(bench);
        propose_reconfig(bench, zxid);
        /* In the history it may be of long ago: NEWLEADER says what came of it. */
        CHECK((bench->around.zab.fatal != NULL) == !history);
        CHECK_I64("logged", proposals_proposed_zxid(bench->around.proposals), history ? zxid : 0);
        if (history)
            make_durable(bench, zxid);
        bench_free(bench);
    }
}

TEST(a_commit_of_another_transaction_than_the_next_ends_the_role)
{
    struct bench *bench = bench_new();

    reach_serving(bench);
    propose_session(bench, zxid_make(EPOCH, 1));
    propose_session(bench, zxid_make(EPOCH, 2));
    hear(bench, QUORUM_COMMIT, zxid_make(EPOCH, 2), SLICE_NULL);
    CHECK(zab_learner_failed(bench->learner) != NULL);
    proposals_durable(bench->around.proposals, zxid_make(EPOCH, 2), &bench->around.observer);
    bench_free(bench);
}

/* Agreed, and on disk. */
static void apply(struct bench *bench, int64_t zxid, int64_t wrong)
{
    propose(bench, zxid, wrong);
    hear(bench, QUORUM_COMMIT, zxid, SLICE_NULL);
    proposals_durable(bench->around.proposals, zxid, &bench->around.observer);
    zab_learner_look_at_tree(bench->learner);
    zab_learner_end_turn(bench->learner);
}

static int64_t mismatches(struct bench *bench)
{
    return metrics_number(&bench->around.step.metrics, METRIC_DIGEST_MISMATCHES);
}

TEST(a_tree_that_is_not_that_of_a_leader_of_ours_is_not_served_and_is_fetched_anew)
{
    struct bench *bench = bench_new();

    reach_serving(bench);
    apply(bench, zxid_make(EPOCH, 1), /* wrong= */ 0);
    CHECK_TEXT("it acknowledges", zab_bench_sent(&bench->around), "ACK ");
    apply(bench, zxid_make(EPOCH, 2), /* wrong= */ 1);
    CHECK(zab_learner_failed(bench->learner) != NULL);
    CHECK(bench->around.zab.must_have_snapshot && bench->around.zab.fatal == NULL);
    CHECK_TEXT("no more", zab_bench_sent(&bench->around), "");
    bench_free(bench);
}

TEST(a_tree_that_is_not_that_of_a_leader_of_java_is_counted)
{
    struct bench *bench = bench_new();

    reach_serving_behind(bench, /* paddock= */ false, /* snapshot_zxid= */ 0);
    apply(bench, zxid_make(EPOCH, 1), /* wrong= */ 1);
    CHECK(zab_learner_failed(bench->learner) == NULL);
    CHECK_TEXT("it acknowledges", zab_bench_sent(&bench->around), "ACK ");
    CHECK_I64("counted", mismatches(bench), 1);
    bench_free(bench);
}

/* What a leader of Java computed wrongly fits again soon. */
static struct bench *reach_serving_behind_old_digests(int64_t first_wrong, int64_t second_wrong)
{
    struct bench *bench = bench_new();
    int64_t zxid = zxid_make(EPOCH - 1, 1);

    zab_learner_opened(bench->learner, bench->connection);
    hear_leader_info(bench, /* paddock= */ true);
    store_done(bench);
    hear(bench, QUORUM_DIFF, zxid + 1, SLICE_NULL);
    propose(bench, zxid, first_wrong);
    hear(bench, QUORUM_COMMIT, zxid, SLICE_NULL);
    propose(bench, zxid + 1, second_wrong);
    hear(bench, QUORUM_COMMIT, zxid + 1, SLICE_NULL);
    hear(bench, QUORUM_NEW_LEADER, zxid_of_epoch(EPOCH), SLICE_NULL);
    make_durable(bench, zxid + 1);
    store_done(bench);
    hear(bench, QUORUM_UP_TO_DATE, QUORUM_NO_ZXID, SLICE_NULL);
    zab_learner_look_at_tree(bench->learner);
    CHECK_I64("counted", mismatches(bench), 1);
    return bench;
}

TEST(a_digest_of_an_earlier_epoch_that_does_not_fit_is_counted_when_the_next_one_fits)
{
    struct bench *bench = reach_serving_behind_old_digests(1, 0);

    CHECK(zab_learner_serves(bench->learner) && zab_learner_failed(bench->learner) == NULL);
    bench_free(bench);
}

TEST(nothing_is_served_while_the_last_digest_does_not_fit)
{
    struct bench *bench = reach_serving_behind_old_digests(0, 1);

    CHECK(zab_learner_failed(bench->learner) != NULL && bench->around.zab.must_have_snapshot);
    CHECK(bench->around.zab.repaired_at == 0);
    bench_free(bench);
}

TEST(a_snapshot_that_does_not_decode_is_told_with_its_problem_and_ends_the_role)
{
    struct bench *bench = bench_new();

    zab_learner_opened(bench->learner, bench->connection);
    hear_leader_info(bench, /* paddock= */ true);
    store_done(bench);
    hear(bench, QUORUM_SNAP, zxid_make(EPOCH - 1, 7), SLICE_NULL);
    effects_clear(&bench->around.effects);
    zab_learner_bytes(bench->learner, bench->connection, SLICE("\0\0\0\0\0\0\0\0\x7f\xff\xff\xff"));
    CHECK_U64("effects", bench->around.effects.peer_count, 1);
    const struct peer_effect *note = &bench->around.effects.peers[0];
    CHECK(note->kind == PEER_NOTE && note->connection == bench->connection);
    CHECK_TEXT("problem", note->reason, "a string, buffer or list with an impossible length");
    CHECK_TEXT("failed", zab_learner_failed(bench->learner),
               "the leader's snapshot does not decode");
    bench_free(bench);
}

/* Java's snapshot may hold some of what follows it. */
TEST(behind_a_snapshot_of_java_no_digest_is_compared_before_all_of_it_has_come)
{
    struct bench *bench = bench_new();

    zab_learner_opened(bench->learner, bench->connection);
    hear_leader_info(bench, /* paddock= */ false);
    store_done(bench);
    hear_snapshot(bench, zxid_make(EPOCH - 1, 7));
    propose(bench, zxid_make(EPOCH - 1, 8), /* wrong= */ 1);
    hear(bench, QUORUM_COMMIT, zxid_make(EPOCH - 1, 8), SLICE_NULL);
    hear(bench, QUORUM_NEW_LEADER, zxid_of_epoch(EPOCH), SLICE_NULL);
    make_durable(bench, zxid_make(EPOCH - 1, 8));
    store_done(bench);
    propose(bench, zxid_make(EPOCH, 1), /* wrong= */ 1);
    hear(bench, QUORUM_UP_TO_DATE, QUORUM_NO_ZXID, SLICE_NULL);
    hear(bench, QUORUM_COMMIT, zxid_make(EPOCH, 1), SLICE_NULL);
    make_durable(bench, zxid_make(EPOCH, 1));
    CHECK_I64("not compared", mismatches(bench), 0);
    apply(bench, zxid_make(EPOCH, 2), /* wrong= */ 1);
    CHECK_I64("compared", mismatches(bench), 1);
    CHECK(zab_learner_failed(bench->learner) == NULL);
    bench_free(bench);
}

/* As the ensemble does when a role is over, but for what it reads from the files. */
static void begin_anew(struct bench *bench)
{
    zab_learner_free(bench->learner);
    proposals_become_idle(bench->around.proposals, &bench->around.observer);
    bench->connection = bench->around.next_connection;
    effects_clear(&bench->around.effects);
    bench->learner =
        zab_learner_new(&bench->around.zab, membership_find(bench->around.membership, /* id= */ 3));
}

static bool asks_for_all(struct bench *bench)
{
    struct slice rest = buffer_slice(&bench->around.effects.peer_bytes);
    struct quorum_packet packet = {0};
    struct epoch_ack ack = {0};
    size_t size;

    while (rest.size > 0 && quorum_packet_read(rest, TEXT_BYTES_MAX, &packet, &size) == STATUS_OK)
        rest = slice_of(rest.data + size, rest.size - size);
    CHECK_I64("type", packet.type, QUORUM_ACK_EPOCH);
    CHECK_STATUS(quorum_epoch_ack_read(packet.data, &ack), STATUS_OK);
    return ack.wants_all && packet.zxid == proposals_durable_zxid(bench->around.proposals);
}

TEST(a_repair_that_does_not_hold_ends_the_process)
{
    struct bench *bench = bench_new();

    reach_serving(bench);
    apply(bench, zxid_make(EPOCH, 1), /* wrong= */ 1);
    CHECK(zab_learner_failed(bench->learner) != NULL && bench->around.zab.fatal == NULL);
    begin_anew(bench);
    zab_learner_opened(bench->learner, bench->connection);
    hear_leader_info(bench, /* paddock= */ true);
    CHECK(asks_for_all(bench));
    hear_snapshot(bench, zxid_make(EPOCH, 1));
    hear(bench, QUORUM_NEW_LEADER, zxid_of_epoch(EPOCH), SLICE_NULL);
    store_done(bench);
    hear(bench, QUORUM_UP_TO_DATE, QUORUM_NO_ZXID, SLICE_NULL);
    CHECK(!bench->around.zab.must_have_snapshot);
    apply(bench, zxid_make(EPOCH, 2), /* wrong= */ 0);
    CHECK(zab_learner_failed(bench->learner) == NULL);
    apply(bench, zxid_make(EPOCH, 3), /* wrong= */ 1);
    CHECK(bench->around.zab.fatal != NULL);
    bench_free(bench);
}

/* --- in quarantine --- */

static struct bench *in_quarantine(int64_t elected_epoch)
{
    struct bench *bench = bench_new();

    bench->around.zab.quarantined = bench->around.zab.must_have_snapshot = true;
    bench->around.zab.options.observer = true;
    bench->around.zab.elected_epoch = elected_epoch;
    zab_learner_opened(bench->learner, bench->connection);
    CHECK_TEXT("first", zab_bench_sent(&bench->around), "OBSERVERINFO ");
    return bench;
}

TEST(a_learner_in_quarantine_says_that_it_has_nothing_and_acknowledges_no_proposal)
{
    struct bench *bench = in_quarantine(EPOCH);
    struct quorum_packet packet;
    struct epoch_ack ack;
    size_t size;

    hear_leader_info(bench, /* paddock= */ true);
    store_done(bench);
    struct buffer *sent = &bench->around.effects.peer_bytes;
    CHECK_STATUS(quorum_packet_read(buffer_slice(sent), sent->size, &packet, &size), STATUS_OK);
    CHECK_STATUS(quorum_epoch_ack_read(packet.data, &ack), STATUS_OK);
    CHECK_I64("zxid", packet.zxid, -1);
    CHECK_I64("epoch", ack.epoch, -1);
    CHECK(ack.wants_all);
    bench_free(bench);
}

TEST(a_learner_in_quarantine_follows_no_epoch_that_the_others_do_not_have_yet)
{
    struct bench *bench = in_quarantine(EPOCH - 1);

    hear_leader_info(bench, /* paddock= */ true);
    CHECK_TEXT("it says nothing", zab_bench_sent(&bench->around), "");
    CHECK(strstr(zab_learner_failed(bench->learner), "not yet that of a majority") != NULL);
    bench_free(bench);
}

TEST(a_learner_in_quarantine_takes_nothing_less_than_everything)
{
    static const int32_t ways[] = {QUORUM_DIFF, QUORUM_TRUNC};

    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        struct bench *bench = in_quarantine(EPOCH);
        hear_leader_info(bench, /* paddock= */ false);
        store_done(bench);
        hear(bench, ways[i], 0, SLICE_NULL);
        CHECK(strstr(zab_learner_failed(bench->learner), "did not send everything") != NULL);
        bench_free(bench);
    }
}

static int64_t pause_after_closed(struct bench *bench)
{
    zab_learner_closed(bench->learner, bench->connection);
    int64_t at_ms = zab_learner_wake_at_ms(bench->learner);
    int64_t pause_ms = at_ms - bench->around.step.now_ms;

    bench->around.step.now_ms = at_ms;
    zab_learner_tick(bench->learner);
    bench->connection += 2;
    return pause_ms;
}

TEST(a_leader_that_cannot_be_reached_is_dialled_again_after_longer_and_longer_pauses)
{
    struct bench *bench = bench_new();

    CHECK_I64("first", pause_after_closed(bench), 20);
    CHECK_I64("second", pause_after_closed(bench), 40);
    for (int i = 0; i < 5; i++)
        (void)pause_after_closed(bench);
    CHECK_I64("at last", pause_after_closed(bench), 500);
    bench_free(bench);
}

TEST(a_pause_that_was_given_is_that_between_all_dials)
{
    struct bench *bench = bench_new();

    bench->around.zab.options.redial_ms = 70;
    CHECK_I64("first", pause_after_closed(bench), 70);
    CHECK_I64("second", pause_after_closed(bench), 70);
    bench_free(bench);
}

TEST(an_elected_server_that_says_that_it_does_not_lead_is_left_unless_it_has_a_connection)
{
    struct bench *bench = bench_new();

    zab_learner_doubt_leader(bench->learner, /* after_ms= */ 0);
    CHECK_TEXT("left", zab_learner_failed(bench->learner), "the elected server does not lead");
    bench_free(bench);
    bench = bench_new();
    zab_learner_opened(bench->learner, bench->connection);
    zab_learner_doubt_leader(bench->learner, /* after_ms= */ 0);
    CHECK(zab_learner_failed(bench->learner) == NULL);
    bench_free(bench);
}

TEST(an_elected_leader_that_is_gone_is_left_when_it_has_refused_a_dial_and_had_its_time)
{
    enum { AFTER_MS = 100 };
    struct bench *bench = bench_new();
    int64_t begun_ms = bench->around.step.now_ms;

    bench->around.step.now_ms = begun_ms + AFTER_MS;
    zab_learner_doubt_leader(bench->learner, AFTER_MS);
    CHECK(zab_learner_failed(bench->learner) == NULL); /* the dial may still succeed */
    bench->around.step.now_ms = begun_ms;
    (void)pause_after_closed(bench);
    zab_learner_doubt_leader(bench->learner, AFTER_MS);
    CHECK(zab_learner_failed(bench->learner) == NULL);
    bench->around.step.now_ms = begun_ms + AFTER_MS;
    zab_learner_doubt_leader(bench->learner, AFTER_MS);
    CHECK_TEXT("left", zab_learner_failed(bench->learner), "the elected leader is gone");
    bench_free(bench);
}

TEST(the_first_dial_of_each_of_several_addresses_of_a_leader_is_short)
{
    struct zab_bench around;
    struct membership *servers = membership_new();
    struct buffer problem = {0};
    const int32_t expected[] = {300, 300, 0, 0};
    int64_t server;

    CHECK(membership_add(servers, SLICE("server.1"), SLICE("a:1:2"), false, &problem) == STATUS_OK);
    CHECK(membership_add(servers, SLICE("server.3"), SLICE("c:1:2|d:1:2"), true, &problem) ==
          STATUS_OK);
    CHECK(membership_finish(servers, &problem, &server) == STATUS_OK);
    buffer_deinit(&problem);
    zab_bench_init(&around, /* my_id= */ 1, servers);
    around.zab.options.first_try_ms = 300;
    struct zab_learner *learner = zab_learner_new(&around.zab, membership_find(servers, 3));
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        CHECK(around.effects.peer_count == 1 && around.effects.peers[0].kind == PEER_DIAL);
        CHECK_I64("timeout", around.effects.peers[0].timeout_ms, expected[i]);
        uint64_t connection = around.effects.peers[0].connection;
        effects_clear(&around.effects);
        zab_learner_closed(learner, connection);
        around.step.now_ms = zab_learner_wake_at_ms(learner);
        zab_learner_tick(learner);
    }
    zab_learner_free(learner);
    zab_bench_deinit(&around);
}

/* --- an observer that writes no log --- */

static void inform(struct bench *bench, int64_t zxid)
{
    struct buffer bytes = {0};
    struct txn txn = {
        .header = {.client_id = zxid, .zxid = zxid, .time_ms = 1000, .type = OP_CREATE_SESSION},
        .op = {.type = OP_CREATE_SESSION, .timeout_ms = 5000}};

    txn_write(&bytes, &txn);
    hear(bench, QUORUM_INFORM, zxid, buffer_slice(&bytes));
    buffer_deinit(&bytes);
}

static struct bench *unlogged_bench_behind(int64_t snapshot_zxid)
{
    struct bench *bench = bench_new();

    bench->around.zab.options.observer = bench->around.zab.options.unlogged = true;
    zab_learner_opened(bench->learner, bench->connection);
    hear_leader_info(bench, /* paddock= */ true);
    store_done(bench);
    if (snapshot_zxid != 0)
        hear_snapshot(bench, snapshot_zxid);
    else
        hear(bench, QUORUM_DIFF, 0, SLICE_NULL);
    (void)zab_bench_sent(&bench->around);
    effects_clear(&bench->around.effects);
    return bench;
}

TEST(an_observer_without_a_log_writes_neither_transactions_nor_the_epoch_of_a_DIFF)
{
    struct bench *bench = unlogged_bench_behind(0);

    inform(bench, zxid_make(EPOCH - 1, 1));
    hear(bench, QUORUM_NEW_LEADER, zxid_of_epoch(EPOCH), SLICE_NULL);
    CHECK_TEXT("at once", zab_bench_sent(&bench->around), "ACK ");
    inform(bench, zxid_make(EPOCH, 1));
    hear(bench, QUORUM_UP_TO_DATE, QUORUM_NO_ZXID, SLICE_NULL);
    CHECK(zab_learner_serves(bench->learner));
    inform(bench, zxid_make(EPOCH, 2));
    zab_learner_end_turn(bench->learner);
    CHECK(zab_learner_failed(bench->learner) == NULL);
    CHECK_I64("applied", tree_last_zxid(bench->around.tree), zxid_make(EPOCH, 2));
    CHECK_U64("logged", bench->around.effects.append_count, 0);
    CHECK(!bench->around.effects.store_begin);
    CHECK_I64("no epoch without its history", bench->around.zab.current_epoch, 0);
    bench_free(bench);
}

TEST(an_observer_without_a_log_completes_what_a_SNAP_has_begun_on_its_files)
{
    int64_t snapshot_zxid = zxid_make(EPOCH - 1, 7);
    struct bench *bench = unlogged_bench_behind(snapshot_zxid);

    inform(bench, snapshot_zxid + 1);
    CHECK_U64("of the history", bench->around.effects.append_count, 1);
    hear(bench, QUORUM_NEW_LEADER, zxid_of_epoch(EPOCH), SLICE_NULL);
    inform(bench, zxid_make(EPOCH, 1));
    CHECK_U64("not of the epoch", bench->around.effects.append_count, 1);
    CHECK(!bench->around.effects.store_begin);
    CHECK_I64("not durable", proposals_durable_zxid(bench->around.proposals), snapshot_zxid);
    make_durable(bench, snapshot_zxid + 1);
    CHECK_I64("all that was heard", proposals_durable_zxid(bench->around.proposals),
              zxid_make(EPOCH, 1));
    CHECK(bench->around.effects.store_begin &&
          bench->around.effects.store_work.current_epoch == EPOCH);
    store_done(bench);
    hear(bench, QUORUM_UP_TO_DATE, QUORUM_NO_ZXID, SLICE_NULL);
    CHECK_I64("applied", tree_last_zxid(bench->around.tree), zxid_make(EPOCH, 1));
    bench_free(bench);
}
