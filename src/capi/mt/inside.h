/* inside.h: the two threads of a handle, for the files of this room. */
#ifndef CAPI_MT_INSIDE_H
#define CAPI_MT_INSIDE_H

#include "capi/threads.h"

struct threads {
    pthread_t io, callbacks;
    pthread_cond_t work; /* there are items, or the threads must stop */
    int wake_fd;
    bool woken, polling; /* a wake-up was sent; the reading thread sleeps */
    bool stop_io, stop_callbacks;
    bool in_batch;     /* callbacks run */
    bool may_wait;     /* what callbacks send may wait for the end of their batch */
    bool free_at_end;  /* closed from a callback */
    struct list batch; /* only for the callbacks' thread */
};

/* Until the call is complete. In any thread, also in a callback. */
void wait_for_answer(zhandle_t *zh, struct handle_wait *wait);

/* Gives answers of synchronous calls to their callers, everything else to the callback thread. The
 * lock is held. */
void threads_hand_over(zhandle_t *zh);
/* All items become the batch of the callbacks' thread. The lock is held. */
void threads_take_batch(zhandle_t *zh);
/* Runs its callbacks; the lock is not held. */
void threads_run_batch(zhandle_t *zh);
/* Frees them and the handle, when both have ended. */
void threads_end(zhandle_t *zh);

#endif
