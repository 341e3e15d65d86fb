/* texts.h: what the shell reads and prints in ZooKeeper's own forms: paths, ACL lists, stats, errors. */
#ifndef SHELL_TEXTS_H
#define SHELL_TEXTS_H

#include "base/buffer.h"
#include "wire/records.h"

/* A path as a client checks it. False: `ret_problem` says what and where, as Java's client says it. */
MUST_USE bool path_check(struct slice path, char *ret_problem, size_t problem_bytes);

/* The eleven lines of a stat. */
void stat_print(const struct zk_stat *stat);
/* A stat out of an answer. False: it is too short. */

/* "scheme:id:perms,..." appended as a vector of the wire. What is wrong is said on stderr, and left out.
 * The number of entries. */
int32_t acl_parse(const char *text, struct buffer *out);
/* world:anyone with all permissions. */
void acl_put_open(struct buffer *out);
void acl_print(struct jute_vector acl);

/* "NoNode", "ConnectionLoss", ... */
const char *error_name(int32_t err);
/* The line that a command prints for an error. path NULL: none. */
void error_print(int32_t err, const char *path);

/* "SyncConnected", "NodeCreated", ...: of events. */
const char *event_state_name(int32_t state);
const char *event_type_name(int32_t type);

#endif
