/* tar_file.h: an uncompressed tar archive, written in one pass and read in place.
 *
 * The members lie in the archive as they are, so that the store's readers can read them there: the archive
 * is a struct disk that cannot be written. The format is ustar; a member of more than 8 GB has its size as
 * GNU tar and others write it. */
#ifndef TOOLS_TAR_FILE_H
#define TOOLS_TAR_FILE_H

#include "base/disk.h"
#include "tools/tool_host.h"

enum {
    TAR_NAME_BYTES_MAX = 100,
    TAR_SUM_BYTES = 65
}; /* SHA-256 in hexadecimal, with a zero byte */

/* --- writing --- */
struct tar_sum;
struct tar_writer {
    struct tool_output *output;
    uint64_t offset, member_offset; /* of the end; of the member's header */
    char name[TAR_NAME_BYTES_MAX];
    struct tar_sum *sum;
};
void tar_writer_init(struct tar_writer *writer, struct tool_output *output);
void tar_writer_deinit(struct tar_writer *writer);
void tar_member_begin(struct tar_writer *writer, const char *name);
/* These three: false: reported on stderr. */
MUST_USE bool tar_member_write(struct tar_writer *writer, const void *bytes, size_t size);
MUST_USE bool tar_member_end(struct tar_writer *writer, char ret_sum[TAR_SUM_BYTES]);
MUST_USE bool tar_end(struct tar_writer *writer);

/* --- reading --- */
struct tar_member {
    char name[TAR_NAME_BYTES_MAX + 1];
    uint64_t offset, size_bytes; /* of its bytes */
};
struct tar_archive {
    struct disk
        disk; /* the members whose names begin with the folder, under the rest of their names */
    int fd;
    const char *folder;
    struct tar_member *members;
    size_t count, capacity;
    bool ended;   /* with the two empty blocks that a whole archive has */
    uint64_t end; /* behind the last member */
};
/* STATUS_CORRUPT: at *ret_offset there is no header of a member, or the member extends beyond the
 * end of the file. What came before it can be read. Other: the disk's. Close in any case but
 * those. */
MUST_USE enum status tar_archive_open(struct tar_archive *archive, const char *path,
                                      const char *folder, uint64_t *ret_offset);
void tar_archive_close(struct tar_archive *archive);
const struct tar_member *tar_archive_find(const struct tar_archive *archive, const char *name);
/* STATUS_END: interrupted. Progress goes on from *bytes. */
MUST_USE enum status tar_member_sum(const struct tar_archive *archive,
                                    const struct tar_member *member, char ret_sum[TAR_SUM_BYTES],
                                    struct tool_progress *progress, uint64_t *bytes);

#endif
