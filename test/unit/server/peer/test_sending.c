#include "server/peer/peer.h"

#include "test/lib/peer_bench.h"

#include <unistd.h>

TEST(bytes_sent_before_a_dial_is_through_leave_first)
{
    struct peer_bench *bench = peer_bench_new();

    peer_bench_dial(bench, 1);
    peer_side_send(bench->right, 1, SLICE("one "));
    peer_side_end_turn(bench->right);
    peer_side_send(bench->right, 1, SLICE("two "));
    peer_side_end_turn(bench->right);
    CHECK_U64("not open yet", bench->right->heard_count, 0);
    SOCKETS_UNTIL(&bench->loop, peer_side_heard(bench->right, REPLICA_PEER_OPENED, 1) > 0);
    peer_side_send(bench->right, 1, SLICE("three"));
    SOCKETS_UNTIL(&bench->loop, peer_side_mail(bench->left, 2)->size == 13);
    CHECK_SLICE("in order", buffer_slice(peer_side_mail(bench->left, 2)), SLICE("one two three"));
    peer_bench_free(bench);
}

TEST(several_connections_share_the_bytes_of_a_turn)
{
    struct peer_bench *bench = peer_bench_new();
    struct effects *effects = &bench->right->effects;

    for (uint64_t connection = 1; connection <= 5; connection += 2)
        peer_bench_dial(bench, connection);
    SOCKETS_UNTIL(&bench->loop, bench->left->heard_count == 3 && bench->right->heard_count == 3);
    size_t proposal = peer_side_put(bench->right, SLICE("[proposal]")),
           commit = peer_side_put(bench->right, SLICE("[commit]"));
    for (uint64_t connection = 1; connection <= 5; connection += 2)
        effects_add_peer_send(effects, connection, proposal, 10);
    effects_add_peer_send(effects, 3, proposal + 1, 8); /* a part of it, again */
    for (uint64_t connection = 1; connection <= 5; connection += 2)
        effects_add_peer_send(effects, connection, commit, 8);
    SOCKETS_UNTIL(&bench->loop, peer_side_mail(bench->left, 2)->size +
                                        peer_side_mail(bench->left, 4)->size +
                                        peer_side_mail(bench->left, 6)->size ==
                                    18 + 26 + 18);
    int with_the_part = 0;
    for (uint64_t connection = 2; connection <= 6; connection += 2) {
        struct slice got = buffer_slice(peer_side_mail(bench->left, connection));
        bool part = slice_equal(got, SLICE("[proposal]proposal[commit]"));
        CHECK(part || slice_equal(got, SLICE("[proposal][commit]")));
        with_the_part += part;
    }
    CHECK_I64("to one of them only", with_the_part, 1);
    peer_bench_free(bench);
}

PROPERTY(each_connection_gets_its_bytes_in_the_order_of_the_effects)
{
    enum { TURNS = 20, SENDS = 60, BYTES = 50000 };
    struct peer_bench *bench = peer_bench_new();
    struct buffer want[3] = {{0}};
    uint8_t bytes[BYTES];

    random_fill(&seed, bytes, sizeof(bytes));
    for (uint64_t i = 0; i < 3; i++) { /* one by one, so that left's numbers are known */
        peer_bench_dial(bench, 2 * i + 1);
        SOCKETS_UNTIL(&bench->loop,
                      peer_side_heard(bench->left, REPLICA_PEER_OPENED, 2 * i + 2) > 0 &&
                          peer_side_heard(bench->right, REPLICA_PEER_OPENED, 2 * i + 1) > 0);
    }
    for (int turn = 0; turn < TURNS; turn++) {
        size_t at = peer_side_put(bench->right, slice_of(bytes, sizeof(bytes)));
        for (int send = 0; send < SENDS; send++) {
            uint64_t to = (uint64_t)random_below(&seed, 3);
            size_t offset = (size_t)random_below(&seed, BYTES);
            size_t size = (size_t)random_below(&seed, BYTES - (int32_t)offset);
            effects_add_peer_send(&bench->right->effects, 2 * to + 1, at + offset, size);
            buffer_append(&want[to], slice_of(bytes + offset, size));
        }
        uv_run(&bench->loop, UV_RUN_NOWAIT);
    }
    for (uint64_t i = 0; i < 3; i++) {
        const struct buffer *mail = peer_side_mail(bench->left, 2 * i + 2);
        SOCKETS_UNTIL(&bench->loop, mail->size >= want[i].size);
        CHECK_SLICE("bytes", buffer_slice(mail), buffer_slice(&want[i]));
        buffer_deinit(&want[i]);
    }
    peer_bench_free(bench);
}

TEST(a_hold_is_ready_in_the_next_turn_when_there_is_room)
{
    struct peer_bench *bench = peer_bench_connected(peer_side_options());

    peer_side_send(bench->right, 1, SLICE("a part of a snapshot"));
    peer_side_add(bench->right, PEER_HOLD, 1);
    peer_side_end_turn(bench->right);
    CHECK_U64("not in the same turn", peer_side_heard(bench->right, REPLICA_PEER_READY, 1), 0);
    SOCKETS_UNTIL(&bench->loop, peer_side_heard(bench->right, REPLICA_PEER_READY, 1) > 0);
    uv_run(&bench->loop, UV_RUN_NOWAIT);
    CHECK_U64("once", peer_side_heard(bench->right, REPLICA_PEER_READY, 1), 1);
    peer_bench_free(bench);
}

TEST(a_hold_before_a_dial_is_through_is_ready_when_it_is)
{
    struct peer_bench *bench = peer_bench_new();

    peer_bench_dial(bench, 1);
    peer_side_add(bench->right, PEER_HOLD, 1);
    SOCKETS_UNTIL(&bench->loop, peer_side_heard(bench->right, REPLICA_PEER_READY, 1) > 0);
    CHECK_I64("opened first", bench->right->heard[0].kind, REPLICA_PEER_OPENED);
    peer_bench_free(bench);
}

TEST(a_hundred_megabytes_wait_for_a_slow_peer_and_arrive_whole)
{
    enum { BYTES = 100 << 20 };
    struct peer_bench *bench = peer_bench_new();
    uint64_t seed = 1;
    uint8_t *bytes = mem_alloc(BYTES), *got = mem_alloc(BYTES + 3);
    int fd = peer_bench_raw(bench);

    random_fill(&seed, bytes, BYTES);
    peer_side_send(bench->left, 2, slice_of(bytes, BYTES));
    peer_side_add(bench->left, PEER_HOLD, 2);
    peer_side_end_turn(bench->left);
    peer_side_send(bench->left, 2, SLICE("end"));
    for (int i = 0; i < 100; i++)
        uv_run(&bench->loop, UV_RUN_NOWAIT);
    CHECK_U64("the peer does not read", peer_side_heard(bench->left, REPLICA_PEER_READY, 2), 0);
    peer_bench_raw_read(bench, fd, got, BYTES + 3);
    SOCKETS_UNTIL(&bench->loop, peer_side_heard(bench->left, REPLICA_PEER_READY, 2) > 0);
    CHECK(memcmp(got, bytes, BYTES) == 0);
    CHECK(memcmp(got + BYTES, "end", 3) == 0);
    CHECK_U64("heard", bench->left->heard_count, 2);
    peer_bench_free(bench);
    close(fd);
    mem_free(bytes);
    mem_free(got);
}

TEST(a_peer_that_takes_nothing_is_closed_at_the_bound_and_told)
{
    struct peer_options options = peer_side_options();
    uint8_t *bytes = mem_zalloc(8 << 20);

    options.queue_bytes_max = 16 << 20;
    struct peer_bench *bench = peer_bench_new_with(options);
    int fd = peer_bench_raw(bench), turns = 0;
    while (peer_side_heard(bench->left, REPLICA_PEER_CLOSED, 2) == 0) {
        CHECK(turns++ < 6); /* 16 MB, what the kernel holds, and the turn at which it is seen */
        peer_side_send(bench->left, 2, slice_of(bytes, 8 << 20));
        peer_side_end_turn(bench->left);
    }
    CHECK(turns > 2);
    peer_side_send(bench->left, 2, SLICE("too late")); /* harmless */
    uv_run(&bench->loop, UV_RUN_NOWAIT);
    CHECK_U64("once", peer_side_heard(bench->left, REPLICA_PEER_CLOSED, 2), 1);
    peer_bench_free(bench);
    close(fd);
    mem_free(bytes);
}

TEST(what_waits_for_a_dial_is_bounded_too)
{
    struct peer_options options = peer_side_options();
    struct sockets_deaf deaf;
    uint8_t *bytes = mem_zalloc(1 << 20);

    options.queue_bytes_max = 4 << 20;
    sockets_deaf(&deaf);
    struct peer_bench *bench = peer_bench_new_with(options);
    peer_side_dial(bench->left, 1, "127.0.0.1", deaf.port);
    for (int i = 0; i < 5; i++) {
        CHECK_U64("not yet", bench->left->heard_count, 0);
        peer_side_send(bench->left, 1, slice_of(bytes, 1 << 20));
        peer_side_end_turn(bench->left);
    }
    peer_side_send(bench->left, 1, slice_of(bytes, 1 << 20));
    peer_side_end_turn(bench->left);
    CHECK_U64("closed", peer_side_heard(bench->left, REPLICA_PEER_CLOSED, 1), 1);
    peer_bench_free(bench);
    sockets_deaf_close(&deaf);
    mem_free(bytes);
}
