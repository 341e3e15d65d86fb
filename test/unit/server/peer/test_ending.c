#include "server/peer/peer.h"

#include "test/lib/peer_bench.h"

#include <sys/socket.h>
#include <unistd.h>

TEST(what_was_sent_before_a_close_arrives)
{
    enum { BYTES = 20 << 20 };
    struct peer_bench *bench = peer_bench_connected(peer_side_options());
    uint8_t *bytes = mem_zalloc(BYTES);

    peer_side_send(bench->right, 1, slice_of(bytes, BYTES));
    peer_side_add(bench->right, PEER_CLOSE, 1);
    SOCKETS_UNTIL(&bench->loop, peer_side_heard(bench->left, REPLICA_PEER_CLOSED, 2) > 0);
    CHECK_U64("bytes", peer_side_mail(bench->left, 2)->size, BYTES);
    CHECK_U64("closed", peer_side_heard(bench->left, REPLICA_PEER_CLOSED, 2), 1);
    CHECK_U64("nothing is told to the one who closes", bench->right->heard_count, 1);
    peer_bench_free(bench);
    mem_free(bytes);
}

/* More than the other side's kernel takes while nobody reads there: some of it stays in ours. */
enum { LAST_WORDS_BYTES = 300 << 10 };

static void close_at_first_bytes(struct peer_side *side, const struct replica_event *event)
{
    static const uint8_t words[LAST_WORDS_BYTES];

    if (event->kind == REPLICA_PEER_BYTES && peer_side_heard(side, REPLICA_PEER_BYTES, 2) == 1) {
        peer_side_send(side, event->connection, slice_of(words, sizeof(words)));
        peer_side_add(side, PEER_CLOSE, event->connection);
    }
}

TEST(nothing_is_told_of_a_connection_in_the_turn_that_closes_it)
{
    enum { BYTES = 8 << 20 };
    struct peer_bench *bench = peer_bench_connected(peer_side_options());
    uint8_t *bytes = mem_zalloc(BYTES);

    bench->left->react = close_at_first_bytes;
    peer_side_send(bench->right, 1, slice_of(bytes, BYTES));
    SOCKETS_UNTIL(&bench->loop, peer_side_heard(bench->right, REPLICA_PEER_CLOSED, 1) > 0);
    CHECK_U64("bytes were told once", peer_side_heard(bench->left, REPLICA_PEER_BYTES, 2), 1);
    CHECK_U64("left heard", bench->left->heard_count, 2);
    peer_bench_free(bench);
    mem_free(bytes);
}

TEST(last_words_arrive_though_the_other_side_was_still_talking)
{
    struct peer_bench *bench = peer_bench_new();
    int fd = peer_bench_raw(bench);
    uint8_t *bytes = mem_zalloc(LAST_WORDS_BYTES);

    bench->left->react = close_at_first_bytes;
    CHECK_I64("talking", write(fd, "hello", 5), 5);
    SOCKETS_UNTIL(&bench->loop, peer_side_heard(bench->left, REPLICA_PEER_BYTES, 2) > 0);
    CHECK_I64("talking on", write(fd, bytes, 1000), 1000); /* into what is being closed */
    for (int i = 0; i < 10; i++)
        uv_run(&bench->loop, UV_RUN_NOWAIT);
    peer_bench_raw_read(bench, fd, bytes, LAST_WORDS_BYTES);
    CHECK_U64("told once", peer_side_heard(bench->left, REPLICA_PEER_BYTES, 2), 1);
    peer_bench_free(bench);
    close(fd);
    mem_free(bytes);
}

TEST(a_close_does_not_wait_for_ever_for_a_peer_that_takes_nothing)
{
    enum { BYTES = 32 << 20 };
    struct peer_bench *bench = peer_bench_new();
    uint8_t *bytes = mem_zalloc(BYTES), *got = mem_alloc(BYTES);
    int fd = peer_bench_raw(bench);

    peer_side_send(bench->left, 2, slice_of(bytes, BYTES));
    peer_side_add(bench->left, PEER_CLOSE, 2);
    peer_side_end_turn(bench->left);
    SOCKETS_UNTIL(&bench->loop, peer_log_count("did not read the last bytes for it") > 0);
    size_t size = 0;
    ssize_t now;
    while ((now = recv(fd, got, BYTES, 0)) > 0) /* what the kernels held, then the end */
        size += (size_t)now;
    CHECK(size < BYTES);
    CHECK_U64("heard", bench->left->heard_count, 1);
    peer_bench_free(bench);
    close(fd);
    mem_free(bytes);
    mem_free(got);
}

TEST(a_peer_that_ends_its_output_has_ended_the_connection)
{
    struct peer_bench *bench = peer_bench_new();
    int fd = peer_bench_raw(bench);

    CHECK_I64("bytes", write(fd, "bye", 3), 3);
    CHECK_I64("half", shutdown(fd, SHUT_WR), 0);
    SOCKETS_UNTIL(&bench->loop, peer_side_heard(bench->left, REPLICA_PEER_CLOSED, 2) > 0);
    CHECK_SLICE("its last bytes came first", buffer_slice(peer_side_mail(bench->left, 2)),
                SLICE("bye"));
    uint8_t byte;
    CHECK_I64("ours is closed as well", recv(fd, &byte, 1, 0), 0);
    peer_bench_free(bench);
    close(fd);
}

TEST(a_peer_that_resets_is_told_once)
{
    struct peer_bench *bench = peer_bench_new();
    int fd = peer_bench_raw(bench);
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    CHECK_I64("linger", setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
    close(fd);
    peer_side_send(bench->left, 2, SLICE("to nobody"));
    SOCKETS_UNTIL(&bench->loop, peer_side_heard(bench->left, REPLICA_PEER_CLOSED, 2) > 0);
    peer_side_send(bench->left, 2, SLICE("still to nobody"));
    peer_side_add(bench->left, PEER_CLOSE, 2); /* both have missed each other: harmless */
    uv_run(&bench->loop, UV_RUN_NOWAIT);
    CHECK_U64("once", peer_side_heard(bench->left, REPLICA_PEER_CLOSED, 2), 1);
    peer_bench_free(bench);
}

TEST(a_peer_that_is_silent_and_does_not_read_stays_open)
{
    struct peer_bench *bench = peer_bench_new();
    int fd = peer_bench_raw(bench);

    peer_side_send(bench->left, 2, SLICE("are you there?"));
    for (int i = 0; i < 100; i++)
        uv_run(&bench->loop, UV_RUN_NOWAIT);
    CHECK_U64("only opened", bench->left->heard_count, 1);
    peer_bench_free(bench);
    close(fd);
}

/* --- the log --- */

TEST(a_server_that_cannot_be_reached_is_said_when_it_is_news)
{
    struct peer_bench *bench = peer_bench_new();
    uint16_t port;
    int listener = sockets_bound(&port);
    uint64_t connection = 1;

    for (int i = 0; i < 5; i++, connection += 2) {
        peer_side_dial(bench->right, connection, "127.0.0.1", port);
        SOCKETS_UNTIL(&bench->loop,
                      peer_side_heard(bench->right, REPLICA_PEER_CLOSED, connection) > 0);
    }
    CHECK_U64("five refusals", peer_log_count("cannot be reached: connection refused"), 1);
    CHECK_I64("it starts", listen(listener, 8), 0);
    for (int i = 0; i < 5; i++, connection += 2) {
        peer_side_dial(bench->right, connection, "127.0.0.1", port);
        SOCKETS_UNTIL(&bench->loop,
                      peer_side_heard(bench->right, REPLICA_PEER_OPENED, connection) > 0);
    }
    CHECK_U64("five connections", peer_log_count("connected to another server"), 1);
    close(listener); /* resets those that nobody has accepted */
    SOCKETS_UNTIL(&bench->loop,
                  peer_side_heard(bench->right, REPLICA_PEER_CLOSED, connection - 2) > 0);
    peer_side_dial(bench->right, connection, "127.0.0.1", port);
    SOCKETS_UNTIL(&bench->loop, peer_side_heard(bench->right, REPLICA_PEER_CLOSED, connection) > 0);
    CHECK_U64("and again", peer_log_count("cannot be reached: connection refused"), 2);
    peer_bench_free(bench);
}

TEST(a_close_with_a_reason_is_said_with_it)
{
    struct peer_bench *bench = peer_bench_connected(peer_side_options());

    effects_add_peer(&bench->left->effects, (struct peer_effect){.kind = PEER_CLOSE,
                                                                 .connection = 2,
                                                                 .reason = "it has an unknown id"});
    SOCKETS_UNTIL(&bench->loop, peer_side_heard(bench->right, REPLICA_PEER_CLOSED, 1) > 0);
    CHECK_U64("why", peer_log_count("closing a connection: it has an unknown id peer=127.0.0.1:"),
              1);
    peer_bench_free(bench);
}

TEST(strangers_cannot_fill_the_log)
{
    struct peer_bench *bench = peer_bench_new();
    uint16_t port = peers_port(bench->left->peers, PEER_PORT_ELECTION);
    uint64_t start_ms = uv_now(&bench->loop);

    for (uint64_t i = 0; i < 200; i++) {
        int fd = sockets_connect(port);
        CHECK_I64("sent", write(fd, "GET", 3), 3);
        SOCKETS_UNTIL(&bench->loop,
                      peer_side_heard(bench->left, REPLICA_PEER_BYTES, 2 * i + 2) > 0);
        buffer_deinit(peer_side_mail(bench->left, 2 * i + 2));
        bench->left->mail_count = 0;
        close(fd);
        SOCKETS_UNTIL(&bench->loop,
                      peer_side_heard(bench->left, REPLICA_PEER_CLOSED, 2 * i + 2) > 0);
    }
    CHECK(peer_log_count("ended a connection") >= 1);
    CHECK(peer_log_count("ended a connection") <=
          10 * (2 + (uv_now(&bench->loop) - start_ms) / 1000));
    peer_bench_free(bench);
}
