/* history.h: what happened after a zxid, from the log files: for a learner that is behind.
 *
 * Only a history without a gap is given. A record of ours names the one before it and is chained to it;
 * Java's must count on by one inside an epoch and begin an epoch with 1. Two records of one zxid,
 * the second an error, are what 3.9.0 to 3.9.5 leave behind: the second is left out.
 *
 * Payloads are as a leader sends them: without our trailer, and without a digest that our log
 * added.
 *
 * For a worker thread: blocks, and holds one window of one file. The log may be appended to
 * meanwhile, everything up to the last requested zxid must be durable before. The log is not cut
 * meanwhile: that happens on learners only (truncate.h). Files may be removed: then it ends as
 * damaged, and the learner gets everything. Damage is found when it is reached, when a part of the
 * history was given already: a Paddock learner drops that part when its connection closes before
 * NEWLEADER. To know it before, read the history twice. */
#ifndef REPLICA_STORE_HISTORY_H
#define REPLICA_STORE_HISTORY_H

#include "base/disk.h"
#include "base/slice.h"

struct history;
/* The records with after_zxid < zxid <= last_zxid, which is that of a record. STATUS_NOT_FOUND:
 * after_zxid is neither that of a record of this history nor that of a snapshot, so a server that
 * has it as the last one may have another history. STATUS_CORRUPT: damage before it. Other: the
 * disk's. */
MUST_USE enum status history_open(struct disk *data, struct disk *log, int64_t after_zxid,
                                  int64_t last_zxid, size_t text_bytes_max,
                                  struct history **ret_history);
void history_close(struct history *history);

struct history_record {
    int64_t zxid;
    struct slice payload; /* valid until the next call */
};
/* STATUS_END: last_zxid was the one before. STATUS_CORRUPT: a gap, damage, or an end before
 * last_zxid: history_problem(). */
MUST_USE enum status history_next(struct history *history, struct history_record *ret_record);
const char *history_problem(const struct history *history); /* static text; NULL: none */
/* The size of all files that it may have to read, without the zeros written ahead: to compare with
 * a snapshot. */
uint64_t history_file_bytes(const struct history *history);
/* The first zxid of the file that is being read; INT64_MAX: none. */
int64_t history_file_zxid(const struct history *history);

#endif
