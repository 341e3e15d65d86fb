/* Stories of disks: what fails, what is lost, what rots. In an ensemble of three, server 3 leads first. */
#include "sim/story.h"
#include "test/lib/tell.h"
#include "wire/zk.h"

STORY(zookeeper_4882_a_sync_that_fails_ends_the_server_and_nothing_is_acknowledged, .voters = 3)
{
    tell_begin(story);
    story_crash(story, 2, SIM_LOSE_ALL); /* server 1 is needed for every commit */
    story_fail_call(story, 1, SIM_SYNC, 1);
    int32_t xid = story_ask(story, 1, OP_SET_DATA, "/a", "one");
    story_until(story, 3, "appends");
    story_run(story, 100);
    story_check(story, !story_is_up(story, 1), "it is gone");
    story_check(story, !story_answer(story, 1, xid).came, "nothing was answered");
    story_power_off(story, SIM_LOSE_ALL);
    story_heal(story);
}
STORY_FINDS(zookeeper_4882_a_sync_that_fails_ends_the_server_and_nothing_is_acknowledged,
            MUTANT_NONE, NODE_RETRIES_SYNCS)

STORY(a_leader_whose_sync_fails_counts_itself_for_nothing, .voters = 3)
{
    tell_begin(story);
    story_hold_disk(story, 1); /* servers 2 and 3 are needed */
    story_fail_call(story, 3, SIM_SYNC, 1);
    (void)story_ask(story, 1, OP_SET_DATA, "/a", "one");
    story_run(story, 300);
    story_check(story, !story_is_up(story, 3), "it is gone");
    story_power_off(story, SIM_LOSE_ALL);
    story_heal(story);
}
STORY_FINDS(a_leader_whose_sync_fails_counts_itself_for_nothing, MUTANT_NONE, NODE_RETRIES_SYNCS)

STORY(what_one_server_has_synced_survives_the_loss_of_all_that_was_not, .voters = 3)
{
    tell_begin(story);
    for (int round = 0; round < 6; round++) {
        for (int i = 0; i < 5; i++)
            (void)story_ask(story, 1, OP_SET_DATA, "/a", "one");
        story_write(story, 1, "/a", "two");
        story_power_off(story, (enum sim_disk_loss)(round % 3));
        story_start_all(story);
        story_settle(story);
        story_connect(story, 1, story_leader(story));
        story_read(story, 1, "/a", "two");
    }
    story_heal(story);
}
STORY_FINDS(what_one_server_has_synced_survives_the_loss_of_all_that_was_not, MUTANT_NONE,
            NODE_SYNCS_NO_NAMES)
STORY_FINDS(what_one_server_has_synced_survives_the_loss_of_all_that_was_not, MUTANT_NONE,
            NODE_REPORTS_WRITES)

STORY(what_was_read_at_a_start_is_on_the_disk_before_anybody_is_told, .voters = 3)
{
    tell_begin(story);
    story_hold_disk(story, 1);
    story_write(story, 1, "/a", "one");
    story_power_off(story, SIM_LOSE_NOTHING); /* the processes die, and the pages live */
    story_free_disk(story, 1);
    story_start(story, 3);
    story_start(story, 2);
    story_settle(story);
    story_power_off(story, SIM_LOSE_ALL); /* then the power fails at once */
    story_heal(story);
    story_connect(story, 1, 1);
    story_read(story, 1, "/a", "one");
}

STORY(zookeeper_3082_a_snapshot_that_finds_no_space_leaves_the_server_as_it_was, .voters = 3,
      .snap_count = 10)
{
    tell_begin(story);
    story_fill_disk(story, 1, 0);
    for (int i = 0; i < 40; i++)
        story_write(story, 1, "/a", "one");
    story_run(story, 200);
    story_check(story, story_said(story, 1, "a snapshot begins"), "it tried");
    story_free_disk(story, 1);
    story_crash(story, 1, SIM_LOSE_ALL);
    story_heal(story);
}

STORY(zookeeper_2560_2561_2332_1621_a_crash_at_any_write_leaves_a_log_that_can_be_read, .voters = 3,
      .snap_count = 6)
{
    tell_begin(story);
    for (uint64_t change = 1; change <= 60 && !story_failed(story); change++) {
        story_crash_at_change(story, 1, change % 20 + 1);
        for (int i = 0; i < 8; i++)
            story_write(story, 1, "/a", "one");
        story_run(story, 50);
        story_crash_at_change(story, 1, 0);
        story_start_all(story);
        story_until_serves(story, 1);
    }
    story_heal(story);
}

/* A snapshot of the server, and behind it a record of its log with the digest of the tree. */
static void write_snapshot_and_record(struct story *story, int server)
{
    tell_begin(story);
    story_request_snapshot(story, server);
    story_until(story, server, "a snapshot begins");
    story_run(story, 100);
    story_write(story, 1, "/a", "two");
    story_run(story, 100);
}

STORY(a_server_whose_files_give_another_tree_than_its_log_says_takes_the_leaders, .voters = 3)
{
    write_snapshot_and_record(story, 2);
    story_crash(story, 2, SIM_LOSE_NOTHING);
    story_spoil_snapshot(story, 2);
    story_start(story, 2);
    story_until(story, 3, "SNAP");
    story_until_serves(story, 2);
    story_heal(story);
}

STORY(a_server_whose_tree_differs_lets_the_others_elect_a_leader_first, .voters = 3)
{
    write_snapshot_and_record(story, 3);
    story_power_off(story, SIM_LOSE_NOTHING);
    story_spoil_snapshot(story, 3); /* without this, it would be elected */
    story_start_all(story);
    story_settle(story);
    story_check(story, story_leader(story) == 2, "another one leads");
    story_heal(story);
}

STORY(a_server_whose_tree_differs_leads_if_the_others_are_no_quorum, .voters = 3)
{
    write_snapshot_and_record(story, 3);
    story_power_off(story, SIM_LOSE_NOTHING);
    story_spoil_snapshot(story, 3);
    story_start(story, 3);
    story_start(story, 1);
    story_until(story, 3, "LEADERINFO");
}

STORY(a_follower_whose_disk_stands_still_is_let_go_and_comes_back, .voters = 3)
{
    tell_begin(story);
    story_hold_disk(story, 1);
    story_write(story, 1, "/a", "one");
    story_until(story, 3, "it did not acknowledge a proposal within syncLimit");
    story_check(story, story_leader(story) == 3, "the leader stays");
    story_free_disk(story, 1);
    story_until_serves(story, 1);
    story_heal(story);
}
