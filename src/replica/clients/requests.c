/* requests.c: the order of a client's requests, and the limits on what waits.
 *
 * Writes are submitted at once. Whatever else comes while a write of the same client is not applied
 * waits, and is answered in order as the writes before it are applied. */
#include "replica/clients/client.h"

enum {
    /* Bytes of requests, proposed and waiting, of all clients together; above it reading stops. */
    HELD_BYTES_MAX = 64 * 1024 * 1024,
    /* Bytes of answers to one client's waiting reads in one step; the last answer may exceed it. */
    BURST_BYTES_MAX = 1024 * 1024,
    /* The same when they must be answered now, because its next write is about to be applied. A
     * client that asks for more is closed. */
    FORCED_BYTES_MAX = 32 * 1024 * 1024
};

/* --- back-pressure --- */

static bool too_many_unanswered(const struct clients *clients)
{
    int32_t limit = clients->options.outstanding_max;

    return limit > 0 &&
           proposals_count(clients->proposals) + clients->waiting_count >= (size_t)limit;
}

static size_t held_bytes(const struct clients *clients)
{
    return proposals_bytes(clients->proposals) + clients->waiting_bytes;
}

void requests_pause_over_limit(struct clients *clients, struct client *client)
{
    bool is_owed_answers =
        client->writes_proposed != client->writes_applied || client->waiting_reads.count > 0;

    if (!is_owed_answers || client->paused || client->state != CLIENT_SERVING ||
        !(too_many_unanswered(clients) || held_bytes(clients) > HELD_BYTES_MAX))
        return;
    client_pause(clients, client);
    list_add_last(&clients->paused, &client->in_paused);
}

void requests_resume_paused(struct clients *clients)
{
    if (list_empty(&clients->paused) || too_many_unanswered(clients) ||
        held_bytes(clients) > HELD_BYTES_MAX / 2)
        return;
    while (!list_empty(&clients->paused)) {
        struct client *client = CONTAINER_OF(clients->paused.next, struct client, in_paused);
        list_remove(&client->in_paused);
        ASSERT(client->paused);
        client_resume(clients, client);
    }
}

/* --- requests about the connection: answered at once, before what waits --- */

static void answer_auth(struct clients *clients, struct client *client, int32_t xid,
                        struct slice body)
{
    struct reader reader;
    struct auth_packet packet;

    reader_init(&reader, body, &clients->step->arena, clients->options.text_bytes_max);
    if (auth_packet_read(&reader, &packet) != STATUS_OK) {
        client_close(clients, client, "an auth packet that does not decode");
        return;
    }
    enum auth_answer answer = acl_authenticate(clients->acl, packet.scheme, packet.auth,
                                               &clients->step->arena, &client->identities);
    if (answer == AUTH_CLOSE_SILENTLY) {
        client_close(clients, client, "the client looks for another ensemble");
        return;
    }
    reply_error(clients, client, xid, /* zxid= */ 0, answer == AUTH_OK ? ZK_OK : ZK_AUTH_FAILED);
    if (answer == AUTH_FAILED)
        client_close(clients, client, "authentication failed");
}

/* SASL is not configured: the answer is an empty token and success. */
static void answer_sasl(struct clients *clients, struct client *client, int32_t xid,
                        struct slice body)
{
    struct reader reader;
    struct sasl_request request;

    reader_init(&reader, body, &clients->step->arena, clients->options.text_bytes_max);
    if (sasl_request_read(&reader, &request) != STATUS_OK) {
        client_close(clients, client, "a sasl packet that does not decode");
        return;
    }
    size_t start = reply_begin(clients);
    jute_put_bytes(&clients->step->effects->bytes, SLICE_NULL);
    reply_end(clients, client, start, xid, /* zxid= */ 0, ZK_OK);
}

static bool connection_request(struct clients *clients, struct client *client, int32_t xid,
                               int32_t op, struct slice body)
{
    switch (op) {
    case OP_AUTH:
        answer_auth(clients, client, xid, body);
        return true;
    case OP_SASL:
        answer_sasl(clients, client, xid, body);
        return true;
    default:
        return false;
    }
}

/* Does the client have an identity of one of enforce.auth.schemes? True where none is enforced. */
static bool has_enforced_scheme(const struct clients *clients, const struct client *client)
{
    struct slice schemes = clients->options.enforce_auth_schemes;

    if (schemes.data == NULL)
        return true;
    for (size_t start = 0; start < schemes.size;) {
        const uint8_t *comma = memchr(schemes.data + start, ',', schemes.size - start);
        size_t end = comma == NULL ? schemes.size : (size_t)(comma - schemes.data);
        if (identities_have_scheme(client->identities, slice_of(schemes.data + start, end - start)))
            return true;
        start = end + 1;
    }
    return false;
}

/* --- reads --- */

static void answer_watching(struct read_context *read, int32_t xid, int64_t zxid)
{
    struct clients *clients = read->clients;
    enum zk_error err = watching_answer(read); /* sends its events first */
    size_t start = reply_begin(clients);

    if (err == ZK_OK)
        watching_put_body(clients, read->op);
    reply_end(clients, read->client, start, xid, zxid, err);
}

static void answer_from_tree(struct read_context *read, int32_t xid, int64_t zxid)
{
    struct clients *clients = read->clients;
    size_t start = reply_begin(clients);
    enum zk_error err = read_answer(read);

    if (err != ZK_OK && !read->body_with_error)
        reply_drop_body(clients, start);
    reply_end(clients, read->client, start, xid, zxid, err);
}

static void refuse_unknown(struct clients *clients, struct client *client, int32_t xid)
{
    metrics_count(&clients->step->metrics, METRIC_REQUESTS_UNKNOWN, 1);
    reply_error(clients, client, xid, /* zxid= */ -1, ZK_UNIMPLEMENTED);
    client_close(clients, client, "an unknown operation");
}

/* What a read-only server refuses. It ends its own sessions, which are local. */
static bool needs_quorum(int32_t type)
{
    const struct op_info *op = op_find(type);

    return type == OP_SYNC || type == OP_CHECK ||
           (op != NULL && op->class == OP_CLASS_WRITE && type != OP_CLOSE_SESSION);
}

/* A local session ends here: no other server knows it, and it owns no ephemeral. */
static void close_local_session(struct clients *clients, struct client *client, int32_t xid,
                                int64_t arrived_ms)
{
    struct session *session = client->attachment->session;
    int64_t zxid = tree_last_zxid(clients->tree);

    reply_error(clients, client, xid, zxid, ZK_OK);
    metrics_count(&clients->step->metrics, METRIC_REQUESTS_PREPARED, 1);
    client_answered(clients, client, OP_CLOSE_SESSION, xid, zxid, arrived_ms, METRIC_READ_LATENCY);
    client_close(clients, client, NULL);
    sessions_remove_local(clients->sessions, session);
}

/* The request's turn has come: it is answered from the tree as it is. A write gets here only when it
 * did not decode, when this server is read-only, or when it closes a local session. */
static void answer_now(struct clients *clients, struct client *client,
                       const struct identities *identities, struct slice bytes, int64_t arrived_ms,
                       bool throttled_too_long)
{
    struct request_header header;
    int64_t zxid = tree_last_zxid(clients->tree);

    ASSERT(bytes.size >= REQUEST_HEADER_BYTES);
    request_header_get(bytes.data, &header);
    const struct op_info *op = op_find(header.type);
    struct read_context read = {
        .clients = clients,
        .client = client,
        .identities = identities,
        .op = header.type,
        .body = slice_of(bytes.data + REQUEST_HEADER_BYTES, bytes.size - REQUEST_HEADER_BYTES)};
    ASSERT(!clients->tree_half_changed || header.type == OP_PING);
    if (throttled_too_long) {
        metrics_count(&clients->step->metrics, METRIC_THROTTLED_OPS, 1);
        reply_error(clients, client, header.xid, zxid, ZK_THROTTLED_OP);
    } else if (clients->read_only && needs_quorum(header.type)) {
        reply_error(clients, client, header.xid, zxid,
                    mutant_is(clients->step->mutant, MUTANT_READ_ONLY_SAYS_YES) ? ZK_OK
                                                                                : ZK_NOT_READ_ONLY);
    } else if (header.type == OP_CLOSE_SESSION) {
        close_local_session(clients, client, header.xid, arrived_ms);
        return;
    } else {
        switch (op == NULL ? OP_CLASS_NESTED : op->class) {
        case OP_CLASS_READ:
            answer_from_tree(&read, header.xid, zxid);
            break;
        case OP_CLASS_WATCHING:
            answer_watching(&read, header.xid, zxid);
            break;
        case OP_CLASS_PING:
            reply_error(clients, client, XID_PING, zxid, ZK_OK);
            break;
        case OP_CLASS_WRITE:
            reply_error(clients, client, header.xid, zxid, ZK_MARSHALLING_ERROR);
            break;
        case OP_CLASS_INTERNAL:
        case OP_CLASS_CONNECTION:
        case OP_CLASS_NESTED:
            refuse_unknown(clients, client, header.xid);
            return;
        }
    }
    metrics_count(&clients->step->metrics, METRIC_REQUESTS_PREPARED, 1);
    client_answered(clients, client, throttled_too_long ? OP_ERROR : header.type, header.xid, zxid,
                    arrived_ms, METRIC_READ_LATENCY);
}

static void answer_waiting(struct clients *clients, struct client *client)
{
    struct waiting *waiting = waiting_take(clients, &client->waiting_reads);

    ASSERT(waiting->after_write <= client->writes_applied); /* nothing overtakes a write */
    answer_now(clients, client, waiting->identities, slice_of(waiting->bytes, waiting->size),
               waiting->arrived_ms, waiting->throttled_too_long);
    waiting_free(waiting);
}

static bool next_read_is_due(const struct client *client)
{
    return client->waiting_reads.first != NULL &&
           client->waiting_reads.first->after_write <= client->writes_applied;
}

/* While a transaction is applied in part, the client's reads wait until all of it is applied. */
static void block_until_whole(struct clients *clients, struct client *client)
{
    if (clients->tree_half_changed && client->waiting_reads.count > 0 &&
        list_empty(&client->in_blocked))
        list_add_last(&clients->blocked, &client->in_blocked);
}

void requests_after_write(struct clients *clients, struct client *client)
{
    if (clients->tree_half_changed) {
        block_until_whole(clients, client);
        return;
    }
    size_t sent_bytes = clients->step->effects->bytes.size;

    while (!client->answers_held && next_read_is_due(client)) {
        answer_waiting(clients, client);
        if (clients->step->effects->bytes.size - sent_bytes > BURST_BYTES_MAX &&
            client->waiting_reads.count > 0)
            client_hold(clients, client);
    }
}

/* The tree is whole again. */
void requests_release_blocked(struct clients *clients)
{
    ASSERT(!clients->tree_half_changed);
    while (!list_empty(&clients->blocked)) {
        struct client *client = CONTAINER_OF(clients->blocked.next, struct client, in_blocked);
        list_remove(&client->in_blocked);
        if (client->state == CLIENT_SERVING)
            requests_after_write(clients, client);
    }
}

/* A write of the client is about to be applied: the reads that it sent before that write are answered
 * now, from the tree as it still is, even when its answers are held. */
void requests_before_write(struct clients *clients, struct client *client)
{
    size_t sent_bytes = clients->step->effects->bytes.size;

    while (next_read_is_due(client)) {
        answer_waiting(clients, client);
        if (clients->step->effects->bytes.size - sent_bytes > FORCED_BYTES_MAX)
            client_close(clients, client, "it sends requests and does not read the answers");
    }
}

/* --- the way in --- */

static bool must_throttle(const struct clients *clients)
{
    int32_t limit = clients->options.throttle_requests_max;

    return limit > 0 &&
           (clients->throttled.count > 0 || proposals_count(clients->proposals) >= (size_t)limit);
}

/* The request waits for those before it, and for a transaction that is applied in part. */
static void wait_for_turn(struct clients *clients, struct client *client, struct slice bytes,
                          int64_t arrived_ms, bool throttled_too_long)
{
    struct waiting *waiting = waiting_add(clients, &client->waiting_reads, client, bytes);

    waiting->arrived_ms = arrived_ms;
    waiting->throttled_too_long = throttled_too_long;
    block_until_whole(clients, client);
}

/* At most once a millisecond. */
static void touch_session(struct clients *clients, struct client *client)
{
    if (client->touched_ms == clients->step->now_ms)
        return;
    client->touched_ms = clients->step->now_ms;
    sessions_touch(clients->sessions, client->attachment->session);
}

bool request_waited_too_long(const struct clients *clients, int32_t op, int64_t arrived_ms)
{
    int32_t limit_ms = clients->options.throttled_op_wait_ms;

    return limit_ms > 0 && clients->step->now_ms - arrived_ms > limit_ms && op != OP_PING &&
           op != OP_CLOSE_SESSION;
}

/* In an ensemble a sync asks the leader; one that does not decode is answered as any read. */
static bool must_sync(const struct clients *clients, int32_t op, struct slice body)
{
    struct reader reader;
    struct path_request request;

    if (op != OP_SYNC || clients->read_only ||
        proposals_role(clients->proposals) == PROPOSALS_ALONE ||
        mutant_is(clients->step->mutant, MUTANT_SYNC_LOCAL))
        return false;
    reader_init(&reader, body, &clients->step->arena, clients->options.text_bytes_max);
    return path_request_read(&reader, &request) == STATUS_OK;
}

/* A write goes to proposals, unless it is clear already how it must be answered. */
static void take_write(struct clients *clients, struct client *client,
                       const struct request_header *header, struct slice bytes, int64_t arrived_ms)
{
    struct slice body =
        slice_of(bytes.data + REQUEST_HEADER_BYTES, bytes.size - REQUEST_HEADER_BYTES);
    enum zk_error refused = eager_check(clients, client, header->type, body);

    if (refused != ZK_OK) {
        reply_error(clients, client, header->xid, /* zxid= */ 0, refused);
    } else if (write_submit(clients, client, header->xid, header->type, body, arrived_ms) !=
               STATUS_OK) {
        wait_for_turn(clients, client, bytes, arrived_ms, /* throttled_too_long= */ false);
        requests_after_write(clients, client); /* it needs no zxid: it may be answered now */
    }
}

void request_frame(struct clients *clients, struct client *client, struct slice bytes,
                   int64_t arrived_ms, bool was_throttled)
{
    struct request_header header;

    ASSERT(client->state == CLIENT_SERVING);
    if (bytes.size < REQUEST_HEADER_BYTES) {
        client_close(clients, client, "a frame shorter than a request header");
        return;
    }
    request_header_get(bytes.data, &header);
    struct slice body =
        slice_of(bytes.data + REQUEST_HEADER_BYTES, bytes.size - REQUEST_HEADER_BYTES);
    if (connection_request(clients, client, header.xid, header.type, body))
        return;
    if (!has_enforced_scheme(clients, client)) {
        reply_error(clients, client, header.xid, /* zxid= */ 0, ZK_SESSION_CLOSED_REQUIRE_AUTH);
        client_close(clients, client, "authentication is enforced and missing");
        return;
    }
    if (client->attachment == NULL || client->attachment->session->closing)
        return; /* closeSession is proposed; the connection is closed when it is applied */
    touch_session(clients, client);
    if (!was_throttled && must_throttle(clients)) {
        (void)waiting_add(clients, &clients->throttled, client, bytes);
        metrics_count(&clients->step->metrics, METRIC_REQUESTS_THROTTLED, 1);
        return;
    }
    bool too_late = was_throttled && request_waited_too_long(clients, header.type, arrived_ms);
    const struct op_info *op = op_find(header.type);
    bool closes_local = header.type == OP_CLOSE_SESSION && client->attachment->session->local;
    if (closes_local)
        client->attachment->session->closing = true; /* nothing more of it is taken */
    if (op != NULL && op->class == OP_CLASS_WRITE && !too_late && !clients->read_only &&
        !closes_local) {
        take_write(clients, client, &header, bytes, arrived_ms);
        return;
    }
    if (must_sync(clients, header.type, body) && !too_late) {
        sync_submit(clients, client, header.xid, body);
        wait_for_turn(clients, client, bytes, arrived_ms, /* throttled_too_long= */ false);
        return;
    }
    bool ping = header.type == OP_PING;
    if (client->waiting_reads.count == 0 && client->writes_proposed == client->writes_applied &&
        (!clients->tree_half_changed || ping)) {
        answer_now(clients, client, client->identities, bytes, arrived_ms, too_late);
        return;
    }
    wait_for_turn(clients, client, bytes, arrived_ms, too_late);
}
