/* zab_peer.c: the list of a leader's learners: found by connection, and dropped. */
#include "replica/zab/zab_peer.h"

void peer_free(struct zab_peer *peer)
{
    list_remove(&peer->in_peers);
    zab_input_deinit(&peer->input);
    mem_free(peer);
}

void peer_drop(struct zab_leader *leader, struct zab_peer *peer, const char *reason)
{
    zab_close(leader->zab, peer->connection, reason);
    peer_free(peer);
}

struct zab_peer *peer_find(const struct zab_leader *leader, uint64_t connection)
{
    for (struct list *at = leader->peers.next; at != &leader->peers; at = at->next) {
        struct zab_peer *peer = CONTAINER_OF(at, struct zab_peer, in_peers);
        if (peer->connection == connection)
            return peer;
    }
    return NULL;
}
