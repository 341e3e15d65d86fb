/* snapshots.c: counting records towards the next snapshot; at most one image at a time. */
#include "replica/proposals/snapshots.h"

#include "replica/store/snapshot.h"

/* xorshift64*: spreads servers, no more; the seed comes from outside. */
static uint64_t draw(struct snapshots *snapshots)
{
    uint64_t state = snapshots->random_state == 0 ? 1 : snapshots->random_state;

    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    snapshots->random_state = state;
    return state * UINT64_C(0x2545f4914f6cdd1d);
}

static void draw_limits(struct snapshots *snapshots)
{
    int64_t half_records = snapshots->options.snap_count / 2;
    int64_t half_bytes = snapshots->options.size_limit_bytes / 2;

    ASSERT(half_records > 0);
    snapshots->records = snapshots->bytes = 0;
    snapshots->records_limit = half_records + (int64_t)(draw(snapshots) % (uint64_t)half_records);
    snapshots->bytes_limit = half_bytes <= 0
                                 ? INT64_MAX
                                 : half_bytes + (int64_t)(draw(snapshots) % (uint64_t)half_bytes);
}

void snapshots_init(struct snapshots *snapshots, const struct snapshots_options *options,
                    struct tree *tree)
{
    *snapshots =
        (struct snapshots){.options = *options, .tree = tree, .random_state = options->random_seed};
    draw_limits(snapshots);
}

void snapshots_deinit(struct snapshots *snapshots)
{
    if (snapshots->image != NULL)
        snapshot_image_end(snapshots->image);
    snapshots->image = NULL;
}

bool snapshots_count_record(struct snapshots *snapshots, size_t bytes)
{
    bool roll = snapshots->roll_next;

    snapshots->roll_next = false;
    snapshots->records++;
    snapshots->bytes += (int64_t)bytes;
    if (snapshots->records <= snapshots->records_limit &&
        snapshots->bytes <= snapshots->bytes_limit)
        return roll;
    draw_limits(snapshots);
    snapshots->roll_next = true;
    if (!snapshots->running) /* too busy to snap: the log is rolled all the same */
        snapshots->wanted = true;
    return roll;
}

void snapshots_request(struct snapshots *snapshots)
{
    snapshots->wanted = true;
}

bool snapshots_begin(struct snapshots *snapshots)
{
    struct snapshot_image_options options = {
        .digest_enabled = tree_get_options(snapshots->tree)->digest_enabled,
        .last_zxid_section = snapshots->options.last_zxid_section};

    if (!snapshots->wanted || snapshots->running)
        return false;
    snapshots->wanted = false;
    snapshots->running = true;
    snapshots->image = snapshot_image_begin(snapshots->tree, &options);
    snapshots->image_zxid = snapshot_image_zxid(snapshots->image);
    return true;
}

int64_t snapshots_zxid(const struct snapshots *snapshots)
{
    return snapshots->image_zxid;
}

enum image_part snapshots_next(struct snapshots *snapshots, struct buffer *out, size_t bytes_max)
{
    if (snapshots->image == NULL)
        return IMAGE_END;
    enum image_part part = snapshot_image_next(snapshots->image, out, bytes_max);
    if (part == IMAGE_END || part == IMAGE_LOST)
        snapshots_deinit(snapshots);
    return part;
}

void snapshots_done(struct snapshots *snapshots)
{
    snapshots_deinit(snapshots); /* given up half way, the disk being full */
    snapshots->running = false;
}
