/* zab_requests.c: requests of learners to their leader: to make a transaction, to keep sessions
 * alive, to validate one.
 *
 * A learner's connection is always read, because acknowledgements and answers to PING come after
 * its requests. So while too much is prepared, requests wait here as they came, but for one of each learner:
 * the leader's own clients alone may prepare that much for a long time. A learner with too many is
 * disconnected. Requests of one session keep their order. */
#include "base/array.h"
#include "replica/zab/zab_peer.h"
#include "wire/quorum.h"

/* In the order of zxids: one of this server's own clients is taken at the end of the turn, when a later one
 * of a learner may stand here. */
void leader_ask_for_round(struct zab_leader *leader, uint64_t connection, int64_t zxid)
{
    size_t at = leader->sync_count;

    ASSERT(at == 0 || leader->syncs[at - 1].round <= leader->ping_round + 1);
    leader->syncs =
        ARRAY_RESERVE(leader->syncs, leader->sync_capacity, leader->sync_count + 1, ARRAY_FIRST);
    for (; at > 0 && leader->syncs[at - 1].zxid > zxid; at--)
        leader->syncs[at] = leader->syncs[at - 1];
    leader->syncs[at] =
        (struct sync_wait){.connection = connection, .zxid = zxid, .round = leader->ping_round + 1};
    leader->sync_count++;
    leader->ping_now = true;
}

static bool must_wait(const struct zab *zab, const struct zab_peer *peer)
{
    return proposals_bytes(zab->proposals) >= zab->options.prepared_bytes_max &&
           peer->prepared_zxid > proposals_applied_zxid(zab->proposals);
}

static void prepare_request(struct zab_leader *leader, struct zab_peer *peer,
                            const struct quorum_packet *packet,
                            const struct forwarded_request *request)
{
    struct zab *zab = leader->zab;

    if (request->header.type == OP_SYNC) {
        leader_ask_for_round(leader, peer->connection, proposals_proposed_zxid(zab->proposals));
        return;
    }
    struct identities *identities = identities_from(packet->auth);
    struct leader_request from = {.session_id = request->header.session_id,
                                  .owner = (int64_t)peer->connection,
                                  .cxid = request->header.cxid,
                                  .identities = identities};
    proposals_submit_for_learner(zab->proposals, &from, request->header.type, request->body);
    identities_release(identities);
    peer->prepared_zxid = proposals_proposed_zxid(zab->proposals);
}

/* Its client was heard at a learner. NULL: there is no such session, or it ends. */
static struct session *hear(struct zab_leader *leader, const struct session_touch *touch)
{
    struct sessions *sessions = proposals_sessions(leader->zab->proposals);
    struct session *session = sessions_find(sessions, touch->session_id);

    if (session == NULL || session->closing)
        return NULL;
    session->timeout_ms = touch->timeout_ms;
    sessions_touch(sessions, session);
    return session;
}

static void answer_revalidate(struct zab_leader *leader, struct zab_peer *peer,
                              const struct session_touch *question)
{
    struct buffer *bytes = &leader->zab->step->effects->peer_bytes;
    size_t offset = bytes->size;

    metrics_count(&leader->zab->step->metrics, METRIC_REVALIDATE_COUNT, 1);
    struct session *session = leader->phase == LEAD_SERVING ? hear(leader, question) : NULL;
    bool valid = session != NULL;
    if (valid)
        session->owner = (int64_t)peer->connection;
    quorum_revalidated_put(
        bytes, &(struct session_valid){.session_id = question->session_id, .valid = valid});
    effects_add_peer_send(leader->zab->step->effects, peer->connection, offset,
                          bytes->size - offset);
}

/* --- waiting --- */

static void count_waiting(struct zab_peer *peer, int64_t session_id, int change)
{
    uintptr_t count =
        (uintptr_t)map_get(&peer->waiting_of, (uint64_t)session_id) + (uintptr_t)change;

    if (count > 0)
        map_set(&peer->waiting_of, (uint64_t)session_id, (void *)count);
    else
        (void)map_remove(&peer->waiting_of, (uint64_t)session_id);
}

static void let_wait(struct zab_leader *leader, struct zab_peer *peer,
                     const struct quorum_packet *packet, int64_t session_id)
{
    struct buffer copy = {0};

    quorum_packet_write(&copy, packet);
    if (zab_input_rest(&peer->waiting).size + copy.size > leader->zab->options.waiting_bytes_max) {
        peer_drop(leader, peer, "too many of its requests wait for the quorum");
    } else {
        zab_input_add(&peer->waiting, buffer_slice(&copy));
        count_waiting(peer, session_id, 1);
    }
    buffer_deinit(&copy);
}

/* In the order of asking, so behind those that wait. */
void leader_on_request(struct zab_leader *leader, struct zab_peer *peer,
                       const struct quorum_packet *packet)
{
    struct forwarded_request request;

    if (leader->phase != LEAD_SERVING || peer->phase != PEER_ACTIVE ||
        quorum_request_read(packet->data, &request) != STATUS_OK)
        peer_drop(leader, peer, "a REQUEST that does not decode, or before UPTODATE");
    else if (leader->relay.master != NULL)
        leader->relay.on_request(leader->relay.master, peer, packet, &request);
    else if (zab_input_rest(&peer->waiting).size == 0 && !must_wait(leader->zab, peer))
        prepare_request(leader, peer, packet, &request);
    else
        let_wait(leader, peer, packet, request.header.session_id);
}

/* Its session does not expire meanwhile. */
static void let_question_wait(struct zab_leader *leader, struct zab_peer *peer,
                              const struct quorum_packet *packet,
                              const struct session_touch *question)
{
    (void)hear(leader, question);
    let_wait(leader, peer, packet, question->session_id);
}

/* It does not wait for the requests of other sessions. Those of its own are from an older connection of its
 * client, which may have asked another server since: once this server spoke for it again, they would be
 * executed behind later ones. */
void leader_on_revalidate(struct zab_leader *leader, struct zab_peer *peer,
                          const struct quorum_packet *packet)
{
    struct session_touch question;

    if (quorum_revalidate_read(packet->data, &question) != STATUS_OK)
        peer_drop(leader, peer, "its REVALIDATE does not decode");
    else if (leader->relay.master != NULL)
        leader->relay.on_revalidate(leader->relay.master, peer, &question);
    else if (map_get(&peer->waiting_of, (uint64_t)question.session_id) == NULL)
        answer_revalidate(leader, peer, &question);
    else
        let_question_wait(leader, peer, packet, &question);
}

/* Both were read before they were put here. */
static int64_t take_packet(struct zab_leader *leader, struct zab_peer *peer,
                           const struct quorum_packet *packet)
{
    struct forwarded_request request;
    struct session_touch question;

    if (packet->type == QUORUM_REVALIDATE) {
        enum status status = quorum_revalidate_read(packet->data, &question);
        ASSERT(status == STATUS_OK);
        answer_revalidate(leader, peer, &question);
        return question.session_id;
    }
    enum status status = quorum_request_read(packet->data, &request);
    ASSERT(status == STATUS_OK);
    prepare_request(leader, peer, packet, &request);
    return request.header.session_id;
}

static bool take_one(struct zab_leader *leader, struct zab_peer *peer)
{
    struct slice waiting = zab_input_rest(&peer->waiting);
    struct quorum_packet packet;
    size_t size;

    if (waiting.size == 0)
        return false;
    enum status status = quorum_packet_read(waiting, SIZE_MAX / 2, &packet, &size);
    ASSERT(status == STATUS_OK);
    if (packet.type == QUORUM_REQUEST && must_wait(leader->zab, peer))
        return false;
    count_waiting(peer, take_packet(leader, peer, &packet), -1);
    zab_input_take(&peer->waiting, size);
    arena_reset(&leader->zab->step->arena);
    return true;
}

/* One of each learner in turn, so that none waits for all of another's. */
void leader_take_waiting(struct zab_leader *leader)
{
    bool taken;

    do {
        taken = false;
        for (struct list *at = leader->peers.next; at != &leader->peers; at = at->next)
            taken |= take_one(leader, CONTAINER_OF(at, struct zab_peer, in_peers));
    } while (taken);
}

void leader_on_ping_answer(struct zab_leader *leader, struct zab_peer *peer,
                           const struct quorum_packet *packet)
{
    struct session_touch touch;
    struct slice touches = packet->data;

    if (!quorum_touches_valid(touches)) {
        peer_drop(leader, peer, "its answer to PING does not decode");
        return;
    }
    while (quorum_next_touch(&touches, &touch))
        (void)hear(leader, &touch);
    if (peer->phase == PEER_ACTIVE && peer->pings_answered < peer->pings_sent)
        peer->pings_answered++;
}
