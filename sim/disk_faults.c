/* disk_faults.c: what tests do to a simulated disk behind the back of its user, and what they see of it:
 * power losses, failures, bytes that are others.
 *
 * A reboot takes one of the two contents for each sector and each name. The seed makes every choice. */
#include "sim/disk_parts.h"

/* --- the power --- */

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
    return disk_random_below(sim, one_in) == 0;
}

static void lose_bytes(struct sim_disk *sim, struct inode *inode)
{
    struct bytes *now = &inode->now, *durable = &inode->durable;
    size_t longest = now->size > durable->size ? now->size : durable->size;
    size_t size = chance(sim, 2) ? now->size : durable->size;
    int32_t one_in = 2 + disk_random_below(sim, 8);
    bool keep_most = chance(sim, 2);

    disk_bytes_resize(now, longest);
    disk_bytes_resize(durable, longest);
    size_t dirty_to = inode->dirty_to < longest ? inode->dirty_to : longest;
    for (size_t at = inode->dirty_from - inode->dirty_from % SECTOR_BYTES; at < dirty_to;
         at += SECTOR_BYTES) {
        size_t part = longest - at < SECTOR_BYTES ? longest - at : SECTOR_BYTES;
        if (memcmp(now->data + at, durable->data + at, part) == 0)
            continue;
        if (chance(sim, one_in) == keep_most)
            memcpy(now->data + at, durable->data + at, part);
    }
    disk_bytes_resize(now, size);
}

void sim_disk_reboot(struct sim_disk *sim, enum sim_disk_loss loss)
{
    if (loss != SIM_LOSE_NOTHING) {
        for (struct inode *inode = sim->inodes; inode != NULL; inode = inode->next) {
            if (loss == SIM_LOSE_SOME)
                lose_bytes(sim, inode);
            else
                inode_make_same(inode, &inode->now, &inode->durable);
        }
        for (size_t i = 0; i < sim->change_count && loss == SIM_LOSE_SOME; i++) {
            if (chance(sim, 2))
                disk_names_apply(&sim->durable, &sim->changes[i]);
        }
        disk_names_copy(&sim->now, &sim->durable);
        for (struct inode *inode = sim->inodes; inode != NULL; inode = inode->next)
            inode_make_same(inode, &inode->durable, &inode->now);
        sim->change_count = 0;
    }
    sim->boot++;
    sim->open_files = 0;
    sim->crashed = false;
    sim->crash_at = 0;
    memset(sim->fail_at, 0, sizeof(sim->fail_at));
}

/* --- failures --- */

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

void sim_disk_short_reads(struct sim_disk *sim, uint64_t n)
{
    sim->short_reads_from = n;
}

void sim_disk_set_space(struct sim_disk *sim, uint64_t blocks)
{
    sim->space_blocks = blocks;
}

void sim_disk_misuse(struct sim_disk *sim, bool retries_syncs, bool syncs_no_names)
{
    sim->retries_syncs = retries_syncs;
    sim->syncs_no_names = syncs_no_names;
}

/* --- what was asked of it --- */

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

/* --- its files --- */

struct slice sim_disk_bytes(const struct sim_disk *sim, const char *name)
{
    const struct name *entry = disk_names_find(&sim->now, name);

    if (entry == NULL)
        return SLICE_NULL;
    const struct bytes *bytes = &entry->inode->now;
    return slice_of(bytes->data == NULL ? (const uint8_t *)"" : bytes->data, bytes->size);
}

void sim_disk_put(struct sim_disk *sim, const char *name, struct slice bytes)
{
    struct name *entry = disk_names_find(&sim->now, name);
    struct inode *inode = entry == NULL ? disk_inode_new(sim) : entry->inode;

    disk_names_set(&sim->now, name, inode);
    disk_names_set(&sim->durable, name, inode);
    disk_bytes_resize(&inode->now, 0);
    disk_bytes_resize(&inode->now, bytes.size);
    if (bytes.size > 0)
        memcpy(inode->now.data, bytes.data, bytes.size);
    inode_touch(inode, 0, bytes.size);
    inode_make_same(inode, &inode->durable, &inode->now);
}

void sim_disk_flip(struct sim_disk *sim, const char *name, size_t at, uint8_t mask)
{
    struct name *entry = disk_names_find(&sim->now, name);

    if (entry == NULL)
        return;
    if (at < entry->inode->now.size)
        entry->inode->now.data[at] ^= mask;
    if (at < entry->inode->durable.size)
        entry->inode->durable.data[at] ^= mask;
}

void sim_disk_delete(struct sim_disk *sim, const char *name)
{
    disk_names_remove(&sim->now, name);
    disk_names_remove(&sim->durable, name);
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
