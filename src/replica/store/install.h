/* install.h: replaces everything in the directories with a whole state from a leader.
 *
 * install_begin() renames every snapshot and log of the old state; a new log then begins after
 * `zxid`, while the writer of snapshots writes the snapshot of zxid. Until that snapshot has its
 * name, the old state counts: install_resume() restores it and drops the new records, none of which
 * was acknowledged. From then on the new state counts, and the old files are removed. A crash at
 * any point leads to one or the other, never to a mixture of the two histories; that is why all old
 * logs go, not only what is above zxid.
 *
 * Meanwhile the directory, without Paddock's intent, would look empty to Java: after a crash start
 * Paddock once before Java. */
#ifndef REPLICA_STORE_INSTALL_H
#define REPLICA_STORE_INSTALL_H

#include "replica/store/intent.h"

/* No intent is open. Not OK: the disk's answer; end the process, the next start has the old state. */
MUST_USE enum status install_begin(struct disk *data, struct disk *log, int64_t zxid,
                                   struct store_notes *notes);
/* Call it when the snapshot is written: removes the old files. STATUS_NOT_FOUND: it is not; nothing
 * was changed. */
MUST_USE enum status install_end(struct disk *data, struct disk *log, int64_t zxid);
/* At a start, or when the state was not completed: completes it or undoes it. `intent`: one of the
 * two. */
MUST_USE enum status install_resume(struct disk *data, struct disk *log,
                                    const struct intent *intent, struct store_notes *notes);

#endif
