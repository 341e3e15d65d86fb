/* service_socket.c: the socket, the clock and the look-up of names for the machine of a client.
 *
 * The machine says what is to be done (client_step()); it is told of everything that came of it. */
#include "shell/service_internal.h"

#include "base/array.h"
#include "client/input.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PROBE_WAIT_MS = 200 };

int64_t service_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void lose(struct service *connection, const char *problem)
{
    connection->problem = problem;
    client_lost(&connection->client, CLIENT_CONNECTION_LOST, service_now_ms());
}

/* --- what the machine asks for --- */

struct addresses {
    struct client_address *items;
    size_t count, capacity;
};

static void look_up(const struct server_name *name, struct addresses *found)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *first;
    char port[16];

    snprintf(port, sizeof(port), "%d", name->port);
    if (getaddrinfo(name->host, port, &hints, &first) != 0)
        return;
    for (const struct addrinfo *at = first; at != NULL; at = at->ai_next) {
        if (at->ai_addrlen > CLIENT_ADDRESS_BYTES_MAX)
            continue;
        found->items = ARRAY_RESERVE(found->items, found->capacity, found->count + 1, ARRAY_FIRST);
        struct client_address *address = &found->items[found->count++];
        *address = (struct client_address){.size = at->ai_addrlen};
        memcpy(address->bytes, at->ai_addr, at->ai_addrlen);
    }
    freeaddrinfo(first);
}

/* Once in each round: a name server may take long to say that it knows nothing. */
static void resolve(struct service *connection)
{
    struct client *client = &connection->client;
    struct addresses found = {0};

    if (connection->failed_attempts > 0 && client->servers.count > 0) {
        client_not_resolved(client, service_now_ms());
        return;
    }
    for (size_t i = 0; i < connection->servers.count; i++)
        look_up(&connection->servers.names[i], &found);
    if (found.count > 0) {
        client_set_servers(client, found.items, (uint32_t)found.count, service_now_ms());
        return;
    }
    connection->problem = "the name does not resolve";
    client_not_resolved(client, service_now_ms());
    if (client->servers.count == 0)
        connection->failed_rounds++;
}

static int open_socket(const struct client_address *address, bool *ret_connecting)
{
    struct sockaddr_storage to = {0};
    const int on = 1;

    memcpy(&to, address->bytes, address->size);
    int fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    *ret_connecting = connect(fd, (struct sockaddr *)&to, (socklen_t)address->size) != 0;
    if (!*ret_connecting || errno == EINPROGRESS)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static void dial(struct service *connection, const struct client_address *address)
{
    connection->attempting = true;
    connection->fd = open_socket(address, &connection->connecting);
    if (connection->fd < 0)
        lose(connection, strerror(errno));
    else if (!connection->connecting)
        client_connected(&connection->client, service_now_ms());
}

static void finish_dialing(struct service *connection)
{
    int error = 0;
    socklen_t size = sizeof(error);

    connection->connecting = false;
    if (getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        error = errno;
    if (error != 0)
        lose(connection, strerror(error));
    else
        client_connected(&connection->client, service_now_ms());
}

static void disconnect(struct service *connection)
{
    const struct client *client = &connection->client;

    if (client->last_error == CLIENT_NO_MEMORY)
        mem_exhausted();
    if (connection->fd >= 0)
        close(connection->fd);
    connection->fd = -1;
    connection->connecting = false;
    connection->sending.size = connection->sent = 0;
    if (client->last_error == CLIENT_TIMED_OUT)
        connection->problem = connection->attempting ? "no answer in time" : "the server is silent";
    else if (client->last_error == CLIENT_MALFORMED || client->last_error == CLIENT_INCONSISTENT)
        connection->problem = "the server does not keep to the protocol";
    if (!connection->attempting || client->closed)
        return;
    connection->attempting = false;
    if (++connection->failed_attempts >= client->servers.count) {
        connection->failed_attempts = 0;
        connection->failed_rounds++;
    }
}

static bool ready_in_time(int fd, short events)
{
    struct pollfd polled = {fd, events, 0};

    return poll(&polled, 1, PROBE_WAIT_MS) == 1;
}

/* The word isro: "rw" says that the server takes writes. */
static bool takes_writes(const struct client_address *address)
{
    bool connecting;
    char answer[2];
    int fd = open_socket(address, &connecting);

    if (fd < 0)
        return false;
    bool yes = (!connecting || ready_in_time(fd, POLLOUT)) &&
               send(fd, "isro", 4, MSG_NOSIGNAL) == 4 && ready_in_time(fd, POLLIN) &&
               recv(fd, answer, 2, 0) == 2 && memcmp(answer, "rw", 2) == 0;
    close(fd);
    return yes;
}

int64_t service_do_due(struct service *connection)
{
    struct client *client = &connection->client;
    struct client_step step;

    for (;;) {
        client_step(client, service_now_ms(), &step);
        switch (step.action) {
        case CLIENT_RESOLVE:
            resolve(connection);
            break;
        case CLIENT_CONNECT:
            dial(connection, step.address);
            break;
        case CLIENT_DISCONNECT:
            disconnect(connection);
            break;
        case CLIENT_PROBE:
            client_probed(client, takes_writes(step.address), service_now_ms());
            break;
        case CLIENT_WAIT:
        default:
            return step.wake_at_ms;
        }
    }
}

/* --- the socket --- */

void service_send_out(struct service *connection)
{
    struct client *client = &connection->client;

    while (client->link == CLIENT_LINK_OPEN) {
        if (connection->sent == connection->sending.size) {
            connection->sent = connection->sending.size = 0;
            if (!client_take_output(client, &connection->sending))
                return;
        }
        int64_t before_ms = service_now_ms();
        ssize_t size = send(connection->fd, connection->sending.data + connection->sent,
                            connection->sending.size - connection->sent, MSG_NOSIGNAL);
        if (size < 0) {
            if (errno != EAGAIN && errno != EINTR)
                lose(connection, "the server has closed the connection");
            return;
        }
        connection->sent += (size_t)size;
        client_sent(client, before_ms);
    }
}

static void receive(struct service *connection)
{
    ssize_t size = recv(connection->fd, connection->received, SERVICE_RECEIVE_BYTES, 0);

    if (size > 0)
        client_received(&connection->client, slice_of(connection->received, (size_t)size),
                        service_now_ms());
    else if (size == 0 || (errno != EAGAIN && errno != EINTR))
        lose(connection, "the server has closed the connection");
    if (client_has_session(&connection->client)) {
        connection->attempting = false;
        connection->failed_attempts = 0;
    }
}

void service_serve_socket(struct service *connection, short events)
{
    if (connection->connecting)
        finish_dialing(connection);
    else if ((events & (POLLIN | POLLERR | POLLHUP)) != 0)
        receive(connection);
    service_send_out(connection);
}
