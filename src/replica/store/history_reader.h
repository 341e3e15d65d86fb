/* history_reader.h: gives learners what they missed, from the log files, in steps, for several
 * learners in turn.
 *
 * Carries out `struct history_work` (effects.h): on the snapshot thread of the daemon, inline in the
 * simulator. Blocks. One thread at a time, the one that purges: it asks here which files
 * store_purge() must keep. */
#ifndef REPLICA_STORE_HISTORY_READER_H
#define REPLICA_STORE_HISTORY_READER_H

#include "replica/effects/effects.h"
#include "replica/store/history.h"

struct history_reader;
struct history_reader *history_reader_new(struct disk *data, struct disk *log,
                                          size_t text_bytes_max);
void history_reader_free(struct history_reader *reader); /* may be NULL */
/* Packets are appended to `out`. STATUS_OK: more will come. STATUS_END: these were the last ones, or a
 * HISTORY_CLOSE. STATUS_TOO_LARGE: more bytes of files than allowed. Other: as history_open() and
 * history_next() answer, and `out` may have a part. After anything but STATUS_OK this history is
 * closed. */
MUST_USE enum status history_reader_work(struct history_reader *reader,
                                         const struct history_work *work, struct buffer *out);
/* Log files that begin at this zxid or above may still be read; INT64_MAX: none. */
int64_t history_reader_oldest_zxid(const struct history_reader *reader);

#endif
