/* disk.c: the calls of base/disk.h on a simulated disk.
 *
 * Every file has two contents: what a reader sees now, and what is durable (disk_inodes.c). A call changes
 * `now` only; sync copies a file's `now` to its `durable`, and sync_dir does it for the names. Every call may
 * fail, and every change may be the last one before the power fails. */
#include "sim/disk_parts.h"

#include "base/hash.h"

enum { JUNK = 0xa5 };

struct disk_file {
    struct inode *inode;
    uint64_t boot;
    bool writable;
};

static struct sim_disk *sim_of(struct disk *disk)
{
    return CONTAINER_OF(disk, struct sim_disk, disk);
}

int32_t disk_random_below(struct sim_disk *sim, int32_t bound)
{
    sim->seed += 0x9e3779b97f4a7c15u;
    return (int32_t)(hash_u64(sim->seed, 1) % (uint64_t)bound);
}

/* Before every call. *ret_crash: the power fails during this one. */
static enum status enter(struct sim_disk *sim, enum sim_disk_op op, bool changes, bool *ret_crash)
{
    *ret_crash = false;
    if (sim->crashed)
        return STATUS_IO;
    sim->calls[op]++;
    if (sim->fail_at[op] > 0 && --sim->fail_at[op] == 0) {
        sim->fails[op] = sim->fails_on[op];
        return sim->fail_status[op];
    }
    if (sim->fails[op])
        return sim->fail_status[op];
    if (changes) {
        sim->change_calls++;
        if (sim->crash_at > 0 && --sim->crash_at == 0)
            *ret_crash = sim->crashed = true;
    }
    return STATUS_OK;
}

static struct disk_file *file_new(struct sim_disk *sim, struct inode *inode, bool writable)
{
    struct disk_file *file = mem_zalloc(sizeof(*file));

    *file = (struct disk_file){inode, sim->boot, writable};
    sim->open_files++;
    return file;
}

static enum status sim_open(struct disk *disk, const char *name, enum disk_open_mode mode,
                            struct disk_file **ret_file)
{
    struct sim_disk *sim = sim_of(disk);
    struct name *entry = disk_names_find(&sim->now, name);
    bool crash;

    enum status status = enter(sim, SIM_OPEN, mode == DISK_CREATE, &crash);
    if (status != STATUS_OK)
        return status;
    if (entry == NULL && mode != DISK_CREATE)
        return STATUS_NOT_FOUND;
    if (mode == DISK_CREATE) {
        if (entry == NULL) {
            struct change change = {.kind = NAME_SET, .inode = disk_inode_new(sim)};
            disk_copy_name(change.text, name);
            disk_change_names(sim, &change);
            entry = disk_names_find(&sim->now, name);
        } else {
            inode_touch(entry->inode, 0, entry->inode->now.size);
            disk_bytes_resize(&entry->inode->now, 0);
            disk_give_back_blocks(sim, entry->inode, 0);
        }
    }
    if (crash)
        return STATUS_IO;
    *ret_file = file_new(sim, entry->inode, mode != DISK_READ);
    return STATUS_OK;
}

static void sim_close(struct disk *disk, struct disk_file *file)
{
    struct sim_disk *sim = sim_of(disk);

    if (file->boot == sim->boot)
        sim->open_files--;
    mem_free(file);
}

static enum status sim_write(struct disk *disk, struct disk_file *file, uint64_t offset,
                             const void *bytes, size_t size)
{
    struct sim_disk *sim = sim_of(disk);
    bool crash;

    ASSERT(file->writable && size > 0);
    enum status status = enter(sim, SIM_WRITE, true, &crash);
    if (status != STATUS_OK)
        return status;
    ASSERT(file->boot == sim->boot);
    size_t room = disk_take_blocks(sim, file->inode, offset, size);
    if (room > 0) {
        inode_touch(file->inode, (size_t)offset, (size_t)offset + room);
        if (offset + room > file->inode->now.size)
            disk_bytes_resize(&file->inode->now, offset + room);
        memcpy(file->inode->now.data + offset, bytes, room);
        for (size_t at = (size_t)offset / SECTOR_BYTES;
             at < disk_sectors_of((size_t)offset + room) && at < file->inode->dropped_count; at++)
            file->inode->dropped[at] = false;
    }
    if (crash)
        return STATUS_IO;
    return room == size ? STATUS_OK : STATUS_NO_SPACE;
}

static enum status sim_read(struct disk *disk, struct disk_file *file, uint64_t offset, void *bytes,
                            size_t capacity, size_t *ret_size)
{
    struct sim_disk *sim = sim_of(disk);
    struct bytes *from = &file->inode->now;
    bool crash;

    enum status status = enter(sim, SIM_READ, false, &crash);
    if (status != STATUS_OK) { /* nobody may use what a call that failed left there */
        memset(bytes, JUNK, capacity);
        *ret_size = SIZE_MAX / 2;
        return status;
    }
    size_t left = offset < from->size ? from->size - (size_t)offset : 0;
    if (capacity > left)
        capacity = left;
    if (sim->short_reads_from > 1)
        sim->short_reads_from--;
    else if (sim->short_reads_from == 1 && capacity > 0)
        capacity--;
    if (capacity > 0)
        memcpy(bytes, from->data + offset, capacity);
    *ret_size = capacity;
    return STATUS_OK;
}

static enum status sim_size(struct disk *disk, struct disk_file *file, uint64_t *ret_size_bytes)
{
    bool crash;

    enum status status = enter(sim_of(disk), SIM_SIZE, false, &crash);
    *ret_size_bytes = status == STATUS_OK ? file->inode->now.size : UINT64_MAX / 2;
    return status;
}

static enum status sim_skip_hole(struct disk *disk, struct disk_file *file, uint64_t offset,
                                 uint64_t *ret_offset)
{
    const struct inode *inode = file->inode;
    bool crash;

    enum status status = enter(sim_of(disk), SIM_SKIP_HOLE, false, &crash);
    *ret_offset = status == STATUS_OK ? inode->now.size : UINT64_MAX / 2;
    if (status != STATUS_OK)
        return status;
    for (uint64_t at = offset; at < inode->now.size; at++) {
        if (inode->now.data[at] != 0) { /* its block is no hole */
            uint64_t block = at - at % BLOCK_BYTES;
            *ret_offset = block > offset ? block : offset;
            break;
        }
    }
    return STATUS_OK;
}

static enum status sim_truncate(struct disk *disk, struct disk_file *file, uint64_t size_bytes)
{
    struct sim_disk *sim = sim_of(disk);
    bool crash;

    ASSERT(file->writable);
    enum status status = enter(sim, SIM_TRUNCATE, true, &crash);
    if (status != STATUS_OK)
        return status;
    size_t before = file->inode->now.size;
    inode_touch(file->inode, (size_t)size_bytes, before); /* what grows is zeros on both sides */
    disk_bytes_resize(&file->inode->now, (size_t)size_bytes);
    disk_give_back_blocks(sim, file->inode, (size_t)((size_bytes + BLOCK_BYTES - 1) / BLOCK_BYTES));
    return crash ? STATUS_IO : STATUS_OK;
}

static enum status sim_sync(struct disk *disk, struct disk_file *file)
{
    struct sim_disk *sim = sim_of(disk);
    bool crash;

    enum status status = enter(sim, SIM_SYNC, true, &crash);
    if (status != STATUS_OK && !sim->crashed)
        inode_drop_unsynced(file->inode);
    if (status != STATUS_OK && sim->retries_syncs)
        status = enter(sim, SIM_SYNC, true, &crash);
    if (status != STATUS_OK)
        return status;
    if (crash)
        return STATUS_IO;
    inode_make_durable(file->inode);
    return STATUS_OK;
}

static enum status sim_sync_dir(struct disk *disk)
{
    struct sim_disk *sim = sim_of(disk);
    bool crash;

    enum status status = enter(sim, SIM_SYNC_DIR, true, &crash);
    if (status != STATUS_OK)
        return status;
    if (crash)
        return STATUS_IO;
    if (sim->syncs_no_names)
        return STATUS_OK;
    disk_names_copy(&sim->durable, &sim->now);
    sim->change_count = 0;
    return STATUS_OK;
}

static enum status sim_rename(struct disk *disk, const char *from, const char *to)
{
    struct sim_disk *sim = sim_of(disk);
    struct name *entry = disk_names_find(&sim->now, from);
    bool crash;

    enum status status = enter(sim, SIM_RENAME, true, &crash);
    if (status != STATUS_OK)
        return status;
    if (entry == NULL)
        return STATUS_NOT_FOUND;
    struct change change = {.kind = NAME_SET, .inode = entry->inode};
    disk_copy_name(change.text, to);
    disk_copy_name(change.from, from);
    disk_change_names(sim, &change);
    return crash ? STATUS_IO : STATUS_OK;
}

static enum status sim_remove(struct disk *disk, const char *name)
{
    struct sim_disk *sim = sim_of(disk);
    struct name *entry = disk_names_find(&sim->now, name);
    bool crash;

    enum status status = enter(sim, SIM_REMOVE, true, &crash);
    if (status != STATUS_OK)
        return status;
    if (entry == NULL)
        return STATUS_NOT_FOUND;
    disk_give_back_blocks(sim, entry->inode, 0);
    struct change change = {.kind = NAME_REMOVED};
    disk_copy_name(change.text, name);
    disk_change_names(sim, &change);
    return crash ? STATUS_IO : STATUS_OK;
}

static enum status sim_list(struct disk *disk, disk_list_visit *visit, void *context)
{
    struct sim_disk *sim = sim_of(disk);
    bool crash;

    enum status status = enter(sim, SIM_LIST, false, &crash);
    if (status != STATUS_OK)
        return status;
    /* The order of a directory is undefined: the walk begins anywhere. */
    size_t start =
        sim->now.count == 0 ? 0 : (size_t)disk_random_below(sim, (int32_t)sim->now.count);
    for (size_t i = 0; i < sim->now.count; i++) {
        const struct name *name = &sim->now.entries[(start + i) % sim->now.count];
        if (!visit(context, name->text, name->inode->now.size))
            break;
    }
    return STATUS_OK;
}

static const struct disk_ops ops = {.open = sim_open,
                                    .close = sim_close,
                                    .write = sim_write,
                                    .read = sim_read,
                                    .size = sim_size,
                                    .skip_hole = sim_skip_hole,
                                    .truncate = sim_truncate,
                                    .sync = sim_sync,
                                    .sync_dir = sim_sync_dir,
                                    .rename = sim_rename,
                                    .remove = sim_remove,
                                    .list = sim_list};

struct sim_disk *sim_disk_new(uint64_t seed)
{
    struct sim_disk *sim = mem_zalloc(sizeof(*sim));

    sim->disk.ops = &ops;
    sim->seed = seed;
    sim->boot = 1;
    sim->space_blocks = UINT64_MAX;
    return sim;
}

void sim_disk_free(struct sim_disk *sim)
{
    while (sim->inodes != NULL) {
        struct inode *inode = sim->inodes;
        sim->inodes = inode->next;
        mem_free(inode->now.data);
        mem_free(inode->durable.data);
        mem_free(inode->blocks);
        mem_free(inode->dropped);
        mem_free(inode);
    }
    mem_free(sim->now.entries);
    mem_free(sim->durable.entries);
    mem_free(sim->changes);
    mem_free(sim);
}

struct disk *sim_disk(struct sim_disk *sim)
{
    return &sim->disk;
}
