/* server_kind.c: the version that a server says names its maker. Waits two seconds at most for each step. */
#include "shell/server_kind.h"

#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { WAIT_S = 2, ANSWER_BYTES_MAX = 256 };

/* The first bytes of the answer; how many they are. */
static size_t ask(int fd, char *answer)
{
    size_t size = 0;

    if (send(fd, "srvr", 4, MSG_NOSIGNAL) != 4)
        return 0;
    while (size < ANSWER_BYTES_MAX) {
        ssize_t more = recv(fd, answer + size, ANSWER_BYTES_MAX - size, 0);
        if (more <= 0)
            break;
        size += (size_t)more;
    }
    return size;
}

bool server_is_paddock(const struct sockaddr *address, socklen_t size)
{
    const struct timeval wait = {.tv_sec = WAIT_S};
    char answer[ANSWER_BYTES_MAX];
    size_t answered = 0;

    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)); /* connect(), too */
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    if (connect(fd, address, size) == 0)
        answered = ask(fd, answer);
    close(fd);
    return memmem(answer, answered, "-paddock-", strlen("-paddock-")) != NULL;
}
