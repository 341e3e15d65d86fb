/* snapshot_command.h: the sub-commands of `paddock snapshot`, one file each. argv[0] is the sub-command; the
 * answers are exit codes (tool_words.h). */
#ifndef TOOLS_SNAPSHOT_COMMAND_H
#define TOOLS_SNAPSHOT_COMMAND_H

int snapshot_dump_main(int argc, char **argv);
int snapshot_verify_main(int argc, char **argv);
int snapshot_stats_main(int argc, char **argv);
int snapshot_compare_main(int argc, char **argv);

#endif
