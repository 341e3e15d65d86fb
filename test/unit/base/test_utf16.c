#include "base/utf16.h"

#include "test/lib/check.h"

TEST(a_text_is_as_long_as_java_says)
{
    static const struct {
        const char *text;
        size_t units;
    } rows[] = {
        {"", 0},
        {"/abc", 4},
        {"/a path of more than eight bytes", 32},
        {"\xc3\xa9", 1},
        {"\xe2\x82\xac", 1},
        {"\xf0\x9f\x98\x80", 2},
        {"12345678\xc3\xa9", 9},
        {"\xc3\xa9 12345678 \xf0\x9f\x98\x80", 13},
        {"1234567\xe2\x82\xac 123456789", 18},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        CHECK_I64(rows[i].text, (int64_t)utf16_units(slice_text(rows[i].text)),
                  (int64_t)rows[i].units);
}
