/* top_table.c: a hash table of names that drops its smaller half when it is full. What an entry may
 * have lost before it came back is never more than what the thrown-out ones had. */
#include "tools/top_table.h"

#include "base/array.h"
#include "base/hash.h"

#include <stdlib.h>

enum { SLOTS_FIRST = 64, NAME_BYTES_MAX = 16 * 1024 * 1024, COUNT_WEIGHT = 64 };

void top_table_init(struct top_table *table)
{
    *table = (struct top_table){0};
}

void top_table_deinit(struct top_table *table)
{
    for (uint32_t i = 0; i < table->count; i++)
        mem_free(table->entries[i].name);
    mem_free(table->entries);
    mem_free(table->slots);
    top_table_init(table);
}

static struct slice name_of(const struct top_entry *entry)
{
    return slice_of(entry->name, entry->name_size);
}

/* The slot of the name, or the empty one where it belongs. */
static uint32_t *find_slot(struct top_table *table, struct slice name)
{
    uint32_t at = (uint32_t)hash_bytes(name, 0) & (table->slot_count - 1);

    while (table->slots[at] != 0 &&
           !slice_equal(name_of(&table->entries[table->slots[at] - 1]), name))
        at = (at + 1) & (table->slot_count - 1);
    return &table->slots[at];
}

static void index_all(struct top_table *table, uint32_t slot_count)
{
    mem_free(table->slots);
    table->slots = mem_zalloc(slot_count * sizeof(*table->slots));
    table->slot_count = slot_count;
    for (uint32_t i = 0; i < table->count; i++)
        *find_slot(table, name_of(&table->entries[i])) = i + 1;
}

static int by_weight(const void *left, const void *right)
{
    const struct top_entry *a = left, *b = right;
    uint64_t x = a->bytes + a->count * COUNT_WEIGHT, y = b->bytes + b->count * COUNT_WEIGHT;

    return x != y ? (x > y ? -1 : 1) : 0;
}

static void forget_smaller_half(struct top_table *table)
{
    uint64_t count_max = 0, bytes_max = 0;
    uint32_t keep = table->count / 2;

    qsort(table->entries, table->count, sizeof(*table->entries), by_weight);
    for (uint32_t i = keep; i < table->count; i++) {
        struct top_entry *entry = &table->entries[i];
        count_max = entry->count > count_max ? entry->count : count_max;
        bytes_max = entry->bytes > bytes_max ? entry->bytes : bytes_max;
        table->name_bytes -= entry->name_size;
        mem_free(entry->name);
    }
    table->count = keep;
    table->missing_count += count_max;
    table->missing_bytes += bytes_max;
    index_all(table, table->slot_count);
}

void top_table_add(struct top_table *table, struct slice name, uint64_t count, uint64_t bytes)
{
    if (table->count == TOP_TABLE_NAMES_MAX ||
        (table->name_bytes > NAME_BYTES_MAX && table->count > 1))
        forget_smaller_half(table);
    if (table->slot_count < (table->count + 1) * 2)
        index_all(table, table->slot_count == 0 ? SLOTS_FIRST : table->slot_count * 2);
    uint32_t *slot = find_slot(table, name);
    if (*slot == 0) {
        table->entries =
            ARRAY_RESERVE(table->entries, table->capacity, table->count + 1, ARRAY_FIRST);
        struct top_entry *entry = &table->entries[table->count++];
        *entry = (struct top_entry){.name = mem_alloc(name.size), .name_size = name.size};
        if (name.size > 0)
            memcpy(entry->name, name.data, name.size);
        table->name_bytes += name.size;
        *slot = table->count;
    }
    table->entries[*slot - 1].count += count;
    table->entries[*slot - 1].bytes += bytes;
}

static int by_name(const struct top_entry *a, const struct top_entry *b)
{
    size_t size = a->name_size < b->name_size ? a->name_size : b->name_size;
    int order = memcmp(a->name, b->name, size);

    return order != 0 ? order : (a->name_size > b->name_size) - (a->name_size < b->name_size);
}

static int by_count(const void *left, const void *right)
{
    const struct top_entry *a = left, *b = right;

    return a->count != b->count ? (a->count > b->count ? -1 : 1) : by_name(a, b);
}

static int by_bytes(const void *left, const void *right)
{
    const struct top_entry *a = left, *b = right;

    return a->bytes != b->bytes ? (a->bytes > b->bytes ? -1 : 1) : by_name(a, b);
}

uint32_t top_table_sort(struct top_table *table, enum top_order order, uint32_t top)
{
    if (table->count > 0)
        qsort(table->entries, table->count, sizeof(*table->entries),
              order == TOP_BY_COUNT ? by_count : by_bytes);
    return table->count < top ? table->count : top;
}
