/* zab_leader.h: the leader, from its election until it loses its quorum, and what it knows of each of
 * its learners. */
#ifndef REPLICA_ZAB_ZAB_LEADER_H
#define REPLICA_ZAB_ZAB_LEADER_H

#include "replica/zab/zab.h"

struct zab_leader;
/* Proposals must be idle. Opens the quorum port. */
struct zab_leader *zab_leader_new(struct zab *zab);
void zab_leader_free(struct zab_leader *leader); /* closes port and connections */

void zab_leader_opened(struct zab_leader *leader, uint64_t connection);
void zab_leader_bytes(struct zab_leader *leader, uint64_t connection, struct slice bytes);
void zab_leader_closed(struct zab_leader *leader, uint64_t connection);
void zab_leader_ready(struct zab_leader *leader, uint64_t connection);
void zab_leader_history(struct zab_leader *leader, uint64_t connection, enum status status,
                        struct slice packets);
/* A server that helped to elect this one is looking for a leader again. */
void zab_leader_elector_looks_again(struct zab_leader *leader);
void zab_leader_store_done(struct zab_leader *leader, enum status status);
/* Call it after every step: checks the tree's digest. */
void zab_leader_look_at_tree(struct zab_leader *leader);
void zab_leader_tick(struct zab_leader *leader);
/* This server was suspended for this time: another one may lead by now. */
void zab_leader_stood_still(struct zab_leader *leader, int64_t ms);
void zab_leader_end_turn(struct zab_leader *leader); /* proposals and commits: once a turn */
/* Asserts what holds when a turn ends. */
void zab_leader_check_turn(const struct zab_leader *leader);
int64_t zab_leader_wake_at_ms(const struct zab_leader *leader);

const char *zab_leader_failed(const struct zab_leader *leader);
bool zab_leader_serves(const struct zab_leader *leader);
int64_t zab_leader_epoch(const struct zab_leader *leader); /* -1: not agreed upon yet */

/* --- for operators --- */
/* A new epoch begins well before the counter of a zxid is used up: one turn may still propose. */
enum { ZAB_COUNTER_HEADROOM = 0x10000 };
#define ZAB_COUNTER_LAST (INT64_C(0xffffffff) - ZAB_COUNTER_HEADROOM)
/* Transactions until a new epoch must begin; -1: it does not serve. */
int64_t zab_leader_zxids_left(const struct zab_leader *leader);

struct zab_leader_counts {
    uint32_t learners, synced_followers, synced_observers;
    uint32_t synced_non_voting; /* of the followers */
    size_t pending_syncs;
    int64_t served_ms; /* how long it has served; 0: it does not */
    int64_t proposal_last_bytes, proposal_min_bytes, proposal_max_bytes; /* -1: none yet */
};
struct zab_leader_counts zab_leader_count(const struct zab_leader *leader);
void zab_leader_reset_stats(struct zab_leader *leader); /* the sizes of proposals */

#endif
