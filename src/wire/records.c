/* records.c: the reader and writer of every record, made from the lines of schema.h. Nothing here knows a
 * record by name, except the three that have fast paths at the end. */
#include "wire/records.h"

#define READ_i32(reader) reader_i32(reader)
#define READ_i64(reader) reader_i64(reader)
#define READ_boolean(reader) reader_bool(reader)
#define READ_text(reader) reader_text(reader)
#define READ_buffer(reader) reader_buffer(reader)
#define READ_texts(reader) reader_texts(reader)
#define READ_acls(reader) reader_acls(reader)
#define READ_FIELD(type, name) ret_record->name = READ_##type(reader);

#define WRITE_i32(buffer, value) buffer_i32(buffer, value)
#define WRITE_i64(buffer, value) buffer_i64(buffer, value)
#define WRITE_boolean(buffer, value) jute_put_bool(buffer, value)
#define WRITE_text(buffer, value) jute_put_bytes(buffer, value)
#define WRITE_buffer(buffer, value) jute_put_bytes(buffer, value)
#define WRITE_texts(buffer, value) jute_put_vector(buffer, value)
#define WRITE_acls(buffer, value) jute_put_vector(buffer, value)
#define WRITE_FIELD(type, name) WRITE_##type(buffer, record->name);

#define DEFINE(record_name, FIELDS)                                                                \
    enum status record_name##_read(struct reader *reader, struct record_name *ret_record)          \
    {                                                                                              \
        FIELDS(READ_FIELD)                                                                         \
        return reader->status;                                                                     \
    }                                                                                              \
    void record_name##_write(struct buffer *buffer, const struct record_name *record)              \
    {                                                                                              \
        FIELDS(WRITE_FIELD)                                                                        \
    }

WIRE_RECORDS(DEFINE)

void zk_stat_put(uint8_t at[STAT_BYTES], const struct zk_stat *stat)
{
    store_be64(at, (uint64_t)stat->czxid);
    store_be64(at + 8, (uint64_t)stat->mzxid);
    store_be64(at + 16, (uint64_t)stat->ctime);
    store_be64(at + 24, (uint64_t)stat->mtime);
    store_be32(at + 32, (uint32_t)stat->version);
    store_be32(at + 36, (uint32_t)stat->cversion);
    store_be32(at + 40, (uint32_t)stat->aversion);
    store_be64(at + 44, (uint64_t)stat->ephemeral_owner);
    store_be32(at + 52, (uint32_t)stat->data_length);
    store_be32(at + 56, (uint32_t)stat->num_children);
    store_be64(at + 60, (uint64_t)stat->pzxid);
}

void zk_stat_write(struct buffer *buffer, const struct zk_stat *stat)
{
    zk_stat_put(buffer_extend(buffer, STAT_BYTES), stat);
}

enum status zk_stat_read(struct reader *reader, struct zk_stat *ret_stat)
{
    ret_stat->czxid = reader_i64(reader);
    ret_stat->mzxid = reader_i64(reader);
    ret_stat->ctime = reader_i64(reader);
    ret_stat->mtime = reader_i64(reader);
    ret_stat->version = reader_i32(reader);
    ret_stat->cversion = reader_i32(reader);
    ret_stat->aversion = reader_i32(reader);
    ret_stat->ephemeral_owner = reader_i64(reader);
    ret_stat->data_length = reader_i32(reader);
    ret_stat->num_children = reader_i32(reader);
    ret_stat->pzxid = reader_i64(reader);
    return reader->status;
}

void reply_header_put(uint8_t at[REPLY_HEADER_BYTES], const struct reply_header *header)
{
    store_be32(at, (uint32_t)header->xid);
    store_be64(at + 4, (uint64_t)header->zxid);
    store_be32(at + 12, (uint32_t)header->err);
}
