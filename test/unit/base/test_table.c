#include "base/checksum.h"
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

PROPERTY(checksums_are_zlibs_in_one_go_and_in_parts)
{
    uint8_t bytes[600];

    random_fill(&seed, bytes, sizeof(bytes));
    for (size_t size = 0; size <= sizeof(bytes); size++) {
        size_t cut = (size_t)random_below(&seed, (int32_t)size + 1);
        struct slice all = slice_of(bytes, size), first = slice_of(bytes, cut);
        struct slice second = slice_of(bytes + cut, size - cut);
        uint32_t crc = (uint32_t)crc32(0, bytes, (uInt)size);
        CHECK_U64("crc", crc32_add(0, all), crc);
        CHECK_U64("crc in parts", crc32_add(crc32_add(0, first), second), crc);
        uint32_t adler = (uint32_t)adler32(1, bytes, (uInt)size);
        CHECK_U64("adler", adler32_add(1, all), adler);
        CHECK_U64("adler in parts", adler32_add(adler32_add(1, first), second), adler);
        CHECK_U64("adler of the first part", adler32_without_end(adler, second),
                  adler32_add(1, first));
    }
}

/* The bytes that make sums overflow first, in the largest runs. */
TEST(checksums_are_zlibs_over_a_megabyte)
{
    size_t size = (1 << 20) + 13;
    uint8_t *bytes = mem_alloc(size);

    for (int byte = 0xff; byte >= 0; byte -= 0xff) {
        memset(bytes, byte, size);
        CHECK_U64("crc", crc32_add(7, slice_of(bytes, size)), crc32(7, bytes, (uInt)size));
        CHECK_U64("adler", adler32_add(0xfff0fff0, slice_of(bytes, size)),
                  adler32(0xfff0fff0, bytes, (uInt)size));
        CHECK_U64("adler without all", /* the largest sums there are */
                  adler32_without_end(adler32_add(0xfff0fff0, slice_of(bytes, size)),
                                      slice_of(bytes, size)),
                  0xfff0fff0);
    }
    mem_free(bytes);
}
