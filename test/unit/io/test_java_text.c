#include "io/java_text.h"

#include "test/lib/check.h"

#include <stdlib.h>
#include <time.h>

static void check_double(double value, const char *want)
{
    struct buffer text;

    buffer_init(&text);
    java_put_double(&text, value);
    CHECK_SLICE(want, buffer_slice(&text), slice_text(want));
    buffer_deinit(&text);
}

TEST(a_double_is_printed_as_java_prints_it)
{
    check_double(0, "0.0");
    check_double(1, "1.0");
    check_double(2.75, "2.75");
    check_double(0.6667, "0.6667");
    check_double(0.05, "0.05");
    check_double(0.001, "0.001");
    check_double(0.0005, "5.0E-4");
    check_double(123456, "123456.0");
    check_double(1e7, "1.0E7");
    check_double(12345678.5, "1.23456785E7");
    check_double(9999999.25, "9999999.25");
    check_double(-2.5, "-2.5");
    check_double(100, "100.0");
}

TEST(an_average_has_at_most_four_decimals)
{
    static const struct {
        int64_t sum, count;
        const char *want;
    } rows[] = {{0, 0, "0.0"},   {11, 4, "2.75"}, {2, 3, "0.6667"},  {1, 3, "0.3333"},
                {1, 8, "0.125"}, {7, 7, "1.0"},   {1, 100000, "0.0"}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buffer text;
        buffer_init(&text);
        java_put_average(&text, rows[i].sum, rows[i].count);
        CHECK_SLICE(rows[i].want, buffer_slice(&text), slice_text(rows[i].want));
        buffer_deinit(&text);
    }
}

TEST(a_date_is_printed_as_java_prints_it)
{
    struct buffer text;

    setenv("TZ", "UTC", 1);
    tzset();
    buffer_init(&text);
    java_put_date(&text, INT64_C(1795225454000));
    CHECK_SLICE("date", buffer_slice(&text), SLICE("Sat Nov 21 01:44:14 UTC 2026"));
    buffer_deinit(&text);
}

TEST(the_short_and_the_medium_style_are_as_java_prints_them)
{
    struct buffer text;

    setenv("TZ", "UTC", 1);
    tzset();
    buffer_init(&text);
    java_put_date_short(&text, INT64_C(1795225454999));
    CHECK_SLICE("short", buffer_slice(&text), SLICE("11/21/26, 1:44:14 AM UTC"));
    text.size = 0;
    java_put_date_short(&text, -1);
    CHECK_SLICE("before 1970", buffer_slice(&text), SLICE("12/31/69, 11:59:59 PM UTC"));
    text.size = 0;
    java_put_date_medium(&text, INT64_C(1795225454000 + 11 * 3600 * 1000));
    CHECK_SLICE("medium", buffer_slice(&text), SLICE("Nov 21, 2026, 12:44:14 PM"));
    buffer_deinit(&text);
}

static void check_text_of(const char *bytes, const char *want)
{
    struct buffer text;

    buffer_init(&text);
    java_put_text(&text, slice_text(bytes));
    CHECK_SLICE(want, buffer_slice(&text), slice_text(want));
    buffer_deinit(&text);
}

TEST(bytes_that_are_no_utf8_are_printed_as_java_prints_them)
{
    check_text_of("a\xe4\xb8\xad\xf0\x9f\x98\x80", "a\xe4\xb8\xad\xf0\x9f\x98\x80");
    check_text_of("\xed\xa0\xbd\xed\xb8\x80", "\xf0\x9f\x98\x80"); /* two surrogates */
    check_text_of("\xed\xa0\xbd!", "\xef\xbf\xbd!");               /* one alone */
    check_text_of("\xff\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    check_text_of("\xe4\xb8!", "\xef\xbf\xbd!");
    check_text_of("\xf0\x9f\x98", "\xef\xbf\xbd");
}
