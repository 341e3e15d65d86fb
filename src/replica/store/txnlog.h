/* txnlog.h: writing the transaction log: whole batches, one write each, then one sync.
 *
 * It writes to new files only. A file log.<zxid> is begun by the first append of a run, by every record
 * with roll_before, and by the first record after a sync that left the file above size_limit_bytes. In
 * the last two cases it begins later if that record has no trailer: with the next one that has.
 * A file's size grows ahead of its records, as Java's does. Up to 256 KB of that is written as zeros, so
 * that most syncs change no metadata; the rest is a hole.
 *
 * Errors: after STATUS_NO_SPACE from append nothing of this batch is in the log, what was appended before
 * is unchanged, and the same batch may be tried again. Every other error, and every error of sync, is
 * final: each later call answers it again, because after a failed sync it is unknown what is on the
 * disk.
 * One thread at a time. */
#ifndef REPLICA_STORE_TXNLOG_H
#define REPLICA_STORE_TXNLOG_H

#include "base/disk.h"
#include "replica/effects/effects.h"
#include "replica/store/txnlog_format.h"

struct txnlog_options {
    uint64_t prealloc_bytes;   /* preAllocSize; 0: off, files end with their last record */
    uint64_t size_limit_bytes; /* txnLogSizeLimitInKb; 0: none */
    bool force_sync;           /* false: sync writes nothing out. Unsafe */
    bool digest_enabled;       /* false: no payload carries a digest */
    size_t payload_bytes_max;  /* jute.maxbuffer + extrasize; 0: Java's default */
};

struct txnlog_writer;
/* Touches no file yet. `position`: from recovery; all up to it counts as durable. */
struct txnlog_writer *txnlog_writer_new(struct disk *disk, const struct txnlog_options *options,
                                        const struct txnlog_position *position);
void txnlog_writer_free(struct txnlog_writer *writer); /* closes; syncs nothing */

/* zxids grow. Not durable before txnlog_writer_sync(). */
MUST_USE enum status txnlog_writer_append(struct txnlog_writer *writer,
                                          const struct txnlog_append *appends, size_t count);
/* OK: every record appended so far is durable. When there is none since the last sync it does nothing. */
MUST_USE enum status txnlog_writer_sync(struct txnlog_writer *writer);

struct txnlog_writer_info {
    char file_name[TXNLOG_NAME_BYTES_MAX]; /* "" before the first append */
    uint64_t file_bytes;                   /* with padding */
    uint64_t written_bytes;                /* of records, in all files of this writer */
    uint64_t syncs;                        /* file syncs that were done */
    int64_t last_zxid, durable_zxid;
    bool unsynced; /* something waits for a sync */
};
void txnlog_writer_info(const struct txnlog_writer *writer, struct txnlog_writer_info *ret_info);

#endif
