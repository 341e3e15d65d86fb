/* zab_learner.h: a follower or observer, from the connection to its leader until that is lost. */
#ifndef REPLICA_ZAB_ZAB_LEARNER_H
#define REPLICA_ZAB_ZAB_LEARNER_H

#include "replica/zab/zab_leader.h"

struct zab_learner;
/* Proposals must be idle. `leader`: the elected server; borrowed for its lifetime. */
struct zab_learner *zab_learner_new(struct zab *zab, const struct member *leader);
/* Closes the connection. Work on the files that has begun continues: wait for it. */
void zab_learner_free(struct zab_learner *learner);

/* Events; those of other connections are ignored. */
void zab_learner_opened(struct zab_learner *learner, uint64_t connection);
void zab_learner_bytes(struct zab_learner *learner, uint64_t connection, struct slice bytes);
void zab_learner_closed(struct zab_learner *learner, uint64_t connection);
/* tree: the result of STORE_TRUNCATE; NULL when the learner took it. */
void zab_learner_store_done(struct zab_learner *learner, enum status status, struct tree **tree);
void zab_learner_snapshot_done(struct zab_learner *learner, bool written);
/* Call it after every step: checks the tree's digest. */
void zab_learner_look_at_tree(struct zab_learner *learner);
void zab_learner_tick(struct zab_learner *learner);
/* This server was suspended for this time: waiting messages are old, and others may serve by
 * now. */
void zab_learner_stood_still(struct zab_learner *learner, int64_t ms);
/* The elected one says that it does not lead (after_ms 0), or its connection of the election is lost. Unless it
 * takes our connection, the role is over: at once, or when it has had its time and has refused us. */
void zab_learner_doubt_leader(struct zab_learner *learner, int64_t after_ms);
void zab_learner_end_turn(
    struct zab_learner *learner); /* acknowledgements, requests: once a turn */
/* Asserts what holds when a turn ends. */
void zab_learner_check_turn(const struct zab_learner *learner);
int64_t zab_learner_wake_at_ms(const struct zab_learner *learner);

/* Why the role is over; NULL: it is not. */
const char *zab_learner_failed(const struct zab_learner *learner);
bool zab_learner_serves(const struct zab_learner *learner);   /* clients may be served */
int64_t zab_learner_epoch(const struct zab_learner *learner); /* -1: not agreed upon yet */
/* "DIFF", "TRUNC" or "SNAP": how the leader brings this server to its history; NULL: it has not said. */
const char *zab_learner_way(const struct zab_learner *learner);
int64_t zab_learner_server(const struct zab_learner *learner); /* the server that it last connected
                                                                  to */
/* What serves the observers of this follower: their events go there. NULL: observers are not
 * accepted. */
struct zab_leader *zab_learner_observers(const struct zab_learner *learner);
/* A tree that came from the leader or from the files, and is to be used: the caller replaces its
 * own with it and then confirms. NULL: none. */
struct tree *zab_learner_take_tree(struct zab_learner *learner);
void zab_learner_tree_taken(struct zab_learner *learner);
/* A running image of the tree must be given up; then call zab_learner_snapshot_done(). */
bool zab_learner_wants_no_image(const struct zab_learner *learner);
/* The tree as it is now must be written: a snapshot that the leader sent. */
bool zab_learner_writes_snapshot(const struct zab_learner *learner); /* it is being written */
/* Files were renamed for what the leader sent, and that is not complete: they must be read
 * again. */
bool zab_learner_left_files_unfinished(const struct zab_learner *learner);
bool zab_learner_wants_snapshot(struct zab_learner *learner);

#endif
