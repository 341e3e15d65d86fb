/* Batches that are read ahead hold what the reader finds one by one, wherever the windows end. */
#include "replica/store/txnlog_ahead.h"

#include "io/side_thread.h"
#include "replica/store/txnlog.h"
#include "sim/disk.h"
#include "test/lib/check.h"
#include "test/lib/late_side.h"
#include "test/lib/store_world.h"

#include <stdio.h>

enum { RECORDS = 1500, LARGE_BYTES = 600 * 1024, PAYLOAD_BYTES_MAX = 4 * 1024 * 1024 };

/* A log of several windows, with records that are larger than one. */
static struct sim_disk *make_log(struct store_world *world, uint64_t *seed)
{
    static const struct txnlog_options options = {
        .prealloc_bytes = 4096, .force_sync = true, .digest_enabled = true};
    struct sim_disk *sim = sim_disk_new(*seed);
    struct txnlog_writer *writer =
        txnlog_writer_new(sim_disk(sim), &options, &(struct txnlog_position){.last_zxid = 0});
    uint8_t *large = mem_zalloc(LARGE_BYTES);

    world->data_bytes_max = 3000;
    for (int i = 0; i < RECORDS; i++) {
        char path[32];
        (void)snprintf(path, sizeof(path), "/large%d", i);
        struct txnlog_append append =
            random_below(seed, 300) == 0
                ? world_create(world, path,
                               slice_of(large, (size_t)random_below(seed, LARGE_BYTES)))
                : world_next(world);
        CHECK_STATUS(txnlog_writer_append(writer, &append, 1), STATUS_OK);
    }
    CHECK_STATUS(txnlog_writer_sync(writer), STATUS_OK);
    txnlog_writer_free(writer);
    mem_free(large);
    return sim;
}

static void open_reader(struct sim_disk *sim, struct txnlog_reader *ret_reader)
{
    enum txnlog_header header;

    CHECK_STATUS(txnlog_reader_open(ret_reader, sim_disk(sim), "log.1", PAYLOAD_BYTES_MAX),
                 STATUS_OK);
    CHECK_STATUS(txnlog_reader_header(ret_reader, &header), STATUS_OK);
    CHECK(header == TXNLOG_HEADER_GOOD);
}

static void check_record(const struct txnlog_record *got, const struct txnlog_spot *want,
                         uint64_t offset, uint64_t end, int64_t decode_after)
{
    struct buffer again = {0};
    struct txnlog_trailer trailer;

    CHECK(want->found == TXNLOG_FOUND_RECORD);
    CHECK_U64("offset", got->offset, offset);
    CHECK_U64("end", got->end, end);
    CHECK_I64("zxid", got->zxid, txnlog_payload_zxid(want->payload));
    CHECK(got->has_trailer == txnlog_trailer_read(want->payload, &trailer));
    CHECK(!got->has_trailer || memcmp(&got->trailer, &trailer, sizeof(trailer)) == 0);
    if (got->zxid <= decode_after) {
        CHECK_STATUS(got->decoded, STATUS_END);
        return;
    }
    CHECK_STATUS(got->decoded, STATUS_OK);
    txn_write(&again, &got->txn);
    CHECK_SLICE("transaction", buffer_slice(&again), slice_of(want->payload.data, again.size));
    buffer_deinit(&again);
}

/* Both read the same log: in batches, and record by record. */
static void check_same_records(struct sim_disk *sim, struct side_work *side, size_t *ret_batches)
{
    struct txnlog_ahead ahead = {.side = side, .decode_after = RECORDS / 3};
    struct txnlog_reader reader, plain;
    const struct txnlog_batch *batch;
    struct txnlog_spot want;

    open_reader(sim, &reader);
    open_reader(sim, &plain);
    *ret_batches = 0;
    txnlog_ahead_begin(&ahead, &reader);
    do {
        batch = txnlog_ahead_next(&ahead, 0);
        ++*ret_batches;
        CHECK_STATUS(batch->status, STATUS_OK);
        for (size_t i = 0; i < batch->count; i++) {
            uint64_t offset = plain.offset;
            CHECK_STATUS(txnlog_reader_next(&plain, &want), STATUS_OK);
            check_record(&batch->records[i], &want, offset, plain.offset, ahead.decode_after);
        }
    } while (batch->spot.found == TXNLOG_FOUND_RECORD);
    CHECK_STATUS(txnlog_reader_next(&plain, &want), STATUS_OK);
    CHECK_I64("what ends the log", batch->spot.found, want.found);
    txnlog_ahead_end(&ahead);
    CHECK_U64("offset", reader.offset, plain.offset);
    /* The reader goes on as if it had been read record by record. */
    CHECK_STATUS(txnlog_reader_next(&reader, &want), STATUS_OK);
    CHECK(want.found != TXNLOG_FOUND_RECORD);
    txnlog_reader_close(&reader);
    txnlog_reader_close(&plain);
    txnlog_ahead_deinit(&ahead);
}

PROPERTY(batches_hold_the_records_of_the_log_in_order_up_to_its_end_or_its_damage)
{
    struct side_work *thread = side_thread_new();
    struct store_world world;
    size_t batches;

    world_init(&world, seed);
    struct sim_disk *sim = make_log(&world, &seed);
    for (int damage = 0; damage < 2; damage++) {
        check_same_records(sim, NULL, &batches);
        CHECK(batches > 4 || damage > 0);
        check_same_records(sim, test_late_side(), &batches);
        check_same_records(sim, thread, &batches);
        size_t size = sim_disk_bytes(sim, "log.1").size;
        sim_disk_flip(sim, "log.1",
                      TXNLOG_HEADER_BYTES + (size_t)random_below(&seed, (int32_t)size / 2), 0x40);
    }
    sim_disk_free(sim);
    world_deinit(&world);
    side_thread_free(thread);
}

TEST(a_batch_brings_as_many_chunks_as_were_asked_for_with_the_one_before_it)
{
    static const uint32_t asked[] = {2, 0, 1, 100, 3},
                          brought[] = {0, 2, 0, 1, TXNLOG_BATCH_CHUNKS};
    struct store_world world;
    struct txnlog_ahead ahead = {.side = test_late_side()};
    struct txnlog_reader reader;
    uint64_t seed = 7;

    world_init(&world, seed);
    struct sim_disk *sim = make_log(&world, &seed);
    struct tree *tree = tree_new(&(struct tree_options){.digest_enabled = true});
    open_reader(sim, &reader);
    txnlog_ahead_begin(&ahead, &reader);
    for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++) {
        struct txnlog_batch *batch = txnlog_ahead_next(&ahead, asked[i]);
        CHECK(batch->spot.found == TXNLOG_FOUND_RECORD);
        CHECK_U64("chunks", batch->chunk_count, brought[i]);
        uint32_t room = tree_room(tree);
        while (batch->chunk_count > 0)
            tree_chunk_add(tree, batch->chunks[--batch->chunk_count]);
        CHECK_U64("room", tree_room(tree), room + brought[i] * TREE_CHUNK_NODES);
    }
    txnlog_ahead_end(&ahead);
    txnlog_reader_close(&reader);
    txnlog_ahead_deinit(&ahead); /* it frees the three that nobody took */
    tree_free(tree);
    sim_disk_free(sim);
    world_deinit(&world);
}

TEST(a_reader_that_is_taken_back_early_stands_behind_a_whole_batch)
{
    struct store_world world;
    struct txnlog_ahead ahead = {.side = test_late_side()};
    struct txnlog_reader reader;
    struct txnlog_spot spot;
    uint64_t seed = 5;

    world_init(&world, seed);
    struct sim_disk *sim = make_log(&world, &seed);
    open_reader(sim, &reader);
    txnlog_ahead_begin(&ahead, &reader);
    const struct txnlog_batch *batch = txnlog_ahead_next(&ahead, 0);
    CHECK(batch->count > 0 && batch->spot.found == TXNLOG_FOUND_RECORD);
    uint64_t end = batch->records[batch->count - 1].end;
    txnlog_ahead_end(&ahead);
    CHECK(reader.offset > end);
    CHECK_STATUS(txnlog_reader_next(&reader, &spot), STATUS_OK);
    CHECK(spot.found == TXNLOG_FOUND_RECORD);
    txnlog_reader_close(&reader);
    txnlog_ahead_deinit(&ahead);
    sim_disk_free(sim);
    world_deinit(&world);
}
