/* hosts.c: how many connections each client host has. A host that has none takes no memory. */
#include "server/front/front_internal.h"

#include "base/hash.h"

struct host_count {
    struct address_host host;
    uint32_t count;
    struct host_count *next; /* same hash */
};

void hosts_init(struct host_counts *hosts, uint64_t seed)
{
    map_init(&hosts->by_hash);
    hosts->seed = seed;
}

void hosts_deinit(struct host_counts *hosts)
{
    ASSERT(hosts->by_hash.count == 0);
    map_deinit(&hosts->by_hash);
}

static struct host_count *find(const struct host_counts *hosts, struct address_host host,
                               uint64_t *ret_key)
{
    *ret_key = hash_bytes(slice_of(host.bytes, sizeof(host.bytes)), hosts->seed);
    struct host_count *count = map_get(&hosts->by_hash, *ret_key);

    while (count != NULL && memcmp(&count->host, &host, sizeof(host)) != 0)
        count = count->next;
    return count;
}

uint32_t hosts_count(const struct host_counts *hosts, struct address_host host)
{
    uint64_t key;
    struct host_count *count = find(hosts, host, &key);

    return count == NULL ? 0 : count->count;
}

void hosts_add(struct host_counts *hosts, struct address_host host)
{
    uint64_t key;
    struct host_count *count = find(hosts, host, &key);

    if (count == NULL) {
        count = mem_zalloc(sizeof(*count));
        count->host = host;
        count->next = map_get(&hosts->by_hash, key);
        map_set(&hosts->by_hash, key, count);
    }
    count->count++;
}

void hosts_remove(struct host_counts *hosts, struct address_host host)
{
    uint64_t key;
    struct host_count *count = find(hosts, host, &key);

    ASSERT(count != NULL && count->count > 0);
    if (--count->count > 0)
        return;
    struct host_count *first = map_remove(&hosts->by_hash, key);
    if (first == count)
        first = count->next;
    for (struct host_count *each = first; each != NULL; each = each->next) {
        if (each->next == count)
            each->next = count->next;
    }
    if (first != NULL)
        map_set(&hosts->by_hash, key, first);
    mem_free(count);
}
