/* server_kind.h: is the server Paddock? Java's servers end a session that sends an unknown
 * operation, so Paddock's own operations may be sent to Paddock only. */
#ifndef SHELL_SERVER_KIND_H
#define SHELL_SERVER_KIND_H

#include <stdbool.h>
#include <sys/socket.h>

/* Asks the word srvr over a connection of its own. False also when the server does not answer it. */
bool server_is_paddock(const struct sockaddr *address, socklen_t size);

#endif
