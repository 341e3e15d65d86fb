/* backup_copy.c: a copy of files that change meanwhile, and what makes it a consistent one.
 *
 * Snapshots do not change once they are whole; each is read through before it is copied. Logs only grow: they
 * are copied after the snapshots, so that they hold whatever a snapshot holds; the copy ends with the last
 * whole record. Purging removes the oldest files: what is open stays readable, and when a file is
 * gone before it is opened, the attempt starts again. A member of an ensemble may also have
 * transactions taken back or all of its files replaced (replica/store/truncate.h and install.h):
 * the file `intent` says so, and the newest files become shorter or disappear. So both are checked
 * again at the end, and if they changed the attempt starts again. Whether the copy as a whole is
 * one history is checked by the caller (backup_check_files()). */
#include "tools/backup_copy.h"

#include "io/disk_posix.h"
#include "replica/store/snapshot.h"
#include "replica/store/store_files.h"
#include "replica/store/txnlog_reader.h"
#include "tools/backup.h"
#include "tools/backup_manifest.h"

#include <inttypes.h>

enum { COPY_BYTES = 1 << 20 };

struct copied { /* one file */
    const char *name;
    uint64_t bytes;
};
struct copy {
    const struct backup_source *source;
    struct tar_writer *writer;
    struct buffer *sums;
    char *why;
    struct disk *data, *log;
    struct store_files snapshots, logs;
    struct tool_progress progress;
    uint64_t done_bytes;
    uint8_t *bytes;
    size_t first_snapshot; /* the ones from here on that are `taken` were copied */
    bool *taken;
    struct copied newest_snapshot, newest_log;
    int64_t oldest_zxid, last_zxid, held_zxid; /* held: the highest one that a snapshot holds */
};

static enum backup_copied moved(struct copy *copy, const char *what)
{
    snprintf(copy->why, 256, "%s", what);
    return BACKUP_MOVED;
}

static enum backup_copied failed(struct copy *copy, const char *folder, const char *name,
                                 const char *what)
{
    tool_progress_end(&copy->progress);
    fprintf(stderr, "paddock: %s/%s: %s\n", folder, name, what);
    return BACKUP_FAILED;
}

static enum backup_copied disk_answer(struct copy *copy, const char *folder, const char *name,
                                      enum status status)
{
    return status == STATUS_NOT_FOUND ? moved(copy, "a file was removed before it was read")
                                      : failed(copy, folder, name, status_text(status));
}

/* The first `size_bytes` bytes of an open file, as a member. */
static enum backup_copied copy_bytes(struct copy *copy, struct disk *disk, struct disk_file *file,
                                     const char *folder, const char *name, uint64_t size_bytes)
{
    char member[TAR_NAME_BYTES_MAX], sum[TAR_SUM_BYTES];

    if ((size_t)snprintf(member, sizeof(member), "%s%s", BACKUP_FOLDER, name) >= sizeof(member))
        return failed(copy, folder, name, "its name is too long");
    tar_member_begin(copy->writer, member);
    for (uint64_t at = 0; at < size_bytes && !tool_interrupted();) {
        uint64_t left = size_bytes - at;
        size_t want = left < COPY_BYTES ? (size_t)left : COPY_BYTES, got = 0;
        enum status status = disk->ops->read(disk, file, at, copy->bytes, want, &got);
        if (status != STATUS_OK)
            return disk_answer(copy, folder, name, status);
        if (got < want)
            return moved(copy, "a file became shorter while it was read");
        if (!tar_member_write(copy->writer, copy->bytes, got))
            return BACKUP_FAILED;
        at += got;
        copy->done_bytes += got;
        tool_progress_show(&copy->progress, copy->done_bytes);
    }
    if (!tar_member_end(copy->writer, sum))
        return BACKUP_FAILED;
    backup_manifest_add(copy->sums, member, sum);
    return BACKUP_COPIED;
}

/* --- snapshots --- */

static bool has_a_log(struct copy *copy)
{
    return store_files_list(copy->log, STORE_FILE_LOG, &copy->logs) == STATUS_OK &&
           copy->logs.count > 0;
}

/* Whole ones, the newest first, as many as are wanted. Another one is being written, or is damaged. */
static enum backup_copied choose_snapshots(struct copy *copy)
{
    uint32_t count = 0;

    copy->taken = mem_zalloc(copy->snapshots.count + 1);
    copy->first_snapshot = copy->snapshots.count;
    for (size_t i = copy->snapshots.count; i > 0 && count < copy->source->snapshots; i--) {
        const char *name = copy->snapshots.files[i - 1].name, *problem = NULL;
        bool candidate;
        int64_t zxid = 0;
        if (tool_interrupted())
            return BACKUP_FAILED;
        enum status status = snapshot_is_candidate(copy->data, name, &candidate);
        if (status == STATUS_OK && candidate)
            status = backup_snapshot_zxid(copy->data, name, &zxid, &problem);
        if (status == STATUS_OK && candidate) {
            copy->taken[i - 1] = true;
            copy->first_snapshot = i - 1;
            copy->oldest_zxid = copy->snapshots.files[i - 1].read.zxid;
            copy->held_zxid = zxid > copy->held_zxid ? zxid : copy->held_zxid;
            count++;
        } else if (status == STATUS_CORRUPT) {
            tool_progress_end(&copy->progress);
            fprintf(stderr, "%s/%s: damaged: %s; left out\n", copy->source->data, name, problem);
        } else if (status != STATUS_OK) {
            return disk_answer(copy, copy->source->data, name, status);
        }
    }
    if (count > 0)
        return BACKUP_COPIED;
    /* A list that is read while one snapshot replaces the other may have neither. */
    return has_a_log(copy)
               ? moved(copy, "there is no whole snapshot")
               : failed(copy, copy->source->data, "snapshot.*", "there is no whole one");
}

static enum backup_copied copy_snapshots(struct copy *copy)
{
    enum backup_copied result = choose_snapshots(copy);

    for (size_t i = copy->first_snapshot; i < copy->snapshots.count && result == BACKUP_COPIED;
         i++) {
        const struct store_file *snapshot = &copy->snapshots.files[i];
        struct disk_file *file;
        uint64_t size_bytes = 0;
        if (!copy->taken[i])
            continue;
        enum status status = copy->data->ops->open(copy->data, snapshot->name, DISK_READ, &file);
        if (status != STATUS_OK)
            return disk_answer(copy, copy->source->data, snapshot->name, status);
        status = copy->data->ops->size(copy->data, file, &size_bytes);
        result =
            status == STATUS_OK
                ? copy_bytes(copy, copy->data, file, copy->source->data, snapshot->name, size_bytes)
                : disk_answer(copy, copy->source->data, snapshot->name, status);
        copy->data->ops->close(copy->data, file);
        copy->newest_snapshot = (struct copied){snapshot->name, size_bytes};
        copy->last_zxid = snapshot->read.zxid;
    }
    return result;
}

/* --- logs --- */

/* Up to the end of the last whole record. Only behind the end of everything may something else stand: the
 * record that a server is just writing, or what a crash left of one. */
static enum backup_copied find_log_end(struct copy *copy, const struct store_file *log,
                                       uint64_t *ret_end)
{
    struct txnlog_reader reader;
    enum txnlog_header header;
    struct txnlog_spot spot = {.found = TXNLOG_FOUND_RECORD};
    struct txnlog_evidence evidence = {0};

    *ret_end = 0;
    enum status status = txnlog_reader_open(&reader, copy->log, log->name, BACKUP_TEXT_BYTES_MAX);
    if (status != STATUS_OK)
        return disk_answer(copy, copy->source->log, log->name, status);
    status = txnlog_reader_header(&reader, &header);
    if (status == STATUS_OK && header == TXNLOG_HEADER_FOREIGN) {
        txnlog_reader_close(&reader);
        snprintf(copy->why, 256, "%s: damaged at byte 0: it does not begin as a log", log->name);
        return BACKUP_DAMAGED;
    }
    while (status == STATUS_OK && header == TXNLOG_HEADER_GOOD &&
           spot.found == TXNLOG_FOUND_RECORD && !tool_interrupted()) {
        status = txnlog_reader_next(&reader, &spot);
        if (status != STATUS_OK || spot.found != TXNLOG_FOUND_RECORD)
            break;
        *ret_end = reader.offset;
        if (txnlog_payload_zxid(spot.payload) > copy->last_zxid)
            copy->last_zxid = txnlog_payload_zxid(spot.payload);
    }
    bool broken = status == STATUS_OK && header == TXNLOG_HEADER_GOOD && !tool_interrupted() &&
                  spot.found != TXNLOG_FOUND_END;
    uint64_t offset = reader.offset;
    if (broken)
        status = txnlog_reader_search(&reader, offset + 1, &evidence);
    txnlog_reader_close(&reader);
    if (status == STATUS_IO)
        return moved(copy, "a log became shorter while it was read");
    if (status != STATUS_OK)
        return disk_answer(copy, copy->source->log, log->name, status);
    if (!broken || (spot.found == TXNLOG_FOUND_TORN && evidence.records == 0))
        return BACKUP_COPIED;
    snprintf(copy->why, 256, "%s: damaged at byte %" PRIu64 " (%s); `paddock log verify` says more",
             log->name, offset, spot.reason);
    return BACKUP_DAMAGED; /* a record that is being written may look so; not for long */
}

static enum backup_copied copy_logs(struct copy *copy)
{
    size_t first = 0;

    /* The last log that begins at or below the snapshot may hold records above it. */
    while (first + 1 < copy->logs.count &&
           copy->logs.files[first + 1].read.zxid <= copy->oldest_zxid)
        first++;
    for (size_t i = first; i < copy->logs.count; i++) {
        const struct store_file *log = &copy->logs.files[i];
        struct disk_file *file;
        uint64_t end;
        enum backup_copied result = find_log_end(copy, log, &end);
        if (result != BACKUP_COPIED)
            return result;
        if (end == 0) /* no record yet */
            continue;
        enum status status = copy->log->ops->open(copy->log, log->name, DISK_READ, &file);
        if (status != STATUS_OK)
            return disk_answer(copy, copy->source->log, log->name, status);
        result = copy_bytes(copy, copy->log, file, copy->source->log, log->name, end);
        copy->log->ops->close(copy->log, file);
        if (result != BACKUP_COPIED)
            return result;
        copy->newest_log = (struct copied){log->name, end};
    }
    return BACKUP_COPIED;
}

/* --- what happened meanwhile --- */

static bool is_there(struct disk *disk, const char *name, uint64_t bytes_min)
{
    struct disk_file *file;
    uint64_t size_bytes = 0;

    if (disk->ops->open(disk, name, DISK_READ, &file) != STATUS_OK)
        return false;
    bool there = disk->ops->size(disk, file, &size_bytes) == STATUS_OK && size_bytes >= bytes_min;
    disk->ops->close(disk, file);
    return there;
}

static enum backup_copied look_again(struct copy *copy)
{
    const struct backup_source *source = copy->source;

    if (is_there(copy->data, "intent", 0))
        return moved(copy, "the files are being changed as a whole (the file intent is there)");
    if (!is_there(copy->data, copy->newest_snapshot.name, copy->newest_snapshot.bytes))
        return moved(copy, "the newest snapshot went while it was copied");
    if (copy->newest_log.name != NULL &&
        !is_there(copy->log, copy->newest_log.name, copy->newest_log.bytes))
        return moved(copy, "the newest log was cut or went while it was copied");
    /* A list that is read while one log replaces the other may have neither. */
    if (copy->logs.count == 0) {
        store_files_deinit(&copy->logs);
        if (has_a_log(copy))
            return moved(copy, "no log was listed, and there is one now");
    }
    if (source->has_target && copy->last_zxid < source->target_zxid) {
        snprintf(copy->why, 256,
                 "the server had 0x%" PRIx64 " already, and its files end with 0x%" PRIx64,
                 (uint64_t)source->target_zxid, (uint64_t)copy->last_zxid);
        return BACKUP_BEHIND;
    }
    if (copy->last_zxid < copy->held_zxid) {
        snprintf(copy->why, 256,
                 "a snapshot holds changes up to 0x%" PRIx64 ", and the logs end with 0x%" PRIx64,
                 (uint64_t)copy->held_zxid, (uint64_t)copy->last_zxid);
        return BACKUP_BEHIND;
    }
    return BACKUP_COPIED;
}

static enum backup_copied list_and_copy(struct copy *copy)
{
    uint64_t total = 0;

    if (is_there(copy->data, "intent", 0))
        return moved(copy, "the files are being changed as a whole (the file intent is there)");
    enum status status = store_files_list(copy->data, STORE_FILE_SNAPSHOT, &copy->snapshots);
    if (status != STATUS_OK)
        return disk_answer(copy, copy->source->data, "", status);
    tool_progress_begin(&copy->progress, "copying", 0);
    enum backup_copied result = copy_snapshots(copy);
    if (result != BACKUP_COPIED)
        return result;
    /* Only now: what a snapshot holds is in the logs from here on. */
    status = store_files_list(copy->log, STORE_FILE_LOG, &copy->logs);
    if (status != STATUS_OK)
        return disk_answer(copy, copy->source->log, "", status);
    for (size_t i = 0; i < copy->logs.count; i++)
        total += copy->logs.files[i].size_bytes;
    copy->progress.total_bytes = copy->done_bytes + total;
    result = copy_logs(copy);
    return result == BACKUP_COPIED ? look_again(copy) : result;
}

enum backup_copied backup_copy(const struct backup_source *source, struct tar_writer *writer,
                               struct buffer *sums, char why[256])
{
    struct copy copy = {.source = source, .writer = writer, .sums = sums, .why = why};
    enum backup_copied result = BACKUP_FAILED;

    writer->offset = 0;
    sums->size = 0;
    why[0] = '\0';
    enum status status = disk_posix_open(source->data, 0, &copy.data);
    if (status == STATUS_OK)
        status = disk_posix_open(source->log, 0, &copy.log);
    if (status != STATUS_OK) {
        fprintf(stderr, "paddock: %s: %s\n", copy.data == NULL ? source->data : source->log,
                status_text(status));
    } else {
        copy.bytes = mem_alloc(COPY_BYTES);
        result = list_and_copy(&copy);
        tool_progress_end(&copy.progress);
        mem_free(copy.bytes);
    }
    mem_free(copy.taken);
    store_files_deinit(&copy.logs);
    store_files_deinit(&copy.snapshots);
    disk_posix_close(copy.log);
    disk_posix_close(copy.data);
    return tool_interrupted() ? BACKUP_FAILED : result;
}
