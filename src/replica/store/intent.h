/* intent.h: what is being done to the files as a whole, so that a start after a crash can complete
 * it or undo it: the file `intent` in dataDir. Also the files that are renamed meanwhile. */
#ifndef REPLICA_STORE_INTENT_H
#define REPLICA_STORE_INTENT_H

#include "base/disk.h"
#include "replica/store/recovery.h"

enum intent_kind {
    INTENT_NONE,
    INTENT_TRUNCATE,  /* nothing above zxid may be left: go on (truncate.h) */
    INTENT_SET_ASIDE, /* files are being put aside, or back: put all of them back (install.h) */
    INTENT_AWAIT      /* if there is a snapshot of zxid or later, the renamed files are obsolete;
                         otherwise the present files are, and the renamed ones are restored
                         (install.h) */
};
struct intent {
    enum intent_kind kind;
    int64_t zxid;
};

/* STATUS_CORRUPT, and a note: the file was changed or damaged. No file: INTENT_NONE. */
MUST_USE enum status intent_read(struct disk *data, struct intent *ret_intent,
                                 struct store_notes *notes);
MUST_USE enum status intent_write(struct disk *data, const struct intent *intent); /* durable */
MUST_USE enum status intent_clear(struct disk *data); /* durable; fine when there is none */

/* Files aside have names that neither Paddock nor Java looks at. All of these are durable when they
 * answer OK, and may be called again after a crash in them. Else: the disk's answer. */
#define ASIDE_INSTALL "aside."      /* until the snapshot is there */
#define ASIDE_TRUNCATE "truncated." /* snapshots above a TRUNC: for the operator to delete */
/* Renames every file of this kind with a zxid above `zxid` to prefix + name, newest first. */
MUST_USE enum status aside_put(struct disk *disk, enum store_file_kind kind, int64_t zxid,
                               const char *prefix, struct store_notes *notes);
MUST_USE enum status aside_put_back(struct disk *disk); /* all of ASIDE_INSTALL */
MUST_USE enum status aside_remove(struct disk *disk);   /* all of ASIDE_INSTALL */

#endif
