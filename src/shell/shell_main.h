/* shell_main.h: `paddock cli`: ZooKeeper's shell. */
#ifndef SHELL_SHELL_MAIN_H
#define SHELL_SHELL_MAIN_H

/* As zkCli.sh: argv[0] is "cli". The exit code: that of the last command; 1: an error; 2: the client's
 * configuration cannot be read; 127: there is no such command. */
int shell_main(int argc, char **argv);

#endif
