/* connect.c: a connection gets its session: a new one, or the one it had before. Every connection
 * begins with a ConnectRequest, and is served from its ConnectResponse on. */
#include "replica/clients/client.h"

/* How long a ConnectRequest waits for the end of an election. Other servers may serve sooner. */
enum { HELD_MAX_MS = 300 };

/* Session 0 refuses: the session is unknown or closed, or the password is wrong. */
static void send_connect_response(struct clients *clients, struct client *client,
                                  int64_t session_id, int32_t timeout_ms)
{
    uint8_t password[PASSWORD_BYTES] = {0};
    struct buffer *bytes = &clients->step->effects->bytes;
    size_t start = frame_begin(clients);

    if (session_id != 0)
        zk_session_password(session_id, password);
    connect_response_write(
        bytes, &(struct connect_response){.timeout_ms = timeout_ms,
                                          .session_id = session_id,
                                          .password = slice_of(password, sizeof(password))});
    if (client->wants_read_only_byte)
        jute_put_bool(bytes, clients->read_only);
    frame_end(clients, client, start);
}

static void refuse_session(struct clients *clients, struct client *client)
{
    send_connect_response(clients, client, /* session_id= */ 0, /* timeout_ms= */ 0);
    client_close(clients, client, NULL);
}

/* From here on the client is served, first the frames that arrived before its session was ready. */
static void begin_serving(struct clients *clients, struct client *client)
{
    struct session *session = client->attachment->session;

    ASSERT(client->state == CLIENT_NEW || client->state == CLIENT_SETTLING);
    ASSERT(client->attachment->write_count == 0); /* the older connection's are answered for */
    client->state = CLIENT_SERVING;
    sessions_touch(clients->sessions, session);
    send_connect_response(clients, client, session->id, session->timeout_ms);
    client_resume(clients, client);
    struct waiting_queue early = client->early_frames;
    client->early_frames = (struct waiting_queue){0};
    struct waiting *waiting;
    while ((waiting = waiting_take(clients, &early)) != NULL) {
        if (client->state == CLIENT_SERVING)
            request_frame(clients, client, slice_of(waiting->bytes, waiting->size),
                          waiting->arrived_ms, /* was_throttled= */ false);
        waiting_free(waiting);
    }
}

static void end_older_connection(struct clients *clients, int64_t session_id)
{
    struct attachment *attachment = attachment_find(clients, session_id);

    if (attachment != NULL && attachment->client != NULL)
        client_close(clients, attachment->client, NULL);
}

/* The session is the client's: an older connection of it ends. */
static void attach(struct clients *clients, struct client *client, struct session *session)
{
    end_older_connection(clients, session->id);
    attachment_join(clients, session, client);
    if (client->attachment->write_count == 0) {
        begin_serving(clients, client);
        return;
    }
    client->state = CLIENT_SETTLING; /* writes of the older connection come first */
    client_pause(clients, client);
}

/* The password is checked first: session ids are no secret, and nobody may end another client's
 * connection. (Java closes the older connection before it checks.) */
static void reattach_session(struct clients *clients, struct client *client,
                             const struct connect_request *request, int32_t timeout_ms)
{
    uint8_t right[PASSWORD_BYTES];

    metrics_count(&clients->step->metrics, METRIC_REVALIDATIONS, 1); /* wrong passwords, too */
    zk_session_password(request->session_id, right);
    if (!slice_equal(request->password, slice_of(right, sizeof(right)))) {
        refuse_session(clients, client);
        return;
    }
    switch (
        proposals_revalidate(clients->proposals, request->session_id, timeout_ms, &client->asked)) {
    case SESSION_REFUSED:
        if (clients->read_only)
            client_close(clients, client, NULL); /* it may live on where the quorum is */
        else
            refuse_session(clients, client);
        break;
    case SESSION_VALID:
        attach(clients, client, sessions_find_here(clients->sessions, request->session_id));
        break;
    case SESSION_ASKED:
        /* What the older connection still brings may be older than what the session did at another server
         * meanwhile; and the leader takes all that comes from here now. */
        end_older_connection(clients, request->session_id);
        client->state = CLIENT_SETTLING;
        client->asked_session_id = request->session_id;
        client->asked_timeout_ms = timeout_ms;
        client_pause(clients, client);
        list_add_last(&clients->asked, &client->in_asked);
        break;
    }
}

void connect_session_revalidated(struct clients *clients, uint64_t question,
                                 struct session *session)
{
    for (struct list *at = clients->asked.next; at != &clients->asked; at = at->next) {
        struct client *client = CONTAINER_OF(at, struct client, in_asked);
        if (client->asked != question)
            continue;
        list_remove(&client->in_asked);
        if (session == NULL ||
            session->closing) { /* its older connection has closed it meanwhile */
            refuse_session(clients, client);
        } else {
            session->timeout_ms = client->asked_timeout_ms;
            attach(clients, client, session);
        }
        return; /* the client may have gone meanwhile: then nobody waits for the answer */
    }
}

void connect_session_moved(struct clients *clients, int64_t session_id)
{
    struct list *next;

    end_older_connection(clients, session_id);
    for (struct list *at = clients->asked.next; at != &clients->asked; at = next) {
        struct client *client = CONTAINER_OF(at, struct client, in_asked);
        next = at->next;
        if (client->asked_session_id == session_id)
            client_close(clients, client, NULL);
    }
}

void connect_session_settled(struct clients *clients, int64_t session_id)
{
    struct attachment *attachment = attachment_find(clients, session_id);

    if (attachment != NULL && attachment->client != NULL &&
        attachment->client->state == CLIENT_SETTLING)
        begin_serving(clients, attachment->client);
}

/* Nobody else hears of it, so it may be served at once. */
static void create_local_session(struct clients *clients, struct client *client, int32_t timeout_ms)
{
    struct session *session =
        sessions_add_local(clients->sessions, sessions_new_id(clients->sessions), timeout_ms);

    client_answered(clients, client, OP_CREATE_SESSION, /* xid= */ 0, tree_last_zxid(clients->tree),
                    clients->step->now_ms, METRIC_READ_LATENCY);
    attachment_join(clients, session, client);
    begin_serving(clients, client);
}

/* In place of a ConnectResponse: no session of all servers can be made here. Clients do not understand
 * it and go on to another server. */
static void refuse_global_session(struct clients *clients, struct client *client)
{
    reply_error(clients, client, /* xid= */ 0, tree_last_zxid(clients->tree), ZK_NOT_READ_ONLY);
    client_close(clients, client,
                 "this server is read-only, and without localSessionsEnabled it has no sessions");
}

static void create_session(struct clients *clients, struct client *client, int32_t timeout_ms)
{
    if (clients->options.local_sessions) {
        create_local_session(clients, client, timeout_ms);
        return;
    }
    if (clients->read_only) {
        refuse_global_session(clients, client);
        return;
    }
    client->state = CLIENT_SETTLING;
    client_pause(clients, client);
    proposals_submit_create_session(
        clients->proposals, &(struct proposal){.session_id = sessions_new_id(clients->sessions),
                                               .arrived_ms = clients->step->now_ms,
                                               .client = client->id,
                                               .generation = client->generation,
                                               .op = OP_CREATE_SESSION,
                                               .timeout_ms = timeout_ms});
}

static int32_t clamp(int32_t value, int32_t min, int32_t max)
{
    return value < min ? min : value > max ? max : value;
}

void connect_frame(struct clients *clients, struct client *client, struct slice bytes)
{
    const struct clients_options *options = &clients->options;
    struct reader reader;
    struct connect_request request;
    bool takes_read_only = false;

    ASSERT(client->state == CLIENT_NEW && client->attachment == NULL);
    reader_init(&reader, bytes, &clients->step->arena, options->text_bytes_max);
    if (connect_request_read(&reader, &request) != STATUS_OK) {
        client_close(clients, client, "the first frame is not a ConnectRequest");
        return;
    }
    if (reader_left(&reader) > 0) { /* old clients (3.3) and many small ones do not send it */
        client->wants_read_only_byte = true;
        takes_read_only = reader_bool(&reader); /* a read-write server serves both kinds */
    }
    if (clients->read_only && !takes_read_only) {
        client_close(clients, client, "this server is read-only, and the client wants to write");
        return;
    }
    if (request.last_zxid_seen > tree_last_zxid(clients->tree)) {
        client_close(clients, client,
                     "the client has seen a zxid that this server has not reached");
        return;
    }
    int32_t timeout_ms =
        clamp(request.timeout_ms, options->session_timeout_min_ms, options->session_timeout_max_ms);
    if (request.session_id != 0)
        reattach_session(clients, client, &request, timeout_ms);
    else
        create_session(clients, client, timeout_ms);
}

/* --- while there is no leader --- */

static struct client *first_held(const struct clients *clients)
{
    return list_empty(&clients->held) ? NULL
                                      : CONTAINER_OF(clients->held.next, struct client, in_asked);
}

void connect_hold(struct clients *clients, struct client *client, struct slice bytes)
{
    ASSERT(client->state == CLIENT_NEW && !clients->serving);
    (void)waiting_add(clients, &client->early_frames, client, bytes);
    client->state = CLIENT_HELD;
    client_pause(clients, client);
    list_add_last(&clients->held, &client->in_asked);
}

void connect_release_held(struct clients *clients)
{
    struct client *client;

    while ((client = first_held(clients)) != NULL) {
        struct waiting *waiting = waiting_take(clients, &client->early_frames);
        list_remove(&client->in_asked);
        client->state = CLIENT_NEW;
        connect_frame(clients, client, slice_of(waiting->bytes, waiting->size));
        waiting_free(waiting);
    }
}

int64_t connect_held_until_ms(const struct clients *clients)
{
    const struct client *client = first_held(clients);

    return client == NULL ? INT64_MAX : client->early_frames.first->arrived_ms + HELD_MAX_MS;
}

void connect_end_held(struct clients *clients)
{
    while (connect_held_until_ms(clients) <= clients->step->now_ms)
        client_close(clients, first_held(clients),
                     "this server does not serve: it knows no leader yet");
}

void connect_session_created(struct clients *clients, const struct proposal *proposal)
{
    struct client *client = client_find(clients, proposal->client, proposal->generation);
    struct session *session = sessions_find(clients->sessions, proposal->session_id);

    ASSERT(session != NULL);
    if (client == NULL || client->state != CLIENT_SETTLING)
        return; /* the client is gone; the session stays until it expires */
    client_answered(clients, client, OP_CREATE_SESSION, /* xid= */ 0, proposal->zxid,
                    proposal->arrived_ms, METRIC_WRITE_LATENCY);
    if (session->closing) { /* it expired before it was agreed to */
        refuse_session(clients, client);
        return;
    }
    attachment_join(clients, session, client);
    begin_serving(clients, client);
}

void connect_session_ended(struct clients *clients, int64_t session_id)
{
    struct attachment *attachment = attachment_find(clients, session_id);

    if (attachment != NULL && attachment->client != NULL)
        client_close(clients, attachment->client, NULL);
}
