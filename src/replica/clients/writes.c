/* writes.c: a client's writes are submitted to proposals when they arrive, and answered when they are
 * applied. The answer is made from the transaction, never from the request. */
#include "replica/clients/client.h"

enum status write_submit(struct clients *clients, struct client *client, int32_t xid, int32_t op,
                         struct slice body, int64_t arrived_ms)
{
    struct proposal request = {.session_id = client->attachment->session_id,
                               .arrived_ms = arrived_ms,
                               .client = client->id,
                               .generation = client->generation,
                               .xid = xid,
                               .op = op};

    ASSERT(!client->attachment->session->closing);
    enum status status = proposals_submit(clients->proposals, &request, client->identities, body);
    if (status != STATUS_OK)
        return status;
    attachment_wrote(client->attachment);
    client->writes_proposed++;
    return STATUS_OK;
}

void write_submit_for_nobody(struct clients *clients, struct client *client,
                             const struct waiting *waiting, struct session *session)
{
    struct request_header header;

    ASSERT(client == NULL || client->state == CLIENT_CLOSING);
    request_header_get(waiting->bytes, &header);
    struct proposal request = {.session_id = session->id,
                               .arrived_ms = waiting->arrived_ms,
                               .client = waiting->client,
                               .generation = waiting->generation,
                               .xid = header.xid,
                               .op = header.type};
    struct slice body =
        slice_of(waiting->bytes + REQUEST_HEADER_BYTES, waiting->size - REQUEST_HEADER_BYTES);
    if (proposals_submit(clients->proposals, &request, waiting->identities, body) != STATUS_OK)
        return; /* it would be answered with an error */
    attachment_wrote_for_nobody(clients, session);
    if (client != NULL)
        client->writes_proposed++;
}

void sync_submit(struct clients *clients, struct client *client, int32_t xid, struct slice body)
{
    struct proposal request = {.session_id = client->attachment->session_id,
                               .arrived_ms = clients->step->now_ms,
                               .client = client->id,
                               .generation = client->generation,
                               .xid = xid,
                               .op = OP_SYNC};

    attachment_wrote(client->attachment);
    client->writes_proposed++;
    proposals_submit_sync(clients->proposals, &request, client->identities, body);
}

/* --- answers --- */

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

static void put_body(struct buffer *out, const struct proposal *proposal, const struct txn *txn,
                     const struct txn_result *result)
{
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
        put_multi(out, txn, result, proposal->with_stat);
        break;
    default: /* no body */
        break;
    }
}

void write_answer(struct clients *clients, struct client *client, const struct proposal *proposal,
                  const struct txn *txn, const struct txn_result *result)
{
    size_t start = reply_begin(clients);
    enum zk_error err = (enum zk_error)result->op.err;

    /* A leader does not know the local sessions of others, and says that this one has expired. */
    if (err != ZK_OK && proposal->ephemeral_on_local && proposal->op != OP_MULTI)
        err = ZK_EPHEMERAL_ON_LOCAL_SESSION;
    put_body(&clients->step->effects->bytes, proposal, txn, result);
    reply_end(clients, client, start, proposal->xid, proposal->zxid, err);
    client_answered(clients, client, txn->header.type == OP_ERROR ? OP_ERROR : proposal->op,
                    proposal->xid, proposal->zxid, proposal->arrived_ms, METRIC_WRITE_LATENCY);
}
