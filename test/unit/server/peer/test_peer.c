#include "server/peer/peer.h"

#include "io/log.h"
#include "test/lib/names.h"
#include "test/lib/sockets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEARD_MAX = 4096, CONNECTIONS_MAX = 8 };

/* One server's side: what its replica heard, and the effects that the test writes in its place. */
struct side {
    struct host host; /* the first member */
    struct effects effects;
    struct peers *peers;
    struct replica_event heard[HEARD_MAX];
    size_t heard_count;
    struct {
        uint64_t connection;
        struct buffer bytes;
    } mail[CONNECTIONS_MAX];
    size_t mail_count;
    bool in_carrying_out;
    void (*react)(struct side *side, const struct replica_event *event);
    int cannot_listen;
};

struct bench {
    uv_loop_t loop;
    uv_prepare_t before_poll;
    uv_check_t after_poll;
    struct side *left, *right;
};

static struct buffer *mail_of(struct side *side, uint64_t connection)
{
    for (size_t i = 0; i < side->mail_count; i++) {
        if (side->mail[i].connection == connection)
            return &side->mail[i].bytes;
    }
    CHECK(side->mail_count < CONNECTIONS_MAX);
    side->mail[side->mail_count].connection = connection;
    return &side->mail[side->mail_count++].bytes;
}

static void side_step(struct host *host, struct replica_event *event)
{
    struct side *side = CONTAINER_OF(host, struct side, host);

    CHECK(!side->in_carrying_out);
    CHECK(side->heard_count < HEARD_MAX);
    side->heard[side->heard_count++] = *event;
    if (event->kind == REPLICA_PEER_BYTES)
        buffer_append(mail_of(side, event->connection), event->bytes);
    if (side->react != NULL)
        side->react(side, event);
    peers_note_effects(side->peers);
}

static void end_turn(struct side *side)
{
    if (side->peers == NULL)
        return;
    while (side->effects.peer_count > 0 || peers_has_work(side->peers)) {
        peers_note_effects(side->peers);
        side->in_carrying_out = true;
        peers_carry_out(side->peers);
        side->in_carrying_out = false;
        effects_clear(&side->effects);
        peers_effects_cleared(side->peers);
        peers_end_connections(side->peers);
    }
}

static void end_turns(struct bench *bench)
{
    end_turn(bench->left);
    end_turn(bench->right);
}

static void on_before_poll(uv_prepare_t *prepare)
{
    end_turns(prepare->data);
}

static void on_after_poll(uv_check_t *check)
{
    end_turns(check->data);
}

static void on_cannot_listen(void *context)
{
    ((struct side *)context)->cannot_listen++;
}

/* --- the log goes to a file that is empty at the start of each test --- */

static char log_path[] = "/tmp/paddock-test-peer-XXXXXX";

static void log_remove(void)
{
    unlink(log_path);
}

static void log_begin(void)
{
    static bool begun;

    if (!begun) {
        int fd = mkstemp(log_path);
        CHECK(fd >= 0);
        close(fd);
        atexit(log_remove);
        CHECK_STATUS(log_open(log_path, LOG_LEVEL_INFO), STATUS_OK);
    }
    begun = true;
    CHECK_I64("empty", truncate(log_path, 0), 0);
}

/* The lines that have this text. */
static size_t log_count(const char *text)
{
    FILE *file = fopen(log_path, "r");
    char line[4096];
    size_t count = 0;

    CHECK(file != NULL);
    while (fgets(line, sizeof(line), file) != NULL)
        count += strstr(line, text) != NULL;
    fclose(file);
    return count;
}

static const struct peer_address loopback = {"127.0.0.1", 0};

static struct peer_options side_options(void)
{
    return (struct peer_options){.election = &loopback,
                                 .quorum = &loopback,
                                 .election_count = 1,
                                 .quorum_count = 1,
                                 .bind_attempts_max = 1,
                                 .connect_timeout_ms = 5000,
                                 .tcp_keep_alive = true,
                                 .queue_bytes_max = PEER_QUEUE_BYTES_MAX,
                                 .cannot_listen = on_cannot_listen};
}

static struct side *side_new(uv_loop_t *loop, struct peer_options options)
{
    struct side *side = mem_zalloc(sizeof(*side));

    side->host = (struct host){.loop = loop, .effects = &side->effects, .step = side_step};
    options.context = side;
    side->peers = peers_new(&side->host, &options);
    peers_start(side->peers);
    return side;
}

static struct bench *bench_new_with(struct peer_options left)
{
    struct bench *bench = mem_zalloc(sizeof(*bench));

    log_begin();
    uv_loop_init(&bench->loop);
    bench->left = side_new(&bench->loop, left);
    bench->right = side_new(&bench->loop, side_options());
    uv_prepare_init(&bench->loop, &bench->before_poll);
    uv_check_init(&bench->loop, &bench->after_poll);
    bench->before_poll.data = bench->after_poll.data = bench;
    uv_prepare_start(&bench->before_poll, on_before_poll);
    uv_check_start(&bench->after_poll, on_after_poll);
    return bench;
}

static struct bench *bench_new(void)
{
    return bench_new_with(side_options());
}

static void side_free(struct side *side)
{
    peers_free(side->peers);
    effects_deinit(&side->effects);
    for (size_t i = 0; i < side->mail_count; i++)
        buffer_deinit(&side->mail[i].bytes);
    mem_free(side);
}

static void bench_free(struct bench *bench)
{
    peers_close_all(bench->left->peers);
    peers_close_all(bench->right->peers);
    uv_close((uv_handle_t *)&bench->before_poll, NULL);
    uv_close((uv_handle_t *)&bench->after_poll, NULL);
    size_t heard = bench->left->heard_count + bench->right->heard_count;
    sockets_run_dry(&bench->loop);
    CHECK_U64("nothing is told of what was closed at the end",
              bench->left->heard_count + bench->right->heard_count, heard);
    side_free(bench->left);
    side_free(bench->right);
    mem_free(bench);
}

/* --- effects and what was heard, in short words --- */

static void dial(struct side *side, uint64_t connection, const char *host, uint16_t port)
{
    effects_add_peer(&side->effects, (struct peer_effect){.kind = PEER_DIAL,
                                                          .connection = connection,
                                                          .port = PEER_PORT_ELECTION,
                                                          .host = slice_text(host),
                                                          .port_number = port});
}

static void dial_left(struct bench *bench, uint64_t connection) /* right dials */
{
    dial(bench->right, connection, "127.0.0.1", peers_port(bench->left->peers, PEER_PORT_ELECTION));
}

static size_t put(struct side *side, struct slice bytes)
{
    size_t offset = side->effects.peer_bytes.size;

    buffer_append(&side->effects.peer_bytes, bytes);
    return offset;
}

static void send_to(struct side *side, uint64_t connection, struct slice bytes)
{
    effects_add_peer_send(&side->effects, connection, put(side, bytes), bytes.size);
}

static void add(struct side *side, enum peer_effect_kind kind, uint64_t connection)
{
    effects_add_peer(&side->effects, (struct peer_effect){.kind = kind, .connection = connection});
}

static size_t heard(const struct side *side, enum replica_event_kind kind, uint64_t connection)
{
    size_t count = 0;

    for (size_t i = 0; i < side->heard_count; i++)
        count += side->heard[i].kind == kind && side->heard[i].connection == connection;
    return count;
}

static bool is_open(const struct bench *bench)
{
    return heard(bench->right, REPLICA_PEER_OPENED, 1) > 0 &&
           heard(bench->left, REPLICA_PEER_OPENED, 2) > 0;
}

/* Right has dialed as its connection 1, which is left's connection 2. */
static struct bench *bench_connected(struct peer_options left)
{
    struct bench *bench = bench_new_with(left);

    dial_left(bench, 1);
    SOCKETS_UNTIL(&bench->loop, is_open(bench));
    return bench;
}

/* Left and a socket that the test reads and writes by hand; left's connection is 2. */
static int raw_connection(struct bench *bench)
{
    int fd = sockets_connect(peers_port(bench->left->peers, PEER_PORT_ELECTION));

    SOCKETS_UNTIL(&bench->loop, heard(bench->left, REPLICA_PEER_OPENED, 2) > 0);
    return fd;
}

/* Runs the loop until the socket gave so many bytes. */
static void raw_read(struct bench *bench, int fd, uint8_t *ret_bytes, size_t size)
{
    size_t done = 0;

    while (done < size) {
        ssize_t got = recv(fd, ret_bytes + done, size - done, MSG_DONTWAIT);
        CHECK(got > 0 || (got < 0 && errno == EAGAIN));
        if (got > 0)
            done += (size_t)got;
        else
            uv_run(&bench->loop, UV_RUN_NOWAIT);
    }
}

/* --- opening --- */

TEST(a_dial_opens_a_connection_at_both_sides)
{
    struct bench *bench = bench_connected(side_options());

    CHECK_U64("left heard", bench->left->heard_count, 1);
    CHECK_U64("right heard", bench->right->heard_count, 1);
    CHECK_I64("port", bench->left->heard[0].port, PEER_PORT_ELECTION);
    send_to(bench->right, 1, SLICE("from right"));
    send_to(bench->left, 2, SLICE("from left"));
    SOCKETS_UNTIL(&bench->loop,
                  mail_of(bench->left, 2)->size == 10 && mail_of(bench->right, 1)->size == 9);
    CHECK_SLICE("left", buffer_slice(mail_of(bench->left, 2)), SLICE("from right"));
    CHECK_SLICE("right", buffer_slice(mail_of(bench->right, 1)), SLICE("from left"));
    bench_free(bench);
}

TEST(accepted_connections_have_even_numbers_that_never_come_back)
{
    struct bench *bench = bench_connected(side_options());

    add(bench->right, PEER_CLOSE, 1);
    SOCKETS_UNTIL(&bench->loop, heard(bench->left, REPLICA_PEER_CLOSED, 2) > 0);
    dial_left(bench, 3);
    SOCKETS_UNTIL(&bench->loop, heard(bench->left, REPLICA_PEER_OPENED, 4) > 0);
    bench_free(bench);
}

TEST(a_refused_dial_is_told_once_as_closed)
{
    struct bench *bench = bench_new();
    uint16_t port;
    int bound = sockets_bound(&port);

    dial(bench->right, 1, "127.0.0.1", port);
    SOCKETS_UNTIL(&bench->loop, bench->right->heard_count > 0);
    CHECK_U64("closed", heard(bench->right, REPLICA_PEER_CLOSED, 1), 1);
    bench_free(bench);
    close(bound);
}

TEST(a_dial_to_a_name_that_means_nothing_is_told_as_closed)
{
    struct bench *bench = bench_new();

    dial(bench->right, 1, "no-such-server", 2888);
    SOCKETS_UNTIL(&bench->loop, bench->right->heard_count > 0);
    CHECK_U64("closed", heard(bench->right, REPLICA_PEER_CLOSED, 1), 1);
    bench_free(bench);
}

TEST(a_dial_to_a_server_that_moved_finds_its_new_address)
{
    struct bench *bench = bench_new();
    uint16_t port = peers_port(bench->left->peers, PEER_PORT_ELECTION);

    names_set("zoo1", "127.0.0.9");
    dial(bench->right, 1, "zoo1", port);
    SOCKETS_UNTIL(&bench->loop, heard(bench->right, REPLICA_PEER_CLOSED, 1) > 0);
    names_set("zoo1", "127.0.0.1");
    dial(bench->right, 3, "zoo1", port);
    SOCKETS_UNTIL(&bench->loop, heard(bench->right, REPLICA_PEER_OPENED, 3) > 0);
    names_forget();
    bench_free(bench);
}

TEST(a_dial_that_nobody_answers_is_told_as_closed_in_time)
{
    struct peer_options options = side_options();
    struct sockets_deaf deaf;

    options.connect_timeout_ms = 50;
    sockets_deaf(&deaf);
    struct bench *bench = bench_new_with(options);
    dial(bench->left, 1, "127.0.0.1", deaf.port);
    SOCKETS_UNTIL(&bench->loop, bench->left->heard_count > 0);
    CHECK_U64("closed", heard(bench->left, REPLICA_PEER_CLOSED, 1), 1);
    bench_free(bench);
    sockets_deaf_close(&deaf);
}

TEST(nothing_is_told_of_a_dial_that_was_closed)
{
    struct sockets_deaf deaf;
    struct bench *bench = bench_new();
    uint16_t port;
    int bound = sockets_bound(&port);

    sockets_deaf(&deaf);
    names_set("zoo1", "127.0.0.1");
    names_hang("zoo1");
    dial(bench->right, 1, "127.0.0.1", deaf.port);
    dial(bench->right, 3, "zoo1", 2888);
    dial(bench->right, 5, "127.0.0.1", port); /* refused by then, perhaps */
    send_to(bench->right, 1, SLICE("never"));
    for (uint64_t connection = 1; connection <= 5; connection += 2)
        add(bench->right, PEER_CLOSE, connection);
    dial_left(bench, 7);
    SOCKETS_UNTIL(&bench->loop, heard(bench->right, REPLICA_PEER_OPENED, 7) > 0);
    names_forget();
    CHECK_U64("heard", bench->right->heard_count, 1);
    bench_free(bench);
    sockets_deaf_close(&deaf);
    close(bound);
}

TEST(the_quorum_port_is_open_from_listen_to_unlisten)
{
    struct bench *bench = bench_new();

    CHECK_U64("closed at first", peers_port(bench->left->peers, PEER_PORT_QUORUM), 0);
    for (uint64_t round = 0; round < 2; round++) {
        uint64_t connection = 1 + 4 * round;
        add(bench->left, PEER_LISTEN, 0);
        add(bench->left, PEER_LISTEN, 0); /* is open already */
        end_turn(bench->left);
        uint16_t port = peers_port(bench->left->peers, PEER_PORT_QUORUM);
        dial(bench->right, connection, "127.0.0.1", port);
        SOCKETS_UNTIL(&bench->loop, heard(bench->left, REPLICA_PEER_OPENED, 2 * (round + 1)) > 0);
        CHECK_I64("port", bench->left->heard[bench->left->heard_count - 1].port, PEER_PORT_QUORUM);
        add(bench->left, PEER_UNLISTEN, 0);
        add(bench->left, PEER_UNLISTEN, 0);
        end_turn(bench->left);
        dial(bench->right, connection + 2, "127.0.0.1", port);
        SOCKETS_UNTIL(&bench->loop, heard(bench->right, REPLICA_PEER_CLOSED, connection + 2) > 0);
    }
    CHECK_U64("the others stay", heard(bench->right, REPLICA_PEER_CLOSED, 1), 0);
    bench_free(bench);
}

TEST(an_election_port_that_stays_taken_is_told_to_the_server)
{
    uint16_t port;
    int other = sockets_listening(8, &port);
    struct peer_address taken = {"127.0.0.1", port};
    struct peer_options options = side_options();
    struct bench *bench;

    options.election = &taken;
    bench = bench_new_with(options);
    SOCKETS_UNTIL(&bench->loop, bench->left->cannot_listen > 0);
    CHECK_I64("once", bench->left->cannot_listen, 1);
    bench_free(bench);
    close(other);
}

TEST(of_two_own_addresses_one_is_enough)
{
    struct peer_address own[] = {{"no-such-address", 0}, {"127.0.0.1", 0}};
    struct peer_options options = side_options();

    options.election = own;
    options.election_count = 2;
    options.bind_attempts_max = 2;
    struct bench *bench = bench_new_with(options);
    SOCKETS_UNTIL(&bench->loop, log_count("giving up") > 0);
    CHECK_I64("goes on", bench->left->cannot_listen, 0);
    bench_free(bench);
}

TEST(with_all_addresses_only_the_ports_count)
{
    struct peer_address own[] = {{"no-such-address", 0}, {"nor-this-one", 0}};
    struct peer_options options = side_options();

    options.election = own;
    options.election_count = 2;
    options.listen_on_all = true;
    struct bench *bench = bench_connected(options);
    bench_free(bench);
}

/* --- sending --- */

TEST(bytes_sent_before_a_dial_is_through_leave_first)
{
    struct bench *bench = bench_new();

    dial_left(bench, 1);
    send_to(bench->right, 1, SLICE("one "));
    end_turn(bench->right);
    send_to(bench->right, 1, SLICE("two "));
    end_turn(bench->right);
    CHECK_U64("not open yet", bench->right->heard_count, 0);
    SOCKETS_UNTIL(&bench->loop, heard(bench->right, REPLICA_PEER_OPENED, 1) > 0);
    send_to(bench->right, 1, SLICE("three"));
    SOCKETS_UNTIL(&bench->loop, mail_of(bench->left, 2)->size == 13);
    CHECK_SLICE("in order", buffer_slice(mail_of(bench->left, 2)), SLICE("one two three"));
    bench_free(bench);
}

TEST(several_connections_share_the_bytes_of_a_turn)
{
    struct bench *bench = bench_new();
    struct effects *effects = &bench->right->effects;

    for (uint64_t connection = 1; connection <= 5; connection += 2)
        dial_left(bench, connection);
    SOCKETS_UNTIL(&bench->loop, bench->left->heard_count == 3 && bench->right->heard_count == 3);
    size_t proposal = put(bench->right, SLICE("[proposal]")),
           commit = put(bench->right, SLICE("[commit]"));
    for (uint64_t connection = 1; connection <= 5; connection += 2)
        effects_add_peer_send(effects, connection, proposal, 10);
    effects_add_peer_send(effects, 3, proposal + 1, 8); /* a part of it, again */
    for (uint64_t connection = 1; connection <= 5; connection += 2)
        effects_add_peer_send(effects, connection, commit, 8);
    SOCKETS_UNTIL(&bench->loop, mail_of(bench->left, 2)->size + mail_of(bench->left, 4)->size +
                                        mail_of(bench->left, 6)->size ==
                                    18 + 26 + 18);
    int with_the_part = 0;
    for (uint64_t connection = 2; connection <= 6; connection += 2) {
        struct slice got = buffer_slice(mail_of(bench->left, connection));
        bool part = slice_equal(got, SLICE("[proposal]proposal[commit]"));
        CHECK(part || slice_equal(got, SLICE("[proposal][commit]")));
        with_the_part += part;
    }
    CHECK_I64("to one of them only", with_the_part, 1);
    bench_free(bench);
}

PROPERTY(each_connection_gets_its_bytes_in_the_order_of_the_effects)
{
    enum { TURNS = 20, SENDS = 60, BYTES = 50000 };
    struct bench *bench = bench_new();
    struct buffer want[3] = {{0}};
    uint8_t bytes[BYTES];

    random_fill(&seed, bytes, sizeof(bytes));
    for (uint64_t i = 0; i < 3; i++) { /* one by one, so that left's numbers are known */
        dial_left(bench, 2 * i + 1);
        SOCKETS_UNTIL(&bench->loop, heard(bench->left, REPLICA_PEER_OPENED, 2 * i + 2) > 0 &&
                                        heard(bench->right, REPLICA_PEER_OPENED, 2 * i + 1) > 0);
    }
    for (int turn = 0; turn < TURNS; turn++) {
        size_t at = put(bench->right, slice_of(bytes, sizeof(bytes)));
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
        const struct buffer *mail = mail_of(bench->left, 2 * i + 2);
        SOCKETS_UNTIL(&bench->loop, mail->size >= want[i].size);
        CHECK_SLICE("bytes", buffer_slice(mail), buffer_slice(&want[i]));
        buffer_deinit(&want[i]);
    }
    bench_free(bench);
}

TEST(a_hold_is_ready_in_the_next_turn_when_there_is_room)
{
    struct bench *bench = bench_connected(side_options());

    send_to(bench->right, 1, SLICE("a part of a snapshot"));
    add(bench->right, PEER_HOLD, 1);
    end_turn(bench->right);
    CHECK_U64("not in the same turn", heard(bench->right, REPLICA_PEER_READY, 1), 0);
    SOCKETS_UNTIL(&bench->loop, heard(bench->right, REPLICA_PEER_READY, 1) > 0);
    uv_run(&bench->loop, UV_RUN_NOWAIT);
    CHECK_U64("once", heard(bench->right, REPLICA_PEER_READY, 1), 1);
    bench_free(bench);
}

TEST(a_hold_before_a_dial_is_through_is_ready_when_it_is)
{
    struct bench *bench = bench_new();

    dial_left(bench, 1);
    add(bench->right, PEER_HOLD, 1);
    SOCKETS_UNTIL(&bench->loop, heard(bench->right, REPLICA_PEER_READY, 1) > 0);
    CHECK_I64("opened first", bench->right->heard[0].kind, REPLICA_PEER_OPENED);
    bench_free(bench);
}

TEST(a_hundred_megabytes_wait_for_a_slow_peer_and_arrive_whole)
{
    enum { BYTES = 100 << 20 };
    struct bench *bench = bench_new();
    uint64_t seed = 1;
    uint8_t *bytes = mem_alloc(BYTES), *got = mem_alloc(BYTES + 3);
    int fd = raw_connection(bench);

    random_fill(&seed, bytes, BYTES);
    send_to(bench->left, 2, slice_of(bytes, BYTES));
    add(bench->left, PEER_HOLD, 2);
    end_turn(bench->left);
    send_to(bench->left, 2, SLICE("end"));
    for (int i = 0; i < 100; i++)
        uv_run(&bench->loop, UV_RUN_NOWAIT);
    CHECK_U64("the peer does not read", heard(bench->left, REPLICA_PEER_READY, 2), 0);
    raw_read(bench, fd, got, BYTES + 3);
    SOCKETS_UNTIL(&bench->loop, heard(bench->left, REPLICA_PEER_READY, 2) > 0);
    CHECK(memcmp(got, bytes, BYTES) == 0);
    CHECK(memcmp(got + BYTES, "end", 3) == 0);
    CHECK_U64("heard", bench->left->heard_count, 2);
    bench_free(bench);
    close(fd);
    mem_free(bytes);
    mem_free(got);
}

TEST(a_peer_that_takes_nothing_is_closed_at_the_bound_and_told)
{
    struct peer_options options = side_options();
    uint8_t *bytes = mem_zalloc(8 << 20);

    options.queue_bytes_max = 16 << 20;
    struct bench *bench = bench_new_with(options);
    int fd = raw_connection(bench), turns = 0;
    while (heard(bench->left, REPLICA_PEER_CLOSED, 2) == 0) {
        CHECK(turns++ < 6); /* 16 MB, what the kernel holds, and the turn at which it is seen */
        send_to(bench->left, 2, slice_of(bytes, 8 << 20));
        end_turn(bench->left);
    }
    CHECK(turns > 2);
    send_to(bench->left, 2, SLICE("too late")); /* harmless */
    uv_run(&bench->loop, UV_RUN_NOWAIT);
    CHECK_U64("once", heard(bench->left, REPLICA_PEER_CLOSED, 2), 1);
    bench_free(bench);
    close(fd);
    mem_free(bytes);
}

TEST(what_waits_for_a_dial_is_bounded_too)
{
    struct peer_options options = side_options();
    struct sockets_deaf deaf;
    uint8_t *bytes = mem_zalloc(1 << 20);

    options.queue_bytes_max = 4 << 20;
    sockets_deaf(&deaf);
    struct bench *bench = bench_new_with(options);
    dial(bench->left, 1, "127.0.0.1", deaf.port);
    for (int i = 0; i < 5; i++) {
        CHECK_U64("not yet", bench->left->heard_count, 0);
        send_to(bench->left, 1, slice_of(bytes, 1 << 20));
        end_turn(bench->left);
    }
    send_to(bench->left, 1, slice_of(bytes, 1 << 20));
    end_turn(bench->left);
    CHECK_U64("closed", heard(bench->left, REPLICA_PEER_CLOSED, 1), 1);
    bench_free(bench);
    sockets_deaf_close(&deaf);
    mem_free(bytes);
}

/* --- the end --- */

TEST(what_was_sent_before_a_close_arrives)
{
    enum { BYTES = 20 << 20 };
    struct bench *bench = bench_connected(side_options());
    uint8_t *bytes = mem_zalloc(BYTES);

    send_to(bench->right, 1, slice_of(bytes, BYTES));
    add(bench->right, PEER_CLOSE, 1);
    SOCKETS_UNTIL(&bench->loop, heard(bench->left, REPLICA_PEER_CLOSED, 2) > 0);
    CHECK_U64("bytes", mail_of(bench->left, 2)->size, BYTES);
    CHECK_U64("closed", heard(bench->left, REPLICA_PEER_CLOSED, 2), 1);
    CHECK_U64("nothing is told to the one who closes", bench->right->heard_count, 1);
    bench_free(bench);
    mem_free(bytes);
}

/* More than the other side's kernel takes while nobody reads there: some of it stays in ours. */
enum { LAST_WORDS_BYTES = 300 << 10 };

static void close_at_first_bytes(struct side *side, const struct replica_event *event)
{
    static const uint8_t words[LAST_WORDS_BYTES];

    if (event->kind == REPLICA_PEER_BYTES && heard(side, REPLICA_PEER_BYTES, 2) == 1) {
        send_to(side, event->connection, slice_of(words, sizeof(words)));
        add(side, PEER_CLOSE, event->connection);
    }
}

TEST(nothing_is_told_of_a_connection_in_the_turn_that_closes_it)
{
    enum { BYTES = 8 << 20 };
    struct bench *bench = bench_connected(side_options());
    uint8_t *bytes = mem_zalloc(BYTES);

    bench->left->react = close_at_first_bytes;
    send_to(bench->right, 1, slice_of(bytes, BYTES));
    SOCKETS_UNTIL(&bench->loop, heard(bench->right, REPLICA_PEER_CLOSED, 1) > 0);
    CHECK_U64("bytes were told once", heard(bench->left, REPLICA_PEER_BYTES, 2), 1);
    CHECK_U64("left heard", bench->left->heard_count, 2);
    bench_free(bench);
    mem_free(bytes);
}

TEST(last_words_arrive_though_the_other_side_was_still_talking)
{
    struct bench *bench = bench_new();
    int fd = raw_connection(bench);
    uint8_t *bytes = mem_zalloc(LAST_WORDS_BYTES);

    bench->left->react = close_at_first_bytes;
    CHECK_I64("talking", write(fd, "hello", 5), 5);
    SOCKETS_UNTIL(&bench->loop, heard(bench->left, REPLICA_PEER_BYTES, 2) > 0);
    CHECK_I64("talking on", write(fd, bytes, 1000), 1000); /* into what is being closed */
    for (int i = 0; i < 10; i++)
        uv_run(&bench->loop, UV_RUN_NOWAIT);
    raw_read(bench, fd, bytes, LAST_WORDS_BYTES);
    CHECK_U64("told once", heard(bench->left, REPLICA_PEER_BYTES, 2), 1);
    bench_free(bench);
    close(fd);
    mem_free(bytes);
}

TEST(a_close_does_not_wait_for_ever_for_a_peer_that_takes_nothing)
{
    enum { BYTES = 32 << 20 };
    struct bench *bench = bench_new();
    uint8_t *bytes = mem_zalloc(BYTES), *got = mem_alloc(BYTES);
    int fd = raw_connection(bench);

    send_to(bench->left, 2, slice_of(bytes, BYTES));
    add(bench->left, PEER_CLOSE, 2);
    end_turn(bench->left);
    SOCKETS_UNTIL(&bench->loop, log_count("did not take its last bytes") > 0);
    size_t size = 0;
    ssize_t now;
    while ((now = recv(fd, got, BYTES, 0)) > 0) /* what the kernels held, then the end */
        size += (size_t)now;
    CHECK(size < BYTES);
    CHECK_U64("heard", bench->left->heard_count, 1);
    bench_free(bench);
    close(fd);
    mem_free(bytes);
    mem_free(got);
}

TEST(a_peer_that_ends_its_output_has_ended_the_connection)
{
    struct bench *bench = bench_new();
    int fd = raw_connection(bench);

    CHECK_I64("bytes", write(fd, "bye", 3), 3);
    CHECK_I64("half", shutdown(fd, SHUT_WR), 0);
    SOCKETS_UNTIL(&bench->loop, heard(bench->left, REPLICA_PEER_CLOSED, 2) > 0);
    CHECK_SLICE("its last bytes came first", buffer_slice(mail_of(bench->left, 2)), SLICE("bye"));
    uint8_t byte;
    CHECK_I64("ours is closed as well", recv(fd, &byte, 1, 0), 0);
    bench_free(bench);
    close(fd);
}

TEST(a_peer_that_resets_is_told_once)
{
    struct bench *bench = bench_new();
    int fd = raw_connection(bench);
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    CHECK_I64("linger", setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
    close(fd);
    send_to(bench->left, 2, SLICE("to nobody"));
    SOCKETS_UNTIL(&bench->loop, heard(bench->left, REPLICA_PEER_CLOSED, 2) > 0);
    send_to(bench->left, 2, SLICE("still to nobody"));
    add(bench->left, PEER_CLOSE, 2); /* both have missed each other: harmless */
    uv_run(&bench->loop, UV_RUN_NOWAIT);
    CHECK_U64("once", heard(bench->left, REPLICA_PEER_CLOSED, 2), 1);
    bench_free(bench);
}

TEST(a_peer_that_is_silent_and_does_not_read_stays_open)
{
    struct bench *bench = bench_new();
    int fd = raw_connection(bench);

    send_to(bench->left, 2, SLICE("are you there?"));
    for (int i = 0; i < 100; i++)
        uv_run(&bench->loop, UV_RUN_NOWAIT);
    CHECK_U64("only opened", bench->left->heard_count, 1);
    bench_free(bench);
    close(fd);
}

/* --- the log --- */

TEST(a_server_that_cannot_be_reached_is_said_when_it_is_news)
{
    struct bench *bench = bench_new();
    uint16_t port;
    int listener = sockets_bound(&port);
    uint64_t connection = 1;

    for (int i = 0; i < 5; i++, connection += 2) {
        dial(bench->right, connection, "127.0.0.1", port);
        SOCKETS_UNTIL(&bench->loop, heard(bench->right, REPLICA_PEER_CLOSED, connection) > 0);
    }
    CHECK_U64("five refusals", log_count("cannot be reached: connection refused"), 1);
    CHECK_I64("it starts", listen(listener, 8), 0);
    for (int i = 0; i < 5; i++, connection += 2) {
        dial(bench->right, connection, "127.0.0.1", port);
        SOCKETS_UNTIL(&bench->loop, heard(bench->right, REPLICA_PEER_OPENED, connection) > 0);
    }
    CHECK_U64("five connections", log_count("connected to another server"), 1);
    close(listener); /* resets those that nobody has accepted */
    SOCKETS_UNTIL(&bench->loop, heard(bench->right, REPLICA_PEER_CLOSED, connection - 2) > 0);
    dial(bench->right, connection, "127.0.0.1", port);
    SOCKETS_UNTIL(&bench->loop, heard(bench->right, REPLICA_PEER_CLOSED, connection) > 0);
    CHECK_U64("and again", log_count("cannot be reached: connection refused"), 2);
    bench_free(bench);
}

TEST(a_close_with_a_reason_is_said_with_it)
{
    struct bench *bench = bench_connected(side_options());

    effects_add_peer(&bench->left->effects, (struct peer_effect){.kind = PEER_CLOSE,
                                                                 .connection = 2,
                                                                 .reason = "it has an unknown id"});
    SOCKETS_UNTIL(&bench->loop, heard(bench->right, REPLICA_PEER_CLOSED, 1) > 0);
    CHECK_U64("why", log_count("closing a connection: it has an unknown id peer=127.0.0.1:"), 1);
    bench_free(bench);
}

TEST(strangers_cannot_fill_the_log)
{
    struct bench *bench = bench_new();
    uint16_t port = peers_port(bench->left->peers, PEER_PORT_ELECTION);
    uint64_t start_ms = uv_now(&bench->loop);

    for (uint64_t i = 0; i < 200; i++) {
        int fd = sockets_connect(port);
        CHECK_I64("sent", write(fd, "GET", 3), 3);
        SOCKETS_UNTIL(&bench->loop, heard(bench->left, REPLICA_PEER_BYTES, 2 * i + 2) > 0);
        buffer_deinit(mail_of(bench->left, 2 * i + 2));
        bench->left->mail_count = 0;
        close(fd);
        SOCKETS_UNTIL(&bench->loop, heard(bench->left, REPLICA_PEER_CLOSED, 2 * i + 2) > 0);
    }
    CHECK(log_count("ended a connection") >= 1);
    CHECK(log_count("ended a connection") <= 10 * (2 + (uv_now(&bench->loop) - start_ms) / 1000));
    bench_free(bench);
}
