/* hash.h: a fast hash with a seed, not a cryptographic one. The seed is an argument: chosen at random it
 * keeps attackers from choosing names that collide, and a fixed one makes a run repeatable. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/slice.h"

static inline uint64_t hash_mix(uint64_t left, uint64_t right)
{
    __extension__ typedef unsigned __int128 u128;
    u128 product = (u128)left * right;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t hash_u64(uint64_t value, uint64_t seed)
{
    return hash_mix(value ^ 0x9e3779b97f4a7c15u, seed ^ 0xd6e8feb86659fd93u);
}

/* The bytes behind the last whole word, less than eight, as a number. Loads of fixed sizes: a copy of
 * `size` bytes would be a loop, and the word that it fills could be read only when all are stored. */
static inline uint64_t hash_tail(const uint8_t *at, size_t size)
{
    uint32_t first, last;

    if (size < 4)
        return size == 0 ? 0 : (uint64_t)at[0] << 16 | (uint64_t)at[size / 2] << 8 | at[size - 1];
    memcpy(&first, at, sizeof(first));
    memcpy(&last, at + size - sizeof(last), sizeof(last));
    return (uint64_t)first << 32 | last;
}

static inline uint64_t hash_bytes(struct slice bytes, uint64_t seed)
{
    const uint8_t *at = bytes.data;
    size_t left = bytes.size;
    uint64_t hash = seed ^ hash_mix(bytes.size ^ 0xa0761d6478bd642fu, 0xe7037ed1a0b428dbu);

    for (; left >= 8; left -= 8, at += 8) {
        uint64_t word;
        memcpy(&word, at, sizeof(word));
        hash = hash_mix(hash ^ word, 0x8ebc6af09c88c6e3u);
    }
    return hash_mix(hash ^ hash_tail(at, left), 0x589965cc75374cc3u);
}

#endif
