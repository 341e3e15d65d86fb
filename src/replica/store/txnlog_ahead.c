/* txnlog_ahead.c: reads, checks and decodes as many records as stand whole in one window, so that whoever
 * applies them can look ahead, and is not held up by it: there are two windows, one of them the side's. It also
 * makes the chunks of the znodes that come, so that the first writes to new memory are not the caller's.
 * It decides nothing: what is a record is said in txnlog_reader.c. */
#include "replica/store/txnlog_ahead.h"

#include "base/array.h"
#include "replica/tree/tree.h"

enum { RECORDS_FIRST = 256 };

static void add_record(struct txnlog_batch *batch, uint64_t offset, uint64_t end,
                       int64_t decode_after)
{
    batch->records =
        ARRAY_RESERVE(batch->records, batch->capacity, batch->count + 1, RECORDS_FIRST);
    struct txnlog_record *record = &batch->records[batch->count++];
    record->offset = offset;
    record->end = end;
    record->zxid = txnlog_payload_zxid(batch->spot.payload);
    record->has_trailer = txnlog_trailer_read(batch->spot.payload, &record->trailer);
    record->decoded = record->zxid <= decode_after
                          ? STATUS_END
                          : txn_read(batch->spot.payload, &batch->arena, &record->txn);
}

static void read_batch(struct txnlog_reader *reader, struct txnlog_batch *batch,
                       int64_t decode_after)
{
    batch->count = 0;
    do {
        uint64_t offset = reader->offset;
        batch->status = txnlog_reader_next(reader, &batch->spot);
        if (batch->status != STATUS_OK || batch->spot.found != TXNLOG_FOUND_RECORD)
            return;
        add_record(batch, offset, reader->offset, decode_after);
    } while (txnlog_reader_has_next(reader));
}

/* Neither window holds what the other one held. */
static void exchange_windows(struct txnlog_reader *reader, struct txnlog_batch *batch)
{
    struct buffer window = reader->window;

    reader->window = batch->window;
    reader->window.size = 0;
    batch->window = window;
}

/* The work of the side. */
static void read_next(void *argument)
{
    struct txnlog_ahead *ahead = argument;
    struct txnlog_batch *batch = &ahead->batches[ahead->next];

    arena_reset(&batch->arena);
    exchange_windows(ahead->reader, batch);
    read_batch(ahead->reader, batch, ahead->decode_after);
    exchange_windows(ahead->reader, batch);
    while (batch->chunk_count < ahead->chunks_wanted)
        batch->chunks[batch->chunk_count++] = tree_chunk_new();
}

static void begin_next(struct txnlog_ahead *ahead)
{
    ahead->reading = true;
    if (ahead->side == NULL)
        read_next(ahead);
    else
        ahead->side->begin(ahead->side, read_next, ahead);
}

static void wait_next(struct txnlog_ahead *ahead)
{
    if (ahead->reading && ahead->side != NULL)
        ahead->side->wait(ahead->side);
    ahead->reading = false;
}

void txnlog_ahead_begin(struct txnlog_ahead *ahead, struct txnlog_reader *reader)
{
    ASSERT(ahead->reader == NULL);
    ahead->reader = reader;
    begin_next(ahead);
}

struct txnlog_batch *txnlog_ahead_next(struct txnlog_ahead *ahead, uint32_t chunks_wanted)
{
    ASSERT(ahead->reading);
    wait_next(ahead);
    struct txnlog_batch *batch = &ahead->batches[ahead->next];
    if (batch->status == STATUS_OK && batch->spot.found == TXNLOG_FOUND_RECORD) {
        ahead->next = 1 - ahead->next;
        ahead->chunks_wanted =
            chunks_wanted < TXNLOG_BATCH_CHUNKS ? chunks_wanted : TXNLOG_BATCH_CHUNKS;
        begin_next(ahead);
    }
    return batch;
}

void txnlog_ahead_end(struct txnlog_ahead *ahead)
{
    wait_next(ahead);
    ahead->reader = NULL;
}

void txnlog_ahead_deinit(struct txnlog_ahead *ahead)
{
    ASSERT(ahead->reader == NULL);
    for (size_t i = 0; i < 2; i++) {
        buffer_deinit(&ahead->batches[i].window);
        arena_deinit(&ahead->batches[i].arena);
        mem_free(ahead->batches[i].records);
        for (uint32_t j = 0; j < ahead->batches[i].chunk_count; j++)
            mem_free(ahead->batches[i].chunks[j]);
    }
}
