/* zab_leader_epoch.c: how a leader opens its epoch, from the first FOLLOWERINFO to the first UPTODATE.
 *
 * The epoch is above all that any member was heard to promise. It is on this server's disk before
 * anybody hears of it, and it is the current one when a quorum has promised it. Only voters that have its history
 * count. Learners that come later take the same way one by one. */
#include "replica/zab/zab_peer.h"
#include "wire/quorum.h"

static bool has_introduced(const struct zab_leader *leader, const struct zab_peer *peer,
                           int64_t value)
{
    (void)leader, (void)value;
    return peer->phase >= PEER_INTRODUCED;
}

static bool has_promised(const struct zab_leader *leader, const struct zab_peer *peer,
                         int64_t value)
{
    (void)leader, (void)value;
    return peer->phase >= PEER_PROMISED && peer->current_epoch != -1 && peer->last_zxid != -1;
}

static bool has_synced(const struct zab_leader *leader, const struct zab_peer *peer, int64_t value)
{
    (void)leader, (void)value;
    return peer->phase >= PEER_SYNCED;
}

/* --- discovery --- */

static void send_leader_info(struct zab_leader *leader, struct zab_peer *peer)
{
    uint8_t info[LEADER_INFO_BYTES];

    ASSERT(peer->phase == PEER_INTRODUCED && leader->epoch >= 0);
    quorum_leader_info_write(info);
    zab_send(leader->zab, peer->connection, QUORUM_LEADER_INFO, zxid_of_epoch(leader->epoch),
             slice_of(info, leader->of_paddock ? LEADER_INFO_BYTES : LEADER_INFO_JAVA_BYTES));
    peer->phase = PEER_PROMISING;
}

static bool is_configured(const struct zab_leader *leader, const struct zab_peer *peer)
{
    return membership_find(leader->zab->membership, peer->id) != NULL;
}

/* Above all that any member was heard to promise. */
void leader_decide_epoch(struct zab_leader *leader)
{
    struct zab *zab = leader->zab;
    int64_t highest =
        zab->accepted_epoch > zab->highest_promise ? zab->accepted_epoch : zab->highest_promise;

    if (leader->phase != LEAD_WAITING || zab->store_busy ||
        !leader_quorum(leader, /* own= */ true, has_introduced, 0))
        return;
    if (highest >= INT32_MAX) {
        leader_fail(leader, "the epochs are used up");
        return;
    }
    leader->epoch = highest + 1;
    leader->phase = LEAD_PROMISING;
    zab_begin_store(zab, (struct store_work){.kind = STORE_WRITE_EPOCHS,
                                             .accepted_epoch = leader->epoch,
                                             .current_epoch = -1});
}

/* While an ensemble grows, a new server follows before the others know it. */
static void note_stranger(struct zab_leader *leader, const struct zab_peer *peer, bool has_id)
{
    if (has_id && !is_configured(leader, peer))
        effects_add_peer(leader->zab->step->effects,
                         (struct peer_effect){
                             .kind = PEER_NOTE,
                             .connection = peer->connection,
                             .reason = "no server.N line has its id: it learns without a vote"});
}

/* A member that once promised a later epoch, to a leader that never led perhaps, can follow no leader of
 * this one, however often it tries: only a new election brings it back. A server that is not configured
 * may be anybody, and uses up no epochs. */
static void check_promise(struct zab_leader *leader, const struct zab_peer *peer)
{
    struct zab *zab = leader->zab;

    if (!is_configured(leader, peer) || leader->relay.master != NULL)
        return;
    if (peer->accepted_epoch > zab->highest_promise)
        zab->highest_promise = peer->accepted_epoch;
    if (leader->epoch >= 0 && peer->accepted_epoch > leader->epoch)
        leader_fail(leader, "a server has accepted a later epoch than this leader's");
}

void leader_on_introduction(struct zab_leader *leader, struct zab_peer *peer,
                            const struct quorum_packet *packet)
{
    struct learner_info info = {0};
    bool has_id = false;

    if ((packet->type != QUORUM_FOLLOWER_INFO && packet->type != QUORUM_OBSERVER_INFO) ||
        quorum_learner_info_read(packet->data, &info, &has_id) != STATUS_OK) {
        peer_drop(leader, peer, "its first packet is not FOLLOWERINFO or OBSERVERINFO");
        return;
    }
    if (leader->relay.master != NULL && packet->type != QUORUM_OBSERVER_INFO) {
        peer_drop(leader, peer, "it is no observer, and this server does not lead");
        return;
    }
    if (info.protocol_version < LEARNER_PROTOCOL_VERSION) {
        peer_drop(leader, peer, "it speaks a protocol older than that of release 3.4");
        return;
    }
    if (has_id && info.server_id == leader->zab->options.my_id) {
        peer_drop(leader, peer, "it has this server's own id");
        return;
    }
    if (info.config_version > leader->zab->membership->version) {
        peer_drop(leader, peer, "it has a later configuration than the leader");
        return;
    }
    peer->id = has_id ? info.server_id : --leader->made_up_id;
    peer->observer = packet->type == QUORUM_OBSERVER_INFO;
    peer->voter = !peer->observer && peer->id != leader->zab->options.my_id &&
                  membership_is_voter(leader->zab->membership, peer->id);
    peer->accepted_epoch = zxid_epoch(packet->zxid);
    for (struct list *at = leader->peers.next; at != &leader->peers; at = at->next) {
        struct zab_peer *other = CONTAINER_OF(at, struct zab_peer, in_peers);
        if (other != peer && has_id && other->id == peer->id && other->phase != PEER_NEW) {
            peer_drop(leader, other, "the same server has connected again");
            break;
        }
    }
    peer->phase = PEER_INTRODUCED;
    note_stranger(leader, peer, has_id);
    check_promise(leader, peer);
    if (leader->failed != NULL)
        return;
    if (leader->phase >= LEAD_CONFIRMING)
        send_leader_info(leader, peer);
    else
        leader_decide_epoch(leader);
}

static void on_epochs_written(struct zab_leader *leader)
{
    for (struct list *at = leader->peers.next; at != &leader->peers; at = at->next) {
        struct zab_peer *peer = CONTAINER_OF(at, struct zab_peer, in_peers);
        if (peer->phase == PEER_INTRODUCED)
            send_leader_info(leader, peer);
    }
}

/* A zxid whose counter is 0 says that a leader of that epoch began; no transaction has it. */
static bool is_ahead(const struct zab_leader *leader, const struct zab_peer *peer)
{
    int64_t last = proposals_durable_zxid(leader->zab->proposals);

    if (peer->current_epoch != leader->zab->current_epoch)
        return peer->current_epoch > leader->zab->current_epoch;
    return peer->last_zxid > last && zxid_counter(peer->last_zxid) != 0;
}

static void confirm_epoch(struct zab_leader *leader)
{
    if (leader->phase != LEAD_CONFIRMING || leader->zab->store_busy ||
        !leader_quorum(leader, /* own= */ true, has_promised, 0))
        return;
    ASSERT(leader->epoch >= 0);
    leader->phase = LEAD_OPENING;
    zab_begin_store(leader->zab, (struct store_work){.kind = STORE_WRITE_EPOCHS,
                                                     .accepted_epoch = -1,
                                                     .current_epoch = leader->epoch});
}

void leader_on_epoch_promised(struct zab_leader *leader, struct zab_peer *peer,
                              const struct quorum_packet *packet)
{
    struct epoch_ack ack;

    if (packet->type != QUORUM_ACK_EPOCH ||
        quorum_epoch_ack_read(packet->data, &ack) != STATUS_OK) {
        peer_drop(leader, peer, "it did not answer LEADERINFO with ACKEPOCH");
        return;
    }
    peer->last_zxid = packet->zxid;
    peer->current_epoch = ack.epoch;
    peer->wants_all = ack.wants_all;
    if (ack.epoch != -1 && leader->phase <= LEAD_CONFIRMING && is_ahead(leader, peer)) {
        peer_drop(leader, peer, "it is ahead of the leader");
        return;
    }
    peer->phase = PEER_PROMISED;
    if (leader->phase >= LEAD_SYNCING)
        peer_synchronise(leader, peer);
    else
        confirm_epoch(leader);
}

void leader_synchronise_all(struct zab_leader *leader)
{
    struct list *next;

    for (struct list *at = leader->peers.next; at != &leader->peers; at = next) {
        struct zab_peer *peer = CONTAINER_OF(at, struct zab_peer, in_peers);
        next = at->next;
        if (peer->phase == PEER_PROMISED)
            peer_synchronise(leader, peer);
    }
}

/* --- synchronisation --- */

static void send_up_to_date(struct zab_leader *leader, struct zab_peer *peer)
{
    ASSERT(leader->phase == LEAD_SERVING && peer->phase == PEER_SYNCED);
    zab_send(leader->zab, peer->connection, QUORUM_UP_TO_DATE, QUORUM_NO_ZXID, SLICE_NULL);
    peer->phase = PEER_ACTIVE;
    peer->first_ping = leader->ping_round + 1;
}

/* A quorum has this history: it is agreed, and what follows has the new epoch. */
static void begin_serving(struct zab_leader *leader)
{
    if (leader->phase != LEAD_SYNCING || !leader_quorum(leader, /* own= */ true, has_synced, 0))
        return;
    leader->phase = LEAD_SERVING;
    leader->zab->must_have_snapshot =
        false; /* the files were read anew, and all take their state */
    leader->quorum_seen_ms = leader->serving_since_ms = leader_now_ms(leader);
    proposals_lead(leader->zab->proposals, zxid_of_epoch(leader->epoch));
    for (struct list *at = leader->peers.next; at != &leader->peers; at = at->next) {
        struct zab_peer *peer = CONTAINER_OF(at, struct zab_peer, in_peers);
        if (peer->phase == PEER_SYNCED)
            send_up_to_date(leader, peer);
    }
}

void leader_on_synced(struct zab_leader *leader, struct zab_peer *peer)
{
    ASSERT(peer->phase == PEER_SYNCING);
    peer->phase = PEER_SYNCED;
    leader_count_syncs_under_way(leader, peer->by_image);
    if (leader->phase == LEAD_SERVING)
        send_up_to_date(leader, peer);
    else
        begin_serving(leader);
}

void zab_leader_store_done(struct zab_leader *leader, enum status status)
{
    ASSERT(status == STATUS_OK);
    if (leader->phase == LEAD_PROMISING) {
        leader->phase = LEAD_CONFIRMING;
        on_epochs_written(leader);
        confirm_epoch(leader);
    } else if (leader->phase == LEAD_OPENING) {
        leader->phase = LEAD_SYNCING;
        leader_synchronise_all(leader);
        begin_serving(leader);
    }
}
