/* top_table.h: the names with the most operations and bytes, of any number of names, in bounded
 * memory.
 *
 * Exact as long as there are at most TOP_TABLE_NAMES_MAX names. With more of them the smaller half is
 * forgotten from time to time; how much may be missing from a figure is known (missing_count, missing_bytes). */
#ifndef TOOLS_TOP_TABLE_H
#define TOOLS_TOP_TABLE_H

#include "base/slice.h"

enum { TOP_TABLE_NAMES_MAX = 1 << 16 };

struct top_entry {
    char *name;
    size_t name_size;
    uint64_t count, bytes;
};

struct top_table {
    struct top_entry *entries;
    uint32_t count, capacity;
    uint32_t *slots; /* entry + 1; 0: empty */
    uint32_t slot_count;
    size_t name_bytes;
    uint64_t missing_count, missing_bytes; /* at most, of each entry */
};

void top_table_init(struct top_table *table);
void top_table_deinit(struct top_table *table);
void top_table_add(struct top_table *table, struct slice name, uint64_t count, uint64_t bytes);

enum top_order { TOP_BY_COUNT, TOP_BY_BYTES };
/* Sorts the entries; nothing may be added after that. The number of them that is wanted, at most `top`. */
uint32_t top_table_sort(struct top_table *table, enum top_order order, uint32_t top);

#endif
