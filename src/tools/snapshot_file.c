/* snapshot_file.c: loads a snapshot with the store's own reader, so that whatever a server refuses a tool
 * refuses, too; and gives children in the order in which Java's tools print them. */
#include "tools/snapshot_file.h"

#include "base/array.h"
#include "io/disk_posix.h"

#include <stdio.h>
#include <stdlib.h>

const char *snapshot_file_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

static enum status open_folder(const char *path, struct disk **ret_disk)
{
    const char *name = snapshot_file_base_name(path);
    size_t size = (size_t)(name - path);
    char *folder = mem_alloc(size + 2);

    snprintf(folder, size + 2, "%.*s", (int)size, size == 0 ? "" : path);
    if (size == 0)
        snprintf(folder, 2, ".");
    enum status status = disk_posix_open(folder, 0, ret_disk);
    mem_free(folder);
    return status;
}

struct tree *snapshot_file_load(const char *path, struct snapshot_info *ret_info)
{
    const struct tree_options options = {.extended_types = true};
    struct disk *disk;
    enum status status = open_folder(path, &disk);

    if (status != STATUS_OK) {
        fprintf(stderr, "%s: %s\n", path, status_text(status));
        return NULL;
    }
    struct tree *tree = tree_new_empty(&options);
    status = snapshot_load(disk, snapshot_file_base_name(path), 0, NULL, tree, ret_info);
    if (status == STATUS_OK && !tree_load_unique(tree)) {
        status = STATUS_CORRUPT;
        ret_info->problem = "a path is in it twice";
    }
    disk_posix_close(disk);
    if (status == STATUS_OK)
        return tree;
    bool why = status == STATUS_CORRUPT && ret_info->problem != NULL;
    fprintf(stderr, "%s: %s%s%s\n", path, status_text(status), why ? ": " : "",
            why ? ret_info->problem : "");
    tree_free(tree);
    return NULL;
}

struct child {
    uint32_t id, bucket;
    struct slice name;
};

/* String.hashCode(), of the characters as Java holds them, spread as HashMap does it. */
static uint32_t java_hash(struct slice name)
{
    uint32_t hash = 0;

    for (size_t i = 0; i < name.size;) {
        uint32_t byte = name.data[i], unit = byte;
        size_t size = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : 3; /* no longer ones in a tree */
        if (size == 2 && i + 1 < name.size)
            unit = (byte & 0x1f) << 6 | (name.data[i + 1] & 0x3fU);
        else if (size == 3 && i + 2 < name.size)
            unit =
                (byte & 0x0f) << 12 | (name.data[i + 1] & 0x3fU) << 6 | (name.data[i + 2] & 0x3fU);
        hash = hash * 31 + unit;
        i += size;
    }
    return hash ^ hash >> 16;
}

static struct child *list(const struct tree *tree, uint32_t parent, size_t *ret_count)
{
    struct child *children = NULL;
    size_t count = 0, capacity = 0;

    for (uint32_t id = tree_node(tree, parent)->first_child; id != NODE_NONE;
         id = tree_node(tree, id)->next) {
        children = ARRAY_RESERVE(children, capacity, count + 1, ARRAY_FIRST);
        children[count++] = (struct child){.id = id, .name = znode_name(tree_node(tree, id))};
    }
    *ret_count = count;
    return children;
}

static uint32_t *ids_of(struct child *children, size_t count)
{
    uint32_t *ids = mem_alloc(sizeof(uint32_t) * (count + 1));

    for (size_t i = 0; i < count; i++)
        ids[i] = children[i].id;
    mem_free(children);
    return ids;
}

static int by_bucket(const void *left, const void *right)
{
    const struct child *a = left, *b = right;

    if (a->bucket != b->bucket)
        return a->bucket < b->bucket ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id; /* ids are given in the order of the file */
}

uint32_t *snapshot_file_children(const struct tree *tree, uint32_t parent, size_t *ret_count)
{
    struct child *children = list(tree, parent, ret_count);
    size_t capacity = 8; /* the table's: it doubles when it is filled by more than three quarters */

    while (*ret_count > capacity / 4 * 3)
        capacity *= 2;
    for (size_t i = 0; i < *ret_count; i++)
        children[i].bucket = java_hash(children[i].name) & (uint32_t)(capacity - 1);
    if (*ret_count > 0)
        qsort(children, *ret_count, sizeof(*children), by_bucket);
    return ids_of(children, *ret_count);
}
