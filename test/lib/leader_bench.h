/* leader_bench.h: server 3 of three leads, and learners are played by hand. */
#ifndef TEST_LIB_LEADER_BENCH_H
#define TEST_LIB_LEADER_BENCH_H

#include "replica/zab/zab_leader.h"
#include "test/lib/zab_bench.h"
#include "wire/quorum.h"

/* The follower that makes a quorum with the leader has this connection. */
enum { LEADER_BENCH_ID = 3, LEADER_BENCH_EPOCH = 1, LEADER_BENCH_FOLLOWER = 7 };

struct leader_bench {
    struct zab_bench around;
    struct zab_leader *leader;
};

/* Owns the membership. The leader begins only with leader_bench_lead(). */
struct leader_bench *leader_bench_new(struct membership *membership);
void leader_bench_lead(struct leader_bench *bench);
void leader_bench_free(struct leader_bench *bench);

void leader_bench_hear(struct leader_bench *bench, uint64_t connection, int32_t type, int64_t zxid,
                       struct slice data);
/* Opens the connection and says who is there: QUORUM_FOLLOWER_INFO, QUORUM_OBSERVER_INFO. */
void leader_bench_introduce(struct leader_bench *bench, uint64_t connection, uint8_t id,
                            int32_t type);
/* It promises the epoch, and its log ends with the zxid. */
void leader_bench_promise(struct leader_bench *bench, uint64_t connection, int64_t zxid);
void leader_bench_store_done(struct leader_bench *bench);
/* Server 1 is the follower. */
void leader_bench_reach_serving(struct leader_bench *bench);

#endif
