/* txn_ring.c: a ring that doubles when it is full, and forgets applied transactions, oldest first,
 * when they are more than may be kept. */
#include "replica/proposals/txn_ring.h"

enum { ITEMS_FIRST = 256 };

static void forget_oldest(struct txn_ring *ring)
{
    struct pending *item = txn_ring_at(ring, ring->oldest);

    ASSERT(ring->oldest < ring->first && item->proposal.zxid > ring->kept_above);
    ASSERT(ring->kept_bytes >= item->payload.size);
    ring->kept_bytes -= item->payload.size;
    ring->kept_above = item->proposal.zxid;
    log_space_release(&ring->space, item->chunk);
    ring->oldest++;
}

static void forget_to(struct txn_ring *ring, size_t bytes_max)
{
    while (ring->oldest < ring->first && ring->kept_bytes > bytes_max)
        forget_oldest(ring);
}

static void forget_to_count(struct txn_ring *ring, size_t count_max)
{
    while (ring->first - ring->oldest > count_max)
        forget_oldest(ring);
}

static void forget_all(struct txn_ring *ring)
{
    while (ring->oldest < ring->first)
        forget_oldest(ring);
}

void txn_ring_deinit(struct txn_ring *ring)
{
    while (ring->first < ring->end)
        txn_ring_applied(ring);
    forget_all(ring);
    log_space_deinit(&ring->space);
    mem_free(ring->items);
    *ring = (struct txn_ring){0};
}

static void grow(struct txn_ring *ring)
{
    size_t capacity = ring->capacity == 0 ? ITEMS_FIRST : ring->capacity * 2;
    struct pending *grown = mem_alloc(capacity * sizeof(*grown));

    for (uint64_t at = ring->oldest; at < ring->end; at++)
        grown[at & (capacity - 1)] = ring->items[at & (ring->capacity - 1)];
    mem_free(ring->items);
    ring->items = grown;
    ring->capacity = capacity;
}

struct pending *txn_ring_add(struct txn_ring *ring, const struct proposal *proposal,
                             struct slice bytes, size_t payload_bytes)
{
    ASSERT(payload_bytes <= bytes.size);
    ASSERT(ring->end == ring->oldest ||
           txn_ring_at(ring, ring->end - 1)->proposal.zxid < proposal->zxid);
    if (ring->end - ring->oldest == ring->capacity)
        grow(ring);
    ring->end++;
    struct pending *item = txn_ring_at(ring, ring->end - 1);
    *item = (struct pending){.proposal = *proposal};
    item->payload = log_space_copy(&ring->space, bytes, &item->chunk);
    item->payload.size = payload_bytes;
    item->proposal.with_stat = item->payload.data + payload_bytes;
    ring->pending_bytes += payload_bytes;
    return item;
}

void txn_ring_applied(struct txn_ring *ring)
{
    struct pending *item = txn_ring_at(ring, ring->first);

    ASSERT(ring->first < ring->end && ring->pending_bytes >= item->payload.size);
    ring->pending_bytes -= item->payload.size;
    ring->kept_bytes += item->payload.size;
    ring->first++;
    if (ring->kept_bytes_max == 0)
        forget_all(ring);
    else if (ring->kept_count_max != 0)
        forget_to_count(ring, ring->kept_count_max);
    else
        forget_to(ring, ring->kept_bytes_max);
}

void txn_ring_restart(struct txn_ring *ring, int64_t zxid)
{
    ASSERT(ring->first == ring->end);
    forget_all(ring);
    ring->kept_above = zxid;
}
