/* Stories of observers that write no log while they serve (syncEnabled=false): server 4 of an ensemble whose
 * servers 1 to 3 vote. */
#include "replica/txn/txn.h"
#include "sim/story.h"
#include "test/lib/tell.h"
#include "wire/zk.h"

static bool has_log(const struct story *story)
{
    return story_has_file(story, 4, "log.");
}

STORY(an_observer_without_a_log_serves_writes_nothing_and_comes_back_with_everything, .voters = 3,
      .observers = 1, .unlogged_observers = true, .snap_count = 4)
{
    tell_begin(story);
    int64_t on_disk = story_durable_zxid(story, 4);
    story_connect(story, 2, 4);
    for (int i = 0; i < 20; i++)
        story_write(story, 2, "/a", "through the observer");
    story_check(story, story_applied_zxid(story, 4) == story_committed_zxid(story),
                "it has everything in memory");
    story_check(story, !has_log(story) && story_durable_zxid(story, 4) == on_disk,
                "and nothing of it on its disk");
    story_crash(story, 4, SIM_LOSE_NOTHING);
    story_start(story, 4);
    story_check(story, story_applied_zxid(story, 4) == on_disk, "it begins with what is there");
    story_until_serves(story, 4);
    story_check(story, story_reconnect(story, 2, 4), "the session lives on");
    story_sync(story, 2);
    story_read(story, 2, "/a", "through the observer");
    story_heal(story);
}

STORY(an_observer_without_a_log_goes_on_from_memory_when_its_leader_is_lost, .voters = 3,
      .observers = 1, .unlogged_observers = true)
{
    tell_begin(story);
    for (int i = 0; i < 5; i++)
        story_write(story, 1, "/a", "one");
    story_settle(story);
    int64_t before = story_applied_zxid(story, 4);
    story_crash(story, 3, SIM_LOSE_ALL);
    story_until(story, 4, "OBSERVING of epoch 2 serves");
    story_check(story, story_applied_zxid(story, 4) >= before, "it has not gone back");
    story_check(story, story_count(story, 4, " SNAP ") == 0, "and was not sent everything anew");
    story_check(story, !has_log(story), "its disk is as it was");
    story_heal(story);
}

/* Of a SNAP its files have the snapshot, and what the epoch began with. */
STORY(an_observer_without_a_log_keeps_the_snapshot_that_it_was_sent, .voters = 3, .observers = 1,
      .unlogged_observers = true, .history_bytes_max = 1)
{
    tell_begin(story);
    story_crash(story, 4, SIM_LOSE_NOTHING);
    for (int i = 0; i < 10; i++)
        story_write(story, 1, "/a", "one");
    int64_t sent = story_committed_zxid(story);
    story_start(story, 4);
    story_until_serves(story, 4);
    story_write(story, 1, "/a", "two");
    story_settle(story);
    story_check(story, story_durable_zxid(story, 4) == sent, "the snapshot is on its disk");
    story_crash(story, 4, SIM_LOSE_ALL);
    story_start(story, 4);
    story_check(story, story_applied_zxid(story, 4) == sent, "and it begins with that");
    story_heal(story);
}

static struct slice put_txn(struct buffer *out, int64_t counter, const char *path)
{
    struct txn txn = {
        .header = {.zxid = zxid_make(1, counter), .time_ms = 1000, .type = OP_CREATE},
        .op = {.type = OP_CREATE, .path = slice_text(path), .parent_cversion = (int32_t)counter}};

    out->size = 0;
    txn_write(out, &txn);
    return buffer_slice(out);
}

/* It has heard more than its files have, so they cannot be cut to what was agreed. (Server 3 is of another make:
 * it tells an observer of what is not committed.) */
STORY(an_observer_without_a_log_that_has_heard_too_much_is_sent_everything, .voters = 3,
      .observers = 1, .unlogged_observers = true, .guests = 1 << 2)
{
    struct buffer payload = {0};

    story_guest_lead(story, 3, &(struct story_guest_plan){.epoch = 1, .way = QUORUM_DIFF});
    story_until_serves(story, 4);
    story_guest_propose(story, 3, zxid_make(1, 1), put_txn(&payload, 1, "/agreed"));
    story_run(story, 20);
    story_guest_commit(story, 3, zxid_make(1, 1));
    story_guest_send(story, 3, 4, QUORUM_PROPOSAL, zxid_make(1, 2), put_txn(&payload, 2, "/lost"));
    buffer_deinit(&payload);
    story_run(story, 20);
    story_guest_keep_silent(story, 3);
    story_until(story, 4, "LOOKING votes for");
    story_check(story, story_has_node(story, 4, "/lost"), "it knows what nobody else does");
    story_until(story, 4, "OBSERVING of epoch 2 serves");
    story_check(story, story_said(story, 4, "truncate done: not found"), "it cannot take it back");
    story_check(story, story_has_node(story, 4, "/agreed"), "it has what was agreed");
    story_check(story, !story_has_node(story, 4, "/lost"), "and nothing else");
}

/* Its files do not have the history of this epoch: as a voter it must not say that they do. */
STORY(an_observer_without_a_log_tells_of_no_epoch_whose_history_its_files_do_not_have, .voters = 3,
      .observers = 1, .unlogged_observers = true)
{
    tell_begin(story);
    story_write(story, 1, "/a", "one");
    story_crash(story, 4, SIM_LOSE_NOTHING);
    story_start(story, 4);
    story_check(story, story_said(story, 4, "starts zxid=0 accepted=1 current=0"),
                "the epoch is promised, and its history is not there");
    story_heal(story);
}

STORY(a_voter_logs_all_that_it_acknowledges_whatever_observers_do, .voters = 3, .observers = 1,
      .unlogged_observers = true)
{
    tell_begin(story);
    story_write(story, 1, "/a", "one");
    story_heal(story);
}
STORY_FINDS(a_voter_logs_all_that_it_acknowledges_whatever_observers_do, MUTANT_VOTER_LOGS_NOTHING,
            NODE_RIGHT)
