/* threads.h: in what the two libraries differ: mt/ has threads, st/ has none. */
#ifndef CAPI_THREADS_H
#define CAPI_THREADS_H

#include "capi/handle.h"

/* False, with errno. */
bool threads_start(zhandle_t *zh);
/* There are bytes to be sent, or the connection is to be left. The lock is held. */
void threads_wake(zhandle_t *zh);

#endif
