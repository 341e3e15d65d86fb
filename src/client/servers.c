/* servers.c: the order of servers. Chance comes from a generator of its own, so that a host program's
 * is never touched, and one seed always gives one order. */
#include "client/servers.h"

void client_servers_init(struct client_servers *servers, uint64_t seed, bool in_order)
{
    *servers = (struct client_servers){.random = seed | 1, .in_order = in_order};
}

void client_servers_deinit(struct client_servers *servers)
{
    mem_free(servers->items);
    servers->items = NULL;
    servers->count = 0;
}

/* xorshift64*: below `bound`, which is at most 2^32. */
static uint64_t random_below(struct client_servers *servers, uint64_t bound)
{
    uint64_t x = servers->random;

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    servers->random = x;
    return ((x * UINT64_C(0x2545f4914f6cdd1d)) >> 32) * bound >> 32;
}

static bool same_address(const struct client_address *left, const struct client_address *right)
{
    return slice_equal(slice_of(left->bytes, left->size), slice_of(right->bytes, right->size));
}

static bool in_list(const struct client_address *items, uint32_t count,
                    const struct client_address *address)
{
    for (uint32_t i = 0; i < count; i++)
        if (same_address(&items[i], address))
            return true;
    return false;
}

static void swap(struct client_address *left, struct client_address *right)
{
    struct client_address kept = *left;

    *left = *right;
    *right = kept;
}

static void shuffle(struct client_servers *servers)
{
    if (servers->in_order)
        return;
    for (uint32_t i = servers->count; i > 1; i--)
        swap(&servers->items[i - 1], &servers->items[random_below(servers, i)]);
}

/* Each server of one kind (in the old list, or not) before each of the other; else as they stand. */
static void bring_to_front(struct client_servers *servers, const struct client_address *old,
                           uint32_t old_count, bool those_kept)
{
    uint32_t front = 0;

    for (uint32_t i = 0; i < servers->count; i++) {
        if (in_list(old, old_count, &servers->items[i]) != those_kept)
            continue;
        for (uint32_t j = i; j > front; j--)
            swap(&servers->items[j], &servers->items[j - 1]);
        front++;
    }
}

static bool with_probability(struct client_servers *servers, uint64_t part, uint64_t whole)
{
    return whole == 0 || random_below(servers, whole) < part;
}

bool client_servers_set(struct client_servers *servers, struct client_address *items,
                        uint32_t count, const struct client_address *current)
{
    struct client_address *old = servers->items;
    uint32_t old_count = servers->count, kept = 0;
    bool move = false;

    for (uint32_t i = 0; i < count; i++)
        kept += in_list(old, old_count, &items[i]);
    if (old_count > 0 && kept == count && count == old_count) {
        mem_free(items);
        return false;
    }
    servers->items = items;
    servers->count = count;
    servers->next = 0;
    shuffle(servers);
    if (old_count > 0) {
        bool stays = current != NULL && in_list(servers->items, servers->count, current);
        uint64_t s = old_count, n = count, k = kept;
        if (n > s) {
            stays = stays && with_probability(servers, s, n);
            bring_to_front(servers, old, old_count, false);
        } else if (!stays) {
            bool to_kept = with_probability(servers, k * (s - n), n * (s - k));
            bring_to_front(servers, old, old_count, to_kept);
        }
        move = current != NULL && !stays;
    }
    mem_free(old);
    return move;
}

const struct client_address *client_servers_next(struct client_servers *servers)
{
    const struct client_address *next = &servers->items[servers->next % servers->count];

    servers->next = (servers->next + 1) % servers->count;
    return next;
}

void client_servers_again(struct client_servers *servers)
{
    servers->next = (servers->next + servers->count - 1) % servers->count;
}
