/* log_break.h: a place where the records of the log files stop making sense: bytes that are no record, and
 * other bytes after them; a file without a header; or a record that does not follow the one before it. */
#ifndef REPLICA_STORE_LOG_BREAK_H
#define REPLICA_STORE_LOG_BREAK_H

#include "replica/store/store_files.h"
#include "replica/store/txnlog_reader.h"

enum log_break_kind {
    BREAK_HEADER, /* a file without one */
    BREAK_BYTES,  /* bytes that are no record */
    BREAK_ORDER,  /* a record that does not follow */
};
struct log_break {
    enum log_break_kind kind;
    size_t file;
    uint64_t offset;
    const char *reason;
    bool torn;                       /* a power loss explains it */
    struct txnlog_evidence evidence; /* found after it */
};

struct log_break_site { /* what was read up to the break */
    struct disk *log;
    const struct store_file *files; /* the ones that were read, and those after them */
    size_t count;
    size_t payload_bytes_max;
    int64_t last_zxid; /* the highest one that is there, in the snapshot or in the records */
    bool ours;         /* of the records that tell whose they are, the last one was */
    struct store_notes *notes;
};

/* The first break. OK: it was a torn tail, which is in a file of its own now. STATUS_CORRUPT: it is damage, with a
 * note that says what to do. Otherwise the disk's errors. */
MUST_USE enum status log_break_mend(const struct log_break_site *site, struct log_break *the_break);

/* The bytes [from, to) of a file into `copy`, which may be the same file. STATUS_IO: they are not all there.
 * Otherwise the disk's errors. */
MUST_USE enum status log_break_copy(struct disk *disk, struct disk_file *file, uint64_t from,
                                    uint64_t to, struct disk_file *copy, uint64_t copy_from);

#endif
