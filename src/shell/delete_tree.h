/* delete_tree.h: deletes a whole subtree, in batches that are deleted as a whole or not at all. */
#ifndef SHELL_DELETE_TREE_H
#define SHELL_DELETE_TREE_H

#include "shell/shell.h"

/* Returns the exit code; errors are reported. */
int delete_tree(struct shell *shell, const char *path, size_t batch);

#endif
