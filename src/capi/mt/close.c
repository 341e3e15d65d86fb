/* close.c: ending a session and its threads, from any thread of the program, also from a callback. When
 * it returns, no callback runs any more. */
#include "capi/calls.h"
#include "capi/io.h"
#include "capi/mt/inside.h"

#include <errno.h>
#include <time.h>

enum { CLOSE_WAIT_S = 3 };

/* Ends the session, and the reading thread. The lock is held. */
static void end_session(zhandle_t *zh)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += CLOSE_WAIT_S;
    threads_wake(zh);
    io_send(zh);
    while (!zh->client.closed &&
           pthread_cond_timedwait(&zh->changed, &zh->mutex, &until) != ETIMEDOUT)
        ;
    client_lost(&zh->client, CLIENT_CLOSING, handle_now_ms()); /* the server does not answer */
    zh->threads->stop_io = true;
    threads_wake(zh);
    handle_unlock(zh);
    pthread_join(zh->threads->io, NULL);
    handle_lock(zh);
    threads_hand_over(zh);
    while (zh->waiting > 0)
        pthread_cond_wait(&zh->changed, &zh->mutex);
}

int zookeeper_close(zhandle_t *zh)
{
    struct call_way way = {.kind = CALL_NOTHING};

    if (zh == NULL)
        return ZBADARGUMENTS;
    handle_lock(zh);
    bool again = zh->client.closing;
    handle_unlock(zh);
    if (again)
        return ZINVALIDSTATE;
    int rc = call_close(zh, &way);
    if (rc != ZOK)
        return rc;
    handle_lock(zh);
    end_session(zh);
    struct threads *threads = zh->threads;
    if (pthread_equal(pthread_self(), threads->callbacks)) {
        threads_take_batch(zh);
        threads->free_at_end = true;
        handle_unlock(zh);
        threads_run_batch(zh);
        pthread_detach(pthread_self());
        return ZOK;
    }
    threads->stop_callbacks = true;
    pthread_cond_signal(&threads->work);
    handle_unlock(zh);
    pthread_join(threads->callbacks, NULL);
    threads_end(zh);
    return ZOK;
}
