/* table.c: linear hashing: an insertion splits one bucket at most, so that none takes long. */
#include "base/table.h"

#include "base/array.h"

enum { SEGMENT_HEADS = 64 };

void table_deinit(struct table *table)
{
    for (size_t i = 0; i < table->segment_count; i++)
        mem_free(table->segments[i]);
    mem_free(table->segments);
    *table = (struct table){0};
}

static struct table_entry **bucket(const struct table *table, size_t index)
{
    return &table->segments[index / SEGMENT_HEADS][index % SEGMENT_HEADS];
}

static size_t index_of(const struct table *table, uint64_t hash)
{
    size_t index = (size_t)(hash & table->mask);
    return index >= table->bucket_count ? (size_t)(hash & table->mask >> 1) : index;
}

static void add_segment(struct table *table)
{
    table->segments =
        ARRAY_RESERVE(table->segments, table->segment_capacity, table->segment_count + 1, 1);
    table->segments[table->segment_count++] =
        mem_zalloc(SEGMENT_HEADS * sizeof(struct table_entry *));
}

static void split(struct table *table)
{
    if (table->bucket_count == table->segment_count * SEGMENT_HEADS)
        add_segment(table);
    size_t added = table->bucket_count++;
    ASSERT(added / SEGMENT_HEADS < table->segment_count);
    if (added > table->mask)
        table->mask = table->mask * 2 + 1;
    struct table_entry **from = bucket(table, added & (size_t)(table->mask >> 1));
    struct table_entry **to = bucket(table, added);
    while (*from != NULL) {
        struct table_entry *entry = *from;
        if ((size_t)(entry->hash & table->mask) == added) {
            *from = entry->next;
            entry->next = *to;
            *to = entry;
        } else {
            from = &entry->next;
        }
    }
}

struct table_entry *table_first(const struct table *table, uint64_t hash)
{
    return table->count == 0 ? NULL : *bucket(table, index_of(table, hash));
}

void table_insert(struct table *table, struct table_entry *entry)
{
    if (table->segment_count == 0) {
        add_segment(table);
        table->bucket_count = SEGMENT_HEADS;
        table->mask = SEGMENT_HEADS - 1;
    }
    if (++table->count > table->bucket_count)
        split(table);
    struct table_entry **head = bucket(table, index_of(table, entry->hash));
    entry->next = *head;
    *head = entry;
}

void table_remove(struct table *table, struct table_entry *entry)
{
    ASSERT(table->count > 0);
    struct table_entry **at = bucket(table, index_of(table, entry->hash));

    while (*at != entry) {
        ASSERT(*at != NULL);
        at = &(*at)->next;
    }
    *at = entry->next;
    table->count--;
}

struct table_entry *table_next(const struct table *table, struct table_entry *entry)
{
    size_t index = 0;

    if (entry != NULL) {
        if (entry->next != NULL)
            return entry->next;
        index = index_of(table, entry->hash) + 1;
    }
    for (; index < table->bucket_count; index++) {
        if (*bucket(table, index) != NULL)
            return *bucket(table, index);
    }
    return NULL;
}
