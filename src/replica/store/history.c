/* history.c: the records of the log files as one history. A record is given only when it is known to be the
 * next one; in doubt there is no history, and the learner gets a snapshot instead. */
#include "replica/store/history.h"

#include "replica/store/store_files.h"
#include "replica/store/txnlog_reader.h"
#include "wire/zk.h"

struct history {
    struct disk *log;
    struct store_files files;
    size_t next_file;
    size_t payload_bytes_max;
    bool open; /* `reader` is, on the file before next_file */
    struct txnlog_reader reader;
    int64_t after_zxid, last_zxid;
    int64_t zxid; /* of the record before */
    bool ours;    /* it has a trailer, and this link: */
    uint32_t link;
    bool based; /* no record was read yet; what is there is in a snapshot of after_zxid */
    bool held;  /* the first record was read by history_open() */
    struct slice held_payload;
    uint64_t file_bytes;
    const char *problem;
};

static enum status damaged(struct history *history, const char *text)
{
    history->problem = text;
    return STATUS_CORRUPT;
}

/* STATUS_END: no more files. */
static enum status open_next(struct history *history)
{
    enum txnlog_header header;

    if (history->next_file == history->files.count)
        return STATUS_END;
    enum status status = txnlog_reader_open(&history->reader, history->log,
                                            history->files.files[history->next_file].name,
                                            history->payload_bytes_max);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? damaged(history, "a log file was removed") : status;
    history->open = true;
    history->next_file++;
    status = txnlog_reader_header(&history->reader, &header);
    if (status == STATUS_OK && header != TXNLOG_HEADER_GOOD)
        return damaged(history, "a log file without a header");
    return status;
}

/* The next record in the files, whatever it is. Bytes that are no record end a file, as in a replay: what
 * is missing after them shows. STATUS_END: no more. */
static enum status read_any(struct history *history, struct slice *ret_payload)
{
    for (;;) {
        struct txnlog_spot spot;
        enum status status = history->open ? STATUS_OK : open_next(history);
        if (status == STATUS_OK)
            status = txnlog_reader_next(&history->reader, &spot);
        if (status != STATUS_OK)
            return status;
        if (spot.found == TXNLOG_FOUND_RECORD) {
            *ret_payload = spot.payload;
            return STATUS_OK;
        }
        txnlog_reader_close(&history->reader);
        history->open = false;
    }
}

/* No trailer. Java counts on, from 1 in each epoch. */
static bool counts_on(int64_t before, int64_t zxid)
{
    return zxid_epoch(before) == zxid_epoch(zxid) ? zxid == before + 1
                                                  : zxid > before && zxid_counter(zxid) == 1;
}

static bool follows(const struct history *history, int64_t zxid,
                    const struct txnlog_trailer *trailer)
{
    if (trailer == NULL)
        return counts_on(history->zxid, zxid);
    /* A snapshot of the start of an epoch is no record: the one before it is named. */
    if (history->based && zxid_counter(history->zxid) == 0)
        return trailer->prev_zxid <= history->zxid && zxid > history->zxid;
    return trailer->prev_zxid == history->zxid &&
           (!history->ours || trailer->link == txnlog_link(history->link, trailer->crc));
}

static void remember(struct history *history, int64_t zxid, const struct txnlog_trailer *trailer)
{
    history->zxid = zxid;
    history->based = false;
    history->ours = trailer != NULL;
    history->link = trailer != NULL ? trailer->link : 0;
}

/* The snapshots say what is there without a record of it. */
static enum status is_snapshot(struct disk *data, int64_t zxid, bool *ret_found)
{
    struct store_files files;

    enum status status = store_files_list(data, STORE_FILE_SNAPSHOT, &files);
    *ret_found = false;
    for (size_t i = 0; i < files.count; i++)
        *ret_found |= files.files[i].read.zxid == zxid;
    store_files_deinit(&files);
    return status;
}

/* Reads up to after_zxid, and the record after it where only that shows that it has none itself. */
static enum status find_start(struct history *history, struct disk *data)
{
    struct slice payload;
    struct txnlog_trailer trailer;
    enum status status;

    do {
        status = read_any(history, &payload);
        if (status == STATUS_OK && txnlog_payload_zxid(payload) == history->after_zxid) {
            bool ours = txnlog_trailer_read(payload, &trailer);
            remember(history, history->after_zxid, ours ? &trailer : NULL);
            return STATUS_OK;
        }
    } while (status == STATUS_OK && txnlog_payload_zxid(payload) < history->after_zxid);
    if (status != STATUS_OK && status != STATUS_END)
        return status;
    history->held = status == STATUS_OK;
    if (history->held)
        history->held_payload = payload;
    bool found;
    status = is_snapshot(data, history->after_zxid, &found);
    history->zxid = history->after_zxid;
    history->based = true;
    return status == STATUS_OK && !found ? STATUS_NOT_FOUND : status;
}

/* The newest file is followed by zeros that wait for records. A hole is not read. */
static enum status size_without_zeros(struct disk *log, const struct store_file *file,
                                      uint64_t *ret_bytes)
{
    uint8_t window[4096];
    struct disk_file *opened;
    uint64_t end = file->size_bytes;

    enum status status = log->ops->open(log, file->name, DISK_READ, &opened);
    if (status != STATUS_OK)
        return status;
    while (status == STATUS_OK && end > 0) {
        uint64_t from = end > sizeof(window) ? end - sizeof(window) : 0;
        size_t used;
        status = log->ops->read(log, opened, from, window, (size_t)(end - from), &used);
        if (status != STATUS_OK)
            break;
        while (used > 0 && window[used - 1] == 0)
            used--;
        end = from + used;
        if (used > 0)
            break;
    }
    log->ops->close(log, opened);
    *ret_bytes = end;
    return status;
}

static enum status count_file_bytes(struct history *history)
{
    enum status status = STATUS_OK;

    for (size_t i = history->next_file; i < history->files.count && status == STATUS_OK; i++) {
        uint64_t bytes = history->files.files[i].size_bytes;
        if (i + 1 == history->files.count)
            status = size_without_zeros(history->log, &history->files.files[i], &bytes);
        history->file_bytes += bytes;
    }
    return status;
}

enum status history_open(struct disk *data, struct disk *log, int64_t after_zxid, int64_t last_zxid,
                         size_t text_bytes_max, struct history **ret_history)
{
    struct history *history = mem_zalloc(sizeof(*history));

    history->log = log;
    history->after_zxid = after_zxid;
    history->last_zxid = last_zxid;
    history->payload_bytes_max = txnlog_payload_bytes_max(text_bytes_max);
    enum status status = store_files_list(log, STORE_FILE_LOG, &history->files);
    /* From the last file that begins at or below it. */
    while (history->next_file + 1 < history->files.count &&
           history->files.files[history->next_file + 1].read.zxid <= after_zxid)
        history->next_file++;
    if (status == STATUS_OK)
        status = count_file_bytes(history);
    if (status == STATUS_OK)
        status = find_start(history, data);
    if (status != STATUS_OK) {
        history_close(history);
        return status;
    }
    *ret_history = history;
    return STATUS_OK;
}

void history_close(struct history *history)
{
    if (history == NULL)
        return;
    if (history->open)
        txnlog_reader_close(&history->reader);
    store_files_deinit(&history->files);
    mem_free(history);
}

const char *history_problem(const struct history *history)
{
    return history->problem;
}

uint64_t history_file_bytes(const struct history *history)
{
    return history->file_bytes;
}

int64_t history_file_zxid(const struct history *history)
{
    size_t at = history->open ? history->next_file - 1 : history->next_file;

    return at < history->files.count ? history->files.files[at].read.zxid : INT64_MAX;
}

/* What the leader made, without what this server's log put after it. */
static struct slice without_ours(struct slice payload, bool has_trailer)
{
    if (!has_trailer)
        return payload;
    ASSERT(payload.size >= TXNLOG_PAYLOAD_BYTES_MIN + DIGEST_BYTES + TXNLOG_TRAILER_BYTES);
    payload.size -= TXNLOG_TRAILER_BYTES;
    /* In front of a trailer there is always a digest: of version 0 where there was none; and an error
     * has one only in a log. */
    if (load_be32(payload.data + payload.size - DIGEST_BYTES) == 0 ||
        txnlog_payload_type(payload) == OP_ERROR)
        payload.size -= DIGEST_BYTES;
    return payload;
}

static bool is_repeated_error(const struct history *history, struct slice payload)
{
    return txnlog_payload_zxid(payload) == history->zxid && !history->based &&
           txnlog_payload_type(payload) == OP_ERROR;
}

static enum status read_next(struct history *history, struct slice *ret_payload)
{
    if (!history->held)
        return read_any(history, ret_payload);
    history->held = false;
    *ret_payload = history->held_payload;
    return STATUS_OK;
}

enum status history_next(struct history *history, struct history_record *ret_record)
{
    struct slice payload;
    struct txnlog_trailer trailer;

    if (history->problem != NULL)
        return STATUS_CORRUPT;
    if (history->zxid >= history->last_zxid)
        return STATUS_END;
    do {
        enum status status = read_next(history, &payload);
        if (status == STATUS_END)
            return damaged(history, "the log ends before it");
        if (status != STATUS_OK)
            return status;
    } while (is_repeated_error(history, payload));
    int64_t zxid = txnlog_payload_zxid(payload);
    bool ours = txnlog_trailer_read(payload, &trailer);
    if (!follows(history, zxid, ours ? &trailer : NULL))
        return damaged(history, "transactions are missing, or of another history");
    if (zxid > history->last_zxid)
        return damaged(history, "the last transaction is missing");
    remember(history, zxid, ours ? &trailer : NULL);
    *ret_record = (struct history_record){zxid, without_ours(payload, ours)};
    return STATUS_OK;
}
