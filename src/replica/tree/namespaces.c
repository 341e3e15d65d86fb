/* namespaces.c: how much is read and written below each child of the root. What is counted is what
 * Java counts: a path by its UTF-16 units, data by its bytes, a stat that is read as 68. */
#include "replica/tree/tree_internal.h"

#include "base/hash.h"

enum {
    /* More and longer ones are not counted: clients choose the names, so memory must be bounded. */
    NAMESPACES_MAX = 1000,
    NAME_BYTES_MAX = 1024,
    STAT_OVERHEAD_BYTES = 68
};

/* The first element of a path; empty for the root. */
static struct slice namespace_of(struct slice path)
{
    if (path.size < 2)
        return SLICE("");
    const uint8_t *slash = memchr(path.data + 1, '/', path.size - 1);
    size_t end = slash == NULL ? path.size : (size_t)(slash - path.data);
    return slice_of(path.data + 1, end - 1);
}

size_t tree_text_units(struct slice text)
{
    const uint8_t *at = text.data, *end = at + text.size;
    size_t units = text.size;

    for (; end - at >= 8; at += 8) {
        uint64_t word;
        memcpy(&word, at, sizeof(word));
        if ((word & UINT64_C(0x8080808080808080)) != 0)
            break;
    }
    for (; at < end; at++) {
        if ((*at & 0xc0) == 0x80)
            units--;
        else if (*at >= 0xf0) /* a surrogate pair */
            units++;
    }
    return units;
}

static struct tree_namespace *find_namespace(const struct tree *tree, struct slice name,
                                             uint64_t hash)
{
    struct table_entry *entry = table_first(&tree->namespaces, hash);

    for (; entry != NULL; entry = entry->next) {
        struct tree_namespace *found = CONTAINER_OF(entry, struct tree_namespace, entry);
        if (entry->hash == hash && slice_equal(found->name, name))
            return found;
    }
    return NULL;
}

static struct tree_namespace *add_namespace(struct tree *tree, struct slice name, uint64_t hash)
{
    struct tree_namespace *added = mem_zalloc(sizeof(*added) + name.size);
    uint8_t *bytes = (uint8_t *)(added + 1);

    memcpy(bytes, name.data, name.size);
    added->name = slice_of(bytes, name.size);
    added->entry.hash = hash;
    added->older = tree->newest_namespace;
    tree->newest_namespace = added;
    table_insert(&tree->namespaces, &added->entry);
    return added;
}

static inline bool lies_in(struct slice path, struct slice name)
{
    return path.size > name.size && memcmp(path.data + 1, name.data, name.size) == 0 &&
           (path.size == name.size + 1 || path.data[name.size + 1] == '/');
}

/* NULL: the root, one too many, or one too long. */
static struct tree_namespace *take_namespace(struct tree *tree, struct slice path)
{
    if (tree->last_namespace != NULL && lies_in(path, tree->last_namespace->name))
        return tree->last_namespace; /* as most are: it costs no hash */
    struct slice name = namespace_of(path);
    if (name.size == 0 || name.size > NAME_BYTES_MAX)
        return NULL;
    uint64_t hash = hash_bytes(name, tree->options.hash_seed);
    struct tree_namespace *found = find_namespace(tree, name, hash);
    if (found == NULL && tree->namespaces.count < NAMESPACES_MAX)
        found = add_namespace(tree, name, hash);
    if (found != NULL)
        tree->last_namespace = found;
    return found;
}

static void count(struct tree_traffic *traffic, size_t bytes)
{
    int64_t value = (int64_t)bytes;

    if (traffic->count == 0 || value < traffic->min)
        traffic->min = value;
    if (value > traffic->max)
        traffic->max = value;
    traffic->count++;
    traffic->sum += value;
    traffic->known = true;
}

void tree_count_read(struct tree *tree, struct slice path, size_t bytes)
{
    struct tree_namespace *at = take_namespace(tree, path);

    if (at != NULL)
        count(&at->read, tree_text_units(path) + bytes + STAT_OVERHEAD_BYTES);
}

void tree_count_write(struct tree *tree, struct slice path, size_t bytes)
{
    struct tree_namespace *at = take_namespace(tree, path);

    if (at != NULL)
        count(&at->write, tree_text_units(path) + bytes);
}

void tree_count_quota_exceeded(struct tree *tree, struct slice path)
{
    struct tree_namespace *at = take_namespace(tree, path);

    if (at == NULL)
        return;
    at->quota_exceeded++;
    at->quota_known = true;
}

const struct tree_namespace *tree_namespaces(const struct tree *tree)
{
    return tree->newest_namespace;
}

void tree_namespaces_reset(struct tree *tree)
{
    for (struct tree_namespace *at = tree->newest_namespace; at != NULL; at = at->older) {
        at->read = (struct tree_traffic){.known = at->read.known};
        at->write = (struct tree_traffic){.known = at->write.known};
        at->quota_exceeded = 0;
    }
}

void tree_namespaces_deinit(struct tree *tree)
{
    while (tree->newest_namespace != NULL) {
        struct tree_namespace *at = tree->newest_namespace;
        tree->newest_namespace = at->older;
        mem_free(at);
    }
    table_deinit(&tree->namespaces);
}
