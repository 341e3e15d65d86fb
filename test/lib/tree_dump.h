/* tree_dump.h: everything a tree holds, as text in a fixed order: two trees are the same when their
 * dumps are. */
#ifndef TEST_LIB_TREE_DUMP_H
#define TEST_LIB_TREE_DUMP_H

#include "replica/tree/tree.h"

/* Nodes by path with data, ACL and stored stat; sessions by id with their ephemerals' count; digest
 * and last zxid. */
void tree_dump(const struct tree *tree, struct buffer *out);
/* The same nodes and sessions, without the digest and zxid. */
void tree_dump_content(const struct tree *tree, struct buffer *out);
/* The digest computed anew from every node, independently of the tree's own sum. */
uint64_t tree_digest_from_scratch(const struct tree *tree);
/* Fails the test and shows the first line that differs. */
void check_same_dump(const char *name, const struct buffer *got, const struct buffer *want);

#endif
