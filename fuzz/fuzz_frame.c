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
 * After a step everybody has room again for the answers that were held, unless its byte has bit 6;
 * and the turn ends, unless its byte has bit 7.
 *
 * Checked throughout: what the driver asserts (whole frames, to connected clients, zxids that follow
 * each other, ...), at most one answer a request, every appended transaction can be read, and
 * replaying the log gives the replica's own tree. */
#include "replica/txn/txn.h"
#include "sim/driver.h"
#include "wire/zk.h"

enum { CLIENTS = 4, TIMEOUT_MS = 4000, FRAME_BYTES_MAX = 0xfffff };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
    struct driver driver;
    struct tree *twin;                          /* what the log alone gives */
    size_t replayed;                            /* records that the twin has */
    uint64_t asked[CLIENTS], answered[CLIENTS]; /* by this connection */
};

static void take_record(struct world *world, const struct driver_record *record)
{
    struct arena arena;
    struct txn txn;

    arena_init(&arena);
    ASSERT(txn_read(buffer_slice(&record->payload), &arena, &txn) == STATUS_OK);
    ASSERT(txn.header.zxid == record->zxid);
    txn_apply(world->twin, &txn, NULL, &arena, NULL);
    if (txn.has_digest)
        ASSERT((uint64_t)txn.digest == tree_digest(world->twin));
    arena_deinit(&arena);
}

static void read_mail(struct world *world, uint32_t which)
{
    struct slice frame;

    while (driver_next_frame(&world->driver, which, &frame)) {
        if ((int32_t)load_be32(frame.data) != XID_NOTIFICATION)
            world->answered[which]++;
    }
    ASSERT(world->answered[which] <= world->asked[which]);
}

static void end_turn(struct world *world)
{
    struct driver *driver = &world->driver;

    driver_end_turn(driver);
    for (; world->replayed < driver->record_count; world->replayed++)
        take_record(world, &driver->records[world->replayed]);
    for (uint32_t i = 0; i < CLIENTS; i++)
        read_mail(world, i);
}

static void sync_log(struct world *world)
{
    end_turn(world);
    driver_sync(&world->driver);
}

static void send_frame(struct world *world, uint32_t which, struct slice frame)
{
    world->asked[which]++;
    driver_frame(&world->driver, which, frame);
}

static void connect_client(struct world *world, uint32_t which)
{
    end_turn(world); /* its number may have been used in this one */
    driver_open(&world->driver, which);
    world->asked[which] = world->answered[which] = 0;
}

static void shake_hands(struct world *world, uint32_t which, int64_t session_id)
{
    world->asked[which]++;
    driver_shake(&world->driver, which, session_id, TIMEOUT_MS);
    sync_log(world);
}

static void lose_client(struct world *world, uint32_t which)
{
    if (world->driver.clients[which].open)
        driver_gone(&world->driver, which);
}

/* Until there is room for all of it. */
static void make_room(struct world *world)
{
    for (uint32_t i = 0; i < CLIENTS; i++) {
        while (world->driver.clients[i].held) {
            driver_ready(&world->driver, i);
            end_turn(world);
        }
    }
}

static void write_image(struct world *world)
{
    struct driver *driver = &world->driver;

    if (!driver->image_running) {
        replica_request_snapshot(driver->replica);
        driver_jump(driver, 0);
        end_turn(world);
    }
    (void)driver_image_next(driver, 64);
}

static void take_frame(struct world *world, uint32_t which, bool raw, struct slice frame)
{
    if (!world->driver.clients[which].open) {
        connect_client(world, which);
        if (!raw)
            shake_hands(world, which, 0);
    }
    if (world->driver.clients[which].open)
        send_frame(world, which, frame);
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
            driver_jump(&world->driver, (int64_t)read_u16(&at, end));
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
            shake_hands(world, which, world->driver.clients[which].session_id);
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
        if ((byte & 0x80) == 0)
            end_turn(world);
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
    struct driver_options driver_options = {.turn_by_hand = true, .room_by_hand = true};
    struct world world = {.twin = tree_new(&tree_options)};
    struct driver *driver = &world.driver;

    driver_init(driver, &driver_options, &options, tree_new(&tree_options));
    run(&world, data, data + size);
    for (uint32_t i = 0; i < CLIENTS; i++)
        lose_client(&world, i);
    end_turn(&world);
    const struct tree *tree = replica_tree(driver->replica);
    while (tree_last_zxid(tree) < driver->appended_zxid) {
        int64_t before = tree_last_zxid(tree);
        sync_log(&world);
        end_turn(&world);
        ASSERT(tree_last_zxid(tree) > before);
    }
    ASSERT(tree_digest(tree) == tree_digest(world.twin));
    ASSERT(tree_node_count(tree) == tree_node_count(world.twin));
    ASSERT(tree_session_count(tree) == tree_session_count(world.twin));
    ASSERT(tree_ephemeral_count(tree) == tree_ephemeral_count(world.twin));
    driver_deinit(driver);
    tree_free(world.twin);
    return 0;
}
