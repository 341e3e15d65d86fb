/* log_command.h: the sub-commands of `paddock log`, one file each. argv[0] is the sub-command; the answers are
 * exit codes (tool_words.h). */
#ifndef TOOLS_LOG_COMMAND_H
#define TOOLS_LOG_COMMAND_H

int log_dump_main(int argc, char **argv);
int log_verify_main(int argc, char **argv);
int log_stats_main(int argc, char **argv);
int log_compare_main(int argc, char **argv);
int log_repair_main(int argc, char **argv);

#endif
