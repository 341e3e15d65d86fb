/* zab_learner.c: a follower or observer, from the dial to the loss of its leader: the connection, the
 * phase in which each packet is read, and time.
 *
 * One phase is behind the other; a packet that does not fit its phase ends the role. What the packets mean is
 * in zab_learner_sync.c up to UPTODATE, and for transactions in zab_learner_broadcast.c. */
#include "replica/zab/zab_learner_internal.h"

enum { DIAL_AGAIN_FIRST_MS = 10, DIAL_AGAIN_MAX_MS = 500 };

/* --- the connection --- */

/* Behind each of them it waits: the leader, or every voter as an observer master. */
static uint32_t dials_of_round(const struct zab_learner *learner)
{
    return zab_learns_from_master(learner->zab) ? learner->zab->membership->voter_count : 1;
}

static void dial(struct zab_learner *learner)
{
    struct zab *zab = learner->zab;
    bool by_master = zab_learns_from_master(zab);
    const struct member *server = by_master ? zab_next_master(zab) : learner->leader;
    uint32_t round = learner->dials / dials_of_round(learner);
    const struct member_address *address = &server->addresses[round % server->address_count];
    bool first_round = server->address_count > 1 && round < server->address_count;

    ASSERT(learner->connection == 0);
    learner->connection = *zab->next_connection;
    *zab->next_connection += 2;
    learner->dials++;
    learner->server = server;
    effects_add_peer(
        zab->step->effects,
        (struct peer_effect){.kind = PEER_DIAL,
                             .connection = learner->connection,
                             .port = by_master ? PEER_PORT_MASTER : PEER_PORT_QUORUM,
                             .host = address->host,
                             .port_number = by_master ? zab->options.observer_master_port
                                                      : address->quorum_port,
                             .timeout_ms = first_round ? zab->options.first_try_ms : 0});
}

struct zab_learner *zab_learner_new(struct zab *zab, const struct member *leader)
{
    struct zab_learner *learner = mem_zalloc(sizeof(*learner));

    learner->zab = zab;
    learner->leader = learner->server = leader;
    learner->epoch = -1;
    learner->begun_ms = learner->heard_ms = zab->step->now_ms;
    learner->committed_zxid = proposals_proposed_zxid(zab->proposals);
    learner->dial_at_ms = learner->begun_ms;
    if (zab->options.observer && !zab_learns_from_master(zab))
        learner->dial_at_ms += zab_some_delay_ms(zab, zab->options.observer_reconnect_ms);
    learner->heard_ms = learner->dial_at_ms;
    if (learner->dial_at_ms == learner->begun_ms)
        dial(learner);
    return learner;
}

void zab_learner_free(struct zab_learner *learner)
{
    if (learner == NULL)
        return;
    zab_master_free(learner->master);
    if (learner->connection != 0)
        zab_close(learner->zab, learner->connection, learner->failed);
    snapshot_stream_free(learner->stream);
    tree_free(learner->tree);
    zab_input_deinit(&learner->input);
    mem_free(learner);
}

void zab_learner_opened(struct zab_learner *learner, uint64_t connection)
{
    struct zab *zab = learner->zab;
    uint8_t bytes[20];

    if (connection != learner->connection || learner->phase != LEARN_DIALLING)
        return;
    learner->phase = LEARN_ASKING;
    learner->heard_ms = learner_now_ms(learner);
    store_be64(bytes, (uint64_t)zab->options.my_id);
    store_be32(bytes + 8, LEARNER_PROTOCOL_VERSION);
    store_be64(bytes + 12, (uint64_t)zab->membership->version);
    learner_send(learner, zab->options.observer ? QUORUM_OBSERVER_INFO : QUORUM_FOLLOWER_INFO,
                 zxid_of_epoch(zab->accepted_epoch), slice_of(bytes, sizeof(bytes)));
}

void zab_learner_closed(struct zab_learner *learner, uint64_t connection)
{
    struct zab *zab = learner->zab;
    uint32_t round = learner->dials / dials_of_round(learner);
    int64_t pause_ms = (int64_t)DIAL_AGAIN_FIRST_MS << (round > 6 ? 6 : round);

    if (pause_ms > DIAL_AGAIN_MAX_MS)
        pause_ms = DIAL_AGAIN_MAX_MS;
    if (zab->options.redial_ms > 0)
        pause_ms = zab->options.redial_ms;
    if (connection != learner->connection)
        return;
    learner->connection = 0;
    if (learner->phase != LEARN_DIALLING) {
        learner_fail(learner, "the leader closed the connection");
        return;
    }
    if (learner->dials % dials_of_round(learner) != 0) {
        dial(learner); /* the next master */
        return;
    }
    if (zab->options.observer)
        pause_ms += zab_some_delay_ms(zab, zab->options.observer_reconnect_ms);
    learner->dial_at_ms = learner_now_ms(learner) + pause_ms;
}

/* --- a packet, in its phase --- */

static void on_packet(struct zab_learner *learner, const struct quorum_packet *packet)
{
    switch (learner->phase) {
    case LEARN_ASKING:
        learner_on_leader_info(learner, packet);
        break;
    case LEARN_WAITING:
        learner_on_way_to_sync(learner, packet);
        break;
    case LEARN_SYNCING:
    case LEARN_PERSISTING:
    case LEARN_ACKED:
        if (learner_on_transaction(learner, packet))
            break;
        if (packet->type == QUORUM_NEW_LEADER && learner->phase == LEARN_SYNCING)
            learner_on_new_leader(learner, packet);
        else if (packet->type == QUORUM_UP_TO_DATE)
            learner_on_up_to_date(learner);
        break;
    case LEARN_SERVING:
        if (!learner_on_transaction(learner, packet))
            learner_on_serving_packet(learner, packet);
        break;
    case LEARN_DIALLING:
    case LEARN_PROMISING:
    case LEARN_LOADING:
    case LEARN_CUTTING:
        ASSERT(!"no packet is read in this phase");
    }
}

/* What follows waits until the files are as they must be. */
static bool reads_packets(const struct zab_learner *learner)
{
    return learner->failed == NULL && learner->phase != LEARN_PROMISING &&
           learner->phase != LEARN_CUTTING && learner->phase != LEARN_DIALLING;
}

static void read_input(struct zab_learner *learner)
{
    while (reads_packets(learner)) {
        struct quorum_packet packet;
        size_t size;
        if (learner->phase == LEARN_LOADING) {
            learner_on_snapshot_bytes(learner);
            if (learner->phase == LEARN_LOADING)
                return;
            continue;
        }
        enum status status =
            quorum_packet_read(zab_input_rest(&learner->input),
                               learner->zab->options.packet_bytes_max, &packet, &size);
        if (status == STATUS_END)
            return;
        if (status != STATUS_OK) {
            learner_fail(learner, "the leader sent bytes that are no packet");
            return;
        }
        on_packet(learner, &packet);
        zab_input_take(&learner->input, size);
    }
}

void zab_learner_bytes(struct zab_learner *learner, uint64_t connection, struct slice bytes)
{
    if (connection != learner->connection || learner->failed != NULL)
        return;
    learner->heard_ms = learner_now_ms(learner);
    zab_input_add(&learner->input, bytes);
    read_input(learner);
}

/* --- the files --- */

void zab_learner_store_done(struct zab_learner *learner, enum status status, struct tree **tree)
{
    switch (learner->phase) {
    case LEARN_PROMISING:
        learner_acknowledge_epoch(learner, /* promised_before= */ false);
        break;
    case LEARN_CUTTING:
        learner_on_cut(learner, status, tree);
        return; /* goes on when the replica has taken the tree */
    case LEARN_PERSISTING:
        learner->files_unfinished = false;
        learner_acknowledge_new_leader(learner);
        break;
    default:
        ASSERT(!"no work on the files in this phase");
    }
    read_input(learner);
}

void zab_learner_tree_taken(struct zab_learner *learner)
{
    ASSERT(learner->phase == LEARN_CUTTING && learner->tree == NULL);
    learner_begin_syncing(learner);
    read_input(learner);
}

/* --- the tree --- */

/* A leader of Java may be wrong itself (docs/protocol.md, "Digests"): then the digests fit again soon. */
void zab_learner_look_at_tree(struct zab_learner *learner)
{
    struct zab *zab = learner->zab;

    if (!learner->of_paddock || learner->phase != LEARN_SERVING || learner->failed != NULL)
        return;
    if (proposals_mismatch_zxid(zab->proposals) > zxid_of_epoch(learner->epoch))
        learner_fail(learner, zab_tree_differs(zab));
    else if (proposals_tree_differs(zab->proposals))
        learner_fail(learner, zab_fetch_all(zab));
}

/* --- time --- */

static int64_t limit_ms(const struct zab_learner *learner)
{
    const struct zab_options *options = &learner->zab->options;
    int32_t ticks =
        learner->phase == LEARN_SERVING || learner->phase == LEARN_ACKED ? options->sync_limit
        : learner->phase == LEARN_DIALLING && options->connect_limit > 0 ? options->connect_limit
                                                                         : options->init_limit;

    return (int64_t)ticks * options->tick_ms;
}

void zab_learner_stood_still(struct zab_learner *learner, int64_t ms)
{
    const struct zab_options *options = &learner->zab->options;

    if (ms > (int64_t)options->sync_limit * options->tick_ms)
        learner_fail(learner, "this server was suspended for longer than the limit");
}

void zab_learner_doubt_leader(struct zab_learner *learner, int64_t after_ms)
{
    bool refused = learner->connection == 0 || learner->dials > dials_of_round(learner);

    if (learner->phase != LEARN_DIALLING)
        return; /* if it does not lead, it closes the connection */
    if (after_ms == 0)
        learner_fail(learner, "the elected server does not lead");
    else if (refused && !learner->zab->options.observer &&
             learner_now_ms(learner) - learner->begun_ms >= after_ms)
        learner_fail(learner, "the elected leader is gone");
}

void zab_learner_tick(struct zab_learner *learner)
{
    bool waits_for_disk = learner->phase == LEARN_PROMISING || learner->phase == LEARN_CUTTING ||
                          learner->phase == LEARN_PERSISTING;

    if (learner->failed != NULL)
        return;
    if (!waits_for_disk && learner_now_ms(learner) - learner->heard_ms > limit_ms(learner) &&
        !mutant_is(learner->zab->step->mutant, MUTANT_HALF_OPEN_FOREVER)) {
        learner_fail(learner, learner->phase == LEARN_DIALLING
                                  ? "the leader could not be reached"
                                  : "the leader was silent for longer than the limit");
        return;
    }
    if (learner->phase == LEARN_DIALLING && learner->connection == 0 &&
        learner_now_ms(learner) >= learner->dial_at_ms)
        dial(learner);
    if (learner->master != NULL)
        zab_master_tick(learner->master);
}

int64_t zab_learner_wake_at_ms(const struct zab_learner *learner)
{
    if (learner->phase == LEARN_DIALLING && learner->connection == 0)
        return learner->dial_at_ms;
    int64_t silence_ms = learner->heard_ms + limit_ms(learner) + 1;
    int64_t master_ms =
        learner->master != NULL ? zab_master_wake_at_ms(learner->master) : INT64_MAX;
    return silence_ms < master_ms ? silence_ms : master_ms;
}

void zab_learner_end_turn(struct zab_learner *learner)
{
    struct buffer *requests = proposals_to_leader(learner->zab->proposals);

    learner_begin_wanted_work(learner);
    learner_persist(learner);
    if (learner->phase != LEARN_SERVING || learner->failed != NULL)
        return;
    learner_acknowledge(learner);
    if (learner->master != NULL)
        zab_master_end_turn(learner->master);
    if (requests->size > 0)
        zab_send_bytes(learner->zab, learner->connection, buffer_slice(requests));
    requests->size = 0;
}

/* --- looking in --- */

const char *zab_learner_failed(const struct zab_learner *learner)
{
    return learner->failed;
}

bool zab_learner_serves(const struct zab_learner *learner)
{
    return learner->phase == LEARN_SERVING;
}

int64_t zab_learner_epoch(const struct zab_learner *learner)
{
    return learner->epoch;
}

int64_t zab_learner_server(const struct zab_learner *learner)
{
    return learner->server->id;
}

struct zab_leader *zab_learner_observers(const struct zab_learner *learner)
{
    return learner->master == NULL ? NULL : zab_master_learners(learner->master);
}

const char *zab_learner_way(const struct zab_learner *learner)
{
    return learner->way;
}
