/* log_command.c: `paddock log WORD ...`: finds the sub-command. */
#include "tools/log_command.h"

#include "tools/tool_words.h"
#include "tools/tools.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int (*main)(int argc, char **argv);
    const char *purpose;
} commands[] = {
    {"dump", log_dump_main, "prints transactions, as text or as JSON"},
    {"verify", log_verify_main, "reads everything; says what is damaged or missing"},
    {"stats", log_stats_main, "who writes what: sessions, paths, types"},
    {"compare", log_compare_main, "how two logs, or the logs of two directories, differ"},
    {"repair", log_repair_main, "cuts a torn tail off, when told to"},
};

static void print_usage(FILE *out)
{
    fputs("usage: paddock log COMMAND ...    each has --help\n", out);
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].purpose);
}

int log_command_main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";

    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        print_usage(stdout);
        return TOOL_DONE;
    }
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (strcmp(name, commands[i].name) == 0)
            return commands[i].main(argc - 1, argv + 1);
    }
    fprintf(stderr, "paddock log: %s%s\n",
            name[0] == '\0' ? "a command is missing" : "no such command: ", name);
    print_usage(stderr);
    return TOOL_USAGE;
}
