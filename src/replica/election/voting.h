/* voting.h: an election and the connections that it speaks over; the door of this room.
 *
 * The owner tells `election` and `connections` what happens to them (election.h, connections.h). Then
 * it calls voting_hear() until nothing more has come, and voting_say() after whatever else may have
 * made the election speak. When `effects.decided` is set, it begins its role, tells the connections
 * (connections_set_looking()), and clears it. */
#ifndef REPLICA_ELECTION_VOTING_H
#define REPLICA_ELECTION_VOTING_H

#include "replica/election/connections.h"

struct voting {
    struct election *election;       /* owned */
    struct connections *connections; /* owned */
    struct election_effects effects;
    struct buffer message;
};
void voting_deinit(struct voting *voting);

/* The connections are told that this server looks, and the election that it begins (election_start()). */
void voting_look(struct voting *voting, int64_t zxid, int64_t epoch, int64_t now_ms);
/* Tells the election the next news of the connections, which came from the server `*ret_from`, and
 * sends its answer. False: there is no news. */
bool voting_hear(struct voting *voting, int64_t now_ms, struct effects *effects, int64_t *ret_from);
/* Sends what the election has said. */
void voting_say(struct voting *voting, struct effects *effects);
void voting_tick(struct voting *voting, int64_t now_ms, struct effects *effects);
int64_t voting_wake_at_ms(const struct voting *voting); /* INT64_MAX: never */

#endif
