/* Stories of synchronisation: how a server comes to the leader's history. In an ensemble of three, server
 * 3 leads first. */
#include "sim/story.h"
#include "test/lib/tell.h"
#include "wire/zk.h"

#include <stdio.h>

STORY(an_ensemble_serves_and_a_lost_leader_is_followed_by_another, .voters = 3)
{
    tell_begin(story);
    story_check(story, story_leader(story) == 3, "server 3 leads");
    story_crash(story, 3, SIM_LOSE_ALL);
    story_until_leads(story, 2);
    story_connect(story, 2, 1);
    story_read(story, 2, "/a", "zero");
    story_write(story, 2, "/a", "one");
    story_heal(story);
}

/* Others go on behind the tail of the lost leader. */
static void go_on_without(struct story *story, int lost, int count)
{
    story_until_leads(story, 2);
    story_connect(story, 2, 2);
    for (int i = 0; i < count; i++)
        story_write(story, 2, "/a", "one");
    story_check(story, !story_serves(story, lost), "it is not among them");
}

STORY(zookeeper_1154_1156_2832_a_tail_that_nobody_agreed_to_is_cut_where_a_range_would_send_a_DIFF,
      .voters = 3)
{
    tell_begin(story);
    tell_tail(story, 3, 5);
    go_on_without(story, 3, 3);
    story_rejoin(story, 3);
    story_until(story, 2, " TRUNC ");
    story_until(story, 3, "truncate done: ok");
    story_until_serves(story, 3);
    story_crash(story, 3, SIM_LOSE_SOME);
    story_heal(story);
    story_connect(story, 3, 3);
    story_read(story, 3, "/a", "one");
}
STORY_FINDS(
    zookeeper_1154_1156_2832_a_tail_that_nobody_agreed_to_is_cut_where_a_range_would_send_a_DIFF,
    MUTANT_DIFF_BY_RANGE, NODE_RIGHT)
STORY_FINDS(
    zookeeper_1154_1156_2832_a_tail_that_nobody_agreed_to_is_cut_where_a_range_would_send_a_DIFF,
    MUTANT_TRUNC_OFF_BY_ONE, NODE_RIGHT)

STORY(zookeeper_1549_4837_a_snapshot_above_the_cut_is_gone_before_the_log_is_cut, .voters = 3)
{
    tell_begin(story);
    tell_tail(story, 3, 5);
    story_crash(story, 3, SIM_LOSE_NOTHING);
    story_start(story, 3); /* alone: it loads its tail, */
    story_run(story, 500);
    story_write_snapshot(story, 3); /* of which a server of release 3.8 now writes a snapshot */
    story_check(story, story_has_file(story, 3, "snapshot.100000008"), "it has the tail");
    go_on_without(story, 3, 3);
    story_rejoin(story, 3);
    story_until(story, 3, "truncate done: ok");
    story_until_serves(story, 3);
    story_crash(story, 3, SIM_LOSE_NOTHING);
    story_heal(story);
    story_connect(story, 3, 3);
    story_read(story, 3, "/a", "one");
}
STORY_FINDS(zookeeper_1549_4837_a_snapshot_above_the_cut_is_gone_before_the_log_is_cut,
            MUTANT_TRUNC_KEEPS_SNAPSHOT, NODE_RIGHT)

STORY(zookeeper_3701_a_TRUNC_that_the_disk_refuses_ends_the_server_and_is_done_at_its_next_start,
      .voters = 3)
{
    tell_begin(story);
    tell_tail(story, 3, 5);
    go_on_without(story, 3, 3);
    story_fail_call(story, 3, SIM_TRUNCATE, 1);
    story_rejoin(story, 3);
    story_until(story, 3, "died: a work on the files failed");
    story_start(story, 3);
    story_check(story, !story_has_file(story, 3, "intent"), "the cut was done again");
    story_heal(story);
}

STORY(an_image_that_runs_when_a_TRUNC_comes_ends_before_the_files_are_cut, .voters = 3,
      .snap_count = 8)
{
    tell_begin(story);
    story_hold_image(story, 3, true);
    for (int i = 0; i < 10; i++)
        story_write(story, 1, "/a", "zero");
    tell_tail(story, 3, 3);
    go_on_without(story, 3, 3);
    story_rejoin(story, 3);
    story_until(story, 2, " TRUNC ");
    story_run(story, 100);
    story_check(story, !story_said(story, 3, "truncate done"), "the cut waits for the image");
    story_hold_image(story, 3, false);
    story_until(story, 3, "truncate done: ok");
    story_heal(story);
}
STORY_FINDS(an_image_that_runs_when_a_TRUNC_comes_ends_before_the_files_are_cut,
            MUTANT_WORK_BESIDE_IMAGE, NODE_RIGHT)

STORY(two_SNAPs_at_once_and_an_image_on_disk_do_not_disturb_each_other, .voters = 5,
      .history_bytes_max = 200, .snap_count = 6)
{
    tell_begin(story);
    story_crash(story, 1, SIM_LOSE_ALL);
    story_crash(story, 2, SIM_LOSE_ALL);
    for (int i = 0; i < 20; i++)
        story_write(story, 1, "/a", "one");
    story_start(story, 1);
    story_start(story, 2);
    for (int i = 0; i < 20; i++)
        story_write(story, 1, "/a", "two");
    story_settle(story);
    story_check(story, story_count(story, 5, " SNAP ") == 2, "both got a SNAP");
    story_heal(story);
    story_crash(story, 1, SIM_LOSE_ALL);
    story_crash(story, 2, SIM_LOSE_ALL);
    story_heal(story);
}

STORY(the_tail_of_a_server_that_gets_a_SNAP_never_comes_back, .voters = 3, .history_bytes_max = 200)
{
    tell_begin(story);
    tell_tail(story, 3, 5);
    go_on_without(story, 3, 20);
    story_rejoin(story, 3);
    story_until(story, 2, " SNAP ");
    story_until_serves(story, 3);
    story_crash(story, 3, SIM_LOSE_SOME);
    story_heal(story);
    story_connect(story, 3, 3);
    story_read(story, 3, "/a", "one");
}

STORY(zookeeper_3642_2872_half_a_SNAP_leaves_nothing_behind, .voters = 3, .history_bytes_max = 200)
{
    tell_begin(story);
    story_crash(story, 1, SIM_LOSE_ALL);
    for (int i = 0; i < 20; i++)
        story_write(story, 1, "/a", "one");
    story_hold_image(story, 1, true);
    story_start(story, 1);
    story_until(story, 3, " SNAP ");
    story_until(story, 1, "restart log done: ok");
    story_crash(story, 3, SIM_LOSE_NOTHING); /* the leader is gone before the image is on disk */
    story_run(story, 200);
    story_hold_image(story, 1, false);
    story_until_leads(story, 2);
    story_connect(story, 2, 1);
    story_read(story, 2, "/a", "one");
    story_crash(story, 1, SIM_LOSE_ALL);
    story_heal(story);
}
STORY_FINDS(zookeeper_3642_2872_half_a_SNAP_leaves_nothing_behind, MUTANT_PARTIAL_SNAP_KEPT,
            NODE_RIGHT)

STORY(zookeeper_3104_a_crash_behind_the_NEWLEADER_of_a_SNAP_leaves_the_old_state_or_the_new,
      .voters = 3, .history_bytes_max = 200)
{
    tell_begin(story);
    for (int loss = SIM_LOSE_SOME; loss <= SIM_LOSE_NOTHING; loss++) {
        story_crash(story, 1, SIM_LOSE_ALL);
        for (int i = 0; i < 20; i++)
            story_write(story, 1, "/a", "one");
        story_start(story, 1);
        story_until(story, 3, " NEWLEADER ");
        story_run(story, 1);
        story_crash(story, 1, (enum sim_disk_loss)loss);
        story_start(story, 1);
        story_until_serves(story, 1);
    }
    story_heal(story);
}

STORY(zookeeper_2355_a_learner_that_lost_its_leader_within_a_DIFF_claims_only_what_it_has,
      .voters = 3)
{
    tell_begin(story);
    story_crash(story, 1, SIM_LOSE_ALL);
    int64_t before = story_durable_zxid(story, 1);
    for (int i = 0; i < 10; i++)
        story_write(story, 1, "/a", "one");
    story_hold_disk(story, 1);
    story_start(story, 1);
    story_check(story, before < story_committed_zxid(story), "it lacks something");
    story_until(story, 1, "#"); /* it speaks */
    story_free_disk(story, 1);
    story_until(story, 3, " DIFF ");
    story_hold_disk(story, 1);
    story_run(story, 50);
    story_crash(story, 1, SIM_LOSE_ALL); /* with all that the DIFF has brought */
    story_free_disk(story, 1);
    story_crash(story, 3, SIM_LOSE_ALL);
    story_start(story, 1);
    story_until_leads(story, 2);
    story_connect(story, 2, 1);
    story_read(story, 2, "/a", "one");
    story_heal(story);
}

STORY(zookeeper_4925_who_came_by_a_DIFF_can_bring_others_to_it_as_leader, .voters = 5)
{
    tell_begin(story);
    story_crash(story, 4, SIM_LOSE_ALL);
    story_crash(story, 1, SIM_LOSE_ALL);
    for (int i = 0; i < 5; i++)
        story_write(story, 1, "/a", "one");
    story_start(story, 4);
    story_until(story, 5, " DIFF ");
    for (int i = 0; i < 5; i++)
        (void)story_ask(story, 1, OP_SET_DATA, "/a", "two");
    story_until_serves(story, 4);
    story_run(story, 100);
    story_crash(story, 5, SIM_LOSE_ALL);
    story_until_leads(story, 4);
    story_start(story, 1);
    story_until(story, 4, " DIFF ");
    story_until_serves(story, 1);
    story_connect(story, 2, 1);
    story_read(story, 2, "/a", "two");
    story_heal(story);
}
STORY_FINDS(zookeeper_4925_who_came_by_a_DIFF_can_bring_others_to_it_as_leader, MUTANT_DIFF_HOLE,
            NODE_RIGHT)

STORY(zookeeper_4394_2418_what_is_proposed_and_committed_while_a_learner_synchronises_reaches_it,
      .voters = 3)
{
    tell_begin(story);
    story_crash(story, 1, SIM_LOSE_ALL);
    story_write(story, 1, "/a", "one");
    story_hold_disk(story, 1);
    story_start(story, 1);
    story_free_disk(story, 1);
    story_until(story, 3, " NEWLEADER ");
    story_hold_disk(story, 1);
    for (int i = 0; i < 5; i++)
        story_write(story, 1, "/a", "two"); /* server 2 is enough */
    story_check(story, !story_serves(story, 1), "they came between NEWLEADER and UPTODATE");
    story_free_disk(story, 1);
    story_until_serves(story, 1);
    story_check(story, story_count(story, 3, " NEWLEADER ") == 3, "it did not have to begin anew");
    story_connect(story, 2, 1);
    story_read(story, 2, "/a", "two");
    story_heal(story);
}
STORY_FINDS(
    zookeeper_4394_2418_what_is_proposed_and_committed_while_a_learner_synchronises_reaches_it,
    MUTANT_FORWARD_GAP, NODE_RIGHT)
STORY_FINDS(
    zookeeper_4394_2418_what_is_proposed_and_committed_while_a_learner_synchronises_reaches_it,
    MUTANT_UPTODATE_OLD_COMMIT, NODE_RIGHT)

STORY(zookeeper_4685_the_ACK_of_a_proposal_never_goes_before_that_of_NEWLEADER, .voters = 3)
{
    tell_begin(story);
    story_crash(story, 1, SIM_LOSE_ALL);
    story_start(story, 1);
    story_until(story, 3, " NEWLEADER ");
    story_hold_disk(story, 1);
    for (int i = 0; i < 5; i++)
        story_write(story, 1, "/a", "two");
    size_t acks = story_count(story, 1, " ACK ");
    story_free_disk(story, 1);
    story_until(story, 1, " ACK ");
    story_check(story,
                story_count(story, 1, " ACK ") == acks + 1 &&
                    story_count(story, 1, " ACK 100000000") == 3,
                "the first ACK is that of NEWLEADER");
    story_until(story, 1, " ACK ");
    story_heal(story);
}
STORY_FINDS(zookeeper_4685_the_ACK_of_a_proposal_never_goes_before_that_of_NEWLEADER,
            MUTANT_NEWLEADER_ACK_ASYNC, NODE_RIGHT)

/* Two hundred nodes of 16 kilobytes: an image that is sent in several turns. */
static void grow(struct story *story)
{
    static char data[16000];
    char path[16];

    memset(data, 'x', sizeof(data) - 1);
    for (int i = 0; i < 200; i++) {
        snprintf(path, sizeof(path), "/n%d", i);
        (void)story_ask_create(story, 1, path, MODE_PERSISTENT);
        int32_t xid = story_ask(story, 1, OP_SET_DATA, path, data);
        if (i % 100 == 99)
            story_await_all(story, 1, xid);
    }
}

/* It is down while the others grow. */
static void leave_server_1_behind(struct story *story)
{
    tell_begin(story);
    story_crash(story, 1, SIM_LOSE_ALL);
    grow(story);
}

STORY(zookeeper_2201_3531_a_learner_that_stops_reading_its_SNAP_stops_nobody, .voters = 3,
      .history_bytes_max = 200)
{
    leave_server_1_behind(story);
    story_start(story, 1);
    story_until(story, 3, " SNAP ");
    story_cut(story, 1, 3);
    for (int i = 0; i < 20; i++) {
        story_write(story, 1, "/a", "one");
        story_run(story, 100);
    }
    story_check(story, story_leader(story) == 3, "the leader goes on");
    story_heal(story);
}

STORY(zookeeper_1697_1465_1521_a_SNAP_that_takes_longer_than_initLimit_to_write_comes_to_its_end,
      .voters = 3, .history_bytes_max = 200)
{
    leave_server_1_behind(story);
    story_hold_image(story, 1, true);
    story_start(story, 1);
    story_until(story, 3, " SNAP ");
    story_run(story, 6000); /* initLimit is 2 s */
    story_hold_image(story, 1, false);
    story_until_serves(story, 1);
    story_check(story, story_count(story, 3, " SNAP ") == 1, "one was enough");
    story_heal(story);
}

STORY(a_SNAP_that_takes_longer_than_initLimit_to_send_comes_to_its_end_while_it_advances,
      .voters = 3, .history_bytes_max = 200)
{
    leave_server_1_behind(story);
    story_start(story, 1);
    story_until(story, 3, " SNAP ");
    for (int stop = 0; stop < 3; stop++) {
        story_cut(story, 1, 3);
        story_run(story, 1500); /* initLimit is 2 s */
        story_join(story, 1, 3);
        story_until(story, 3, "snapshot bytes");
    }
    story_until_serves(story, 1);
    story_check(story, story_count(story, 3, " SNAP ") == 1, "one was enough");
    story_heal(story);
}

STORY(a_learner_that_is_gone_without_a_word_within_its_SNAP_keeps_no_other_from_its_own,
      .voters = 5, .history_bytes_max = 200)
{
    tell_begin(story);
    story_crash(story, 1, SIM_LOSE_ALL);
    story_crash(story, 2, SIM_LOSE_ALL);
    grow(story);
    story_start(story, 1);
    story_until(story, 5, " SNAP ");
    story_cut(story, 1, 5);
    story_start(story, 2);
    story_run(story, 6000);
    story_check(story, story_serves(story, 2), "the other has come");
    story_check(story, story_leader(story) == 5, "the leader stays");
    story_heal(story);
}

STORY(a_leader_to_be_waits_for_a_follower_that_writes_a_long_SNAP, .voters = 3)
{
    leave_server_1_behind(story);
    story_power_off(story, SIM_LOSE_ALL);
    story_hold_image(story, 1, true);
    story_start(story, 1);
    story_start(story, 3); /* a leader that starts keeps no history: it sends a SNAP */
    story_until(story, 3, " SNAP ");
    story_run(story, 6000);
    story_hold_image(story, 1, false);
    story_until_leads(story, 3);
    story_check(story, story_count(story, 3, " SNAP ") == 1, "one was enough");
    story_heal(story);
}

STORY(two_SNAPs_and_a_snapshot_of_the_leader_s_own_go_on_at_once, .voters = 5,
      .history_bytes_max = 4000)
{
    tell_begin(story);
    story_crash(story, 1, SIM_LOSE_ALL);
    story_crash(story, 2, SIM_LOSE_ALL);
    grow(story);
    story_start(story, 1);
    story_until(story, 5, " SNAP ");
    story_cut(story, 1, 5); /* it takes no more for now */
    story_hold_image(story, 5, true);
    story_request_snapshot(story, 5);
    story_write(story, 1, "/a", "one");
    story_check(story, story_said(story, 5, "a snapshot begins"), "of its own");
    story_write(story, 1, "/n199", "two"); /* not as it was for the second */
    story_start(story, 2);
    story_until_serves(story, 2);
    story_check(story, !story_serves(story, 1), "the first is still on its way");
    story_write(story, 1, "/n198", "three");
    story_join(story, 1, 5);
    story_until_serves(story, 1);
    story_check(story, story_count(story, 5, " SNAP ") == 2, "one for each was enough");
    story_hold_image(story, 5, false);
    story_run(story, 1000);
    story_power_off(story, SIM_LOSE_ALL);
    story_heal(story);
    story_connect(story, 2, 5);
    story_read(story, 2, "/n199", "two");
    story_read(story, 2, "/n198", "three");
}

/* --- history from the leader's log files --- */

STORY(a_learner_gets_what_is_no_more_in_memory_from_the_log_files_and_what_is_committed_meanwhile,
      .voters = 3, .history_bytes_max = 200, .log_files_are_read = true)
{
    leave_server_1_behind(story);
    story_start(story, 1);
    story_until(story, 3, " DIFF ");
    for (int i = 0; i < 20; i++) /* memory forgets these, too, while the files are read */
        (void)story_ask(story, 1, OP_SET_DATA, "/a", "zero");
    story_write(story, 1, "/a", "one");
    story_check(story, !story_serves(story, 1), "they came within the DIFF");
    story_until_serves(story, 1);
    story_check(story, story_count(story, 3, " SNAP ") == 0, "nobody got a SNAP");
    story_connect(story, 2, 1);
    story_read(story, 2, "/a", "one");
    story_heal(story);
}
STORY_FINDS(
    a_learner_gets_what_is_no_more_in_memory_from_the_log_files_and_what_is_committed_meanwhile,
    MUTANT_DIFF_HOLE, NODE_RIGHT)

STORY(a_leader_that_was_started_again_reads_its_log_files_for_two_at_once, .voters = 5,
      .log_files_are_read = true)
{
    tell_begin(story);
    story_crash(story, 1, SIM_LOSE_ALL);
    story_write(story, 1, "/a", "one");
    story_crash(story, 2, SIM_LOSE_ALL);
    grow(story);
    story_crash(story, 5, SIM_LOSE_NOTHING);
    story_start(story, 5);
    story_until_leads(story, 5);
    story_start(story, 1);
    story_start(story, 2);
    story_settle(story);
    story_check(story, story_leader(story) == 5, "the leader stays");
    story_check(story, story_count(story, 5, " SNAP ") == 0, "nobody got a SNAP");
    story_heal(story);
}

STORY(a_leader_that_is_lost_within_a_DIFF_from_its_log_files_leaves_nothing_wrong_behind,
      .voters = 3, .history_bytes_max = 200, .log_files_are_read = true)
{
    tell_begin(story);
    for (int ms = 1; ms <= 12; ms += 3) {
        story_crash(story, 1, SIM_LOSE_ALL);
        grow(story);
        int leader = story_leader(story);
        story_start(story, 1);
        story_until(story, leader, " DIFF ");
        story_run(story, ms);
        story_crash(story, leader, SIM_LOSE_SOME);
        story_settle(story);
        story_start(story, leader);
        story_settle(story);
        story_connect(story, 1, story_leader(story));
    }
    story_heal(story);
}

STORY(log_files_of_a_leader_that_rot_cost_its_learner_a_DIFF_and_it_gets_a_SNAP, .voters = 3,
      .history_bytes_max = 200, .log_files_are_read = true)
{
    leave_server_1_behind(story);
    story_rot(story, 3, "log.", 2000000);
    story_start(story, 1);
    story_until(story, 3, " DIFF ");
    story_until_serves(story, 1);
    story_check(story, story_count(story, 3, " SNAP ") == 1, "then it got a SNAP");
    story_check(story, story_leader(story) == 3, "the leader stays");
    story_connect(story, 2, 1);
    story_read(story, 2, "/a", "zero");
    story_heal(story);
}
