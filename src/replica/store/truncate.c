/* truncate.c: TRUNC, step by step. Nothing is changed before everything that stays has been read,
 * and nothing that stays is ever written. */
#include "replica/store/truncate.h"

#include "replica/store/intent.h"
#include "replica/store/store_files.h"
#include "replica/store/txnlog_reader.h"

#include <inttypes.h>

struct cut {
    bool any_kept;   /* a record at or below the zxid stands in the file */
    bool needed;     /* something stands after it: */
    uint64_t offset; /* here */
};

static enum status find_cut(struct txnlog_reader *reader, int64_t zxid, struct cut *ret_cut)
{
    struct cut cut = {0};
    enum txnlog_header header;

    enum status status = txnlog_reader_header(reader, &header);
    while (status == STATUS_OK && header == TXNLOG_HEADER_GOOD) {
        struct txnlog_spot spot;
        cut.offset = reader->offset;
        status = txnlog_reader_next(reader, &spot);
        if (status != STATUS_OK || spot.found == TXNLOG_FOUND_END)
            break;
        /* What is no record stands after all that is known to be wanted. */
        cut.needed = spot.found != TXNLOG_FOUND_RECORD || txnlog_payload_zxid(spot.payload) > zxid;
        if (cut.needed)
            break;
        cut.any_kept = true;
    }
    *ret_cut = cut;
    return status;
}

static enum status cut_file(struct disk *log, const char *name, uint64_t offset)
{
    struct disk_file *file;

    enum status status = log->ops->open(log, name, DISK_WRITE, &file);
    if (status != STATUS_OK)
        return status;
    ASSERT(offset > TXNLOG_HEADER_BYTES); /* at least one record stays */
    status = log->ops->truncate(log, file, offset);
    if (status == STATUS_OK)
        status = log->ops->sync(log, file);
    log->ops->close(log, file);
    return status;
}

/* *ret_any_kept: then older files have nothing above zxid. */
static enum status cut_or_remove(struct disk *log, const struct store_file *file, int64_t zxid,
                                 size_t payload_bytes_max, struct store_notes *notes,
                                 bool *ret_any_kept)
{
    struct txnlog_reader reader;
    struct cut cut = {.needed = true};

    *ret_any_kept = false;
    if (file->read.zxid <= zxid) {
        enum status status = txnlog_reader_open(&reader, log, file->name, payload_bytes_max);
        if (status != STATUS_OK)
            return status;
        status = find_cut(&reader, zxid, &cut);
        txnlog_reader_close(&reader);
        if (status != STATUS_OK)
            return status;
    }
    *ret_any_kept = cut.any_kept;
    if (!cut.needed)
        return STATUS_OK;
    if (!cut.any_kept) {
        store_note(notes, false, "The log file %s was removed: all of it is after 0x%" PRIx64 ".",
                   file->name, (uint64_t)zxid);
        return log->ops->remove(log, file->name);
    }
    store_note(notes, false, "The log file %s was cut at byte %" PRIu64 ", after 0x%" PRIx64 ".",
               file->name, cut.offset, (uint64_t)zxid);
    return cut_file(log, file->name, cut.offset);
}

static enum status cut_logs(struct disk *log, int64_t zxid, size_t payload_bytes_max,
                            struct store_notes *notes)
{
    struct store_files files = {0};
    bool any_kept = false;

    enum status status = store_files_list(log, STORE_FILE_LOG, &files);
    for (size_t i = files.count; i > 0 && status == STATUS_OK && !any_kept; i--)
        status = cut_or_remove(log, &files.files[i - 1], zxid, payload_bytes_max, notes, &any_kept);
    store_files_deinit(&files);
    return status == STATUS_OK ? log->ops->sync_dir(log) : status;
}

static enum status change_files(struct disk *data, struct disk *log,
                                const struct recovery_options *options, int64_t zxid,
                                struct recovery *recovery)
{
    struct store_notes *notes = &recovery->notes;
    ASSERT(recovery->snapshot_zxid <= zxid && recovery->last_zxid == zxid);
    int64_t cut_zxid = zxid + mutant_is(options->mutant, MUTANT_TRUNC_OFF_BY_ONE);

    enum status status = intent_write(data, &(struct intent){INTENT_TRUNCATE, zxid});
    /* Those between the one that was loaded and zxid are damaged, or reach above zxid. */
    if (status == STATUS_OK && !mutant_is(options->mutant, MUTANT_TRUNC_KEEPS_SNAPSHOT))
        status =
            aside_put(data, STORE_FILE_SNAPSHOT, recovery->snapshot_zxid, ASIDE_TRUNCATE, notes);
    if (status == STATUS_OK)
        status = cut_logs(log, cut_zxid, txnlog_payload_bytes_max(options->text_bytes_max), notes);
    if (status == STATUS_OK)
        status = intent_clear(data);
    return status == STATUS_NOT_FOUND ? STATUS_IO : status; /* a file vanished under us */
}

enum status store_truncate(struct disk *data, struct disk *log,
                           const struct recovery_options *options, int64_t zxid,
                           struct recovery *ret_recovery)
{
    struct recovery_options limited = *options;

    limited.limited = true;
    limited.limit_zxid = zxid;
    enum status status = store_recover(data, log, &limited, ret_recovery);
    if (status == STATUS_CORRUPT || (status == STATUS_OK && ret_recovery->last_zxid != zxid))
        status = STATUS_NOT_FOUND;
    if (status == STATUS_OK)
        status = change_files(data, log, options, zxid, ret_recovery);
    if (status != STATUS_OK) {
        tree_free(ret_recovery->tree);
        ret_recovery->tree = NULL;
    }
    return status;
}
