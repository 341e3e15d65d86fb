/* truncate.h: TRUNC: no record and no snapshot above a zxid is left, and the tree as of it.
 *
 * The order, each step durable before the next begins: the tree of `zxid` is built from the files,
 * which proves that they have all of it; the intent; snapshots that contain anything above zxid are
 * renamed, so that they are not loaded; logs, newest first, are removed or cut before the first
 * record above zxid; the intent is removed. A crash before the intent leaves everything as it was;
 * after it, the next start does the rest. (Java cuts first and checks later, keeps newer snapshots
 * and loads them, and keeps one record too many where zxid itself is not in the log.)
 *
 * A snapshot of Java may contain changes that came while it was written: one that is named below
 * zxid and contains something above it is renamed, too.
 *
 * Files are cut in place. That is safe because nothing else reads them: the caller is their only
 * owner and its writer is idle. History for others (history.h) is read by a leader only, whose
 * files are not cut. */
#ifndef REPLICA_STORE_TRUNCATE_H
#define REPLICA_STORE_TRUNCATE_H

#include "replica/store/recovery.h"

/* OK: done, durably; the recovery has the tree of `zxid`, and where the log goes on.
 * STATUS_NOT_FOUND: the files have no whole history up to zxid, with a record or a snapshot of
 * exactly it (the notes say more). Nothing was changed.
 * Anything else: end the process. The next start completes the work, or finds everything as it
 * was. */
MUST_USE enum status store_truncate(struct disk *data, struct disk *log,
                                    const struct recovery_options *options, int64_t zxid,
                                    struct recovery *ret_recovery);

#endif
