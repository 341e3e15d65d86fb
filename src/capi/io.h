/* io.h: a handle's socket. The lock is held at each call; it is released during blocking system
 * calls. */
#ifndef CAPI_IO_H
#define CAPI_IO_H

#include "capi/handle.h"

/* Does what the client asks for, until it only waits. Returns the latest time for the next call.
 * Only for the thread that reads. */
int64_t io_run(zhandle_t *zh);
/* Sends what there is, from any thread. Sets zh->send_blocked when the socket does not accept all
 * of it. */
void io_send(zhandle_t *zh);
/* Only for the thread that reads. True: there was something to read, or the connection was made or
 * lost. */
bool io_receive(zhandle_t *zh);
/* For poll(); 0: nothing. */
short io_events(const zhandle_t *zh);

#endif
