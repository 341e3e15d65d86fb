/* log_command.c: `paddock log WORD ...`: the sub-commands. A command is one row of this table. */
#include "tools/log_command.h"

#include "tools/tool_words.h"
#include "tools/tools.h"

static const struct tool_command commands[] = {
    {"dump", log_dump_main, "prints transactions, as text or as JSON"},
    {"verify", log_verify_main, "reads everything; says what is damaged or missing"},
    {"stats", log_stats_main, "who writes what: sessions, paths, types"},
    {"compare", log_compare_main, "how two logs, or the logs of two directories, differ"},
    {"repair", log_repair_main, "cuts a torn tail off, after asking"},
};

int log_command_main(int argc, char **argv)
{
    return tool_commands_main("log", commands, ARRAY_LEN(commands), argc, argv);
}
