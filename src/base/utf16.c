/* utf16.c: most texts are ASCII, so it reads eight bytes at a time until one is not. */
#include "base/utf16.h"

#include <string.h>

size_t utf16_units(struct slice text)
{
    const uint8_t *at = text.data, *end = at + text.size;
    size_t units = text.size;

    for (; end - at >= 8; at += 8) {
        uint64_t word;
        memcpy(&word, at, sizeof(word));
        if ((word & UINT64_C(0x8080808080808080)) != 0)
            break;
    }
    for (; at < end; at++) {
        if ((*at & 0xc0) == 0x80)
            units--;
        else if (*at >= 0xf0) /* a surrogate pair */
            units++;
    }
    return units;
}
