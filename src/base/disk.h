/* disk.h: one directory of files, as an interface. src/io/ answers with real files, sim/ from
 * memory, tearing, losing or failing by seed.
 *
 * Names are plain file names inside the directory (no slash). Everything that can fail says so;
 * a write or sync that failed leaves the file in an unknown state: the caller stops, never retries.
 * All calls block. One thread at a time per file; different files from different threads are fine. */
#ifndef BASE_DISK_H
#define BASE_DISK_H

#include "base/slice.h"

struct disk_file; /* opaque to callers; freed by close() */

enum disk_open_mode {
    DISK_READ,   /* STATUS_NOT_FOUND when absent */
    DISK_WRITE,  /* read and write an existing file; STATUS_NOT_FOUND when absent */
    DISK_CREATE, /* read and write; made if absent, cut to zero bytes if present */
};

struct disk;
/* One name of the directory. `name` is valid during the call only. Return false to stop. */
typedef bool disk_list_visit(void *context, const char *name, uint64_t size_bytes);

struct disk_ops {
    enum status (*open)(struct disk *disk, const char *name, enum disk_open_mode mode,
                        struct disk_file **ret_file);
    void (*close)(struct disk *disk, struct disk_file *file); /* errors were reported by sync */
    /* All `size` bytes at `offset`, or an error. */
    enum status (*write)(struct disk *disk, struct disk_file *file, uint64_t offset,
                         const void *bytes, size_t size);
    /* Fewer than `capacity` bytes only at the end of the file. */
    enum status (*read)(struct disk *disk, struct disk_file *file, uint64_t offset, void *bytes,
                        size_t capacity, size_t *ret_size);
    enum status (*size)(struct disk *disk, struct disk_file *file, uint64_t *ret_size_bytes);
    /* An offset from `offset` on, up to which all bytes are zeros that no one needs to read (a hole);
     * `offset` itself where the file system cannot tell, the file's size when there is no more. */
    enum status (*skip_hole)(struct disk *disk, struct disk_file *file, uint64_t offset,
                             uint64_t *ret_offset);
    enum status (*truncate)(struct disk *disk, struct disk_file *file, uint64_t size_bytes);
    /* OK: the file's bytes and size survive a power loss (fdatasync). */
    enum status (*sync)(struct disk *disk, struct disk_file *file);
    /* OK: the names made, renamed and removed so far survive a power loss. */
    enum status (*sync_dir)(struct disk *disk);
    enum status (*rename)(struct disk *disk, const char *from, const char *to); /* replaces */
    enum status (*remove)(struct disk *disk, const char *name);
    enum status (*list)(struct disk *disk, disk_list_visit *visit, void *context);
};

struct disk { /* the first member of each implementation */
    const struct disk_ops *ops;
};

#endif
