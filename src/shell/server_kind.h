/* server_kind.h: is it one of ours? Java's servers end a session that asks for an operation they do not know, so
 * that one of ours alone may be asked for those that are ours alone. */
#ifndef SHELL_SERVER_KIND_H
#define SHELL_SERVER_KIND_H

#include <stdbool.h>
#include <sys/socket.h>

/* Asks the word srvr over a connection of its own. False also when the server does not answer it. */
bool server_is_paddock(const struct sockaddr *address, socklen_t size);

#endif
