/* txnlog_reader.h: the records of one log file, in order, and what the bytes after the last one look like.
 *
 * It checks frames and checksums only; what a break in the records means is decided in log_break.c. */
#ifndef REPLICA_STORE_TXNLOG_READER_H
#define REPLICA_STORE_TXNLOG_READER_H

#include "base/disk.h"
#include "replica/store/txnlog_format.h"

struct txnlog_reader {
    struct disk *disk;
    struct disk_file *file;
    uint64_t file_bytes;
    size_t payload_bytes_max;
    uint64_t offset; /* of the next record, or of the place where there is none */
    uint64_t window_offset;
    struct buffer window;
};

/* STATUS_OK also for a file with a bad header: see txnlog_reader_header(). */
MUST_USE enum status txnlog_reader_open(struct txnlog_reader *ret_reader, struct disk *disk,
                                        const char *name, size_t payload_bytes_max);
void txnlog_reader_close(struct txnlog_reader *reader);

enum txnlog_header {
    TXNLOG_HEADER_GOOD,
    TXNLOG_HEADER_UNWRITTEN, /* shorter than a header, or zeros: its first write never arrived */
    TXNLOG_HEADER_FOREIGN    /* something else stands there */
};
/* To be called once, before the first record. */
MUST_USE enum status txnlog_reader_header(struct txnlog_reader *reader,
                                          enum txnlog_header *ret_header);

enum txnlog_found {
    TXNLOG_FOUND_RECORD,
    TXNLOG_FOUND_END,    /* nothing but zeros from offset on */
    TXNLOG_FOUND_TORN,   /* no record, and parts of it are missing as after a power loss */
    TXNLOG_FOUND_DAMAGED /* no record, and no part of it is missing */
};
struct txnlog_spot {
    enum txnlog_found found;
    struct slice payload; /* of a record; valid until the next call */
    const char *reason;   /* of TORN and DAMAGED: "wrong checksum" */
};
MUST_USE enum status txnlog_reader_next(struct txnlog_reader *reader, struct txnlog_spot *ret_spot);
/* The next call finds all its bytes in the window, which stays: payloads that were given out stay valid. */
bool txnlog_reader_has_next(const struct txnlog_reader *reader);

/* Searches all bytes from `offset` on for whole records. */
struct txnlog_evidence {
    uint64_t records;
    int64_t first_zxid;   /* of the first record found */
    bool java;            /* one of the files is Java's: it has no trailer of ours */
    bool unknown;         /* the same, but all its records are such as get no trailer here either */
    int64_t durable_zxid; /* the highest that a trailer names */
    uint64_t data_end;    /* after the last byte of the file that is not zero; >= offset */
};
/* Adds to *evidence, except data_end. Moves the reader. */
MUST_USE enum status txnlog_reader_search(struct txnlog_reader *reader, uint64_t offset,
                                          struct txnlog_evidence *evidence);

#endif
