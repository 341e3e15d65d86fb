/* export_format.c: one JSON value after the other, read by jansson, which is given one byte at a
 * time: so it never reads more of the file than the value, and an error has its line and offset.
 * The file is not trusted: every field, every path and the order are checked. */
#include "shell/export_format.h"

#include "base/array.h"
#include "shell/texts.h"
#include "wire/zk.h"

#include <jansson.h>
#include <stdarg.h>

enum { VALUE_BYTES_MAX = 1 << 28, PROBLEM_BYTES = 1024 };

static const char *const kind_names[EXPORT_KINDS] = {"persistent", "container", "ttl"};

const char *export_kind_name(enum export_kind kind)
{
    return kind_names[kind];
}

/* A znode above the next one, as bytes of the path of the last one. */
struct export_reader {
    FILE *file;
    const char *name;
    int64_t line, offset, value_line, value_start, count;
    json_t *value;
    char *root, *last; /* the path of the last znode, below the root; NULL: none yet */
    struct buffer data, acl;
    bool ended;
    char problem[PROBLEM_BYTES];
};

struct export_reader *export_reader_new(FILE *file, const char *name)
{
    struct export_reader *reader = mem_zalloc(sizeof(*reader));

    reader->file = file;
    reader->name = name;
    reader->line = 1;
    buffer_init(&reader->data);
    buffer_init(&reader->acl);
    return reader;
}

void export_reader_free(struct export_reader *reader)
{
    json_decref(reader->value);
    buffer_deinit(&reader->data);
    buffer_deinit(&reader->acl);
    mem_free(reader->root);
    mem_free(reader->last);
    mem_free(reader);
}

const char *export_reader_problem(const struct export_reader *reader)
{
    return reader->problem;
}

int64_t export_reader_line(const struct export_reader *reader)
{
    return reader->value_line;
}

__attribute__((format(printf, 4, 0))) static bool bad_at(struct export_reader *reader, int64_t line,
                                                         int64_t offset, const char *format,
                                                         va_list arguments)
{
    int size = snprintf(reader->problem, PROBLEM_BYTES, "%s: line %lld, byte %lld: ", reader->name,
                        (long long)line, (long long)offset);

    if (size > 0 && size < PROBLEM_BYTES)
        vsnprintf(reader->problem + size, (size_t)(PROBLEM_BYTES - size), format, arguments);
    return false;
}

/* What is wrong is in the value that was read last. */
__attribute__((format(printf, 2, 3))) static bool bad(struct export_reader *reader,
                                                      const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    bad_at(reader, reader->value_line, reader->value_start, format, arguments);
    va_end(arguments);
    return false;
}

/* It is where the reading stands. */
__attribute__((format(printf, 2, 3))) static bool bad_here(struct export_reader *reader,
                                                           const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    bad_at(reader, reader->line, reader->offset, format, arguments);
    va_end(arguments);
    return false;
}

/* --- values --- */

static int next_byte(struct export_reader *reader)
{
    int byte = getc_unlocked(reader->file);

    if (byte != EOF)
        reader->offset++;
    if (byte == '\n')
        reader->line++;
    return byte;
}

static size_t give_byte(void *to, size_t size, void *context)
{
    struct export_reader *reader = context;
    int byte = size == 0 || reader->offset - reader->value_start > VALUE_BYTES_MAX
                   ? EOF
                   : next_byte(reader);

    if (byte == EOF)
        return 0;
    *(char *)to = (char)byte;
    return 1;
}

/* The next value, an object. False: the file is bad, or (ret_over) it is over. */
static bool next_value(struct export_reader *reader, bool *ret_over)
{
    json_error_t error;
    int byte;

    json_decref(reader->value);
    reader->value = NULL;
    *ret_over = false;
    do {
        byte = getc_unlocked(reader->file);
        reader->offset += byte != EOF;
        reader->line += byte == '\n';
    } while (byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n');
    if (byte == EOF && ferror(reader->file))
        return bad_here(reader, "it cannot be read");
    if (byte == EOF) {
        *ret_over = true;
        return false;
    }
    ungetc(byte, reader->file);
    reader->offset--;
    reader->value_line = reader->line;
    reader->value_start = reader->offset;
    reader->value = json_load_callback(
        give_byte, reader, JSON_DISABLE_EOF_CHECK | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL,
        &error);
    if (reader->value == NULL) {
        /* jansson has read one byte behind the mistake. */
        reader->line = reader->value_line + error.line - 1;
        reader->offset = reader->value_start + error.position;
        return bad_here(reader, "%s", error.text);
    }
    if (!json_is_object(reader->value))
        return bad(reader, "an object is expected");
    return true;
}

/* False: it is no text; said. NULL when it is not there and need not be. */
static bool get_text(struct export_reader *reader, json_t *object, const char *key, bool needed,
                     struct slice *ret_text)
{
    json_t *value = json_object_get(object, key);

    *ret_text = SLICE_NULL;
    if (value == NULL && !needed)
        return true;
    if (!json_is_string(value))
        return bad(reader, "\"%s\" is %s", key, value == NULL ? "missing" : "no text");
    *ret_text = slice_of(json_string_value(value), json_string_length(value));
    return true;
}

static char *copy_text(struct slice text)
{
    char *copy = mem_alloc(text.size + 1);

    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return copy;
}

static bool check_path(struct export_reader *reader, struct slice path)
{
    char problem[PROBLEM_BYTES / 2];

    return path_check(path, problem, sizeof(problem)) || bad(reader, "%s", problem);
}

const char *export_reader_root(struct export_reader *reader)
{
    struct slice format, path;
    bool over;

    if (!next_value(reader, &over)) {
        if (over)
            (void)bad_here(reader, "the file is empty");
        return NULL;
    }
    json_t *version = json_object_get(reader->value, "version");
    if (!get_text(reader, reader->value, "format", false, &format))
        return NULL;
    if (!slice_equal(format, SLICE(EXPORT_FORMAT))) {
        (void)bad(reader, "this is no export: \"format\" is not \"%s\"", EXPORT_FORMAT);
        return NULL;
    }
    if (!json_is_integer(version) || json_integer_value(version) != EXPORT_VERSION) {
        (void)bad(reader, "\"version\" is not %d, the only one that is known here", EXPORT_VERSION);
        return NULL;
    }
    if (!get_text(reader, reader->value, "path", true, &path) || !check_path(reader, path))
        return NULL;
    reader->root = copy_text(path);
    return reader->root;
}

/* --- znodes --- */

/* Must the second path stand behind the first one? Compared name by name. */
static bool follows(const char *first, const char *second)
{
    while (*first != '\0' && *first == *second) {
        first++;
        second++;
    }
    /* A name that ends is before one that goes on. */
    int left = *first == '/' ? 1 : *first == '\0' ? 0 : (uint8_t)*first + 1;
    int right = *second == '/' ? 1 : *second == '\0' ? 0 : (uint8_t)*second + 1;
    return left < right;
}

/* Is the parent of `path` the last znode, or above it? */
static bool parent_is_there(const char *last, const char *path)
{
    size_t size = (size_t)(strrchr(path, '/') - path);

    return strncmp(last, path, size) == 0 && (last[size] == '\0' || last[size] == '/');
}

static bool read_path(struct export_reader *reader, struct export_node *node)
{
    struct slice path, root = slice_text(reader->root);

    if (!get_text(reader, reader->value, "path", true, &path) || !check_path(reader, path))
        return false;
    if (root.size == 1)
        root.size = 0;
    if (root.size == 0 && path.size == 1)
        path.size = 0;
    if (!slice_starts_with(path, root) || (path.size > root.size && path.data[root.size] != '/'))
        return bad(reader, "%.*s is not below %s", (int)path.size, (const char *)path.data,
                   reader->root);
    char *below = copy_text(slice_of(path.data + root.size, path.size - root.size));
    bool first = reader->last == NULL;
    const char *problem = NULL;
    if (first && below[0] != '\0')
        problem = "the first znode is not the one that was exported";
    else if (!first && !follows(reader->last, below))
        problem = "it occurs twice, or too early: children are in the order of "
                  "their names";
    else if (!first && !parent_is_there(reader->last, below))
        problem = "its parent does not stand before it";
    if (problem != NULL)
        (void)bad(reader, "%.*s: %s", (int)path.size, (const char *)path.data, problem);
    mem_free(reader->last);
    reader->last = below;
    node->path = below;
    return problem == NULL;
}

static bool read_data(struct export_reader *reader, struct export_node *node)
{
    json_t *value = json_object_get(reader->value, "data");
    struct slice text, encoding;

    node->data = SLICE_NULL;
    if (json_is_null(value))
        return true;
    if (!get_text(reader, reader->value, "data", true, &text) ||
        !get_text(reader, reader->value, "encoding", false, &encoding))
        return false;
    reader->data.size = 0;
    buffer_reserve(&reader->data, text.size + 1); /* empty data is not null */
    if (encoding.data == NULL || slice_equal(encoding, SLICE("utf-8")))
        buffer_append(&reader->data, text);
    else if (!slice_equal(encoding, SLICE("base64")))
        return bad(reader, "\"encoding\" is neither \"utf-8\" nor \"base64\"");
    else if (!base64_read(text, &reader->data))
        return bad(reader, "\"data\" is no base64");
    node->data = slice_of(reader->data.data, reader->data.size);
    return true;
}

static bool read_acl(struct export_reader *reader, struct export_node *node)
{
    json_t *list = json_object_get(reader->value, "acl");
    size_t count = json_array_size(list);

    if (!json_is_array(list) || count == 0 || count > INT32_MAX)
        return bad(reader, "\"acl\" is %s", list == NULL ? "missing" : "no list with entries");
    reader->acl.size = 0;
    buffer_i32(&reader->acl, (int32_t)count);
    for (size_t i = 0; i < count; i++) {
        json_t *entry = json_array_get(list, i);
        struct jute_acl acl;
        struct slice perms;
        if (!get_text(reader, entry, "scheme", true, &acl.scheme) ||
            !get_text(reader, entry, "id", true, &acl.id) ||
            !get_text(reader, entry, "perms", true, &perms))
            return false;
        if (!perms_read(perms, &acl.perms))
            return bad(reader, "\"perms\" has a letter that is none of c, d, r, w, a");
        jute_put_acl(&reader->acl, &acl);
    }
    node->acl = buffer_slice(&reader->acl);
    return true;
}

static bool read_kind(struct export_reader *reader, struct export_node *node)
{
    json_t *ttl = json_object_get(reader->value, "ttl");
    struct slice name;

    node->kind = EXPORT_PERSISTENT;
    node->ttl_ms = 0;
    if (!get_text(reader, reader->value, "kind", false, &name))
        return false;
    while (name.data != NULL && node->kind < EXPORT_KINDS &&
           !slice_equal(name, slice_text(kind_names[node->kind])))
        node->kind++;
    if (node->kind == EXPORT_KINDS)
        return bad(reader, "\"kind\" is none of \"persistent\", \"container\" and \"ttl\"");
    if (node->kind != EXPORT_TTL)
        return true;
    node->ttl_ms = json_integer_value(ttl);
    if (!json_is_integer(ttl) || node->ttl_ms <= 0 || node->ttl_ms > TTL_MS_MAX)
        return bad(reader, "\"ttl\" is not a number of milliseconds from 1 to %lld",
                   (long long)TTL_MS_MAX);
    return true;
}

static enum export_result read_end(struct export_reader *reader)
{
    json_t *count = json_object_get(reader->value, "znodes");
    bool over;

    if (!json_is_integer(count) || json_integer_value(count) != reader->count) {
        (void)bad(reader, "the file should have %lld znodes, and has %lld",
                  (long long)json_integer_value(count), (long long)reader->count);
        return EXPORT_BAD;
    }
    if (next_value(reader, &over)) {
        (void)bad(reader, "more follows after the end");
        return EXPORT_BAD;
    }
    return over ? EXPORT_END : EXPORT_BAD;
}

enum export_result export_reader_next(struct export_reader *reader, struct export_node *ret_node)
{
    bool over;

    if (!next_value(reader, &over)) {
        if (over)
            (void)bad_here(reader, "the file ends too early: the line with \"end\" is missing");
        return EXPORT_BAD;
    }
    if (json_is_true(json_object_get(reader->value, "end")))
        return read_end(reader);
    reader->count++;
    bool good = read_path(reader, ret_node) && read_data(reader, ret_node) &&
                read_acl(reader, ret_node) && read_kind(reader, ret_node);
    return good ? EXPORT_NODE : EXPORT_BAD;
}
