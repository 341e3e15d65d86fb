/* base.h: assertions, status words and memory, for every file of every program and library here.
 * Knows nothing of ZooKeeper. */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_USE __attribute__((warn_unused_result))
#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))
#define CONTAINER_OF(pointer, type, member)                                                        \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* How a process ends when it cannot go on: an assertion failed, or memory ended where nobody checks
 * for it. The handler is given one sentence. It may write it down, or leave by longjmp(); when it
 * returns, the process is aborted. NULL: the sentence goes to stderr. A program sets the handler once,
 * before it has threads; a library never does, for the process is not its own
 * (docs/adr/0006-base-for-programs-and-libraries.md). */
typedef void base_fatal_handler(const char *sentence);
void base_on_fatal(base_fatal_handler *handler);

/* What only a bug can break. On in release too: better to stop than to go on wrong. Bad input and
 * wrong arguments of a library's caller are never asserted. */
#define ASSERT(condition)                                                                          \
    ((condition) ? (void)0 : base_assert_failed(__FILE__, __LINE__, #condition))
_Noreturn void base_assert_failed(const char *file, int line, const char *condition);

/* What went wrong in the world around us. An answer to a client is `enum zk_error` instead. */
enum status {
    STATUS_OK = 0,
    STATUS_END,        /* nothing more to read: an answer of iterators, not an error */
    STATUS_NOT_FOUND,  /* no such file or entry */
    STATUS_EXISTS,     /* it is already there */
    STATUS_MALFORMED,  /* bytes that do not follow their format */
    STATUS_TOO_LARGE,  /* over a stated limit */
    STATUS_CORRUPT,    /* bytes that once were right: checksum, link or content says so */
    STATUS_INVALID,    /* an argument or option that makes no sense */
    STATUS_IO,         /* the device or the kernel refused */
    STATUS_NO_SPACE,   /* disk or quota full */
    STATUS_BUSY,       /* somebody else holds it */
    STATUS_NO_ACCESS,  /* permission denied, read-only */
    STATUS_UNSUPPORTED /* known, and not done here */
};
/* A word for the operator: "no space left", ... Never NULL. */
const char *status_text(enum status status);

/* Memory that must be there. When it ends, the process ends: a server that lost an allocation half
 * way must not go on answering. mem_alloc(0) gives a valid pointer. */
MUST_USE void *mem_alloc(size_t size);
MUST_USE void *mem_zalloc(size_t size);
MUST_USE void *mem_realloc(void *memory, size_t size);
void mem_free(void *memory); /* NULL is fine */

/* Memory that may be missing: NULL, and mem_try_realloc() leaves `memory` as it is. For libraries,
 * and for sizes that others choose. */
MUST_USE void *mem_try_alloc(size_t size);
MUST_USE void *mem_try_zalloc(size_t size);
MUST_USE void *mem_try_realloc(void *memory, size_t size);

#endif
