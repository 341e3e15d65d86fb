/* txnlog_ahead.h: the transactions of one log file, read in batches, each while the caller works on the one
 * before it. A batch can bring memory for the znodes that its transactions create (tree_chunk_new()). */
#ifndef REPLICA_STORE_TXNLOG_AHEAD_H
#define REPLICA_STORE_TXNLOG_AHEAD_H

#include "base/arena.h"
#include "base/side_work.h"
#include "replica/store/txnlog_reader.h"
#include "replica/txn/txn.h"

struct txnlog_record {
    uint64_t offset, end; /* in the file: where its frame begins and ends */
    int64_t zxid;
    bool has_trailer; /* of ours */
    struct txnlog_trailer trailer;
    enum status decoded; /* txn_read()'s answer; END: nobody wants it */
    struct txn txn;      /* when OK */
};

enum { TXNLOG_BATCH_CHUNKS = 8 }; /* a batch brings no more */

/* All of it is valid until the next one is asked for. */
struct txnlog_batch {
    struct txnlog_record *records;
    size_t count, capacity;
    struct txnlog_spot spot; /* what stands behind the records; a RECORD: there are more batches */
    enum status status;      /* the disk's; the records in front of the error are there */
    struct buffer window;
    struct arena arena;
    struct znode *chunks[TXNLOG_BATCH_CHUNKS]; /* whoever takes one counts chunk_count down */
    uint32_t chunk_count;
};

struct txnlog_ahead { /* zeroed, but for the first two */
    struct side_work *side;
    int64_t decode_after;         /* records up to this zxid are checked, and not decoded */
    struct txnlog_reader *reader; /* NULL: no file is open */
    struct txnlog_batch batches[2];
    uint32_t chunks_wanted; /* of the batch that is being read */
    uint32_t next;          /* the batch that is being read, or was read last */
    bool reading;           /* it was begun, and not yet waited for */
};

/* From the reader's offset on. The reader is this one's until txnlog_ahead_end(). */
void txnlog_ahead_begin(struct txnlog_ahead *ahead, struct txnlog_reader *reader);
/* The next batch. Not behind the last one. The batch behind that one brings as many chunks as are wanted, up
 * to TXNLOG_BATCH_CHUNKS; those that the caller does not take stay for a later batch. */
struct txnlog_batch *txnlog_ahead_next(struct txnlog_ahead *ahead, uint32_t chunks_wanted);
/* The reader is the caller's again, and stands behind the last batch that was read. */
void txnlog_ahead_end(struct txnlog_ahead *ahead);
void txnlog_ahead_deinit(struct txnlog_ahead *ahead);

#endif
