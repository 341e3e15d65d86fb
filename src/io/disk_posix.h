/* disk_posix.h: base/disk.h over one directory of real files.
 *
 * Calls block. Several threads may use one disk at a time, each with files of its own. */
#ifndef IO_DISK_POSIX_H
#define IO_DISK_POSIX_H

#include "base/disk.h"

/* The directory is there already. STATUS_NOT_FOUND, STATUS_NO_ACCESS, STATUS_IO otherwise.
 * write_back_bytes: after so many bytes written to a file, push them to the device and wait, so that
 * a large file does not burst at its sync and delay other files' syncs; 0: the kernel decides. */
MUST_USE enum status disk_posix_open(const char *path, uint64_t write_back_bytes,
                                     struct disk **ret_disk);
void disk_posix_close(struct disk *disk); /* NULL is fine; its files are closed before */

/* Make the directory and those above it. STATUS_EXISTS: something that is no directory is there. */
MUST_USE enum status dir_make(const char *path);

/* Nobody else serves from this directory: flock on `paddock.lock` in it, a name that ZooKeeper does
 * not look at. Held until dir_unlock() or the end of the process. The file stays.
 * STATUS_BUSY: another process has it; its pid is in ret_holder when known, else 0. */
MUST_USE enum status dir_lock(const char *path, int *ret_lock_fd, int64_t *ret_holder);
void dir_unlock(int lock_fd);

enum status status_from_errno(int error);

#endif
