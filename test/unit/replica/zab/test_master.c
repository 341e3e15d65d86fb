/* An observer master, fed by hand with what its leader commits and what its observers say. */
#include "replica/zab/zab_master.h"

#include "test/lib/check.h"
#include "test/lib/zab_bench.h"
#include "wire/quorum.h"

enum { MY_ID = 1, EPOCH = 3, FIRST = 8, SECOND = 10 };

struct bench {
    struct zab_bench around;
    struct zab_master *master;
};

static struct bench *bench_new(bool of_paddock)
{
    struct bench *bench = mem_zalloc(sizeof(*bench));

    zab_bench_init(&bench->around, MY_ID, zab_bench_servers(1, 3));
    bench->around.zab.accepted_epoch = bench->around.zab.current_epoch = EPOCH;
    bench->around.zab.options.observer_master_port = 2190;
    proposals_learn(bench->around.proposals);
    bench->master = zab_master_new(&bench->around.zab,
                                   &(struct zab_mastery){.epoch = EPOCH, .of_paddock = of_paddock});
    effects_clear(&bench->around.effects);
    return bench;
}

static void bench_free(struct bench *bench)
{
    zab_master_free(bench->master);
    zab_bench_deinit(&bench->around);
    mem_free(bench);
}

static void hear(struct bench *bench, uint64_t connection, int32_t type, int64_t zxid,
                 struct slice data)
{
    zab_leader_bytes(zab_master_learners(bench->master), connection,
                     zab_bench_packet(&bench->around, type, zxid, data));
}

static void introduce(struct bench *bench, uint64_t connection, int32_t type)
{
    uint8_t info[20] = {0};

    store_be64(info, connection); /* an id that no server.N line has */
    store_be32(info + 8, LEARNER_PROTOCOL_VERSION);
    zab_leader_opened(zab_master_learners(bench->master), connection);
    hear(bench, connection, type, zxid_of_epoch(EPOCH), slice_of(info, sizeof(info)));
}

static void promise(struct bench *bench, uint64_t connection, int64_t zxid)
{
    uint8_t bytes[ACK_EPOCH_BYTES_MAX];
    struct epoch_ack ack = {.epoch = -1};

    hear(bench, connection, QUORUM_ACK_EPOCH, zxid,
         slice_of(bytes, quorum_epoch_ack_write(bytes, &ack)));
}

static void reach_serving(struct bench *bench, uint64_t connection)
{
    introduce(bench, connection, QUORUM_OBSERVER_INFO);
    CHECK_TEXT("the epoch is open", zab_bench_sent(&bench->around), "LEADERINFO ");
    promise(bench, connection, 0);
    CHECK_TEXT("in step", zab_bench_sent(&bench->around), "DIFF NEWLEADER ");
    hear(bench, connection, QUORUM_ACK, zxid_of_epoch(EPOCH), SLICE_NULL);
    CHECK_TEXT("it serves", zab_bench_sent(&bench->around), "UPTODATE ");
}

/* The leader proposes a createSession, and commits it. */
static void commit(struct bench *bench, int64_t zxid)
{
    struct proposals *proposals = bench->around.proposals;
    struct buffer bytes = {0};
    const char *problem = NULL;
    struct txn txn = {
        .header = {.client_id = zxid, .zxid = zxid, .time_ms = 1000, .type = OP_CREATE_SESSION},
        .op = {.type = OP_CREATE_SESSION, .timeout_ms = 5000}};

    txn_write(&bytes, &txn);
    CHECK(proposals_receive(proposals, zxid, buffer_slice(&bytes), true, &problem) == STATUS_OK);
    zab_master_commit(bench->master, proposals_kept_count(proposals) - 1);
    proposals_agreed(proposals, zxid, &bench->around.observer);
    buffer_deinit(&bytes);
}

static void end(struct bench *bench)
{
    int64_t zxid = proposals_proposed_zxid(bench->around.proposals);

    proposals_durable(bench->around.proposals, zxid, &bench->around.observer);
    bench_free(bench);
}

TEST(an_observer_is_told_what_the_leader_commits_before_it_is_on_disk_here)
{
    struct bench *bench = bench_new(/* of_paddock= */ true);

    reach_serving(bench, FIRST);
    commit(bench, zxid_make(EPOCH, 1));
    commit(bench, zxid_make(EPOCH, 2));
    zab_master_end_turn(bench->master);
    CHECK_TEXT("both", zab_bench_sent(&bench->around), "INFORM INFORM ");
    CHECK_I64("not applied", proposals_applied_zxid(bench->around.proposals), 0);
    end(bench);
}

TEST(an_observer_that_joins_in_the_turn_of_a_commit_gets_it_as_history_and_not_again)
{
    struct bench *bench = bench_new(/* of_paddock= */ true);

    reach_serving(bench, FIRST);
    introduce(bench, SECOND, QUORUM_OBSERVER_INFO);
    (void)zab_bench_sent(&bench->around);
    commit(bench, zxid_make(EPOCH, 1));
    promise(bench, SECOND, 0);
    commit(bench, zxid_make(EPOCH, 2));
    zab_master_end_turn(bench->master);
    size_t first = 0, second = 0;
    const struct effects *effects = &bench->around.effects;
    for (size_t i = 0; i < effects->peer_count; i++) {
        const struct peer_effect *effect = &effects->peers[i];
        struct slice rest = slice_of(effects->peer_bytes.data + effect->offset, effect->size);
        struct quorum_packet packet;
        size_t size;
        while (effect->kind == PEER_SEND && rest.size > 0 &&
               quorum_packet_read(rest, SIZE_MAX / 2, &packet, &size) == STATUS_OK) {
            if (packet.type == QUORUM_INFORM)
                *(effect->connection == FIRST ? &first : &second) += 1;
            rest = slice_of(rest.data + size, rest.size - size);
        }
    }
    CHECK_U64("the first is told both", first, 2);
    CHECK_U64("the second has got one", second, 1);
    end(bench);
}

TEST(only_an_observer_is_served)
{
    struct bench *bench = bench_new(/* of_paddock= */ true);

    introduce(bench, FIRST, QUORUM_FOLLOWER_INFO);
    CHECK_U64("effects", bench->around.effects.peer_count, 1);
    CHECK(bench->around.effects.peers[0].kind == PEER_CLOSE);
    bench_free(bench);
}

/* A digest that a leader of Java computed may be wrong: the observer must not hold its own tree to be. */
TEST(a_follower_of_java_does_not_say_that_who_proposes_is_paddock)
{
    struct bench *bench = bench_new(/* of_paddock= */ false);
    struct quorum_packet packet;
    struct leader_info info;
    size_t size;

    introduce(bench, FIRST, QUORUM_OBSERVER_INFO);
    CHECK(quorum_packet_read(buffer_slice(&bench->around.effects.peer_bytes), SIZE_MAX / 2, &packet,
                             &size) == STATUS_OK);
    CHECK(quorum_leader_info_read(packet.data, &info) == STATUS_OK && !info.paddock);
    bench_free(bench);
}

TEST(a_question_about_a_session_goes_to_the_leader_and_its_answer_comes_back_once)
{
    struct bench *bench = bench_new(/* of_paddock= */ true);
    struct session_valid answer = {.session_id = 77, .valid = true};
    struct session_question asked;
    struct buffer question = {0};

    reach_serving(bench, FIRST);
    quorum_revalidate_put(&question, &(struct session_touch){.session_id = 77, .timeout_ms = 4000});
    zab_leader_bytes(zab_master_learners(bench->master), FIRST, buffer_slice(&question));
    CHECK(slice_equal(buffer_slice(proposals_to_leader(bench->around.proposals)),
                      buffer_slice(&question)));
    CHECK(!proposals_take_question(bench->around.proposals, 78, /* in_order= */ true, &asked));
    CHECK(proposals_take_question(bench->around.proposals, 77, /* in_order= */ true, &asked));
    CHECK_U64("asker", asked.asker, FIRST);
    zab_master_revalidated(bench->master, &asked, &answer);
    CHECK_TEXT("to the observer", zab_bench_sent(&bench->around), "REVALIDATE ");
    CHECK(!proposals_take_question(bench->around.proposals, 77, /* in_order= */ true, &asked));
    buffer_deinit(&question);
    bench_free(bench);
}

TEST(an_observer_that_is_silent_is_dropped_and_the_answer_to_it_goes_nowhere)
{
    struct bench *bench = bench_new(/* of_paddock= */ true);
    struct session_question asked;
    struct buffer question = {0};

    reach_serving(bench, FIRST);
    quorum_revalidate_put(&question, &(struct session_touch){.session_id = 77, .timeout_ms = 4000});
    zab_leader_bytes(zab_master_learners(bench->master), FIRST, buffer_slice(&question));
    bench->around.step.now_ms += ZAB_BENCH_SYNC_LIMIT * ZAB_BENCH_TICK_MS + 1;
    zab_master_tick(bench->master);
    CHECK_U64("effects", bench->around.effects.peer_count, 1);
    CHECK(bench->around.effects.peers[0].kind == PEER_CLOSE);
    effects_clear(&bench->around.effects);
    CHECK(proposals_take_question(bench->around.proposals, 77, /* in_order= */ true, &asked));
    zab_master_revalidated(bench->master, &asked,
                           &(struct session_valid){.session_id = 77, .valid = true});
    CHECK_U64("nothing is sent", bench->around.effects.peer_count, 0);
    buffer_deinit(&question);
    bench_free(bench);
}
