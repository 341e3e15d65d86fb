/* no_memory_inside.c: each allocation of the library's own threads fails in turn, the first, the second, ...,
 * and then several in a row, while a handle does everything that it can do. With SINGLE: the same in
 * zookeeper_interest() and zookeeper_process(). Prints what is wrong; its exit code is the number of that.
 *
 * What must be true whatever fails:
 * - each completion is called once, in the order of the requests, with its answer, with
 *   ZCONNECTIONLOSS, or with ZSYSTEMERROR when it only reads and sets no watch;
 * - a watch is set exactly if its call has succeeded, and is told of its event once;
 * - each change of the connection is told to every watcher, once;
 * - when there is memory again, the handle works.
 *
 *     no_memory_inside HOST:PORT */
#ifndef SINGLE
#define THREADED
#endif
#include <zookeeper/zookeeper.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "failing_memory.h"

/* What callbacks have seen; under the mutex. */
enum { ASKED_MAX = 2000, STATES_MAX = 500, NAME_COUNT = 60, DATA_BYTES = 3000, LONG_PATHS = 160 };
enum { PATH_BYTES = 900, WAIT_S = 60, TRIES_MAX = 60 };
struct asked {
    const char *what;
    int number;      /* of the request, in order; 0: of no order */
    int called, rc;  /* of the completion */
    int events;      /* of the watch, if any */
    int states_seen; /* by the global watcher when the completion was called */
};
static struct asked asked[ASKED_MAX];
static int asked_count, requests, completions;
static int states[STATES_MAX], state_count, lasting[STATES_MAX], lasting_count;
static _Atomic int sentences; /* of the log */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static zhandle_t *zh;

/* What a callback does is the program's and has all memory. */
static enum role enter(void)
{
    enum role former = role;

#ifndef SINGLE
    former = CALLBACKS;
#endif
    role = PROGRAM;
    pthread_mutex_lock(&mutex);
    return former;
}

static void leave(enum role former)
{
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
    role = former;
}

static void done(const void *data, int rc)
{
    struct asked *one = &asked[(const struct asked *)data - asked];
    enum role former = enter();

    one->called++;
    one->rc = rc;
    one->states_seen = state_count;
    if (one->number != 0 && one->number != ++completions)
        WRONG("%s: number %d completes as number %d", one->what, one->number, completions);
    leave(former);
}

static void on_void(int rc, const void *data)
{
    done(data, rc);
}

static void on_stat(int rc, const struct Stat *stat, const void *data)
{
    (void)stat;
    done(data, rc);
}

static void on_data(int rc, const char *value, int size, const struct Stat *stat, const void *data)
{
    if (rc == ZOK && (size != DATA_BYTES || value[DATA_BYTES - 1] != 'x' || stat == NULL))
        rc = 1;
    done(data, rc);
}

static void on_strings(int rc, const struct String_vector *names, const void *data)
{
    for (int i = 0; rc == ZOK && i < NAME_COUNT; i++)
        if (names->count < NAME_COUNT || strncmp(names->data[i], "name-", 5) != 0)
            rc = 1;
    done(data, rc);
}

static void on_strings_stat(int rc, const struct String_vector *names, const struct Stat *stat,
                            const void *data)
{
    (void)stat;
    on_strings(rc, names, data);
}

static void on_string(int rc, const char *value, const void *data)
{
    done(data, rc == ZOK && (value == NULL || value[0] != '/') ? 1 : rc);
}

static void on_acl(int rc, struct ACL_vector *acl, struct Stat *stat, const void *data)
{
    (void)stat;
    if (rc == ZOK && (acl->count != 1 || strcmp(acl->data[0].id.scheme, "world") != 0))
        rc = 1;
    done(data, rc);
}

static void on_global(zhandle_t *handle, int type, int state, const char *path, void *context)
{
    enum role former = enter();

    (void)handle, (void)path, (void)context;
    if (type != ZOO_SESSION_EVENT)
        WRONG("an event %d for the handle's watcher", type);
    else if (state_count < STATES_MAX)
        states[state_count++] = state;
    leave(former);
}

/* Of a watch that never fires. */
static void on_lasting(zhandle_t *handle, int type, int state, const char *path, void *context)
{
    enum role former = enter();

    (void)handle, (void)path, (void)context;
    if (type != ZOO_SESSION_EVENT)
        WRONG("an event %d for a watch whose znode never changes", type);
    else if (lasting_count < STATES_MAX)
        lasting[lasting_count++] = state;
    leave(former);
}

static void on_watch(zhandle_t *handle, int type, int state, const char *path, void *context)
{
    enum role former = enter();

    (void)handle, (void)state, (void)path;
    if (type != ZOO_SESSION_EVENT)
        ((struct asked *)context)->events++;
    leave(former);
}

static void on_log(const char *line)
{
    sentences += strstr(line, "out of memory: the connection is closed") != NULL;
}

/* Waiting. */

#ifdef SINGLE
/* One turn of the program's loop; only what the library does in it may fail. */
static void turn(void)
{
    struct timeval wait;
    int fd, interest, events = 0;

    role = READER;
    (void)zookeeper_interest(zh, &fd, &interest, &wait);
    role = PROGRAM;
    struct pollfd poll_fd = {.fd = fd};
    poll_fd.events = (short)((interest & ZOOKEEPER_READ ? POLLIN : 0) |
                             (interest & ZOOKEEPER_WRITE ? POLLOUT : 0));
    int wait_ms = (int)(wait.tv_sec * 1000 + (wait.tv_usec + 999) / 1000);
    if (poll(&poll_fd, fd >= 0, wait_ms < 100 ? wait_ms : 100) > 0)
        events = (poll_fd.revents & (POLLIN | POLLHUP | POLLERR) ? ZOOKEEPER_READ : 0) |
                 (poll_fd.revents & POLLOUT ? ZOOKEEPER_WRITE : 0);
    role = READER;
    (void)zookeeper_process(zh, events);
    role = PROGRAM;
}
#endif

/* With the mutex. False: it has been too long. */
static int wait_until(const struct timespec *end)
{
#ifdef SINGLE
    struct timespec now;

    pthread_mutex_unlock(&mutex);
    turn();
    clock_gettime(CLOCK_REALTIME, &now);
    pthread_mutex_lock(&mutex);
    return now.tv_sec < end->tv_sec;
#else
    return pthread_cond_timedwait(&changed, &mutex, end) == 0;
#endif
}

/* Until the condition is true; looked at with the mutex. It ends the program when it hangs. */
#define UNTIL(what, condition)                                                                     \
    do {                                                                                           \
        struct timespec end;                                                                       \
        clock_gettime(CLOCK_REALTIME, &end);                                                       \
        end.tv_sec += WAIT_S;                                                                      \
        pthread_mutex_lock(&mutex);                                                                \
        while (!(condition)) {                                                                     \
            if (!wait_until(&end) && !(condition)) {                                               \
                WRONG("%s: nothing comes any more", what);                                         \
                exit(wrong);                                                                       \
            }                                                                                      \
        }                                                                                          \
        pthread_mutex_unlock(&mutex);                                                              \
    } while (0)

/* Requests. */

static struct asked *next_asked(const char *what, int in_order)
{
    struct asked *one = &asked[asked_count++];

    *one = (struct asked){.what = what};
    if (in_order)
        one->number = ++requests;
    return one;
}

/* Waits for the answer. True: it is the right one; otherwise ask again. */
static int answered(const struct asked *one, int rc, int other_rc, int is_plain_read)
{
    UNTIL(one->what, one->called > 0);
    if (one->rc == rc || one->rc == other_rc)
        return 1;
    if (one->rc != ZCONNECTIONLOSS && !(is_plain_read && one->rc == ZSYSTEMERROR))
        WRONG("%s: completes with %d", one->what, one->rc);
    return 0;
}

/* `call` with `one`, again and again until it is answered by one of the two codes. Gives the request that
 * was. */
#define ASK(name, good_rc, other_rc, call)                                                         \
    ({                                                                                             \
        struct asked *one;                                                                         \
        int tries = 0;                                                                             \
        do {                                                                                       \
            one = next_asked(name, 1);                                                             \
            int refused = (call);                                                                  \
            if (refused != ZOK || ++tries > TRIES_MAX) {                                           \
                WRONG("%s: refused with %d after %d tries", one->what, refused, tries);            \
                exit(wrong);                                                                       \
            }                                                                                      \
        } while (!answered(one, good_rc, other_rc, 0));                                            \
        one;                                                                                       \
    })

static char value[DATA_BYTES], long_name[300];

/* All kinds of answers at once; each may be lost, and that is told. */
static void everything_at_once(void)
{
    struct asked *first = &asked[asked_count];
    static zoo_op_t op;
    char path[400];
    int plain_reads;

    snprintf(path, sizeof(path), "/m/%s", long_name);
#define NEXT(what) next_asked(what, 1)
    (void)zoo_aget(zh, "/m/data", 0, on_data, NEXT("aget"));
    (void)zoo_aget_children(zh, "/m/names", 0, on_strings, NEXT("aget_children"));
    (void)zoo_aget_children2(zh, "/m/names", 0, on_strings_stat, NEXT("aget_children2"));
    (void)zoo_aget_acl(zh, "/m/data", on_acl, NEXT("aget_acl"));
    plain_reads = asked_count;
    struct asked *one = NEXT("awget_children");
    (void)zoo_awget_children(zh, "/m/names", on_watch, one, on_strings, one);
    one = NEXT("awget");
    (void)zoo_awget(zh, "/m/data", on_watch, one, on_data, one);
    (void)zoo_acreate(zh, path, "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL_SEQUENTIAL, on_string,
                      NEXT("acreate"));
    (void)zoo_async(zh, "/m", on_string, NEXT("async"));
    (void)zoo_aset(zh, "/m/other", value, DATA_BYTES, -1, on_stat, NEXT("aset"));
    zoo_check_op_init(&op, "/m", -1);
    (void)zoo_amulti(zh, 1, &op, NULL, on_void, NEXT("amulti"));
    struct asked *end = &asked[asked_count];
    for (one = first; one < end; one++)
        (void)answered(one, ZOK, ZOK, one < &asked[plain_reads]);
}

#ifndef SINGLE
/* Synchronous calls are answered by the thread that reads. */
static void synchronously(void)
{
    static char back[DATA_BYTES];
    struct String_vector names = {0, NULL};
    int size, rc;

    for (int i = 0; i < TRIES_MAX; i++) {
        size = sizeof(back);
        rc = zoo_get(zh, "/m/data", 0, back, &size, NULL);
        if (rc == ZOK) {
            struct asked *one = next_asked("zoo_wget_children", 0);
            rc = one->rc = zoo_wget_children(zh, "/m/names", on_watch, one, &names);
            one->called = 1;
        }
        if (rc == ZOK)
            break;
        if (rc != ZCONNECTIONLOSS)
            WRONG("a synchronous call gives %d", rc);
    }
    if (rc != ZOK || size != DATA_BYTES || names.count < NAME_COUNT)
        WRONG("synchronous calls give %d, %d bytes and %d names", rc, size, names.count);
    deallocate_String_vector(&names);
}
#endif

/* Enough watches for two requests after a reconnection. */
static void watch_long_paths(void)
{
    struct asked *first = &asked[asked_count], *end;
    static char paths[LONG_PATHS][PATH_BYTES];
    int left = LONG_PATHS;

    for (int i = 0; i < LONG_PATHS; i++) {
        memset(paths[i], 'p', PATH_BYTES - 1);
        memcpy(paths[i], "/m/", 3);
        snprintf(paths[i] + PATH_BYTES - 10, 10, "%09d", i);
    }
    while (left > 0 && asked_count < ASKED_MAX - 2 * LONG_PATHS) {
        first = &asked[asked_count];
        for (int i = 0; i < left; i++) {
            struct asked *one = next_asked("awexists of a long path", 1);
            (void)zoo_awexists(zh, paths[i], on_watch, one, on_stat, one);
        }
        end = &asked[asked_count];
        int failed = 0; /* a failure takes all that follow */
        for (struct asked *one = first; one < end; one++)
            failed += !answered(one, ZNONODE, ZNONODE, 0);
        memmove(paths[0], paths[left - failed], (size_t)failed * PATH_BYTES);
        left = failed;
    }
}

static int came_back(int since)
{
    int times = 0;

    for (int i = since; i < state_count; i++)
        times += states[i] == ZOO_CONNECTED_STATE;
    return times > 0;
}

static void cut(void)
{
    pthread_mutex_lock(&mutex);
    int seen = state_count;
    pthread_mutex_unlock(&mutex);
    cut_connection();
    UNTIL("the next connection", came_back(seen));
}

static void change_what_is_watched(void)
{
    (void)ASK("aset", ZOK, ZOK, zoo_aset(zh, "/m/data", value, DATA_BYTES, -1, on_stat, one));
    (void)ASK("acreate", ZOK, ZNODEEXISTS,
              zoo_acreate(zh, "/m/names/name-new", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, on_string, one));
    (void)ASK("acreate", ZOK, ZNODEEXISTS,
              zoo_acreate(zh, "/m/new", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, on_string, one));
    (void)ASK("adelete", ZOK, ZNONODE, zoo_adelete(zh, "/m/names/name-new", -1, on_void, one));
    (void)ASK("adelete", ZOK, ZNONODE, zoo_adelete(zh, "/m/new", -1, on_void, one));
}

/* Each event of the session, as the watcher of a watch must have been told of it. */
static void check_states(const struct asked *first_watch)
{
    int begin = first_watch->states_seen;

    UNTIL("the same states for all watchers", lasting_count >= state_count - begin);
    pthread_mutex_lock(&mutex);
    for (int i = 0; i < state_count; i++)
        if (states[i] != (i % 2 == 0 ? ZOO_CONNECTED_STATE : ZOO_CONNECTING_STATE))
            WRONG("state %d is the handle's number %d", states[i], i);
    if (lasting_count != state_count - begin ||
        memcmp(lasting, states + begin, (size_t)lasting_count * sizeof(lasting[0])) != 0)
        WRONG("a watch is told of %d states, the handle of %d", lasting_count, state_count - begin);
    pthread_mutex_unlock(&mutex);
}

static void check_asked(void)
{
    pthread_mutex_lock(&mutex);
    for (struct asked *one = asked; one < &asked[asked_count]; one++) {
        if (one->called != 1)
            WRONG("%s: completes %d times", one->what, one->called);
        if (one->events > (one->rc == ZOK))
            WRONG("%s: gave %d, and %d events", one->what, one->rc, one->events);
    }
    pthread_mutex_unlock(&mutex);
}

static void forget(void)
{
    asked_count = requests = completions = state_count = lasting_count = 0;
}

static void open_handle(const char *hosts, const clientid_t *id)
{
    forget();
    zh = zookeeper_init2(hosts, on_global, 20000, id, NULL, ZOO_NO_LOG_CLIENTENV, on_log);
    if (zh == NULL) {
        printf("no handle: %s\n", strerror(errno));
        exit(100);
    }
}

static void close_handle(void)
{
    for (int i = 0; i < 3; i++)
        if (zoo_aget(zh, "/m/data", 0, on_data, next_asked("aget before the end", 1)) != ZOK)
            WRONG("a request before the end is refused");
    int rc = zookeeper_close(zh);
    if (rc != ZOK)
        WRONG("the close gives %d", rc);
    check_asked();
}

/* The life of a handle. */
static void live(const char *hosts)
{
    open_handle(hosts, NULL);
    UNTIL("the first connection", state_count > 0);
    struct asked *proof = next_asked("the proof", 0);
    (void)zoo_add_auth(zh, "digest", "bob:pw", 6, on_void, proof);
    struct asked *first = ASK("a lasting watch", ZNONODE, ZNONODE,
                              zoo_awexists(zh, "/m/never", on_lasting, NULL, on_stat, one));
    everything_at_once();
#ifndef SINGLE
    synchronously();
#endif
    watch_long_paths();
    struct asked *watches[] = {
        ASK("awget", ZOK, ZOK, zoo_awget(zh, "/m/data", on_watch, one, on_data, one)),
        ASK("awget_children", ZOK, ZOK,
            zoo_awget_children(zh, "/m/names", on_watch, one, on_strings, one)),
        ASK("awget_children2", ZOK, ZOK,
            zoo_awget_children2(zh, "/m/names", on_watch, one, on_strings_stat, one)),
    };
    struct asked *new =
        ASK("awexists", ZNONODE, ZNONODE, zoo_awexists(zh, "/m/new", on_watch, one, on_stat, one));
    cut();
    cut();
    change_what_is_watched();
    for (size_t i = 0; i < sizeof(watches) / sizeof(watches[0]); i++)
        UNTIL(watches[i]->what, watches[i]->events > 0);
    UNTIL("the event of a new znode", new->events > 0);
    if (new->events != 1)
        WRONG("%d events of a new znode", new->events);
    new->events = 0; /* its call's code is another one */
    (void)answered(proof, ZOK, ZOK, 0);
    check_states(first);
    close_handle();
}

static const clientid_t nobodys = {0x7777777777, "wrong password."};

/* The life of a handle whose session is over, though nobody knows it yet. */
static void expire(const char *hosts)
{
    open_handle(hosts, &nobodys);
    UNTIL("the end of the session", state_count > 0);
    if (state_count != 1 || states[0] != ZOO_EXPIRED_SESSION_STATE ||
        is_unrecoverable(zh) != ZINVALIDSTATE)
        WRONG("the end of a session is not told");
    (void)zookeeper_close(zh);
}

/* Whoever waits for memory must not wait for ever. */
static void ask_when_it_is_over(const char *hosts)
{
    open_handle(hosts, &nobodys);
    UNTIL("the end of the session", state_count > 0);
    failing_role = PROGRAM;
    reached = 0;
    fails_at = fails_times = 1;
    int rc = zoo_aget(zh, "/", 0, on_data, NULL);
    fails_at = 0;
    if (rc != ZINVALIDSTATE || reached != 1)
        WRONG("after the end, and without memory, a request gives %d", rc);
    (void)zookeeper_close(zh);
}

/* What the scenes find. */
static void prepare(const char *hosts)
{
    open_handle(hosts, NULL);
    UNTIL("a connection", state_count > 0);
    (void)ASK("", ZOK, ZOK, zoo_acreate(zh, "/m", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, on_string, one));
    (void)ASK(
        "", ZOK, ZOK,
        zoo_acreate(zh, "/m/data", value, DATA_BYTES, &ZOO_OPEN_ACL_UNSAFE, 0, on_string, one));
    (void)ASK("", ZOK, ZOK,
              zoo_acreate(zh, "/m/other", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, on_string, one));
    (void)ASK("", ZOK, ZOK,
              zoo_acreate(zh, "/m/names", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, on_string, one));
    for (int i = 0; i < NAME_COUNT; i++)
        (void)ASK("", ZOK, ZOK,
                  zoo_acreate(zh, "/m/names/name-", "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_SEQUENCE,
                              on_string, one));
    (void)zookeeper_close(zh);
}

int main(int argc, char **argv)
{
    char hosts[HOSTS_BYTES] = "";

    if (argc != 2)
        return 100;
    role = PROGRAM;
    setvbuf(stdout, NULL, _IONBF, 0);
    memset(value, 'x', sizeof(value));
    memset(long_name, 'n', sizeof(long_name) - 1);
    zoo_set_debug_level(ZOO_LOG_LEVEL_ERROR);
    ten_names_of(argv[1], hosts);
    prepare(hosts);
    each_allocation(hosts, READER, 1, 20, live);
    each_allocation(hosts, READER, 5, 20, live);
    each_allocation(hosts, READER, 1, 2, expire);
    each_allocation(hosts, READER, 5, 2, expire);
#ifndef SINGLE
    each_allocation(hosts, CALLBACKS, 1, 4, live);
    each_allocation(hosts, CALLBACKS, 5, 4, live);
#endif
    ask_when_it_is_over(hosts);
    if (sentences == 0) {
        printf("no sentence said that memory is missing\n");
        wrong++;
    }
    return wrong;
}
