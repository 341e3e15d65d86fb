/* zab_leader_broadcast.c: one proposal behind the other, once a turn.
 *
 * A transaction is committed when a quorum of voters has it on disk, this server being one of them,
 * and all before it are. Only voters that have this epoch's history count. */
#include "replica/zab/zab_peer.h"
#include "wire/quorum.h"

static bool has_acked(const struct zab_leader *leader, const struct zab_peer *peer, int64_t zxid)
{
    (void)leader;
    return peer->phase >= PEER_SYNCED && peer->acked_zxid >= zxid;
}

static bool has_answered_round(const struct zab_leader *leader, const struct zab_peer *peer,
                               int64_t round)
{
    (void)leader;
    return peer->phase == PEER_ACTIVE && peer->pings_answered > 0 &&
           peer->first_ping + peer->pings_answered - 1 >= (uint64_t)round;
}

void leader_on_ack(struct zab_leader *leader, struct zab_peer *peer, int64_t zxid)
{
    if (peer->phase == PEER_SYNCING && zxid == zxid_of_epoch(leader->epoch)) {
        leader_on_synced(leader, peer);
        return;
    }
    if (zxid > peer->acked_zxid && zxid_counter(zxid) != 0) {
        peer->acked_zxid = zxid;
        peer->unacked_since_ms = zxid >= leader->sent_zxid ? 0 : leader_now_ms(leader);
    }
}

static void send_proposals(struct zab_leader *leader)
{
    struct proposals *proposals = leader->zab->proposals;
    struct buffer *bytes = &leader->zab->step->effects->peer_bytes;
    size_t offset = bytes->size, count = proposals_kept_count(proposals);
    size_t index = proposals_kept_behind(proposals, leader->sent_zxid);

    if (index == count)
        return;
    leader_count_proposals(leader, index, count);
    leader->sent_zxid = proposals_kept_at(proposals, count - 1).zxid;
    if (!leader_has_forwarded(leader, /* observers= */ false))
        return;
    for (; index < count; index++) {
        struct kept_txn kept = proposals_kept_at(proposals, index);
        quorum_packet_put(bytes, QUORUM_PROPOSAL, kept.zxid, kept.payload);
    }
    leader_send_to(leader, offset, /* observers= */ false);
    for (struct list *at = leader->peers.next; at != &leader->peers; at = at->next) {
        struct zab_peer *peer = CONTAINER_OF(at, struct zab_peer, in_peers);
        if (peer->forwarded && peer->unacked_since_ms == 0)
            peer->unacked_since_ms = leader_now_ms(leader);
    }
}

/* The highest zxid that a quorum has on disk: one of the voters' own. */
static int64_t quorum_zxid(const struct zab_leader *leader)
{
    int64_t durable = proposals_durable_zxid(leader->zab->proposals);
    int64_t best = leader->committed_zxid;
    bool early = mutant_is(leader->zab->step->mutant, MUTANT_LEADER_SELF_ACK_EARLY);

    if (durable > best && leader_quorum(leader, /* own= */ true, has_acked, durable))
        return durable;
    for (struct list *at = leader->peers.next; at != &leader->peers; at = at->next) {
        const struct zab_peer *peer = CONTAINER_OF(at, struct zab_peer, in_peers);
        int64_t zxid = peer->acked_zxid;
        if (zxid > best && zxid <= leader->sent_zxid &&
            leader_quorum(leader, /* own= */ durable >= zxid || early, has_acked, zxid))
            best = zxid;
    }
    return best;
}

static void send_commits(struct zab_leader *leader, int64_t zxid)
{
    struct proposals *proposals = leader->zab->proposals;
    struct buffer *bytes = &leader->zab->step->effects->peer_bytes;
    size_t first = proposals_kept_behind(proposals, leader->committed_zxid);
    size_t end = proposals_kept_behind(proposals, zxid), offset = bytes->size;

    ASSERT(first <= end);
    leader_count_commits(leader, first, end);
    for (size_t i = first; i < end; i++) {
        bool later = mutant_is(leader->zab->step->mutant, MUTANT_COMMIT_OUT_OF_ORDER);
        struct kept_txn kept = proposals_kept_at(proposals, later ? first + end - 1 - i : i);
        quorum_packet_put(bytes, QUORUM_COMMIT, kept.zxid, SLICE_NULL);
    }
    leader_send_to(leader, offset, /* observers= */ false);
    if (!leader_has_forwarded(leader, /* observers= */ true))
        return;
    offset = bytes->size;
    for (size_t i = first; i < end; i++) {
        struct kept_txn kept = proposals_kept_at(proposals, i);
        quorum_packet_put(bytes, QUORUM_INFORM, kept.zxid, kept.payload);
    }
    leader_send_to(leader, offset, /* observers= */ true);
}

static bool commit(struct zab_leader *leader)
{
    int64_t zxid = quorum_zxid(leader);

    if (leader->sync_count > 0 && zxid > leader->syncs[0].zxid)
        zxid =
            leader->syncs[0].zxid; /* the answer of a sync goes before what was asked behind it */
    if (zxid <= leader->committed_zxid)
        return false;
    ASSERT(zxid <= proposals_proposed_zxid(leader->zab->proposals));
    send_commits(leader, zxid);
    leader->committed_zxid = zxid;
    proposals_agreed(leader->zab->proposals, zxid, leader->zab->observer);
    return true;
}

void leader_send_pings(struct zab_leader *leader)
{
    int64_t zxid = proposals_proposed_zxid(leader->zab->proposals);

    leader->ping_round++;
    leader->ping_now = false;
    for (struct list *at = leader->peers.next; at != &leader->peers; at = at->next) {
        struct zab_peer *peer = CONTAINER_OF(at, struct zab_peer, in_peers);
        if (peer->phase < PEER_SYNCING)
            continue;
        zab_send(leader->zab, peer->connection, QUORUM_PING, zxid, SLICE_NULL);
        if (peer->phase == PEER_ACTIVE)
            peer->pings_sent++;
    }
}

/* A sync waits for the commit of what was proposed before it, and for a quorum that still follows. */
static void answer_syncs(struct zab_leader *leader)
{
    size_t done = 0;

    for (; done < leader->sync_count; done++) {
        const struct sync_wait *sync = &leader->syncs[done];
        struct zab_peer *peer = peer_find(leader, sync->connection);
        if (sync->zxid > leader->committed_zxid ||
            !leader_quorum(leader, /* own= */ true, has_answered_round, (int64_t)sync->round))
            break;
        if (sync->connection == 0) {
            bool asked = proposals_sync_answered(leader->zab->proposals, leader->zab->observer);
            ASSERT(asked);
        } else if (peer != NULL) {
            zab_send(leader->zab, peer->connection, QUORUM_SYNC, 0, SLICE_NULL);
        }
    }
    if (done > 0)
        memmove(leader->syncs, leader->syncs + done,
                (leader->sync_count - done) * sizeof(*leader->syncs));
    leader->sync_count -= done;
}

/* Those of this server's own clients. */
static void take_own_syncs(struct zab_leader *leader)
{
    int64_t zxid;

    while (proposals_take_new_sync(leader->zab->proposals, &zxid))
        leader_ask_for_round(leader, /* connection= */ 0, zxid);
}

/* The last transaction may still be one of the epoch before, which ended for this very reason. */
static bool is_used_up(const struct zab_leader *leader, int64_t zxid)
{
    return zxid_epoch(zxid) == leader->epoch && zxid_counter(zxid) >= ZAB_COUNTER_LAST &&
           !mutant_is(leader->zab->step->mutant, MUTANT_ROLLOVER_WRAP);
}

void zab_leader_end_turn(struct zab_leader *leader)
{
    leader_go_on_with_images(leader);
    if (leader->phase != LEAD_SERVING || leader->failed != NULL)
        return;
    leader_count_own_acks(leader);
    do {
        leader_take_waiting(leader);
        send_proposals(leader);
        take_own_syncs(leader);
        answer_syncs(leader);
    } while (commit(leader)); /* what is applied may make clients ask for more */
    if (leader->ping_now)
        leader_send_pings(leader);
    if (is_used_up(leader, proposals_proposed_zxid(leader->zab->proposals)))
        leader_fail(leader, "the epoch's transactions are used up: a new epoch is elected");
}
