/* load_heap.h: large pages for what a start loads.
 *
 * A load of a million znodes touches 240 MB of fresh memory, and a page fault for each 4 KB takes a third of
 * its time. So while files are loaded, the heap grows in larger steps, and the kernel is asked for large
 * pages for each. Only then: what grows later, while clients are served, must not wait for a kernel that
 * looks for a large page.
 *
 * Nothing changes for a load of a few megabytes, without a thread that reads ahead, with another C library
 * than glibc, and where /sys/kernel/mm/transparent_hugepage/enabled is "never". */
#ifndef IO_LOAD_HEAP_H
#define IO_LOAD_HEAP_H

#include "base/side_work.h"

struct load_heap {
    struct side_work side; /* first */
    struct side_work *inner;
    unsigned works;
    char *end; /* of the heap, when it was last looked at; NULL: nothing was changed yet */
};

/* The load is to use the answer in place of `inner`, on the thread that allocates: each begin() is a
 * moment to look how far the heap has grown. NULL for NULL. */
struct side_work *load_heap_begin(struct load_heap *heap, struct side_work *inner);
/* The load is done, and the last work waited for. Gives back what it has left free. */
void load_heap_end(struct load_heap *heap);

#endif
