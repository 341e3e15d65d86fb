/* When a watch is set, removed, and set again at another server. */
#include "client/requests.h"
#include "test/lib/check.h"
#include "test/lib/client_play.h"
#include "wire/records.h"

#include <stdio.h>

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
    struct client_watcher watcher = {play_nobody, NULL};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct client_request request;
        play_begin();
        play_connect();
        client_request_init(&request);
        CHECK_I64("read", client_read(&play.client, &request, rows[i].op, SLICE("/a"), &watcher),
                  0);
        play_answer(request.xid, 1, rows[i].err, SLICE(""));
        unsigned found = 0;
        for (unsigned kind = 1; kind <= CLIENT_WATCH_RECURSIVE; kind *= 2)
            if (client_watches_has(&play.client.watches, SLICE("/a"), kind, &watcher))
                found |= kind;
        CHECK_U64("kinds", found, rows[i].kinds);
        client_take_done(&play.client, &play.items);
        play_end();
    }
}

TEST(a_reconnection_asks_for_the_same_session_and_sets_the_watches_again)
{
    static const char *const paths[] = {"/data", "/exist", "/child"};
    struct client_request requests[3];
    struct connect_request asked;
    struct request_header header;
    struct client_watcher watcher = {play_nobody, NULL};
    struct set_watches said;
    struct reader body;

    play_begin_with((struct client_options){.chroot = SLICE("/root")});
    play_connect();
    play_expect_session_event(CLIENT_STATE_CONNECTED);
    for (int i = 0; i < 3; i++) {
        static const int32_t ops[] = {OP_GET_DATA, OP_EXISTS, OP_GET_CHILDREN};
        client_request_init(&requests[i]);
        CHECK_I64("read",
                  client_read(&play.client, &requests[i], ops[i], slice_text(paths[i]), &watcher),
                  CLIENT_OK);
        play_answer(requests[i].xid, 20 + i, i == 1 ? ZK_NO_NODE : 0, SLICE(""));
        CHECK(play_next_item() == &requests[i].item);
    }
    client_lost(&play.client, CLIENT_CONNECTION_LOST, play.now_ms);
    play_expect_session_event(CLIENT_STATE_CONNECTING);
    play.output.size = play.taken = 0;
    play_open();
    play_collect_output();
    reader_init(&body, slice_of(play.output.data + 4, 45), NULL, 100);
    CHECK_STATUS(connect_request_read(&body, &asked), STATUS_OK);
    CHECK_I64("session", asked.session_id, PLAY_SESSION);
    CHECK_I64("zxid", asked.last_zxid_seen, 22);
    CHECK_I64("password", asked.password.data[0], 7);
    play_shake_hands(PLAY_SESSION, PLAY_TIMEOUT_MS, false);
    CHECK(play_next_frame(&header, &body));
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
    play_expect_session_event(CLIENT_STATE_CONNECTED);
    play_event(EVENT_DATA_CHANGED, "/root/data", -1);
    play_expect_event(EVENT_DATA_CHANGED, 3, "/data", 1);
    CHECK_I64("-1 is no zxid", play.client.last_zxid, 22);
    play_end();
}

TEST(many_watches_are_set_again_in_pieces)
{
    struct client_watcher watcher = {play_nobody, NULL};
    struct request_header header;
    struct reader body;
    struct set_watches2 said;
    int pieces = 0, paths = 0;
    char path[1000];

    play_begin();
    play_connect();
    memset(path, 'x', sizeof(path));
    for (int i = 0; i < 1000; i++) {
        snprintf(path, 20, "/%018d", i);
        path[19] = 'x';
        client_watches_add(&play.client.watches,
                           client_watch_make(slice_of(path, sizeof(path)), watcher),
                           i % 2 == 0 ? CLIENT_WATCH_DATA : CLIENT_WATCH_RECURSIVE);
    }
    client_lost(&play.client, CLIENT_CONNECTION_LOST, play.now_ms);
    play.output.size = play.taken = 0;
    play_connect();
    while (play_next_frame(&header, &body)) {
        CHECK_I64("op", header.type, OP_SET_WATCHES2);
        CHECK(reader_left(&body) < 130 * 1024);
        CHECK_STATUS(set_watches2_read(&body, &said), STATUS_OK);
        paths += said.data.count + said.persistent_recursive.count;
        pieces++;
    }
    CHECK_I64("paths", paths, 1000);
    CHECK(pieces >= 8 && pieces <= 10);
    play_end();
}

TEST(watchers_are_removed_with_the_server_or_here)
{
    struct client_watcher watcher = {play_nobody, NULL};
    struct client_request request;
    struct request_header header;
    struct reader body;

    play_begin();
    play_connect();
    for (int all = 0; all < 2; all++) {
        const struct client_watcher *whose = all ? NULL : &watcher;
        client_watches_add(&play.client.watches, client_watch_make(SLICE("/a"), watcher),
                           CLIENT_WATCH_DATA);
        client_request_init(&request);
        CHECK_I64(
            "child",
            client_remove_watches(&play.client, &request, SLICE("/a"), WATCHER_CHILDREN, whose),
            CLIENT_NO_WATCHER);
        CHECK_I64("data",
                  client_remove_watches(&play.client, &request, SLICE("/a"), WATCHER_DATA, whose),
                  0);
        CHECK(play_next_frame(&header, &body));
        CHECK_I64("op", header.type, all ? OP_REMOVE_WATCHES : OP_CHECK_WATCHES);
        CHECK_U64("not yet", play.client.watches.count, 1);
        play_answer(request.xid, 1, 0, SLICE(""));
        CHECK_U64("gone", play.client.watches.count, 0);
        client_take_done(&play.client, &play.items);
        list_remove(&request.item.link);
        client_request_deinit(&request);
    }
    client_watches_add(&play.client.watches, client_watch_make(SLICE("/a"), watcher),
                       CLIENT_WATCH_CHILD);
    CHECK_I64("here", client_remove_watches_here(&play.client, SLICE("/a"), WATCHER_ANY, &watcher),
              0);
    CHECK_I64("twice", client_remove_watches_here(&play.client, SLICE("/a"), WATCHER_ANY, &watcher),
              CLIENT_NO_WATCHER);
    play_end();
}

/* No server may be behind what was seen, and all events that have not come are asked for. */
static void reconnect_asking(int64_t seen_zxid, int64_t events_zxid)
{
    struct connect_request asked;
    struct request_header header;
    struct set_watches said;
    struct reader body;

    client_lost(&play.client, CLIENT_CONNECTION_LOST, play.now_ms);
    play.output.size = play.taken = 0;
    play_open();
    play_collect_output();
    reader_init(&body, slice_of(play.output.data + 4, 45), NULL, 100);
    CHECK_STATUS(connect_request_read(&body, &asked), STATUS_OK);
    CHECK_I64("seen", asked.last_zxid_seen, seen_zxid);
    play.output.size = play.taken = 0;
    play_shake_hands(PLAY_SESSION, PLAY_TIMEOUT_MS, false);
    CHECK(play_next_frame(&header, &body));
    CHECK_I64("op", header.type, OP_SET_WATCHES);
    CHECK_STATUS(set_watches_read(&body, &said), STATUS_OK);
    CHECK_I64("events", said.relative_zxid, events_zxid);
    play_collect_output();
}

TEST(an_event_does_not_hide_another_one_of_its_transaction)
{
    struct client_watcher watcher = {play_nobody, NULL};
    struct client_request request;

    play_begin();
    play_connect();
    client_watches_add(&play.client.watches, client_watch_make(SLICE("/a"), watcher),
                       CLIENT_WATCH_CHILD);
    play_get(&request, "/a", false);
    play_answer(request.xid, 20, 0, SLICE(""));
    play_event(EVENT_DELETED, "/a/b", 21); /* NodeChildrenChanged of /a is lost */
    reconnect_asking(21, 20);
    play_end();
}

TEST(watches_that_are_set_again_in_pieces_ask_since_the_same_time_until_all_have_been_answered)
{
    struct client_watcher watcher = {play_nobody, NULL};
    char path[1000];

    play_begin();
    play_connect();
    play.client.last_zxid = play.client.events_zxid = 20;
    memset(path, 'x', sizeof(path));
    for (int i = 0; i < 200; i++) {
        snprintf(path, 20, "/%018d", i);
        path[19] = 'x';
        client_watches_add(&play.client.watches,
                           client_watch_make(slice_of(path, sizeof(path)), watcher),
                           CLIENT_WATCH_DATA);
    }
    reconnect_asking(20, 20);
    play_answer(XID_SET_WATCHES, 30, 0, SLICE(""));
    play_answer(XID_PING, 31, 0, SLICE(""));
    reconnect_asking(31, 20);
    play_answer(XID_SET_WATCHES, 32, 0, SLICE(""));
    play_answer(XID_SET_WATCHES, 33, 0, SLICE(""));
    reconnect_asking(33, 33);
    play_end();
}
