/* backup_copy.h: copies a data directory into a tar archive, while a server may be using it. */
#ifndef TOOLS_BACKUP_COPY_H
#define TOOLS_BACKUP_COPY_H

#include "tools/tar_file.h"

#include "base/buffer.h"

struct backup_source {
    const char *data, *log; /* the directories of snapshots and of logs; often the same */
    uint32_t snapshots;     /* how many to take, with the logs that the oldest of them needs */
    bool has_target;        /* a server had this zxid when the copy began: */
    int64_t target_zxid;
};

enum backup_copied {
    BACKUP_COPIED,
    BACKUP_MOVED,   /* the files changed in such a way that the copy cannot be used: try again */
    BACKUP_BEHIND,  /* the server has not written everything to its log yet: try again */
    BACKUP_DAMAGED, /* or a record is just being written: try again */
    BACKUP_FAILED,  /* reported on stderr */
};
/* One attempt, from the archive's begin. `sums`: gets a manifest line for each member. `why`: of all but
 * COPIED and FAILED, a sentence. */
enum backup_copied backup_copy(const struct backup_source *source, struct tar_writer *writer,
                               struct buffer *sums, char why[256]);

#endif
