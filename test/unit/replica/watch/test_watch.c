#include "test/lib/check.h"

#include "base/buffer.h"
#include "replica/watch/watch.h"

#include <stdio.h>

enum { CLIENTS = 4 };

struct world {
    struct watches *watches;
    struct watch_client clients[CLIENTS];
    int served[CLIENTS];
    uint64_t step;
};

static void begin(struct world *world)
{
    *world = (struct world){.watches = watches_new(11)};
    for (uint32_t i = 0; i < CLIENTS; i++)
        watch_client_init(&world->clients[i], i);
}

static void end(struct world *world)
{
    for (uint32_t i = 0; i < CLIENTS; i++)
        watches_drop_client(world->watches, &world->clients[i]);
    watches_free(world->watches);
}

static void serve(void *context, struct watch_client *client)
{
    ((struct world *)context)->served[client->id]++;
}

/* How often client 0 is served by a trigger of a step of its own. */
static int fire(struct world *world, enum watch_table table, const char *path)
{
    memset(world->served, 0, sizeof(world->served));
    watches_trigger(world->watches, table, slice_text(path), ++world->step, serve, world);
    return world->served[0];
}

static void add(struct world *world, uint32_t client, enum watch_table table, const char *path,
                unsigned kinds)
{
    watches_add(world->watches, table, slice_text(path), &world->clients[client], kinds);
}

/* As the requests register them: exists and getData; getChildren; addWatch 0; addWatch 1. */
enum registration { BY_DATA, BY_CHILDREN, BY_PERSISTENT, BY_RECURSIVE };

static void register_as(struct world *world, enum registration how, const char *path)
{
    switch (how) {
    case BY_DATA:
        add(world, 0, WATCH_DATA, path, WATCH_STANDARD);
        break;
    case BY_CHILDREN:
        add(world, 0, WATCH_CHILD, path, WATCH_STANDARD);
        break;
    case BY_PERSISTENT:
        add(world, 0, WATCH_DATA, path, WATCH_PERSISTENT);
        add(world, 0, WATCH_CHILD, path, WATCH_PERSISTENT);
        break;
    case BY_RECURSIVE:
        add(world, 0, WATCH_DATA, path, WATCH_RECURSIVE);
        break;
    }
}

TEST(every_kind_of_watch_gets_its_events_and_no_others)
{
    /* Seen by a watch on /p: how many events of the first change, and of the same change again. */
    static const struct {
        const char *name;
        enum registration how;
        struct {
            int first, again;
        } created, deleted, data_changed, child_created, below_changed;
    } rows[] = {
        {"data", BY_DATA, {1, 0}, {1, 0}, {1, 0}, {0, 0}, {0, 0}},
        {"children", BY_CHILDREN, {0, 0}, {1, 0}, {0, 0}, {1, 0}, {0, 0}},
        {"persistent", BY_PERSISTENT, {1, 1}, {1, 1}, {1, 1}, {1, 1}, {0, 0}},
        {"recursive", BY_RECURSIVE, {1, 1}, {1, 1}, {1, 1}, {1, 1}, {1, 1}},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (int round = 0; round < 2; round++) {
            struct world world;
            begin(&world);
            /* A create of /p: its own data table, then the parent's child table. */
            register_as(&world, rows[i].how, "/p");
            int got = 0;
            for (int times = 0; times <= round; times++)
                got = fire(&world, WATCH_DATA, "/p") + fire(&world, WATCH_CHILD, "/");
            CHECK_I64(rows[i].name, got,
                      round == 0 ? rows[i].created.first : rows[i].created.again);
            end(&world);

            begin(&world); /* a delete of /p: both its tables in one step, then the parent's */
            register_as(&world, rows[i].how, "/p");
            for (int times = 0; times <= round; times++) {
                got = fire(&world, WATCH_DATA, "/p");
                watches_trigger(world.watches, WATCH_CHILD, SLICE("/p"), world.step, serve, &world);
                got = world.served[0] + fire(&world, WATCH_CHILD, "/");
            }
            CHECK_I64(rows[i].name, got,
                      round == 0 ? rows[i].deleted.first : rows[i].deleted.again);
            end(&world);

            begin(&world);
            register_as(&world, rows[i].how, "/p");
            for (int times = 0; times <= round; times++)
                got = fire(&world, WATCH_DATA, "/p");
            CHECK_I64(rows[i].name, got,
                      round == 0 ? rows[i].data_changed.first : rows[i].data_changed.again);
            end(&world);

            begin(&world); /* a create of /p/c */
            register_as(&world, rows[i].how, "/p");
            for (int times = 0; times <= round; times++)
                got = fire(&world, WATCH_DATA, "/p/c") + fire(&world, WATCH_CHILD, "/p");
            CHECK_I64(rows[i].name, got,
                      round == 0 ? rows[i].child_created.first : rows[i].child_created.again);
            end(&world);

            begin(&world); /* set data of /p/c/d */
            register_as(&world, rows[i].how, "/p");
            for (int times = 0; times <= round; times++)
                got = fire(&world, WATCH_DATA, "/p/c/d");
            CHECK_I64(rows[i].name, got,
                      round == 0 ? rows[i].below_changed.first : rows[i].below_changed.again);
            end(&world);
        }
    }
}

TEST(all_kinds_on_one_path_serve_a_client_once_a_step)
{
    struct world world;

    begin(&world);
    for (int how = BY_DATA; how <= BY_RECURSIVE; how++)
        register_as(&world, (enum registration)how, "/p");
    add(&world, 0, WATCH_DATA, "/", WATCH_RECURSIVE);
    CHECK_I64("data", fire(&world, WATCH_DATA, "/p"), 1);
    /* The second half of a delete is the same step. */
    watches_trigger(world.watches, WATCH_CHILD, SLICE("/p"), world.step, serve, &world);
    CHECK_I64("still", world.served[0], 1);
    CHECK_U64("the standard ones are used up",
              watches_held(world.watches, WATCH_DATA, SLICE("/p"), &world.clients[0]),
              WATCH_PERSISTENT | WATCH_RECURSIVE);
    CHECK_U64("even the one that was skipped",
              watches_held(world.watches, WATCH_CHILD, SLICE("/p"), &world.clients[0]),
              WATCH_PERSISTENT);
    end(&world);
}

TEST(a_trigger_counts_each_client_that_waited_once)
{
    struct world world;

    begin(&world);
    add(&world, 0, WATCH_DATA, "/p/c", WATCH_STANDARD | WATCH_RECURSIVE);
    add(&world, 0, WATCH_DATA, "/p", WATCH_RECURSIVE);
    add(&world, 1, WATCH_DATA, "/", WATCH_RECURSIVE);
    add(&world, 2, WATCH_DATA, "/p", WATCH_STANDARD);
    add(&world, 0, WATCH_CHILD, "/p/c", WATCH_STANDARD);
    add(&world, 3, WATCH_CHILD, "/p/c", WATCH_STANDARD);
    CHECK_U64("nobody", watches_trigger(world.watches, WATCH_CHILD, SLICE("/"), 1, serve, &world),
              0);
    CHECK_U64("its own and those above",
              watches_trigger(world.watches, WATCH_DATA, SLICE("/p/c"), 2, serve, &world), 2);
    CHECK_U64("one of them was served in the first half of the step",
              watches_trigger(world.watches, WATCH_CHILD, SLICE("/p/c"), 2, serve, &world), 2);
    CHECK_I64("served once", world.served[0], 1);
    end(&world);
}

TEST(a_standard_watch_leaves_the_lasting_ones_of_the_path_alone)
{
    struct world world;

    begin(&world);
    add(&world, 0, WATCH_DATA, "/p", WATCH_PERSISTENT);
    add(&world, 0, WATCH_DATA, "/p", WATCH_STANDARD); /* a getData after an addWatch */
    for (int i = 0; i < 3; i++)
        CHECK_I64("served", fire(&world, WATCH_DATA, "/p"), 1);
    end(&world);
}

TEST(registering_again_changes_nothing)
{
    struct world world;
    uint32_t clients, paths, watches, all;

    begin(&world);
    for (int i = 0; i < 3; i++) {
        register_as(&world, BY_DATA, "/p");
        register_as(&world, BY_PERSISTENT, "/p");
    }
    watches_count(world.watches, &clients, &paths, &watches, &all);
    CHECK(clients == 1 && paths == 1 && watches == 1 && all == 2);
    CHECK_I64("once", fire(&world, WATCH_DATA, "/p"), 1);
    end(&world);
}

TEST(a_recursive_watch_sees_its_own_subtree_only)
{
    static const struct {
        const char *watched, *changed;
        int want;
    } rows[] = {
        {"/", "/", 1},     {"/", "/a", 1},        {"/", "/a/b/c", 1}, {"/a", "/a", 1},
        {"/a", "/a/b", 1}, {"/a", "/a/b/c/d", 1}, {"/a", "/ab", 0},   {"/a", "/", 0},
        {"/a/b", "/a", 0}, {"/a/b", "/a/bc", 0},  {"/a", "/b/a", 0},  {"/a/", "/a/b", 0},
        {"", "/a", 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct world world;
        begin(&world);
        add(&world, 0, WATCH_DATA, rows[i].watched, WATCH_RECURSIVE);
        CHECK_I64(rows[i].changed, fire(&world, WATCH_DATA, rows[i].changed), rows[i].want);
        CHECK_I64("children changed", fire(&world, WATCH_CHILD, rows[i].changed), 0);
        end(&world);
    }
}

TEST(nested_recursive_watches_serve_a_client_once)
{
    struct world world;

    begin(&world);
    add(&world, 0, WATCH_DATA, "/", WATCH_RECURSIVE);
    add(&world, 0, WATCH_DATA, "/a", WATCH_RECURSIVE);
    add(&world, 0, WATCH_DATA, "/a/b", WATCH_RECURSIVE);
    add(&world, 1, WATCH_DATA, "/a", WATCH_RECURSIVE);
    CHECK_I64("once", fire(&world, WATCH_DATA, "/a/b"), 1);
    CHECK_I64("and the other one, too", world.served[1], 1);
    CHECK_I64("a new step", fire(&world, WATCH_DATA, "/a/b"), 1);
    end(&world);
}

TEST(everybody_who_waits_is_served)
{
    struct world world;

    begin(&world);
    for (uint32_t i = 0; i < CLIENTS; i++)
        add(&world, i, WATCH_DATA, "/p", i % 2 == 0 ? WATCH_STANDARD : WATCH_PERSISTENT);
    (void)fire(&world, WATCH_DATA, "/p");
    for (uint32_t i = 0; i < CLIENTS; i++)
        CHECK_I64("first", world.served[i], 1);
    (void)fire(&world, WATCH_DATA, "/p");
    for (uint32_t i = 0; i < CLIENTS; i++)
        CHECK_I64("again", world.served[i], i % 2);
    end(&world);
}

TEST(removing_takes_the_kinds_asked_for)
{
    static const struct {
        unsigned held, removed, left;
    } rows[] = {
        {7, 1, 6}, {7, 2, 5}, {7, 4, 3}, {7, 7, 0}, {1, 2, 1}, {3, 4, 3}, {2, 2, 0}, {4, 3, 4},
    };
    char name[32];

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct world world;
        uint32_t clients, paths, watches, all;
        begin(&world);
        add(&world, 0, WATCH_DATA, "/p", rows[i].held);
        watches_remove(world.watches, WATCH_DATA, SLICE("/p"), &world.clients[0], rows[i].removed);
        snprintf(name, sizeof(name), "%u without %u", rows[i].held, rows[i].removed);
        CHECK_U64(name, watches_held(world.watches, WATCH_DATA, SLICE("/p"), &world.clients[0]),
                  rows[i].left);
        watches_count(world.watches, &clients, &paths, &watches, &all);
        CHECK_U64(name, watches, rows[i].left != 0);
        CHECK_U64(name, paths, rows[i].left != 0);
        CHECK_I64(name, fire(&world, WATCH_DATA, "/p/x"), (rows[i].left & WATCH_RECURSIVE) != 0);
        end(&world);
    }
}

TEST(removing_what_is_not_there_is_nothing)
{
    struct world world;

    begin(&world);
    add(&world, 1, WATCH_DATA, "/p", WATCH_STANDARD);
    watches_remove(world.watches, WATCH_DATA, SLICE("/p"), &world.clients[0], WATCH_KINDS);
    watches_remove(world.watches, WATCH_CHILD, SLICE("/p"), &world.clients[1], WATCH_KINDS);
    watches_remove(world.watches, WATCH_DATA, SLICE("/q"), &world.clients[1], WATCH_KINDS);
    CHECK_U64("held", watches_held(world.watches, WATCH_DATA, SLICE("/p"), &world.clients[1]),
              WATCH_STANDARD);
    end(&world);
}

TEST(a_client_that_goes_takes_its_watches_along)
{
    struct world world;
    uint32_t clients, paths, watches, all;
    char path[32];

    begin(&world);
    for (int i = 0; i < 500; i++) {
        snprintf(path, sizeof(path), "/p%d", i);
        add(&world, 0, WATCH_DATA, path, WATCH_RECURSIVE);
        add(&world, 0, WATCH_CHILD, path, WATCH_STANDARD);
        add(&world, 1, WATCH_DATA, path, WATCH_STANDARD);
    }
    watches_count(world.watches, &clients, &paths, &watches, &all);
    CHECK(clients == 2 && paths == 500 && watches == 1000 && all == 1500);
    watches_drop_client(world.watches, &world.clients[0]);
    watches_count(world.watches, &clients, &paths, &watches, &all);
    CHECK(clients == 1 && paths == 500 && watches == 500 && all == 500);
    CHECK_I64("nothing for it", fire(&world, WATCH_DATA, "/p7"), 0);
    CHECK_I64("the other one is served", world.served[1], 1);
    end(&world);
}

struct seen {
    struct buffer text;
};

static void look(void *context, struct slice path, const struct watch_client *client)
{
    struct buffer *text = &((struct seen *)context)->text;
    buffer_printf(text, "%.*s=%u ", (int)path.size, (const char *)path.data, client->id);
}

TEST(operators_see_the_data_table)
{
    struct world world;
    struct seen seen = {0};

    begin(&world);
    add(&world, 2, WATCH_DATA, "/p", WATCH_STANDARD);
    add(&world, 2, WATCH_CHILD, "/q", WATCH_STANDARD);
    add(&world, 3, WATCH_DATA, "/p", WATCH_RECURSIVE);
    watches_visit_by_path(world.watches, look, &seen);
    CHECK_SLICE("by path", buffer_slice(&seen.text), SLICE("/p=2 /p=3 "));
    seen.text.size = 0;
    watches_visit_client(&world.clients[2], look, &seen);
    CHECK_SLICE("by client", buffer_slice(&seen.text), SLICE("/p=2 "));
    buffer_deinit(&seen.text);
    end(&world);
}
