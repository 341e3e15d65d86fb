/* watch_list.h: the paths of one kind of watch. */
#ifndef SHELL_WATCH_LIST_H
#define SHELL_WATCH_LIST_H

#include "base/slice.h"

struct watch_list {
    char **paths; /* no order */
    size_t count, capacity;
};

void watch_list_deinit(struct watch_list *watches);
void watch_list_add(struct watch_list *watches, struct slice path); /* once */
bool watch_list_has(const struct watch_list *watches, struct slice path);
void watch_list_drop(struct watch_list *watches, struct slice path);

#endif
