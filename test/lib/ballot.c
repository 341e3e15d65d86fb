/* ballot.c: see ballot.h. */
#include "test/lib/ballot.h"

#include "test/lib/check.h"

const char ballot_three[] = "server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2";
const char ballot_three_and_an_observer[] =
    "server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2\nserver.4=d:1:2:observer";
const char ballot_five[] = "server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2\nserver.4=d:1:2\n"
                           "server.5=e:1:2";

struct membership *ballot_members(const char *text)
{
    struct buffer problem = {0};
    struct membership *members = membership_parse(slice_text(text), &problem);

    CHECK(members != NULL);
    buffer_deinit(&problem);
    return members;
}

void ballot_init(struct ballot *ballot, int64_t my_id, const char *text)
{
    *ballot = (struct ballot){.now_ms = 1000000, .members = ballot_members(text)};
    ballot->election = election_new(&(struct election_options){.my_id = my_id,
                                                               .finalize_ms = BALLOT_FINALIZE_MS,
                                                               .resend_min_ms = 200,
                                                               .resend_max_ms = 60000});
    const struct member *own = membership_find(ballot->members, my_id);
    election_set_members(ballot->election, ballot->members, NULL,
                         own == NULL ? MEMBER_PARTICIPANT : own->role);
}

void ballot_deinit(struct ballot *ballot)
{
    election_free(ballot->election);
    membership_free(ballot->members);
    election_effects_deinit(&ballot->effects);
}

void ballot_forget(struct ballot *ballot)
{
    ballot->effects.send_count = 0;
    ballot->effects.decided = false;
    ballot->effects.newer_version = 0;
}

void ballot_start(struct ballot *ballot, int64_t zxid, int64_t epoch)
{
    ballot_forget(ballot);
    election_start(ballot->election, zxid, epoch, ballot->now_ms, &ballot->effects);
}

void ballot_begin(struct ballot *ballot, int64_t my_id, const char *text)
{
    ballot_init(ballot, my_id, text);
    ballot_start(ballot, BALLOT_ZXID, BALLOT_EPOCH);
}

void ballot_hear_config(struct ballot *ballot, int64_t from, enum peer_state state,
                        struct vote vote, struct slice config)
{
    ballot_forget(ballot);
    election_hear(ballot->election, from,
                  &(struct notification){state, vote.leader, vote.zxid, vote.round, vote.epoch,
                                         ELECTION_VERSION, config},
                  ballot->now_ms, &ballot->effects);
}

void ballot_hear(struct ballot *ballot, int64_t from, enum peer_state state, struct vote vote)
{
    ballot_hear_config(ballot, from, state, vote, SLICE("version=0"));
}

void ballot_set_link(struct ballot *ballot, int64_t id, enum election_link link)
{
    ballot_forget(ballot);
    election_set_link(ballot->election, id, link, ballot->now_ms, &ballot->effects);
}

void ballot_pass(struct ballot *ballot, int64_t ms)
{
    ballot_forget(ballot);
    ballot->now_ms += ms;
    election_tick(ballot->election, ballot->now_ms, &ballot->effects);
}

const struct notification *ballot_sent_to(const struct ballot *ballot, int64_t id)
{
    const struct notification *found = NULL;

    for (uint32_t i = 0; i < ballot->effects.send_count; i++) {
        if (ballot->effects.sends[i].to != id)
            continue;
        CHECK(found == NULL);
        found = &ballot->effects.sends[i].notification;
    }
    return found;
}

void ballot_check_sent(const struct ballot *ballot, int64_t id, enum peer_state state,
                       struct vote vote)
{
    const struct notification *got = ballot_sent_to(ballot, id);

    CHECK(got != NULL);
    CHECK_I64("state", got->state, state);
    CHECK_I64("leader", got->leader, vote.leader);
    CHECK_I64("zxid", got->zxid, vote.zxid);
    CHECK_I64("round", got->election_epoch, vote.round);
    CHECK_I64("epoch", got->peer_epoch, vote.epoch);
}

void ballot_check_silent(const struct ballot *ballot)
{
    CHECK_U64("sent", ballot->effects.send_count, 0);
}

void ballot_check_looking(const struct ballot *ballot)
{
    CHECK(!ballot->effects.decided);
    CHECK_TEXT("state", peer_state_name(election_state(ballot->election)), "LOOKING");
}

void ballot_check_decided(const struct ballot *ballot, enum peer_state state, int64_t leader)
{
    CHECK(ballot->effects.decided);
    CHECK_TEXT("state", peer_state_name(election_state(ballot->election)), peer_state_name(state));
    CHECK_I64("leader", election_vote(ballot->election).leader, leader);
    CHECK_I64("no timer", election_wake_at_ms(ballot->election), INT64_MAX);
}

struct vote ballot_vote(int64_t leader, int64_t round)
{
    return (struct vote){leader, BALLOT_ZXID, round, BALLOT_EPOCH};
}
