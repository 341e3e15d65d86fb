/* actor.h: the single owner of a member's files: its log, and all other work on them.
 *
 * Carries out `struct store_work` (effects.h): on the log thread of the daemon, inline in tests and in
 * the simulator. Blocks. One thread at a time; nothing else changes a file of the two directories
 * meanwhile, and the writer of snapshots is idle during all work except STORE_WRITE_EPOCHS: the
 * caller gives up a running image first.
 *
 * STORE_WRITE_EPOCHS  the epoch files, durably; and then, when it says so, the end of a quarantine.
 * STORE_TRUNCATE      truncate.h; the outcome has the tree.
 * STORE_RELOAD        the tree as the files have it. A leader's state that was not completed is dropped.
 * STORE_RESTART_LOG   install.h: all files are put aside, the log begins anew after zxid. It is
 *                     completed by the STORE_WRITE_EPOCHS with a current epoch that every
 *                     synchronisation ends with (also when the number stays the same); before that the
 *                     snapshot of zxid must have been written. Until then no acknowledgement leaves,
 *                     neither of the state nor of a record after it: a restart, or STORE_RELOAD,
 *                     may bring the old state back. STORE_TRUNCATE is not allowed until then. */
#ifndef REPLICA_STORE_ACTOR_H
#define REPLICA_STORE_ACTOR_H

#include "replica/effects/effects.h"
#include "replica/store/recovery.h"
#include "replica/store/txnlog.h"

struct store_actor_options {
    struct txnlog_options log;
    struct recovery_options recovery; /* with which the files were recovered */
};

struct store_actor;
/* `position`: from the recovery that store_start() did. Touches no file yet. */
struct store_actor *store_actor_new(struct disk *data, struct disk *log,
                                    const struct store_actor_options *options,
                                    const struct txnlog_position *position);
void store_actor_free(struct store_actor *actor); /* closes; syncs nothing */
/* For appends and syncs; valid until the next work. */
struct txnlog_writer *store_actor_log(struct store_actor *actor);

struct store_outcome {
    /* tree: of STORE_TRUNCATE and STORE_RELOAD, the caller's; else NULL. log: where the log goes on.
     * notes: of every kind, also when it failed. */
    struct recovery recovery;
};
/* All appends so far are synced first. OK: done and durable. STATUS_NOT_FOUND: only of
 * STORE_TRUNCATE: the zxid cannot be reached; nothing was changed, and the log goes on as before.
 * STATUS_INVALID: STORE_WRITE_EPOCHS before the snapshot of STORE_RESTART_LOG was written: nothing
 * was changed. Of STORE_RELOAD: as store_recover(). STATUS_NO_SPACE, and store_actor_failed() is
 * false: STORE_WRITE_EPOCHS; each file has its old or its new number, and the same work may be done
 * again when there is space. Anything else: end the process; the next start completes or undoes the
 * work. Each later call answers the same. The outcome is filled in any case:
 * store_outcome_deinit(). */
MUST_USE enum status store_actor_work(struct store_actor *actor, const struct store_work *work,
                                      struct store_outcome *ret_outcome);
bool store_actor_failed(const struct store_actor *actor); /* finally: end the process */
void store_outcome_deinit(struct store_outcome *outcome); /* the notes; not the tree */

#endif
