/* json_output.h: JSON, appended piece by piece to a buffer. The caller opens and closes objects and
 * arrays; commas are added here. Inside an object each piece has a key, inside an array none
 * (NULL). The output is one line. */
#ifndef SHELL_JSON_OUTPUT_H
#define SHELL_JSON_OUTPUT_H

#include "base/buffer.h"
#include "wire/records.h"

struct json {
    struct buffer out;
    bool more; /* not the first piece: a comma comes next */
};

void json_init(struct json *json);
void json_deinit(struct json *json);

void json_open(struct json *json, const char *key, char bracket); /* '{' or '[' */
void json_close(struct json *json, char bracket);                 /* '}' or ']' */
/* Bytes that are no UTF-8 become U+FFFD. */
void json_text(struct json *json, const char *key, struct slice text);
void json_int(struct json *json, const char *key, int64_t value);
/* "0x1f": for zxids and sessions, which are larger than the numbers of many readers of JSON. */
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);

/* "data" and "encoding". Data is text ("utf-8") when it is UTF-8 and `binary` does not forbid it, else
 * "base64"; no data is null, without an encoding. */
void json_data(struct json *json, struct slice data, bool binary);
bool json_is_utf8(struct slice text);
void json_stat(struct json *json, const struct zk_stat *stat); /* "stat" */
void json_acl(struct json *json, struct jute_vector acl);      /* "acl" */

#endif
