/* client_play.c: one machine, a list of what it gave back, and the bytes on their way to the server that
 * is played. */
#include "test/lib/client_play.h"

#include "client/input.h"
#include "client/requests.h"
#include "test/lib/check.h"
#include "wire/records.h"

struct client_play play;

void play_nobody(void)
{
}

void play_begin_with(struct client_options options)
{
    list_init(&play.items);
    play.now_ms = 1000;
    play.taken = 0;
    options.timeout_ms = PLAY_TIMEOUT_MS;
    options.first_xid = 1;
    options.seed = 1;
    options.servers_in_order = true;
    CHECK(client_init(&play.client, &options));
}

void play_begin(void)
{
    play_begin_with((struct client_options){0});
}

void play_end(void)
{
    struct client_step step;

    for (int i = 0; i < 3; i++)
        client_step(&play.client, play.now_ms, &step);
    client_take_done(&play.client, &play.items);
    while (!list_empty(&play.items)) {
        struct client_item *item = CONTAINER_OF(play.items.next, struct client_item, link);
        list_remove(&item->link);
        if (item->kind == CLIENT_ITEM_REQUEST)
            client_request_deinit(CONTAINER_OF(item, struct client_request, item));
        else if (item->kind == CLIENT_ITEM_EVENT)
            mem_free(CONTAINER_OF(item, struct client_event, item));
    }
    client_deinit(&play.client);
    buffer_deinit(&play.output);
}

enum client_action play_next_action(void)
{
    struct client_step step;

    client_step(&play.client, play.now_ms, &step);
    return step.action;
}

void play_give_servers(uint32_t count)
{
    struct client_address *addresses = mem_alloc(count * sizeof(*addresses));

    for (uint32_t i = 0; i < count; i++) {
        addresses[i] = (struct client_address){.size = 1};
        addresses[i].bytes[0] = (uint8_t)i;
    }
    client_set_servers(&play.client, addresses, count, play.now_ms);
}

void play_collect_output(void)
{
    struct buffer some = {0};

    while (client_take_output(&play.client, &some)) {
        buffer_append(&play.output, buffer_slice(&some));
        some.size = 0;
    }
    buffer_deinit(&some);
}

bool play_next_frame(struct request_header *ret_header, struct reader *ret_body)
{
    play_collect_output();
    if (play.output.size - play.taken < 4)
        return false;
    uint32_t size = load_be32(play.output.data + play.taken);
    struct slice frame = slice_of(play.output.data + play.taken + 4, size);
    play.taken += 4 + size;
    request_header_get(frame.data, ret_header);
    reader_init(ret_body, slice_of(frame.data + 8, size - 8), NULL, INT32_MAX);
    ret_body->texts_as_they_are = true;
    return true;
}

static void say(const struct buffer *frame)
{
    struct buffer bytes = {0};

    buffer_i32(&bytes, (int32_t)frame->size);
    buffer_append(&bytes, buffer_slice(frame));
    client_received(&play.client, buffer_slice(&bytes), play.now_ms);
    buffer_deinit(&bytes);
}

void play_answer(int32_t xid, int64_t zxid, int32_t err, struct slice body)
{
    struct buffer frame = {0};

    reply_header_write(&frame, &(struct reply_header){xid, zxid, err});
    buffer_append(&frame, body);
    say(&frame);
    buffer_deinit(&frame);
}

void play_event(int32_t type, const char *path, int64_t zxid)
{
    struct buffer body = {0};

    watcher_event_write(&body, &(struct watcher_event){type, 3, slice_text(path)});
    play_answer(XID_NOTIFICATION, zxid, 0, buffer_slice(&body));
    buffer_deinit(&body);
}

void play_shake_hands(int64_t session_id, int32_t timeout_ms, bool read_only)
{
    static const uint8_t password[PASSWORD_BYTES] = {7};
    struct buffer frame = {0};

    play_collect_output();
    play.taken = play.output.size;
    connect_response_write(
        &frame, &(struct connect_response){0, timeout_ms, session_id, slice_of(password, 16)});
    jute_put_bool(&frame, read_only);
    say(&frame);
    buffer_deinit(&frame);
}

void play_open(void)
{
    enum client_action action;

    while ((action = play_next_action()) != CLIENT_CONNECT) {
        if (action == CLIENT_RESOLVE)
            play_give_servers(1);
        else if (action == CLIENT_WAIT)
            play.now_ms += 50;
    }
    client_connected(&play.client, play.now_ms);
}

void play_connect(void)
{
    play_open();
    play_shake_hands(PLAY_SESSION, PLAY_TIMEOUT_MS, false);
}

struct client_item *play_next_item(void)
{
    client_take_done(&play.client, &play.items);
    if (list_empty(&play.items))
        return NULL;
    struct client_item *item = CONTAINER_OF(play.items.next, struct client_item, link);
    list_remove(&item->link);
    return item;
}

void play_expect_event(int32_t type, int32_t state, const char *path, size_t watchers)
{
    struct client_item *item = play_next_item();

    CHECK(item != NULL);
    CHECK_I64("kind", item->kind, CLIENT_ITEM_EVENT);
    struct client_event *event = CONTAINER_OF(item, struct client_event, item);
    CHECK_I64("type", event->type, type);
    CHECK_I64("state", event->state, state);
    CHECK_TEXT("path", event->path, path);
    CHECK_U64("watchers", event->watcher_count, watchers);
    mem_free(event);
}

void play_expect_session_event(int32_t state)
{
    size_t watchers = play.client.watches.count > 0 ? 1 : 0;

    play_expect_event(CLIENT_EVENT_SESSION, state, "", watchers);
}

void play_expect_done(struct client_request *request, int32_t err)
{
    struct client_item *item = play_next_item();

    CHECK(item != NULL);
    CHECK(item == &request->item);
    CHECK_I64("err", request->err, err);
}

void play_get(struct client_request *request, const char *path, bool watch)
{
    struct client_watcher watcher = {play_nobody, NULL};

    client_request_init(request);
    CHECK_I64(
        "get",
        client_read(&play.client, request, OP_GET_DATA, slice_text(path), watch ? &watcher : NULL),
        CLIENT_OK);
}

int64_t play_asked_session(void)
{
    struct connect_request request;
    struct reader reader;

    play_collect_output();
    reader_init(&reader,
                slice_of(play.output.data + play.taken + 4, play.output.size - play.taken - 4),
                NULL, INT32_MAX);
    CHECK_I64("decodes", connect_request_read(&reader, &request), STATUS_OK);
    return request.session_id;
}

void play_lose_and_open(void)
{
    client_lost(&play.client, CLIENT_CONNECTION_LOST, play.now_ms);
    CHECK_I64("closes", play_next_action(), CLIENT_DISCONNECT);
    play_expect_session_event(CLIENT_STATE_CONNECTING);
    play.now_ms += PLAY_TIMEOUT_MS;
    play_open();
}

void play_send_at(int64_t sent_at_ms)
{
    play_collect_output();
    play.taken = play.output.size;
    client_sent(&play.client, sent_at_ms);
}
