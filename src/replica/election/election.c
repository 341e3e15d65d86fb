/* election.c: rounds and the decision.
 *
 * Every public function ends with the same three steps: a changed vote is sent to all voters, then
 * the votes are counted, then servers that are still looking are sent the decision. So a decision
 * never depends on a vote of this server that was not sent. */
#include "replica/election/election_votes.h"

#include "base/array.h"

enum {
    SENDS_FIRST = 8,
    STRANGER_ANSWER_MS =
        20,                /* two configurations that disagree must not make two servers chatter */
    HEARD_BEFORE_MS = 500, /* how old a vote may be that came before we began to look */
    RESEND_TO_ALL_MS = 1600, /* from this interval on, matching voters are sent the proposal, too */
    RESEND_WITHOUT_VOTE_MS = 1000 /* only an answer tells such a server that there is a leader */
};
#define NOBODY INT64_MIN

struct election *election_new(const struct election_options *options)
{
    struct election *election = mem_zalloc(sizeof(*election));

    ASSERT(options->finalize_ms >= 0 && options->resend_min_ms > 0 &&
           options->resend_max_ms >= options->resend_min_ms);
    election->options = *options;
    election->finalize_at_ms = election->resend_at_ms = INT64_MAX;
    election->vote = (struct vote){.leader = NOBODY};
    return election;
}

void election_free(struct election *election)
{
    if (election == NULL)
        return;
    buffer_deinit(&election->config);
    mem_free(election->peers);
    mem_free(election);
}

void election_effects_deinit(struct election_effects *effects)
{
    mem_free(effects->sends);
    *effects = (struct election_effects){0};
}

void election_set_members(struct election *election, const struct membership *committed,
                          const struct membership *last_seen, enum member_role own_role)
{
    bool newer = last_seen != NULL && last_seen->version > committed->version;

    ASSERT(committed != NULL);
    election->committed = committed;
    election->last_seen = newer ? last_seen : NULL;
    election->own_role = own_role;
    election->config.size = 0;
    membership_write(&election->config, committed);
}

enum peer_state election_state(const struct election *election)
{
    return election->state;
}

struct vote election_vote(const struct election *election)
{
    return election->vote;
}

void election_set_epoch(struct election *election, int64_t epoch)
{
    ASSERT(election->state != PEER_LOOKING);
    election->vote.epoch = epoch;
}

int64_t election_wake_at_ms(const struct election *election)
{
    return election->finalize_at_ms < election->resend_at_ms ? election->finalize_at_ms
                                                             : election->resend_at_ms;
}

bool election_looks_again(const struct election *election, int64_t id)
{
    const struct election_peer *peer = election_find_peer(election, id);

    return election->state != PEER_LOOKING && peer != NULL && peer->heard && peer->since_decision &&
           peer->last.state == PEER_LOOKING;
}

bool election_elector_looks_again(const struct election *election, int64_t id)
{
    const struct election_peer *peer = election_find_peer(election, id);

    return election->state == PEER_LEADING && election_looks_again(election, id) &&
           peer->elected_us;
}

static const struct election_peer *followed_leader(const struct election *election)
{
    if (election->state == PEER_LOOKING || election->state == PEER_LEADING)
        return NULL;
    return election_find_peer(election, election->vote.leader);
}

bool election_leader_turned_away(const struct election *election)
{
    const struct election_peer *leader = followed_leader(election);

    if (leader == NULL || !leader->heard || !leader->since_decision ||
        leader->last.state == PEER_LEADING)
        return false;
    return leader->last.state != PEER_LOOKING || leader->last.vote.leader != leader->id ||
           leader->last.vote.round != election->vote.round;
}

bool election_leader_is_gone(const struct election *election)
{
    const struct election_peer *leader = followed_leader(election);

    return leader != NULL && leader->link == ELECTION_LINK_DOWN;
}

/* ---- Sending ---- */

struct notification election_notification(const struct election *election)
{
    bool looking = election->state == PEER_LOOKING;

    return (struct notification){.state = election->state,
                                 .leader = election->vote.leader,
                                 .zxid = election->vote.zxid,
                                 .election_epoch = looking ? election->round : election->vote.round,
                                 .peer_epoch = election->vote.epoch,
                                 .version = ELECTION_VERSION,
                                 .config = buffer_slice(&election->config)};
}

static void send_vote(struct election *election, struct election_peer *peer,
                      struct election_effects *effects)
{
    ASSERT(peer->id != election->options.my_id);
    effects->sends =
        ARRAY_RESERVE(effects->sends, effects->send_capacity, effects->send_count + 1, SENDS_FIRST);
    effects->sends[effects->send_count++] =
        (struct election_send){.to = peer->id, .notification = election_notification(election)};
    peer->sent = true;
    peer->discarded = false;
}

static void send_proposal(struct election *election, struct election_peer *peer, void *effects)
{
    send_vote(election, peer, effects);
}

/* Who agrees has all that it needs; only when this goes on for long, something was lost after all. */
static void resend_proposal(struct election *election, struct election_peer *peer, void *effects)
{
    if (election->resend_ms < RESEND_TO_ALL_MS && peer->has_ballot && peer->sent &&
        votes_are_same(&peer->ballot.vote, &election->vote))
        return;
    send_vote(election, peer, effects);
}

static void propose(struct election *election, const struct vote *vote)
{
    ASSERT(election->state == PEER_LOOKING);
    election->vote = *vote;
    election->vote.round = election->round;
    election->changed = true;
}

/* ---- The decision ---- */

static void decide(struct election *election, const struct vote *vote,
                   struct election_effects *effects)
{
    ASSERT(election->state == PEER_LOOKING); /* nobody decides twice */
    if (vote->leader == election->options.my_id)
        election->state = PEER_LEADING;
    else if (election->own_role == MEMBER_OBSERVER || election_has_no_vote(election))
        election->state = PEER_OBSERVING;
    else
        election->state = PEER_FOLLOWING;
    election->vote = *vote;
    election->round = vote->round;
    election->finalize_at_ms = election->resend_at_ms = INT64_MAX;
    effects->decided = true;
    for (uint32_t i = 0; i < election->peer_count; i++) {
        struct election_peer *peer = &election->peers[i];
        peer->since_decision = false;
        peer->elected_us = peer->has_ballot && election->state == PEER_LEADING &&
                           votes_are_same(&peer->ballot.vote, vote);
        bool has_all =
            election_is_voter(election, peer->id) && votes_are_same(&peer->last.vote, vote);
        if (peer->link == ELECTION_LINK_OPEN && peer->heard && peer->last.state == PEER_LOOKING &&
            !has_all)
            send_vote(election, peer, effects);
    }
}

static void look_for_objection(struct election *election, struct election_peer *peer, void *context)
{
    struct votes_count count = {
        .election = election, .ballot = {.vote = election->vote}, .live_only = true};
    bool *objection = context;

    if (peer->link != ELECTION_LINK_DOWN && !votes_agree(&count, peer->id))
        *objection = true;
}

/* Every voter that can be reached agrees, they are enough, and nobody else may come any moment. */
static bool nothing_better_can_come(struct election *election)
{
    struct votes_count live = {
        .election = election, .ballot = {.vote = election->vote}, .live_only = true};
    bool objection = false;

    election_for_each_voter(election, look_for_objection, &objection);
    return !objection && votes_are_quorum(&live);
}

static void look_for_news(struct election *election, struct election_peer *peer, void *context)
{
    bool *heard = context;

    (void)election;
    if (peer->has_ballot || peer->has_outside)
        *heard = true;
}

/* The other voter is silent, and the oracle lets us go on without it. */
static bool is_enough_alone(struct election *election)
{
    bool heard = false;

    if (election->oracle != ORACLE_GRANTS || election->resends == 0 ||
        election->last_seen != NULL || !membership_heeds_oracle(election->committed) ||
        election_has_no_vote(election) || election->vote.leader != election->options.my_id)
        return false;
    election_for_each_voter(election, look_for_news, &heard);
    return !heard;
}

static void count_votes(struct election *election, int64_t now_ms, struct election_effects *effects)
{
    struct votes_count count = {.election = election, .ballot = {.vote = election->vote}};

    if (election->state != PEER_LOOKING)
        return;
    ASSERT(election->committed != NULL);
    if (!votes_are_quorum(&count) && !is_enough_alone(election)) {
        election->finalize_at_ms = INT64_MAX;
        return;
    }
    if (election->finalize_at_ms == INT64_MAX)
        election->finalize_at_ms = now_ms + election->options.finalize_ms;
    if (now_ms >= election->finalize_at_ms || nothing_better_can_come(election)) {
        struct vote final = election->vote;
        decide(election, &final, effects);
    }
}

/* The three steps that every entry ends in; decide() does the last one. */
static void conclude(struct election *election, int64_t now_ms, struct election_effects *effects)
{
    ASSERT(election->started);
    if (election->changed && election->state == PEER_LOOKING) {
        election->resend_ms = election->options.resend_min_ms;
        election->resends = 0;
        election->resend_at_ms = now_ms + election->resend_ms;
        election->finalize_at_ms = INT64_MAX;
        election_for_each_voter(election, send_proposal, effects);
    }
    election->changed = false;
    count_votes(election, now_ms, effects);
}

/* ---- While looking ---- */

static void hear_looking(struct election *election, struct election_peer *peer,
                         const struct ballot *said, struct election_effects *effects)
{
    ASSERT(election->state == PEER_LOOKING);
    if (said->vote.round < election->round) { /* it shall come to our round */
        peer->has_ballot = false;
        send_vote(election, peer, effects);
        return;
    }
    if (election_has_no_vote(election) || said->vote.zxid == -1 ||
        !election_is_voter(election, said->vote.leader)) {
        peer->has_ballot = false;
        return;
    }
    if (said->vote.round > election->round) {
        election->round = said->vote.round;
        for (uint32_t i = 0; i < election->peer_count; i++)
            election->peers[i].has_ballot = false;
        propose(election, vote_beats(election, &said->vote, &election->initial)
                              ? &said->vote
                              : &election->initial);
    } else if (vote_beats(election, &said->vote, &election->vote)) {
        propose(election, &said->vote);
    } else if (peer->discarded) {
        send_vote(election, peer, effects);
    }
    peer->has_ballot = true;
    peer->ballot = *said;
}

/* The leader itself must say that it leads; of our own leadership, our round is the proof. */
static bool leader_confirms(const struct election *election, const struct ballot *said,
                            bool outside)
{
    if (said->vote.leader == election->options.my_id)
        return election->round == said->vote.round;
    const struct election_peer *leader = election_find_peer(election, said->vote.leader);
    if (leader == NULL)
        return false;
    return outside ? leader->has_outside && leader->outside.state == PEER_LEADING
                   : leader->has_ballot && leader->ballot.state == PEER_LEADING;
}

/* A leader that goes on alone can show no other vote than its own. */
static bool leads_alone(const struct election *election, const struct election_peer *peer,
                        const struct ballot *said)
{
    return election->oracle != ORACLE_NONE && election->last_seen == NULL &&
           membership_heeds_oracle(election->committed) && !election_has_no_vote(election) &&
           said->state == PEER_LEADING && said->vote.leader == peer->id;
}

static void hear_settled(struct election *election, struct election_peer *peer,
                         const struct ballot *said, struct election_effects *effects)
{
    ASSERT(election->state == PEER_LOOKING);
    if (!election_is_voter(election, said->vote.leader) ||
        (election_has_no_vote(election) && said->vote.leader == election->options.my_id))
        return;
    struct votes_count count = {.election = election, .ballot = *said};
    bool joined = false;
    if (said->vote.round == election->round && !election_has_no_vote(election)) {
        peer->has_ballot = true;
        peer->ballot = *said;
        peer->ballot.version = 0; /* in one round the leader's id is enough, as in Java */
        joined = votes_are_quorum(&count) && leader_confirms(election, said, /* outside= */ false);
    }
    peer->has_outside = true;
    peer->outside = *said;
    count.outside = true;
    joined = joined ||
             (votes_are_quorum(&count) && leader_confirms(election, said, /* outside= */ true)) ||
             leads_alone(election, peer, said);
    if (joined)
        decide(election, &said->vote, effects);
}

/* ---- Entries ---- */

static struct vote vote_for_myself(const struct election *election, int64_t zxid, int64_t epoch)
{
    struct vote vote = {.leader = NOBODY, .zxid = INT64_MIN, .epoch = INT64_MIN};

    if (election->own_role == MEMBER_OBSERVER)
        return vote;
    if (membership_is_voter(election->committed, election->options.my_id))
        vote.leader = election->options.my_id;
    vote.zxid = zxid;
    vote.epoch = epoch;
    return vote;
}

void election_start(struct election *election, int64_t zxid, int64_t epoch, int64_t now_ms,
                    struct election_effects *effects)
{
    ASSERT(election->committed != NULL);
    election->started = true;
    election->state = PEER_LOOKING;
    election->round++;
    election->initial = vote_for_myself(election, zxid, epoch);
    propose(election, &election->initial);
    for (uint32_t i = 0; i < election->peer_count; i++) {
        struct election_peer *peer = &election->peers[i];
        peer->has_ballot = peer->has_outside = peer->sent = peer->discarded = false;
    }
    for (uint32_t i = 0; i < election->peer_count; i++) {
        struct election_peer *peer = &election->peers[i];
        struct ballot last = peer->last;
        if (peer->heard && peer->last.state == PEER_LOOKING &&
            election_is_voter(election, peer->id) && now_ms - peer->last_ms <= HEARD_BEFORE_MS &&
            last.vote.round >= election->round)
            hear_looking(election, peer, &last, effects);
    }
    conclude(election, now_ms, effects);
}

void election_set_oracle(struct election *election, enum oracle oracle, int64_t now_ms,
                         struct election_effects *effects)
{
    election->oracle = oracle;
    if (election->started)
        conclude(election, now_ms, effects);
}

void election_resign(struct election *election)
{
    election->started = false;
    election->state = PEER_LOOKING;
    election->finalize_at_ms = election->resend_at_ms = INT64_MAX;
}

/* A member may have a configuration with a higher version than ours. */
static void look_at_config(struct election *election, int64_t from, const struct notification *said,
                           struct election_effects *effects)
{
    struct buffer problem = {0};

    if (said->config.data == NULL || slice_equal(said->config, buffer_slice(&election->config)) ||
        membership_find(election->committed, from) == NULL)
        return;
    struct membership *theirs = membership_parse(said->config, &problem);
    if (theirs != NULL && theirs->version > election->committed->version) {
        bool other = !membership_same_servers(theirs, election->committed);
        if (!other || election->state == PEER_LOOKING) {
            effects->newer_version = theirs->version;
            effects->other_servers = other;
        }
    }
    membership_free(theirs);
    buffer_deinit(&problem);
}

/* We are settled. A vote that agrees with ours and comes for the first time is part of the same election,
 * and its sender has our vote. All others that look are told. */
static void answer_looking(struct election *election, struct election_peer *peer, bool repeated,
                           const struct ballot *said, struct election_effects *effects)
{
    if (!repeated && peer->sent && !peer->discarded && votes_are_same(&said->vote, &election->vote))
        return;
    send_vote(election, peer, effects);
}

static void answer_stranger(struct election *election, struct election_peer *peer, int64_t now_ms,
                            struct election_effects *effects)
{
    if (peer->answered_ms != INT64_MIN && now_ms - peer->answered_ms < STRANGER_ANSWER_MS)
        return;
    peer->answered_ms = now_ms;
    send_vote(election, peer, effects);
}

void election_hear(struct election *election, int64_t from, const struct notification *said,
                   int64_t now_ms, struct election_effects *effects)
{
    struct ballot ballot = {
        .vote = {said->leader, said->zxid, said->election_epoch, said->peer_epoch},
        .state = (enum peer_state)said->state,
        .version = said->version};

    if (from == election->options.my_id)
        return;
    bool known_state = said->state >= PEER_LOOKING && said->state <= PEER_OBSERVING;
    struct election_peer *peer = election_get_peer(election, from);
    bool repeated = peer->heard && peer->last.state == PEER_LOOKING &&
                    said->state == PEER_LOOKING && votes_are_same(&peer->last.vote, &ballot.vote);
    if (known_state) {
        peer->heard = true;
        peer->last = ballot;
        peer->last_ms = now_ms;
        peer->since_decision = true;
        peer->discarded = peer->sent && (peer->discarded || said->state != PEER_LOOKING);
    }
    if (!election->started)
        return;
    look_at_config(election, from, said, effects);
    if (!election_is_voter(election, from)) {
        answer_stranger(election, peer, now_ms, effects);
        return;
    }
    if (!known_state || said->state == PEER_OBSERVING)
        return;
    if (said->state == PEER_LOOKING)
        peer->has_outside = false;
    if (election->state != PEER_LOOKING) {
        if (said->state == PEER_LOOKING)
            answer_looking(election, peer, repeated, &ballot, effects);
        return;
    }
    if (said->state == PEER_LOOKING)
        hear_looking(election, peer, &ballot, effects);
    else
        hear_settled(election, peer, &ballot, effects);
    conclude(election, now_ms, effects);
}

void election_set_link(struct election *election, int64_t id, enum election_link link,
                       int64_t now_ms, struct election_effects *effects)
{
    struct election_peer *peer = election_get_peer(election, id);

    peer->link = link;
    if (link != ELECTION_LINK_OPEN)
        peer->heard = peer->has_ballot = peer->has_outside = false;
    if (election->started)
        conclude(election, now_ms, effects);
}

void election_tick(struct election *election, int64_t now_ms, struct election_effects *effects)
{
    if (election->state != PEER_LOOKING || !election->started)
        return;
    conclude(election, now_ms, effects);
    if (now_ms >= election->resend_at_ms) { /* not when it has just ended */
        int32_t most_ms = election->options.resend_max_ms;
        if (election_has_no_vote(election) && most_ms > RESEND_WITHOUT_VOTE_MS)
            most_ms = RESEND_WITHOUT_VOTE_MS;
        election->resend_ms *= 2;
        if (election->resend_ms > most_ms)
            election->resend_ms = most_ms;
        election->resend_at_ms = now_ms + election->resend_ms;
        election->resends++;
        election_for_each_voter(election, resend_proposal, effects);
        count_votes(election, now_ms, effects);
    }
}
