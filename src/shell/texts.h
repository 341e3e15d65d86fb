/* texts.h: what the shell reads and prints in ZooKeeper's own forms: paths, ACL lists, stats, errors. */
#ifndef SHELL_TEXTS_H
#define SHELL_TEXTS_H

#include "base/buffer.h"
#include "wire/records.h"

/* A path as a client checks it. False: `ret_problem` says what and where, as Java's client says it. */
MUST_USE bool path_check(struct slice path, char *ret_problem, size_t problem_bytes);

/* The eleven lines of a stat. */
void stat_print(const struct zk_stat *stat);

/* world:anyone with all permissions. */
void acl_put_open(struct buffer *out);
void acl_print(struct jute_vector acl);
enum { PERM_LETTERS_MAX = 5 };
/* "cdrwa", or the letters of those that are given. The text. */
const char *perms_put(int32_t given, char ret_letters[PERM_LETTERS_MAX + 1]);
/* False: a letter is none of them. */
MUST_USE bool perms_read(struct slice text, int32_t *ret_perms);

/* "NoNode", "ConnectionLoss", ... */
const char *error_name(int32_t err);
/* Base64 into bytes, appended. False: it is none. */
MUST_USE bool base64_read(struct slice text, struct buffer *out);

/* What a command says of an error, without the end of the line. path NULL: none. */
void error_put(struct buffer *out, int32_t err, const char *path);

/* "SyncConnected", "NodeCreated", ...: of events. */
const char *event_state_name(int32_t state);
const char *event_type_name(int32_t type);

#endif
