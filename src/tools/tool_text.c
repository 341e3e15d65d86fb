/* tool_text.c: every byte that comes from a file is escaped, so that no name can break a line or the JSON
 * around it. */
#include "tools/tool_text.h"

#include "io/java_text.h"
#include "wire/ops.h"
#include "wire/zk.h"

#include <openssl/evp.h>
#include <time.h>

/* Quotes and backslashes (`quotes`), and control characters. */
static void put_escaped(struct buffer *out, struct slice text, bool quotes)
{
    static const char escaped[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    struct buffer clean;

    buffer_init(&clean);
    java_put_text(&clean, text);
    for (size_t i = 0; i < clean.size; i++) {
        uint8_t byte = clean.data[i];
        const char *letter = byte == 0 ? NULL : strchr(escaped, byte);
        if (letter != NULL && (quotes || byte < ' '))
            buffer_printf(out, "\\%c", letters[letter - escaped]);
        else if (byte < 0x20 || byte == 0x7f)
            buffer_printf(out, "\\u%04x", byte);
        else
            buffer_u8(out, byte);
    }
    buffer_deinit(&clean);
}

void tool_put_json(struct buffer *out, struct slice text)
{
    buffer_u8(out, '"');
    put_escaped(out, text, true);
    buffer_u8(out, '"');
}

void tool_put_path(struct buffer *out, struct slice path)
{
    put_escaped(out, path, false);
}

void tool_put_base64(struct buffer *out, struct slice data)
{
    uint8_t *at = buffer_extend(out, (data.size + 2) / 3 * 4 + 1);

    EVP_EncodeBlock(at, data.data, (int)data.size);
    out->size--; /* the zero byte */
}

void tool_put_time(struct buffer *out, int64_t wall_ms)
{
    int64_t rest_ms = wall_ms % 1000 < 0 ? wall_ms % 1000 + 1000 : wall_ms % 1000;
    time_t seconds = (time_t)((wall_ms - rest_ms) / 1000);
    struct tm utc;
    char text[64];

    if (gmtime_r(&seconds, &utc) == NULL) { /* a year that has no number */
        buffer_printf(out, "%lldms", (long long)wall_ms);
        return;
    }
    size_t size = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
    buffer_printf(out, "%.*s.%03dZ", (int)size, text, (int)rest_ms);
}

static void put_perms(struct buffer *out, int32_t perms)
{
    static const struct {
        int32_t bit;
        char letter;
    } letters[] = {{PERM_CREATE, 'c'},
                   {PERM_DELETE, 'd'},
                   {PERM_READ, 'r'},
                   {PERM_WRITE, 'w'},
                   {PERM_ADMIN, 'a'}};

    for (size_t i = 0; i < ARRAY_LEN(letters); i++) {
        if ((perms & letters[i].bit) != 0)
            buffer_u8(out, (uint8_t)letters[i].letter);
    }
}

void tool_put_json_acl(struct buffer *out, struct jute_vector acl)
{
    struct jute_acl one;
    const char *before = "[";

    if (acl.bytes.data == NULL) {
        buffer_printf(out, "null");
        return;
    }
    while (jute_next_acl(&acl, &one)) {
        buffer_printf(out, "%s{\"scheme\":", before);
        tool_put_json(out, one.scheme);
        buffer_printf(out, ",\"id\":");
        tool_put_json(out, one.id);
        buffer_printf(out, ",\"perms\":\"");
        put_perms(out, one.perms);
        buffer_printf(out, "\"}");
        before = ",";
    }
    buffer_printf(out, before[0] == '[' ? "[]" : "]");
}

void tool_put_acl(struct buffer *out, struct jute_vector acl)
{
    struct jute_acl one;
    const char *before = "";

    while (acl.bytes.data != NULL && jute_next_acl(&acl, &one)) {
        buffer_printf(out, "%s", before);
        tool_put_path(out, one.scheme);
        buffer_u8(out, ':');
        tool_put_path(out, one.id);
        buffer_u8(out, ':');
        put_perms(out, one.perms);
        before = ",";
    }
}

const char *tool_type_name(int32_t type)
{
    const struct op_info *info = op_find(type);

    return type == OP_CREATE_TTL ? "createTTL" : info == NULL ? "unknown" : info->name;
}
