/* supervisor.c: the daemon's reports to its service manager. A timer of the event loop feeds the
 * watchdog, so a loop that hangs does not, whatever the other threads do. */
#include "server/supervisor.h"

#include "io/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { US_PER_MS = 1000, STATUS_BYTES_MAX = 256 };

void supervisor_open(struct supervisor *supervisor, uv_loop_t *loop)
{
    enum status status = notify_open(&supervisor->notify, getenv("NOTIFY_SOCKET"),
                                     getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"));

    if (status != STATUS_OK)
        log_warn("main",
                 "nothing is reported to the service manager: NOTIFY_SOCKET, WATCHDOG_USEC or "
                 "WATCHDOG_PID cannot be used: %s",
                 status_text(status));
    uv_timer_init(loop, &supervisor->pulse);
    supervisor->pulse.data = supervisor;
}

static void on_pulse(uv_timer_t *timer)
{
    const struct supervisor *supervisor = timer->data;

    notify_alive(&supervisor->notify);
}

void supervisor_ready(struct supervisor *supervisor)
{
    uint64_t half_ms = supervisor->notify.watchdog_us / 2 / US_PER_MS;

    notify_state(&supervisor->notify, "READY=1");
    if (supervisor->notify.watchdog_us > 0) {
        half_ms = half_ms == 0 ? 1 : half_ms;
        uv_timer_start(&supervisor->pulse, on_pulse, half_ms, half_ms);
    }
}

void supervisor_stopping(struct supervisor *supervisor)
{
    notify_state(&supervisor->notify, "STOPPING=1");
}

void supervisor_status(const struct supervisor *supervisor, const char *format, ...)
{
    char text[STATUS_BYTES_MAX] = "STATUS=";
    size_t used = sizeof("STATUS=") - 1;
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text + used, sizeof(text) - used, format, args);
    va_end(args);
    notify_state(&supervisor->notify, text);
}

void supervisor_close(struct supervisor *supervisor)
{
    notify_close(&supervisor->notify);
}
