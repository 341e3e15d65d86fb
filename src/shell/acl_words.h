/* acl_words.h: an ACL list as a person types it. */
#ifndef SHELL_ACL_WORDS_H
#define SHELL_ACL_WORDS_H

#include "base/buffer.h"

/* "scheme:id:perms,..." appended as a vector of the wire. Wrong entries are reported in a note and
 * left out. Returns the number of entries. */
int32_t acl_parse(const char *text, struct buffer *out);

#endif
