/* One server's connections on the bench: what it dials, says and closes, byte for byte. */
#include "replica/election/connections.h"
#include "test/lib/check.h"

static const char three[] = "server.1=h1:1:11\nserver.2=h2:1:12\nserver.3=h3:1:13";
static const char with_observer[] =
    "server.1=h1:1:11\nserver.2=h2:1:12\nserver.3=h3:1:13\nserver.4=h4:1:14:observer";

enum {
    HELLO_TIMEOUT_MS = 5000,
    FIRST_TRY_MS = 300,
    REDIAL_MIN_MS = 10,
    REDIAL_MAX_MS = 1000,
    PROMPT_WAIT_MS = 1000
};

struct bench {
    struct connections *connections;
    struct membership *members;
    struct effects effects;
    uint64_t next_number, next_accepted;
    int64_t now_ms;
    uint32_t looked; /* effects that were checked */
};

static void bench_init_many(struct bench *bench, int64_t my_id, const char *text, bool many)
{
    struct buffer problem = {0};

    *bench = (struct bench){.next_number = 1, .next_accepted = 2, .now_ms = 1000000};
    bench->members = membership_parse(slice_text(text), &problem);
    CHECK(bench->members != NULL);
    buffer_deinit(&problem);
    bench->connections =
        connections_new(&(struct connections_options){.my_id = my_id,
                                                      .many_addresses = many,
                                                      .first_try_ms = FIRST_TRY_MS,
                                                      .hello_timeout_ms = HELLO_TIMEOUT_MS,
                                                      .redial_min_ms = REDIAL_MIN_MS,
                                                      .redial_max_ms = REDIAL_MAX_MS,
                                                      .next_number = &bench->next_number});
    connections_set_members(bench->connections, bench->members, NULL, &bench->effects);
}

static void bench_init(struct bench *bench, int64_t my_id, const char *text)
{
    bench_init_many(bench, my_id, text, false);
}

static void bench_deinit(struct bench *bench)
{
    connections_free(bench->connections);
    membership_free(bench->members);
    effects_deinit(&bench->effects);
}

/* A new turn: what came before is not looked at any more. */
static void turn(struct bench *bench)
{
    effects_clear(&bench->effects);
    bench->looked = 0;
}

static const struct peer_effect *next_effect(struct bench *bench)
{
    if (bench->looked == bench->effects.peer_count)
        return NULL;
    return &bench->effects.peers[bench->looked++];
}

static uint64_t expect_dial(struct bench *bench, const char *host, uint16_t port)
{
    const struct peer_effect *effect = next_effect(bench);

    CHECK(effect != NULL && effect->kind == PEER_DIAL && effect->port == PEER_PORT_ELECTION);
    CHECK_SLICE("host", effect->host, slice_text(host));
    CHECK_U64("port", effect->port_number, port);
    CHECK(effect->connection % 2 == 1);
    return effect->connection;
}

static void expect_send(struct bench *bench, uint64_t connection, struct slice bytes)
{
    const struct peer_effect *effect = next_effect(bench);

    CHECK(effect != NULL && effect->kind == PEER_SEND);
    CHECK_U64("connection", effect->connection, connection);
    CHECK_SLICE("bytes", slice_of(bench->effects.peer_bytes.data + effect->offset, effect->size),
                bytes);
}

static void expect_close(struct bench *bench, uint64_t connection)
{
    const struct peer_effect *effect = next_effect(bench);

    CHECK(effect != NULL && effect->kind == PEER_CLOSE);
    CHECK_U64("connection", effect->connection, connection);
    CHECK(!connections_owns(bench->connections, connection));
}

static void expect_note(struct bench *bench)
{
    const struct peer_effect *effect = next_effect(bench);

    CHECK(effect != NULL && effect->kind == PEER_NOTE);
    CHECK_SLICE("reason", slice_text(effect->reason), SLICE("no server.N line has its id"));
}

static void expect_nothing(struct bench *bench)
{
    CHECK(next_effect(bench) == NULL);
}

static void expect_link(struct bench *bench, int64_t id, enum election_link link)
{
    struct connections_news news;

    CHECK(connections_next(bench->connections, &news));
    CHECK(news.kind == CONNECTIONS_LINK);
    CHECK_I64("id", news.id, id);
    CHECK_I64("link", news.link, link);
}

static void expect_message(struct bench *bench, int64_t from, struct slice message)
{
    struct connections_news news;

    CHECK(connections_next(bench->connections, &news));
    CHECK(news.kind == CONNECTIONS_MESSAGE);
    CHECK_I64("from", news.id, from);
    CHECK_SLICE("message", news.message, message);
}

static void expect_no_news(struct bench *bench)
{
    struct connections_news news;

    CHECK(!connections_next(bench->connections, &news));
}

static void opened(struct bench *bench, uint64_t connection)
{
    turn(bench);
    connections_opened(bench->connections, connection, bench->now_ms, &bench->effects);
}

static void closed(struct bench *bench, uint64_t connection)
{
    turn(bench);
    connections_closed(bench->connections, connection, bench->now_ms);
}

static void receive(struct bench *bench, uint64_t connection, struct slice bytes)
{
    turn(bench);
    connections_bytes(bench->connections, connection, bytes, bench->now_ms, &bench->effects);
}

static void queue(struct bench *bench, int64_t to, const char *message)
{
    turn(bench);
    connections_send(bench->connections, to, slice_text(message), &bench->effects);
}

static void pass(struct bench *bench, int64_t ms)
{
    turn(bench);
    bench->now_ms += ms;
    connections_tick(bench->connections, bench->now_ms, &bench->effects);
}

#define V1 "\xff\xff\xff\xff\xff\xff\0\0"
#define V2 "\xff\xff\xff\xff\xff\xff\0\1"
#define SID_1 "\0\0\0\0\0\0\0\1"
#define SID_2 "\0\0\0\0\0\0\0\2"
#define SID_3 "\0\0\0\0\0\0\0\3"
#define SID_5 "\0\0\0\0\0\0\0\5"
#define SID_9 "\0\0\0\0\0\0\0\x09"

static uint64_t accept_bytes(struct bench *bench, struct slice hello)
{
    uint64_t connection = bench->next_accepted;

    bench->next_accepted += 2;
    opened(bench, connection);
    expect_nothing(bench);
    receive(bench, connection, hello);
    return connection;
}

/* Server 2 of three: 1 is dialled and open, 3 has been prompted. */
static uint64_t two_with_one(struct bench *bench)
{
    bench_init(bench, 2, three);
    uint64_t to_1 = expect_dial(bench, "h1", 11), to_3 = expect_dial(bench, "h3", 13);
    opened(bench, to_1);
    opened(bench, to_3);
    turn(bench);
    expect_link(bench, 1, ELECTION_LINK_OPEN);
    expect_no_news(bench);
    return to_1;
}

/* --- who dials, who keeps --- */

TEST(the_first_message_of_server_3_is_what_a_real_one_sends_in_one_piece)
{
    struct bench bench;

    bench_init(&bench, 3, "server.1=127.0.0.1:23111:23121\nserver.3=127.0.0.1:23113:23123");
    uint64_t number = expect_dial(&bench, "127.0.0.1", 23121);
    expect_nothing(&bench);
    queue(&bench, 1, "hello");
    expect_nothing(&bench); /* the dial is on its way */
    opened(&bench, number);
    expect_send(&bench, number,
                SLICE(V1 SID_3 "\0\0\0\x0f"
                               "127.0.0.1:23123"
                               "\0\0\0\5hello"));
    expect_nothing(&bench);
    expect_link(&bench, 1, ELECTION_LINK_OPEN);
    bench_deinit(&bench);
}

TEST(the_smaller_id_says_who_it_is_and_hangs_up)
{
    struct bench bench;

    bench_init(&bench, 1, three);
    uint64_t to_2 = expect_dial(&bench, "h2", 12);
    queue(&bench, 2, "vote");
    opened(&bench, to_2);
    expect_send(&bench, to_2, SLICE(V1 SID_1 "\0\0\0\5h1:11"));
    expect_close(&bench, to_2);
    expect_nothing(&bench);
    expect_no_news(&bench); /* it may dial back any moment */
    uint64_t from_2 = accept_bytes(&bench, SLICE(V1 SID_2 "\0\0\0\5h2:12"));
    expect_send(&bench, from_2, SLICE("\0\0\0\4vote"));
    expect_link(&bench, 2, ELECTION_LINK_OPEN);
    receive(&bench, from_2, SLICE("\0\0\0\5theirs"));
    expect_message(&bench, 2, SLICE("their"));
    bench_deinit(&bench);
}

TEST(an_observer_that_looks_dials_a_voter_again_and_asks_again)
{
    struct bench bench;

    bench_init(&bench, 4, with_observer);
    expect_nothing(&bench);
    connections_set_looking(bench.connections, true);
    queue(&bench, 2, "vote");
    uint64_t to_2 = expect_dial(&bench, "h2", 12);
    opened(&bench, to_2);
    turn(&bench);
    closed(&bench, to_2);
    CHECK_I64("wake", connections_wake_at_ms(bench.connections), bench.now_ms + REDIAL_MIN_MS);
    pass(&bench, REDIAL_MIN_MS);
    to_2 = expect_dial(&bench, "h2", 12);
    opened(&bench, to_2);
    expect_send(&bench, to_2, SLICE(V1 "\0\0\0\0\0\0\0\4\0\0\0\5h4:14\0\0\0\4vote"));
    closed(&bench, to_2);
    connections_set_looking(bench.connections, false);
    CHECK_I64("wake", connections_wake_at_ms(bench.connections), INT64_MAX);
    bench_deinit(&bench);
}

TEST(the_smaller_id_asks_again_when_nobody_dials_back)
{
    struct bench bench;

    bench_init(&bench, 1, "server.1=h1:1:11\nserver.2=h2:1:12");
    opened(&bench, expect_dial(&bench, "h2", 12));
    CHECK_I64("wake", connections_wake_at_ms(bench.connections), bench.now_ms + PROMPT_WAIT_MS);
    pass(&bench, PROMPT_WAIT_MS - 1);
    expect_nothing(&bench);
    pass(&bench, 1);
    expect_dial(&bench, "h2", 12);
    bench_deinit(&bench);
}

TEST(the_larger_id_hangs_up_on_the_smaller_one_and_dials_the_address_that_it_said)
{
    struct bench bench;

    bench_init(&bench, 2, "server.1=h1:1:11\nserver.2=h2:1:12");
    closed(&bench, expect_dial(&bench, "h1", 11)); /* refused: it is only starting */
    expect_link(&bench, 1, ELECTION_LINK_DOWN);
    uint64_t prompt = accept_bytes(&bench, SLICE(V1 SID_1 "\0\0\0\6else:7"));
    expect_close(&bench, prompt);
    uint64_t number = expect_dial(&bench, "else", 7);
    expect_nothing(&bench);
    expect_link(&bench, 1, ELECTION_LINK_UNKNOWN);
    opened(&bench, number);
    expect_send(&bench, number, SLICE(V1 SID_2 "\0\0\0\5h2:12"));
    expect_link(&bench, 1, ELECTION_LINK_OPEN);
    bench_deinit(&bench);
}

TEST(where_the_said_address_does_not_answer_the_configured_one_is_dialled)
{
    struct bench bench;

    bench_init(&bench, 2, "server.1=h1:1:11\nserver.2=h2:1:12");
    closed(&bench, expect_dial(&bench, "h1", 11));
    (void)accept_bytes(&bench, SLICE(V1 SID_1 "\0\0\0\6else:7"));
    (void)next_effect(&bench);
    closed(&bench, expect_dial(&bench, "else", 7));
    pass(&bench, REDIAL_MAX_MS);
    closed(&bench, expect_dial(&bench, "h1", 11));
    pass(&bench, REDIAL_MAX_MS);
    expect_dial(&bench, "else", 7);
    bench_deinit(&bench);
}

TEST(an_address_that_means_any_host_and_one_that_is_none_are_not_dialled)
{
    static const struct {
        const char *name;
        struct slice hello;
        const char *host;
        uint16_t port;
    } rows[] = {
        {"any",
         SLICE(V1 SID_1 "\0\0\0\x09"
                        "0.0.0.0:7"),
         "h1", 11},
        {"any of IPv6", SLICE(V1 SID_1 "\0\0\0\6[::]:7"), "h1", 11},
        {"no port", SLICE(V1 SID_1 "\0\0\0\4else"), "h1", 11},
        {"noise", SLICE(V1 SID_1 "\0\0\0\4\0\1\2\3"), "h1", 11},
        {"release 3.4", SLICE(SID_1), "h1", 11},
        {"the second of two",
         SLICE(V2 SID_1 "\0\0\0\x0d"
                        "0.0.0.0:7|b:8"),
         "b", 8},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bench bench;
        bench_init(&bench, 2, "server.1=h1:1:11\nserver.2=h2:1:12");
        closed(&bench, expect_dial(&bench, "h1", 11));
        uint64_t prompt = accept_bytes(&bench, rows[i].hello);
        expect_close(&bench, prompt);
        expect_dial(&bench, rows[i].host, rows[i].port);
        bench_deinit(&bench);
    }
}

TEST(a_prompt_ends_the_connection_that_was_there_unless_that_is_as_young_as_the_prompt)
{
    struct bench bench;
    uint64_t to_1 = two_with_one(&bench);

    uint64_t prompt = accept_bytes(&bench, SLICE(V1 SID_1 "\0\0\0\5h1:11"));
    expect_close(&bench, prompt); /* they have crossed */
    expect_nothing(&bench);
    expect_no_news(&bench);
    pass(&bench, 500);
    prompt = accept_bytes(&bench, SLICE(V1 SID_1 "\0\0\0\5h1:11"));
    expect_close(&bench, prompt);
    expect_close(&bench, to_1);
    expect_dial(&bench, "h1", 11);
    expect_link(&bench, 1, ELECTION_LINK_UNKNOWN);
    bench_deinit(&bench);
}

TEST(a_prompt_starts_no_second_dial)
{
    struct bench bench;

    bench_init(&bench, 2, "server.1=h1:1:11\nserver.2=h2:1:12");
    expect_dial(&bench, "h1", 11);
    uint64_t prompt = accept_bytes(&bench, SLICE(V1 SID_1 "\0\0\0\5h1:11"));
    expect_close(&bench, prompt);
    expect_nothing(&bench);
    bench_deinit(&bench);
}

TEST(the_smaller_id_keeps_what_it_accepts_in_place_of_an_older_one)
{
    struct bench bench;

    (void)two_with_one(&bench);
    uint64_t old = accept_bytes(&bench, SLICE(V1 SID_3 "\0\0\0\5h3:13"));
    expect_nothing(&bench);
    expect_link(&bench, 3, ELECTION_LINK_OPEN);
    uint64_t new = accept_bytes(&bench, SLICE(V1 SID_3 "\0\0\0\5h3:13"));
    expect_close(&bench, old);
    expect_link(&bench, 3, ELECTION_LINK_UNKNOWN);
    expect_link(&bench, 3, ELECTION_LINK_OPEN);
    receive(&bench, old, SLICE("\0\0\0\1x")); /* what was on its way is nobody's */
    expect_no_news(&bench);
    receive(&bench, new, SLICE("\0\0\0\1y"));
    expect_message(&bench, 3, SLICE("y"));
    bench_deinit(&bench);
}

TEST(a_dial_on_its_way_is_given_up_for_a_connection_that_is_there)
{
    struct bench bench;

    bench_init(&bench, 1, "server.1=h1:1:11\nserver.2=h2:1:12");
    uint64_t dial = expect_dial(&bench, "h2", 12);
    (void)accept_bytes(&bench, SLICE(V1 SID_2 "\0\0\0\5h2:12"));
    expect_close(&bench, dial);
    expect_nothing(&bench);
    expect_link(&bench, 2, ELECTION_LINK_OPEN);
    CHECK_I64("wake", connections_wake_at_ms(bench.connections), INT64_MAX);
    bench_deinit(&bench);
}

TEST(the_own_id_is_hung_up_on)
{
    struct bench bench;

    (void)two_with_one(&bench);
    uint64_t own = accept_bytes(&bench, SLICE(V1 SID_2 "\0\0\0\5h2:12"));
    expect_close(&bench, own);
    expect_nothing(&bench);
    expect_no_news(&bench);
    bench_deinit(&bench);
}

TEST(a_first_message_that_is_wrong_is_hung_up_on)
{
    static const struct slice wrong[] = {
        SLICE("\xff\xff\xff\xff\xff\xff\xff\xf9"),
        SLICE(V1 SID_3 "\0\0\0\0"),
        SLICE(V1 SID_3 "\xff\xff\xff\xff"),
        SLICE(V1 SID_3 "\0\0\x08\x01"),
    };

    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct bench bench;
        (void)two_with_one(&bench);
        uint64_t stranger = accept_bytes(&bench, wrong[i]);
        expect_close(&bench, stranger);
        expect_nothing(&bench);
        bench_deinit(&bench);
    }
}

TEST(who_does_not_say_who_it_is_is_hung_up_on_in_time)
{
    struct bench bench;

    (void)two_with_one(&bench);
    uint64_t silent = accept_bytes(&bench, SLICE("\0"));
    pass(&bench, HELLO_TIMEOUT_MS - 1);
    CHECK(connections_owns(bench.connections, silent));
    pass(&bench, 1);
    expect_close(&bench, silent);
    bench_deinit(&bench);
}

TEST(a_server_of_release_3_4_is_known_by_its_id_alone)
{
    struct bench bench;

    (void)two_with_one(&bench);
    uint64_t from_3 = accept_bytes(&bench, SLICE(SID_3 "\0\0\0\1x"));
    expect_link(&bench, 3, ELECTION_LINK_OPEN);
    expect_message(&bench, 3, SLICE("x"));
    CHECK(connections_owns(bench.connections, from_3));
    bench_deinit(&bench);
}

TEST(with_several_addresses_all_are_said_and_tried_in_turn)
{
    static const char text[] = "server.1=a1:1:11|b1:1:12\nserver.2=a2:1:21|[::2]:1:22";
    struct bench bench;

    bench_init_many(&bench, 2, text, /* many= */ true);
    closed(&bench, expect_dial(&bench, "a1", 11));
    pass(&bench, REDIAL_MAX_MS);
    uint64_t number = expect_dial(&bench, "b1", 12);
    opened(&bench, number);
    expect_send(&bench, number,
                SLICE(V2 SID_2 "\0\0\0\x0e"
                               "[::2]:22|a2:21"));
    bench_deinit(&bench);
    bench_init_many(&bench, 2, text, /* many= */ false);
    closed(&bench, expect_dial(&bench, "a1", 11));
    pass(&bench, REDIAL_MAX_MS);
    number = expect_dial(&bench, "a1", 11);
    opened(&bench, number);
    expect_send(&bench, number, SLICE(V1 SID_2 "\0\0\0\x08[::2]:22"));
    bench_deinit(&bench);
}

static int32_t timeout_of_next_dial(struct bench *bench)
{
    const struct peer_effect *effect = next_effect(bench);

    CHECK(effect != NULL && effect->kind == PEER_DIAL);
    int32_t timeout_ms = effect->timeout_ms;
    closed(bench, effect->connection);
    pass(bench, REDIAL_MAX_MS);
    return timeout_ms;
}

TEST(the_first_try_of_each_of_several_addresses_is_short)
{
    struct bench bench;

    bench_init_many(&bench, 2, "server.1=a1:1:11|b1:1:12\nserver.2=a2:1:21", /* many= */ true);
    CHECK_I64("the first", timeout_of_next_dial(&bench), FIRST_TRY_MS);
    CHECK_I64("the second", timeout_of_next_dial(&bench), FIRST_TRY_MS);
    CHECK_I64("the first may only be slow", timeout_of_next_dial(&bench), 0);
    CHECK_I64("the second, too", timeout_of_next_dial(&bench), 0);
    bench_deinit(&bench);
    bench_init(&bench, 2, "server.1=a1:1:11\nserver.2=a2:1:21");
    CHECK_I64("the only one", timeout_of_next_dial(&bench), 0);
    bench_deinit(&bench);
}

TEST(a_server_that_is_not_listed_says_its_id_alone)
{
    struct bench bench;

    bench_init(&bench, 9, "server.1=h1:1:11");
    expect_nothing(&bench); /* no voter: it dials when it has something to say */
    queue(&bench, 1, "x");
    uint64_t number = expect_dial(&bench, "h1", 11);
    opened(&bench, number);
    expect_send(&bench, number, SLICE(SID_9 "\0\0\0\1x"));
    bench_deinit(&bench);
}

/* --- messages --- */

TEST(length_and_body_may_come_in_any_pieces)
{
    static const char bytes[] = "\0\0\0\3one\0\0\0\5three";
    struct bench bench;
    uint64_t to_1 = two_with_one(&bench);

    for (size_t cut = 0; cut < sizeof(bytes); cut++) {
        receive(&bench, to_1, slice_of(bytes, cut));
        receive(&bench, to_1, slice_of(bytes + cut, sizeof(bytes) - 1 - cut));
        expect_message(&bench, 1, SLICE("one"));
        expect_message(&bench, 1, SLICE("three"));
        expect_no_news(&bench);
        if (cut == sizeof(bytes) - 2)
            break;
    }
    for (size_t i = 0; i < sizeof(bytes) - 1; i++)
        receive(&bench, to_1, slice_of(bytes + i, 1));
    expect_message(&bench, 1, SLICE("one"));
    expect_message(&bench, 1, SLICE("three"));
    bench_deinit(&bench);
}

TEST(a_length_of_0_negative_or_524289_ends_the_connection)
{
    static const struct slice wrong[] = {SLICE("\0\0\0\0"), SLICE("\xff\xff\xff\xff"),
                                         SLICE("\0\x08\0\1")};

    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct bench bench;
        uint64_t to_1 = two_with_one(&bench);
        receive(&bench, to_1, wrong[i]);
        expect_close(&bench, to_1);
        expect_link(&bench, 1, ELECTION_LINK_DOWN);
        pass(&bench, REDIAL_MIN_MS);
        expect_dial(&bench, "h1", 11);
        bench_deinit(&bench);
    }
}

TEST(the_last_message_is_sent_again_on_a_new_connection)
{
    struct bench bench;
    uint64_t to_1 = two_with_one(&bench);

    queue(&bench, 1, "first");
    queue(&bench, 1, "last");
    expect_send(&bench, to_1, SLICE("\0\0\0\4last"));
    for (int i = 0; i < 3; i++) {
        bench.now_ms += 2000;
        closed(&bench, to_1);
        expect_link(&bench, 1, ELECTION_LINK_DOWN);
        pass(&bench, REDIAL_MIN_MS);
        to_1 = expect_dial(&bench, "h1", 11);
        opened(&bench, to_1);
        expect_send(&bench, to_1,
                    SLICE(V1 SID_2 "\0\0\0\5h2:12"
                                   "\0\0\0\4last"));
        expect_link(&bench, 1, ELECTION_LINK_OPEN);
    }
    bench_deinit(&bench);
}

TEST(a_second_message_that_waits_takes_the_place_of_the_first_and_of_the_last_sent)
{
    struct bench bench;
    uint64_t to_1 = two_with_one(&bench);

    queue(&bench, 1, "sent");
    closed(&bench, to_1);
    queue(&bench, 1, "one");
    queue(&bench, 1, "other");
    expect_nothing(&bench); /* the next try is planned already */
    pass(&bench, REDIAL_MIN_MS);
    to_1 = expect_dial(&bench, "h1", 11);
    opened(&bench, to_1);
    expect_send(&bench, to_1,
                SLICE(V1 SID_2 "\0\0\0\5h2:12"
                               "\0\0\0\5other"));
    expect_nothing(&bench);
    bench_deinit(&bench);
}

/* --- dialling again --- */

TEST(a_refused_voter_is_dialled_again_after_10_20_40_and_so_on_up_to_1000_ms)
{
    struct bench bench;
    int64_t wait_ms = REDIAL_MIN_MS;

    bench_init(&bench, 2, "server.1=h1:1:11\nserver.2=h2:1:12");
    closed(&bench, expect_dial(&bench, "h1", 11));
    expect_link(&bench, 1, ELECTION_LINK_DOWN);
    for (int i = 0; i < 12; i++) {
        CHECK_I64("wake", connections_wake_at_ms(bench.connections), bench.now_ms + wait_ms);
        pass(&bench, wait_ms - 1);
        expect_nothing(&bench);
        pass(&bench, 1);
        uint64_t number = expect_dial(&bench, "h1", 11);
        CHECK_I64("no second", connections_wake_at_ms(bench.connections), INT64_MAX);
        closed(&bench, number);
        expect_no_news(&bench); /* it was down before */
        wait_ms = wait_ms * 2 > REDIAL_MAX_MS ? REDIAL_MAX_MS : wait_ms * 2;
    }
    bench_deinit(&bench);
}

TEST(a_connection_that_lived_is_dialled_again_soon_and_the_larger_id_goes_first)
{
    struct bench bench;
    uint64_t to_1 = two_with_one(&bench);
    uint64_t from_3 = accept_bytes(&bench, SLICE(V1 SID_3 "\0\0\0\5h3:13"));

    bench.now_ms += 1000;
    closed(&bench, to_1);
    CHECK_I64("wake", connections_wake_at_ms(bench.connections), bench.now_ms + REDIAL_MIN_MS);
    pass(&bench, REDIAL_MIN_MS);
    opened(&bench, expect_dial(&bench, "h1", 11));
    closed(&bench, from_3);
    CHECK_I64("wake", connections_wake_at_ms(bench.connections),
              bench.now_ms + 4 * (int64_t)REDIAL_MIN_MS);
    bench_deinit(&bench);
}

TEST(an_observer_dials_when_it_has_something_to_say_and_not_again_when_it_was_said)
{
    struct bench bench;

    bench_init(&bench, 4, with_observer);
    expect_nothing(&bench);
    queue(&bench, 1, "who");
    uint64_t number = expect_dial(&bench, "h1", 11);
    closed(&bench, number);
    pass(&bench, REDIAL_MIN_MS); /* not said yet */
    number = expect_dial(&bench, "h1", 11);
    opened(&bench, number);
    closed(&bench, number);
    CHECK_I64("wake", connections_wake_at_ms(bench.connections), INT64_MAX);
    bench_deinit(&bench);
}

TEST(a_member_that_is_added_is_dialled)
{
    struct bench bench;
    struct buffer problem = {0};
    struct membership *more = membership_parse(
        SLICE("server.1=h1:1:11\nserver.2=h2:1:12\nserver.5=h5:1:15\nversion=3"), &problem);

    bench_init(&bench, 2, "server.1=h1:1:11\nserver.2=h2:1:12");
    expect_dial(&bench, "h1", 11);
    turn(&bench);
    connections_set_members(bench.connections, bench.members, more, &bench.effects);
    expect_dial(&bench, "h5", 15);
    expect_nothing(&bench);
    bench_deinit(&bench);
    membership_free(more);
}

/* --- strangers --- */

TEST(a_stranger_with_a_smaller_id_is_dialled_where_it_said_and_forgotten_when_that_is_nowhere)
{
    struct bench bench;

    bench_init(&bench, 7, "server.7=h7:1:17");
    uint64_t prompt = accept_bytes(&bench, SLICE(V1 SID_5 "\0\0\0\6else:7"));
    expect_note(&bench);
    expect_close(&bench, prompt);
    uint64_t number = expect_dial(&bench, "else", 7);
    closed(&bench, number);
    expect_link(&bench, 5, ELECTION_LINK_DOWN);
    CHECK_I64("wake", connections_wake_at_ms(bench.connections), INT64_MAX);
    queue(&bench, 5, "us");
    expect_nothing(&bench);
    bench_deinit(&bench);
}

TEST(a_stranger_with_a_larger_id_is_heard_and_answered_while_it_is_connected)
{
    struct bench bench;

    (void)two_with_one(&bench);
    uint64_t stranger = accept_bytes(&bench, SLICE(V1 SID_9 "\0\0\0\3x:1"
                                                            "\0\0\0\3who"));
    expect_link(&bench, 9, ELECTION_LINK_OPEN);
    expect_message(&bench, 9, SLICE("who"));
    queue(&bench, 9, "us");
    expect_send(&bench, stranger, SLICE("\0\0\0\2us"));
    closed(&bench, stranger);
    expect_link(&bench, 9, ELECTION_LINK_DOWN);
    queue(&bench, 9, "us");
    expect_nothing(&bench);
    bench_deinit(&bench);
}

TEST(observers_without_an_id_get_one_each_from_minus_1_downwards)
{
    struct bench bench;

    (void)two_with_one(&bench);
    for (int64_t id = -1; id >= -3; id--) {
        uint64_t prompt = accept_bytes(&bench, SLICE(V1 "\x7f\xff\xff\xff\xff\xff\xff\xff"
                                                        "\0\0\0\6else:7"));
        expect_close(&bench, prompt);
        uint64_t number = expect_dial(&bench, "else", 7);
        opened(&bench, number);
        expect_link(&bench, id, ELECTION_LINK_OPEN);
    }
    bench_deinit(&bench);
}

TEST(strangers_without_end_get_a_bounded_number_of_connections)
{
    struct bench bench;
    uint32_t open = 0;

    (void)two_with_one(&bench);
    for (int64_t id = 100; id < 1000; id++) {
        struct buffer hello = {0};
        buffer_i64(&hello, id);
        uint64_t stranger = accept_bytes(&bench, buffer_slice(&hello));
        open += connections_owns(bench.connections, stranger) ? 1 : 0;
        buffer_deinit(&hello);
    }
    CHECK_U64("open", open, 256);
    for (int i = 0; i < 1000; i++)
        opened(&bench, bench.next_accepted += 2);
    expect_close(&bench, bench.next_accepted);
    bench_deinit(&bench);
}
