/* One member of an election on the bench: what it says to whom, and when it decides. */
#include "replica/election/election.h"
#include "test/lib/capture.h"
#include "test/lib/check.h"

static const char three[] = "server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2";
static const char three_and_an_observer[] =
    "server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2\nserver.4=d:1:2:observer";
static const char five[] = "server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2\nserver.4=d:1:2\n"
                           "server.5=e:1:2";

enum { FINALIZE_MS = 200, ZXID = 0x100000005, EPOCH = 1 };

struct bench {
    struct election *election;
    struct membership *members;
    struct election_effects effects;
    int64_t now_ms;
};

static struct membership *members_of(const char *text)
{
    struct buffer problem = {0};
    struct membership *members = membership_parse(slice_text(text), &problem);

    CHECK(members != NULL);
    buffer_deinit(&problem);
    return members;
}

static void bench_init(struct bench *bench, int64_t my_id, const char *text)
{
    *bench = (struct bench){.now_ms = 1000000, .members = members_of(text)};
    bench->election = election_new(&(struct election_options){.my_id = my_id,
                                                              .reconfig_enabled = true,
                                                              .finalize_ms = FINALIZE_MS,
                                                              .resend_min_ms = 200,
                                                              .resend_max_ms = 60000});
    const struct member *own = membership_find(bench->members, my_id);
    election_set_members(bench->election, bench->members, NULL,
                         own == NULL ? MEMBER_PARTICIPANT : own->role);
}

static void bench_deinit(struct bench *bench)
{
    election_free(bench->election);
    membership_free(bench->members);
    election_effects_deinit(&bench->effects);
}

static void forget(struct bench *bench)
{
    bench->effects.send_count = 0;
    bench->effects.decided = false;
    bench->effects.newer_config = SLICE_NULL;
}

static void start(struct bench *bench, int64_t zxid, int64_t epoch)
{
    forget(bench);
    election_start(bench->election, zxid, epoch, bench->now_ms, &bench->effects);
}

static void hear_config(struct bench *bench, int64_t from, enum peer_state state, struct vote vote,
                        struct slice config)
{
    forget(bench);
    election_hear(bench->election, from,
                  &(struct notification){state, vote.leader, vote.zxid, vote.round, vote.epoch,
                                         ELECTION_VERSION, config},
                  bench->now_ms, &bench->effects);
}

static void hear(struct bench *bench, int64_t from, enum peer_state state, struct vote vote)
{
    hear_config(bench, from, state, vote, SLICE("version=0"));
}

static void set_link(struct bench *bench, int64_t id, enum election_link link)
{
    forget(bench);
    election_set_link(bench->election, id, link, bench->now_ms, &bench->effects);
}

static void pass(struct bench *bench, int64_t ms)
{
    forget(bench);
    bench->now_ms += ms;
    election_tick(bench->election, bench->now_ms, &bench->effects);
}

/* What was sent to this server by the last event; the test fails where it is not just one message. */
static const struct notification *sent_to(const struct bench *bench, int64_t id)
{
    const struct notification *found = NULL;

    for (uint32_t i = 0; i < bench->effects.send_count; i++) {
        if (bench->effects.sends[i].to != id)
            continue;
        CHECK(found == NULL);
        found = &bench->effects.sends[i].notification;
    }
    return found;
}

static void check_sent(const struct bench *bench, int64_t id, enum peer_state state,
                       struct vote vote)
{
    const struct notification *got = sent_to(bench, id);

    CHECK(got != NULL);
    CHECK_I64("state", got->state, state);
    CHECK_I64("leader", got->leader, vote.leader);
    CHECK_I64("zxid", got->zxid, vote.zxid);
    CHECK_I64("round", got->election_epoch, vote.round);
    CHECK_I64("epoch", got->peer_epoch, vote.epoch);
}

static void check_silent(const struct bench *bench)
{
    CHECK_U64("sent", bench->effects.send_count, 0);
}

static void check_looking(const struct bench *bench)
{
    CHECK(!bench->effects.decided);
    CHECK_TEXT("state", peer_state_name(election_state(bench->election)), "LOOKING");
}

static void check_decided(const struct bench *bench, enum peer_state state, int64_t leader)
{
    CHECK(bench->effects.decided);
    CHECK_TEXT("state", peer_state_name(election_state(bench->election)), peer_state_name(state));
    CHECK_I64("leader", election_vote(bench->election).leader, leader);
    CHECK_I64("no timer", election_wake_at_ms(bench->election), INT64_MAX);
}

static struct vote vote_of(int64_t leader, int64_t round)
{
    return (struct vote){leader, ZXID, round, EPOCH};
}

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
        struct bench bench;
        struct buffer ours = {0};
        bench_init(&bench, real.leader, text); /* who votes for itself first */
        start(&bench, 0, 0);
        CHECK_U64("sent", bench.effects.send_count, 2);
        notification_write(&ours, &bench.effects.sends[0].notification);
        CHECK_SLICE(message->said, buffer_slice(&ours), bytes);
        bench_deinit(&bench);
        buffer_deinit(&ours);
        seen++;
    }
    CHECK(seen > 3);
    capture_free(&capture);
}

TEST(a_round_begins_with_a_vote_for_oneself_sent_to_every_other_voter)
{
    struct bench bench;

    bench_init(&bench, 2, three_and_an_observer);
    start(&bench, ZXID, EPOCH);
    CHECK_U64("sent", bench.effects.send_count, 2);
    check_sent(&bench, 1, PEER_LOOKING, vote_of(2, 1));
    check_sent(&bench, 3, PEER_LOOKING, vote_of(2, 1));
    start(&bench, ZXID, EPOCH);
    check_sent(&bench, 1, PEER_LOOKING, vote_of(2, 2));
    bench_deinit(&bench);
}

TEST(a_looking_peer_with_a_smaller_round_gets_our_proposal_and_our_round)
{
    struct bench bench;

    bench_init(&bench, 1, three);
    start(&bench, ZXID, EPOCH);
    start(&bench, ZXID, EPOCH);
    hear(&bench, 2, PEER_LOOKING, vote_of(2, 1));
    CHECK_U64("sent", bench.effects.send_count, 1);
    check_sent(&bench, 2, PEER_LOOKING, vote_of(1, 2));
    bench_deinit(&bench);
}

TEST(a_higher_round_is_joined_with_fresh_votes_and_proposed_anew)
{
    struct bench bench;

    bench_init(&bench, 2, five);
    start(&bench, ZXID, EPOCH);
    hear(&bench, 3, PEER_LOOKING, vote_of(3, 1));
    check_sent(&bench, 3, PEER_LOOKING, vote_of(3, 1));
    hear(&bench, 4, PEER_LOOKING, vote_of(3, 1)); /* 2, 3 and 4 agree */
    CHECK_I64("timer", election_wake_at_ms(bench.election), bench.now_ms + FINALIZE_MS);
    hear(&bench, 1, PEER_LOOKING, vote_of(1, 7));
    check_sent(&bench, 1, PEER_LOOKING, vote_of(2, 7)); /* the own vote beats that one */
    check_sent(&bench, 5, PEER_LOOKING, vote_of(2, 7));
    hear(&bench, 3, PEER_LOOKING, vote_of(2, 7));
    pass(&bench, FINALIZE_MS);
    check_looking(&bench); /* the votes of round 1 are gone */
    hear(&bench, 5, PEER_LOOKING, vote_of(2, 7));
    pass(&bench, FINALIZE_MS);
    check_decided(&bench, PEER_LEADING, 2);
    CHECK_I64("round", election_vote(bench.election).round, 7);
    bench_deinit(&bench);
}

TEST(a_better_vote_of_a_higher_round_is_taken_over)
{
    struct bench bench;

    bench_init(&bench, 2, three);
    start(&bench, ZXID, EPOCH);
    hear(&bench, 1, PEER_LOOKING, vote_of(3, 9));
    check_sent(&bench, 1, PEER_LOOKING, vote_of(3, 9));
    check_sent(&bench, 3, PEER_LOOKING, vote_of(3, 9));
    bench_deinit(&bench);
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
        struct bench bench;
        bench_init(&bench, 2, weights);
        start(&bench, ZXID, EPOCH);
        hear(&bench, 3, PEER_LOOKING, rows[i].vote);
        CHECK_I64(rows[i].name, election_vote(bench.election).leader,
                  rows[i].beats ? rows[i].vote.leader : 2);
        CHECK_I64(rows[i].name, bench.effects.send_count, rows[i].beats ? 3 : 0);
        bench_deinit(&bench);
    }
}

TEST(a_vote_for_who_is_no_voter_is_not_counted)
{
    struct bench bench;

    bench_init(&bench, 1, three_and_an_observer);
    start(&bench, ZXID, EPOCH);
    hear(&bench, 2, PEER_LOOKING, vote_of(4, 1));
    check_silent(&bench);
    hear(&bench, 3, PEER_LOOKING, vote_of(77, 1));
    check_silent(&bench);
    CHECK_I64("leader", election_vote(bench.election).leader, 1);
    hear(&bench, 2, PEER_LOOKING, (struct vote){4, ZXID, 8, EPOCH}); /* nor does its round */
    CHECK_I64("round", election_vote(bench.election).round, 1);
    bench_deinit(&bench);
}

/* --- when it ends --- */

TEST(an_election_ends_200_ms_after_a_quorum_agrees_when_nothing_better_comes)
{
    struct bench bench;

    bench_init(&bench, 1, three);
    start(&bench, ZXID, EPOCH);
    hear(&bench, 2, PEER_LOOKING, vote_of(2, 1));
    check_looking(&bench);
    CHECK_I64("timer", election_wake_at_ms(bench.election), bench.now_ms + FINALIZE_MS);
    pass(&bench, FINALIZE_MS - 1);
    check_looking(&bench);
    hear(&bench, 3, PEER_LOOKING, vote_of(1, 1)); /* nothing better */
    pass(&bench, 1);
    check_decided(&bench, PEER_FOLLOWING, 2);
    bench_deinit(&bench);
}

TEST(an_election_goes_on_when_something_better_comes_in_these_200_ms)
{
    struct bench bench;

    bench_init(&bench, 1, three);
    start(&bench, ZXID, EPOCH);
    hear(&bench, 2, PEER_LOOKING, vote_of(2, 1));
    pass(&bench, FINALIZE_MS - 1);
    hear(&bench, 3, PEER_LOOKING, vote_of(3, 1));
    check_sent(&bench, 2, PEER_LOOKING, vote_of(3, 1));
    pass(&bench, FINALIZE_MS - 1);
    check_looking(&bench);
    pass(&bench, 1);
    check_decided(&bench, PEER_FOLLOWING, 3);
    bench_deinit(&bench);
}

TEST(a_quorum_that_falls_apart_again_decides_nothing)
{
    struct bench bench;

    bench_init(&bench, 3, five);
    start(&bench, ZXID, EPOCH);
    hear(&bench, 1, PEER_LOOKING, vote_of(3, 1));
    hear(&bench, 2, PEER_LOOKING, vote_of(3, 1));
    set_link(&bench, 2, ELECTION_LINK_DOWN);
    pass(&bench, FINALIZE_MS);
    check_looking(&bench);
    bench_deinit(&bench);
}

TEST(an_election_ends_at_once_when_all_who_can_be_reached_agree_and_the_others_are_down)
{
    struct bench bench;

    bench_init(&bench, 2, three); /* 3 led, and is dead */
    set_link(&bench, 1, ELECTION_LINK_OPEN);
    set_link(&bench, 3, ELECTION_LINK_DOWN);
    start(&bench, ZXID, EPOCH);
    check_looking(&bench);
    hear(&bench, 1, PEER_LOOKING, vote_of(2, 1));
    check_decided(&bench, PEER_LEADING, 2);
    check_silent(&bench); /* the other one has all that it needs */
    bench_deinit(&bench);
}

TEST(an_election_ends_at_once_when_all_voters_agree)
{
    struct bench bench;

    bench_init(&bench, 1, three);
    set_link(&bench, 2, ELECTION_LINK_OPEN);
    set_link(&bench, 3, ELECTION_LINK_OPEN);
    start(&bench, ZXID, EPOCH);
    hear(&bench, 3, PEER_LOOKING, vote_of(3, 1));
    check_looking(&bench);
    hear(&bench, 2, PEER_LOOKING, vote_of(3, 1));
    check_decided(&bench, PEER_FOLLOWING, 3);
    bench_deinit(&bench);
}

TEST(an_election_ends_at_once_when_the_last_doubtful_connection_is_refused)
{
    struct bench bench;

    bench_init(&bench, 1, three);
    set_link(&bench, 2, ELECTION_LINK_OPEN);
    start(&bench, ZXID, EPOCH);
    hear(&bench, 2, PEER_LOOKING, vote_of(2, 1));
    check_looking(&bench); /* nobody knows about 3 */
    set_link(&bench, 3, ELECTION_LINK_DOWN);
    check_decided(&bench, PEER_FOLLOWING, 2);
    bench_deinit(&bench);
}

TEST(an_election_waits_for_a_connected_voter_that_has_not_voted)
{
    struct bench bench;

    bench_init(&bench, 1, three);
    set_link(&bench, 2, ELECTION_LINK_OPEN);
    set_link(&bench, 3, ELECTION_LINK_OPEN);
    start(&bench, ZXID, EPOCH);
    hear(&bench, 2, PEER_LOOKING, vote_of(2, 1));
    check_looking(&bench);
    pass(&bench, FINALIZE_MS);
    check_decided(&bench, PEER_FOLLOWING, 2);
    bench_deinit(&bench);
}

TEST(voters_that_agree_and_cannot_be_reached_are_no_reason_to_hurry)
{
    struct bench bench;

    bench_init(&bench, 1, five);
    set_link(&bench, 2, ELECTION_LINK_OPEN);
    set_link(&bench, 4, ELECTION_LINK_DOWN);
    set_link(&bench, 5, ELECTION_LINK_DOWN);
    start(&bench, ZXID, EPOCH);
    hear(&bench, 2, PEER_LOOKING, vote_of(3, 1));
    hear(&bench, 3, PEER_LOOKING, vote_of(3, 1)); /* by a connection that nobody reported */
    check_looking(&bench);
    pass(&bench, FINALIZE_MS);
    check_decided(&bench, PEER_FOLLOWING, 3);
    bench_deinit(&bench);
}

TEST(a_voter_alone_leads_at_once)
{
    struct bench bench;

    bench_init(&bench, 7, "server.7=a:1:2");
    start(&bench, ZXID, EPOCH);
    check_decided(&bench, PEER_LEADING, 7);
    bench_deinit(&bench);
}

TEST(a_quorum_of_groups_needs_most_of_the_weight_in_most_of_the_groups)
{
    struct bench bench;

    bench_init(&bench, 6,
               "server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2\nserver.4=a:1:2\nserver.5=b:1:2\n"
               "server.6=c:1:2\ngroup.1=1:2\ngroup.2=3:4\ngroup.3=5:6\nweight.6=3");
    start(&bench, ZXID, EPOCH); /* 6 is most of group 3 */
    hear(&bench, 1, PEER_LOOKING, vote_of(6, 1));
    hear(&bench, 3, PEER_LOOKING, vote_of(6, 1));
    hear(&bench, 5, PEER_LOOKING, vote_of(6, 1));
    pass(&bench, FINALIZE_MS);
    check_looking(&bench); /* halves of groups 1 and 2 are no majorities */
    hear(&bench, 4, PEER_LOOKING, vote_of(6, 1));
    pass(&bench, FINALIZE_MS);
    check_decided(&bench, PEER_LEADING, 6);
    bench_deinit(&bench);
}

TEST(a_configuration_that_is_proposed_has_to_agree_too)
{
    struct bench bench;
    struct membership *proposed =
        members_of("server.1=a:1:2\nserver.4=d:1:2\nserver.5=e:1:2\nversion=9");

    bench_init(&bench, 1, three);
    election_set_members(bench.election, bench.members, proposed, MEMBER_PARTICIPANT);
    start(&bench, ZXID, EPOCH);
    CHECK_U64("sent", bench.effects.send_count, 4); /* to the voters of both, once */
    hear(&bench, 2, PEER_LOOKING, vote_of(3, 1));
    hear(&bench, 3, PEER_LOOKING, vote_of(3, 1));
    pass(&bench, FINALIZE_MS);
    check_looking(&bench);
    hear(&bench, 4, PEER_LOOKING, vote_of(3, 1));
    pass(&bench, FINALIZE_MS);
    check_decided(&bench, PEER_FOLLOWING, 3);
    bench_deinit(&bench);
    membership_free(proposed);
}

/* --- sending again --- */

TEST(a_proposal_is_sent_again_after_200_400_and_so_on_up_to_60000_ms)
{
    struct bench bench;
    int64_t wait_ms = 200;

    bench_init(&bench, 1, three);
    start(&bench, ZXID, EPOCH);
    for (int i = 0; i < 14; i++) {
        CHECK_I64("due", election_wake_at_ms(bench.election), bench.now_ms + wait_ms);
        pass(&bench, wait_ms - 1);
        check_silent(&bench);
        pass(&bench, 1);
        CHECK_U64("sent", bench.effects.send_count, 2);
        check_sent(&bench, 3, PEER_LOOKING, vote_of(1, 1));
        wait_ms = wait_ms * 2 > 60000 ? 60000 : wait_ms * 2;
    }
    CHECK_I64("longest", wait_ms, 60000);
    hear(&bench, 2, PEER_LOOKING, vote_of(2, 1));
    pass(&bench, FINALIZE_MS - 1);
    check_silent(&bench);
    bench_deinit(&bench);
}

TEST(a_new_proposal_is_sent_again_after_200_ms)
{
    struct bench bench;

    bench_init(&bench, 1, five);
    start(&bench, ZXID, EPOCH);
    pass(&bench, 200);
    pass(&bench, 400);
    hear(&bench, 5, PEER_LOOKING, vote_of(5, 1));
    CHECK_I64("due", election_wake_at_ms(bench.election), bench.now_ms + 200);
    bench_deinit(&bench);
}

TEST(who_has_sent_a_matching_vote_is_sent_nothing_more_for_a_while)
{
    struct bench bench;

    bench_init(&bench, 5, five);
    start(&bench, ZXID, EPOCH);
    hear(&bench, 1, PEER_LOOKING, vote_of(5, 1));
    check_silent(&bench);
    for (int64_t wait_ms = 200; wait_ms <= 400; wait_ms *= 2) {
        pass(&bench, wait_ms);
        CHECK(sent_to(&bench, 1) == NULL);
        CHECK(sent_to(&bench, 2) != NULL);
    }
    pass(&bench, 800); /* by now something must have been lost */
    CHECK(sent_to(&bench, 1) != NULL);
    bench_deinit(&bench);
}

TEST(a_vote_that_came_shortly_before_we_began_to_look_counts)
{
    struct bench bench;

    bench_init(&bench, 1, three);
    set_link(&bench, 2, ELECTION_LINK_OPEN);
    set_link(&bench, 3, ELECTION_LINK_OPEN);
    hear(&bench, 2, PEER_LOOKING, vote_of(2, 1));
    check_silent(&bench);
    set_link(&bench, 3, ELECTION_LINK_DOWN);
    bench.now_ms += 500;
    start(&bench, ZXID, EPOCH);
    check_sent(&bench, 2, PEER_LOOKING, vote_of(2, 1)); /* one message, and the right one */
    check_decided(&bench, PEER_FOLLOWING, 2);
    bench_deinit(&bench);
}

TEST(a_vote_that_came_long_before_we_began_to_look_does_not_count)
{
    struct bench bench;

    bench_init(&bench, 1, three);
    hear(&bench, 2, PEER_LOOKING, vote_of(2, 1));
    bench.now_ms += 501;
    start(&bench, ZXID, EPOCH);
    check_sent(&bench, 2, PEER_LOOKING, vote_of(1, 1));
    pass(&bench, 150);
    hear(&bench, 2, PEER_LOOKING, vote_of(2, 1));
    set_link(&bench, 2, ELECTION_LINK_DOWN); /* nor does one whose connection is gone */
    start(&bench, ZXID, EPOCH);
    check_sent(&bench, 2, PEER_LOOKING, vote_of(1, 2));
    bench_deinit(&bench);
}

TEST(who_was_not_looking_when_our_vote_came_is_sent_it_again_when_it_looks)
{
    struct bench bench;

    bench_init(&bench, 2, three); /* 3 led and is dead; 1 has not seen that yet */
    start(&bench, ZXID, EPOCH);
    hear(&bench, 1, PEER_FOLLOWING, (struct vote){3, 5, 1, EPOCH});
    check_silent(&bench);
    hear(&bench, 1, PEER_LOOKING, vote_of(1, 1));
    check_sent(&bench, 1, PEER_LOOKING, vote_of(2, 1));
    hear(&bench, 1, PEER_LOOKING, vote_of(1, 1));
    check_silent(&bench);
    bench_deinit(&bench);
}

/* --- settled servers --- */

static void settle(struct bench *bench, int64_t my_id, int64_t leader)
{
    bench_init(bench, my_id, three_and_an_observer);
    start(bench, ZXID, EPOCH);
    hear(bench, my_id == 1 ? 2 : 1, PEER_LOOKING, vote_of(leader, 1));
    pass(bench, FINALIZE_MS);
    CHECK(bench->effects.decided);
}

TEST(a_looking_peer_gets_the_final_vote_of_a_settled_server)
{
    struct bench bench;

    settle(&bench, 3, 3);
    hear(&bench, 2, PEER_LOOKING, vote_of(2, 9));
    check_sent(&bench, 2, PEER_LEADING, vote_of(3, 1));
    CHECK_U64("sent", bench.effects.send_count, 1);
    bench_deinit(&bench);
    settle(&bench, 1, 3);
    hear(&bench, 2, PEER_LOOKING, vote_of(2, 9));
    check_sent(&bench, 2, PEER_FOLLOWING, vote_of(3, 1));
    bench_deinit(&bench);
}

/* Its log may take long to come to an end, on a full disk for ever. */
TEST(who_has_left_its_role_tells_nobody_that_it_leads_until_it_looks_again)
{
    struct bench bench;

    settle(&bench, 3, 3);
    election_resign(bench.election);
    CHECK(election_state(bench.election) == PEER_LOOKING);
    hear(&bench, 2, PEER_LOOKING, vote_of(2, 9));
    hear(&bench, 1, PEER_LOOKING, vote_of(2, 9));
    pass(&bench, 10 * FINALIZE_MS);
    check_silent(&bench);
    start(&bench, ZXID, EPOCH);
    check_looking(&bench);
    CHECK(bench.effects.send_count > 0);
    bench_deinit(&bench);
}

TEST(answers_carry_the_new_epoch_when_it_is_agreed_with_the_old_zxid_and_round)
{
    struct bench bench;

    settle(&bench, 3, 3);
    election_set_epoch(bench.election, EPOCH + 1);
    hear(&bench, 2, PEER_LOOKING, vote_of(2, 9));
    check_sent(&bench, 2, PEER_LEADING, (struct vote){3, ZXID, 1, EPOCH + 1});
    bench_deinit(&bench);
}

TEST(a_settled_server_answers_nobody_who_is_settled)
{
    struct bench bench;

    settle(&bench, 3, 3);
    hear(&bench, 2, PEER_FOLLOWING, vote_of(2, 9));
    check_silent(&bench);
    hear(&bench, 2, PEER_LEADING, vote_of(2, 9));
    check_silent(&bench);
    hear(&bench, 2, PEER_OBSERVING, vote_of(2, 9));
    check_silent(&bench);
    hear(&bench, 2, (enum peer_state)17, vote_of(2, 9));
    check_silent(&bench);
    CHECK(!bench.effects.decided);
    bench_deinit(&bench);
}

TEST(a_late_vote_that_agrees_is_not_answered_and_its_repetition_is)
{
    struct bench bench;

    settle(&bench, 3, 3); /* with 1; 2 is waiting for better votes now */
    hear(&bench, 2, PEER_LOOKING, vote_of(3, 1));
    check_silent(&bench);
    hear(&bench, 2, PEER_LOOKING, vote_of(3, 1)); /* it does not get on */
    check_sent(&bench, 2, PEER_LEADING, vote_of(3, 1));
    bench_deinit(&bench);
}

TEST(who_was_still_looking_elsewhere_is_told_the_decision)
{
    struct bench bench;

    bench_init(&bench, 3, three_and_an_observer);
    set_link(&bench, 1, ELECTION_LINK_OPEN);
    set_link(&bench, 2, ELECTION_LINK_OPEN);
    set_link(&bench, 4, ELECTION_LINK_OPEN);
    start(&bench, ZXID, EPOCH);
    hear(&bench, 2, PEER_LOOKING, vote_of(2, 1));
    hear(&bench, 4, PEER_LOOKING, (struct vote){INT64_MIN, INT64_MIN, 1, INT64_MIN});
    check_sent(&bench, 4, PEER_LOOKING, vote_of(3, 1));
    hear(&bench, 1, PEER_LOOKING, vote_of(3, 1));
    pass(&bench, FINALIZE_MS);
    check_decided(&bench, PEER_LEADING, 3);
    CHECK(sent_to(&bench, 1) == NULL); /* it agreed */
    check_sent(&bench, 2, PEER_LEADING, vote_of(3, 1));
    check_sent(&bench, 4, PEER_LEADING, vote_of(3, 1));
    bench_deinit(&bench);
}

TEST(a_voter_that_looks_again_is_seen)
{
    struct bench bench;

    settle(&bench, 3, 3); /* with the vote of 1 */
    CHECK(!election_looks_again(bench.election, 1));
    hear(&bench, 1, PEER_LOOKING, vote_of(1, 2));
    CHECK(election_looks_again(bench.election, 1));
    hear(&bench, 1, PEER_FOLLOWING, vote_of(3, 2));
    CHECK(!election_looks_again(bench.election, 1));
    CHECK(!election_looks_again(bench.election, 2));
    bench_deinit(&bench);
}

TEST(a_leader_knows_which_of_those_that_look_again_have_elected_it)
{
    struct bench bench;

    settle(&bench, 3, 3); /* with the vote of 1 */
    CHECK(!election_elector_looks_again(bench.election, 1));
    hear(&bench, 2, PEER_LOOKING, vote_of(2, 1));
    CHECK(election_looks_again(bench.election, 2));
    CHECK(!election_elector_looks_again(bench.election, 2));
    set_link(&bench, 1, ELECTION_LINK_DOWN); /* it starts anew */
    set_link(&bench, 1, ELECTION_LINK_OPEN);
    CHECK(!election_elector_looks_again(bench.election, 1));
    hear(&bench, 1, PEER_LOOKING, vote_of(1, 1));
    CHECK(election_elector_looks_again(bench.election, 1));
    bench_deinit(&bench);
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
    struct bench bench;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        settle(&bench, 1, 3); /* with the vote of 2 */
        set_link(&bench, 3, ELECTION_LINK_OPEN);
        CHECK(!election_leader_turned_away(bench.election));
        hear(&bench, 2, PEER_LOOKING, vote_of(2, 2)); /* that is not the one */
        CHECK(!election_leader_turned_away(bench.election));
        hear(&bench, 3, rows[i].state, vote_of(rows[i].leader, rows[i].round));
        CHECK(election_leader_turned_away(bench.election) == rows[i].turned_away);
        start(&bench, ZXID, EPOCH);
        CHECK(!election_leader_turned_away(bench.election));
        bench_deinit(&bench);
    }
}

TEST(a_follower_sees_that_the_one_it_elected_is_gone)
{
    struct bench bench;

    settle(&bench, 1, 3);
    set_link(&bench, 2, ELECTION_LINK_DOWN);
    CHECK(!election_leader_is_gone(bench.election));
    set_link(&bench, 3, ELECTION_LINK_DOWN);
    CHECK(election_leader_is_gone(bench.election));
    set_link(&bench, 3, ELECTION_LINK_UNKNOWN);
    CHECK(!election_leader_is_gone(bench.election));
    bench_deinit(&bench);
    settle(&bench, 3, 3); /* it leads itself */
    CHECK(!election_leader_is_gone(bench.election));
    CHECK(!election_leader_turned_away(bench.election));
    bench_deinit(&bench);
}

/* --- two voters and an oracle --- */

static const char two[] = "server.1=h1:1:11\nserver.2=h2:1:12";

static void ask(struct bench *bench, enum oracle oracle)
{
    forget(bench);
    election_set_oracle(bench->election, oracle, bench->now_ms, &bench->effects);
}

TEST(of_two_voters_one_elects_itself_when_the_other_is_silent_and_the_oracle_grants_it)
{
    struct bench bench;

    bench_init(&bench, 1, two);
    ask(&bench, ORACLE_GRANTS);
    start(&bench, ZXID, EPOCH);
    pass(&bench, FINALIZE_MS - 1);
    check_looking(&bench); /* the other one may be about to speak */
    pass(&bench, 1);
    pass(&bench, FINALIZE_MS);
    check_decided(&bench, PEER_LEADING, 1);
    bench_deinit(&bench);
}

TEST(an_oracle_that_refuses_leaves_both_voters_needed_until_it_grants)
{
    struct bench bench;

    bench_init(&bench, 1, two);
    ask(&bench, ORACLE_REFUSES);
    start(&bench, ZXID, EPOCH);
    for (int i = 0; i < 100; i++)
        pass(&bench, 1000);
    check_looking(&bench);
    ask(&bench, ORACLE_GRANTS);
    pass(&bench, FINALIZE_MS);
    check_decided(&bench, PEER_LEADING, 1);
    bench_deinit(&bench);
}

TEST(who_hears_the_other_voter_does_not_elect_itself_by_the_oracle)
{
    struct bench bench;

    bench_init(&bench, 1, two);
    ask(&bench, ORACLE_GRANTS);
    start(&bench, ZXID, EPOCH);
    hear(&bench, 2, PEER_LOOKING, vote_of(2, 1)); /* has a better vote */
    pass(&bench, FINALIZE_MS);
    check_decided(&bench, PEER_FOLLOWING, 2);
    bench_deinit(&bench);
}

TEST(an_oracle_says_nothing_to_one_of_three)
{
    struct bench bench;

    bench_init(&bench, 3, three_and_an_observer);
    ask(&bench, ORACLE_GRANTS);
    start(&bench, ZXID, EPOCH);
    for (int i = 0; i < 100; i++)
        pass(&bench, 1000);
    check_looking(&bench);
    bench_deinit(&bench);
}

TEST(a_leader_that_goes_on_alone_is_joined_where_there_is_an_oracle)
{
    static const enum oracle rows[] = {ORACLE_NONE, ORACLE_REFUSES, ORACLE_GRANTS};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bench bench;
        bench_init(&bench, 1, two);
        ask(&bench, rows[i]);
        start(&bench, ZXID, EPOCH);
        hear(&bench, 2, PEER_LEADING, vote_of(2, 7));
        if (rows[i] == ORACLE_NONE)
            check_looking(&bench);
        else
            check_decided(&bench, PEER_FOLLOWING, 2);
        bench_deinit(&bench);
    }
}

/* --- joining --- */

TEST(joining_a_settled_ensemble_needs_a_quorum_that_follows_and_the_leader_itself)
{
    struct bench bench;
    /* elected in round 4 with another zxid, and in epoch 2 by now */
    const struct vote settled = {2, 0x100000001, 4, 2};

    bench_init(&bench, 1, three);
    start(&bench, ZXID, EPOCH);
    hear(&bench, 2, PEER_LEADING, settled);
    check_looking(&bench); /* a leader alone is none */
    hear(&bench, 3, PEER_FOLLOWING, settled);
    check_decided(&bench, PEER_FOLLOWING, 2);
    CHECK_I64("round", election_vote(bench.election).round, 4);
    CHECK_I64("zxid", election_vote(bench.election).zxid, 0x100000001);
    hear(&bench, 3, PEER_LOOKING, vote_of(3, 1));
    check_sent(&bench, 3, PEER_FOLLOWING, settled);
    start(&bench, ZXID, EPOCH);
    CHECK_I64("next round", election_vote(bench.election).round, 5);
    bench_deinit(&bench);
}

TEST(a_quorum_of_followers_without_their_leader_does_not_end_an_election)
{
    struct bench bench;
    const struct vote settled = {5, 0x100000001, 4, 2};

    bench_init(&bench, 1, five);
    start(&bench, ZXID, EPOCH);
    hear(&bench, 2, PEER_FOLLOWING, settled);
    hear(&bench, 3, PEER_FOLLOWING, settled);
    hear(&bench, 4, PEER_FOLLOWING, settled);
    check_looking(&bench);
    hear(&bench, 5, PEER_FOLLOWING, settled); /* it says itself that it does not lead */
    check_looking(&bench);
    hear(&bench, 5, PEER_LEADING, settled);
    check_decided(&bench, PEER_FOLLOWING, 5);
    bench_deinit(&bench);
}

TEST(followers_of_different_epochs_are_no_quorum_outside_of_their_round)
{
    struct bench bench;

    bench_init(&bench, 1, three);
    start(&bench, ZXID, EPOCH);
    hear(&bench, 2, PEER_LEADING, (struct vote){2, ZXID, 4, 3});
    hear(&bench, 3, PEER_FOLLOWING, (struct vote){2, ZXID, 3, 2});
    check_looking(&bench);
    hear(&bench, 3, PEER_FOLLOWING, (struct vote){2, ZXID, 3, 3}); /* rounds may differ */
    check_decided(&bench, PEER_FOLLOWING, 2);
    bench_deinit(&bench);
}

TEST(in_one_round_the_leaders_id_is_enough)
{
    struct bench bench;

    bench_init(&bench, 1, three);
    start(&bench, ZXID, EPOCH);
    hear(&bench, 2, PEER_LEADING, (struct vote){2, ZXID, 1, 3});
    hear(&bench, 3, PEER_FOLLOWING, (struct vote){2, ZXID, 1, 2}); /* not in epoch 3 yet */
    check_decided(&bench, PEER_FOLLOWING, 2);
    bench_deinit(&bench);
}

TEST(followers_of_mine_in_my_round_make_me_the_leader)
{
    struct bench bench;

    bench_init(&bench, 1, three);
    start(&bench, ZXID, EPOCH);
    hear(&bench, 2, PEER_FOLLOWING, vote_of(1, 7));
    hear(&bench, 3, PEER_FOLLOWING, vote_of(1, 7));
    check_looking(&bench); /* they follow a former life of mine */
    bench_deinit(&bench);
    bench_init(&bench, 1, three);
    start(&bench, ZXID, EPOCH);
    hear(&bench, 2, PEER_FOLLOWING, vote_of(1, 1));
    check_decided(&bench, PEER_LEADING, 1); /* my own vote counts in my round */
    bench_deinit(&bench);
}

TEST(what_a_server_said_is_forgotten_when_it_looks_again_or_is_gone)
{
    struct bench bench;
    const struct vote settled = {2, 0x100000001, 4, 2};

    bench_init(&bench, 1, three);
    start(&bench, ZXID, EPOCH);
    hear(&bench, 2, PEER_LEADING, settled);
    set_link(&bench, 2, ELECTION_LINK_DOWN);
    hear(&bench, 3, PEER_FOLLOWING, settled);
    check_looking(&bench); /* the leader is dead */
    hear(&bench, 3, PEER_LOOKING, vote_of(3, 1));
    hear(&bench, 2, PEER_LEADING, settled);
    check_looking(&bench); /* its follower has left it */
    bench_deinit(&bench);
}

TEST(a_peer_of_a_release_without_versions_is_compared_by_leader_alone)
{
    struct bench bench;

    bench_init(&bench, 1, three);
    start(&bench, ZXID, EPOCH);
    hear(&bench, 2, PEER_LEADING, (struct vote){2, ZXID, 4, 3});
    forget(&bench);
    election_hear(bench.election, 3,
                  &(struct notification){PEER_FOLLOWING, 2, ZXID, 4, 1, 0, SLICE_NULL},
                  bench.now_ms, &bench.effects);
    check_decided(&bench, PEER_FOLLOWING, 2);
    bench_deinit(&bench);
}

/* --- who does not vote --- */

TEST(an_observers_and_a_strangers_notification_is_answered_and_not_counted)
{
    struct bench bench;

    bench_init(&bench, 1, three_and_an_observer);
    start(&bench, ZXID, EPOCH);
    hear(&bench, 4, PEER_LOOKING, vote_of(1, 1));
    check_sent(&bench, 4, PEER_LOOKING, vote_of(1, 1));
    hear(&bench, 77, PEER_LOOKING, vote_of(1, 1));
    check_sent(&bench, 77, PEER_LOOKING, vote_of(1, 1));
    hear(&bench, 78, PEER_LOOKING, vote_of(77, 9));
    check_sent(&bench, 78, PEER_LOOKING, vote_of(1, 1)); /* nor is its round joined */
    pass(&bench, FINALIZE_MS);
    check_looking(&bench);
    hear(&bench, 2, PEER_LOOKING, vote_of(3, 1));
    pass(&bench, FINALIZE_MS);
    check_decided(&bench, PEER_FOLLOWING, 3);
    hear(&bench, 78, PEER_FOLLOWING, vote_of(77, 9));
    check_sent(&bench, 78, PEER_FOLLOWING, vote_of(3, 1));
    bench_deinit(&bench);
}

TEST(two_servers_that_take_each_other_for_strangers_do_not_chatter)
{
    struct bench bench;

    bench_init(&bench, 1, three);
    start(&bench, ZXID, EPOCH);
    hear(&bench, 77, PEER_LOOKING, vote_of(77, 1));
    CHECK_U64("answers", bench.effects.send_count, 1);
    hear(&bench, 77, PEER_LOOKING, vote_of(77, 1));
    check_silent(&bench);
    pass(&bench, 20);
    hear(&bench, 77, PEER_LOOKING, vote_of(77, 1));
    CHECK_U64("answers", bench.effects.send_count, 1);
    bench_deinit(&bench);
}

TEST(an_observer_proposes_nobody_and_ends_observing)
{
    struct bench bench;
    const struct vote nobody = {INT64_MIN, INT64_MIN, 1, INT64_MIN};

    bench_init(&bench, 4, three_and_an_observer);
    start(&bench, ZXID, EPOCH);
    CHECK_U64("sent", bench.effects.send_count, 3);
    check_sent(&bench, 1, PEER_LOOKING, nobody);
    hear(&bench, 1, PEER_FOLLOWING, vote_of(3, 1));
    check_looking(&bench);
    hear(&bench, 3, PEER_LEADING, vote_of(3, 1));
    check_decided(&bench, PEER_OBSERVING, 3);
    bench_deinit(&bench);
}

TEST(an_observer_may_also_see_the_voters_agree)
{
    struct bench bench;

    bench_init(&bench, 4, three_and_an_observer);
    start(&bench, ZXID, EPOCH);
    hear(&bench, 1, PEER_LOOKING, vote_of(3, 1));
    check_sent(&bench, 2, PEER_LOOKING, vote_of(3, 1));
    hear(&bench, 3, PEER_LOOKING, vote_of(3, 1));
    pass(&bench, FINALIZE_MS);
    check_decided(&bench, PEER_OBSERVING, 3);
    bench_deinit(&bench);
}

TEST(a_participant_that_is_not_listed_proposes_nobody_with_its_own_zxid_and_epoch)
{
    struct bench bench;

    bench_init(&bench, 9, three);
    start(&bench, ZXID, EPOCH);
    check_sent(&bench, 2, PEER_LOOKING, vote_of(INT64_MIN, 1));
    hear(&bench, 2, PEER_FOLLOWING, vote_of(3, 1));
    hear(&bench, 3, PEER_LEADING, vote_of(3, 1));
    check_decided(&bench, PEER_FOLLOWING, 3);
    bench_deinit(&bench);
}

TEST(a_server_that_lost_what_it_had_does_not_vote_and_may_join_a_leader)
{
    struct bench bench;

    bench_init(&bench, 1, three);
    start(&bench, -1, EPOCH);
    check_sent(&bench, 2, PEER_LOOKING, (struct vote){1, -1, 1, EPOCH});
    hear(&bench, 2, PEER_LOOKING, vote_of(2, 1));
    check_silent(&bench);
    hear(&bench, 3, PEER_LOOKING, vote_of(2, 1));
    pass(&bench, FINALIZE_MS);
    check_looking(&bench);
    hear(&bench, 2, PEER_LEADING, vote_of(2, 2));
    check_looking(&bench); /* it is no part of a majority */
    hear(&bench, 3, PEER_FOLLOWING, vote_of(2, 2));
    check_decided(&bench, PEER_OBSERVING, 2); /* which voters do not listen to */
    bench_deinit(&bench);
}

TEST(a_server_that_lost_what_it_had_joins_only_when_all_tell_of_one_epoch)
{
    struct bench bench;
    struct vote vote = vote_of(2, 1); /* the round in which it looks, too */

    bench_init(&bench, 1, three);
    start(&bench, -1, EPOCH);
    hear(&bench, 2, PEER_LEADING, vote);
    vote.epoch++;
    hear(&bench, 3, PEER_FOLLOWING, vote);
    check_looking(&bench);
    hear(&bench, 2, PEER_LEADING, vote);
    check_decided(&bench, PEER_OBSERVING, 2);
    CHECK_I64("epoch", election_vote(bench.election).epoch, vote.epoch);
    bench_deinit(&bench);
}

TEST(a_server_that_lost_what_it_had_never_leads_whatever_others_say)
{
    struct bench bench;

    bench_init(&bench, 3, three);
    start(&bench, -1, EPOCH);
    hear(&bench, 1, PEER_FOLLOWING, vote_of(3, 1)); /* they have not noticed its end */
    hear(&bench, 2, PEER_FOLLOWING, vote_of(3, 1));
    pass(&bench, FINALIZE_MS);
    check_looking(&bench);
    bench_deinit(&bench);
}

TEST(the_vote_of_a_server_that_lost_what_it_had_is_not_counted)
{
    struct bench bench;

    bench_init(&bench, 1, three);
    start(&bench, ZXID, EPOCH);
    hear(&bench, 2, PEER_LOOKING, (struct vote){2, -1, 1, EPOCH + 5});
    check_silent(&bench);
    hear(&bench, 2, PEER_LOOKING, (struct vote){2, -1, 9, EPOCH + 5});
    check_silent(&bench);
    CHECK_I64("leader", election_vote(bench.election).leader, 1);
    CHECK_I64("round", election_vote(bench.election).round, 1);
    bench_deinit(&bench);
}

/* --- configurations --- */

TEST(a_configuration_with_a_higher_version_is_offered_while_looking)
{
    struct bench bench;
    const struct slice newer = SLICE("server.1=a:1:2\nserver.2=b:1:2\nversion=100000003");

    bench_init(&bench, 1, three);
    start(&bench, ZXID, EPOCH);
    hear_config(&bench, 2, PEER_LOOKING, vote_of(2, 1), SLICE("server.1=a:1:2\nversion=0"));
    CHECK(bench.effects.newer_config.data == NULL);
    hear_config(&bench, 2, PEER_LOOKING, vote_of(2, 1), SLICE("not a configuration"));
    CHECK(bench.effects.newer_config.data == NULL);
    hear_config(&bench, 2, PEER_LOOKING, vote_of(2, 1), newer);
    CHECK_SLICE("newer", bench.effects.newer_config, newer);
    hear_config(&bench, 77, PEER_FOLLOWING, vote_of(2, 1), newer); /* a stranger may know more */
    CHECK_SLICE("newer", bench.effects.newer_config, newer);
    bench_deinit(&bench);
    settle(&bench, 3, 3);
    hear_config(&bench, 2, PEER_LOOKING, vote_of(2, 1), newer);
    CHECK(bench.effects.newer_config.data == NULL);
    bench_deinit(&bench);
}

TEST(the_election_starts_anew_with_the_configuration_that_was_adopted)
{
    struct bench bench;
    struct membership *adopted = members_of("server.1=a:1:2\nserver.9=x:1:2\nversion=5");

    bench_init(&bench, 1, three);
    start(&bench, ZXID, EPOCH);
    election_set_members(bench.election, adopted, NULL, MEMBER_PARTICIPANT);
    start(&bench, ZXID, EPOCH);
    CHECK_U64("sent", bench.effects.send_count, 1);
    check_sent(&bench, 9, PEER_LOOKING, vote_of(1, 2));
    CHECK_SLICE("config", sent_to(&bench, 9)->config,
                SLICE("server.1=a:1:2:participant\nserver.9=x:1:2:participant\nversion=5"));
    bench_deinit(&bench);
    membership_free(adopted);
}

TEST(strangers_without_end_are_forgotten_one_for_another)
{
    struct bench bench;

    bench_init(&bench, 1, three);
    start(&bench, ZXID, EPOCH);
    hear(&bench, 2, PEER_LOOKING, vote_of(1, 1));
    for (int64_t id = 100; id < 5000; id++) {
        bench.now_ms++;
        hear(&bench, id, PEER_LOOKING, vote_of(id, 1));
        CHECK_U64("answers", bench.effects.send_count, 1);
    }
    pass(&bench, FINALIZE_MS); /* the voter is not forgotten */
    check_decided(&bench, PEER_LEADING, 1);
    bench_deinit(&bench);
}
