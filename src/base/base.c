#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void base_assert_failed(const char *file, int line, const char *condition)
{
    fprintf(stderr, "paddock: broken assertion at %s:%d: %s\n", file, line, condition);
    abort();
}

const char *status_text(enum status status)
{
    switch (status) {
    case STATUS_OK:
        return "ok";
    case STATUS_END:
        return "end of data";
    case STATUS_NOT_FOUND:
        return "not found";
    case STATUS_EXISTS:
        return "already exists";
    case STATUS_MALFORMED:
        return "malformed";
    case STATUS_TOO_LARGE:
        return "too large";
    case STATUS_CORRUPT:
        return "damaged";
    case STATUS_INVALID:
        return "invalid";
    case STATUS_IO:
        return "input/output error";
    case STATUS_NO_SPACE:
        return "no space left";
    case STATUS_BUSY:
        return "in use by another process";
    case STATUS_NO_ACCESS:
        return "permission denied";
    case STATUS_UNSUPPORTED:
        return "not supported";
    }
    return "unknown status";
}

static void *or_die(void *memory, size_t size)
{
    if (memory == NULL) {
        fprintf(stderr, "paddock: out of memory: wanted bytes=%zu\n", size);
        abort();
    }
    return memory;
}

void *mem_alloc(size_t size)
{
    return or_die(malloc(size == 0 ? 1 : size), size);
}

void *mem_zalloc(size_t size)
{
    return or_die(calloc(1, size == 0 ? 1 : size), size);
}

void *mem_realloc(void *memory, size_t size)
{
    return or_die(realloc(memory, size == 0 ? 1 : size), size);
}

void mem_free(void *memory)
{
    free(memory);
}
