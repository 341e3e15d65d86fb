#include "server/peer/peer.h"

#include "test/lib/names.h"
#include "test/lib/peer_bench.h"

#include <unistd.h>

TEST(a_dial_opens_a_connection_at_both_sides)
{
    struct peer_bench *bench = peer_bench_connected(peer_side_options());

    CHECK_U64("left heard", bench->left->heard_count, 1);
    CHECK_U64("right heard", bench->right->heard_count, 1);
    CHECK_I64("port", bench->left->heard[0].port, PEER_PORT_ELECTION);
    peer_side_send(bench->right, 1, SLICE("from right"));
    peer_side_send(bench->left, 2, SLICE("from left"));
    SOCKETS_UNTIL(&bench->loop, peer_side_mail(bench->left, 2)->size == 10 &&
                                    peer_side_mail(bench->right, 1)->size == 9);
    CHECK_SLICE("left", buffer_slice(peer_side_mail(bench->left, 2)), SLICE("from right"));
    CHECK_SLICE("right", buffer_slice(peer_side_mail(bench->right, 1)), SLICE("from left"));
    peer_bench_free(bench);
}

TEST(accepted_connections_have_even_numbers_that_never_come_back)
{
    struct peer_bench *bench = peer_bench_connected(peer_side_options());

    peer_side_add(bench->right, PEER_CLOSE, 1);
    SOCKETS_UNTIL(&bench->loop, peer_side_heard(bench->left, REPLICA_PEER_CLOSED, 2) > 0);
    peer_bench_dial(bench, 3);
    SOCKETS_UNTIL(&bench->loop, peer_side_heard(bench->left, REPLICA_PEER_OPENED, 4) > 0);
    peer_bench_free(bench);
}

TEST(a_refused_dial_is_told_once_as_closed)
{
    struct peer_bench *bench = peer_bench_new();
    uint16_t port;
    int bound = sockets_bound(&port);

    peer_side_dial(bench->right, 1, "127.0.0.1", port);
    SOCKETS_UNTIL(&bench->loop, bench->right->heard_count > 0);
    CHECK_U64("closed", peer_side_heard(bench->right, REPLICA_PEER_CLOSED, 1), 1);
    peer_bench_free(bench);
    close(bound);
}

TEST(a_dial_to_a_name_that_means_nothing_is_told_as_closed)
{
    struct peer_bench *bench = peer_bench_new();

    peer_side_dial(bench->right, 1, "no-such-server", 2888);
    SOCKETS_UNTIL(&bench->loop, bench->right->heard_count > 0);
    CHECK_U64("closed", peer_side_heard(bench->right, REPLICA_PEER_CLOSED, 1), 1);
    peer_bench_free(bench);
}

TEST(a_dial_to_a_server_that_moved_finds_its_new_address)
{
    struct peer_bench *bench = peer_bench_new();
    uint16_t port = peers_port(bench->left->peers, PEER_PORT_ELECTION);

    names_set("zoo1", "127.0.0.9");
    peer_side_dial(bench->right, 1, "zoo1", port);
    SOCKETS_UNTIL(&bench->loop, peer_side_heard(bench->right, REPLICA_PEER_CLOSED, 1) > 0);
    names_set("zoo1", "127.0.0.1");
    peer_side_dial(bench->right, 3, "zoo1", port);
    SOCKETS_UNTIL(&bench->loop, peer_side_heard(bench->right, REPLICA_PEER_OPENED, 3) > 0);
    names_forget();
    peer_bench_free(bench);
}

TEST(a_dial_that_nobody_answers_is_told_as_closed_in_time)
{
    struct peer_options options = peer_side_options();
    struct sockets_deaf deaf;

    options.connect_timeout_ms = 50;
    sockets_deaf(&deaf);
    struct peer_bench *bench = peer_bench_new_with(options);
    peer_side_dial(bench->left, 1, "127.0.0.1", deaf.port);
    SOCKETS_UNTIL(&bench->loop, bench->left->heard_count > 0);
    CHECK_U64("closed", peer_side_heard(bench->left, REPLICA_PEER_CLOSED, 1), 1);
    peer_bench_free(bench);
    sockets_deaf_close(&deaf);
}

TEST(a_dial_may_ask_for_less_time_than_others_have)
{
    struct peer_options options = peer_side_options();
    struct sockets_deaf deaf;

    options.connect_timeout_ms = 0; /* only the system's */
    sockets_deaf(&deaf);
    struct peer_bench *bench = peer_bench_new_with(options);
    effects_add_peer(&bench->left->effects, (struct peer_effect){.kind = PEER_DIAL,
                                                                 .connection = 1,
                                                                 .port = PEER_PORT_ELECTION,
                                                                 .host = SLICE("127.0.0.1"),
                                                                 .port_number = deaf.port,
                                                                 .timeout_ms = 50});
    SOCKETS_UNTIL(&bench->loop, bench->left->heard_count > 0);
    CHECK_U64("closed", peer_side_heard(bench->left, REPLICA_PEER_CLOSED, 1), 1);
    peer_bench_free(bench);
    sockets_deaf_close(&deaf);
}

TEST(nothing_is_told_of_a_dial_that_was_closed)
{
    struct sockets_deaf deaf;
    struct peer_bench *bench = peer_bench_new();
    uint16_t port;
    int bound = sockets_bound(&port);

    sockets_deaf(&deaf);
    names_set("zoo1", "127.0.0.1");
    names_hang("zoo1");
    peer_side_dial(bench->right, 1, "127.0.0.1", deaf.port);
    peer_side_dial(bench->right, 3, "zoo1", 2888);
    peer_side_dial(bench->right, 5, "127.0.0.1", port); /* refused by then, perhaps */
    peer_side_send(bench->right, 1, SLICE("never"));
    for (uint64_t connection = 1; connection <= 5; connection += 2)
        peer_side_add(bench->right, PEER_CLOSE, connection);
    peer_bench_dial(bench, 7);
    SOCKETS_UNTIL(&bench->loop, peer_side_heard(bench->right, REPLICA_PEER_OPENED, 7) > 0);
    names_forget();
    CHECK_U64("heard", bench->right->heard_count, 1);
    peer_bench_free(bench);
    sockets_deaf_close(&deaf);
    close(bound);
}

static void port_is_open_from_listen_to_unlisten(enum peer_port kind)
{
    struct peer_bench *bench = peer_bench_new();

    CHECK_U64("closed at first", peers_port(bench->left->peers, kind), 0);
    for (uint64_t round = 0; round < 2; round++) {
        uint64_t connection = 1 + 4 * round;
        peer_side_open(bench->left, kind, true);
        peer_side_open(bench->left, kind, true); /* is open already */
        peer_side_end_turn(bench->left);
        uint16_t port = peers_port(bench->left->peers, kind);
        peer_side_dial(bench->right, connection, "127.0.0.1", port);
        SOCKETS_UNTIL(&bench->loop,
                      peer_side_heard(bench->left, REPLICA_PEER_OPENED, 2 * (round + 1)) > 0);
        CHECK_I64("port", bench->left->heard[bench->left->heard_count - 1].port, kind);
        peer_side_open(bench->left, kind, false);
        peer_side_open(bench->left, kind, false);
        peer_side_end_turn(bench->left);
        peer_side_dial(bench->right, connection + 2, "127.0.0.1", port);
        SOCKETS_UNTIL(&bench->loop,
                      peer_side_heard(bench->right, REPLICA_PEER_CLOSED, connection + 2) > 0);
    }
    CHECK_U64("the others stay", peer_side_heard(bench->right, REPLICA_PEER_CLOSED, 1), 0);
    peer_bench_free(bench);
}

TEST(the_quorum_port_is_open_from_listen_to_unlisten)
{
    port_is_open_from_listen_to_unlisten(PEER_PORT_QUORUM);
}

TEST(the_port_for_observers_is_open_from_listen_to_unlisten)
{
    port_is_open_from_listen_to_unlisten(PEER_PORT_MASTER);
}

TEST(an_election_port_that_stays_taken_is_told_to_the_server)
{
    uint16_t port;
    int other = sockets_listening(8, &port);
    struct peer_address taken = {"127.0.0.1", port};
    struct peer_options options = peer_side_options();
    struct peer_bench *bench;

    options.election = &taken;
    bench = peer_bench_new_with(options);
    SOCKETS_UNTIL(&bench->loop, bench->left->cannot_listen > 0);
    CHECK_I64("once", bench->left->cannot_listen, 1);
    peer_bench_free(bench);
    close(other);
}

TEST(of_two_own_addresses_one_is_enough)
{
    struct peer_address own[] = {{"no-such-address", 0}, {"127.0.0.1", 0}};
    struct peer_options options = peer_side_options();

    options.election = own;
    options.election_count = 2;
    options.bind_attempts_max = 2;
    struct peer_bench *bench = peer_bench_new_with(options);
    SOCKETS_UNTIL(&bench->loop, peer_log_count("giving up") > 0);
    CHECK_I64("goes on", bench->left->cannot_listen, 0);
    peer_bench_free(bench);
}

TEST(with_all_addresses_only_the_ports_count)
{
    struct peer_address own[] = {{"no-such-address", 0}, {"nor-this-one", 0}};
    struct peer_options options = peer_side_options();

    options.election = own;
    options.election_count = 2;
    options.listen_on_all = true;
    struct peer_bench *bench = peer_bench_connected(options);
    peer_bench_free(bench);
}
