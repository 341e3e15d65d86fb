/* server_word.c: one connection, one question, one answer. What went wrong is a sentence for the caller. */
#include "tools/server_word.h"

#include "base/slice.h"
#include "io/address.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

enum { WAIT_S = 5, PORT_DEFAULT = 2181, HOST_BYTES_MAX = 256, LOOPBACK = 127 };

static bool parse_address(const char *text, char host[HOST_BYTES_MAX], int *ret_port)
{
    bool bracket = text[0] == '[';
    const char *start = bracket ? text + 1 : text;
    const char *end = bracket ? strchr(start, ']') : strrchr(start, ':');
    const char *colon = bracket ? (end == NULL ? NULL : end + 1) : end;

    if (bracket && end == NULL)
        return false;
    size_t size = end == NULL ? strlen(start) : (size_t)(end - start);
    if (size == 0 || size >= HOST_BYTES_MAX || (!bracket && memchr(start, ':', size) != NULL))
        return false;
    memcpy(host, start, size);
    host[size] = '\0';
    *ret_port = PORT_DEFAULT;
    if (colon == NULL || *colon == '\0')
        return true;
    char *rest;
    long port = strtol(colon + 1, &rest, 10);
    *ret_port = (int)port;
    return *colon == ':' && rest != colon + 1 && *rest == '\0' && port > 0 && port <= 65535;
}

bool server_word_is_address(const char *text)
{
    char host[HOST_BYTES_MAX];
    int port;

    return parse_address(text, host, &port);
}

static void set_problem(struct server_word *question, const char *what)
{
    snprintf(question->problem, sizeof(question->problem), "%s", what);
}

static void set_problem_by_errno(struct server_word *question)
{
    if (errno == EAGAIN || errno == EINPROGRESS)
        snprintf(question->problem, sizeof(question->problem), "no answer within %d seconds",
                 WAIT_S);
    else
        set_problem(question, strerror(errno));
}

static bool fail(struct server_word *question, const char *what)
{
    set_problem(question, what);
    return false;
}

/* Both ends have the same address, or the loopback's. */
static bool is_local(int fd)
{
    struct sockaddr_storage own = {0}, other = {0};
    socklen_t own_size = sizeof(own), other_size = sizeof(other);

    if (getsockname(fd, (struct sockaddr *)&own, &own_size) != 0 ||
        getpeername(fd, (struct sockaddr *)&other, &other_size) != 0)
        return false;
    struct address_host left = address_host((struct sockaddr *)&own);
    struct address_host right = address_host((struct sockaddr *)&other);
    if (memcmp(left.bytes, right.bytes, sizeof(left.bytes)) == 0)
        return true;
    return other.ss_family == AF_INET && right.bytes[12] == LOOPBACK;
}

/* A process that was stopped for a while, and goes on, waits again, here and in read(). */
static bool connects(int fd, const struct sockaddr *address, socklen_t size)
{
    struct pollfd connected = {.fd = fd, .events = POLLOUT};
    int count, error = 0;
    socklen_t error_size = sizeof(error);

    if (connect(fd, address, size) == 0)
        return true;
    if (errno != EINTR)
        return false;
    do
        count = poll(&connected, 1, WAIT_S * 1000);
    while (count < 0 && errno == EINTR);
    if (count < 0 || (count > 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_size) != 0))
        return false;
    errno = count == 0 ? EAGAIN : error;
    return errno == 0;
}

bool server_word_open(struct server_word *question, const char *address_text, const char *word)
{
    const struct timeval wait = {.tv_sec = WAIT_S};
    struct sockaddr_storage address;
    char host[HOST_BYTES_MAX];
    int port = 0;

    if (!parse_address(address_text, host, &port))
        return fail(question, "not an address");
    if (address_resolve(host, port, &address) != STATUS_OK)
        return fail(question, "the name does not resolve");
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fail(question, strerror(errno));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)); /* connect(), too */
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    socklen_t size = address.ss_family == AF_INET6 ? (socklen_t)sizeof(struct sockaddr_in6)
                                                   : (socklen_t)sizeof(struct sockaddr_in);
    if (!connects(fd, (struct sockaddr *)&address, size) || write(fd, word, 4) != 4) {
        set_problem_by_errno(question);
        close(fd);
        return false;
    }
    question->fd = fd;
    question->local = is_local(fd);
    return true;
}

int server_word_read(struct server_word *question, char *bytes, size_t capacity)
{
    ssize_t size;

    do
        size = read(question->fd, bytes, capacity);
    while (size < 0 && errno == EINTR);
    if (size < 0)
        set_problem_by_errno(question);
    return (int)size;
}

void server_word_close(struct server_word *question)
{
    close(question->fd);
}

bool server_word_ask(const char *address, const char *word, struct buffer *answer, bool *ret_local,
                     char ret_problem[SERVER_WORD_PROBLEM_BYTES])
{
    struct server_word question;
    char bytes[4096];
    int size = -1;
    size_t before = answer->size;

    if (server_word_open(&question, address, word)) {
        while ((size = server_word_read(&question, bytes, sizeof(bytes))) > 0)
            buffer_append(answer, slice_of(bytes, (size_t)size));
        *ret_local = question.local;
        server_word_close(&question);
    }
    if (size == 0 && answer->size > before)
        return true;
    snprintf(ret_problem, SERVER_WORD_PROBLEM_BYTES, "%s",
             size == 0 ? "closed the connection without an answer; is it a ZooKeeper server?"
                       : question.problem);
    return false;
}
