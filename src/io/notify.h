/* notify.h: what a process reports to the service manager that started it, as systemd's Type=notify
 * expects: each message is one datagram to the socket that the environment names. Without a manager
 * nothing is sent, and every call is allowed. */
#ifndef IO_NOTIFY_H
#define IO_NOTIFY_H

#include "base/base.h"

#include <sys/socket.h>
#include <sys/un.h>

struct notify {
    int fd; /* -1: nothing is reported */
    struct sockaddr_un address;
    socklen_t address_size;
    uint64_t watchdog_us; /* how often a sign of life is wanted at least; 0: not at all */
};

/* The values of the variables NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID; NULL where there is none.
 * STATUS_MALFORMED: the socket's name is neither a path nor "@" with a name, or is too long, or the time
 * is no number. STATUS_IO: no socket could be made. Then nothing is reported. */
MUST_USE enum status notify_open(struct notify *notify, const char *socket_name,
                                 const char *watchdog_us, const char *watchdog_pid);
/* A change of state: "READY=1". Waits a second at most for a manager that does not read. */
void notify_state(const struct notify *notify, const char *text);
/* A sign of life. Never waits. */
void notify_alive(const struct notify *notify);
void notify_close(struct notify *notify);

#endif
