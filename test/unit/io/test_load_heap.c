/* Large pages for what is allocated during a load, and only for that: as the kernel shows in smaps. */
#include "io/load_heap.h"
#include "io/side_thread.h"
#include "test/lib/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { BLOCK_BYTES = 1024, BLOCKS_PER_WORK = 1000, WORKS = 40, HEAP_BYTES_MAX = 64 << 20 };

struct blocks {
    char *at[WORKS * BLOCKS_PER_WORK];
    size_t count;
};

static void no_work(void *argument)
{
    (void)argument;
}

static void allocate(struct blocks *blocks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        blocks->at[blocks->count++] = mem_zalloc(BLOCK_BYTES);
}

static void free_all(struct blocks *blocks)
{
    for (size_t i = 0; i < blocks->count; i++)
        mem_free(blocks->at[i]);
    blocks->count = 0;
}

/* Whether large pages were asked for where this stands. */
static bool wants_large_pages(const void *address)
{
    FILE *file = fopen("/proc/self/smaps", "r");
    bool inside = false, wanted = false;
    char line[512];

    CHECK(file != NULL);
    while (fgets(line, sizeof(line), file) != NULL) {
        char *rest;
        uintptr_t from = strtoull(line, &rest, 16);
        if (*rest == '-')
            inside =
                (uintptr_t)address >= from && (uintptr_t)address < strtoull(rest + 1, NULL, 16);
        else if (inside && strncmp(line, "VmFlags:", 8) == 0)
            wanted = strstr(line, " hg") != NULL;
    }
    fclose(file);
    return wanted;
}

/* Of the two: is the heap taken from the data segment at all (a sanitizer's is not), and has the kernel
 * large pages? */
static bool can_be_seen(void)
{
    const uintptr_t end = (uintptr_t)sbrk(0);
    char *block = mem_alloc(BLOCK_BYTES);
    const uintptr_t at = (uintptr_t)block;

    mem_free(block);
    return at < end && end - at < HEAP_BYTES_MAX &&
           access("/sys/kernel/mm/transparent_hugepage/enabled", F_OK) == 0;
}

/* A load of so many works; how many of its blocks lie where large pages are wanted. */
static size_t load(struct blocks *blocks, size_t works)
{
    struct side_work *inner = side_thread_new();
    struct load_heap heap;
    struct side_work *side = load_heap_begin(&heap, inner);
    size_t large = 0;

    for (size_t i = 0; i < works; i++) {
        side->begin(side, no_work, NULL);
        allocate(blocks, BLOCKS_PER_WORK);
        side->wait(side);
    }
    for (size_t i = 0; i < blocks->count; i += BLOCKS_PER_WORK)
        large += wants_large_pages(blocks->at[i]);
    load_heap_end(&heap);
    side_thread_free(inner);
    return large;
}

TEST(a_small_load_asks_for_nothing)
{
    struct blocks *blocks = mem_zalloc(sizeof(*blocks));

    CHECK_U64("blocks in large pages", load(blocks, 4), 0);
    free_all(blocks);
    mem_free(blocks);
}

TEST(most_of_what_a_large_load_allocates_and_nothing_after_it_lies_in_large_pages)
{
    struct blocks *blocks = mem_zalloc(sizeof(*blocks));

    if (can_be_seen()) {
        CHECK(load(blocks, WORKS) > WORKS * 3 / 4);
        for (size_t i = 0; i < blocks->count; i += BLOCKS_PER_WORK)
            CHECK(blocks->at[i][0] == 0);
        free_all(blocks);
        (void)load(blocks, WORKS - 1);
        allocate(blocks, BLOCKS_PER_WORK); /* after the load */
        CHECK(!wants_large_pages(blocks->at[blocks->count - 1]));
    }
    free_all(blocks);
    mem_free(blocks);
}

TEST(without_a_thread_that_reads_ahead_there_is_nothing_to_use)
{
    struct load_heap heap;

    CHECK(load_heap_begin(&heap, NULL) == NULL);
    load_heap_end(&heap);
}
