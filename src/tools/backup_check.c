/* backup_check.c: is this set of files a data directory that a server would load, and up to which zxid? It is
 * asked before a backup gets its name, and again before anything is restored. */
#include "tools/backup.h"

#include "base/arena.h"
#include "replica/store/history.h"
#include "replica/store/snapshot.h"
#include "replica/store/store_files.h"
#include "replica/store/txnlog_reader.h"
#include "replica/txn/txn.h"

#include <inttypes.h>

struct check {
    struct disk *disk;
    struct store_files snapshots, logs;
    struct backup_state *state;
    struct tool_progress progress;
    uint64_t bytes;
};

static enum status corrupt(struct check *check, const char *name, const char *problem)
{
    snprintf(check->state->problem, sizeof(check->state->problem), "%s: %s", name, problem);
    return STATUS_CORRUPT;
}

enum status backup_snapshot_zxid(struct disk *disk, const char *name, int64_t *ret_zxid,
                                 const char **ret_problem)
{
    struct snapshot_info info;
    int64_t zxid = store_name_read(name).zxid;

    enum status status = snapshot_load(disk, name, BACKUP_TEXT_BYTES_MAX, NULL, NULL, &info);
    *ret_problem = info.problem;
    if (status != STATUS_OK)
        return status;
    zxid = info.node_zxid_max > zxid ? info.node_zxid_max : zxid;
    *ret_zxid = info.has_digest && info.digest_zxid > zxid ? info.digest_zxid : zxid;
    return STATUS_OK;
}

/* Of the last record in the logs; the snapshot's when there is none after it. */
static enum status find_last(struct check *check)
{
    int64_t zxid = check->snapshots.files[check->snapshots.count - 1].read.zxid;
    enum status status = STATUS_OK;

    for (size_t i = 0; i < check->logs.count && status == STATUS_OK; i++) {
        const struct store_file *file = &check->logs.files[i];
        struct txnlog_reader reader;
        enum txnlog_header header;
        struct txnlog_spot spot = {.found = TXNLOG_FOUND_RECORD};
        status = txnlog_reader_open(&reader, check->disk, file->name, BACKUP_TEXT_BYTES_MAX);
        if (status != STATUS_OK)
            return status;
        status = txnlog_reader_header(&reader, &header);
        while (status == STATUS_OK && spot.found == TXNLOG_FOUND_RECORD) {
            status = header == TXNLOG_HEADER_GOOD
                         ? txnlog_reader_next(&reader, &spot)
                         : corrupt(check, file->name, "it does not begin as a log");
            if (status == STATUS_OK && spot.found == TXNLOG_FOUND_RECORD &&
                txnlog_payload_zxid(spot.payload) > zxid)
                zxid = txnlog_payload_zxid(spot.payload);
            if (status == STATUS_OK && tool_interrupted())
                status = STATUS_END;
            tool_progress_show(&check->progress, check->bytes + reader.offset);
        }
        if (status == STATUS_OK && spot.found != TXNLOG_FOUND_END)
            status = corrupt(check, file->name, spot.reason);
        txnlog_reader_close(&reader);
        check->bytes += file->size_bytes;
    }
    check->state->zxid = zxid;
    return status;
}

/* Every transaction after a snapshot up to the last one. */
static enum status run_through(struct check *check, const struct store_file *snapshot)
{
    struct history *history;
    struct history_record record;
    struct arena arena;
    struct txn txn;
    uint64_t records = 0;
    const char *problem = NULL;

    enum status status = history_open(check->disk, check->disk, snapshot->read.zxid,
                                      check->state->zxid, BACKUP_TEXT_BYTES_MAX, &history);
    if (status == STATUS_NOT_FOUND || status == STATUS_CORRUPT)
        return corrupt(check, snapshot->name, "the log does not go on from there");
    if (status != STATUS_OK)
        return status;
    arena_init(&arena);
    while ((status = history_next(history, &record)) == STATUS_OK && problem == NULL &&
           !tool_interrupted()) {
        records++;
        arena_reset(&arena);
        if (txn_read(record.payload, &arena, &txn) != STATUS_OK)
            problem = "a record that is no transaction";
    }
    arena_deinit(&arena);
    if (status == STATUS_CORRUPT)
        problem = history_problem(history);
    history_close(history);
    if (problem != NULL)
        return corrupt(check, snapshot->name, problem);
    if (status != STATUS_END)
        return status == STATUS_OK ? STATUS_END : status; /* OK: interrupted */
    check->state->records = records;
    return STATUS_OK;
}

/* Where may a restored state begin? At the oldest snapshot that the log goes on from without a gap. */
static enum status find_oldest(struct check *check)
{
    enum status status = STATUS_CORRUPT;

    for (size_t i = 0; i < check->snapshots.count && status == STATUS_CORRUPT; i++) {
        const struct store_file *file = &check->snapshots.files[i];
        const char *problem = NULL;
        status =
            backup_snapshot_zxid(check->disk, file->name, &check->state->oldest_zxid, &problem);
        if (status == STATUS_CORRUPT)
            return corrupt(check, file->name, problem);
        if (status == STATUS_OK)
            status = run_through(check, file);
        if (status == STATUS_OK && check->state->oldest_zxid > check->state->zxid)
            return corrupt(check, file->name, "it holds changes that are not in the log");
    }
    return status;
}

/* Those that find_oldest() did not read. */
static enum status check_other_snapshots(struct check *check)
{
    for (size_t i = 0; i < check->snapshots.count; i++) {
        const char *name = check->snapshots.files[i].name, *problem = NULL;
        int64_t zxid;
        if (tool_interrupted())
            return STATUS_END;
        enum status status = backup_snapshot_zxid(check->disk, name, &zxid, &problem);
        if (status == STATUS_CORRUPT)
            return corrupt(check, name, problem);
        if (status != STATUS_OK)
            return status;
        if (zxid > check->state->zxid)
            return corrupt(check, name, "it holds changes that are not in the log");
        check->bytes += check->snapshots.files[i].size_bytes;
        tool_progress_show(&check->progress, check->bytes);
    }
    return STATUS_OK;
}

enum status backup_check_files(struct disk *disk, struct backup_state *ret_state, const char *what,
                               uint64_t total_bytes)
{
    struct check check = {.disk = disk, .state = ret_state};

    *ret_state = (struct backup_state){0};
    tool_progress_begin(&check.progress, what, total_bytes);
    enum status status = store_files_list(disk, STORE_FILE_SNAPSHOT, &check.snapshots);
    if (status == STATUS_OK)
        status = store_files_list(disk, STORE_FILE_LOG, &check.logs);
    if (status == STATUS_OK && check.snapshots.count == 0)
        status = corrupt(&check, "snapshot", "there is none");
    if (status == STATUS_OK)
        status = find_last(&check);
    if (status == STATUS_OK)
        status = check_other_snapshots(&check);
    if (status == STATUS_OK)
        status = find_oldest(&check);
    tool_progress_end(&check.progress);
    store_files_deinit(&check.logs);
    store_files_deinit(&check.snapshots);
    return status;
}
