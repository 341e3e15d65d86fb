/* arena.c: a list of chunks. What is allocated comes from the newest one; the others wait to be freed. */
#include "base/arena.h"

enum { CHUNK_BYTES = 64 * 1024, ALIGNMENT = 16 };

struct arena_chunk {
    struct arena_chunk *older;
    size_t size;
    _Alignas(ALIGNMENT) uint8_t bytes[];
};

void arena_init(struct arena *arena)
{
    *arena = (struct arena){0};
}

static void free_chunks(struct arena_chunk *chunk)
{
    while (chunk != NULL) {
        struct arena_chunk *older = chunk->older;
        mem_free(chunk);
        chunk = older;
    }
}

void arena_deinit(struct arena *arena)
{
    free_chunks(arena->chunk);
    arena_init(arena);
}

void arena_reset(struct arena *arena)
{
    struct arena_chunk *kept = arena->chunk;

    if (kept == NULL)
        return;
    free_chunks(kept->older);
    kept->older = NULL;
    if (kept->size > CHUNK_BYTES) {
        mem_free(kept);
        arena_init(arena);
        return;
    }
    arena->pos = kept->bytes;
    arena->end = kept->bytes + kept->size;
}

static size_t rounded(size_t size)
{
    ASSERT(size <= SIZE_MAX - ALIGNMENT);
    return (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

static void add_chunk(struct arena *arena, size_t bytes)
{
    struct arena_chunk *chunk = mem_alloc(sizeof(*chunk) + bytes);

    chunk->older = arena->chunk;
    chunk->size = bytes;
    arena->chunk = chunk;
    arena->pos = chunk->bytes;
    arena->end = chunk->bytes + bytes;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size = rounded(size);
    if (arena->chunk == NULL || (size_t)(arena->end - arena->pos) < size)
        add_chunk(arena, size > CHUNK_BYTES ? size : CHUNK_BYTES);
    uint8_t *memory = arena->pos;
    arena->pos += size;
    ASSERT(arena->pos <= arena->end);
    return memory;
}

struct slice arena_copy(struct arena *arena, struct slice bytes)
{
    if (bytes.data == NULL)
        return SLICE_NULL;
    uint8_t *copy = arena_alloc(arena, bytes.size);
    if (bytes.size > 0)
        memcpy(copy, bytes.data, bytes.size);
    return slice_of(copy, bytes.size);
}
