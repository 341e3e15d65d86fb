#include "shell/json_output.h"

#include "test/lib/check.h"

static struct json json;

static void check(const char *what, const char *want)
{
    buffer_u8(&json.out, '\0');
    CHECK_TEXT(what, (const char *)json.out.data, want);
    json_deinit(&json);
    json_init(&json);
}

TEST(commas_stand_between_pieces_and_nowhere_else)
{
    json_init(&json);
    json_open(&json, NULL, '{');
    json_open(&json, "none", '[');
    json_close(&json, ']');
    json_int(&json, "n", -5);
    json_open(&json, "list", '[');
    json_bool(&json, NULL, true);
    json_null(&json, NULL);
    json_int(&json, NULL, INT64_MIN);
    json_close(&json, ']');
    json_close(&json, '}');
    check("nested", "{\"none\":[],\"n\":-5,\"list\":[true,null,-9223372036854775808]}");
    json_deinit(&json);
}

TEST(zxids_and_owners_are_hexadecimal_and_have_64_bits)
{
    json_init(&json);
    json_open(&json, NULL, '{');
    json_stat(&json, &(struct zk_stat){.czxid = 0x1c,
                                       .mzxid = 0x200000001,
                                       .ctime = 1700000000000,
                                       .version = -1,
                                       .ephemeral_owner = INT64_MIN});
    json_close(&json, '}');
    check("stat", "{\"stat\":{\"czxid\":\"0x1c\",\"mzxid\":\"0x200000001\",\"pzxid\":\"0x0\","
                  "\"ctime\":1700000000000,\"mtime\":0,\"version\":-1,\"cversion\":0,"
                  "\"aversion\":0,\"ephemeralOwner\":\"0x8000000000000000\",\"dataLength\":0,"
                  "\"numChildren\":0}}");
    json_deinit(&json);
}

static void check_escaped(struct slice text, const char *want)
{
    json_text(&json, NULL, text);
    check(want, want);
}

TEST(texts_are_escaped_and_what_is_no_utf8_is_replaced)
{
    json_init(&json);
    check_escaped(SLICE("a\"\\/\b\f\n\r\t\0\x01\x7f"),
                  "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u0001\\u007f\"");
    check_escaped(SLICE("\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80"),
                  "\"\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80\"");
    check_escaped(SLICE("x\xffy"), "\"x\xef\xbf\xbdy\"");
    check_escaped(SLICE("cut \xe4\xb8"), "\"cut \xef\xbf\xbd\xef\xbf\xbd\"");
    json_deinit(&json);
}

TEST(utf8_is_only_what_the_standard_allows)
{
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        {"", true},
        {"plain", true},
        {"\xc2\x80", true},
        {"\xc0\x80", false},         /* longer than it must be */
        {"\xe0\x9f\xbf", false},     /* the same */
        {"\xed\x9f\xbf", true},      /* the last before the surrogates */
        {"\xed\xa0\x80", false},     /* a surrogate */
        {"\xf4\x8f\xbf\xbf", true},  /* the last one that there is */
        {"\xf4\x90\x80\x80", false}, /* beyond */
        {"\x80", false},
        {"\xe4\xb8", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_U64(cases[i].text, json_is_utf8(slice_text(cases[i].text)), cases[i].good);
}

TEST(data_is_text_where_it_can_be_and_base64_where_not)
{
    json_init(&json);
    json_open(&json, NULL, '{');
    json_data(&json, SLICE("a"), false);
    json_close(&json, '}');
    check("text", "{\"data\":\"a\",\"encoding\":\"utf-8\"}");
    json_open(&json, NULL, '{');
    json_data(&json, SLICE("a"), true);
    json_close(&json, '}');
    check("asked for", "{\"data\":\"YQ==\",\"encoding\":\"base64\"}");
    json_open(&json, NULL, '{');
    json_data(&json, SLICE("\xff"), false);
    json_close(&json, '}');
    check("no text", "{\"data\":\"/w==\",\"encoding\":\"base64\"}");
    json_open(&json, NULL, '{');
    json_data(&json, SLICE_NULL, false);
    json_close(&json, '}');
    check("none", "{\"data\":null}");
    json_deinit(&json);
}
