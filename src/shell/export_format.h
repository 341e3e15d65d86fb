/* export_format.h: the files of export and import: JSON objects, one per line (any white space
 * between them is accepted).
 *
 *     {"format":"paddock-export","version":1,"path":"/app","time":1700000000000}
 *     {"path":"/app","data":"text","encoding":"utf-8","acl":[{"scheme":..,"id":..,"perms":"cdrwa"}],
 *      "kind":"persistent"}
 *     {"path":"/app/a", ...}
 *     {"end":true,"znodes":2,"ephemeralsLeftOut":0}
 *
 * A parent comes before its children, and children are in the order of their names, as bytes. So a
 * reader needs to remember only one branch of the tree to see that nothing is missing and nothing
 * occurs twice. data null: no data. encoding "base64": data that is no UTF-8. kind: "persistent",
 * "container" or "ttl", then with "ttl" in milliseconds. */
#ifndef SHELL_EXPORT_FORMAT_H
#define SHELL_EXPORT_FORMAT_H

#include "base/buffer.h"

#include <stdio.h>

#define EXPORT_FORMAT "paddock-export"
enum { EXPORT_VERSION = 1 };

enum export_kind { EXPORT_PERSISTENT, EXPORT_CONTAINER, EXPORT_TTL, EXPORT_KINDS };
const char *export_kind_name(enum export_kind kind);

struct export_node {
    const char *path;  /* below the root of the export: "" for the root itself, else "/a/b" */
    struct slice data; /* may be null */
    struct slice acl;  /* a vector of the wire */
    enum export_kind kind;
    int64_t ttl_ms;
};

/* Reads such a file from its start, and checks it while it reads. */
struct export_reader;
struct export_reader *export_reader_new(FILE *file, const char *name);
void export_reader_free(struct export_reader *reader);
/* The path that was exported; NULL: the file is invalid, see export_reader_problem(). */
const char *export_reader_root(struct export_reader *reader);
/* The next znode, valid until the next call. */
enum export_result { EXPORT_NODE, EXPORT_END, EXPORT_BAD };
enum export_result export_reader_next(struct export_reader *reader, struct export_node *ret_node);
/* What is wrong, and where: file, line and offset. */
const char *export_reader_problem(const struct export_reader *reader);
int64_t export_reader_line(const struct export_reader *reader); /* of the last znode */

#endif
