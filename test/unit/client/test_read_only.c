/* A client of a server that has no quorum. */
#include "client/client.h"
#include "test/lib/check.h"
#include "test/lib/client_play.h"

TEST(a_read_only_server_is_taken_only_by_who_asked_for_it)
{
    struct client_step step;

    play_begin();
    play_open();
    play_shake_hands(PLAY_SESSION, PLAY_TIMEOUT_MS, true);
    CHECK_I64("left", play.client.link, CLIENT_LINK_TO_CLOSE);
    play_end();
    play_begin_with((struct client_options){.may_be_read_only = true});
    play_open();
    play_shake_hands(PLAY_SESSION, PLAY_TIMEOUT_MS, true);
    CHECK_I64("taken", play.client.state, CLIENT_STATE_READ_ONLY);
    int64_t pause_ms = 200;
    for (int i = 0; i < 3; i++) { /* it looks for a better one, less and less often */
        client_step(&play.client, play.now_ms, &step);
        CHECK_I64("waits", step.wake_at_ms, play.now_ms + pause_ms);
        play.now_ms += pause_ms;
        CHECK_I64("asks", play_next_action(), CLIENT_PROBE);
        client_probed(&play.client, false, play.now_ms);
        pause_ms *= 2;
    }
    client_probed(&play.client, true, play.now_ms);
    CHECK_I64("moves", play.client.link, CLIENT_LINK_TO_CLOSE);
    play_end();
}

TEST(a_session_of_a_read_only_server_is_left_behind_and_a_real_one_is_kept)
{
    play_begin_with((struct client_options){.may_be_read_only = true});
    play_open();
    CHECK_I64("a new one", play_asked_session(), 0);
    play_shake_hands(PLAY_SESSION, PLAY_TIMEOUT_MS, true);
    play_expect_session_event(CLIENT_STATE_READ_ONLY);
    play_lose_and_open();
    CHECK_I64("another new one", play_asked_session(), 0);
    play_shake_hands(PLAY_SESSION + 1, PLAY_TIMEOUT_MS, false);
    play_expect_session_event(CLIENT_STATE_CONNECTED);
    play_lose_and_open();
    CHECK_I64("that one", play_asked_session(), PLAY_SESSION + 1);
    play_shake_hands(PLAY_SESSION + 1, PLAY_TIMEOUT_MS,
                     true); /* and one that comes back at a read-only server */
    play_expect_session_event(CLIENT_STATE_READ_ONLY);
    play_end();
}

TEST(a_session_of_a_read_only_server_ends_at_no_known_time)
{
    play_begin_with((struct client_options){.may_be_read_only = true});
    play_open();
    play_send_at(play.now_ms);
    play_shake_hands(PLAY_SESSION, PLAY_TIMEOUT_MS, true);
    CHECK_I64("ends", client_session_ends_ms(&play.client), INT64_MAX);
    play_end();
}

TEST(a_client_of_a_read_only_server_moves_to_the_very_server_that_takes_writes)
{
    struct client_step step;

    play_begin_with((struct client_options){.may_be_read_only = true});
    CHECK_I64("resolves", play_next_action(), CLIENT_RESOLVE);
    play_give_servers(2);
    play_open();
    play_shake_hands(PLAY_SESSION, PLAY_TIMEOUT_MS, true);
    CHECK_I64("waits", play_next_action(), CLIENT_WAIT);
    play.now_ms += 200;
    client_step(&play.client, play.now_ms, &step);
    CHECK_I64("asks", step.action, CLIENT_PROBE);
    struct client_address asked = *step.address;
    client_probed(&play.client, true, play.now_ms);
    CHECK_I64("closes", play_next_action(), CLIENT_DISCONNECT);
    play.now_ms += PLAY_TIMEOUT_MS; /* whatever the pause is */
    CHECK_I64("looks names up", play_next_action(), CLIENT_RESOLVE);
    play_give_servers(2);
    client_step(&play.client, play.now_ms, &step);
    CHECK_I64("connects", step.action, CLIENT_CONNECT);
    CHECK_SLICE("to it", slice_of(step.address->bytes, step.address->size),
                slice_of(asked.bytes, asked.size));
    play_end();
}
