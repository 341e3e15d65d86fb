/* zab_leader_quorum.c: do a quorum of the voters have it? This server is always one of those who are asked. */
#include "replica/zab/zab_peer.h"

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

bool leader_quorum(const struct zab_leader *leader, bool own,
                   bool (*has)(const struct zab_leader *, const struct zab_peer *, int64_t),
                   int64_t value)
{
    struct question question = {.leader = leader, .has = has, .value = value, .own = own};

    return membership_quorum(leader->zab->membership, answer, &question) ||
           (own && goes_on_alone(leader));
}
