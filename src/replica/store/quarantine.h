/* quarantine.h: a member that lost something it promised: the file `quarantine` in dataDir.
 *
 * While the file exists, nothing in this directory is trusted: the server may have acknowledged
 * transactions, and promised epochs, that it no longer knows. It votes for nobody and serves nobody
 * until a leader that the others elected without it has given it everything (ensemble.h). The file
 * is durable before anything else changes, so a crash at any moment leaves it in quarantine. */
#ifndef REPLICA_STORE_QUARANTINE_H
#define REPLICA_STORE_QUARANTINE_H

#include "base/disk.h"
#include "replica/store/recovery.h"

/* If the file's content cannot be read, the promises count as lost. Errors are the disk's. */
MUST_USE enum status quarantine_read(struct disk *data, struct quarantine *ret_quarantine);
MUST_USE enum status quarantine_write(struct disk *data, bool promises_lost); /* durable */
MUST_USE enum status quarantine_end(struct disk *data); /* durable; fine when there is none */

/* Renames all files of the old state, intents included, to quarantined.<name>. The operator may
 * examine them and then remove them. May be called again after a crash in it. */
#define QUARANTINED_PREFIX "quarantined."
MUST_USE enum status quarantine_put_aside(struct disk *data, struct disk *log,
                                          struct store_notes *notes);

#endif
