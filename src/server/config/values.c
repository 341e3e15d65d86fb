/* values.c: parses the values of keys: numbers, booleans, intervals, as Java parses each. */
#include "server/config/values.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Digits of `base` up to the end of the text, negative when asked, inside [-max - 1, max]. */
static bool parse_digits(const char *at, bool negative, unsigned base, uint64_t max,
                         int64_t *ret_value)
{
    uint64_t value = 0, bound = negative ? max + 1 : max;

    if (*at == '\0')
        return false;
    for (; *at != '\0'; at++) {
        unsigned digit = 99;
        if (*at >= '0' && *at <= '9')
            digit = (unsigned)(*at - '0');
        else if (isalpha((unsigned char)*at))
            digit = (unsigned)(tolower((unsigned char)*at) - 'a') + 10;
        if (digit >= base || value > (bound - digit) / base)
            return false;
        value = value * base + digit;
    }
    *ret_value = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

static bool parse(const char *text, bool decode, uint64_t max, int64_t *ret_value)
{
    bool negative = *text == '-';
    unsigned base = 10;

    if (*text == '-' || *text == '+')
        text++;
    if (decode && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        base = 16;
        text += 2;
    } else if (decode && text[0] == '#') {
        base = 16;
        text++;
    } else if (decode && text[0] == '0' && text[1] != '\0') {
        base = 8;
        text++;
    }
    return parse_digits(text, negative, base, max, ret_value);
}

bool java_parse_int(const char *text, int32_t *ret_value)
{
    int64_t value = 0;

    if (!parse(text, /* decode= */ false, INT32_MAX, &value))
        return false;
    *ret_value = (int32_t)value;
    return true;
}

bool java_parse_long(const char *text, int64_t *ret_value)
{
    return parse(text, /* decode= */ false, INT64_MAX, ret_value);
}

bool java_decode_int(const char *text, int32_t *ret_value)
{
    int64_t value = 0;

    if (!parse(text, /* decode= */ true, INT32_MAX, &value))
        return false;
    *ret_value = (int32_t)value;
    return true;
}

bool java_decode_long(const char *text, int64_t *ret_value)
{
    return parse(text, /* decode= */ true, INT64_MAX, ret_value);
}

bool java_parse_double(const char *text, double *ret_value)
{
    char *end = NULL;
    double value = strtod(text, &end);

    if (end == text || *end != '\0' || !isfinite(value))
        return false;
    *ret_value = value;
    return true;
}

bool java_parse_bool(const char *text, bool *ret_value)
{
    if (strcasecmp(text, "true") == 0)
        *ret_value = true;
    else if (strcasecmp(text, "false") == 0)
        *ret_value = false;
    else
        return false;
    return true;
}

bool purge_interval_parse(const char *text, int64_t *ret_ms)
{
    static const struct {
        const char *suffix, *other;
        int64_t ms;
    } units[] = {{"ms", "MS", 1},     {"s", "S", 1000},     {"m", "M", 60000},
                 {"h", "H", 3600000}, {"d", "D", 86400000}, {"", "", 3600000}};
    size_t size = strlen(text);

    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        size_t suffix = strlen(units[i].suffix);
        char number[24];
        int32_t value = 0;
        if (size < suffix || (strcmp(text + size - suffix, units[i].suffix) != 0 &&
                              strcmp(text + size - suffix, units[i].other) != 0))
            continue;
        if (size - suffix >= sizeof(number))
            return false;
        memcpy(number, text, size - suffix);
        number[size - suffix] = '\0';
        if (!java_parse_int(number, &value))
            return false;
        *ret_ms = value * units[i].ms;
        return true;
    }
    return false;
}
