/* start.h: from a data directory to a tree when a server starts: what a crash interrupted is
 * completed or undone first, then the files are recovered. A member's promises must fit them. */
#ifndef REPLICA_STORE_START_H
#define REPLICA_STORE_START_H

#include "replica/store/epochs.h"
#include "replica/store/recovery.h"

/* Finishes or undoes what an intent says. STATUS_CORRUPT, and a note: the files that it needs are
 * damaged. Other: the disk's answer. */
MUST_USE enum status store_resume(struct disk *data, struct disk *log,
                                  const struct recovery_options *options,
                                  struct store_notes *notes);

/* store_resume(), then store_recover(), with the same answers. */
MUST_USE enum status store_start(struct disk *data, struct disk *log,
                                 const struct recovery_options *options,
                                 struct recovery *ret_recovery);

/* The same for a member of an ensemble, with its epochs. Also STATUS_CORRUPT: the epoch files are
 * damaged, do not fit the data, or the data is gone that belongs to them. Where others can repair it
 * (options->repairable), it starts in quarantine in place of STATUS_CORRUPT and STATUS_INVALID, with an
 * empty tree: recovery->quarantine says so. Not when epochs and data are whole and do not fit, for then
 * they are not of one server. */
MUST_USE enum status store_start_member(struct disk *data, struct disk *log,
                                        const struct recovery_options *options,
                                        struct recovery *ret_recovery, struct epochs *ret_epochs);

#endif
