/* The ring of transactions: what is kept for learners that are behind. */
#include "replica/proposals/txn_ring.h"

#include "test/lib/check.h"

static void apply(struct txn_ring *ring, int64_t zxid, size_t bytes)
{
    static const uint8_t payload[1000] = {0};
    const struct proposal proposal = {.zxid = zxid};

    CHECK(bytes <= sizeof(payload));
    (void)txn_ring_add(ring, &proposal, slice_of(payload, bytes), bytes);
    txn_ring_applied(ring);
}

static int64_t kept(const struct txn_ring *ring)
{
    return (int64_t)(ring->first - ring->oldest);
}

TEST(applied_transactions_are_kept_up_to_so_many_bytes)
{
    struct txn_ring ring = {.kept_bytes_max = 1000};

    for (int64_t zxid = 1; zxid <= 20; zxid++)
        apply(&ring, zxid, 100);
    CHECK_I64("kept", kept(&ring), 10);
    CHECK_I64("above", ring.kept_above, 10);
    apply(&ring, 21, 1000);
    CHECK_I64("a large one counts for ten", kept(&ring), 1);
    txn_ring_deinit(&ring);
}

TEST(a_number_of_transactions_is_kept_whatever_their_bytes)
{
    struct txn_ring ring = {.kept_bytes_max = 1000, .kept_count_max = 15};

    for (int64_t zxid = 1; zxid <= 15; zxid++)
        apply(&ring, zxid, 1000);
    CHECK_I64("more bytes than without the number", kept(&ring), 15);
    apply(&ring, 16, 1);
    CHECK_I64("kept", kept(&ring), 15);
    CHECK_I64("above", ring.kept_above, 1);
    txn_ring_deinit(&ring);
}

TEST(a_server_alone_keeps_nothing)
{
    struct txn_ring ring = {.kept_count_max = 15};

    apply(&ring, 1, 10);
    CHECK_I64("kept", kept(&ring), 0);
    CHECK_I64("above", ring.kept_above, 1);
    txn_ring_deinit(&ring);
}
