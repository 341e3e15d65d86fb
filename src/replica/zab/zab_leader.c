/* zab_leader.c: from the election to a quorum, and then one proposal behind the other.
 *
 * A transaction is committed when a quorum of voters has it on disk, this server being one of them,
 * and all before it are. Only voters that have this epoch's history count. */
#include "replica/zab/zab_leader.h"

#include "replica/zab/zab_peer.h"
#include "wire/quorum.h"

static int64_t now_ms(const struct zab_leader *leader)
{
    return leader->zab->step->now_ms;
}

static int64_t ticks_ms(const struct zab_leader *leader, int32_t ticks)
{
    return (int64_t)ticks * leader->zab->options.tick_ms;
}

static void fail(struct zab_leader *leader, const char *reason)
{
    if (leader->failed == NULL)
        leader->failed = reason;
}

static void decide_epoch(struct zab_leader *leader);

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

    decide_epoch(leader); /* a server that is a quorum by itself waits for nobody */
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
    peer->opened_ms = peer->heard_ms = now_ms(leader);
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
        peer->heard_ms = now_ms(leader); /* it takes what we send */
    if (peer->phase == PEER_TAKES_HISTORY)
        peer_read_history(leader, peer);
}

/* --- quorums. This server is always one of those who have --- */

struct question {
    const struct zab_leader *leader;
    bool (*has)(const struct zab_leader *leader, const struct zab_peer *peer, int64_t value);
    int64_t value;
    bool own;
};

static bool answer(const void *context, int64_t id)
{
    const struct question *question = context;
    const struct zab_leader *leader = question->leader;
    bool any = mutant_is(leader->zab->step->mutant, MUTANT_OBSERVER_COUNTS);

    if (id == leader->zab->options.my_id)
        return question->own;
    for (struct list *at = leader->peers.next; at != &leader->peers; at = at->next) {
        const struct zab_peer *peer = CONTAINER_OF(at, struct zab_peer, in_peers);
        if (((peer->id == id && peer->voter) || (any && peer->observer)) &&
            question->has(leader, peer, question->value))
            return true;
    }
    return false;
}

/* There is no other voter in step with this one, and the oracle lets it go on. */
static bool goes_on_alone(const struct zab_leader *leader)
{
    if (leader->zab->oracle != ORACLE_GRANTS || !membership_heeds_oracle(leader->zab->membership))
        return false;
    for (struct list *at = leader->peers.next; at != &leader->peers; at = at->next) {
        const struct zab_peer *peer = CONTAINER_OF(at, struct zab_peer, in_peers);
        if (peer->voter && peer->phase >= PEER_SYNCED)
            return false;
    }
    return true;
}

static bool quorum(const struct zab_leader *leader, bool own,
                   bool (*has)(const struct zab_leader *, const struct zab_peer *, int64_t),
                   int64_t value)
{
    struct question question = {.leader = leader, .has = has, .value = value, .own = own};

    return membership_quorum(leader->zab->membership, answer, &question) ||
           (own && goes_on_alone(leader));
}

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

static bool has_acked(const struct zab_leader *leader, const struct zab_peer *peer, int64_t zxid)
{
    (void)leader;
    return peer->phase >= PEER_SYNCED && peer->acked_zxid >= zxid;
}

static bool was_heard_since(const struct zab_leader *leader, const struct zab_peer *peer,
                            int64_t time_ms)
{
    (void)leader;
    return peer->phase >= PEER_SYNCED && peer->heard_ms >= time_ms;
}

static bool has_answered_round(const struct zab_leader *leader, const struct zab_peer *peer,
                               int64_t round)
{
    (void)leader;
    return peer->phase == PEER_ACTIVE && peer->pings_answered > 0 &&
           peer->first_ping + peer->pings_answered - 1 >= (uint64_t)round;
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
static void decide_epoch(struct zab_leader *leader)
{
    struct zab *zab = leader->zab;
    int64_t highest =
        zab->accepted_epoch > zab->highest_promise ? zab->accepted_epoch : zab->highest_promise;

    if (leader->phase != LEAD_WAITING || zab->store_busy ||
        !quorum(leader, /* own= */ true, has_introduced, 0))
        return;
    if (highest >= INT32_MAX) {
        fail(leader, "the epochs are used up");
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
        fail(leader, "a server has accepted a later epoch than this leader's");
}

static void on_introduction(struct zab_leader *leader, struct zab_peer *peer,
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
            peer_drop(leader, other, "the same server has connected anew");
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
        decide_epoch(leader);
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
        !quorum(leader, /* own= */ true, has_promised, 0))
        return;
    ASSERT(leader->epoch >= 0);
    leader->phase = LEAD_OPENING;
    zab_begin_store(leader->zab, (struct store_work){.kind = STORE_WRITE_EPOCHS,
                                                     .accepted_epoch = -1,
                                                     .current_epoch = leader->epoch});
}

static void on_epoch_promised(struct zab_leader *leader, struct zab_peer *peer,
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

static void begin_serving(struct zab_leader *leader);

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
    if (leader->phase != LEAD_SYNCING || !quorum(leader, /* own= */ true, has_synced, 0))
        return;
    leader->phase = LEAD_SERVING;
    leader->zab->must_have_snapshot =
        false; /* the files were read anew, and all take their state */
    leader->quorum_seen_ms = leader->serving_since_ms = now_ms(leader);
    proposals_lead(leader->zab->proposals, zxid_of_epoch(leader->epoch));
    for (struct list *at = leader->peers.next; at != &leader->peers; at = at->next) {
        struct zab_peer *peer = CONTAINER_OF(at, struct zab_peer, in_peers);
        if (peer->phase == PEER_SYNCED)
            send_up_to_date(leader, peer);
    }
}

static void on_synced(struct zab_leader *leader, struct zab_peer *peer)
{
    ASSERT(peer->phase == PEER_SYNCING);
    peer->phase = PEER_SYNCED;
    leader_count_syncs_under_way(leader, peer->by_image);
    if (leader->phase == LEAD_SERVING)
        send_up_to_date(leader, peer);
    else
        begin_serving(leader);
}

/* --- broadcast --- */

static void on_ack(struct zab_leader *leader, struct zab_peer *peer, int64_t zxid)
{
    if (peer->phase == PEER_SYNCING && zxid == zxid_of_epoch(leader->epoch)) {
        on_synced(leader, peer);
        return;
    }
    if (zxid > peer->acked_zxid && zxid_counter(zxid) != 0) {
        peer->acked_zxid = zxid;
        peer->unacked_since_ms = zxid >= leader->sent_zxid ? 0 : now_ms(leader);
    }
}

static void on_broadcast_packet(struct zab_leader *leader, struct zab_peer *peer,
                                const struct quorum_packet *packet)
{
    switch (packet->type) {
    case QUORUM_ACK:
        on_ack(leader, peer, packet->zxid);
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
    peer->heard_ms = now_ms(leader);
    switch (peer->phase) {
    case PEER_NEW:
        on_introduction(leader, peer, packet);
        break;
    case PEER_PROMISING:
        on_epoch_promised(leader, peer, packet);
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
            peer_drop(leader, peer, "what it sends is no packet");
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

/* --- once a turn --- */

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
            peer->unacked_since_ms = now_ms(leader);
    }
}

/* The highest zxid that a quorum has on disk: one of the voters' own. */
static int64_t quorum_zxid(const struct zab_leader *leader)
{
    int64_t durable = proposals_durable_zxid(leader->zab->proposals);
    int64_t best = leader->committed_zxid;
    bool early = mutant_is(leader->zab->step->mutant, MUTANT_LEADER_SELF_ACK_EARLY);

    if (durable > best && quorum(leader, /* own= */ true, has_acked, durable))
        return durable;
    for (struct list *at = leader->peers.next; at != &leader->peers; at = at->next) {
        const struct zab_peer *peer = CONTAINER_OF(at, struct zab_peer, in_peers);
        int64_t zxid = peer->acked_zxid;
        if (zxid > best && zxid <= leader->sent_zxid &&
            quorum(leader, /* own= */ durable >= zxid || early, has_acked, zxid))
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
            !quorum(leader, /* own= */ true, has_answered_round, (int64_t)sync->round))
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
        fail(leader, "the epoch's transactions are used up: a new epoch is elected");
}

/* --- time --- */

/* Pings hide from the others that this server's disk stands still: it has to say so itself. Under load
 * there is always something on its way to the disk, so what counts is that the log goes on. */
static void look_at_own_log(struct zab_leader *leader)
{
    struct proposals *proposals = leader->zab->proposals;

    if (proposals_durable_zxid(proposals) >= leader->unsynced_zxid) {
        leader->unsynced_zxid = proposals_proposed_zxid(proposals);
        leader->unsynced_since_ms = now_ms(leader);
    } else if (now_ms(leader) - leader->unsynced_since_ms >
                   ticks_ms(leader, leader->zab->options.sync_limit) &&
               !mutant_is(leader->zab->step->mutant, MUTANT_FULL_LEADER_STAYS)) {
        fail(leader, "the leader's own log was not synced within syncLimit: is its disk full or "
                     "slow?");
    }
}

static void look_at_quorum(struct zab_leader *leader)
{
    int64_t limit_ms = leader->phase == LEAD_SERVING
                           ? ticks_ms(leader, leader->zab->options.sync_limit)
                           : leader_opening_max_ms(leader);
    int64_t since_ms = now_ms(leader) - limit_ms;

    if (leader->phase == LEAD_SERVING) {
        if (!quorum(leader, /* own= */ true, was_heard_since, since_ms))
            fail(leader, "fewer followers than a quorum are in step with this leader");
    } else if (leader->begun_ms < since_ms) {
        fail(leader, "no quorum of followers within initLimit");
    }
}

/* What it was elected for will not come about, perhaps: the others need not wait for all of initLimit. */
void zab_leader_elector_looks_again(struct zab_leader *leader)
{
    int32_t max_ms = leader->zab->options.epoch_wait_max_ms;

    if (max_ms >= 0 && leader->phase == LEAD_WAITING && now_ms(leader) - leader->begun_ms > max_ms)
        fail(leader,
             "a server that elected this leader looks again, and leader.maxTimeToWaitForEpoch "
             "is over");
}

/* Nobody may read such a tree, and the digests that this server computes from it are wrong. */
void zab_leader_look_at_tree(struct zab_leader *leader)
{
    if (leader->phase == LEAD_SERVING && leader->failed == NULL &&
        proposals_mismatch_zxid(leader->zab->proposals) > zxid_of_epoch(leader->epoch))
        fail(leader, zab_tree_differs(leader->zab));
}

void zab_leader_stood_still(struct zab_leader *leader, int64_t ms)
{
    const struct zab_options *options = &leader->zab->options;

    if (ms > (int64_t)options->sync_limit * options->tick_ms)
        fail(leader, "this server stood still for longer than the limit");
}

void zab_leader_tick(struct zab_leader *leader)
{
    if (leader->failed != NULL)
        return;
    leader_drop_silent(leader);
    look_at_quorum(leader);
    look_at_own_log(leader);
    if (now_ms(leader) < leader->next_ping_ms)
        return;
    leader->next_ping_ms = now_ms(leader) + leader->zab->options.tick_ms / 2;
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
