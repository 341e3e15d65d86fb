/* A learner, fed with the packets of a leader by hand: what it promises, acknowledges and gives up. */
#include "replica/zab/zab_learner.h"

#include "test/lib/check.h"
#include "wire/quorum.h"

enum { EPOCH = 5, TEXT_BYTES_MAX = 1 << 20 };

struct bench {
    struct tree *tree;
    struct step step;
    struct effects effects;
    struct proposals *proposals;
    struct proposals_observer observer;
    struct membership *membership;
    struct zab zab;
    uint64_t next_connection, connection;
    struct zab_learner *learner;
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

static struct bench *bench_new(void)
{
    struct bench *bench = mem_zalloc(sizeof(*bench));
    const struct tree_options tree = {.digest_enabled = true};
    struct proposals_options options = {.rules = {.text_bytes_max = TEXT_BYTES_MAX},
                                        .sessions = {.tick_ms = 1000, .server_id = 1},
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
    bench->membership = three_servers();
    bench->next_connection = 1;
    bench->zab = (struct zab){.options = {.my_id = 1,
                                          .tick_ms = 1000,
                                          .init_limit = 10,
                                          .sync_limit = 5,
                                          .packet_bytes_max = TEXT_BYTES_MAX},
                              .membership = bench->membership,
                              .proposals = bench->proposals,
                              .observer = &bench->observer,
                              .step = &bench->step,
                              .next_connection = &bench->next_connection};
    bench->connection = 1;
    bench->learner = zab_learner_new(&bench->zab, membership_find(bench->membership, /* id= */ 3));
    return bench;
}

static void bench_free(struct bench *bench)
{
    zab_learner_free(bench->learner);
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
    zab_learner_bytes(bench->learner, bench->connection, buffer_slice(&bench->packet));
}

static void store_done(struct bench *bench)
{
    struct tree *none = NULL;

    CHECK(zab_store_done(&bench->zab));
    effects_clear(&bench->effects);
    zab_learner_store_done(bench->learner, STATUS_OK, &none);
}

/* The types of the packets that were sent in this turn, as text: "ACK ACK ". */
static const char *sent(struct bench *bench)
{
    static char text[256];
    struct slice rest = buffer_slice(&bench->effects.peer_bytes);
    struct quorum_packet packet;
    size_t size;

    text[0] = '\0';
    while (rest.size > 0 && quorum_packet_read(rest, TEXT_BYTES_MAX, &packet, &size) == STATUS_OK) {
        strcat(strcat(text, quorum_packet_name(packet.type)), " ");
        rest = slice_of(rest.data + size, rest.size - size);
    }
    effects_clear(&bench->effects);
    return text;
}

static void reach_serving(struct bench *bench)
{
    const uint8_t version[] = {0, 1, 0, 0};

    zab_learner_opened(bench->learner, bench->connection);
    CHECK_TEXT("first", sent(bench), "FOLLOWERINFO ");
    hear(bench, QUORUM_LEADER_INFO, zxid_of_epoch(EPOCH), slice_of(version, sizeof(version)));
    CHECK(bench->effects.store_begin && bench->effects.store_work.accepted_epoch == EPOCH);
    CHECK_TEXT("nothing is promised before it is on disk", sent(bench), "");
    store_done(bench);
    CHECK_I64("accepted", bench->zab.accepted_epoch, EPOCH);
    CHECK_TEXT("then it is", sent(bench), "ACKEPOCH ");
    hear(bench, QUORUM_DIFF, 0, SLICE_NULL);
    hear(bench, QUORUM_NEW_LEADER, zxid_of_epoch(EPOCH), SLICE_NULL);
    zab_learner_end_turn(bench->learner);
    CHECK(bench->effects.store_begin && bench->effects.store_work.current_epoch == EPOCH);
    CHECK_TEXT("nor is the history acknowledged", sent(bench), "");
    store_done(bench);
    CHECK_TEXT("then it is, too", sent(bench), "ACK ");
    CHECK(!zab_learner_serves(bench->learner));
    hear(bench, QUORUM_UP_TO_DATE, QUORUM_NO_ZXID, SLICE_NULL);
    CHECK_TEXT("and once more", sent(bench), "ACK ");
    CHECK(zab_learner_serves(bench->learner) && zab_learner_failed(bench->learner) == NULL);
}

/* A createSession of this zxid. */
static void propose_session(struct bench *bench, int64_t zxid)
{
    struct buffer bytes = {0};
    struct txn txn = {
        .header = {.client_id = zxid, .zxid = zxid, .time_ms = 1000, .type = OP_CREATE_SESSION},
        .op = {.type = OP_CREATE_SESSION, .timeout_ms = 5000}};

    txn_write(&bytes, &txn);
    txn_digest_write(
        &bytes, &(struct txn_digest){.version = 2, .digest = (int64_t)tree_digest(bench->tree)});
    hear(bench, QUORUM_PROPOSAL, zxid, buffer_slice(&bytes));
    buffer_deinit(&bytes);
}

static void make_durable(struct bench *bench, int64_t zxid)
{
    proposals_durable(bench->proposals, zxid, &bench->observer);
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
    CHECK_TEXT("not on disk", sent(bench), "");
    CHECK_I64("committed, and not applied", proposals_applied_zxid(bench->proposals), 0);
    make_durable(bench, zxid);
    CHECK_TEXT("on disk", sent(bench), "ACK ");
    CHECK_I64("applied", proposals_applied_zxid(bench->proposals), zxid);
    CHECK(zab_learner_failed(bench->learner) == NULL);
    bench_free(bench);
}

TEST(a_commit_of_another_transaction_than_the_next_ends_the_role)
{
    struct bench *bench = bench_new();

    reach_serving(bench);
    propose_session(bench, zxid_make(EPOCH, 1));
    propose_session(bench, zxid_make(EPOCH, 2));
    hear(bench, QUORUM_COMMIT, zxid_make(EPOCH, 2), SLICE_NULL);
    CHECK(zab_learner_failed(bench->learner) != NULL);
    proposals_durable(bench->proposals, zxid_make(EPOCH, 2), &bench->observer);
    bench_free(bench);
}
