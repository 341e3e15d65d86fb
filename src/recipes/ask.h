/* ask.h: calls of the C API, repeated until they are answered; and names of nodes.
 *
 * All of them return ZOK, the server's error, or one of the errors that recipes.h lists for every
 * function. */
#ifndef RECIPES_ASK_H
#define RECIPES_ASK_H

#include "recipes/cell.h"

#define RECIPES_HEX_SIZE 33  /* 32 digits of an identifier, and a zero byte */
#define RECIPES_GUID_SIZE 37 /* the same with four dashes */

/* Both forms of one new identifier. ZSYSTEMERROR: no random numbers. */
int ask_new_guid(char hex[RECIPES_HEX_SIZE], char guid[RECIPES_GUID_SIZE]);

/* New memory; NULL: there is none. */
char *ask_join(const char *first, const char *second, const char *third);

/* A path that begins with a slash and does not end with one, and is not empty. The servers check
 * the rest. */
bool ask_is_path(const char *path);

/* The node at `path` and the ones above it, persistent. ZOK also when they are there. */
int ask_make_path(struct cell *cell, const char *path, const struct ACL_vector *acl,
                  int64_t deadline_ms);
int ask_make_parents(struct cell *cell, const char *path, const struct ACL_vector *acl,
                     int64_t deadline_ms);

/* Waits until the server has everything that was agreed before (sync). */
int ask_sync(struct cell *cell, const char *path, int64_t deadline_ms);

/* The children; `watch` says whether to set a watch. *ret_names is set only with ZOK and goes back
 * with deallocate_String_vector(). */
int ask_children(struct cell *cell, const char *path, bool watch, struct String_vector *ret_names,
                 int64_t deadline_ms);

/* Whether the node is there, with a watch only if it is. ZNONODE: no. ret_stat may be NULL. */
int ask_watch(struct cell *cell, const char *path, struct Stat *ret_stat, int64_t deadline_ms);

/* ZOK also when there is none. */
int ask_delete(struct cell *cell, const char *path, int64_t deadline_ms);

#endif
