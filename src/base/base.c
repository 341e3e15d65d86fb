/* base.c: status codes, how a process ends, and memory. Ending the process allocates nothing. */
#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>

enum { SENTENCE_BYTES_MAX = 512 };

static base_fatal_handler *on_fatal; /* NULL: stderr */

void base_on_fatal(base_fatal_handler *handler)
{
    on_fatal = handler;
}

_Noreturn static void end(const char *sentence)
{
    if (on_fatal != NULL)
        on_fatal(sentence);
    else
        fprintf(stderr, "paddock: %s\n", sentence);
    abort();
}

_Noreturn void base_assert_failed(const char *file, int line, const char *condition)
{
    char sentence[SENTENCE_BYTES_MAX];

    snprintf(sentence, sizeof(sentence), "assertion failed at %s:%d: %s", file, line, condition);
    end(sentence);
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
    case STATUS_READ_ONLY:
        return "read-only file system";
    case STATUS_UNSUPPORTED:
        return "not supported";
    }
    return "unknown status";
}

_Noreturn static void out_of_memory(size_t size)
{
    char sentence[SENTENCE_BYTES_MAX];

    snprintf(sentence, sizeof(sentence), "out of memory: wanted bytes=%zu", size);
    end(sentence);
}

_Noreturn void mem_exhausted(void)
{
    end("out of memory");
}

void *mem_alloc(size_t size)
{
    void *memory = mem_try_alloc(size);

    if (memory == NULL)
        out_of_memory(size);
    return memory;
}

void *mem_zalloc(size_t size)
{
    void *memory = mem_try_zalloc(size);

    if (memory == NULL)
        out_of_memory(size);
    return memory;
}

void *mem_realloc(void *memory, size_t size)
{
    void *grown = mem_try_realloc(memory, size);

    if (grown == NULL)
        out_of_memory(size);
    return grown;
}

/* No object is larger than PTRDIFF_MAX; sanitizers end the process when such a size is asked for. */
static bool possible(size_t *size)
{
    if (*size == 0)
        *size = 1;
    return *size <= PTRDIFF_MAX;
}

void *mem_try_alloc(size_t size)
{
    return possible(&size) ? malloc(size) : NULL;
}

void *mem_try_zalloc(size_t size)
{
    return possible(&size) ? calloc(1, size) : NULL;
}

void *mem_try_realloc(void *memory, size_t size)
{
    return possible(&size) ? realloc(memory, size) : NULL;
}

void mem_free(void *memory)
{
    free(memory);
}
