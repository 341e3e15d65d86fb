/* snapshot_command.c: `paddock snapshot WORD ...`: finds the sub-command. */
#include "tools/snapshot_command.h"

#include "tools/tool_words.h"
#include "tools/tools.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int (*main)(int argc, char **argv);
    const char *purpose;
} commands[] = {
    {"dump", snapshot_dump_main, "prints znodes and sessions, as text or as JSON"},
    {"verify", snapshot_verify_main, "reads everything; says what is damaged"},
    {"stats", snapshot_stats_main, "the largest znodes, the most children, who owns ephemerals"},
    {"compare", snapshot_compare_main, "how two snapshots differ"},
};

static void print_usage(FILE *out)
{
    fputs("usage: paddock snapshot COMMAND ...    each has --help\n", out);
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].purpose);
}

int snapshot_command_main(int argc, char **argv)
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
    fprintf(stderr, "paddock snapshot: %s%s\n",
            name[0] == '\0' ? "a command is missing" : "no such command: ", name);
    print_usage(stderr);
    return TOOL_USAGE;
}
