/* txn_ring.h: transactions in the order of their zxids: some that were applied and are kept for
 * learners that are behind, then those that are not applied yet. Their bytes do not move while they
 * are in the ring. */
#ifndef REPLICA_PROPOSALS_TXN_RING_H
#define REPLICA_PROPOSALS_TXN_RING_H

#include "replica/proposals/log_space.h"
#include "replica/proposals/proposals.h"

struct pending {
    struct proposal proposal;
    struct slice payload;
    struct log_chunk *chunk;
    int64_t changes; /* of znodes; counted where it was made */
};

struct txn_ring {          /* zeroed except for the limits: empty */
    struct pending *items; /* its size is a power of two */
    size_t capacity;
    uint64_t oldest, first, end; /* positions that only grow: kept, not applied, free */
    size_t kept_bytes, pending_bytes;
    size_t kept_bytes_max; /* 0: nothing is kept */
    size_t kept_count_max; /* if not 0, this is the limit, and not the bytes */
    int64_t kept_above;    /* dropped transactions had zxids up to this */
    struct log_space space;
};

void txn_ring_deinit(struct txn_ring *ring);
/* `bytes`: the payload (its first payload_bytes), then what the answer needs. The zxid is above all
 * others. */
struct pending *txn_ring_add(struct txn_ring *ring, const struct proposal *proposal,
                             struct slice bytes, size_t payload_bytes);
void txn_ring_applied(struct txn_ring *ring); /* the first one that was not applied */
/* Call it when nothing is pending: drops everything; what comes later has zxids above zxid. */
void txn_ring_restart(struct txn_ring *ring, int64_t zxid);

static inline size_t txn_ring_pending(const struct txn_ring *ring)
{
    return (size_t)(ring->end - ring->first);
}

static inline struct pending *txn_ring_at(const struct txn_ring *ring, uint64_t position)
{
    ASSERT(position >= ring->oldest && position < ring->end);
    return &ring->items[position & (ring->capacity - 1)];
}

#endif
