/* four_letter_tool.c: one connection, one question, one answer, each within two seconds. Prints what the
 * server sends as it comes; says on stderr what went wrong and with which address. */
#include "tools/four_letter_tool.h"

#include "base/slice.h"
#include "io/address.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

enum { WAIT_S = 2, PORT_DEFAULT = 2181, HOST_BYTES_MAX = 256, EXIT_NO_ANSWER = 1, EXIT_USAGE = 2 };

static int usage(void)
{
    fputs("usage: paddock four-letter HOST[:PORT] WORD\n"
          "  HOST  a name, an IPv4 address, or an IPv6 address in brackets; port 2181 by default\n"
          "  WORD  srvr, stat, ruok, mntr, conf, cons, ...: those that the server's\n"
          "        4lw.commands.whitelist allows\n",
          stderr);
    return EXIT_USAGE;
}

/* "host", "host:port", "[v6]", "[v6]:port". */
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

static int print_failure(const char *address, const char *what)
{
    fprintf(stderr, "paddock: %s: %s\n", address, what);
    return EXIT_NO_ANSWER;
}

static const char *reason(void)
{
    return errno == EAGAIN || errno == EINPROGRESS ? "no answer within 2 seconds" : strerror(errno);
}

static int ask(int fd, const char *address, const char *word)
{
    char bytes[4096];
    bool any = false;

    if (write(fd, word, 4) != 4)
        return print_failure(address, reason());
    for (;;) {
        ssize_t size = read(fd, bytes, sizeof(bytes));
        if (size < 0)
            return print_failure(address, reason());
        if (size == 0)
            break;
        fwrite(bytes, 1, (size_t)size, stdout);
        any = true;
    }
    if (any && fflush(stdout) == 0)
        return 0;
    return print_failure(address,
                         "closed the connection without an answer; is it a ZooKeeper server?");
}

int four_letter_tool_main(int argc, char **argv)
{
    const struct timeval wait = {.tv_sec = WAIT_S};
    struct sockaddr_storage address;
    char host[HOST_BYTES_MAX];
    int port = 0;

    if (argc != 3 || strlen(argv[2]) != 4 || !parse_address(argv[1], host, &port))
        return usage();
    if (address_resolve(host, port, &address) != STATUS_OK)
        return print_failure(argv[1], "the name does not resolve");
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return print_failure(argv[1], strerror(errno));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)); /* connect(), too */
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    socklen_t size = address.ss_family == AF_INET6 ? (socklen_t)sizeof(struct sockaddr_in6)
                                                   : (socklen_t)sizeof(struct sockaddr_in);
    int status = connect(fd, (struct sockaddr *)&address, size) == 0
                     ? ask(fd, argv[1], argv[2])
                     : print_failure(argv[1], reason());
    close(fd);
    return status;
}
