/* packets.c: a send of the replica is of whole packets, except for the bytes of a snapshot: those are
 * read to their end and skipped. */
#include "sim/packets.h"

#include "replica/store/snapshot_stream.h"
#include "sim/checker.h"
#include "sim/timely.h"

#include <inttypes.h>

/* How many of the bytes belong to the snapshot that is being sent. */
static size_t skip_snapshot(struct world *world, struct node *node, struct route *route,
                            struct slice bytes)
{
    size_t used = 0;

    if (route->stream == NULL)
        route->stream = snapshot_stream_new(tree_get_options(replica_tree(node->replica)), 1 << 20);
    enum status status = snapshot_stream_feed(route->stream, bytes, &used);
    if (status != STATUS_OK && status != STATUS_END)
        world_fail(world, node, "it sends a snapshot that does not decode");
    route->image = status == STATUS_OK;
    if (!route->image) {
        snapshot_stream_free(route->stream);
        route->stream = NULL;
    }
    return used;
}

static void note_quorum(struct world *world, struct node *node, struct route *route,
                        struct slice bytes)
{
    while (bytes.size > 0) {
        struct quorum_packet packet;
        size_t size;
        if (route->image) {
            size_t skip = skip_snapshot(world, node, route, bytes);
            world_note(world, node, "#%" PRIu64 " snapshot bytes: %zu", route->number, skip);
            bytes = slice_of(bytes.data + skip, bytes.size - skip);
            if (world->verdict.failed)
                return;
            continue;
        }
        enum status status = quorum_packet_read(bytes, SIZE_MAX / 2, &packet, &size);
        if (status != STATUS_OK) {
            world_fail(world, node, "it sends what is no packet");
            return;
        }
        world_note(world, node, "#%" PRIu64 " %s %" PRIx64, route->number,
                   quorum_packet_name(packet.type), (uint64_t)packet.zxid);
        if (packet.type == QUORUM_COMMIT || packet.type == QUORUM_INFORM) {
            if (packet.zxid <= route->committed_zxid)
                world_fail(world, node, "it commits %" PRIx64 " behind %" PRIx64,
                           (uint64_t)packet.zxid, (uint64_t)route->committed_zxid);
            route->committed_zxid = packet.zxid;
        }
        if (packet.type == QUORUM_ACK && route->number % 2 == 1)
            checker_acks(world->checker, node, packet.zxid);
        route->up_to_date = route->up_to_date || packet.type == QUORUM_UP_TO_DATE;
        /* Before that it is how a new leader's own history is sent, which nobody applies yet. */
        if (route->up_to_date && (packet.type == QUORUM_COMMIT || packet.type == QUORUM_INFORM))
            checker_commits(world->checker, node, packet.zxid);
        if (packet.type == QUORUM_REVALIDATE && route->number % 2 == 0)
            timely_revalidates(world->timely, packet.data);
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
    if (route->port != NETWORK_ELECTION)
        note_quorum(world, node, route, bytes);
    else
        note_election(world, node, route, bytes);
}
