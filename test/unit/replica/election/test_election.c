/* One member of an election: what it says to whom while it looks, and when it decides. */
#include "replica/election/election.h"
#include "test/lib/ballot.h"
#include "test/lib/capture.h"
#include "test/lib/check.h"

enum { FINALIZE_MS = BALLOT_FINALIZE_MS, ZXID = BALLOT_ZXID, EPOCH = BALLOT_EPOCH };

/* --- what is said --- */

TEST(notifications_of_the_same_votes_are_those_of_real_servers_byte_for_byte)
{
    struct capture capture = capture_read("wire-election-discovery-broadcast");
    size_t seen = 0;

    for (size_t i = 0; i < capture.count; i++) {
        const struct capture_message *message = &capture.messages[i];
        struct notification real;
        struct slice bytes;
        size_t size;
        if (!capture_is(message, "NOTIFICATION"))
            continue;
        CHECK_STATUS(election_frame_read(message->bytes, &bytes, &size), STATUS_OK);
        CHECK_STATUS(notification_read(bytes, &real), STATUS_OK);
        if (real.state != PEER_LOOKING)
            continue;
        char text[1000];
        CHECK(real.config.size < sizeof(text));
        memcpy(text, real.config.data, real.config.size);
        text[real.config.size] = '\0';
        struct ballot ballot;
        struct buffer ours = {0};
        ballot_init(&ballot, real.leader, text); /* who votes for itself first */
        ballot_start(&ballot, 0, 0);
        CHECK_U64("sent", ballot.effects.send_count, 2);
        notification_write(&ours, &ballot.effects.sends[0].notification);
        CHECK_SLICE(message->said, buffer_slice(&ours), bytes);
        ballot_deinit(&ballot);
        buffer_deinit(&ours);
        seen++;
    }
    CHECK(seen > 3);
    capture_free(&capture);
}

TEST(a_round_begins_with_a_vote_for_oneself_sent_to_every_other_voter)
{
    struct ballot ballot;

    ballot_begin(&ballot, 2, ballot_three_and_an_observer);
    CHECK_U64("sent", ballot.effects.send_count, 2);
    ballot_check_sent(&ballot, 1, PEER_LOOKING, ballot_vote(2, 1));
    ballot_check_sent(&ballot, 3, PEER_LOOKING, ballot_vote(2, 1));
    ballot_start(&ballot, ZXID, EPOCH);
    ballot_check_sent(&ballot, 1, PEER_LOOKING, ballot_vote(2, 2));
    ballot_deinit(&ballot);
}

TEST(a_looking_peer_with_a_smaller_round_gets_our_proposal_and_our_round)
{
    struct ballot ballot;

    ballot_begin(&ballot, 1, ballot_three);
    ballot_start(&ballot, ZXID, EPOCH);
    ballot_hear(&ballot, 2, PEER_LOOKING, ballot_vote(2, 1));
    CHECK_U64("sent", ballot.effects.send_count, 1);
    ballot_check_sent(&ballot, 2, PEER_LOOKING, ballot_vote(1, 2));
    ballot_deinit(&ballot);
}

TEST(a_higher_round_is_joined_with_fresh_votes_and_proposed_anew)
{
    struct ballot ballot;

    ballot_begin(&ballot, 2, ballot_five);
    ballot_hear(&ballot, 3, PEER_LOOKING, ballot_vote(3, 1));
    ballot_check_sent(&ballot, 3, PEER_LOOKING, ballot_vote(3, 1));
    ballot_hear(&ballot, 4, PEER_LOOKING, ballot_vote(3, 1)); /* 2, 3 and 4 agree */
    CHECK_I64("timer", election_wake_at_ms(ballot.election), ballot.now_ms + FINALIZE_MS);
    ballot_hear(&ballot, 1, PEER_LOOKING, ballot_vote(1, 7));
    ballot_check_sent(&ballot, 1, PEER_LOOKING,
                      ballot_vote(2, 7)); /* the own vote beats that one */
    ballot_check_sent(&ballot, 5, PEER_LOOKING, ballot_vote(2, 7));
    ballot_hear(&ballot, 3, PEER_LOOKING, ballot_vote(2, 7));
    ballot_pass(&ballot, FINALIZE_MS);
    ballot_check_looking(&ballot); /* the votes of round 1 are gone */
    ballot_hear(&ballot, 5, PEER_LOOKING, ballot_vote(2, 7));
    ballot_pass(&ballot, FINALIZE_MS);
    ballot_check_decided(&ballot, PEER_LEADING, 2);
    CHECK_I64("round", election_vote(ballot.election).round, 7);
    ballot_deinit(&ballot);
}

TEST(a_better_vote_of_a_higher_round_is_taken_over)
{
    struct ballot ballot;

    ballot_begin(&ballot, 2, ballot_three);
    ballot_hear(&ballot, 1, PEER_LOOKING, ballot_vote(3, 9));
    ballot_check_sent(&ballot, 1, PEER_LOOKING, ballot_vote(3, 9));
    ballot_check_sent(&ballot, 3, PEER_LOOKING, ballot_vote(3, 9));
    ballot_deinit(&ballot);
}

TEST(the_epoch_decides_then_the_zxid_then_the_id_and_weight_0_never_wins)
{
    static const char weights[] = "server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2\n"
                                  "server.9=c:1:2\ngroup.1=1:2:3:9\nweight.9=0";
    static const struct {
        const char *name;
        struct vote vote;
        bool beats; /* the vote for 2 of ZXID and EPOCH */
    } rows[] = {
        {"a greater epoch", {1, 5, 1, EPOCH + 1}, true},
        {"a smaller epoch", {3, ZXID + 5, 1, EPOCH - 1}, false},
        {"a greater zxid", {1, ZXID + 1, 1, EPOCH}, true},
        {"a smaller zxid", {3, ZXID - 1, 1, EPOCH}, false},
        {"a greater id", {3, ZXID, 1, EPOCH}, true},
        {"a smaller id", {1, ZXID, 1, EPOCH}, false},
        {"a negative zxid is smaller", {3, -5, 1, EPOCH}, false},
        {"weight 0", {9, ZXID + 9, 1, EPOCH + 9}, false},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ballot ballot;
        ballot_begin(&ballot, 2, weights);
        ballot_hear(&ballot, 3, PEER_LOOKING, rows[i].vote);
        CHECK_I64(rows[i].name, election_vote(ballot.election).leader,
                  rows[i].beats ? rows[i].vote.leader : 2);
        CHECK_I64(rows[i].name, ballot.effects.send_count, rows[i].beats ? 3 : 0);
        ballot_deinit(&ballot);
    }
}

TEST(a_vote_for_who_is_no_voter_is_not_counted)
{
    struct ballot ballot;

    ballot_begin(&ballot, 1, ballot_three_and_an_observer);
    ballot_hear(&ballot, 2, PEER_LOOKING, ballot_vote(4, 1));
    ballot_check_silent(&ballot);
    ballot_hear(&ballot, 3, PEER_LOOKING, ballot_vote(77, 1));
    ballot_check_silent(&ballot);
    CHECK_I64("leader", election_vote(ballot.election).leader, 1);
    ballot_hear(&ballot, 2, PEER_LOOKING,
                (struct vote){4, ZXID, 8, EPOCH}); /* nor does its round */
    CHECK_I64("round", election_vote(ballot.election).round, 1);
    ballot_deinit(&ballot);
}

/* --- when it ends --- */

TEST(an_election_ends_200_ms_after_a_quorum_agrees_when_nothing_better_comes)
{
    struct ballot ballot;

    ballot_begin(&ballot, 1, ballot_three);
    ballot_hear(&ballot, 2, PEER_LOOKING, ballot_vote(2, 1));
    ballot_check_looking(&ballot);
    CHECK_I64("timer", election_wake_at_ms(ballot.election), ballot.now_ms + FINALIZE_MS);
    ballot_pass(&ballot, FINALIZE_MS - 1);
    ballot_check_looking(&ballot);
    ballot_hear(&ballot, 3, PEER_LOOKING, ballot_vote(1, 1)); /* nothing better */
    ballot_pass(&ballot, 1);
    ballot_check_decided(&ballot, PEER_FOLLOWING, 2);
    ballot_deinit(&ballot);
}

TEST(an_election_goes_on_when_something_better_comes_in_these_200_ms)
{
    struct ballot ballot;

    ballot_begin(&ballot, 1, ballot_three);
    ballot_hear(&ballot, 2, PEER_LOOKING, ballot_vote(2, 1));
    ballot_pass(&ballot, FINALIZE_MS - 1);
    ballot_hear(&ballot, 3, PEER_LOOKING, ballot_vote(3, 1));
    ballot_check_sent(&ballot, 2, PEER_LOOKING, ballot_vote(3, 1));
    ballot_pass(&ballot, FINALIZE_MS - 1);
    ballot_check_looking(&ballot);
    ballot_pass(&ballot, 1);
    ballot_check_decided(&ballot, PEER_FOLLOWING, 3);
    ballot_deinit(&ballot);
}

TEST(a_quorum_that_falls_apart_again_decides_nothing)
{
    struct ballot ballot;

    ballot_begin(&ballot, 3, ballot_five);
    ballot_hear(&ballot, 1, PEER_LOOKING, ballot_vote(3, 1));
    ballot_hear(&ballot, 2, PEER_LOOKING, ballot_vote(3, 1));
    ballot_set_link(&ballot, 2, ELECTION_LINK_DOWN);
    ballot_pass(&ballot, FINALIZE_MS);
    ballot_check_looking(&ballot);
    ballot_deinit(&ballot);
}

TEST(an_election_ends_at_once_when_all_who_can_be_reached_agree_and_the_others_are_down)
{
    struct ballot ballot;

    ballot_init(&ballot, 2, ballot_three); /* 3 led, and is dead */
    ballot_set_link(&ballot, 1, ELECTION_LINK_OPEN);
    ballot_set_link(&ballot, 3, ELECTION_LINK_DOWN);
    ballot_start(&ballot, ZXID, EPOCH);
    ballot_check_looking(&ballot);
    ballot_hear(&ballot, 1, PEER_LOOKING, ballot_vote(2, 1));
    ballot_check_decided(&ballot, PEER_LEADING, 2);
    ballot_check_silent(&ballot); /* the other one has all that it needs */
    ballot_deinit(&ballot);
}

TEST(an_election_ends_at_once_when_all_voters_agree)
{
    struct ballot ballot;

    ballot_init(&ballot, 1, ballot_three);
    ballot_set_link(&ballot, 2, ELECTION_LINK_OPEN);
    ballot_set_link(&ballot, 3, ELECTION_LINK_OPEN);
    ballot_start(&ballot, ZXID, EPOCH);
    ballot_hear(&ballot, 3, PEER_LOOKING, ballot_vote(3, 1));
    ballot_check_looking(&ballot);
    ballot_hear(&ballot, 2, PEER_LOOKING, ballot_vote(3, 1));
    ballot_check_decided(&ballot, PEER_FOLLOWING, 3);
    ballot_deinit(&ballot);
}

TEST(an_election_ends_at_once_when_the_last_doubtful_connection_is_refused)
{
    struct ballot ballot;

    ballot_init(&ballot, 1, ballot_three);
    ballot_set_link(&ballot, 2, ELECTION_LINK_OPEN);
    ballot_start(&ballot, ZXID, EPOCH);
    ballot_hear(&ballot, 2, PEER_LOOKING, ballot_vote(2, 1));
    ballot_check_looking(&ballot); /* nobody knows about 3 */
    ballot_set_link(&ballot, 3, ELECTION_LINK_DOWN);
    ballot_check_decided(&ballot, PEER_FOLLOWING, 2);
    ballot_deinit(&ballot);
}

TEST(an_election_waits_for_a_connected_voter_that_has_not_voted)
{
    struct ballot ballot;

    ballot_init(&ballot, 1, ballot_three);
    ballot_set_link(&ballot, 2, ELECTION_LINK_OPEN);
    ballot_set_link(&ballot, 3, ELECTION_LINK_OPEN);
    ballot_start(&ballot, ZXID, EPOCH);
    ballot_hear(&ballot, 2, PEER_LOOKING, ballot_vote(2, 1));
    ballot_check_looking(&ballot);
    ballot_pass(&ballot, FINALIZE_MS);
    ballot_check_decided(&ballot, PEER_FOLLOWING, 2);
    ballot_deinit(&ballot);
}

TEST(voters_that_agree_and_cannot_be_reached_are_no_reason_to_hurry)
{
    struct ballot ballot;

    ballot_init(&ballot, 1, ballot_five);
    ballot_set_link(&ballot, 2, ELECTION_LINK_OPEN);
    ballot_set_link(&ballot, 4, ELECTION_LINK_DOWN);
    ballot_set_link(&ballot, 5, ELECTION_LINK_DOWN);
    ballot_start(&ballot, ZXID, EPOCH);
    ballot_hear(&ballot, 2, PEER_LOOKING, ballot_vote(3, 1));
    ballot_hear(&ballot, 3, PEER_LOOKING,
                ballot_vote(3, 1)); /* by a connection that nobody reported */
    ballot_check_looking(&ballot);
    ballot_pass(&ballot, FINALIZE_MS);
    ballot_check_decided(&ballot, PEER_FOLLOWING, 3);
    ballot_deinit(&ballot);
}

TEST(a_voter_alone_leads_at_once)
{
    struct ballot ballot;

    ballot_begin(&ballot, 7, "server.7=a:1:2");
    ballot_check_decided(&ballot, PEER_LEADING, 7);
    ballot_deinit(&ballot);
}

TEST(a_quorum_of_groups_needs_most_of_the_weight_in_most_of_the_groups)
{
    struct ballot ballot;

    ballot_begin(
        &ballot, 6,
        "server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2\nserver.4=a:1:2\nserver.5=b:1:2\n"
        "server.6=c:1:2\ngroup.1=1:2\ngroup.2=3:4\ngroup.3=5:6\nweight.6=3"); /* 6 is most of group 3 */
    ballot_hear(&ballot, 1, PEER_LOOKING, ballot_vote(6, 1));
    ballot_hear(&ballot, 3, PEER_LOOKING, ballot_vote(6, 1));
    ballot_hear(&ballot, 5, PEER_LOOKING, ballot_vote(6, 1));
    ballot_pass(&ballot, FINALIZE_MS);
    ballot_check_looking(&ballot); /* halves of groups 1 and 2 are no majorities */
    ballot_hear(&ballot, 4, PEER_LOOKING, ballot_vote(6, 1));
    ballot_pass(&ballot, FINALIZE_MS);
    ballot_check_decided(&ballot, PEER_LEADING, 6);
    ballot_deinit(&ballot);
}

TEST(a_configuration_that_is_proposed_has_to_agree_too)
{
    struct ballot ballot;
    struct membership *proposed =
        ballot_members("server.1=a:1:2\nserver.4=d:1:2\nserver.5=e:1:2\nversion=9");

    ballot_init(&ballot, 1, ballot_three);
    election_set_members(ballot.election, ballot.members, proposed, MEMBER_PARTICIPANT);
    ballot_start(&ballot, ZXID, EPOCH);
    CHECK_U64("sent", ballot.effects.send_count, 4); /* to the voters of both, once */
    ballot_hear(&ballot, 2, PEER_LOOKING, ballot_vote(3, 1));
    ballot_hear(&ballot, 3, PEER_LOOKING, ballot_vote(3, 1));
    ballot_pass(&ballot, FINALIZE_MS);
    ballot_check_looking(&ballot);
    ballot_hear(&ballot, 4, PEER_LOOKING, ballot_vote(3, 1));
    ballot_pass(&ballot, FINALIZE_MS);
    ballot_check_decided(&ballot, PEER_FOLLOWING, 3);
    ballot_deinit(&ballot);
    membership_free(proposed);
}

/* --- sending again --- */

TEST(a_proposal_is_sent_again_after_200_400_and_so_on_up_to_60000_ms)
{
    struct ballot ballot;
    int64_t wait_ms = 200;

    ballot_begin(&ballot, 1, ballot_three);
    for (int i = 0; i < 14; i++) {
        CHECK_I64("due", election_wake_at_ms(ballot.election), ballot.now_ms + wait_ms);
        ballot_pass(&ballot, wait_ms - 1);
        ballot_check_silent(&ballot);
        ballot_pass(&ballot, 1);
        CHECK_U64("sent", ballot.effects.send_count, 2);
        ballot_check_sent(&ballot, 3, PEER_LOOKING, ballot_vote(1, 1));
        wait_ms = wait_ms * 2 > 60000 ? 60000 : wait_ms * 2;
    }
    CHECK_I64("longest", wait_ms, 60000);
    ballot_hear(&ballot, 2, PEER_LOOKING, ballot_vote(2, 1));
    ballot_pass(&ballot, FINALIZE_MS - 1);
    ballot_check_silent(&ballot);
    ballot_deinit(&ballot);
}

TEST(a_new_proposal_is_sent_again_after_200_ms)
{
    struct ballot ballot;

    ballot_begin(&ballot, 1, ballot_five);
    ballot_pass(&ballot, 200);
    ballot_pass(&ballot, 400);
    ballot_hear(&ballot, 5, PEER_LOOKING, ballot_vote(5, 1));
    CHECK_I64("due", election_wake_at_ms(ballot.election), ballot.now_ms + 200);
    ballot_deinit(&ballot);
}

TEST(who_has_sent_a_matching_vote_is_sent_nothing_more_for_a_while)
{
    struct ballot ballot;

    ballot_begin(&ballot, 5, ballot_five);
    ballot_hear(&ballot, 1, PEER_LOOKING, ballot_vote(5, 1));
    ballot_check_silent(&ballot);
    for (int64_t wait_ms = 200; wait_ms <= 400; wait_ms *= 2) {
        ballot_pass(&ballot, wait_ms);
        CHECK(ballot_sent_to(&ballot, 1) == NULL);
        CHECK(ballot_sent_to(&ballot, 2) != NULL);
    }
    ballot_pass(&ballot, 800); /* by now something must have been lost */
    CHECK(ballot_sent_to(&ballot, 1) != NULL);
    ballot_deinit(&ballot);
}

TEST(a_vote_that_came_shortly_before_we_began_to_look_counts)
{
    struct ballot ballot;

    ballot_init(&ballot, 1, ballot_three);
    ballot_set_link(&ballot, 2, ELECTION_LINK_OPEN);
    ballot_set_link(&ballot, 3, ELECTION_LINK_OPEN);
    ballot_hear(&ballot, 2, PEER_LOOKING, ballot_vote(2, 1));
    ballot_check_silent(&ballot);
    ballot_set_link(&ballot, 3, ELECTION_LINK_DOWN);
    ballot.now_ms += 500;
    ballot_start(&ballot, ZXID, EPOCH);
    ballot_check_sent(&ballot, 2, PEER_LOOKING,
                      ballot_vote(2, 1)); /* one message, and the right one */
    ballot_check_decided(&ballot, PEER_FOLLOWING, 2);
    ballot_deinit(&ballot);
}

TEST(a_vote_that_came_long_before_we_began_to_look_does_not_count)
{
    struct ballot ballot;

    ballot_init(&ballot, 1, ballot_three);
    ballot_hear(&ballot, 2, PEER_LOOKING, ballot_vote(2, 1));
    ballot.now_ms += 501;
    ballot_start(&ballot, ZXID, EPOCH);
    ballot_check_sent(&ballot, 2, PEER_LOOKING, ballot_vote(1, 1));
    ballot_pass(&ballot, 150);
    ballot_hear(&ballot, 2, PEER_LOOKING, ballot_vote(2, 1));
    ballot_set_link(&ballot, 2, ELECTION_LINK_DOWN); /* nor does one whose connection is gone */
    ballot_start(&ballot, ZXID, EPOCH);
    ballot_check_sent(&ballot, 2, PEER_LOOKING, ballot_vote(1, 2));
    ballot_deinit(&ballot);
}

TEST(who_was_not_looking_when_our_vote_came_is_sent_it_again_when_it_looks)
{
    struct ballot ballot;

    ballot_begin(&ballot, 2, ballot_three); /* 3 led and is dead; 1 has not seen that yet */
    ballot_hear(&ballot, 1, PEER_FOLLOWING, (struct vote){3, 5, 1, EPOCH});
    ballot_check_silent(&ballot);
    ballot_hear(&ballot, 1, PEER_LOOKING, ballot_vote(1, 1));
    ballot_check_sent(&ballot, 1, PEER_LOOKING, ballot_vote(2, 1));
    ballot_hear(&ballot, 1, PEER_LOOKING, ballot_vote(1, 1));
    ballot_check_silent(&ballot);
    ballot_deinit(&ballot);
}
