/* table.h: an intrusive hash table that grows by one bucket at a time (linear hashing), so that no
 * insertion takes long. The caller compares keys: it walks the chain from table_first() and looks at
 * the entries whose hash is equal. */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include "base/base.h"

struct table_entry {
    struct table_entry *next;
    uint64_t hash;
};

struct table { /* zeroed: empty */
    struct table_entry ***segments;
    size_t segment_count, segment_capacity, bucket_count, count;
    uint64_t mask;
};

void table_deinit(struct table *table); /* does not own the entries */
struct table_entry *table_first(const struct table *table, uint64_t hash); /* NULL: none */
void table_insert(struct table *table, struct table_entry *entry);         /* entry->hash is set */
void table_remove(struct table *table, struct table_entry *entry);         /* it is in there */
/* Every entry once: NULL starts. Nothing may be inserted or removed meanwhile. */
struct table_entry *table_next(const struct table *table, struct table_entry *entry);

#endif
