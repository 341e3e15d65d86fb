/* io.c: connecting, sending and receiving. A thread that sends sets `sending_now`, and then no
 * other thread closes the socket; only one thread reads, connects and closes. */
#include "capi/io.h"

#include "capi/resolve.h"
#include "client/input.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

enum { PROBE_WAIT_MS = 200, RECEIVES_IN_A_ROW = 4 };

/* The log's callback is the program's, so the lock is let go for it, too. */
static void lose(zhandle_t *zh, const char *what, int error)
{
    handle_unlock(zh);
    LOG_ERROR(LOGCALLBACK(zh), "%s: %s", what, strerror(error));
    handle_lock(zh);
    client_lost(&zh->client, CLIENT_CONNECTION_LOST, handle_now_ms());
}

static int open_socket(const struct client_address *address, bool *ret_connecting)
{
    struct sockaddr_storage to = {0};
    int yes = 1;

    memcpy(&to, address->bytes, address->size);
    int fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    *ret_connecting = false;
    if (connect(fd, (struct sockaddr *)&to, (socklen_t)address->size) == 0)
        return fd;
    *ret_connecting = true;
    if (errno == EINPROGRESS)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static void start_connection(zhandle_t *zh, const struct client_address *address)
{
    zh->fd = open_socket(address, &zh->connecting);
    if (zh->fd < 0)
        lose(zh, "cannot connect", errno);
    else if (!zh->connecting)
        client_connected(&zh->client, handle_now_ms());
}

static void finish_connection(zhandle_t *zh)
{
    int error = 0;
    socklen_t size = sizeof(error);

    zh->connecting = false;
    if (getsockopt(zh->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        error = errno;
    if (error != 0)
        lose(zh, "cannot connect", error);
    else
        client_connected(&zh->client, handle_now_ms());
}

static void disconnect(zhandle_t *zh)
{
    if (zh->client.last_error == CLIENT_NO_MEMORY) {
        handle_unlock(zh);
        LOG_ERROR(LOGCALLBACK(zh), "out of memory: the connection is closed, and made again");
        handle_lock(zh);
    }
    zh->wants_to_disconnect = true;
    while (zh->sending_now)
        pthread_cond_wait(&zh->changed, &zh->mutex);
    zh->wants_to_disconnect = false;
    if (zh->fd >= 0)
        close(zh->fd);
    zh->fd = -1;
    zh->connecting = zh->send_blocked = false;
    zh->sending.size = zh->sent = 0;
}

/* The names may have other addresses now; the list itself may be another one when this is done. */
static void resolve(zhandle_t *zh)
{
    struct client_address *items = NULL;
    uint32_t count = 0;
    unsigned version = zh->hosts_version;
    size_t size = strlen(zh->hosts);
    char *hosts = mem_try_alloc(size + 1);
    int error = ENOMEM;

    if (hosts != NULL) {
        memcpy(hosts, zh->hosts, size + 1);
        handle_unlock(zh);
        error = resolve_hosts(slice_of(hosts, size), &items, &count);
        if (error != 0)
            LOG_WARN(LOGCALLBACK(zh), "cannot resolve %s: %s", hosts, strerror(error));
        handle_lock(zh);
        mem_free(hosts);
    }
    zh->resolved_at_ms = handle_now_ms();
    if (version != zh->hosts_version) {
        if (error == 0)
            mem_free(items);
    } else if (error == 0) {
        client_set_servers(&zh->client, items, count, zh->resolved_at_ms);
    } else {
        client_not_resolved(&zh->client, zh->resolved_at_ms);
    }
}

static bool wait_for(int fd, short events)
{
    struct pollfd poll_fd = {.fd = fd, .events = events};

    return poll(&poll_fd, 1, PROBE_WAIT_MS) == 1;
}

/* The word isro: "rw" says that the server takes writes. */
static bool ask_read_write(const struct client_address *address)
{
    bool connecting = false;
    char answer[3] = "";
    int fd = open_socket(address, &connecting);

    if (fd < 0)
        return false;
    bool read_write = (!connecting || wait_for(fd, POLLOUT)) &&
                      send(fd, "isro", 4, MSG_NOSIGNAL) == 4 && wait_for(fd, POLLIN) &&
                      recv(fd, answer, 2, MSG_WAITALL) == 2 && memcmp(answer, "rw", 2) == 0;
    close(fd);
    return read_write;
}

static void probe(zhandle_t *zh, struct client_address address)
{
    handle_unlock(zh);
    bool read_write = ask_read_write(&address);
    handle_lock(zh);
    client_probed(&zh->client, read_write, handle_now_ms());
}

/* While connected, names are looked at again now and then: 0 is "always", and that is each ping. */
static int64_t resolve_again(zhandle_t *zh, int64_t now_ms)
{
    int64_t delay_ms =
        zh->resolution_delay_ms > 0 ? zh->resolution_delay_ms : zh->client.timeout_ms / 3;

    if (zh->resolution_delay_ms == -1 || !client_has_session(&zh->client))
        return INT64_MAX;
    if (now_ms >= zh->resolved_at_ms + delay_ms)
        resolve(zh);
    return zh->resolved_at_ms + delay_ms;
}

int64_t io_run(zhandle_t *zh)
{
    struct client_step step;
    int64_t again_ms = resolve_again(zh, handle_now_ms());

    for (;;) {
        client_step(&zh->client, handle_now_ms(), &step);
        switch (step.action) {
        case CLIENT_RESOLVE:
            resolve(zh);
            break;
        case CLIENT_CONNECT:
            start_connection(zh, step.address);
            break;
        case CLIENT_DISCONNECT:
            disconnect(zh);
            break;
        case CLIENT_PROBE:
            probe(zh, *step.address);
            break;
        case CLIENT_WAIT:
        default:
            return step.wake_at_ms < again_ms ? step.wake_at_ms : again_ms;
        }
    }
}

/* False: nothing more can be sent now. */
static bool send_once(zhandle_t *zh)
{
    if (zh->sent == zh->sending.size) {
        zh->sent = zh->sending.size = 0;
        if (!client_take_output(&zh->client, &zh->sending))
            return false;
    }
    const uint8_t *from = zh->sending.data + zh->sent;
    size_t size = zh->sending.size - zh->sent;
    int fd = zh->fd;
    handle_unlock(zh);
    int64_t now_ms = handle_now_ms();
    ssize_t gone = send(fd, from, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    int error = errno;
    handle_lock(zh);
    if (gone >= 0) {
        zh->sent += (size_t)gone;
        client_sent(&zh->client, now_ms);
        return true;
    }
    if (error == EINTR)
        return true;
    if (error == EAGAIN || error == EWOULDBLOCK)
        zh->send_blocked = true;
    else
        lose(zh, "cannot send", error);
    return false;
}

void io_send(zhandle_t *zh)
{
    if (zh->sending_now || zh->send_blocked || zh->fd < 0 || zh->connecting)
        return;
    zh->sending_now = true;
    while (zh->client.link == CLIENT_LINK_OPEN && send_once(zh))
        ;
    zh->sending_now = false;
    if (zh->wants_to_disconnect)
        pthread_cond_broadcast(&zh->changed);
}

/* False: that was all. *ret_nothing is set when nothing was there. */
static bool receive_once(zhandle_t *zh, bool *ret_nothing)
{
    int fd = zh->fd;

    handle_unlock(zh);
    ssize_t size = recv(fd, zh->received, HANDLE_RECEIVE_BYTES, MSG_DONTWAIT);
    int error = errno;
    int64_t now_ms = handle_now_ms();
    handle_lock(zh);
    if (size > 0) {
        client_received(&zh->client, slice_of(zh->received, (size_t)size), now_ms);
        handle_show(zh);
        return size == HANDLE_RECEIVE_BYTES;
    }
    if (size == 0)
        lose(zh, "the server has closed the connection", ECONNRESET);
    else if (error != EAGAIN && error != EWOULDBLOCK && error != EINTR)
        lose(zh, "cannot receive", error);
    else
        *ret_nothing = true;
    return false;
}

bool io_receive(zhandle_t *zh)
{
    bool nothing = false;
    int count = 0;

    if (zh->fd < 0)
        return false;
    if (zh->connecting) {
        finish_connection(zh);
        return true;
    }
    zh->send_blocked = false;
    while (count < RECEIVES_IN_A_ROW && zh->client.link == CLIENT_LINK_OPEN) {
        count++;
        if (!receive_once(zh, &nothing))
            break;
    }
    return count > 1 || (count == 1 && !nothing);
}

short io_events(const zhandle_t *zh)
{
    if (zh->fd < 0)
        return 0;
    if (zh->connecting)
        return POLLOUT;
    return zh->send_blocked ? POLLIN | POLLOUT : POLLIN;
}
