/* Stories of observer masters: followers that serve observers in place of the leader. In an ensemble of three,
 * server 3 leads first, and observer 4 tries the others in this order: 2, 3, which leads and serves no
 * observers, 1. */
#include "sim/story.h"
#include "test/lib/tell.h"
#include "wire/zk.h"

static size_t informs(const struct story *story, int server)
{
    return story_count(story, server, " INFORM ");
}

STORY(an_observer_learns_from_a_follower_and_the_leader_sends_it_nothing, .voters = 3,
      .observers = 1, .observer_masters = true)
{
    tell_begin(story);
    story_connect(story, 2, 4);
    story_read(story, 2, "/a", "zero");
    story_write(story, 2, "/a", "through the observer");
    story_write(story, 1, "/a", "at the leader");
    story_sync(story, 2);
    story_read(story, 2, "/a", "at the leader");
    story_check(story, informs(story, 2) >= 2, "the follower tells it what is committed");
    story_check(story, informs(story, 3) == 0, "the leader does not");
    story_heal(story);
}

STORY(a_watch_at_an_observer_hears_of_a_change_that_came_by_its_master, .voters = 3, .observers = 1,
      .observer_masters = true)
{
    tell_begin(story);
    story_connect(story, 2, 4);
    story_await(story, 2, story_ask(story, 2, OP_EXISTS, "/a", "a watch"));
    story_write(story, 1, "/a", "one");
    story_sync(story, 2);
    story_check(story, story_events(story, 2) == 1, "the event came before the answer");
    story_heal(story);
}

STORY(an_observer_whose_master_is_killed_goes_on_with_the_next_one, .voters = 3, .observers = 1,
      .observer_masters = true)
{
    tell_begin(story);
    story_connect(story, 2, 4);
    story_create(story, 2, "/mine", MODE_EPHEMERAL);
    story_crash(story, 2, SIM_LOSE_ALL);
    story_until(story, 4, "OBSERVING of epoch 1 serves");
    story_check(story, story_reconnect(story, 2, 4), "its session lives on");
    story_write(story, 2, "/a", "by server 1");
    story_check(story, informs(story, 1) > 0, "server 1 is its master now");
    story_check(story, informs(story, 3) == 0, "not the leader");
    story_check(story, story_has_node(story, 3, "/mine"), "and its ephemeral, too");
    story_heal(story);
}

STORY(a_session_at_an_observer_lives_as_long_as_its_client_is_heard_and_no_longer, .voters = 3,
      .observers = 1, .observer_masters = true)
{
    tell_begin(story);
    story_set_timeout(story, 2, 1000);
    story_connect(story, 2, 4);
    story_create(story, 2, "/mine", MODE_EPHEMERAL);
    story_run(story, 5000);
    story_check(story, !story_is_expired(story, 2), "its pings come to the leader");
    story_keep_silent(story, 2);
    story_run(story, 4000);
    story_check(story, story_is_expired(story, 2), "the session is over");
    story_check(story, !story_has_node(story, 4, "/mine"), "for the observer, too");
    story_heal(story);
}

STORY(a_session_moves_between_an_observer_its_master_and_the_leader, .voters = 3, .observers = 1,
      .observer_masters = true)
{
    tell_begin(story);
    story_connect(story, 2, 4);
    for (int round = 0; round < 3; round++) {
        story_write(story, 2, "/a", "at the observer");
        story_check(story, story_reconnect(story, 2, 2), "the master knows it");
        story_write(story, 2, "/a", "at the master");
        story_check(story, story_reconnect(story, 2, 3), "the leader knows it");
        story_write(story, 2, "/a", "at the leader");
        story_check(story, story_reconnect(story, 2, 4), "the observer knows it");
    }
    story_heal(story);
}

/* To the leader both observers are one connection, that of server 2. */
STORY(what_an_observer_still_sends_for_a_session_that_went_to_another_is_not_executed, .voters = 3,
      .observers = 2, .observer_masters = true)
{
    tell_begin(story);
    story_crash(story, 1, SIM_LOSE_ALL);
    story_until_serves(story, 4);
    story_until_serves(story, 5);
    story_run(story, 500);
    story_connect(story, 2, 4);
    story_write(story, 2, "/a", "at observer 4");
    story_cut_way(story, 4, 2);
    (void)story_ask(story, 2, OP_SET_DATA, "/a", "late");
    story_run(story, 10);
    story_check(story, story_reconnect(story, 2, 5), "observer 5 has it");
    story_write(story, 2, "/a", "at observer 5");
    story_join(story, 4, 2);
    story_until(story, 3, " appends ");
    story_run(story, 500);
    story_read(story, 2, "/a", "at observer 5");
    story_heal(story);
}
STORY_FINDS(what_an_observer_still_sends_for_a_session_that_went_to_another_is_not_executed,
            MUTANT_MASTER_FENCES_NOTHING, NODE_RIGHT)

/* Answers to syncs carry nothing. If one came to the wrong one, a client would wait for ever, or not long
 * enough. */
STORY(syncs_of_a_master_and_of_its_observers_are_answered_each_to_the_one_that_asked, .voters = 3,
      .observers = 2, .observer_masters = true)
{
    static const int servers[] = {2, 4, 5, 1};
    int32_t last[ARRAY_LEN(servers)] = {0};

    tell_begin(story);
    for (size_t i = 0; i < ARRAY_LEN(servers); i++)
        story_connect(story, (int)i + 2, servers[i]);
    for (int round = 0; round < 40; round++) {
        for (size_t i = 0; i < ARRAY_LEN(servers); i++) {
            if ((round + (int)i) % 3 == 0)
                (void)story_ask(story, (int)i + 2, OP_SET_DATA, "/a", "one");
            last[i] = story_ask(story, (int)i + 2, OP_SYNC, "/a", NULL);
        }
        story_run(story, 1);
    }
    for (size_t i = 0; i < ARRAY_LEN(servers); i++)
        story_await(story, (int)i + 2, last[i]);
    story_crash(story, 2, SIM_LOSE_ALL); /* and those that ask behind it are not confused */
    story_heal(story);
    for (size_t i = 1; i < ARRAY_LEN(servers); i++) {
        (void)story_reconnect(story, (int)i + 2, servers[i]);
        story_sync(story, (int)i + 2);
    }
}
STORY_FINDS(syncs_of_a_master_and_of_its_observers_are_answered_each_to_the_one_that_asked,
            MUTANT_MASTER_MIXES_SYNCS, NODE_RIGHT)

STORY(an_observer_that_joins_under_load_gets_each_transaction_once_from_its_master, .voters = 3,
      .observers = 2, .observer_masters = true, .speakers = 3, .history_bytes_max = 400,
      .log_files_are_read = true)
{
    tell_begin(story);
    for (int round = 0; round < 6; round++) {
        int observer = 4 + round % 2;
        story_crash(story, observer, round % 3 == 0 ? SIM_LOSE_NOTHING : SIM_LOSE_SOME);
        story_run(story, 300 * round);
        story_start(story, observer);
        story_until_serves(story, observer);
        story_connect(story, 2, observer);
        story_sync(story, 2);
    }
    story_heal(story);
}

STORY(an_observer_gets_a_snapshot_from_a_follower, .voters = 3, .observers = 1,
      .observer_masters = true, .history_bytes_max = 200)
{
    tell_begin(story);
    story_crash(story, 4, SIM_LOSE_NOTHING);
    story_wipe(story, 4);
    for (int i = 0; i < 30; i++)
        story_write(story, 1, "/a", "one");
    story_start(story, 4);
    story_until(story, 2, " SNAP ");
    story_until_serves(story, 4);
    story_connect(story, 2, 4);
    story_read(story, 2, "/a", "one");
    story_heal(story);
}

/* Of five voters observer 6 came to server 1, the first that served, and tries 2 next. */
STORY(an_observer_that_is_ahead_of_its_next_master_waits_and_takes_nothing_back, .voters = 5,
      .observers = 1, .observer_masters = true)
{
    tell_begin(story);
    story_check(story, story_said(story, 1, " UPTODATE "), "server 1 is its master");
    story_connect(story, 2, 6);
    story_write(story, 2, "/a", "one");
    story_cut_way(story, 5, 2);
    for (int i = 0; i < 5; i++)
        story_write(story, 2, "/a", "two");
    story_check(story, story_applied_zxid(story, 2) < story_applied_zxid(story, 6), "it is ahead");
    story_crash(story, 1, SIM_LOSE_ALL);
    story_until(story, 6, " ACKEPOCH ");
    story_run(story, 50);
    story_check(story, !story_serves(story, 6), "it waits");
    story_join(story, 5, 2);
    story_until_serves(story, 6);
    story_check(story, !story_said(story, 2, " TRUNC "), "nothing is taken back");
    story_check(story, story_said(story, 2, " UPTODATE "), "by server 2");
    story_heal(story);
}
STORY_FINDS(an_observer_that_is_ahead_of_its_next_master_waits_and_takes_nothing_back,
            MUTANT_MASTER_TAKES_BACK, NODE_RIGHT)

STORY(a_master_that_loses_its_leader_serves_its_observers_no_more, .voters = 3, .observers = 1,
      .observer_masters = true)
{
    tell_begin(story);
    story_isolate(story, 2);
    story_join(story, 2, 4);
    story_run(story, 1500); /* syncLimit is 1 s */
    story_until_serves(story, 4);
    story_check(story, !story_serves(story, 2), "it has no leader");
    story_connect(story, 2, 4);
    story_write(story, 2, "/a", "by server 1");
    story_heal(story);
}

STORY(observers_go_on_when_the_leader_is_killed_and_their_master_leads, .voters = 3, .observers = 2,
      .observer_masters = true)
{
    tell_begin(story);
    story_connect(story, 2, 4);
    story_crash(story, 3, SIM_LOSE_ALL);
    story_until_leads(story, 2);
    story_until_serves(story, 4);
    story_until_serves(story, 5);
    story_check(story, story_reconnect(story, 2, 4), "its session lives on");
    story_write(story, 2, "/a", "in the next epoch");
    story_heal(story);
}
