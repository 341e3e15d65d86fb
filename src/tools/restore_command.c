/* restore_command.c: `paddock restore`: a backup becomes a data directory again, as it was at a zxid. All of it is
 * written under another name, loaded as a server loads it, and only then gets the name version-2. */
#include "tools/backup.h"
#include "tools/tool_words.h"
#include "tools/tools.h"

#include "base/array.h"
#include "io/disk_posix.h"
#include "replica/store/recovery.h"
#include "replica/store/store_files.h"
#include "replica/store/txnlog_reader.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

enum { COPY_BYTES = 1 << 20 };

static const struct tool_syntax syntax = {
    "restore",
    "usage: paddock restore [OPTION]... FILE DATADIR\n"
    "       paddock restore --check FILE\n"
    "Checks a backup, and makes a data directory of it. DATADIR is a new or an empty directory; "
    "only\n"
    "myid may be in it.\n"
    "  --zxid ZXID      the state as it was at this zxid; by default the newest\n"
    "  --log-dir DIR    dataLogDir, if it is another directory; new or empty, too\n"
    "  --check          only checks FILE, and says which zxids can be restored\n"
    "exit code: 0: done; 1: the backup is damaged, or the tree differs; 2: wrong arguments;\n"
    "3: it could not be done\n",
    TOOL_AT_ZXID | TOOL_LOG_DIR | TOOL_CHECK,
    1,
    2,
};

/* One of the two directories: made under another name, and removed by it when it is not finished. */
struct target {
    const char *parent;
    char *partial, *final;
    bool made_parent, made;
    struct disk *disk;
};
struct restore {
    struct tar_archive *archive;
    int64_t zxid; /* the state that is wanted */
    struct target data, log;
    bool one;                           /* one directory for both */
    struct store_files snapshots, logs; /* in the archive */
    size_t newest;                      /* snapshot to take; older ones, too */
    struct tool_progress progress;
    uint64_t done_bytes;
};

static bool fail(const char *what, const char *why)
{
    fflush(stdout);
    fprintf(stderr, "paddock: %s: %s\n", what, why);
    return false;
}

/* --- directories --- */

static bool may_stay(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, "myid") == 0 ||
           strcmp(name, "lost+found") == 0;
}

static bool check_empty(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    bool empty = true;

    if (folder == NULL)
        return errno == ENOENT ? true : fail(path, strerror(errno));
    while (empty && (entry = readdir(folder)) != NULL) {
        if (may_stay(entry->d_name))
            continue;
        fprintf(stderr, "paddock: %s: it is not empty (%s is in it); nothing was changed\n", path,
                entry->d_name);
        empty = false;
    }
    closedir(folder);
    return empty;
}

static bool sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0)
        close(fd);
    return good || fail(path, strerror(errno));
}

static bool open_target(struct target *target, const char *parent)
{
    target->parent = parent;
    target->partial = tool_join(parent, "/version-2.partial", "");
    target->final = tool_join(parent, "/version-2", "");
    target->made_parent = access(parent, F_OK) != 0;
    enum status status = dir_make(parent);
    if (status != STATUS_OK)
        return fail(parent, status_text(status));
    status = dir_make(target->partial);
    target->made = status == STATUS_OK;
    if (status == STATUS_OK)
        status = disk_posix_open(target->partial, 0, &target->disk);
    return status == STATUS_OK || fail(target->partial, status_text(status));
}

static bool visit_name(void *context, const char *name, uint64_t size_bytes)
{
    struct store_notes *names = context;

    (void)size_bytes;
    store_note(names, false, "%s", name);
    return true;
}

/* Removes what is half done. False: it is named. */
static bool remove_target(struct target *target)
{
    struct store_notes names = {0};
    bool good = true;

    if (target->disk != NULL &&
        target->disk->ops->list(target->disk, visit_name, &names) == STATUS_OK) {
        for (size_t i = 0; i < names.count; i++)
            good &= target->disk->ops->remove(target->disk, names.notes[i].text) == STATUS_OK;
    }
    store_notes_deinit(&names);
    if (target->made)
        good &= rmdir(target->partial) == 0;
    if (good && target->made_parent)
        (void)rmdir(target->parent);
    return good || fail(target->partial, "it is unfinished, and could not be removed: remove it");
}

static void close_target(struct target *target)
{
    disk_posix_close(target->disk);
    mem_free(target->partial);
    mem_free(target->final);
}

/* --- which files --- */

/* The newest snapshot that holds nothing after the zxid. */
static bool choose_snapshot(struct restore *restore, const char *path)
{
    for (size_t i = restore->snapshots.count; i > 0; i--) {
        const char *problem;
        int64_t zxid;
        enum status status = backup_snapshot_zxid(
            &restore->archive->disk, restore->snapshots.files[i - 1].name, &zxid, &problem);
        if (status != STATUS_OK)
            return fail(path, problem);
        if (zxid > restore->zxid)
            continue;
        restore->newest = i - 1;
        return true;
    }
    return fail(path, "it has no snapshot that is old enough");
}

/* Where the log is cut: in front of the first record after the zxid. */
static enum status find_cut(struct restore *restore, const char *name, uint64_t *ret_end,
                            bool *ret_any)
{
    struct txnlog_reader reader;
    enum txnlog_header header;
    struct txnlog_spot spot;

    enum status status =
        txnlog_reader_open(&reader, &restore->archive->disk, name, BACKUP_TEXT_BYTES_MAX);
    if (status != STATUS_OK)
        return status;
    *ret_any = false;
    status = txnlog_reader_header(&reader, &header);
    while (status == STATUS_OK) {
        *ret_end = reader.offset;
        status = txnlog_reader_next(&reader, &spot);
        if (status != STATUS_OK || spot.found != TXNLOG_FOUND_RECORD ||
            txnlog_payload_zxid(spot.payload) > restore->zxid)
            break;
        *ret_any = true;
    }
    txnlog_reader_close(&reader);
    return status;
}

/* --- writing --- */

static bool copy_file(struct restore *restore, struct disk *target, const char *name,
                      uint64_t size_bytes)
{
    struct disk *source = &restore->archive->disk;
    struct disk_file *from, *to;

    enum status status = source->ops->open(source, name, DISK_READ, &from);
    if (status != STATUS_OK)
        return fail(name, status_text(status));
    status = target->ops->open(target, name, DISK_CREATE, &to);
    if (status != STATUS_OK) {
        source->ops->close(source, from);
        return fail(name, status_text(status));
    }
    uint8_t *bytes = mem_alloc(COPY_BYTES);
    for (uint64_t at = 0; at < size_bytes && status == STATUS_OK && !tool_interrupted();) {
        uint64_t left = size_bytes - at;
        size_t got = 0;
        status = source->ops->read(source, from, at, bytes,
                                   left < COPY_BYTES ? (size_t)left : COPY_BYTES, &got);
        if (status == STATUS_OK && got == 0)
            status = STATUS_IO;
        if (status == STATUS_OK)
            status = target->ops->write(target, to, at, bytes, got);
        at += got;
        restore->done_bytes += got;
        tool_progress_show(&restore->progress, restore->done_bytes);
    }
    if (status == STATUS_OK)
        status = target->ops->sync(target, to);
    mem_free(bytes);
    target->ops->close(target, to);
    source->ops->close(source, from);
    return status == STATUS_OK || fail(name, status_text(status));
}

static bool copy_files(struct restore *restore)
{
    struct disk *log_disk = restore->one ? restore->data.disk : restore->log.disk;

    for (size_t i = 0; i <= restore->newest; i++) {
        const struct store_file *file = &restore->snapshots.files[i];
        if (!copy_file(restore, restore->data.disk, file->name, file->size_bytes))
            return false;
    }
    for (size_t i = 0; i < restore->logs.count && !tool_interrupted(); i++) {
        const struct store_file *file = &restore->logs.files[i];
        uint64_t end = 0;
        bool any = false;
        enum status status = find_cut(restore, file->name, &end, &any);
        if (status != STATUS_OK)
            return fail(file->name, status_text(status));
        if (any && !copy_file(restore, log_disk, file->name, end))
            return false;
    }
    enum status status = restore->data.disk->ops->sync_dir(restore->data.disk);
    if (status == STATUS_OK)
        status = log_disk->ops->sync_dir(log_disk);
    return status == STATUS_OK || fail(restore->data.partial, status_text(status));
}

/* --- the proof --- */

/* As a server loads it. */
static int load(struct restore *restore, int64_t *ret_zxid)
{
    const struct recovery_options options = {
        .tree = {.extended_types = true, .digest_enabled = true},
        .text_bytes_max = BACKUP_TEXT_BYTES_MAX,
        .limited = true,
        .limit_zxid = INT64_MAX,
        .keep_orphans = true};
    struct recovery recovery;
    int code = TOOL_DONE;

    enum status status =
        store_recover(restore->data.disk, restore->one ? restore->data.disk : restore->log.disk,
                      &options, &recovery);
    bool wrong = status != STATUS_OK || recovery.digest_mismatches > 0;
    for (size_t i = 0; i < recovery.notes.count && wrong; i++)
        (void)fail(restore->data.final, recovery.notes.notes[i].text);
    if (status != STATUS_OK) {
        (void)fail(restore->data.final, status_text(status));
        code = TOOL_FOUND;
    } else {
        *ret_zxid = recovery.last_zxid;
        code = wrong ? TOOL_FOUND : TOOL_DONE;
        tree_free(recovery.tree);
    }
    recovery_deinit(&recovery);
    return code;
}

/* The log first: a snapshot directory without its logs looks like an older state. */
static bool name_targets(struct restore *restore)
{
    if (!restore->one && (rename(restore->log.partial, restore->log.final) != 0))
        return fail(restore->log.final, strerror(errno));
    if (rename(restore->data.partial, restore->data.final) != 0) {
        (void)fail(restore->data.final, strerror(errno));
        if (!restore->one && rename(restore->log.final, restore->log.partial) != 0)
            (void)fail(restore->log.final, "it was restored alone: remove it");
        return false;
    }
    restore->log.made = false;
    restore->data.made = false;
    return sync_folder(restore->data.parent) && (restore->one || sync_folder(restore->log.parent));
}

static int write_and_load(struct restore *restore, const char *data, const char *log)
{
    int64_t zxid = 0;

    tool_progress_begin(&restore->progress, "restoring", restore->archive->end);
    bool good = open_target(&restore->data, data) &&
                (restore->one || open_target(&restore->log, log)) && copy_files(restore);
    tool_progress_end(&restore->progress);
    if (tool_interrupted())
        return TOOL_INTERRUPTED;
    if (!good)
        return TOOL_FAILED;
    int code = load(restore, &zxid);
    if (tool_interrupted())
        return TOOL_INTERRUPTED;
    if (code != TOOL_DONE)
        return code;
    if (!name_targets(restore))
        return TOOL_FAILED;
    printf("%s: restored to zxid 0x%" PRIx64 "\n", restore->data.final, (uint64_t)zxid);
    return TOOL_DONE;
}

static int restore_files(struct restore *restore, const struct tool_words *words)
{
    const char *data = words->words[1];

    enum status status =
        store_files_list(&restore->archive->disk, STORE_FILE_SNAPSHOT, &restore->snapshots);
    if (status == STATUS_OK)
        status = store_files_list(&restore->archive->disk, STORE_FILE_LOG, &restore->logs);
    if (status != STATUS_OK) {
        (void)fail(words->words[0], status_text(status));
        return TOOL_FAILED;
    }
    if (!choose_snapshot(restore, words->words[0]))
        return TOOL_FAILED;
    int code = write_and_load(restore, data, words->log_dir);
    if (code != TOOL_DONE) {
        bool removed = remove_target(&restore->data);
        if (!restore->one)
            removed = remove_target(&restore->log) && removed;
        if (removed)
            fprintf(stderr, "paddock: %s: nothing was restored\n", data);
    }
    close_target(&restore->data);
    close_target(&restore->log);
    return code;
}

static int restore_backup(struct backup *backup, const struct tool_words *words)
{
    const struct backup_state *state = &backup->state;
    struct restore restore = {.archive = &backup->archive,
                              .zxid = words->has_at_zxid ? words->at_zxid : state->zxid,
                              .one = words->log_dir == NULL};

    if (restore.zxid < state->oldest_zxid || restore.zxid > state->zxid) {
        fprintf(stderr,
                "paddock: %s: it has the states from zxid 0x%" PRIx64 " to 0x%" PRIx64
                ", and not 0x%" PRIx64 "\n",
                words->words[0], (uint64_t)state->oldest_zxid, (uint64_t)state->zxid,
                (uint64_t)restore.zxid);
        return TOOL_FAILED;
    }
    int code = restore_files(&restore, words);
    store_files_deinit(&restore.logs);
    store_files_deinit(&restore.snapshots);
    return code;
}

static int check_or_restore(const struct tool_words *words)
{
    struct backup backup;
    int code = TOOL_DONE;

    tool_interrupt_watch();
    if (!words->check &&
        (!check_empty(words->words[1]) || (words->log_dir != NULL && !check_empty(words->log_dir))))
        return TOOL_FAILED;
    if (!backup_open(&backup, words->words[0], &code))
        return code;
    if (words->check)
        printf("%s: whole; the state at zxid 0x%" PRIx64 "; earlier ones back to 0x%" PRIx64
               " can be restored\n",
               words->words[0], (uint64_t)backup.state.zxid, (uint64_t)backup.state.oldest_zxid);
    else
        code = restore_backup(&backup, words);
    backup_close(&backup);
    return tool_flush() ? code : TOOL_FAILED;
}

int restore_command_main(int argc, char **argv)
{
    struct tool_words words;
    int code;

    if (!tool_words_parse(&syntax, argc, argv, &words, &code))
        return code;
    if (!words.check && words.word_count < 2)
        code = tool_usage(&syntax, "an argument is missing", NULL);
    else if (words.check && (words.word_count > 1 || words.has_at_zxid || words.log_dir != NULL))
        code = tool_usage(&syntax, "--check takes a file and nothing else", NULL);
    else
        code = check_or_restore(&words);
    tool_words_deinit(&words);
    return code;
}
