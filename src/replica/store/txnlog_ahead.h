/* txnlog_batch.h: the records of one log file in batches. All records of a batch have been checked, and
 * their payloads are valid together. */
#ifndef REPLICA_STORE_TXNLOG_BATCH_H
#define REPLICA_STORE_TXNLOG_BATCH_H

#include "replica/store/txnlog_reader.h"

struct txnlog_record {
    struct slice payload; /* in the reader's window: valid until the reader is used again */
    uint64_t offset, end; /* in the file: where its frame begins and ends */
    bool has_trailer;     /* of ours */
    struct txnlog_trailer trailer;
};

struct txnlog_batch { /* zeroed: empty */
    struct txnlog_record *records;
    size_t count, capacity;
    /* What stands behind the records. A RECORD: the next batch goes on there. */
    struct txnlog_spot spot;
};

/* From the reader's offset on; the batch is used again. Errors are the disk's; the records in front of
 * the error are there. */
MUST_USE enum status txnlog_batch_read(struct txnlog_batch *batch, struct txnlog_reader *reader);
void txnlog_batch_deinit(struct txnlog_batch *batch);

#endif
