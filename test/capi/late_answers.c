/* late_answers.c: answers and events that reach a recipe when it is used again are not taken for news of this
 * use; and a node is removed although the server takes no writes when that is asked. The functions of the C API
 * that the recipes call are replaced here by ones that wait, or refuse, and then call the real ones. Prints what
 * is wrong; its exit code is the number of that.
 *
 *     late_answers HOST:PORT */
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <zookeeper/recipes.h>

static zhandle_t *zh;
static sem_t connected, looks, released, callbacks_go_on, passed;
static atomic_bool holds_looks, refuses_deletes;
static atomic_int refused;
static int wrong;

#define CHECK(what)                                                                                \
    do {                                                                                           \
        if (!(what)) {                                                                             \
            printf("line %d: %s\n", __LINE__, #what);                                              \
            wrong++;                                                                               \
        }                                                                                          \
    } while (0)

static void wait_for(sem_t *sem)
{
    while (sem_wait(sem) != 0)
        ;
}

static void on_global(zhandle_t *handle, int type, int state, const char *path, void *context)
{
    (void)handle, (void)path, (void)context;
    if (type == ZOO_SESSION_EVENT && state == ZOO_CONNECTED_STATE)
        sem_post(&connected);
}

/* A completion that holds up all that come behind it. */
static void hold_up(int rc, const char *value, const void *data)
{
    (void)rc, (void)value, (void)data;
    wait_for(&callbacks_go_on);
}

static void pass(int rc, const char *value, const void *data)
{
    (void)rc, (void)value, (void)data;
    sem_post(&passed);
}

/* Everything that was received before has been given to its callback. */
static void let_callbacks_run(void)
{
    sem_post(&callbacks_go_on);
    CHECK(zoo_async(zh, "/", pass, NULL) == ZOK);
    wait_for(&passed);
}

/* The look for the own node that follows an event: asked only when the node has been given back, and answered
 * behind what holds up the callbacks. */
int zoo_awget(zhandle_t *handle, const char *path, watcher_fn watcher, void *context,
              data_completion_t completion, const void *data)
{
    int (*real)(zhandle_t *, const char *, watcher_fn, void *, data_completion_t, const void *) =
        dlsym(RTLD_NEXT, "zoo_awget");

    if (atomic_exchange(&holds_looks, false)) {
        sem_post(&looks);
        wait_for(&released);
        CHECK(zoo_async(handle, "/", hold_up, NULL) == ZOK);
    }
    return real(handle, path, watcher, context, completion, data);
}

int zoo_delete(zhandle_t *handle, const char *path, int version)
{
    int (*real)(zhandle_t *, const char *, int) = dlsym(RTLD_NEXT, "zoo_delete");

    if (refuses_deletes) {
        refused++;
        return ZNOTREADONLY;
    }
    return real(handle, path, version);
}

struct refusal {
    void_completion_t completion;
    const void *data;
};

static void refuse(int rc, const char *value, const void *data)
{
    const struct refusal *refusal = data;

    (void)rc, (void)value;
    refused++;
    refusal->completion(ZNOTREADONLY, refusal->data);
}

int zoo_adelete(zhandle_t *handle, const char *path, int version, void_completion_t completion,
                const void *data)
{
    static struct refusal refusal;
    int (*real)(zhandle_t *, const char *, int, void_completion_t, const void *) =
        dlsym(RTLD_NEXT, "zoo_adelete");

    if (atomic_exchange(&refuses_deletes, false)) {
        refusal = (struct refusal){completion, data};
        return zoo_async(handle, "/", refuse, &refusal);
    }
    return real(handle, path, version, completion, data);
}

static int count_children(const char *path)
{
    struct String_vector names = {0, NULL};

    CHECK(zoo_get_children(zh, path, 0, &names) == ZOK);
    int count = names.count;
    deallocate_String_vector(&names);
    return count;
}

/* Nodes come and go in other threads; a server tells how many there are only when asked. */
static void until_children(const char *path, int count)
{
    while (count_children(path) != count)
        usleep(1000);
}

static void a_look_for_an_earlier_node_does_not_lose_the_next(void)
{
    recipe_lock_t *lock;
    char node[200];

    CHECK(recipe_lock_new(zh, "/locks/look", RECIPE_LOCK_EXCLUSIVE, NULL, &lock) == ZOK);
    CHECK(recipe_lock_acquire(lock, -1) == ZOK);
    snprintf(node, sizeof(node), "%s", recipe_lock_node(lock));
    holds_looks = true;
    CHECK(zoo_set(zh, node, "", 0, -1) == ZOK);
    wait_for(&looks);
    CHECK(recipe_lock_release(lock) == ZOK);
    sem_post(&released);
    CHECK(recipe_lock_acquire(lock, -1) == ZOK);
    CHECK(strcmp(recipe_lock_node(lock), node) != 0);
    let_callbacks_run(); /* "there is no such node" */
    CHECK(recipe_lock_state(lock) == RECIPE_HELD);
    CHECK(recipe_lock_release(lock) == ZOK);
    CHECK(count_children("/locks/look") == 0);
    recipe_lock_free(lock);
}

static void *enter(void *barrier)
{
    CHECK(recipe_double_barrier_enter(barrier, -1) == ZCLOSING);
    return NULL;
}

static void a_ready_of_an_earlier_round_opens_nothing(void)
{
    recipe_double_barrier_t *barrier;
    pthread_t thread;

    CHECK(recipe_double_barrier_new(zh, "/double", 2, NULL, &barrier) == ZOK);
    CHECK(recipe_double_barrier_enter(barrier, 1) == ZOPERATIONTIMEOUT);
    until_children("/double", 0);
    CHECK(zoo_async(zh, "/", hold_up, NULL) == ZOK);
    CHECK(zoo_create(zh, "/double/ready", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0) == ZOK);
    CHECK(zoo_delete(zh, "/double/ready", -1) == ZOK);
    CHECK(pthread_create(&thread, NULL, enter, barrier) == 0);
    until_children("/double", 1);
    let_callbacks_run(); /* "ready" was created */
    recipe_double_barrier_cancel(barrier);
    pthread_join(thread, NULL);
    until_children("/double", 0);
    recipe_double_barrier_free(barrier);
}

static void a_node_is_removed_when_writes_are_taken_again(void)
{
    recipe_lock_t *lock;

    CHECK(recipe_lock_new(zh, "/locks/refused", RECIPE_LOCK_EXCLUSIVE, NULL, &lock) == ZOK);
    CHECK(recipe_lock_acquire(lock, -1) == ZOK);
    refuses_deletes = true;
    CHECK(recipe_lock_release(lock) == ZCONNECTIONLOSS);
    until_children("/locks/refused", 0);
    CHECK(refused == 2);
    recipe_lock_free(lock);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 100;
    setvbuf(stdout, NULL, _IONBF, 0);
    sem_init(&connected, 0, 0);
    sem_init(&looks, 0, 0);
    sem_init(&released, 0, 0);
    sem_init(&callbacks_go_on, 0, 0);
    sem_init(&passed, 0, 0);
    zoo_set_debug_level(0);
    zh = zookeeper_init(argv[1], on_global, 20000, NULL, NULL, ZOO_NO_LOG_CLIENTENV);
    if (zh == NULL)
        return 101;
    wait_for(&connected);
    a_look_for_an_earlier_node_does_not_lose_the_next();
    a_ready_of_an_earlier_round_opens_nothing();
    a_node_is_removed_when_writes_are_taken_again();
    CHECK(zookeeper_close(zh) == ZOK);
    return wrong;
}
