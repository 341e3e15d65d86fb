/* base.h: the few words every file speaks. Serves any C program; knows nothing of ZooKeeper. */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_USE __attribute__((warn_unused_result))
#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))
#define CONTAINER_OF(pointer, type, member)                                                        \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* What only a bug can break. On in release too: better to stop than to go on wrong. Bad input is
 * never asserted. Prints file, line and the broken sentence to stderr, then aborts. */
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

/* Memory. Running out of it ends the process with a sentence: a coordination service that lost an
 * allocation half way must not go on answering. mem_alloc(0) gives a valid pointer. */
MUST_USE void *mem_alloc(size_t size);
MUST_USE void *mem_zalloc(size_t size);
MUST_USE void *mem_realloc(void *memory, size_t size);
void mem_free(void *memory); /* NULL is fine */

#endif
