/* arena.h: temporary memory of one turn, freed as a whole.
 *
 * Pointers stay valid until arena_reset() or arena_deinit(). A reset keeps one chunk, so an idle
 * server holds almost nothing and a busy one does not call malloc for each request. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/slice.h"

struct arena_chunk;
struct arena {
    struct arena_chunk *chunk; /* the newest; NULL before the first use */
    uint8_t *pos, *end;        /* free bytes of the newest chunk */
};

void arena_init(struct arena *arena);
void arena_deinit(struct arena *arena);
void arena_reset(struct arena *arena);
/* Aligned for any type, not zeroed. */
MUST_USE void *arena_alloc(struct arena *arena, size_t size);
/* Null stays null. */
MUST_USE struct slice arena_copy(struct arena *arena, struct slice bytes);

#endif
