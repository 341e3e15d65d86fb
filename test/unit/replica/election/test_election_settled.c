/* One member of an election among servers that are settled already, or that may not vote. */
#include "replica/election/election.h"
#include "test/lib/ballot.h"
#include "test/lib/check.h"

enum { FINALIZE_MS = BALLOT_FINALIZE_MS, ZXID = BALLOT_ZXID, EPOCH = BALLOT_EPOCH };

/* --- settled servers --- */

static void settle(struct ballot *ballot, int64_t my_id, int64_t leader)
{
    ballot_begin(ballot, my_id, ballot_three_and_an_observer);
    ballot_hear(ballot, my_id == 1 ? 2 : 1, PEER_LOOKING, ballot_vote(leader, 1));
    ballot_pass(ballot, FINALIZE_MS);
    CHECK(ballot->effects.decided);
}

TEST(a_looking_peer_gets_the_final_vote_of_a_settled_server)
{
    struct ballot ballot;

    settle(&ballot, 3, 3);
    ballot_hear(&ballot, 2, PEER_LOOKING, ballot_vote(2, 9));
    ballot_check_sent(&ballot, 2, PEER_LEADING, ballot_vote(3, 1));
    CHECK_U64("sent", ballot.effects.send_count, 1);
    ballot_deinit(&ballot);
    settle(&ballot, 1, 3);
    ballot_hear(&ballot, 2, PEER_LOOKING, ballot_vote(2, 9));
    ballot_check_sent(&ballot, 2, PEER_FOLLOWING, ballot_vote(3, 1));
    ballot_deinit(&ballot);
}

/* Its log may take long to come to an end, on a full disk for ever. */
TEST(who_has_left_its_role_tells_nobody_that_it_leads_until_it_looks_again)
{
    struct ballot ballot;

    settle(&ballot, 3, 3);
    election_resign(ballot.election);
    CHECK(election_state(ballot.election) == PEER_LOOKING);
    ballot_hear(&ballot, 2, PEER_LOOKING, ballot_vote(2, 9));
    ballot_hear(&ballot, 1, PEER_LOOKING, ballot_vote(2, 9));
    ballot_pass(&ballot, 10 * FINALIZE_MS);
    ballot_check_silent(&ballot);
    ballot_start(&ballot, ZXID, EPOCH);
    ballot_check_looking(&ballot);
    CHECK(ballot.effects.send_count > 0);
    ballot_deinit(&ballot);
}

TEST(answers_carry_the_new_epoch_when_it_is_agreed_with_the_old_zxid_and_round)
{
    struct ballot ballot;

    settle(&ballot, 3, 3);
    election_set_epoch(ballot.election, EPOCH + 1);
    ballot_hear(&ballot, 2, PEER_LOOKING, ballot_vote(2, 9));
    ballot_check_sent(&ballot, 2, PEER_LEADING, (struct vote){3, ZXID, 1, EPOCH + 1});
    ballot_deinit(&ballot);
}

TEST(a_settled_server_answers_nobody_who_is_settled)
{
    struct ballot ballot;

    settle(&ballot, 3, 3);
    ballot_hear(&ballot, 2, PEER_FOLLOWING, ballot_vote(2, 9));
    ballot_check_silent(&ballot);
    ballot_hear(&ballot, 2, PEER_LEADING, ballot_vote(2, 9));
    ballot_check_silent(&ballot);
    ballot_hear(&ballot, 2, PEER_OBSERVING, ballot_vote(2, 9));
    ballot_check_silent(&ballot);
    ballot_hear(&ballot, 2, (enum peer_state)17, ballot_vote(2, 9));
    ballot_check_silent(&ballot);
    CHECK(!ballot.effects.decided);
    ballot_deinit(&ballot);
}

TEST(a_late_vote_that_agrees_is_not_answered_and_its_repetition_is)
{
    struct ballot ballot;

    settle(&ballot, 3, 3); /* with 1; 2 is waiting for better votes now */
    ballot_hear(&ballot, 2, PEER_LOOKING, ballot_vote(3, 1));
    ballot_check_silent(&ballot);
    ballot_hear(&ballot, 2, PEER_LOOKING, ballot_vote(3, 1)); /* it does not get on */
    ballot_check_sent(&ballot, 2, PEER_LEADING, ballot_vote(3, 1));
    ballot_deinit(&ballot);
}

TEST(who_was_still_looking_elsewhere_is_told_the_decision)
{
    struct ballot ballot;

    ballot_init(&ballot, 3, ballot_three_and_an_observer);
    ballot_set_link(&ballot, 1, ELECTION_LINK_OPEN);
    ballot_set_link(&ballot, 2, ELECTION_LINK_OPEN);
    ballot_set_link(&ballot, 4, ELECTION_LINK_OPEN);
    ballot_start(&ballot, ZXID, EPOCH);
    ballot_hear(&ballot, 2, PEER_LOOKING, ballot_vote(2, 1));
    ballot_hear(&ballot, 4, PEER_LOOKING, (struct vote){INT64_MIN, INT64_MIN, 1, INT64_MIN});
    ballot_check_sent(&ballot, 4, PEER_LOOKING, ballot_vote(3, 1));
    ballot_hear(&ballot, 1, PEER_LOOKING, ballot_vote(3, 1));
    ballot_pass(&ballot, FINALIZE_MS);
    ballot_check_decided(&ballot, PEER_LEADING, 3);
    CHECK(ballot_sent_to(&ballot, 1) == NULL); /* it agreed */
    ballot_check_sent(&ballot, 2, PEER_LEADING, ballot_vote(3, 1));
    ballot_check_sent(&ballot, 4, PEER_LEADING, ballot_vote(3, 1));
    ballot_deinit(&ballot);
}

TEST(a_voter_that_looks_again_is_seen)
{
    struct ballot ballot;

    settle(&ballot, 3, 3); /* with the vote of 1 */
    CHECK(!election_looks_again(ballot.election, 1));
    ballot_hear(&ballot, 1, PEER_LOOKING, ballot_vote(1, 2));
    CHECK(election_looks_again(ballot.election, 1));
    ballot_hear(&ballot, 1, PEER_FOLLOWING, ballot_vote(3, 2));
    CHECK(!election_looks_again(ballot.election, 1));
    CHECK(!election_looks_again(ballot.election, 2));
    ballot_deinit(&ballot);
}

TEST(a_leader_knows_which_of_those_that_look_again_have_elected_it)
{
    struct ballot ballot;

    settle(&ballot, 3, 3); /* with the vote of 1 */
    CHECK(!election_elector_looks_again(ballot.election, 1));
    ballot_hear(&ballot, 2, PEER_LOOKING, ballot_vote(2, 1));
    CHECK(election_looks_again(ballot.election, 2));
    CHECK(!election_elector_looks_again(ballot.election, 2));
    ballot_set_link(&ballot, 1, ELECTION_LINK_DOWN); /* it starts anew */
    ballot_set_link(&ballot, 1, ELECTION_LINK_OPEN);
    CHECK(!election_elector_looks_again(ballot.election, 1));
    ballot_hear(&ballot, 1, PEER_LOOKING, ballot_vote(1, 1));
    CHECK(election_elector_looks_again(ballot.election, 1));
    ballot_deinit(&ballot);
}

TEST(a_follower_sees_that_the_one_it_elected_has_found_a_better_one)
{
    static const struct {
        enum peer_state state;
        int64_t leader, round;
        bool turned_away;
    } rows[] = {{PEER_LOOKING, 3, 1, false},  /* it waits for better votes */
                {PEER_LOOKING, 2, 1, true},   /* and has one */
                {PEER_LOOKING, 3, 2, true},   /* it was elected, and gave up */
                {PEER_FOLLOWING, 2, 1, true}, /* it follows the better one */
                {PEER_LEADING, 3, 1, false}};
    struct ballot ballot;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        settle(&ballot, 1, 3); /* with the vote of 2 */
        ballot_set_link(&ballot, 3, ELECTION_LINK_OPEN);
        CHECK(!election_leader_turned_away(ballot.election));
        ballot_hear(&ballot, 2, PEER_LOOKING, ballot_vote(2, 2)); /* that is not the one */
        CHECK(!election_leader_turned_away(ballot.election));
        ballot_hear(&ballot, 3, rows[i].state, ballot_vote(rows[i].leader, rows[i].round));
        CHECK(election_leader_turned_away(ballot.election) == rows[i].turned_away);
        ballot_start(&ballot, ZXID, EPOCH);
        CHECK(!election_leader_turned_away(ballot.election));
        ballot_deinit(&ballot);
    }
}

TEST(a_follower_sees_that_the_one_it_elected_is_gone)
{
    struct ballot ballot;

    settle(&ballot, 1, 3);
    ballot_set_link(&ballot, 2, ELECTION_LINK_DOWN);
    CHECK(!election_leader_is_gone(ballot.election));
    ballot_set_link(&ballot, 3, ELECTION_LINK_DOWN);
    CHECK(election_leader_is_gone(ballot.election));
    ballot_set_link(&ballot, 3, ELECTION_LINK_UNKNOWN);
    CHECK(!election_leader_is_gone(ballot.election));
    ballot_deinit(&ballot);
    settle(&ballot, 3, 3); /* it leads itself */
    CHECK(!election_leader_is_gone(ballot.election));
    CHECK(!election_leader_turned_away(ballot.election));
    ballot_deinit(&ballot);
}

/* --- two voters and an oracle --- */

static const char two[] = "server.1=h1:1:11\nserver.2=h2:1:12";

static void ask(struct ballot *ballot, enum oracle oracle)
{
    ballot_forget(ballot);
    election_set_oracle(ballot->election, oracle, ballot->now_ms, &ballot->effects);
}

static void begin_with(struct ballot *ballot, enum oracle oracle, int64_t my_id, const char *text)
{
    ballot_init(ballot, my_id, text);
    ask(ballot, oracle);
    ballot_start(ballot, ZXID, EPOCH);
}

TEST(of_two_voters_one_elects_itself_when_the_other_is_silent_and_the_oracle_grants_it)
{
    struct ballot ballot;

    begin_with(&ballot, ORACLE_GRANTS, 1, two);
    ballot_pass(&ballot, FINALIZE_MS - 1);
    ballot_check_looking(&ballot); /* the other one may be about to speak */
    ballot_pass(&ballot, 1);
    ballot_pass(&ballot, FINALIZE_MS);
    ballot_check_decided(&ballot, PEER_LEADING, 1);
    ballot_deinit(&ballot);
}

TEST(an_oracle_that_refuses_leaves_both_voters_needed_until_it_grants)
{
    struct ballot ballot;

    begin_with(&ballot, ORACLE_REFUSES, 1, two);
    for (int i = 0; i < 100; i++)
        ballot_pass(&ballot, 1000);
    ballot_check_looking(&ballot);
    ask(&ballot, ORACLE_GRANTS);
    ballot_pass(&ballot, FINALIZE_MS);
    ballot_check_decided(&ballot, PEER_LEADING, 1);
    ballot_deinit(&ballot);
}

TEST(who_hears_the_other_voter_does_not_elect_itself_by_the_oracle)
{
    struct ballot ballot;

    begin_with(&ballot, ORACLE_GRANTS, 1, two);
    ballot_hear(&ballot, 2, PEER_LOOKING, ballot_vote(2, 1)); /* has a better vote */
    ballot_pass(&ballot, FINALIZE_MS);
    ballot_check_decided(&ballot, PEER_FOLLOWING, 2);
    ballot_deinit(&ballot);
}

TEST(an_oracle_says_nothing_to_one_of_three)
{
    struct ballot ballot;

    begin_with(&ballot, ORACLE_GRANTS, 3, ballot_three_and_an_observer);
    for (int i = 0; i < 100; i++)
        ballot_pass(&ballot, 1000);
    ballot_check_looking(&ballot);
    ballot_deinit(&ballot);
}

TEST(a_leader_that_goes_on_alone_is_joined_where_there_is_an_oracle)
{
    static const enum oracle rows[] = {ORACLE_NONE, ORACLE_REFUSES, ORACLE_GRANTS};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ballot ballot;
        begin_with(&ballot, rows[i], 1, two);
        ballot_hear(&ballot, 2, PEER_LEADING, ballot_vote(2, 7));
        if (rows[i] == ORACLE_NONE)
            ballot_check_looking(&ballot);
        else
            ballot_check_decided(&ballot, PEER_FOLLOWING, 2);
        ballot_deinit(&ballot);
    }
}

/* --- joining --- */

TEST(joining_a_settled_ensemble_needs_a_quorum_that_follows_and_the_leader_itself)
{
    struct ballot ballot;
    /* elected in round 4 with another zxid, and in epoch 2 by now */
    const struct vote settled = {2, 0x100000001, 4, 2};

    ballot_begin(&ballot, 1, ballot_three);
    ballot_hear(&ballot, 2, PEER_LEADING, settled);
    ballot_check_looking(&ballot); /* a leader alone is none */
    ballot_hear(&ballot, 3, PEER_FOLLOWING, settled);
    ballot_check_decided(&ballot, PEER_FOLLOWING, 2);
    CHECK_I64("round", election_vote(ballot.election).round, 4);
    CHECK_I64("zxid", election_vote(ballot.election).zxid, 0x100000001);
    ballot_hear(&ballot, 3, PEER_LOOKING, ballot_vote(3, 1));
    ballot_check_sent(&ballot, 3, PEER_FOLLOWING, settled);
    ballot_start(&ballot, ZXID, EPOCH);
    CHECK_I64("next round", election_vote(ballot.election).round, 5);
    ballot_deinit(&ballot);
}

TEST(a_quorum_of_followers_without_their_leader_does_not_end_an_election)
{
    struct ballot ballot;
    const struct vote settled = {5, 0x100000001, 4, 2};

    ballot_begin(&ballot, 1, ballot_five);
    ballot_hear(&ballot, 2, PEER_FOLLOWING, settled);
    ballot_hear(&ballot, 3, PEER_FOLLOWING, settled);
    ballot_hear(&ballot, 4, PEER_FOLLOWING, settled);
    ballot_check_looking(&ballot);
    ballot_hear(&ballot, 5, PEER_FOLLOWING, settled); /* it says itself that it does not lead */
    ballot_check_looking(&ballot);
    ballot_hear(&ballot, 5, PEER_LEADING, settled);
    ballot_check_decided(&ballot, PEER_FOLLOWING, 5);
    ballot_deinit(&ballot);
}

TEST(followers_of_different_epochs_are_no_quorum_outside_of_their_round)
{
    struct ballot ballot;

    ballot_begin(&ballot, 1, ballot_three);
    ballot_hear(&ballot, 2, PEER_LEADING, (struct vote){2, ZXID, 4, 3});
    ballot_hear(&ballot, 3, PEER_FOLLOWING, (struct vote){2, ZXID, 3, 2});
    ballot_check_looking(&ballot);
    ballot_hear(&ballot, 3, PEER_FOLLOWING, (struct vote){2, ZXID, 3, 3}); /* rounds may differ */
    ballot_check_decided(&ballot, PEER_FOLLOWING, 2);
    ballot_deinit(&ballot);
}

TEST(in_one_round_the_leaders_id_is_enough)
{
    struct ballot ballot;

    ballot_begin(&ballot, 1, ballot_three);
    ballot_hear(&ballot, 2, PEER_LEADING, (struct vote){2, ZXID, 1, 3});
    ballot_hear(&ballot, 3, PEER_FOLLOWING, (struct vote){2, ZXID, 1, 2}); /* not in epoch 3 yet */
    ballot_check_decided(&ballot, PEER_FOLLOWING, 2);
    ballot_deinit(&ballot);
}

TEST(followers_of_mine_in_my_round_make_me_the_leader)
{
    struct ballot ballot;

    ballot_begin(&ballot, 1, ballot_three);
    ballot_hear(&ballot, 2, PEER_FOLLOWING, ballot_vote(1, 7));
    ballot_hear(&ballot, 3, PEER_FOLLOWING, ballot_vote(1, 7));
    ballot_check_looking(&ballot); /* they follow a former life of mine */
    ballot_deinit(&ballot);
    ballot_begin(&ballot, 1, ballot_three);
    ballot_hear(&ballot, 2, PEER_FOLLOWING, ballot_vote(1, 1));
    ballot_check_decided(&ballot, PEER_LEADING, 1); /* my own vote counts in my round */
    ballot_deinit(&ballot);
}

TEST(what_a_server_said_is_forgotten_when_it_looks_again_or_is_gone)
{
    struct ballot ballot;
    const struct vote settled = {2, 0x100000001, 4, 2};

    ballot_begin(&ballot, 1, ballot_three);
    ballot_hear(&ballot, 2, PEER_LEADING, settled);
    ballot_set_link(&ballot, 2, ELECTION_LINK_DOWN);
    ballot_hear(&ballot, 3, PEER_FOLLOWING, settled);
    ballot_check_looking(&ballot); /* the leader is dead */
    ballot_hear(&ballot, 3, PEER_LOOKING, ballot_vote(3, 1));
    ballot_hear(&ballot, 2, PEER_LEADING, settled);
    ballot_check_looking(&ballot); /* its follower has left it */
    ballot_deinit(&ballot);
}

TEST(a_peer_of_a_release_without_versions_is_compared_by_leader_alone)
{
    struct ballot ballot;

    ballot_begin(&ballot, 1, ballot_three);
    ballot_hear(&ballot, 2, PEER_LEADING, (struct vote){2, ZXID, 4, 3});
    ballot_forget(&ballot);
    election_hear(ballot.election, 3,
                  &(struct notification){PEER_FOLLOWING, 2, ZXID, 4, 1, 0, SLICE_NULL},
                  ballot.now_ms, &ballot.effects);
    ballot_check_decided(&ballot, PEER_FOLLOWING, 2);
    ballot_deinit(&ballot);
}

/* --- who does not vote --- */

TEST(an_observers_and_a_strangers_notification_is_answered_and_not_counted)
{
    struct ballot ballot;

    ballot_begin(&ballot, 1, ballot_three_and_an_observer);
    ballot_hear(&ballot, 4, PEER_LOOKING, ballot_vote(1, 1));
    ballot_check_sent(&ballot, 4, PEER_LOOKING, ballot_vote(1, 1));
    ballot_hear(&ballot, 77, PEER_LOOKING, ballot_vote(1, 1));
    ballot_check_sent(&ballot, 77, PEER_LOOKING, ballot_vote(1, 1));
    ballot_hear(&ballot, 78, PEER_LOOKING, ballot_vote(77, 9));
    ballot_check_sent(&ballot, 78, PEER_LOOKING, ballot_vote(1, 1)); /* nor is its round joined */
    ballot_pass(&ballot, FINALIZE_MS);
    ballot_check_looking(&ballot);
    ballot_hear(&ballot, 2, PEER_LOOKING, ballot_vote(3, 1));
    ballot_pass(&ballot, FINALIZE_MS);
    ballot_check_decided(&ballot, PEER_FOLLOWING, 3);
    ballot_hear(&ballot, 78, PEER_FOLLOWING, ballot_vote(77, 9));
    ballot_check_sent(&ballot, 78, PEER_FOLLOWING, ballot_vote(3, 1));
    ballot_deinit(&ballot);
}

TEST(two_servers_that_take_each_other_for_strangers_do_not_chatter)
{
    struct ballot ballot;

    ballot_begin(&ballot, 1, ballot_three);
    ballot_hear(&ballot, 77, PEER_LOOKING, ballot_vote(77, 1));
    CHECK_U64("answers", ballot.effects.send_count, 1);
    ballot_hear(&ballot, 77, PEER_LOOKING, ballot_vote(77, 1));
    ballot_check_silent(&ballot);
    ballot_pass(&ballot, 20);
    ballot_hear(&ballot, 77, PEER_LOOKING, ballot_vote(77, 1));
    CHECK_U64("answers", ballot.effects.send_count, 1);
    ballot_deinit(&ballot);
}

TEST(an_observer_proposes_nobody_and_ends_observing)
{
    struct ballot ballot;
    const struct vote nobody = {INT64_MIN, INT64_MIN, 1, INT64_MIN};

    ballot_begin(&ballot, 4, ballot_three_and_an_observer);
    CHECK_U64("sent", ballot.effects.send_count, 3);
    ballot_check_sent(&ballot, 1, PEER_LOOKING, nobody);
    ballot_hear(&ballot, 1, PEER_FOLLOWING, ballot_vote(3, 1));
    ballot_check_looking(&ballot);
    ballot_hear(&ballot, 3, PEER_LEADING, ballot_vote(3, 1));
    ballot_check_decided(&ballot, PEER_OBSERVING, 3);
    ballot_deinit(&ballot);
}

TEST(an_observer_may_also_see_the_voters_agree)
{
    struct ballot ballot;

    ballot_begin(&ballot, 4, ballot_three_and_an_observer);
    ballot_hear(&ballot, 1, PEER_LOOKING, ballot_vote(3, 1));
    ballot_check_sent(&ballot, 2, PEER_LOOKING, ballot_vote(3, 1));
    ballot_hear(&ballot, 3, PEER_LOOKING, ballot_vote(3, 1));
    ballot_pass(&ballot, FINALIZE_MS);
    ballot_check_decided(&ballot, PEER_OBSERVING, 3);
    ballot_deinit(&ballot);
}

TEST(a_participant_that_is_not_listed_proposes_nobody_with_its_own_zxid_and_epoch)
{
    struct ballot ballot;

    ballot_begin(&ballot, 9, ballot_three);
    ballot_check_sent(&ballot, 2, PEER_LOOKING, ballot_vote(INT64_MIN, 1));
    ballot_hear(&ballot, 2, PEER_FOLLOWING, ballot_vote(3, 1));
    ballot_hear(&ballot, 3, PEER_LEADING, ballot_vote(3, 1));
    ballot_check_decided(&ballot, PEER_FOLLOWING, 3);
    ballot_deinit(&ballot);
}

TEST(a_server_that_lost_what_it_had_does_not_vote_and_may_join_a_leader)
{
    struct ballot ballot;

    ballot_init(&ballot, 1, ballot_three);
    ballot_start(&ballot, -1, EPOCH);
    ballot_check_sent(&ballot, 2, PEER_LOOKING, (struct vote){1, -1, 1, EPOCH});
    ballot_hear(&ballot, 2, PEER_LOOKING, ballot_vote(2, 1));
    ballot_check_silent(&ballot);
    ballot_hear(&ballot, 3, PEER_LOOKING, ballot_vote(2, 1));
    ballot_pass(&ballot, FINALIZE_MS);
    ballot_check_looking(&ballot);
    ballot_hear(&ballot, 2, PEER_LEADING, ballot_vote(2, 2));
    ballot_check_looking(&ballot); /* it is no part of a majority */
    ballot_hear(&ballot, 3, PEER_FOLLOWING, ballot_vote(2, 2));
    ballot_check_decided(&ballot, PEER_OBSERVING, 2); /* which voters do not listen to */
    ballot_deinit(&ballot);
}

TEST(a_server_that_lost_what_it_had_joins_only_when_all_tell_of_one_epoch)
{
    struct ballot ballot;
    struct vote vote = ballot_vote(2, 1); /* the round in which it looks, too */

    ballot_init(&ballot, 1, ballot_three);
    ballot_start(&ballot, -1, EPOCH);
    ballot_hear(&ballot, 2, PEER_LEADING, vote);
    vote.epoch++;
    ballot_hear(&ballot, 3, PEER_FOLLOWING, vote);
    ballot_check_looking(&ballot);
    ballot_hear(&ballot, 2, PEER_LEADING, vote);
    ballot_check_decided(&ballot, PEER_OBSERVING, 2);
    CHECK_I64("epoch", election_vote(ballot.election).epoch, vote.epoch);
    ballot_deinit(&ballot);
}

TEST(a_server_that_lost_what_it_had_never_leads_whatever_others_say)
{
    struct ballot ballot;

    ballot_init(&ballot, 3, ballot_three);
    ballot_start(&ballot, -1, EPOCH);
    ballot_hear(&ballot, 1, PEER_FOLLOWING, ballot_vote(3, 1)); /* they have not noticed its end */
    ballot_hear(&ballot, 2, PEER_FOLLOWING, ballot_vote(3, 1));
    ballot_pass(&ballot, FINALIZE_MS);
    ballot_check_looking(&ballot);
    ballot_deinit(&ballot);
}

TEST(the_vote_of_a_server_that_lost_what_it_had_is_not_counted)
{
    struct ballot ballot;

    ballot_begin(&ballot, 1, ballot_three);
    ballot_hear(&ballot, 2, PEER_LOOKING, (struct vote){2, -1, 1, EPOCH + 5});
    ballot_check_silent(&ballot);
    ballot_hear(&ballot, 2, PEER_LOOKING, (struct vote){2, -1, 9, EPOCH + 5});
    ballot_check_silent(&ballot);
    CHECK_I64("leader", election_vote(ballot.election).leader, 1);
    CHECK_I64("round", election_vote(ballot.election).round, 1);
    ballot_deinit(&ballot);
}

/* --- configurations --- */

TEST(a_members_configuration_with_a_higher_version_is_told)
{
    const struct slice same[] = {
        SLICE("server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2\nversion=100000003"),
        SLICE("server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2\nserver.4=d:1:2:observer\n"
              "version=100000003")};
    const struct slice others = SLICE("server.1=a:1:2\nserver.2=b:1:2\nversion=100000003");
    struct ballot ballot;

    ballot_begin(&ballot, 1, ballot_three);
    ballot_hear_config(&ballot, 2, PEER_LOOKING, ballot_vote(2, 1),
                       SLICE("server.1=a:1:2\nversion=0"));
    CHECK_I64("one of the same version", ballot.effects.newer_version, 0);
    ballot_hear_config(&ballot, 2, PEER_LOOKING, ballot_vote(2, 1), SLICE("not a configuration"));
    CHECK_I64("none", ballot.effects.newer_version, 0);
    ballot_hear_config(&ballot, 77, PEER_FOLLOWING, ballot_vote(2, 1), others);
    CHECK_I64("a stranger's", ballot.effects.newer_version, 0);
    ballot_hear_config(&ballot, 2, PEER_LOOKING, ballot_vote(2, 1), others);
    CHECK_I64("other servers", ballot.effects.newer_version, 0x100000003);
    CHECK(ballot.effects.other_servers);
    ballot_deinit(&ballot);
    for (int settled = 0; settled < 2; settled++) {
        if (settled)
            settle(&ballot, 3, 3);
        else
            ballot_begin(&ballot, 1, ballot_three);
        ballot_hear_config(&ballot, 2, PEER_LOOKING, ballot_vote(2, 1), same[settled]);
        CHECK_I64("the same servers", ballot.effects.newer_version, 0x100000003);
        CHECK(!ballot.effects.other_servers);
        ballot_deinit(&ballot);
    }
    settle(&ballot, 3, 3);
    ballot_hear_config(&ballot, 2, PEER_LOOKING, ballot_vote(2, 1), others);
    CHECK_I64("a settled server keeps its own", ballot.effects.newer_version, 0);
    ballot_deinit(&ballot);
}

TEST(the_election_starts_anew_with_the_configuration_that_was_adopted)
{
    struct ballot ballot;
    struct membership *adopted = ballot_members("server.1=a:1:2\nserver.9=x:1:2\nversion=5");

    ballot_begin(&ballot, 1, ballot_three);
    election_set_members(ballot.election, adopted, NULL, MEMBER_PARTICIPANT);
    ballot_start(&ballot, ZXID, EPOCH);
    CHECK_U64("sent", ballot.effects.send_count, 1);
    ballot_check_sent(&ballot, 9, PEER_LOOKING, ballot_vote(1, 2));
    CHECK_SLICE("config", ballot_sent_to(&ballot, 9)->config,
                SLICE("server.1=a:1:2:participant\nserver.9=x:1:2:participant\nversion=5"));
    ballot_deinit(&ballot);
    membership_free(adopted);
}

TEST(strangers_without_end_are_forgotten_one_for_another)
{
    struct ballot ballot;

    ballot_begin(&ballot, 1, ballot_three);
    ballot_hear(&ballot, 2, PEER_LOOKING, ballot_vote(1, 1));
    for (int64_t id = 100; id < 5000; id++) {
        ballot.now_ms++;
        ballot_hear(&ballot, id, PEER_LOOKING, ballot_vote(id, 1));
        CHECK_U64("answers", ballot.effects.send_count, 1);
    }
    ballot_pass(&ballot, FINALIZE_MS); /* the voter is not forgotten */
    ballot_check_decided(&ballot, PEER_LEADING, 1);
    ballot_deinit(&ballot);
}
