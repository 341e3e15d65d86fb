/* place.c: a contender and its node. Rule: a node that this object has made, or may have made, is known by
 * its prefix until it is held, removed, or handed to a removal. */
#include "recipes/place.h"

#include <string.h>

#include "recipes/removal.h"

#define NUMBER_SIZE 16 /* of a sequence number in a name, with room for a sign */

/* What stands before the number in names of contenders, ours and others'. */
static const struct {
    const char *text;
    bool shared;
} MARKERS[] = {{"__rlock__", true}, {"__lock__", false}, {"__READ__", true},
               {"__WRIT__", false}, {"lock-", false},    {"latch-", false}};

/* False: the name is no contender's. */
static bool read_name(const char *name, int64_t *ret_number, bool *ret_shared)
{
    size_t len = strlen(name);
    size_t digits = 0;

    while (digits < 10 && digits < len && name[len - 1 - digits] >= '0' &&
           name[len - 1 - digits] <= '9')
        digits++;
    if (digits < 10)
        return false;
    for (size_t sign = 0; sign <= 1; sign++) {
        if (len < digits + sign || (sign == 1 && name[len - digits - 1] != '-'))
            break;
        size_t head = len - digits - sign;
        for (size_t i = 0; i < sizeof(MARKERS) / sizeof(MARKERS[0]); i++) {
            size_t size = strlen(MARKERS[i].text);
            if (head < size || memcmp(name + head - size, MARKERS[i].text, size) != 0)
                continue;
            *ret_number = strtoll(name + head, NULL, 10);
            *ret_shared = MARKERS[i].shared;
            return true;
        }
    }
    return false;
}

/* The counter of a parent goes from 2^31-1 to -2^31; contenders are never that far apart. */
static bool is_before(int64_t number, int64_t other)
{
    return (int32_t)((uint32_t)number - (uint32_t)other) < 0;
}

const char *place_before(const struct String_vector *names, const char *own, bool shared,
                         bool *ret_found)
{
    const char *best = NULL;
    int64_t own_number = 0, best_number = 0, number;
    bool is_shared;

    *ret_found = false;
    for (int i = 0; own != NULL && i < names->count; i++)
        if (strcmp(names->data[i], own) == 0)
            *ret_found = read_name(own, &own_number, &is_shared);
    for (int i = 0; i < names->count; i++) {
        if (!read_name(names->data[i], &number, &is_shared) || (shared && is_shared))
            continue;
        if (own != NULL && !is_before(number, own_number))
            continue;
        /* The nearest one before `own`; the first of all without one. */
        if (best == NULL || is_before(best_number, number) == (own != NULL)) {
            best = names->data[i];
            best_number = number;
        }
    }
    return best;
}

static void set_state(struct place *place, recipe_state_t state)
{
    pthread_mutex_lock(&place->cell.mutex);
    place->state = state;
    pthread_mutex_unlock(&place->cell.mutex);
}

/* A change that the user has to be told of: from held or suspended to something else. */
static void change(struct place *place, recipe_state_t state)
{
    pthread_mutex_lock(&place->cell.mutex);
    bool tell =
        (place->state == RECIPE_HELD || place->state == RECIPE_SUSPENDED) && place->state != state;
    if (tell)
        place->state = state;
    pthread_mutex_unlock(&place->cell.mutex);
    if (tell && place->fn != NULL)
        place->fn(state, place->context);
}

static void check(struct place *place);

static void on_checked(int rc, const char *value, int value_len, const struct Stat *stat,
                       const void *data)
{
    struct cell *cell = cell_enter(data);

    (void)value, (void)value_len, (void)stat;
    if (cell == NULL)
        return;
    struct place *place = (struct place *)cell; /* its first member */
    pthread_mutex_lock(&cell->mutex);
    place->checking = false;
    if (rc == ZNONODE)
        place->removed = true;
    pthread_mutex_unlock(&cell->mutex);
    if (rc == ZNONODE) {
        change(place, RECIPE_LOST);
    } else if (rc == ZSESSIONEXPIRED || rc == ZAUTHFAILED) {
        change(place, RECIPE_LOST);
    } else if (rc == ZOK || rc == ZNOAUTH) { /* it is there, in both cases */
        change(place, RECIPE_HELD);
    } else if (rc == ZSYSTEMERROR || cell_unknown(rc) || cell_refused_now(rc)) {
        change(place, RECIPE_SUSPENDED);
        if (cell_wait_for_server(cell->zh))
            check(place); /* there may be no watch that hears of the next connection */
    }
    cell_leave(cell);
}

static void set_checking(struct place *place, bool checking)
{
    pthread_mutex_lock(&place->cell.mutex);
    place->checking = checking;
    pthread_mutex_unlock(&place->cell.mutex);
}

/* Looks for the own node again, with a watch, if something is held. It must not be left out: nothing else
 * would tell of the node's end. So without memory the user is told that it is unknown, and this thread
 * tries until there is memory. */
static void check(struct place *place)
{
    struct cell *cell = &place->cell;

    for (;;) {
        pthread_mutex_lock(&cell->mutex);
        bool holds = place->state == RECIPE_HELD || place->state == RECIPE_SUSPENDED;
        char *node = holds && place->node != NULL ? strdup(place->node) : NULL;
        bool done = !holds || place->node == NULL;
        place->checking = !done;
        pthread_mutex_unlock(&cell->mutex);
        if (!done && !cell_has_server(cell->zh))
            change(place, RECIPE_SUSPENDED); /* no watch may have heard of it */
        int rc = ZSYSTEMERROR;
        if (node != NULL)
            rc = zoo_awget(cell->zh, node, cell_watch, cell_context(cell), on_checked,
                           cell_context(cell));
        free(node);
        done = done || rc == ZOK; /* then it may be answered already */
        if (done)
            return;
        if (rc != ZSYSTEMERROR || !cell_wait_a_moment(cell->zh)) { /* the handle is over */
            set_checking(place, false);
            return;
        }
        change(place, RECIPE_SUSPENDED);
    }
}

static void on_event(struct cell *cell, int type, int state, const char *path)
{
    struct place *place = (struct place *)cell;

    pthread_mutex_lock(&cell->mutex);
    bool own = type != ZOO_SESSION_EVENT && place->node != NULL && strcmp(path, place->node) == 0;
    bool checking = place->checking;
    int dead = cell->dead;
    if (own && type == ZOO_DELETED_EVENT)
        place->removed = true;
    pthread_mutex_unlock(&cell->mutex);

    if (dead != 0 || (own && type == ZOO_DELETED_EVENT))
        change(place, RECIPE_LOST);
    else if (type == ZOO_SESSION_EVENT && state != ZOO_CONNECTED_STATE)
        change(place, RECIPE_SUSPENDED);
    else if (own || (type == ZOO_SESSION_EVENT && !checking))
        check(place);
}

int place_init(struct place *place, zhandle_t *zh, const char *path, const char *marker,
               bool shared, const recipe_options_t *options)
{
    static const recipe_options_t none;

    if (options == NULL)
        options = &none;
    if (zh == NULL || !ask_is_path(path) || options->data_len < 0 ||
        (options->data == NULL && options->data_len > 0))
        return ZBADARGUMENTS;
    memset(place, 0, sizeof(*place));
    if (cell_init(&place->cell, zh, on_event) != ZOK)
        return ZSYSTEMERROR;
    place->marker = marker;
    place->shared = shared;
    place->kazoo = options->names == RECIPE_NAMES_KAZOO;
    place->acl = options->acl != NULL ? options->acl : &ZOO_OPEN_ACL_UNSAFE;
    place->fn = options->fn;
    place->context = options->context;
    place->data_len = options->data_len;
    place->path = strdup(path);
    place->data = malloc((size_t)options->data_len + 1);
    if (place->path == NULL || place->data == NULL) {
        place_deinit(place);
        return ZSYSTEMERROR;
    }
    if (options->data_len > 0)
        memcpy(place->data, options->data, (size_t)options->data_len);
    return ZOK;
}

static void set_node(struct place *place, char *node)
{
    pthread_mutex_lock(&place->cell.mutex);
    char *old = place->node;
    place->node = node;
    place->removed = false;
    pthread_mutex_unlock(&place->cell.mutex);
    free(old);
}

static void forget_node(struct place *place)
{
    set_node(place, NULL);
    free(place->prefix);
    place->prefix = NULL;
    place->tried = false;
    place->fence = 0;
}

/* Whatever there is, or may be, of this contender goes, in the background. */
static void remove_later(struct place *place)
{
    if (place->node != NULL)
        removal_start(place->cell.zh, place->path, place->node + strlen(place->path) + 1, 0);
    else if (place->tried)
        removal_start(place->cell.zh, place->path, place->prefix, 1);
    forget_node(place);
}

void place_deinit(struct place *place)
{
    if (place_state(place) != RECIPE_FREE)
        place_give_back(place);
    forget_node(place);
    cell_deinit(&place->cell);
    free(place->path);
    free(place->data);
}

static int choose_prefix(struct place *place)
{
    char hex[RECIPES_HEX_SIZE], guid[RECIPES_GUID_SIZE];
    int rc = ask_new_guid(hex, guid);

    if (rc != ZOK)
        return rc;
    place->prefix =
        place->kazoo ? ask_join("", hex, place->marker) : ask_join("_c_", guid, place->marker);
    return place->prefix == NULL ? ZSYSTEMERROR : ZOK;
}

/* After a lost answer: the own node, if it was made. */
static int find(struct place *place, int64_t deadline_ms)
{
    struct String_vector names;
    int rc = ask_sync(&place->cell, place->path, deadline_ms);

    if (rc == ZOK)
        rc = ask_children(&place->cell, place->path, false, &names, deadline_ms);
    if (rc != ZOK)
        return rc == ZNONODE ? ZOK : rc;
    for (int i = 0; i < names.count && rc == ZOK && place->node == NULL; i++) {
        if (strncmp(names.data[i], place->prefix, strlen(place->prefix)) != 0)
            continue;
        char *node = ask_join(place->path, "/", names.data[i]);
        if (node == NULL)
            rc = ZSYSTEMERROR;
        set_node(place, node);
    }
    deallocate_String_vector(&names);
    if (rc == ZOK)
        place->tried = false;
    return rc;
}

static int create(struct place *place, int64_t deadline_ms)
{
    char *asked = ask_join(place->path, "/", place->prefix);
    size_t size = asked != NULL ? strlen(asked) + NUMBER_SIZE : 0;
    char *made = asked != NULL ? malloc(size) : NULL;
    int rc = ZSYSTEMERROR;

    while (made != NULL) {
        place->tried = true;
        rc = zoo_create(place->cell.zh, asked, place->data, place->data_len, place->acl,
                        ZOO_EPHEMERAL_SEQUENTIAL, made, (int)size);
        if (!cell_unknown(rc))
            place->tried = false;
        if (rc != ZNONODE)
            break;
        rc = ask_make_path(&place->cell, place->path, place->acl, deadline_ms);
        if (rc != ZOK)
            break;
    }
    free(asked);
    if (rc != ZOK) {
        free(made);
        return rc;
    }
    set_node(place, made);
    return ZOK;
}

/* A node in the line, watched, so that the events of the session are heard from here on. */
static int stand_in_line(struct place *place, int64_t deadline_ms)
{
    struct Stat stat;
    int rc = place->prefix == NULL ? choose_prefix(place) : ZOK;

    while (rc == ZOK && place->node == NULL) {
        if (place->tried)
            rc = find(place, deadline_ms);
        if (rc != ZOK || place->node != NULL)
            break;
        rc = create(place, deadline_ms);
        if (cell_again(&place->cell, deadline_ms, &rc))
            rc = ZOK;
    }
    if (rc == ZOK)
        rc = ask_watch(&place->cell, place->node, &stat, deadline_ms);
    if (rc == ZOK)
        place->fence = stat.czxid;
    return rc;
}

/* It is the own turn: held, unless an event has said something else meanwhile. */
static bool finish(struct place *place)
{
    pthread_mutex_lock(&place->cell.mutex);
    bool held = !place->cell.away && place->cell.dead == 0 && !place->removed;
    if (held) {
        place->state = RECIPE_HELD;
        place->was_held = true;
    }
    pthread_mutex_unlock(&place->cell.mutex);
    return held;
}

/* ZOK: look again. */
static int wait_for(struct place *place, const char *name, int64_t deadline_ms)
{
    char *path = ask_join(place->path, "/", name);
    int rc = ZSYSTEMERROR;

    if (path != NULL)
        rc = ask_watch(&place->cell, path, NULL, deadline_ms);
    free(path);
    if (rc == ZNONODE)
        return ZOK;
    return rc == ZOK ? cell_wait(&place->cell, deadline_ms) : rc;
}

static int wait_for_turn(struct place *place, bool once, int64_t deadline_ms)
{
    struct String_vector names;

    for (;;) {
        bool found;

        cell_forget_changes(&place->cell);
        int rc = ask_children(&place->cell, place->path, false, &names, deadline_ms);
        if (rc != ZOK)
            return rc;
        const char *own = place->node + strlen(place->path) + 1;
        const char *before = place_before(&names, own, place->shared, &found);
        if (!found)
            rc = ZNONODE;
        else if (before != NULL)
            rc = once ? ZOPERATIONTIMEOUT : wait_for(place, before, deadline_ms);
        bool held = found && before == NULL && finish(place);
        if (found && before == NULL && !held)
            rc = cell_wait(&place->cell, deadline_ms); /* until the connection is back */
        deallocate_String_vector(&names);
        if (held || rc != ZOK)
            return rc;
    }
}

/* That an earlier node is gone says nothing of the next one. Only who has held it has looked: who waits keeps
 * its identity, so that each of its watches replaces the one before. */
static void forget_former_looks(struct place *place)
{
    pthread_mutex_lock(&place->cell.mutex);
    bool was_held = place->was_held;
    place->was_held = false;
    pthread_mutex_unlock(&place->cell.mutex);
    if (!was_held)
        return;
    cell_renew(&place->cell);
    set_checking(place, false);
}

int place_take(struct place *place, int timeout_ms)
{
    int64_t deadline_ms = cell_deadline_ms(timeout_ms);

    recipe_state_t state = place_state(place);
    if (state != RECIPE_FREE && state != RECIPE_LOST)
        return ZINVALIDSTATE;
    forget_former_looks(place);
    if (state == RECIPE_LOST)
        forget_node(place);
    set_state(place, RECIPE_WAITING);
    int rc = stand_in_line(place, deadline_ms);
    if (rc == ZOK)
        rc = wait_for_turn(place, timeout_ms == 0, deadline_ms);
    if (rc != ZOK) {
        remove_later(place);
        set_state(place, RECIPE_FREE);
    }
    return rc;
}

int place_give_back(struct place *place)
{
    pthread_mutex_lock(&place->cell.mutex);
    bool held = place->state == RECIPE_HELD || place->state == RECIPE_SUSPENDED;
    place->state = RECIPE_FREE;
    pthread_mutex_unlock(&place->cell.mutex);
    if (!held) {
        forget_node(place);
        return ZINVALIDSTATE;
    }
    int rc = zoo_delete(place->cell.zh, place->node, -1);
    if (cell_unknown(rc) || cell_refused_now(rc) || rc == ZSYSTEMERROR) {
        remove_later(place);
        return rc == ZSYSTEMERROR ? rc : ZCONNECTIONLOSS;
    }
    forget_node(place);
    cell_again(&place->cell, 0, &rc); /* the name of the error only */
    return rc == ZNONODE ? ZOK : rc;
}

recipe_state_t place_state(struct place *place)
{
    pthread_mutex_lock(&place->cell.mutex);
    recipe_state_t state = place->state;
    pthread_mutex_unlock(&place->cell.mutex);
    return state;
}

int64_t place_fence(struct place *place)
{
    recipe_state_t state = place_state(place);

    return state == RECIPE_HELD || state == RECIPE_SUSPENDED ? place->fence : 0;
}
