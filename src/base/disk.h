/* disk.h: one directory of files, as an interface. src/io/ implements it with real files; sim/ with
 * memory, where a seed decides which writes are torn, lost or fail.
 *
 * Names are file names inside the directory, without a slash. After a write or sync that failed the
 * contents of the file are unknown: the caller must stop, and never retry. All calls block. One file
 * is used by one thread at a time; several threads may use different files.
 *
 * Every call may return STATUS_NOT_FOUND, STATUS_EXISTS (the name is no file), STATUS_NO_ACCESS,
 * STATUS_READ_ONLY, STATUS_NO_SPACE, STATUS_TOO_LARGE (for a file), and STATUS_IO for anything else. */
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
    /* Writes all `size` bytes at `offset`, or returns an error. */
    enum status (*write)(struct disk *disk, struct disk_file *file, uint64_t offset,
                         const void *bytes, size_t size);
    /* Fewer than `capacity` bytes only at the end of the file. */
    enum status (*read)(struct disk *disk, struct disk_file *file, uint64_t offset, void *bytes,
                        size_t capacity, size_t *ret_size);
    enum status (*size)(struct disk *disk, struct disk_file *file, uint64_t *ret_size_bytes);
    /* From `offset` up to the offset that is returned all bytes are zero (a hole) and need not be read.
     * `offset` itself: there is no hole, or the file system cannot tell. The file's size: only zeros. */
    enum status (*skip_hole)(struct disk *disk, struct disk_file *file, uint64_t offset,
                             uint64_t *ret_offset);
    enum status (*truncate)(struct disk *disk, struct disk_file *file, uint64_t size_bytes);
    /* OK: the file's bytes and size are durable (fdatasync). */
    enum status (*sync)(struct disk *disk, struct disk_file *file);
    /* OK: what was created, renamed and removed so far is durable. */
    enum status (*sync_dir)(struct disk *disk);
    enum status (*rename)(struct disk *disk, const char *from, const char *to); /* replaces */
    enum status (*remove)(struct disk *disk, const char *name);
    enum status (*list)(struct disk *disk, disk_list_visit *visit, void *context);
};

struct disk { /* the first member of each implementation */
    const struct disk_ops *ops;
};

#endif
