/* snapshot_input.h: how the sub-commands of `paddock snapshot` find and read a file. */
#ifndef TOOLS_SNAPSHOT_INPUT_H
#define TOOLS_SNAPSHOT_INPUT_H

#include "base/map.h"
#include "replica/store/snapshot.h"
#include "tools/tool_files.h"
#include "tools/tool_words.h"

/* Texts and data of a snapshot are no longer than this. */
enum { SNAPSHOT_TEXT_BYTES_MAX = 64 * 1024 * 1024 };

/* Reads all of it. Not OK: reported on stderr, with the offset and how much could be read. */
MUST_USE enum status snapshot_read_file(const struct tool_file *file,
                                        const struct snapshot_visitor *visitor,
                                        struct snapshot_info *ret_info);
/* The text that snapshot_read_file() prints. */
void snapshot_say_failure(const struct tool_file *file, enum status status,
                          const struct snapshot_info *info);
/* The exit code for the answer of snapshot_read_file(). */
int snapshot_exit_code(enum status status);

/* The snapshot that an argument names: the file, or the newest finished one of the directory. NULL:
 * reported. */
const struct tool_file *snapshot_find(struct tool_files *files, const char *word);

/* A sub-command for one snapshot: reads its words, finds the snapshot of the first one, and answers with what
 * `fn` does. */
int snapshot_run(const struct tool_syntax *syntax, int argc, char **argv,
                 int (*fn)(const struct tool_words *words, const struct tool_file *file));

/* The ACL lists of a snapshot, by their numbers in it. */
struct snapshot_acls {
    struct map lists; /* of struct snapshot_acl */
};
void snapshot_acls_init(struct snapshot_acls *acls);
void snapshot_acls_deinit(struct snapshot_acls *acls);
void snapshot_acls_add(struct snapshot_acls *acls, int64_t id, struct jute_vector acl);
/* A null list for an unknown number. */
struct jute_vector snapshot_acls_get(const struct snapshot_acls *acls, int64_t id);

#endif
