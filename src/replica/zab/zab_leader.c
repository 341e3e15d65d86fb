/* zab_leader.c: the leader, from its election until it loses its quorum: its port, what each learner may
 * send in its phase, and time.
 *
 * How the epoch is opened is in zab_leader_epoch.c, what is proposed and committed in
 * zab_leader_broadcast.c. */
#include "replica/zab/zab_leader.h"

#include "replica/zab/zab_peer.h"
#include "wire/quorum.h"

static struct zab_leader *new_at_port(struct zab *zab, enum peer_port port)
{
    struct zab_leader *leader = mem_zalloc(sizeof(*leader));

    leader->zab = zab;
    leader->of_paddock = true;
    leader->epoch = -1;
    leader->begun_ms = leader->quorum_seen_ms = zab->step->now_ms;
    leader->next_ping_ms = zab->step->now_ms + zab->options.tick_ms / 2;
    leader->committed_zxid = leader->sent_zxid = leader->own_acked_zxid =
        proposals_proposed_zxid(zab->proposals);
    zab_leader_reset_stats(leader);
    list_init(&leader->peers);
    effects_add_peer(zab->step->effects, (struct peer_effect){.kind = PEER_LISTEN, .port = port});
    return leader;
}

struct zab_leader *zab_leader_new(struct zab *zab)
{
    struct zab_leader *leader = new_at_port(zab, PEER_PORT_QUORUM);

    leader_decide_epoch(leader); /* a server that is a quorum by itself waits for nobody */
    return leader;
}

/* Its own leader has opened the epoch, and a quorum has its history. */
struct zab_leader *leader_new_for_observers(struct zab *zab, const struct zab_relay *relay,
                                            const struct zab_mastery *mastery)
{
    struct zab_leader *leader = new_at_port(zab, PEER_PORT_MASTER);

    leader->relay = *relay;
    leader->of_paddock = mastery->of_paddock;
    leader->phase = LEAD_SERVING;
    leader->epoch = mastery->epoch;
    leader->committed_zxid = leader->sent_zxid = mastery->committed_zxid;
    return leader;
}

void zab_leader_free(struct zab_leader *leader)
{
    if (leader == NULL)
        return;
    leader_end_images(leader);
    while (!list_empty(&leader->peers)) {
        struct zab_peer *peer = CONTAINER_OF(leader->peers.next, struct zab_peer, in_peers);
        zab_close(leader->zab, peer->connection, NULL);
        peer_free(leader, peer);
    }
    effects_add_peer(leader->zab->step->effects,
                     (struct peer_effect){.kind = PEER_UNLISTEN,
                                          .port = leader->relay.master == NULL ? PEER_PORT_QUORUM
                                                                               : PEER_PORT_MASTER});
    mem_free(leader->syncs);
    mem_free(leader);
}

void zab_leader_opened(struct zab_leader *leader, uint64_t connection)
{
    struct zab_peer *peer = mem_zalloc(sizeof(*peer));

    ASSERT(connection != 0 && peer_find(leader, connection) == NULL);
    peer->connection = connection;
    peer->opened_ms = peer->heard_ms = leader_now_ms(leader);
    list_add_last(&leader->peers, &peer->in_peers);
}

void zab_leader_closed(struct zab_leader *leader, uint64_t connection)
{
    struct zab_peer *peer = peer_find(leader, connection);

    if (peer != NULL)
        peer_free(leader, peer);
}

void zab_leader_ready(struct zab_leader *leader, uint64_t connection)
{
    struct zab_peer *peer = peer_find(leader, connection);

    if (peer == NULL || !peer->held)
        return;
    peer->held = false;
    if (peer->phase == PEER_TAKES_HISTORY || peer->phase == PEER_TAKES_IMAGE)
        peer->heard_ms = leader_now_ms(leader); /* it takes what we send */
    if (peer->phase == PEER_TAKES_HISTORY)
        peer_read_history(leader, peer);
}

/* --- a packet, in its phase --- */

static void on_broadcast_packet(struct zab_leader *leader, struct zab_peer *peer,
                                const struct quorum_packet *packet)
{
    switch (packet->type) {
    case QUORUM_ACK:
        leader_on_ack(leader, peer, packet->zxid);
        break;
    case QUORUM_PING:
        leader_on_ping_answer(leader, peer, packet);
        break;
    case QUORUM_REQUEST:
        leader_on_request(leader, peer, packet);
        break;
    case QUORUM_REVALIDATE:
        leader_on_revalidate(leader, peer, packet);
        break;
    default: /* of a later release: it may be ignored */
        break;
    }
}

static void on_packet(struct zab_leader *leader, struct zab_peer *peer,
                      const struct quorum_packet *packet)
{
    peer->heard_ms = leader_now_ms(leader);
    switch (peer->phase) {
    case PEER_NEW:
        leader_on_introduction(leader, peer, packet);
        break;
    case PEER_PROMISING:
        leader_on_epoch_promised(leader, peer, packet);
        break;
    case PEER_SYNCING:
    case PEER_SYNCED:
    case PEER_ACTIVE:
        on_broadcast_packet(leader, peer, packet);
        break;
    case PEER_INTRODUCED:
    case PEER_PROMISED:
    case PEER_TAKES_HISTORY:
    case PEER_WAITS_IMAGE:
    case PEER_TAKES_IMAGE:
        peer_drop(leader, peer, "a packet that nobody has asked for");
        break;
    }
}

void zab_leader_bytes(struct zab_leader *leader, uint64_t connection, struct slice bytes)
{
    struct zab_peer *peer = peer_find(leader, connection);

    if (peer == NULL)
        return;
    zab_input_add(&peer->input, bytes);
    while ((peer = peer_find(leader, connection)) != NULL) { /* a packet may end it */
        struct quorum_packet packet;
        size_t size;
        enum status status = quorum_packet_read(
            zab_input_rest(&peer->input), leader->zab->options.packet_bytes_max, &packet, &size);
        if (status == STATUS_END)
            return;
        if (status != STATUS_OK) {
            peer_drop(leader, peer, "it sent bytes that are no packet");
            return;
        }
        on_packet(leader, peer, &packet);
        peer = peer_find(leader, connection);
        if (peer == NULL)
            return;
        zab_input_take(&peer->input, size);
        arena_reset(&leader->zab->step->arena);
    }
}

/* --- time --- */

/* Pings hide from the others that this server's disk stands still: it has to say so itself. Under load
 * there is always something on its way to the disk, so what counts is that the log goes on. */
static void look_at_own_log(struct zab_leader *leader)
{
    struct proposals *proposals = leader->zab->proposals;

    if (proposals_durable_zxid(proposals) >= leader->unsynced_zxid) {
        leader->unsynced_zxid = proposals_proposed_zxid(proposals);
        leader->unsynced_since_ms = leader_now_ms(leader);
    } else if (leader_now_ms(leader) - leader->unsynced_since_ms >
                   leader_ticks_ms(leader, leader->zab->options.sync_limit) &&
               !mutant_is(leader->zab->step->mutant, MUTANT_FULL_LEADER_STAYS)) {
        leader_fail(leader,
                    "the leader's own log was not synced within syncLimit: is its disk full or "
                    "slow?");
    }
}

static bool was_heard_since(const struct zab_leader *leader, const struct zab_peer *peer,
                            int64_t time_ms)
{
    (void)leader;
    return peer->phase >= PEER_SYNCED && peer->heard_ms >= time_ms;
}

static void look_at_quorum(struct zab_leader *leader)
{
    int64_t limit_ms = leader->phase == LEAD_SERVING
                           ? leader_ticks_ms(leader, leader->zab->options.sync_limit)
                           : leader_opening_max_ms(leader);
    int64_t since_ms = leader_now_ms(leader) - limit_ms;

    if (leader->phase == LEAD_SERVING) {
        if (!leader_quorum(leader, /* own= */ true, was_heard_since, since_ms))
            leader_fail(leader, "fewer followers than a quorum are in step with this leader");
    } else if (leader->begun_ms < since_ms) {
        leader_fail(leader, "no quorum of followers within initLimit");
    }
}

/* What it was elected for will not come about, perhaps: the others need not wait for all of initLimit. */
void zab_leader_elector_looks_again(struct zab_leader *leader)
{
    int32_t max_ms = leader->zab->options.epoch_wait_max_ms;

    if (max_ms >= 0 && leader->phase == LEAD_WAITING &&
        leader_now_ms(leader) - leader->begun_ms > max_ms)
        leader_fail(
            leader,
            "a server that elected this leader looks again, and leader.maxTimeToWaitForEpoch "
            "is over");
}

/* Nobody may read such a tree, and the digests that this server computes from it are wrong. */
void zab_leader_look_at_tree(struct zab_leader *leader)
{
    if (leader->phase == LEAD_SERVING && leader->failed == NULL &&
        proposals_mismatch_zxid(leader->zab->proposals) > zxid_of_epoch(leader->epoch))
        leader_fail(leader, zab_tree_differs(leader->zab));
}

void zab_leader_stood_still(struct zab_leader *leader, int64_t ms)
{
    const struct zab_options *options = &leader->zab->options;

    if (ms > (int64_t)options->sync_limit * options->tick_ms)
        leader_fail(leader, "this server was suspended for longer than the limit");
}

void zab_leader_tick(struct zab_leader *leader)
{
    if (leader->failed != NULL)
        return;
    leader_drop_silent(leader);
    look_at_quorum(leader);
    look_at_own_log(leader);
    if (leader_now_ms(leader) < leader->next_ping_ms)
        return;
    leader->next_ping_ms = leader_now_ms(leader) + leader->zab->options.tick_ms / 2;
    leader->ping_now = true;
    if (leader->phase != LEAD_SERVING)
        leader_send_pings(leader);
}

int64_t zab_leader_wake_at_ms(const struct zab_leader *leader)
{
    return leader->next_ping_ms;
}

/* --- looking in --- */

const char *zab_leader_failed(const struct zab_leader *leader)
{
    return leader->failed;
}

bool zab_leader_serves(const struct zab_leader *leader)
{
    return leader->phase == LEAD_SERVING;
}

int64_t zab_leader_epoch(const struct zab_leader *leader)
{
    return leader->epoch;
}
