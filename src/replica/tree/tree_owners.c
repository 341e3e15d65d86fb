/* tree_owners.c: sessions with their ephemerals, containers and TTL nodes. A node's stored owner decides
 * in which of these lists it stands, from its creation to its end. */
#include "replica/tree/tree_internal.h"

#include "base/array.h"

enum { EPHEMERALS_FIRST = 4 }; /* most sessions have few */

enum owner_kind tree_owner_kind(const struct tree_options *options, int64_t owner)
{
    if (owner == 0)
        return OWNER_NONE;
    if (owner == OWNER_CONTAINER_VALUE)
        return OWNER_CONTAINER;
    if (options->emulate_353_ttl && owner < 0 && options->extended_types)
        return OWNER_TTL;
    if (options->extended_types && owner_has_ttl_bits(owner))
        return OWNER_TTL;
    return OWNER_SESSION;
}

int64_t tree_owner_ttl_ms(const struct tree_options *options, int64_t owner)
{
    if (options->emulate_353_ttl && !owner_has_ttl_bits(owner))
        return owner & INT64_MAX; /* the layout of release 3.5.3: all bits but the top one */
    return owner & TTL_MS_MAX;
}

bool znode_is_ephemeral(const struct tree *tree, const struct znode *node)
{
    return tree_owner_kind(&tree->options, node->owner) == OWNER_SESSION;
}

/* An ephemeral has no children, so its child_count holds its index in its session's list. */
static void owner_list_add(struct tree *tree, uint32_t id)
{
    struct znode *node = tree_node(tree, id);
    struct tree_session *session = map_get(&tree->sessions, (uint64_t)node->owner);

    if (session == NULL) {
        session = mem_zalloc(sizeof(*session));
        session->id = node->owner;
        session->orphan = true;
        tree->orphan_count++;
        map_set(&tree->sessions, (uint64_t)node->owner, session);
    }
    session->ephemerals = ARRAY_RESERVE(session->ephemerals, session->ephemeral_capacity,
                                        session->ephemeral_count + 1, EPHEMERALS_FIRST);
    node->child_count = session->ephemeral_count;
    session->ephemerals[session->ephemeral_count++] = id;
    tree->ephemeral_count++;
}

static void session_drop(struct tree *tree, struct tree_session *session)
{
    ASSERT(session->ephemeral_count == 0);
    ASSERT(!session->orphan || tree->orphan_count > 0);
    map_remove(&tree->sessions, (uint64_t)session->id);
    if (session->orphan)
        tree->orphan_count--;
    mem_free(session->ephemerals);
    mem_free(session);
}

static void owner_list_remove(struct tree *tree, uint32_t id)
{
    struct znode *node = tree_node(tree, id);
    struct tree_session *session = map_get(&tree->sessions, (uint64_t)node->owner);

    ASSERT(session != NULL && node->child_count < session->ephemeral_count);
    ASSERT(session->ephemerals[node->child_count] == id && tree->ephemeral_count > 0);
    uint32_t last = session->ephemerals[--session->ephemeral_count];
    session->ephemerals[node->child_count] = last;
    tree_node(tree, last)->child_count = node->child_count;
    tree->ephemeral_count--;
    if (session->orphan && session->ephemeral_count == 0)
        session_drop(tree, session);
}

void tree_owner_index(struct tree *tree, uint32_t id)
{
    switch (tree_owner_kind(&tree->options, tree_node(tree, id)->owner)) {
    case OWNER_SESSION:
        owner_list_add(tree, id);
        break;
    case OWNER_CONTAINER:
        map_set(&tree->containers, id, tree);
        break;
    case OWNER_TTL:
        map_set(&tree->ttls, id, tree);
        break;
    case OWNER_NONE:
        break;
    }
}

void tree_owner_unindex(struct tree *tree, uint32_t id)
{
    switch (tree_owner_kind(&tree->options, tree_node(tree, id)->owner)) {
    case OWNER_SESSION:
        owner_list_remove(tree, id);
        break;
    case OWNER_CONTAINER:
        map_remove(&tree->containers, id);
        break;
    case OWNER_TTL:
        map_remove(&tree->ttls, id);
        break;
    case OWNER_NONE:
        break;
    }
}

/* --- sessions --- */

struct tree_session *tree_session(const struct tree *tree, int64_t id)
{
    struct tree_session *session = map_get(&tree->sessions, (uint64_t)id);
    return session == NULL || session->orphan ? NULL : session;
}

uint32_t tree_session_count(const struct tree *tree)
{
    return (uint32_t)tree->sessions.count - tree->orphan_count;
}

struct tree_session *tree_session_next(const struct tree *tree, size_t *cursor)
{
    return map_next(&tree->sessions, cursor, NULL);
}

void tree_session_add(struct tree *tree, int64_t id, int32_t timeout_ms)
{
    struct tree_session *session = map_get(&tree->sessions, (uint64_t)id);

    if (session == NULL) {
        session = mem_zalloc(sizeof(*session));
        session->id = id;
        map_set(&tree->sessions, (uint64_t)id, session);
    } else if (session->orphan) {
        session->orphan = false;
        tree->orphan_count--;
    }
    session->timeout_ms = timeout_ms;
}

void tree_session_remove(struct tree *tree, int64_t id)
{
    struct tree_session *session = tree_session(tree, id);

    if (session == NULL)
        return;
    if (session->ephemeral_count == 0) {
        session_drop(tree, session);
        return;
    }
    session->orphan = true; /* only in a replay: their deletes or a new owner's create follow */
    tree->orphan_count++;
}

/* --- for the janitors --- */

static uint32_t next_indexed(const struct map *map, size_t *cursor)
{
    uint64_t id;
    return map_next(map, cursor, &id) == NULL ? NODE_NONE : (uint32_t)id;
}

uint32_t tree_container_next(const struct tree *tree, size_t *cursor)
{
    return next_indexed(&tree->containers, cursor);
}

uint32_t tree_ttl_next(const struct tree *tree, size_t *cursor)
{
    return next_indexed(&tree->ttls, cursor);
}
