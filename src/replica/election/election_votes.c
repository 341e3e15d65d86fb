/* election_votes.c: who there is, which of two votes is better, and whether a quorum has voted the same. */
#include "replica/election/election_votes.h"

#include "base/array.h"

enum {
    PEERS_FIRST = 8,
    STRANGERS_MAX = 1024 /* servers that are no voters, remembered at a time */
};

/* ---- Who there is ---- */

bool election_has_no_vote(const struct election *election)
{
    return election->initial.zxid == -1;
}

bool election_is_voter(const struct election *election, int64_t id)
{
    if (election->committed == NULL)
        return false;
    return membership_is_voter(election->committed, id) ||
           (election->last_seen != NULL && membership_is_voter(election->last_seen, id));
}

struct election_peer *election_find_peer(const struct election *election, int64_t id)
{
    for (uint32_t i = 0; i < election->peer_count; i++) {
        if (election->peers[i].id == id)
            return &election->peers[i];
    }
    return NULL;
}

/* A stranger is forgotten for another one when there are too many; the oldest first. */
static void make_room(struct election *election)
{
    struct election_peer *oldest = NULL;
    uint32_t strangers = 0;

    for (uint32_t i = 0; i < election->peer_count; i++) {
        struct election_peer *peer = &election->peers[i];
        if (election_is_voter(election, peer->id))
            continue;
        strangers++;
        if (oldest == NULL || peer->last_ms < oldest->last_ms)
            oldest = peer;
    }
    ASSERT(strangers == 0 || oldest != NULL);
    if (strangers >= STRANGERS_MAX)
        *oldest = election->peers[--election->peer_count];
}

struct election_peer *election_get_peer(struct election *election, int64_t id)
{
    struct election_peer *peer = election_find_peer(election, id);

    if (peer != NULL)
        return peer;
    make_room(election);
    election->peers = ARRAY_RESERVE(election->peers, election->peer_capacity,
                                    election->peer_count + 1, PEERS_FIRST);
    peer = &election->peers[election->peer_count++];
    *peer = (struct election_peer){.id = id, .answered_ms = INT64_MIN};
    return peer;
}

void election_for_each_voter(struct election *election,
                             void (*call)(struct election *election, struct election_peer *peer,
                                          void *context),
                             void *context)
{
    const struct membership *memberships[] = {election->committed, election->last_seen};

    for (size_t which = 0; which < ARRAY_LEN(memberships); which++) {
        for (uint32_t i = 0; memberships[which] != NULL && i < memberships[which]->member_count;
             i++) {
            const struct member *member = &memberships[which]->members[i];
            if (member->role != MEMBER_PARTICIPANT || member->id == election->options.my_id ||
                (which == 1 && membership_is_voter(election->committed, member->id)))
                continue;
            call(election, election_get_peer(election, member->id), context);
        }
    }
}

/* ---- Votes ---- */

bool votes_are_same(const struct vote *left, const struct vote *right)
{
    return left->leader == right->leader && left->zxid == right->zxid &&
           left->round == right->round && left->epoch == right->epoch;
}

/* Outside of an election zxid and round are those of the election that a server took part in, and differ;
 * and a server of a release that sends no version does not keep its epoch up to date. */
static bool same_ballot(const struct ballot *left, const struct ballot *right)
{
    if (left->state == PEER_LOOKING || right->state == PEER_LOOKING)
        return votes_are_same(&left->vote, &right->vote);
    if ((left->version > 0) != (right->version > 0))
        return left->vote.leader == right->vote.leader;
    return left->vote.leader == right->vote.leader && left->vote.epoch == right->vote.epoch;
}

bool vote_beats(const struct election *election, const struct vote *one, const struct vote *other)
{
    int64_t weight = membership_weight(election->committed, one->leader);

    if (!membership_is_voter(election->committed, one->leader) && election->last_seen != NULL)
        weight = membership_weight(election->last_seen, one->leader);
    if (weight == 0)
        return false;
    if (one->epoch != other->epoch)
        return one->epoch > other->epoch;
    if (one->zxid != other->zxid)
        return one->zxid > other->zxid;
    return one->leader > other->leader;
}

bool votes_agree(const void *context, int64_t id)
{
    const struct votes_count *count = context;

    if (id == count->election->options.my_id) { /* our own vote is the proposal */
        struct ballot own = {.vote = count->election->vote, .state = PEER_LOOKING};
        return !count->outside && !election_has_no_vote(count->election) &&
               same_ballot(&own, &count->ballot);
    }
    const struct election_peer *peer = election_find_peer(count->election, id);
    if (peer == NULL || (count->live_only && peer->link != ELECTION_LINK_OPEN))
        return false;
    if (count->outside)
        return peer->has_outside && same_ballot(&peer->outside, &count->ballot);
    return peer->has_ballot && same_ballot(&peer->ballot, &count->ballot);
}

bool votes_are_quorum(const struct votes_count *count)
{
    const struct election *election = count->election;

    return membership_quorum(election->committed, votes_agree, count) &&
           (election->last_seen == NULL ||
            membership_quorum(election->last_seen, votes_agree, count));
}
