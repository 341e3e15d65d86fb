/* log_walk.c: reads logs with the store's own reader. Damage is reported once: where, what was
 * expected there, how much could be read before it, and what follows it. */
#include "tools/log_walk.h"

#include <stdio.h>

void log_walk_begin(struct log_walk *walk, const struct tool_files *files, const char *what)
{
    *walk = (struct log_walk){.files = files};
    arena_init(&walk->arena);
    tool_progress_begin(&walk->progress, what, tool_files_bytes(files));
}

static void close_file(struct log_walk *walk)
{
    if (walk->file == NULL)
        return;
    walk->bytes_before += walk->file->size_bytes;
    txnlog_reader_close(&walk->reader);
    walk->file = NULL;
}

void log_walk_end(struct log_walk *walk)
{
    close_file(walk);
    arena_deinit(&walk->arena);
    tool_progress_end(&walk->progress);
}

static void say(struct log_walk *walk, const char *text)
{
    if (walk->quiet)
        return;
    tool_progress_end(&walk->progress);
    fflush(stdout);
    fprintf(stderr, "%s\n", text);
}

static enum status disk_failed(struct log_walk *walk, const char *path, enum status status)
{
    snprintf(walk->problem, sizeof(walk->problem), "paddock: %s: %s", path, status_text(status));
    say(walk, walk->problem);
    close_file(walk);
    return status == STATUS_CORRUPT ? STATUS_IO : status;
}

/* How much was read, and what stands after the break, to the end of the sentence. */
static void add_surroundings(struct log_walk *walk)
{
    size_t size = strlen(walk->problem);
    char *at = walk->problem + size;
    size_t room = sizeof(walk->problem) - size;

    if (walk->file_records == 0)
        size += (size_t)snprintf(at, room, "; nothing before it was read");
    else
        size += (size_t)snprintf(at, room, "; %llu transactions before it were read, up to 0x%llx",
                                 (unsigned long long)walk->file_records,
                                 (unsigned long long)walk->last_zxid);
    if (size >= sizeof(walk->problem))
        return;
    at = walk->problem + size;
    room = sizeof(walk->problem) - size;
    if (walk->evidence.records > 0)
        snprintf(at, room, "; %llu whole transactions stand after it, the first one 0x%llx",
                 (unsigned long long)walk->evidence.records,
                 (unsigned long long)walk->evidence.first_zxid);
    else
        snprintf(at, room, "; no whole transaction stands after it");
}

/* What was expected at the break: what its head says, if that can be. */
static void describe(struct log_walk *walk, uint64_t offset, const char *reason)
{
    const struct tool_file *file = walk->file;
    uint8_t head[TXNLOG_RECORD_HEAD_BYTES] = {0};
    size_t got = 0;
    char expected[96] = "a record";

    enum status status =
        file->disk->ops->read(file->disk, walk->reader.file, offset, head, sizeof(head), &got);
    if (status == STATUS_OK && got == sizeof(head))
        snprintf(expected, sizeof(expected), "a record of %ld bytes with checksum 0x%llx",
                 (long)(int32_t)load_be32(head + 8), (unsigned long long)load_be64(head));
    snprintf(walk->problem, sizeof(walk->problem), "%s: %s at byte %llu, where %s is expected: %s",
             file->path, walk->found == TXNLOG_FOUND_TORN ? "torn" : "damaged",
             (unsigned long long)offset, expected, reason);
}

static enum status damaged(struct log_walk *walk, uint64_t offset, enum txnlog_found found,
                           const char *reason)
{
    walk->damages++;
    walk->found = found;
    walk->evidence = (struct txnlog_evidence){0};
    describe(walk, offset, reason);
    enum status status = txnlog_reader_search(&walk->reader, offset + 1, &walk->evidence);
    if (status != STATUS_OK)
        return disk_failed(walk, walk->file->path, status);
    add_surroundings(walk);
    say(walk, walk->problem);
    close_file(walk);
    return STATUS_CORRUPT;
}

enum status log_walk_open(struct log_walk *walk)
{
    enum txnlog_header header;

    ASSERT(walk->file == NULL);
    if (walk->next_file == walk->files->count)
        return STATUS_END;
    const struct tool_file *file = &walk->files->files[walk->next_file++];
    walk->file_records = 0;
    enum status status =
        txnlog_reader_open(&walk->reader, file->disk, file->name, TOOL_PAYLOAD_BYTES_MAX);
    if (status != STATUS_OK)
        return disk_failed(walk, file->path, status);
    walk->file = file;
    status = txnlog_reader_header(&walk->reader, &header);
    if (status != STATUS_OK)
        return disk_failed(walk, file->path, status);
    if (header == TXNLOG_HEADER_GOOD)
        return STATUS_OK;
    walk->damages++;
    walk->found = header == TXNLOG_HEADER_UNWRITTEN ? TXNLOG_FOUND_TORN : TXNLOG_FOUND_DAMAGED;
    walk->evidence = (struct txnlog_evidence){0};
    snprintf(walk->problem, sizeof(walk->problem),
             "%s: %s at byte 0, where the header of a transaction log (ZKLG) is expected; nothing "
             "was read",
             file->path,
             header == TXNLOG_HEADER_UNWRITTEN ? "empty or cut off" : "something else stands");
    say(walk, walk->problem);
    close_file(walk);
    return STATUS_CORRUPT;
}

enum status log_walk_record(struct log_walk *walk, struct log_record *ret_record)
{
    uint64_t offset = walk->reader.offset;
    struct txnlog_spot spot;

    enum status status = txnlog_reader_next(&walk->reader, &spot);
    if (status != STATUS_OK)
        return disk_failed(walk, walk->file->path, status);
    if (spot.found == TXNLOG_FOUND_END) {
        close_file(walk);
        return STATUS_END;
    }
    if (spot.found != TXNLOG_FOUND_RECORD)
        return damaged(walk, offset, spot.found, spot.reason);
    struct log_record record = {.file = walk->file,
                                .offset = offset,
                                .bytes = walk->reader.offset - offset,
                                .payload = spot.payload};
    arena_reset(&walk->arena);
    status = txn_read(spot.payload, &walk->arena, &record.txn);
    if (status != STATUS_OK)
        return damaged(walk, offset, TXNLOG_FOUND_DAMAGED,
                       status == STATUS_UNSUPPORTED
                           ? "a type of transaction that no release writes"
                           : "the checksum is right, but it is no transaction");
    record.ours = txnlog_trailer_read(spot.payload, &record.trailer);
    if (walk->file_records++ == 0)
        walk->first_zxid = record.txn.header.zxid;
    walk->last_zxid = record.txn.header.zxid;
    walk->records++;
    tool_progress_show(&walk->progress, walk->bytes_before + walk->reader.offset);
    *ret_record = record;
    return STATUS_OK;
}

enum status log_walk_next(struct log_walk *walk, struct log_record *ret_record)
{
    for (;;) {
        enum status status = walk->file == NULL ? log_walk_open(walk) : STATUS_OK;
        if (status == STATUS_CORRUPT)
            continue;
        if (status != STATUS_OK)
            return status;
        status = log_walk_record(walk, ret_record);
        if (status != STATUS_END && status != STATUS_CORRUPT)
            return status;
    }
}
