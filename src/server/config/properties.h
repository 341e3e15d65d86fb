/* properties.h: the syntax of zoo.cfg, which is that of java.util.Properties.
 *
 * `key=value`, `key: value` or `key value`; a line whose first character is `#` or `!` is a comment;
 * a line that ends in an odd number of `\` goes on in the next one; `\t \n \r \f \uXXXX`, and `\`
 * with any other character is that character. Bytes are passed through as they are (Java reads them
 * as ISO-8859-1); \uXXXX becomes UTF-8. */
#ifndef SERVER_CONFIG_PROPERTIES_H
#define SERVER_CONFIG_PROPERTIES_H

#include "base/arena.h"
#include "base/buffer.h"

struct property {
    const char *key;
    const char *value; /* blanks after it are still there */
    int line;          /* where it begins, from 1 */
};

struct properties {
    struct property *items; /* in the order of the file; the last of a key wins */
    size_t count, capacity;
};

/* Keys and values live in the arena. STATUS_MALFORMED: a broken \u escape in line *ret_line; zero
 * bytes are not kept (they end a C text). */
MUST_USE enum status properties_parse(struct properties *properties, struct slice text,
                                      struct arena *arena, int *ret_line);
void properties_add(struct properties *properties, const char *key, const char *value, int line);
/* Is there a later entry of the same name? That one wins, and this one does not count. `name_of` gives the
 * name that a key stands for; NULL: the key is the name. */
bool properties_overridden(const struct properties *properties, size_t index,
                           const char *(*name_of)(const char *key));
void properties_deinit(struct properties *properties);

#endif
