/* puppet.c: a handle that does what the lines of its input say, so that a test can play the servers
 * meanwhile. Every answer and every event is a line of the output.
 *
 *     puppet HOSTS TIMEOUT_MS [flags] */
#define THREADED
#include <zookeeper/zookeeper.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static zhandle_t *zh;
static int close_in_watcher, call_in_watcher;

static void watch(zhandle_t *handle, int type, int state, const char *path, void *context)
{
    if (call_in_watcher && type != ZOO_SESSION_EVENT)
        printf("inside %d\n", zoo_exists(handle, "/", 0, NULL));
    if (close_in_watcher && type != ZOO_SESSION_EVENT)
        printf("closed inside %d\n", zookeeper_close(handle));
    printf("event %s %d %d %s\n", (const char *)context, type, state, path);
}

static void got(int rc, const char *value, int size, const struct Stat *stat, const void *data)
{
    (void)value, (void)size, (void)stat, (void)data;
    printf("got %d\n", rc);
}

static void authenticated(int rc, const void *data)
{
    (void)data;
    printf("auth %d\n", rc);
}

static void get(const char *path, int with_watch)
{
    char buffer[100];
    int size = sizeof(buffer);
    int rc = with_watch ? zoo_wget(zh, path, watch, "path", buffer, &size, NULL)
                        : zoo_get(zh, path, 0, buffer, &size, NULL);

    printf("get %d %.*s\n", rc, rc == ZOK && size > 0 ? size : 0, buffer);
}

/* Writes of nearly a megabyte each, all at once; gives how many succeed. */
static int filled;

static void on_fill(int rc, const struct Stat *stat, const void *data)
{
    (void)stat;
    filled += rc == ZOK;
    if (data != NULL)
        printf("fill %d\n", filled);
}

static void fill(const char *path, int count)
{
    static char value[1000000];

    zoo_create(zh, path, "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0);
    for (int i = 1; i <= count; i++)
        zoo_aset(zh, path, value, sizeof(value), -1, on_fill, i == count ? value : NULL);
}

static void obey(const char *word, const char *argument, const char *second)
{
    if (strcmp(word, "get") == 0)
        get(argument, 0);
    else if (strcmp(word, "watch") == 0)
        get(argument, 1);
    else if (strcmp(word, "exists") == 0)
        printf("exists %d\n", zoo_wexists(zh, argument, watch, "exists", NULL));
    else if (strcmp(word, "create") == 0)
        printf("create %d\n",
               zoo_create(zh, argument, "", 0, &ZOO_OPEN_ACL_UNSAFE, atoi(second), NULL, 0));
    else if (strcmp(word, "set") == 0)
        printf("set %d\n", zoo_set(zh, argument, second, (int)strlen(second), -1));
    else if (strcmp(word, "auth") == 0)
        printf("asked %d\n",
               zoo_add_auth(zh, "digest", argument, (int)strlen(argument), authenticated, NULL));
    else if (strcmp(word, "gets") == 0)
        for (int i = atoi(second); i > 0; i--)
            zoo_aget(zh, argument, 0, got, NULL);
    else if (strcmp(word, "fill") == 0)
        fill(argument, atoi(second));
    else if (strcmp(word, "id") == 0)
        printf("id %llx\n", (unsigned long long)zoo_client_id(zh)->client_id);
    else if (strcmp(word, "state") == 0)
        printf("state %d\n", zoo_state(zh));
    else if (strcmp(word, "server") == 0)
        printf("server %s\n", zoo_get_current_server(zh));
    else if (strcmp(word, "servers") == 0)
        printf("servers %d\n", zoo_set_servers(zh, argument));
    else if (strcmp(word, "close_in_watcher") == 0)
        close_in_watcher = 1;
    else if (strcmp(word, "call_in_watcher") == 0)
        call_in_watcher = 1;
    else if (strcmp(word, "close") == 0)
        printf("close %d\n", zookeeper_close(zh));
    else
        printf("unknown word %s\n", word);
}

int main(int argc, char **argv)
{
    char line[512], word[64], argument[300], second[100];

    if (argc < 3)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    zoo_set_debug_level(0);
    zoo_deterministic_conn_order(1);
    zh = zookeeper_init(argv[1], watch, atoi(argv[2]), NULL, "global",
                        ZOO_NO_LOG_CLIENTENV | (argc > 3 ? atoi(argv[3]) : 0));
    if (zh == NULL) {
        printf("no handle: %s\n", strerror(errno));
        return 1;
    }
    while (fgets(line, sizeof(line), stdin) != NULL) {
        argument[0] = second[0] = '\0';
        if (sscanf(line, "%63s %299s %99s", word, argument, second) >= 1)
            obey(word, argument, second);
    }
    return 0;
}
