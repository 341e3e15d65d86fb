/* buffer.c: growing a buffer: by half of what it has, or to what is needed. */
#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>

void buffer_init(struct buffer *buffer)
{
    *buffer = (struct buffer){0};
}

void buffer_deinit(struct buffer *buffer)
{
    mem_free(buffer->data);
    buffer_init(buffer);
}

static size_t grown_capacity(const struct buffer *buffer, size_t needed)
{
    size_t capacity = buffer->capacity < 256 ? 256 : buffer->capacity + buffer->capacity / 2;

    return capacity < needed ? needed : capacity;
}

void buffer_reserve(struct buffer *buffer, size_t more)
{
    size_t needed = buffer->size + more;

    ASSERT(needed >= more && buffer->size <= buffer->capacity);
    if (needed <= buffer->capacity)
        return;
    size_t capacity = grown_capacity(buffer, needed);
    buffer->data = mem_realloc(buffer->data, capacity);
    buffer->capacity = capacity;
}

bool buffer_try_grow(struct buffer *buffer, size_t more)
{
    size_t needed = buffer->size + more;

    if (needed < more)
        return false;
    size_t capacity = grown_capacity(buffer, needed);
    uint8_t *grown = mem_try_realloc(buffer->data, capacity);
    if (grown == NULL)
        return false;
    buffer->data = grown;
    buffer->capacity = capacity;
    return true;
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list arguments, again;

    va_start(arguments, format);
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    ASSERT(size >= 0);
    buffer_reserve(buffer, (size_t)size + 1);
    (void)vsnprintf((char *)buffer->data + buffer->size, (size_t)size + 1, format, again);
    va_end(again);
    buffer->size += (size_t)size;
}
