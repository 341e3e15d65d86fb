/* How a connection begins, is kept and is left; a test plays the server and the clock. */
#include "client/input.h"
#include "test/lib/check.h"
#include "test/lib/client_play.h"
#include "wire/records.h"

TEST(the_first_frame_asks_for_a_new_session)
{
    struct connect_request asked;
    struct reader reader;

    play_begin();
    CHECK_I64("state", play.client.state, CLIENT_STATE_NEW);
    play_open();
    CHECK_I64("state", play.client.state, CLIENT_STATE_ASSOCIATING);
    play_collect_output();
    CHECK_U64("handshake", play.output.size, 4 + 45);
    reader_init(&reader, slice_of(play.output.data + 4, 45), NULL, 100);
    CHECK_STATUS(connect_request_read(&reader, &asked), STATUS_OK);
    CHECK_I64("session", asked.session_id, 0);
    CHECK_I64("timeout", asked.timeout_ms, PLAY_TIMEOUT_MS);
    play_shake_hands(PLAY_SESSION, 4000, false);
    CHECK_I64("state", play.client.state, CLIENT_STATE_CONNECTED);
    CHECK_I64("granted", play.client.timeout_ms, 4000);
    CHECK_I64("session", play.client.session_id, PLAY_SESSION);
    play_expect_session_event(CLIENT_STATE_CONNECTED);
    play_end();
}

TEST(bytes_may_arrive_in_any_pieces)
{
    for (size_t piece = 1; piece < 40; piece++) {
        struct client_request requests[3];
        struct buffer bytes = {0};

        play_begin();
        play_connect();
        play_expect_session_event(CLIENT_STATE_CONNECTED);
        for (int i = 0; i < 3; i++) {
            char body[600];
            memset(body, 'a' + i, sizeof(body));
            size_t size = i == 1 ? sizeof(body) : 5;
            play_get(&requests[i], "/a", false);
            buffer_i32(&bytes, (int32_t)(16 + size));
            reply_header_write(&bytes, &(struct reply_header){requests[i].xid, 1, 0});
            buffer_append(&bytes, slice_of(body, size));
        }
        for (size_t at = 0; at < bytes.size; at += piece) {
            size_t left = bytes.size - at;
            client_received(&play.client, slice_of(bytes.data + at, left < piece ? left : piece),
                            play.now_ms);
        }
        for (int i = 0; i < 3; i++) {
            play_expect_done(&requests[i], 0);
            CHECK_U64("size", requests[i].reply_size, i == 1 ? 600 : 5);
            CHECK_I64("content", requests[i].reply[4], 'a' + i);
            client_request_deinit(&requests[i]);
        }
        buffer_deinit(&bytes);
        play_end();
    }
}

TEST(a_reply_that_nobody_waits_for_costs_the_connection)
{
    struct client_request request;

    play_begin();
    play_connect();
    play_expect_session_event(CLIENT_STATE_CONNECTED);
    play_get(&request, "/a", false);
    play_answer(request.xid + 1, 1, 0, SLICE(""));
    play_expect_session_event(CLIENT_STATE_CONNECTING);
    play_expect_done(&request, CLIENT_INCONSISTENT);
    CHECK_I64("action", play_next_action(), CLIENT_DISCONNECT);
    client_request_deinit(&request);
    play_end();
}

TEST(frames_that_make_no_sense_cost_the_connection)
{
    static const struct {
        const char *name;
        struct slice bytes;
    } rows[] = {
        {"negative length", {(const uint8_t *)"\xff\xff\xff\xff", 4}},
        {"no header", {(const uint8_t *)"\0\0\0\3abc", 7}},
        {"an event without a path",
         {(const uint8_t *)"\0\0\0\x14\xff\xff\xff\xff\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\1", 24}},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        play_begin();
        play_connect();
        client_received(&play.client, rows[i].bytes, play.now_ms);
        CHECK_I64(rows[i].name, play.client.link, CLIENT_LINK_TO_CLOSE);
        CHECK_I64(rows[i].name, play.client.state, CLIENT_STATE_DOWN);
        play_end();
    }
}

TEST(a_silent_client_pings_and_a_silent_server_is_left)
{
    struct request_header header;
    struct client_step step;
    struct reader body;

    play_begin();
    play_connect();
    play_expect_session_event(CLIENT_STATE_CONNECTED);
    client_step(&play.client, play.now_ms, &step);
    CHECK_I64("wakes for the ping", step.wake_at_ms, play.now_ms + PLAY_TIMEOUT_MS / 3);
    CHECK(!play_next_frame(&header, &body));
    play.now_ms += PLAY_TIMEOUT_MS / 3;
    CHECK_I64("action", play_next_action(), CLIENT_WAIT);
    CHECK(play_next_frame(&header, &body));
    CHECK_I64("xid", header.xid, XID_PING);
    CHECK_I64("op", header.type, OP_PING);
    play_answer(XID_PING, 5, 0, SLICE(""));
    play.now_ms += PLAY_TIMEOUT_MS * 2 / 3 - 1;
    CHECK_I64("not yet", play_next_action(), CLIENT_WAIT);
    play.now_ms++;
    CHECK_I64("silent", play_next_action(), CLIENT_DISCONNECT);
    CHECK_I64("why", play.client.last_error, CLIENT_TIMED_OUT);
    play_expect_session_event(CLIENT_STATE_CONNECTING);
    play_end();
}

TEST(whoever_sends_requests_does_not_ping)
{
    struct client_request request;
    struct request_header header;
    struct reader body;

    play_begin();
    play_connect();
    play.now_ms += PLAY_TIMEOUT_MS / 4;
    play_get(&request, "/a", false);
    CHECK(play_next_frame(&header, &body));
    client_sent(&play.client, play.now_ms);
    play_answer(request.xid, 1, 0, SLICE(""));
    play.now_ms += PLAY_TIMEOUT_MS / 4;
    CHECK_I64("action", play_next_action(), CLIENT_WAIT);
    CHECK(!play_next_frame(&header, &body));
    play_end();
}

TEST(all_servers_are_tried_before_a_pause)
{
    int64_t began_ms;

    play_begin();
    began_ms = play.now_ms;
    for (int round = 0; round < 2; round++) {
        for (uint8_t server = 0; server < 3; server++) {
            struct client_step step;
            while (client_step(&play.client, play.now_ms, &step), step.action != CLIENT_CONNECT) {
                if (step.action == CLIENT_RESOLVE)
                    play_give_servers(3);
                else if (step.action == CLIENT_WAIT)
                    play.now_ms = step.wake_at_ms;
            }
            CHECK_I64("server", step.address->bytes[0], server);
            CHECK_I64("state", play.client.state, CLIENT_STATE_CONNECTING);
            CHECK_I64("paused", play.now_ms > began_ms, round > 0);
            client_lost(&play.client, CLIENT_CONNECTION_LOST, play.now_ms);
            CHECK_I64("state", play.client.state, CLIENT_STATE_DOWN);
        }
    }
    play_end();
}

TEST(names_are_resolved_anew_for_each_attempt)
{
    play_begin();
    CHECK_I64("at first", play_next_action(), CLIENT_RESOLVE);
    play_give_servers(2);
    CHECK_I64("then", play_next_action(), CLIENT_CONNECT);
    client_lost(&play.client, CLIENT_CONNECTION_LOST, play.now_ms);
    CHECK_I64("closes", play_next_action(), CLIENT_DISCONNECT);
    CHECK_I64("again", play_next_action(), CLIENT_RESOLVE);
    client_not_resolved(&play.client, play.now_ms);
    CHECK_I64("the old addresses are better than none", play_next_action(), CLIENT_CONNECT);
    play_end();
}

TEST(a_server_that_gives_no_session_is_left_after_the_time_that_the_host_has_chosen)
{
    play_begin_with((struct client_options){.connect_timeout_ms = 700});
    play_open();
    play.now_ms += 699;
    CHECK_I64("waits", play_next_action(), CLIENT_WAIT);
    play.now_ms += 1;
    CHECK_I64("leaves", play_next_action(), CLIENT_DISCONNECT);
    CHECK_I64("why", play.client.last_error, CLIENT_TIMED_OUT);
    play_open();
    play_shake_hands(PLAY_SESSION, PLAY_TIMEOUT_MS,
                     false); /* then the session's own timeout counts */
    play.now_ms += 701;
    CHECK_I64("stays", play_next_action(), CLIENT_WAIT);
    CHECK_I64("state", play.client.state, CLIENT_STATE_CONNECTED);
    play_end();
}

TEST(two_clients_with_one_session_do_not_take_it_from_each_other_without_a_pause)
{
    struct client_step step;

    play_begin();
    play_connect();
    client_lost(&play.client, CLIENT_CONNECTION_LOST, play.now_ms + 1);
    CHECK_I64("closes", play_next_action(), CLIENT_DISCONNECT);
    client_step(&play.client, play.now_ms + 1, &step);
    CHECK_I64("waits", step.action, CLIENT_WAIT);
    CHECK(step.wake_at_ms >= play.now_ms + PLAY_TIMEOUT_MS / 60);
    play_end();
}
