/* snapshot_verify.c: `paddock snapshot verify`: every byte is read and checked as a server does when it loads it. */
#include "tools/snapshot_command.h"
#include "tools/snapshot_input.h"
#include "tools/tool_host.h"
#include "tools/tool_words.h"

#include <inttypes.h>

static const struct tool_syntax verify_syntax = {
    "snapshot verify",
    "usage: paddock snapshot verify FILE|DIRECTORY...\n"
    "Reads every byte and compares the checksums.\n"
    "exit code: 0: whole; 1: damaged; 2: usage; 3: a file cannot be read\n",
    0,
    1,
    INT32_MAX,
};

static int verify(const struct tool_file *file)
{
    struct snapshot_info info;
    enum status status = snapshot_read_file(file, NULL, &info);

    if (status != STATUS_OK)
        return snapshot_exit_code(status);
    printf("%s: %" PRIu64 " znodes, %" PRIu64 " bytes", file->path, info.nodes, info.bytes);
    if (file->read.compression != STORE_PLAIN)
        printf(" (%" PRIu64 " in the file)", file->size_bytes);
    printf(", highest zxid in it 0x%" PRIx64, (uint64_t)info.node_zxid_max);
    if (info.has_digest)
        printf(", digest 0x%" PRIx64 " at 0x%" PRIx64, info.digest, (uint64_t)info.digest_zxid);
    fputc('\n', stdout);
    return TOOL_DONE;
}

int snapshot_verify_main(int argc, char **argv)
{
    struct tool_words words;
    struct tool_files files;
    int code;

    if (!tool_words_parse(&verify_syntax, argc, argv, &words, &code))
        return code;
    if (!tool_files_find(&files, STORE_FILE_SNAPSHOT, words.words, words.word_count))
        code = TOOL_FAILED;
    for (size_t i = 0; i < files.count && code != TOOL_FAILED; i++) {
        int one = verify(&files.files[i]);
        code = one > code ? one : code;
    }
    if (!tool_flush())
        code = TOOL_FAILED;
    tool_files_deinit(&files);
    tool_words_deinit(&words);
    return code;
}
