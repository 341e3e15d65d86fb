/* log_break.c: decides what a break means, and cuts off a torn tail.
 *
 * A break is a torn tail if a power loss explains it: the bytes look like a write of which only a part
 * reached the disk, and no later record shows that the lost one was durable. A later record shows that
 * when its trailer says so; in a file of Java's none has a trailer, so each counts as showing it. A torn
 * tail was never acknowledged, and is cut off and kept in another file. Everything else is damage.
 * docs/operations.md tells the operator what is done with each. */
#include "replica/store/log_break.h"

#include <inttypes.h>
#include <stdio.h>

enum { COPY_BYTES = 1024 * 1024, TORN_NAME_BYTES_MAX = 128 };

/* All records after the break, in this file and in later ones. */
static enum status gather_evidence(const struct log_break_site *site, struct log_break *the_break)
{
    uint64_t data_end = 0;

    ASSERT(the_break->file < site->count);
    the_break->evidence = (struct txnlog_evidence){0};
    for (size_t file = the_break->file; file < site->count; file++) {
        struct txnlog_reader reader;
        enum status status =
            txnlog_reader_open(&reader, site->log, site->files[file].name, site->payload_bytes_max);
        if (status != STATUS_OK)
            return status;
        status = txnlog_reader_search(&reader, file == the_break->file ? the_break->offset : 0,
                                      &the_break->evidence);
        txnlog_reader_close(&reader);
        if (status != STATUS_OK)
            return status;
        if (file == the_break->file)
            data_end = the_break->evidence.data_end;
    }
    the_break->evidence.data_end = data_end;
    return STATUS_OK;
}

static enum status refuse(const struct log_break_site *site, const struct log_break *the_break)
{
    const char *name = site->files[the_break->file].name;
    uint64_t last = (uint64_t)site->last_zxid;
    bool newer = the_break->file + 1 < site->count;
    char found[64] = "", how[TORN_NAME_BYTES_MAX];

    if (the_break->evidence.records > 0)
        (void)snprintf(found, sizeof(found), ", with whole records behind it, records=%" PRIu64,
                       the_break->evidence.records);
    if (the_break->offset > TXNLOG_HEADER_BYTES || the_break->kind == BREAK_BYTES)
        (void)snprintf(how, sizeof(how), "cut it with: truncate -s %" PRIu64 " %s%s",
                       the_break->offset, name, newer ? " and move all newer log files away" : "");
    else
        (void)snprintf(how, sizeof(how), "move %s%s away", name,
                       newer ? " and all newer log files" : "");
    store_note(site->notes, true,
               "The log file %s is damaged at byte %" PRIu64 ", after transaction 0x%" PRIx64
               ": %s%s. Transactions from 0x%" PRIx64
               " on may have been acknowledged and cannot be read",
               name, the_break->offset, last, the_break->reason, found, last + 1);
    store_advice(site->notes,
                 ", so this server does not start. Restore the file from a backup, or the data "
                 "directory from another server; to go on without these transactions, %s",
                 how);
    return STATUS_CORRUPT;
}

static void torn_name(char name[TORN_NAME_BYTES_MAX], const char *file, uint64_t offset)
{
    (void)snprintf(name, TORN_NAME_BYTES_MAX, "torn.%s.%" PRIu64, file, offset);
}

static enum status put_file_aside(const struct log_break_site *site, size_t file)
{
    const struct disk_ops *ops = site->log->ops;
    struct disk *log = site->log;
    struct store_notes *notes = site->notes;
    const char *name = site->files[file].name;
    char torn[TORN_NAME_BYTES_MAX];

    if (site->files[file].size_bytes == 0) {
        store_note(notes, true, "The log file %s is empty; removed.", name);
        return ops->remove(log, name);
    }
    torn_name(torn, name, 0);
    store_note(notes, true, "The log file %s holds nothing that was acknowledged; renamed to %s.",
               name, torn);
    return ops->rename(log, name, torn);
}

enum status log_break_copy(struct disk *disk, struct disk_file *file, uint64_t from, uint64_t to,
                           struct disk_file *copy, uint64_t copy_from)
{
    enum status status = STATUS_OK;
    uint8_t *bytes = mem_alloc(COPY_BYTES);

    for (uint64_t at = from; at < to && status == STATUS_OK;) {
        size_t size = to - at < COPY_BYTES ? (size_t)(to - at) : COPY_BYTES, got = 0;
        status = disk->ops->read(disk, file, at, bytes, size, &got);
        if (status == STATUS_OK && got < size)
            status = STATUS_IO;
        if (status == STATUS_OK)
            status = disk->ops->write(disk, copy, copy_from + (at - from), bytes, got);
        at += got;
    }
    mem_free(bytes);
    return status;
}

/* The bytes [from, to) of a file, as a file of their own. */
static enum status copy_bytes(struct disk *disk, struct disk_file *file, uint64_t from, uint64_t to,
                              const char *name)
{
    const struct disk_ops *ops = disk->ops;
    struct disk_file *copy;

    enum status status = ops->open(disk, name, DISK_CREATE, &copy);
    if (status != STATUS_OK)
        return status;
    status = log_break_copy(disk, file, from, to, copy, 0);
    if (status == STATUS_OK)
        status = ops->sync(disk, copy);
    ops->close(disk, copy);
    return status == STATUS_OK ? ops->sync_dir(disk) : status;
}

static enum status cut_tail(const struct log_break_site *site, const struct log_break *the_break)
{
    struct disk *log = site->log;
    const char *name = site->files[the_break->file].name;
    char torn[TORN_NAME_BYTES_MAX];
    struct disk_file *file;

    torn_name(torn, name, the_break->offset);
    enum status status = log->ops->open(log, name, DISK_WRITE, &file);
    if (status != STATUS_OK)
        return status;
    status = copy_bytes(log, file, the_break->offset, the_break->evidence.data_end, torn);
    if (status == STATUS_OK)
        status = log->ops->truncate(log, file, the_break->offset);
    if (status == STATUS_OK)
        status = log->ops->sync(log, file);
    log->ops->close(log, file);
    if (status == STATUS_OK)
        store_note(site->notes, true,
                   "The log file %s ended at byte %" PRIu64 ", after transaction 0x%" PRIx64
                   ", with a write that a crash had cut short (%s). Nothing of it was "
                   "acknowledged; it was cut off, a copy is in %s.",
                   name, the_break->offset, (uint64_t)site->last_zxid, the_break->reason, torn);
    return status;
}

/* Newest first, so that a crash in between leaves the same break for the next start. */
static enum status put_aside(const struct log_break_site *site, const struct log_break *the_break)
{
    bool whole_file = the_break->kind != BREAK_BYTES;
    size_t first = whole_file ? the_break->file : the_break->file + 1;

    for (size_t file = site->count; file > first; file--) {
        enum status status = put_file_aside(site, file - 1);
        if (status == STATUS_OK)
            status = site->log->ops->sync_dir(site->log);
        if (status != STATUS_OK)
            return status;
    }
    return whole_file ? STATUS_OK : cut_tail(site, the_break);
}

enum status log_break_mend(const struct log_break_site *site, struct log_break *the_break)
{
    enum status status = gather_evidence(site, the_break);
    if (status != STATUS_OK)
        return status;
    const struct txnlog_evidence *evidence = &the_break->evidence;
    ASSERT(evidence->data_end >= the_break->offset);
    /* Java that runs behind us goes on where our records end: behind a hole it is our own file. */
    bool proved = evidence->java || (evidence->unknown && !site->ours) ||
                  evidence->durable_zxid > site->last_zxid;
    if (!the_break->torn || proved)
        return refuse(site, the_break);
    return put_aside(site, the_break);
}
