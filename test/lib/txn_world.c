#include "test/lib/txn_world.h"

#include "test/lib/check.h"
#include "test/lib/requests.h"

void txn_world_init(struct txn_world *world)
{
    struct tree_options options = {.hash_seed = 42, .extended_types = true, .digest_enabled = true};

    *world = (struct txn_world){.tree = tree_new(&options), .session_id = 7, .time_ms = 1000};
    world->outstanding = outstanding_new(world->tree);
    world->rules =
        (struct prepare_rules){.acl = {.digest_enabled = true, .digest_algorithm = SLICE("SHA1")},
                               .reconfig_enabled = false,
                               .text_bytes_max = 2 * JUTE_MAXBUFFER_DEFAULT};
    world->identities = identities_new(SLICE("127.0.0.1"));
    arena_init(&world->arena);
    tree_session_add(world->tree, world->session_id, 4000);
}

static void forget_payload(struct txn_world *world)
{
    buffer_deinit(&world->payloads[0]);
    world->payload_count--;
    memmove(world->payloads, world->payloads + 1, world->payload_count * sizeof(*world->payloads));
}

void txn_world_deinit(struct txn_world *world)
{
    while (world->payload_count > 0)
        forget_payload(world);
    mem_free(world->payloads);
    identities_release(world->identities);
    outstanding_free(world->outstanding);
    tree_free(world->tree);
    arena_deinit(&world->arena);
}

struct prepare txn_world_prepare(struct txn_world *world)
{
    return (struct prepare){.tree = world->tree,
                            .outstanding = world->outstanding,
                            .rules = &world->rules,
                            .identities = world->identities,
                            .arena = &world->arena,
                            .header = {.client_id = world->session_id,
                                       .cxid = 5,
                                       .zxid = world->proposed_zxid + 1,
                                       .time_ms = world->time_ms}};
}

void txn_world_queue(struct txn_world *world, const struct txn *txn)
{
    struct buffer payload = {0};

    CHECK_I64("the next zxid", txn->header.zxid, world->proposed_zxid + 1);
    world->proposed_zxid++;
    txn_write(&payload, txn);
    if (txn->has_digest) {
        buffer_i32(&payload, 2);
        buffer_i64(&payload, txn->digest);
    }
    if (world->payload_count == world->payload_capacity) {
        world->payload_capacity = world->payload_capacity == 0 ? 16 : world->payload_capacity * 2;
        world->payloads =
            mem_realloc(world->payloads, world->payload_capacity * sizeof(*world->payloads));
    }
    world->payloads[world->payload_count++] = payload;
}

void txn_world_propose(struct txn_world *world, int32_t type, struct slice body,
                       struct txn *ret_txn)
{
    struct write_request request;
    struct prepare prepare = txn_world_prepare(world);

    CHECK_STATUS(write_request_read(type, arena_copy(&world->arena, body),
                                    world->rules.text_bytes_max, &world->arena, &request),
                 STATUS_OK);
    prepare_write(&prepare, &request, ret_txn);
    txn_world_queue(world, ret_txn);
}

void txn_world_apply_one(struct txn_world *world, struct txn_result *ret_result)
{
    struct txn txn;

    CHECK(world->payload_count > 0);
    struct slice payload = arena_copy(&world->arena, buffer_slice(&world->payloads[0]));
    forget_payload(world);
    CHECK_STATUS(txn_read(payload, &world->arena, &txn), STATUS_OK);
    txn_apply(world->tree, &txn, NULL, &world->arena, ret_result);
    outstanding_applied(world->outstanding, txn.header.zxid);
    CHECK(txn.has_digest == (txn.header.type != OP_ERROR));
    if (txn.has_digest)
        CHECK_U64("the digest after it", tree_digest(world->tree), (uint64_t)txn.digest);
}

void txn_world_apply_all(struct txn_world *world)
{
    while (world->payload_count > 0)
        txn_world_apply_one(world, NULL);
    CHECK_U64("nothing is outstanding", outstanding_digest(world->outstanding),
              tree_digest(world->tree));
    arena_reset(&world->arena);
}

int32_t txn_world_try(struct txn_world *world, int32_t type, struct buffer *body)
{
    struct txn txn;

    txn_world_propose(world, type, buffer_slice(body), &txn);
    int32_t err = txn.header.type == OP_ERROR ? txn.op.err : ZK_OK;
    txn_world_apply_all(world);
    body->size = 0;
    return err;
}

void txn_world_must(struct txn_world *world, int32_t type, struct buffer *body)
{
    CHECK_I64("must succeed", txn_world_try(world, type, body), ZK_OK);
}

void txn_world_make(struct txn_world *world, const char *path)
{
    struct buffer body = {0};

    put_create(&body, path, SLICE(""), MODE_PERSISTENT);
    txn_world_must(world, OP_CREATE, &body);
    buffer_deinit(&body);
}

void txn_world_login(struct txn_world *world, const char *user_and_password)
{
    CHECK(acl_authenticate(&world->rules.acl, SLICE("digest"), slice_text(user_and_password),
                           &world->arena, &world->identities) == AUTH_OK);
}

void txn_world_logout(struct txn_world *world)
{
    identities_release(world->identities);
    world->identities = identities_new(SLICE("127.0.0.1"));
}
