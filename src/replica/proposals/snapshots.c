/* snapshots.c: counts records and bytes until the next snapshot is due. At most one is being written;
 * when the next becomes due meanwhile, the log begins a new file and no snapshot is written. */
#include "replica/proposals/snapshots.h"

#include "replica/store/snapshot.h"

/* xorshift64*. It only has to differ from server to server; the seed comes from outside. */
static uint64_t next_random(struct snapshots *snapshots)
{
    uint64_t random = snapshots->random_state == 0 ? 1 : snapshots->random_state;

    random ^= random >> 12;
    random ^= random << 25;
    random ^= random >> 27;
    snapshots->random_state = random;
    return random * UINT64_C(0x2545f4914f6cdd1d);
}

static void draw_limits(struct snapshots *snapshots)
{
    int64_t half_records = snapshots->options.snap_count / 2;
    int64_t half_bytes = snapshots->options.size_limit_bytes / 2;

    ASSERT(half_records > 0);
    snapshots->records = snapshots->bytes = 0;
    snapshots->records_limit =
        half_records + (int64_t)(next_random(snapshots) % (uint64_t)half_records);
    snapshots->bytes_limit =
        half_bytes <= 0 ? INT64_MAX
                        : half_bytes + (int64_t)(next_random(snapshots) % (uint64_t)half_bytes);
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
    if (!snapshots->running) /* else the log begins a new file all the same */
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
    ASSERT(snapshots->image == NULL);
    snapshots->wanted = false;
    snapshots->running = true;
    snapshots->image_lost = false;
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
        return snapshots->image_lost ? IMAGE_LOST : IMAGE_END;
    enum image_part part = snapshot_image_next(snapshots->image, out, bytes_max);
    if (part == IMAGE_END || part == IMAGE_LOST)
        snapshots_deinit(snapshots);
    return part;
}

bool snapshots_running(const struct snapshots *snapshots)
{
    return snapshots->running;
}

void snapshots_give_up(struct snapshots *snapshots)
{
    if (snapshots->image != NULL)
        snapshots->image_lost = true;
    snapshots_deinit(snapshots);
}

void snapshots_replace_tree(struct snapshots *snapshots, struct tree *tree)
{
    snapshots_give_up(snapshots);
    snapshots->tree = tree;
}

void snapshots_done(struct snapshots *snapshots)
{
    ASSERT(snapshots->running);
    snapshots_deinit(snapshots); /* there is still an image when the file was given up half way */
    snapshots->running = false;
}
