/* txnlog_format.h: the bytes of a transaction log: file header, record frame, trailer.
 *
 * Java's format, readable by Java:
 *     file    = "ZKLG" int 2, long 0, then records, then zeros
 *     record  = long Adler-32 of the payload, int size, payload, 0x42
 *     payload = TxnHeader, body, digest (12 bytes), and what Java does not look at: our trailer
 *     trailer = long prev_zxid, long durable_zxid, int link, int check          (24 bytes)
 * prev_zxid is the record before this one. durable_zxid is the highest zxid that was known to be on disk
 * when this record was written. link connects all records of one history. check is the CRC-32 of the
 * payload before it: it distinguishes our records from Java's, and is more reliable than Adler-32 for
 * short ones. Java's error records have no digest. Here they get the digest of the record before, for
 * an error changes nothing. Where that is not known, and in any other record without a digest, it is
 * one of version 0: Java compares nothing and counts no mismatch, but now and then it logs that the
 * version is not its own (tried with 3.8.0).
 * docs/protocol.md, "The transaction log". */
#ifndef REPLICA_STORE_TXNLOG_FORMAT_H
#define REPLICA_STORE_TXNLOG_FORMAT_H

#include "base/buffer.h"

enum {
    TXNLOG_MAGIC = 0x5a4b4c47, /* "ZKLG" */
    TXNLOG_HEADER_BYTES = 16,
    TXNLOG_RECORD_HEAD_BYTES = 12, /* checksum and size */
    TXNLOG_RECORD_END = 0x42,
    TXNLOG_TRAILER_BYTES = 24,
    TXNLOG_PAYLOAD_BYTES_MIN = 32,          /* a TxnHeader */
    TXNLOG_PAYLOAD_BYTES_MAX = 2 * 0xfffff, /* what Java reads with its default limits */
    TXNLOG_NAME_BYTES_MAX = 32,
};

/* What the trailer of the next record says of the record before it. */
struct txnlog_position {
    int64_t last_zxid; /* of the record before; of the snapshot when there is none */
    uint32_t link;     /* of the record before; 0 when it has no trailer of ours */
    bool digest_known; /* the tree's, after the record before: */
    int64_t digest;
};

struct txnlog_trailer {
    int64_t prev_zxid, durable_zxid;
    uint32_t link;
    uint32_t crc; /* of the payload before the link */
};

/* The longest payload, without our trailer, that a reader of the log accepts. text_bytes_max:
 * jute.maxbuffer + extrasize; 0: Java's default. */
size_t txnlog_payload_bytes_max(size_t text_bytes_max);

void txnlog_header_write(struct buffer *out);

/* What comes between a payload and the trailer. */
enum txnlog_digest {
    TXNLOG_DIGEST_THERE,   /* nothing: the payload ends with its digest */
    TXNLOG_DIGEST_LACKING, /* the payload ends with its body: see above */
    TXNLOG_DIGEST_OFF      /* digests are switched off: one with version 0 */
};
/* Will the record have a trailer? Not where it would make the record longer than `payload_bytes_max`, which
 * Java could not read; and not after a closeSession without a body, where any byte would be read as one. */
bool txnlog_record_gets_trailer(struct slice payload, enum txnlog_digest digest,
                                size_t payload_bytes_max);
/* One framed record. */
void txnlog_record_write(struct buffer *out, struct slice payload, enum txnlog_digest digest,
                         int64_t zxid, int64_t durable_zxid, size_t payload_bytes_max,
                         struct txnlog_position *position);

/* False: the payload carries no trailer of ours (Java wrote it). */
bool txnlog_trailer_read(struct slice payload, struct txnlog_trailer *ret_trailer);
/* A closeSession without the list of paths: 3.5 and before wrote none, nor does a later one that was told so.
 * No such record gets a trailer. */
bool txnlog_payload_lacks_body(struct slice payload);
/* The link of a record with this `crc` that follows a record with `link_before`. */
uint32_t txnlog_link(uint32_t link_before, uint32_t crc);
/* Of a payload of at least TXNLOG_PAYLOAD_BYTES_MIN bytes. */
int64_t txnlog_payload_zxid(struct slice payload);
int32_t txnlog_payload_type(struct slice payload);

/* "log.1c". `at` has TXNLOG_NAME_BYTES_MAX bytes. */
void txnlog_name_write(char *at, int64_t zxid);

enum store_compression { STORE_PLAIN, STORE_GZIP, STORE_SNAPPY };
/* "gz", "snappy" in any case, as Java takes them, in a file's name and in the configuration; any other
 * name is STORE_PLAIN. */
enum store_compression store_compression_of(const char *name);
const char *store_compression_name(enum store_compression compression); /* "": STORE_PLAIN */

/* What a file name of a data directory says (names are split at dots; the second part counts). */
enum store_file_kind { STORE_FILE_OTHER, STORE_FILE_LOG, STORE_FILE_SNAPSHOT };
struct store_name {
    enum store_file_kind kind;
    bool zxid_valid; /* "log.qq" is a log in name only */
    int64_t zxid;
    enum store_compression compression; /* by the last part: .gz, .snappy */
};
struct store_name store_name_read(const char *name);

#endif
