/* no_crash.c: what ends a program with the older library, or is not in it: null handles and completions,
 * containers inside a multi, TLS and SASL that are not there, many handles. Prints what is wrong; its exit
 * code is the number of that.
 *
 *     no_crash HOST:PORT */
#define THREADED
#include <zookeeper/zookeeper.h>
#include <zookeeper/zookeeper_log.h>

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MUST(condition) check((condition), #condition, __LINE__)

static int wrong;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int connected, logged, lines_with_form;

static void check(int condition, const char *text, int line)
{
    if (condition)
        return;
    printf("line %d: not %s\n", line, text);
    wrong++;
}

static void watch(zhandle_t *zh, int type, int state, const char *path, void *context)
{
    (void)zh, (void)path, (void)context;
    pthread_mutex_lock(&mutex);
    connected += type == ZOO_SESSION_EVENT && state == ZOO_CONNECTED_STATE;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

static zhandle_t *open_handle(const char *host, log_callback_fn log, int flags)
{
    zhandle_t *zh = zookeeper_init2(host, watch, 10000, NULL, NULL, flags, log);

    MUST(zh != NULL);
    pthread_mutex_lock(&mutex);
    while (connected == 0)
        pthread_cond_wait(&changed, &mutex);
    connected = 0;
    pthread_mutex_unlock(&mutex);
    return zh;
}

static void null_handles(void)
{
    int size = 0;

    MUST(zoo_acreate(NULL, "/", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, NULL) == ZBADARGUMENTS);
    MUST(zoo_acreate2(NULL, "/", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, NULL) == ZBADARGUMENTS);
    MUST(zoo_adelete(NULL, "/", 0, NULL, NULL) == ZBADARGUMENTS);
    MUST(zoo_aexists(NULL, "/", 1, NULL, NULL) == ZBADARGUMENTS);
    MUST(zoo_aget(NULL, "/", 1, NULL, NULL) == ZBADARGUMENTS);
    MUST(zoo_agetconfig(NULL, 1, NULL, NULL) == ZBADARGUMENTS);
    MUST(zoo_areconfig(NULL, "", "", "", 0, NULL, NULL) == ZBADARGUMENTS);
    MUST(zoo_aset(NULL, "/", "", 0, 0, NULL, NULL) == ZBADARGUMENTS);
    MUST(zoo_aget_children(NULL, "/", 1, NULL, NULL) == ZBADARGUMENTS);
    MUST(zoo_aget_children2(NULL, "/", 1, NULL, NULL) == ZBADARGUMENTS);
    MUST(zoo_async(NULL, "/", NULL, NULL) == ZBADARGUMENTS);
    MUST(zoo_aget_acl(NULL, "/", NULL, NULL) == ZBADARGUMENTS);
    MUST(zoo_aset_acl(NULL, "/", 0, &ZOO_OPEN_ACL_UNSAFE, NULL, NULL) == ZBADARGUMENTS);
    MUST(zoo_amulti(NULL, 0, NULL, NULL, NULL, NULL) == ZBADARGUMENTS);
    MUST(zoo_add_auth(NULL, "a", "", 0, NULL, NULL) == ZBADARGUMENTS);
    MUST(zoo_aremove_all_watches(NULL, "/", ZWATCHTYPE_ANY, 0, NULL, NULL) == ZBADARGUMENTS);
    MUST(zoo_create(NULL, "/", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0) == ZBADARGUMENTS);
    MUST(zoo_get(NULL, "/", 0, NULL, &size, NULL) == ZBADARGUMENTS);
    MUST(zoo_getconfig(NULL, 1, NULL, &size, NULL) == ZBADARGUMENTS);
    MUST(zoo_exists(NULL, "/", 1, NULL) == ZBADARGUMENTS);
    MUST(zoo_set(NULL, "/", "", 0, 0) == ZBADARGUMENTS);
    MUST(zoo_get_children(NULL, "/", 1, NULL) == ZBADARGUMENTS);
    MUST(zoo_get_children2(NULL, "/", 1, NULL, NULL) == ZBADARGUMENTS);
    MUST(zoo_get_acl(NULL, "/", NULL, NULL) == ZBADARGUMENTS);
    MUST(zoo_set_acl(NULL, "/", 0, &ZOO_OPEN_ACL_UNSAFE) == ZBADARGUMENTS);
    MUST(zoo_multi(NULL, 0, NULL, NULL) == ZBADARGUMENTS);
    MUST(zoo_remove_all_watches(NULL, "/", ZWATCHTYPE_ANY, 1) == ZBADARGUMENTS);
    MUST(zoo_set_servers(NULL, "h:1") == ZBADARGUMENTS);
    MUST(zookeeper_close(NULL) == ZBADARGUMENTS);
    MUST(zoo_state(NULL) == 0 && zoo_recv_timeout(NULL) == 0 && zoo_client_id(NULL) == NULL);
    MUST(zoo_get_context(NULL) == NULL && zoo_set_watcher(NULL, watch) == NULL);
    MUST(zoo_get_current_server(NULL) == NULL && zoo_get_log_callback(NULL) == NULL);
    zoo_set_context(NULL, NULL);
    zoo_set_log_callback(NULL, NULL);
    zoo_cycle_next_server(NULL);
}

static void null_arguments(zhandle_t *zh)
{
    struct String_vector names;

    MUST(zoo_aget(zh, NULL, 0, NULL, NULL) == ZBADARGUMENTS);
    MUST(zoo_create(zh, NULL, "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0) == ZBADARGUMENTS);
    MUST(zoo_create(zh, "/n", NULL, 5, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0) == ZBADARGUMENTS);
    MUST(zoo_get(zh, "/", 0, NULL, NULL, NULL) == ZBADARGUMENTS);
    MUST(zoo_amulti(zh, 1, NULL, NULL, NULL, NULL) == ZBADARGUMENTS);
    MUST(zoo_amulti(zh, -1, NULL, NULL, NULL, NULL) == ZBADARGUMENTS);
    MUST(zoo_remove_watches(zh, "/", ZWATCHTYPE_ANY, NULL, NULL, 0) == ZBADARGUMENTS);
    /* Nobody is told of the answer. */
    MUST(zoo_aget(zh, "/", 0, NULL, NULL) == ZOK);
    MUST(zoo_aexists(zh, "/", 0, NULL, NULL) == ZOK);
    MUST(zoo_aget_children(zh, "/", 0, NULL, NULL) == ZOK);
    MUST(zoo_aget_acl(zh, "/", NULL, NULL) == ZOK);
    MUST(zoo_async(zh, "/", NULL, NULL) == ZOK);
    MUST(zoo_acreate(zh, "/nobody", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, NULL) == ZOK);
    MUST(zoo_get_children(zh, "/", 0, &names) == ZOK);
    deallocate_String_vector(&names);
    deallocate_String_vector(&names); /* twice does no harm */
}

static void containers_in_a_multi(zhandle_t *zh)
{
    zoo_op_t ops[2];
    zoo_op_result_t results[2];
    char path[32] = "";

    zoo_create_op_init(&ops[0], "/box", "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_CONTAINER, path, 32);
    zoo_create_op_init(&ops[1], "/box/a", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0);
    MUST(zoo_multi(zh, 2, ops, results) == ZOK);
    MUST(strcmp(path, "/box") == 0 && results[0].err == ZOK && results[1].err == ZOK);
    MUST(zoo_multi(zh, 2, ops, results) == ZNODEEXISTS);
    MUST(results[0].err == ZNODEEXISTS && results[1].err == ZRUNTIMEINCONSISTENCY);
    ops[0].type = ZOO_CREATE2_OP;
    MUST(zoo_multi(zh, 1, ops, results) == ZUNIMPLEMENTED);
}

static void large_values(zhandle_t *zh)
{
    static char value[900000], back[900000];
    int size = sizeof(back);

    memset(value, 'v', sizeof(value));
    MUST(zoo_create(zh, "/large", value, sizeof(value), &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0) == ZOK);
    MUST(zoo_get(zh, "/large", 0, back, &size, NULL) == ZOK);
    MUST(size == sizeof(back) && memcmp(value, back, sizeof(back)) == 0);
}

static void not_in_this_build(const char *host)
{
    errno = 0;
    MUST(zookeeper_init_ssl(host, "a,b,c", watch, 1000, NULL, NULL, 0) == NULL);
    MUST(errno == ENOTSUP);
    errno = 0;
    MUST(zookeeper_init_sasl(host, watch, 1000, NULL, NULL, 0, NULL, NULL) == NULL);
    MUST(errno == ENOTSUP);
}

static void log_line(const char *line)
{
    pthread_mutex_lock(&mutex);
    logged++;
    lines_with_form += strstr(line, ":ZOO_INFO@") != NULL && strlen(line) > 30 && line[4] == '-' &&
                       line[19] == ',';
    pthread_mutex_unlock(&mutex);
}

static void log_lines(const char *host)
{
    zoo_set_debug_level(ZOO_LOG_LEVEL_INFO);
    zhandle_t *zh = open_handle(host, log_line, 0);
    MUST(zoo_get_log_callback(zh) == log_line);
    MUST(logged >= 9 && logged == lines_with_form);
    LOG_INFO(LOGCALLBACK(zh), "%s", "a line of the program's own");
    MUST(lines_with_form >= 10);
    zookeeper_close(zh);
    int before = logged;
    zoo_set_debug_level(0);
    zh = open_handle(host, log_line, 0);
    zookeeper_close(zh);
    MUST(logged == before);
}

static int entries(const char *directory)
{
    DIR *open = opendir(directory);
    int count = 0;

    while (open != NULL && readdir(open) != NULL)
        count++;
    if (open != NULL)
        closedir(open);
    return count;
}

/* The program's own, and one of ThreadSanitizer. */
#ifdef __SANITIZE_THREAD__
enum { THREADS = 2 };
#else
enum { THREADS = 1 };
#endif

/* A thread that was joined is in the kernel's list for a moment longer. */
static int threads_end(void)
{
    enum { WAIT_MS = 30000 };

    for (int ms = 0; ms < WAIT_MS; ms++) {
        if (entries("/proc/self/task") == 2 + THREADS) /* with "." and ".." */
            return 1;
        usleep(1000);
    }
    return 0;
}

static void many_handles(const char *host)
{
    zhandle_t *handles[20];
    int fds = entries("/proc/self/fd");

    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 20; i++)
            handles[i] = open_handle(host, NULL, ZOO_NO_LOG_CLIENTENV);
        for (int i = 0; i < 20; i++)
            MUST(zookeeper_close(handles[i]) == ZOK);
    }
    MUST(entries("/proc/self/fd") == fds);
    MUST(threads_end());
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 100;
    zoo_set_debug_level(0);
    null_handles();
    not_in_this_build(argv[1]);
    zhandle_t *zh = open_handle(argv[1], NULL, ZOO_NO_LOG_CLIENTENV);
    null_arguments(zh);
    containers_in_a_multi(zh);
    large_values(zh);
    MUST(zookeeper_close(zh) == ZOK);
    log_lines(argv[1]);
    many_handles(argv[1]);
    return wrong;
}
