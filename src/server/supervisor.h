/* supervisor.h: what the daemon reports to the service manager (systemd): that it serves, its
 * status, that it ends, and that its loop is still running. */
#ifndef SERVER_SUPERVISOR_H
#define SERVER_SUPERVISOR_H

#include "io/notify.h"

#include <uv.h>

struct supervisor {
    struct notify notify;
    uv_timer_t pulse;
};

void supervisor_open(struct supervisor *supervisor, uv_loop_t *loop); /* from the environment */
/* Reports that clients are accepted. From now on the loop feeds the watchdog, if there is one. */
void supervisor_ready(struct supervisor *supervisor);
void supervisor_stopping(struct supervisor *supervisor);
/* One line for people, seen in `systemctl status`. */
void supervisor_status(const struct supervisor *supervisor, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void supervisor_close(struct supervisor *supervisor); /* the loop closes the timer */

#endif
