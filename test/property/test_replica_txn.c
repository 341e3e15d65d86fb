#include "test/lib/check.h"
#include "test/lib/requests.h"
#include "test/lib/tree_dump.h"
#include "test/lib/txn_world.h"

#include "replica/txn/prepare.h"

struct life { /* a world, and which sessions may speak in it: committed and not closing */
    struct txn_world world;
    int64_t sessions[4];
    int64_t last_session_id;
};

/* With a parent whose sequence is about to overflow, a container, and two sessions. */
static void begin(struct life *life)
{
    struct txn_world *world = &life->world;
    struct buffer body = {0};
    uint32_t id;

    *life = (struct life){.sessions = {7, 8}, .last_session_id = 8};
    txn_world_init(world);
    tree_session_add(world->tree, 8, 5000);
    txn_world_make(world, "/a");
    txn_world_make(world, "/full");
    put_create(&body, "/box", SLICE(""), MODE_CONTAINER);
    txn_world_must(world, OP_CREATE_CONTAINER, &body);
    buffer_deinit(&body);
    CHECK_I64("nearly full",
              tree_create(world->tree,
                          &(struct tree_create){.path = SLICE("/full/first"),
                                                .acl = OPEN_ACL,
                                                .zxid = world->proposed_zxid,
                                                .parent_cversion = INT32_MAX - 3},
                          &id),
              ZK_OK);
    outstanding_applied(world->outstanding, world->proposed_zxid);
}

/* Session 7 lives on; others come and go, each id once. */
static void session_comes_or_goes(struct life *life, uint64_t *seed)
{
    struct txn_world *world = &life->world;
    int64_t *place = &life->sessions[1 + random_below(seed, 3)];
    struct txn txn;

    if (*place == 0) {
        world->session_id = *place = ++life->last_session_id;
        struct prepare prepare = txn_world_prepare(world);
        prepare_create_session(&prepare, 1000 + random_below(seed, 1000), &txn);
        txn_world_queue(world, &txn);
    } else if (tree_session(world->tree, *place) != NULL) {
        world->session_id = *place;
        *place = 0;
        txn_world_propose(world, OP_CLOSE_SESSION, SLICE(""), &txn);
    }
}

static void janitor(struct txn_world *world, uint64_t *seed)
{
    static const char *const paths[] = {"/box", "/a", "/b", "/a/a", "/b/b", "/c/c", "/c"};
    struct prepare prepare = txn_world_prepare(world);
    struct slice path = slice_text(paths[random_below(seed, (int32_t)ARRAY_LEN(paths))]);
    struct txn txn;

    if (prepare_delete_container(&prepare, path, &txn) == ZK_OK)
        txn_world_queue(world, &txn);
}

static void propose_something(struct life *life, uint64_t *seed)
{
    struct txn_world *world = &life->world;
    struct buffer body = {0};
    struct txn txn;
    int32_t kind = random_below(seed, 40);

    world->time_ms += random_below(seed, 3);
    if (kind == 0) {
        session_comes_or_goes(life, seed);
    } else if (kind == 1) {
        janitor(world, seed);
    } else {
        world->session_id = life->sessions[random_below(seed, 4)];
        if (tree_session(world->tree, world->session_id) == NULL)
            world->session_id = 7;
        int32_t type = random_write(seed, &body);
        struct write_request request;
        struct slice bytes = arena_copy(&world->arena, buffer_slice(&body));
        struct prepare prepare = txn_world_prepare(world);
        if (write_request_read(type, bytes, world->rules.text_bytes_max, &world->arena, &request) ==
            STATUS_OK)
            prepare_write(&prepare, &request, &txn);
        else
            prepare_error(&prepare, ZK_MARSHALLING_ERROR, &txn);
        txn_world_queue(world, &txn);
    }
    buffer_deinit(&body);
}

PROPERTY(the_digest_that_is_foretold_is_the_digest_after_applying)
{
    struct life life;

    begin(&life);
    if (random_below(&seed, 2) == 0)
        txn_world_login(&life.world, "u:p");
    for (int turn = 0; turn < 150; turn++) {
        for (int32_t left = random_below(&seed, 12); left > 0; left--)
            propose_something(&life, &seed);
        /* txn_world_apply_one() holds each transaction's digest against the tree's. */
        int32_t most = (int32_t)life.world.payload_count + 1;
        for (int32_t left = random_below(&seed, most); left > 0; left--)
            txn_world_apply_one(&life.world, NULL);
        if (life.world.payload_count == 0)
            CHECK_U64("nothing is outstanding", outstanding_digest(life.world.outstanding),
                      tree_digest(life.world.tree));
    }
    txn_world_apply_all(&life.world);
    CHECK_U64("from scratch", tree_digest(life.world.tree),
              tree_digest_from_scratch(life.world.tree));
    txn_world_deinit(&life.world);
}

PROPERTY(what_is_foretold_of_a_node_is_what_it_becomes)
{
    static const char *const paths[] = {"/",    "/a",    "/b",   "/c",     "/a/a",       "/a/b",
                                        "/b/a", "/full", "/box", "/box/a", "/zookeeper", "/a/a/a"};
    struct life life;

    begin(&life);
    for (int turn = 0; turn < 60; turn++) {
        struct future_node foretold[ARRAY_LEN(paths)];
        for (int32_t left = random_below(&seed, 15); left > 0; left--)
            propose_something(&life, &seed);
        for (size_t i = 0; i < ARRAY_LEN(paths); i++)
            (void)outstanding_get(life.world.outstanding, slice_text(paths[i]), &foretold[i]);
        txn_world_apply_all(&life.world);
        for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
            struct future_node now;
            bool exists = outstanding_get(life.world.outstanding, slice_text(paths[i]), &now);
            CHECK_I64(paths[i], foretold[i].exists, exists);
            if (!exists)
                continue;
            CHECK(foretold[i].czxid == now.czxid && foretold[i].mzxid == now.mzxid &&
                  foretold[i].pzxid == now.pzxid && foretold[i].ctime == now.ctime &&
                  foretold[i].mtime == now.mtime && foretold[i].owner == now.owner);
            CHECK(foretold[i].version == now.version && foretold[i].cversion == now.cversion &&
                  foretold[i].aversion == now.aversion &&
                  foretold[i].child_count == now.child_count && foretold[i].acl == now.acl &&
                  foretold[i].data_bytes == now.data_bytes);
        }
    }
    txn_world_deinit(&life.world);
}
