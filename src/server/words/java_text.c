/* java_text.c: numbers and dates to the byte as Java prints them. */
#include "server/words/java_text.h"

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

void java_put_date(struct buffer *out, int64_t wall_ms)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm local;
    char text[64];

    localtime_r(&seconds, &local);
    strftime(text, sizeof(text), "%a %b %d %H:%M:%S %Z %Y", &local);
    buffer_printf(out, "%s", text);
}
