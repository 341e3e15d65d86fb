/* proposals_submit.c: the first door: how a request becomes a transaction on its way to the log.
 *
 * A server that stands alone and a leader make the transaction; a learner sends the request to its leader and
 * receives what comes back. A transaction's bytes stay where they are from its proposal until it is applied:
 * the log thread reads them. */
#include "replica/proposals/proposals_internal.h"

#include "replica/store/txnlog_payload.h"
#include "wire/quorum.h"

/* --- on the way to the log --- */

/* Keeps the transaction's bytes, followed by what its answer needs. */
static struct pending *keep(struct proposals *proposals, const struct proposal *proposal,
                            struct slice bytes, size_t payload_bytes)
{
    struct pending *pending = txn_ring_add(&proposals->ring, proposal, bytes, payload_bytes);

    if (proposals->leader != NULL) {
        int64_t kept = outstanding_kept_put_count(leader_outstanding(proposals->leader));
        pending->changes = kept - proposals->changes_kept;
        proposals->changes_kept = kept;
    }
    proposals->proposed_zxid = proposal->zxid;
    return pending;
}

/* And appends it to the log. */
static void append(struct proposals *proposals, const struct proposal *proposal, struct slice bytes,
                   size_t payload_bytes, bool lacks_digest)
{
    ASSERT(proposals->logged_zxid == proposals->proposed_zxid); /* no log has a gap */
    bool roll = snapshots_count_record(&proposals->snapshots, payload_bytes);
    const struct pending *pending = keep(proposals, proposal, bytes, payload_bytes);

    proposals->logged_zxid = proposal->zxid;
    effects_add_append(proposals->step->effects,
                       (struct txnlog_append){.payload = pending->payload,
                                              .zxid = proposal->zxid,
                                              .lacks_digest = lacks_digest,
                                              .roll_before = roll});
}

static void propose(struct proposals *proposals, const struct txn *txn,
                    const struct proposal *request)
{
    struct buffer *scratch = &proposals->scratch;
    bool digest = tree_get_options(proposals->tree)->digest_enabled;
    struct proposal proposal = *request;

    scratch->size = 0;
    txn_write(scratch, txn);
    if (digest) /* of the tree after this transaction; errors carry it, too: Java checks each one */
        txn_digest_write(scratch,
                         &(struct txn_digest){.version = DIGEST_VERSION, .digest = txn->digest});
    size_t payload_bytes = scratch->size;
    for (int32_t i = 0; i < txn->op_count; i++)
        buffer_u8(scratch, txn->ops[i].with_stat ? 1 : 0);
    proposal.zxid = txn->header.zxid;
    append(proposals, &proposal, buffer_slice(scratch), payload_bytes, !digest);
    metrics_count(&proposals->step->metrics, METRIC_REQUESTS_PREPARED, 1);
}

/* --- requests of clients --- */

/* It is complete and right before it is sent: a leader of some releases never goes on behind a request
 * that does not decode. */
static enum status forward(struct proposals *proposals, const struct proposal *request,
                           const struct identities *identities, struct slice body)
{
    struct write_request parsed;

    enum status status = write_request_read(request->op, body, proposals->rules.text_bytes_max,
                                            &proposals->step->arena, &parsed);
    if (status != STATUS_OK)
        return status;
    if (request->op == OP_CLOSE_SESSION) {
        struct session *session = sessions_find(&proposals->sessions, request->session_id);
        if (session != NULL)
            session->closing = true;
    }
    forwarded_add(&proposals->forwarded, request, identities, body,
                  request->op == OP_MULTI ? &parsed : NULL, proposals->proposed_zxid);
    return STATUS_OK;
}

static bool wants_ephemeral(const struct write_op *op)
{
    return (op->type == OP_CREATE || op->type == OP_CREATE2) &&
           (op->flags == MODE_EPHEMERAL || op->flags == MODE_EPHEMERAL_SEQUENTIAL);
}

/* Of a body that does not decode: no. */
static bool asks_for_ephemeral(struct proposals *proposals, int32_t op, struct slice body)
{
    struct write_request parsed;

    if ((op != OP_CREATE && op != OP_CREATE2 && op != OP_MULTI) ||
        write_request_read(op, body, proposals->rules.text_bytes_max, &proposals->step->arena,
                           &parsed) != STATUS_OK)
        return false;
    if (op != OP_MULTI)
        return wants_ephemeral(&parsed.op);
    for (int32_t i = 0; i < parsed.op_count; i++) {
        if (wants_ephemeral(&parsed.ops[i]))
            return true;
    }
    return false;
}

/* Its createSession goes right before the request. */
static void upgrade(struct proposals *proposals, struct session *session)
{
    sessions_upgrade(&proposals->sessions, session);
    proposals_submit_create_session(proposals,
                                    &(struct proposal){.session_id = session->id,
                                                       .arrived_ms = proposals->step->now_ms,
                                                       .client = CLIENT_NONE,
                                                       .op = OP_CREATE_SESSION,
                                                       .timeout_ms = session->timeout_ms});
}

/* An ephemeral is deleted when its session ends, so all servers must know the session. False: it may
 * not be upgraded. (QuorumZooKeeperServer.checkUpgradeSession()) */
static bool may_have_ephemeral(struct proposals *proposals, const struct proposal *request,
                               struct slice body)
{
    struct session *session = proposals->sessions.options.local
                                  ? sessions_find_here(&proposals->sessions, request->session_id)
                                  : NULL;

    if (mutant_is(proposals->step->mutant, MUTANT_EPHEMERAL_OF_LOCAL))
        return true;
    if (session == NULL || !session->local || !asks_for_ephemeral(proposals, request->op, body))
        return true;
    if (proposals->local_upgrading)
        upgrade(proposals, session);
    return proposals->local_upgrading;
}

enum status proposals_submit(struct proposals *proposals, const struct proposal *given,
                             const struct identities *identities, struct slice body)
{
    struct proposal own = *given;
    const struct proposal *request = &own;

    own.ephemeral_on_local = !may_have_ephemeral(proposals, given, body);
    struct leader_request from = {.session_id = request->session_id,
                                  .cxid = request->xid,
                                  .ephemeral_on_local = own.ephemeral_on_local,
                                  .identities = identities,
                                  .owner = proposals->role == PROPOSALS_LEADS ? SESSION_OWNER_HERE
                                                                              : SESSION_OWNER_NONE};
    struct txn txn;

    ASSERT(proposals->role != PROPOSALS_IDLE);
    if (proposals->role == PROPOSALS_LEARNS)
        return forward(proposals, request, identities, body);
    enum status status = leader_prepare(proposals->leader, &from, request->op, body, &txn);
    if (status == STATUS_OK)
        propose(proposals, &txn, request);
    return status;
}

static void propose_create_session(struct proposals *proposals, const struct proposal *request,
                                   int64_t owner)
{
    const struct leader_request from = {.session_id = request->session_id, .cxid = request->xid};
    struct txn txn;

    leader_prepare_create_session(proposals->leader, &from, request->timeout_ms, &txn);
    if (proposals->role == PROPOSALS_LEADS) { /* its first requests may stand right behind it */
        sessions_created(&proposals->sessions, request->session_id, request->timeout_ms);
        sessions_find(&proposals->sessions, request->session_id)->owner = owner;
    }
    propose(proposals, &txn, request);
}

void proposals_submit_create_session(struct proposals *proposals, const struct proposal *request)
{
    uint8_t timeout[4];

    ASSERT(proposals->role != PROPOSALS_IDLE);
    if (proposals->role != PROPOSALS_LEARNS) {
        propose_create_session(proposals, request, SESSION_OWNER_HERE);
        return;
    }
    store_be32(timeout, (uint32_t)request->timeout_ms);
    forwarded_add(&proposals->forwarded, request, /* identities= */ NULL,
                  slice_of(timeout, sizeof(timeout)), /* multi= */ NULL, proposals->proposed_zxid);
}

void proposals_submit_sync(struct proposals *proposals, const struct proposal *request,
                           const struct identities *identities, struct slice body)
{
    ASSERT(proposals->role == PROPOSALS_LEADS || proposals->role == PROPOSALS_LEARNS);
    forwarded_add_sync(&proposals->forwarded, request, proposals->proposed_zxid);
    if (proposals->role == PROPOSALS_LEARNS)
        forwarded_ask_sync(&proposals->forwarded, request, identities, body);
    else
        proposals->new_syncs++;
}

enum revalidation proposals_revalidate(struct proposals *proposals, int64_t session_id,
                                       int32_t timeout_ms, uint64_t *ret_question)
{
    struct session *session = sessions_find_here(&proposals->sessions, session_id);
    bool local = session != NULL && session->local;

    if (proposals->role == PROPOSALS_IDLE && !local)
        return SESSION_REFUSED;
    if (proposals->role == PROPOSALS_LEARNS && !local) {
        if (session != NULL)
            session->owner = SESSION_OWNER_HERE; /* and no observer of this server */
        *ret_question = forwarded_ask(
            &proposals->forwarded,
            &(struct session_question){.session_id = session_id, .timeout_ms = timeout_ms});
        return SESSION_ASKED;
    }
    if (session == NULL || session->closing)
        return SESSION_REFUSED;
    session->timeout_ms = timeout_ms;
    if (!local)
        session->owner = SESSION_OWNER_HERE;
    sessions_touch(&proposals->sessions, session);
    return SESSION_VALID;
}

/* --- between learners and their leader --- */

void proposals_submit_for_learner(struct proposals *proposals, const struct leader_request *from,
                                  int32_t op, struct slice body)
{
    const struct op_info *info = op_find(op);
    struct proposal request = {.session_id = from->session_id,
                               .arrived_ms = proposals->step->now_ms,
                               .client = CLIENT_NONE,
                               .xid = from->cxid,
                               .op = op};
    struct txn txn;

    ASSERT(proposals->role == PROPOSALS_LEADS);
    if (op == OP_CREATE_SESSION && body.size >= 4) {
        request.timeout_ms = (int32_t)load_be32(body.data);
        propose_create_session(proposals, &request, from->owner);
    } else {
        if (info == NULL || info->class != OP_CLASS_WRITE)
            leader_prepare_error(proposals->leader, from, ZK_UNIMPLEMENTED, &txn);
        else if (leader_prepare(proposals->leader, from, op, body, &txn) != STATUS_OK)
            leader_prepare_error(proposals->leader, from, ZK_MARSHALLING_ERROR, &txn);
        propose(proposals, &txn, &request);
    }
    arena_reset(&proposals->step->arena);
}

/* Nobody counts on it here: it is as good as durable when everything before it is. */
static void keep_unlogged(struct proposals *proposals, const struct proposal *proposal,
                          struct slice payload)
{
    bool all_durable = proposals->durable_zxid == proposals->proposed_zxid;

    (void)keep(proposals, proposal, payload, payload.size);
    if (all_durable)
        proposals->durable_zxid = proposal->zxid;
}

enum status proposals_receive(struct proposals *proposals, int64_t zxid, struct slice payload,
                              bool logged, const char **ret_problem)
{
    struct txnlog_append checked;
    struct txn_header header;
    struct proposal proposal = {
        .zxid = zxid, .arrived_ms = proposals->step->now_ms, .client = CLIENT_NONE};

    ASSERT(proposals->role == PROPOSALS_LEARNS);
    enum status status = txnlog_payload_check(payload, zxid, proposals->proposed_zxid,
                                              proposals->rules.text_bytes_max,
                                              &proposals->step->arena, &checked, ret_problem);
    arena_reset(&proposals->step->arena);
    if (status != STATUS_OK)
        return status;
    status = txn_read_header(payload, &header);
    ASSERT(status == STATUS_OK);
    proposal.session_id = header.client_id;
    proposal.xid = header.cxid;
    proposal.op = header.type;
    if (logged)
        append(proposals, &proposal, checked.payload, checked.payload.size, checked.lacks_digest);
    else
        keep_unlogged(proposals, &proposal, checked.payload);
    return STATUS_OK;
}

/* --- what the server itself asks for, in time --- */

static void expire_sessions(struct proposals *proposals)
{
    struct session *expired;
    uint32_t changes = 0;

    if (mutant_is(proposals->step->mutant, MUTANT_NEVER_EXPIRES))
        return;
    while (changes < STEP_CHANGES_MAX &&
           (expired = sessions_next_expired(&proposals->sessions)) != NULL) {
        const struct tree_session *owner = tree_session(proposals->tree, expired->id);
        struct proposal request = {.session_id = expired->id,
                                   .arrived_ms = proposals->step->now_ms,
                                   .client = CLIENT_NONE,
                                   .op = OP_CLOSE_SESSION};
        struct txn txn;
        changes += owner == NULL ? 1 : owner->ephemeral_count + 1;
        metrics_count(&proposals->step->metrics, METRIC_SESSIONS_EXPIRED, 1);
        leader_prepare_close_session(proposals->leader, expired, &txn);
        propose(proposals, &txn, &request);
        if (mutant_is(proposals->step->mutant, MUTANT_EXPIRE_WITHOUT_QUORUM))
            txn_apply(proposals->tree, &txn, NULL, &proposals->step->arena, NULL);
        arena_reset(&proposals->step->arena);
    }
}

/* Proposing changes no index of the tree (applying does), so the janitor's walk stays valid. */
static void delete_unneeded(void *context, uint32_t node_id)
{
    struct proposals *proposals = context;
    struct proposal request = {
        .arrived_ms = proposals->step->now_ms, .client = CLIENT_NONE, .op = OP_DELETE_CONTAINER};
    struct buffer path = {0};
    struct txn txn;

    tree_path_append(proposals->tree, node_id, &path);
    if (leader_prepare_delete_container(proposals->leader, buffer_slice(&path), &txn))
        propose(proposals, &txn, &request);
    buffer_deinit(&path);
    arena_reset(&proposals->step->arena);
}

void proposals_tick(struct proposals *proposals)
{
    if (proposals->leader == NULL)
        return;
    expire_sessions(proposals);
    if (!proposals->progress.begun)
        janitor_run(&proposals->janitor, proposals->tree, proposals->step->now_ms,
                    proposals->step->wall_ms, delete_unneeded, proposals);
}
