/* properties.c: parses zoo.cfg as java.util.Properties does, to the last escape. */
#include "server/config/properties.h"

#include "base/array.h"

struct scanner {
    const uint8_t *pos, *end;
    int line;
};

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\f';
}

static bool is_line_end(uint8_t c)
{
    return c == '\n' || c == '\r';
}

/* At a line end: step over it, CR LF as one. */
static void skip_line_end(struct scanner *scanner)
{
    if (*scanner->pos == '\r' && scanner->end - scanner->pos > 1 && scanner->pos[1] == '\n')
        scanner->pos++;
    scanner->pos++;
    scanner->line++;
}

/* Joins the natural lines of one logical line into `line` (escapes kept). False: end of text. */
static bool next_logical_line(struct scanner *scanner, struct buffer *line, int *ret_line)
{
    line->size = 0;
    for (;;) {
        while (scanner->pos < scanner->end &&
               (is_blank(*scanner->pos) || is_line_end(*scanner->pos))) {
            if (is_line_end(*scanner->pos))
                skip_line_end(scanner);
            else
                scanner->pos++;
        }
        if (scanner->pos == scanner->end)
            return false;
        if (*scanner->pos != '#' && *scanner->pos != '!')
            break;
        while (scanner->pos < scanner->end && !is_line_end(*scanner->pos))
            scanner->pos++;
    }
    *ret_line = scanner->line;
    for (bool escaped = false; scanner->pos < scanner->end;) {
        uint8_t c = *scanner->pos;
        if (!is_line_end(c)) {
            escaped = c == '\\' && !escaped;
            buffer_u8(line, c);
            scanner->pos++;
            continue;
        }
        skip_line_end(scanner);
        if (!escaped)
            break;
        line->size--; /* the backslash; blanks that begin the next line go, too */
        escaped = false;
        while (scanner->pos < scanner->end && is_blank(*scanner->pos))
            scanner->pos++;
    }
    return true;
}

static void put_utf8(struct buffer *out, uint32_t unit)
{
    if (unit < 0x80) {
        buffer_u8(out, (uint8_t)unit);
    } else if (unit < 0x800) {
        buffer_u8(out, (uint8_t)(0xc0 | unit >> 6));
        buffer_u8(out, (uint8_t)(0x80 | (unit & 0x3f)));
    } else {
        buffer_u8(out, (uint8_t)(0xe0 | unit >> 12));
        buffer_u8(out, (uint8_t)(0x80 | (unit >> 6 & 0x3f)));
        buffer_u8(out, (uint8_t)(0x80 | (unit & 0x3f)));
    }
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static enum status unescape(struct slice raw, struct arena *arena, struct buffer *scratch,
                            const char **ret_text)
{
    scratch->size = 0;
    for (size_t i = 0; i < raw.size; i++) {
        uint8_t c = raw.data[i];
        if (c == '\\' && i + 1 < raw.size) {
            c = raw.data[++i];
            if (c == 'u') {
                uint32_t unit = 0;
                if (raw.size - i < 5)
                    return STATUS_MALFORMED;
                for (int digits = 0; digits < 4; digits++) {
                    int digit = hex_digit(raw.data[++i]);
                    if (digit < 0)
                        return STATUS_MALFORMED;
                    unit = unit << 4 | (uint32_t)digit;
                }
                if (unit != 0)
                    put_utf8(scratch, unit);
                continue;
            }
            c = c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : c == 'f' ? '\f' : c;
        } else if (c == '\\') {
            break; /* a lone one at the end of the text */
        }
        if (c != '\0')
            buffer_u8(scratch, c);
    }
    buffer_u8(scratch, '\0');
    *ret_text = (const char *)arena_copy(arena, buffer_slice(scratch)).data;
    return STATUS_OK;
}

/* Where the key ends and where the value begins. */
static void split(struct slice line, size_t *ret_key_size, size_t *ret_value_start)
{
    size_t at = 0;
    bool separated = false;

    for (bool escaped = false; at < line.size; at++) {
        uint8_t c = line.data[at];
        if (!escaped && (c == '=' || c == ':' || is_blank(c)))
            break;
        escaped = c == '\\' && !escaped;
    }
    *ret_key_size = at;
    for (; at < line.size; at++) {
        uint8_t c = line.data[at];
        if (is_blank(c))
            continue;
        if (separated || (c != '=' && c != ':'))
            break;
        separated = true;
    }
    *ret_value_start = at;
}

enum status properties_parse(struct properties *properties, struct slice text, struct arena *arena,
                             int *ret_line)
{
    struct scanner scanner = {text.data, text.data + text.size, 1};
    struct buffer line, scratch;
    enum status status = STATUS_OK;
    int at = 0;

    if (text.size == 0)
        return STATUS_OK;
    buffer_init(&line);
    buffer_init(&scratch);
    while (status == STATUS_OK && next_logical_line(&scanner, &line, &at)) {
        size_t key_size = 0, value_start = 0;
        const char *key = NULL, *value = NULL;
        split(buffer_slice(&line), &key_size, &value_start);
        status = unescape(slice_of(line.data, key_size), arena, &scratch, &key);
        if (status == STATUS_OK)
            status = unescape(slice_of(line.data + value_start, line.size - value_start), arena,
                              &scratch, &value);
        if (status == STATUS_OK)
            properties_add(properties, key, value, at);
    }
    if (status != STATUS_OK)
        *ret_line = at;
    buffer_deinit(&line);
    buffer_deinit(&scratch);
    return status;
}

void properties_add(struct properties *properties, const char *key, const char *value, int line)
{
    properties->items =
        ARRAY_RESERVE(properties->items, properties->capacity, properties->count + 1, ARRAY_FIRST);
    properties->items[properties->count++] = (struct property){key, value, line};
}

bool properties_overridden(const struct properties *properties, size_t index,
                           const char *(*name_of)(const char *key))
{
    const char *key = properties->items[index].key;
    const char *name = name_of == NULL ? key : name_of(key);

    for (size_t i = index + 1; i < properties->count; i++) {
        key = properties->items[i].key;
        if (strcmp(name_of == NULL ? key : name_of(key), name) == 0)
            return true;
    }
    return false;
}

void properties_deinit(struct properties *properties)
{
    mem_free(properties->items);
    *properties = (struct properties){0};
}
