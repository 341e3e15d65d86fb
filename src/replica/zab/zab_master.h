/* zab_master.h: an observer master: a follower that serves observers in place of its leader, so that
 * the leader has fewer learners. And how an observer chooses one.
 *
 * For its observers it is a leader with an established epoch: zab_leader.h synchronises them and
 * disconnects silent ones. This file has what such a follower cannot decide itself: it sends its
 * observers what its leader committed, and passes their requests, syncs and questions about
 * sessions on to the leader.
 * Source: ObserverMaster.java, QuorumPeer.java. */
#ifndef REPLICA_ZAB_ZAB_MASTER_H
#define REPLICA_ZAB_ZAB_MASTER_H

#include "replica/zab/zab_leader.h"

struct zab_master;
struct zab_mastery { /* what the follower knows of its leader */
    int64_t epoch, committed_zxid;
    bool of_paddock; /* the leader is a Paddock server */
};
/* Call it when the follower serves. Opens the port for observers. */
struct zab_master *zab_master_new(struct zab *zab, const struct zab_mastery *mastery);
void zab_master_free(struct zab_master *master); /* closes port and connections; may be NULL */

/* Events of its observers' connections are passed to this. */
struct zab_leader *zab_master_learners(struct zab_master *master);
/* The leader committed the transaction with this index; it is not applied yet. */
void zab_master_commit(struct zab_master *master, size_t kept_index);
/* The leader answered a sync. False: it was not asked for an observer. */
bool zab_master_sync_answered(struct zab_master *master);
/* The leader answered the question of an observer. */
void zab_master_revalidated(struct zab_master *master, const struct session_question *question,
                            const struct session_valid *answer);

void zab_master_tick(struct zab_master *master);
void zab_master_end_turn(struct zab_master *master);
int64_t zab_master_wake_at_ms(const struct zab_master *master);

/* --- the observer's side --- */
/* Does this server learn from an observer master? */
bool zab_learns_from_master(const struct zab *zab);
/* The next voter to try, in turn; each server begins with a different one. */
const struct member *zab_next_master(struct zab *zab);
/* A different time below `most_ms` for each call, so that observers do not come all at once. */
int64_t zab_some_delay_ms(const struct zab *zab, int64_t most_ms);

#endif
