/* log_dump.c: `paddock log dump` and `verify`: every record is read in order; nothing is kept. */
#include "tools/log_command.h"
#include "tools/log_walk.h"
#include "tools/tool_text.h"
#include "tools/tool_words.h"
#include "tools/txn_line.h"
#include "wire/zk.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

enum { FLUSH_BYTES = 1 << 16 };

static const struct tool_syntax dump_syntax = {
    "log dump",
    "usage: paddock log dump [OPTION]... FILE|DIRECTORY...\n"
    "  --json           one JSON object on each line\n"
    "  --data           also what was written\n"
    "  --path PATH      only what changed this znode\n"
    "  --prefix PATH    only what changed this znode or one below it\n"
    "  --session ID     only of this session\n"
    "  --zxid RANGE     only these: 0x10..0x20, 0x10.., ..0x20, 0x10\n"
    "exit code: 0; 1: something is damaged; 2: usage; 3: a file cannot be read\n",
    TOOL_JSON | TOOL_DATA | TOOL_FILTERS,
    1,
    INT32_MAX,
};

static void flush(struct buffer *out)
{
    fwrite(out->data, 1, out->size, stdout);
    out->size = 0;
}

static int dump(struct log_walk *walk, const struct tool_words *words)
{
    struct buffer out;
    struct log_record record;
    enum status status;

    buffer_init(&out);
    while ((status = log_walk_next(walk, &record)) == STATUS_OK && !tool_interrupted()) {
        if (!tool_filter_txn(&words->filter, &record.txn))
            continue;
        if (words->json)
            txn_line_put_json(&out, &record, words->data);
        else
            txn_line_put(&out, &record, words->data);
        if (out.size >= FLUSH_BYTES)
            flush(&out);
        if (ferror(stdout) != 0)
            break;
    }
    flush(&out);
    buffer_deinit(&out);
    if (tool_interrupted())
        return TOOL_INTERRUPTED;
    if (!tool_flush() || (status != STATUS_END && status != STATUS_OK))
        return TOOL_FAILED;
    return walk->damages > 0 ? TOOL_FOUND : TOOL_DONE;
}

int log_dump_main(int argc, char **argv)
{
    struct tool_words words;
    struct tool_files files;
    struct log_walk walk;
    int code;

    if (!tool_words_parse(&dump_syntax, argc, argv, &words, &code))
        return code;
    code = TOOL_FAILED;
    if (tool_files_find(&files, STORE_FILE_LOG, words.words, words.word_count)) {
        tool_interrupt_watch();
        log_walk_begin(&walk, &files, "reading");
        code = dump(&walk, &words);
        log_walk_end(&walk);
    }
    tool_files_deinit(&files);
    tool_words_deinit(&words);
    return code;
}

/* --- verify --- */

static const struct tool_syntax verify_syntax = {
    "log verify",
    "usage: paddock log verify FILE|DIRECTORY...\n"
    "Reads every record: frame, checksum, transaction, and that each follows the one before it.\n"
    "In a directory with snapshots, transactions may be missing that a snapshot holds.\n"
    "exit code: 0: whole; 1: damaged, or transactions are missing; 2: usage; 3: a file cannot be "
    "read\n",
    0,
    1,
    INT32_MAX,
};

struct verify {
    struct log_walk *walk;
    struct tool_files snapshots; /* of the directories that were named */
    bool any;                    /* a record was read; the last one: */
    int64_t zxid;
    bool ours;
    uint32_t link;
    uint32_t gaps;
};

/* A snapshot holds all up to its zxid. */
static bool snapshot_covers(const struct verify *verify, int64_t after, int64_t up_to)
{
    for (size_t i = 0; i < verify->snapshots.count; i++) {
        int64_t zxid = verify->snapshots.files[i].read.zxid;
        if (zxid > after && zxid >= up_to)
            return true;
    }
    return false;
}

static bool follows(const struct verify *verify, const struct log_record *record)
{
    int64_t zxid = record->txn.header.zxid;

    if (record->ours && verify->ours)
        return record->trailer.prev_zxid == verify->zxid &&
               record->trailer.link == txnlog_link(verify->link, record->trailer.crc);
    if (record->ours)
        return record->trailer.prev_zxid == verify->zxid;
    if (zxid == verify->zxid && record->txn.header.type == OP_ERROR)
        return true; /* an error that has the zxid of the one before it: some releases write that */
    return zxid_epoch(zxid) == zxid_epoch(verify->zxid)
               ? zxid == verify->zxid + 1
               : zxid > verify->zxid && zxid_counter(zxid) == 1;
}

static void check_order(struct verify *verify, const struct log_record *record)
{
    int64_t zxid = record->txn.header.zxid;
    int64_t before = record->ours ? record->trailer.prev_zxid : zxid - 1;

    if (verify->any && !follows(verify, record) &&
        !(zxid > verify->zxid && snapshot_covers(verify, verify->zxid, before))) {
        verify->gaps++;
        tool_progress_end(&verify->walk->progress);
        fflush(stdout);
        fprintf(
            stderr, "%s: at byte %" PRIu64 " transaction 0x%" PRIx64 " follows 0x%" PRIx64 ": %s\n",
            record->file->path, record->offset, (uint64_t)zxid, (uint64_t)verify->zxid,
            zxid > verify->zxid && before != verify->zxid ? "transactions are missing between them"
                                                          : "it does not follow it");
    }
    verify->any = true;
    verify->zxid = zxid;
    verify->ours = record->ours;
    verify->link = record->ours ? record->trailer.link : 0;
}

static void print_file(const struct log_walk *walk, const struct tool_file *file, uint64_t end)
{
    printf("%s: %" PRIu64 " transactions", file->path, walk->file_records);
    if (walk->file_records > 0)
        printf(", 0x%" PRIx64 " to 0x%" PRIx64, (uint64_t)walk->first_zxid,
               (uint64_t)walk->last_zxid);
    printf(", %" PRIu64 " bytes of %" PRIu64 "\n", end, file->size_bytes);
}

static enum status verify_file(struct verify *verify)
{
    struct log_walk *walk = verify->walk;
    struct log_record record;
    const struct tool_file *file = walk->file;
    uint64_t end = TXNLOG_HEADER_BYTES;
    enum status status;

    while ((status = log_walk_record(walk, &record)) == STATUS_OK && !tool_interrupted()) {
        check_order(verify, &record);
        end = record.offset + record.bytes;
    }
    if (status == STATUS_END || status == STATUS_CORRUPT)
        print_file(walk, file, end);
    return status;
}

static int verify_all(struct log_walk *walk, const char *word)
{
    struct verify verify = {.walk = walk};
    enum status status = STATUS_OK;

    if (walk->files->from_directory && /* none in it: none covers anything */
        !tool_files_list(&verify.snapshots, STORE_FILE_SNAPSHOT, word))
        status = STATUS_IO;
    while ((status == STATUS_OK || status == STATUS_CORRUPT) && !tool_interrupted()) {
        status = log_walk_open(walk);
        if (status == STATUS_OK) {
            status = verify_file(&verify);
            status = status == STATUS_END ? STATUS_OK : status;
        }
    }
    tool_files_deinit(&verify.snapshots);
    if (tool_interrupted())
        return TOOL_INTERRUPTED;
    if (!tool_flush() || status != STATUS_END)
        return TOOL_FAILED;
    return walk->damages > 0 || verify.gaps > 0 ? TOOL_FOUND : TOOL_DONE;
}

/* Files follow each other; a directory is a history of its own. */
static int verify_words(const char *const *words, int word_count)
{
    struct tool_files files;
    struct log_walk walk;
    int code = TOOL_FAILED;

    if (tool_files_find(&files, STORE_FILE_LOG, words, word_count)) {
        tool_interrupt_watch();
        log_walk_begin(&walk, &files, "verifying");
        code = verify_all(&walk, words[0]);
        log_walk_end(&walk);
    }
    tool_files_deinit(&files);
    return code;
}

static bool is_directory(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

int log_verify_main(int argc, char **argv)
{
    struct tool_words words;
    int code;

    if (!tool_words_parse(&verify_syntax, argc, argv, &words, &code))
        return code;
    for (int i = 0; i < words.word_count;) {
        int count = 1;
        while (!is_directory(words.words[i]) && i + count < words.word_count &&
               !is_directory(words.words[i + count]))
            count++;
        int one = verify_words(&words.words[i], count);
        code = one > code ? one : code;
        i += count;
    }
    tool_words_deinit(&words);
    return code;
}
