/* replay.h: applies the log records after a snapshot. */
#ifndef REPLICA_STORE_REPLAY_H
#define REPLICA_STORE_REPLAY_H

#include "base/disk.h"
#include "base/side_work.h"
#include "replica/store/recovery.h"
#include "replica/store/store_files.h"

struct replay {
    struct disk *log;
    const struct store_files *files; /* all logs, by zxid */
    size_t payload_bytes_max;
    struct side_work *side;    /* reads ahead; or NULL */
    struct traffic *traffic;   /* or NULL */
    struct recovery *recovery; /* its tree is at snapshot_zxid; counts and notes are added to */
    enum mutant mutant;
    bool begin_anywhere; /* snapshot.trust.empty: nothing says what came before */
    bool limited;        /* ends in front of the first record above limit_zxid, or at a break; */
    int64_t limit_zxid;  /* repairs nothing */
    /* A fuzzy snapshot: digests can be checked only from fuzzy_zxid on, where it is fuzzy_digest, if
     * that is known. */
    bool fuzzy, has_fuzzy_digest;
    int64_t fuzzy_zxid;
    uint64_t fuzzy_digest;
};

/* Reads the files that may hold zxids above the snapshot's, repairs them where that is safe, and sets
 * recovery's log position. It syncs what it has read: the process that wrote it may have died before
 * its sync. STATUS_CORRUPT: damage, with a note that says why. Otherwise the disk's errors. */
MUST_USE enum status replay_run(struct replay *replay);

#endif
