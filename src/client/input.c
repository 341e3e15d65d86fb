/* input.c: frames from the server: the handshake's answer, replies, events. Everything is checked
 * before it is used; a frame that cannot be decoded closes the connection. */
#include "client/input.h"

#include "client/output.h"
#include "client/paths.h"
#include "wire/records.h"

static void read_as_it_is(struct reader *reader, struct slice bytes)
{
    reader_init(reader, bytes, NULL, INT32_MAX);
    reader->texts_as_they_are = true;
}

static void take_handshake(struct client *client, struct slice frame, int64_t now_ms)
{
    struct connect_response response;
    struct reader reader;

    read_as_it_is(&reader, frame);
    if (connect_response_read(&reader, &response) != STATUS_OK) {
        client_fail(client, CLIENT_MALFORMED, now_ms);
        return;
    }
    bool read_only = reader_left(&reader) > 0 && reader_bool(&reader);
    if (response.session_id == 0 ||
        (client->session_moves && response.session_id != client->session_id)) {
        client_end(client, CLIENT_STATE_EXPIRED, CLIENT_SESSION_EXPIRED);
        return;
    }
    if (response.password.size != PASSWORD_BYTES || response.timeout_ms <= 0) {
        client_fail(client, CLIENT_MALFORMED, now_ms);
        return;
    }
    if (read_only && !client->may_be_read_only) {
        client_fail(client, CLIENT_CONNECTION_LOST, now_ms);
        return;
    }
    client_note_answer(client);
    client->session_id = response.session_id;
    client->session_moves = client->session_moves || !read_only;
    client->timeout_ms = response.timeout_ms;
    memcpy(client->password, response.password.data, PASSWORD_BYTES);
    if (!client_put_return(client)) { /* before anybody is told of the connection */
        client_fail(client, CLIENT_NO_MEMORY, now_ms);
        return;
    }
    client->state = read_only ? CLIENT_STATE_READ_ONLY : CLIENT_STATE_CONNECTED;
    client->session_at_ms = now_ms;
    client->probe_delay_ms = 0;
    client_session_event(client, (int32_t)client->state);
}

/* False: no memory. The watches are still there then, and events_zxid is not moved on, so the server says
 * it again after the reconnection. */
static bool take_event(struct client *client, const struct watcher_event *said)
{
    size_t count = client_watches_match(&client->watches, said->path, said->type, NULL, 0);
    struct slice path = client_path_without_chroot(buffer_slice(&client->chroot), said->path);
    size_t watchers_bytes = count * sizeof(struct client_watcher);
    struct client_event *event = mem_try_alloc(sizeof(*event) + watchers_bytes + path.size + 1);

    if (event == NULL)
        return false;
    client_watches_match(&client->watches, said->path, said->type, event->watchers, count);
    client_watches_use_up(&client->watches, said->path, said->type);
    event->watcher_count = client_watchers_once(event->watchers, count);
    event->unlisted = 0;
    event->item.kind = CLIENT_ITEM_EVENT;
    event->type = said->type;
    event->state = said->state;
    char *text = (char *)event->watchers + watchers_bytes;
    if (path.size > 0)
        memcpy(text, path.data, path.size);
    text[path.size] = '\0';
    event->path = text;
    list_add_last(&client->done, &event->item.link);
    return true;
}

static void take_auth_answer(struct client *client, int32_t err)
{
    struct list *at = client->auths.next;

    while (at != &client->auths && !CONTAINER_OF(at, struct client_auth, link)->in_flight)
        at = at->next;
    if (at != &client->auths)
        client_auth_done(client, CONTAINER_OF(at, struct client_auth, link), err);
    if (err != CLIENT_OK)
        client_end(client, CLIENT_STATE_AUTH_FAILED, CLIENT_AUTH_FAILED);
}

static void set_watch(struct client *client, struct client_request *request,
                      enum client_watch_kind kind)
{
    client_watches_add(&client->watches, request->watch, kind);
    request->watch = NULL;
}

static void follow_watch_rule(struct client *client, struct client_request *request, int32_t err)
{
    struct client_watch *watch = request->watch;

    if (watch == NULL)
        return;
    if (request->watch_rule == CLIENT_SETS_EXIST && err == ZK_NO_NODE) {
        set_watch(client, request, CLIENT_WATCH_EXIST);
        return;
    }
    if (err != ZK_OK)
        return;
    struct slice path = slice_of(watch->path, watch->path_size);
    switch (request->watch_rule) {
    case CLIENT_SETS_DATA:
    case CLIENT_SETS_EXIST:
        set_watch(client, request, CLIENT_WATCH_DATA);
        break;
    case CLIENT_SETS_CHILD:
        set_watch(client, request, CLIENT_WATCH_CHILD);
        break;
    case CLIENT_SETS_PERSISTENT:
        set_watch(client, request, CLIENT_WATCH_PERSISTENT);
        break;
    case CLIENT_SETS_RECURSIVE:
        set_watch(client, request, CLIENT_WATCH_RECURSIVE);
        break;
    case CLIENT_REMOVES_WATCH:
        client_watches_remove(&client->watches, path, request->removed_kinds, &watch->watcher);
        break;
    case CLIENT_REMOVES_ALL:
        client_watches_remove(&client->watches, path, request->removed_kinds, NULL);
        break;
    default:
        break;
    }
}

static bool keep_reply(struct client_request *request, struct slice body)
{
    if (body.size == 0)
        return true;
    request->reply = request->reply_inline;
    if (body.size >= CLIENT_REPLY_INLINE_BYTES) {
        request->reply = mem_try_alloc(body.size + 1);
        if (request->reply == NULL)
            return false;
    }
    memcpy(request->reply, body.data, body.size);
    request->reply[body.size] = '\0';
    request->reply_size = body.size;
    return true;
}

static void take_reply(struct client *client, const struct reply_header *header, struct slice body,
                       int64_t now_ms)
{
    if (list_empty(&client->pending)) {
        bool expected = client->on_answer != NULL &&
                        client->on_answer(client->on_answer_context, header->xid, header->err);
        if (!expected && !client->closing)
            client_fail(client, CLIENT_INCONSISTENT, now_ms);
        return;
    }
    struct client_item *item = CONTAINER_OF(client->pending.next, struct client_item, link);
    struct client_request *request = CONTAINER_OF(item, struct client_request, item);
    if (request->xid != header->xid) {
        if (!client->closing) /* then replies to those that were given up come first */
            client_fail(client, CLIENT_INCONSISTENT, now_ms);
        return;
    }
    if (!keep_reply(request, body) ||
        (client->on_reply != NULL && header->err == ZK_OK && !client->on_reply(request))) {
        client_fail(client, CLIENT_NO_MEMORY, now_ms);
        return;
    }
    request->answered = true;
    if (request == client->close_request) {
        client->close_request = NULL;
        client_complete(client, request, CLIENT_OK);
        client_fail(client, CLIENT_CLOSING, now_ms);
        return;
    }
    follow_watch_rule(client, request, header->err);
    client_complete(client, request, header->err);
}

static bool read_event(struct slice body, struct watcher_event *ret_event)
{
    struct reader reader;

    read_as_it_is(&reader, body);
    return watcher_event_read(&reader, ret_event) == STATUS_OK;
}

static void take_frame(struct client *client, struct slice frame, int64_t now_ms)
{
    struct reply_header header;
    struct watcher_event event;

    if (client->state == CLIENT_STATE_ASSOCIATING) {
        take_handshake(client, frame, now_ms);
        return;
    }
    if (frame.size < REPLY_HEADER_BYTES) {
        client_fail(client, CLIENT_MALFORMED, now_ms);
        return;
    }
    reply_header_get(frame.data, &header);
    struct slice body = slice_of(frame.data + REPLY_HEADER_BYTES, frame.size - REPLY_HEADER_BYTES);
    if (header.xid != XID_NOTIFICATION)
        client_note_answer(client);
    switch (header.xid) {
    case XID_NOTIFICATION:
        if (!read_event(body, &event)) {
            client_fail(client, CLIENT_MALFORMED, now_ms);
            return;
        }
        if (!client->closing && !take_event(client, &event)) {
            client_fail(client, CLIENT_NO_MEMORY, now_ms);
            return;
        }
        break;
    case XID_SET_WATCHES:
        if (client->resent_unanswered > 0)
            client->resent_unanswered--;
        break;
    case XID_PING:
        break;
    case XID_AUTH:
        take_auth_answer(client, header.err);
        break;
    default:
        take_reply(client, &header, body, now_ms);
    }
    if (header.zxid <= 0 || client->link != CLIENT_LINK_OPEN)
        return;
    client->last_zxid = header.zxid;
    /* Of an event's own transaction another event may follow; and of a request that sets watches again, all
     * that happened since events_zxid. */
    if (header.xid != XID_NOTIFICATION && client->resent_unanswered == 0)
        client->events_zxid = header.zxid;
}

/* Gives how many bytes it took. */
static size_t take_frames(struct client *client, struct slice bytes, int64_t now_ms)
{
    size_t at = 0;

    while (client->link == CLIENT_LINK_OPEN && bytes.size - at >= 4) {
        uint32_t size = load_be32(bytes.data + at);
        if (size > INT32_MAX) {
            client_fail(client, CLIENT_MALFORMED, now_ms);
            break;
        }
        if (bytes.size - at - 4 < size) {
            if (bytes.data == client->in.data && !buffer_try_reserve(&client->in, size))
                client_fail(client, CLIENT_NO_MEMORY, now_ms);
            break;
        }
        take_frame(client, slice_of(bytes.data + at + 4, size), now_ms);
        at += 4 + (size_t)size;
    }
    return at;
}

void client_received(struct client *client, struct slice bytes, int64_t now_ms)
{
    struct buffer *in = &client->in;

    if (client->link != CLIENT_LINK_OPEN)
        return;
    client->last_received_ms = now_ms;
    bool joined = in->size > 0;
    if (joined) {
        if (!buffer_try_reserve(in, bytes.size)) {
            client_fail(client, CLIENT_NO_MEMORY, now_ms);
            return;
        }
        buffer_append(in, bytes);
        bytes = buffer_slice(in);
    }
    size_t taken = take_frames(client, bytes, now_ms);
    if (client->link != CLIENT_LINK_OPEN)
        return; /* what has been kept is gone */
    struct slice rest = slice_of(bytes.data + taken, bytes.size - taken);
    if (joined) {
        memmove(in->data, in->data + taken, in->size - taken);
        in->size -= taken;
    } else if (rest.size > 0) {
        if (!buffer_try_reserve(in, rest.size)) {
            client_fail(client, CLIENT_NO_MEMORY, now_ms);
            return;
        }
        buffer_append(in, rest);
    }
}
