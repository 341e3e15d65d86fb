/* epochs.h: the two promises of a member: the files acceptedEpoch and currentEpoch of dataDir.
 *
 * accepted: no leader of an older epoch is followed any more. current: this server has all of the
 * history with which this epoch began. Java's files: a decimal number, without a newline.
 *
 * What must hold, at every moment and after every power loss: epoch of the last record <= accepted,
 * current <= accepted. A record may be of a newer epoch than `current`, for a moment: what a leader
 * sends is logged before `current` is written. The records of an epoch stand after all of the
 * history with which it began, so whoever has one has that history, and epochs_settle() raises
 * `current`. Java refuses to start then, unless it finds currentEpoch.tmp.
 * Source: QuorumPeer.loadDataBase(). */
#ifndef REPLICA_STORE_EPOCHS_H
#define REPLICA_STORE_EPOCHS_H

#include "base/disk.h"
#include "replica/store/recovery.h"

enum { EPOCH_NONE = -1 };
struct epochs {
    int64_t accepted, current; /* EPOCH_NONE: there is no such file; or, to write: leave it alone */
};

/* STATUS_CORRUPT, and a note that says what to do: a file contains no number; it is read as
 * EPOCH_NONE. */
MUST_USE enum status epochs_read(struct disk *data, struct epochs *ret_epochs,
                                 struct store_notes *notes);

/* OK: durable, `accepted` before `current`. Otherwise the disk's status: each file has its old or
 * its new content. */
MUST_USE enum status epochs_write(struct disk *data, const struct epochs *epochs);

/* Compares what was read with the last record or snapshot that was recovered. Missing ones are
 * taken from its zxid, as Java does, `current` is raised to it, and both are written where they
 * changed. STATUS_CORRUPT, and a note that says what to do: these promises do not belong to this
 * data. */
MUST_USE enum status epochs_settle(struct disk *data, int64_t last_zxid, struct epochs *epochs,
                                   struct store_notes *notes);

#endif
