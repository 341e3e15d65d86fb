/* ask.c: one connection for each word; none waits for another, so a server that is silent costs the time
 * limit once, however many there are. */
#include "shell/ask.h"

#include "io/address.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER_BYTES_MAX = 1 << 20 };

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void ask_init(struct ask *ask, const struct server_name *server, const char *word)
{
    *ask = (struct ask){.server = server, .fd = -1};
    snprintf(ask->word, sizeof(ask->word), "%s", word);
    buffer_init(&ask->text);
}

void ask_deinit(struct ask *ask)
{
    if (ask->fd >= 0)
        close(ask->fd);
    ask->fd = -1;
    buffer_deinit(&ask->text);
}

static void finish(struct ask *ask, const char *problem)
{
    if (ask->fd >= 0)
        close(ask->fd);
    ask->fd = -1;
    ask->problem = problem;
    ask->answered = problem == NULL;
}

static void dial(struct ask *ask)
{
    struct sockaddr_storage address;

    if (address_resolve(ask->server->host, ask->server->port, &address) != STATUS_OK) {
        finish(ask, "the name does not resolve");
        return;
    }
    ask->fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    socklen_t size = address.ss_family == AF_INET6 ? (socklen_t)sizeof(struct sockaddr_in6)
                                                   : (socklen_t)sizeof(struct sockaddr_in);
    if (ask->fd < 0 ||
        (connect(ask->fd, (const struct sockaddr *)&address, size) != 0 && errno != EINPROGRESS))
        finish(ask, strerror(errno));
}

static void send_word(struct ask *ask)
{
    int error = 0;
    socklen_t size = sizeof(error);

    if (getsockopt(ask->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0)
        finish(ask, strerror(error == 0 ? errno : error));
    else if (send(ask->fd, ask->word, ASK_WORD_CHARS, MSG_NOSIGNAL) != ASK_WORD_CHARS)
        finish(ask, strerror(errno));
    ask->sent = true;
}

static void receive(struct ask *ask)
{
    enum { PIECE = 4096 };

    uint8_t *at = buffer_extend(&ask->text, PIECE);
    ssize_t size = recv(ask->fd, at, PIECE, 0);
    int error = errno;
    ask->text.size -= (size_t)(PIECE - (size > 0 ? size : 0));
    if (size < 0 && error != EAGAIN && error != EINTR)
        finish(ask, strerror(error));
    else if (size == 0 && ask->text.size == 0)
        finish(ask, "closed the connection without an answer");
    else if (size == 0)
        finish(ask, NULL);
    else if (ask->text.size > ANSWER_BYTES_MAX)
        finish(ask, "the answer is too long");
}

/* The number of those that still wait. */
static nfds_t fill(const struct ask *asks, size_t count, struct pollfd *polled)
{
    nfds_t waiting = 0;

    for (size_t i = 0; i < count; i++) {
        polled[i] = (struct pollfd){asks[i].fd, (short)(asks[i].sent ? POLLIN : POLLOUT), 0};
        waiting += asks[i].fd >= 0;
    }
    return waiting;
}

void ask_all(struct ask *asks, size_t count, int time_ms, int stop_fd)
{
    struct pollfd *polled = mem_alloc((count + 1) * sizeof(*polled));
    int64_t until_ms = now_ms() + time_ms, left_ms;

    for (size_t i = 0; i < count; i++)
        dial(&asks[i]);
    while (fill(asks, count, polled) > 0 && (left_ms = until_ms - now_ms()) > 0) {
        polled[count] = (struct pollfd){stop_fd, POLLIN, 0};
        if (poll(polled, (nfds_t)count + 1, (int)left_ms) < 0 && errno != EINTR)
            break;
        if (polled[count].revents != 0)
            break;
        for (size_t i = 0; i < count; i++) {
            if (polled[i].revents == 0 || asks[i].fd < 0)
                continue;
            if (asks[i].sent)
                receive(&asks[i]);
            else
                send_word(&asks[i]);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (asks[i].fd >= 0)
            finish(&asks[i], "no answer in time");
    }
    mem_free(polled);
}
