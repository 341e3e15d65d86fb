/* array.h: growing arrays. */
#ifndef BASE_ARRAY_H
#define BASE_ARRAY_H

#include "base/base.h"

enum { ARRAY_FIRST = 16 };

/* Room for at least `wanted` items. The capacity becomes the first of `first`, 2 * `first`, 4 * `first`,
 * ... that is enough; it never shrinks. Returns the array, which may have moved. When memory is
 * exhausted, the process ends (base.h). The capacity may be of any integer type:
 *
 *     list->items = ARRAY_RESERVE(list->items, list->capacity, list->count + 1, ARRAY_FIRST); */
#define ARRAY_RESERVE(items, capacity, wanted, first)                                              \
    ((size_t)(wanted) <= (size_t)(capacity)                                                        \
         ? (items)                                                                                 \
         : mem_realloc((items),                                                                    \
                       (size_t)((capacity) = array_capacity((size_t)(capacity), (size_t)(wanted),  \
                                                            (size_t)(first))) *                    \
                           sizeof(*(items))))

/* The capacity that ARRAY_RESERVE() would choose. */
static inline uint32_t array_capacity(size_t capacity, size_t wanted, size_t first)
{
    ASSERT(first > 0 && wanted <= UINT32_MAX);
    if (capacity == 0)
        capacity = first;
    while (capacity < wanted)
        capacity *= 2;
    ASSERT(capacity <= UINT32_MAX);
    return (uint32_t)capacity;
}

#endif
