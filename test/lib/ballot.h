/* ballot.h: one member of an election on the bench. Each call is an event; what was said before it is forgotten. */
#ifndef TEST_LIB_BALLOT_H
#define TEST_LIB_BALLOT_H

#include "replica/election/election.h"

enum { BALLOT_FINALIZE_MS = 200, BALLOT_ZXID = 0x100000005, BALLOT_EPOCH = 1 };

/* server.1 to 3; with server.4, an observer; server.1 to 5 */
extern const char ballot_three[], ballot_three_and_an_observer[], ballot_five[];

struct ballot {
    struct election *election;
    struct membership *members;
    struct election_effects effects; /* of the last event */
    int64_t now_ms;
};

/* The lines must be right. The caller frees the membership. */
struct membership *ballot_members(const char *text);
void ballot_init(struct ballot *ballot, int64_t my_id, const char *text);
void ballot_deinit(struct ballot *ballot);
void ballot_start(struct ballot *ballot, int64_t zxid, int64_t epoch);
/* Both, with BALLOT_ZXID and BALLOT_EPOCH. */
void ballot_begin(struct ballot *ballot, int64_t my_id, const char *text);

void ballot_hear(struct ballot *ballot, int64_t from, enum peer_state state, struct vote vote);
void ballot_hear_config(struct ballot *ballot, int64_t from, enum peer_state state,
                        struct vote vote, struct slice config);
void ballot_set_link(struct ballot *ballot, int64_t id, enum election_link link);
void ballot_pass(struct ballot *ballot, int64_t ms);
void ballot_forget(struct ballot *ballot); /* for events of other kinds */

/* What was sent to this server by the last event; the test fails when it was more than one message. */
const struct notification *ballot_sent_to(const struct ballot *ballot, int64_t id);
void ballot_check_sent(const struct ballot *ballot, int64_t id, enum peer_state state,
                       struct vote vote);
void ballot_check_silent(const struct ballot *ballot);
void ballot_check_looking(const struct ballot *ballot);
void ballot_check_decided(const struct ballot *ballot, enum peer_state state, int64_t leader);

/* With BALLOT_ZXID and BALLOT_EPOCH. */
struct vote ballot_vote(int64_t leader, int64_t round);

#endif
