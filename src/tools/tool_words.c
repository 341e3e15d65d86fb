/* tool_words.c: finds a sub-command, and has one table of options for all offline commands, so that an option
 * has the same name and meaning in each. Nothing is guessed: what does not parse is named, and nothing is done. */
#include "tools/tool_words.h"

#include "base/number.h"

#include <stdio.h>
#include <string.h>

enum { TOP_DEFAULT = 10, TOP_MAX = 10000, SNAPSHOTS_DEFAULT = 3, SNAPSHOTS_MAX = 1000 };

enum value { PATH, PREFIX, SESSION, ZXID, NO_FILTER };

static const struct known {
    const char *name;
    unsigned option;
    bool takes_value;
    enum value value;
} known[] = {
    {"json", TOOL_JSON, false, NO_FILTER},
    {"data", TOOL_DATA, false, NO_FILTER},
    {"path", TOOL_FILTERS, true, PATH},
    {"prefix", TOOL_FILTERS, true, PREFIX},
    {"session", TOOL_FILTERS, true, SESSION},
    {"zxid", TOOL_FILTERS, true, ZXID},
    {"top", TOOL_TOP, true, NO_FILTER},
    {"yes", TOOL_YES, false, NO_FILTER},
    {"output", TOOL_OUTPUT, true, NO_FILTER},
    {"in-place", TOOL_IN_PLACE, false, NO_FILTER},
    {"log-dir", TOOL_LOG_DIR, true, NO_FILTER},
    {"overwrite", TOOL_OVERWRITE, false, NO_FILTER},
    {"snapshots", TOOL_SNAPSHOTS, true, NO_FILTER},
    {"check", TOOL_CHECK, false, NO_FILTER},
    {"zxid", TOOL_AT_ZXID, true, NO_FILTER},
};

int tool_usage(const struct tool_syntax *syntax, const char *problem, const char *word)
{
    fprintf(stderr, "paddock %s: %s%s%s\n%s", syntax->name, problem, word == NULL ? "" : " ",
            word == NULL ? "" : word, syntax->usage);
    return TOOL_USAGE;
}

static bool parse_count(const char *text, uint32_t max, uint32_t *ret_count)
{
    int64_t value;

    if (!number_parse(slice_text(text), 10, &value) || value < 1 || value > max)
        return false;
    *ret_count = (uint32_t)value;
    return true;
}

/* NULL, or what is wrong with the value. */
static const char *take_filter(struct tool_filter *filter, enum value kind, const char *value)
{
    bool path = kind == PATH || kind == PREFIX;

    if (path && filter->has_path)
        return "--path and --prefix: only one of them";
    if (path && !tool_filter_set_path(filter, slice_text(value), kind == PREFIX))
        return "a path begins with / and does not end with one:";
    if (kind == SESSION && !tool_session_parse(value, &filter->session))
        return "--session takes a session id, 0x... or decimal:";
    if (kind == ZXID && !tool_zxid_range_parse(value, &filter->zxid_first, &filter->zxid_last))
        return "--zxid takes a zxid or a range FIRST..LAST, 0x... or decimal:";
    filter->has_session |= kind == SESSION;
    return NULL;
}

static const char *take(struct tool_words *words, const struct known *option, const char *value)
{
    switch (option->option) {
    case TOOL_JSON:
        words->json = true;
        break;
    case TOOL_DATA:
        words->data = true;
        break;
    case TOOL_FILTERS:
        return take_filter(&words->filter, option->value, value);
    case TOOL_TOP:
        return parse_count(value, TOP_MAX, &words->top) ? NULL
                                                        : "--top takes a number from 1 to 10000:";
    case TOOL_YES:
        words->yes = true;
        break;
    case TOOL_OUTPUT:
        words->output = value;
        break;
    case TOOL_IN_PLACE:
        words->in_place = true;
        break;
    case TOOL_LOG_DIR:
        words->log_dir = value;
        break;
    case TOOL_OVERWRITE:
        words->overwrite = true;
        break;
    case TOOL_SNAPSHOTS:
        return parse_count(value, SNAPSHOTS_MAX, &words->snapshots)
                   ? NULL
                   : "--snapshots takes a number from 1 to 1000:";
    case TOOL_CHECK:
        words->check = true;
        break;
    default:
        words->has_at_zxid = tool_zxid_parse(value, &words->at_zxid);
        return words->has_at_zxid ? NULL : "--zxid takes a zxid, 0x... or decimal:";
    }
    return NULL;
}

static int take_all(const struct tool_syntax *syntax, const struct known *const *taken,
                    struct tool_words *words)
{
    for (int i = 0; i < words->parsed.given_count; i++) {
        int option = words->parsed.last[i];
        if (option == 0)
            continue; /* help */
        const char *value = words->parsed.value[option];
        const char *problem = take(words, taken[option], value);
        if (problem != NULL)
            return tool_usage(syntax, problem, value);
    }
    words->words = words->parsed.words;
    words->word_count = words->parsed.word_count;
    if (words->word_count < syntax->words_min)
        return tool_usage(syntax, "an argument is missing", NULL);
    if (words->word_count > syntax->words_max)
        return tool_usage(syntax, "one argument too many:", words->words[syntax->words_max]);
    return TOOL_DONE;
}

bool tool_words_parse(const struct tool_syntax *syntax, int argc, char **argv,
                      struct tool_words *ret_words, int *ret_code)
{
    struct java_option options[JAVA_OPTIONS_MAX] = {{"h", "help", false}};
    const struct known *taken[JAVA_OPTIONS_MAX] = {NULL};
    struct tool_words words = {.top = TOP_DEFAULT, .snapshots = SNAPSHOTS_DEFAULT};
    int count = 1;

    tool_filter_init(&words.filter);
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if ((known[i].option & syntax->options) == 0)
            continue;
        ASSERT(count < JAVA_OPTIONS_MAX);
        taken[count] = &known[i];
        options[count++] = (struct java_option){NULL, known[i].name, known[i].takes_value};
    }
    *ret_code = TOOL_DONE;
    if (!java_options_parse(options, count, (const char *const *)argv + 1, argc - 1, &words.parsed))
        *ret_code = tool_usage(syntax, words.parsed.problem, NULL);
    else if (words.parsed.given[0])
        fputs(syntax->usage, stdout);
    else
        *ret_code = take_all(syntax, taken, &words);
    if (*ret_code != TOOL_DONE || words.parsed.given[0]) {
        tool_words_deinit(&words);
        return false;
    }
    *ret_words = words;
    return true;
}

void tool_words_deinit(struct tool_words *words)
{
    java_words_deinit(&words->parsed);
}

static void print_commands(FILE *out, const char *group, const struct tool_command *commands,
                           size_t count)
{
    fprintf(out, "usage: paddock %s COMMAND ...    each has --help\n", group);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].purpose);
}

int tool_commands_main(const char *group, const struct tool_command *commands, size_t count,
                       int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";

    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        print_commands(stdout, group, commands, count);
        return TOOL_DONE;
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, commands[i].name) == 0)
            return commands[i].main(argc - 1, argv + 1);
    }
    fprintf(stderr, "paddock %s: %s%s\n", group,
            name[0] == '\0' ? "a command is missing" : "no such command: ", name);
    print_commands(stderr, group, commands, count);
    return TOOL_USAGE;
}
