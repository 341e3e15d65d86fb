#include "server/config/values.h"

#include "test/lib/check.h"

TEST(an_int_is_what_integer_parse_int_takes)
{
    static const struct {
        const char *text;
        bool right;
        int32_t value;
    } rows[] = {{"0", true, 0},
                {"+24011", true, 24011},
                {"-5", true, -5},
                {"007", true, 7},
                {"2147483647", true, INT32_MAX},
                {"-2147483648", true, INT32_MIN},
                {"2147483648", false, 0},
                {"-2147483649", false, 0},
                {"99999999999", false, 0},
                {"", false, 0},
                {"+", false, 0},
                {"2.5", false, 0},
                {"0x10", false, 0},
                {"5m", false, 0},
                {" 5", false, 0},
                {"2000  #c", false, 0}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int32_t value = 0;
        CHECK_I64(rows[i].text, java_parse_int(rows[i].text, &value), rows[i].right);
        if (rows[i].right)
            CHECK_I64(rows[i].text, value, rows[i].value);
    }
}

TEST(a_property_number_may_be_hexadecimal_or_octal)
{
    static const struct {
        const char *text;
        bool right;
        int64_t value;
    } rows[] = {{"0xfffff", true, 1048575},
                {"0XFF", true, 255},
                {"#ff", true, 255},
                {"010", true, 8},
                {"0", true, 0},
                {"-0x10", true, -16},
                {"9223372036854775807", true, INT64_MAX},
                {"-9223372036854775808", true, INT64_MIN},
                {"9223372036854775808", false, 0},
                {"08", false, 0},
                {"0x", false, 0},
                {"", false, 0}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t value = 0;
        CHECK_I64(rows[i].text, java_decode_long(rows[i].text, &value), rows[i].right);
        if (rows[i].right)
            CHECK_I64(rows[i].text, value, rows[i].value);
    }
}

TEST(a_boolean_is_true_or_false_in_any_case_and_nothing_else)
{
    bool value = false;

    CHECK(java_parse_bool("TRUE", &value) && value);
    CHECK(java_parse_bool("False", &value) && !value);
    CHECK(!java_parse_bool("yes", &value));
    CHECK(!java_parse_bool("1", &value));
    CHECK(!java_parse_bool("", &value));
}

TEST(a_purge_interval_is_hours_or_has_a_unit)
{
    static const struct {
        const char *text;
        bool right;
        int64_t ms;
    } rows[] = {{"1", true, 3600000},   {"0", true, 0},         {"-1", true, -3600000},
                {"24", true, 86400000}, {"5m", true, 300000},   {"5M", true, 300000},
                {"100ms", true, 100},   {"100MS", true, 100},   {"7s", true, 7000},
                {"2h", true, 7200000},  {"1d", true, 86400000}, {"m", false, 0},
                {"5x", false, 0},       {"1.5h", false, 0},     {"", false, 0}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t ms = 0;
        CHECK_I64(rows[i].text, purge_interval_parse(rows[i].text, &ms), rows[i].right);
        if (rows[i].right)
            CHECK_I64(rows[i].text, ms, rows[i].ms);
    }
}
