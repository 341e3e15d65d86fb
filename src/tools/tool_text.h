/* tool_text.h: how the offline commands write names, times and bytes: for people on one line, and as JSON. */
#ifndef TOOLS_TOOL_TEXT_H
#define TOOLS_TOOL_TEXT_H

#include "base/buffer.h"
#include "wire/jute.h"

/* A JSON string with its quotes. What is no UTF-8 becomes U+FFFD. */
void tool_put_json(struct buffer *out, struct slice text);
void tool_put_base64(struct buffer *out, struct slice data);
/* A path as it is, but for control characters, which are written as in JSON: one line stays one. */
void tool_put_path(struct buffer *out, struct slice path);
void tool_put_time(struct buffer *out, int64_t wall_ms); /* "2026-11-27T09:20:11.123Z" */
/* [{"scheme":"world","id":"anyone","perms":"cdrwa"}], or null. */
void tool_put_json_acl(struct buffer *out, struct jute_vector acl);
/* world:anyone:cdrwa, one after the other with commas. */
void tool_put_acl(struct buffer *out, struct jute_vector acl);
const char *tool_type_name(int32_t type); /* "create", ...; "unknown" */

#endif
