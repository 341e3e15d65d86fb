/* double_barrier.c: members meet twice. Rule: "ready" counts only if it is younger than this
 * member's node: one that a dead member left from an earlier round is ignored and replaced. */
#include <string.h>

#include "recipes/ask.h"
#include "recipes/removal.h"

struct recipe_double_barrier {
    struct cell cell;
    char *path;
    char *name; /* of the own node */
    char *own;  /* its path */
    char *ready;
    int count;
    const struct ACL_vector *acl;
    char *data;
    int data_len;
    int64_t own_czxid;
    int64_t ready_czxid; /* members of this round are older */
    bool inside;
    bool watched; /* this identity has a watch on "ready" */
    bool opened;  /* "ready" has been made; guarded by the cell's mutex */
};

static void on_event(struct cell *cell, int type, int state, const char *path)
{
    struct recipe_double_barrier *barrier = (struct recipe_double_barrier *)cell;

    (void)state;
    if (type != ZOO_CREATED_EVENT || strcmp(path, barrier->ready) != 0)
        return;
    pthread_mutex_lock(&cell->mutex);
    barrier->opened = true;
    pthread_mutex_unlock(&cell->mutex);
}

static int set_up(struct recipe_double_barrier *barrier, const char *path,
                  const recipe_options_t *options)
{
    barrier->path = strdup(path);
    barrier->ready = ask_join(path, "/", "ready");
    barrier->data_len = options->data_len;
    barrier->data = malloc((size_t)options->data_len + 1);
    barrier->acl = options->acl != NULL ? options->acl : &ZOO_OPEN_ACL_UNSAFE;
    if (barrier->data != NULL && options->data_len > 0)
        memcpy(barrier->data, options->data, (size_t)options->data_len);
    bool all = barrier->path != NULL && barrier->ready != NULL && barrier->data != NULL;
    return all ? ZOK : ZSYSTEMERROR;
}

int recipe_double_barrier_new(zhandle_t *zh, const char *path, int count,
                              const recipe_options_t *options,
                              recipe_double_barrier_t **ret_barrier)
{
    static const recipe_options_t none;

    if (options == NULL)
        options = &none;
    if (zh == NULL || !ask_is_path(path) || count < 1 || ret_barrier == NULL ||
        options->data_len < 0 || (options->data == NULL && options->data_len > 0))
        return ZBADARGUMENTS;
    recipe_double_barrier_t *barrier = calloc(1, sizeof(*barrier));
    if (barrier == NULL)
        return ZSYSTEMERROR;
    if (cell_init(&barrier->cell, zh, on_event) != ZOK) {
        free(barrier);
        return ZSYSTEMERROR;
    }
    barrier->count = count;
    int rc = set_up(barrier, path, options);
    if (rc == ZOK)
        *ret_barrier = barrier;
    else
        recipe_double_barrier_free(barrier);
    return rc;
}

static int compare_names(const void *first, const void *second)
{
    return strcmp(*(char *const *)first, *(char *const *)second);
}

/* The members' names, sorted; *ret_count of them come before the rest, which is "ready". */
static int members(struct recipe_double_barrier *barrier, struct String_vector *ret_names,
                   int *ret_count, int64_t deadline_ms)
{
    int rc = ask_children(&barrier->cell, barrier->path, false, ret_names, deadline_ms);

    if (rc != ZOK)
        return rc;
    int count = 0;
    for (int i = 0; i < ret_names->count; i++) {
        char *name = ret_names->data[i];
        if (strcmp(name, "ready") == 0)
            continue;
        ret_names->data[i] = ret_names->data[count];
        ret_names->data[count++] = name;
    }
    if (count > 0)
        qsort(ret_names->data, (size_t)count, sizeof(ret_names->data[0]), compare_names);
    *ret_count = count;
    return ZOK;
}

/* A new one for each round: the node of an earlier one may still be on its way out. */
static int choose_name(struct recipe_double_barrier *barrier)
{
    char hex[RECIPES_HEX_SIZE], guid[RECIPES_GUID_SIZE];

    if (ask_new_guid(hex, guid) != ZOK)
        return ZSYSTEMERROR;
    free(barrier->name);
    free(barrier->own);
    barrier->name = strdup(hex);
    barrier->own = ask_join(barrier->path, "/", hex);
    return barrier->name != NULL && barrier->own != NULL ? ZOK : ZSYSTEMERROR;
}

static int make_own(struct recipe_double_barrier *barrier, int64_t deadline_ms)
{
    struct Stat stat;
    int rc;

    pthread_mutex_lock(&barrier->cell.mutex);
    barrier->opened = false;
    pthread_mutex_unlock(&barrier->cell.mutex);
    do
        rc = zoo_create(barrier->cell.zh, barrier->own, barrier->data, barrier->data_len,
                        barrier->acl, ZOO_EPHEMERAL, NULL, 0);
    while (cell_again(&barrier->cell, deadline_ms, &rc));
    if (rc == ZNONODE) {
        rc = ask_make_path(&barrier->cell, barrier->path, barrier->acl, deadline_ms);
        return rc == ZOK ? make_own(barrier, deadline_ms) : rc;
    }
    if (rc == ZOK || rc == ZNODEEXISTS) /* there already: after a lost answer */
        rc = ask_watch(&barrier->cell, barrier->own, &stat, deadline_ms);
    if (rc == ZOK)
        barrier->own_czxid = stat.czxid;
    return rc;
}

/* Everybody is there: "ready" is made, in place of an old one. Others may do the same. */
static int make_ready(struct recipe_double_barrier *barrier, bool old, int64_t deadline_ms)
{
    zoo_op_t operations[2];
    zoo_op_result_t results[2];
    int rc;

    if (!old) {
        do
            rc = zoo_create(barrier->cell.zh, barrier->ready, "", 0, barrier->acl, ZOO_PERSISTENT,
                            NULL, 0);
        while (cell_again(&barrier->cell, deadline_ms, &rc));
        return rc == ZNODEEXISTS ? ZOK : rc;
    }
    zoo_delete_op_init(&operations[0], barrier->ready, -1);
    zoo_create_op_init(&operations[1], barrier->ready, "", 0, barrier->acl, ZOO_PERSISTENT, NULL,
                       0);
    rc = zoo_multi(barrier->cell.zh, 2, operations, results);
    if (cell_again(&barrier->cell, deadline_ms, &rc))
        rc = ZOK; /* look again */
    return rc == ZNONODE ? ZOK : rc;
}

/* ZOK: in. ZNOTHING: look again. */
static int look(struct recipe_double_barrier *barrier, bool once, int64_t deadline_ms)
{
    struct String_vector names;
    struct Stat stat;
    int count = 0, rc;

    cell_forget_changes(&barrier->cell);
    barrier->watched = barrier->watched || !once;
    do
        rc = once ? zoo_exists(barrier->cell.zh, barrier->ready, 0, &stat)
                  : zoo_wexists(barrier->cell.zh, barrier->ready, cell_watch,
                                cell_context(&barrier->cell), &stat);
    while (cell_again(&barrier->cell, deadline_ms, &rc));
    if (rc != ZOK && rc != ZNONODE)
        return rc;
    bool old = rc == ZOK;
    if (old && stat.czxid > barrier->own_czxid) {
        barrier->ready_czxid = stat.czxid;
        return ZOK;
    }
    pthread_mutex_lock(&barrier->cell.mutex);
    bool opened = barrier->opened;
    pthread_mutex_unlock(&barrier->cell.mutex);
    if (opened)
        return ZOK;
    rc = members(barrier, &names, &count, deadline_ms);
    if (rc != ZOK)
        return rc;
    bool found = false;
    for (int i = 0; i < count; i++)
        found = found || strcmp(names.data[i], barrier->name) == 0;
    deallocate_String_vector(&names);
    if (!found)
        return ZNONODE;
    if (count >= barrier->count)
        rc = make_ready(barrier, old, deadline_ms);
    else
        rc = once ? ZOPERATIONTIMEOUT : cell_wait(&barrier->cell, deadline_ms);
    return rc == ZOK ? ZNOTHING : rc;
}

int recipe_double_barrier_enter(recipe_double_barrier_t *barrier, int timeout_ms)
{
    int64_t deadline_ms = cell_deadline_ms(timeout_ms);

    if (barrier == NULL)
        return ZBADARGUMENTS;
    if (barrier->inside)
        return ZINVALIDSTATE;
    if (barrier->watched)
        cell_renew(&barrier->cell); /* a "ready" that was made before the own node opens nothing */
    barrier->watched = false;
    int rc = choose_name(barrier);
    if (rc != ZOK)
        return rc;
    barrier->ready_czxid = INT64_MAX;
    rc = make_own(barrier, deadline_ms);
    if (rc == ZOK)
        do
            rc = look(barrier, timeout_ms == 0, deadline_ms);
        while (rc == ZNOTHING);
    barrier->inside = rc == ZOK;
    if (rc != ZOK)
        removal_start(barrier->cell.zh, barrier->path, barrier->name, 0);
    return rc;
}

/* The last one takes "ready" away too; kazoo's members do so first of all. */
static int leave_last(struct recipe_double_barrier *barrier, int64_t deadline_ms)
{
    int rc = ask_delete(&barrier->cell, barrier->ready, deadline_ms);

    return rc == ZOK ? ask_delete(&barrier->cell, barrier->own, deadline_ms) : rc;
}

/* Sets a watch on another member of this round: the last by name if the own node is the first, and
 * otherwise the first. Who is younger than "ready" has come for a later round. ZNONODE: there is none. */
static int watch_other(struct recipe_double_barrier *barrier, const struct String_vector *names,
                       int count, bool from_the_end, int64_t deadline_ms)
{
    struct Stat stat;

    for (int i = 0; i < count; i++) {
        const char *name = names->data[from_the_end ? count - 1 - i : i];
        if (strcmp(name, barrier->name) == 0)
            continue;
        char *path = ask_join(barrier->path, "/", name);
        int rc = path == NULL ? ZSYSTEMERROR : ask_watch(&barrier->cell, path, &stat, deadline_ms);
        free(path);
        if (rc == ZNONODE || (rc == ZOK && stat.czxid > barrier->ready_czxid))
            continue;
        return rc;
    }
    return ZNONODE;
}

/* ZOK: all have left. ZNOTHING: look again. */
static int look_who_is_left(struct recipe_double_barrier *barrier, bool once, int64_t deadline_ms)
{
    struct String_vector names;
    int count = 0;

    cell_forget_changes(&barrier->cell);
    int rc = members(barrier, &names, &count, deadline_ms);
    if (rc != ZOK)
        return rc == ZNONODE ? ZOK : rc;
    bool first = count > 0 && strcmp(names.data[0], barrier->name) == 0;
    if (!first)
        rc = ask_delete(&barrier->cell, barrier->own, deadline_ms);
    if (rc == ZOK)
        rc = watch_other(barrier, &names, count, first, deadline_ms);
    deallocate_String_vector(&names);
    if (rc == ZNONODE)
        return first ? leave_last(barrier, deadline_ms) : ZOK;
    if (rc == ZOK)
        rc = once ? ZOPERATIONTIMEOUT : cell_wait(&barrier->cell, deadline_ms);
    return rc == ZOK ? ZNOTHING : rc;
}

int recipe_double_barrier_leave(recipe_double_barrier_t *barrier, int timeout_ms)
{
    int64_t deadline_ms = cell_deadline_ms(timeout_ms);
    int rc;

    if (barrier == NULL)
        return ZBADARGUMENTS;
    if (!barrier->inside)
        return ZINVALIDSTATE;
    do
        rc = look_who_is_left(barrier, timeout_ms == 0, deadline_ms);
    while (rc == ZNOTHING);
    if (rc == ZOK)
        barrier->inside = false;
    return rc;
}

void recipe_double_barrier_cancel(recipe_double_barrier_t *barrier)
{
    cell_cancel(&barrier->cell);
}

void recipe_double_barrier_free(recipe_double_barrier_t *barrier)
{
    if (barrier == NULL)
        return;
    if (barrier->inside)
        removal_start(barrier->cell.zh, barrier->path, barrier->name, 0);
    cell_deinit(&barrier->cell);
    free(barrier->path);
    free(barrier->name);
    free(barrier->own);
    free(barrier->ready);
    free(barrier->data);
    free(barrier);
}
