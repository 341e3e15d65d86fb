/* removal.h: removes a node of this session in the background, however often the connection is
 * lost. */
#ifndef RECIPES_REMOVAL_H
#define RECIPES_REMOVAL_H

#include <zookeeper/recipes.h>

/* The node `name` below `directory`; or, if `begins`, the one whose name is this and a number, if there
 * is any. When the session is over, nothing is done: the node is deleted with it. Without memory each step
 * is repeated until there is some; its thread waits meanwhile. */
void removal_start(zhandle_t *zh, const char *directory, const char *name, int begins);

#endif
