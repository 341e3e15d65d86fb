/* no_memory.c: loaded before a program, it lets allocation number $FAILS_AT fail, and when it did not come to
 * that, says so at the end. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

static int fails_at = -1, reached;

static int fails(void)
{
    if (fails_at < 0)
        fails_at = atoi(getenv("FAILS_AT"));
    if (++reached != fails_at)
        return 0;
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    return fails() ? NULL : __libc_realloc(memory, size);
}

__attribute__((destructor)) static void end(void)
{
    if (reached < fails_at)
        (void)!write(2, "all had memory\n", 15);
}
