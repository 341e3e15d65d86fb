#include "base/number.h"
#include "test/lib/check.h"

TEST(a_number_is_a_sign_or_none_and_digits_and_nothing_else)
{
    static const struct {
        const char *text;
        unsigned base;
        bool valid;
        int64_t value;
    } rows[] = {
        {"0", 10, true, 0},
        {"+7", 10, true, 7},
        {"-7", 10, true, -7},
        {"007", 10, true, 7},
        {"9223372036854775807", 10, true, INT64_MAX},
        {"9223372036854775808", 10, false, 0},
        {"-9223372036854775808", 10, true, INT64_MIN},
        {"-9223372036854775809", 10, false, 0},
        {"99999999999999999999999", 10, false, 0},
        {"fF", 16, true, 255},
        {"7fffffffffffffff", 16, true, INT64_MAX},
        {"8000000000000000", 16, false, 0},
        {"", 10, false, 0},
        {"-", 10, false, 0},
        {"+", 10, false, 0},
        {" 1", 10, false, 0},
        {"1 ", 10, false, 0},
        {"a", 10, false, 0},
        {"g", 16, false, 0},
        {"--1", 10, false, 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t value = 0;
        CHECK_I64(rows[i].text, number_parse(slice_text(rows[i].text), rows[i].base, &value),
                  rows[i].valid);
        CHECK_I64(rows[i].text, value, rows[i].value);
    }
}
