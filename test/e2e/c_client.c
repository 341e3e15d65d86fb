/* One story told through Debian's libzookeeper_mt, as an application would use it: prints a line
 * for each step, so that the test can compare. Exit status 0: every step did what it should. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zookeeper/zookeeper.h>

enum { WAIT_S = 20 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int connected;
static int watch_type;
static char watch_path[256];
static int failures;

static void session_watcher(zhandle_t *zh, int type, int state, const char *path, void *context)
{
    (void)zh, (void)path, (void)context;
    pthread_mutex_lock(&lock);
    if (type == ZOO_SESSION_EVENT && state == ZOO_CONNECTED_STATE)
        connected = 1;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void node_watcher(zhandle_t *zh, int type, int state, const char *path, void *context)
{
    (void)zh, (void)state, (void)context;
    pthread_mutex_lock(&lock);
    watch_type = type;
    snprintf(watch_path, sizeof watch_path, "%s", path);
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

/* Until *flag is not 0, or the time is over. */
static int await(const int *flag)
{
    struct timespec until;
    int status = 0, value;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_S;
    pthread_mutex_lock(&lock);
    while (*flag == 0 && status == 0)
        status = pthread_cond_timedwait(&changed, &lock, &until);
    value = *flag;
    pthread_mutex_unlock(&lock);
    return value;
}

static void expect(const char *step, int got, int wanted)
{
    printf("%s: %d\n", step, got);
    if (got != wanted) {
        printf("  wanted %d (%s), got %s\n", wanted, zerror(wanted), zerror(got));
        failures++;
    }
}

static void expect_event(const char *step, int type, const char *path)
{
    int got = await(&watch_type);

    printf("%s: event %d %s\n", step, got, watch_path);
    if (got != type || strcmp(watch_path, path) != 0)
        failures++;
    watch_type = 0;
}

static void expect_data(zhandle_t *zh, const char *path, const char *wanted, int version)
{
    char data[256];
    int size = sizeof data;
    struct Stat stat;

    expect("get", zoo_get(zh, path, 0, data, &size, &stat), ZOK);
    printf("  %.*s version %d\n", size, data, stat.version);
    if ((size_t)size != strlen(wanted) || memcmp(data, wanted, strlen(wanted)) != 0 ||
        stat.version != version)
        failures++;
}

static void tell_multi(zhandle_t *zh)
{
    char name[64], second[64];
    struct Stat stat;
    zoo_op_t ops[5];
    zoo_op_result_t results[5];

    zoo_create_op_init(&ops[0], "/c/multi-", "m", 1, &ZOO_OPEN_ACL_UNSAFE, ZOO_SEQUENCE, name,
                       sizeof name);
    zoo_create_op_init(&ops[1], "/c/second", NULL, -1, &ZOO_OPEN_ACL_UNSAFE, 0, second,
                       sizeof second);
    zoo_set_op_init(&ops[2], "/c/second", "s", 1, 0, &stat);
    zoo_check_op_init(&ops[3], "/c/second", 1);
    zoo_delete_op_init(&ops[4], "/c/second", 1);
    expect("multi", zoo_multi(zh, 5, ops, results), ZOK);
    printf("  %s %s version %d\n", name, second, stat.version);
    expect("the multi deleted again", zoo_exists(zh, "/c/second", 0, &stat), ZNONODE);

    zoo_create_op_init(&ops[0], "/c/never", "n", 1, &ZOO_OPEN_ACL_UNSAFE, 0, name, sizeof name);
    zoo_check_op_init(&ops[1], "/c", 99);
    zoo_delete_op_init(&ops[2], "/c", -1);
    expect("failing multi", zoo_multi(zh, 3, ops, results), ZBADVERSION);
    expect("  first", results[0].err, ZOK);
    expect("  second", results[1].err, ZBADVERSION);
    expect("  third", results[2].err, ZRUNTIMEINCONSISTENCY);
    expect("nothing of it", zoo_exists(zh, "/c/never", 0, &stat), ZNONODE);
}

static void auth_done(int status, const void *data)
{
    (void)data;
    pthread_mutex_lock(&lock);
    watch_type = status == ZOK ? 100 : -1;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void tell_acl(zhandle_t *zh)
{
    struct ACL_vector acl;
    struct Stat stat;

    expect("add auth", zoo_add_auth(zh, "digest", "c:secret", 8, auth_done, NULL), ZOK);
    expect("authenticated", await(&watch_type), 100);
    watch_type = 0;
    expect("create with auth", zoo_create(zh, "/c/mine", "x", 1, &ZOO_CREATOR_ALL_ACL, 0, NULL, 0),
           ZOK);
    expect("get acl", zoo_get_acl(zh, "/c/mine", &acl, &stat), ZOK);
    for (int i = 0; i < acl.count; i++)
        printf("  %d %s %s\n", acl.data[i].perms, acl.data[i].id.scheme, acl.data[i].id.id);
    deallocate_ACL_vector(&acl);
    expect("set acl", zoo_set_acl(zh, "/c/mine", 0, &ZOO_READ_ACL_UNSAFE), ZOK);
    expect("read-only now", zoo_set(zh, "/c/mine", "y", 1, -1), ZNOAUTH);
}

static void tell(zhandle_t *zh)
{
    char name[64];
    struct Stat stat;
    struct String_vector children;
    struct ACL_vector *open = &ZOO_OPEN_ACL_UNSAFE;

    expect("create", zoo_create(zh, "/c", "one", 3, open, 0, name, sizeof name), ZOK);
    expect("create again", zoo_create(zh, "/c", "one", 3, open, 0, name, sizeof name), ZNODEEXISTS);
    expect("create2", zoo_create2(zh, "/c/two", "2", 1, open, 0, name, sizeof name, &stat), ZOK);
    printf("  %s version %d length %d\n", name, stat.version, stat.dataLength);
    expect("create ttl",
           zoo_create_ttl(zh, "/c/ttl", "t", 1, open, ZOO_PERSISTENT_WITH_TTL, 3600000, name,
                          sizeof name),
           ZOK);
    expect("create container",
           zoo_create(zh, "/c/box", "b", 1, open, ZOO_CONTAINER, name, sizeof name), ZOK);
    expect_data(zh, "/c", "one", 0);
    expect("wexists", zoo_wexists(zh, "/c", node_watcher, NULL, &stat), ZOK);
    expect("set", zoo_set2(zh, "/c", "three", 5, 0, &stat), ZOK);
    printf("  version %d length %d\n", stat.version, stat.dataLength);
    expect_event("changed", ZOO_CHANGED_EVENT, "/c");
    expect("set with an old version", zoo_set(zh, "/c", "x", 1, 0), ZBADVERSION);
    expect_data(zh, "/c", "three", 1);

    expect("wexists of nothing", zoo_wexists(zh, "/c/late", node_watcher, NULL, &stat), ZNONODE);
    expect("create it", zoo_create(zh, "/c/late", NULL, -1, open, ZOO_EPHEMERAL, name, sizeof name),
           ZOK);
    expect_event("created", ZOO_CREATED_EVENT, "/c/late");
    expect("wget children", zoo_wget_children2(zh, "/c", node_watcher, NULL, &children, &stat),
           ZOK);
    printf("  %d children, stat says %d\n", children.count, stat.numChildren);
    deallocate_String_vector(&children);
    expect("delete", zoo_delete(zh, "/c/late", -1), ZOK);
    expect_event("children", ZOO_CHILD_EVENT, "/c");
    expect("delete with children", zoo_delete(zh, "/c", -1), ZNOTEMPTY);
    expect("delete nothing", zoo_delete(zh, "/c/none", -1), ZNONODE);
    tell_multi(zh);
    tell_acl(zh);
    expect("ephemeral for later",
           zoo_create(zh, "/c-ephemeral", "e", 1, open, ZOO_EPHEMERAL, name, sizeof name), ZOK);
}

int main(int argc, char **argv)
{
    zhandle_t *zh;

    if (argc != 2)
        return 2;
    zoo_set_debug_level(ZOO_LOG_LEVEL_ERROR);
    zh = zookeeper_init(argv[1], session_watcher, 20000, NULL, NULL, 0);
    if (zh == NULL || !await(&connected)) {
        puts("not connected");
        return 1;
    }
    tell(zh);
    expect("close", zookeeper_close(zh), ZOK);
    return failures != 0;
}
