#include "test/lib/json.h"

#include "test/lib/check.h"

#include <stdio.h>
#include <stdlib.h>

static void skip_space(const char **at)
{
    *at += strspn(*at, " \t\r\n");
}

static void put_char(char **to, unsigned code)
{
    if (code < 0x80) {
        *(*to)++ = (char)code;
        return;
    }
    if (code < 0x800) {
        *(*to)++ = (char)(0xc0 | code >> 6);
    } else {
        *(*to)++ = (char)(0xe0 | code >> 12);
        *(*to)++ = (char)(0x80 | (code >> 6 & 0x3f));
    }
    *(*to)++ = (char)(0x80 | (code & 0x3f));
}

static char *read_text(const char **at)
{
    CHECK(**at == '"');
    const char *from = *at + 1;
    char *text = mem_alloc(strlen(from) + 1), *to = text;

    while (*from != '"') {
        CHECK(*from != '\0');
        if (*from != '\\') {
            *to++ = *from++;
            continue;
        }
        static const char escapes[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";
        const char *escape = strchr(escapes, from[1]);
        if (from[1] == 'u') {
            char digits[5] = {from[2], from[3], from[4], from[5], 0};
            put_char(&to, (unsigned)strtoul(digits, NULL, 16));
            from += 6;
        } else {
            CHECK(escape != NULL);
            *to++ = means[escape - escapes];
            from += 2;
        }
    }
    *to = '\0';
    *at = from + 1;
    return text;
}

static struct json *read_value(const char **at);

static void read_members(const char **at, struct json *json, char end)
{
    struct json **last = &json->first;

    (*at)++;
    for (skip_space(at); **at != end; skip_space(at)) {
        char *key = NULL;
        if (json->kind == JSON_OBJECT) {
            key = read_text(at);
            skip_space(at);
            CHECK(*(*at)++ == ':');
        }
        *last = read_value(at);
        (*last)->key = key;
        last = &(*last)->next;
        skip_space(at);
        CHECK(**at == ',' || **at == end);
        *at += **at == ',';
    }
    (*at)++;
}

static struct json *read_value(const char **at)
{
    struct json *json = mem_zalloc(sizeof(*json));

    skip_space(at);
    if (**at == '{') {
        json->kind = JSON_OBJECT;
        read_members(at, json, '}');
    } else if (**at == '[') {
        json->kind = JSON_LIST;
        read_members(at, json, ']');
    } else if (**at == '"') {
        json->kind = JSON_TEXT;
        json->text = read_text(at);
    } else if (strncmp(*at, "null", 4) == 0) {
        *at += 4;
    } else if (strncmp(*at, "true", 4) == 0 || strncmp(*at, "false", 5) == 0) {
        json->kind = JSON_BOOL;
        json->truth = **at == 't';
        *at += json->truth ? 4 : 5;
    } else {
        char *end;
        json->kind = JSON_NUMBER;
        json->number = strtoll(*at, &end, 10);
        CHECK(end != *at);
        *at = end + strspn(end, ".0123456789");
    }
    return json;
}

struct json *json_read(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        check_failed(__FILE__, __LINE__, "cannot open %s", path);
    CHECK(fseek(file, 0, SEEK_END) == 0);
    size_t size = (size_t)ftell(file);
    char *text = mem_alloc(size + 1);
    rewind(file);
    CHECK(fread(text, 1, size, file) == size);
    text[size] = '\0';
    (void)fclose(file);
    const char *at = text;
    struct json *json = read_value(&at);
    mem_free(text);
    return json;
}

void json_free(struct json *json)
{
    while (json != NULL) {
        struct json *next = json->next;
        json_free(json->first);
        mem_free(json->text);
        mem_free(json->key);
        mem_free(json);
        json = next;
    }
}

const struct json *json_get(const struct json *object, const char *key)
{
    for (const struct json *member = object->first; member != NULL; member = member->next) {
        if (member->key != NULL && strcmp(member->key, key) == 0)
            return member;
    }
    return NULL;
}

size_t json_count(const struct json *list)
{
    size_t count = 0;

    for (const struct json *member = list->first; member != NULL; member = member->next)
        count++;
    return count;
}

struct slice json_base64(const struct json *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    if (text->kind == JSON_NULL)
        return SLICE_NULL;
    uint8_t *bytes = mem_alloc(strlen(text->text));
    size_t size = 0;
    unsigned bits = 0, bit_count = 0;
    for (const char *at = text->text; *at != '\0' && *at != '='; at++) {
        const char *digit = strchr(digits, *at);
        CHECK(digit != NULL);
        bits = bits << 6 | (unsigned)(digit - digits);
        bit_count += 6;
        if (bit_count >= 8) {
            bit_count -= 8;
            bytes[size++] = (uint8_t)(bits >> bit_count);
        }
    }
    return slice_of(bytes, size);
}
