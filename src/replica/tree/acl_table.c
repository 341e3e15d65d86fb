/* acl_table.c: keeps each distinct ACL list once, with a count of its users. The lists come from
 * clients, so the hash is seeded and the table grows with their number. */
#include "replica/tree/tree_internal.h"

#include "base/array.h"
#include "base/hash.h"

/* In a file, -1 is world:anyone:31 and is not in the table; ids in the table are positive. */
enum { FILE_ID_OPEN = -1, HEADS_FIRST = 64 };

static struct jute_vector copy_vector(struct jute_vector acl)
{
    uint8_t *bytes = mem_alloc(acl.bytes.size);
    if (acl.bytes.size > 0)
        memcpy(bytes, acl.bytes.data, acl.bytes.size);
    return (struct jute_vector){slice_of(bytes, acl.bytes.size), acl.count};
}

static uint32_t *head_of(const struct acl_table *table, struct jute_vector acl)
{
    return &table->heads[hash_bytes(acl.bytes, table->hash_seed) & (table->head_count - 1)];
}

/* Doubles the table. This visits every list, but happens only when their number has doubled. */
static void grow_heads(struct acl_table *table)
{
    mem_free(table->heads);
    table->head_count *= 2;
    table->heads = mem_zalloc(table->head_count * sizeof(*table->heads));
    for (uint32_t id = ACL_UNKNOWN + 1; id < table->count; id++) {
        struct acl_entry *entry = &table->entries[id];
        if (entry->references == 0)
            continue;
        uint32_t *head = head_of(table, entry->acl);
        entry->hash_next = *head;
        *head = id;
    }
}

static uint32_t add_entry(struct acl_table *table, struct jute_vector acl)
{
    uint32_t id = table->free_id;

    if (id != 0) {
        table->free_id = table->entries[id].hash_next;
    } else {
        table->entries =
            ARRAY_RESERVE(table->entries, table->capacity, table->count + 1, ARRAY_FIRST);
        id = table->count++;
    }
    table->entries[id] = (struct acl_entry){.acl = copy_vector(acl), .references = 0};
    return id;
}

void acl_table_init(struct acl_table *table, uint64_t hash_seed)
{
    *table = (struct acl_table){.hash_seed = hash_seed, .head_count = HEADS_FIRST};
    table->heads = mem_zalloc(table->head_count * sizeof(*table->heads));
    struct buffer bytes = {0};
    struct jute_acl open = {SLICE("world"), SLICE("anyone"), PERM_ALL};
    struct jute_acl closed = {SLICE("world"), SLICE("anyone"), 0};

    /* 0 and 1 are fixed and never freed; neither is found by content except the open one. */
    jute_put_acl(&bytes, &open);
    uint32_t id = add_entry(table, (struct jute_vector){buffer_slice(&bytes), 1});
    ASSERT(id == ACL_OPEN);
    bytes.size = 0;
    jute_put_acl(&bytes, &closed);
    id = add_entry(table, (struct jute_vector){buffer_slice(&bytes), 1});
    ASSERT(id == ACL_UNKNOWN);
    buffer_deinit(&bytes);
}

void acl_table_deinit(struct acl_table *table)
{
    for (uint32_t id = 0; id < table->count; id++)
        mem_free((void *)(uintptr_t)table->entries[id].acl.bytes.data);
    mem_free(table->entries);
    mem_free(table->heads);
    map_deinit(&table->file_ids);
}

uint32_t acl_table_intern(struct acl_table *table, struct jute_vector acl)
{
    if (acl.count <= 0) { /* 3.4 may have stored an empty list, which allows everything */
        return ACL_OPEN;
    }
    if (acl.count == 1 && slice_equal(acl.bytes, table->entries[ACL_OPEN].acl.bytes))
        return ACL_OPEN;
    uint32_t *head = head_of(table, acl);
    for (uint32_t id = *head; id != 0; id = table->entries[id].hash_next) {
        struct acl_entry *entry = &table->entries[id];
        if (entry->acl.count == acl.count && slice_equal(entry->acl.bytes, acl.bytes)) {
            entry->references++;
            return id;
        }
    }
    if (table->used == table->head_count) {
        grow_heads(table);
        head = head_of(table, acl);
    }
    uint32_t id = add_entry(table, acl);
    table->entries[id].references = 1;
    table->entries[id].hash_next = *head;
    *head = id;
    table->used++;
    return id;
}

void acl_table_release(struct acl_table *table, uint32_t id)
{
    if (id == ACL_OPEN || id == ACL_UNKNOWN)
        return;
    struct acl_entry *entry = &table->entries[id];
    ASSERT(id < table->count && entry->references > 0);
    if (--entry->references > 0)
        return;
    uint32_t *at = head_of(table, entry->acl);
    while (*at != id) {
        ASSERT(*at != 0);
        at = &table->entries[*at].hash_next;
    }
    ASSERT(table->used > 0);
    *at = entry->hash_next;
    table->used--;
    mem_free((void *)(uintptr_t)entry->acl.bytes.data);
    *entry = (struct acl_entry){.hash_next = table->free_id};
    table->free_id = id;
}

int64_t acl_table_file_id(uint32_t id)
{
    return id == ACL_OPEN ? FILE_ID_OPEN : (int64_t)id;
}

void acl_table_write(const struct acl_table *table, struct buffer *out)
{
    size_t count_at = out->size;
    uint32_t count = 0;

    buffer_i32(out, 0);
    for (uint32_t id = ACL_UNKNOWN; id < table->count; id++) {
        const struct acl_entry *entry = &table->entries[id];
        if (entry->acl.bytes.data == NULL || entry->references == 0)
            continue;
        buffer_i64(out, acl_table_file_id(id));
        jute_put_vector(out, entry->acl);
        count++;
    }
    store_be32(out->data + count_at, count);
}

uint32_t tree_acl_intern(struct tree *tree, struct jute_vector acl)
{
    return acl_table_intern(&tree->acls, acl);
}

void tree_acl_hold(struct tree *tree, uint32_t id)
{
    if (id == ACL_OPEN || id == ACL_UNKNOWN)
        return;
    ASSERT(id < tree->acls.count && tree->acls.entries[id].references > 0);
    tree->acls.entries[id].references++;
}

void tree_acl_release(struct tree *tree, uint32_t id)
{
    acl_table_release(&tree->acls, id);
}

struct jute_vector tree_acl(const struct tree *tree, uint32_t id)
{
    ASSERT(id < tree->acls.count);
    return tree->acls.entries[id].acl;
}

void tree_load_acl(struct tree *tree, int64_t file_acl_id, struct jute_vector acl)
{
    /* Keeps one reference until tree_load_finish(), so that no id is reused meanwhile. */
    uint32_t id = acl_table_intern(&tree->acls, acl);
    map_set(&tree->acls.file_ids, (uint64_t)file_acl_id, (void *)((uintptr_t)id + 1));
}
