/* zab_sync.c: how a learner is brought to the leader's history: by what it lacks (DIFF, from memory, or from
 * the log files and then from memory), by taking back what nobody agreed to (TRUNC), or by everything
 * (SNAP).
 *
 * A DIFF is sent only when the learner's last transaction is part of the leader's own history: a
 * zxid within its range proves nothing. A SNAP never has a zxid below the learner's last one,
 * because the records above it in the learner's log would come back at its next start. The snapshot
 * is an image of the tree at one zxid; what is agreed meanwhile waits in the proposals and follows
 * it. A few images may be taken at a time, beside a snapshot for the server's own disk; learners
 * that wait for one share the next one. */
#include "replica/zab/zab_peer.h"

#include "replica/store/snapshot.h"
#include "wire/quorum.h"

enum { IMAGE_PART_BYTES = 256 * 1024, IMAGE_PARTS_A_TURN = LEADER_IMAGES_MAX };

static struct proposals *proposals_of(const struct zab_leader *leader)
{
    return leader->zab->proposals;
}

/* --- what follows the choice --- */

static void put_proposal(struct zab_leader *leader, struct kept_txn kept)
{
    quorum_packet_put(&leader->zab->step->effects->peer_bytes, QUORUM_PROPOSAL, kept.zxid,
                      kept.payload);
}

static void send_put(struct zab_leader *leader, struct zab_peer *peer, size_t offset)
{
    struct effects *effects = leader->zab->step->effects;

    if (effects->peer_bytes.size > offset)
        effects_add_peer_send(effects, peer->connection, offset, effects->peer_bytes.size - offset);
}

/* What is agreed behind zxid: each PROPOSAL with its COMMIT. */
static void send_history(struct zab_leader *leader, struct zab_peer *peer, int64_t behind_zxid)
{
    struct proposals *proposals = proposals_of(leader);
    struct buffer *bytes = &leader->zab->step->effects->peer_bytes;
    size_t offset = bytes->size, count = proposals_kept_count(proposals);
    size_t first = proposals_kept_behind(proposals, behind_zxid);

    for (size_t i = first; i < count; i++) {
        if (i == first + 1 && mutant_is(leader->zab->step->mutant, MUTANT_DIFF_HOLE))
            continue;
        struct kept_txn kept = proposals_kept_at(proposals, i);
        if (kept.zxid > leader->committed_zxid)
            break;
        put_proposal(leader, kept);
        quorum_packet_put(bytes, QUORUM_COMMIT, kept.zxid, SLICE_NULL);
    }
    send_put(leader, peer, offset);
}

/* What all have been proposed and is not agreed: its COMMIT comes when all get it. A follower of Java
 * forgets at NEWLEADER what was proposed to it and is not committed, and breaks down at the COMMIT: so
 * this goes out behind NEWLEADER. An observer hears of it when it is agreed. */
static void send_outstanding(struct zab_leader *leader, struct zab_peer *peer)
{
    struct proposals *proposals = proposals_of(leader);
    size_t offset = leader->zab->step->effects->peer_bytes.size;
    size_t end = proposals_kept_behind(proposals, leader->sent_zxid);

    if (peer->observer)
        return;
    for (size_t i = proposals_kept_behind(proposals, leader->committed_zxid); i < end; i++)
        put_proposal(leader, proposals_kept_at(proposals, i));
    send_put(leader, peer, offset);
}

static void send_new_leader(struct zab_leader *leader, struct zab_peer *peer)
{
    struct buffer config = {0};

    ASSERT(leader->phase >= LEAD_SYNCING);
    if (leader->relay.master != NULL)
        leader->relay.send_informs(
            leader->relay.master); /* to the others: this one got them as history */
    membership_write(&config, leader->zab->membership);
    zab_send(leader->zab, peer->connection, QUORUM_NEW_LEADER, zxid_of_epoch(leader->epoch),
             buffer_slice(&config));
    buffer_deinit(&config);
    send_outstanding(leader, peer);
    peer->phase = PEER_SYNCING;
    peer->heard_ms = leader->zab->step->now_ms; /* it may have taken long to get here */
    peer->forwarded = true;
}

/* --- how many at once --- */

static int32_t syncs_under_way(const struct zab_leader *leader, bool by_image)
{
    int32_t count = 0;

    for (struct list *at = leader->peers.next; at != &leader->peers; at = at->next) {
        const struct zab_peer *peer = CONTAINER_OF(at, struct zab_peer, in_peers);
        if (peer->phase == PEER_WAITS_IMAGE)
            count += by_image;
        else if (peer->phase >= PEER_TAKES_HISTORY && peer->phase <= PEER_SYNCING)
            count += peer->by_image == by_image;
    }
    return count;
}

/* A quorum may need a follower, and needs no observer. False: the peer is gone. */
static bool may_begin(struct zab_leader *leader, struct zab_peer *peer, bool by_image)
{
    const struct zab_options *options = &leader->zab->options;
    int32_t max = by_image ? options->snap_syncs_max : options->diff_syncs_max;

    if (!peer->observer || max == 0 || syncs_under_way(leader, by_image) < max)
        return true;
    peer_drop(leader, peer,
              by_image ? "leader.maxConcurrentSnapSyncs learners take a snapshot already"
                       : "leader.maxConcurrentDiffSyncs learners are being synchronised already");
    return false;
}

static void wait_for_image(struct zab_leader *leader, struct zab_peer *peer)
{
    if (may_begin(leader, peer, /* by_image= */ true))
        peer->phase = PEER_WAITS_IMAGE;
}

static void send_way(struct zab_leader *leader, struct zab_peer *peer, int32_t type, int64_t zxid,
                     int64_t behind_zxid)
{
    if (!may_begin(leader, peer, /* by_image= */ false))
        return;
    peer->by_image = false;
    zab_send(leader->zab, peer->connection, type, zxid, SLICE_NULL);
    send_history(leader, peer, behind_zxid);
    send_new_leader(leader, peer);
    metrics_count(&leader->zab->step->metrics, METRIC_DIFF_COUNT, 1);
    leader_count_syncs_under_way(leader, /* by_image= */ false);
}

/* --- history from the log files --- */

/* As a snapshot on the wire has them: what stands in it of a node besides name and data. */
enum { NODE_BYTES = 92 };

static uint64_t history_bytes_max(const struct zab_leader *leader)
{
    const struct tree *tree = proposals_tree(proposals_of(leader));
    uint64_t snapshot_bytes = tree_data_bytes(tree) + (uint64_t)tree_node_count(tree) * NODE_BYTES;

    return 1 + (uint64_t)((double)snapshot_bytes * leader->zab->options.snapshot_size_factor);
}

/* Up to what is in memory, which follows. All of that is applied here, so it is in the files. */
static void open_history(struct zab_leader *leader, struct zab_peer *peer, int64_t after_zxid,
                         uint64_t file_bytes_max)
{
    peer->phase = PEER_TAKES_HISTORY;
    peer->history_zxid = proposals_kept_above(proposals_of(leader));
    effects_add_history(leader->zab->step->effects,
                        (struct history_work){.kind = HISTORY_OPEN,
                                              .connection = peer->connection,
                                              .after_zxid = after_zxid,
                                              .last_zxid = peer->history_zxid,
                                              .file_bytes_max = file_bytes_max});
}

static void begin_history(struct zab_leader *leader, struct zab_peer *peer)
{
    double factor = leader->zab->options.snapshot_size_factor;

    if (factor < 0 || leader->history_failed) {
        wait_for_image(leader, peer);
        return;
    }
    if (!may_begin(leader, peer, /* by_image= */ false))
        return;
    peer->told_way = false;
    open_history(leader, peer, peer->last_zxid, factor > 0 ? history_bytes_max(leader) : 0);
}

void peer_read_history(struct zab_leader *leader, struct zab_peer *peer)
{
    effects_add_history(
        leader->zab->step->effects,
        (struct history_work){.kind = HISTORY_READ, .connection = peer->connection});
}

static void tell_diff(struct zab_leader *leader, struct zab_peer *peer)
{
    if (peer->told_way)
        return;
    peer->told_way = true;
    peer->by_image = false;
    zab_send(leader->zab, peer->connection, QUORUM_DIFF, leader->committed_zxid, SLICE_NULL);
    metrics_count(&leader->zab->step->metrics, METRIC_DIFF_COUNT, 1);
    leader_count_syncs_under_way(leader, /* by_image= */ false);
}

/* The files gave all that was asked of them; meanwhile memory may have forgotten more. */
static void finish_history(struct zab_leader *leader, struct zab_peer *peer)
{
    if (peer->history_zxid < proposals_kept_above(proposals_of(leader))) {
        open_history(leader, peer, peer->history_zxid, /* file_bytes_max= */ 0);
        return;
    }
    send_history(leader, peer, peer->history_zxid);
    send_new_leader(leader, peer);
}

/* A learner that has a part takes it, or forgets it, before NEWLEADER comes: nothing of it is wrong. */
static void lose_history(struct zab_leader *leader, struct zab_peer *peer, enum status status)
{
    if (status != STATUS_NOT_FOUND && status != STATUS_TOO_LARGE)
        leader->history_failed = true;
    peer->phase = PEER_PROMISED; /* and the history is closed */
    if (peer->told_way)
        peer_drop(leader, peer,
                  "the log files do not have all that it lacks: it gets a snapshot when it comes "
                  "again");
    else
        wait_for_image(leader, peer);
}

void zab_leader_history(struct zab_leader *leader, uint64_t connection, enum status status,
                        struct slice packets)
{
    struct zab_peer *peer = peer_find(leader, connection);

    if (peer == NULL || peer->phase != PEER_TAKES_HISTORY)
        return;
    if (status != STATUS_OK && status != STATUS_END) {
        lose_history(leader, peer, status);
        return;
    }
    tell_diff(leader, peer);
    if (packets.size > 0)
        zab_send_bytes(leader->zab, connection, packets);
    if (status == STATUS_END) {
        finish_history(leader, peer);
        return;
    }
    peer->held = true;
    peer->heard_ms = leader->zab->step->now_ms; /* from now on it is its turn to take it */
    effects_add_peer(leader->zab->step->effects,
                     (struct peer_effect){.kind = PEER_HOLD, .connection = connection});
}

/* --- the choice --- */

/* Everything behind zxid is kept, and it is a transaction of ours, or the one before the first. */
static bool is_in_history(const struct zab_leader *leader, int64_t zxid)
{
    struct proposals *proposals = proposals_of(leader);

    if (zxid == proposals_kept_above(proposals) ||
        (mutant_is(leader->zab->step->mutant, MUTANT_DIFF_BY_RANGE) &&
         zxid > proposals_kept_above(proposals)))
        return true;
    size_t behind = proposals_kept_behind(proposals, zxid);
    return behind > 0 && proposals_kept_at(proposals, behind - 1).zxid == zxid;
}

/* An observer comes from a master that had heard of more: all of it is committed, and will soon be heard
 * of here. To take it back would take back what its clients have read. */
static bool is_awaited(const struct zab_leader *leader, int64_t zxid)
{
    if (mutant_is(leader->zab->step->mutant, MUTANT_MASTER_TAKES_BACK))
        return false;
    return leader->relay.master != NULL && zxid > leader->committed_zxid &&
           zxid_epoch(zxid) == leader->epoch && zxid_counter(zxid) != 0;
}

void peer_synchronise(struct zab_leader *leader, struct zab_peer *peer)
{
    struct proposals *proposals = proposals_of(leader);
    int64_t last = leader->committed_zxid, zxid = peer->last_zxid;
    bool has_more = zxid > last && zxid_counter(zxid) != 0; /* only a TRUNC takes that back */

    ASSERT(peer->phase == PEER_PROMISED);
    if (is_awaited(leader, zxid) && !peer->wants_all) {
        return;
    }
    if (peer->wants_all || (leader->zab->options.force_snapshot && !has_more)) {
        wait_for_image(leader, peer);
    } else if (zxid == last || (zxid_counter(zxid) == 0 && zxid > last)) {
        send_way(leader, peer, QUORUM_DIFF, last, last); /* it lacks nothing */
    } else if (zxid > last) {
        send_way(leader, peer, QUORUM_TRUNC, last, last);
    } else if (is_in_history(leader, zxid) ||
               (zxid_counter(zxid) == 0 && zxid >= proposals_kept_above(proposals) && zxid != 0)) {
        send_way(leader, peer, QUORUM_DIFF, last, zxid);
    } else if (zxid > proposals_kept_above(proposals)) {
        /* It has what nobody agreed to, behind the last one that we share with it. */
        size_t behind = proposals_kept_behind(proposals, zxid);
        int64_t shared = behind == 0 ? proposals_kept_above(proposals)
                                     : proposals_kept_at(proposals, behind - 1).zxid;
        if (zxid_epoch(shared) == zxid_epoch(zxid) && behind > 0)
            send_way(leader, peer, QUORUM_TRUNC, shared, shared);
        else
            wait_for_image(leader, peer);
    } else {
        begin_history(leader, peer);
    }
}

/* --- images --- */

static void end_image(struct leader_image *image)
{
    snapshot_image_end(image->image);
    image->image = NULL;
}

void leader_end_images(struct zab_leader *leader)
{
    for (size_t i = 0; i < LEADER_IMAGES_MAX; i++)
        end_image(&leader->images[i]);
    buffer_deinit(&leader->image_part);
}

/* The next learner behind `at` that takes this image; image NULL: that waits for one. */
static struct zab_peer *next_of(struct zab_leader *leader, struct list *at,
                                const struct leader_image *image)
{
    enum peer_phase phase = image == NULL ? PEER_WAITS_IMAGE : PEER_TAKES_IMAGE;

    for (at = at->next; at != &leader->peers; at = at->next) {
        struct zab_peer *peer = CONTAINER_OF(at, struct zab_peer, in_peers);
        if (peer->phase == phase && peer->image == image)
            return peer;
    }
    return NULL;
}

static struct zab_peer *first_of(struct zab_leader *leader, const struct leader_image *image)
{
    return next_of(leader, &leader->peers, image);
}

static struct leader_image *free_image(struct zab_leader *leader)
{
    for (size_t i = 0; i < LEADER_IMAGES_MAX; i++) {
        if (leader->images[i].image == NULL)
            return &leader->images[i];
    }
    return NULL;
}

static void begin_image(struct zab_leader *leader)
{
    struct proposals *proposals = proposals_of(leader);
    struct snapshot_image_options options = {.wire = true};
    struct zab_peer *peer = first_of(leader, NULL);
    struct leader_image *image = free_image(leader);

    if (peer == NULL || image == NULL || proposals_half_applied(proposals))
        return;
    image->image = snapshot_image_begin(proposals_tree(proposals), &options);
    image->zxid = snapshot_image_zxid(image->image);
    for (; peer != NULL; peer = next_of(leader, &peer->in_peers, NULL)) {
        peer->phase = PEER_TAKES_IMAGE;
        peer->image = image;
        peer->heard_ms = leader->zab->step->now_ms;
        peer->held = false;
        peer->by_image = true;
        metrics_count(&leader->zab->step->metrics, METRIC_SNAP_COUNT, 1);
        leader_count_syncs_under_way(leader, /* by_image= */ true);
        zab_send(leader->zab, peer->connection, QUORUM_SNAP, image->zxid, SLICE_NULL);
    }
}

static bool all_have_room(struct zab_leader *leader, const struct leader_image *image)
{
    struct zab_peer *peer = first_of(leader, image);

    for (; peer != NULL; peer = next_of(leader, &peer->in_peers, image)) {
        if (peer->held)
            return false;
    }
    return true;
}

static void send_part(struct zab_leader *leader, const struct leader_image *image,
                      struct slice part)
{
    struct effects *effects = leader->zab->step->effects;
    size_t offset = effects->peer_bytes.size;
    struct zab_peer *peer = first_of(leader, image);

    buffer_append(&effects->peer_bytes, part);
    for (; peer != NULL; peer = next_of(leader, &peer->in_peers, image))
        effects_add_peer_send(effects, peer->connection, offset, part.size);
}

/* Whoever took it gets what has happened since it began. */
static void finish_image(struct zab_leader *leader, struct leader_image *image)
{
    struct zab_peer *peer;

    end_image(image);
    while ((peer = first_of(leader, image)) != NULL) {
        peer->image = NULL;
        if (image->zxid < proposals_kept_above(proposals_of(leader))) {
            peer_drop(
                leader, peer,
                "it took the snapshot too slowly: the transactions after it are not in memory "
                "any more");
        } else {
            send_history(leader, peer, image->zxid);
            send_new_leader(leader, peer);
        }
    }
}

static void lose_image(struct zab_leader *leader, struct leader_image *image)
{
    struct zab_peer *peer;

    end_image(image);
    while ((peer = first_of(leader, image)) != NULL)
        peer_drop(leader, peer, "too much changed while it took the snapshot");
}

static void hold_all(struct zab_leader *leader, const struct leader_image *image)
{
    struct zab_peer *peer = first_of(leader, image);

    for (; peer != NULL; peer = next_of(leader, &peer->in_peers, image)) {
        peer->held = true;
        effects_add_peer(leader->zab->step->effects,
                         (struct peer_effect){.kind = PEER_HOLD, .connection = peer->connection});
    }
}

static void go_on_with(struct zab_leader *leader, struct leader_image *image, size_t parts)
{
    if (first_of(leader, image) == NULL) {
        end_image(image); /* all who wanted it are gone */
        return;
    }
    if (!all_have_room(leader, image))
        return;
    for (; parts > 0; parts--) {
        leader->image_part.size = 0;
        enum image_part kind =
            snapshot_image_next(image->image, &leader->image_part, IMAGE_PART_BYTES);
        if (kind == IMAGE_LOST) {
            lose_image(leader, image);
            return;
        }
        if (kind == IMAGE_END) {
            finish_image(leader, image);
            return;
        }
        if (leader->image_part.size > 0)
            send_part(leader, image, buffer_slice(&leader->image_part));
    }
    hold_all(leader, image);
}

/* Each goes on as fast as its own learners take it; of what a turn sends all have an equal share. */
void leader_go_on_with_images(struct zab_leader *leader)
{
    size_t count = 0;

    begin_image(leader);
    for (size_t i = 0; i < LEADER_IMAGES_MAX; i++)
        count += leader->images[i].image != NULL;
    for (size_t i = 0; i < LEADER_IMAGES_MAX; i++) {
        if (leader->images[i].image != NULL)
            go_on_with(leader, &leader->images[i], IMAGE_PARTS_A_TURN / count);
    }
}
