/* packets.c: a send of the replica is of whole packets, except for the bytes of a snapshot: those are
 * skipped up to the NEWLEADER that ends every synchronisation. */
#include "sim/packets.h"

#include "sim/checker.h"

#include <inttypes.h>

static size_t find_new_leader(struct slice bytes)
{
    static const uint8_t type[4] = {0, 0, 0, QUORUM_NEW_LEADER};

    for (size_t at = 0; at + QUORUM_HEAD_BYTES <= bytes.size; at++) {
        if (memcmp(bytes.data + at, type, sizeof(type)) == 0 &&
            load_be32(bytes.data + at + 8) == 0 && load_be32(bytes.data + at + 4) != 0)
            return at;
    }
    return bytes.size;
}

static void note_quorum(struct world *world, struct node *node, struct route *route,
                        struct slice bytes)
{
    while (bytes.size > 0) {
        struct quorum_packet packet;
        size_t size;
        if (route->image) {
            size_t skip = find_new_leader(bytes);
            world_note(world, node, "#%" PRIu64 " snapshot bytes: %zu", route->number, skip);
            bytes = slice_of(bytes.data + skip, bytes.size - skip);
            route->image = bytes.size == 0;
            continue;
        }
        enum status status = quorum_packet_read(bytes, SIZE_MAX / 2, &packet, &size);
        if (status != STATUS_OK) {
            world_fail(world, node, "it sends what is no packet");
            return;
        }
        world_note(world, node, "#%" PRIu64 " %s %" PRIx64, route->number,
                   quorum_packet_name(packet.type), (uint64_t)packet.zxid);
        if (packet.type == QUORUM_ACK && route->number % 2 == 1)
            checker_acks(world->checker, node, packet.zxid);
        route->up_to_date = route->up_to_date || packet.type == QUORUM_UP_TO_DATE;
        /* Before that it is how a new leader's own history is sent, which nobody applies yet. */
        if (route->up_to_date && (packet.type == QUORUM_COMMIT || packet.type == QUORUM_INFORM))
            checker_commits(world->checker, node, packet.zxid);
        route->image = packet.type == QUORUM_SNAP;
        bytes = slice_of(bytes.data + size, bytes.size - size);
    }
}

static void note_election(struct world *world, struct node *node, struct route *route,
                          struct slice bytes)
{
    struct slice message;
    struct notification said;
    size_t size;

    while (election_frame_read(bytes, &message, &size) == STATUS_OK) {
        if (notification_read(message, &said) == STATUS_OK)
            world_note(world, node,
                       "#%" PRIu64 " %s votes for %" PRId64 " zxid=%" PRIx64 " round=%" PRId64
                       " epoch=%" PRId64,
                       route->number, peer_state_name((enum peer_state)said.state), said.leader,
                       (uint64_t)said.zxid, said.election_epoch, said.peer_epoch);
        bytes = slice_of(bytes.data + size, bytes.size - size);
    }
}

void packets_note(struct world *world, struct node *node, struct route *route, struct slice bytes)
{
    if (route == NULL)
        return;
    if (route->port == NETWORK_QUORUM)
        note_quorum(world, node, route, bytes);
    else
        note_election(world, node, route, bytes);
}
