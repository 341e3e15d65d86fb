/* map.c: open addressing with linear probing. A removal moves the entries after it back, so that a search
 * may end at the first empty slot. */
#include "base/map.h"

#include "base/hash.h"

enum { CAPACITY_MIN = 16 };

void map_init(struct map *map)
{
    *map = (struct map){0};
}

void map_deinit(struct map *map)
{
    mem_free(map->slots);
    map_init(map);
}

static size_t home_slot(const struct map *map, uint64_t key)
{
    return (size_t)hash_u64(key, 0) & (map->capacity - 1);
}

void *map_get(const struct map *map, uint64_t key)
{
    if (map->count == 0)
        return NULL;
    for (size_t i = home_slot(map, key); map->slots[i].value != NULL;
         i = (i + 1) & (map->capacity - 1)) {
        if (map->slots[i].key == key)
            return map->slots[i].value;
    }
    return NULL;
}

static void put(struct map *map, uint64_t key, void *value)
{
    size_t i = home_slot(map, key);

    while (map->slots[i].value != NULL && map->slots[i].key != key)
        i = (i + 1) & (map->capacity - 1);
    if (map->slots[i].value == NULL)
        map->count++;
    map->slots[i] = (struct map_slot){key, value};
}

void map_set(struct map *map, uint64_t key, void *value)
{
    ASSERT(value != NULL);
    if ((map->count + 1) * 4 > map->capacity * 3) {
        struct map grown = {0};
        grown.capacity = map->capacity == 0 ? CAPACITY_MIN : map->capacity * 2;
        grown.slots = mem_zalloc(grown.capacity * sizeof(*grown.slots));
        for (size_t i = 0; i < map->capacity; i++) {
            if (map->slots[i].value != NULL)
                put(&grown, map->slots[i].key, map->slots[i].value);
        }
        mem_free(map->slots);
        *map = grown;
    }
    put(map, key, value);
    ASSERT(map->count < map->capacity); /* each search ends at an empty slot */
}

void *map_remove(struct map *map, uint64_t key)
{
    if (map->count == 0)
        return NULL;
    size_t mask = map->capacity - 1;
    size_t hole = home_slot(map, key);

    while (map->slots[hole].value != NULL && map->slots[hole].key != key)
        hole = (hole + 1) & mask;
    void *removed = map->slots[hole].value;
    if (removed == NULL)
        return NULL;
    /* Close the gap: an entry may move back to the hole unless its home lies after it. */
    for (size_t i = (hole + 1) & mask; map->slots[i].value != NULL; i = (i + 1) & mask) {
        size_t from = home_slot(map, map->slots[i].key);
        if (((i - from) & mask) >= ((i - hole) & mask)) {
            map->slots[hole] = map->slots[i];
            hole = i;
        }
    }
    map->slots[hole] = (struct map_slot){0, NULL};
    map->count--;
    return removed;
}

void *map_next(const struct map *map, size_t *cursor, uint64_t *ret_key)
{
    while (*cursor < map->capacity) {
        const struct map_slot *slot = &map->slots[(*cursor)++];
        if (slot->value != NULL) {
            if (ret_key != NULL)
                *ret_key = slot->key;
            return slot->value;
        }
    }
    return NULL;
}
