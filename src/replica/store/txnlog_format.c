/* txnlog_format.c: the bytes of a log file's header, records and trailers, and the names of files. */
#include "replica/store/txnlog_format.h"

#include "base/checksum.h"
#include "wire/zk.h"

#include <stdio.h>
#include <stdlib.h>

enum { HEADER_ZXID_OFFSET = 12, HEADER_TYPE_OFFSET = 28, VERSION = 2 };

size_t txnlog_payload_bytes_max(size_t text_bytes_max)
{
    return text_bytes_max == 0 ? TXNLOG_PAYLOAD_BYTES_MAX : text_bytes_max;
}

void txnlog_header_write(struct buffer *out)
{
    buffer_i32(out, TXNLOG_MAGIC);
    buffer_i32(out, VERSION);
    buffer_i64(out, 0);
}

uint32_t txnlog_link(uint32_t link_before, uint32_t crc)
{
    /* On disk for ever: these numbers never change. */
    uint64_t mixed = ((uint64_t)link_before << 32 | crc) ^ UINT64_C(0x9e3779b97f4a7c15);

    mixed *= UINT64_C(0xd6e8feb86659fd93);
    mixed ^= mixed >> 32;
    mixed *= UINT64_C(0xd6e8feb86659fd93);
    return (uint32_t)(mixed >> 32);
}

int64_t txnlog_payload_zxid(struct slice payload)
{
    return (int64_t)load_be64(payload.data + HEADER_ZXID_OFFSET);
}

int32_t txnlog_payload_type(struct slice payload)
{
    return (int32_t)load_be32(payload.data + HEADER_TYPE_OFFSET);
}

static bool ends_with_digest(struct slice payload)
{
    return payload.size >= TXNLOG_PAYLOAD_BYTES_MIN + DIGEST_BYTES &&
           load_be32(payload.data + payload.size - DIGEST_BYTES) == DIGEST_VERSION;
}

bool txnlog_payload_lacks_body(struct slice payload)
{
    return txnlog_payload_type(payload) == OP_CLOSE_SESSION &&
           (payload.size == TXNLOG_PAYLOAD_BYTES_MIN ||
            (payload.size == TXNLOG_PAYLOAD_BYTES_MIN + DIGEST_BYTES && ends_with_digest(payload)));
}

static size_t bytes_behind_payload(enum txnlog_digest digest)
{
    return TXNLOG_TRAILER_BYTES + (digest == TXNLOG_DIGEST_THERE ? 0 : (size_t)DIGEST_BYTES);
}

bool txnlog_record_gets_trailer(struct slice payload, enum txnlog_digest digest,
                                size_t payload_bytes_max)
{
    return payload.size + bytes_behind_payload(digest) <= payload_bytes_max &&
           !txnlog_payload_lacks_body(payload);
}

/* An error changes nothing: its digest is that of the record before. */
static void put_digest(const struct txnlog_position *position, struct slice payload,
                       enum txnlog_digest digest, uint8_t bytes[DIGEST_BYTES])
{
    memset(bytes, 0, DIGEST_BYTES);
    if (digest != TXNLOG_DIGEST_LACKING || txnlog_payload_type(payload) != OP_ERROR ||
        !position->digest_known)
        return;
    store_be32(bytes, DIGEST_VERSION);
    store_be64(bytes + 4, (uint64_t)position->digest);
}

static struct txnlog_position position_behind(const struct txnlog_position *before,
                                              struct slice payload, enum txnlog_digest digest,
                                              int64_t zxid, uint32_t link)
{
    struct txnlog_position position = {.last_zxid = zxid, .link = link};

    if (digest == TXNLOG_DIGEST_THERE && ends_with_digest(payload)) {
        position.digest_known = true;
        position.digest = (int64_t)load_be64(payload.data + payload.size - 8);
    } else if (txnlog_payload_type(payload) == OP_ERROR) {
        position.digest_known = before->digest_known;
        position.digest = before->digest;
    }
    return position;
}

void txnlog_record_write(struct buffer *out, struct slice payload, enum txnlog_digest digest,
                         int64_t zxid, int64_t durable_zxid, size_t payload_bytes_max,
                         struct txnlog_position *position)
{
    ASSERT(payload.size >= TXNLOG_PAYLOAD_BYTES_MIN);
    size_t extra = bytes_behind_payload(digest);
    bool trailer = txnlog_record_gets_trailer(payload, digest, payload_bytes_max);
    size_t size = payload.size + (trailer ? extra : 0);
    uint8_t *head = buffer_extend(out, TXNLOG_RECORD_HEAD_BYTES + size + 1);
    uint8_t *body = head + TXNLOG_RECORD_HEAD_BYTES;
    uint32_t link = 0;

    ASSERT(payload.size <= INT32_MAX - extra);
    memcpy(body, payload.data, payload.size);
    if (trailer) {
        uint8_t *at = body + payload.size;
        if (digest != TXNLOG_DIGEST_THERE) {
            put_digest(position, payload, digest, at);
            at += DIGEST_BYTES;
        }
        store_be64(at, (uint64_t)position->last_zxid);
        store_be64(at + 8, (uint64_t)durable_zxid);
        uint32_t crc = crc32_add(0, slice_of(body, size - 8));
        link = txnlog_link(position->link, crc);
        store_be32(at + 16, link);
        store_be32(at + 20, crc32_add(crc, slice_of(at + 16, 4)));
    }
    store_be64(head, adler32_add(1, slice_of(body, size)));
    store_be32(head + 8, (uint32_t)size);
    body[size] = TXNLOG_RECORD_END;
    *position = position_behind(position, payload, digest, zxid, link);
}

bool txnlog_trailer_read(struct slice payload, struct txnlog_trailer *ret_trailer)
{
    if (payload.size < TXNLOG_PAYLOAD_BYTES_MIN + DIGEST_BYTES + TXNLOG_TRAILER_BYTES)
        return false;
    const uint8_t *at = payload.data + payload.size - TXNLOG_TRAILER_BYTES;
    struct txnlog_trailer trailer = {.prev_zxid = (int64_t)load_be64(at),
                                     .durable_zxid = (int64_t)load_be64(at + 8),
                                     .link = load_be32(at + 16)};
    /* Nearly all records of Java's end here, without a look at all their bytes. */
    if (trailer.durable_zxid < 0 || trailer.durable_zxid > trailer.prev_zxid ||
        trailer.prev_zxid >= txnlog_payload_zxid(payload))
        return false;
    trailer.crc = crc32_add(0, slice_of(payload.data, payload.size - 8));
    if (crc32_add(trailer.crc, slice_of(at + 16, 4)) != load_be32(at + 20))
        return false;
    *ret_trailer = trailer;
    return true;
}

void txnlog_name_write(char *at, int64_t zxid)
{
    (void)snprintf(at, TXNLOG_NAME_BYTES_MAX, "log.%llx", (unsigned long long)zxid);
}

static bool zxid_read(const char *at, size_t size, int64_t *ret_zxid)
{
    int64_t zxid = 0;

    if (size == 0)
        return false;
    for (size_t i = 0; i < size; i++) {
        int digit = at[i] >= '0' && at[i] <= '9'   ? at[i] - '0'
                    : at[i] >= 'a' && at[i] <= 'f' ? at[i] - 'a' + 10
                    : at[i] >= 'A' && at[i] <= 'F' ? at[i] - 'A' + 10
                                                   : -1;
        if (digit < 0 || zxid > INT64_MAX >> 4)
            return false;
        zxid = zxid << 4 | digit;
    }
    *ret_zxid = zxid;
    return true;
}

static const char *const compression_names[] = {
    [STORE_PLAIN] = "", [STORE_GZIP] = "gz", [STORE_SNAPPY] = "snappy"};

/* `lower` has lower case letters only. */
static bool equal_in_any_case(const char *text, const char *lower)
{
    for (; *text != '\0' && *lower != '\0'; text++, lower++) {
        if ((*text >= 'A' && *text <= 'Z' ? *text - 'A' + 'a' : *text) != *lower)
            return false;
    }
    return *text == *lower;
}

enum store_compression store_compression_of(const char *name)
{
    if (equal_in_any_case(name, compression_names[STORE_GZIP]))
        return STORE_GZIP;
    return equal_in_any_case(name, compression_names[STORE_SNAPPY]) ? STORE_SNAPPY : STORE_PLAIN;
}

const char *store_compression_name(enum store_compression compression)
{
    ASSERT((size_t)compression < ARRAY_LEN(compression_names));
    return compression_names[compression];
}

struct store_name store_name_read(const char *name)
{
    struct store_name read = {.kind = STORE_FILE_OTHER};
    const char *second, *last = strrchr(name, '.');

    if (last != NULL)
        read.compression = store_compression_of(last + 1);
    if (strncmp(name, "log.", 4) == 0) {
        read.kind = STORE_FILE_LOG;
        second = name + 4;
    } else if (strncmp(name, "snapshot.", 9) == 0) {
        read.kind = STORE_FILE_SNAPSHOT;
        second = name + 9;
    } else {
        return read;
    }
    read.zxid_valid = zxid_read(second, strcspn(second, "."), &read.zxid);
    return read;
}
