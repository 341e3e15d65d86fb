/* snapshot_file.h: a snapshot anywhere in the file system, loaded into a tree. */
#ifndef TOOLS_SNAPSHOT_FILE_H
#define TOOLS_SNAPSHOT_FILE_H

#include "base/buffer.h"
#include "replica/store/snapshot.h"

/* NULL: it is not there, or not whole; that is said on stderr. The caller frees the tree. Its owners of TTL
 * nodes are as they are stored. */
struct tree *snapshot_file_load(const char *path, struct snapshot_info *ret_info);
const char *snapshot_file_base_name(const char *path);

/* The ids of a node's children, in the order in which Java walks them, which is that of a hash table.
 * mem_free() it. */
uint32_t *snapshot_file_children(const struct tree *tree, uint32_t parent, size_t *ret_count);

#endif
