/* client_gets.c: one session, N outstanding zoo_aget() calls, through whatever libzookeeper_mt the loader
 * finds: run it with LD_LIBRARY_PATH to compare two libraries.
 *
 *     client_gets HOST:PORT SECONDS OUTSTANDING [BYTES]
 *
 * Prints gets a second and the process's own CPU time for one get. */
#define THREADED
#include <zookeeper/zookeeper.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static zhandle_t *zh;
static atomic_long done, failed, in_flight;
static atomic_int stop;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int connected;

static void watch_session(zhandle_t *handle, int type, int state, const char *path, void *context)
{
    (void)handle, (void)path, (void)context;
    pthread_mutex_lock(&mutex);
    if (type == ZOO_SESSION_EVENT && state == ZOO_CONNECTED_STATE)
        connected = 1;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

static void got(int rc, const char *value, int size, const struct Stat *stat, const void *data)
{
    (void)value, (void)size, (void)stat;
    if (rc == ZOK)
        atomic_fetch_add(&done, 1);
    else
        atomic_fetch_add(&failed, 1);
    if (atomic_load(&stop) || zoo_aget(zh, "/client_gets", 0, got, data) != ZOK) {
        if (atomic_fetch_sub(&in_flight, 1) == 1) {
            pthread_mutex_lock(&mutex);
            pthread_cond_broadcast(&changed);
            pthread_mutex_unlock(&mutex);
        }
    }
}

static double seconds_of(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static double cpu_seconds(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

static double now_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int connect_to(const char *host, int bytes)
{
    char *data = calloc(1, (size_t)bytes + 1);

    zoo_set_debug_level(0);
    zh = zookeeper_init(host, watch_session, 30000, NULL, NULL, ZOO_NO_LOG_CLIENTENV);
    if (zh == NULL || data == NULL)
        return -1;
    pthread_mutex_lock(&mutex);
    while (!connected)
        pthread_cond_wait(&changed, &mutex);
    pthread_mutex_unlock(&mutex);
    int rc = zoo_create(zh, "/client_gets", data, bytes, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0);
    free(data);
    return rc == ZOK || rc == ZNODEEXISTS ? 0 : rc;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: client_gets HOST:PORT SECONDS OUTSTANDING [BYTES]\n");
        return 2;
    }
    double seconds = atof(argv[2]);
    int outstanding = atoi(argv[3]), rc = connect_to(argv[1], argc > 4 ? atoi(argv[4]) : 100);
    if (rc != 0) {
        fprintf(stderr, "client_gets: cannot begin: %s\n", zerror(rc));
        return 1;
    }
    double cpu = cpu_seconds(), began = now_seconds();
    atomic_store(&in_flight, outstanding);
    for (int i = 0; i < outstanding; i++)
        if (zoo_aget(zh, "/client_gets", 0, got, NULL) != ZOK)
            return 1;
    struct timespec pause = {.tv_sec = (time_t)seconds,
                             .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&pause, NULL);
    long count = atomic_load(&done);
    double wall = now_seconds() - began;
    cpu = cpu_seconds() - cpu;
    atomic_store(&stop, 1);
    pthread_mutex_lock(&mutex);
    while (atomic_load(&in_flight) > 0)
        pthread_cond_wait(&changed, &mutex);
    pthread_mutex_unlock(&mutex);
    printf("gets_per_s=%.0f cpu_us_per_get=%.3f gets=%ld failed=%ld\n", (double)count / wall,
           cpu / (double)count * 1e6, count, atomic_load(&failed));
    zookeeper_close(zh);
    return 0;
}
