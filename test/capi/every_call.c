/* every_call.c: every function of the C API, and the errors that each can give, as one page of text. It is
 * built with Debian's headers and library, and must print the same page with ours in its place.
 *
 *     every_call HOST:PORT */
#define THREADED
#include <zookeeper/zookeeper.h>

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LINES_MAX = 64, WAIT_S = 20 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static char lines[LINES_MAX][256];
static int line_count;

/* What callbacks say is kept, and printed in alphabetical order when all of it has come. */
static void note(const char *format, ...)
{
    va_list arguments;

    pthread_mutex_lock(&mutex);
    va_start(arguments, format);
    if (line_count < LINES_MAX)
        vsnprintf(lines[line_count++], sizeof(lines[0]), format, arguments);
    va_end(arguments);
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

static int compare(const void *left, const void *right)
{
    return strcmp(left, right);
}

static void expect(int count)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_S;
    pthread_mutex_lock(&mutex);
    while (line_count < count && pthread_cond_timedwait(&changed, &mutex, &until) != ETIMEDOUT)
        ;
    qsort(lines, (size_t)line_count, sizeof(lines[0]), compare);
    for (int i = 0; i < line_count; i++)
        printf("    %s\n", lines[i]);
    if (line_count != count)
        printf("    %d lines, and not %d\n", line_count, count);
    line_count = 0;
    pthread_mutex_unlock(&mutex);
}

static void said(const char *what, int rc)
{
    printf("%s: %d %s\n", what, rc, zerror(rc));
}

static void watch(zhandle_t *zh, int type, int state, const char *path, void *context)
{
    (void)zh;
    note("%s: event %d state %d \"%s\"", context ? (char *)context : "global", type, state, path);
}

static void on_void(int rc, const void *data)
{
    note("%s: %d", (const char *)data, rc);
}

static void on_stat(int rc, const struct Stat *stat, const void *data)
{
    note("%s: %d version %d", (const char *)data, rc, stat ? stat->version : -9);
}

static void on_data(int rc, const char *value, int size, const struct Stat *stat, const void *data)
{
    note("%s: %d \"%.*s\" %d bytes, version %d", (const char *)data, rc, size > 0 ? size : 0,
         value ? value : "", size, stat ? stat->version : -9);
}

static void on_strings(int rc, const struct String_vector *names, const void *data)
{
    note("%s: %d, %d names, first %s", (const char *)data, rc, names ? names->count : -1,
         names && names->count > 0 ? names->data[0] : "none");
}

static void on_strings_stat(int rc, const struct String_vector *names, const struct Stat *stat,
                            const void *data)
{
    on_strings(rc, names, data);
    note("%s: stat %d", (const char *)data, stat ? stat->numChildren : -9);
}

static void on_string(int rc, const char *value, const void *data)
{
    note("%s: %d %s", (const char *)data, rc, value ? value : "NULL");
}

static void on_string_stat(int rc, const char *value, const struct Stat *stat, const void *data)
{
    note("%s: %d %s, %d bytes", (const char *)data, rc, value ? value : "NULL",
         stat ? stat->dataLength : -9);
}

static void on_acl(int rc, struct ACL_vector *acl, struct Stat *stat, const void *data)
{
    note("%s: %d, %d entries, aversion %d", (const char *)data, rc, acl ? acl->count : -1,
         stat ? stat->aversion : -9);
}

static zhandle_t *open_handle(const char *host, char *context)
{
    zhandle_t *zh = zookeeper_init(host, watch, 10000, NULL, context, ZOO_NO_LOG_CLIENTENV);

    if (zh == NULL) {
        printf("no handle: %s\n", strerror(errno));
        exit(1);
    }
    expect(1);
    return zh;
}

static const struct ACL_vector *open_acl(void)
{
    return &ZOO_OPEN_ACL_UNSAFE;
}

static void creates(zhandle_t *zh)
{
    char path[64];
    struct Stat stat;

    printf("== create\n");
    said("plain", zoo_create(zh, "/a", "data", 4, open_acl(), 0, path, sizeof(path)));
    printf("%s\n", path);
    said("again", zoo_create(zh, "/a", "data", 4, open_acl(), 0, path, sizeof(path)));
    said("no parent", zoo_create(zh, "/x/y", "", 0, open_acl(), 0, NULL, 0));
    said("ephemeral", zoo_create(zh, "/a/e", "", 0, open_acl(), ZOO_EPHEMERAL, NULL, 0));
    said("below it", zoo_create(zh, "/a/e/f", "", 0, open_acl(), 0, NULL, 0));
    said("sequential", zoo_create(zh, "/a/s-", "", 0, open_acl(), ZOO_SEQUENCE, path, 64));
    printf("%s\n", path);
    said("both", zoo_create(zh, "/a/", "", 0, open_acl(), ZOO_SEQUENCE | ZOO_EPHEMERAL, path, 5));
    printf("%s\n", path);
    said("container", zoo_create(zh, "/c", NULL, -1, open_acl(), ZOO_CONTAINER, path, 64));
    said("mode 9", zoo_create(zh, "/m", "", 0, open_acl(), 9, NULL, 0));
    said("no acl", zoo_create(zh, "/m", "", 0, NULL, 0, NULL, 0));
    said("auth without", zoo_create(zh, "/m", "", 0, &ZOO_CREATOR_ALL_ACL, 0, NULL, 0));
    said("ttl", zoo_create_ttl(zh, "/t", "", 0, open_acl(), ZOO_PERSISTENT_WITH_TTL, 60000, path,
                               sizeof(path)));
    said("ttl 0",
         zoo_create_ttl(zh, "/t0", "", 0, open_acl(), ZOO_PERSISTENT_WITH_TTL, 0, NULL, 0));
    said("ttl and no mode", zoo_create_ttl(zh, "/t1", "", 0, open_acl(), 0, 5, NULL, 0));
    said("create2", zoo_create2(zh, "/c2", "abc", 3, open_acl(), 0, path, sizeof(path), &stat));
    printf("%s %d bytes\n", path, stat.dataLength);
    said("create2 ttl", zoo_create2_ttl(zh, "/c3", "ab", 2, open_acl(), ZOO_PERSISTENT_WITH_TTL,
                                        60000, path, sizeof(path), &stat));
    printf("%s %d bytes\n", path, stat.dataLength);
}

static void bad_paths(zhandle_t *zh)
{
    static const char *const paths[] = {"", "a", "/a/", "//", "/a/../b", "/.", "/\x01", "/\x1f"};
    char buffer[8];
    struct String_vector names;
    struct ACL_vector acl;
    struct Stat stat;

    printf("== paths\n");
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        const char *path = paths[i];
        int size = sizeof(buffer);
        printf("\"%s\"\n", path[0] && path[1] > 0 && path[1] < ' ' ? "control" : path);
        said("  create", zoo_create(zh, path, "", 0, open_acl(), 0, NULL, 0));
        said("  delete", zoo_delete(zh, path, -1));
        said("  exists", zoo_exists(zh, path, 0, &stat));
        said("  get", zoo_get(zh, path, 0, buffer, &size, &stat));
        said("  set", zoo_set(zh, path, "", 0, -1));
        said("  children", zoo_get_children(zh, path, 0, &names));
        said("  children2", zoo_get_children2(zh, path, 0, &names, &stat));
        said("  get acl", zoo_get_acl(zh, path, &acl, &stat));
        said("  set acl", zoo_set_acl(zh, path, -1, open_acl()));
        said("  sync", zoo_async(zh, path, on_string, "sync"));
    }
    expect(1);
}

static void reads_and_writes(zhandle_t *zh)
{
    char buffer[64];
    int size = sizeof(buffer);
    struct Stat stat;
    struct String_vector names;
    struct ACL_vector acl;

    printf("== read and write\n");
    said("get", zoo_get(zh, "/a", 0, buffer, &size, &stat));
    printf("%d %.*s %d\n", size, size, buffer, stat.dataLength);
    size = 2;
    said("short", zoo_get(zh, "/a", 0, buffer, &size, &stat));
    printf("%d\n", size);
    size = sizeof(buffer);
    said("null data", zoo_get(zh, "/c", 0, buffer, &size, &stat));
    printf("%d\n", size);
    size = 7;
    said("absent", zoo_get(zh, "/none", 0, buffer, &size, &stat));
    printf("%d\n", size);
    said("set", zoo_set(zh, "/a", "v1", 2, -1));
    said("set2", zoo_set2(zh, "/a", "v2", 2, 1, &stat));
    printf("%d\n", stat.version);
    said("bad version", zoo_set(zh, "/a", "v", 1, 77));
    said("set absent", zoo_set(zh, "/none", "v", 1, -1));
    said("exists", zoo_exists(zh, "/a", 0, &stat));
    said("exists absent", zoo_exists(zh, "/none", 0, &stat));
    said("children", zoo_get_children(zh, "/a", 0, &names));
    printf("%d\n", names.count);
    deallocate_String_vector(&names);
    said("children2", zoo_get_children2(zh, "/a", 0, &names, &stat));
    printf("%d %d\n", names.count, stat.numChildren);
    deallocate_String_vector(&names);
    said("no children", zoo_get_children(zh, "/c2", 0, &names));
    printf("%d\n", names.count);
    deallocate_String_vector(&names);
    said("children absent", zoo_get_children(zh, "/none", 0, &names));
    said("acl", zoo_get_acl(zh, "/a", &acl, &stat));
    printf("%d %d %s %s\n", acl.count, acl.data[0].perms, acl.data[0].id.scheme, acl.data[0].id.id);
    deallocate_ACL_vector(&acl);
    said("acl absent", zoo_get_acl(zh, "/none", &acl, &stat));
    said("set acl", zoo_set_acl(zh, "/c2", -1, &ZOO_READ_ACL_UNSAFE));
    said("set acl bad version", zoo_set_acl(zh, "/c2", 9, &ZOO_READ_ACL_UNSAFE));
    said("now no write", zoo_set(zh, "/c2", "", 0, -1));
    said("delete not empty", zoo_delete(zh, "/a", -1));
    said("delete bad version", zoo_delete(zh, "/c3", 9));
    said("delete", zoo_delete(zh, "/c3", 0));
    said("delete absent", zoo_delete(zh, "/c3", 0));
    size = sizeof(buffer);
    said("config", zoo_getconfig(zh, 0, buffer, &size, &stat));
    said("reconfig", zoo_reconfig(zh, NULL, "1", NULL, -1, buffer, &size, &stat));
}

static void watches(zhandle_t *zh)
{
    char buffer[8];
    int size = sizeof(buffer);
    struct String_vector names;
    struct Stat stat;

    printf("== watches\n");
    said("watched", zoo_create(zh, "/w", "", 0, open_acl(), 0, NULL, 0));
    said("get", zoo_get(zh, "/w", 1, buffer, &size, &stat));
    said("wget", zoo_wget(zh, "/w", watch, "one", buffer, &size, &stat));
    said("wget again", zoo_wget(zh, "/w", watch, "one", buffer, &size, &stat));
    said("set", zoo_set(zh, "/w", "x", 1, -1));
    expect(2);
    said("wexists absent", zoo_wexists(zh, "/w2", watch, "exists", &stat));
    said("exists absent", zoo_exists(zh, "/w2", 1, &stat));
    said("create", zoo_create(zh, "/w2", "", 0, open_acl(), 0, NULL, 0));
    expect(2);
    said("wchildren", zoo_wget_children(zh, "/w", watch, "children", &names));
    deallocate_String_vector(&names);
    said("wchildren2", zoo_wget_children2(zh, "/w", watch, "children2", &names, &stat));
    deallocate_String_vector(&names);
    said("child", zoo_create(zh, "/w/k", "", 0, open_acl(), 0, NULL, 0));
    expect(2);
    said("wget", zoo_wget(zh, "/w2", watch, "a", buffer, &size, &stat));
    said("wexists", zoo_wexists(zh, "/w2", watch, "b", &stat));
    said("wchildren", zoo_wget_children(zh, "/w2", watch, "c", &names));
    deallocate_String_vector(&names);
    said("delete", zoo_delete(zh, "/w2", -1));
    expect(3);
    said("wget absent", zoo_wget(zh, "/w2", watch, "never", buffer, &size, &stat));
    said("create", zoo_create(zh, "/w2", "", 0, open_acl(), 0, NULL, 0));
    said("wconfig", zoo_wgetconfig(zh, watch, "config", buffer, &size, &stat));
}

static void removed_watches(zhandle_t *zh)
{
    char buffer[8];
    int size = sizeof(buffer);
    struct Stat stat;

    printf("== watches removed\n");
    said("wget", zoo_wget(zh, "/w", watch, "gone", buffer, &size, &stat));
    said("other type", zoo_remove_watches(zh, "/w", ZWATCHTYPE_CHILD, watch, "gone", 0));
    said("other context", zoo_remove_watches(zh, "/w", ZWATCHTYPE_DATA, watch, "x", 0));
    said("remove", zoo_remove_watches(zh, "/w", ZWATCHTYPE_DATA, watch, "gone", 0));
    said("twice", zoo_remove_watches(zh, "/w", ZWATCHTYPE_DATA, watch, "gone", 0));
    said("wget", zoo_wget(zh, "/w", watch, "gone", buffer, &size, &stat));
    said("all, here", zoo_remove_all_watches(zh, "/w", ZWATCHTYPE_ANY, 1));
    said("wget", zoo_wget(zh, "/w", watch, "gone", buffer, &size, &stat));
    said("all", zoo_remove_all_watches(zh, "/w", ZWATCHTYPE_ANY, 0));
    said("wget", zoo_wget(zh, "/w", watch, "gone", buffer, &size, &stat));
    said("async", zoo_aremove_watches(zh, "/w", ZWATCHTYPE_ANY, watch, "gone", 0,
                                      (void_completion_t *)on_void, "removed"));
    expect(1);
    said("wget", zoo_wget(zh, "/w", watch, "gone", buffer, &size, &stat));
    said("async all", zoo_aremove_all_watches(zh, "/w", ZWATCHTYPE_ANY, 0,
                                              (void_completion_t *)on_void, "removed all"));
    expect(1);
    said("nothing hears it", zoo_set(zh, "/w", "y", 1, -1));
}

static void asynchronous(zhandle_t *zh)
{
    static zoo_op_result_t results[2];
    static zoo_op_t ops[2];

    printf("== asynchronous\n");
    said("create", zoo_acreate(zh, "/as", "v", 1, open_acl(), 0, on_string, "01 create"));
    said("create2", zoo_acreate2(zh, "/as2", "v", 1, open_acl(), 0, on_string_stat, "02 create2"));
    said("ttl", zoo_acreate_ttl(zh, "/as3", "v", 1, open_acl(), ZOO_PERSISTENT_WITH_TTL, 9000,
                                on_string, "03 ttl"));
    said("ttl2", zoo_acreate2_ttl(zh, "/as4", "v", 1, open_acl(), ZOO_PERSISTENT_WITH_TTL, 9000,
                                  on_string_stat, "04 ttl2"));
    said("exists", zoo_aexists(zh, "/as", 0, on_stat, "05 exists"));
    said("wexists", zoo_awexists(zh, "/none2", watch, "as", on_stat, "06 wexists"));
    said("get", zoo_aget(zh, "/as", 0, on_data, "07 get"));
    said("get absent", zoo_aget(zh, "/none", 0, on_data, "08 get absent"));
    said("wget", zoo_awget(zh, "/as", watch, "as", on_data, "09 wget"));
    said("set", zoo_aset(zh, "/as", "w", 1, 0, on_stat, "10 set"));
    said("children", zoo_aget_children(zh, "/w", 0, on_strings, "11 children"));
    said("wchildren", zoo_awget_children(zh, "/as2", watch, "as", on_strings, "12 wchildren"));
    said("children2", zoo_aget_children2(zh, "/w", 0, on_strings_stat, "13 children2"));
    said("wchildren2", zoo_awget_children2(zh, "/none", watch, "as", on_strings_stat, "14 none"));
    said("sync", zoo_async(zh, "/", on_string, "15 sync"));
    said("acl", zoo_aget_acl(zh, "/as", on_acl, "16 acl"));
    said("acl absent", zoo_aget_acl(zh, "/none", on_acl, "17 acl absent"));
    said("set acl", zoo_aset_acl(zh, "/as", 0, &ZOO_OPEN_ACL_UNSAFE, on_void, "18 set acl"));
    said("reconfig", zoo_areconfig(zh, NULL, "1", NULL, -1, on_data, "19 reconfig"));
    zoo_create_op_init(&ops[0], "/as5", "", 0, open_acl(), 0, NULL, 0);
    zoo_delete_op_init(&ops[1], "/as5", 0);
    said("multi", zoo_amulti(zh, 2, ops, results, on_void, "20 multi"));
    said("delete", zoo_adelete(zh, "/as2", -1, on_void, "21 delete"));
    said("bad path", zoo_adelete(zh, "as", -1, on_void, "never"));
    said("bad ttl", zoo_acreate_ttl(zh, "/x", "", 0, open_acl(), 0, 7, on_string, "never"));
    expect(25);
}

static void multis(zhandle_t *zh)
{
    zoo_op_t ops[5];
    zoo_op_result_t results[5];
    char path[64] = "";
    struct Stat stat = {0};

    printf("== multi\n");
    memset(results, 0, sizeof(results));
    zoo_create_op_init(&ops[0], "/m-", "1", 1, open_acl(), ZOO_SEQUENCE, path, sizeof(path));
    zoo_set_op_init(&ops[1], "/w", "m", 1, -1, &stat);
    zoo_check_op_init(&ops[2], "/w", -1);
    zoo_create_op_init(&ops[3], "/mc", NULL, -1, open_acl(), ZOO_EPHEMERAL, NULL, 0);
    zoo_delete_op_init(&ops[4], "/w/k", -1);
    said("all", zoo_multi(zh, 5, ops, results));
    printf("%s %d\n", path, stat.dataLength);
    for (int i = 0; i < 5; i++)
        printf("%d ", results[i].err);
    zoo_check_op_init(&ops[2], "/w", 99);
    said("\nfails", zoo_multi(zh, 5, ops, results));
    for (int i = 0; i < 5; i++)
        printf("%d ", results[i].err);
    said("\nnone", zoo_multi(zh, 0, ops, results));
    zoo_delete_op_init(&ops[1], "bad", -1);
    ops[0].type = ZOO_GETDATA_OP;
    said("not in a multi", zoo_multi(zh, 1, ops, results));
}

static void proofs(zhandle_t *zh)
{
    printf("== proofs\n");
    said("digest", zoo_add_auth(zh, "digest", "bob:pw", 6, on_void, "auth"));
    expect(1);
    said("mine", zoo_create(zh, "/mine", "", 0, &ZOO_CREATOR_ALL_ACL, 0, NULL, 0));
    said("no scheme", zoo_add_auth(zh, NULL, "x", 1, on_void, "never"));
}

static void chroots(const char *host, zhandle_t *zh)
{
    char text[256], path[64];
    zhandle_t *below;

    printf("== chroot\n");
    snprintf(text, sizeof(text), "%s/w", host);
    below = open_handle(text, "chroot");
    said("create", zoo_create(below, "/in", "", 0, open_acl(), 0, path, sizeof(path)));
    printf("%s\n", path);
    said("seen from above", zoo_exists(zh, "/w/in", 0, NULL));
    said("watch", zoo_wexists(below, "/in", watch, "below", NULL));
    said("delete", zoo_delete(zh, "/w/in", -1));
    expect(1);
    said("itself", zoo_exists(below, "/", 0, NULL));
    said("close", zookeeper_close(below));
}

static void handles(zhandle_t *zh)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof(address);

    printf("== handle\n");
    printf("%d %d %s\n", zoo_state(zh), zoo_recv_timeout(zh), (const char *)zoo_get_context(zh));
    zoo_set_context(zh, "other");
    printf("%s\n", (const char *)zoo_get_context(zh));
    printf("%d %d\n", zoo_set_watcher(zh, NULL) == watch, is_unrecoverable(zh));
    zoo_set_watcher(zh, watch);
    printf("%d\n", zookeeper_get_connected_host(zh, (struct sockaddr *)&address, &size) != NULL);
    said("servers", zoo_set_servers(zh, NULL));
    said("delay", zoo_set_servers_resolution_delay(zh, 0));
    said("bad delay", zoo_set_servers_resolution_delay(zh, -2));
    printf("%d\n", zoo_get_log_callback(zh) == NULL);
}

static void endings(const char *host)
{
    clientid_t unknown = {.client_id = 0x1234567};
    zhandle_t *zh;

    printf("== the end\n");
    zh = open_handle(host, "bad proof");
    said("bad proof", zoo_add_auth(zh, "nosuch", "x", 1, on_void, "refused"));
    expect(2);
    printf("%d %d\n", zoo_state(zh), is_unrecoverable(zh));
    said("call", zoo_exists(zh, "/", 0, NULL));
    said("async call", zoo_aexists(zh, "/", 0, on_stat, "never"));
    said("close", zookeeper_close(zh));
    zh = zookeeper_init(host, watch, 10000, &unknown, "unknown", ZOO_NO_LOG_CLIENTENV);
    expect(1);
    printf("%d\n", zoo_state(zh));
    said("call", zoo_set(zh, "/", "", 0, -1));
    said("close", zookeeper_close(zh));
    said("nothing to close", zookeeper_close(NULL));
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    zoo_set_debug_level(0);
    zhandle_t *zh = open_handle(argv[1], "first");
    handles(zh);
    creates(zh);
    bad_paths(zh);
    reads_and_writes(zh);
    watches(zh);
    removed_watches(zh);
    asynchronous(zh);
    multis(zh);
    proofs(zh);
    chroots(argv[1], zh);
    said("close", zookeeper_close(zh));
    endings(argv[1]);
    return 0;
}
