/* fuzz_frame.c: clients that send anything, to a whole replica, in any order with time, syncs and
 * lost connections.
 *
 * The input is a list of steps. One byte: step = byte & 7, client = byte >> 3 & 3.
 *   0 1 2  a frame: two bytes of length, then its payload. A client that is not connected is
 *          connected first, and shakes hands unless the byte has bit 5
 *   3      time passes: two bytes of ms
 *   4      the log is durable
 *   5      the client's connection is lost
 *   6      the client reconnects to its session with the right password
 *   7      a snapshot is written, or the next part of it
 * After a step everybody has room again for the answers that were held, unless its byte has bit 6.
 *
 * Checked throughout: effects are whole frames to connected clients, at most one answer a request,
 * every appended transaction can be read, and replaying the log gives the replica's own tree. */
#include "base/arena.h"
#include "replica/replica.h"
#include "replica/txn/txn.h"

enum { CLIENTS = 4, TIMEOUT_MS = 4000, FRAME_BYTES_MAX = 0xfffff };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz_client {
    bool open;
    int64_t session_id;
    bool shaken;
    bool held; /* more answers come at REPLICA_CLIENT_READY */
};

struct world {
    struct replica *replica;
    struct tree *twin; /* what the log alone gives */
    struct effects effects;
    struct fuzz_client clients[CLIENTS];
    int64_t now_ms, appended_zxid;
    bool imaging;
};

static void carry_out(struct world *world);

static void step(struct world *world, struct replica_event event)
{
    event.now_ms = world->now_ms;
    event.wall_ms = 1700000000000 + world->now_ms;
    replica_step(world->replica, &event, &world->effects);
    carry_out(world);
}

static void take_append(struct world *world, const struct txnlog_append *append)
{
    struct arena arena;
    struct txn txn;

    ASSERT(append->zxid > world->appended_zxid);
    world->appended_zxid = append->zxid;
    arena_init(&arena);
    ASSERT(txn_read(append->payload, &arena, &txn) == STATUS_OK);
    ASSERT(txn.header.zxid == append->zxid);
    txn_apply(world->twin, &txn, NULL, &arena, NULL);
    if (txn.has_digest)
        ASSERT((uint64_t)txn.digest == tree_digest(world->twin));
    arena_deinit(&arena);
}

static void take_sent(struct world *world, const struct client_effect *effect)
{
    struct fuzz_client *client = &world->clients[effect->client];
    struct slice bytes = slice_of(world->effects.bytes.data + effect->offset, effect->size);

    ASSERT(client->open);
    ASSERT(effect->offset + effect->size <= world->effects.bytes.size);
    while (bytes.size > 0) {
        ASSERT(bytes.size >= 4);
        size_t frame = load_be32(bytes.data);
        ASSERT(frame <= bytes.size - 4);
        if (!client->shaken) {
            ASSERT(frame == 36 || frame == 37);
            client->session_id = (int64_t)load_be64(bytes.data + 12);
            client->shaken = true;
        } else {
            ASSERT(frame >= REPLY_HEADER_BYTES);
        }
        bytes = slice_of(bytes.data + 4 + frame, bytes.size - 4 - frame);
    }
}

static void take_hold(struct fuzz_client *client)
{
    ASSERT(client->open && !client->held);
    client->held = true;
}

static void carry_out(struct world *world)
{
    struct effects *effects = &world->effects;
    bool closed[CLIENTS] = {false};

    for (size_t i = 0; i < effects->append_count; i++)
        take_append(world, &effects->appends[i]);
    for (size_t i = 0; i < effects->client_count; i++) {
        const struct client_effect *effect = &effects->clients[i];
        ASSERT(effect->client < CLIENTS);
        ASSERT(!closed[effect->client]);
        if (effect->kind == CLIENT_SEND)
            take_sent(world, effect);
        else if (effect->kind == CLIENT_CLOSE)
            closed[effect->client] = true;
        else if (effect->kind == CLIENT_HOLD)
            take_hold(&world->clients[effect->client]);
    }
    if (effects->snapshot_begin)
        world->imaging = true;
    effects_clear(effects);
    for (uint32_t i = 0; i < CLIENTS; i++) {
        if (!closed[i])
            continue;
        world->clients[i].open = world->clients[i].held = false;
        step(world, (struct replica_event){.kind = REPLICA_CLIENT_CLOSED, .client = i});
    }
}

static void sync_log(struct world *world)
{
    step(world, (struct replica_event){.kind = REPLICA_LOG_SYNCED, .zxid = world->appended_zxid});
}

static void connect_client(struct world *world, uint32_t which)
{
    world->clients[which].open = true;
    world->clients[which].shaken = false;
    step(world, (struct replica_event){
                    .kind = REPLICA_CLIENT_OPENED, .client = which, .address = SLICE("127.0.0.1")});
}

static void shake_hands(struct world *world, uint32_t which, int64_t session_id)
{
    uint8_t password[PASSWORD_BYTES];
    struct buffer frame = {0};

    zk_session_password(session_id, password);
    struct connect_request request = {.timeout_ms = TIMEOUT_MS,
                                      .session_id = session_id,
                                      .password = slice_of(password, PASSWORD_BYTES)};
    connect_request_write(&frame, &request);
    jute_put_bool(&frame, false);
    step(world, (struct replica_event){
                    .kind = REPLICA_CLIENT_FRAME, .client = which, .bytes = buffer_slice(&frame)});
    buffer_deinit(&frame);
    sync_log(world);
}

static void lose_client(struct world *world, uint32_t which)
{
    if (!world->clients[which].open)
        return;
    world->clients[which].open = world->clients[which].held = false;
    step(world, (struct replica_event){.kind = REPLICA_CLIENT_CLOSED, .client = which});
}

static void make_room(struct world *world)
{
    for (uint32_t i = 0; i < CLIENTS; i++) {
        while (world->clients[i].held) {
            world->clients[i].held = false;
            step(world, (struct replica_event){.kind = REPLICA_CLIENT_READY, .client = i});
        }
    }
}

static void write_image(struct world *world)
{
    struct buffer out = {0};

    if (!world->imaging) {
        replica_request_snapshot(world->replica);
        step(world, (struct replica_event){.kind = REPLICA_TICK});
    }
    if (world->imaging && replica_snapshot_next(world->replica, &out, 64) == IMAGE_END) {
        world->imaging = false;
        step(world, (struct replica_event){.kind = REPLICA_SNAPSHOT_DONE});
    }
    buffer_deinit(&out);
}

static void take_frame(struct world *world, uint32_t which, bool raw, struct slice frame)
{
    if (!world->clients[which].open) {
        connect_client(world, which);
        if (!raw)
            shake_hands(world, which, 0);
    }
    if (world->clients[which].open)
        step(world,
             (struct replica_event){.kind = REPLICA_CLIENT_FRAME, .client = which, .bytes = frame});
}

static size_t read_u16(const uint8_t **at, const uint8_t *end)
{
    size_t value = 0;

    for (int i = 0; i < 2 && *at < end; i++)
        value = value << 8 | *(*at)++;
    return value;
}

static void run(struct world *world, const uint8_t *at, const uint8_t *end)
{
    while (at < end) {
        uint8_t byte = *at++;
        uint32_t which = byte >> 3 & 3;
        size_t number;
        switch (byte & 7) {
        case 3:
            world->now_ms += (int64_t)read_u16(&at, end);
            step(world, (struct replica_event){.kind = REPLICA_TICK});
            break;
        case 4:
            sync_log(world);
            break;
        case 5:
            lose_client(world, which);
            break;
        case 6:
            lose_client(world, which);
            connect_client(world, which);
            shake_hands(world, which, world->clients[which].session_id);
            break;
        case 7:
            write_image(world);
            break;
        default:
            number = read_u16(&at, end);
            if (number > (size_t)(end - at))
                number = (size_t)(end - at);
            take_frame(world, which, (byte & 0x20) != 0, slice_of(at, number));
            at += number;
        }
        if ((byte & 0x40) == 0)
            make_room(world);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tree_options tree_options = {
        .hash_seed = 7, .extended_types = size % 2 == 0, .digest_enabled = true};
    struct replica_options options = {.tick_ms = 1000,
                                      .session_timeout_min_ms = 2000,
                                      .session_timeout_max_ms = 20000,
                                      .server_id = 1,
                                      .session_seed_ms = 1700000000000,
                                      .random_seed = 1,
                                      .text_bytes_max = 2 * FRAME_BYTES_MAX,
                                      .enforce_quota = true,
                                      .digest_auth_enabled = true,
                                      .digest_algorithm = SLICE("SHA1"),
                                      .super_digest = SLICE("super:lK75jTNcA+U9vtVEw5vB51mj/w4="),
                                      .outstanding_max = 50,
                                      .container_check_interval_ms = 5000,
                                      .container_per_minute_max = 100,
                                      .snap_count = 100};
    struct world world = {.twin = tree_new(&tree_options), .now_ms = 1000};

    world.replica = replica_new(&options, tree_new(&tree_options), world.now_ms);
    run(&world, data, data + size);
    for (uint32_t i = 0; i < CLIENTS; i++)
        lose_client(&world, i);
    while (tree_last_zxid(replica_tree(world.replica)) < world.appended_zxid) {
        int64_t before = tree_last_zxid(replica_tree(world.replica));
        sync_log(&world);
        ASSERT(tree_last_zxid(replica_tree(world.replica)) > before);
    }
    const struct tree *tree = replica_tree(world.replica);
    ASSERT(tree_digest(tree) == tree_digest(world.twin));
    ASSERT(tree_node_count(tree) == tree_node_count(world.twin));
    ASSERT(tree_session_count(tree) == tree_session_count(world.twin));
    ASSERT(tree_ephemeral_count(tree) == tree_ephemeral_count(world.twin));
    replica_free(world.replica);
    tree_free(world.twin);
    effects_deinit(&world.effects);
    return 0;
}
