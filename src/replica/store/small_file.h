/* small_file.h: a file of a few bytes that has either its old or its new content, whenever the
 * power fails: written under another name, synced, renamed, and the directory synced. */
#ifndef REPLICA_STORE_SMALL_FILE_H
#define REPLICA_STORE_SMALL_FILE_H

#include "base/buffer.h"
#include "base/disk.h"

enum { SMALL_FILE_BYTES_MAX = 256, SMALL_FILE_NAME_BYTES_MAX = 32 };

/* OK: `name` holds exactly `bytes`, and keeps them over a power loss. Not OK: the disk's status;
 * the file has its old or its new content. Leaves <name>.tmp behind when it fails. */
MUST_USE enum status small_file_write(struct disk *disk, const char *name, struct slice bytes);
/* Appends its bytes. STATUS_NOT_FOUND: no such file. STATUS_TOO_LARGE: not written by Paddock. */
MUST_USE enum status small_file_read(struct disk *disk, const char *name, struct buffer *bytes);

#endif
