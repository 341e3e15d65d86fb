/* leader_bench.c: see leader_bench.h. */
#include "test/lib/leader_bench.h"

#include "test/lib/check.h"

struct leader_bench *leader_bench_new(struct membership *membership)
{
    struct leader_bench *bench = mem_zalloc(sizeof(*bench));

    zab_bench_init(&bench->around, LEADER_BENCH_ID, membership);
    return bench;
}

void leader_bench_lead(struct leader_bench *bench)
{
    bench->leader = zab_leader_new(&bench->around.zab);
}

void leader_bench_free(struct leader_bench *bench)
{
    zab_leader_free(bench->leader);
    zab_bench_deinit(&bench->around);
    mem_free(bench);
}

void leader_bench_hear(struct leader_bench *bench, uint64_t connection, int32_t type, int64_t zxid,
                       struct slice data)
{
    zab_leader_bytes(bench->leader, connection, zab_bench_packet(&bench->around, type, zxid, data));
}

void leader_bench_introduce(struct leader_bench *bench, uint64_t connection, uint8_t id,
                            int32_t type)
{
    const uint8_t info[20] = {[7] = id, [9] = 1 /* the protocol: 0x10000 */};

    zab_leader_opened(bench->leader, connection);
    leader_bench_hear(bench, connection, type, 0, slice_of(info, sizeof(info)));
}

void leader_bench_promise(struct leader_bench *bench, uint64_t connection, int64_t zxid)
{
    const uint8_t epoch[4] = {0};

    leader_bench_hear(bench, connection, QUORUM_ACK_EPOCH, zxid, slice_of(epoch, sizeof(epoch)));
}

void leader_bench_store_done(struct leader_bench *bench)
{
    CHECK(zab_store_done(&bench->around.zab));
    effects_clear(&bench->around.effects);
    zab_leader_store_done(bench->leader, STATUS_OK);
}

void leader_bench_reach_serving(struct leader_bench *bench)
{
    leader_bench_introduce(bench, LEADER_BENCH_FOLLOWER, 1, QUORUM_FOLLOWER_INFO);
    leader_bench_store_done(bench);
    leader_bench_promise(bench, LEADER_BENCH_FOLLOWER, 0);
    leader_bench_store_done(bench);
    zab_leader_end_turn(bench->leader);
    leader_bench_hear(bench, LEADER_BENCH_FOLLOWER, QUORUM_ACK, zxid_of_epoch(LEADER_BENCH_EPOCH),
                      SLICE_NULL);
    zab_leader_end_turn(bench->leader);
    CHECK(zab_leader_serves(bench->leader) && zab_leader_failed(bench->leader) == NULL);
    effects_clear(&bench->around.effects);
}
