/* zab_bench.h: what stands around a leader or a learner in its tests: a tree, proposals whose observer
 * does nothing, three servers, and room for a packet. */
#ifndef TEST_LIB_ZAB_BENCH_H
#define TEST_LIB_ZAB_BENCH_H

#include "replica/zab/zab.h"

enum { ZAB_BENCH_TEXT_BYTES_MAX = 1 << 20, ZAB_BENCH_TICK_MS = 1000, ZAB_BENCH_SYNC_LIMIT = 5 };

struct zab_bench {
    struct tree *tree;
    struct step step;
    struct effects effects;
    struct proposals *proposals;
    struct proposals_observer observer;
    struct membership *membership;
    struct zab zab;
    uint64_t next_connection;
    struct buffer packet;
};

/* Servers 1 to `last`, from `first` on: server.1=a:1:2, ... */
struct membership *zab_bench_servers(int first, int last);
/* Owns the membership. Stays where it is: the zab points into it. */
void zab_bench_init(struct zab_bench *bench, int64_t my_id, struct membership *membership);
void zab_bench_deinit(struct zab_bench *bench);
/* Valid until the next one. */
struct slice zab_bench_packet(struct zab_bench *bench, int32_t type, int64_t zxid,
                              struct slice data);

/* The types of the packets that were sent in this turn, as text: "ACK ACK ". Clears the effects. Valid
 * until the next call. */
const char *zab_bench_sent(struct zab_bench *bench);

#endif
