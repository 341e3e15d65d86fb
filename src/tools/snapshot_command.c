/* snapshot_command.c: `paddock snapshot WORD ...`: the sub-commands. A command is one row of this table. */
#include "tools/snapshot_command.h"

#include "tools/tool_words.h"
#include "tools/tools.h"

static const struct tool_command commands[] = {
    {"dump", snapshot_dump_main, "prints znodes and sessions, as text or as JSON"},
    {"verify", snapshot_verify_main, "reads everything; says what is damaged"},
    {"stats", snapshot_stats_main, "the largest znodes, the most children, who owns ephemerals"},
    {"compare", snapshot_compare_main, "how two snapshots differ"},
};

int snapshot_command_main(int argc, char **argv)
{
    return tool_commands_main("snapshot", commands, ARRAY_LEN(commands), argc, argv);
}
