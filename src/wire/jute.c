/* jute.c: the encoding of ZooKeeper's records, and text as Java holds it. After its first error a reader
 * gives only zeros and nulls, so no value read later comes from bytes that were misunderstood. */
#include "wire/jute.h"

void reader_init(struct reader *reader, struct slice bytes, struct arena *arena,
                 size_t text_bytes_max)
{
    static const uint8_t nothing[1];
    const uint8_t *start = bytes.data == NULL ? nothing : bytes.data;

    *reader = (struct reader){.pos = start,
                              .end = start + bytes.size,
                              .arena = arena,
                              .text_bytes_max = text_bytes_max,
                              .status = STATUS_OK};
}

static void fail(struct reader *reader)
{
    reader->status = STATUS_MALFORMED;
    reader->pos = reader->end;
}

int32_t reader_i32(struct reader *reader)
{
    if (reader_left(reader) < 4) {
        fail(reader);
        return 0;
    }
    int32_t value = (int32_t)load_be32(reader->pos);
    reader->pos += 4;
    return value;
}

int64_t reader_i64(struct reader *reader)
{
    if (reader_left(reader) < 8) {
        fail(reader);
        return 0;
    }
    int64_t value = (int64_t)load_be64(reader->pos);
    reader->pos += 8;
    return value;
}

bool reader_bool(struct reader *reader)
{
    if (reader_left(reader) < 1) {
        fail(reader);
        return false;
    }
    return *reader->pos++ != 0;
}

struct slice reader_buffer(struct reader *reader)
{
    int32_t size = reader_i32(reader);

    if (reader->status != STATUS_OK || size == -1)
        return SLICE_NULL;
    if (size < 0 || (size_t)size > reader->text_bytes_max || (size_t)size > reader_left(reader)) {
        fail(reader);
        return SLICE_NULL;
    }
    struct slice bytes = slice_of(reader->pos, (size_t)size);
    reader->pos += size;
    return bytes;
}

/* How many bytes the next character takes: 0 for malformed, then *ret_bad is how many bytes Java's
 * decoder replaces by one U+FFFD (the longest prefix that could have become a character). */
static size_t next_char(const uint8_t *at, size_t left, size_t *ret_bad)
{
    uint8_t lead = at[0];

    *ret_bad = 1;
    if (lead < 0x80)
        return 1;
    if (lead < 0xc2 || lead > 0xf4)
        return 0;
    size_t size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    uint8_t low = 0x80, high = 0xbf;
    if (lead == 0xe0)
        low = 0xa0;
    else if (lead == 0xf0)
        low = 0x90;
    else if (lead == 0xf4)
        high = 0x8f;
    for (size_t i = 1; i < size; i++) {
        if (i >= left || at[i] < low || at[i] > high) {
            *ret_bad = i;
            return 0;
        }
        low = 0x80;
        high = 0xbf;
    }
    if (lead == 0xed && at[1] >= 0xa0) { /* a surrogate: Java replaces its three bytes at once */
        *ret_bad = 3;
        return 0;
    }
    return size;
}

/* ASCII, the most frequent text, is looked at eight bytes at a time. */
static size_t ascii_words(struct slice text)
{
    size_t i = 0;

    for (; text.size - i >= sizeof(uint64_t); i += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, text.data + i, sizeof(word));
        if ((word & 0x8080808080808080u) != 0)
            break;
    }
    return i;
}

bool jute_text_clean(struct slice text)
{
    size_t i = ascii_words(text), bad;

    while (i < text.size) {
        if (text.data[i] < 0x80) {
            i++;
            continue;
        }
        size_t size = next_char(text.data + i, text.size - i, &bad);
        if (size == 0 || size == 4)
            return false;
        i += size;
    }
    return true;
}

static size_t put_utf16_unit(uint8_t *at, uint32_t unit)
{
    at[0] = (uint8_t)(0xe0 | unit >> 12);
    at[1] = (uint8_t)(0x80 | (unit >> 6 & 0x3f));
    at[2] = (uint8_t)(0x80 | (unit & 0x3f));
    return 3;
}

struct slice jute_text_as_java_holds_it(struct arena *arena, struct slice text)
{
    if (jute_text_clean(text))
        return text;
    uint8_t *clean = arena_alloc(arena, text.size * 3);
    size_t size = 0, bad;

    for (size_t i = 0; i < text.size;) {
        const uint8_t *at = text.data + i;
        size_t bytes = next_char(at, text.size - i, &bad);
        if (bytes == 0) {
            size += put_utf16_unit(clean + size, 0xfffd);
            i += bad;
        } else if (bytes == 4) {
            uint32_t code =
                (at[0] & 7u) << 18 | (at[1] & 0x3fu) << 12 | (at[2] & 0x3fu) << 6 | (at[3] & 0x3fu);
            code -= 0x10000;
            size += put_utf16_unit(clean + size, 0xd800 | code >> 10);
            size += put_utf16_unit(clean + size, 0xdc00 | (code & 0x3ff));
            i += 4;
        } else {
            memcpy(clean + size, at, bytes);
            size += bytes;
            i += bytes;
        }
    }
    return slice_of(clean, size);
}

static bool needs_no_change(const struct reader *reader, struct slice text)
{
    return reader->texts_as_they_are || jute_text_clean(text);
}

struct slice reader_text(struct reader *reader)
{
    struct slice text = reader_buffer(reader);

    return reader->texts_as_they_are ? text : jute_text_as_java_holds_it(reader->arena, text);
}

/* Elements are checked by reading them. Where every text stayed in place the vector is the input's
 * own bytes, else it is written anew into the arena. */
struct jute_vector reader_texts(struct reader *reader)
{
    int32_t count = reader_i32(reader);
    struct jute_vector vector = {slice_of(reader->pos, 0), count};

    if (reader->status != STATUS_OK || count == -1)
        return (struct jute_vector){SLICE_NULL, -1};
    if (count < 0)
        vector.count = 0;
    bool clean = true;
    const uint8_t *start = reader->pos;
    for (int32_t i = 0; i < count && reader->status == STATUS_OK; i++)
        clean &= needs_no_change(reader, reader_buffer(reader));
    if (reader->status != STATUS_OK)
        return (struct jute_vector){SLICE_NULL, -1};
    vector.bytes = slice_of(start, (size_t)(reader->pos - start));
    if (clean)
        return vector;
    struct buffer anew = {0};
    struct reader again = *reader;
    again.pos = start;
    for (int32_t i = 0; i < count; i++)
        jute_put_bytes(&anew, reader_text(&again));
    vector.bytes = arena_copy(reader->arena, buffer_slice(&anew));
    buffer_deinit(&anew);
    return vector;
}

static struct jute_acl read_acl(struct reader *reader)
{
    struct jute_acl acl = {0};

    acl.perms = reader_i32(reader);
    acl.scheme = reader_buffer(reader);
    acl.id = reader_buffer(reader);
    return acl;
}

struct jute_vector reader_acls(struct reader *reader)
{
    int32_t count = reader_i32(reader);
    struct jute_vector vector = {slice_of(reader->pos, 0), count};

    if (reader->status != STATUS_OK || count == -1)
        return (struct jute_vector){SLICE_NULL, -1};
    if (count < 0)
        vector.count = 0;
    bool clean = true;
    const uint8_t *start = reader->pos;
    for (int32_t i = 0; i < count && reader->status == STATUS_OK; i++) {
        struct jute_acl acl = read_acl(reader);
        clean &= needs_no_change(reader, acl.scheme) && needs_no_change(reader, acl.id);
    }
    if (reader->status != STATUS_OK)
        return (struct jute_vector){SLICE_NULL, -1};
    vector.bytes = slice_of(start, (size_t)(reader->pos - start));
    if (clean)
        return vector;
    struct buffer anew = {0};
    struct jute_vector walk = vector;
    struct jute_acl acl;
    while (jute_next_acl(&walk, &acl)) {
        acl.scheme = jute_text_as_java_holds_it(reader->arena, acl.scheme);
        acl.id = jute_text_as_java_holds_it(reader->arena, acl.id);
        jute_put_acl(&anew, &acl);
    }
    vector.bytes = arena_copy(reader->arena, buffer_slice(&anew));
    buffer_deinit(&anew);
    return vector;
}

static struct slice take_bytes(struct slice *bytes)
{
    ASSERT(bytes->size >= 4);
    int32_t size = (int32_t)load_be32(bytes->data);
    struct slice taken = SLICE_NULL;
    size_t used = 4;
    if (size >= 0) {
        ASSERT(bytes->size - 4 >= (size_t)size);
        taken = slice_of(bytes->data + 4, (size_t)size);
        used += (size_t)size;
    }
    *bytes = slice_of(bytes->data + used, bytes->size - used);
    return taken;
}

bool jute_next_text(struct jute_vector *vector, struct slice *ret_text)
{
    if (vector->count <= 0)
        return false;
    vector->count--;
    *ret_text = take_bytes(&vector->bytes);
    return true;
}

bool jute_next_acl(struct jute_vector *vector, struct jute_acl *ret_acl)
{
    if (vector->count <= 0)
        return false;
    vector->count--;
    ASSERT(vector->bytes.size >= 4);
    ret_acl->perms = (int32_t)load_be32(vector->bytes.data);
    vector->bytes = slice_of(vector->bytes.data + 4, vector->bytes.size - 4);
    ret_acl->scheme = take_bytes(&vector->bytes);
    ret_acl->id = take_bytes(&vector->bytes);
    return true;
}

bool jute_next_id(struct jute_vector *vector, struct jute_id *ret_id)
{
    if (vector->count <= 0)
        return false;
    vector->count--;
    ret_id->scheme = take_bytes(&vector->bytes);
    ret_id->id = take_bytes(&vector->bytes);
    return true;
}

void jute_put_bytes(struct buffer *buffer, struct slice bytes)
{
    if (bytes.data == NULL) {
        buffer_i32(buffer, -1);
        return;
    }
    uint8_t *at = buffer_extend(buffer, 4 + bytes.size);
    store_be32(at, (uint32_t)bytes.size);
    if (bytes.size > 0)
        memcpy(at + 4, bytes.data, bytes.size);
}

void jute_put_bool(struct buffer *buffer, bool value)
{
    buffer_u8(buffer, value ? 1 : 0);
}

void jute_put_vector(struct buffer *buffer, struct jute_vector vector)
{
    buffer_i32(buffer, vector.count);
    buffer_append(buffer, vector.bytes);
}

void jute_put_acl(struct buffer *buffer, const struct jute_acl *acl)
{
    buffer_i32(buffer, acl->perms);
    jute_put_bytes(buffer, acl->scheme);
    jute_put_bytes(buffer, acl->id);
}

void jute_put_id(struct buffer *buffer, const struct jute_id *id)
{
    jute_put_bytes(buffer, id->scheme);
    jute_put_bytes(buffer, id->id);
}
