/* jute.h: reading and writing ZooKeeper's record encoding.
 *
 * After its first error a reader returns zeros and nulls, so that a record is read field by field
 * and checked once at the end. Slices point into the bytes that are read, or into the reader's
 * arena where a text had to be changed. docs/protocol.md, "Frames and records". */
#ifndef WIRE_JUTE_H
#define WIRE_JUTE_H

#include "base/arena.h"
#include "base/buffer.h"

struct reader {
    const uint8_t *pos, *end;
    struct arena *arena; /* for texts that must be changed; may be NULL when they are not cleaned */
    size_t text_bytes_max;  /* longest text or buffer; longer is malformed */
    bool texts_as_they_are; /* a server wrote them: they are not cleaned a second time */
    enum status status;
};

/* Vectors are checked once and then walked: count elements inside bytes. count -1 with null bytes:
 * null. A count below -1 reads as an empty vector, as in Java. */
struct jute_vector {
    struct slice bytes; /* data == NULL: null */
    int32_t count;
};

struct jute_acl {
    struct slice scheme, id;
    int32_t perms;
};

struct jute_id { /* an identity: ("ip", "127.0.0.1") */
    struct slice scheme, id;
};

void reader_init(struct reader *reader, struct slice bytes, struct arena *arena,
                 size_t text_bytes_max);
static inline size_t reader_left(const struct reader *reader)
{
    return (size_t)(reader->end - reader->pos);
}
int32_t reader_i32(struct reader *reader);
int64_t reader_i64(struct reader *reader);
bool reader_bool(struct reader *reader);           /* any byte but 0 is true */
struct slice reader_buffer(struct reader *reader); /* may be null */
/* A text as Java holds it: malformed UTF-8 becomes U+FFFD and characters beyond U+FFFF become a
 * surrogate pair of three bytes each, which is how Java writes them back. */
struct slice reader_text(struct reader *reader);
struct jute_vector reader_texts(struct reader *reader);
struct jute_vector reader_acls(struct reader *reader);

/* Walk a vector that a reader has checked: false at its end. */
bool jute_next_text(struct jute_vector *vector, struct slice *ret_text);
bool jute_next_acl(struct jute_vector *vector, struct jute_acl *ret_acl);
bool jute_next_id(struct jute_vector *vector, struct jute_id *ret_id);

/* Only ASCII or well-formed UTF-8 of at most three bytes that is no surrogate. */
bool jute_text_clean(struct slice text);
/* The text as reader_text() gives it: itself when clean, else a changed copy in the arena. */
struct slice jute_text_as_java_holds_it(struct arena *arena, struct slice text);

void jute_put_bytes(struct buffer *buffer, struct slice bytes); /* text or buffer; null is -1 */
void jute_put_bool(struct buffer *buffer, bool value);
void jute_put_vector(struct buffer *buffer, struct jute_vector vector);
void jute_put_acl(struct buffer *buffer, const struct jute_acl *acl);
void jute_put_id(struct buffer *buffer, const struct jute_id *id);

#endif
