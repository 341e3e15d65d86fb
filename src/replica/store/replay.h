/* replay.h: the log records behind a snapshot, applied; and what to make of a break in them. */
#ifndef REPLICA_STORE_REPLAY_H
#define REPLICA_STORE_REPLAY_H

#include "base/disk.h"
#include "replica/store/recovery.h"
#include "replica/store/store_files.h"

struct replay {
    struct disk *log;
    const struct store_files *files; /* all logs, by zxid */
    size_t payload_bytes_max;
    struct recovery *recovery; /* its tree is at snapshot_zxid; counts and notes are added to */
    bool begin_anywhere;       /* snapshot.trust.empty: nothing says what came before */
    bool limited;       /* ends in front of the first record above limit_zxid, or at a break; */
    int64_t limit_zxid; /* repairs nothing */
    /* A fuzzy snapshot: digests mean nothing until after fuzzy_zxid, whose tree has this one. */
    bool fuzzy;
    int64_t fuzzy_zxid;
    uint64_t fuzzy_digest;
};

/* Reads, and where that is sound repairs, the files that may hold zxids above the snapshot's; sets
 * recovery's log position. All that was read is synced: it may have been written by a process
 * that died before it could. */
MUST_USE enum status replay_run(struct replay *replay);

#endif
