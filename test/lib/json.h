/* json.h: enough of JSON to read what the tests expect. Wrong JSON fails the test. */
#ifndef TEST_LIB_JSON_H
#define TEST_LIB_JSON_H

#include "base/slice.h"

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_TEXT, JSON_LIST, JSON_OBJECT };
struct json {
    enum json_kind kind;
    bool truth;
    int64_t number; /* integers only */
    char *text;     /* UTF-8, surrogates as three bytes each, as Java has them; ends with 0 */
    char *key;      /* of a member of an object */
    struct json *first, *next;
};

struct json *json_read(const char *path); /* a file */
void json_free(struct json *json);
const struct json *json_get(const struct json *object, const char *key); /* NULL: not there */
size_t json_count(const struct json *list);
/* Decodes base64; null gives a null slice. Free `.data`. */
struct slice json_base64(const struct json *text);

#endif
