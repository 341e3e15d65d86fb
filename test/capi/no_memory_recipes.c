/* no_memory_recipes.c: each allocation fails in turn, and then several in a row, in the threads of a handle and
 * in the program's, while the recipes do what they do. Whatever fails: a lock whose connection breaks is told to
 * be suspended and then held again, one whose node goes is told to be lost; no node stays behind; nothing is put
 * or taken twice. Only functions called in the thread whose memory ends may give ZSYSTEMERROR, and they can be
 * called again. Prints what is wrong; its exit code is the number of that.
 *
 *     no_memory_recipes HOST:PORT */
#include <zookeeper/recipes.h>

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#include "failing_memory.h"

enum { WAIT_S = 60, TRIES_MAX = 30 };
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int connected, suspended; /* under the mutex: how often that was told */
static zhandle_t *zh;

/* The first that the callbacks' thread runs: it says from now on which thread it is. */
static void on_global(zhandle_t *handle, int type, int state, const char *path, void *context)
{
    (void)handle, (void)path, (void)context;
    role = PROGRAM;
    pthread_mutex_lock(&mutex);
    connected += type == ZOO_SESSION_EVENT && state == ZOO_CONNECTED_STATE;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
    role = CALLBACKS;
}

static void on_state(recipe_state_t state, void *context)
{
    (void)context;
    pthread_mutex_lock(&mutex);
    suspended += state == RECIPE_SUSPENDED;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

/* Until the condition is true; looked at with the mutex. It ends the program when it hangs. */
#define UNTIL(what, condition)                                                                     \
    do {                                                                                           \
        struct timespec end;                                                                       \
        clock_gettime(CLOCK_REALTIME, &end);                                                       \
        end.tv_sec += WAIT_S;                                                                      \
        pthread_mutex_lock(&mutex);                                                                \
        while (!(condition)) {                                                                     \
            if (pthread_cond_timedwait(&changed, &mutex, &end) != 0 && !(condition)) {             \
                WRONG("%s: nothing comes any more", what);                                         \
                exit(wrong);                                                                       \
            }                                                                                      \
        }                                                                                          \
        pthread_mutex_unlock(&mutex);                                                              \
    } while (0)

/* Whether the call must be made again. A plain call of the C API also after a lost connection. */
static bool again(const char *what, int rc, int good, int other, bool plain, int *tries)
{
    if (rc == good || rc == other)
        return false;
    bool refused = rc == ZSYSTEMERROR && failing_role == PROGRAM && reached >= fails_at;
    if ((refused || (plain && rc == ZCONNECTIONLOSS)) && ++*tries < TRIES_MAX)
        return true;
    WRONG("%s gives %d", what, rc);
    exit(wrong);
}

#define DO(call, good, other, plain)                                                               \
    do {                                                                                           \
        int tries = 0;                                                                             \
        while (again(#call, (call), (good), (other), (plain), &tries))                             \
            ;                                                                                      \
    } while (0)

static int open_handle(const char *hosts)
{
    connected = suspended = 0;
    zh = zookeeper_init(hosts, on_global, 20000, NULL, NULL, ZOO_NO_LOG_CLIENTENV);
    return zh == NULL ? ZSYSTEMERROR : ZOK;
}

static int count_children(const char *path, int *ret_count)
{
    struct String_vector names = {0, NULL};
    int rc = zoo_get_children(zh, path, 0, &names);

    *ret_count = rc == ZOK ? names.count : 0;
    deallocate_String_vector(&names);
    return rc;
}

/* Nodes are removed in the background. */
static void until_empty(const char *path)
{
    time_t end = time(NULL) + WAIT_S;
    int count = 0;

    do {
        DO(count_children(path, &count), ZOK, ZNONODE, true);
        if (time(NULL) > end) {
            WRONG("%d nodes stay below %s", count, path);
            exit(wrong);
        }
    } while (count > 0);
}

/* When its node is looked for just then, the lock may be held throughout. */
static void cut_while_held(recipe_lock_t *lock, bool must_tell)
{
    pthread_mutex_lock(&mutex);
    int suspended_before = suspended, connected_before = connected;
    pthread_mutex_unlock(&mutex);
    cut_connection();
    if (must_tell)
        UNTIL("a suspended lock", suspended > suspended_before);
    UNTIL("the next connection", connected > connected_before);
    UNTIL("a lock that is held again", recipe_lock_state(lock) == RECIPE_HELD);
}

static void locks(void)
{
    recipe_options_t options = {.fn = on_state};
    recipe_lock_t *lock, *other;
    char node[200];

    DO(recipe_lock_new(zh, "/l/lock", RECIPE_LOCK_EXCLUSIVE, &options, &lock), ZOK, ZOK, false);
    DO(recipe_lock_new(zh, "/l/lock", RECIPE_LOCK_EXCLUSIVE, NULL, &other), ZOK, ZOK, false);
    DO(recipe_lock_acquire(lock, -1), ZOK, ZOK, false);
    snprintf(node, sizeof(node), "%s", recipe_lock_node(lock));
    cut_while_held(lock, true);
    for (int i = 0; i < 3; i++) {
        DO(zoo_set(zh, node, "", 0, -1), ZOK, ZOK, true); /* uses up the watch on it */
        cut_while_held(lock, false);
    }
    DO(zoo_delete(zh, node, -1), ZOK, ZNONODE, true);
    UNTIL("a lost lock", recipe_lock_state(lock) == RECIPE_LOST);
    DO(recipe_lock_release(lock), ZINVALIDSTATE, ZINVALIDSTATE, false);
    DO(recipe_lock_acquire(lock, -1), ZOK, ZOK, false);
    DO(recipe_lock_acquire(other, 0), ZOPERATIONTIMEOUT, ZOPERATIONTIMEOUT, false);
    cut_connection(); /* while the other's node is being removed */
    int rc = recipe_lock_release(lock);
    if (rc != ZOK && rc != ZCONNECTIONLOSS && !(rc == ZSYSTEMERROR && failing_role == PROGRAM))
        WRONG("the release gives %d", rc);
    recipe_lock_free(lock);
    recipe_lock_free(other);
    until_empty("/l/lock");
}

static void elections(void)
{
    recipe_election_t *election;
    recipe_options_t options = {.data = "me", .data_len = 2};
    char leader[8];
    int size = 0;

    DO(recipe_election_new(zh, "/l/election", &options, &election), ZOK, ZOK, false);
    DO(recipe_election_lead(election, -1), ZOK, ZOK, false);
    DO((size = sizeof(leader), recipe_election_leader(zh, "/l/election", leader, &size, -1)), ZOK,
       ZOK, false);
    if (size != 2 || memcmp(leader, "me", 2) != 0)
        WRONG("another one leads");
    recipe_election_free(election);
    until_empty("/l/election");
}

static void queues(void)
{
    static const char *const entries[] = {"one", "two", NULL};
    recipe_queue_t *queue;
    char *data = NULL;
    int size;

    DO(recipe_queue_new(zh, "/l/queue", NULL, &queue), ZOK, ZOK, false);
    for (int i = 0; entries[i] != NULL; i++)
        DO(recipe_queue_put(queue, entries[i], 3, 100, -1), ZOK, ZOK, false);
    for (int i = 0; entries[i] != NULL; i++) {
        DO(recipe_queue_take(queue, &data, &size, -1), ZOK, ZOK, false);
        if (size != 3 || strcmp(data, entries[i]) != 0)
            WRONG("%s is taken instead of %s", data, entries[i]);
        free(data);
    }
    DO(recipe_queue_take(queue, &data, &size, 0), ZOPERATIONTIMEOUT, ZOPERATIONTIMEOUT, false);
    recipe_queue_free(queue);
    until_empty("/l/queue");
    until_empty("/l/queue-users");
}

static void *wait_at_the_barrier(void *nothing)
{
    role = PROGRAM;
    DO(recipe_barrier_wait(zh, "/l/barrier", -1), ZOK, ZOK, false);
    return nothing;
}

static void barriers(void)
{
    recipe_double_barrier_t *barrier;
    pthread_t waiter;

    DO(recipe_barrier_close(zh, "/l/barrier", NULL, -1), ZOK, ZOK, false);
    DO(pthread_create(&waiter, NULL, wait_at_the_barrier, NULL) == 0 ? ZOK : ZSYSTEMERROR, ZOK, ZOK,
       false);
    DO(recipe_barrier_open(zh, "/l/barrier", -1), ZOK, ZOK, false);
    pthread_join(waiter, NULL);
    DO(recipe_double_barrier_new(zh, "/l/double", 1, NULL, &barrier), ZOK, ZOK, false);
    DO(recipe_double_barrier_enter(barrier, -1), ZOK, ZOK, false);
    DO(recipe_double_barrier_leave(barrier, -1), ZOK, ZOK, false);
    recipe_double_barrier_free(barrier);
    until_empty("/l/double");
}

static void all_recipes(const char *hosts)
{
    DO(open_handle(hosts), ZOK, ZOK, false);
    UNTIL("the first connection", connected > 0);
    locks();
    elections();
    queues();
    barriers();
    DO(zookeeper_close(zh), ZOK, ZOK, false);
}

int main(int argc, char **argv)
{
    char hosts[HOSTS_BYTES];

    if (argc != 2)
        return 100;
    role = PROGRAM;
    setvbuf(stdout, NULL, _IONBF, 0);
    zoo_set_debug_level(0);
    ten_names_of(argv[1], hosts);
    each_allocation(hosts, CALLBACKS, 1, 8, all_recipes);
    each_allocation(hosts, CALLBACKS, 5, 8, all_recipes);
    each_allocation(hosts, READER, 1, 15, all_recipes);
    each_allocation(hosts, READER, 5, 15, all_recipes);
    each_allocation(hosts, PROGRAM, 1, 100, all_recipes);
    each_allocation(hosts, PROGRAM, 5, 100, all_recipes);
    return wrong;
}
