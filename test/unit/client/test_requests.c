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

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        CHECK_I64("mode", client_check_mode(rows[i].mode, rows[i].ttl_ms), rows[i].err);
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
