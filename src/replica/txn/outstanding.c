/* outstanding.c: what proposed transactions will change, over the tree as it is.
 *
 * There is one record (struct change) for each path that was put, until the tree has applied the last
 * put. The nodes of a session that is being closed need no records: while the session is in the list
 * of closing owners, every node that the tree says it owns counts as deleted. */
#include "replica/txn/outstanding.h"

#include "base/array.h"
#include "base/checksum.h"
#include "base/hash.h"
#include "base/list.h"
#include "base/table.h"

enum { SPARE_CHANGES_MAX = 4096, SPARE_PATH_BYTES_MAX = 512, UNDOS_FIRST = 16 };

struct change {
    struct table_entry by_path;
    struct list in_order; /* by zxid, oldest first */
    struct list by_owner; /* among those that will belong to one session */
    int64_t zxid;
    struct future_node node;
    struct buffer path;
};

struct owner_changes { /* the records of nodes that will belong to one session */
    struct list changes;
};

struct closing_owner { /* its closeSession is proposed and not applied */
    struct list in_order;
    int64_t owner, zxid;
};

struct undo {
    struct change *change;
    struct future_node node; /* with a reference to its ACL list */
    int64_t zxid;
    bool was_absent; /* there was no record */
};

struct outstanding {
    struct tree *tree;
    struct table changes;
    struct list order, spare;
    size_t spare_count;
    struct map owners;         /* session id -> struct owner_changes */
    struct map closing;        /* session id -> struct closing_owner */
    struct list closing_order; /* by zxid, oldest first */
    uint64_t digest, digest_at_begin;
    struct undo *undos;
    size_t undo_count, undo_capacity;
    int64_t puts, puts_undone;
    bool in_multi;
};

struct outstanding *outstanding_new(struct tree *tree)
{
    struct outstanding *outstanding = mem_zalloc(sizeof(*outstanding));

    outstanding->tree = tree;
    list_init(&outstanding->order);
    list_init(&outstanding->spare);
    list_init(&outstanding->closing_order);
    outstanding->digest = tree_digest(tree);
    return outstanding;
}

static void free_changes(struct list *head)
{
    while (!list_empty(head)) {
        struct change *change = CONTAINER_OF(head->next, struct change, in_order);
        list_remove(&change->in_order);
        buffer_deinit(&change->path);
        mem_free(change);
    }
}

static void end_closing(struct outstanding *outstanding, struct closing_owner *closing)
{
    void *removed = map_remove(&outstanding->closing, (uint64_t)closing->owner);

    ASSERT(removed == closing);
    list_remove(&closing->in_order);
    mem_free(closing);
}

void outstanding_free(struct outstanding *outstanding)
{
    if (outstanding == NULL)
        return;
    free_changes(&outstanding->order);
    free_changes(&outstanding->spare);
    while (!list_empty(&outstanding->closing_order))
        end_closing(outstanding,
                    CONTAINER_OF(outstanding->closing_order.next, struct closing_owner, in_order));
    map_deinit(&outstanding->closing);
    size_t cursor = 0;
    struct owner_changes *owned;
    while ((owned = map_next(&outstanding->owners, &cursor, NULL)) != NULL)
        mem_free(owned);
    map_deinit(&outstanding->owners);
    table_deinit(&outstanding->changes);
    mem_free(outstanding->undos);
    mem_free(outstanding);
}

/* "" and "/" are one node. */
static struct slice normal_path(struct slice path)
{
    return path.size == 0 ? SLICE("/") : path;
}

static uint64_t path_hash(const struct outstanding *outstanding, struct slice path)
{
    return hash_bytes(path, tree_get_options(outstanding->tree)->hash_seed);
}

static struct change *find_change(const struct outstanding *outstanding, struct slice path)
{
    uint64_t hash = path_hash(outstanding, path);

    for (struct table_entry *entry = table_first(&outstanding->changes, hash); entry != NULL;
         entry = entry->next) {
        struct change *change = CONTAINER_OF(entry, struct change, by_path);
        if (entry->hash == hash && slice_equal(buffer_slice(&change->path), path))
            return change;
    }
    return NULL;
}

static uint32_t content_crc(struct slice path, struct slice data)
{
    if (path.size == 1) /* the root counts as "" */
        path.size = 0;
    return crc32_add(crc32_add(0, path), data);
}

/* Will the node be gone because its session is being closed? */
static bool is_closing(const struct outstanding *outstanding, const struct znode *node)
{
    return outstanding->closing.count > 0 && znode_is_ephemeral(outstanding->tree, node) &&
           map_get(&outstanding->closing, (uint64_t)node->owner) != NULL;
}

bool outstanding_get(const struct outstanding *outstanding, struct slice path,
                     struct future_node *ret_node)
{
    path = normal_path(path);
    if (outstanding->changes.count > 0) {
        const struct change *change = find_change(outstanding, path);
        if (change != NULL) {
            *ret_node = change->node;
            return change->node.exists;
        }
    }
    uint32_t id = tree_find(outstanding->tree, path);
    if (id == NODE_NONE) {
        *ret_node = (struct future_node){0};
        return false;
    }
    const struct znode *node = tree_node(outstanding->tree, id);
    if (is_closing(outstanding, node)) {
        *ret_node = (struct future_node){0};
        return false;
    }
    bool ephemeral = znode_is_ephemeral(outstanding->tree, node);
    *ret_node = (struct future_node){.czxid = node->czxid,
                                     .mzxid = node->mzxid,
                                     .pzxid = node->pzxid,
                                     .ctime = node->ctime,
                                     .mtime = node->mtime,
                                     .owner = node->owner,
                                     .version = node->version,
                                     .cversion = node->cversion,
                                     .aversion = node->aversion,
                                     .child_count = ephemeral ? 0 : node->child_count,
                                     .acl = node->acl,
                                     .data_bytes = node->data_size < 0 ? 0 : node->data_size,
                                     .digest = node->digest,
                                     .exists = true};
    return true;
}

void outstanding_set_content(struct future_node *future, struct slice path, struct slice data)
{
    future->data_bytes = (int64_t)data.size;
    future->content_crc = content_crc(normal_path(path), data);
    future->content_crc_known = true;
}

static uint32_t digest_of(const struct outstanding *outstanding, struct slice path,
                          struct future_node *future)
{
    uint8_t stat[TREE_DIGEST_STAT_BYTES];

    if (!future->exists || !tree_get_options(outstanding->tree)->digest_enabled ||
        tree_is_outside_digest(path))
        return 0;
    if (!future->content_crc_known) { /* unchanged since the tree: read it there */
        uint32_t id = tree_find(outstanding->tree, path);
        ASSERT(id != NODE_NONE);
        future->content_crc = content_crc(path, znode_data(tree_node(outstanding->tree, id)));
        future->content_crc_known = true;
    }
    TREE_DIGEST_STAT_PUT(stat, future);
    return crc32_add(future->content_crc, slice_of(stat, sizeof(stat)));
}

/* A record is in a session's list exactly while it says that the node will belong to that session. */
static void index_owner(struct outstanding *outstanding, struct change *change)
{
    const struct future_node *future = &change->node;

    if (!future->exists ||
        tree_owner_kind(tree_get_options(outstanding->tree), future->owner) != OWNER_SESSION)
        return;
    struct owner_changes *owned = map_get(&outstanding->owners, (uint64_t)future->owner);
    if (owned == NULL) {
        owned = mem_alloc(sizeof(*owned));
        list_init(&owned->changes);
        map_set(&outstanding->owners, (uint64_t)future->owner, owned);
    }
    list_add_last(&owned->changes, &change->by_owner);
}

static void unindex_owner(struct outstanding *outstanding, struct change *change)
{
    if (list_empty(&change->by_owner))
        return;
    list_remove(&change->by_owner);
    struct owner_changes *owned = map_get(&outstanding->owners, (uint64_t)change->node.owner);
    ASSERT(owned != NULL);
    if (list_empty(&owned->changes)) {
        map_remove(&outstanding->owners, (uint64_t)change->node.owner);
        mem_free(owned);
    }
}

static struct change *add_change(struct outstanding *outstanding, struct slice path)
{
    struct change *change;

    if (list_empty(&outstanding->spare)) {
        change = mem_zalloc(sizeof(*change));
        list_init(&change->in_order);
        list_init(&change->by_owner);
    } else {
        change = CONTAINER_OF(outstanding->spare.next, struct change, in_order);
        ASSERT(outstanding->spare_count > 0 && list_empty(&change->by_owner));
        list_remove(&change->in_order);
        outstanding->spare_count--;
    }
    change->path.size = 0;
    buffer_append(&change->path, path);
    change->by_path.hash = path_hash(outstanding, path);
    change->node = (struct future_node){0};
    table_insert(&outstanding->changes, &change->by_path);
    return change;
}

static void drop_change(struct outstanding *outstanding, struct change *change)
{
    table_remove(&outstanding->changes, &change->by_path);
    list_remove(&change->in_order);
    unindex_owner(outstanding, change);
    tree_acl_release(outstanding->tree, change->node.acl);
    if (outstanding->spare_count < SPARE_CHANGES_MAX &&
        change->path.capacity <= SPARE_PATH_BYTES_MAX) {
        list_add_last(&outstanding->spare, &change->in_order);
        outstanding->spare_count++;
        return;
    }
    buffer_deinit(&change->path);
    mem_free(change);
}

static void remember_undo(struct outstanding *outstanding, struct change *change, bool was_absent)
{
    ASSERT(outstanding->in_multi);
    outstanding->undos = ARRAY_RESERVE(outstanding->undos, outstanding->undo_capacity,
                                       outstanding->undo_count + 1, UNDOS_FIRST);
    tree_acl_hold(outstanding->tree, change->node.acl);
    outstanding->undos[outstanding->undo_count++] =
        (struct undo){change, change->node, change->zxid, was_absent};
}

void outstanding_put(struct outstanding *outstanding, struct slice path,
                     const struct future_node *future, int64_t zxid)
{
    struct future_node next = *future;

    path = normal_path(path);
    outstanding->puts++;
    struct change *change = find_change(outstanding, path);
    bool was_absent = change == NULL;
    next.digest = digest_of(outstanding, path, &next);
    outstanding->digest += (uint64_t)next.digest - future->digest;
    if (was_absent)
        change = add_change(outstanding, path);
    if (outstanding->in_multi)
        remember_undo(outstanding, change, was_absent);
    tree_acl_hold(outstanding->tree, next.acl);
    tree_acl_release(outstanding->tree, change->node.acl);
    unindex_owner(outstanding, change);
    change->node = next;
    change->zxid = zxid;
    index_owner(outstanding, change);
    list_remove(&change->in_order);
    list_add_last(&outstanding->order, &change->in_order);
}

void outstanding_begin(struct outstanding *outstanding)
{
    ASSERT(!outstanding->in_multi && outstanding->undo_count == 0);
    outstanding->in_multi = true;
    outstanding->digest_at_begin = outstanding->digest;
}

void outstanding_commit(struct outstanding *outstanding)
{
    ASSERT(outstanding->in_multi);
    for (size_t i = 0; i < outstanding->undo_count; i++)
        tree_acl_release(outstanding->tree, outstanding->undos[i].node.acl);
    outstanding->undo_count = 0;
    outstanding->in_multi = false;
}

void outstanding_rollback(struct outstanding *outstanding)
{
    ASSERT(outstanding->in_multi);
    outstanding->puts_undone += (int64_t)outstanding->undo_count;
    while (outstanding->undo_count > 0) {
        struct undo *undo = &outstanding->undos[--outstanding->undo_count];
        tree_acl_release(outstanding->tree, undo->change->node.acl);
        unindex_owner(outstanding, undo->change);
        undo->change->node = undo->node; /* and its hold on the acl */
        undo->change->zxid = undo->zxid;
        index_owner(outstanding, undo->change);
        if (undo->was_absent)
            drop_change(outstanding, undo->change);
    }
    outstanding->digest = outstanding->digest_at_begin;
    outstanding->in_multi = false;
}

void outstanding_applied(struct outstanding *outstanding, int64_t zxid)
{
    ASSERT(!outstanding->in_multi); /* what could be undone would be gone */
    while (!list_empty(&outstanding->order)) {
        struct change *oldest = CONTAINER_OF(outstanding->order.next, struct change, in_order);
        if (oldest->zxid > zxid)
            break;
        drop_change(outstanding, oldest);
    }
    while (!list_empty(&outstanding->closing_order)) {
        struct closing_owner *oldest =
            CONTAINER_OF(outstanding->closing_order.next, struct closing_owner, in_order);
        if (oldest->zxid > zxid)
            break;
        end_closing(outstanding, oldest);
    }
    if (!list_empty(&outstanding->order) || !list_empty(&outstanding->closing_order))
        return;
    outstanding->digest = tree_digest(outstanding->tree); /* nothing is outstanding: they agree */
}

int64_t outstanding_put_count(const struct outstanding *outstanding)
{
    return outstanding->puts;
}

int64_t outstanding_kept_put_count(const struct outstanding *outstanding)
{
    return outstanding->puts - outstanding->puts_undone;
}

bool outstanding_is_empty(const struct outstanding *outstanding)
{
    return outstanding->changes.count == 0 && outstanding->owners.count == 0 &&
           outstanding->closing.count == 0;
}

uint64_t outstanding_digest(const struct outstanding *outstanding)
{
    return outstanding->digest;
}

/* --- a session's end --- */

struct lost_children { /* of one parent */
    struct buffer path;
    uint32_t count;
};

/* A parent loses all these children with one put. */
static void lose_children(struct outstanding *outstanding, const struct lost_children *lost,
                          int64_t zxid)
{
    struct future_node parent;

    ASSERT(lost->count > 0);
    if (!outstanding_get(outstanding, buffer_slice(&lost->path), &parent))
        return;
    parent.child_count -= lost->count;
    if (zxid > parent.pzxid)
        parent.pzxid = zxid;
    outstanding_put(outstanding, buffer_slice(&lost->path), &parent, zxid);
    outstanding->puts +=
        lost->count - 1; /* monitors expect one change of the parent for each child */
}

struct owner_closing {
    struct outstanding *outstanding;
    struct map parents; /* id of a parent in the tree -> struct lost_children */
    int64_t zxid;
    outstanding_visit *visit;
    void *context;
};

static void count_lost(struct owner_closing *closing, uint32_t parent_id, struct slice parent_path)
{
    struct lost_children *lost = map_get(&closing->parents, parent_id);

    if (lost == NULL) {
        lost = mem_zalloc(sizeof(*lost));
        buffer_append(&lost->path, parent_path);
        map_set(&closing->parents, parent_id, lost);
    }
    lost->count++;
}

/* The nodes that the tree says the session owns, except those that have a record. */
static void close_in_tree(struct owner_closing *closing, const struct tree_session *session)
{
    struct outstanding *outstanding = closing->outstanding;
    const struct tree *tree = outstanding->tree;
    struct buffer path = {0};

    for (uint32_t i = 0; i < session->ephemeral_count; i++) {
        const struct znode *node = tree_node(tree, session->ephemerals[i]);
        path.size = 0;
        tree_path_append(tree, session->ephemerals[i], &path);
        if (outstanding->changes.count > 0 && find_change(outstanding, buffer_slice(&path)) != NULL)
            continue;
        closing->visit(closing->context, buffer_slice(&path));
        outstanding->digest -= node->digest;
        outstanding->puts++;
        count_lost(closing, node->parent, zk_path_parent(buffer_slice(&path)));
    }
    buffer_deinit(&path);
}

/* The nodes that records say the session will own: each gets a record of its deletion. */
static void close_in_records(struct owner_closing *closing, int64_t owner)
{
    struct outstanding *outstanding = closing->outstanding;
    struct owner_changes *owned;
    struct buffer path = {0};

    while ((owned = map_get(&outstanding->owners, (uint64_t)owner)) != NULL) {
        struct change *change = CONTAINER_OF(owned->changes.next, struct change, by_owner);
        struct future_node gone = {.digest = change->node.digest};
        path.size = 0;
        buffer_append(&path, buffer_slice(&change->path));
        closing->visit(closing->context, buffer_slice(&path));
        struct lost_children lost = {.count = 1};
        buffer_append(&lost.path, zk_path_parent(buffer_slice(&path)));
        lose_children(outstanding, &lost, closing->zxid);
        buffer_deinit(&lost.path);
        outstanding_put(outstanding, buffer_slice(&path), &gone, closing->zxid);
    }
    buffer_deinit(&path);
}

void outstanding_close_owner(struct outstanding *outstanding, int64_t owner, int64_t zxid,
                             outstanding_visit *visit, void *context)
{
    struct owner_closing closing = {
        .outstanding = outstanding, .zxid = zxid, .visit = visit, .context = context};
    const struct tree_session *session = tree_session(outstanding->tree, owner);
    struct lost_children *lost;
    size_t cursor = 0;

    ASSERT(!outstanding->in_multi);
    /* A session that expires while its client's own closeSession is on its way from another server is
     * closed twice. The first time takes all that it owns. */
    bool again = map_get(&outstanding->closing, (uint64_t)owner) != NULL;
    if (session != NULL && !again)
        close_in_tree(&closing, session);
    close_in_records(&closing, owner);
    if (session != NULL && session->ephemeral_count > 0 && !again) {
        struct closing_owner *mark = mem_zalloc(sizeof(*mark));
        mark->owner = owner;
        mark->zxid = zxid;
        list_add_last(&outstanding->closing_order, &mark->in_order);
        map_set(&outstanding->closing, (uint64_t)owner, mark);
    }
    while ((lost = map_next(&closing.parents, &cursor, NULL)) != NULL) {
        lose_children(outstanding, lost, zxid);
        buffer_deinit(&lost->path);
        mem_free(lost);
    }
    map_deinit(&closing.parents);
}
