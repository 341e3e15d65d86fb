/* Stories of elections, epochs and connections. In an ensemble of three, server 3 leads first. */
#include "sim/story.h"
#include "test/lib/tell.h"
#include "wire/zk.h"

STORY(zookeeper_335_elections_without_a_write_use_no_epoch_twice, .voters = 3)
{
    story_settle(story);
    for (int round = 0; round < 6; round++) {
        int leader = story_leader(story);
        story_crash(story, leader, (enum sim_disk_loss)(round % 3));
        story_run(story, 1000);
        story_start(story, leader);
        story_settle(story);
    }
    story_heal(story); /* the checker knows who led which epoch */
}
STORY_FINDS(zookeeper_335_elections_without_a_write_use_no_epoch_twice, MUTANT_NONE,
            NODE_FORGETS_EPOCHS)

STORY(servers_that_start_together_elect_without_waiting_for_any_clock, .voters = 3,
      .sleeping = true)
{
    story_start_all(story);
    story_run(story, 10); /* a way takes 0.5 ms, a disk 0.2 */
    story_check(story, story_leader(story) == 3 && story_serves(story, 1) && story_serves(story, 2),
                "all serve");
    story_heal(story);
}

STORY(zookeeper_1343_1282_a_new_epoch_is_above_what_a_slow_follower_has_accepted, .voters = 3)
{
    tell_begin(story);
    story_crash(story, 3, SIM_LOSE_ALL);
    story_until(story, 2, " LEADERINFO 200000000");
    story_until(story, 1, "accepted=2");
    story_crash(story, 2, SIM_LOSE_ALL); /* server 1 has promised epoch 2, which nobody leads */
    story_start(story, 3);
    story_until_leads(story, 3);
    story_check(story, story_said(story, 3, "LEADING of epoch 3 serves"), "epoch 2 is left out");
    story_heal(story);
}

STORY(a_server_that_promised_a_later_epoch_than_the_leader_s_is_not_left_out, .voters = 3)
{
    tell_begin(story);
    story_crash(story, 3, SIM_LOSE_NOTHING);
    for (int round = 0; round < 2; round++) { /* server 2 promises epochs that nobody hears of */
        story_until(story, 2, round == 0 ? "accepted=2" : "accepted=3");
        story_crash(story, 2, SIM_LOSE_NOTHING);
        if (round == 0)
            story_start(story, 2);
    }
    story_start(story, 3);
    story_until_leads(story, 3); /* with server 1, in epoch 2 */
    story_connect(story, 2, 1);
    (void)story_write(story, 2, "/a", "one");
    story_start(story, 2);
    story_until_serves(story, 2);
    story_settle(story);
    (void)story_reconnect(story, 2, 2);
    (void)story_write(story, 2, "/a", "two");
    story_check(story, story_said(story, 2, "accepted=4"), "the epoch is above all promises");
    story_heal(story);
}

STORY(zookeeper_1653_2307_4269_a_crash_within_the_write_of_an_epoch_forgets_no_promise, .voters = 3)
{
    for (uint64_t change = 1; change <= 12; change++) {
        story_settle(story);
        int leader = story_leader(story), other = leader == 1 ? 2 : 1;
        story_crash(story, leader, SIM_LOSE_NOTHING);
        story_crash_at_change(story, other, change);
        story_run(story, 3000);
        story_crash_at_change(story, other, 0);
        story_start_all(story);
    }
    story_heal(story);
}
STORY_FINDS(zookeeper_1653_2307_4269_a_crash_within_the_write_of_an_epoch_forgets_no_promise,
            MUTANT_NONE, NODE_SYNCS_NO_NAMES)

STORY(zookeeper_1732_1805_1810_a_server_that_restarts_joins_an_ensemble_at_work, .voters = 5)
{
    tell_begin(story);
    story_crash(story, 5, SIM_LOSE_ALL);
    story_until_leads(story, 4);
    story_connect(story, 1, 4);
    for (int server = 1; server <= 5; server++) {
        if (server == 4)
            continue;
        story_crash(story, server, SIM_LOSE_SOME);
        story_write(story, 1, "/a", "one");
        story_start(story, server);
        story_until_serves(story, server);
    }
    story_check(story, story_leader(story) == 4, "nobody had to elect anew");
    story_check(story, story_count(story, 0, "LEADING of epoch") == 2, "there were two leaders");
    story_heal(story);
}

STORY(zookeeper_1419_822_an_unreachable_candidate_does_not_keep_an_election_open, .voters = 5)
{
    tell_begin(story);
    story_crash(story, 5, SIM_LOSE_ALL);
    story_isolate(story, 4); /* the next best: others can reach neither it nor the first */
    story_run(story, 100);
    story_until_leads(story, 3);
    story_connect(story, 1, 1);
    story_write(story, 1, "/a", "one");
    story_heal(story);
}

STORY(an_elected_leader_that_dies_is_not_waited_for_until_initLimit, .voters = 3)
{
    tell_begin(story);
    story_crash(story, 3, SIM_LOSE_NOTHING);
    story_until(story, 1, "LOOKING votes for 2");
    story_crash(story, 2, SIM_LOSE_NOTHING);
    story_run(story, 10);
    story_start(story, 3);
    story_run(story, 1000);
    story_check(story, story_serves(story, 1) && story_leader(story) == 3, "it follows server 3");
    story_heal(story);
}

STORY(zookeeper_3109_a_better_server_that_starts_within_an_election_delays_it_little, .voters = 3,
      .sleeping = true)
{
    story_start(story, 1);
    story_start(story, 2);
    story_until(story, 1, "votes for 2");
    story_start(story, 3);
    story_settle(story);
    story_check(story, !story_said(story, 0, "of epoch 3 serves"), "at most two epochs");
    story_heal(story);
}

STORY(zookeeper_2164_3756_one_way_that_is_blocked_keeps_no_quorum_from_its_work, .voters = 3)
{
    for (int from = 1; from <= 3; from++) {
        for (int to = 1; to <= 3; to++) {
            if (from == to)
                continue;
            story_settle(story);
            story_cut_way(story, from, to);
            story_crash(story, story_leader(story), SIM_LOSE_SOME);
            story_run(story, 3000);
            story_start_all(story);
            story_run(story, 12000);
            story_check(story, story_leader(story) != 0, "a quorum can speak, and somebody leads");
            story_join(story, from, to);
        }
    }
    story_heal(story);
}

STORY(zookeeper_4886_an_observer_with_the_smallest_id_connects_and_learns, .voters = 3,
      .observers = 1)
{
    tell_begin(story);
    story_crash(story, 4, SIM_LOSE_ALL);
    story_power_off(story, SIM_LOSE_SOME);
    story_start(story, 4);
    story_run(story, 500);
    story_start_all(story);
    story_settle(story);
    story_connect(story, 2, 4);
    story_read(story, 2, "/a", "zero");
    story_heal(story);
}

STORY(a_half_open_connection_is_noticed_by_both_sides_within_syncLimit, .voters = 3)
{
    tell_begin(story);
    story_isolate(story, 1);
    story_run(story, 1500);
    story_check(story, !story_serves(story, 1), "it serves no more");
    story_write(story, 1, "/a", "one");
    story_check(story, story_leader(story) == 3, "the others go on");
    story_heal(story);
}
STORY_FINDS(a_half_open_connection_is_noticed_by_both_sides_within_syncLimit,
            MUTANT_HALF_OPEN_FOREVER, NODE_RIGHT)

STORY(zookeeper_4712_2845_a_slow_disk_over_a_change_of_leaders_writes_nothing_into_the_next_epoch,
      .voters = 3)
{
    tell_begin(story);
    for (int i = 0; i < 3; i++)
        (void)story_ask(story, 1, OP_SET_DATA, "/a", "one");
    story_until(story, 2, "appends");
    story_hold_disk(story, 2);               /* it holds what the leader has sent, */
    story_crash(story, 3, SIM_LOSE_NOTHING); /* and loses the leader */
    story_run(story, 500);
    story_check(story, !story_said(story, 2, "LOOKING votes for 2 zxid=100000003 round=2"),
                "it does not vote before its log is synced");
    story_free_disk(story, 2);
    story_until_leads(story, 2);
    story_heal(story);
}
STORY_FINDS(
    zookeeper_4712_2845_a_slow_disk_over_a_change_of_leaders_writes_nothing_into_the_next_epoch,
    MUTANT_MEM_AHEAD_VOTE, NODE_RIGHT)

STORY(a_promise_on_its_way_to_disk_ends_before_the_next_election, .voters = 3)
{
    tell_begin(story);
    story_crash(story, 3, SIM_LOSE_NOTHING);
    story_until(story, 2, " LEADERINFO ");
    story_hold_disk(story, 1);
    story_run(story, 10);
    story_crash(story, 2, SIM_LOSE_NOTHING);
    story_run(story, 500);
    story_start(story, 2);
    story_start(story, 3);
    story_run(story, 500);
    story_free_disk(story, 1);
    story_heal(story);
}
STORY_FINDS(a_promise_on_its_way_to_disk_ends_before_the_next_election, MUTANT_STALE_WORK,
            NODE_RIGHT)

STORY(zookeeper_1549_a_leader_to_be_writes_no_snapshot_of_what_nobody_agreed_to, .voters = 3)
{
    tell_begin(story);
    tell_tail(story, 3, 3);
    story_crash(story, 3, SIM_LOSE_NOTHING);
    story_crash(story, 2, SIM_LOSE_NOTHING);
    story_rejoin(story, 3);
    story_start(story, 3);
    story_until(story, 3, " LEADERINFO ");
    story_crash(story, 1, SIM_LOSE_NOTHING); /* elected, and no quorum comes */
    story_run(story, 3000);
    story_check(story, !story_said(story, 3, "a snapshot begins"), "there is none");
    story_heal(story);
}
STORY_FINDS(zookeeper_1549_a_leader_to_be_writes_no_snapshot_of_what_nobody_agreed_to,
            MUTANT_DIRTY_SNAPSHOT, NODE_RIGHT)
