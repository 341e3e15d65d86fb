/* waiting.h: a caller that waits for its answer. */
#ifndef CAPI_MT_WAITING_H
#define CAPI_MT_WAITING_H

#include "capi/handle.h"

/* Until the call is complete. In any thread, also in a callback. */
int wait_for_answer(zhandle_t *zh, struct handle_wait *wait);

#endif
