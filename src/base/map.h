/* map.h: a map from 64-bit keys to pointers; it grows by doubling. Keys are ids, never bytes. The value
 * NULL means "absent". The order of a walk has no meaning and changes with insertions. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/base.h"

struct map_slot {
    uint64_t key;
    void *value; /* NULL: empty */
};

struct map {
    struct map_slot *slots;
    size_t count, capacity; /* capacity is 0 or a power of two */
};

void map_init(struct map *map);
void map_deinit(struct map *map); /* does not own the values */
void *map_get(const struct map *map, uint64_t key);
void map_set(struct map *map, uint64_t key, void *value); /* value is not NULL */
void *map_remove(struct map *map, uint64_t key);          /* what was there, or NULL */
/* Walk: start with *cursor = 0; NULL ends. Nothing may be inserted or removed meanwhile. */
void *map_next(const struct map *map, size_t *cursor, uint64_t *ret_key);

#endif
