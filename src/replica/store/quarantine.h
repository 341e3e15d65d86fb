/* quarantine.h: a member that lost something it promised: the file `quarantine` in dataDir.
 *
 * While the file is there, nothing in this directory counts: the server may have acknowledged
 * transactions, and promised epochs, that it knows nothing of any more. It votes for nobody and serves
 * nobody until a leader that the others elected without it has given it everything (ensemble.h). The
 * file is durable before anything else changes, so a crash at any moment leaves it in quarantine. */
#ifndef REPLICA_STORE_QUARANTINE_H
#define REPLICA_STORE_QUARANTINE_H

#include "base/disk.h"
#include "replica/store/recovery.h"

/* What stands in the file is not trusted: when it cannot be read, the promises are lost. Errors are the
 * disk's. */
MUST_USE enum status quarantine_read(struct disk *data, struct quarantine *ret_quarantine);
MUST_USE enum status quarantine_write(struct disk *data, bool promises_lost); /* durable */
MUST_USE enum status quarantine_end(struct disk *data); /* durable; fine when there is none */

/* All files of the state that was, intents included, get another name: quarantined.<name>. They are the
 * evidence, for the operator to look at and to remove. May be called again after a crash in it. */
#define QUARANTINED_PREFIX "quarantined."
MUST_USE enum status quarantine_put_aside(struct disk *data, struct disk *log,
                                          struct store_notes *notes);

#endif
