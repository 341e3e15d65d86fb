/* storm.c: many handles in one process, so that a server that comes back meets all of them at once. Each
 * has a session, an ephemeral znode and a watch. Every answer is a line of the output.
 *
 *     storm HOSTS TIMEOUT_MS HANDLES
 *
 * Lines of input: make (a znode for each), watch (all of them look at /storm), sessions (how many kept
 * theirs), cpu (milliseconds that the process has used), close. */
#define THREADED
#include <zookeeper/zookeeper.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define HANDLE_COUNT_MAX 500

static zhandle_t *handles[HANDLE_COUNT_MAX];
static int64_t sessions[HANDLE_COUNT_MAX];
static atomic_int changes;
static int count;

/* All lines that count something that comes from many threads: printed when all have come. */
static void count_up(atomic_int *counter, const char *what)
{
    if (atomic_fetch_add(counter, 1) + 1 == count)
        printf("%s %d\n", what, count);
}

static atomic_int up[HANDLE_COUNT_MAX], connected_count;

static void watch_session(zhandle_t *zh, int type, int state, const char *path, void *context)
{
    int connected = state == ZOO_CONNECTED_STATE;

    (void)zh, (void)path;
    if (type != ZOO_SESSION_EVENT)
        return;
    if (state == ZOO_EXPIRED_SESSION_STATE)
        printf("expired\n");
    int before = atomic_exchange((atomic_int *)context, connected);
    if (connected && !before)
        count_up(&connected_count, "connected");
    else if (!connected && before && atomic_fetch_sub(&connected_count, 1) == 1)
        printf("away %d\n", count);
}

static void watch_node(zhandle_t *zh, int type, int state, const char *path, void *context)
{
    (void)zh, (void)state, (void)path, (void)context;
    if (type == ZOO_CHANGED_EVENT)
        count_up(&changes, "changed");
}

static void make_all(void)
{
    char path[40];
    int made = 0;

    (void)atomic_load(&connected_count); /* what was before the events is done for this thread */
    for (int i = 0; i < count; i++) {
        sessions[i] = zoo_client_id(handles[i])->client_id;
        snprintf(path, sizeof(path), "/storm/e%d", i);
        made += zoo_create(handles[i], path, "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL, NULL, 0) ==
                ZOK;
    }
    printf("made %d\n", made);
}

static void watch_all(void)
{
    int watched = 0;

    atomic_store(&changes, 0);
    for (int i = 0; i < count; i++) {
        char byte;
        int size = sizeof(byte);
        watched += zoo_wget(handles[i], "/storm", watch_node, NULL, &byte, &size, NULL) == ZOK;
    }
    printf("watched %d\n", watched);
}

static void show_sessions(void)
{
    int kept = 0;

    (void)atomic_load(&connected_count);
    for (int i = 0; i < count; i++)
        kept += zoo_client_id(handles[i])->client_id == sessions[i];
    printf("sessions %d\n", kept);
}

static void show_cpu(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    printf("cpu %ld\n", (long)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
                            (long)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000);
}

int main(int argc, char **argv)
{
    char line[64];

    if (argc < 4 || (count = atoi(argv[3])) < 1 || count > HANDLE_COUNT_MAX)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    zoo_set_debug_level(0);
    for (int i = 0; i < count; i++) {
        handles[i] = zookeeper_init(argv[1], watch_session, atoi(argv[2]), NULL, &up[i],
                                    ZOO_NO_LOG_CLIENTENV);
        if (handles[i] == NULL)
            return 1;
    }
    while (fgets(line, sizeof(line), stdin) != NULL) {
        if (strcmp(line, "make\n") == 0)
            make_all();
        else if (strcmp(line, "watch\n") == 0)
            watch_all();
        else if (strcmp(line, "sessions\n") == 0)
            show_sessions();
        else if (strcmp(line, "cpu\n") == 0)
            show_cpu();
        else
            break;
    }
    int closed = 0;
    for (int i = 0; i < count; i++)
        closed += zookeeper_close(handles[i]) == ZOK;
    printf("closed %d\n", closed);
    return 0;
}
