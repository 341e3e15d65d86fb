/* How a session ends, and what a new one keeps; proofs of who the client is. */
#include "client/requests.h"
#include "test/lib/check.h"
#include "test/lib/client_play.h"
#include "wire/records.h"

TEST(proofs_are_sent_after_each_handshake_and_before_requests)
{
    struct client_request request;
    struct request_header header;
    struct auth_packet said;
    struct reader body;

    play_begin();
    CHECK_I64("before the connection",
              client_add_auth(&play.client, SLICE("digest"), SLICE("a:b"), play_nobody, NULL),
              CLIENT_OK);
    play_get(&request, "/a", false);
    for (int round = 0; round < 2; round++) {
        play.output.size = play.taken = 0;
        play_connect();
        CHECK(play_next_frame(&header, &body));
        CHECK_I64("xid", header.xid, XID_AUTH);
        CHECK_STATUS(auth_packet_read(&body, &said), STATUS_OK);
        CHECK_SLICE("scheme", said.scheme, SLICE("digest"));
        CHECK_SLICE("proof", said.auth, SLICE("a:b"));
        play_answer(XID_AUTH, 0, 0, SLICE(""));
        play_expect_session_event(CLIENT_STATE_CONNECTED);
        if (round == 0) { /* the answer comes back once */
            struct client_item *item = play_next_item();
            CHECK_I64("kind", item->kind, CLIENT_ITEM_AUTH);
            CHECK(play_next_frame(&header, &body));
            CHECK_I64("then the request", header.xid, request.xid);
        }
        client_lost(&play.client, CLIENT_CONNECTION_LOST, play.now_ms);
        play_expect_session_event(CLIENT_STATE_CONNECTING);
        if (round == 0)
            play_expect_done(&request, CLIENT_CONNECTION_LOST);
        CHECK(play_next_item() == NULL);
    }
    play_end();
}

TEST(a_refused_proof_ends_the_session)
{
    struct client_request request;

    play_begin();
    play_connect();
    play_expect_session_event(CLIENT_STATE_CONNECTED);
    CHECK_I64("auth", client_add_auth(&play.client, SLICE("x"), SLICE_NULL, play_nobody, NULL),
              CLIENT_OK);
    play_get(&request, "/a", false);
    play_answer(XID_AUTH, 0, ZK_AUTH_FAILED, SLICE(""));
    struct client_item *item = play_next_item();
    CHECK_I64("kind", item->kind, CLIENT_ITEM_AUTH);
    CHECK_I64("err", CONTAINER_OF(item, struct client_auth, item)->err, CLIENT_AUTH_FAILED);
    play_expect_session_event(CLIENT_STATE_AUTH_FAILED);
    play_expect_done(&request, CLIENT_AUTH_FAILED);
    client_request_init(&request);
    CHECK_I64("afterwards", client_path(&play.client, &request, OP_SYNC, SLICE("/")),
              CLIENT_INVALID_STATE);
    CHECK_I64("closes", play_next_action(), CLIENT_DISCONNECT);
    CHECK_I64("and rests", play_next_action(), CLIENT_WAIT);
    play_end();
}

TEST(a_session_that_the_server_does_not_know_is_over)
{
    static const int64_t answers[] = {0, PLAY_SESSION + 1};

    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        play_begin_with((struct client_options){.session_id = PLAY_SESSION});
        play_open();
        play_shake_hands(answers[i], answers[i] == 0 ? 0 : PLAY_TIMEOUT_MS, false);
        CHECK_I64("state", play.client.state, CLIENT_STATE_EXPIRED);
        play_expect_session_event(CLIENT_STATE_EXPIRED);
        CHECK_I64("closes", play_next_action(), CLIENT_DISCONNECT);
        CHECK_I64("for good", play_next_action(), CLIENT_WAIT);
        play_end();
    }
}

TEST(a_close_fails_what_waits_and_ends_the_session)
{
    struct client_request waiting, closing;
    struct request_header header;
    struct reader body;

    play_begin();
    play_connect();
    play_expect_session_event(CLIENT_STATE_CONNECTED);
    play_get(&waiting, "/a", false);
    client_request_init(&closing);
    client_close_session(&play.client, &closing, play.now_ms);
    play_expect_done(&waiting, CLIENT_CLOSING);
    CHECK(play_next_frame(&header, &body));
    CHECK(play_next_frame(&header, &body));
    CHECK_I64("op", header.type, OP_CLOSE_SESSION);
    play_answer(waiting.xid, 1, 0, SLICE("late"));
    CHECK(!play.client.closed);
    play_answer(closing.xid, 2, 0, SLICE(""));
    CHECK(play.client.closed);
    play_expect_done(&closing, 0);
    CHECK_I64("closes", play_next_action(), CLIENT_DISCONNECT);
    CHECK_I64("for good", play_next_action(), CLIENT_WAIT);
    play_end();
}

TEST(a_close_without_a_connection_needs_no_server)
{
    struct client_request closing;

    play_begin();
    client_request_init(&closing);
    client_close_session(&play.client, &closing, play.now_ms);
    CHECK(play.client.closed);
    play_expect_done(&closing, 0);
    play_end();
}

TEST(a_session_ends_no_earlier_than_its_timeout_after_what_a_server_has_answered_was_sent)
{
    struct client_request first, second;

    play_begin();
    CHECK_I64("no session", client_session_ends_ms(&play.client), INT64_MAX);
    play_open();
    play_send_at(play.now_ms);
    int64_t asked_ms = play.now_ms;
    play.now_ms += 100;
    play_shake_hands(PLAY_SESSION, 4000, false);
    play_expect_session_event(CLIENT_STATE_CONNECTED);
    CHECK_I64("after the handshake", client_session_ends_ms(&play.client), asked_ms + 4000);
    play_get(&first, "/a", false);
    play_send_at(play.now_ms + 10);
    play_get(&second, "/b", false);
    play_send_at(play.now_ms + 20);
    CHECK_I64("not before the answer", client_session_ends_ms(&play.client), asked_ms + 4000);
    play_answer(first.xid, 5, ZK_NO_NODE, SLICE(""));
    CHECK_I64("the first", client_session_ends_ms(&play.client), play.now_ms + 10 + 4000);
    play_event(EVENT_CREATED, "/x", -1); /* says nothing of what was heard */
    CHECK_I64("an event", client_session_ends_ms(&play.client), play.now_ms + 10 + 4000);
    play_answer(second.xid, 5, ZK_NO_NODE, SLICE(""));
    CHECK_I64("not later than the second was sent", client_session_ends_ms(&play.client),
              play.now_ms + 10 + 4000);
    play.now_ms += 1500; /* a ping */
    CHECK_I64("waits", play_next_action(), CLIENT_WAIT);
    play_send_at(play.now_ms);
    play_answer(XID_PING, 5, ZK_OK, SLICE(""));
    CHECK_I64("the ping", client_session_ends_ms(&play.client), play.now_ms + 4000);
    client_lost(&play.client, CLIENT_CONNECTION_LOST, play.now_ms + 50);
    CHECK_I64("a loss changes nothing", client_session_ends_ms(&play.client), play.now_ms + 4000);
    play_end();
}

TEST(a_client_whose_session_is_over_can_have_a_new_one_with_its_watches_and_proofs)
{
    struct client_request request, closing;
    struct request_header header;
    struct reader reader;

    play_begin();
    play_connect();
    play_expect_session_event(CLIENT_STATE_CONNECTED);
    CHECK_I64("auth", client_add_auth(&play.client, SLICE("digest"), SLICE("a:b"), NULL, NULL),
              CLIENT_OK);
    CHECK(play_next_frame(&header, &reader));
    play_answer(XID_AUTH, 1, ZK_OK, SLICE(""));
    CHECK(play_next_item()->kind == CLIENT_ITEM_AUTH);
    play_get(&request, "/a", true);
    CHECK(play_next_frame(&header, &reader));
    play_answer(header.xid, 7, ZK_OK, SLICE(""));
    play_expect_done(&request, ZK_OK);
    client_request_deinit(&request);
    play_lose_and_open();
    play_shake_hands(0, 0, false);
    play_expect_session_event(CLIENT_STATE_EXPIRED);
    CHECK(client_is_dead(&play.client));
    client_renew(&play.client, play.now_ms);
    CHECK_I64("closes", play_next_action(), CLIENT_DISCONNECT);
    play_open();
    CHECK_I64("a new one", play_asked_session(), 0);
    play_shake_hands(PLAY_SESSION + 1, PLAY_TIMEOUT_MS, false);
    play_expect_session_event(CLIENT_STATE_CONNECTED);
    CHECK(play_next_frame(&header, &reader));
    CHECK_I64("proof", header.type, OP_AUTH);
    CHECK(play_next_frame(&header, &reader));
    CHECK_I64("watches", header.type, OP_SET_WATCHES);
    CHECK_I64("since", reader_i64(&reader), 7);
    client_request_init(&closing); /* and it ends as the first one could have */
    client_close_session(&play.client, &closing, play.now_ms);
    CHECK(play_next_frame(&header, &reader));
    CHECK_I64("close", header.type, OP_CLOSE_SESSION);
    play_answer(header.xid, 8, ZK_OK, SLICE(""));
    CHECK(play.client.closed);
    client_renew(&play.client, play.now_ms);
    CHECK(!play.client.closed);
    play_end();
}
