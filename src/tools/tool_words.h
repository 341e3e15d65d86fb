/* tool_words.h: the arguments of `paddock log`, `snapshot`, `backup` and `restore`: sub-commands,
 * options and files. A sub-command says which options it accepts; any other is an error. An option
 * may stand anywhere, its value as the next word or after "=". */
#ifndef TOOLS_TOOL_WORDS_H
#define TOOLS_TOOL_WORDS_H

#include "tools/java_options.h"
#include "tools/tool_filter.h"

enum {
    TOOL_DONE = 0,
    TOOL_FOUND = 1,  /* damage, or a difference */
    TOOL_USAGE = 2,  /* wrong options or arguments */
    TOOL_FAILED = 3, /* it could not be done */
    TOOL_INTERRUPTED = 130
};

enum tool_option {
    TOOL_JSON = 1 << 0,
    TOOL_DATA = 1 << 1,
    TOOL_FILTERS = 1 << 2, /* --path, --prefix, --session, --zxid */
    TOOL_TOP = 1 << 3,
    TOOL_YES = 1 << 4,
    TOOL_OUTPUT = 1 << 5,
    TOOL_IN_PLACE = 1 << 6,
    TOOL_LOG_DIR = 1 << 7,
    TOOL_OVERWRITE = 1 << 8,
    TOOL_SNAPSHOTS = 1 << 9,
    TOOL_CHECK = 1 << 10,
    TOOL_AT_ZXID = 1 << 11, /* --zxid with one number */
};

struct tool_syntax {
    const char *name;  /* "log dump" */
    const char *usage; /* the whole text */
    unsigned options;  /* of enum tool_option */
    int words_min, words_max;
};

struct tool_words {
    bool json, data, yes, in_place, overwrite, check;
    const char *output, *log_dir; /* NULL: not given */
    uint32_t top, snapshots;
    bool has_at_zxid;
    int64_t at_zxid;
    struct tool_filter filter;
    const char **words;
    int word_count;
    struct java_words parsed; /* owns `words` */
};

/* argv[0] is the sub-command. False: usage or help has been printed; exit with *ret_code. Free with
 * tool_words_deinit() when true. */
MUST_USE bool tool_words_parse(const struct tool_syntax *syntax, int argc, char **argv,
                               struct tool_words *ret_words, int *ret_code);
void tool_words_deinit(struct tool_words *words);

/* Says what is wrong, then the usage, on stderr: TOOL_USAGE. */
int tool_usage(const struct tool_syntax *syntax, const char *problem, const char *word);

struct tool_command {
    const char *name;
    int (*main)(int argc, char **argv); /* argv[0] is the name */
    const char *purpose;
};

/* `paddock GROUP NAME ...`: runs the command with this name and answers with its exit code. --help lists the
 * commands; without a known name, TOOL_USAGE and the list on stderr. argv[0] is the group. */
int tool_commands_main(const char *group, const struct tool_command *commands, size_t count,
                       int argc, char **argv);

#endif
