/* failing_memory.h: allocations that fail in turn, chosen by thread. A program includes it once, before it
 * declares anything of its own.
 *
 * WRAPPED: the linker has put __wrap_malloc() in place of malloc() and so on, so that only calls of the
 * library's code are seen, and a sanitizer sees them too. Otherwise all of the process are seen: also those of
 * getaddrinfo(). */
#ifndef TEST_CAPI_FAILING_MEMORY_H
#define TEST_CAPI_FAILING_MEMORY_H

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Whose allocations fail. The program's own thread says who it is, the callbacks' thread with each
 * callback; who says nothing is the thread that reads. */
enum role { READER, CALLBACKS, PROGRAM };
static __thread enum role role;
static _Atomic int failing_role, fails_at, fails_times, reached;
static int wrong;

static int fails(void)
{
    if (fails_at == 0 || role != (enum role)failing_role)
        return 0;
    int now = atomic_fetch_add(&reached, 1) + 1;
    if (now < fails_at || now >= fails_at + fails_times)
        return 0;
    errno = ENOMEM;
    return 1;
}

#ifdef WRAPPED
#define OURS(name) __wrap_##name
#define SYSTEMS(name) __real_##name
int __real_connect(int fd, const struct sockaddr *address, socklen_t size);
#else
#define OURS(name) name
#define SYSTEMS(name) __libc_##name
#endif
void *OURS(malloc)(size_t size);
void *OURS(calloc)(size_t count, size_t size);
void *OURS(realloc)(void *memory, size_t size);
int OURS(connect)(int fd, const struct sockaddr *address, socklen_t size);
extern void *SYSTEMS(malloc)(size_t size);
extern void *SYSTEMS(calloc)(size_t count, size_t size);
extern void *SYSTEMS(realloc)(void *memory, size_t size);

void *OURS(malloc)(size_t size)
{
    return fails() ? NULL : SYSTEMS(malloc)(size);
}

void *OURS(calloc)(size_t count, size_t size)
{
    return fails() ? NULL : SYSTEMS(calloc)(count, size);
}

void *OURS(realloc)(void *memory, size_t size)
{
    return fails() ? NULL : SYSTEMS(realloc)(memory, size);
}

#ifdef WRAPPED
char *__wrap_strdup(const char *text);
extern char *__real_strdup(const char *text);

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}
#endif

/* The newest connection, so that it can be cut. */
static _Atomic int connection;

int OURS(connect)(int fd, const struct sockaddr *address, socklen_t size)
{
    connection = fd;
#ifdef WRAPPED
    return __real_connect(fd, address, size);
#else
    return (int)syscall(SYS_connect, fd, address, size);
#endif
}

static void cut_connection(void)
{
    shutdown(connection, SHUT_RDWR);
}

#define WRONG(...)                                                                                 \
    do {                                                                                           \
        printf("%s %d, %d times: ", role_names[failing_role], fails_at, fails_times);              \
        printf(__VA_ARGS__);                                                                       \
        printf("\n");                                                                              \
        wrong++;                                                                                   \
    } while (0)
static const char *const role_names[] = {"reader", "callbacks", "program"};

/* There is a pause between two connections only when all names of a server have failed. */
enum { HOSTS_BYTES = 400 };
static void ten_names_of(const char *host, char ret_hosts[HOSTS_BYTES])
{
    ret_hosts[0] = '\0';
    for (int i = 1; i <= 10; i++) {
        size_t size = strlen(ret_hosts);
        snprintf(ret_hosts + size, HOSTS_BYTES - size, "%s127.0.0.%d%s", i > 1 ? "," : "", i,
                 strrchr(host, ':'));
    }
}

/* Plays the scene until no allocation of these threads fails any more. `least`: so many must have. */
static void each_allocation(const char *hosts, enum role whose, int times, int least,
                            void (*scene)(const char *))
{
    int turns = 0, former_wrong = wrong;

    failing_role = (int)whose;
    fails_times = times;
    do {
        reached = 0;
        fails_at = ++turns;
        scene(hosts);
    } while (reached >= fails_at && wrong == former_wrong);
    fails_at = 0;
    if (turns - 1 < least) {
        printf("%s: only %d allocations\n", role_names[whose], turns - 1);
        wrong++;
    }
    if (getenv("SHOW") != NULL)
        fprintf(stderr, "%s, %d times: %d turns\n", role_names[whose], times, turns);
}

#endif
