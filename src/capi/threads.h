/* threads.h: where the two libraries differ: mt/ has threads, st/ has none. */
#ifndef CAPI_THREADS_H
#define CAPI_THREADS_H

#include "capi/handle.h"

/* False, with errno. */
bool threads_start(zhandle_t *zh);
/* Wakes the thread that reads, to look at everything again. The lock is held. */
void threads_wake(zhandle_t *zh);
/* A request was made: the same, unless that thread will see it soon anyway. */
void threads_wake_for_request(zhandle_t *zh);

#endif
