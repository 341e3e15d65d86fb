/* snapshots.h: when to write a snapshot, and its bytes.
 *
 * A snapshot is due, and the log begins a new file, when the records or bytes since the last time
 * exceed a limit. The limits are drawn at random between half and all of the configured ones, so that
 * the servers of an ensemble do not write their snapshots at the same time. */
#ifndef REPLICA_PROPOSALS_SNAPSHOTS_H
#define REPLICA_PROPOSALS_SNAPSHOTS_H

#include "replica/effects/effects.h"

struct snapshot_image;
struct tree;

struct snapshots_options {
    int32_t snap_count;       /* >= 2: records between two snapshots */
    int64_t size_limit_bytes; /* <= 0: off */
    bool last_zxid_section;   /* serializeLastProcessedZxid.enabled */
    uint64_t random_seed;
};

struct snapshots {
    struct snapshots_options options;
    struct tree *tree;
    struct snapshot_image *image; /* NULL: none, or all of its parts were taken */
    bool wanted, running, roll_next;
    bool image_lost; /* the tree of the image was replaced */
    int64_t image_zxid, records, records_limit, bytes, bytes_limit;
    uint64_t random_state;
};

void snapshots_init(struct snapshots *snapshots, const struct snapshots_options *options,
                    struct tree *tree);
void snapshots_deinit(struct snapshots *snapshots);
/* A record of this size is about to be appended. True: it begins a new log file. */
bool snapshots_count_record(struct snapshots *snapshots, size_t bytes);
void snapshots_request(struct snapshots *snapshots); /* makes a snapshot due, if none is being
                                                        written */
/* True: a snapshot was due, and an image of the tree as it is now has begun. Call it only while no
 * transaction is half applied. */
bool snapshots_begin(struct snapshots *snapshots);
bool snapshots_running(const struct snapshots *snapshots); /* an image, or the writing of one */
/* Gives the running image up: snapshots_next() answers IMAGE_LOST. */
void snapshots_give_up(struct snapshots *snapshots);
int64_t snapshots_zxid(const struct snapshots *snapshots); /* of the newest image */
/* The next part of the running image, about bytes_max bytes; IMAGE_END when there is none. */
enum image_part snapshots_next(struct snapshots *snapshots, struct buffer *out, size_t bytes_max);
/* A running image is lost: snapshots_next() answers IMAGE_LOST. */
void snapshots_replace_tree(struct snapshots *snapshots, struct tree *tree);
void snapshots_done(struct snapshots *snapshots); /* written or given up: the next may begin */

#endif
