/* disk_parts.h: what a simulated disk consists of. Only for its files. */
#ifndef SIM_DISK_PARTS_H
#define SIM_DISK_PARTS_H

#include "sim/disk.h"

enum { SECTOR_BYTES = 512, BLOCK_BYTES = 4096, NAME_BYTES_MAX = 128 };

struct bytes {
    uint8_t *data;
    size_t size, capacity; /* after size: zeros */
};

struct inode {
    struct bytes now, durable;
    size_t dirty_from, dirty_to; /* outside of these bytes the two are the same */
    bool *dropped; /* sectors that a failed sync has lost, until they are written again */
    size_t dropped_count;
    bool *blocks; /* taken, by block number */
    size_t block_count;
    struct inode *next; /* of all that were ever made */
};

struct name {
    char text[NAME_BYTES_MAX];
    struct inode *inode;
};

struct names { /* sorted */
    struct name *entries;
    size_t count, capacity;
};

struct change { /* of names, since the last sync_dir */
    enum { NAME_SET, NAME_REMOVED } kind;
    char text[NAME_BYTES_MAX], from[NAME_BYTES_MAX]; /* from: its name before; "": none */
    struct inode *inode;
};

struct sim_disk {
    struct disk disk;
    uint64_t seed, boot;
    struct inode *inodes;
    struct names now, durable;
    struct change *changes;
    size_t change_count, change_capacity;
    uint64_t change_calls, crash_at;
    bool crashed;
    uint64_t short_reads_from; /* counted down to 1 */
    uint64_t calls[SIM_OP_COUNT], fail_at[SIM_OP_COUNT];
    enum status fail_status[SIM_OP_COUNT];
    bool fails_on[SIM_OP_COUNT]; /* behind the one of fail_at, */
    bool fails[SIM_OP_COUNT];    /* which has come */
    uint64_t space_blocks;
    size_t open_files;
    bool retries_syncs, syncs_no_names;
};

/* disk_inodes.c */
size_t disk_sectors_of(size_t size);
void disk_bytes_resize(struct bytes *bytes, size_t size);
struct inode *disk_inode_new(struct sim_disk *sim);
void inode_touch(struct inode *inode, size_t from, size_t to); /* these bytes are to be written */
/* One of the two contents becomes as the other is. Costs what has changed, not what there is. */
void inode_make_same(struct inode *inode, struct bytes *to, const struct bytes *from);
void inode_make_durable(struct inode *inode);
void inode_drop_unsynced(struct inode *inode); /* a sync of it failed */
/* How many of the bytes there is room for. */
size_t disk_take_blocks(struct sim_disk *sim, struct inode *inode, uint64_t offset, size_t size);
void disk_give_back_blocks(struct sim_disk *sim, struct inode *inode, size_t from);
void disk_copy_name(char *to, const char *from); /* `to` has NAME_BYTES_MAX bytes */
struct name *disk_names_find(const struct names *names, const char *text); /* NULL: none */
void disk_names_set(struct names *names, const char *text, struct inode *inode);
void disk_names_remove(struct names *names, const char *text);
void disk_names_copy(struct names *to, const struct names *from);
void disk_names_apply(struct names *names, const struct change *change);
void disk_change_names(struct sim_disk *sim, const struct change *change);
/* disk.c */
int32_t disk_random_below(struct sim_disk *sim, int32_t bound);

#endif
