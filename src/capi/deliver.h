/* deliver.h: running the callbacks of what is complete. */
#ifndef CAPI_DELIVER_H
#define CAPI_DELIVER_H

#include "capi/handle.h"

/* Runs its callbacks and frees it. The lock is not held. */
void deliver(zhandle_t *zh, struct client_item *item);

#endif
