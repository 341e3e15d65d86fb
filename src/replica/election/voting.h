/* voting.h: an election and its connections together: the interface of this room.
 *
 * The replica passes on what happens at the election port, and the time, and looks at the outcome. */
#ifndef REPLICA_ELECTION_VOTING_H
#define REPLICA_ELECTION_VOTING_H

#include "replica/election/connections.h"

struct voting_options {
    struct election_options election;
    struct connections_options connections;
};

/* The result of a call; only the fields that changed are set. */
struct voting_outcome {
    bool decided; /* voting_state() and voting_vote() say what */
    /* Another server has a configuration with a higher version: adopt it (voting_set_members) and
     * start again. Null: none has. Valid until the next call. */
    struct slice newer_config;
};

struct voting;
MUST_USE struct voting *voting_new(const struct voting_options *options);
void voting_free(struct voting *voting);

/* Call it first, and whenever they change. The previous ones stay borrowed until the turn ends,
 * these until the next call. `last_seen`: proposed, perhaps not agreed; NULL: none. */
void voting_set_members(struct voting *voting, const struct membership *committed,
                        const struct membership *last_seen, enum member_role own_role,
                        int64_t now_ms, struct effects *effects);
/* As election_start(). */
void voting_start(struct voting *voting, int64_t zxid, int64_t epoch, int64_t now_ms,
                  struct effects *effects, struct voting_outcome *outcome);
/* From now on answers contain the new epoch. */
void voting_set_epoch(struct voting *voting, int64_t epoch);

/* A connection that was opened here, or accepted at the election port. */
bool voting_owns(const struct voting *voting, uint64_t connection);
void voting_opened(struct voting *voting, uint64_t connection, int64_t now_ms,
                   struct effects *effects, struct voting_outcome *outcome);
void voting_bytes(struct voting *voting, uint64_t connection, struct slice bytes, int64_t now_ms,
                  struct effects *effects, struct voting_outcome *outcome);
void voting_closed(struct voting *voting, uint64_t connection, int64_t now_ms,
                   struct effects *effects, struct voting_outcome *outcome);
void voting_tick(struct voting *voting, int64_t now_ms, struct effects *effects,
                 struct voting_outcome *outcome);
int64_t voting_wake_at_ms(const struct voting *voting); /* INT64_MAX: never */

enum peer_state voting_state(const struct voting *voting);
struct vote voting_vote(const struct voting *voting);
bool voting_looks_again(const struct voting *voting, int64_t id); /* election_looks_again() */

#endif
