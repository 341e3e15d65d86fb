/* zab_check.c: what holds of a leader and of a learner whenever a turn ends, whatever its peers have sent.
 *
 * Nothing here depends on what a peer says: that is never asserted. */
#include "replica/zab/zab_learner_internal.h"
#include "replica/zab/zab_peer.h"

/* --- a leader --- */

static void check_peer(const struct zab_leader *leader, const struct zab_peer *peer)
{
    bool decides = leader->relay.master == NULL;

    ASSERT(peer->connection != 0);
    ASSERT(!peer->voter || (!peer->observer && peer->id >= 0));
    ASSERT(decides || !peer->voter);
    ASSERT(peer->phase == PEER_NEW || peer->id != leader->zab->options.my_id);
    ASSERT(peer->forwarded == (peer->phase >= PEER_SYNCING));
    ASSERT((peer->image != NULL) == (peer->phase == PEER_TAKES_IMAGE));
    ASSERT(peer->image == NULL || peer->image->image != NULL);
    /* Nobody is further than the leader. */
    ASSERT(peer->phase < PEER_PROMISING || leader->phase >= LEAD_CONFIRMING);
    ASSERT(peer->phase < PEER_TAKES_HISTORY || leader->phase >= LEAD_SYNCING);
    ASSERT(peer->phase < PEER_ACTIVE || leader->phase == LEAD_SERVING);
    ASSERT(peer->phase != PEER_SYNCED || leader->phase != LEAD_SERVING); /* UPTODATE goes at once */
}

void zab_leader_check_turn(const struct zab_leader *leader)
{
    const struct zab *zab = leader->zab;
    const struct proposals *proposals = zab->proposals;

    ASSERT((leader->epoch >= 0) == (leader->phase >= LEAD_PROMISING));
    ASSERT(leader->sync_count <= leader->sync_capacity);
    for (const struct list *at = leader->peers.next; at != &leader->peers; at = at->next)
        check_peer(leader, CONTAINER_OF(at, const struct zab_peer, in_peers));
    if (leader->relay.master != NULL) {
        ASSERT(leader->phase == LEAD_SERVING && leader->sync_count == 0);
        ASSERT(leader->sent_zxid == leader->committed_zxid);
        return;
    }
    /* Both epochs are on this server's disk before others count on them. */
    ASSERT(leader->phase < LEAD_CONFIRMING || zab->accepted_epoch == leader->epoch);
    ASSERT(leader->phase < LEAD_SYNCING || zab->current_epoch == leader->epoch);
    ASSERT(leader->committed_zxid <= leader->sent_zxid);
    ASSERT(leader->sent_zxid <= proposals_proposed_zxid(proposals));
    ASSERT(proposals_applied_zxid(proposals) <= leader->committed_zxid);
    ASSERT((leader->phase == LEAD_SERVING) == (proposals_role(proposals) == PROPOSALS_LEADS));
}

/* --- a learner --- */

static void check_phase(const struct zab_learner *learner)
{
    const struct zab *zab = learner->zab;
    enum learner_phase phase = learner->phase;
    bool syncs = phase >= LEARN_SYNCING;

    ASSERT(learner->connection != 0 || phase == LEARN_DIALLING);
    ASSERT((learner->epoch >= 0) == (phase >= LEARN_PROMISING));
    ASSERT((learner->stream != NULL) == (phase == LEARN_LOADING));
    ASSERT(!learner->wants_work || phase == LEARN_CUTTING);
    ASSERT((learner->way != NULL) == (phase >= LEARN_LOADING));
    /* The promise is on disk before it is made, and so is the epoch before NEWLEADER is acknowledged. */
    ASSERT(phase < LEARN_WAITING || zab->accepted_epoch == learner->epoch);
    ASSERT(phase < LEARN_ACKED || !learner_completes_files(learner) ||
           zab->current_epoch == learner->epoch);
    ASSERT((proposals_role(zab->proposals) == PROPOSALS_LEARNS) == syncs);
}

void zab_learner_check_turn(const struct zab_learner *learner)
{
    const struct zab *zab = learner->zab;

    if (learner->failed != NULL)
        return; /* in the middle of a packet; the role is about to end */
    check_phase(learner);
    ASSERT(learner->committed_zxid <= proposals_proposed_zxid(zab->proposals));
    ASSERT(!learner->writes_snapshot || !learner->wants_snapshot);
    ASSERT(learner->master == NULL || (learner->phase == LEARN_SERVING && !zab->options.observer));
    if (learner->phase != LEARN_SERVING)
        return;
    /* Whoever serves has finished what it was sent. */
    ASSERT(learner->tree == NULL && !learner->restarts_log && !learner->files_unfinished);
    ASSERT(!learner->wants_snapshot && !learner->writes_snapshot);
    ASSERT(!zab->must_have_snapshot);
    if (learner->master != NULL)
        zab_leader_check_turn(zab_master_learners(learner->master));
}
