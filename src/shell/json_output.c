/* json_output.c: JSON as RFC 8259 has it: always valid, whatever bytes a znode or a name holds. */
#include "shell/json_output.h"

#include "shell/texts.h"

#include <inttypes.h>
#include <openssl/evp.h>

void json_init(struct json *json)
{
    buffer_init(&json->out);
    json->more = false;
}

void json_deinit(struct json *json)
{
    buffer_deinit(&json->out);
}

/* The length of the UTF-8 character at the start; 0: there is none. */
static size_t character_size(struct slice text)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t first = text.data[0];
    size_t size = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

    if (size <= 1)
        return size;
    if (first > 0xf4 || size > text.size)
        return 0;
    uint32_t point = first & (0x7fU >> size);
    for (size_t i = 1; i < size; i++) {
        if ((text.data[i] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (text.data[i] & 0x3fU);
    }
    bool surrogate = point >= 0xd800 && point < 0xe000;
    return point < least[size] || point > 0x10ffff || surrogate ? 0 : size;
}

bool json_is_utf8(struct slice text)
{
    while (text.size > 0) {
        size_t size = character_size(text);
        if (size == 0)
            return false;
        text = slice_of(text.data + size, text.size - size);
    }
    return true;
}

static void put_character(struct buffer *out, struct slice character)
{
    static const char escapes[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    uint8_t byte = character.data[0];
    const char *found = byte == '\0' ? NULL : strchr(escapes, byte);

    if (found != NULL) {
        buffer_u8(out, '\\');
        buffer_u8(out, (uint8_t)letters[found - escapes]);
    } else if (byte < 0x20 || byte == 0x7f) {
        buffer_printf(out, "\\u%04x", byte);
    } else {
        buffer_append(out, character);
    }
}

static void put_string(struct buffer *out, struct slice text)
{
    buffer_u8(out, '"');
    while (text.size > 0) {
        size_t size = character_size(text);
        if (size == 0)
            buffer_append(out, SLICE("\xef\xbf\xbd"));
        else
            put_character(out, slice_of(text.data, size));
        size = size == 0 ? 1 : size;
        text = slice_of(text.data + size, text.size - size);
    }
    buffer_u8(out, '"');
}

static void begin(struct json *json, const char *key)
{
    if (json->more)
        buffer_u8(&json->out, ',');
    json->more = true;
    if (key == NULL)
        return;
    put_string(&json->out, slice_text(key));
    buffer_u8(&json->out, ':');
}

void json_open(struct json *json, const char *key, char bracket)
{
    begin(json, key);
    buffer_u8(&json->out, (uint8_t)bracket);
    json->more = false;
}

void json_close(struct json *json, char bracket)
{
    buffer_u8(&json->out, (uint8_t)bracket);
    json->more = true;
}

void json_text(struct json *json, const char *key, struct slice text)
{
    begin(json, key);
    put_string(&json->out, text);
}

void json_int(struct json *json, const char *key, int64_t value)
{
    begin(json, key);
    buffer_printf(&json->out, "%" PRId64, value);
}

static void put_hex(struct json *json, const char *key, int64_t value)
{
    begin(json, key);
    buffer_printf(&json->out, "\"0x%" PRIx64 "\"", (uint64_t)value);
}

void json_bool(struct json *json, const char *key, bool value)
{
    begin(json, key);
    buffer_append(&json->out, value ? SLICE("true") : SLICE("false"));
}

void json_null(struct json *json, const char *key)
{
    begin(json, key);
    buffer_append(&json->out, SLICE("null"));
}

static void put_base64(struct buffer *out, struct slice data)
{
    size_t size = (data.size + 2) / 3 * 4;

    buffer_u8(out, '"');
    /* It writes a zero behind the text. */
    EVP_EncodeBlock(buffer_extend(out, size + 1), data.data, (int)data.size);
    out->data[out->size - 1] = '"';
}

void json_data(struct json *json, struct slice data, bool binary)
{
    bool text = !binary && json_is_utf8(data);

    if (data.data == NULL) {
        json_null(json, "data");
        return;
    }
    begin(json, "data");
    if (text)
        put_string(&json->out, data);
    else
        put_base64(&json->out, data);
    json_text(json, "encoding", text ? SLICE("utf-8") : SLICE("base64"));
}

void json_stat(struct json *json, const struct zk_stat *stat)
{
    json_open(json, "stat", '{');
    put_hex(json, "czxid", stat->czxid);
    put_hex(json, "mzxid", stat->mzxid);
    put_hex(json, "pzxid", stat->pzxid);
    json_int(json, "ctime", stat->ctime);
    json_int(json, "mtime", stat->mtime);
    json_int(json, "version", stat->version);
    json_int(json, "cversion", stat->cversion);
    json_int(json, "aversion", stat->aversion);
    put_hex(json, "ephemeralOwner", stat->ephemeral_owner);
    json_int(json, "dataLength", stat->data_length);
    json_int(json, "numChildren", stat->num_children);
    json_close(json, '}');
}

void json_acl(struct json *json, struct jute_vector acl)
{
    struct jute_acl one;

    json_open(json, "acl", '[');
    while (jute_next_acl(&acl, &one)) {
        char letters[PERM_LETTERS_MAX + 1];
        json_open(json, NULL, '{');
        json_text(json, "scheme", one.scheme);
        json_text(json, "id", one.id);
        json_text(json, "perms", slice_text(perms_put(one.perms, letters)));
        json_close(json, '}');
    }
    json_close(json, ']');
}
