/* recovery.h: loads the files of a data directory into a tree, or refuses and says why.
 *
 * It takes the newest good snapshot, and then every log record after it. A torn tail, in which no
 * acknowledged transaction can be, is cut off and kept as torn.<file>.<offset>. When anything that
 * may have been acknowledged is damaged, it refuses, and names the file, the zxid and what to do.
 * After a crash during recovery the next one gives the same result. `data` and `log` are the
 * version-2 directories of dataDir and dataLogDir; often the same. */
#ifndef REPLICA_STORE_RECOVERY_H
#define REPLICA_STORE_RECOVERY_H

#include "base/disk.h"
#include "base/side_work.h"
#include "metrics/traffic.h"
#include "replica/effects/mutant.h"
#include "replica/store/txnlog_format.h"
#include "replica/tree/tree.h"

/* Sentences for the operator, in the order in which things were found. */
struct store_note {
    bool warning;
    char *text;
    size_t
        advice_at; /* offset of the advice (that the server does not start, and what to do) in the
                      text; 0: there is none */
};
struct store_notes {
    struct store_note *notes;
    size_t count, capacity;
};
void store_notes_deinit(struct store_notes *notes);

struct recovery_options {
    struct tree_options tree;
    size_t text_bytes_max;  /* jute.maxbuffer + extrasize; 0: Java's default */
    bool trust_empty;       /* snapshot.trust.empty */
    bool db_autocreate;     /* false: an empty directory is refused ... */
    bool initialize_found;  /* ... unless dataLogDir/initialize is there; the caller removes it */
    bool last_zxid_section; /* for the snapshot.0 of a fresh database */
    enum store_compression compression; /* likewise */
    bool keep_orphans; /* ephemerals whose session is gone stay: in an ensemble the leader's
                          transactions remove them */
    bool repairable;   /* a member of an ensemble: the others can repair it */
    /* Only the state up to limit_zxid, and no file is changed: later records are not read,
     * snapshots that contain something later are not used. */
    bool limited;
    int64_t limit_zxid;
    enum mutant mutant;      /* for tests: a deliberate bug */
    struct side_work *side;  /* reads the files ahead; NULL: nobody does */
    struct traffic *traffic; /* counts what is replayed; NULL: nothing is counted */
    /* Unless NULL, called when the snapshot is loaded and the logs follow. */
    void (*replay_begins)(void *context);
    void *context;
};

struct quarantine { /* a member that lost something it promised: quarantine.h */
    bool on;
    bool promises_lost; /* which epoch it accepted last is unknown, too */
};

struct recovery {
    struct tree *tree; /* the caller's: tree_free() */
    int64_t last_zxid, snapshot_zxid;
    struct txnlog_position log; /* for txnlog_writer_new() */
    bool fresh;                 /* the directory was empty: snapshot.0 has been written */
    uint64_t replayed;          /* log records applied */
    uint64_t digests_checked, digest_mismatches;
    bool tree_differs;          /* from the last digest that there is */
    uint32_t orphan_ephemerals; /* removed: their session was gone */
    struct quarantine quarantine;
    struct store_notes notes; /* the last one says why, when the answer is not OK */
};

/* Uses the files as they are; a start calls store_start() (start.h). STATUS_CORRUPT: damage, refuse
 * to start. STATUS_INVALID: options and data do not fit. Other: the disk's answer. The notes are
 * filled in any case, the tree only when OK. */
MUST_USE enum status store_recover(struct disk *data, struct disk *log,
                                   const struct recovery_options *options,
                                   struct recovery *ret_recovery);
void recovery_deinit(struct recovery *recovery); /* the notes; not the tree */

/* Snapshots in the log directory or logs in the snapshot directory: STATUS_INVALID and a note.
 * Only for two different directories. */
MUST_USE enum status store_check_dirs(struct disk *data, struct disk *log,
                                      struct store_notes *notes);

/* Keeps the `retain` newest good snapshots (at least 3) and the logs that the oldest of these needs, and
 * removes older ones, with a note for each; but no logs that begin at reading_zxid or above, for
 * somebody reads them (INT64_MAX: nobody). Without a good snapshot it removes nothing. Any thread.
 * Errors are the disk's. */
MUST_USE enum status store_purge(struct disk *data, struct disk *log, uint32_t retain,
                                 int64_t reading_zxid, struct store_notes *notes);

#endif
