/* Stories of sessions, ephemerals, watches and multis. In an ensemble of three, server 3 leads first. */
#include "sim/story.h"
#include "test/lib/tell.h"
#include "wire/zk.h"

STORY(a_session_moves_between_servers_and_lives_through_elections, .voters = 3)
{
    tell_begin(story);
    story_connect(story, 2, 1);
    story_create(story, 2, "/e", MODE_EPHEMERAL);
    for (int round = 0; round < 6; round++) {
        story_reconnect(story, 2, 1 + round % 3);
        story_write(story, 2, "/a", "one");
        story_disconnect(story, 2);
        if (round % 2 == 1) {
            story_crash(story, story_leader(story), SIM_LOSE_SOME);
            story_run(story, 500);
            story_start_all(story);
            story_settle(story);
        }
    }
    story_check(story, story_has_node(story, 1, "/e"), "the ephemeral is there");
    story_heal(story);
}

STORY(an_older_connection_ends_before_the_leader_is_asked_for_its_session, .voters = 3)
{
    tell_begin(story);
    story_connect(story, 2, 2);
    story_leave_open(story, 2); /* what is on its way there is old when it arrives */
    (void)story_reconnect(story, 2, 1);
    (void)story_write(story, 2, "/a", "one");
    story_check(story, story_connections(story, 2) == 1, "server 2 still has the first connection");
    story_cut_way(story, 3, 2); /* the answer to REVALIDATE does not come */
    story_ask_reconnect(story, 2, 2);
    story_until(story, 2, "REVALIDATE");
    story_run(story, 10);
    story_check(story, story_connections(story, 2) == 1, "and now only the one that waits");
    story_join(story, 3, 2);
    (void)story_write(story, 2, "/a", "two");
    story_heal(story);
}

STORY(zookeeper_710_a_session_that_an_old_handshake_has_moved_away_comes_back, .voters = 3)
{
    tell_begin(story);
    story_connect(story, 2, 1);
    story_cut_way(story, 2, 3); /* what server 2 asks comes late */
    story_ask_reconnect(story, 2, 2);
    story_until(story, 2, "REVALIDATE");
    story_leave_open(story, 2);
    (void)story_reconnect(story, 2, 3);
    (void)story_write(story, 2, "/a", "one");
    size_t before = story_connections(story, 3);
    story_join(story, 2, 3);
    story_run(story, 100);
    (void)story_ask(story, 2, OP_SET_DATA, "/a", "two");
    story_run(story, 100);
    story_check(story, story_connections(story, 3) == before - 1, "its connection has ended");
    story_check(story, story_reconnect(story, 2, 3), "it comes back");
    (void)story_write(story, 2, "/a", "three");
    story_heal(story);
}

/* The client may have been at another server since the older question; a request that it sent behind the answer
 * to that one would be executed behind those. */
STORY(the_answer_to_an_older_question_about_a_session_lets_no_newer_connection_in, .voters = 3)
{
    tell_begin(story);
    story_connect(story, 2, 1);
    story_cut_way(story, 3, 2); /* the answer to the first question comes late */
    story_ask_reconnect(story, 2, 2);
    story_until(story, 2, "REVALIDATE");
    story_run(story, 50);
    story_disconnect(story, 2);
    story_run(story, 50);
    story_cut_way(story, 2, 3); /* and so does the second question */
    story_ask_reconnect(story, 2, 2);
    story_until(story, 2, "REVALIDATE");
    story_join(story, 3, 2);
    story_cut_way(story, 2, 3);
    story_run(story, 100);
    story_check(story, !story_is_connected(story, 2),
                "the second connection waits for its own answer");
    story_join(story, 2, 3);
    story_run(story, 100);
    story_check(story, story_is_connected(story, 2), "which lets it in");
    (void)story_write(story, 2, "/a", "one");
    story_heal(story);
}

STORY(zookeeper_1208_1496_1319_no_ephemeral_is_created_behind_the_end_of_its_session, .voters = 3)
{
    tell_begin(story);
    story_set_timeout(story, 2, 400);
    story_connect(story, 2, 1);
    story_keep_silent(story, 2);
    story_run(story, 300);
    story_cut_way(story, 1, 3); /* what it asks reaches the leader behind the end of its session */
    (void)story_ask_create(story, 2, "/e", MODE_EPHEMERAL);
    story_hold_disk(story, 3);
    story_hold_disk(story, 2); /* nothing is committed, so the session is being closed for long */
    story_run(story, 450);
    story_join(story, 1, 3);
    story_run(story, 350);
    story_free_disk(story, 2);
    story_free_disk(story, 3);
    story_run(story, 1000);
    story_check(story, story_is_expired(story, 2), "the session is over");
    story_check(story, !story_has_node(story, 1, "/e"), "and has left nothing");
    story_heal(story);
}
STORY_FINDS(zookeeper_1208_1496_1319_no_ephemeral_is_created_behind_the_end_of_its_session,
            MUTANT_CREATE_AFTER_CLOSE, NODE_RIGHT)

STORY(ephemerals_go_with_the_agreement_on_the_end_of_their_session_and_not_before, .voters = 3)
{
    tell_begin(story);
    story_set_timeout(story, 2, 400);
    story_connect(story, 2, 1);
    story_create(story, 2, "/e", MODE_EPHEMERAL);
    story_keep_silent(story, 2);
    story_run(story, 300);
    story_hold_disk(story, 1);
    story_hold_disk(story, 2); /* the end of the session is not agreed to */
    story_run(story, 600);
    story_check(story, story_has_node(story, 3, "/e"), "the leader has it");
    story_free_disk(story, 1);
    story_free_disk(story, 2);
    story_run(story, 100);
    story_check(story, !story_has_node(story, 3, "/e"), "it is gone");
    story_heal(story);
}
STORY_FINDS(ephemerals_go_with_the_agreement_on_the_end_of_their_session_and_not_before,
            MUTANT_EXPIRE_WITHOUT_QUORUM, NODE_RIGHT)

STORY(a_clock_that_jumps_ends_no_session, .voters = 3)
{
    tell_begin(story);
    story_connect(story, 2, 1);
    story_set_clock(story, 3, INT64_C(36000000));
    story_run(story, 1000);
    story_set_clock(story, 3, INT64_C(-36000000));
    story_run(story, 1000);
    story_check(story, !story_is_expired(story, 1) && !story_is_expired(story, 2), "they live");
    story_write(story, 2, "/a", "one");
    story_set_clock(story, 3, 0);
    story_heal(story);
}
STORY_FINDS(a_clock_that_jumps_ends_no_session, MUTANT_WALL_CLOCK_EXPIRY, NODE_RIGHT)

STORY(zookeeper_1049_a_leader_that_stood_still_hears_its_clients_before_it_ends_their_sessions,
      .voters = 3)
{
    story_settle(story);
    story_set_timeout(story, 1, 500);
    story_connect(story, 1, 3);
    story_pause(story, 3, 900); /* less than syncLimit: it still leads then */
    story_run(story, 1500);
    story_check(story, story_leader(story) == 3, "it still leads");
    story_check(story, !story_is_expired(story, 1), "its session lives");
    story_heal(story);
}
STORY_FINDS(
    zookeeper_1049_a_leader_that_stood_still_hears_its_clients_before_it_ends_their_sessions,
    MUTANT_TOUCH_AFTER_EXPIRY, NODE_RIGHT)

STORY(a_new_leader_gives_every_session_its_full_timeout, .voters = 3)
{
    tell_begin(story);
    story_set_timeout(story, 2, 2000);
    story_connect(story, 2, 3);
    story_create(story, 2, "/e", MODE_EPHEMERAL);
    story_run(story, 300);
    story_crash(story, 3, SIM_LOSE_ALL);
    story_run(story, 1700); /* it was last heard 2 seconds ago */
    story_until_leads(story, 2);
    story_check(story, !story_is_expired(story, 2), "it may still come");
    story_check(story, story_reconnect(story, 2, 1), "it comes");
    story_heal(story);
}

STORY(zookeeper_3144_2926_a_session_and_its_ephemeral_made_in_one_turn_survive_any_crash,
      .voters = 3)
{
    tell_begin(story);
    for (int round = 0; round < 3; round++) {
        story_connect(story, 2, 1);
        int32_t xid = story_ask_create(story, 2, "/s-", MODE_EPHEMERAL_SEQUENTIAL);
        story_await(story, 2, xid);
        story_power_off(story, (enum sim_disk_loss)round);
        story_start_all(story);
        story_settle(story);
        story_check(story, !story_is_expired(story, 2), "the session is known");
    }
    story_run(story, 9000);
    story_check(story, !story_has_node(story, 1, "/s-0000000001"), "all ended with their sessions");
    story_heal(story);
}

static void create_ephemerals(struct story *story, int client, const char *path, int count)
{
    for (int i = 1; i <= count; i++) {
        int32_t xid = story_ask_create(story, client, path, MODE_EPHEMERAL_SEQUENTIAL);
        if (i % 400 == 0)
            story_await_all(story, client, xid);
    }
}

STORY(zookeeper_3127_1573_a_snapshot_in_the_middle_of_a_long_closeSession_has_all_of_it_or_nothing,
      .voters = 3)
{
    tell_begin(story);
    uint32_t before = story_nodes(story, 3);
    story_connect(story, 2, 3);
    create_ephemerals(story, 2, "/s-", 4000);
    uint32_t most = story_nodes(story, 3);
    (void)story_ask(story, 2, OP_CLOSE_SESSION, "", NULL);
    while (story_nodes(story, 3) == most && !story_failed(story))
        story_run_one(story);
    story_check(story, story_nodes(story, 3) > before, "only a part is gone");
    story_request_snapshot(story, 3);
    story_until(story, 3, "a snapshot begins");
    story_run(story, 3000);
    story_crash(story, 3, SIM_LOSE_NOTHING);
    story_start(story, 3);
    story_settle(story);
    story_check(story, story_nodes(story, 3) == before, "all are gone");
    story_heal(story);
}
STORY_FINDS(
    zookeeper_3127_1573_a_snapshot_in_the_middle_of_a_long_closeSession_has_all_of_it_or_nothing,
    MUTANT_MULTI_PARTIAL_ZXID, NODE_RIGHT)

STORY(zookeeper_4306_a_session_with_many_ephemerals_ends_on_all_servers_and_they_start_again,
      .voters = 3)
{
    tell_begin(story);
    uint32_t before = story_nodes(story, 3);
    story_connect(story, 2, 1);
    create_ephemerals(story, 2, "/a/a-long-name-of-an-ephemeral-", 2000);
    story_await(story, 2, story_ask(story, 2, OP_CLOSE_SESSION, "", NULL));
    story_run(story, 500);
    for (int server = 1; server <= 3; server++)
        story_check(story, story_nodes(story, server) == before, "they are gone");
    story_power_off(story, SIM_LOSE_ALL);
    story_heal(story);
}

STORY(a_watch_fires_at_a_follower_before_the_answer_that_shows_the_change, .voters = 3)
{
    tell_begin(story);
    story_connect(story, 2, 1);
    story_await(story, 2, story_ask(story, 2, OP_GET_DATA, "/a", "and a watch"));
    story_write(story, 1, "/a", "one");
    story_sync(story, 2);
    story_check(story, story_events(story, 2) == 1, "its event is there before the sync's answer");
    story_heal(story);
}

STORY(zookeeper_4362_reads_make_no_snapshots, .voters = 3, .snap_count = 20)
{
    tell_begin(story);
    story_run(story, 100);
    size_t before = story_count(story, 0, "a snapshot begins");
    for (int i = 0; i < 100; i++)
        story_read(story, 1, "/a", "zero");
    story_check(story, story_count(story, 0, "a snapshot begins") == before, "there is none more");
    story_heal(story);
}

STORY(zookeeper_1624_1246_requests_behind_a_multi_that_fails_see_nothing_of_it, .voters = 3)
{
    tell_begin(story);
    story_connect(story, 2, 1);
    int32_t last = 0;
    for (int i = 0; i < 20; i++) {
        (void)story_ask_failing_multi(story, 2, "/m");
        (void)story_ask(story, 2, OP_SET_DATA, "/m", "not there yet");
        (void)story_ask_create(story, 2, "/m", MODE_PERSISTENT);
        last = story_ask(story, 2, OP_DELETE, "/m", NULL);
    }
    struct story_answer answer = story_await(story, 2, last);
    story_check(story, answer.err == ZK_OK, "what was created behind it was deleted");
    story_heal(story);
}

STORY(zookeeper_5010_a_learner_that_missed_the_end_of_a_session_has_none_of_its_ephemerals,
      .voters = 3)
{
    tell_begin(story);
    story_connect(story, 2, 2);
    story_create(story, 2, "/e", MODE_EPHEMERAL);
    story_run(story, 50);
    story_crash(story, 1, SIM_LOSE_ALL);
    story_await(story, 2, story_ask(story, 2, OP_CLOSE_SESSION, "", NULL));
    story_start(story, 1);
    story_until(story, 3, " DIFF ");
    story_until_serves(story, 1);
    story_check(story, !story_has_node(story, 1, "/e"), "it is gone there, too");
    story_heal(story);
}

STORY(zookeeper_706_1667_1412_a_client_that_comes_back_misses_no_event_and_gets_none_twice,
      .voters = 3)
{
    tell_begin(story);
    story_connect(story, 2, 1);
    for (int round = 0; round < 2; round++) {
        story_sync(story, 2);
        story_await(story, 2, story_ask(story, 2, OP_GET_DATA, "/a", "and a watch"));
        story_disconnect(story, 2);
        if (round == 1)
            story_write(story, 1, "/a", "while it is away");
        story_run(story, 50);
        story_reconnect(story, 2, 2);
        story_await(story, 2, story_ask(story, 2, OP_SET_WATCHES, "/a", NULL));
        if (round == 0)
            story_write(story, 1, "/a", "when it is back");
        story_sync(story, 2);
        story_write(story, 1, "/a", "and again");
        story_sync(story, 2);
        story_check(story, story_events(story, 2) == (size_t)round + 1, "there is one event");
    }
    story_heal(story);
}
STORY_FINDS(zookeeper_706_1667_1412_a_client_that_comes_back_misses_no_event_and_gets_none_twice,
            MUTANT_SETWATCHES_GAP, NODE_RIGHT)

STORY(zookeeper_3546_containers_go_when_they_are_empty_whoever_leads, .voters = 3)
{
    tell_begin(story);
    story_create(story, 1, "/c", MODE_CONTAINER);
    story_create(story, 1, "/c/child", MODE_PERSISTENT);
    story_crash(story, 3, SIM_LOSE_ALL);
    story_until_leads(story, 2);
    story_connect(story, 2, 2);
    story_run(story, 130000); /* the janitor comes every 60 s */
    story_check(story, story_has_node(story, 2, "/c"), "it has a child");
    story_await(story, 2, story_ask(story, 2, OP_DELETE, "/c/child", NULL));
    story_run(story, 130000);
    story_check(story, !story_has_node(story, 1, "/c"), "it was empty");
    story_heal(story);
}

STORY(a_local_session_is_upgraded_and_its_first_ephemeral_created_in_one_turn, .voters = 3,
      .local_sessions = true)
{
    story_settle(story);
    story_connect(story, 1, 3);
    story_create(story, 1, "/a", MODE_PERSISTENT);
    for (int server = 1; server <= 3; server++) {
        story_connect(story, 2, server);
        story_write(story, 2, "/a", "one"); /* which makes no session of all servers */
        story_check(story, story_is_expired(story, 2), "it is known to its server only");
        int32_t xid = story_ask_create(story, 2, "/s-", MODE_EPHEMERAL_SEQUENTIAL);
        (void)story_ask(story, 2, OP_SET_DATA, "/a", "right behind it");
        story_check(story, story_await(story, 2, xid).err == ZK_OK, "the ephemeral is there");
        story_check(story, !story_is_expired(story, 2), "all know its session");
        story_run(story, 20);
        story_crash(story, server, SIM_LOSE_ALL);
        story_run(story, 1500);
        story_start(story, server);
        story_settle(story);
        story_check(story, story_reconnect(story, 2, 1 + server % 3), "it lives at another server");
        story_await(story, 2, story_ask(story, 2, OP_CLOSE_SESSION, "", NULL));
    }
    story_run(story, 100);
    story_check(story, !story_has_node(story, 1, "/s-0000000000"),
                "they ended with their sessions");
    story_heal(story);
}

STORY(a_local_session_that_asks_for_an_ephemeral_is_known_to_all_before_it_has_it, .voters = 3,
      .local_sessions = true)
{
    tell_begin(story);
    for (int server = 1; server <= 3; server += 2) {
        story_connect(story, 2, server);
        story_write(story, 2, "/a", "two");
        story_check(story, story_is_expired(story, 2), "nobody else knows it");
        (void)story_ask(story, 2, OP_SET_DATA, "/a", "three");
        int32_t xid = story_ask_create(story, 2, "/s-", MODE_EPHEMERAL_SEQUENTIAL);
        story_check(story, story_await(story, 2, xid).err == ZK_OK, "it is created");
        story_check(story, !story_is_expired(story, 2), "all know it");
        story_check(story, story_reconnect(story, 2, 2), "it may move");
        story_await(story, 2, story_ask(story, 2, OP_CLOSE_SESSION, "", NULL));
    }
    story_run(story, 500);
    for (int server = 1; server <= 3; server++)
        story_check(story,
                    !story_has_node(story, server, "/s-0000000000") &&
                        !story_has_node(story, server, "/s-0000000001"),
                    "all are gone");
    story_heal(story);
}
STORY_FINDS(a_local_session_that_asks_for_an_ephemeral_is_known_to_all_before_it_has_it,
            MUTANT_EPHEMERAL_OF_LOCAL, NODE_RIGHT)

STORY(a_leader_that_dies_at_any_step_of_an_upgrade_leaves_no_ephemeral_behind, .voters = 3,
      .local_sessions = true)
{
    tell_begin(story);
    for (int n = 1; n <= 15; n++) {
        int leader = story_leader(story), other = leader == 1 ? 2 : 1;
        story_set_timeout(story, 2, 1000);
        story_connect(story, 2, other);
        (void)story_ask_create(story, 2, "/s-", MODE_EPHEMERAL_SEQUENTIAL);
        for (int events = 0; events < 2 * n; events++)
            story_run_one(story);
        story_crash(story, leader, SIM_LOSE_SOME);
        story_disconnect(story, 2);
        story_run(story, 300);
        story_start_all(story);
        story_settle(story);
    }
    story_run(story, 4000);
    story_check(story, !story_has_node(story, 1, "/s-0000000000"), "its session ended");
    story_heal(story);
}

STORY(a_local_session_ends_with_the_role_of_its_server_and_makes_no_transaction, .voters = 3,
      .local_sessions = true)
{
    tell_begin(story);
    int64_t zxid = story_committed_zxid(story);
    story_connect(story, 2, 1);
    story_read(story, 2, "/a", "zero");
    story_disconnect(story, 2);
    story_check(story, story_reconnect(story, 2, 1), "its own server knows it");
    story_disconnect(story, 2);
    story_check(story, !story_reconnect(story, 2, 2), "no other one does");
    story_check(story, story_committed_zxid(story) == zxid, "nothing was agreed to");
    story_crash(story, 3, SIM_LOSE_NOTHING);
    story_settle(story);
    story_connect(story, 2, 1);
    story_write(story, 2, "/a", "one");
    story_heal(story);
}
