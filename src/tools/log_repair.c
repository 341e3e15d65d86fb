/* log_repair.c: `paddock log repair FILE`: the whole transactions of a log whose end is torn. The file itself is
 * changed only when told to, after what is cut off has been copied durably. Damage with
 * transactions after it is not repaired: cutting there would lose them. */
#include "tools/log_command.h"
#include "tools/log_walk.h"
#include "tools/tool_words.h"

#include "io/disk_posix.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

enum { COPY_BYTES = 1 << 20 };

static const struct tool_syntax syntax = {
    "log repair",
    "usage: paddock log repair [OPTION]... FILE\n"
    "Writes the whole transactions before a torn end to a new file. Asks before.\n"
    "  --yes            does not ask\n"
    "  --output FILE    the new file; FILE.repaired by default\n"
    "  --in-place       cuts the file itself; what is cut off is kept as torn.NAME.OFFSET beside "
    "it\n"
    "exit code: 0: repaired, or nothing to repair; 1: it cannot be repaired, or the answer was "
    "no;\n"
    "2: usage; 3: a file cannot be read or written\n",
    TOOL_YES | TOOL_OUTPUT | TOOL_IN_PLACE,
    1,
    1,
};

/* Copies [from, to) of the log to a new file. */
static int copy_part(const struct tool_file *file, uint64_t from, uint64_t to, const char *target)
{
    struct tool_output output;
    struct disk_file *source;

    enum status status = file->disk->ops->open(file->disk, file->name, DISK_READ, &source);
    if (status != STATUS_OK) {
        fprintf(stderr, "paddock: %s: %s\n", file->path, status_text(status));
        return TOOL_FAILED;
    }
    if (!tool_output_open(&output, target, false)) {
        file->disk->ops->close(file->disk, source);
        return TOOL_FAILED;
    }
    uint8_t *bytes = mem_alloc(COPY_BYTES);
    bool good = true;
    for (uint64_t at = from; at < to && good && !tool_interrupted();) {
        size_t want = to - at < COPY_BYTES ? (size_t)(to - at) : COPY_BYTES, got = 0;
        status = file->disk->ops->read(file->disk, source, at, bytes, want, &got);
        if (status != STATUS_OK || got < want) {
            fprintf(stderr, "paddock: %s: %s\n", file->path,
                    status == STATUS_OK ? "it became shorter" : status_text(status));
            good = false;
        } else {
            good = tool_output_write(&output, at - from, bytes, got);
            at += got;
        }
    }
    mem_free(bytes);
    file->disk->ops->close(file->disk, source);
    if (!good || tool_interrupted()) {
        tool_output_discard(&output);
        return good ? TOOL_INTERRUPTED : TOOL_FAILED;
    }
    return tool_output_finish(&output, false) ? TOOL_DONE : TOOL_FAILED;
}

static int cut(const struct tool_file *file, uint64_t offset)
{
    struct disk_file *target;

    enum status status = file->disk->ops->open(file->disk, file->name, DISK_WRITE, &target);
    if (status == STATUS_OK) {
        status = file->disk->ops->truncate(file->disk, target, offset);
        if (status == STATUS_OK)
            status = file->disk->ops->sync(file->disk, target);
        file->disk->ops->close(file->disk, target);
    }
    if (status == STATUS_OK)
        return TOOL_DONE;
    fprintf(stderr, "paddock: %s: %s\n", file->path, status_text(status));
    return TOOL_FAILED;
}

/* "DIR/torn.NAME.OFFSET", the name that a server gives it, too. */
static char *torn_path(const struct tool_file *file, uint64_t offset)
{
    char end[32];
    size_t folder_size = strlen(file->path) - strlen(file->name);
    char *folder = tool_join(file->path, "", "");

    folder[folder_size] = '\0';
    snprintf(end, sizeof(end), ".%" PRIu64, offset);
    char *name = tool_join("torn.", file->name, end);
    char *path = tool_join(folder, name, "");
    mem_free(name);
    mem_free(folder);
    return path;
}

static int repair_in_place(const struct tool_file *file, uint64_t offset, uint64_t data_end)
{
    char *copy = torn_path(file, offset);
    int code = copy_part(file, offset, data_end, copy);

    if (code == TOOL_DONE)
        code = cut(file, offset);
    if (code == TOOL_DONE)
        printf("%s was cut at byte %" PRIu64 "; what stood there is in %s\n", file->path, offset,
               copy);
    mem_free(copy);
    return code;
}

static int repair_beside(const struct tool_file *file, uint64_t offset, const char *output)
{
    char *path =
        output == NULL ? tool_join(file->path, ".repaired", "") : tool_join(output, "", "");
    int code = copy_part(file, 0, offset, path);

    if (code == TOOL_DONE)
        printf("%s has the whole transactions, %" PRIu64 " bytes; %s is as it was\n", path, offset,
               file->path);
    mem_free(path);
    return code;
}

static int treat(const struct tool_words *words, const struct log_walk *walk,
                 const struct tool_file *file, uint64_t end)
{
    if (walk->damages == 0) {
        printf("%s: whole, %" PRIu64 " transactions; nothing to repair\n", file->path,
               walk->records);
        return TOOL_DONE;
    }
    if (walk->records == 0) {
        fprintf(stderr, "%s: it has no transaction that could be kept\n", file->path);
        return TOOL_FOUND;
    }
    if (walk->evidence.records > 0) {
        fprintf(stderr,
                "%s: this is no torn end: cutting it off would lose the transactions after it. "
                "Restore the file from a backup or another server. To give them up all the same: "
                "paddock txnlog-toolkit -c -z 0x%" PRIx64 " %s\n",
                file->path, (uint64_t)walk->last_zxid, file->path);
        return TOOL_FOUND;
    }
    if (walk->found == TXNLOG_FOUND_DAMAGED)
        fprintf(stderr,
                "%s: no power loss explains this: the transaction that stood there may have been "
                "acknowledged\n",
                file->path);
    const char *question =
        words->in_place ? "Cut it off this file?" : "Write the whole transactions to a new file?";
    if (!words->yes && !tool_ask(question)) {
        fprintf(stderr, "%s: nothing was changed\n", file->path);
        return tool_interrupted() ? TOOL_INTERRUPTED : TOOL_FOUND;
    }
    return words->in_place ? repair_in_place(file, end, walk->evidence.data_end)
                           : repair_beside(file, end, words->output);
}

static int repair(const struct tool_words *words, const struct tool_files *files)
{
    struct log_walk walk;
    struct log_record record;
    uint64_t end = TXNLOG_HEADER_BYTES;
    enum status status;

    tool_interrupt_watch();
    log_walk_begin(&walk, files, "reading");
    while ((status = log_walk_next(&walk, &record)) == STATUS_OK && !tool_interrupted())
        end = record.offset + record.bytes;
    log_walk_end(&walk);
    if (tool_interrupted())
        return TOOL_INTERRUPTED;
    if (status != STATUS_END)
        return TOOL_FAILED;
    int code = treat(words, &walk, &files->files[0], end);
    return tool_flush() ? code : TOOL_FAILED;
}

static int lock_and_repair(const struct tool_words *words, const struct tool_files *files)
{
    int lock = -1;
    int64_t holder = 0;

    if (!words->in_place)
        return repair(words, files);
    char *folder = tool_join(files->files[0].path, "", "");
    folder[strlen(folder) - strlen(files->files[0].name)] = '\0';
    enum status status = dir_lock(folder[0] == '\0' ? "." : folder, &lock, &holder);
    mem_free(folder);
    if (status != STATUS_OK) {
        fprintf(stderr, "paddock: %s: %s (process %" PRId64 ")\n", files->files[0].path,
                status == STATUS_BUSY ? "a server uses this directory" : status_text(status),
                holder);
        return TOOL_FAILED;
    }
    int code = repair(words, files);
    dir_unlock(lock);
    return code;
}

int log_repair_main(int argc, char **argv)
{
    struct tool_words words;
    struct tool_files files;
    int code;

    if (!tool_words_parse(&syntax, argc, argv, &words, &code))
        return code;
    if (words.in_place && words.output != NULL) {
        code = tool_usage(&syntax, "--in-place and --output: only one of them", NULL);
        tool_words_deinit(&words);
        return code;
    }
    code = TOOL_FAILED;
    if (tool_files_find(&files, STORE_FILE_LOG, words.words, 1)) {
        if (files.from_directory)
            code = tool_usage(&syntax, "a file is repaired, not a directory:", words.words[0]);
        else
            code = lock_and_repair(&words, &files);
    }
    tool_files_deinit(&files);
    tool_words_deinit(&words);
    return code;
}
