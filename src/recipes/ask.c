/* ask.c: calls of the C API, repeated until they are answered. Rule: when it is unknown whether a
 * request was executed, this file finds out; it reports neither success nor failure before. */
#include "recipes/ask.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

int ask_new_guid(char hex[RECIPES_HEX_SIZE], char guid[RECIPES_GUID_SIZE])
{
    unsigned char bytes[16];
    size_t at = 0;

    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        return ZSYSTEMERROR;
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40); /* a random UUID, version 4 */
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
    for (size_t i = 0; i < sizeof(bytes); i++)
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
    for (size_t i = 0; i < RECIPES_HEX_SIZE; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20)
            guid[at++] = '-';
        guid[at++] = hex[i];
    }
    return ZOK;
}

char *ask_join(const char *first, const char *second, const char *third)
{
    size_t size = strlen(first) + strlen(second) + strlen(third) + 1;
    char *joined = malloc(size);

    if (joined != NULL)
        snprintf(joined, size, "%s%s%s", first, second, third);
    return joined;
}

bool ask_is_path(const char *path)
{
    return path != NULL && path[0] == '/' && path[1] != '\0' && path[strlen(path) - 1] != '/';
}

/* One node after the other, from the top, so that a missing parent is never met. */
static int make_up_to(struct cell *cell, char *path, const struct ACL_vector *acl,
                      int64_t deadline_ms)
{
    int rc;

    for (char *end = path; *end != '\0';) {
        end = strchr(end + 1, '/');
        if (end == NULL)
            end = path + strlen(path);
        char saved = *end;
        *end = '\0';
        do
            rc = zoo_create(cell->zh, path, "", 0, acl, ZOO_PERSISTENT, NULL, 0);
        while (cell_again(cell, deadline_ms, &rc));
        /* Without the right to make it, it may be there all the same. */
        if (rc == ZNOAUTH) {
            do
                rc = zoo_exists(cell->zh, path, 0, NULL);
            while (cell_again(cell, deadline_ms, &rc));
            rc = rc == ZNONODE ? ZNOAUTH : rc;
        }
        *end = saved;
        if (rc != ZOK && rc != ZNODEEXISTS)
            return rc;
    }
    return ZOK;
}

int ask_make_path(struct cell *cell, const char *path, const struct ACL_vector *acl,
                  int64_t deadline_ms)
{
    char *copy = strdup(path);

    if (copy == NULL)
        return ZSYSTEMERROR;
    int rc = make_up_to(cell, copy, acl, deadline_ms);
    free(copy);
    return rc;
}

int ask_make_parents(struct cell *cell, const char *path, const struct ACL_vector *acl,
                     int64_t deadline_ms)
{
    char *copy = strdup(path);

    if (copy == NULL)
        return ZSYSTEMERROR;
    *strrchr(copy, '/') = '\0';
    int rc = copy[0] == '\0' ? ZOK : make_up_to(cell, copy, acl, deadline_ms);
    free(copy);
    return rc;
}

struct sync_answer {
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    bool arrived;
    int rc;
};

static void on_sync(int rc, const char *value, const void *data)
{
    union {
        const void *in;
        struct sync_answer *out;
    } answer = {data};

    (void)value;
    pthread_mutex_lock(&answer.out->mutex);
    answer.out->rc = rc;
    answer.out->arrived = true;
    pthread_cond_signal(&answer.out->cond);
    pthread_mutex_unlock(&answer.out->mutex);
}

static int sync_once(zhandle_t *zh, const char *path)
{
    struct sync_answer answer = {.mutex = PTHREAD_MUTEX_INITIALIZER,
                                 .cond = PTHREAD_COND_INITIALIZER};
    int rc = zoo_async(zh, path, on_sync, &answer);

    if (rc != ZOK)
        return rc;
    pthread_mutex_lock(&answer.mutex);
    while (!answer.arrived)
        pthread_cond_wait(&answer.cond, &answer.mutex);
    pthread_mutex_unlock(&answer.mutex);
    return answer.rc;
}

int ask_sync(struct cell *cell, const char *path, int64_t deadline_ms)
{
    int rc;

    do
        rc = sync_once(cell->zh, path);
    while (cell_again(cell, deadline_ms, &rc));
    return rc;
}

int ask_children(struct cell *cell, const char *path, bool watch, struct String_vector *ret_names,
                 int64_t deadline_ms)
{
    struct String_vector names = {0, NULL};
    int rc;

    do
        rc = watch ? zoo_wget_children(cell->zh, path, cell_watch, cell_context(cell), &names)
                   : zoo_get_children(cell->zh, path, 0, &names);
    while (cell_again(cell, deadline_ms, &rc));
    if (rc == ZOK)
        *ret_names = names;
    return rc;
}

int ask_watch(struct cell *cell, const char *path, struct Stat *ret_stat, int64_t deadline_ms)
{
    struct Stat stat;
    char byte;
    int rc;

    /* Not zoo_wexists(): for a node that is gone it would leave a watch that nobody takes back. */
    do {
        int len = sizeof(byte);
        rc = zoo_wget(cell->zh, path, cell_watch, cell_context(cell), &byte, &len, &stat);
    } while (cell_again(cell, deadline_ms, &rc));
    if (rc == ZOK && ret_stat != NULL)
        *ret_stat = stat;
    return rc;
}

int ask_delete(struct cell *cell, const char *path, int64_t deadline_ms)
{
    int rc;

    do
        rc = zoo_delete(cell->zh, path, -1);
    while (cell_again(cell, deadline_ms, &rc));
    return rc == ZNONODE ? ZOK : rc;
}
