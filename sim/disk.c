/* disk.c: every file has two contents: what a reader sees now, and what is durable.
 *
 * A call changes `now` only; sync copies a file's `now` to its `durable`, and sync_dir does it for the
 * names. A reboot takes one of the two for each sector and each name. The seed makes every choice, so a
 * run can be repeated. */
#include "sim/disk.h"

#include "base/array.h"
#include "base/hash.h"

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

struct disk_file {
    struct inode *inode;
    uint64_t boot;
    bool writable;
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

static struct sim_disk *sim_of(struct disk *disk)
{
    return CONTAINER_OF(disk, struct sim_disk, disk);
}

static int32_t random_below(struct sim_disk *sim, int32_t bound)
{
    sim->seed += 0x9e3779b97f4a7c15u;
    return (int32_t)(hash_u64(sim->seed, 1) % (uint64_t)bound);
}

/* `to` has NAME_BYTES_MAX bytes. */
static void copy_name(char *to, const char *from)
{
    size_t size = strlen(from);

    ASSERT(size < NAME_BYTES_MAX);
    memcpy(to, from, size + 1);
}

static void bytes_resize(struct bytes *bytes, size_t size)
{
    if (size > bytes->capacity) {
        size_t capacity = bytes->capacity == 0 ? size : size * 2;
        bytes->data = mem_realloc(bytes->data, capacity);
        memset(bytes->data + bytes->capacity, 0, capacity - bytes->capacity);
        bytes->capacity = capacity;
    }
    if (size < bytes->size)
        memset(bytes->data + size, 0, bytes->size - size);
    bytes->size = size;
}

static void touch(struct inode *inode, size_t from, size_t to)
{
    if (from >= to)
        return;
    bool clean = inode->dirty_from == inode->dirty_to;
    inode->dirty_from = clean || from < inode->dirty_from ? from : inode->dirty_from;
    inode->dirty_to = clean || to > inode->dirty_to ? to : inode->dirty_to;
}

/* One of the two contents becomes as the other is. Costs what has changed, not what there is. */
static void make_same(struct inode *inode, struct bytes *to, const struct bytes *from)
{
    size_t first = inode->dirty_from;
    size_t end = inode->dirty_to < from->size ? inode->dirty_to : from->size;

    bytes_resize(to, from->size);
    if (first < end)
        memcpy(to->data + first, from->data + first, end - first);
    inode->dirty_from = inode->dirty_to = 0;
}

static struct name *names_find(const struct names *names, const char *text)
{
    size_t first = 0, end = names->count;

    while (first < end) {
        size_t middle = first + (end - first) / 2;
        int order = strcmp(names->entries[middle].text, text);
        if (order == 0)
            return &names->entries[middle];
        if (order < 0)
            first = middle + 1;
        else
            end = middle;
    }
    return NULL;
}

static void names_set(struct names *names, const char *text, struct inode *inode)
{
    struct name *name = names_find(names, text);

    if (name != NULL) {
        name->inode = inode;
        return;
    }
    names->entries = ARRAY_RESERVE(names->entries, names->capacity, names->count + 1, ARRAY_FIRST);
    size_t at = names->count++;
    for (; at > 0 && strcmp(names->entries[at - 1].text, text) > 0; at--)
        names->entries[at] = names->entries[at - 1];
    copy_name(names->entries[at].text, text);
    names->entries[at].inode = inode;
}

static void names_remove(struct names *names, const char *text)
{
    struct name *name = names_find(names, text);

    if (name == NULL)
        return;
    size_t at = (size_t)(name - names->entries);
    names->count--;
    memmove(name, name + 1, (names->count - at) * sizeof(*name));
}

static void names_copy(struct names *to, const struct names *from)
{
    to->entries = ARRAY_RESERVE(to->entries, to->capacity, from->count, ARRAY_FIRST);
    to->count = from->count;
    if (from->count > 0)
        memcpy(to->entries, from->entries, from->count * sizeof(*from->entries));
}

static void names_apply(struct names *names, const struct change *change)
{
    if (change->kind == NAME_REMOVED) {
        names_remove(names, change->text);
        return;
    }
    names_set(names, change->text, change->inode);
    struct name *from = change->from[0] == '\0' ? NULL : names_find(names, change->from);
    if (from != NULL && from->inode == change->inode)
        names_remove(names, change->from);
}

static void change_names(struct sim_disk *sim, const struct change *change)
{
    names_apply(&sim->now, change);
    sim->changes =
        ARRAY_RESERVE(sim->changes, sim->change_capacity, sim->change_count + 1, ARRAY_FIRST);
    sim->changes[sim->change_count++] = *change;
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

static size_t sectors_of(size_t size)
{
    return (size + SECTOR_BYTES - 1) / SECTOR_BYTES;
}

static struct inode *inode_new(struct sim_disk *sim)
{
    struct inode *inode = mem_zalloc(sizeof(*inode));

    inode->next = sim->inodes;
    sim->inodes = inode;
    return inode;
}

static void give_back_blocks(struct sim_disk *sim, struct inode *inode, size_t from)
{
    for (size_t i = from; i < inode->block_count; i++) {
        if (inode->blocks[i] && sim->space_blocks != UINT64_MAX)
            sim->space_blocks++;
        inode->blocks[i] = false;
    }
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
    struct name *entry = names_find(&sim->now, name);
    bool crash;

    enum status status = enter(sim, SIM_OPEN, mode == DISK_CREATE, &crash);
    if (status != STATUS_OK)
        return status;
    if (entry == NULL && mode != DISK_CREATE)
        return STATUS_NOT_FOUND;
    if (mode == DISK_CREATE) {
        if (entry == NULL) {
            struct change change = {.kind = NAME_SET, .inode = inode_new(sim)};
            copy_name(change.text, name);
            change_names(sim, &change);
            entry = names_find(&sim->now, name);
        } else {
            touch(entry->inode, 0, entry->inode->now.size);
            bytes_resize(&entry->inode->now, 0);
            give_back_blocks(sim, entry->inode, 0);
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

/* How many of the bytes there is room for. */
static size_t take_blocks(struct sim_disk *sim, struct inode *inode, uint64_t offset, size_t size)
{
    size_t first = (size_t)(offset / BLOCK_BYTES);
    size_t last = (size_t)((offset + size - 1) / BLOCK_BYTES);

    if (last >= inode->block_count) {
        inode->blocks = mem_realloc(inode->blocks, (last + 1) * sizeof(bool));
        memset(inode->blocks + inode->block_count, 0, (last + 1 - inode->block_count));
        inode->block_count = last + 1;
    }
    for (size_t i = first; i <= last; i++) {
        if (inode->blocks[i])
            continue;
        if (sim->space_blocks == 0)
            return i == first ? 0 : (size_t)((uint64_t)i * BLOCK_BYTES - offset);
        if (sim->space_blocks != UINT64_MAX)
            sim->space_blocks--;
        inode->blocks[i] = true;
    }
    return size;
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
    size_t room = take_blocks(sim, file->inode, offset, size);
    if (room > 0) {
        touch(file->inode, (size_t)offset, (size_t)offset + room);
        if (offset + room > file->inode->now.size)
            bytes_resize(&file->inode->now, offset + room);
        memcpy(file->inode->now.data + offset, bytes, room);
        for (size_t at = (size_t)offset / SECTOR_BYTES;
             at < sectors_of((size_t)offset + room) && at < file->inode->dropped_count; at++)
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
    if (status != STATUS_OK)
        return status;
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
    if (status == STATUS_OK)
        *ret_size_bytes = file->inode->now.size;
    return status;
}

static enum status sim_skip_hole(struct disk *disk, struct disk_file *file, uint64_t offset,
                                 uint64_t *ret_offset)
{
    const struct inode *inode = file->inode;
    bool crash;

    enum status status = enter(sim_of(disk), SIM_SKIP_HOLE, false, &crash);
    if (status != STATUS_OK)
        return status;
    *ret_offset = inode->now.size;
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
    touch(file->inode, (size_t)size_bytes, before); /* what grows is zeros on both sides */
    bytes_resize(&file->inode->now, (size_t)size_bytes);
    give_back_blocks(sim, file->inode, (size_t)((size_bytes + BLOCK_BYTES - 1) / BLOCK_BYTES));
    return crash ? STATUS_IO : STATUS_OK;
}

static uint8_t byte_at(const struct bytes *bytes, size_t at)
{
    return at < bytes->size ? bytes->data[at] : 0;
}

/* The pages are marked clean all the same. */
static void drop_unsynced(struct inode *inode)
{
    size_t count = sectors_of(inode->now.size);

    if (count > inode->dropped_count) {
        inode->dropped = mem_realloc(inode->dropped, count * sizeof(bool));
        memset(inode->dropped + inode->dropped_count, 0, count - inode->dropped_count);
        inode->dropped_count = count;
    }
    for (size_t at = 0; at < inode->now.size; at++) {
        if (byte_at(&inode->now, at) != byte_at(&inode->durable, at))
            inode->dropped[at / SECTOR_BYTES] = true;
    }
}

static void make_durable(struct inode *inode)
{
    if (inode->dropped_count == 0) {
        make_same(inode, &inode->durable, &inode->now);
        return;
    }
    bytes_resize(&inode->durable, inode->now.size);
    for (size_t at = 0; at < inode->now.size; at += SECTOR_BYTES) {
        size_t size = inode->now.size - at < SECTOR_BYTES ? inode->now.size - at : SECTOR_BYTES;
        if (at / SECTOR_BYTES >= inode->dropped_count || !inode->dropped[at / SECTOR_BYTES])
            memcpy(inode->durable.data + at, inode->now.data + at, size);
    }
}

static enum status sim_sync(struct disk *disk, struct disk_file *file)
{
    struct sim_disk *sim = sim_of(disk);
    bool crash;

    enum status status = enter(sim, SIM_SYNC, true, &crash);
    if (status != STATUS_OK && !sim->crashed)
        drop_unsynced(file->inode);
    if (status != STATUS_OK && sim->retries_syncs)
        status = enter(sim, SIM_SYNC, true, &crash);
    if (status != STATUS_OK)
        return status;
    if (crash)
        return STATUS_IO;
    make_durable(file->inode);
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
    names_copy(&sim->durable, &sim->now);
    sim->change_count = 0;
    return STATUS_OK;
}

static enum status sim_rename(struct disk *disk, const char *from, const char *to)
{
    struct sim_disk *sim = sim_of(disk);
    struct name *entry = names_find(&sim->now, from);
    bool crash;

    enum status status = enter(sim, SIM_RENAME, true, &crash);
    if (status != STATUS_OK)
        return status;
    if (entry == NULL)
        return STATUS_NOT_FOUND;
    struct change change = {.kind = NAME_SET, .inode = entry->inode};
    copy_name(change.text, to);
    copy_name(change.from, from);
    change_names(sim, &change);
    return crash ? STATUS_IO : STATUS_OK;
}

static enum status sim_remove(struct disk *disk, const char *name)
{
    struct sim_disk *sim = sim_of(disk);
    struct name *entry = names_find(&sim->now, name);
    bool crash;

    enum status status = enter(sim, SIM_REMOVE, true, &crash);
    if (status != STATUS_OK)
        return status;
    if (entry == NULL)
        return STATUS_NOT_FOUND;
    give_back_blocks(sim, entry->inode, 0);
    struct change change = {.kind = NAME_REMOVED};
    copy_name(change.text, name);
    change_names(sim, &change);
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
    size_t start = sim->now.count == 0 ? 0 : (size_t)random_below(sim, (int32_t)sim->now.count);
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

void sim_disk_misuse(struct sim_disk *sim, bool retries_syncs, bool syncs_no_names)
{
    sim->retries_syncs = retries_syncs;
    sim->syncs_no_names = syncs_no_names;
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

void sim_disk_crash_at(struct sim_disk *sim, uint64_t n)
{
    sim->crash_at = n;
}

bool sim_disk_crashed(const struct sim_disk *sim)
{
    return sim->crashed;
}

static bool chance(struct sim_disk *sim, int32_t one_in)
{
    return random_below(sim, one_in) == 0;
}

static void lose_bytes(struct sim_disk *sim, struct inode *inode)
{
    struct bytes *now = &inode->now, *durable = &inode->durable;
    size_t longest = now->size > durable->size ? now->size : durable->size;
    size_t size = chance(sim, 2) ? now->size : durable->size;
    int32_t one_in = 2 + random_below(sim, 8);
    bool keep_most = chance(sim, 2);

    bytes_resize(now, longest);
    bytes_resize(durable, longest);
    size_t dirty_to = inode->dirty_to < longest ? inode->dirty_to : longest;
    for (size_t at = inode->dirty_from - inode->dirty_from % SECTOR_BYTES; at < dirty_to;
         at += SECTOR_BYTES) {
        size_t part = longest - at < SECTOR_BYTES ? longest - at : SECTOR_BYTES;
        if (memcmp(now->data + at, durable->data + at, part) == 0)
            continue;
        if (chance(sim, one_in) == keep_most)
            memcpy(now->data + at, durable->data + at, part);
    }
    bytes_resize(now, size);
}

void sim_disk_reboot(struct sim_disk *sim, enum sim_disk_loss loss)
{
    if (loss != SIM_LOSE_NOTHING) {
        for (struct inode *inode = sim->inodes; inode != NULL; inode = inode->next) {
            if (loss == SIM_LOSE_SOME)
                lose_bytes(sim, inode);
            else
                make_same(inode, &inode->now, &inode->durable);
        }
        for (size_t i = 0; i < sim->change_count && loss == SIM_LOSE_SOME; i++) {
            if (chance(sim, 2))
                names_apply(&sim->durable, &sim->changes[i]);
        }
        names_copy(&sim->now, &sim->durable);
        for (struct inode *inode = sim->inodes; inode != NULL; inode = inode->next)
            make_same(inode, &inode->durable, &inode->now);
        sim->change_count = 0;
    }
    sim->boot++;
    sim->open_files = 0;
    sim->crashed = false;
    sim->crash_at = 0;
    memset(sim->fail_at, 0, sizeof(sim->fail_at));
}

void sim_disk_fail_at(struct sim_disk *sim, enum sim_disk_op op, uint64_t n, enum status status)
{
    sim->fail_at[op] = n;
    sim->fail_status[op] = status;
}

void sim_disk_fail_from(struct sim_disk *sim, enum sim_disk_op op)
{
    sim->fails_on[op] = true;
}

void sim_disk_mend(struct sim_disk *sim)
{
    memset(sim->fail_at, 0, sizeof(sim->fail_at));
    memset(sim->fails_on, 0, sizeof(sim->fails_on));
    memset(sim->fails, 0, sizeof(sim->fails));
}

void sim_disk_flip(struct sim_disk *sim, const char *name, size_t at, uint8_t mask)
{
    struct name *entry = names_find(&sim->now, name);

    if (entry == NULL)
        return;
    if (at < entry->inode->now.size)
        entry->inode->now.data[at] ^= mask;
    if (at < entry->inode->durable.size)
        entry->inode->durable.data[at] ^= mask;
}

void sim_disk_short_reads(struct sim_disk *sim, uint64_t n)
{
    sim->short_reads_from = n;
}

void sim_disk_set_space(struct sim_disk *sim, uint64_t blocks)
{
    sim->space_blocks = blocks;
}

uint64_t sim_disk_changes(const struct sim_disk *sim)
{
    return sim->change_calls;
}

uint64_t sim_disk_calls(const struct sim_disk *sim, enum sim_disk_op op)
{
    return sim->calls[op];
}

void sim_disk_forget_calls(struct sim_disk *sim)
{
    memset(sim->calls, 0, sizeof(sim->calls));
    sim->change_calls = 0;
}

size_t sim_disk_open_files(const struct sim_disk *sim)
{
    return sim->open_files;
}

struct slice sim_disk_bytes(const struct sim_disk *sim, const char *name)
{
    const struct name *entry = names_find(&sim->now, name);

    if (entry == NULL)
        return SLICE_NULL;
    const struct bytes *bytes = &entry->inode->now;
    return slice_of(bytes->data == NULL ? (const uint8_t *)"" : bytes->data, bytes->size);
}

void sim_disk_put(struct sim_disk *sim, const char *name, struct slice bytes)
{
    struct name *entry = names_find(&sim->now, name);
    struct inode *inode = entry == NULL ? inode_new(sim) : entry->inode;

    names_set(&sim->now, name, inode);
    names_set(&sim->durable, name, inode);
    bytes_resize(&inode->now, 0);
    bytes_resize(&inode->now, bytes.size);
    if (bytes.size > 0)
        memcpy(inode->now.data, bytes.data, bytes.size);
    touch(inode, 0, bytes.size);
    make_same(inode, &inode->durable, &inode->now);
}

void sim_disk_delete(struct sim_disk *sim, const char *name)
{
    names_remove(&sim->now, name);
    names_remove(&sim->durable, name);
}

size_t sim_disk_file_count(const struct sim_disk *sim)
{
    return sim->now.count;
}

const char *sim_disk_file_name(const struct sim_disk *sim, size_t index)
{
    return sim->now.entries[index].text;
}

struct sim_disk *sim_disk_copy(const struct sim_disk *sim, uint64_t seed)
{
    struct sim_disk *copy = sim_disk_new(seed);

    for (size_t i = 0; i < sim->now.count; i++)
        sim_disk_put(copy, sim->now.entries[i].text, sim_disk_bytes(sim, sim->now.entries[i].text));
    return copy;
}
