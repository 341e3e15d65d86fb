/* The machine alone: a test plays the server and the clock. */
#include "client/client.h"
#include "client/input.h"
#include "client/requests.h"
#include "test/lib/check.h"
#include "wire/records.h"

#include <stdio.h>

enum { TIMEOUT_MS = 6000, SESSION = 0x1234 };

static struct client client;
static int64_t now_ms;
static struct list items;
static struct buffer output; /* what the server has been sent and has not taken yet */
static size_t taken;

static void nobody(void)
{
}

static void begin_with(struct client_options options)
{
    list_init(&items);
    now_ms = 1000;
    taken = 0;
    options.timeout_ms = TIMEOUT_MS;
    options.first_xid = 1;
    options.seed = 1;
    options.servers_in_order = true;
    CHECK(client_init(&client, &options));
}

static void begin(void)
{
    begin_with((struct client_options){0});
}

static void end(void)
{
    struct client_step step;

    for (int i = 0; i < 3; i++)
        client_step(&client, now_ms, &step);
    client_take_done(&client, &items);
    while (!list_empty(&items)) {
        struct client_item *item = CONTAINER_OF(items.next, struct client_item, link);
        list_remove(&item->link);
        if (item->kind == CLIENT_ITEM_REQUEST)
            client_request_deinit(CONTAINER_OF(item, struct client_request, item));
        else if (item->kind == CLIENT_ITEM_EVENT)
            mem_free(CONTAINER_OF(item, struct client_event, item));
    }
    client_deinit(&client);
    buffer_deinit(&output);
}

static enum client_action next_action(void)
{
    struct client_step step;

    client_step(&client, now_ms, &step);
    return step.action;
}

static void give_servers(uint32_t count)
{
    struct client_address *addresses = mem_alloc(count * sizeof(*addresses));

    for (uint32_t i = 0; i < count; i++) {
        addresses[i] = (struct client_address){.size = 1};
        addresses[i].bytes[0] = (uint8_t)i;
    }
    client_set_servers(&client, addresses, count, now_ms);
}

/* Everything that is to be sent now. */
static void collect_output(void)
{
    struct buffer some = {0};

    while (client_take_output(&client, &some)) {
        buffer_append(&output, buffer_slice(&some));
        some.size = 0;
    }
    buffer_deinit(&some);
}

/* The next frame's header and body; false: there is none. */
static bool next_frame(struct request_header *ret_header, struct reader *ret_body)
{
    collect_output();
    if (output.size - taken < 4)
        return false;
    uint32_t size = load_be32(output.data + taken);
    struct slice frame = slice_of(output.data + taken + 4, size);
    taken += 4 + size;
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
    client_received(&client, buffer_slice(&bytes), now_ms);
    buffer_deinit(&bytes);
}

static void answer(int32_t xid, int64_t zxid, int32_t err, struct slice body)
{
    struct buffer frame = {0};

    reply_header_write(&frame, &(struct reply_header){xid, zxid, err});
    buffer_append(&frame, body);
    say(&frame);
    buffer_deinit(&frame);
}

static void send_event(int32_t type, const char *path, int64_t zxid)
{
    struct buffer body = {0};

    watcher_event_write(&body, &(struct watcher_event){type, 3, slice_text(path)});
    answer(XID_NOTIFICATION, zxid, 0, buffer_slice(&body));
    buffer_deinit(&body);
}

static void shake_hands(int64_t session_id, int32_t timeout_ms, bool read_only)
{
    static const uint8_t password[PASSWORD_BYTES] = {7};
    struct buffer frame = {0};

    collect_output();
    taken = output.size;
    connect_response_write(
        &frame, &(struct connect_response){0, timeout_ms, session_id, slice_of(password, 16)});
    jute_put_bool(&frame, read_only);
    say(&frame);
    buffer_deinit(&frame);
}

static void open_connection(void)
{
    enum client_action action;

    while ((action = next_action()) != CLIENT_CONNECT) {
        if (action == CLIENT_RESOLVE)
            give_servers(1);
        else if (action == CLIENT_WAIT)
            now_ms += 50;
    }
    client_connected(&client, now_ms);
}

static void connect_client(void)
{
    open_connection();
    shake_hands(SESSION, TIMEOUT_MS, false);
}

static struct client_item *next_item(void)
{
    client_take_done(&client, &items);
    if (list_empty(&items))
        return NULL;
    struct client_item *item = CONTAINER_OF(items.next, struct client_item, link);
    list_remove(&item->link);
    return item;
}

static void expect_event(int32_t type, int32_t state, const char *path, size_t watchers)
{
    struct client_item *item = next_item();

    CHECK(item != NULL);
    CHECK_I64("kind", item->kind, CLIENT_ITEM_EVENT);
    struct client_event *event = CONTAINER_OF(item, struct client_event, item);
    CHECK_I64("type", event->type, type);
    CHECK_I64("state", event->state, state);
    CHECK_TEXT("path", event->path, path);
    CHECK_U64("watchers", event->watcher_count, watchers);
    mem_free(event);
}

static void expect_session_event(int32_t state)
{
    expect_event(CLIENT_EVENT_SESSION, state, "", client.watches.count > 0); /* one watcher */
}

static void expect_done(struct client_request *request, int32_t err)
{
    struct client_item *item = next_item();

    CHECK(item != NULL);
    CHECK(item == &request->item);
    CHECK_I64("err", request->err, err);
}

static void get(struct client_request *request, const char *path, bool watch)
{
    struct client_watcher watcher = {nobody, NULL};

    client_request_init(request);
    CHECK_I64("get",
              client_read(&client, request, OP_GET_DATA, slice_text(path), watch ? &watcher : NULL),
              CLIENT_OK);
}

TEST(the_first_frame_asks_for_a_new_session)
{
    struct connect_request asked;
    struct reader reader;

    begin();
    CHECK_I64("state", client.state, CLIENT_STATE_NEW);
    open_connection();
    CHECK_I64("state", client.state, CLIENT_STATE_ASSOCIATING);
    collect_output();
    CHECK_U64("handshake", output.size, 4 + 45);
    reader_init(&reader, slice_of(output.data + 4, 45), NULL, 100);
    CHECK_STATUS(connect_request_read(&reader, &asked), STATUS_OK);
    CHECK_I64("session", asked.session_id, 0);
    CHECK_I64("timeout", asked.timeout_ms, TIMEOUT_MS);
    shake_hands(SESSION, 4000, false);
    CHECK_I64("state", client.state, CLIENT_STATE_CONNECTED);
    CHECK_I64("granted", client.timeout_ms, 4000);
    CHECK_I64("session", client.session_id, SESSION);
    expect_session_event(CLIENT_STATE_CONNECTED);
    end();
}

TEST(requests_wait_for_the_handshake_and_replies_come_back_in_order)
{
    struct client_request first, second;
    struct request_header header;
    struct reader body;

    begin();
    get(&first, "/a", false);
    get(&second, "/b", false);
    open_connection();
    collect_output();
    CHECK_U64("only the handshake", output.size, 49);
    shake_hands(SESSION, TIMEOUT_MS, false);
    expect_session_event(CLIENT_STATE_CONNECTED);
    CHECK(next_frame(&header, &body));
    CHECK_I64("op", header.type, OP_GET_DATA);
    CHECK_I64("xid", header.xid, first.xid);
    CHECK(next_frame(&header, &body));
    CHECK_I64("xid", header.xid, second.xid);
    answer(first.xid, 10, 0, SLICE("body"));
    answer(second.xid, 11, ZK_NO_NODE, SLICE(""));
    expect_done(&first, 0);
    CHECK_SLICE("reply", slice_of(first.reply, first.reply_size), SLICE("body"));
    expect_done(&second, ZK_NO_NODE);
    CHECK_I64("zxid", client.last_zxid, 11);
    client_request_deinit(&first);
    client_request_deinit(&second);
    end();
}

TEST(bytes_may_arrive_in_any_pieces)
{
    for (size_t piece = 1; piece < 40; piece++) {
        struct client_request requests[3];
        struct buffer bytes = {0};

        begin();
        connect_client();
        expect_session_event(CLIENT_STATE_CONNECTED);
        for (int i = 0; i < 3; i++) {
            char body[600];
            memset(body, 'a' + i, sizeof(body));
            size_t size = i == 1 ? sizeof(body) : 5;
            get(&requests[i], "/a", false);
            buffer_i32(&bytes, (int32_t)(16 + size));
            reply_header_write(&bytes, &(struct reply_header){requests[i].xid, 1, 0});
            buffer_append(&bytes, slice_of(body, size));
        }
        for (size_t at = 0; at < bytes.size; at += piece) {
            size_t left = bytes.size - at;
            client_received(&client, slice_of(bytes.data + at, left < piece ? left : piece),
                            now_ms);
        }
        for (int i = 0; i < 3; i++) {
            expect_done(&requests[i], 0);
            CHECK_U64("size", requests[i].reply_size, i == 1 ? 600 : 5);
            CHECK_I64("content", requests[i].reply[4], 'a' + i);
            client_request_deinit(&requests[i]);
        }
        buffer_deinit(&bytes);
        end();
    }
}

TEST(a_reply_that_nobody_waits_for_costs_the_connection)
{
    struct client_request request;

    begin();
    connect_client();
    expect_session_event(CLIENT_STATE_CONNECTED);
    get(&request, "/a", false);
    answer(request.xid + 1, 1, 0, SLICE(""));
    expect_session_event(CLIENT_STATE_CONNECTING);
    expect_done(&request, CLIENT_INCONSISTENT);
    CHECK_I64("action", next_action(), CLIENT_DISCONNECT);
    client_request_deinit(&request);
    end();
}

TEST(frames_that_make_no_sense_cost_the_connection)
{
    static const struct {
        const char *name;
        struct slice bytes;
    } rows[] = {
        {"negative length", {(const uint8_t *)"\xff\xff\xff\xff", 4}},
        {"no header", {(const uint8_t *)"\0\0\0\3abc", 7}},
        {"an event without a path",
         {(const uint8_t *)"\0\0\0\x14\xff\xff\xff\xff\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\1", 24}},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        begin();
        connect_client();
        client_received(&client, rows[i].bytes, now_ms);
        CHECK_I64(rows[i].name, client.link, CLIENT_LINK_TO_CLOSE);
        CHECK_I64(rows[i].name, client.state, CLIENT_STATE_DOWN);
        end();
    }
}

TEST(a_silent_client_pings_and_a_silent_server_is_left)
{
    struct request_header header;
    struct client_step step;
    struct reader body;

    begin();
    connect_client();
    expect_session_event(CLIENT_STATE_CONNECTED);
    client_step(&client, now_ms, &step);
    CHECK_I64("wakes for the ping", step.wake_at_ms, now_ms + TIMEOUT_MS / 3);
    CHECK(!next_frame(&header, &body));
    now_ms += TIMEOUT_MS / 3;
    CHECK_I64("action", next_action(), CLIENT_WAIT);
    CHECK(next_frame(&header, &body));
    CHECK_I64("xid", header.xid, XID_PING);
    CHECK_I64("op", header.type, OP_PING);
    answer(XID_PING, 5, 0, SLICE(""));
    now_ms += TIMEOUT_MS * 2 / 3 - 1;
    CHECK_I64("not yet", next_action(), CLIENT_WAIT);
    now_ms++;
    CHECK_I64("silent", next_action(), CLIENT_DISCONNECT);
    CHECK_I64("why", client.last_error, CLIENT_TIMED_OUT);
    expect_session_event(CLIENT_STATE_CONNECTING);
    end();
}

TEST(whoever_sends_requests_does_not_ping)
{
    struct client_request request;
    struct request_header header;
    struct reader body;

    begin();
    connect_client();
    now_ms += TIMEOUT_MS / 4;
    get(&request, "/a", false);
    CHECK(next_frame(&header, &body));
    client_sent(&client, now_ms);
    answer(request.xid, 1, 0, SLICE(""));
    now_ms += TIMEOUT_MS / 4;
    CHECK_I64("action", next_action(), CLIENT_WAIT);
    CHECK(!next_frame(&header, &body));
    end();
}

TEST(all_servers_are_tried_before_a_pause)
{
    int64_t began_ms;

    begin();
    began_ms = now_ms;
    for (int round = 0; round < 2; round++) {
        for (uint8_t server = 0; server < 3; server++) {
            struct client_step step;
            while (client_step(&client, now_ms, &step), step.action != CLIENT_CONNECT) {
                if (step.action == CLIENT_RESOLVE)
                    give_servers(3);
                else if (step.action == CLIENT_WAIT)
                    now_ms = step.wake_at_ms;
            }
            CHECK_I64("server", step.address->bytes[0], server);
            CHECK_I64("state", client.state, CLIENT_STATE_CONNECTING);
            CHECK_I64("paused", now_ms > began_ms, round > 0);
            client_lost(&client, CLIENT_CONNECTION_LOST, now_ms);
            CHECK_I64("state", client.state, CLIENT_STATE_DOWN);
        }
    }
    end();
}

TEST(names_are_resolved_anew_for_each_attempt)
{
    begin();
    CHECK_I64("at first", next_action(), CLIENT_RESOLVE);
    give_servers(2);
    CHECK_I64("then", next_action(), CLIENT_CONNECT);
    client_lost(&client, CLIENT_CONNECTION_LOST, now_ms);
    CHECK_I64("closes", next_action(), CLIENT_DISCONNECT);
    CHECK_I64("again", next_action(), CLIENT_RESOLVE);
    client_not_resolved(&client, now_ms);
    CHECK_I64("the old addresses are better than none", next_action(), CLIENT_CONNECT);
    end();
}

TEST(what_waits_for_a_reply_fails_when_the_connection_is_lost)
{
    struct client_request sent, waiting;
    struct request_header header;
    struct reader body;

    begin();
    connect_client();
    expect_session_event(CLIENT_STATE_CONNECTED);
    get(&sent, "/a", true);
    CHECK(next_frame(&header, &body));
    get(&waiting, "/b", false);
    client_lost(&client, CLIENT_CONNECTION_LOST, now_ms);
    expect_session_event(CLIENT_STATE_CONNECTING);
    expect_done(&sent, CLIENT_CONNECTION_LOST);
    expect_done(&waiting, CLIENT_CONNECTION_LOST);
    CHECK_U64("no watch was set", client.watches.count, 0);
    CHECK(!next_frame(&header, &body));
    client_request_deinit(&sent);
    end();
}

TEST(a_reconnection_asks_for_the_same_session_and_sets_the_watches_again)
{
    static const char *const paths[] = {"/data", "/exist", "/child"};
    struct client_request requests[3];
    struct connect_request asked;
    struct request_header header;
    struct client_watcher watcher = {nobody, NULL};
    struct set_watches said;
    struct reader body;

    begin_with((struct client_options){.chroot = SLICE("/root")});
    connect_client();
    expect_session_event(CLIENT_STATE_CONNECTED);
    for (int i = 0; i < 3; i++) {
        static const int32_t ops[] = {OP_GET_DATA, OP_EXISTS, OP_GET_CHILDREN};
        client_request_init(&requests[i]);
        CHECK_I64("read",
                  client_read(&client, &requests[i], ops[i], slice_text(paths[i]), &watcher),
                  CLIENT_OK);
        answer(requests[i].xid, 20 + i, i == 1 ? ZK_NO_NODE : 0, SLICE(""));
        CHECK(next_item() == &requests[i].item);
    }
    client_lost(&client, CLIENT_CONNECTION_LOST, now_ms);
    expect_session_event(CLIENT_STATE_CONNECTING);
    output.size = taken = 0;
    open_connection();
    collect_output();
    reader_init(&body, slice_of(output.data + 4, 45), NULL, 100);
    CHECK_STATUS(connect_request_read(&body, &asked), STATUS_OK);
    CHECK_I64("session", asked.session_id, SESSION);
    CHECK_I64("zxid", asked.last_zxid_seen, 22);
    CHECK_I64("password", asked.password.data[0], 7);
    shake_hands(SESSION, TIMEOUT_MS, false);
    CHECK(next_frame(&header, &body));
    CHECK_I64("xid", header.xid, XID_SET_WATCHES);
    CHECK_I64("op", header.type, OP_SET_WATCHES);
    CHECK_STATUS(set_watches_read(&body, &said), STATUS_OK);
    CHECK_I64("zxid", said.relative_zxid, 22);
    struct jute_vector *lists[] = {&said.data, &said.exist, &said.child};
    for (int i = 0; i < 3; i++) {
        char full[32];
        struct slice path = SLICE_NULL;
        snprintf(full, sizeof(full), "/root%s", paths[i]);
        CHECK(jute_next_text(lists[i], &path));
        CHECK_SLICE("path", path, slice_text(full));
        CHECK(!jute_next_text(lists[i], &path));
    }
    expect_session_event(CLIENT_STATE_CONNECTED);
    send_event(EVENT_DATA_CHANGED, "/root/data", -1);
    expect_event(EVENT_DATA_CHANGED, 3, "/data", 1);
    CHECK_I64("-1 is no zxid", client.last_zxid, 22);
    end();
}

TEST(many_watches_are_set_again_in_pieces)
{
    struct client_watcher watcher = {nobody, NULL};
    struct request_header header;
    struct reader body;
    struct set_watches2 said;
    int pieces = 0, paths = 0;
    char path[1000];

    begin();
    connect_client();
    memset(path, 'x', sizeof(path));
    for (int i = 0; i < 1000; i++) {
        snprintf(path, 20, "/%018d", i);
        path[19] = 'x';
        client_watches_add(&client.watches,
                           client_watch_make(slice_of(path, sizeof(path)), watcher),
                           i % 2 == 0 ? CLIENT_WATCH_DATA : CLIENT_WATCH_RECURSIVE);
    }
    client_lost(&client, CLIENT_CONNECTION_LOST, now_ms);
    output.size = taken = 0;
    connect_client();
    while (next_frame(&header, &body)) {
        CHECK_I64("op", header.type, OP_SET_WATCHES2);
        CHECK(reader_left(&body) < 130 * 1024);
        CHECK_STATUS(set_watches2_read(&body, &said), STATUS_OK);
        paths += said.data.count + said.persistent_recursive.count;
        pieces++;
    }
    CHECK_I64("paths", paths, 1000);
    CHECK(pieces >= 8 && pieces <= 10);
    end();
}

TEST(proofs_are_sent_after_each_handshake_and_before_requests)
{
    struct client_request request;
    struct request_header header;
    struct auth_packet said;
    struct reader body;

    begin();
    CHECK_I64("before the connection",
              client_add_auth(&client, SLICE("digest"), SLICE("a:b"), nobody, NULL), CLIENT_OK);
    get(&request, "/a", false);
    for (int round = 0; round < 2; round++) {
        output.size = taken = 0;
        connect_client();
        CHECK(next_frame(&header, &body));
        CHECK_I64("xid", header.xid, XID_AUTH);
        CHECK_STATUS(auth_packet_read(&body, &said), STATUS_OK);
        CHECK_SLICE("scheme", said.scheme, SLICE("digest"));
        CHECK_SLICE("proof", said.auth, SLICE("a:b"));
        answer(XID_AUTH, 0, 0, SLICE(""));
        expect_session_event(CLIENT_STATE_CONNECTED);
        if (round == 0) { /* the answer comes back once */
            struct client_item *item = next_item();
            CHECK_I64("kind", item->kind, CLIENT_ITEM_AUTH);
            CHECK(next_frame(&header, &body));
            CHECK_I64("then the request", header.xid, request.xid);
        }
        client_lost(&client, CLIENT_CONNECTION_LOST, now_ms);
        expect_session_event(CLIENT_STATE_CONNECTING);
        if (round == 0)
            expect_done(&request, CLIENT_CONNECTION_LOST);
        CHECK(next_item() == NULL);
    }
    end();
}

TEST(a_refused_proof_ends_the_session)
{
    struct client_request request;

    begin();
    connect_client();
    expect_session_event(CLIENT_STATE_CONNECTED);
    CHECK_I64("auth", client_add_auth(&client, SLICE("x"), SLICE_NULL, nobody, NULL), CLIENT_OK);
    get(&request, "/a", false);
    answer(XID_AUTH, 0, ZK_AUTH_FAILED, SLICE(""));
    struct client_item *item = next_item();
    CHECK_I64("kind", item->kind, CLIENT_ITEM_AUTH);
    CHECK_I64("err", CONTAINER_OF(item, struct client_auth, item)->err, CLIENT_AUTH_FAILED);
    expect_session_event(CLIENT_STATE_AUTH_FAILED);
    expect_done(&request, CLIENT_AUTH_FAILED);
    client_request_init(&request);
    CHECK_I64("afterwards", client_path(&client, &request, OP_SYNC, SLICE("/")),
              CLIENT_INVALID_STATE);
    CHECK_I64("closes", next_action(), CLIENT_DISCONNECT);
    CHECK_I64("and rests", next_action(), CLIENT_WAIT);
    end();
}

TEST(a_session_that_the_server_does_not_know_is_over)
{
    static const int64_t answers[] = {0, SESSION + 1};

    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        begin_with((struct client_options){.session_id = SESSION});
        open_connection();
        shake_hands(answers[i], answers[i] == 0 ? 0 : TIMEOUT_MS, false);
        CHECK_I64("state", client.state, CLIENT_STATE_EXPIRED);
        expect_session_event(CLIENT_STATE_EXPIRED);
        CHECK_I64("closes", next_action(), CLIENT_DISCONNECT);
        CHECK_I64("for good", next_action(), CLIENT_WAIT);
        end();
    }
}

TEST(a_watch_is_set_by_the_reply_to_its_request)
{
    static const struct {
        int32_t op, err;
        unsigned kinds;
    } rows[] = {
        {OP_GET_DATA, 0, CLIENT_WATCH_DATA},
        {OP_GET_DATA, ZK_NO_NODE, 0},
        {OP_EXISTS, 0, CLIENT_WATCH_DATA},
        {OP_EXISTS, ZK_NO_NODE, CLIENT_WATCH_EXIST},
        {OP_EXISTS, ZK_NO_AUTH, 0},
        {OP_GET_CHILDREN, 0, CLIENT_WATCH_CHILD},
        {OP_GET_CHILDREN2, 0, CLIENT_WATCH_CHILD},
        {OP_GET_CHILDREN, ZK_NO_NODE, 0},
    };
    struct client_watcher watcher = {nobody, NULL};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct client_request request;
        begin();
        connect_client();
        client_request_init(&request);
        CHECK_I64("read", client_read(&client, &request, rows[i].op, SLICE("/a"), &watcher), 0);
        answer(request.xid, 1, rows[i].err, SLICE(""));
        unsigned found = 0;
        for (unsigned kind = 1; kind <= CLIENT_WATCH_RECURSIVE; kind *= 2)
            if (client_watches_has(&client.watches, SLICE("/a"), kind, &watcher))
                found |= kind;
        CHECK_U64("kinds", found, rows[i].kinds);
        client_take_done(&client, &items);
        end();
    }
}

TEST(watchers_are_removed_with_the_server_or_here)
{
    struct client_watcher watcher = {nobody, NULL};
    struct client_request request;
    struct request_header header;
    struct reader body;

    begin();
    connect_client();
    for (int all = 0; all < 2; all++) {
        const struct client_watcher *whose = all ? NULL : &watcher;
        client_watches_add(&client.watches, client_watch_make(SLICE("/a"), watcher),
                           CLIENT_WATCH_DATA);
        client_request_init(&request);
        CHECK_I64("child",
                  client_remove_watches(&client, &request, SLICE("/a"), WATCHER_CHILDREN, whose),
                  CLIENT_NO_WATCHER);
        CHECK_I64("data",
                  client_remove_watches(&client, &request, SLICE("/a"), WATCHER_DATA, whose), 0);
        CHECK(next_frame(&header, &body));
        CHECK_I64("op", header.type, all ? OP_REMOVE_WATCHES : OP_CHECK_WATCHES);
        CHECK_U64("not yet", client.watches.count, 1);
        answer(request.xid, 1, 0, SLICE(""));
        CHECK_U64("gone", client.watches.count, 0);
        client_take_done(&client, &items);
        list_remove(&request.item.link);
        client_request_deinit(&request);
    }
    client_watches_add(&client.watches, client_watch_make(SLICE("/a"), watcher),
                       CLIENT_WATCH_CHILD);
    CHECK_I64("here", client_remove_watches_here(&client, SLICE("/a"), WATCHER_ANY, &watcher), 0);
    CHECK_I64("twice", client_remove_watches_here(&client, SLICE("/a"), WATCHER_ANY, &watcher),
              CLIENT_NO_WATCHER);
    end();
}

TEST(a_close_fails_what_waits_and_ends_the_session)
{
    struct client_request waiting, closing;
    struct request_header header;
    struct reader body;

    begin();
    connect_client();
    expect_session_event(CLIENT_STATE_CONNECTED);
    get(&waiting, "/a", false);
    client_request_init(&closing);
    client_close_session(&client, &closing, now_ms);
    expect_done(&waiting, CLIENT_CLOSING);
    CHECK(next_frame(&header, &body));
    CHECK(next_frame(&header, &body));
    CHECK_I64("op", header.type, OP_CLOSE_SESSION);
    answer(waiting.xid, 1, 0, SLICE("late"));
    CHECK(!client.closed);
    answer(closing.xid, 2, 0, SLICE(""));
    CHECK(client.closed);
    expect_done(&closing, 0);
    CHECK_I64("closes", next_action(), CLIENT_DISCONNECT);
    CHECK_I64("for good", next_action(), CLIENT_WAIT);
    end();
}

TEST(a_close_without_a_connection_needs_no_server)
{
    struct client_request closing;

    begin();
    client_request_init(&closing);
    client_close_session(&client, &closing, now_ms);
    CHECK(client.closed);
    expect_done(&closing, 0);
    end();
}

TEST(a_read_only_server_is_taken_only_by_who_asked_for_it)
{
    struct client_step step;

    begin();
    open_connection();
    shake_hands(SESSION, TIMEOUT_MS, true);
    CHECK_I64("left", client.link, CLIENT_LINK_TO_CLOSE);
    end();
    begin_with((struct client_options){.may_be_read_only = true});
    open_connection();
    shake_hands(SESSION, TIMEOUT_MS, true);
    CHECK_I64("taken", client.state, CLIENT_STATE_READ_ONLY);
    int64_t pause_ms = 200;
    for (int i = 0; i < 3; i++) { /* it looks for a better one, less and less often */
        client_step(&client, now_ms, &step);
        CHECK_I64("waits", step.wake_at_ms, now_ms + pause_ms);
        now_ms += pause_ms;
        CHECK_I64("asks", next_action(), CLIENT_PROBE);
        client_probed(&client, false, now_ms);
        pause_ms *= 2;
    }
    client_probed(&client, true, now_ms);
    CHECK_I64("moves", client.link, CLIENT_LINK_TO_CLOSE);
    end();
}

/* What the client says in its handshake. */
static int64_t asked_session(void)
{
    struct connect_request request;
    struct reader reader;

    collect_output();
    reader_init(&reader, slice_of(output.data + taken + 4, output.size - taken - 4), NULL,
                INT32_MAX);
    CHECK_I64("decodes", connect_request_read(&reader, &request), STATUS_OK);
    return request.session_id;
}

static void lose_and_open(void)
{
    client_lost(&client, CLIENT_CONNECTION_LOST, now_ms);
    CHECK_I64("closes", next_action(), CLIENT_DISCONNECT);
    expect_session_event(CLIENT_STATE_CONNECTING);
    now_ms += TIMEOUT_MS;
    open_connection();
}

TEST(a_session_of_a_read_only_server_is_left_behind_and_a_real_one_is_kept)
{
    begin_with((struct client_options){.may_be_read_only = true});
    open_connection();
    CHECK_I64("a new one", asked_session(), 0);
    shake_hands(SESSION, TIMEOUT_MS, true);
    expect_session_event(CLIENT_STATE_READ_ONLY);
    lose_and_open();
    CHECK_I64("another new one", asked_session(), 0);
    shake_hands(SESSION + 1, TIMEOUT_MS, false);
    expect_session_event(CLIENT_STATE_CONNECTED);
    lose_and_open();
    CHECK_I64("that one", asked_session(), SESSION + 1);
    shake_hands(SESSION + 1, TIMEOUT_MS, true); /* and one that comes back at a read-only server */
    expect_session_event(CLIENT_STATE_READ_ONLY);
    end();
}

TEST(two_clients_with_one_session_do_not_take_it_from_each_other_without_a_pause)
{
    struct client_step step;

    begin();
    connect_client();
    client_lost(&client, CLIENT_CONNECTION_LOST, now_ms + 1);
    CHECK_I64("closes", next_action(), CLIENT_DISCONNECT);
    client_step(&client, now_ms + 1, &step);
    CHECK_I64("waits", step.action, CLIENT_WAIT);
    CHECK(step.wake_at_ms >= now_ms + TIMEOUT_MS / 60);
    end();
}

TEST(a_multi_is_checked_before_any_of_it_is_written)
{
    struct client_acl anyone = {31, SLICE("world"), SLICE("anyone")};
    struct client_op ops[] = {
        {.op = OP_CREATE,
         .create = {.path = SLICE("/a"), .acl = &anyone, .acl_count = 1, .ttl_ms = -1}},
        {.op = OP_CHECK, .create = {.path = SLICE("bad")}},
    };
    struct client_request request;
    struct request_header header;
    struct reader body;

    begin();
    connect_client();
    client_request_init(&request);
    CHECK_I64("bad", client_multi(&client, &request, ops, 2), CLIENT_BAD_ARGUMENTS);
    CHECK(!next_frame(&header, &body));
    ops[1].create.path = SLICE("/good");
    CHECK_I64("good", client_multi(&client, &request, ops, 2), CLIENT_OK);
    CHECK(next_frame(&header, &body));
    CHECK_I64("op", header.type, OP_MULTI);
    end();
}

TEST(modes_and_ttls_must_fit)
{
    static const struct {
        int32_t mode;
        int64_t ttl_ms;
        enum client_error err;
    } rows[] = {
        {MODE_PERSISTENT, -1, CLIENT_OK},
        {MODE_CONTAINER, -1, CLIENT_OK},
        {MODE_EPHEMERAL, 5, CLIENT_BAD_ARGUMENTS},
        {MODE_TTL, 1, CLIENT_OK},
        {MODE_SEQUENTIAL_TTL, TTL_MS_MAX, CLIENT_OK},
        {MODE_TTL, TTL_MS_MAX + 1, CLIENT_BAD_ARGUMENTS},
        {MODE_TTL, 0, CLIENT_BAD_ARGUMENTS},
        {MODE_TTL, -1, CLIENT_BAD_ARGUMENTS},
        {7, -1, CLIENT_BAD_ARGUMENTS},
        {-1, -1, CLIENT_BAD_ARGUMENTS},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        CHECK_I64("mode", client_check_mode(rows[i].mode, rows[i].ttl_ms), rows[i].err);
}

TEST(any_request_can_be_sent_as_its_bytes_and_its_reply_sets_the_watch)
{
    static const uint8_t body[] = {0, 0, 0, 2, '/', 'a', 1};
    struct client_watcher watcher = {nobody, NULL};
    struct client_request request;
    struct request_header header;
    struct reader reader;

    begin_with((struct client_options){.chroot = SLICE("/top")});
    connect_client();
    expect_session_event(CLIENT_STATE_CONNECTED);
    client_request_init(&request);
    CHECK_I64("watch",
              client_want_watch(&client, &request, SLICE("/a"), CLIENT_SETS_EXIST, &watcher),
              CLIENT_OK);
    CHECK_I64("request", client_raw(&client, &request, OP_EXISTS, slice_of(body, sizeof(body))),
              CLIENT_OK);
    CHECK(next_frame(&header, &reader));
    CHECK_I64("op", header.type, OP_EXISTS);
    CHECK_SLICE("as it is", slice_of(reader.pos, reader_left(&reader)),
                slice_of(body, sizeof(body)));
    CHECK(!request.answered);
    answer(header.xid, 5, ZK_NO_NODE, SLICE(""));
    CHECK(client_watches_has(&client.watches, SLICE("/top/a"), CLIENT_WATCH_EXIST, &watcher));
    expect_done(&request, ZK_NO_NODE);
    CHECK(request.answered);
    client_request_deinit(&request);
    end();
}

TEST(an_error_of_the_server_is_told_from_one_of_the_client)
{
    struct client_request refused, lost;
    struct request_header header;
    struct reader reader;

    begin();
    connect_client();
    expect_session_event(CLIENT_STATE_CONNECTED);
    get(&refused, "/a", false);
    get(&lost, "/b", false);
    CHECK(next_frame(&header, &reader));
    answer(header.xid, 5, CLIENT_CONNECTION_LOST, SLICE("")); /* odd, but the server's word */
    expect_done(&refused, CLIENT_CONNECTION_LOST);
    CHECK(refused.answered);
    client_lost(&client, CLIENT_CONNECTION_LOST, now_ms);
    expect_session_event(CLIENT_STATE_CONNECTING);
    expect_done(&lost, CLIENT_CONNECTION_LOST);
    CHECK(!lost.answered);
    end();
}

/* Sends all that is there, as a host does. */
static void send_at(int64_t sent_at_ms)
{
    collect_output();
    taken = output.size;
    client_sent(&client, sent_at_ms);
}

TEST(a_session_ends_no_earlier_than_its_timeout_after_what_a_server_has_answered_was_sent)
{
    struct client_request first, second;

    begin();
    CHECK_I64("no session", client_session_ends_ms(&client), INT64_MAX);
    open_connection();
    send_at(now_ms);
    int64_t asked_ms = now_ms;
    now_ms += 100;
    shake_hands(SESSION, 4000, false);
    expect_session_event(CLIENT_STATE_CONNECTED);
    CHECK_I64("after the handshake", client_session_ends_ms(&client), asked_ms + 4000);
    get(&first, "/a", false);
    send_at(now_ms + 10);
    get(&second, "/b", false);
    send_at(now_ms + 20);
    CHECK_I64("not before the answer", client_session_ends_ms(&client), asked_ms + 4000);
    answer(first.xid, 5, ZK_NO_NODE, SLICE(""));
    CHECK_I64("the first", client_session_ends_ms(&client), now_ms + 10 + 4000);
    send_event(EVENT_CREATED, "/x", -1); /* says nothing of what was heard */
    CHECK_I64("an event", client_session_ends_ms(&client), now_ms + 10 + 4000);
    answer(second.xid, 5, ZK_NO_NODE, SLICE(""));
    CHECK_I64("not later than the second was sent", client_session_ends_ms(&client),
              now_ms + 10 + 4000);
    now_ms += 1500; /* a ping */
    CHECK_I64("waits", next_action(), CLIENT_WAIT);
    send_at(now_ms);
    answer(XID_PING, 5, ZK_OK, SLICE(""));
    CHECK_I64("the ping", client_session_ends_ms(&client), now_ms + 4000);
    client_lost(&client, CLIENT_CONNECTION_LOST, now_ms + 50);
    CHECK_I64("a loss changes nothing", client_session_ends_ms(&client), now_ms + 4000);
    end();
}

TEST(a_session_of_a_read_only_server_ends_at_no_known_time)
{
    begin_with((struct client_options){.may_be_read_only = true});
    open_connection();
    send_at(now_ms);
    shake_hands(SESSION, TIMEOUT_MS, true);
    CHECK_I64("ends", client_session_ends_ms(&client), INT64_MAX);
    end();
}

TEST(a_client_whose_session_is_over_can_have_a_new_one_with_its_watches_and_proofs)
{
    struct client_request request, closing;
    struct request_header header;
    struct reader reader;

    begin();
    connect_client();
    expect_session_event(CLIENT_STATE_CONNECTED);
    CHECK_I64("auth", client_add_auth(&client, SLICE("digest"), SLICE("a:b"), NULL, NULL),
              CLIENT_OK);
    CHECK(next_frame(&header, &reader));
    answer(XID_AUTH, 1, ZK_OK, SLICE(""));
    CHECK(next_item()->kind == CLIENT_ITEM_AUTH);
    get(&request, "/a", true);
    CHECK(next_frame(&header, &reader));
    answer(header.xid, 7, ZK_OK, SLICE(""));
    expect_done(&request, ZK_OK);
    client_request_deinit(&request);
    lose_and_open();
    shake_hands(0, 0, false);
    expect_session_event(CLIENT_STATE_EXPIRED);
    CHECK(client_is_dead(&client));
    client_renew(&client, now_ms);
    CHECK_I64("closes", next_action(), CLIENT_DISCONNECT);
    open_connection();
    CHECK_I64("a new one", asked_session(), 0);
    shake_hands(SESSION + 1, TIMEOUT_MS, false);
    expect_session_event(CLIENT_STATE_CONNECTED);
    CHECK(next_frame(&header, &reader));
    CHECK_I64("proof", header.type, OP_AUTH);
    CHECK(next_frame(&header, &reader));
    CHECK_I64("watches", header.type, OP_SET_WATCHES);
    CHECK_I64("since", reader_i64(&reader), 7);
    client_request_init(&closing); /* and it ends as the first one could have */
    client_close_session(&client, &closing, now_ms);
    CHECK(next_frame(&header, &reader));
    CHECK_I64("close", header.type, OP_CLOSE_SESSION);
    answer(header.xid, 8, ZK_OK, SLICE(""));
    CHECK(client.closed);
    client_renew(&client, now_ms);
    CHECK(!client.closed);
    end();
}

TEST(a_server_that_gives_no_session_is_left_after_the_time_that_the_host_has_chosen)
{
    begin_with((struct client_options){.connect_timeout_ms = 700});
    open_connection();
    now_ms += 699;
    CHECK_I64("waits", next_action(), CLIENT_WAIT);
    now_ms += 1;
    CHECK_I64("leaves", next_action(), CLIENT_DISCONNECT);
    CHECK_I64("why", client.last_error, CLIENT_TIMED_OUT);
    open_connection();
    shake_hands(SESSION, TIMEOUT_MS, false); /* then the session's own timeout counts */
    now_ms += 701;
    CHECK_I64("stays", next_action(), CLIENT_WAIT);
    CHECK_I64("state", client.state, CLIENT_STATE_CONNECTED);
    end();
}

TEST(a_client_of_a_read_only_server_moves_to_the_very_server_that_takes_writes)
{
    struct client_step step;

    begin_with((struct client_options){.may_be_read_only = true});
    CHECK_I64("resolves", next_action(), CLIENT_RESOLVE);
    give_servers(2);
    open_connection();
    shake_hands(SESSION, TIMEOUT_MS, true);
    CHECK_I64("waits", next_action(), CLIENT_WAIT);
    now_ms += 200;
    client_step(&client, now_ms, &step);
    CHECK_I64("asks", step.action, CLIENT_PROBE);
    struct client_address asked = *step.address;
    client_probed(&client, true, now_ms);
    CHECK_I64("closes", next_action(), CLIENT_DISCONNECT);
    now_ms += TIMEOUT_MS; /* whatever the pause is */
    CHECK_I64("looks names up", next_action(), CLIENT_RESOLVE);
    give_servers(2);
    client_step(&client, now_ms, &step);
    CHECK_I64("connects", step.action, CLIENT_CONNECT);
    CHECK_SLICE("to it", slice_of(step.address->bytes, step.address->size),
                slice_of(asked.bytes, asked.size));
    end();
}
