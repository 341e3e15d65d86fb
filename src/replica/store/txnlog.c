/* txnlog.c: writes the transaction log: whole batches at the end of the newest file, then one sync. After an
 * error nothing more is written, except when the disk was full: then the batch is taken back. */
#include "replica/store/txnlog.h"

#include "replica/store/txnlog_reader.h"

enum {
    ZEROS_BYTES_FIRST = 64 * 1024, /* a server with little to write writes few zeros */
    ZEROS_BYTES_MAX = 256 * 1024,  /* more in one go keeps a whole batch waiting */
    PADDING_MARGIN_BYTES = 4096,
    BATCH_BYTES_KEPT = 4 * 1024 * 1024,
    TEMPORARY_NAME_BYTES_MAX = TXNLOG_NAME_BYTES_MAX + 4
};
#define TEMPORARY_PREFIX "tmp."

struct txnlog_file {
    struct txnlog_file *older; /* not yet synced, though a newer one was begun */
    struct disk_file *file;
    char name[TXNLOG_NAME_BYTES_MAX];
    bool unnamed;        /* still under its temporary name: nothing is written yet */
    uint64_t end;        /* of the last record */
    uint64_t padded_end; /* the size that Java would have given it */
    uint64_t file_end;   /* the size it has */
    uint64_t zeroed_end; /* written, as records or as zeros */
    size_t zeros_bytes;  /* how much to write ahead next time */
    bool unsynced;
};

struct txnlog_writer {
    struct disk *disk;
    struct txnlog_options options;
    struct txnlog_file *newest; /* NULL: the next append begins one */
    struct txnlog_position position;
    int64_t synced_zxid;
    int64_t durable_zxid; /* as records promise it: never moves without force_sync */
    uint64_t written_bytes, syncs;
    bool roll, dir_unsynced;
    enum status failed; /* for good */
    struct buffer batch;
};

struct txnlog_writer *txnlog_writer_new(struct disk *disk, const struct txnlog_options *options,
                                        const struct txnlog_position *position)
{
    struct txnlog_writer *writer = mem_zalloc(sizeof(*writer));

    ASSERT(disk != NULL);
    writer->disk = disk;
    writer->options = *options;
    writer->options.payload_bytes_max = txnlog_payload_bytes_max(options->payload_bytes_max);
    writer->position = *position;
    writer->durable_zxid = writer->synced_zxid = position->last_zxid;
    return writer;
}

static void file_close(struct txnlog_writer *writer, struct txnlog_file *file)
{
    writer->disk->ops->close(writer->disk, file->file);
    mem_free(file);
}

void txnlog_writer_free(struct txnlog_writer *writer)
{
    if (writer == NULL)
        return;
    while (writer->newest != NULL) {
        struct txnlog_file *file = writer->newest;
        writer->newest = file->older;
        file_close(writer, file);
    }
    buffer_deinit(&writer->batch);
    mem_free(writer);
}

static enum status fail(struct txnlog_writer *writer, enum status status)
{
    writer->failed = status;
    return status;
}

/* FilePadding.calculateFileSizeWithPadding(): before each record. */
static uint64_t padded_end(uint64_t position, uint64_t end, uint64_t prealloc_bytes)
{
    if (prealloc_bytes == 0 || position + PADDING_MARGIN_BYTES < end)
        return end;
    if (position > end)
        return position + prealloc_bytes - (position + prealloc_bytes) % prealloc_bytes;
    return end + prealloc_bytes;
}

/* Java does not start when a log file has no header. So a file gets its name only when it holds its first
 * records; a process that is killed before that leaves a temporary name, which is ignored. */
static void temporary_name(char at[TEMPORARY_NAME_BYTES_MAX], const struct txnlog_file *file)
{
    memcpy(at, TEMPORARY_PREFIX, sizeof(TEMPORARY_PREFIX) - 1);
    memcpy(at + sizeof(TEMPORARY_PREFIX) - 1, file->name, sizeof(file->name));
}

static enum status file_begin(struct txnlog_writer *writer, int64_t zxid)
{
    struct txnlog_file *file = mem_zalloc(sizeof(*file));
    char name[TEMPORARY_NAME_BYTES_MAX];

    txnlog_name_write(file->name, zxid);
    file->unnamed = true;
    temporary_name(name, file);
    enum status status = writer->disk->ops->open(writer->disk, name, DISK_CREATE, &file->file);
    if (status != STATUS_OK) {
        mem_free(file);
        return status;
    }
    file->padded_end = TXNLOG_HEADER_BYTES;
    file->zeros_bytes = ZEROS_BYTES_FIRST;
    file->older = writer->newest;
    writer->newest = file;
    writer->dir_unsynced = true;
    return STATUS_OK;
}

/* Recovery may have cut off a torn first record, and left a file with a header only; its name may be used
 * again. STATUS_EXISTS: the file holds more, which may have been acknowledged, so it is not replaced.
 * (The directory is locked: no other server creates files in it.) */
static enum status refuse_if_taken(struct txnlog_writer *writer, const char *name)
{
    struct txnlog_reader reader;
    enum txnlog_header header;
    struct txnlog_spot spot = {.found = TXNLOG_FOUND_DAMAGED};

    enum status status =
        txnlog_reader_open(&reader, writer->disk, name, writer->options.payload_bytes_max);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    status = txnlog_reader_header(&reader, &header);
    if (status == STATUS_OK && header == TXNLOG_HEADER_GOOD)
        status = txnlog_reader_next(&reader, &spot);
    txnlog_reader_close(&reader);
    if (status != STATUS_OK)
        return status;
    bool nothing_in_it = header == TXNLOG_HEADER_UNWRITTEN ||
                         (header == TXNLOG_HEADER_GOOD && spot.found == TXNLOG_FOUND_END);
    return nothing_in_it ? STATUS_OK : STATUS_EXISTS;
}

static enum status give_name(struct txnlog_writer *writer, struct txnlog_file *file)
{
    char name[TEMPORARY_NAME_BYTES_MAX];

    ASSERT(file->unnamed);
    temporary_name(name, file);
    if (writer->options.force_sync) { /* the sync that its first records need anyway */
        enum status status = writer->disk->ops->sync(writer->disk, file->file);
        if (status != STATUS_OK)
            return status;
        file->unsynced = false;
        writer->syncs++;
    }
    enum status status = refuse_if_taken(writer, file->name);
    if (status != STATUS_OK)
        return status;
    file->unnamed = false;
    return writer->disk->ops->rename(writer->disk, name, file->name);
}

/* One write of `batch` at the end of the file, with zeros after it where none are yet. */
static enum status file_write(struct txnlog_writer *writer, struct txnlog_file *file)
{
    const struct disk_ops *ops = writer->disk->ops;
    struct buffer *batch = &writer->batch;
    size_t size = batch->size;
    enum status status;

    ASSERT(file != NULL && size > 0);
    uint64_t end = file->end + size;
    file->unsynced = true;
    if (file->padded_end > file->file_end) {
        status = ops->truncate(writer->disk, file->file, file->padded_end);
        if (status != STATUS_OK)
            return status;
        file->file_end = file->padded_end;
    }
    if (end > file->zeroed_end && end < file->file_end) {
        uint64_t zeros = file->file_end - end;
        if (zeros > file->zeros_bytes)
            zeros = file->zeros_bytes;
        memset(buffer_extend(batch, (size_t)zeros), 0, (size_t)zeros);
        status = ops->write(writer->disk, file->file, file->end, batch->data, batch->size);
        if (status == STATUS_OK) {
            file->zeroed_end = end + zeros;
            if (file->zeros_bytes < ZEROS_BYTES_MAX)
                file->zeros_bytes *= 2;
        }
        /* A nearly full disk may still have space for the records, without the zeros after them. */
        if (status == STATUS_NO_SPACE)
            status = ops->write(writer->disk, file->file, file->end, batch->data, size);
    } else {
        status = ops->write(writer->disk, file->file, file->end, batch->data, size);
    }
    if (status != STATUS_OK)
        return status;
    file->end = end;
    if (end > file->zeroed_end)
        file->zeroed_end = end;
    if (end > file->file_end)
        file->file_end = end;
    ASSERT(file->end <= file->zeroed_end && file->zeroed_end <= file->file_end);
    return file->unnamed ? give_name(writer, file) : STATUS_OK;
}

struct mark { /* what append() goes back to when the disk is full */
    struct txnlog_file *file;
    struct txnlog_file saved;
    struct txnlog_position position;
    uint64_t written_bytes;
    bool roll;
};

/* The disk is full: nothing of the batch may stay. The cut is synced, so that bytes of a batch that was
 * taken back cannot reappear after a power loss. */
static enum status take_back(struct txnlog_writer *writer, const struct mark *mark)
{
    const struct disk_ops *ops = writer->disk->ops;
    enum status status;

    while (writer->newest != mark->file) {
        ASSERT(writer->newest != NULL);
        struct txnlog_file *file = writer->newest;
        char name[TEMPORARY_NAME_BYTES_MAX];
        if (file->unnamed)
            temporary_name(name, file);
        else
            memcpy(name, file->name, sizeof(file->name));
        writer->newest = file->older;
        file_close(writer, file);
        status = ops->remove(writer->disk, name);
        if (status != STATUS_OK)
            return status;
    }
    writer->position = mark->position;
    writer->written_bytes = mark->written_bytes;
    writer->roll = mark->roll;
    if (mark->file == NULL)
        return STATUS_OK;
    struct txnlog_file *file = mark->file;
    *file = mark->saved;
    status = ops->truncate(writer->disk, file->file, file->end);
    if (status == STATUS_OK && writer->options.force_sync)
        status = ops->sync(writer->disk, file->file);
    file->zeroed_end = file->file_end = file->padded_end = file->end;
    return status;
}

static enum txnlog_digest digest_of(const struct txnlog_writer *writer,
                                    const struct txnlog_append *append)
{
    if (!writer->options.digest_enabled)
        return TXNLOG_DIGEST_OFF;
    return append->lacks_digest ? TXNLOG_DIGEST_LACKING : TXNLOG_DIGEST_THERE;
}

/* Does a new file begin with this record? A power loss may take an older file that is not yet synced, and keep
 * this one. Only a trailer shows then that records are missing, so a record without one does not begin a
 * file behind another; the first one of a run may, for recovery has made all before it durable. */
static bool begins_file(struct txnlog_writer *writer, const struct txnlog_append *append)
{
    if (append->roll_before)
        writer->roll = true;
    if (writer->newest == NULL)
        return true;
    return writer->roll && txnlog_record_gets_trailer(append->payload, digest_of(writer, append),
                                                      writer->options.payload_bytes_max);
}

static enum status append_batch(struct txnlog_writer *writer, const struct txnlog_append *appends,
                                size_t count)
{
    enum status status;

    writer->batch.size = 0;
    for (size_t i = 0; i < count; i++) {
        const struct txnlog_append *append = &appends[i];
        ASSERT(append->zxid > writer->position.last_zxid);
        if (begins_file(writer, append)) {
            if (writer->batch.size > 0) {
                status = file_write(writer, writer->newest);
                if (status != STATUS_OK)
                    return status;
            }
            writer->batch.size = 0;
            status = file_begin(writer, append->zxid);
            if (status != STATUS_OK)
                return status;
            txnlog_header_write(&writer->batch);
            writer->roll = false;
        }
        struct txnlog_file *file = writer->newest;
        file->padded_end = padded_end(file->end + writer->batch.size, file->padded_end,
                                      writer->options.prealloc_bytes);
        size_t before = writer->batch.size;
        txnlog_record_write(&writer->batch, append->payload, digest_of(writer, append),
                            append->zxid, writer->durable_zxid, writer->options.payload_bytes_max,
                            &writer->position);
        writer->written_bytes += writer->batch.size - before;
    }
    status = file_write(writer, writer->newest);
    if (writer->batch.capacity > BATCH_BYTES_KEPT)
        buffer_deinit(&writer->batch);
    return status;
}

enum status txnlog_writer_append(struct txnlog_writer *writer, const struct txnlog_append *appends,
                                 size_t count)
{
    if (writer->failed != STATUS_OK)
        return writer->failed;
    if (count == 0)
        return STATUS_OK;
    struct mark mark = {.file = writer->newest,
                        .position = writer->position,
                        .written_bytes = writer->written_bytes,
                        .roll = writer->roll};
    if (mark.file != NULL)
        mark.saved = *mark.file;
    enum status status = append_batch(writer, appends, count);
    if (status == STATUS_NO_SPACE) {
        status = take_back(writer, &mark);
        return status == STATUS_OK ? STATUS_NO_SPACE : fail(writer, status);
    }
    return status == STATUS_OK ? STATUS_OK : fail(writer, status);
}

enum status txnlog_writer_sync(struct txnlog_writer *writer)
{
    const struct disk_ops *ops = writer->disk->ops;
    enum status status;

    if (writer->failed != STATUS_OK)
        return writer->failed;
    for (struct txnlog_file *file = writer->newest; file != NULL; file = file->older) {
        if (!file->unsynced || !writer->options.force_sync)
            continue;
        status = ops->sync(writer->disk, file->file);
        if (status != STATUS_OK)
            return fail(writer, status);
        file->unsynced = false;
        writer->syncs++;
    }
    if (writer->dir_unsynced && writer->options.force_sync) {
        status = ops->sync_dir(writer->disk);
        if (status != STATUS_OK)
            return fail(writer, status);
    }
    writer->dir_unsynced = false;
    struct txnlog_file *newest = writer->newest;
    if (newest == NULL)
        return STATUS_OK;
    newest->unsynced = false;
    while (newest->older != NULL) {
        struct txnlog_file *file = newest->older;
        newest->older = file->older;
        file_close(writer, file);
    }
    ASSERT(writer->synced_zxid <= writer->position.last_zxid);
    writer->synced_zxid = writer->position.last_zxid;
    if (writer->options.force_sync)
        writer->durable_zxid = writer->synced_zxid;
    if (writer->options.size_limit_bytes > 0 && newest->file_end > writer->options.size_limit_bytes)
        writer->roll = true;
    return STATUS_OK;
}

void txnlog_writer_info(const struct txnlog_writer *writer, struct txnlog_writer_info *ret_info)
{
    const struct txnlog_file *newest = writer->newest;

    *ret_info = (struct txnlog_writer_info){.written_bytes = writer->written_bytes,
                                            .syncs = writer->syncs,
                                            .last_zxid = writer->position.last_zxid,
                                            .durable_zxid = writer->synced_zxid,
                                            .unsynced = writer->dir_unsynced ||
                                                        (newest != NULL && newest->unsynced)};
    if (newest != NULL) {
        memcpy(ret_info->file_name, newest->name, sizeof(newest->name));
        ret_info->file_bytes = newest->file_end;
    }
}
