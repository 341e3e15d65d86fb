/* loop.c: the library without threads, in a loop of the program's own.
 *
 *     loop HOST:PORT */
#include <zookeeper/zookeeper.h>

#include <poll.h>
#include <stdio.h>
#include <string.h>

enum { ROUNDS_MAX = 2000 };

static int connected, created, got, events, done;

static void watch(zhandle_t *zh, int type, int state, const char *path, void *context)
{
    (void)zh, (void)context;
    if (type == ZOO_SESSION_EVENT)
        connected = state == ZOO_CONNECTED_STATE;
    else
        events++;
    printf("event %d %d %s\n", type, state, path);
}

static void on_create(int rc, const char *value, const void *data)
{
    (void)data;
    printf("created %d %s\n", rc, value ? value : "NULL");
    created = 1;
}

static void on_get(int rc, const char *value, int size, const struct Stat *stat, const void *data)
{
    (void)stat, (void)data;
    printf("got %d %.*s\n", rc, size > 0 ? size : 0, value ? value : "");
    got = 1;
}

static void on_void(int rc, const void *data)
{
    printf("%s %d\n", (const char *)data, rc);
    done = 1;
}

static int turn(zhandle_t *zh)
{
    int fd, interest, ready = 0;
    struct timeval wait;
    int rc = zookeeper_interest(zh, &fd, &interest, &wait);

    if (rc != ZOK)
        return rc;
    struct pollfd poll_fd = {.fd = fd};
    poll_fd.events = (short)((interest & ZOOKEEPER_READ ? POLLIN : 0) |
                             (interest & ZOOKEEPER_WRITE ? POLLOUT : 0));
    int wait_ms = (int)(wait.tv_sec * 1000 + wait.tv_usec / 1000);
    if (poll(&poll_fd, fd >= 0, wait_ms < 50 ? wait_ms : 50) > 0)
        ready = (poll_fd.revents & (POLLIN | POLLHUP) ? ZOOKEEPER_READ : 0) |
                (poll_fd.revents & POLLOUT ? ZOOKEEPER_WRITE : 0);
    return zookeeper_process(zh, ready);
}

static void until(zhandle_t *zh, const int *flag)
{
    for (int i = 0; i < ROUNDS_MAX && !*flag; i++)
        turn(zh);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    zoo_set_debug_level(0);
    /* No ping is due in this time, so that at the end there is nothing to read. */
    zhandle_t *zh = zookeeper_init(argv[1], watch, 40000, NULL, NULL, ZOO_NO_LOG_CLIENTENV);
    if (zh == NULL)
        return 1;
    until(zh, &connected);
    printf("create %d\n", zoo_acreate(zh, "/loop", "value", 5, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL,
                                      on_create, NULL));
    until(zh, &created);
    printf("get %d\n", zoo_awget(zh, "/loop", watch, NULL, on_get, NULL));
    until(zh, &got);
    printf("delete %d\n", zoo_adelete(zh, "/loop", -1, on_void, "deleted"));
    until(zh, &done);
    until(zh, &events);
    printf("idle %d\n", zookeeper_process(zh, 0));
    printf("nothing to read %d\n", zookeeper_process(zh, ZOOKEEPER_READ));
    printf("close %d\n", zookeeper_close(zh));
    return 0;
}
