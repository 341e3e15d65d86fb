/* notify.c: the datagrams to a service manager. Nothing here fails for the caller: a server serves
 * even when its manager does not listen. The address is looked up for each datagram, because the
 * manager may have created its socket again.
 *
 * systemd's own library would be linked for nothing else. */
#include "io/notify.h"

#include "base/number.h"

#include <stddef.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { WAIT_S = 1 };

static bool read_address(struct notify *notify, const char *name)
{
    size_t size = strlen(name);

    if ((name[0] != '/' && name[0] != '@') || size < 2 || size >= sizeof(notify->address.sun_path))
        return false;
    notify->address.sun_family = AF_UNIX;
    memcpy(notify->address.sun_path, name, size);
    if (name[0] == '@')
        notify->address.sun_path[0] = '\0'; /* a name that is in no directory */
    notify->address_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
    return true;
}

static bool read_number(const char *text, int64_t *ret_number)
{
    return number_parse(slice_text(text), 10, ret_number) && *ret_number > 0;
}

/* A watchdog that is meant for another process is none. */
static bool read_watchdog(struct notify *notify, const char *time_us, const char *pid)
{
    int64_t number;

    if (time_us == NULL)
        return true;
    if (pid != NULL) {
        if (!read_number(pid, &number))
            return false;
        if (number != (int64_t)getpid())
            return true;
    }
    if (!read_number(time_us, &number))
        return false;
    notify->watchdog_us = (uint64_t)number;
    return true;
}

enum status notify_open(struct notify *notify, const char *socket_name, const char *watchdog_us,
                        const char *watchdog_pid)
{
    const struct timeval wait = {.tv_sec = WAIT_S};

    *notify = (struct notify){.fd = -1};
    if (socket_name == NULL || socket_name[0] == '\0')
        return STATUS_OK;
    if (!read_address(notify, socket_name) || !read_watchdog(notify, watchdog_us, watchdog_pid)) {
        notify->watchdog_us = 0;
        return STATUS_MALFORMED;
    }
    notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (notify->fd < 0) {
        notify->watchdog_us = 0;
        return STATUS_IO;
    }
    (void)setsockopt(notify->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
    return STATUS_OK;
}

static void tell(const struct notify *notify, const char *text, int flags)
{
    if (notify->fd >= 0)
        (void)sendto(notify->fd, text, strlen(text), flags | MSG_NOSIGNAL,
                     (const struct sockaddr *)&notify->address, notify->address_size);
}

void notify_state(const struct notify *notify, const char *text)
{
    tell(notify, text, 0);
}

void notify_alive(const struct notify *notify)
{
    tell(notify, "WATCHDOG=1", MSG_DONTWAIT);
}

void notify_close(struct notify *notify)
{
    if (notify->fd >= 0)
        close(notify->fd);
    *notify = (struct notify){.fd = -1};
}
