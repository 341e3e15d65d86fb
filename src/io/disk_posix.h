/* disk_posix.h: base/disk.h over one directory of real files.
 *
 * Calls block. Several threads may use one disk at the same time, each with its own files. */
#ifndef IO_DISK_POSIX_H
#define IO_DISK_POSIX_H

#include "base/disk.h"

/* The directory must exist: STATUS_NOT_FOUND, STATUS_NO_ACCESS, STATUS_IO.
 * write_back_bytes: after each so many bytes of a file, write them to the device and wait, so that the
 * sync of a large file does not delay the syncs of others; 0: the kernel decides. */
MUST_USE enum status disk_posix_open(const char *path, uint64_t write_back_bytes,
                                     struct disk **ret_disk);
void disk_posix_close(struct disk *disk); /* may be NULL; its files are closed before */

/* Makes the directory and those above it. STATUS_EXISTS: something else has this name. STATUS_INVALID:
 * an empty or too long path. STATUS_NO_ACCESS, STATUS_READ_ONLY, STATUS_NO_SPACE, STATUS_IO. */
MUST_USE enum status dir_make(const char *path);

/* Locks the directory for this process, by flock() on the file paddock.lock in it, which ZooKeeper ignores.
 * The lock is held until dir_unlock() or the end of the process; the file stays. STATUS_BUSY: another
 * process holds it; *ret_holder is its pid, or 0 when that is not known. STATUS_NOT_FOUND,
 * STATUS_NO_ACCESS, STATUS_READ_ONLY, STATUS_IO. */
MUST_USE enum status dir_lock(const char *path, int *ret_lock_fd, int64_t *ret_holder);
void dir_unlock(int lock_fd);

/* Reads `capacity` bytes from the offset on, or less at the end of the file. STATUS_NO_ACCESS, STATUS_IO. */
MUST_USE enum status disk_posix_read_at(int fd, uint64_t offset, void *bytes, size_t capacity,
                                        size_t *ret_size);

enum status status_from_errno(int error);

#endif
