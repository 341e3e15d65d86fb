/* Stories of broadcast: proposals, acknowledgements, commits, syncs. In an ensemble of three, server 3 leads
 * first. */
#include "sim/story.h"
#include "test/lib/tell.h"
#include "wire/zk.h"

STORY(a_COMMIT_and_a_SYNC_before_the_local_sync_wait_for_it, .voters = 3)
{
    tell_begin(story);
    story_connect(story, 2, 1);
    story_hold_disk(story, 1);
    story_write(story, 1, "/a", "one"); /* servers 2 and 3 are enough */
    int32_t sync = story_ask(story, 2, OP_SYNC, "/", NULL);
    int32_t read = story_ask(story, 2, OP_GET_DATA, "/a", NULL);
    story_run(story, 300);
    story_check(story, story_count(story, 3, " SYNC ") == 1, "the leader has answered");
    story_check(story, !story_answer(story, 2, sync).came, "the sync waits for the disk");
    story_check(story, !story_answer(story, 2, read).came, "and so does what stands behind it");
    story_free_disk(story, 1);
    story_await(story, 2, sync);
    story_read(story, 2, "/a", "one");
    story_heal(story);
}
STORY_FINDS(a_COMMIT_and_a_SYNC_before_the_local_sync_wait_for_it, MUTANT_SYNC_LOCAL, NODE_RIGHT)
STORY_FINDS(a_COMMIT_and_a_SYNC_before_the_local_sync_wait_for_it, MUTANT_APPLY_BEFORE_DURABLE,
            NODE_RIGHT)

STORY(zookeeper_1675_2136_a_deposed_leader_answers_no_sync, .voters = 3)
{
    tell_begin(story);
    story_connect(story, 2, 3);
    story_isolate(story, 3);
    story_run(story, 100);
    int32_t sync = story_ask(story, 2, OP_SYNC, "/", NULL);
    story_until_leads(story, 2);
    story_connect(story, 3, 2);
    story_write(story, 3, "/a", "one");
    story_run(story, 1500);
    story_check(story, !story_answer(story, 2, sync).came, "the old leader is silent");
    story_check(story, !story_serves(story, 3), "and leads no more");
    story_heal(story);
}
STORY_FINDS(zookeeper_1675_2136_a_deposed_leader_answers_no_sync, MUTANT_SYNC_LOCAL, NODE_RIGHT)

STORY(the_old_transaction_of_a_resumed_session_answers_no_new_request_with_its_xid, .voters = 3)
{
    tell_begin(story);
    story_connect(story, 2, 1);
    story_hold_disk(story, 2);
    int64_t old = story_write(story, 2, "/a", "old"); /* its first xid */
    story_disconnect(story, 2);
    story_restart_xids(story, 2);
    story_reconnect(story, 2, 2); /* where the old one is not applied yet */
    int32_t xid = story_ask(story, 2, OP_SET_DATA, "/a", "new");
    story_run(story, 100);
    story_free_disk(story, 2);
    struct story_answer answer = story_await(story, 2, xid);
    story_check(story, answer.zxid > old, "it is answered by its own transaction");
    story_read(story, 2, "/a", "new");
    story_heal(story);
}
STORY_FINDS(the_old_transaction_of_a_resumed_session_answers_no_new_request_with_its_xid,
            MUTANT_MATCH_BY_XID, NODE_RIGHT)

STORY(zookeeper_2247_1109_a_leader_whose_disk_is_full_gives_up_and_comes_back_when_there_is_space,
      .voters = 3)
{
    tell_begin(story);
    char big[300] = {0};

    memset(big, 'x', sizeof(big) - 1); /* more than the space that is left in the file */
    story_fill_disk(story, 3, 0);
    for (int i = 0; i < 400; i++)
        (void)story_ask(story, 1, OP_SET_DATA, "/a", big);
    story_until_leads(story, 2);
    story_connect(story, 2, 1);
    story_write(story, 2, "/a", "one");
    story_free_disk(story, 3);
    story_until_serves(story, 3);
    story_heal(story);
}
STORY_FINDS(
    zookeeper_2247_1109_a_leader_whose_disk_is_full_gives_up_and_comes_back_when_there_is_space,
    MUTANT_FULL_LEADER_STAYS, NODE_RIGHT)

STORY(a_leader_whose_disk_stands_still_gives_up_although_it_answers_pings, .voters = 3)
{
    tell_begin(story);
    story_hold_disk(story, 3);
    (void)story_ask(story, 1, OP_SET_DATA, "/a", "one");
    story_until_leads(story, 2);
    story_check(story, !story_serves(story, 3), "it has given up");
    story_connect(story, 2, 1);
    story_write(story, 2, "/a", "two");
    story_heal(story);
}
STORY_FINDS(a_leader_whose_disk_stands_still_gives_up_although_it_answers_pings,
            MUTANT_FULL_LEADER_STAYS, NODE_RIGHT)

STORY(ACKs_behind_a_flood_of_REQUESTs_are_read, .voters = 3)
{
    tell_begin(story);
    story_crash(story, 2, SIM_LOSE_ALL); /* server 1 is needed for every commit */
    for (int client = 2; client <= 4; client++)
        story_connect(story, client, 1);
    int32_t last[5] = {0};
    for (int i = 0; i < 450; i++) {
        for (int client = 2; client <= 4; client++)
            last[client] = story_ask(story, client, OP_SET_DATA, "/a", "flood");
    }
    size_t closed = story_count(story, 3, "it closes");
    story_write(story, 1, "/a", "of the leader's own client");
    for (int client = 2; client <= 4; client++)
        story_await(story, client, last[client]);
    story_check(story, story_count(story, 3, "it closes") == closed, "nobody was dropped");
    story_heal(story);
}

STORY(a_slow_disk_of_a_follower_delays_no_commit, .voters = 3)
{
    tell_begin(story);
    story_hold_disk(story, 1);
    for (int i = 0; i < 10; i++)
        story_write(story, 1, "/a", "one");
    story_check(story, story_durable_zxid(story, 1) < story_committed_zxid(story), "without it");
    story_heal(story);
}

STORY(who_takes_nothing_is_dropped_within_syncLimit_and_nothing_more_waits_for_it, .voters = 3,
      .observers = 1)
{
    tell_begin(story);
    story_pause(story, 1, 5000);
    story_pause(story, 4, 5000);
    story_write(story, 1, "/a", "one");
    story_run(story, 1500); /* syncLimit is 1 s */
    story_check(story, story_count(story, 3, "it was silent for longer than the limit") == 2,
                "both are gone");
    size_t proposals = story_count(story, 3, " PROPOSAL ");
    size_t informs = story_count(story, 3, " INFORM ");
    for (int i = 0; i < 10; i++)
        story_write(story, 1, "/a", "two");
    story_check(story, story_count(story, 3, " PROPOSAL ") == proposals + 10, "of one follower");
    story_check(story, story_count(story, 3, " INFORM ") == informs, "of no observer");
    story_check(story, story_leader(story) == 3, "the leader stays");
    story_heal(story);
}

STORY(zookeeper_1863_answers_of_a_session_come_in_the_order_of_its_requests_at_a_follower,
      .voters = 3)
{
    tell_begin(story);
    story_connect(story, 2, 1);
    int32_t last = 0;
    for (int i = 0; i < 60; i++) {
        (void)story_ask(story, 2, OP_SET_DATA, "/a", "one");
        (void)story_ask(story, 2, OP_GET_DATA, "/a", NULL);
        (void)story_ask(story, 2, OP_DELETE, "/not-there", NULL);
        last = story_ask(story, 2, i % 2 == 0 ? OP_SYNC : OP_EXISTS, "/a", NULL);
    }
    story_await(story, 2, last); /* the client checks the order */
    story_heal(story);
}

STORY(zookeeper_2623_a_check_outside_a_multi_makes_no_transaction_that_others_cannot_read,
      .voters = 3)
{
    tell_begin(story);
    story_connect(story, 2, 1);
    struct story_answer answer = story_await(story, 2, story_ask(story, 2, OP_CHECK, "/a", NULL));
    story_check(story, answer.err != ZK_OK, "it is refused");
    story_power_off(story, SIM_LOSE_NOTHING);
    story_heal(story);
}

STORY(zookeeper_769_an_observer_replaces_no_voter, .voters = 3, .observers = 2)
{
    tell_begin(story);
    story_crash(story, 1, SIM_LOSE_ALL);
    story_crash(story, 2, SIM_LOSE_ALL);
    int32_t xid = story_ask(story, 1, OP_SET_DATA, "/a", "never");
    story_run(story, 3000);
    story_check(story, !story_answer(story, 1, xid).came, "it is not answered");
    story_check(story, story_leader(story) == 0, "nobody leads");
    story_heal(story);
}
STORY_FINDS(zookeeper_769_an_observer_replaces_no_voter, MUTANT_OBSERVER_COUNTS, NODE_RIGHT)

STORY(zookeeper_1551_1552_an_observer_that_joins_under_load_misses_nothing, .voters = 3,
      .observers = 1, .speakers = 3)
{
    tell_begin(story);
    for (int round = 0; round < 5; round++) {
        story_crash(story, 4, SIM_LOSE_SOME);
        story_run(story, 300);
        story_start(story, 4);
        story_until_serves(story, 4);
        story_connect(story, 2, 4);
        story_sync(story, 2);
    }
    story_connect(story, 3, 4);
    story_write(story, 3, "/a", "through the observer");
    story_check(story, story_count(story, 4, " ACK ") == story_count(story, 4, " ACK 100000000"),
                "it acknowledges no proposal");
}

STORY(a_commit_reaches_all_in_the_order_of_zxids, .voters = 5)
{
    tell_begin(story);
    story_connect(story, 2, 1);
    int32_t last = 0;
    for (int i = 0; i < 100; i++) {
        (void)story_ask(story, 1, OP_SET_DATA, "/a", "one");
        last = story_ask(story, 2, OP_SET_DATA, "/a", "two");
    }
    story_await(story, 2, last);
    story_heal(story);
}
STORY_FINDS(a_commit_reaches_all_in_the_order_of_zxids, MUTANT_COMMIT_OUT_OF_ORDER, NODE_RIGHT)

STORY(zookeeper_1277_when_the_zxids_of_an_epoch_are_used_up_a_new_one_begins_and_nothing_is_lost,
      .voters = 3, .mutant = MUTANT_LATE_COUNTERS)
{
    story_settle(story);
    for (int epoch = 1; epoch <= 3 && !story_failed(story); epoch++) {
        int leader = story_leader(story);
        story_connect(story, 1, leader);
        (void)story_ask_create(story, 1, "/a", MODE_PERSISTENT);
        for (int i = 0; i < 60; i++)
            (void)story_ask(story, 1, OP_SET_DATA, "/a", "one");
        story_until(story, 0, " serves, zxid=");
        story_settle(story);
    }
    story_check(story, story_count(story, 0, "LEADING of epoch") >= 4, "epochs ended");
    story_heal(story);
}
STORY_FINDS(
    zookeeper_1277_when_the_zxids_of_an_epoch_are_used_up_a_new_one_begins_and_nothing_is_lost,
    MUTANT_ROLLOVER_WRAP, NODE_RIGHT)
