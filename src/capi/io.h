/* io.h: a handle's socket. The lock is held at each call; it is let go while the system works. */
#ifndef CAPI_IO_H
#define CAPI_IO_H

#include "capi/handle.h"

/* Does what the client asks for, until it only waits. Gives when to call again at the latest. Only for
 * the one who reads. */
int64_t io_run(zhandle_t *zh);
/* Sends what there is, from any thread. What the socket does not take yet sets zh->send_blocked. */
void io_send(zhandle_t *zh);
/* Only for the one who reads. True: there was something to read, or the connection was made or lost. */
bool io_receive(zhandle_t *zh);
/* For poll(); 0: nothing. */
short io_events(const zhandle_t *zh);

#endif
