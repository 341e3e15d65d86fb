/* log_walk.h: the transactions of some log files, one after the other, in the memory of one record. */
#ifndef TOOLS_LOG_WALK_H
#define TOOLS_LOG_WALK_H

#include "replica/store/txnlog_reader.h"
#include "replica/txn/txn.h"
#include "tools/tool_files.h"
#include "tools/tool_host.h"

/* The limit of a record: more than any server writes, and little enough for memory. */
enum { TOOL_PAYLOAD_BYTES_MAX = 64 * 1024 * 1024 };

struct log_record {
    const struct tool_file *file;
    uint64_t offset, bytes; /* of the whole record in its file */
    struct slice payload;
    struct txn txn;
    bool ours; /* it has a trailer: */
    struct txnlog_trailer trailer;
};

struct log_walk {
    const struct tool_files *files;
    size_t next_file;
    const struct tool_file *file; /* the one that is open; NULL: none */
    struct txnlog_reader reader;
    struct arena arena;
    struct tool_progress progress;
    uint64_t bytes_before;         /* of the files before this one */
    uint64_t file_records;         /* read from this file */
    int64_t first_zxid, last_zxid; /* of these */
    uint64_t records;
    uint32_t damages;                /* files that could not be read to their ends */
    bool quiet;                      /* damage is only counted, not reported */
    char problem[512];               /* the last damage, as a sentence */
    enum txnlog_found found;         /* of the last damage: TORN or DAMAGED */
    struct txnlog_evidence evidence; /* what stands after it */
};

void log_walk_begin(struct log_walk *walk, const struct tool_files *files, const char *what);
void log_walk_end(struct log_walk *walk);

/* Opens the next file. STATUS_END: there is none. STATUS_CORRUPT: it has no header; reported, and
 * closed. Other: the disk's; reported. */
MUST_USE enum status log_walk_open(struct log_walk *walk);
/* The next record of the open file, valid until the next call. STATUS_END: the file ends, as it should;
 * it is closed. STATUS_CORRUPT: there is no record; reported with the offset, closed. Other:
 * reported, closed. */
MUST_USE enum status log_walk_record(struct log_walk *walk, struct log_record *ret_record);
/* The next record of all files. A damaged file ends at the damage, which is reported and counted,
 * and the next file follows. STATUS_END: no more. Other: the disk's; reported. */
MUST_USE enum status log_walk_next(struct log_walk *walk, struct log_record *ret_record);

#endif
