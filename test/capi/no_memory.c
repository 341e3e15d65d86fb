/* no_memory.c: each allocation of a call fails in turn, the first, the second, ...: the call must give an
 * error and the handle must go on. Prints what is wrong; its exit code is the number of that.
 *
 *     no_memory HOST:PORT */
#define THREADED
#include <zookeeper/zookeeper.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

/* The allocation of this thread that fails; 0: none. The library's own threads have all they want. */
static __thread int fails_at, reached;

static int fails(void)
{
    if (fails_at == 0 || ++reached != fails_at)
        return 0;
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    return fails() ? NULL : __libc_realloc(memory, size);
}

static int wrong, connected;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static void watch(zhandle_t *zh, int type, int state, const char *path, void *context)
{
    (void)zh, (void)path, (void)context;
    pthread_mutex_lock(&mutex);
    connected |= type == ZOO_SESSION_EVENT && state == ZOO_CONNECTED_STATE;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

enum { TURNS_MAX = 50 };

/* Runs `call` until none of its allocations fails any more. There must be one that does. */
#define EACH(name, call)                                                                           \
    do {                                                                                           \
        int turn = 1, fired = 1;                                                                   \
        for (; fired && turn <= TURNS_MAX; turn++) {                                               \
            reached = 0;                                                                           \
            fails_at = turn;                                                                       \
            int rc = (call);                                                                       \
            fired = reached >= turn;                                                               \
            fails_at = 0;                                                                          \
            if (fired && rc != ZSYSTEMERROR) {                                                     \
                printf("%s: allocation %d failed, and it gave %d\n", name, turn, rc);              \
                wrong++;                                                                           \
            }                                                                                      \
        }                                                                                          \
        if (turn == 2 || fired) {                                                                  \
            printf("%s: nothing failed, or all did\n", name);                                      \
            wrong++;                                                                               \
        }                                                                                          \
    } while (0)

static int init(const char *host)
{
    zhandle_t *zh = zookeeper_init(host, NULL, 10000, NULL, NULL, ZOO_NO_LOG_CLIENTENV);

    if (zh == NULL)
        return ZSYSTEMERROR;
    int kept = fails_at;
    fails_at = 0;
    zookeeper_close(zh);
    fails_at = kept;
    return reached >= kept ? ZSYSTEMERROR : ZOK; /* the system's part may do without */
}

static void synchronous(zhandle_t *zh)
{
    static char value[1000], back[1000];
    struct String_vector names = {0, NULL};
    struct ACL_vector acl = {0, NULL};
    int size = sizeof(back);
    zoo_op_t op;
    zoo_op_result_t result;

    EACH("set", zoo_set(zh, "/", value, sizeof(value), -1));
    EACH("get", zoo_get(zh, "/", 0, back, &size, NULL));
    EACH("wget", zoo_wget(zh, "/", watch, NULL, back, &size, NULL));
    EACH("exists", zoo_wexists(zh, "/none", watch, NULL, NULL));
    EACH("children", zoo_get_children(zh, "/", 0, &names));
    deallocate_String_vector(&names);
    EACH("acl", zoo_get_acl(zh, "/", &acl, NULL));
    deallocate_ACL_vector(&acl);
    EACH("set acl", zoo_set_acl(zh, "/", -1, &ZOO_OPEN_ACL_UNSAFE));
    EACH("create", zoo_create(zh, "/a", "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_SEQUENCE, NULL, 0));
    EACH("delete", zoo_delete(zh, "/none", -1));
    zoo_check_op_init(&op, "/", -1);
    EACH("multi", zoo_multi(zh, 1, &op, &result));
    EACH("remove", zoo_remove_watches(zh, "/none", ZWATCHTYPE_ANY, watch, NULL, 0));
    EACH("config", zoo_getconfig(zh, 0, back, &size, NULL));
}

static void asynchronous(zhandle_t *zh)
{
    zoo_op_t op;

    zoo_check_op_init(&op, "/", -1);
    EACH("aget", zoo_aget(zh, "/", 1, NULL, NULL));
    EACH("acreate", zoo_acreate(zh, "/b", "", 0, &ZOO_OPEN_ACL_UNSAFE, 2, NULL, NULL));
    EACH("amulti", zoo_amulti(zh, 1, &op, NULL, NULL, NULL));
    EACH("sync", zoo_async(zh, "/", NULL, NULL));
    EACH("auth", zoo_add_auth(zh, "digest", "a:b", 3, NULL, NULL));
}

/* A part of the servers must not pass for all of them. The system's part may do without memory. */
static int set_servers(zhandle_t *zh)
{
    enum { COUNT = 10 };
    char list[COUNT * 16 + 1] = "";
    unsigned seen = 0;

    for (int i = 0; i < COUNT; i++)
        snprintf(list + strlen(list), sizeof(list) - strlen(list), "127.0.0.%d:1,", 10 + i);
    int rc = zoo_set_servers(zh, list);
    /* More often than there are: the handle's thread takes some of them. */
    for (int i = 0; rc == ZOK && i < 20 * COUNT; i++) {
        zoo_cycle_next_server(zh);
        seen |= 1u << (atoi(strrchr(zoo_get_current_server(zh), '.') + 1) - 10);
    }
    if (rc == ZOK && seen != (1u << COUNT) - 1) {
        printf("servers: only %x are there\n", seen);
        return ZOK;
    }
    return rc == ZOK && reached >= fails_at ? ZSYSTEMERROR : rc;
}

static void other_servers(const char *host)
{
    zhandle_t *zh = zookeeper_init(host, NULL, 10000, NULL, NULL, ZOO_NO_LOG_CLIENTENV);

    EACH("set servers", set_servers(zh));
    zookeeper_close(zh);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 100;
    zoo_set_debug_level(0);
    EACH("init", init(argv[1]));
    zhandle_t *zh = zookeeper_init(argv[1], watch, 10000, NULL, NULL, ZOO_NO_LOG_CLIENTENV);
    pthread_mutex_lock(&mutex);
    while (!connected)
        pthread_cond_wait(&changed, &mutex);
    pthread_mutex_unlock(&mutex);
    synchronous(zh);
    asynchronous(zh);
    if (zoo_exists(zh, "/", 0, NULL) != ZOK) {
        printf("the handle does not go on\n");
        wrong++;
    }
    zookeeper_close(zh);
    other_servers(argv[1]);
    return wrong;
}
