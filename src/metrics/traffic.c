/* traffic.c: as DataTree.java counts it: paths in UTF-16 units, data in bytes, 68 for a stat that is
 * read. */
#include "metrics/traffic.h"

#include "base/hash.h"
#include "base/utf16.h"

#include <string.h>

enum {
    /* Later and longer ones are not counted: nothing that clients choose grows for ever. */
    NAMESPACES_MAX = 1000,
    NAME_BYTES_MAX = 1024,
    STAT_OVERHEAD_BYTES = 68
};

struct traffic {
    uint64_t hash_seed;
    struct table namespaces;                 /* of struct traffic_namespace, by name */
    struct traffic_namespace *newest, *last; /* last: the one counted last */
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

static struct traffic_namespace *find_namespace(const struct traffic *traffic, struct slice name,
                                                uint64_t hash)
{
    struct table_entry *entry = table_first(&traffic->namespaces, hash);

    for (; entry != NULL; entry = entry->next) {
        struct traffic_namespace *found = CONTAINER_OF(entry, struct traffic_namespace, entry);
        if (entry->hash == hash && slice_equal(found->name, name))
            return found;
    }
    return NULL;
}

static struct traffic_namespace *add_namespace(struct traffic *traffic, struct slice name,
                                               uint64_t hash)
{
    struct traffic_namespace *added = mem_zalloc(sizeof(*added) + name.size);
    uint8_t *bytes = (uint8_t *)(added + 1);

    memcpy(bytes, name.data, name.size);
    added->name = slice_of(bytes, name.size);
    added->entry.hash = hash;
    added->older = traffic->newest;
    traffic->newest = added;
    table_insert(&traffic->namespaces, &added->entry);
    return added;
}

static inline bool lies_in(struct slice path, struct slice name)
{
    return path.size > name.size && memcmp(path.data + 1, name.data, name.size) == 0 &&
           (path.size == name.size + 1 || path.data[name.size + 1] == '/');
}

/* NULL: the root, one too many, or one too long. */
static struct traffic_namespace *take_namespace(struct traffic *traffic, struct slice path)
{
    if (traffic->last != NULL && lies_in(path, traffic->last->name))
        return traffic->last; /* as most are: it costs no hash */
    struct slice name = namespace_of(path);
    if (name.size == 0 || name.size > NAME_BYTES_MAX)
        return NULL;
    uint64_t hash = hash_bytes(name, traffic->hash_seed);
    struct traffic_namespace *found = find_namespace(traffic, name, hash);
    if (found == NULL && traffic->namespaces.count < NAMESPACES_MAX)
        found = add_namespace(traffic, name, hash);
    if (found != NULL)
        traffic->last = found;
    return found;
}

static void count(struct traffic_sum *sum, size_t bytes)
{
    summary_add(&sum->bytes, (int64_t)bytes);
    sum->known = true;
}

void traffic_read(struct traffic *traffic, struct slice path, size_t bytes)
{
    struct traffic_namespace *at = take_namespace(traffic, path);

    if (at != NULL)
        count(&at->read, utf16_units(path) + bytes + STAT_OVERHEAD_BYTES);
}

void traffic_write(struct traffic *traffic, struct slice path, size_t bytes)
{
    struct traffic_namespace *at = take_namespace(traffic, path);

    if (at != NULL)
        count(&at->write, utf16_units(path) + bytes);
}

void traffic_quota_exceeded(struct traffic *traffic, struct slice path)
{
    struct traffic_namespace *at = take_namespace(traffic, path);

    if (at == NULL)
        return;
    at->quota_exceeded++;
    at->quota_known = true;
}

const struct traffic_namespace *traffic_newest(const struct traffic *traffic)
{
    return traffic->newest;
}

void traffic_reset(struct traffic *traffic)
{
    for (struct traffic_namespace *at = traffic->newest; at != NULL; at = at->older) {
        at->read = (struct traffic_sum){.known = at->read.known};
        at->write = (struct traffic_sum){.known = at->write.known};
        at->quota_exceeded = 0;
    }
}

struct traffic *traffic_new(uint64_t hash_seed)
{
    struct traffic *traffic = mem_zalloc(sizeof(*traffic));

    traffic->hash_seed = hash_seed;
    return traffic;
}

void traffic_free(struct traffic *traffic)
{
    if (traffic == NULL)
        return;
    while (traffic->newest != NULL) {
        struct traffic_namespace *at = traffic->newest;
        traffic->newest = at->older;
        mem_free(at);
    }
    table_deinit(&traffic->namespaces);
    mem_free(traffic);
}
