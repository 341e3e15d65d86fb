/* Stories of two servers and an oracle: the one whose oracle says 1 goes on alone. Server 2 leads first. */
#include "sim/story.h"
#include "test/lib/tell.h"
#include "wire/zk.h"

enum { SOON_MS = 1500, LONG_MS = 6000 }; /* a tick and an election; initLimit and more */

/* Both have one, and it says no; client 1 is at server 2. */
static void begin(struct story *story)
{
    story_set_oracle(story, 1, false);
    story_set_oracle(story, 2, false);
    tell_begin(story);
}

/* The oracle of this server says so, and all have time to act on it. */
static void say(struct story *story, int server, bool grants)
{
    story_set_oracle(story, server, grants);
    story_run(story, SOON_MS);
}

STORY(of_two_servers_none_goes_on_alone_while_its_oracle_says_no, .voters = 2)
{
    for (int gone = 1; gone <= 2; gone++) {
        begin(story);
        story_crash(story, gone, SIM_LOSE_SOME);
        story_run(story, 2 * LONG_MS);
        story_check(story, story_leader(story) == 0, "nobody leads");
        story_start(story, gone);
        story_settle(story);
        (void)story_reconnect(story, 1, 2);
        (void)story_ask(story, 1, OP_DELETE, "/a", NULL);
        story_run(story, 100);
    }
    story_heal(story);
}

STORY(who_is_left_leads_alone_when_its_oracle_says_yes_and_is_followed_again, .voters = 2)
{
    begin(story);
    for (int alone = 2; alone >= 1; alone--) { /* the one that led, and the one that followed */
        int other = 3 - alone;
        story_crash(story, other, SIM_LOSE_SOME);
        story_run(story, SOON_MS);
        story_check(story, story_leader(story) == 0, "nobody leads");
        story_set_oracle(story, alone, true);
        story_until_leads(story, alone);
        story_connect(story, 1, alone);
        (void)story_write(story, 1, "/a", alone == 2 ? "two" : "one");
        story_start(story, other);
        story_run(story, SOON_MS);
        story_check(story, story_leader(story) == alone && story_serves(story, other),
                    "the other one follows it soon");
        story_connect(story, 2, other);
        story_read(story, 2, "/a", alone == 2 ? "two" : "one");
        say(story, alone, false);
        story_check(story, story_leader(story) == alone, "two need no oracle");
    }
    story_heal(story);
}

STORY(a_leader_whose_oracle_says_yes_goes_on_without_a_pause, .voters = 2)
{
    begin(story);
    say(story, 2, true);
    size_t elections = story_count(story, 2, "LEADING of epoch");
    story_crash(story, 1, SIM_LOSE_ALL);
    for (int i = 0; i < 20; i++) {
        (void)story_write(story, 1, "/a", "one");
        story_run(story, 200);
    }
    story_check(story, story_count(story, 2, "LEADING of epoch") == elections, "it leads on");
    story_start(story, 1);
    story_until_serves(story, 1);
    story_check(story, story_count(story, 2, "LEADING of epoch") == elections, "and then, too");
    story_heal(story);
}

STORY(what_waits_for_the_other_one_is_committed_when_the_oracle_says_yes, .voters = 2)
{
    begin(story);
    story_hold_disk(story, 1); /* it acknowledges nothing */
    int32_t xid = story_ask(story, 1, OP_SET_DATA, "/a", "one");
    story_run(story, 50);
    story_crash(story, 1, SIM_LOSE_ALL);
    story_run(story, 50);
    story_check(story, !story_answer(story, 1, xid).came, "one disk is not enough");
    say(story, 2, true);
    story_connect(story, 2, 2);
    story_read(story, 2, "/a", "one");
    story_free_disk(story, 1);
    story_heal(story);
}

STORY(who_leads_alone_stops_when_its_oracle_says_no, .voters = 2)
{
    begin(story);
    say(story, 2, true);
    story_crash(story, 1, SIM_LOSE_SOME);
    (void)story_write(story, 1, "/a", "one");
    say(story, 2, false);
    story_check(story, story_leader(story) == 0, "it leads no more");
    story_check(story, !story_is_connected(story, 1), "its clients are closed");
    story_start(story, 1);
    story_settle(story);
    story_check(story, story_leader(story) == 2, "it has what the other one lacks");
    (void)story_reconnect(story, 1, 1);
    story_read(story, 1, "/a", "one");
    story_heal(story);
}

STORY(who_leads_alone_and_dies_leads_alone_again_with_all_that_it_answered, .voters = 2)
{
    begin(story);
    say(story, 2, true);
    story_crash(story, 1, SIM_LOSE_SOME);
    for (int loss = 0; loss < 3; loss++) {
        (void)story_write(story, 1, "/a", loss == 0 ? "0" : loss == 1 ? "1" : "2");
        story_crash(story, 2, (enum sim_disk_loss)loss);
        story_start(story, 2);
        story_until_leads(story, 2);
        story_check(story, story_reconnect(story, 1, 2), "the session is known");
        story_read(story, 1, "/a", loss == 0 ? "0" : loss == 1 ? "1" : "2");
    }
    story_heal(story);
}

STORY(a_lost_leader_with_a_tail_comes_back_to_the_one_that_went_on_alone, .voters = 2)
{
    begin(story);
    tell_tail(story, 2, 3);
    story_set_oracle(story, 1, true);
    story_until_leads(story, 1);
    story_connect(story, 2, 1);
    (void)story_write(story, 2, "/a", "one");
    story_check(story, !story_serves(story, 2), "the other one serves nobody");
    story_rejoin(story, 2);
    story_run(story, SOON_MS);
    story_check(story, story_leader(story) == 1 && story_serves(story, 2), "it follows soon");
    story_check(story, !story_has_node(story, 2, "/tail"), "without its tail");
    story_check(story, story_said(story, 1, " TRUNC "), "which was cut");
    story_heal(story);
}

/* The same with a process that dies, at every step of its way back. */
STORY(a_server_that_leads_alone_keeps_its_writes_whenever_the_other_one_dies_on_its_way_back,
      .voters = 2)
{
    begin(story);
    say(story, 2, true);
    for (int n = 1; !story_failed(story); n++) {
        story_crash(story, 1, SIM_LOSE_SOME);
        (void)story_write(story, 1, "/a", "one");
        story_start(story, 1);
        if (!story_until_line(story, 1, n))
            break;
        story_crash(story, 1, SIM_LOSE_SOME);
        (void)story_write(story, 1, "/a", "two");
        story_run(story, 50);
        story_check(story, story_leader(story) == 2, "it leads on");
        story_start(story, 1);
        story_until_serves(story, 1);
    }
    story_heal(story);
}

/* ... and with an oracle that changes its mind at every step. */
STORY(an_oracle_that_says_no_at_any_step_of_the_other_one_s_way_back_loses_nothing, .voters = 2)
{
    begin(story);
    for (int n = 1; !story_failed(story); n++) {
        say(story, 2, true);
        story_crash(story, 1, SIM_LOSE_SOME);
        story_until_leads(story, 2);
        story_connect(story, 1, 2);
        (void)story_write(story, 1, "/a", "one");
        story_start(story, 1);
        bool more = story_until_line(story, 1, n);
        story_set_oracle(story, 2, false);
        story_settle(story);
        story_check(story, story_leader(story) == 2 && story_serves(story, 1), "both serve");
        story_connect(story, 2, 1);
        story_sync(story, 2);
        story_read(story, 2, "/a", "one");
        if (!more)
            break;
    }
    story_heal(story);
}

STORY(the_right_to_go_on_alone_is_handed_over_while_both_are_in_step, .voters = 2)
{
    begin(story);
    say(story, 2, true);
    story_crash(story, 1, SIM_LOSE_SOME);
    (void)story_write(story, 1, "/a", "alone");
    story_start(story, 1);
    story_until_serves(story, 1);
    (void)story_write(story, 1, "/a", "together");
    say(story, 2, false);
    story_set_oracle(story, 1, true);
    story_crash(story, 2, SIM_LOSE_ALL);
    story_until_leads(story, 1);
    story_connect(story, 2, 1);
    story_read(story, 2, "/a", "together");
    (void)story_write(story, 2, "/a", "the other one alone");
    story_start(story, 2);
    story_until_serves(story, 2);
    story_check(story, story_leader(story) == 1, "it follows");
    story_heal(story);
}

STORY(two_servers_that_cannot_see_each_other_go_on_where_the_oracle_says_yes, .voters = 2,
      .read_only = true, .local_sessions = true)
{
    begin(story);
    story_cut(story, 1, 2);
    story_set_oracle(story, 1, true);
    story_until_leads(story, 1);
    story_connect(story, 1, 1);
    (void)story_write(story, 1, "/a", "one");
    story_run(story, LONG_MS);
    story_check(story, story_is_read_only(story, 2), "the other one lets read");
    story_may_be_read_only(story, 2);
    story_connect(story, 2, 2);
    story_read(story, 2, "/a", "zero");
    story_join(story, 1, 2);
    story_run(story, SOON_MS);
    story_check(story, story_leader(story) == 1 && story_serves(story, 2), "then it follows");
    story_heal(story);
}

STORY(an_observer_is_no_company_and_follows_who_leads_alone, .voters = 2, .observers = 1)
{
    begin(story);
    story_crash(story, 1, SIM_LOSE_SOME);
    story_run(story, LONG_MS);
    story_check(story, story_leader(story) == 0, "an observer is no voter");
    story_set_oracle(story, 2, true);
    story_set_oracle(story, 3, false);
    story_until_leads(story, 2);
    story_connect(story, 1, 2);
    (void)story_write(story, 1, "/a", "one");
    story_run(story, LONG_MS);
    story_check(story, story_serves(story, 3), "it learns");
    story_connect(story, 2, 3);
    story_read(story, 2, "/a", "one");
    story_heal(story);
}

STORY(an_oracle_says_nothing_to_one_of_three, .voters = 3)
{
    for (int server = 1; server <= 3; server++)
        story_set_oracle(story, server, true);
    tell_begin(story);
    story_crash(story, 1, SIM_LOSE_SOME);
    story_crash(story, 2, SIM_LOSE_SOME);
    story_run(story, 2 * LONG_MS);
    story_check(story, story_leader(story) == 0, "nobody leads");
    story_heal(story);
}

/* What docs/operations.md forbids: both lead, in Java as here. The checker sees it. */
TEST(two_oracles_that_say_yes_at_a_time_make_two_leaders)
{
    struct story *story = story_open(&(struct story_options){.voters = 2});

    begin(story);
    story_cut(story, 1, 2);
    story_set_oracle(story, 1, true);
    story_set_oracle(story, 2, true);
    story_until(story, 1, "LEADING of epoch 2 serves");
    CHECK(!story_failed(story) && story_serves(story, 2));
    story_connect(story, 2, 1);
    (void)story_write(story, 2, "/a", "one");
    CHECK(!story_failed(story));
    (void)story_write(story, 1, "/a", "two");
    struct cluster_verdict verdict = story_close(story);
    CHECK(verdict.failed && strstr(verdict.problem, "which is not committed") != NULL);
}
