/* install.h: a whole state that comes from a leader takes the place of all that was here.
 *
 * install_begin() puts every snapshot and log of the old state aside; the log then begins anew after
 * `zxid`, while the snapshot of zxid is being written by whoever writes snapshots. Until that
 * snapshot has its name, the old state is what this server has: install_resume() brings it back and
 * drops the new records, none of which was acknowledged. From then on the new state is what
 * it has, and the old files go. A crash at any point leads to one or the other, never to a mixture
 * of the two histories; that is why all old logs go, not only what is above zxid.
 *
 * Meanwhile the directory, without Paddock's intent, would look empty to Java: after a crash start
 * Paddock once before Java. */
#ifndef REPLICA_STORE_INSTALL_H
#define REPLICA_STORE_INSTALL_H

#include "replica/store/intent.h"

/* No intent is open. Not OK: the disk's answer; end the process, the next start has the old state. */
MUST_USE enum status install_begin(struct disk *data, struct disk *log, int64_t zxid,
                                   struct store_notes *notes);
/* The snapshot is written: the old files go. STATUS_NOT_FOUND: it is not; nothing was changed. */
MUST_USE enum status install_end(struct disk *data, struct disk *log, int64_t zxid);
/* At a start, or when the state was not completed: ends it or undoes it. `intent`: one of the two. */
MUST_USE enum status install_resume(struct disk *data, struct disk *log,
                                    const struct intent *intent, struct store_notes *notes);

#endif
