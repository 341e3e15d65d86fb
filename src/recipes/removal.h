/* removal.h: removes a node of this session in the background, however often the connection is
 * lost. */
#ifndef RECIPES_REMOVAL_H
#define RECIPES_REMOVAL_H

#include <zookeeper/recipes.h>

/* The node `name` below `directory`; or, if `begins`, the one whose name begins with it, if there
 * is any. Without memory, or when the session is over, nothing is done: the node is deleted with
 * the session. */
void removal_start(zhandle_t *zh, const char *directory, const char *name, int begins);

#endif
