#include "client/watches.h"
#include "test/lib/check.h"
#include "wire/zk.h"

#include <stdio.h>

static void somebody(void)
{
}

static void somebody_else(void)
{
}

static struct client_watches watches;

static struct client_watcher by(void (*function)(void), const char *context)
{
    return (struct client_watcher){function, (void *)(uintptr_t)context};
}

static void set(const char *path, enum client_watch_kind kind, struct client_watcher watcher)
{
    struct client_watch *watch = client_watch_make(slice_text(path), watcher);

    CHECK(watch != NULL);
    client_watches_add(&watches, watch, kind);
}

static size_t called(const char *path, int32_t event)
{
    struct client_watcher watchers[64];
    size_t count = client_watches_match(&watches, slice_text(path), event, watchers, 64);

    client_watches_use_up(&watches, slice_text(path), event);
    return client_watchers_once(watchers, count);
}

TEST(an_event_calls_the_kinds_that_it_is_for)
{
    static const struct {
        enum client_watch_kind kind;
        size_t created, deleted, changed, children;
    } rows[] = {
        {CLIENT_WATCH_DATA, 1, 1, 1, 0},      {CLIENT_WATCH_EXIST, 1, 1, 1, 0},
        {CLIENT_WATCH_CHILD, 0, 1, 0, 1},     {CLIENT_WATCH_PERSISTENT, 1, 1, 1, 1},
        {CLIENT_WATCH_RECURSIVE, 1, 1, 1, 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const size_t wanted[] = {rows[i].created, rows[i].deleted, rows[i].changed,
                                 rows[i].children};
        for (int32_t event = EVENT_CREATED; event <= EVENT_CHILDREN_CHANGED; event++) {
            client_watches_init(&watches);
            set("/a", rows[i].kind, by(somebody, "x"));
            CHECK_U64("other path", called("/b", event), 0);
            CHECK_U64("calls", called("/a", event), wanted[event - 1]);
            bool stays = wanted[event - 1] == 0 || rows[i].kind >= CLIENT_WATCH_PERSISTENT;
            CHECK_U64("left", watches.count, stays);
            client_watches_deinit(&watches);
        }
    }
}

TEST(a_recursive_watch_sees_all_below_it)
{
    client_watches_init(&watches);
    set("/a", CLIENT_WATCH_RECURSIVE, by(somebody, "x"));
    CHECK_U64("below", called("/a/b/c", EVENT_CREATED), 1);
    CHECK_U64("again", called("/a/b/c", EVENT_DELETED), 1);
    CHECK_U64("beside", called("/ab", EVENT_CREATED), 0);
    set("/", CLIENT_WATCH_RECURSIVE, by(somebody, "root"));
    CHECK_U64("root too", called("/a/b", EVENT_CREATED), 2);
    client_watches_deinit(&watches);
}

TEST(the_same_watcher_on_a_path_and_kind_is_one)
{
    client_watches_init(&watches);
    set("/a", CLIENT_WATCH_DATA, by(somebody, "x"));
    set("/a", CLIENT_WATCH_DATA, by(somebody, "x"));
    set("/a", CLIENT_WATCH_DATA, by(somebody, "y"));
    set("/a", CLIENT_WATCH_DATA, by(somebody_else, "x"));
    set("/a", CLIENT_WATCH_EXIST, by(somebody, "x"));
    CHECK_U64("watches", watches.count, 4);
    CHECK_U64("called once each", called("/a", EVENT_DATA_CHANGED), 3);
    CHECK_U64("one-shot", called("/a", EVENT_DATA_CHANGED), 0);
    client_watches_deinit(&watches);
}

TEST(a_removed_watcher_is_gone_and_others_stay)
{
    struct client_watcher x = by(somebody, "x");

    client_watches_init(&watches);
    set("/a", CLIENT_WATCH_DATA, x);
    set("/a", CLIENT_WATCH_CHILD, x);
    set("/a", CLIENT_WATCH_DATA, by(somebody, "y"));
    client_watches_remove(&watches, SLICE("/a"), CLIENT_WATCH_DATA, &x);
    CHECK(!client_watches_has(&watches, SLICE("/a"), CLIENT_WATCH_DATA, &x));
    CHECK(client_watches_has(&watches, SLICE("/a"), CLIENT_WATCH_CHILD, &x));
    CHECK_U64("left", watches.count, 2);
    client_watches_remove(&watches, SLICE("/a"), CLIENT_WATCH_ANY, NULL);
    CHECK_U64("none left", watches.count, 0);
    client_watches_deinit(&watches);
}

TEST(a_walk_names_each_path_of_a_kind_once)
{
    struct client_watch_walk walk = {0};
    char path[32];
    int seen = 0;

    client_watches_init(&watches);
    for (int i = 0; i < 1000; i++) {
        snprintf(path, sizeof(path), "/n%d", i);
        set(path, CLIENT_WATCH_DATA, by(somebody, "x"));
        set(path, CLIENT_WATCH_DATA, by(somebody, "y"));
        set(path, CLIENT_WATCH_CHILD, by(somebody, "x"));
    }
    while (client_watches_next(&watches, &walk) != NULL)
        seen++;
    CHECK_I64("named", seen, 2000);
    CHECK_U64("all", client_watches_all(&watches, NULL, 0), 3000);
    client_watches_deinit(&watches);
}

TEST(watchers_are_found_one_after_the_other_each_once_and_not_those_set_after_the_event)
{
    static const char *const contexts[3] = {"0", "1", "2"};
    struct client_watcher found = {NULL, NULL};
    char path[20];
    unsigned met = 0;

    client_watches_init(&watches);
    for (int i = 0; i < 60; i++) {
        snprintf(path, sizeof(path), "/%d", i);
        watches.session_events = i < 40 ? 4 : 5;
        set(path, CLIENT_WATCH_DATA, by(somebody, contexts[i / 20]));
    }
    for (int i = 0; i < 2; i++) {
        CHECK(client_watches_after(&watches, 5, &found));
        met |= 1u << (((const char *)found.context)[0] - '0');
    }
    CHECK_U64("watchers", met, 3);
    CHECK(!client_watches_after(&watches, 5, &found));
    client_watches_deinit(&watches);
}
