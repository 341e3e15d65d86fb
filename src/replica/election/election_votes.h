/* election_votes.h: who there is, and what each has voted. Only for the files of the election. */
#ifndef REPLICA_ELECTION_ELECTION_VOTES_H
#define REPLICA_ELECTION_ELECTION_VOTES_H

#include "replica/election/election.h"

struct ballot { /* a vote, and how it was given */
    struct vote vote;
    enum peer_state state;
    int32_t version;
};

struct election_peer {
    int64_t id;
    enum election_link link;
    bool has_ballot, has_outside; /* the two below are given */
    struct ballot ballot;         /* in this round */
    struct ballot outside;        /* of one who follows or leads */
    bool heard;                   /* since the connection opened */
    struct ballot last;           /* what it said last */
    int64_t last_ms;
    bool since_decision; /* it was heard after we had decided */
    bool elected_us;     /* its vote was one of those that decided for us */
    bool sent;           /* our proposal, in this round */
    bool discarded;      /* it was not looking when it got that */
    int64_t answered_ms; /* a stranger */
};

struct election {
    struct election_options options;
    const struct membership *committed, *last_seen; /* last_seen: NULL unless it is newer */
    enum member_role own_role;
    struct buffer config; /* text of committed */

    bool started;
    enum peer_state state;
    int64_t round;                        /* Java's logical clock */
    struct vote initial;                  /* for myself */
    struct vote vote;                     /* the proposal, then the final vote */
    bool changed;                         /* the proposal is not sent yet */
    int64_t finalize_at_ms, resend_at_ms; /* INT64_MAX: not waiting */
    int64_t resend_ms;
    uint32_t resends; /* of this proposal */
    enum oracle oracle;

    struct election_peer *peers;
    uint32_t peer_count, peer_capacity;
};

/* --- who there is --- */
bool election_is_voter(const struct election *election, int64_t id);
/* NULL: none. */
struct election_peer *election_find_peer(const struct election *election, int64_t id);
struct election_peer *election_get_peer(struct election *election, int64_t id);
/* Calls for every voter of the committed and the last seen configuration once, but not for us. */
void election_for_each_voter(struct election *election,
                             void (*call)(struct election *election, struct election_peer *peer,
                                          void *context),
                             void *context);
/* What this server had is lost: election_start(). */
bool election_has_no_vote(const struct election *election);

/* --- votes --- */
bool votes_are_same(const struct vote *left, const struct vote *right);
/* Epoch, then zxid, then id. */
bool vote_beats(const struct election *election, const struct vote *one, const struct vote *other);

struct votes_count {
    const struct election *election;
    struct ballot ballot;
    bool outside;   /* count the votes of those who are settled */
    bool live_only; /* of those who can be reached */
};

bool votes_agree(const void *context, int64_t id); /* context: a struct votes_count */
bool votes_are_quorum(const struct votes_count *count);

#endif
