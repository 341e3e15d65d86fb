#include "server/config/properties.h"

#include "test/lib/check.h"

#include <string.h>

struct row {
    const char *name, *text, *key, *value; /* of the last line; key NULL: there is none */
    size_t count;
};

static const struct row rows[] = {
    {"equals sign", "tickTime=2000\n", "tickTime", "2000", 1},
    {"colon", "tickTime: 2500", "tickTime", "2500", 1},
    {"blank", "tickTime 2500", "tickTime", "2500", 1},
    {"blanks around, those behind are kept", "  tickTime =  2500  \n", "tickTime", "2500  ", 1},
    {"tab and form feed are blanks", "\ta\f=\t1", "a", "1", 1},
    {"a second separator belongs to the value", "a==1", "a", "=1", 1},
    {"colon behind blank", "a : 1", "a", "1", 1},
    {"no value", "a", "a", "", 1},
    {"no value behind the sign", "a=\n", "a", "", 1},
    {"no key", "=1", "", "1", 1},
    {"comment", "# a=1\n! b=2\n   # c=3\n", NULL, NULL, 0},
    {"a sharp inside a value is data", "a=1 #x", "a", "1 #x", 1},
    {"empty lines", "\n\r\n \t\n", NULL, NULL, 0},
    {"CR LF", "a=1\r\nb=2\r\n", "b", "2", 2},
    {"CR alone", "a=1\rb=2\r", "b", "2", 2},
    {"continuation", "a=2\\\n   500\n", "a", "2500", 1},
    {"continuation over CR LF", "a=2\\\r\n500\r\n", "a", "2500", 1},
    {"an even number of backslashes ends the line", "a=2\\\\\nb=3", "b", "3", 2},
    {"a comment is never continued", "# x\\\na=1", "a", "1", 1},
    {"a continued line may begin like a comment", "a=1\\\n#2", "a", "1#2", 1},
    {"backslash at the end of the text", "a=1\\", "a", "1", 1},
    {"single backslashes vanish", "a=D:\\kj\\zk1", "a", "D:kjzk1", 1},
    {"double backslashes stay", "a=D:\\\\kj", "a", "D:\\kj", 1},
    {"escapes", "a=\\t\\n\\r\\f\\=\\:\\#", "a", "\t\n\r\f=:#", 1},
    {"escaped separators in a key", "a\\=b\\:c\\ d=1", "a=b:c d", "1", 1},
    {"unicode escape", "a=\\u0032500", "a", "2500", 1},
    {"unicode escape beyond ASCII is UTF-8", "a=\\u00e9\\u4e2d", "a", "\xc3\xa9\xe4\xb8\xad", 1},
    {"bytes pass through", "a=\xe4\xb8\xad", "a", "\xe4\xb8\xad", 1},
};

TEST(a_line_reads_as_java_util_properties_reads_it)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct properties properties = {0};
        struct arena arena;
        int line = 0;
        arena_init(&arena);
        CHECK_STATUS(properties_parse(&properties, slice_text(rows[i].text), &arena, &line),
                     STATUS_OK);
        CHECK_U64(rows[i].name, properties.count, rows[i].count);
        if (rows[i].count > 0) {
            CHECK_TEXT(rows[i].name, properties.items[properties.count - 1].key, rows[i].key);
            CHECK_TEXT(rows[i].name, properties.items[properties.count - 1].value, rows[i].value);
        }
        properties_deinit(&properties);
        arena_deinit(&arena);
    }
}

TEST(a_broken_unicode_escape_is_malformed_and_its_line_is_named)
{
    static const char *const broken[] = {"a=1\nb=D:\\users\\x", "a=1\nb=\\u12", "a=1\nb\\u00g0=1"};

    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        struct properties properties = {0};
        struct arena arena;
        int line = 0;
        arena_init(&arena);
        CHECK_STATUS(properties_parse(&properties, slice_text(broken[i]), &arena, &line),
                     STATUS_MALFORMED);
        CHECK_I64(broken[i], line, 2);
        properties_deinit(&properties);
        arena_deinit(&arena);
    }
}

TEST(a_property_knows_the_line_on_which_it_begins)
{
    struct properties properties = {0};
    struct arena arena;
    int line = 0;

    arena_init(&arena);
    CHECK_STATUS(
        properties_parse(&properties, slice_text("# one\n\na=1\\\n2\r\nb=3\n"), &arena, &line),
        STATUS_OK);
    CHECK_U64("count", properties.count, 2);
    CHECK_I64("a", properties.items[0].line, 3);
    CHECK_I64("b", properties.items[1].line, 5);
    properties_deinit(&properties);
    arena_deinit(&arena);
}

TEST(a_zero_byte_does_not_end_a_value)
{
    struct properties properties = {0};
    struct arena arena;
    int line = 0;

    arena_init(&arena);
    CHECK_STATUS(properties_parse(&properties, SLICE("a=1\0002\nb=\\u00003"), &arena, &line),
                 STATUS_OK);
    CHECK_TEXT("a", properties.items[0].value, "12");
    CHECK_TEXT("b", properties.items[1].value, "3");
    properties_deinit(&properties);
    arena_deinit(&arena);
}
