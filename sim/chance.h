/* chance.h: repeatable chance: the same seed gives the same numbers everywhere. */
#ifndef SIM_CHANCE_H
#define SIM_CHANCE_H

#include "base/base.h"

static inline uint64_t chance_u64(uint64_t *seed) /* splitmix64 */
{
    uint64_t value = *seed += 0x9e3779b97f4a7c15u;

    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
    value = (value ^ value >> 27) * 0x94d049bb133111ebu;
    return value ^ value >> 31;
}

static inline int64_t chance_below(uint64_t *seed, int64_t bound) /* 0 to bound - 1; bound > 0 */
{
    return (int64_t)(chance_u64(seed) % (uint64_t)bound);
}

static inline bool chance_of(uint64_t *seed, int64_t one_in) /* true once in so many; 0: never */
{
    return one_in > 0 && chance_below(seed, one_in) == 0;
}

/* Another stream of numbers: what is drawn from it moves nothing in the first. */
static inline uint64_t chance_fork(uint64_t *seed)
{
    return chance_u64(seed) ^ 0x5851f42d4c957f2du;
}

#endif
