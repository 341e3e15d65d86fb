/* queue.c: entries are put and taken together with a count. Rule: each change of the queue is one
 * transaction that also sets the object's own node, from the version that the object knows to the
 * next. Sent again after a lost answer, it is either done now, or fails because of the version:
 * then it was done before. So nothing is put twice, and nothing is taken without being returned. */
#include <stdio.h>
#include <string.h>

#include "recipes/ask.h"
#include "recipes/removal.h"

#define GUESS_BYTES 4096
#define USERS_SUFFIX "-users"

/* The two operations of a change, kept until it is known how it ended. */
struct change {
    bool put;
    char *path; /* put: all of the entry's name but the number; take: the entry */
    char *data;
    int data_len;
};

struct recipe_queue {
    struct cell cell;
    char *path;
    char *user; /* the own node */
    const struct ACL_vector *acl;
    bool has_user;
    int version; /* of the own node: how many changes were made */
    bool in_doubt;
    struct change change;
};

int recipe_queue_new(zhandle_t *zh, const char *path, const recipe_options_t *options,
                     recipe_queue_t **ret_queue)
{
    char hex[RECIPES_HEX_SIZE], guid[RECIPES_GUID_SIZE];

    if (zh == NULL || !ask_is_path(path) || ret_queue == NULL)
        return ZBADARGUMENTS;
    recipe_queue_t *queue = calloc(1, sizeof(*queue));
    if (queue == NULL)
        return ZSYSTEMERROR;
    int rc = cell_init(&queue->cell, zh, NULL);
    if (rc != ZOK) {
        free(queue);
        return rc;
    }
    rc = ask_new_guid(hex, guid);
    queue->acl = options != NULL && options->acl != NULL ? options->acl : &ZOO_OPEN_ACL_UNSAFE;
    queue->path = strdup(path);
    queue->user = rc == ZOK ? ask_join(path, USERS_SUFFIX "/_c_", guid) : NULL;
    if (queue->path == NULL || queue->user == NULL) {
        recipe_queue_free(queue);
        return ZSYSTEMERROR;
    }
    *ret_queue = queue;
    return ZOK;
}

/* The own node and the queue's. */
static int make_nodes(struct recipe_queue *queue, int64_t deadline_ms)
{
    int rc;

    do
        rc = zoo_create(queue->cell.zh, queue->user, "", 0, queue->acl, ZOO_EPHEMERAL, NULL, 0);
    while (cell_again(&queue->cell, deadline_ms, &rc));
    if (rc == ZNONODE) {
        rc = ask_make_parents(&queue->cell, queue->user, queue->acl, deadline_ms);
        if (rc == ZOK)
            rc = ask_make_path(&queue->cell, queue->path, queue->acl, deadline_ms);
        return rc == ZOK ? make_nodes(queue, deadline_ms) : rc;
    }
    /* There already: after a lost answer. Nobody else has this name. */
    queue->has_user = rc == ZOK || rc == ZNODEEXISTS;
    return queue->has_user ? ZOK : rc;
}

static void forget_change(struct recipe_queue *queue)
{
    free(queue->change.path);
    free(queue->change.data);
    queue->change = (struct change){0};
    queue->in_doubt = false;
}

/* Whether a server has looked at the operations and refused. */
static bool is_refusal(int rc)
{
    return rc == ZNONODE || rc == ZNOAUTH || rc == ZBADVERSION || rc == ZNODEEXISTS ||
           rc == ZNOTEMPTY || rc == ZINVALIDACL || rc == ZNOCHILDRENFOREPHEMERALS;
}

/* Sends the change until its end is known: ZOK: done. ZNONODE: not done, and the queue or the entry is
 * not there. Any other error with `in_doubt` set: not known. */
static int make_change(struct recipe_queue *queue, int64_t deadline_ms)
{
    struct change *change = &queue->change;
    char made[8];
    zoo_op_t operations[2];
    zoo_op_result_t results[2];
    int rc;

    do {
        memset(results, 0, sizeof(results));
        zoo_set_op_init(&operations[0], queue->user, "", 0, queue->version, NULL);
        if (change->put)
            zoo_create_op_init(&operations[1], change->path, change->data, change->data_len,
                               queue->acl, ZOO_PERSISTENT_SEQUENTIAL, made, sizeof(made));
        else
            zoo_delete_op_init(&operations[1], change->path, -1);
        bool was_in_doubt = queue->in_doubt;
        rc = zoo_multi(queue->cell.zh, 2, operations, results);
        if (rc == ZBADVERSION && was_in_doubt)
            rc = ZOK;
        if (rc == ZOK)
            queue->version++;
        if (cell_unknown(rc))
            queue->in_doubt = true;
        else if (rc == ZOK || (is_refusal(rc) && results[0].err == ZOK))
            queue->in_doubt = false;
    } while (cell_again(&queue->cell, deadline_ms, &rc));
    /* Somebody removed or set the own node. */
    return is_refusal(rc) && results[0].err != ZOK ? ZRUNTIMEINCONSISTENCY : rc;
}

int recipe_queue_in_doubt(recipe_queue_t *queue)
{
    return queue != NULL && queue->in_doubt;
}

/* Looks at the own node's version only, so that a change which was not made stays unmade. */
int recipe_queue_settle(recipe_queue_t *queue, int timeout_ms)
{
    int64_t deadline_ms = cell_deadline_ms(timeout_ms);
    struct Stat stat;
    int rc;

    if (queue == NULL)
        return ZBADARGUMENTS;
    if (!queue->in_doubt)
        return ZINVALIDSTATE;
    rc = ask_sync(&queue->cell, queue->user, deadline_ms);
    if (rc != ZOK)
        return rc;
    do
        rc = zoo_exists(queue->cell.zh, queue->user, 0, &stat);
    while (cell_again(&queue->cell, deadline_ms, &rc));
    if (rc != ZOK)
        return rc == ZNONODE ? ZRUNTIMEINCONSISTENCY : rc;
    bool done = stat.version != queue->version;
    queue->version = stat.version;
    forget_change(queue);
    return done ? ZOK : ZNONODE;
}

/* Before a new change: the own node is there, and the last change is known to be done or not. */
static int begin(struct recipe_queue *queue, int64_t deadline_ms)
{
    int rc = ZOK;

    if (queue->in_doubt) {
        int64_t left_ms = deadline_ms == RECIPES_NO_END ? -1 : deadline_ms - cell_now_ms();
        rc = recipe_queue_settle(queue,
                                 left_ms < 0 && deadline_ms != RECIPES_NO_END ? 0 : (int)left_ms);
        rc = rc == ZNONODE ? ZOK : rc;
    }
    if (rc == ZOK && !queue->has_user)
        rc = make_nodes(queue, deadline_ms);
    return rc;
}

static int copy_entry(struct change *change, const char *data, int data_len)
{
    change->data = malloc((size_t)data_len + 1);
    if (change->data == NULL)
        return ZSYSTEMERROR;
    if (data_len > 0)
        memcpy(change->data, data, (size_t)data_len);
    change->data[data_len] = '\0';
    change->data_len = data_len;
    return ZOK;
}

int recipe_queue_put(recipe_queue_t *queue, const char *data, int data_len, int priority,
                     int timeout_ms)
{
    int64_t deadline_ms = cell_deadline_ms(timeout_ms);
    char name[24];

    if (queue == NULL || data_len < 0 || (data == NULL && data_len > 0) || priority < 0 ||
        priority > 999)
        return ZBADARGUMENTS;
    int rc = begin(queue, deadline_ms);
    if (rc != ZOK)
        return rc;
    snprintf(name, sizeof(name), "/entry-%03d-", priority);
    queue->change = (struct change){.put = true, .path = ask_join(queue->path, name, "")};
    rc = queue->change.path != NULL ? copy_entry(&queue->change, data, data_len) : ZSYSTEMERROR;
    if (rc == ZOK)
        rc = make_change(queue, deadline_ms);
    while (rc == ZNONODE) {
        rc = ask_make_path(&queue->cell, queue->path, queue->acl, deadline_ms);
        if (rc == ZOK)
            rc = make_change(queue, deadline_ms);
    }
    if (!queue->in_doubt)
        forget_change(queue);
    return rc;
}

static int compare_names(const void *first, const void *second)
{
    return strcmp(*(char *const *)first, *(char *const *)second);
}

/* The data of an entry, in the change. ZNONODE: it is gone. */
static int read_entry(struct recipe_queue *queue, const char *path, int64_t deadline_ms)
{
    int size = GUESS_BYTES;

    for (;;) {
        struct Stat stat;
        char *data = malloc((size_t)size + 1);
        int len, rc;

        if (data == NULL)
            return ZSYSTEMERROR;
        do {
            len = size;
            rc = zoo_get(queue->cell.zh, path, 0, data, &len, &stat);
        } while (cell_again(&queue->cell, deadline_ms, &rc));
        if (rc == ZOK && stat.dataLength <= size) {
            queue->change.data = data;
            queue->change.data_len = len > 0 ? len : 0;
            data[queue->change.data_len] = '\0';
            return ZOK;
        }
        free(data);
        if (rc != ZOK)
            return rc;
        size = stat.dataLength;
    }
}

/* ZNONODE: somebody else was faster. */
static int take_entry(struct recipe_queue *queue, const char *name, char **ret_data, int *ret_len,
                      int64_t deadline_ms)
{
    queue->change.put = false;
    queue->change.path = ask_join(queue->path, "/", name);
    int rc = queue->change.path != NULL ? read_entry(queue, queue->change.path, deadline_ms)
                                        : ZSYSTEMERROR;

    if (rc == ZOK) {
        rc = make_change(queue, deadline_ms);
        if (rc == ZOK || queue->in_doubt) {
            *ret_data = queue->change.data;
            *ret_len = queue->change.data_len;
            queue->change.data = NULL;
        }
    }
    if (!queue->in_doubt)
        forget_change(queue);
    return rc;
}

/* ZNONODE: all that were there are taken; ZNOTHING: there were none. */
static int take_first(struct recipe_queue *queue, bool watch, char **ret_data, int *ret_len,
                      int64_t deadline_ms)
{
    struct String_vector names;
    int rc = ask_children(&queue->cell, queue->path, watch, &names, deadline_ms);

    if (rc == ZNONODE) {
        rc = ask_make_path(&queue->cell, queue->path, queue->acl, deadline_ms);
        return rc == ZOK ? ZNONODE : rc;
    }
    if (rc != ZOK)
        return rc;
    rc = names.count > 0 ? ZNONODE : ZNOTHING;
    if (names.count > 0)
        qsort(names.data, (size_t)names.count, sizeof(names.data[0]), compare_names);
    for (int i = 0; i < names.count && rc == ZNONODE; i++)
        rc = take_entry(queue, names.data[i], ret_data, ret_len, deadline_ms);
    deallocate_String_vector(&names);
    return rc;
}

int recipe_queue_take(recipe_queue_t *queue, char **ret_data, int *ret_len, int timeout_ms)
{
    int64_t deadline_ms = cell_deadline_ms(timeout_ms);

    if (queue == NULL || ret_data == NULL || ret_len == NULL)
        return ZBADARGUMENTS;
    *ret_data = NULL;
    *ret_len = 0;
    int rc = begin(queue, deadline_ms);
    while (rc == ZOK || rc == ZNONODE) {
        cell_forget_changes(&queue->cell);
        rc = take_first(queue, timeout_ms != 0, ret_data, ret_len, deadline_ms);
        if (rc == ZNOTHING)
            rc = cell_wait(&queue->cell, deadline_ms);
        else if (rc != ZNONODE)
            break;
    }
    return rc;
}

void recipe_queue_cancel(recipe_queue_t *queue)
{
    cell_cancel(&queue->cell);
}

void recipe_queue_free(recipe_queue_t *queue)
{
    if (queue == NULL)
        return;
    cell_deinit(&queue->cell);
    if (queue->has_user) {
        char *slash = strrchr(queue->user, '/');
        *slash = '\0';
        removal_start(queue->cell.zh, queue->user, slash + 1, 0);
    }
    forget_change(queue);
    free(queue->path);
    free(queue->user);
    free(queue);
}
