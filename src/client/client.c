/* client.c: when a client connects, pings, gives a server up and tries the next one; its requests from
 * submission to completion. Every request completes exactly once, and none is sent twice: its
 * caller decides whether to repeat it. */
#include "client/client.h"

#include "client/frames.h"
#include "client/output.h"

enum {
    PROBE_FIRST_MS = 200,
    PROBE_MAX_MS = 60000,
    PAUSE_PARTS = 60 /* after all servers failed: this part of the timeout */
};

bool client_init(struct client *client, const struct client_options *options)
{
    *client = (struct client){.session_id = options->session_id,
                              .session_moves = options->session_id != 0,
                              .timeout_ms = options->timeout_ms,
                              .wanted_timeout_ms = options->timeout_ms,
                              .connect_timeout_ms = options->connect_timeout_ms,
                              .alive_at_ms = INT64_MAX,
                              .next_xid = options->first_xid,
                              .may_be_read_only = options->may_be_read_only,
                              .on_answer = options->on_answer,
                              .on_answer_context = options->on_answer_context,
                              .on_reply = options->on_reply,
                              .state = CLIENT_STATE_NEW};
    memcpy(client->password, options->password, PASSWORD_BYTES);
    client_servers_init(&client->servers, options->seed, options->servers_in_order);
    client_watches_init(&client->watches);
    list_init(&client->pending);
    list_init(&client->done);
    list_init(&client->auths);
    if (!buffer_try_reserve(&client->chroot, options->chroot.size + 1))
        return false;
    buffer_append(&client->chroot, options->chroot);
    return true;
}

void client_deinit(struct client *client)
{
    while (!list_empty(&client->auths)) {
        struct client_auth *auth = CONTAINER_OF(client->auths.next, struct client_auth, link);
        list_remove(&auth->link);
        list_remove(&auth->item.link);
        mem_free(auth);
    }
    while (!list_empty(&client->done)) {
        struct client_item *item = CONTAINER_OF(client->done.next, struct client_item, link);
        list_remove(&item->link);
        if (item->kind == CLIENT_ITEM_EVENT)
            mem_free(CONTAINER_OF(item, struct client_event, item));
    }
    for (unsigned i = 0; i < CLIENT_EVENTS_RESERVED; i++)
        mem_free(client->reserved[i]);
    client_watches_deinit(&client->watches);
    client_servers_deinit(&client->servers);
    buffer_deinit(&client->chroot);
    buffer_deinit(&client->first);
    buffer_deinit(&client->out);
    buffer_deinit(&client->in);
    buffer_deinit(&client->scratch);
}

void client_request_init(struct client_request *request)
{
    request->item.kind = CLIENT_ITEM_REQUEST;
    list_init(&request->item.link);
    request->err = CLIENT_OK;
    request->answered = false;
    request->watch_rule = CLIENT_SETS_NO_WATCH;
    request->removed_kinds = 0;
    request->watch = NULL;
    request->reply = NULL;
    request->reply_size = 0;
}

void client_request_deinit(struct client_request *request)
{
    mem_free(request->watch);
    if (request->reply != request->reply_inline)
        mem_free(request->reply);
}

/* Completion. */

void client_complete(struct client *client, struct client_request *request, int32_t err)
{
    list_remove(&request->item.link);
    request->err = err;
    list_add_last(&client->done, &request->item.link);
}

static void complete_all(struct client *client, enum client_error err)
{
    while (!list_empty(&client->pending)) {
        struct client_item *item = CONTAINER_OF(client->pending.next, struct client_item, link);
        client_complete(client, CONTAINER_OF(item, struct client_request, item), err);
    }
    client->close_request = NULL;
}

void client_auth_done(struct client *client, struct client_auth *auth, int32_t err)
{
    auth->in_flight = false;
    if (!auth->answer_wanted)
        return;
    auth->answer_wanted = false;
    auth->err = err;
    list_add_last(&client->done, &auth->item.link);
}

static void end_auths(struct client *client, enum client_error err, bool also_waiting)
{
    for (struct list *at = client->auths.next; at != &client->auths; at = at->next) {
        struct client_auth *auth = CONTAINER_OF(at, struct client_auth, link);
        if (auth->in_flight || also_waiting)
            client_auth_done(client, auth, err);
    }
}

static bool reserve_events(struct client *client)
{
    for (unsigned i = 0; i < CLIENT_EVENTS_RESERVED; i++) {
        if (client->reserved[i] == NULL)
            client->reserved[i] = mem_try_alloc(sizeof(*client->reserved[i]));
        if (client->reserved[i] == NULL)
            return false;
    }
    return true;
}

static struct client_event *take_reserved(struct client *client)
{
    for (unsigned i = 0; i < CLIENT_EVENTS_RESERVED; i++) {
        struct client_event *event = client->reserved[i];
        client->reserved[i] = NULL;
        if (event != NULL)
            return event;
    }
    ASSERT(false); /* a connection has more events than were reserved */
    return NULL;
}

void client_session_event(struct client *client, int32_t state)
{
    size_t count = client->watches.count;
    struct client_event *event = mem_try_alloc(sizeof(*event) + count * sizeof(event->watchers[0]));

    client->session_events++;
    if (event != NULL) {
        client_watches_all(&client->watches, event->watchers, count);
        event->watcher_count = client_watchers_once(event->watchers, count);
        event->unlisted = 0;
    } else {
        event = take_reserved(client);
        event->watcher_count = 0;
        event->unlisted = client->session_events;
    }
    client->watches.session_events = client->session_events;
    event->item.kind = CLIENT_ITEM_EVENT;
    event->type = CLIENT_EVENT_SESSION;
    event->state = state;
    event->path = "";
    list_add_last(&client->done, &event->item.link);
}

bool client_event_watcher_after(const struct client *client, const struct client_event *event,
                                struct client_watcher *watcher)
{
    return client_watches_after(&client->watches, event->unlisted, watcher);
}

void client_take_done(struct client *client, struct list *ret_items)
{
    struct list *done = &client->done;

    if (list_empty(done))
        return;
    done->next->prev = ret_items->prev;
    ret_items->prev->next = done->next;
    done->prev->next = ret_items;
    ret_items->prev = done->prev;
    list_init(done);
}

/* The connection. */

static void drop_connection(struct client *client)
{
    client->first.size = client->out.size = client->in.size = 0;
    client->unanswered = client->out_frames = client->resent_unanswered = 0;
    client->asked = false;
    if (client->link != CLIENT_LINK_NONE)
        client->link = CLIENT_LINK_TO_CLOSE;
    client->resolved = false;
}

void client_end(struct client *client, enum client_state state, enum client_error err)
{
    client->state = state;
    client->last_error = err;
    drop_connection(client);
    client_session_event(client, state);
    complete_all(client, err);
    end_auths(client, err, true);
    client->closed = true;
}

void client_fail(struct client *client, enum client_error err, int64_t now_ms)
{
    bool had_session = client_has_session(client);

    if (client->link == CLIENT_LINK_NONE || client->link == CLIENT_LINK_TO_CLOSE)
        return;
    drop_connection(client);
    client->last_error = err;
    client->state = CLIENT_STATE_DOWN;
    if (client->closing) {
        client->closed = true;
        complete_all(client, CLIENT_OK); /* only the end of the session was waited for */
        return;
    }
    if (had_session)
        client_session_event(client, CLIENT_STATE_CONNECTING);
    if (err == CLIENT_NO_MEMORY)
        err = CLIENT_CONNECTION_LOST; /* they may have been executed */
    complete_all(client, err);
    end_auths(client, err, false);
    int32_t pause_ms = client->timeout_ms / PAUSE_PARTS + 1;
    if (had_session && now_ms - client->session_at_ms >= pause_ms)
        client->failures = 0; /* else two clients with one session would take it from each other
                                 without a pause */
    client->failures++;
    client->retry_at_ms = now_ms;
    if (client->servers.count == 0 || client->failures % client->servers.count == 0)
        client->retry_at_ms += pause_ms;
}

void client_lost(struct client *client, enum client_error err, int64_t now_ms)
{
    client_fail(client, err, now_ms);
}

void client_next_server(struct client *client)
{
    if (client->servers.count > 0)
        client->server = *client_servers_next(&client->servers);
}

void client_not_resolved(struct client *client, int64_t now_ms)
{
    if (client->link != CLIENT_LINK_NONE)
        return;
    client->resolved = client->servers.count > 0; /* better the old addresses than none */
    if (!client->resolved)
        client->retry_at_ms = now_ms + client->timeout_ms / PAUSE_PARTS + 1;
}

void client_set_servers(struct client *client, struct client_address *items, uint32_t count,
                        int64_t now_ms)
{
    bool linked = client->link == CLIENT_LINK_CONNECTING || client->link == CLIENT_LINK_OPEN;

    client->resolved = true;
    if (client_servers_set(&client->servers, items, count, linked ? &client->server : NULL)) {
        client_fail(client, CLIENT_CONNECTION_LOST, now_ms);
        client->retry_at_ms = now_ms;
        client->resolved = true;
    }
}

void client_connected(struct client *client, int64_t now_ms)
{
    if (client->link != CLIENT_LINK_CONNECTING)
        return;
    client->link = CLIENT_LINK_OPEN;
    client->state = CLIENT_STATE_ASSOCIATING;
    client->last_received_ms = client->last_sent_ms = now_ms;
    if (!reserve_events(client) || !client_put_handshake(client))
        client_fail(client, CLIENT_NO_MEMORY, now_ms);
}

void client_probed(struct client *client, bool read_write, int64_t now_ms)
{
    if (client->state != CLIENT_STATE_READ_ONLY)
        return;
    if (read_write) {
        client_servers_again(&client->servers); /* the one that was asked */
        client_fail(client, CLIENT_CONNECTION_LOST, now_ms);
        return;
    }
    client->probe_delay_ms *= 2;
    if (client->probe_delay_ms > PROBE_MAX_MS)
        client->probe_delay_ms = PROBE_MAX_MS;
    client->probe_at_ms = now_ms + client->probe_delay_ms;
}

/* Time. */

static int64_t earlier(int64_t left, int64_t right)
{
    return left < right ? left : right;
}

static void step_without_connection(struct client *client, int64_t now_ms,
                                    struct client_step *ret_step)
{
    if (now_ms < client->retry_at_ms) {
        ret_step->wake_at_ms = client->retry_at_ms;
    } else if (!client->resolved || client->servers.count == 0) {
        ret_step->action = CLIENT_RESOLVE;
    } else {
        client->server = *client_servers_next(&client->servers);
        client->link = CLIENT_LINK_CONNECTING;
        client->state = CLIENT_STATE_CONNECTING;
        client->last_received_ms = client->last_sent_ms = now_ms;
        ret_step->action = CLIENT_CONNECT;
        ret_step->address = &client->server;
    }
}

static void step_read_only(struct client *client, int64_t now_ms, struct client_step *ret_step)
{
    if (client->probe_delay_ms == 0) {
        client->probe_delay_ms = PROBE_FIRST_MS;
        client->probe_at_ms = now_ms + PROBE_FIRST_MS;
    }
    if (now_ms >= client->probe_at_ms) {
        client->probe_at_ms = INT64_MAX; /* until client_probed() */
        ret_step->action = CLIENT_PROBE;
        ret_step->address = client_servers_next(&client->servers);
    }
    ret_step->wake_at_ms = earlier(ret_step->wake_at_ms, client->probe_at_ms);
}

/* How long a server may be silent. */
static int64_t patience_ms(const struct client *client)
{
    if (!client_has_session(client) && client->connect_timeout_ms > 0)
        return client->connect_timeout_ms;
    return (int64_t)client->timeout_ms * 2 / 3;
}

static void step_with_connection(struct client *client, int64_t now_ms,
                                 struct client_step *ret_step)
{
    int64_t silent_at = client->last_received_ms + patience_ms(client);
    int64_t ping_at = client->last_sent_ms + client->timeout_ms / 3;

    if (now_ms >= silent_at) {
        client_fail(client, CLIENT_TIMED_OUT, now_ms);
        client_step(client, now_ms, ret_step);
        return;
    }
    ret_step->wake_at_ms = silent_at;
    if (!client_has_session(client))
        return;
    if (now_ms >= ping_at) {
        if (!client_put_ping(client)) {
            client_fail(client, CLIENT_NO_MEMORY, now_ms);
            client_step(client, now_ms, ret_step);
            return;
        }
        client->last_sent_ms = now_ms;
        ping_at = now_ms + client->timeout_ms / 3;
    }
    ret_step->wake_at_ms = earlier(silent_at, ping_at);
    if (client->state == CLIENT_STATE_READ_ONLY)
        step_read_only(client, now_ms, ret_step);
}

void client_step(struct client *client, int64_t now_ms, struct client_step *ret_step)
{
    *ret_step = (struct client_step){CLIENT_WAIT, NULL, INT64_MAX};
    if (client->link == CLIENT_LINK_TO_CLOSE) {
        client->link = CLIENT_LINK_NONE;
        ret_step->action = CLIENT_DISCONNECT;
    } else if (client_is_dead(client) || client->closed) {
        return;
    } else if (client->link == CLIENT_LINK_NONE) {
        step_without_connection(client, now_ms, ret_step);
    } else {
        step_with_connection(client, now_ms, ret_step);
    }
}

/* Output. */

static uint32_t count_frames(struct slice bytes)
{
    uint32_t count = 0;

    for (size_t at = 0; at < bytes.size; at += 4 + (size_t)load_be32(bytes.data + at))
        count++;
    return count;
}

bool client_take_output(struct client *client, struct buffer *empty)
{
    struct buffer *from = client->first.size > 0 ? &client->first : &client->out;

    if (client->link != CLIENT_LINK_OPEN || from->size == 0 ||
        (from == &client->out && !client_has_session(client)))
        return false;
    struct buffer taken = *from;
    *from = *empty;
    *empty = taken;
    if (from == &client->first) {
        client->unanswered += count_frames(buffer_slice(&taken));
    } else {
        client->unanswered += client->out_frames;
        client->out_frames = 0;
    }
    return true;
}

void client_sent(struct client *client, int64_t now_ms)
{
    client->last_sent_ms = now_ms;
    if (client->unanswered > 0 && !client->asked) {
        client->asked = true;
        client->asked_at_ms = now_ms;
    }
}

/* Which frame was answered is not looked at: one of those that were sent since asked_at_ms. */
void client_note_answer(struct client *client)
{
    if (client->asked)
        client->alive_at_ms = client->asked_at_ms;
    if (client->unanswered > 0)
        client->unanswered--;
    if (client->unanswered == 0)
        client->asked = false;
}

int64_t client_session_ends_ms(const struct client *client)
{
    if (!client->session_moves || client->alive_at_ms == INT64_MAX)
        return INT64_MAX;
    return client->alive_at_ms + client->timeout_ms;
}

enum client_error client_frame_open(struct client *client, struct client_request *request,
                                    int32_t op, size_t body_bytes_max)
{
    int32_t xid = client->next_xid;
    enum client_error err = client_frame_start(client, op, body_bytes_max);

    if (err == CLIENT_OK) {
        request->xid = xid;
        request->op = op;
    }
    return err;
}

void client_frame_close(struct client *client, struct client_request *request)
{
    size_t size = client->out.size - client->frame_at - 4;

    store_be32(client->out.data + client->frame_at, (uint32_t)size);
    client->out_frames++;
    list_add_last(&client->pending, &request->item.link);
}

enum client_error client_add_auth(struct client *client, struct slice scheme, struct slice cert,
                                  void (*function)(void), const void *context)
{
    if (client_is_dead(client) || client->closing)
        return CLIENT_INVALID_STATE;
    struct client_auth *auth = mem_try_zalloc(sizeof(*auth) + scheme.size + cert.size + 1);
    if (auth == NULL)
        return CLIENT_NO_MEMORY;
    auth->item.kind = CLIENT_ITEM_AUTH;
    list_init(&auth->item.link);
    auth->function = function;
    auth->context = context;
    auth->answer_wanted = true;
    auth->scheme_size = scheme.size;
    auth->cert_size = cert.size;
    memcpy(auth->bytes, scheme.data, scheme.size);
    if (cert.size > 0)
        memcpy(auth->bytes + scheme.size, cert.data, cert.size);
    if (client_has_session(client)) {
        if (!client_put_auth(&client->out, auth)) {
            mem_free(auth);
            return CLIENT_NO_MEMORY;
        }
        client->out_frames++;
    }
    list_add_last(&client->auths, &auth->link);
    return CLIENT_OK;
}

void client_close_session(struct client *client, struct client_request *request, int64_t now_ms)
{
    complete_all(client, CLIENT_CLOSING);
    end_auths(client, CLIENT_CLOSING, true);
    if (!client_has_session(client) ||
        client_frame_open(client, request, OP_CLOSE_SESSION, 0) != CLIENT_OK) {
        drop_connection(client);
        client_complete(client, request, CLIENT_OK);
        client->closing = client->closed = true;
        if (!client_is_dead(client))
            client->state = CLIENT_STATE_DOWN;
        return;
    }
    client_frame_close(client, request);
    client->close_request = request;
    client->closing = true;
    client->last_received_ms = now_ms;
}

void client_renew(struct client *client, int64_t now_ms)
{
    ASSERT(client->closed);
    client->session_id = 0;
    client->session_moves = false;
    memset(client->password, 0, PASSWORD_BYTES);
    client->timeout_ms = client->wanted_timeout_ms;
    client->alive_at_ms = INT64_MAX;
    client->state = CLIENT_STATE_DOWN;
    client->closing = client->closed = false;
    client->failures = 0;
    client->retry_at_ms = now_ms;
}
