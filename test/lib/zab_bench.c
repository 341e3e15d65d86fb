/* zab_bench.c: see zab_bench.h. */
#include "test/lib/zab_bench.h"

#include "test/lib/check.h"
#include "wire/quorum.h"

#include <stdio.h>

static void ignore_before(void *context, const struct proposal *proposal)
{
    (void)context, (void)proposal;
}

static void ignore_after(void *context, const struct proposal *proposal, const struct txn *txn,
                         const struct txn_result *result)
{
    (void)context, (void)proposal, (void)txn, (void)result;
}

static void ignore_moved(void *context, int64_t session_id)
{
    (void)context, (void)session_id;
}

static void ignore_change(void *context, struct slice path, uint32_t acl)
{
    (void)context, (void)path, (void)acl;
}

static void ignore_written(void *context, struct slice path, size_t bytes)
{
    (void)context, (void)path, (void)bytes;
}

struct membership *zab_bench_servers(int first, int last)
{
    struct membership *membership = membership_new();
    struct buffer problem = {0};
    int64_t server;

    for (int id = first; id <= last; id++) {
        char key[16], line[] = {(char)('a' + id - 1), ':', '1', ':', '2', '\0'};
        (void)snprintf(key, sizeof(key), "server.%d", id);
        CHECK(membership_add(membership, slice_text(key), slice_text(line), false, &problem) ==
              STATUS_OK);
    }
    CHECK(membership_finish(membership, &problem, &server) == STATUS_OK);
    buffer_deinit(&problem);
    return membership;
}

void zab_bench_init(struct zab_bench *bench, int64_t my_id, struct membership *membership)
{
    const struct tree_options tree = {.digest_enabled = true};
    struct proposals_options options = {
        .rules = {.text_bytes_max = ZAB_BENCH_TEXT_BYTES_MAX},
        .sessions = {.tick_ms = ZAB_BENCH_TICK_MS, .server_id = (uint8_t)my_id},
        .snapshots = {.snap_count = 1000},
        .ensemble = true,
        .history_bytes_max = 1 << 20};

    *bench = (struct zab_bench){.membership = membership, .next_connection = 1};
    bench->tree = tree_new(&tree);
    arena_init(&bench->step.arena);
    bench->step.effects = &bench->effects;
    bench->step.now_ms = bench->step.wall_ms = 1000;
    bench->proposals = proposals_new(&options, bench->tree, &bench->step);
    bench->observer = (struct proposals_observer){.before_txn = ignore_before,
                                                  .after_txn = ignore_after,
                                                  .moved = ignore_moved,
                                                  .tree = {.node_created = ignore_change,
                                                           .node_deleted = ignore_change,
                                                           .data_changed = ignore_change,
                                                           .children_changed = ignore_change,
                                                           .written = ignore_written},
                                                  .context = bench};
    bench->zab = (struct zab){.options = {.my_id = my_id,
                                          .tick_ms = ZAB_BENCH_TICK_MS,
                                          .init_limit = 10,
                                          .sync_limit = ZAB_BENCH_SYNC_LIMIT,
                                          .epoch_wait_max_ms = -1,
                                          .prepared_bytes_max = SIZE_MAX,
                                          .waiting_bytes_max = SIZE_MAX,
                                          .packet_bytes_max = ZAB_BENCH_TEXT_BYTES_MAX},
                              .membership = membership,
                              .proposals = bench->proposals,
                              .observer = &bench->observer,
                              .step = &bench->step,
                              .next_connection = &bench->next_connection};
}

void zab_bench_deinit(struct zab_bench *bench)
{
    proposals_free(bench->proposals);
    membership_free(bench->membership);
    tree_free(bench->tree);
    arena_deinit(&bench->step.arena);
    metrics_deinit(&bench->step.metrics);
    effects_deinit(&bench->effects);
    buffer_deinit(&bench->packet);
}

struct slice zab_bench_packet(struct zab_bench *bench, int32_t type, int64_t zxid,
                              struct slice data)
{
    bench->packet.size = 0;
    quorum_packet_put(&bench->packet, type, zxid, data);
    return buffer_slice(&bench->packet);
}

const char *zab_bench_sent(struct zab_bench *bench)
{
    static char text[256];
    struct slice rest = buffer_slice(&bench->effects.peer_bytes);
    struct quorum_packet packet;
    size_t size;

    text[0] = '\0';
    while (rest.size > 0 &&
           quorum_packet_read(rest, ZAB_BENCH_TEXT_BYTES_MAX, &packet, &size) == STATUS_OK) {
        CHECK(strlen(text) + 32 < sizeof(text));
        strcat(strcat(text, quorum_packet_name(packet.type)), " ");
        rest = slice_of(rest.data + size, rest.size - size);
    }
    effects_clear(&bench->effects);
    return text;
}
