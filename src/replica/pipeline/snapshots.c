/* When to write a snapshot, and its bytes (SyncRequestProcessor.java's counting). */
#include "replica/pipeline/pipeline.h"

/* xorshift64*: spreads servers, no more; the seed comes from outside. */
static uint64_t draw(struct replica *replica)
{
    uint64_t state = replica->random_state == 0 ? 1 : replica->random_state;

    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    replica->random_state = state;
    return state * UINT64_C(0x2545f4914f6cdd1d);
}

void snapshots_draw_limits(struct replica *replica)
{
    int64_t half_records = replica->options.snap_count / 2;
    int64_t half_bytes = replica->options.snap_size_limit_bytes / 2;

    replica->records_since_roll = replica->bytes_since_roll = 0;
    replica->records_limit = half_records + (int64_t)(draw(replica) % (uint64_t)half_records);
    replica->bytes_limit =
        half_bytes <= 0 ? INT64_MAX : half_bytes + (int64_t)(draw(replica) % (uint64_t)half_bytes);
}

void snapshots_count_record(struct replica *replica, size_t bytes)
{
    replica->records_since_roll++;
    replica->bytes_since_roll += (int64_t)bytes;
    if (replica->records_since_roll <= replica->records_limit &&
        replica->bytes_since_roll <= replica->bytes_limit)
        return;
    snapshots_draw_limits(replica);
    replica->roll_next = true;
    if (!replica->image_running) /* too busy to snap: the log is rolled all the same */
        replica->image_wanted = true;
}

void snapshots_begin_if_wanted(struct replica *replica)
{
    struct snapshot_image_options options = {
        .digest_enabled = tree_get_options(replica->tree)->digest_enabled,
        .last_zxid_section = replica->options.snapshot_last_zxid_section};

    if (!replica->image_wanted || replica->image_running)
        return;
    replica->image_wanted = false;
    replica->image_running = true;
    replica->image = snapshot_image_begin(replica->tree, &options);
    replica->image_zxid = snapshot_image_zxid(replica->image);
    replica->effects->snapshot_begin = true;
}

bool replica_snapshot_next(struct replica *replica, struct buffer *out, size_t bytes_max,
                           bool *ret_seal)
{
    if (replica->image == NULL)
        return false;
    if (snapshot_image_next(replica->image, out, bytes_max, ret_seal))
        return true;
    snapshot_image_end(replica->image);
    replica->image = NULL;
    return false;
}

int64_t replica_snapshot_zxid(const struct replica *replica)
{
    return replica->image_zxid;
}

void replica_request_snapshot(struct replica *replica)
{
    replica->image_wanted = true;
}
