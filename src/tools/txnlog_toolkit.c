/* txnlog_toolkit.c: a transaction log as text, record by record, so that a log of any size needs the
 * memory of one record. The input is only read. What cannot be read is told with its offset. */
#include "base/checksum.h"
#include "base/number.h"
#include "replica/store/txnlog_format.h"
#include "tools/java_options.h"
#include "tools/tool_host.h"
#include "tools/tools.h"
#include "tools/txn_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { EXIT_BAD = 1, EXIT_NOT_A_LOG = 2, EXIT_INTERRUPTED = 130, PAYLOAD_BYTES_MAX = 1 << 30 };
enum { CHOP, DUMP, HELP, RECOVER, VERBOSE, YES, ZXID };

static const struct java_option options[] = {
    [CHOP] = {"c", "chop", false},       [DUMP] = {"d", "dump", false},
    [HELP] = {"h", "help", false},       [RECOVER] = {"r", "recover", false},
    [VERBOSE] = {"v", "verbose", false}, [YES] = {"y", "yes", false},
    [ZXID] = {"z", "zxid", true},
};

static const char usage[] =
    "usage: TxnLogToolkit [-dhrvc] <txn_log_file_name> (-z <zxid>)\n"
    " -c,--chop         Chop mode. Chop txn file to a zxid.\n"
    " -d,--dump         Dump mode. Dump all entries of the log file with printing the content of a "
    "nodepath (default)\n"
    " -h,--help         Print help message\n"
    " -r,--recover      Recovery mode. Re-calculate CRC for broken entries.\n"
    " -v,--verbose      Be verbose in recovery mode: print all entries, not just fixed ones.\n"
    " -y,--yes          Non-interactive mode: repair all CRC errors without asking\n"
    " -z,--zxid <arg>   Used with chop. Zxid to which to chop.\n";

struct toolkit {
    const char *path;
    FILE *file, *target; /* target: of a recovery or a chop, else NULL */
    char *target_path;
    struct tool_output output; /* behind `target` */
    bool recover, verbose, yes, chop;
    int64_t zxid;
    uint64_t offset; /* of the record that is read next */
    int count, fixed;
    struct buffer payload, line;
    struct arena arena;
};

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

static int print_damage(const struct toolkit *toolkit, const char *what)
{
    fflush(stdout);
    fprintf(stderr, "%s: %s at offset %llu; %d transactions before it were read\n", toolkit->path,
            what, (unsigned long long)toolkit->offset, toolkit->count);
    return EXIT_BAD;
}

static int print_errno(const char *path)
{
    fflush(stdout);
    fprintf(stderr, "%s: %s\n", path, strerror(errno));
    return EXIT_BAD;
}

static bool read_all(struct toolkit *toolkit, void *bytes, size_t size)
{
    return fread(bytes, 1, size, toolkit->file) == size;
}

/* STATUS_END: no more records, whatever the reason (zeros, the end of the file inside a record).
 * STATUS_MALFORMED: a length that no record has. */
static enum status read_record(struct toolkit *toolkit, uint64_t *ret_checksum)
{
    uint8_t head[TXNLOG_RECORD_HEAD_BYTES];

    if (!read_all(toolkit, head, sizeof(head)))
        return ferror(toolkit->file) ? STATUS_IO : STATUS_END;
    *ret_checksum = load_be64(head);
    int32_t size = (int32_t)load_be32(head + 8);
    if (size == 0)
        return STATUS_END;
    if (size < 0 || size > PAYLOAD_BYTES_MAX)
        return STATUS_MALFORMED;
    toolkit->payload.size = 0;
    if (!buffer_try_reserve(&toolkit->payload, (size_t)size))
        return STATUS_MALFORMED;
    if (!read_all(toolkit, buffer_extend(&toolkit->payload, (size_t)size), (size_t)size))
        return ferror(toolkit->file) ? STATUS_IO : STATUS_END;
    return STATUS_OK;
}

/* The text of the record that was read last, printed with `before`. */
static bool print_record(struct toolkit *toolkit, const char *before)
{
    toolkit->line.size = 0;
    arena_reset(&toolkit->arena);
    if (txn_text_put(&toolkit->line, buffer_slice(&toolkit->payload), &toolkit->arena) != STATUS_OK)
        return false;
    fputs(before, stdout);
    fwrite(toolkit->line.data, 1, toolkit->line.size, stdout);
    fputc('\n', stdout);
    return true;
}

static bool write_record(struct toolkit *toolkit, uint64_t checksum)
{
    uint8_t head[TXNLOG_RECORD_HEAD_BYTES];

    store_be64(head, checksum);
    store_be32(head + 8, (uint32_t)toolkit->payload.size);
    return fwrite(head, 1, sizeof(head), toolkit->target) == sizeof(head) &&
           fwrite(toolkit->payload.data, 1, toolkit->payload.size, toolkit->target) ==
               toolkit->payload.size &&
           fputc(TXNLOG_RECORD_END, toolkit->target) != EOF;
}

/* 'y', 'n' or 'a', asked until one of them comes. At the end of the input, and when interrupted: 'a'. */
static char ask(void)
{
    char line[256];

    for (;;) {
        fputs("Would you like to fix it (Yes/No/Abort) ? ", stdout);
        fflush(stdout);
        if (!tool_wait_for_input() || fgets(line, sizeof(line), stdin) == NULL)
            return 'a';
        char answer = line[0] >= 'A' && line[0] <= 'Z' ? (char)(line[0] + ('a' - 'A')) : line[0];
        if (answer == 'y' || answer == 'n' || answer == 'a')
            return answer;
    }
}

enum verdict { GO_ON, STOP_UNREADABLE, STOP_ABORTED };

static enum verdict treat_wrong_checksum(struct toolkit *toolkit, uint64_t right,
                                         uint64_t *checksum)
{
    if (!toolkit->recover)
        return print_record(toolkit, "CRC ERROR - ") ? GO_ON : STOP_UNREADABLE;
    if (!print_record(toolkit, toolkit->yes ? "CRC FIXED - " : "CRC ERROR - "))
        return STOP_UNREADABLE;
    char answer = toolkit->yes ? 'y' : ask();
    if (answer == 'a')
        return STOP_ABORTED;
    if (answer == 'y') {
        *checksum = right;
        toolkit->fixed++;
    }
    return GO_ON;
}

/* No further record was read: why. */
static int end_reading(const struct toolkit *toolkit, enum status status)
{
    if (tool_interrupted())
        return EXIT_INTERRUPTED;
    if (status == STATUS_IO)
        return print_errno(toolkit->path);
    if (status == STATUS_MALFORMED)
        return print_damage(toolkit, "a record with an impossible length");
    printf("EOF reached after %d txns.\n", toolkit->count);
    return 0;
}

/* *ret_whole: false when somebody ended it. */
static int dump(struct toolkit *toolkit, bool *ret_whole)
{
    enum status status = STATUS_OK;
    uint64_t checksum;

    *ret_whole = true;
    while (!tool_interrupted() && (status = read_record(toolkit, &checksum)) == STATUS_OK) {
        uint64_t right = adler32_add(1, buffer_slice(&toolkit->payload));
        enum verdict verdict =
            checksum == right ? GO_ON : treat_wrong_checksum(toolkit, right, &checksum);
        if (verdict == STOP_ABORTED) {
            fflush(stdout);
            fputs("Recovery aborted.\n", stderr);
            *ret_whole = false;
            return tool_interrupted() ? EXIT_INTERRUPTED : feof(stdin) ? EXIT_BAD : 0;
        }
        if (verdict == STOP_UNREADABLE ||
            ((!toolkit->recover || toolkit->verbose) && !print_record(toolkit, "")))
            return print_damage(toolkit, "a record that is no transaction");
        int end = fgetc(toolkit->file);
        if (end == EOF) /* the file ends here, as after a crash */
            break;
        if (end != TXNLOG_RECORD_END) {
            fflush(stdout);
            fputs("Last transaction was partial.\n", stderr);
            return EXIT_BAD;
        }
        if (toolkit->target != NULL && !write_record(toolkit, checksum))
            return print_errno(toolkit->target_path);
        toolkit->count++;
        toolkit->offset += TXNLOG_RECORD_HEAD_BYTES + toolkit->payload.size + 1;
    }
    return end_reading(toolkit, status);
}

/* Copies up to the record with the zxid, which is the last one of the copy. *ret_whole: false: the log has
 * no such record. */
static int chop(struct toolkit *toolkit, bool *ret_whole)
{
    enum status status = STATUS_OK;
    uint64_t checksum;

    *ret_whole = true;
    while (!tool_interrupted() && (status = read_record(toolkit, &checksum)) == STATUS_OK) {
        if (toolkit->payload.size < TXNLOG_PAYLOAD_BYTES_MIN ||
            checksum != adler32_add(1, buffer_slice(&toolkit->payload)))
            return print_damage(toolkit, "a record with a wrong checksum");
        if (fgetc(toolkit->file) != TXNLOG_RECORD_END)
            return print_damage(toolkit, "a record without its end mark");
        if (!write_record(toolkit, checksum))
            return print_errno(toolkit->target_path);
        toolkit->count++;
        toolkit->offset += TXNLOG_RECORD_HEAD_BYTES + toolkit->payload.size + 1;
        if (txnlog_payload_zxid(buffer_slice(&toolkit->payload)) == toolkit->zxid) {
            printf("Chopping at %llx new log has %d records\n", (unsigned long long)toolkit->zxid,
                   toolkit->count);
            return 0;
        }
    }
    int code = end_reading(toolkit, status);
    if (code != 0)
        return code;
    *ret_whole = false;
    printf("Got exception: Failed to chop %s\n", base_name(toolkit->path));
    return 0;
}

/* A new file beside the log, under another name until it is whole. `exclusive`: one that is not there
 * yet. */
static bool open_target(struct toolkit *toolkit, const char *end, bool exclusive)
{
    toolkit->target_path = tool_join(toolkit->path, end, "");
    if (exclusive && access(toolkit->target_path, F_OK) == 0)
        return false;
    if (!tool_output_open(&toolkit->output, toolkit->target_path, !exclusive))
        return false;
    int fd = fcntl(toolkit->output.fd, F_DUPFD_CLOEXEC, 0);
    toolkit->target = fd < 0 ? NULL : fdopen(fd, "wb");
    if (toolkit->target == NULL)
        tool_output_discard(&toolkit->output);
    else
        tool_interrupt_watch();
    return toolkit->target != NULL;
}

/* The target is whole and on the disk, or it is removed. */
static int close_target(struct toolkit *toolkit, int code, bool whole)
{
    if (code == 0 && whole && fflush(toolkit->target) != 0)
        code = print_errno(toolkit->target_path);
    fclose(toolkit->target);
    if (code != 0 || !whole)
        tool_output_discard(&toolkit->output);
    else if (!tool_output_finish(&toolkit->output, /* overwrite= */ !toolkit->recover))
        code = EXIT_BAD;
    else if (toolkit->recover)
        printf("Recovery file %s has been written with %d fixed CRC error(s)\n",
               toolkit->target_path, toolkit->fixed);
    mem_free(toolkit->target_path);
    return code;
}

static int run(struct toolkit *toolkit)
{
    uint8_t header[TXNLOG_HEADER_BYTES];
    bool whole = true;
    char end[40] = ".fixed";

    if (!read_all(toolkit, header, sizeof(header)) || load_be32(header) != TXNLOG_MAGIC) {
        fprintf(stderr, "Invalid magic number for %s\n", base_name(toolkit->path));
        return EXIT_NOT_A_LOG;
    }
    toolkit->offset = sizeof(header);
    if (toolkit->chop)
        snprintf(end, sizeof(end), ".chopped%lld", (long long)toolkit->zxid);
    if ((toolkit->chop || toolkit->recover) && !open_target(toolkit, end, toolkit->recover)) {
        fprintf(stderr, "%s %s already exists or not writable\n",
                toolkit->chop ? "File" : "Recovery file", toolkit->target_path);
        mem_free(toolkit->target_path);
        return EXIT_BAD;
    }
    printf("ZooKeeper Transactional Log File with dbid %lld txnlog format version %d\n",
           (long long)load_be64(header + 8), (int)load_be32(header + 4));
    if (toolkit->target != NULL)
        fwrite(header, 1, sizeof(header), toolkit->target);
    int code = toolkit->chop ? chop(toolkit, &whole) : dump(toolkit, &whole);
    return toolkit->target == NULL ? code : close_target(toolkit, code, whole);
}

/* As Java's Long.decode(): a sign, then 0x, #, or a leading 0 for octal. */
static bool parse_zxid(const char *text, int64_t *ret_zxid)
{
    const char *digits = text + (text[0] == '-' || text[0] == '+');
    unsigned base = 10;

    if (digits[0] == '#' || (digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X'))) {
        digits += digits[0] == '#' ? 1 : 2;
        base = 16;
    } else if (digits[0] == '0' && digits[1] != '\0') {
        digits++;
        base = 8;
    }
    if (digits[0] == '-' || digits[0] == '+' || !number_parse(slice_text(digits), base, ret_zxid))
        return false;
    if (text[0] == '-')
        *ret_zxid = -*ret_zxid;
    return true;
}

static int open_and_run(struct toolkit *toolkit)
{
    toolkit->file = fopen(toolkit->path, "rbe");
    if (toolkit->file == NULL || fseek(toolkit->file, 0, SEEK_SET) != 0) {
        fprintf(stderr, "File doesn't exist or not readable: %s\n", toolkit->path);
        if (toolkit->file != NULL)
            fclose(toolkit->file);
        return EXIT_BAD;
    }
    buffer_init(&toolkit->payload);
    buffer_init(&toolkit->line);
    arena_init(&toolkit->arena);
    int code = run(toolkit);
    if (fflush(stdout) != 0)
        code = print_errno("standard output");
    arena_deinit(&toolkit->arena);
    buffer_deinit(&toolkit->line);
    buffer_deinit(&toolkit->payload);
    fclose(toolkit->file);
    return code;
}

int txnlog_toolkit_main(int argc, char **argv)
{
    struct java_words words;
    struct toolkit toolkit = {0};
    int code = EXIT_BAD;

    if (!java_options_parse(options, ARRAY_LEN(options), (const char *const *)argv + 1, argc - 1,
                            &words)) {
        fprintf(stderr, "%s\n\n", words.problem);
        fputs(usage, stdout);
    } else if (words.given[HELP] || words.word_count == 0) {
        fputs(usage, stdout);
        code = words.given[HELP] ? 0 : EXIT_BAD;
    } else if (words.value[ZXID] != NULL && !parse_zxid(words.value[ZXID], &toolkit.zxid)) {
        fprintf(stderr, "-z takes a zxid. For input string: \"%s\"\n", words.value[ZXID]);
    } else {
        toolkit.path = words.words[0];
        toolkit.chop = words.given[CHOP] && words.given[ZXID];
        toolkit.recover = words.given[RECOVER] && !toolkit.chop;
        toolkit.verbose = words.given[VERBOSE];
        toolkit.yes = words.given[YES];
        code = open_and_run(&toolkit);
    }
    java_words_deinit(&words);
    return code;
}
