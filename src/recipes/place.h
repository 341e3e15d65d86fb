/* place.h: a place in a queue of contenders: sequential ephemeral nodes below one path. Locks and
 * elections are such queues. */
#ifndef RECIPES_PLACE_H
#define RECIPES_PLACE_H

#include "recipes/ask.h"

struct place {
    struct cell cell;
    char *path;         /* of the line */
    const char *marker; /* of a name, before its number */
    bool shared;        /* waits for exclusive ones only */
    bool kazoo;         /* the form of the identifier */
    bool tried;         /* an answer was lost: a node with `prefix` may be there */
    char *prefix;       /* of the node's name, with the marker; NULL: none is chosen */
    char *node;         /* the node's path; NULL: none */
    int64_t fence;      /* its czxid */
    const struct ACL_vector *acl;
    char *data;
    int data_len;
    recipe_state_fn fn;
    void *context;
    recipe_state_t state; /* guarded by the cell's mutex */
    bool removed;         /* the same: the node was seen to be removed */
    bool checking;        /* the same: a look for the node is under way */
    bool was_held; /* the same: the answer to such a look may come yet, for an earlier node */
};

/* ZBADARGUMENTS, ZSYSTEMERROR. */
int place_init(struct place *place, zhandle_t *zh, const char *path, const char *marker,
               bool shared, const recipe_options_t *options);
void place_deinit(struct place *place);

/* recipe_lock_acquire(), recipe_lock_release() and so on say what these do. */
int place_take(struct place *place, int timeout_ms);
int place_give_back(struct place *place);
recipe_state_t place_state(struct place *place);
int64_t place_fence(struct place *place);

/* The name in `names` that comes directly before `own`; with own NULL the first of all. NULL: none.
 * *ret_found: whether `own` is there. */
const char *place_before(const struct String_vector *names, const char *own, bool shared,
                         bool *ret_found);

#endif
