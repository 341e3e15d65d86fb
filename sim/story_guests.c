/* story_guests.c: servers that the script plays: of another make, or of ill will. As leader a guest goes the
 * usual way by itself, up to UPTODATE; what it sends then, and what it says to be its history, is the
 * script's. Anywhere else it sends the bytes that the script gives it. */
#include "replica/store/snapshot.h"
#include "sim/checker.h"
#include "sim/story_parts.h"

#include <inttypes.h>

enum { GUEST_PACKET_BYTES_MAX = 1 << 24, GUEST_PING_US = 100000 };

static struct story_guest *guest_of(struct story *story, int server)
{
    struct story_guest *guest = &story->guests[server];

    ASSERT(server >= 1 && server <= story->world->node_count);
    ASSERT((story->hand.guests >> (server - 1) & 1) != 0);
    guest->story = story;
    guest->server = server;
    return guest;
}

static struct guest_end *add_end(struct story_guest *guest, int peer, enum network_port port)
{
    ASSERT(guest->end_count < GUEST_ENDS);
    struct guest_end *end = &guest->ends[guest->end_count++];
    guest->story->next_number += 2;
    *end = (struct guest_end){.number = guest->story->next_number, .peer = peer, .port = port};
    return end;
}

static struct guest_end *end_of(struct story_guest *guest, uint64_t number)
{
    for (size_t i = 0; i < guest->end_count; i++) {
        if (guest->ends[i].number == number)
            return &guest->ends[i];
    }
    return NULL;
}

static void send_bytes(struct story_guest *guest, const struct guest_end *end, struct slice bytes)
{
    network_send(guest->story->world->network, guest->server - 1, end->number, bytes);
}

static void send_packet(struct story_guest *guest, const struct guest_end *end, int32_t type,
                        int64_t zxid, struct slice data)
{
    struct buffer bytes = {0};

    if (type != QUORUM_PING)
        world_note(guest->story->world, story_node(guest->story, guest->server),
                   "guest to %d: %s %" PRIx64, end->peer, quorum_packet_name(type), (uint64_t)zxid);
    quorum_packet_put(&bytes, type, zxid, data);
    send_bytes(guest, end, buffer_slice(&bytes));
    buffer_deinit(&bytes);
}

/* --- the election: everybody is to vote for the guest --- */

static void send_vote(struct story_guest *guest, const struct guest_end *end, int64_t round)
{
    struct buffer message = {0}, frame = {0};

    notification_write(
        &message, &(struct notification){.state = guest->leads ? PEER_LEADING : PEER_LOOKING,
                                         .leader = guest->server,
                                         .zxid = guest->plan.zxid,
                                         .election_epoch = round,
                                         .peer_epoch = guest->plan.epoch - (guest->leads ? 0 : 1)});
    election_frame_write(&frame, buffer_slice(&message));
    send_bytes(guest, end, buffer_slice(&frame));
    buffer_deinit(&message);
    buffer_deinit(&frame);
}

static void take_input(struct guest_end *end, size_t size)
{
    memmove(end->input.data, end->input.data + size, end->input.size - size);
    end->input.size -= size;
}

/* Who dials says first who it is. False: it has not, or the script speaks. */
static bool was_greeted(struct story_guest *guest, struct guest_end *end)
{
    struct election_hello hello;
    size_t size;

    if (end->accepted && !end->greeted && guest->plan.epoch != 0 &&
        election_hello_read(buffer_slice(&end->input), &hello, &size) == STATUS_OK) {
        end->greeted = true;
        take_input(end, size);
    }
    return !end->accepted || end->greeted;
}

static void on_election_bytes(struct story_guest *guest, struct guest_end *end)
{
    struct slice message;
    struct notification said;
    size_t size;

    if (!was_greeted(guest, end))
        return;
    while (election_frame_read(buffer_slice(&end->input), &message, &size) == STATUS_OK) {
        if (notification_read(message, &said) == STATUS_OK && said.state == PEER_LOOKING &&
            guest->plan.epoch != 0 && (said.leader != guest->server || !end->answered)) {
            end->answered = true;
            send_vote(guest, end, said.election_epoch);
        }
        take_input(end, size);
    }
}

void story_guest_lead(struct story *story, int server, const struct story_guest_plan *plan)
{
    struct story_guest *guest = guest_of(story, server);

    guest->plan = *plan;
    guest->leads = false;
    for (int peer = 1; peer <= story->world->node_count; peer++) {
        if (peer != server)
            (void)story_guest_dial(story, server, peer, NETWORK_ELECTION);
    }
}

/* --- the quorum port, as leader --- */

/* A snapshot with one node, /guest. */
static void send_snapshot(struct story_guest *guest, const struct guest_end *end)
{
    struct tree_options options = {.extended_types = true, .digest_enabled = true};
    struct snapshot_image_options image_options = {.wire = true};
    struct buffer bytes = {0};
    struct tree *tree = tree_new(&options);

    tree_set_last_zxid(tree, guest->plan.zxid);
    struct snapshot_image *image = snapshot_image_begin(tree, &image_options);
    while (snapshot_image_next(image, &bytes, 4096) < IMAGE_END) {
    }
    snapshot_image_end(image);
    tree_free(tree);
    send_bytes(guest, end, buffer_slice(&bytes));
    buffer_deinit(&bytes);
}

static void ping(void *context, uint64_t number)
{
    struct story_guest *guest = context;
    struct guest_end *end = end_of(guest, number);

    if (end == NULL || !end->open || guest->silent)
        return;
    send_packet(guest, end, QUORUM_PING, guest->plan.zxid, SLICE_NULL);
    events_in(&guest->story->world->events, GUEST_PING_US, ping, guest, number);
}

static void on_learner_packet(struct story_guest *guest, struct guest_end *end,
                              const struct quorum_packet *packet)
{
    const struct story_guest_plan *plan = &guest->plan;
    int64_t epoch_zxid = zxid_make(plan->epoch, 0);
    uint8_t version[4];

    switch (packet->type) {
    case QUORUM_FOLLOWER_INFO:
    case QUORUM_OBSERVER_INFO:
        guest->leads = true;
        store_be32(version, LEARNER_PROTOCOL_VERSION);
        send_packet(guest, end, QUORUM_LEADER_INFO, epoch_zxid, slice_of(version, 4));
        break;
    case QUORUM_ACK_EPOCH:
        send_packet(guest, end, plan->way, plan->zxid, SLICE_NULL);
        if (plan->way == QUORUM_SNAP)
            send_snapshot(guest, end);
        if (plan->history.size > 0)
            send_bytes(guest, end, plan->history);
        send_packet(guest, end, QUORUM_NEW_LEADER, epoch_zxid, SLICE_NULL);
        events_in(&guest->story->world->events, GUEST_PING_US, ping, guest, end->number);
        break;
    case QUORUM_ACK:
        if (packet->zxid != epoch_zxid || end->answered)
            break;
        end->answered = true;
        send_packet(guest, end, QUORUM_UP_TO_DATE, QUORUM_NO_ZXID, SLICE_NULL);
        break;
    default:
        break;
    }
}

static void on_quorum_bytes(struct story_guest *guest, struct guest_end *end)
{
    struct quorum_packet packet;
    size_t size;

    while (quorum_packet_read(buffer_slice(&end->input), GUEST_PACKET_BYTES_MAX, &packet, &size) ==
           STATUS_OK) {
        if (end->accepted)
            on_learner_packet(guest, end, &packet);
        take_input(end, size);
    }
}

/* --- what the network brings --- */

static struct story_guest *guest_at(struct story *story, int host)
{
    return host < story->world->node_count ? guest_of(story, host + 1) : NULL;
}

bool story_guest_accept(struct story *story, int host, enum network_port port, int from,
                        uint64_t *ret_number)
{
    struct story_guest *guest = guest_at(story, host);

    if (guest == NULL || port == NETWORK_CLIENT || guest->plan.epoch == 0)
        return false;
    struct guest_end *end = add_end(guest, from + 1, port);
    end->open = end->accepted = true;
    *ret_number = end->number;
    return true;
}

void story_guest_opened(struct story *story, int host, uint64_t number)
{
    struct story_guest *guest = guest_at(story, host);
    struct guest_end *end = guest == NULL ? NULL : end_of(guest, number);
    struct buffer hello = {0};

    if (end == NULL || end->accepted)
        return;
    end->open = true;
    if (guest->plan.epoch == 0 || end->port != NETWORK_ELECTION)
        return; /* the script speaks */
    election_hello_write(&hello, &(struct election_hello){.server_id = guest->server,
                                                          .addresses = SLICE("10.0.0.9:3888")});
    send_bytes(guest, end, buffer_slice(&hello));
    buffer_deinit(&hello);
}

void story_guest_bytes(struct story *story, int host, uint64_t number, struct slice bytes)
{
    struct story_guest *guest = guest_at(story, host);
    struct guest_end *end = guest == NULL ? NULL : end_of(guest, number);

    if (end == NULL)
        return;
    buffer_append(&end->input, bytes);
    if (end->port == NETWORK_QUORUM)
        on_quorum_bytes(guest, end);
    else
        on_election_bytes(guest, end);
}

void story_guest_closed(struct story *story, int host, uint64_t number)
{
    struct story_guest *guest = guest_at(story, host);
    struct guest_end *end = guest == NULL ? NULL : end_of(guest, number);

    if (end != NULL)
        end->open = false;
}

void story_guests_deinit(struct story *story)
{
    for (size_t server = 0; server < ARRAY_LEN(story->guests); server++) {
        for (size_t i = 0; i < story->guests[server].end_count; i++)
            buffer_deinit(&story->guests[server].ends[i].input);
    }
}

/* --- the script's doors --- */

uint64_t story_guest_dial(struct story *story, int server, int to, int port)
{
    struct story_guest *guest = guest_of(story, server);
    struct guest_end *end = add_end(guest, to, (enum network_port)port);

    network_dial(story->world->network, server - 1, end->number, to - 1, end->port);
    return end->number;
}

void story_guest_send_bytes(struct story *story, int server, uint64_t connection,
                            struct slice bytes)
{
    network_send(story->world->network, server - 1, connection, bytes);
}

bool story_guest_is_open(struct story *story, int server, uint64_t connection)
{
    const struct guest_end *end = end_of(guest_of(story, server), connection);

    return end != NULL && end->open;
}

/* To all who follow, or to one. */
void story_guest_send(struct story *story, int server, int to, int32_t type, int64_t zxid,
                      struct slice data)
{
    struct story_guest *guest = guest_of(story, server);

    for (size_t i = 0; i < guest->end_count && !story_failed(story); i++) {
        const struct guest_end *end = &guest->ends[i];
        if (end->open && end->accepted && end->port == NETWORK_QUORUM &&
            (to == 0 || end->peer == to))
            send_packet(guest, end, type, zxid, data);
    }
}

void story_guest_propose(struct story *story, int server, int64_t zxid, struct slice payload)
{
    struct txnlog_append append = {.zxid = zxid, .payload = payload};
    struct node *node = story_node(story, server);

    checker_append(story->world->checker, node, &append);
    checker_durable(story->world->checker, node, zxid);
    story_guest_send(story, server, 0, QUORUM_PROPOSAL, zxid, payload);
}

void story_guest_commit(struct story *story, int server, int64_t zxid)
{
    checker_commits(story->world->checker, story_node(story, server), zxid);
    story_guest_send(story, server, 0, QUORUM_COMMIT, zxid, SLICE_NULL);
}

void story_guest_keep_silent(struct story *story, int server)
{
    guest_of(story, server)->silent = true;
}
