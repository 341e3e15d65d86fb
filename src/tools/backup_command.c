/* backup_command.c: `paddock backup`: where the files are, attempts to copy them until one is consistent, and the
 * check of the whole before the backup gets its name. */
#include "tools/backup.h"
#include "tools/backup_copy.h"
#include "tools/backup_manifest.h"
#include "tools/server_word.h"
#include "tools/tool_files.h"
#include "tools/tool_words.h"
#include "tools/tools.h"

#include <inttypes.h>
#include <sys/stat.h>
#include <time.h>

enum { ATTEMPTS_MAX = 50, CHECKS_MAX = 3, PAUSE_MS = 100 };

static const struct tool_syntax syntax = {
    "backup",
    "usage: paddock backup [OPTION]... HOST[:PORT]|DATADIR FILE\n"
    "Copies the data of a server, which may be running, to a tar archive, and checks it.\n"
    "  HOST[:PORT]      a server on this machine; its 4lw.commands.whitelist allows conf and srvr\n"
    "  DATADIR          dataDir, or its version-2\n"
    "  --log-dir DIR    dataLogDir, if it is another directory\n"
    "  --snapshots N    take the N newest snapshots and the logs from the oldest of them on (3):\n"
    "                   how far back `paddock restore --zxid` can go\n"
    "  --overwrite      FILE may exist; it is replaced when the new one is complete\n"
    "exit code: 0: done; 1: the files are damaged; 2: wrong arguments; 3: it could not be done\n",
    TOOL_SNAPSHOTS | TOOL_LOG_DIR | TOOL_OVERWRITE,
    2,
    2,
};

/* --- where the files are --- */

struct place {
    char *data, *log;
    bool has_target;
    int64_t target_zxid;
};

static bool is_directory(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool fail(const char *what, const char *why)
{
    fprintf(stderr, "paddock: %s: %s\n", what, why);
    return false;
}

/* The rest of the line that begins with `name`, mem_free() it; NULL: there is none. */
static char *line_value(const struct buffer *answer, const char *name)
{
    struct slice text = buffer_slice(answer), start = slice_text(name);

    while (text.size > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.size);
        size_t size = end == NULL ? text.size : (size_t)(end - text.data);
        if (slice_starts_with(slice_of(text.data, size), start)) {
            char *value = mem_alloc(size - start.size + 1);
            memcpy(value, text.data + start.size, size - start.size);
            value[size - start.size] = '\0';
            return value;
        }
        size_t taken = size + (end != NULL);
        text = slice_of(text.data + taken, text.size - taken);
    }
    return NULL;
}

/* Both answers, one after the other. */
static bool ask_server(const char *address, struct buffer *answer)
{
    char problem[SERVER_WORD_PROBLEM_BYTES];
    bool local = false;

    if (!server_word_ask(address, "conf", answer, &local, problem))
        return fail(address, problem);
    if (!local)
        return fail(address, "it runs on another machine: run this command there, or give its data "
                             "directory");
    buffer_u8(answer, '\n');
    if (!server_word_ask(address, "srvr", answer, &local, problem))
        return fail(address, problem);
    return true;
}

static bool find_server(const char *address, struct place *place)
{
    struct buffer answer;
    char *zxid = NULL;

    buffer_init(&answer);
    bool good = ask_server(address, &answer);
    if (good) {
        place->data = line_value(&answer, "dataDir=");
        place->log = line_value(&answer, "dataLogDir=");
        zxid = line_value(&answer, "Zxid: ");
    }
    buffer_deinit(&answer);
    if (good && (place->data == NULL || place->log == NULL))
        good = fail(address, "it does not answer conf (4lw.commands.whitelist); give its data "
                             "directory instead");
    else if (good && zxid == NULL)
        good = fail(address, "it does not answer srvr with a zxid: it serves nobody, or "
                             "4lw.commands.whitelist does not allow it; give its data directory "
                             "instead");
    else if (good && !tool_zxid_parse(zxid, &place->target_zxid))
        good = fail(address, "srvr has no zxid that can be read");
    else if (good && !is_directory(place->data))
        good = fail(place->data, "the server's data directory is not there for this process");
    mem_free(zxid);
    place->has_target = good;
    return good;
}

/* False: said. */
static bool find_place(const struct tool_words *words, struct place *place)
{
    const char *word = words->words[0];

    *place = (struct place){0};
    if (is_directory(word)) {
        place->data = tool_data_folder(word);
        place->log = tool_data_folder(words->log_dir == NULL ? word : words->log_dir);
        return true;
    }
    if (strchr(word, '/') != NULL || !server_word_is_address(word))
        return fail(word, "no such directory, and not an address");
    if (words->log_dir != NULL)
        return fail("--log-dir", "only for a directory: a running server says where its logs are");
    return find_server(word, place);
}

static void free_place(struct place *place)
{
    mem_free(place->data);
    mem_free(place->log);
}

/* --- the copy --- */

static void pause_briefly(void)
{
    const struct timespec time = {.tv_nsec = PAUSE_MS * 1000000L};

    (void)nanosleep(&time, NULL);
}

static enum backup_copied attempt(const struct backup_source *source, struct tar_writer *writer,
                                  struct buffer *sums)
{
    enum backup_copied result = BACKUP_MOVED;
    char why[256] = "";

    for (int i = 0; i < ATTEMPTS_MAX && !tool_interrupted(); i++) {
        result = backup_copy(source, writer, sums, why);
        if (result == BACKUP_COPIED || result == BACKUP_FAILED)
            return result;
        pause_briefly();
    }
    if (!tool_interrupted() && why[0] != '\0')
        fprintf(stderr, "paddock: %s: no consistent copy: %s\n", source->data, why);
    return result;
}

static bool add_manifest(struct tar_writer *writer, const char *from, const struct buffer *sums,
                         const struct backup_state *state)
{
    struct buffer text;
    char sum[TAR_SUM_BYTES];

    buffer_init(&text);
    backup_manifest_begin(&text, from, state);
    buffer_append(&text, buffer_slice(sums));
    tar_member_begin(writer, BACKUP_MANIFEST);
    bool good = tar_member_write(writer, text.data, text.size) && tar_member_end(writer, sum) &&
                tar_end(writer);
    buffer_deinit(&text);
    return good;
}

/* What was written, read back: is it a history? TOOL_FOUND: it is not; state->problem. */
static int check(const struct tool_output *output, struct backup_state *state)
{
    struct tar_archive archive;
    uint64_t offset;

    enum status status = tar_archive_open(&archive, output->partial, BACKUP_FOLDER, &offset);
    if (status != STATUS_OK && status != STATUS_CORRUPT) {
        (void)fail(output->partial, status_text(status));
        return TOOL_FAILED;
    }
    if (status == STATUS_OK)
        status = backup_check_files(&archive.disk, state, "checking", archive.end);
    else
        snprintf(state->problem, sizeof(state->problem), "what was written reads differently");
    tar_archive_close(&archive);
    if (status == STATUS_OK)
        return TOOL_DONE;
    if (status == STATUS_CORRUPT)
        return TOOL_FOUND;
    if (status != STATUS_END)
        (void)fail(output->partial, status_text(status));
    return status == STATUS_END ? TOOL_INTERRUPTED : TOOL_FAILED;
}

/* Until a copy is a history. One that is not may be of files that were just being replaced. */
static int copy_and_check(const struct backup_source *source, struct tar_writer *writer,
                          struct buffer *sums, struct backup_state *ret_state)
{
    for (int i = 1;; i++) {
        enum backup_copied copied = attempt(source, writer, sums);
        if (copied == BACKUP_DAMAGED)
            return TOOL_FOUND;
        if (copied != BACKUP_COPIED || !tar_end(writer))
            return TOOL_FAILED;
        int code = check(writer->output, ret_state);
        if (code != TOOL_FOUND)
            return code;
        if (i == CHECKS_MAX || tool_interrupted()) {
            (void)fail("no consistent copy", ret_state->problem);
            return code;
        }
        pause_briefly();
    }
}

static int write_backup(const struct backup_source *source, struct tool_output *output,
                        const char *from, struct backup_state *ret_state)
{
    struct tar_writer writer;
    struct buffer sums;

    tar_writer_init(&writer, output);
    buffer_init(&sums);
    int code = copy_and_check(source, &writer, &sums, ret_state);
    if (code == TOOL_DONE && !add_manifest(&writer, from, &sums, ret_state))
        code = TOOL_FAILED;
    buffer_deinit(&sums);
    tar_writer_deinit(&writer);
    return tool_interrupted() ? TOOL_INTERRUPTED : code;
}

/* Reads the finished file once more, as a restore does, before it gets its name. */
static int read_back(const struct tool_output *output)
{
    struct backup backup;
    int code = TOOL_DONE;

    if (backup_open(&backup, output->partial, &code))
        backup_close(&backup);
    return code;
}

static int make(const struct tool_words *words, const struct place *place)
{
    const char *path = words->words[1];
    struct backup_source source = {.data = place->data,
                                   .log = place->log,
                                   .snapshots = words->snapshots,
                                   .has_target = place->has_target,
                                   .target_zxid = place->target_zxid};
    struct backup_state state = {0};
    struct tool_output output;

    tool_interrupt_watch();
    if (!tool_output_open(&output, path, words->overwrite))
        return TOOL_FAILED;
    int code = write_backup(&source, &output, words->words[0], &state);
    if (code == TOOL_DONE)
        code = read_back(&output);
    if (code != TOOL_DONE) {
        tool_output_discard(&output);
        fprintf(stderr, "paddock: %s: no backup was made\n", path);
        return code;
    }
    if (!tool_output_finish(&output, words->overwrite))
        return TOOL_FAILED;
    printf("%s: the state at zxid 0x%" PRIx64 "; earlier ones back to 0x%" PRIx64
           " can be restored\n",
           path, (uint64_t)state.zxid, (uint64_t)state.oldest_zxid);
    return tool_flush() ? TOOL_DONE : TOOL_FAILED;
}

int backup_command_main(int argc, char **argv)
{
    struct tool_words words;
    struct place place;
    int code;

    if (!tool_words_parse(&syntax, argc, argv, &words, &code))
        return code;
    code = find_place(&words, &place) ? make(&words, &place) : TOOL_FAILED;
    free_place(&place);
    tool_words_deinit(&words);
    return code;
}
