/* election.h: fast leader election, as a state machine.
 *
 * Its input is which servers can be reached, what they send, and the time. Its output is
 * notifications to send and, once, the decision. Afterwards it continues to answer, with the final
 * vote. It does not care how its messages travel, but relies on one thing: the receiver of a
 * message gets it, or gets it again when a new connection opens (connections.h).
 *
 * It votes as Java does, with these differences, all about time:
 * - It does not wait 200 ms for better votes when there is nobody left who could send one: every voter
 *   that can be reached agrees, and the others' connections are refused or closed.
 * - A server that has sent a matching vote is sent nothing more for a while: Java's wait for better votes
 *   begins anew with every message.
 * - A vote that came shortly before this server began to look counts. A server that was not looking
 * when it got our vote is sent the vote again when it begins to look.
 * - A server that was still looking is sent the decision without asking.
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
    int32_t finalize_ms;   /* how long a quorum waits for better votes; 200 in Java */
    int32_t resend_min_ms; /* 200 in Java; doubles up to */
    int32_t resend_max_ms; /* 60,000 in Java */
};

enum election_link {
    ELECTION_LINK_UNKNOWN, /* not known, or not known any more, whether it can be reached */
    ELECTION_LINK_OPEN,
    ELECTION_LINK_DOWN /* the connection was refused or closed */
};

/* What is to be done. The caller empties it: send_count = 0, decided = false, newer_version = 0. */
struct election_effects {
    struct election_send {
        int64_t to;
        struct notification notification; /* its config is valid until election_set_members() */
    } * sends;
    uint32_t send_count, send_capacity;
    bool decided; /* election_state() and election_vote() say what */
    /* A member has a configuration with this higher version; 0: none has. Its servers are the same: the
     * version is to be adopted; or, while we look, they are others. */
    int64_t newer_version;
    bool other_servers;
};
void election_effects_deinit(struct election_effects *effects);

struct election;
MUST_USE struct election *election_new(const struct election_options *options);
void election_free(struct election *election);

/* Call it before the first start, and whenever they change. Both are borrowed until the next call.
 * `last_seen` is a configuration that was proposed and may not be agreed yet; NULL: none. */
void election_set_members(struct election *election, const struct membership *committed,
                          const struct membership *last_seen, enum member_role own_role);
/* Begin to look, with the last durable zxid and the current epoch. zxid -1: what this server had is
 * lost. It does not vote and is not counted: it joins only a leader that a quorum of the others
 * reports, all with one epoch, and its state is then OBSERVING, which voters ignore. */
void election_start(struct election *election, int64_t zxid, int64_t epoch, int64_t now_ms,
                    struct election_effects *effects);
/* The oracle's answer; ORACLE_NONE before the first call. If granted, a voter elects itself when
 * the other one was silent for a while. */
void election_set_oracle(struct election *election, enum oracle oracle, int64_t now_ms,
                         struct election_effects *effects);
/* The role from the last election is over, and the next election has not begun: until
 * election_start() the role is not announced any more, because others would follow a leader that no
 * longer leads. */
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
/* While looking, this server's own vote; otherwise the final vote. */
struct vote election_vote(const struct election *election);
/* The same as it is sent to others. Its config is valid until election_set_members(). */
struct notification election_notification(const struct election *election);
/* The new epoch is agreed: from now on answers contain it, with the zxid and the round of the
 * vote. */
void election_set_epoch(struct election *election, int64_t epoch);
/* Was this server's last message since the decision that it is looking? A leader asks this about
 * its voters. */
bool election_looks_again(const struct election *election, int64_t id);
/* The same for a server whose vote helped to elect this leader. */
bool election_elector_looks_again(const struct election *election, int64_t id);
/* The one that this server follows said since the decision that it does not lead: it has found a better
 * one, or looks in another round. */
bool election_leader_turned_away(const struct election *election);
/* Its connection was refused or closed. */
bool election_leader_is_gone(const struct election *election);

#endif
