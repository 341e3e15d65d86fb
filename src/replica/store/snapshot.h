/* snapshot.h: writes a tree to a snapshot file, and loads it again.
 *
 *     snapshot = "ZKSN" int 2, long -1, sessions, ACL table, nodes, "/"    seal
 *                long zxid, int 2, long digest       (digests on)          seal
 *                long last zxid                      (3.9 and later)       seal
 *     seal     = long Adler-32 of all uncompressed bytes so far, text "/"
 * Plain, gzip, or snappy-java's stream, by the last part of the name.
 * docs/protocol.md, "Snapshots". */
#ifndef REPLICA_STORE_SNAPSHOT_H
#define REPLICA_STORE_SNAPSHOT_H

#include "base/disk.h"
#include "base/side_work.h"
#include "replica/effects/effects.h"
#include "replica/store/txnlog_format.h"
#include "replica/tree/tree.h"

enum { SNAPSHOT_MAGIC = 0x5a4b534e, SNAPSHOT_NAME_BYTES_MAX = 48 }; /* "ZKSN" */
/* "snapshot.1c", "snapshot.1c.gz". `at` has SNAPSHOT_NAME_BYTES_MAX bytes. */
void snapshot_name_write(char *at, int64_t zxid, enum store_compression compression);

/* --- the bytes of an image, without seals, in parts --- */
struct snapshot_image_options {
    bool digest_enabled;    /* off: the second and third sections are left out */
    bool last_zxid_section; /* serializeLastProcessedZxid.enabled */
    bool wire;              /* as a leader sends it (snapshot_stream.h), signature included */
};
struct snapshot_image;
/* The tree as it is now; it may change while parts are taken. At most one per tree. */
struct snapshot_image *snapshot_image_begin(struct tree *tree,
                                            const struct snapshot_image_options *options);
int64_t snapshot_image_zxid(const struct snapshot_image *image);
/* Appends about bytes_max bytes, or fewer, or none (tree_walk_step). After IMAGE_END and IMAGE_LOST only
 * snapshot_image_end() may follow. */
enum image_part snapshot_image_next(struct snapshot_image *image, struct buffer *out,
                                    size_t bytes_max);
void snapshot_image_end(struct snapshot_image *image); /* at any time */

/* --- onto the disk. Any thread, one at a time --- */
struct snapshot_file;
/* Writes to a temporary name that is no snapshot's. */
MUST_USE enum status snapshot_file_begin(struct disk *disk, int64_t zxid,
                                         enum store_compression compression,
                                         struct snapshot_file **ret_file);
MUST_USE enum status snapshot_file_write(struct snapshot_file *file, struct slice bytes);
MUST_USE enum status snapshot_file_seal(struct snapshot_file *file);
uint64_t snapshot_file_bytes(const struct snapshot_file *file); /* uncompressed, so far */
/* Syncs the file, reads and checks all of it, renames it, syncs the directory. Frees `file` in any case;
 * after an error the temporary file is removed, if possible. STATUS_CORRUPT: what was read differs from
 * what was written. */
MUST_USE enum status snapshot_file_finish(struct snapshot_file *file);
void snapshot_file_abort(struct snapshot_file *file); /* removes the temporary file */
/* begin, all parts of an image of `tree`, finish. Blocks: for starts, tests and tools. */
MUST_USE enum status snapshot_write(struct disk *disk, struct tree *tree,
                                    const struct snapshot_image_options *options,
                                    enum store_compression compression);

/* --- and back --- */
struct snapshot_info {
    bool has_digest; /* version 2 */
    int64_t digest_zxid;
    uint64_t digest;
    bool has_last_zxid;
    int64_t last_zxid;
    int64_t
        node_zxid_max; /* the highest in any stat; of a fuzzy snapshot it may be above its name's */
    const char *problem; /* when the answer is not OK: "wrong seal", ... */
    uint64_t bytes; /* uncompressed, read so far: when the answer is not OK, where the problem is */
    uint64_t nodes; /* read so far */
};
/* A cheap check of the name and the last bytes: does this look like a finished snapshot? */
MUST_USE enum status snapshot_is_candidate(struct disk *disk, const char *name,
                                           bool *ret_candidate);
/* Loads into an empty tree (tree_new_empty), which is useless when the answer is not OK; tree NULL: only
 * checks. STATUS_CORRUPT: it is not a complete and correct snapshot. Memory is bounded. The caller calls
 * tree_load_finish() and sets the zxid. text_bytes_max 0: Java's default. */
MUST_USE enum status snapshot_load(struct disk *disk, const char *name, size_t text_bytes_max,
                                   struct side_work *side, struct tree *tree,
                                   struct snapshot_info *ret_info);

/* Hears of each thing as it is read, before the seal has shown that all of it is right. A function may
 * be NULL. What is passed is valid during the call only. */
struct snapshot_visitor {
    void *context;
    void (*session)(void *context, int64_t id, int32_t timeout_ms);
    void (*acl)(void *context, int64_t id, struct jute_vector acl);
    void (*node)(void *context, struct slice path, struct slice data, int64_t acl,
                 const struct stat_persisted *stat); /* the root's path is "" */
};
/* Checks as snapshot_load() does without a tree, and tells the visitor what is there. The same answers. */
MUST_USE enum status snapshot_scan(struct disk *disk, const char *name, size_t text_bytes_max,
                                   const struct snapshot_visitor *visitor,
                                   struct snapshot_info *ret_info);

#endif
