/* Stories of servers without a quorum that let clients read, and of how they come back to one. In an ensemble
 * of three, server 3 leads first; server 1 is the one that is left alone. */
#include "sim/story.h"
#include "test/lib/tell.h"
#include "wire/zk.h"

enum { ALONE_MS = 5000 }; /* it is read-only then, and dials the others only once a second */

static void leave_alone(struct story *story, enum sim_disk_loss loss)
{
    story_crash(story, 2, loss);
    story_crash(story, 3, loss);
    story_run(story, ALONE_MS);
    story_check(story, story_is_read_only(story, 1), "it is read-only");
}

/* Server 1 hears 2 first, and takes 3 for dead, as it was a moment ago: it follows 2, which finds 3. */
STORY(who_follows_a_server_that_finds_a_better_one_looks_again_at_once, .voters = 3,
      .read_only = true)
{
    tell_begin(story);
    leave_alone(story, SIM_LOSE_NOTHING);
    story_cut(story, 2, 3);
    story_start(story, 2);
    story_until(story, 1, "LOOKING votes for 2");
    story_run(story, 1);
    story_check(story, !story_is_read_only(story, 1), "it has elected server 2");
    story_join(story, 2, 3);
    story_start(story, 3);
    story_run(story, 50);
    story_check(story, story_serves(story, 1) && story_leader(story) == 3,
                "all three serve as soon as there is a leader");
    story_heal(story);
}

static void connect_reader(struct story *story, int client, int server)
{
    story_may_be_read_only(story, client);
    story_connect(story, client, server);
    story_check(story, story_reads_only(story, client), "its server says that it is read-only");
}

static void must_refuse(struct story *story, int client, int32_t xid)
{
    story_check(story, story_await(story, client, xid).err == ZK_NOT_READ_ONLY,
                "a read-only server refuses it");
}

STORY(a_server_that_is_alone_lets_read_and_refuses_to_write, .voters = 3, .read_only = true,
      .local_sessions = true)
{
    tell_begin(story);
    leave_alone(story, SIM_LOSE_SOME);
    connect_reader(story, 2, 1);
    story_read(story, 2, "/a", "zero");
    must_refuse(story, 2, story_ask(story, 2, OP_SET_DATA, "/a", "lost"));
    must_refuse(story, 2, story_ask_create(story, 2, "/lost", MODE_PERSISTENT));
    must_refuse(story, 2, story_ask_failing_multi(story, 2, "/lost"));
    must_refuse(story, 2, story_ask(story, 2, OP_SYNC, "/", NULL));
    story_read(story, 2, "/a", "zero");
    story_ask_reconnect(story, 3, 1); /* it wants to write */
    story_run(story, 1000);
    story_check(story, !story_is_connected(story, 3), "who wants to write is not let in");
    story_start_all(story);
    story_settle(story);
    story_check(story, !story_is_connected(story, 2), "who read there was closed");
    story_connect(story, 2, 1);
    story_check(story, !story_reads_only(story, 2), "now it may write");
    (void)story_write(story, 2, "/a", "one");
    story_heal(story);
}
STORY_FINDS(a_server_that_is_alone_lets_read_and_refuses_to_write, MUTANT_READ_ONLY_SAYS_YES,
            NODE_RIGHT)

STORY(a_session_of_a_read_only_server_ends_there_and_is_known_to_nobody_else, .voters = 3,
      .read_only = true, .local_sessions = true)
{
    tell_begin(story);
    leave_alone(story, SIM_LOSE_NOTHING);
    connect_reader(story, 2, 1);
    int64_t zxid = story_durable_zxid(story, 1);
    story_check(story, story_reconnect(story, 2, 1), "it comes back to that server");
    story_read(story, 2, "/a", "zero");
    story_keep_silent(story, 2);
    story_run(story, 2 * STORY_TIMEOUT_MS);
    story_check(story, !story_is_connected(story, 2), "it ends like any other one");
    story_check(story, story_durable_zxid(story, 1) == zxid, "and nothing is logged");
    story_start_all(story);
    story_settle(story);
    story_check(story, !story_reconnect(story, 2, 2), "the others do not know it");
    story_heal(story);
}

STORY(a_library_leaves_a_read_only_server_for_the_quorum_with_a_fresh_session, .voters = 3,
      .read_only = true, .local_sessions = true)
{
    enum { ONE_AND_TWO = 3 };

    tell_begin(story);
    leave_alone(story, SIM_LOSE_NOTHING);
    story_library_begin_read_only(story, ONE_AND_TWO, STORY_TIMEOUT_MS);
    story_library_until_at(story, 1);
    int64_t session = story_library_session(story);
    story_check(story, story_library_reads_only(story), "it may read there");
    story_check(story, story_library_await(story, story_library_watch(story, "/a")) == ZK_OK,
                "and set a watch");
    story_check(story,
                story_library_await(story, story_library_set(story, "/a", "x")) == ZK_NOT_READ_ONLY,
                "but not write");
    story_cut(story, 1, 2); /* this one stays alone */
    story_cut(story, 1, 3);
    story_start(story, 2);
    story_start(story, 3);
    story_until_leads(story, 3);
    story_connect(story, 1, 3);
    (void)story_write(story, 1, "/a", "missed");
    story_library_until_at(story, 2);
    story_check(story, story_is_read_only(story, 1), "it went by itself");
    story_check(story, !story_library_reads_only(story) && story_library_session(story) != session,
                "the quorum has given it a session of its own");
    story_run(story, 50);
    story_check(story, story_library_events(story) == 1, "it is told of what it missed");
    story_check(story, story_library_await(story, story_library_set(story, "/a", "two")) == ZK_OK,
                "and it writes");
    story_heal(story);
}

STORY(sessions_of_the_quorum_are_neither_served_nor_ended_by_a_server_that_is_alone, .voters = 3,
      .read_only = true)
{
    tell_begin(story);
    story_may_be_read_only(story, 2);
    story_connect(story, 2, 1);
    (void)story_create(story, 2, "/mine", MODE_EPHEMERAL);
    story_isolate(story, 1);
    story_until(story, 1, "it is read-only");
    story_ask_reconnect(story, 2, 1);
    story_run(story, 100);
    story_check(story, !story_is_connected(story, 2), "it is not served there");
    story_check(story, story_reconnect(story, 2, 2), "it lives on where the quorum is");
    story_read(story, 2, "/mine", "");
    story_disconnect(story, 2);
    story_run(story, 20000);
    story_check(story, story_is_expired(story, 2), "there it ends in its time");
    story_check(story, story_is_read_only(story, 1) && story_has_node(story, 1, "/mine"),
                "who is alone ends nothing");
    story_rejoin(story, 1);
    story_until_serves(story, 1);
    story_run(story, 100);
    story_check(story, !story_has_node(story, 1, "/mine"), "but learns of it");
    story_heal(story);
}

STORY(what_a_read_only_server_showed_and_nobody_agreed_to_is_gone_when_it_is_back, .voters = 3,
      .read_only = true, .local_sessions = true)
{
    tell_begin(story);
    tell_tail(story, 3, 3);
    story_run(story, ALONE_MS);
    story_check(story, story_is_read_only(story, 3), "it is read-only");
    connect_reader(story, 2, 3);
    story_read(story, 2, "/tail", ""); /* its log is all that it knows */
    story_read(story, 2, "/a", "never");
    story_connect(story, 1, 2);
    (void)story_write(story, 1, "/a", "one");
    story_rejoin(story, 3);
    story_until_serves(story, 3);
    story_check(story, story_said(story, 2, " TRUNC "), "it was cut back");
    story_check(story, !story_has_node(story, 3, "/tail"), "the tail is gone");
    story_check(story, !story_is_connected(story, 2), "who saw it was closed");
    story_connect(story, 2, 3);
    story_sync(story, 2);
    story_read(story, 2, "/a", "one");
    story_heal(story);
}

STORY(a_tail_that_was_read_comes_to_be_agreed_upon_when_its_server_leads_again, .voters = 3,
      .read_only = true, .local_sessions = true)
{
    tell_begin(story);
    story_crash(story, 1, SIM_LOSE_NOTHING);
    story_crash(story, 2, SIM_LOSE_NOTHING);
    int32_t xid = story_ask(story, 1, OP_SET_DATA, "/a", "one");
    story_run(story, ALONE_MS);
    story_check(story, !story_answer(story, 1, xid).came, "nobody was told that it is written");
    connect_reader(story, 2, 3);
    story_read(story, 2, "/a", "one");
    story_start_all(story);
    story_settle(story);
    story_check(story, story_leader(story) == 3, "it has the longest log");
    story_connect(story, 2, 3);
    story_read(story, 2, "/a", "one");
    story_heal(story);
}

STORY(a_server_that_dies_while_it_is_read_only_is_read_only_again_with_the_same, .voters = 3,
      .read_only = true, .local_sessions = true, .snap_count = 10)
{
    tell_begin(story);
    for (int i = 0; i < 25; i++)
        (void)story_write(story, 1, "/a", "more");
    leave_alone(story, SIM_LOSE_SOME);
    int64_t zxid = story_durable_zxid(story, 1);
    for (int loss = 0; loss < 3; loss++) {
        connect_reader(story, 2, 1);
        story_read(story, 2, "/a", "more");
        story_crash(story, 1, (enum sim_disk_loss)loss);
        story_start(story, 1);
        story_run(story, ALONE_MS);
        story_check(story, story_is_read_only(story, 1), "it is read-only again");
        story_check(story, story_applied_zxid(story, 1) == zxid, "and shows the same");
    }
    story_start_all(story);
    story_settle(story);
    story_heal(story);
}

STORY(each_of_two_servers_lets_read_while_the_other_one_is_gone, .voters = 2, .read_only = true,
      .local_sessions = true)
{
    tell_begin(story);
    for (int alone = 1; alone <= 2; alone++) {
        int other = 3 - alone;
        story_crash(story, other, SIM_LOSE_SOME);
        story_run(story, ALONE_MS);
        story_check(story, story_is_read_only(story, alone), "it is read-only");
        connect_reader(story, 2, alone);
        story_read(story, 2, "/a", "zero");
        story_start(story, other);
        story_run(story, 1500);
        story_check(story, story_serves(story, alone) && story_serves(story, other),
                    "both serve soon");
        story_connect(story, 1, other);
        (void)story_write(story, 1, "/a", "zero");
        story_run(story, 50);
    }
    story_heal(story);
}

STORY(two_servers_that_cannot_see_each_other_let_both_read_and_none_write, .voters = 2,
      .read_only = true, .local_sessions = true)
{
    tell_begin(story);
    story_cut(story, 1, 2);
    story_run(story, ALONE_MS);
    for (int server = 1; server <= 2; server++) {
        story_check(story, story_is_read_only(story, server), "it is read-only");
        connect_reader(story, 1 + server, server);
        must_refuse(story, 1 + server, story_ask(story, 1 + server, OP_SET_DATA, "/a", "x"));
        story_read(story, 1 + server, "/a", "zero");
    }
    story_join(story, 1, 2);
    story_run(story, 3000);
    story_check(story, story_serves(story, 1) && story_serves(story, 2), "both serve");
    story_heal(story);
}

STORY(an_observer_that_is_cut_off_lets_read, .voters = 3, .observers = 1, .read_only = true,
      .local_sessions = true)
{
    tell_begin(story);
    story_isolate(story, 4);
    story_run(story, 2 * ALONE_MS);
    story_check(story, story_is_read_only(story, 4), "it is read-only");
    connect_reader(story, 2, 4);
    story_read(story, 2, "/a", "zero");
    (void)story_write(story, 1, "/a", "one");
    story_rejoin(story, 4);
    story_until_serves(story, 4);
    story_connect(story, 2, 4);
    story_read(story, 2, "/a", "one");
    story_heal(story);
}

STORY(a_server_in_quarantine_lets_nobody_read, .voters = 3, .read_only = true,
      .local_sessions = true)
{
    tell_begin(story);
    for (int i = 0; i < 10; i++)
        (void)story_write(story, 1, "/a", "one");
    leave_alone(story, SIM_LOSE_NOTHING);
    story_crash(story, 1, SIM_LOSE_NOTHING);
    story_rot(story, 1, "log.", 400);
    story_start(story, 1);
    story_check(story, story_in_quarantine(story, 1), "it has lost something");
    story_run(story, 2 * ALONE_MS);
    story_check(story, !story_is_read_only(story, 1), "and shows nothing");
    story_heal(story);
}
