/* election.c: the leader is the first of a queue; its node's data says who it is. */
#include "recipes/place.h"

struct recipe_election {
    struct place place;
};

int recipe_election_new(zhandle_t *zh, const char *path, const recipe_options_t *options,
                        recipe_election_t **ret_election)
{
    if (ret_election == NULL)
        return ZBADARGUMENTS;
    recipe_election_t *election = malloc(sizeof(*election));
    if (election == NULL)
        return ZSYSTEMERROR;
    bool kazoo = options != NULL && options->names == RECIPE_NAMES_KAZOO;
    int rc = place_init(&election->place, zh, path, kazoo ? "__lock__" : "-latch-", false, options);
    if (rc == ZOK)
        *ret_election = election;
    else
        free(election);
    return rc;
}

int recipe_election_lead(recipe_election_t *election, int timeout_ms)
{
    return election == NULL ? ZBADARGUMENTS : place_take(&election->place, timeout_ms);
}

int recipe_election_resign(recipe_election_t *election)
{
    return election == NULL ? ZBADARGUMENTS : place_give_back(&election->place);
}

void recipe_election_cancel(recipe_election_t *election)
{
    cell_cancel(&election->place.cell);
}

recipe_state_t recipe_election_state(recipe_election_t *election)
{
    return place_state(&election->place);
}

int64_t recipe_election_fence(recipe_election_t *election)
{
    return place_fence(&election->place);
}

void recipe_election_free(recipe_election_t *election)
{
    if (election == NULL)
        return;
    place_deinit(&election->place);
    free(election);
}

/* ZNONODE: the first one has gone meanwhile, or there is none: *ret_none. */
static int read_first(struct cell *cell, const char *path, char *buffer, int *buffer_len,
                      bool *ret_none, int64_t deadline_ms)
{
    struct String_vector names;
    int size = *buffer_len;
    bool found;
    int rc = ask_children(cell, path, false, &names, deadline_ms);

    *ret_none = rc == ZNONODE;
    if (rc != ZOK)
        return rc;
    const char *first = place_before(&names, NULL, false, &found);
    char *node = first != NULL ? ask_join(path, "/", first) : NULL;
    *ret_none = first == NULL;
    deallocate_String_vector(&names);
    if (node == NULL)
        return *ret_none ? ZNONODE : ZSYSTEMERROR;
    do {
        *buffer_len = size;
        rc = zoo_get(cell->zh, node, 0, buffer, buffer_len, NULL);
    } while (cell_again(cell, deadline_ms, &rc));
    free(node);
    return rc;
}

int recipe_election_leader(zhandle_t *zh, const char *path, char *buffer, int *buffer_len,
                           int timeout_ms)
{
    int64_t deadline_ms = cell_deadline_ms(timeout_ms);
    struct cell cell;
    bool none = false;

    if (zh == NULL || !ask_is_path(path) || buffer_len == NULL || *buffer_len < 0 ||
        (buffer == NULL && *buffer_len > 0))
        return ZBADARGUMENTS;
    int rc = cell_init(&cell, zh, NULL);
    if (rc != ZOK)
        return rc;
    int size = *buffer_len;
    do {
        *buffer_len = size;
        rc = read_first(&cell, path, buffer, buffer_len, &none, deadline_ms);
    } while (rc == ZNONODE && !none);
    if (rc == ZOK && *buffer_len < 0)
        *buffer_len = 0;
    cell_deinit(&cell);
    return rc;
}
