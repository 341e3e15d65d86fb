/* log_space.c: chunks that are filled from the front and used again when nothing in them is needed.
 * Bytes never move: others hold slices of them. A large transaction gets a chunk of its own. */
#include "replica/proposals/log_space.h"

enum { CHUNK_BYTES = 64 * 1024, SPARE_MAX = 16 };

void log_space_deinit(struct log_space *space)
{
    while (space->spare != NULL) {
        struct log_chunk *next = space->spare->next;
        mem_free(space->spare);
        space->spare = next;
    }
    ASSERT(space->current == NULL || space->current->live == 0);
    mem_free(space->current);
    *space = (struct log_space){0};
}

static struct log_chunk *new_chunk(size_t size)
{
    struct log_chunk *chunk = mem_alloc(sizeof(*chunk) + size);
    *chunk = (struct log_chunk){.size = size};
    return chunk;
}

static void recycle(struct log_space *space, struct log_chunk *chunk)
{
    ASSERT(chunk->live == 0);
    if (chunk->size != CHUNK_BYTES || space->spare_count == SPARE_MAX) {
        mem_free(chunk);
        return;
    }
    chunk->used = 0;
    chunk->next = space->spare;
    space->spare = chunk;
    space->spare_count++;
}

struct slice log_space_copy(struct log_space *space, struct slice bytes,
                            struct log_chunk **ret_chunk)
{
    struct log_chunk *chunk = space->current;

    if (bytes.size > CHUNK_BYTES / 4) {
        chunk = new_chunk(bytes.size); /* its own: goes as soon as it is released */
    } else if (chunk == NULL || chunk->size - chunk->used < bytes.size) {
        if (chunk != NULL && chunk->live == 0)
            recycle(space, chunk);
        chunk = space->spare;
        if (chunk != NULL) {
            ASSERT(space->spare_count > 0 && chunk->used == 0);
            space->spare = chunk->next;
            space->spare_count--;
        } else {
            chunk = new_chunk(CHUNK_BYTES);
        }
        space->current = chunk;
    }
    ASSERT(bytes.size <= chunk->size - chunk->used);
    uint8_t *at = chunk->bytes + chunk->used;
    memcpy(at, bytes.data, bytes.size);
    chunk->used += bytes.size;
    chunk->live++;
    *ret_chunk = chunk;
    return slice_of(at, bytes.size);
}

void log_space_release(struct log_space *space, struct log_chunk *chunk)
{
    ASSERT(chunk->live > 0);
    if (--chunk->live > 0)
        return;
    if (chunk == space->current)
        chunk->used = 0;
    else
        recycle(space, chunk);
}
