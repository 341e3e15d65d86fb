/* base.h: assertions, status codes and memory, for every file of every program and library here.
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

/* How a process ends when it cannot continue: an assertion failed, or memory was exhausted where
 * that is not checked. The handler gets a message of one sentence. It may write it down, or leave
 * by longjmp(); when it returns, the process is aborted. NULL: the message goes to stderr. A
 * program sets the handler once, before it has threads; a library never does, because the process
 * belongs to the program (docs/adr/0006-base-for-programs-and-libraries.md). */
typedef void base_fatal_handler(const char *sentence);
void base_on_fatal(base_fatal_handler *handler);

/* Conditions that only a bug can break. Checked in release builds too: it is better to stop than to
 * continue with wrong data. Bad input and wrong arguments of a library's caller are never
 * asserted. */
#define ASSERT(condition)                                                                          \
    ((condition) ? (void)0 : base_assert_failed(__FILE__, __LINE__, #condition))
_Noreturn void base_assert_failed(const char *file, int line, const char *condition);

/* What went wrong outside of the program. An answer to a client is `enum zk_error` instead. */
enum status {
    STATUS_OK = 0,
    STATUS_END,        /* nothing more to read: returned by iterators, not an error */
    STATUS_NOT_FOUND,  /* no such file or entry */
    STATUS_EXISTS,     /* it is already there */
    STATUS_MALFORMED,  /* bytes that do not follow their format */
    STATUS_TOO_LARGE,  /* over a stated limit */
    STATUS_CORRUPT,    /* bytes that were changed after they were written: a checksum, a link or the
                          content shows it */
    STATUS_INVALID,    /* an argument or option that makes no sense */
    STATUS_IO,         /* the device or the kernel refused */
    STATUS_NO_SPACE,   /* disk or quota full */
    STATUS_BUSY,       /* somebody else holds it */
    STATUS_NO_ACCESS,  /* permission denied */
    STATUS_READ_ONLY,  /* the file system is mounted read-only */
    STATUS_UNSUPPORTED /* known, but not implemented here */
};
/* A text for the operator: "no space left", ... Never NULL. */
const char *status_text(enum status status);

/* Memory that must be available. When it is exhausted, the process ends: a server with a failed
 * allocation in the middle of an operation must not answer any more. mem_alloc(0) gives a valid
 * pointer. */
MUST_USE void *mem_alloc(size_t size);
MUST_USE void *mem_zalloc(size_t size);
MUST_USE void *mem_realloc(void *memory, size_t size);
void mem_free(void *memory); /* may be NULL */
/* Ends the process in the same way, for a program that was refused by something which needs no memory
 * (below) and cannot go on without it. */
_Noreturn void mem_exhausted(void);

/* Memory that may be missing: they return NULL, and mem_try_realloc() leaves `memory` as it is. For
 * libraries, and for sizes that others choose. */
MUST_USE void *mem_try_alloc(size_t size);
MUST_USE void *mem_try_zalloc(size_t size);
MUST_USE void *mem_try_realloc(void *memory, size_t size);

#endif
