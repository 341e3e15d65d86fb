/* txnlog_batch.c: reads and checks as many records as stand whole in one window, so that whoever applies
 * them can look ahead. It decides nothing: what is a record is said in txnlog_reader.c. */
#include "replica/store/txnlog_batch.h"

#include "base/array.h"

enum { RECORDS_FIRST = 256 };

enum status txnlog_batch_read(struct txnlog_batch *batch, struct txnlog_reader *reader)
{
    batch->count = 0;
    do {
        uint64_t offset = reader->offset;
        enum status status = txnlog_reader_next(reader, &batch->spot);
        if (status != STATUS_OK || batch->spot.found != TXNLOG_FOUND_RECORD)
            return status;
        batch->records =
            ARRAY_RESERVE(batch->records, batch->capacity, batch->count + 1, RECORDS_FIRST);
        struct txnlog_record *record = &batch->records[batch->count++];
        record->payload = batch->spot.payload;
        record->offset = offset;
        record->end = reader->offset;
        record->has_trailer = txnlog_trailer_read(record->payload, &record->trailer);
    } while (txnlog_reader_has_next(reader));
    return STATUS_OK;
}

void txnlog_batch_deinit(struct txnlog_batch *batch)
{
    mem_free(batch->records);
    *batch = (struct txnlog_batch){0};
}
