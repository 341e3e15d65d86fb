/* zab_master.c: what a follower passes on, from its leader to its observers and back.
 *
 * What the leader commits waits in `informs` until the end of the turn, or until something else
 * that must come after it is sent to an observer. So a learner that joins gets each committed
 * transaction once: as history or as an INFORM. Requests go to the leader in the order in which
 * they come, with those of this server's own clients; its answers to syncs carry no data, and come
 * in that order, too.
 *
 * To the leader this server is one connection. Only this file knows which of its observers owns a
 * session: the one that asked about it last. A request for it from another observer is turned into
 * one that must fail. */
#include "replica/zab/zab_master.h"

#include "base/array.h"
#include "base/hash.h"
#include "replica/zab/zab_peer.h"
#include "wire/quorum.h"

enum { INFORMS_KEPT_MAX = 256 * 1024 };

struct relayed_sync {
    uint64_t connection;
    size_t own_before; /* of this server's own: unanswered, and asked behind the one before this */
};

struct zab_master {
    struct zab *zab;
    struct zab_leader *learners;
    struct buffer informs; /* committed, for all that are forwarded to */
    struct relayed_sync *syncs;
    size_t sync_count, sync_capacity, own_before_sum;
};

/* --- from the leader --- */

void zab_master_commit(struct zab_master *master, size_t kept_index)
{
    struct kept_txn kept = proposals_kept_at(master->zab->proposals, kept_index);

    ASSERT(kept.zxid > master->learners->committed_zxid);
    master->learners->committed_zxid = master->learners->sent_zxid = kept.zxid;
    if (leader_has_forwarded(master->learners, /* observers= */ true))
        quorum_packet_put(&master->informs, QUORUM_INFORM, kept.zxid, kept.payload);
}

static void send_informs(struct zab_master *master)
{
    struct buffer *bytes = &master->zab->step->effects->peer_bytes;
    size_t offset = bytes->size;

    if (master->informs.size == 0)
        return;
    buffer_append(bytes, buffer_slice(&master->informs));
    leader_send_to(master->learners, offset, /* observers= */ true);
    master->informs.size = 0;
    if (master->informs.capacity > INFORMS_KEPT_MAX)
        buffer_deinit(&master->informs);
}

bool zab_master_sync_answered(struct zab_master *master)
{
    struct relayed_sync *first = master->syncs;

    if (master->sync_count == 0)
        return false;
    if (first->own_before > 0 && !mutant_is(master->zab->step->mutant, MUTANT_MASTER_MIXES_SYNCS)) {
        first->own_before--;
        master->own_before_sum--;
        return false;
    }
    if (peer_find(master->learners, first->connection) != NULL) {
        send_informs(master);
        zab_send(master->zab, first->connection, QUORUM_SYNC, 0, SLICE_NULL);
    }
    master->own_before_sum -= first->own_before; /* 0 */
    memmove(first, first + 1, --master->sync_count * sizeof(*first));
    return true;
}

/* Its createSession is on its way to here. */
static void note_owner(struct zab_master *master, const struct session_question *question)
{
    struct sessions *sessions = proposals_sessions(master->zab->proposals);

    if (sessions_find(sessions, question->session_id) != NULL)
        return;
    sessions_created(sessions, question->session_id, question->timeout_ms);
    sessions_find(sessions, question->session_id)->owner = (int64_t)question->asker;
}

void zab_master_revalidated(struct zab_master *master, const struct session_question *question,
                            const struct session_valid *answer)
{
    struct buffer *bytes = &master->zab->step->effects->peer_bytes;

    if (answer->valid)
        note_owner(master, question);
    if (peer_find(master->learners, question->asker) == NULL)
        return;
    send_informs(master);
    size_t offset = bytes->size;
    quorum_revalidated_put(bytes, answer);
    effects_add_peer_send(master->zab->step->effects, question->asker, offset,
                          bytes->size - offset);
}

/* --- to the leader --- */

static void pass_on(struct zab_master *master, const struct quorum_packet *packet)
{
    quorum_packet_write(proposals_to_leader(master->zab->proposals), packet);
}

static bool is_of_another(const struct zab_master *master, const struct zab_peer *peer,
                          int64_t session_id)
{
    const struct session *session =
        sessions_find(proposals_sessions(master->zab->proposals), session_id);

    if (mutant_is(master->zab->step->mutant, MUTANT_MASTER_FENCES_NOTHING))
        return false;
    if (session != NULL)
        return session->owner != SESSION_OWNER_NONE && session->owner != (int64_t)peer->connection;
    const struct session_question *last =
        proposals_last_question(master->zab->proposals, session_id);
    return last != NULL && last->asker != peer->connection;
}

/* The observer waits for a transaction with this session and cxid. The root is never deleted, so it is an
 * error's. */
static void make_it_fail(struct zab_master *master, const struct quorum_packet *packet,
                         const struct forwarded_request *request)
{
    static const uint8_t delete_root[] = {0, 0, 0, 1, '/', 0xff, 0xff, 0xff, 0xff};
    struct forwarded_request failing = *request;

    failing.header.type = OP_DELETE;
    failing.body = slice_of(delete_root, sizeof(delete_root));
    quorum_request_put(proposals_to_leader(master->zab->proposals), &failing, packet->auth);
}

static void on_request(struct zab_master *master, const struct zab_peer *peer,
                       const struct quorum_packet *packet, const struct forwarded_request *request)
{
    if (request->header.type == OP_SYNC) {
        size_t own = proposals_unanswered_syncs(master->zab->proposals) - master->own_before_sum;
        master->syncs = ARRAY_RESERVE(master->syncs, master->sync_capacity, master->sync_count + 1,
                                      ARRAY_FIRST);
        master->syncs[master->sync_count++] =
            (struct relayed_sync){.connection = peer->connection, .own_before = own};
        master->own_before_sum += own;
    } else if (request->header.type != OP_CREATE_SESSION &&
               is_of_another(master, peer, request->header.session_id)) {
        make_it_fail(master, packet, request);
        return;
    }
    pass_on(master, packet);
}

static void on_revalidate(struct zab_master *master, const struct zab_peer *peer,
                          const struct session_touch *question)
{
    struct session *session =
        sessions_find(proposals_sessions(master->zab->proposals), question->session_id);
    if (session != NULL)
        session->owner = (int64_t)peer->connection;
    master->zab->observer->moved(master->zab->observer->context, question->session_id);
    proposals_ask_for_observer(master->zab->proposals,
                               &(struct session_question){.session_id = question->session_id,
                                                          .timeout_ms = question->timeout_ms,
                                                          .asker = peer->connection});
}

/* --- its life --- */

struct zab_master *zab_master_new(struct zab *zab, const struct zab_mastery *mastery)
{
    struct zab_master *master = mem_zalloc(sizeof(*master));

    master->zab = zab;
    master->learners = leader_new_for_observers(zab,
                                                &(struct zab_relay){.master = master,
                                                                    .send_informs = send_informs,
                                                                    .on_request = on_request,
                                                                    .on_revalidate = on_revalidate},
                                                mastery);
    return master;
}

void zab_master_free(struct zab_master *master)
{
    if (master == NULL)
        return;
    zab_leader_free(master->learners);
    buffer_deinit(&master->informs);
    mem_free(master->syncs);
    mem_free(master);
}

struct zab_leader *zab_master_learners(struct zab_master *master)
{
    return master->learners;
}

/* --- time --- */

void zab_master_tick(struct zab_master *master)
{
    struct zab_leader *learners = master->learners;
    int64_t now_ms = master->zab->step->now_ms;

    leader_drop_silent(learners);
    if (now_ms < learners->next_ping_ms)
        return;
    learners->next_ping_ms = now_ms + master->zab->options.tick_ms / 2;
    send_informs(master);
    leader_send_pings(learners);
}

void zab_master_end_turn(struct zab_master *master)
{
    send_informs(master);
    leader_synchronise_all(master->learners); /* those that were ahead of this server */
    leader_go_on_with_images(master->learners);
}

int64_t zab_master_wake_at_ms(const struct zab_master *master)
{
    return zab_leader_wake_at_ms(master->learners);
}

/* --- the observer's side --- */

bool zab_learns_from_master(const struct zab *zab)
{
    return zab->options.observer_master_port != 0 && zab->options.observer && !zab->quarantined;
}

const struct member *zab_next_master(struct zab *zab)
{
    const struct membership *membership = zab->membership;
    uint64_t turn = ((uint64_t)zab->options.my_id + zab->masters_tried++) % membership->voter_count;

    for (uint32_t i = 0; i < membership->member_count; i++) {
        const struct member *member = &membership->members[i];
        if (membership_is_voter(membership, member->id) && turn-- == 0)
            return member;
    }
    ASSERT(!"fewer voters than were counted");
    return NULL;
}

int64_t zab_some_delay_ms(const struct zab *zab, int64_t most_ms)
{
    uint64_t chance = hash_u64(*zab->next_connection, (uint64_t)zab->options.my_id);

    return most_ms <= 0 ? 0 : (int64_t)(chance % (uint64_t)most_ms);
}
