/* checksum.c: CRC-32 and Adler-32, with the fastest instructions that the processor has. All
 * variants give the same result; the choice is made once, before main(). */
#include "base/checksum.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* --- CRC-32 (IEEE 802.3) by table, eight bytes a step --- */

enum { LANES = 8 };

/* table[0] is the plain byte table; table[n] is n more zero bytes after it. Filled before main(),
 * when there is only one thread; constant from then on. */
static uint32_t table[LANES][256];
static bool can_fold;

__attribute__((constructor)) static void prepare(void)
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
#if defined(__x86_64__)
    __builtin_cpu_init();
    can_fold = __builtin_cpu_supports("pclmul") != 0 && __builtin_cpu_supports("ssse3") != 0;
#endif
}

static uint32_t load_le32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* `crc` here and below: the remainder itself, not inverted. */
static uint32_t by_table(uint32_t crc, const uint8_t *at, size_t size)
{
    for (; size >= LANES; size -= LANES, at += LANES) {
        uint32_t low = load_le32(at) ^ crc, high = load_le32(at + 4);
        crc = table[7][low & 0xff] ^ table[6][low >> 8 & 0xff] ^ table[5][low >> 16 & 0xff] ^
              table[4][low >> 24] ^ table[3][high & 0xff] ^ table[2][high >> 8 & 0xff] ^
              table[1][high >> 16 & 0xff] ^ table[0][high >> 24];
    }
    while (size-- > 0)
        crc = crc >> 8 ^ table[0][(crc ^ *at++) & 0xff];
    return crc;
}

/* --- CRC-32 by folding: carry-less products move 16 bytes forward over the bytes after them
 * without changing the remainder, and at last divide (Gopal et al., Intel 323102, "Fast CRC Computation
 * for Generic Polynomials Using PCLMULQDQ"). Zeros in front do not change it, either: they make the first
 * bytes a whole block. --- */

enum { BLOCK_BYTES = 16, FOLD_BYTES_MIN = 2 * BLOCK_BYTES };

#if defined(__x86_64__)

#define FOLDING __attribute__((target("pclmul,ssse3")))

FOLDING static __m128i fold(__m128i block, __m128i factors, __m128i onto)
{
    __m128i low = _mm_clmulepi64_si128(block, factors, 0x00);
    __m128i high = _mm_clmulepi64_si128(block, factors, 0x11);
    return _mm_xor_si128(_mm_xor_si128(low, high), onto);
}

static __m128i block_at(const uint8_t *at)
{
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}

/* The first `count` bytes of a block at its end, behind zeros. */
FOLDING static __m128i behind_zeros(__m128i block, size_t count)
{
    static const uint8_t places[2 * BLOCK_BYTES] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
                                                    0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
                                                    0,    1,    2,    3,    4,    5,    6,    7,
                                                    8,    9,    10,   11,   12,   13,   14,   15};

    return _mm_shuffle_epi8(block, block_at(places + count));
}

/* x^n mod P, bits reflected, for the distance that a factor moves its half of a block. */
#define OVER_16 _mm_set_epi64x(0x0ccaa009e, 0x1751997d0)
#define OVER_64 _mm_set_epi64x(0x1c6e41596, 0x154442bd4)
#define OVER_4 _mm_set_epi64x(0, 0x163cd6124)
#define QUOTIENT_AND_P _mm_set_epi64x(0x1f7011641, 0x1db710641)

/* Of the last block: 16 bytes become 12, then 8, and Barrett's division ends them. */
FOLDING static uint32_t remainder_of(__m128i block)
{
    const __m128i low_4 = _mm_set_epi32(0, -1, 0, -1);

    block = _mm_xor_si128(_mm_srli_si128(block, 8), _mm_clmulepi64_si128(block, OVER_16, 0x10));
    block = _mm_xor_si128(_mm_srli_si128(block, 4),
                          _mm_clmulepi64_si128(_mm_and_si128(block, low_4), OVER_4, 0x00));
    __m128i quotient = _mm_clmulepi64_si128(_mm_and_si128(block, low_4), QUOTIENT_AND_P, 0x10);
    __m128i product = _mm_clmulepi64_si128(_mm_and_si128(quotient, low_4), QUOTIENT_AND_P, 0x00);
    return (uint32_t)_mm_cvtsi128_si32(_mm_srli_si128(_mm_xor_si128(block, product), 4));
}

/* At least FOLD_BYTES_MIN bytes. */
FOLDING static uint32_t by_folding(uint32_t crc, const uint8_t *at, size_t size)
{
    size_t odd = size % BLOCK_BYTES;
    __m128i start = _mm_cvtsi32_si128((int)crc);
    __m128i block = behind_zeros(_mm_xor_si128(block_at(at), start), odd);

    start = _mm_cvtsi32_si128((int)(odd < 4 ? crc >> 8 * odd : 0)); /* what did not fit in */
    block = fold(block, OVER_16, _mm_xor_si128(block_at(at + odd), start));
    at += odd + BLOCK_BYTES;
    size -= odd + BLOCK_BYTES;
    if (size >= 7 * BLOCK_BYTES) { /* four blocks side by side: a product takes its time */
        __m128i second = block_at(at), third = block_at(at + 16), fourth = block_at(at + 32);
        at += 3 * BLOCK_BYTES;
        size -= 3 * BLOCK_BYTES;
        for (; size >= 4 * BLOCK_BYTES; size -= 4 * BLOCK_BYTES, at += 4 * BLOCK_BYTES) {
            block = fold(block, OVER_64, block_at(at));
            second = fold(second, OVER_64, block_at(at + 16));
            third = fold(third, OVER_64, block_at(at + 32));
            fourth = fold(fourth, OVER_64, block_at(at + 48));
        }
        block = fold(block, OVER_16, second);
        block = fold(block, OVER_16, third);
        block = fold(block, OVER_16, fourth);
    }
    for (; size >= BLOCK_BYTES; size -= BLOCK_BYTES, at += BLOCK_BYTES)
        block = fold(block, OVER_16, block_at(at));
    return remainder_of(block);
}

#else

static uint32_t by_folding(uint32_t crc, const uint8_t *at, size_t size)
{
    return by_table(crc, at, size);
}

#endif

uint32_t crc32_add(uint32_t crc, struct slice bytes)
{
    if (can_fold && bytes.size >= FOLD_BYTES_MIN)
        return ~by_folding(~crc, bytes.data, bytes.size);
    return ~by_table(~crc, bytes.data, bytes.size);
}

/* --- Adler-32 (RFC 1950): a = 1 + the sum of all bytes, b = the sum of all a's, mod 65521 --- */

enum { ADLER_MODULUS = 65521 };

#if defined(__x86_64__)

enum { STEPS_MAX = 2000 }; /* 32 bits hold the sums of that many blocks */

static uint64_t sum_of_lanes(__m128i block)
{
    uint32_t lanes[4];

    _mm_storeu_si128((__m128i *)(void *)lanes, block);
    return (uint64_t)lanes[0] + lanes[1] + lanes[2] + lanes[3];
}

/* Whole blocks only: the rest is left. A block's bytes count 16 to 1 times in b, and the sum of all
 * blocks before it counts 16 times. */
static uint32_t adler_blocks(uint32_t adler, const uint8_t *at, size_t size)
{
    const __m128i zero = _mm_setzero_si128();
    const __m128i first_weights = _mm_set_epi16(9, 10, 11, 12, 13, 14, 15, 16);
    const __m128i second_weights = _mm_set_epi16(1, 2, 3, 4, 5, 6, 7, 8);
    uint64_t a = adler & 0xffff, b = adler >> 16;

    for (size_t blocks = size / BLOCK_BYTES; blocks > 0;) {
        size_t steps = blocks < STEPS_MAX ? blocks : (size_t)STEPS_MAX;
        __m128i sums = zero, sums_before = zero, weighted = zero;
        for (size_t i = 0; i < steps; i++, at += BLOCK_BYTES) {
            __m128i block = block_at(at);
            __m128i first = _mm_unpacklo_epi8(block, zero);
            __m128i second = _mm_unpackhi_epi8(block, zero);
            sums_before = _mm_add_epi32(sums_before, sums);
            sums = _mm_add_epi32(sums, _mm_sad_epu8(block, zero));
            weighted = _mm_add_epi32(weighted, _mm_madd_epi16(first, first_weights));
            weighted = _mm_add_epi32(weighted, _mm_madd_epi16(second, second_weights));
        }
        b += BLOCK_BYTES * (steps * a + sum_of_lanes(sums_before)) + sum_of_lanes(weighted);
        b %= ADLER_MODULUS;
        a = (a + sum_of_lanes(sums)) % ADLER_MODULUS;
        blocks -= steps;
    }
    return (uint32_t)(b << 16 | a);
}

#else

static uint32_t adler_blocks(uint32_t adler, const uint8_t *at, size_t size)
{
    uint32_t a = adler & 0xffff, b = adler >> 16;

    for (size_t left = size - size % BLOCK_BYTES; left > 0; left -= BLOCK_BYTES) {
        for (size_t i = 0; i < BLOCK_BYTES; i++) {
            a += *at++;
            b += a;
        }
        a %= ADLER_MODULUS;
        b %= ADLER_MODULUS;
    }
    return b << 16 | a;
}

#endif

uint32_t adler32_add(uint32_t adler, struct slice bytes)
{
    size_t rest = bytes.size % BLOCK_BYTES;

    adler = adler_blocks(adler, bytes.data, bytes.size);
    uint32_t a = adler & 0xffff, b = adler >> 16;
    for (const uint8_t *at = bytes.data + (bytes.size - rest); rest > 0; rest--) {
        a += *at++;
        b += a;
    }
    return b % ADLER_MODULUS << 16 | a % ADLER_MODULUS;
}

/* With the sums a and b before `end`, and its own sums a' and b' from 0 on: a + a' and b + b' + size * a
 * are those behind it. */
uint32_t adler32_without_end(uint32_t adler, struct slice end)
{
    uint32_t own = adler32_add(0, end);
    uint64_t a = ((adler & 0xffff) + ADLER_MODULUS - (own & 0xffff)) % ADLER_MODULUS;
    uint64_t taken = ((own >> 16) + end.size % ADLER_MODULUS * a) % ADLER_MODULUS;

    return (uint32_t)(((adler >> 16) + ADLER_MODULUS - taken) % ADLER_MODULUS << 16 | a);
}
