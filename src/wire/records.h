/* records.h: the structs, readers and writers of every record in schema.h.
 *
 * For a record `x`: struct x; enum status x_read(struct reader *, struct x *ret); and
 * void x_write(struct buffer *, const struct x *). A reader fills its output field by field and
 * answers STATUS_MALFORMED when the bytes were short or wrong; slices are borrowed (jute.h). */
#ifndef WIRE_RECORDS_H
#define WIRE_RECORDS_H

#include "wire/jute.h"
#include "wire/schema.h"

#define WIRE_TYPE_i32 int32_t
#define WIRE_TYPE_i64 int64_t
#define WIRE_TYPE_boolean bool
#define WIRE_TYPE_text struct slice
#define WIRE_TYPE_buffer struct slice
#define WIRE_TYPE_texts struct jute_vector
#define WIRE_TYPE_acls struct jute_vector

#define WIRE_FIELD(type, name) WIRE_TYPE_##type name;
#define WIRE_DECLARE(record, FIELDS)                                                               \
    struct record {                                                                                \
        FIELDS(WIRE_FIELD)                                                                         \
    };                                                                                             \
    MUST_USE enum status record##_read(struct reader *reader, struct record *ret_record);          \
    void record##_write(struct buffer *buffer, const struct record *record);

WIRE_RECORDS(WIRE_DECLARE)

/* What a client sees of a znode: 68 bytes on the wire (docs/protocol.md, "Stat"). */
struct zk_stat {
    int64_t czxid, mzxid, ctime, mtime;
    int32_t version, cversion, aversion;
    int64_t ephemeral_owner;
    int32_t data_length, num_children;
    int64_t pzxid;
};
enum { STAT_BYTES = 68, REQUEST_HEADER_BYTES = 8, REPLY_HEADER_BYTES = 16 };
/* At least REQUEST_HEADER_BYTES stand there. */
static inline void request_header_get(const uint8_t *at, struct request_header *ret_header)
{
    ret_header->xid = (int32_t)load_be32(at);
    ret_header->type = (int32_t)load_be32(at + 4);
}
static inline void request_header_put(uint8_t at[REQUEST_HEADER_BYTES],
                                      const struct request_header *header)
{
    store_be32(at, (uint32_t)header->xid);
    store_be32(at + 4, (uint32_t)header->type);
}
/* At least REPLY_HEADER_BYTES stand there. */
static inline void reply_header_get(const uint8_t *at, struct reply_header *ret_header)
{
    ret_header->xid = (int32_t)load_be32(at);
    ret_header->zxid = (int64_t)load_be64(at + 4);
    ret_header->err = (int32_t)load_be32(at + 12);
}
void zk_stat_put(uint8_t at[STAT_BYTES], const struct zk_stat *stat);
void zk_stat_write(struct buffer *buffer, const struct zk_stat *stat);
/* STATUS_MALFORMED: it is cut off. */
MUST_USE enum status zk_stat_read(struct reader *reader, struct zk_stat *ret_stat);
void reply_header_put(uint8_t at[REPLY_HEADER_BYTES], const struct reply_header *header);

#endif
