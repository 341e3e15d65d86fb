/* The handshake: ConnectRequest to ConnectResponse (protocol reference, section 2). */
#include "replica/pipeline/pipeline.h"

static void answer(struct replica *replica, struct client *client, int64_t session_id,
                   int32_t timeout_ms)
{
    uint8_t password[PASSWORD_BYTES] = {0};
    struct buffer *bytes = &replica->effects->bytes;
    size_t start = frame_begin(replica);

    if (session_id != 0)
        zk_session_password(session_id, password);
    buffer_i32(bytes, 0);
    buffer_i32(bytes, timeout_ms);
    buffer_i64(bytes, session_id);
    jute_put_bytes(bytes, slice_of(password, sizeof(password)));
    if (client->wants_read_only_byte)
        jute_put_bool(bytes, false);
    frame_end(replica, client, start);
}

static void refuse(struct replica *replica, struct client *client)
{
    answer(replica, client, /* session_id= */ 0, /* timeout_ms= */ 0);
    client_close(replica, client, NULL);
}

/* From here on the client is served; frames that came too early have their turn. */
static void begin_serving(struct replica *replica, struct client *client, struct session *session)
{
    session->client = client->id;
    client->session = session;
    client->state = CLIENT_SERVING;
    session_table_touch(replica->sessions, session, replica->now_ms);
    answer(replica, client, session->id, session->timeout_ms);
    client_resume(replica, client);
    struct waiting_queue early = client->early;
    client->early = (struct waiting_queue){0};
    struct waiting *waiting;
    while ((waiting = waiting_take(replica, &early)) != NULL) {
        if (client->state == CLIENT_SERVING)
            request_frame(replica, client, slice_of(waiting->bytes, waiting->size),
                          waiting->arrived_ms, /* was_throttled= */ false);
        waiting_free(waiting);
    }
}

static void attach(struct replica *replica, struct client *client, int64_t session_id,
                   struct slice password, int32_t timeout_ms)
{
    struct session *session = session_table_find(replica->sessions, session_id);
    uint8_t right[PASSWORD_BYTES];

    replica->connection_revalidates++;
    /* The older connection goes first, even before the password is looked at, as in Java. */
    if (session != NULL && session->client != CLIENT_NONE) {
        struct client *older = replica->clients[session->client];
        if (older != NULL && older->session == session)
            client_close(replica, older, NULL);
    }
    zk_session_password(session_id, right);
    if (session == NULL || session->closing ||
        !slice_equal(password, slice_of(right, sizeof(right)))) {
        refuse(replica, client);
        return;
    }
    session->timeout_ms = timeout_ms;
    session_table_touch(replica->sessions, session, replica->now_ms);
    session->client = client->id;
    if (session->write_count == 0) {
        begin_serving(replica, client, session);
        return;
    }
    client->state = CLIENT_SETTLING; /* writes of the older connection come first */
    client->session = session;
    client_pause(replica, client);
}

void connect_session_settled(struct replica *replica, struct session *session)
{
    if (session->client == CLIENT_NONE)
        return;
    struct client *client = replica->clients[session->client];
    if (client != NULL && client->session == session && client->state == CLIENT_SETTLING)
        begin_serving(replica, client, session);
}

static int64_t new_session_id(struct replica *replica)
{
    do {
        if (replica->next_session_id == 0 || replica->next_session_id == OWNER_CONTAINER_VALUE)
            replica->next_session_id++;
        replica->next_session_id++;
    } while (session_table_find(replica->sessions, replica->next_session_id - 1) != NULL ||
             tree_session(replica->tree, replica->next_session_id - 1) != NULL);
    return replica->next_session_id - 1;
}

void connect_frame(struct replica *replica, struct client *client, struct slice bytes)
{
    struct reader reader;
    struct connect_request request;

    reader_init(&reader, bytes, &replica->arena, replica->options.text_bytes_max);
    if (connect_request_read(&reader, &request) != STATUS_OK) {
        client_close(replica, client, "the first frame is not a ConnectRequest");
        return;
    }
    if (reader_left(&reader) > 0) { /* absent from clients of 3.3 and many small ones */
        client->wants_read_only_byte = true;
        (void)reader_bool(&reader); /* a read-write server serves both kinds */
    }
    if (request.last_zxid_seen > tree_last_zxid(replica->tree)) {
        client_close(replica, client,
                     "the client has seen a zxid that this server has not reached");
        return;
    }
    int32_t timeout_ms = request.timeout_ms;
    if (timeout_ms < replica->options.session_timeout_min_ms)
        timeout_ms = replica->options.session_timeout_min_ms;
    if (timeout_ms > replica->options.session_timeout_max_ms)
        timeout_ms = replica->options.session_timeout_max_ms;
    if (request.session_id != 0) {
        attach(replica, client, request.session_id, request.password, timeout_ms);
        return;
    }
    client->state = CLIENT_SETTLING;
    client_pause(replica, client);
    write_create_session(replica, client, new_session_id(replica), timeout_ms);
}

void connect_session_created(struct replica *replica, const struct pending *pending)
{
    struct client *client = client_find(replica, pending->client, pending->generation);
    struct session *session = session_table_add(replica->sessions, pending->session_id,
                                                pending->timeout_ms, replica->now_ms);

    if (client != NULL && client->state == CLIENT_SETTLING) {
        client_answered(replica, client, OP_CREATE_SESSION, /* xid= */ 0, pending->zxid,
                        pending->arrived_ms, &replica->write_latency);
        begin_serving(replica, client, session);
    }
}

/* Its closeSession is applied: the session is no more, and its connection goes with it. */
void session_end(struct replica *replica, int64_t session_id, uint32_t keep_client)
{
    struct session *session = session_table_find(replica->sessions, session_id);

    if (session == NULL)
        return;
    struct client *client =
        session->client == CLIENT_NONE ? NULL : replica->clients[session->client];
    if (client != NULL && client->session == session) {
        if (client->id != keep_client)
            client_close(replica, client, NULL);
        else
            client->session = NULL;
    }
    session_table_remove(replica->sessions, session);
}
