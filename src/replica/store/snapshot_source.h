/* snapshot_source.h: the uncompressed bytes of a snapshot file, through a window.
 *
 * Bounded memory: the window holds what one read needs, however long the file is. With a side, the next
 * window is read, decompressed and summed while the caller works on this one. */
#ifndef REPLICA_STORE_SNAPSHOT_SOURCE_H
#define REPLICA_STORE_SNAPSHOT_SOURCE_H

#include "base/disk.h"
#include "base/side_work.h"
#include "replica/store/txnlog_format.h"

struct snapshot_source;
/* side: NULL, or the source's until it is closed. */
MUST_USE enum status snapshot_source_open(struct disk *disk, const char *name,
                                          struct side_work *side,
                                          struct snapshot_source **ret_source);
void snapshot_source_close(struct snapshot_source *source);
/* The bytes in the window, at least `want` of them unless the stream ends; valid until the next call.
 * STATUS_CORRUPT: they do not decompress. Otherwise the disk's errors. */
MUST_USE enum status snapshot_source_peek(struct snapshot_source *source, size_t want,
                                          struct slice *ret_bytes);
void snapshot_source_skip(struct snapshot_source *source, size_t size); /* size <= peeked */
uint64_t snapshot_source_offset(const struct snapshot_source *source);  /* bytes skipped so far */
uint32_t snapshot_source_adler(
    const struct snapshot_source *source); /* of all bytes skipped so far */

#endif
