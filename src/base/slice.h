/* slice.h: borrowed bytes. data == NULL is null, which differs from empty: ZooKeeper's clients can see
 * which of the two it is. To keep the bytes longer, copy them. */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include "base/base.h"

#include <string.h>

struct slice {
    const uint8_t *data;
    size_t size;
};

#define SLICE_NULL ((struct slice){NULL, 0})
/* From a string literal. */
#define SLICE(literal) ((struct slice){(const uint8_t *)(literal), sizeof(literal) - 1})

static inline struct slice slice_of(const void *data, size_t size)
{
    return (struct slice){(const uint8_t *)data, size};
}

static inline struct slice slice_text(const char *text)
{
    return (struct slice){(const uint8_t *)text, strlen(text)};
}

static inline bool slice_equal(struct slice left, struct slice right)
{
    return left.size == right.size &&
           (left.size == 0 || memcmp(left.data, right.data, left.size) == 0);
}

static inline bool slice_starts_with(struct slice text, struct slice prefix)
{
    return text.size >= prefix.size &&
           (prefix.size == 0 || memcmp(text.data, prefix.data, prefix.size) == 0);
}

/* Without the bytes up to and including the blank at both ends, as Java's String.trim(). */
static inline struct slice slice_trim(struct slice text)
{
    while (text.size > 0 && text.data[0] <= ' ')
        text = slice_of(text.data + 1, text.size - 1);
    while (text.size > 0 && text.data[text.size - 1] <= ' ')
        text.size--;
    return text;
}

#endif
