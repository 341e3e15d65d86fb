/* disk_inodes.c: files and names of a simulated disk, each of them twice: as a reader sees it now, and as
 * it is durable.
 *
 * A change is made to `now` only. What was not synced when a sync failed stays dropped, until it is written
 * again. */
#include "sim/disk_parts.h"

#include "base/array.h"

/* --- files --- */

size_t disk_sectors_of(size_t size)
{
    return (size + SECTOR_BYTES - 1) / SECTOR_BYTES;
}

void disk_bytes_resize(struct bytes *bytes, size_t size)
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

struct inode *disk_inode_new(struct sim_disk *sim)
{
    struct inode *inode = mem_zalloc(sizeof(*inode));

    inode->next = sim->inodes;
    sim->inodes = inode;
    return inode;
}

void inode_touch(struct inode *inode, size_t from, size_t to)
{
    if (from >= to)
        return;
    bool clean = inode->dirty_from == inode->dirty_to;
    inode->dirty_from = clean || from < inode->dirty_from ? from : inode->dirty_from;
    inode->dirty_to = clean || to > inode->dirty_to ? to : inode->dirty_to;
}

void inode_make_same(struct inode *inode, struct bytes *to, const struct bytes *from)
{
    size_t first = inode->dirty_from;
    size_t end = inode->dirty_to < from->size ? inode->dirty_to : from->size;

    disk_bytes_resize(to, from->size);
    if (first < end)
        memcpy(to->data + first, from->data + first, end - first);
    inode->dirty_from = inode->dirty_to = 0;
}

static uint8_t byte_at(const struct bytes *bytes, size_t at)
{
    return at < bytes->size ? bytes->data[at] : 0;
}

/* The pages are marked clean all the same. */
void inode_drop_unsynced(struct inode *inode)
{
    size_t count = disk_sectors_of(inode->now.size);

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

void inode_make_durable(struct inode *inode)
{
    if (inode->dropped_count == 0) {
        inode_make_same(inode, &inode->durable, &inode->now);
        return;
    }
    disk_bytes_resize(&inode->durable, inode->now.size);
    for (size_t at = 0; at < inode->now.size; at += SECTOR_BYTES) {
        size_t size = inode->now.size - at < SECTOR_BYTES ? inode->now.size - at : SECTOR_BYTES;
        if (at / SECTOR_BYTES >= inode->dropped_count || !inode->dropped[at / SECTOR_BYTES])
            memcpy(inode->durable.data + at, inode->now.data + at, size);
    }
}

size_t disk_take_blocks(struct sim_disk *sim, struct inode *inode, uint64_t offset, size_t size)
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

void disk_give_back_blocks(struct sim_disk *sim, struct inode *inode, size_t from)
{
    for (size_t i = from; i < inode->block_count; i++) {
        if (inode->blocks[i] && sim->space_blocks != UINT64_MAX)
            sim->space_blocks++;
        inode->blocks[i] = false;
    }
}

/* --- names --- */

void disk_copy_name(char *to, const char *from)
{
    size_t size = strlen(from);

    ASSERT(size < NAME_BYTES_MAX);
    memcpy(to, from, size + 1);
}

struct name *disk_names_find(const struct names *names, const char *text)
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

void disk_names_set(struct names *names, const char *text, struct inode *inode)
{
    struct name *name = disk_names_find(names, text);

    if (name != NULL) {
        name->inode = inode;
        return;
    }
    names->entries = ARRAY_RESERVE(names->entries, names->capacity, names->count + 1, ARRAY_FIRST);
    size_t at = names->count++;
    for (; at > 0 && strcmp(names->entries[at - 1].text, text) > 0; at--)
        names->entries[at] = names->entries[at - 1];
    disk_copy_name(names->entries[at].text, text);
    names->entries[at].inode = inode;
}

void disk_names_remove(struct names *names, const char *text)
{
    struct name *name = disk_names_find(names, text);

    if (name == NULL)
        return;
    size_t at = (size_t)(name - names->entries);
    names->count--;
    memmove(name, name + 1, (names->count - at) * sizeof(*name));
}

void disk_names_copy(struct names *to, const struct names *from)
{
    to->entries = ARRAY_RESERVE(to->entries, to->capacity, from->count, ARRAY_FIRST);
    to->count = from->count;
    if (from->count > 0)
        memcpy(to->entries, from->entries, from->count * sizeof(*from->entries));
}

void disk_names_apply(struct names *names, const struct change *change)
{
    if (change->kind == NAME_REMOVED) {
        disk_names_remove(names, change->text);
        return;
    }
    disk_names_set(names, change->text, change->inode);
    struct name *from = change->from[0] == '\0' ? NULL : disk_names_find(names, change->from);
    if (from != NULL && from->inode == change->inode)
        disk_names_remove(names, change->from);
}

void disk_change_names(struct sim_disk *sim, const struct change *change)
{
    disk_names_apply(&sim->now, change);
    sim->changes =
        ARRAY_RESERVE(sim->changes, sim->change_capacity, sim->change_count + 1, ARRAY_FIRST);
    sim->changes[sim->change_count++] = *change;
}
