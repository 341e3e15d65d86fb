/* txnlog.h: writing the transaction log: whole batches, one write each, then one sync.
 *
 * Writes only new files: the first append of a run begins log.<its zxid>, and so does every record
 * with roll_before and the first one after a sync that left the file over size_limit_bytes.
 * A file's size grows ahead of its content as Java's does; up to 256 KB of that is written as zeros,
 * so that most syncs change no metadata. Not sparse where it matters, never 64 MB at start.
 *
 * Errors: STATUS_NO_SPACE from append means that nothing of this batch is in the log, that what
 * was appended before is untouched, and that the same batch may be tried again. Every other error,
 * and every error of sync, is final: the writer answers it again to each later call, because after
 * a failed sync nobody knows what the disk holds.
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
/* OK: every record appended so far survives a power loss. Nothing new: OK without a disk call. */
MUST_USE enum status txnlog_writer_sync(struct txnlog_writer *writer);

struct txnlog_writer_info {
    char file_name[TXNLOG_NAME_BYTES_MAX]; /* "" before the first append */
    uint64_t file_bytes;                   /* with padding */
    uint64_t written_bytes;                /* of records, in all files of this writer */
    uint64_t syncs;                        /* file syncs that were done */
    int64_t last_zxid, durable_zxid;
    bool dirty; /* something waits for a sync */
};
void txnlog_writer_info(const struct txnlog_writer *writer, struct txnlog_writer_info *ret_info);

#endif
