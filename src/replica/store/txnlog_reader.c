/* txnlog_reader.c: reads one log file record by record, and describes what it finds where there is
 * no record. It changes nothing, and never holds more than one record and a window. */
#include "replica/store/txnlog_reader.h"

#include "base/checksum.h"

enum { WINDOW_BYTES = 256 * 1024, SECTOR_BYTES = 512 };

enum status txnlog_reader_open(struct txnlog_reader *ret_reader, struct disk *disk,
                               const char *name, size_t payload_bytes_max)
{
    struct txnlog_reader reader = {.disk = disk, .payload_bytes_max = payload_bytes_max};

    enum status status = disk->ops->open(disk, name, DISK_READ, &reader.file);
    if (status != STATUS_OK)
        return status;
    status = disk->ops->size(disk, reader.file, &reader.file_bytes);
    if (status != STATUS_OK) {
        disk->ops->close(disk, reader.file);
        return status;
    }
    buffer_reserve(&reader.window, TXNLOG_HEADER_BYTES);
    *ret_reader = reader;
    return STATUS_OK;
}

void txnlog_reader_close(struct txnlog_reader *reader)
{
    reader->disk->ops->close(reader->disk, reader->file);
    buffer_deinit(&reader->window);
}

/* The bytes from `offset` on: `want` of them, fewer only at the end of the file. */
static enum status load_window(struct txnlog_reader *reader, uint64_t offset, size_t want,
                               struct slice *ret_bytes)
{
    uint64_t left = offset < reader->file_bytes ? reader->file_bytes - offset : 0;
    if (want > left)
        want = (size_t)left;
    bool inside = offset >= reader->window_offset &&
                  offset + want <= reader->window_offset + reader->window.size;
    if (!inside) {
        size_t size = want > WINDOW_BYTES ? want : WINDOW_BYTES;
        if (size > left)
            size = (size_t)left;
        reader->window.size = 0;
        reader->window_offset = offset;
        buffer_reserve(&reader->window, size);
        size_t got = 0;
        enum status status = reader->disk->ops->read(reader->disk, reader->file, offset,
                                                     reader->window.data, size, &got);
        if (status != STATUS_OK)
            return status;
        if (got < want) /* it became shorter under us: nobody else may write here */
            return STATUS_IO;
        reader->window.size = got;
    }
    ASSERT(offset >= reader->window_offset);
    ASSERT(offset - reader->window_offset + want <= reader->window.size);
    *ret_bytes = slice_of(reader->window.data + (offset - reader->window_offset), want);
    return STATUS_OK;
}

static bool all_zero(const uint8_t *bytes, size_t size)
{
    /* Overlapping compare: every byte equals its successor, and the first is zero. */
    return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

/* Offset of the first byte from `offset` on that is not zero; the file's size when there is none. */
static enum status skip_zeros(struct txnlog_reader *reader, uint64_t offset, uint64_t *ret_offset)
{
    while (offset < reader->file_bytes) {
        struct slice bytes;
        enum status status = STATUS_OK;
        if (offset == reader->window_offset + reader->window.size)
            status = reader->disk->ops->skip_hole(reader->disk, reader->file, offset, &offset);
        if (status == STATUS_OK)
            status = load_window(reader, offset, 1, &bytes);
        if (status != STATUS_OK || bytes.size == 0) {
            *ret_offset = offset;
            return status;
        }
        bytes.size = reader->window.size - (size_t)(offset - reader->window_offset);
        if (!all_zero(bytes.data, bytes.size)) {
            size_t i = 0;
            while (bytes.data[i] == 0)
                i++;
            offset += i;
            break;
        }
        offset += bytes.size;
    }
    *ret_offset = offset;
    return STATUS_OK;
}

enum status txnlog_reader_header(struct txnlog_reader *reader, enum txnlog_header *ret_header)
{
    struct slice bytes;

    enum status status = load_window(reader, 0, TXNLOG_HEADER_BYTES, &bytes);
    if (status != STATUS_OK)
        return status;
    reader->offset = TXNLOG_HEADER_BYTES;
    if (bytes.size == TXNLOG_HEADER_BYTES && load_be32(bytes.data) == TXNLOG_MAGIC)
        *ret_header = TXNLOG_HEADER_GOOD; /* any version, any dbid, as in Java */
    else if (bytes.size < TXNLOG_HEADER_BYTES || all_zero(bytes.data, bytes.size))
        *ret_header = TXNLOG_HEADER_UNWRITTEN;
    else
        *ret_header = TXNLOG_HEADER_FOREIGN;
    return STATUS_OK;
}

/* When a power loss interrupts a write, some sectors stay as they were before it: zeros, because records
 * are never overwritten. A record without a sector of zeros was damaged in another way. */
static bool sector_missing(uint64_t offset, struct slice record)
{
    size_t start = 0;

    while (start < record.size) {
        size_t size = SECTOR_BYTES - (size_t)((offset + start) % SECTOR_BYTES);
        if (size > record.size - start)
            size = record.size - start;
        if (all_zero(record.data + start, size))
            return true;
        start += size;
    }
    return false;
}

static struct txnlog_spot no_record(enum txnlog_found found, const char *reason)
{
    return (struct txnlog_spot){.found = found, .reason = reason};
}

bool txnlog_reader_has_next(const struct txnlog_reader *reader)
{
    uint64_t end = reader->window_offset + reader->window.size;

    if (reader->offset < reader->window_offset || reader->offset > end ||
        end - reader->offset < TXNLOG_RECORD_HEAD_BYTES)
        return false;
    const uint8_t *head = reader->window.data + (reader->offset - reader->window_offset);
    uint64_t size = load_be32(head + 8);
    return size > 0 && end - reader->offset > TXNLOG_RECORD_HEAD_BYTES + size;
}

enum status txnlog_reader_next(struct txnlog_reader *reader, struct txnlog_spot *ret_spot)
{
    struct slice head, record;
    uint64_t data;

    enum status status = load_window(reader, reader->offset, TXNLOG_RECORD_HEAD_BYTES, &head);
    if (status != STATUS_OK)
        return status;
    int32_t size = 0;
    if (head.size == TXNLOG_RECORD_HEAD_BYTES)
        size = (int32_t)load_be32(head.data + 8);
    if (size == 0) {
        status = skip_zeros(reader, reader->offset, &data);
        *ret_spot = data == reader->file_bytes
                        ? no_record(TXNLOG_FOUND_END, NULL)
                        : no_record(TXNLOG_FOUND_TORN, "the head of a record is incomplete");
        return status;
    }
    if (size < 0 || (size_t)size > reader->payload_bytes_max) {
        *ret_spot = no_record(TXNLOG_FOUND_DAMAGED, "unreasonable record size");
        return STATUS_OK;
    }
    size_t record_bytes = TXNLOG_RECORD_HEAD_BYTES + (size_t)size + 1;
    status = load_window(reader, reader->offset, record_bytes, &record);
    if (status != STATUS_OK)
        return status;
    if (record.size < record_bytes) {
        *ret_spot = no_record(TXNLOG_FOUND_TORN, "the file ends inside a record");
        return STATUS_OK;
    }
    struct slice payload = slice_of(record.data + TXNLOG_RECORD_HEAD_BYTES, (size_t)size);
    uint8_t end = record.data[record_bytes - 1];
    bool sum = adler32_add(1, payload) == load_be64(record.data);
    if (end != TXNLOG_RECORD_END || !sum) {
        bool torn = end == 0 || sector_missing(reader->offset, record);
        *ret_spot = no_record(torn ? TXNLOG_FOUND_TORN : TXNLOG_FOUND_DAMAGED,
                              sum ? "no end-of-record byte" : "wrong checksum");
        return STATUS_OK;
    }
    if (payload.size < TXNLOG_PAYLOAD_BYTES_MIN) {
        *ret_spot = no_record(TXNLOG_FOUND_DAMAGED, "a record too short for a transaction");
        return STATUS_OK;
    }
    reader->offset += record_bytes;
    ASSERT(reader->offset <= reader->file_bytes);
    *ret_spot = (struct txnlog_spot){.found = TXNLOG_FOUND_RECORD, .payload = payload};
    return STATUS_OK;
}

/* A file is written by one run of one server. In one of ours some records have no trailer either
 * (txnlog_record_write()). */
struct kinds_found {
    bool with_trailer, without_trailer, never_with_one;
};

static void note_record(struct slice payload, struct txnlog_evidence *evidence,
                        struct kinds_found *kinds)
{
    struct txnlog_trailer trailer;

    if (evidence->records++ == 0)
        evidence->first_zxid = txnlog_payload_zxid(payload);
    if (!txnlog_trailer_read(payload, &trailer)) {
        if (txnlog_payload_lacks_body(payload))
            kinds->never_with_one = true;
        else
            kinds->without_trailer = true;
        return;
    }
    kinds->with_trailer = true;
    if (trailer.durable_zxid > evidence->durable_zxid)
        evidence->durable_zxid = trailer.durable_zxid;
}

static enum status search(struct txnlog_reader *reader, uint64_t offset,
                          struct txnlog_evidence *evidence, struct kinds_found *kinds)
{
    struct slice bytes;
    enum status status = STATUS_OK;

    evidence->data_end = offset;
    while (offset < reader->file_bytes) {
        uint64_t data;
        status = skip_zeros(reader, offset, &data);
        if (status != STATUS_OK || data == reader->file_bytes)
            return status;
        /* A record has at most 11 zeros in front of its first other byte: 4 of the checksum, the
         * checksum itself, 3 of the size. */
        if (data > offset + 11)
            offset = data - 11;
        if (data + 1 > evidence->data_end)
            evidence->data_end = data + 1;
        status = load_window(reader, offset, TXNLOG_RECORD_HEAD_BYTES, &bytes);
        if (status != STATUS_OK)
            return status;
        size_t size = 0;
        if (bytes.size == TXNLOG_RECORD_HEAD_BYTES && load_be32(bytes.data) == 0)
            size = load_be32(bytes.data + 8);
        if (size < TXNLOG_PAYLOAD_BYTES_MIN || size > reader->payload_bytes_max) {
            offset++;
            continue;
        }
        size_t record_bytes = TXNLOG_RECORD_HEAD_BYTES + size + 1;
        status = load_window(reader, offset, record_bytes, &bytes);
        if (status != STATUS_OK)
            return status;
        if (bytes.size < record_bytes || bytes.data[record_bytes - 1] != TXNLOG_RECORD_END ||
            adler32_add(1, slice_of(bytes.data + TXNLOG_RECORD_HEAD_BYTES, size)) !=
                load_be64(bytes.data)) {
            offset++;
            continue;
        }
        note_record(slice_of(bytes.data + TXNLOG_RECORD_HEAD_BYTES, size), evidence, kinds);
        offset += record_bytes;
        evidence->data_end = offset;
    }
    return STATUS_OK;
}

enum status txnlog_reader_search(struct txnlog_reader *reader, uint64_t offset,
                                 struct txnlog_evidence *evidence)
{
    struct kinds_found kinds = {0};

    enum status status = search(reader, offset, evidence, &kinds);
    if (!kinds.with_trailer) {
        evidence->java |= kinds.without_trailer;
        evidence->unknown |= kinds.never_with_one && !kinds.without_trailer;
    }
    return status;
}
