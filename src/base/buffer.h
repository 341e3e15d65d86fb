/* buffer.h: bytes that grow at the end. Numbers are appended big-endian, as all formats here have it. */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include "base/slice.h"

struct buffer {
    uint8_t *data;
    size_t size, capacity;
};

void buffer_init(struct buffer *buffer);
void buffer_deinit(struct buffer *buffer);
void buffer_reserve(struct buffer *buffer, size_t more); /* room for `more` bytes after size */
/* The same; false: there is no memory for it, and the buffer is as before. Code that must not end
 * the process reserves first, and then appends no more than that. */
MUST_USE bool buffer_try_grow(struct buffer *buffer, size_t more);
static inline bool buffer_try_reserve(struct buffer *buffer, size_t more)
{
    return more <= buffer->capacity - buffer->size || buffer_try_grow(buffer, more);
}
void buffer_printf(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static inline struct slice buffer_slice(const struct buffer *buffer)
{
    return slice_of(buffer->data, buffer->size);
}

/* `size` bytes at the end, not written yet. Valid until the next append. */
static inline uint8_t *buffer_extend(struct buffer *buffer, size_t size)
{
    if (buffer->capacity - buffer->size < size)
        buffer_reserve(buffer, size);
    uint8_t *start = buffer->data + buffer->size;
    buffer->size += size;
    return start;
}

static inline void buffer_append(struct buffer *buffer, struct slice bytes)
{
    if (bytes.size > 0)
        memcpy(buffer_extend(buffer, bytes.size), bytes.data, bytes.size);
}

static inline void store_be32(uint8_t *at, uint32_t value)
{
    value = __builtin_bswap32(value);
    memcpy(at, &value, sizeof(value));
}

static inline void store_be64(uint8_t *at, uint64_t value)
{
    value = __builtin_bswap64(value);
    memcpy(at, &value, sizeof(value));
}

static inline uint32_t load_be32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return __builtin_bswap32(value);
}

static inline uint64_t load_be64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof(value));
    return __builtin_bswap64(value);
}

static inline void buffer_u8(struct buffer *buffer, uint8_t value)
{
    *buffer_extend(buffer, 1) = value;
}

static inline void buffer_i32(struct buffer *buffer, int32_t value)
{
    store_be32(buffer_extend(buffer, 4), (uint32_t)value);
}

static inline void buffer_i64(struct buffer *buffer, int64_t value)
{
    store_be64(buffer_extend(buffer, 8), (uint64_t)value);
}

#endif
