/* backup.h: a backup file: a tar archive of Java's own files, and what it contains.
 *
 *     version-2/snapshot.<zxid>...   whole, as the server wrote them
 *     version-2/log.<zxid>...        up to their last whole record, without the zeros after it
 *     MANIFEST                       lines "# name=value", then "<SHA-256>  <member>" for each
 *
 * It can be used without Paddock: `tar xf FILE -C DATADIR` is a data directory of both servers, and
 * `sha256sum -c MANIFEST` checks it. It is not compressed, so that it can be checked and restored in place,
 * without unpacking it to a second place; the snapshots are compressed when the server compresses them. */
#ifndef TOOLS_BACKUP_H
#define TOOLS_BACKUP_H

#include "replica/store/txnlog_format.h"
#include "tools/tar_file.h"

#define BACKUP_FOLDER "version-2/"
#define BACKUP_MANIFEST "MANIFEST"
enum { BACKUP_TEXT_BYTES_MAX = 64 * 1024 * 1024 }; /* of a snapshot's text, of a log's record */

/* The states that a server can load from the files. */
struct backup_state {
    int64_t zxid;        /* the newest state */
    int64_t oldest_zxid; /* the oldest one that can be restored */
    uint64_t records;    /* between them, in the logs */
    char problem[256];   /* when the files are damaged: a sentence */
};
/* Reads every byte of the snapshots and logs: seals and checksums, that each transaction can be read and
 * follows the one before, from a snapshot to the last one. Changes nothing; the tree is not built.
 * STATUS_CORRUPT: `problem`. STATUS_END: interrupted. Other: the disk's. */
MUST_USE enum status backup_check_files(struct disk *disk, struct backup_state *ret_state,
                                        const char *what, uint64_t total_bytes);

/* The highest zxid in a snapshot's content. For Java's snapshots it may be above the zxid of the
 * name. */
MUST_USE enum status backup_snapshot_zxid(struct disk *disk, const char *name, int64_t *ret_zxid,
                                          const char **ret_problem);

struct backup {
    struct tar_archive archive;
    struct backup_state state;
    int64_t made_zxid, made_oldest; /* as the manifest has them */
};
/* Opens a backup file and checks all of it: the manifest, the checksums, the files. False: reported
 * on stderr, *ret_code is the exit code. */
MUST_USE bool backup_open(struct backup *backup, const char *path, int *ret_code);
void backup_close(struct backup *backup);

#endif
