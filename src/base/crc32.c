#include "base/crc32.h"

enum { LANES = 8 };

/* table[0] is the plain byte table; table[n] is n more zero bytes behind it. Filled before main(),
 * when there is only one thread; constant from then on. */
static uint32_t table[LANES][256];

__attribute__((constructor)) static void fill_table(void)
{
    const uint32_t polynomial = 0xedb88320u;

    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc & 1) != 0 ? crc >> 1 ^ polynomial : crc >> 1;
        table[0][byte] = crc;
    }
    for (size_t lane = 1; lane < LANES; lane++) {
        for (size_t byte = 0; byte < 256; byte++) {
            uint32_t crc = table[lane - 1][byte];
            table[lane][byte] = crc >> 8 ^ table[0][crc & 0xff];
        }
    }
}

static uint32_t load_le32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

uint32_t crc32_add(uint32_t crc, struct slice bytes)
{
    const uint8_t *at = bytes.data;
    size_t left = bytes.size;

    crc = ~crc;
    for (; left >= LANES; left -= LANES, at += LANES) {
        uint32_t low = load_le32(at) ^ crc, high = load_le32(at + 4);
        crc = table[7][low & 0xff] ^ table[6][low >> 8 & 0xff] ^ table[5][low >> 16 & 0xff] ^
              table[4][low >> 24] ^ table[3][high & 0xff] ^ table[2][high >> 8 & 0xff] ^
              table[1][high >> 16 & 0xff] ^ table[0][high >> 24];
    }
    while (left-- > 0)
        crc = crc >> 8 ^ table[0][(crc ^ *at++) & 0xff];
    return ~crc;
}
