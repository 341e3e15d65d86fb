/* daemon.h: `paddock server`: from the command line to a running server and back. */
#ifndef SERVER_DAEMON_H
#define SERVER_DAEMON_H

/* argv[0] is "server". Returns the exit status. */
int daemon_main(int argc, char **argv);
extern const char daemon_usage[];

#endif
