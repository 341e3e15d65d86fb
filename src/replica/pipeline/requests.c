/* The order of a client's requests, their queues, and the limits on what waits. */
#include "replica/pipeline/pipeline.h"

enum {
    HEADER_BYTES = 8,
    /* What may be held for all clients together, proposed and waiting, before reading stops. */
    HELD_BYTES_MAX = 64 * 1024 * 1024,
    /* Answers to waiting reads of one client in one step; the next one may exceed it. */
    BURST_BYTES_MAX = 1024 * 1024,
    /* The same where they cannot wait, as its next write is applied; beyond this it is closed. */
    FORCED_BYTES_MAX = 32 * 1024 * 1024
};

/* --- waiting frames --- */

struct waiting *waiting_add(struct replica *replica, struct waiting_queue *queue,
                            const struct client *client, struct slice bytes)
{
    struct waiting *waiting = mem_alloc(sizeof(*waiting) + bytes.size);

    *waiting = (struct waiting){.identities = identities_hold(client->identities),
                                .after_write = client->writes_proposed,
                                .arrived_ms = replica->now_ms,
                                .client = client->id,
                                .generation = client->generation,
                                .size = bytes.size};
    if (bytes.size > 0)
        memcpy(waiting->bytes, bytes.data, bytes.size);
    if (queue->last == NULL)
        queue->first = waiting;
    else
        queue->last->next = waiting;
    queue->last = waiting;
    queue->count++;
    replica->waiting_count++;
    replica->waiting_bytes += bytes.size;
    return waiting;
}

struct waiting *waiting_take(struct replica *replica, struct waiting_queue *queue)
{
    struct waiting *waiting = queue->first;

    if (waiting == NULL)
        return NULL;
    queue->first = waiting->next;
    if (queue->first == NULL)
        queue->last = NULL;
    queue->count--;
    replica->waiting_count--;
    replica->waiting_bytes -= waiting->size;
    return waiting;
}

void waiting_free(struct waiting *waiting)
{
    identities_release(waiting->identities);
    mem_free(waiting);
}

void waiting_clear(struct replica *replica, struct waiting_queue *queue)
{
    struct waiting *waiting;

    while ((waiting = waiting_take(replica, queue)) != NULL)
        waiting_free(waiting);
}

int64_t outstanding_requests(const struct replica *replica)
{
    return (int64_t)(replica->pending_count + replica->waiting_count);
}

/* --- back-pressure --- */

void requests_apply_pressure(struct replica *replica, struct client *client)
{
    bool owes = client->writes_proposed != client->writes_applied || client->reads.count > 0;
    bool many = replica->options.outstanding_max > 0 &&
                outstanding_requests(replica) >= replica->options.outstanding_max;
    bool large = replica->pending_bytes + replica->waiting_bytes > HELD_BYTES_MAX;

    if (!owes || !(many || large) || client->paused || client->state != CLIENT_SERVING)
        return;
    client_pause(replica, client);
    list_add_last(&replica->paused, &client->in_paused);
}

void requests_relieve_pressure(struct replica *replica)
{
    if (list_empty(&replica->paused))
        return;
    if (replica->options.outstanding_max > 0 &&
        outstanding_requests(replica) >= replica->options.outstanding_max)
        return;
    if (replica->pending_bytes + replica->waiting_bytes > HELD_BYTES_MAX / 2)
        return;
    while (!list_empty(&replica->paused)) {
        struct client *client = CONTAINER_OF(replica->paused.next, struct client, in_paused);
        list_remove(&client->in_paused);
        client_resume(replica, client);
    }
}

/* --- the network layer's own requests: answered at once, they may overtake --- */

static void auth(struct replica *replica, struct client *client, int32_t xid, struct slice body)
{
    struct reader reader;
    struct auth_packet packet;

    reader_init(&reader, body, &replica->arena, replica->options.text_bytes_max);
    if (auth_packet_read(&reader, &packet) != STATUS_OK) {
        client_close(replica, client, "an auth packet that does not decode");
        return;
    }
    enum auth_answer answer = acl_authenticate(&replica->rules.acl, packet.scheme, packet.auth,
                                               &replica->arena, &client->identities);
    client->address = client->identities->items[0].id;
    if (answer == AUTH_CLOSE_SILENTLY) {
        client_close(replica, client, "the client looks for another ensemble");
        return;
    }
    reply_error(replica, client, xid, /* zxid= */ 0, answer == AUTH_OK ? ZK_OK : ZK_AUTH_FAILED);
    if (answer == AUTH_FAILED)
        client_close(replica, client, "authentication failed");
}

/* Without SASL configured the server says yes and nothing more. */
static void sasl(struct replica *replica, struct client *client, int32_t xid, struct slice body)
{
    struct reader reader;
    struct sasl_request request;

    reader_init(&reader, body, &replica->arena, replica->options.text_bytes_max);
    if (sasl_request_read(&reader, &request) != STATUS_OK) {
        client_close(replica, client, "a sasl packet that does not decode");
        return;
    }
    size_t start = reply_begin(replica);
    jute_put_bytes(&replica->effects->bytes, SLICE_NULL);
    reply_end(replica, client, start, xid, /* zxid= */ 0, ZK_OK);
}

static bool is_authenticated_enough(const struct replica *replica, const struct client *client)
{
    struct slice schemes = replica->options.enforce_auth_schemes;

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

static bool is_read(int32_t op)
{
    switch (op) {
    case OP_EXISTS:
    case OP_GET_DATA:
    case OP_GET_ACL:
    case OP_GET_CHILDREN:
    case OP_GET_CHILDREN2:
    case OP_SYNC:
    case OP_MULTI_READ:
    case OP_GET_EPHEMERALS:
    case OP_GET_ALL_CHILDREN_NUMBER:
    case OP_WHO_AM_I:
        return true;
    default:
        return false;
    }
}

static bool is_watching(int32_t op)
{
    return op == OP_SET_WATCHES || op == OP_SET_WATCHES2 || op == OP_ADD_WATCH ||
           op == OP_CHECK_WATCHES || op == OP_REMOVE_WATCHES;
}

/* What a client may send to change something. deleteContainer and createSession are the server's
 * own, whatever Java lets through. */
static bool is_client_write(int32_t op)
{
    return zk_op_is_write(op) && op != OP_DELETE_CONTAINER && op != OP_CREATE_SESSION;
}

static void answer_read(struct replica *replica, struct client *client,
                        const struct identities *identities, struct slice bytes, int64_t arrived_ms,
                        bool throttled)
{
    int32_t xid = (int32_t)load_be32(bytes.data);
    int32_t op = (int32_t)load_be32(bytes.data + 4);
    int64_t zxid = tree_last_zxid(replica->tree);
    struct read_context read = {.replica = replica,
                                .client = client,
                                .identities = identities,
                                .op = op,
                                .body =
                                    slice_of(bytes.data + HEADER_BYTES, bytes.size - HEADER_BYTES)};

    if (throttled) {
        replica->throttled_ops++;
        reply_error(replica, client, xid, zxid, ZK_THROTTLED_OP);
    } else if (op == OP_PING) {
        reply_error(replica, client, XID_PING, zxid, ZK_OK);
    } else if (is_watching(op)) {
        enum zk_error err = watching_answer(&read); /* sends its events first */
        size_t start = reply_begin(replica);
        if (op == OP_ADD_WATCH && err == ZK_OK)
            buffer_i32(&replica->effects->bytes, ZK_OK);
        reply_end(replica, client, start, xid, zxid, err);
    } else if (is_read(op)) {
        size_t start = reply_begin(replica);
        enum zk_error err = read_answer(&read);
        if (err != ZK_OK && !read.body_with_error)
            reply_drop_body(replica, start);
        reply_end(replica, client, start, xid, zxid, err);
    } else if (is_client_write(op)) { /* one that did not decode */
        reply_error(replica, client, xid, zxid, ZK_MARSHALLING_ERROR);
    } else {
        replica->requests_unknown++;
        reply_error(replica, client, xid, /* zxid= */ -1, ZK_UNIMPLEMENTED);
        client_close(replica, client, "an unknown operation");
        return;
    }
    replica->requests_prepared++;
    client_answered(replica, client, throttled ? OP_ERROR : op, xid, zxid, arrived_ms,
                    &replica->read_latency);
}

static void answer_waiting(struct replica *replica, struct client *client)
{
    struct waiting *waiting = waiting_take(replica, &client->reads);

    answer_read(replica, client, waiting->identities, slice_of(waiting->bytes, waiting->size),
                waiting->arrived_ms, waiting->throttled);
    waiting_free(waiting);
}

static bool has_turn(const struct client *client)
{
    return client->reads.first != NULL &&
           client->reads.first->after_write <= client->writes_applied;
}

void requests_after_write(struct replica *replica, struct client *client)
{
    size_t sent_bytes = replica->effects->bytes.size;

    while (!client->held && has_turn(client)) {
        answer_waiting(replica, client);
        if (replica->effects->bytes.size - sent_bytes > BURST_BYTES_MAX && client->reads.count > 0)
            client_hold(replica, client);
    }
}

/* Its next write is about to be applied: what it asked before that is answered now, from the tree as
 * it still is, held or not. */
void requests_before_write(struct replica *replica, struct client *client)
{
    size_t sent_bytes = replica->effects->bytes.size;

    while (has_turn(client)) {
        answer_waiting(replica, client);
        if (replica->effects->bytes.size - sent_bytes > FORCED_BYTES_MAX)
            client_close(replica, client, "it asks for far more than it takes");
    }
}

/* --- the way in --- */

static bool must_throttle(const struct replica *replica)
{
    int32_t limit = replica->options.throttle_requests_max;
    return limit > 0 && (replica->throttled.count > 0 || replica->pending_count >= (size_t)limit);
}

void request_frame(struct replica *replica, struct client *client, struct slice bytes,
                   int64_t arrived_ms, bool was_throttled)
{
    if (bytes.size < HEADER_BYTES) {
        client_close(replica, client, "a frame shorter than a request header");
        return;
    }
    int32_t xid = (int32_t)load_be32(bytes.data);
    int32_t op = (int32_t)load_be32(bytes.data + 4);
    struct slice body = slice_of(bytes.data + HEADER_BYTES, bytes.size - HEADER_BYTES);
    if (op == OP_AUTH) {
        auth(replica, client, xid, body);
        return;
    }
    if (op == OP_SASL) {
        sasl(replica, client, xid, body);
        return;
    }
    if (!is_authenticated_enough(replica, client)) {
        reply_error(replica, client, xid, /* zxid= */ 0, ZK_SESSION_CLOSED_REQUIRE_AUTH);
        client_close(replica, client, "authentication is enforced and missing");
        return;
    }
    struct session *session = client->session;
    if (session == NULL || session->closing)
        return; /* its end is under way; the connection goes with it */
    session_table_touch(replica->sessions, session, replica->now_ms);
    if (!was_throttled && must_throttle(replica)) {
        (void)waiting_add(replica, &replica->throttled, client, bytes);
        replica->requests_throttled++;
        return;
    }
    bool too_late = was_throttled && replica->options.throttled_op_wait_ms > 0 &&
                    replica->now_ms - arrived_ms > replica->options.throttled_op_wait_ms &&
                    op != OP_PING && op != OP_CLOSE_SESSION;
    if (is_client_write(op) && !too_late) {
        write_frame(replica, client, xid, op, body, arrived_ms);
        return;
    }
    if (client->reads.count == 0 && client->writes_proposed == client->writes_applied) {
        answer_read(replica, client, client->identities, bytes, arrived_ms, too_late);
        return;
    }
    struct waiting *waiting = waiting_add(replica, &client->reads, client, bytes);
    waiting->arrived_ms = arrived_ms;
    waiting->throttled = too_late;
}

void requests_release_throttled(struct replica *replica)
{
    while (replica->throttled.count > 0 &&
           replica->pending_count < (size_t)replica->options.throttle_requests_max) {
        struct waiting *waiting = waiting_take(replica, &replica->throttled);
        struct client *client = client_find(replica, waiting->client, waiting->generation);
        if (client != NULL && client->state == CLIENT_SERVING) {
            struct identities *now = client->identities;
            client->identities = waiting->identities; /* who it was when it asked */
            summary_add(&replica->throttle_latency, replica->now_ms - waiting->arrived_ms);
            request_frame(replica, client, slice_of(waiting->bytes, waiting->size),
                          waiting->arrived_ms, /* was_throttled= */ true);
            client->identities = now;
        }
        waiting_free(waiting);
    }
}
