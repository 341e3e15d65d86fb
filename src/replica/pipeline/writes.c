/* Writes: prepared and proposed when they arrive, applied and answered when they are durable. */
#include "replica/pipeline/pipeline.h"

enum { DIGEST_VERSION = 2, HEADER_BYTES = 8 };

/* --- proposing --- */

static struct pending *push_pending(struct replica *replica)
{
    if (replica->pending_count == replica->pending_capacity) {
        size_t capacity = replica->pending_capacity == 0 ? 256 : replica->pending_capacity * 2;
        struct pending *grown = mem_alloc(capacity * sizeof(*grown));
        for (size_t i = 0; i < replica->pending_count; i++)
            grown[i] =
                replica->pending[(replica->pending_first + i) & (replica->pending_capacity - 1)];
        mem_free(replica->pending);
        replica->pending = grown;
        replica->pending_first = 0;
        replica->pending_capacity = capacity;
    }
    size_t at =
        (replica->pending_first + replica->pending_count++) & (replica->pending_capacity - 1);
    return &replica->pending[at];
}

static void begin_prepare(struct replica *replica, const struct client *client, int64_t session_id,
                          int32_t cxid, struct prepare *ret_prepare)
{
    *ret_prepare = (struct prepare){.tree = replica->tree,
                                    .outstanding = replica->outstanding,
                                    .rules = &replica->rules,
                                    .identities = client == NULL ? NULL : client->identities,
                                    .arena = &replica->arena,
                                    .header = {.client_id = session_id,
                                               .cxid = cxid,
                                               .zxid = replica->last_proposed_zxid + 1,
                                               .time_ms = replica->wall_ms}};
}

static void propose(struct replica *replica, const struct txn *txn, struct pending pending)
{
    struct buffer *scratch = &replica->scratch;

    ASSERT(txn->header.zxid == replica->last_proposed_zxid + 1);
    replica->last_proposed_zxid = txn->header.zxid;
    scratch->size = 0;
    txn_write(scratch, txn);
    bool digest = tree_get_options(replica->tree)->digest_enabled;
    if (digest) { /* of the tree behind it, behind errors too: Java complains about other digests */
        buffer_i32(scratch, DIGEST_VERSION);
        buffer_i64(scratch, txn->digest);
    }
    size_t payload_bytes = scratch->size;
    for (int32_t i = 0; i < txn->op_count; i++) /* beside the record, for the answer */
        buffer_u8(scratch, txn->ops[i].with_stat ? 1 : 0);
    pending.zxid = txn->header.zxid;
    pending.changes = outstanding_puts_kept(replica->outstanding);
    replica->requests_prepared++;
    pending.payload = log_space_copy(&replica->log_space, buffer_slice(scratch), &pending.chunk);
    pending.payload.size = payload_bytes;
    pending.with_stat = pending.payload.data + payload_bytes;
    *push_pending(replica) = pending;
    replica->pending_bytes += pending.payload.size;
    effects_add_append(replica->effects, (struct txnlog_append){.payload = pending.payload,
                                                        .zxid = pending.zxid,
                                                        .lacks_digest = !digest,
                                                        .roll_before = replica->roll_next});
    replica->roll_next = false;
    snapshots_count_record(replica, pending.payload.size);
}

void write_frame(struct replica *replica, struct client *client, int32_t xid, int32_t op,
                 struct slice body, int64_t arrived_ms)
{
    struct session *session = client->session;
    struct write_request request;
    struct prepare prepare;
    struct txn txn;

    enum status status =
        write_request_read(op, body, replica->options.text_bytes_max, &replica->arena, &request);
    if (status != STATUS_OK && op != OP_MULTI) {
        /* Answered -5 in its turn; takes no zxid, unlike a multi (protocol reference 1.4). */
        struct waiting *waiting =
            waiting_add(replica, &client->reads, client,
                        slice_of(body.data - HEADER_BYTES, body.size + HEADER_BYTES));
        waiting->arrived_ms = arrived_ms;
        requests_after_write(replica, client);
        return;
    }
    begin_prepare(replica, client, session->id, xid, &prepare);
    if (status == STATUS_OK)
        prepare_write(&prepare, &request, &txn);
    else
        prepare_error(&prepare, ZK_MARSHALLING_ERROR, &txn);
    if (op == OP_CLOSE_SESSION)
        session->closing = true;
    session->write_count++;
    client->writes_proposed++;
    propose(replica, &txn,
            (struct pending){.arrived_ms = arrived_ms,
                             .session_id = session->id,
                             .client = client->id,
                             .generation = client->generation,
                             .xid = xid,
                             .op = op});
}

void write_create_session(struct replica *replica, struct client *client, int64_t session_id,
                          int32_t timeout_ms)
{
    struct prepare prepare;
    struct txn txn;

    begin_prepare(replica, client, session_id, /* cxid= */ 0, &prepare);
    prepare_create_session(&prepare, timeout_ms, &txn);
    propose(replica, &txn,
            (struct pending){.arrived_ms = replica->now_ms,
                             .session_id = session_id,
                             .client = client->id,
                             .generation = client->generation,
                             .op = OP_CREATE_SESSION,
                             .timeout_ms = timeout_ms});
}

void write_close_session(struct replica *replica, struct session *session)
{
    struct write_request request = {.type = OP_CLOSE_SESSION, .op = {.type = OP_CLOSE_SESSION}};
    struct prepare prepare;
    struct txn txn;

    if (session->closing)
        return;
    begin_prepare(replica, NULL, session->id, /* cxid= */ 0, &prepare);
    prepare_write(&prepare, &request, &txn);
    session->closing = true;
    session->write_count++;
    propose(replica, &txn,
            (struct pending){.arrived_ms = replica->now_ms,
                             .session_id = session->id,
                             .client = CLIENT_NONE,
                             .op = OP_CLOSE_SESSION});
}

void write_delete_container(struct replica *replica, struct slice path)
{
    struct prepare prepare;
    struct txn txn;

    begin_prepare(replica, NULL, /* session_id= */ 0, /* cxid= */ 0, &prepare);
    if (prepare_delete_container(&prepare, path, &txn) != ZK_OK)
        return;
    propose(replica, &txn,
            (struct pending){
                .arrived_ms = replica->now_ms, .client = CLIENT_NONE, .op = OP_DELETE_CONTAINER});
}

/* --- answering --- */

static void put_created(struct buffer *out, const struct txn_op_result *result, bool with_stat)
{
    jute_put_bytes(out, result->path);
    if (with_stat)
        zk_stat_write(out, &result->stat);
}

static void put_multi(struct buffer *out, const struct txn *txn, const struct txn_result *result,
                      const uint8_t *stat_wanted)
{
    for (int32_t i = 0; i < txn->op_count; i++) {
        const struct txn_op_result *op = &result->ops[i];
        struct multi_header header = {.type = op->type, .err = op->err};
        bool with_stat = op->type == OP_CREATE_CONTAINER || op->type == OP_CREATE_TTL ||
                         (op->type == OP_CREATE && stat_wanted[i] != 0);
        if (with_stat)
            header.type = OP_CREATE2;
        multi_header_write(out, &header);
        if (op->type == OP_ERROR)
            buffer_i32(out, op->err);
        else if (op->type == OP_CREATE || with_stat)
            put_created(out, op, with_stat);
        else if (op->type == OP_SET_DATA)
            zk_stat_write(out, &op->stat);
    }
    multi_header_write(out, &(struct multi_header){.type = -1, .done = true, .err = -1});
}

static void answer(struct replica *replica, struct client *client, const struct pending *pending,
                   const struct txn *txn, const struct txn_result *result)
{
    struct buffer *out = &replica->effects->bytes;
    size_t start = reply_begin(replica);

    switch (txn->header.type) {
    case OP_CREATE:
        put_created(out, &result->op, /* with_stat= */ false);
        break;
    case OP_CREATE2:
    case OP_CREATE_CONTAINER:
    case OP_CREATE_TTL:
        put_created(out, &result->op, /* with_stat= */ true);
        break;
    case OP_SET_DATA:
    case OP_SET_ACL:
        zk_stat_write(out, &result->op.stat);
        break;
    case OP_MULTI:
        put_multi(out, txn, result, pending->with_stat);
        break;
    default:
        break;
    }
    reply_end(replica, client, start, pending->xid, pending->zxid, (enum zk_error)result->op.err);
    client_answered(replica, client, txn->header.type == OP_ERROR ? OP_ERROR : pending->op,
                    pending->xid, pending->zxid, pending->arrived_ms, &replica->write_latency);
}

/* --- applying --- */

static void apply(struct replica *replica, const struct pending *pending)
{
    struct txn txn;
    struct txn_result result;
    struct txn_observer observer;

    enum status status = txn_read(pending->payload, &replica->arena, &txn);
    ASSERT(status == STATUS_OK && txn.header.zxid == pending->zxid);
    struct client *client = pending->client == CLIENT_NONE
                                ? NULL
                                : client_find(replica, pending->client, pending->generation);
    if (client != NULL && client->state == CLIENT_SERVING)
        requests_before_write(replica, client);
    txn_apply(replica->tree, &txn, watching_observer(replica, &observer, pending->zxid),
              &replica->arena, &result);
    outstanding_applied(replica->outstanding, pending->zxid);
    replica->changes_applied = pending->changes;
    if (replica->wall_ms >= txn.header.time_ms)
        summary_add(&replica->propagation_latency, replica->wall_ms - txn.header.time_ms);
    if (txn.has_digest && (uint64_t)txn.digest != tree_digest(replica->tree))
        replica->digest_mismatches++;
    tree_mark_digest(replica->tree, pending->zxid);
    if (txn.header.type == OP_CREATE_SESSION) {
        connect_session_created(replica, pending);
        return;
    }
    if (client != NULL) {
        client->writes_applied++;
        if (client->state == CLIENT_SERVING)
            answer(replica, client, pending, &txn, &result);
    }
    if (txn.header.type == OP_CLOSE_SESSION) {
        session_end(replica, pending->session_id, client == NULL ? CLIENT_NONE : client->id);
        if (client != NULL)
            client_close(replica, client, NULL);
        return;
    }
    if (client != NULL && client->state == CLIENT_SERVING)
        requests_after_write(replica, client);
    struct session *session = session_table_find(replica->sessions, pending->session_id);
    if (session != NULL && --session->write_count == 0)
        connect_session_settled(replica, session);
}

void write_log_synced(struct replica *replica, int64_t zxid)
{
    while (replica->pending_count > 0 && replica->pending[replica->pending_first].zxid <= zxid) {
        struct pending pending = replica->pending[replica->pending_first];
        replica->pending_first = (replica->pending_first + 1) & (replica->pending_capacity - 1);
        replica->pending_count--;
        replica->pending_bytes -= pending.payload.size;
        apply(replica, &pending);
        log_space_release(&replica->log_space, pending.chunk);
        arena_reset(&replica->arena);
    }
}
