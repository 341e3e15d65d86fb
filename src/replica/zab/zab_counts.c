/* zab_counts.c: what operators are shown of a leader: its learners, and what it proposed and committed.
 * Nothing here decides anything. */
#include "replica/zab/zab_peer.h"

static struct metrics *metrics_of(const struct zab_leader *leader)
{
    return &leader->zab->step->metrics;
}

void zab_leader_reset_stats(struct zab_leader *leader)
{
    leader->proposal_last_bytes = leader->proposal_min_bytes = leader->proposal_max_bytes = -1;
}

static void note_size(struct zab_leader *leader, int64_t bytes)
{
    leader->proposal_last_bytes = bytes;
    if (leader->proposal_min_bytes == -1 || bytes < leader->proposal_min_bytes)
        leader->proposal_min_bytes = bytes;
    if (bytes > leader->proposal_max_bytes)
        leader->proposal_max_bytes = bytes;
}

void leader_count_proposals(struct zab_leader *leader, size_t first, size_t end)
{
    metrics_count(metrics_of(leader), METRIC_PROPOSAL_COUNT, (int64_t)(end - first));
    for (size_t i = first; i < end; i++)
        note_size(leader, (int64_t)proposals_kept_at(leader->zab->proposals, i).payload.size);
}

void leader_count_commits(struct zab_leader *leader, size_t first, size_t end)
{
    metrics_count(metrics_of(leader), METRIC_COMMIT_COUNT, (int64_t)(end - first));
    metrics_count(metrics_of(leader), METRIC_REQUEST_COMMIT_QUEUED, (int64_t)(end - first));
    for (size_t i = first; i < end; i++)
        zab_observe_age(leader->zab, i, METRIC_QUORUM_ACK_LATENCY);
}

void leader_count_own_acks(struct zab_leader *leader)
{
    struct proposals *proposals = leader->zab->proposals;
    int64_t durable_zxid = proposals_durable_zxid(proposals);

    if (durable_zxid <= leader->own_acked_zxid)
        return;
    size_t i = proposals_kept_behind(proposals, leader->own_acked_zxid);
    size_t end = proposals_kept_behind(proposals, durable_zxid);
    for (; i < end; i++)
        zab_observe_age(leader->zab, i, METRIC_PROPOSAL_ACK_CREATION_LATENCY);
    leader->own_acked_zxid = durable_zxid;
}

void leader_count_syncs_under_way(struct zab_leader *leader, bool by_image)
{
    int64_t under_way = 0;

    for (struct list *at = leader->peers.next; at != &leader->peers; at = at->next) {
        const struct zab_peer *peer = CONTAINER_OF(at, struct zab_peer, in_peers);
        under_way += peer->by_image == by_image && peer->phase >= PEER_TAKES_HISTORY &&
                     peer->phase <= PEER_SYNCING && peer->phase != PEER_WAITS_IMAGE;
    }
    metrics_observe(metrics_of(leader),
                    by_image ? METRIC_INFLIGHT_SNAP_COUNT : METRIC_INFLIGHT_DIFF_COUNT, under_way);
}

struct zab_leader_counts zab_leader_count(const struct zab_leader *leader)
{
    struct zab_leader_counts counts = {
        .pending_syncs = leader->sync_count,
        .served_ms = leader->phase == LEAD_SERVING
                         ? leader->zab->step->now_ms - leader->serving_since_ms
                         : 0,
        .proposal_last_bytes = leader->proposal_last_bytes,
        .proposal_min_bytes = leader->proposal_min_bytes,
        .proposal_max_bytes = leader->proposal_max_bytes,
    };

    for (struct list *at = leader->peers.next; at != &leader->peers; at = at->next) {
        const struct zab_peer *peer = CONTAINER_OF(at, struct zab_peer, in_peers);
        bool synced = peer->phase >= PEER_SYNCED;
        counts.learners++;
        counts.synced_followers += synced && !peer->observer;
        counts.synced_non_voting += synced && !peer->observer && !peer->voter;
        counts.synced_observers += synced && peer->observer;
    }
    return counts;
}

int64_t zab_leader_zxids_left(const struct zab_leader *leader)
{
    int64_t zxid = proposals_proposed_zxid(leader->zab->proposals);
    int64_t counter = zxid_epoch(zxid) == leader->epoch ? zxid_counter(zxid) : 0;

    if (leader->phase != LEAD_SERVING)
        return -1;
    return counter < ZAB_COUNTER_LAST ? ZAB_COUNTER_LAST - counter : 0;
}
