/* From a request to its reply, or to the error that stands for it. */
#include "client/requests.h"
#include "test/lib/check.h"
#include "test/lib/client_play.h"
#include "wire/records.h"

TEST(requests_wait_for_the_handshake_and_replies_come_back_in_order)
{
    struct client_request first, second;
    struct request_header header;
    struct reader body;

    play_begin();
    play_get(&first, "/a", false);
    play_get(&second, "/b", false);
    play_open();
    play_collect_output();
    CHECK_U64("only the handshake", play.output.size, 49);
    play_shake_hands(PLAY_SESSION, PLAY_TIMEOUT_MS, false);
    play_expect_session_event(CLIENT_STATE_CONNECTED);
    CHECK(play_next_frame(&header, &body));
    CHECK_I64("op", header.type, OP_GET_DATA);
    CHECK_I64("xid", header.xid, first.xid);
    CHECK(play_next_frame(&header, &body));
    CHECK_I64("xid", header.xid, second.xid);
    play_answer(first.xid, 10, 0, SLICE("body"));
    play_answer(second.xid, 11, ZK_NO_NODE, SLICE(""));
    play_expect_done(&first, 0);
    CHECK_SLICE("reply", slice_of(first.reply, first.reply_size), SLICE("body"));
    play_expect_done(&second, ZK_NO_NODE);
    CHECK_I64("zxid", play.client.last_zxid, 11);
    client_request_deinit(&first);
    client_request_deinit(&second);
    play_end();
}

TEST(what_waits_for_a_reply_fails_when_the_connection_is_lost)
{
    struct client_request sent, waiting;
    struct request_header header;
    struct reader body;

    play_begin();
    play_connect();
    play_expect_session_event(CLIENT_STATE_CONNECTED);
    play_get(&sent, "/a", true);
    CHECK(play_next_frame(&header, &body));
    play_get(&waiting, "/b", false);
    client_lost(&play.client, CLIENT_CONNECTION_LOST, play.now_ms);
    play_expect_session_event(CLIENT_STATE_CONNECTING);
    play_expect_done(&sent, CLIENT_CONNECTION_LOST);
    play_expect_done(&waiting, CLIENT_CONNECTION_LOST);
    CHECK_U64("no watch was set", play.client.watches.count, 0);
    CHECK(!play_next_frame(&header, &body));
    client_request_deinit(&sent);
    play_end();
}

TEST(an_error_of_the_server_is_told_from_one_of_the_client)
{
    struct client_request refused, lost;
    struct request_header header;
    struct reader reader;

    play_begin();
    play_connect();
    play_expect_session_event(CLIENT_STATE_CONNECTED);
    play_get(&refused, "/a", false);
    play_get(&lost, "/b", false);
    CHECK(play_next_frame(&header, &reader));
    play_answer(header.xid, 5, CLIENT_CONNECTION_LOST, SLICE("")); /* odd, but the server's word */
    play_expect_done(&refused, CLIENT_CONNECTION_LOST);
    CHECK(refused.answered);
    client_lost(&play.client, CLIENT_CONNECTION_LOST, play.now_ms);
    play_expect_session_event(CLIENT_STATE_CONNECTING);
    play_expect_done(&lost, CLIENT_CONNECTION_LOST);
    CHECK(!lost.answered);
    play_end();
}

TEST(a_multi_is_checked_before_any_of_it_is_written)
{
    struct client_acl anyone = {31, SLICE("world"), SLICE("anyone")};
    struct client_op ops[] = {
        {.op = OP_CREATE,
         .create = {.path = SLICE("/a"), .acl = &anyone, .acl_count = 1, .ttl_ms = -1}},
        {.op = OP_CHECK, .create = {.path = SLICE("bad")}},
    };
    struct client_request request;
    struct request_header header;
    struct reader body;

    play_begin();
    play_connect();
    client_request_init(&request);
    CHECK_I64("bad", client_multi(&play.client, &request, ops, 2), CLIENT_BAD_ARGUMENTS);
    CHECK(!play_next_frame(&header, &body));
    ops[1].create.path = SLICE("/good");
    CHECK_I64("good", client_multi(&play.client, &request, ops, 2), CLIENT_OK);
    CHECK(play_next_frame(&header, &body));
    CHECK_I64("op", header.type, OP_MULTI);
    play_end();
}

TEST(modes_and_ttls_must_fit)
{
    static const struct {
        int32_t mode;
        int64_t ttl_ms;
        enum client_error err;
    } rows[] = {
        {MODE_PERSISTENT, -1, CLIENT_OK},
        {MODE_CONTAINER, -1, CLIENT_OK},
        {MODE_EPHEMERAL, 5, CLIENT_BAD_ARGUMENTS},
        {MODE_TTL, 1, CLIENT_OK},
        {MODE_SEQUENTIAL_TTL, TTL_MS_MAX, CLIENT_OK},
        {MODE_TTL, TTL_MS_MAX + 1, CLIENT_BAD_ARGUMENTS},
        {MODE_TTL, 0, CLIENT_BAD_ARGUMENTS},
        {MODE_TTL, -1, CLIENT_BAD_ARGUMENTS},
        {7, -1, CLIENT_BAD_ARGUMENTS},
        {-1, -1, CLIENT_BAD_ARGUMENTS},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct client_acl anyone = {31, SLICE("world"), SLICE("anyone")};
        struct client_create create = {.path = SLICE("/a"),
                                       .acl = &anyone,
                                       .acl_count = 1,
                                       .mode = rows[i].mode,
                                       .ttl_ms = rows[i].ttl_ms};
        struct client_request request;
        struct request_header header;
        struct reader body;
        play_begin();
        play_connect();
        client_request_init(&request);
        CHECK_I64("mode", client_create(&play.client, &request, &create), rows[i].err);
        CHECK(play_next_frame(&header, &body) == (rows[i].err == CLIENT_OK));
        play_end();
    }
}

TEST(any_request_can_be_sent_as_its_bytes_and_its_reply_sets_the_watch)
{
    static const uint8_t body[] = {0, 0, 0, 2, '/', 'a', 1};
    struct client_watcher watcher = {play_nobody, NULL};
    struct client_request request;
    struct request_header header;
    struct reader reader;

    play_begin_with((struct client_options){.chroot = SLICE("/top")});
    play_connect();
    play_expect_session_event(CLIENT_STATE_CONNECTED);
    client_request_init(&request);
    CHECK_I64("watch",
              client_want_watch(&play.client, &request, SLICE("/a"), CLIENT_SETS_EXIST, &watcher),
              CLIENT_OK);
    CHECK_I64("request",
              client_raw(&play.client, &request, OP_EXISTS, slice_of(body, sizeof(body))),
              CLIENT_OK);
    CHECK(play_next_frame(&header, &reader));
    CHECK_I64("op", header.type, OP_EXISTS);
    CHECK_SLICE("as it is", slice_of(reader.pos, reader_left(&reader)),
                slice_of(body, sizeof(body)));
    CHECK(!request.answered);
    play_answer(header.xid, 5, ZK_NO_NODE, SLICE(""));
    CHECK(client_watches_has(&play.client.watches, SLICE("/top/a"), CLIENT_WATCH_EXIST, &watcher));
    play_expect_done(&request, ZK_NO_NODE);
    CHECK(request.answered);
    client_request_deinit(&request);
    play_end();
}

static int32_t answered_xids[2], answered_errs[2];
static uint32_t answered_count;

static bool note_answer(void *context, int32_t xid, int32_t err)
{
    uint32_t *expected = context;

    if (answered_count == *expected)
        return false;
    answered_xids[answered_count] = xid;
    answered_errs[answered_count++] = err;
    return true;
}

TEST(a_host_that_keeps_its_own_account_is_told_each_answer_until_one_is_too_many)
{
    static const uint8_t said[] = {0, 0, 0, 2, '/', 'a', 0};
    struct slice body = slice_of(said, sizeof(said));
    struct request_header header;
    struct reader reader;
    uint32_t expected = 2;

    answered_count = 0;
    play_begin_with(
        (struct client_options){.on_answer = note_answer, .on_answer_context = &expected});
    play_connect();
    play_expect_session_event(CLIENT_STATE_CONNECTED);
    for (int32_t i = 0; i < 2; i++) {
        CHECK_I64("sent", client_send(&play.client, OP_GET_DATA, body), CLIENT_OK);
        CHECK(play_next_frame(&header, &reader));
        CHECK_I64("op", header.type, OP_GET_DATA);
        CHECK_I64("xid", header.xid, 1 + i);
        CHECK_SLICE("body", slice_of(reader.pos, reader_left(&reader)), body);
    }
    play_answer(1, 5, ZK_OK, SLICE("data"));
    play_answer(2, 5, ZK_NO_NODE, SLICE(""));
    CHECK_I64("first", answered_xids[0], 1);
    CHECK_I64("first", answered_errs[0], ZK_OK);
    CHECK_I64("second", answered_xids[1], 2);
    CHECK_I64("second", answered_errs[1], ZK_NO_NODE);
    CHECK(play_next_item() == NULL);
    play_answer(3, 5, ZK_OK, SLICE(""));
    CHECK_I64("why", play.client.last_error, CLIENT_INCONSISTENT);
    play_expect_session_event(CLIENT_STATE_CONNECTING);
    play_end();
}

TEST(the_end_of_a_session_is_awaited_behind_answers_that_nobody_wants_any_more)
{
    struct client_request closing;
    struct request_header header;
    struct reader reader;
    uint32_t expected = 2;

    answered_count = 0;
    play_begin_with(
        (struct client_options){.on_answer = note_answer, .on_answer_context = &expected});
    play_connect();
    play_expect_session_event(CLIENT_STATE_CONNECTED);
    CHECK_I64("sent", client_send(&play.client, OP_SYNC, SLICE("\0\0\0\1/")), CLIENT_OK);
    client_request_init(&closing);
    client_close_session(&play.client, &closing, play.now_ms);
    CHECK(play_next_frame(&header, &reader));
    play_answer(header.xid, 5, ZK_OK, SLICE(""));
    CHECK(!play.client.closed);
    CHECK(play_next_frame(&header, &reader));
    CHECK_I64("op", header.type, OP_CLOSE_SESSION);
    play_answer(header.xid, 6, ZK_OK, SLICE(""));
    CHECK(play.client.closed);
    CHECK_U64("nothing was told", answered_count, 0);
    play_expect_done(&closing, ZK_OK);
    play_end();
}
