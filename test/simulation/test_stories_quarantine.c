/* Stories of servers that lost what they had promised. In an ensemble of three, server 3 leads first. */
#include "sim/story.h"
#include "test/lib/tell.h"
#include "wire/zk.h"

enum { LONG_MS = 6000 /* many elections would fit in */ };

/* All have ten writes in their logs. */
static void begin_with_a_log(struct story *story)
{
    tell_begin(story);
    for (int i = 0; i < 10; i++)
        story_write(story, 1, "/a", "one");
}

/* A write that servers 2 and 3 have, and server 1 does not; then all are down. */
static void write_without_server_1(struct story *story)
{
    begin_with_a_log(story);
    story_crash(story, 1, SIM_LOSE_ALL);
    story_write(story, 1, "/a", "two");
    story_power_off(story, SIM_LOSE_ALL);
}

static void nobody_is_elected(struct story *story)
{
    story_run(story, LONG_MS);
    story_check(story, story_leader(story) == 0, "somebody leads");
}

static void it_is_in_quarantine(struct story *story, int server)
{
    story_check(story, story_in_quarantine(story, server), "it is in quarantine");
}

/* It is one of two servers that are up, so a write needs it. */
static void it_votes_again(struct story *story, int server, int other)
{
    story_until_serves(story, server);
    story_check(story, !story_in_quarantine(story, server), "the quarantine is over");
    story_crash(story, other, SIM_LOSE_ALL);
    story_settle(story);
    story_connect(story, 2, server);
    story_write(story, 2, "/a", "three");
    story_heal(story);
}

STORY(a_record_that_rots_in_the_middle_of_a_log_is_fetched_and_the_history_never_gets_shorter,
      .voters = 3)
{
    begin_with_a_log(story);
    story_crash(story, 1, SIM_LOSE_ALL);
    story_rot(story, 1, "log.", 400);
    story_start(story, 1);
    story_check(story, story_said(story, 1, "damaged at byte"), "it says what is damaged");
    it_is_in_quarantine(story, 1);
    story_check(story, story_has_file(story, 1, "quarantined.log."), "the evidence is kept");
    story_until_serves(story, 1);
    story_check(story, story_said(story, 1, "OBSERVERINFO"), "it learned without a vote");
    story_connect(story, 2, 1);
    story_read(story, 2, "/a", "one");
    it_votes_again(story, 1, 2);
}
STORY_FINDS(a_record_that_rots_in_the_middle_of_a_log_is_fetched_and_the_history_never_gets_shorter,
            MUTANT_ZERO_IS_EOF, NODE_RIGHT)

/* The leader stands still before it counts what server 1 has synced and acknowledged. A quorum had it. */
STORY(an_acknowledgement_counts_though_the_disk_of_its_sender_rots_before_it_is_read, .voters = 3)
{
    begin_with_a_log(story);
    story_crash(story, 2, SIM_LOSE_ALL);
    story_connect(story, 2, 3);
    story_write(story, 2, "/a", "two");
    (void)story_ask(story, 2, OP_SET_DATA, "/a", "three");
    story_until(story, 1, " ACK ");
    int64_t zxid = story_durable_zxid(story, 1);
    story_check(story, story_committed_zxid(story) < zxid, "it is not counted yet");
    story_pause(story, 3, 600);
    story_run(story, 10); /* now it is there, and not read */
    story_cut(story, 1, 3);
    story_crash(story, 1, SIM_LOSE_ALL);
    story_rot(story, 1, "log.", 400);
    story_start(story, 1);
    it_is_in_quarantine(story, 1);
    story_run(story, 800);
    story_check(story, story_committed_zxid(story) == zxid, "it is committed");
    story_heal(story);
}

STORY(zookeeper_2325_logs_without_a_snapshot_are_no_data, .voters = 3)
{
    tell_begin(story);
    story_crash(story, 1, SIM_LOSE_ALL);
    story_remove_files(story, 1, "snapshot.");
    story_start(story, 1);
    story_check(story, story_said(story, 1, "There is no snapshot"), "it says what is missing");
    it_is_in_quarantine(story, 1);
    it_votes_again(story, 1, 2);
}

STORY(epochs_without_data_are_lost_data, .voters = 3)
{
    tell_begin(story);
    story_crash(story, 1, SIM_LOSE_ALL);
    story_remove_files(story, 1, "snapshot.");
    story_remove_files(story, 1, "log.");
    story_start(story, 1);
    story_check(story, story_said(story, 1, "it is missing"), "it says what is missing");
    it_is_in_quarantine(story, 1);
    it_votes_again(story, 1, 2);
}

/* It may have promised itself to a leader that still waits for others. */
STORY(a_server_that_forgot_its_promise_waits_until_nobody_counts_on_it, .voters = 3)
{
    tell_begin(story);
    story_crash(story, 1, SIM_LOSE_ALL);
    story_remove_files(story, 1, "acceptedEpoch");
    story_remove_files(story, 1, "snapshot.");
    story_start(story, 1);
    it_is_in_quarantine(story, 1);
    size_t votes = story_count(story, 1, "votes for");
    story_run(story, 900);
    story_check(story, story_count(story, 1, "votes for") == votes, "it is quiet");
    it_votes_again(story, 1, 2);
}

STORY(a_server_that_lost_its_data_elects_nobody_with_a_server_that_lacks_it, .voters = 3)
{
    write_without_server_1(story);
    story_rot(story, 2, "log.", 400);
    story_start(story, 1);
    story_start(story, 2);
    nobody_is_elected(story);
    story_start(story, 3);
    story_until_serves(story, 2);
    story_connect(story, 2, 2);
    story_read(story, 2, "/a", "two");
    it_votes_again(story, 2, 1);
}
STORY_FINDS(a_server_that_lost_its_data_elects_nobody_with_a_server_that_lacks_it,
            MUTANT_QUARANTINE_VOTES, NODE_RIGHT)

STORY(when_two_of_three_have_lost_their_data_nobody_serves_what_is_left, .voters = 3)
{
    write_without_server_1(story);
    story_rot(story, 2, "log.", 400);
    story_remove_files(story, 3, "snapshot.");
    story_start_all(story);
    nobody_is_elected(story);
    story_check(story, story_in_quarantine(story, 2) && story_in_quarantine(story, 3),
                "both stay in quarantine");
}
STORY_FINDS(when_two_of_three_have_lost_their_data_nobody_serves_what_is_left,
            MUTANT_QUARANTINE_VOTES, NODE_RIGHT)

STORY(a_crash_does_not_end_a_quarantine, .voters = 3)
{
    write_without_server_1(story);
    story_rot(story, 2, "log.", 400);
    story_start(story, 2);
    story_run(story, 500);
    story_start(story, 1);
    for (int loss = SIM_LOSE_SOME; loss <= SIM_LOSE_NOTHING; loss++) {
        story_crash(story, 2, (enum sim_disk_loss)loss);
        story_start(story, 2);
        it_is_in_quarantine(story, 2);
        nobody_is_elected(story);
    }
    story_heal(story);
}
STORY_FINDS(a_crash_does_not_end_a_quarantine, MUTANT_QUARANTINE_IN_MEMORY, NODE_RIGHT)

STORY(the_power_may_fail_at_any_step_of_a_repair, .voters = 3)
{
    int crashes = 0;

    tell_begin(story);
    for (uint64_t change = 1; change <= 60 && !story_failed(story); change++) {
        story_write(story, 1, "/a", "one");
        story_crash(story, 1, SIM_LOSE_SOME);
        story_remove_files(story, 1, "snapshot.");
        story_crash_at_change(story, 1, change);
        story_start(story, 1);
        story_run(story, 400);
        crashes += !story_is_up(story, 1);
        story_crash_at_change(story, 1, 0);
        story_start(story, 1);
        story_until_serves(story, 1);
    }
    story_check(story, crashes > 20, "it crashed at many steps");
    story_heal(story);
}

STORY(a_leader_does_not_count_a_server_in_quarantine, .voters = 3)
{
    begin_with_a_log(story);
    story_crash(story, 2, SIM_LOSE_ALL);
    story_rot(story, 2, "log.", 400);
    story_start(story, 2);
    story_until(story, 2, "OBSERVERINFO");
    story_hold_disk(story, 2); /* it is not repaired */
    story_crash(story, 1, SIM_LOSE_ALL);
    int32_t xid = story_ask(story, 1, OP_SET_DATA, "/a", "two");
    nobody_is_elected(story);
    story_check(story, !story_answer(story, 1, xid).came, "nothing was answered");
    it_is_in_quarantine(story, 2);
    story_heal(story);
}

STORY(an_observer_that_lost_its_data_fetches_it, .voters = 3, .observers = 1)
{
    begin_with_a_log(story);
    story_crash(story, 4, SIM_LOSE_ALL);
    story_rot(story, 4, "log.", 400);
    story_start(story, 4);
    it_is_in_quarantine(story, 4);
    story_until_serves(story, 4);
    story_connect(story, 2, 4);
    story_read(story, 2, "/a", "one");
    story_heal(story);
}

STORY(two_of_five_are_repaired_while_clients_write, .voters = 5, .speakers = 3)
{
    tell_begin(story);
    story_run(story, 500);
    for (int server = 1; server <= 2; server++) {
        story_crash(story, server, SIM_LOSE_SOME);
        story_remove_files(story, server, "snapshot.");
        story_start(story, server);
        it_is_in_quarantine(story, server);
    }
    story_until_serves(story, 1);
    story_until_serves(story, 2);
    story_heal(story);
}

STORY(an_ensemble_of_one_has_nobody_who_could_repair_it, .voters = 1)
{
    begin_with_a_log(story);
    story_crash(story, 1, SIM_LOSE_ALL);
    story_rot(story, 1, "log.", 400);
    story_refuses(story, 1, "so this server does not start");
}
