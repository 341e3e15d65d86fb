#include "base/crc32.h"
#include "base/table.h"
#include "test/lib/check.h"

#include <zlib.h>

enum { ITEMS = 3000 };

struct item {
    struct table_entry entry; /* first: an entry is its item */
    int32_t key;
    bool in, seen;
};

static struct item *find(const struct table *table, int32_t key, uint64_t hash)
{
    for (struct table_entry *at = table_first(table, hash); at != NULL; at = at->next) {
        struct item *item = CONTAINER_OF(at, struct item, entry);
        if (at->hash == hash && item->key == key)
            return item;
    }
    return NULL;
}

static void check_walk(const struct table *table, struct item *items, size_t count)
{
    size_t walked = 0;

    for (size_t i = 0; i < ITEMS; i++)
        items[i].seen = false;
    for (struct table_entry *at = NULL; (at = table_next(table, at)) != NULL; walked++) {
        struct item *item = CONTAINER_OF(at, struct item, entry);
        CHECK(item->in && !item->seen);
        item->seen = true;
    }
    CHECK_U64("walked", walked, count);
}

TEST(an_empty_table_has_nothing)
{
    struct table table = {0};

    CHECK(table_first(&table, 1) == NULL);
    CHECK(table_next(&table, NULL) == NULL);
    table_deinit(&table);
}

PROPERTY(a_table_finds_what_is_in_it_and_nothing_else_while_it_grows)
{
    static struct item items[ITEMS];
    struct table table = {0};
    size_t count = 0;

    for (int32_t i = 0; i < ITEMS; i++) /* few distinct hashes: long chains */
        items[i] = (struct item){.key = i, .entry.hash = random_u64(&seed) % (ITEMS / 2)};
    for (int step = 0; step < 20000; step++) {
        struct item *item = &items[random_below(&seed, step < 10000 ? ITEMS : 100)];
        if (item->in) {
            table_remove(&table, &item->entry);
            count--;
        } else {
            table_insert(&table, &item->entry);
            count++;
        }
        item->in = !item->in;
        CHECK_U64("count", table.count, count);
        CHECK(find(&table, item->key, item->entry.hash) == (item->in ? item : NULL));
    }
    for (int32_t i = 0; i < ITEMS; i++)
        CHECK(find(&table, i, items[i].entry.hash) == (items[i].in ? &items[i] : NULL));
    check_walk(&table, items, count);
    table_deinit(&table);
}

PROPERTY(crc32_is_zlibs_in_one_go_and_in_parts)
{
    uint8_t bytes[200];

    random_fill(&seed, bytes, sizeof(bytes));
    for (size_t size = 0; size <= sizeof(bytes); size++) {
        size_t cut = (size_t)random_below(&seed, (int32_t)size + 1);
        uint32_t want = (uint32_t)crc32(crc32(0, NULL, 0), bytes, (uInt)size);
        CHECK_U64("whole", crc32_add(0, slice_of(bytes, size)), want);
        uint32_t first = crc32_add(0, slice_of(bytes, cut));
        CHECK_U64("parts", crc32_add(first, slice_of(bytes + cut, size - cut)), want);
    }
}
