/* java_text.c: numbers and dates to the byte as Java prints them. */
#include "io/java_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The fewest digits that read back as the same number, as d.dddE+xx. */
static void shortest(double value, char *text, size_t size)
{
    for (int precision = 0; precision < 17; precision++) {
        snprintf(text, size, "%.*e", precision, value);
        if (strtod(text, NULL) == value)
            return;
    }
}

void java_put_double(struct buffer *out, double value)
{
    char text[48], digits[32];

    if (!isfinite(value) || value == 0) {
        buffer_printf(out, "%s", isnan(value) ? "NaN" : isinf(value) ? "Infinity" : "0.0");
        return;
    }
    if (value < 0)
        buffer_printf(out, "-");
    value = value < 0 ? -value : value;
    shortest(value, text, sizeof(text));
    int exponent = atoi(strchr(text, 'e') + 1);
    size_t count = 0;
    for (const char *at = text; *at != 'e'; at++) {
        if (*at != '.')
            digits[count++] = *at;
    }
    digits[count] = '\0';
    if (value < 1e-3 || value >= 1e7) {
        buffer_printf(out, "%c.%sE%d", digits[0], count > 1 ? digits + 1 : "0", exponent);
        return;
    }
    if (exponent < 0) {
        buffer_printf(out, "0.%.*s%s", -exponent - 1, "0000", digits);
        return;
    }
    size_t whole = (size_t)exponent + 1;
    for (size_t i = 0; i < whole; i++)
        buffer_u8(out, (uint8_t)(i < count ? digits[i] : '0'));
    buffer_printf(out, ".%s", count > whole ? digits + whole : "0");
}

void java_put_average(struct buffer *out, int64_t sum, int64_t count)
{
    double average = count > 0 ? (double)sum / (double)count : 0;

    java_put_double(out, (double)(int64_t)(average * 10000 + 0.5) / 10000);
}

/* Java rounds towards the past, before 1970, too. */
static struct tm local_time(int64_t wall_ms)
{
    time_t seconds = (time_t)(wall_ms >= 0 ? wall_ms / 1000 : (wall_ms - 999) / 1000);
    struct tm local;

    localtime_r(&seconds, &local);
    return local;
}

void java_put_date(struct buffer *out, int64_t wall_ms)
{
    struct tm local = local_time(wall_ms);
    char text[64];

    strftime(text, sizeof(text), "%a %b %d %H:%M:%S %Z %Y", &local);
    buffer_append(out, slice_text(text));
}

void java_put_date_short(struct buffer *out, int64_t wall_ms)
{
    struct tm local = local_time(wall_ms);
    char text[64];

    strftime(text, sizeof(text), "%M:%S %p %Z", &local);
    buffer_printf(out, "%d/%d/%02d, %d:%s", local.tm_mon + 1, local.tm_mday, local.tm_year % 100,
                  local.tm_hour % 12 == 0 ? 12 : local.tm_hour % 12, text);
}

void java_put_date_medium(struct buffer *out, int64_t wall_ms)
{
    struct tm local = local_time(wall_ms);
    char month[16], rest[16];

    strftime(month, sizeof(month), "%b", &local);
    strftime(rest, sizeof(rest), "%M:%S %p", &local);
    buffer_printf(out, "%s %d, %d, %d:%s", month, local.tm_mday, local.tm_year + 1900,
                  local.tm_hour % 12 == 0 ? 12 : local.tm_hour % 12, rest);
}

/* How many bytes of a well-formed character stand at `at`; surrogates count, too. 0: none. *ret_bad:
 * then, how many bytes make one U+FFFD. */
static size_t character(const uint8_t *at, size_t left, size_t *ret_bad)
{
    size_t size = at[0] < 0x80                     ? 1
                  : at[0] >= 0xc2 && at[0] <= 0xdf ? 2
                  : (at[0] & 0xf0) == 0xe0         ? 3
                  : at[0] >= 0xf0 && at[0] <= 0xf4 ? 4
                                                   : 0;
    uint8_t low = at[0] == 0xe0 ? 0xa0 : at[0] == 0xf0 ? 0x90 : 0x80;
    uint8_t high = at[0] == 0xf4 ? 0x8f : 0xbf;

    *ret_bad = 1;
    for (size_t i = 1; i < size; i++) {
        if (i >= left || at[i] < (i == 1 ? low : 0x80) || at[i] > (i == 1 ? high : 0xbf))
            return 0;
        *ret_bad = i + 1;
    }
    return size;
}

static bool is_surrogate(const uint8_t *at, size_t left, uint8_t low, uint8_t high)
{
    return left >= 3 && at[0] == 0xed && at[1] >= low && at[1] <= high && (at[2] & 0xc0) == 0x80;
}

static void put_pair(struct buffer *out, const uint8_t *at)
{
    uint32_t high = (uint32_t)(at[1] & 0x0f) << 6 | (at[2] & 0x3f);
    uint32_t low = (uint32_t)(at[4] & 0x0f) << 6 | (at[5] & 0x3f);
    uint32_t point = 0x10000 + (high << 10) + low;

    buffer_u8(out, (uint8_t)(0xf0 | point >> 18));
    buffer_u8(out, (uint8_t)(0x80 | (point >> 12 & 0x3f)));
    buffer_u8(out, (uint8_t)(0x80 | (point >> 6 & 0x3f)));
    buffer_u8(out, (uint8_t)(0x80 | (point & 0x3f)));
}

void java_put_text(struct buffer *out, struct slice bytes)
{
    for (size_t i = 0; i < bytes.size;) {
        const uint8_t *at = bytes.data + i;
        size_t left = bytes.size - i, bad = 3;
        if (is_surrogate(at, left, 0xa0, 0xaf) && left >= 6 &&
            is_surrogate(at + 3, left - 3, 0xb0, 0xbf)) {
            put_pair(out, at);
            i += 6;
            continue;
        }
        size_t size = is_surrogate(at, left, 0xa0, 0xbf) ? 0 : character(at, left, &bad);
        if (size > 0) {
            buffer_append(out, slice_of(at, size));
            i += size;
            continue;
        }
        buffer_append(out, SLICE("\xef\xbf\xbd"));
        i += bad;
    }
}
