/* hello.c: a program as users write them, with the threaded library:
 *
 *     cc hello.c $(pkg-config --cflags --libs libzookeeper_mt) && ./a.out HOST:PORT */
#include <zookeeper/zookeeper.h>

#include <stdio.h>
#include <string.h>

/* Names that users may well have, too: the library keeps its own of that kind to itself. */
int number_parse, log_line, client_init, buffer_append, slice_text, tree_find;

int main(int argc, char **argv)
{
    char value[64];
    int size = sizeof(value);

    if (argc != 2)
        return 2;
    zoo_set_debug_level(ZOO_LOG_LEVEL_ERROR);
    zhandle_t *zh = zookeeper_init(argv[1], NULL, 30000, NULL, NULL, 0);
    if (zh == NULL)
        return 1;
    int rc = zoo_create(zh, "/hello", "world", 5, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL, NULL, 0);
    if (rc == ZOK)
        rc = zoo_get(zh, "/hello", 0, value, &size, NULL);
    printf("%s: %.*s\n", zerror(rc), rc == ZOK ? size : 0, value);
    zookeeper_close(zh);
    return rc == ZOK ? 0 : 1;
}
