/* load_heap.c: glibc takes memory for the heap from the end of the data segment (sbrk), in steps that
 * M_TOP_PAD says. What was added since the last look gets large pages, save the little that is in use
 * already. */
#include "io/load_heap.h"

#include "base/base.h"

#ifdef __GLIBC__

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

/* A work reads a window of 1 MB or so. Once mallopt() is called glibc adapts none of its limits any more, so
 * all of them are set: blocks from MMAP_MIN on are mapped on their own, and the heap shrinks when
 * TRIM_MIN bytes at its end are free. */
enum {
    SMALL_WORKS = 4,
    STEP_BYTES = 16 << 20,
    MMAP_MIN_BYTES = 4 << 20,
    TRIM_MIN_BYTES = 8 << 20,
    USUAL_STEP_BYTES = 128 << 10
};

static void look(struct load_heap *heap)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    char *end = sbrk(0);

    if (end <= heap->end)
        return;
    uintptr_t from = ((uintptr_t)heap->end + page - 1) / page * page;
    uintptr_t to = (uintptr_t)end / page * page;
    if (to > from) /* a refusal costs nothing but time */
        (void)madvise(heap->end + (from - (uintptr_t)heap->end), to - from, MADV_HUGEPAGE);
    heap->end = end;
}

static void begin(struct side_work *side, void (*work)(void *argument), void *argument)
{
    struct load_heap *heap = (struct load_heap *)side;

    if (heap->end != NULL) {
        look(heap);
    } else if (++heap->works > SMALL_WORKS) {
        heap->end = sbrk(0);
        (void)mallopt(M_TOP_PAD, STEP_BYTES);
        (void)mallopt(M_MMAP_THRESHOLD, MMAP_MIN_BYTES);
        (void)mallopt(M_TRIM_THRESHOLD, TRIM_MIN_BYTES);
    }
    heap->inner->begin(heap->inner, work, argument);
}

static void wait_done(struct side_work *side)
{
    struct load_heap *heap = (struct load_heap *)side;

    heap->inner->wait(heap->inner);
}

struct side_work *load_heap_begin(struct load_heap *heap, struct side_work *inner)
{
    *heap = (struct load_heap){.side = {.begin = begin, .wait = wait_done}, .inner = inner};
    return inner == NULL ? NULL : &heap->side;
}

void load_heap_end(struct load_heap *heap)
{
    if (heap->end == NULL)
        return;
    (void)mallopt(M_TOP_PAD, USUAL_STEP_BYTES);
    (void)malloc_trim(0);
    heap->end = NULL;
}

#else

struct side_work *load_heap_begin(struct load_heap *heap, struct side_work *inner)
{
    *heap = (struct load_heap){.inner = inner};
    return inner;
}

void load_heap_end(struct load_heap *heap)
{
    (void)heap;
}

#endif
