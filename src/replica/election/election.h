/* election.h: fast leader election, as a machine that is told what happened.
 *
 * It is told who can be reached, what they say and what time it is, and answers with notifications to
 * send and, once, with the decision. It goes on answering afterwards, with the final vote. How its
 * messages travel is no matter of it, except for one thing that it relies on: whoever a message was
 * sent to gets it, or gets it again when a new connection opens (connections.h).
 *
 * It votes as Java does, with these differences, all about time:
 * - It does not wait 200 ms for better votes when there is nobody left who could send one: every voter
 *   that can be reached agrees, and the others' connections are refused or closed.
 * - A server that has sent a matching vote is sent nothing more for a while: Java's wait for better votes
 *   begins anew with every message.
 * - A vote that came shortly before we began to look counts; and who was not looking when our vote came is
 *   sent it again when it does.
 * - Who was still looking elsewhere is told the decision without asking.
 * - What a server said is forgotten when its connection is lost, and when it says something else.
 * - A follower that hears, before it has a connection, that the one it has elected looks elsewhere, looks
 *   again at once; Java gives up after five dials.
 * Source: FastLeaderElection.java, Vote.java. */
#ifndef REPLICA_ELECTION_ELECTION_H
#define REPLICA_ELECTION_ELECTION_H

#include "replica/membership/membership.h"
#include "wire/quorum.h"

struct vote {
    int64_t leader, zxid;
    int64_t round; /* the election in which it was given: electionEpoch on the wire */
    int64_t epoch; /* of the leader: peerEpoch on the wire */
};

struct election_options {
    int64_t my_id;
    bool reconfig_enabled; /* newer configurations of others are of interest */
    int32_t finalize_ms;   /* how long a quorum waits for better votes; 200 in Java */
    int32_t resend_min_ms; /* 200 in Java; doubles up to */
    int32_t resend_max_ms; /* 60,000 in Java */
};

enum election_link {
    ELECTION_LINK_UNKNOWN, /* nobody knows yet whether it can be reached, or not any more */
    ELECTION_LINK_OPEN,
    ELECTION_LINK_DOWN /* the connection was refused or closed */
};

/* What is to be done. The caller empties it: send_count = 0, decided = false, newer_config null. */
struct election_effects {
    struct election_send {
        int64_t to;
        struct notification notification; /* its config is valid until election_set_members() */
    } * sends;
    uint32_t send_count, send_capacity;
    bool decided; /* election_state() and election_vote() say what */
    /* Somebody has a configuration with a higher version: adopt it and start anew. Null: nobody. It is
     * borrowed from the notification. */
    struct slice newer_config;
};
void election_effects_deinit(struct election_effects *effects);

struct election;
MUST_USE struct election *election_new(const struct election_options *options);
void election_free(struct election *election);

/* Before the first start, and whenever they change. Both are borrowed until the next call. `last_seen`
 * is a configuration that was proposed and may not be agreed yet; NULL: none. */
void election_set_members(struct election *election, const struct membership *committed,
                          const struct membership *last_seen, enum member_role own_role);
/* Begin to look, with the last durable zxid and the current epoch. zxid -1: what this server had is
 * lost. It does not vote, and nobody counts it: it joins only a leader that a quorum of the others says
 * it has, all in one epoch, and is OBSERVING then, which voters do not listen to. */
void election_start(struct election *election, int64_t zxid, int64_t epoch, int64_t now_ms,
                    struct election_effects *effects);
/* What the oracle says; as long as nobody has said anything: ORACLE_NONE. Granted, a voter elects itself
 * when the other one has said nothing for a while. */
void election_set_oracle(struct election *election, enum oracle oracle, int64_t now_ms,
                         struct election_effects *effects);
/* The role that the last election gave is over, and the next election has not begun: nobody hears of the
 * role any more, for others would follow a leader that leads no more. Until election_start(). */
void election_resign(struct election *election);
void election_hear(struct election *election, int64_t from, const struct notification *said,
                   int64_t now_ms, struct election_effects *effects);
void election_set_link(struct election *election, int64_t id, enum election_link link,
                       int64_t now_ms, struct election_effects *effects);
void election_tick(struct election *election, int64_t now_ms, struct election_effects *effects);
/* When election_tick() is due. INT64_MAX: never. */
int64_t election_wake_at_ms(const struct election *election);

/* LOOKING, or what was decided. */
enum peer_state election_state(const struct election *election);
/* The own proposal while looking, else the final vote. */
struct vote election_vote(const struct election *election);
/* The same as it is said to others. Its config is valid until election_set_members(). */
struct notification election_notification(const struct election *election);
/* The new epoch is agreed: answers say it from now on, with the zxid and the round of the vote. */
void election_set_epoch(struct election *election, int64_t epoch);
/* Since the decision, this server was last heard looking: a leader asks that about its voters. */
bool election_looks_again(const struct election *election, int64_t id);
/* The same of a server whose vote was one of those that elected this leader. */
bool election_elector_looks_again(const struct election *election, int64_t id);
/* The one that this server follows said since the decision that it does not lead: it has found a better
 * one, or looks in another round. */
bool election_leader_turned_away(const struct election *election);
/* Its connection was refused or closed. */
bool election_leader_is_gone(const struct election *election);

#endif
