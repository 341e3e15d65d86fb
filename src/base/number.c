/* number.c: parses whole numbers, exactly or not at all. */
#include "base/number.h"

static unsigned digit_of(uint8_t at)
{
    if (at >= '0' && at <= '9')
        return (unsigned)(at - '0');
    if (at >= 'a' && at <= 'z')
        return (unsigned)(at - 'a') + 10;
    if (at >= 'A' && at <= 'Z')
        return (unsigned)(at - 'A') + 10;
    return UINT32_MAX;
}

bool number_parse(struct slice text, unsigned base, int64_t *ret_value)
{
    bool negative = text.size > 0 && text.data[0] == '-';
    size_t at = text.size > 0 && (negative || text.data[0] == '+') ? 1 : 0;
    uint64_t value = 0, bound = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;

    ASSERT(base >= 2 && base <= 36);
    if (at == text.size)
        return false;
    for (; at < text.size; at++) {
        unsigned digit = digit_of(text.data[at]);
        if (digit >= base || value > (bound - digit) / base)
            return false;
        value = value * base + digit;
    }
    *ret_value = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}
