#include "replica/txn/outstanding.h"

#include "base/checksum.h"
#include "base/hash.h"
#include "base/list.h"
#include "base/table.h"

enum { SPARE_CHANGES_MAX = 4096, SPARE_PATH_BYTES_MAX = 512 };

struct change {
    struct table_entry by_path;
    struct list in_order; /* by zxid, oldest first */
    int64_t zxid;
    struct node_state state;
    struct buffer path;
};

struct undo {
    struct change *change;
    struct node_state state; /* holds its acl */
    int64_t zxid;
    bool was_absent; /* there was no record */
};

struct outstanding {
    struct tree *tree;
    struct table changes;
    struct list order, spare;
    size_t spare_count;
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
    outstanding->digest = tree_digest(tree);
    return outstanding;
}

static void free_list_of_changes(struct list *head)
{
    while (!list_empty(head)) {
        struct change *change = CONTAINER_OF(head->next, struct change, in_order);
        list_remove(&change->in_order);
        buffer_deinit(&change->path);
        mem_free(change);
    }
}

void outstanding_free(struct outstanding *outstanding)
{
    if (outstanding == NULL)
        return;
    free_list_of_changes(&outstanding->order);
    free_list_of_changes(&outstanding->spare);
    table_deinit(&outstanding->changes);
    mem_free(outstanding->undos);
    mem_free(outstanding);
}

/* "" and "/" are one node. */
static struct slice normal(struct slice path)
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

static bool digest_free(struct slice path)
{
    return slice_starts_with(path, SLICE("/zookeeper/"));
}

static uint32_t content_crc(struct slice path, struct slice data)
{
    if (path.size == 1) /* the root counts as "" */
        path.size = 0;
    return crc32_add(crc32_add(0, path), data);
}

bool outstanding_get(const struct outstanding *outstanding, struct slice path,
                     struct node_state *ret_state)
{
    path = normal(path);
    if (outstanding->changes.count > 0) {
        const struct change *change = find_change(outstanding, path);
        if (change != NULL) {
            *ret_state = change->state;
            return change->state.exists;
        }
    }
    uint32_t id = tree_find(outstanding->tree, path);
    if (id == NODE_NONE) {
        *ret_state = (struct node_state){0};
        return false;
    }
    const struct znode *node = tree_node(outstanding->tree, id);
    bool ephemeral = znode_is_ephemeral(outstanding->tree, node);
    *ret_state = (struct node_state){.czxid = node->czxid,
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

void outstanding_set_content(struct node_state *state, struct slice path, struct slice data)
{
    state->data_bytes = (int64_t)data.size;
    state->content_crc = content_crc(normal(path), data);
    state->content_crc_known = true;
}

static uint32_t digest_of(const struct outstanding *outstanding, struct slice path,
                          struct node_state *state)
{
    uint8_t stat[60];

    if (!state->exists || !tree_get_options(outstanding->tree)->digest_enabled || digest_free(path))
        return 0;
    if (!state->content_crc_known) { /* unchanged since the tree: read it there */
        uint32_t id = tree_find(outstanding->tree, path);
        ASSERT(id != NODE_NONE);
        state->content_crc = content_crc(path, znode_data(tree_node(outstanding->tree, id)));
        state->content_crc_known = true;
    }
    store_be64(stat, (uint64_t)state->czxid);
    store_be64(stat + 8, (uint64_t)state->mzxid);
    store_be64(stat + 16, (uint64_t)state->pzxid);
    store_be64(stat + 24, (uint64_t)state->ctime);
    store_be64(stat + 32, (uint64_t)state->mtime);
    store_be32(stat + 40, (uint32_t)state->version);
    store_be32(stat + 44, (uint32_t)state->cversion);
    store_be32(stat + 48, (uint32_t)state->aversion);
    store_be64(stat + 52, (uint64_t)state->owner);
    return crc32_add(state->content_crc, slice_of(stat, sizeof(stat)));
}

static struct change *add_change(struct outstanding *outstanding, struct slice path)
{
    struct change *change;

    if (list_empty(&outstanding->spare)) {
        change = mem_zalloc(sizeof(*change));
        list_init(&change->in_order);
    } else {
        change = CONTAINER_OF(outstanding->spare.next, struct change, in_order);
        list_remove(&change->in_order);
        outstanding->spare_count--;
    }
    change->path.size = 0;
    buffer_append(&change->path, path);
    change->by_path.hash = path_hash(outstanding, path);
    change->state = (struct node_state){0};
    table_insert(&outstanding->changes, &change->by_path);
    return change;
}

static void drop_change(struct outstanding *outstanding, struct change *change)
{
    table_remove(&outstanding->changes, &change->by_path);
    list_remove(&change->in_order);
    tree_acl_release(outstanding->tree, change->state.acl);
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
    if (outstanding->undo_count == outstanding->undo_capacity) {
        outstanding->undo_capacity =
            outstanding->undo_capacity == 0 ? 16 : outstanding->undo_capacity * 2;
        outstanding->undos = mem_realloc(outstanding->undos,
                                         outstanding->undo_capacity * sizeof(*outstanding->undos));
    }
    tree_acl_hold(outstanding->tree, change->state.acl);
    outstanding->undos[outstanding->undo_count++] =
        (struct undo){change, change->state, change->zxid, was_absent};
}

void outstanding_put(struct outstanding *outstanding, struct slice path,
                     const struct node_state *state, int64_t zxid)
{
    struct node_state next = *state;

    path = normal(path);
    outstanding->puts++;
    struct change *change = find_change(outstanding, path);
    bool was_absent = change == NULL;
    next.digest = digest_of(outstanding, path, &next);
    outstanding->digest += (uint64_t)next.digest - state->digest;
    if (was_absent)
        change = add_change(outstanding, path);
    if (outstanding->in_multi)
        remember_undo(outstanding, change, was_absent);
    tree_acl_hold(outstanding->tree, next.acl);
    tree_acl_release(outstanding->tree, change->state.acl);
    change->state = next;
    change->zxid = zxid;
    list_remove(&change->in_order);
    list_add_last(&outstanding->order, &change->in_order);
}

void outstanding_begin(struct outstanding *outstanding)
{
    ASSERT(!outstanding->in_multi);
    outstanding->in_multi = true;
    outstanding->digest_at_begin = outstanding->digest;
}

void outstanding_commit(struct outstanding *outstanding)
{
    for (size_t i = 0; i < outstanding->undo_count; i++)
        tree_acl_release(outstanding->tree, outstanding->undos[i].state.acl);
    outstanding->undo_count = 0;
    outstanding->in_multi = false;
}

void outstanding_rollback(struct outstanding *outstanding)
{
    outstanding->puts_undone += (int64_t)outstanding->undo_count;
    while (outstanding->undo_count > 0) {
        struct undo *undo = &outstanding->undos[--outstanding->undo_count];
        tree_acl_release(outstanding->tree, undo->change->state.acl);
        undo->change->state = undo->state; /* and its hold on the acl */
        undo->change->zxid = undo->zxid;
        if (undo->was_absent)
            drop_change(outstanding, undo->change);
    }
    outstanding->digest = outstanding->digest_at_begin;
    outstanding->in_multi = false;
}

void outstanding_applied(struct outstanding *outstanding, int64_t zxid)
{
    while (!list_empty(&outstanding->order)) {
        struct change *oldest = CONTAINER_OF(outstanding->order.next, struct change, in_order);
        if (oldest->zxid > zxid)
            return;
        drop_change(outstanding, oldest);
    }
    outstanding->digest = tree_digest(outstanding->tree); /* nothing is ahead: same again */
}

int64_t outstanding_puts(const struct outstanding *outstanding)
{
    return outstanding->puts;
}

int64_t outstanding_puts_kept(const struct outstanding *outstanding)
{
    return outstanding->puts - outstanding->puts_undone;
}

uint64_t outstanding_digest(const struct outstanding *outstanding)
{
    return outstanding->digest;
}

void outstanding_visit_owned(const struct outstanding *outstanding, int64_t owner,
                             outstanding_visit *visit, void *context)
{
    for (struct list *at = outstanding->order.next; at != &outstanding->order; at = at->next) {
        const struct change *change = CONTAINER_OF(at, struct change, in_order);
        if (!change->state.exists || change->state.owner != owner)
            continue;
        uint32_t id = tree_find(outstanding->tree, buffer_slice(&change->path));
        if (id == NODE_NONE || tree_node(outstanding->tree, id)->owner != owner)
            visit(context, buffer_slice(&change->path));
    }
}
