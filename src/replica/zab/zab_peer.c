/* zab_peer.c: the list of a leader's learners: found by connection, dropped, and sent to. */
#include "replica/zab/zab_peer.h"

enum { INSTALL_LIMITS = 10 };

void peer_free(struct zab_leader *leader, struct zab_peer *peer)
{
    if (peer->phase == PEER_TAKES_HISTORY)
        effects_add_history(
            leader->zab->step->effects,
            (struct history_work){.kind = HISTORY_CLOSE, .connection = peer->connection});
    list_remove(&peer->in_peers);
    zab_input_deinit(&peer->input);
    zab_input_deinit(&peer->waiting);
    map_deinit(&peer->waiting_of);
    mem_free(peer);
}

void peer_drop(struct zab_leader *leader, struct zab_peer *peer, const char *reason)
{
    zab_close(leader->zab, peer->connection, reason);
    peer_free(leader, peer);
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

/* --- patience --- */

/* How long it may be silent. A learner that receives a snapshot and writes it to its disk gets many times as long: to
 * start again would take as long again. */
static int64_t silence_max_ms(const struct zab_leader *leader, const struct zab_peer *peer)
{
    const struct zab_options *options = &leader->zab->options;

    if (peer->phase == PEER_WAITS_IMAGE || (peer->phase == PEER_TAKES_HISTORY && !peer->held))
        return INT64_MAX; /* it is our turn to speak */
    if (peer->phase == PEER_SYNCING && peer->by_image)
        return leader_ticks_ms(leader, (int64_t)options->init_limit * INSTALL_LIMITS);
    return leader_ticks_ms(leader,
                           peer->phase >= PEER_SYNCED ? options->sync_limit : options->init_limit);
}

int64_t leader_opening_max_ms(const struct zab_leader *leader)
{
    int64_t limits = 1;

    for (struct list *at = leader->peers.next; at != &leader->peers; at = at->next) {
        const struct zab_peer *peer = CONTAINER_OF(at, struct zab_peer, in_peers);
        if (peer->phase == PEER_TAKES_IMAGE || (peer->phase == PEER_SYNCING && peer->by_image))
            limits = INSTALL_LIMITS;
    }
    return leader_ticks_ms(leader, leader->zab->options.init_limit * limits);
}

void leader_drop_silent(struct zab_leader *leader)
{
    int64_t now_ms = leader->zab->step->now_ms;
    struct list *next;

    for (struct list *at = leader->peers.next; at != &leader->peers; at = next) {
        struct zab_peer *peer = CONTAINER_OF(at, struct zab_peer, in_peers);
        next = at->next;
        if (now_ms - peer->heard_ms > silence_max_ms(leader, peer))
            peer_drop(leader, peer, "it was silent for longer than the limit");
        else if (peer->phase == PEER_ACTIVE && !peer->observer && peer->unacked_since_ms != 0 &&
                 now_ms - peer->unacked_since_ms >
                     leader_ticks_ms(leader, leader->zab->options.sync_limit))
            peer_drop(leader, peer, "it did not acknowledge a proposal within syncLimit");
    }
}

/* --- to many --- */

void leader_send_to(struct zab_leader *leader, size_t offset, bool observers)
{
    struct effects *effects = leader->zab->step->effects;
    size_t size = effects->peer_bytes.size - offset;

    if (size == 0)
        return;
    for (struct list *at = leader->peers.next; at != &leader->peers; at = at->next) {
        struct zab_peer *peer = CONTAINER_OF(at, struct zab_peer, in_peers);
        if (peer->forwarded && peer->observer == observers)
            effects_add_peer_send(effects, peer->connection, offset, size);
    }
}

bool leader_has_forwarded(const struct zab_leader *leader, bool observers)
{
    for (struct list *at = leader->peers.next; at != &leader->peers; at = at->next) {
        const struct zab_peer *peer = CONTAINER_OF(at, struct zab_peer, in_peers);
        if (peer->forwarded && peer->observer == observers)
            return true;
    }
    return false;
}
