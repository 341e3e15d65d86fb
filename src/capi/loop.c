/* loop.c: zookeeper_interest() and zookeeper_process(), for programs with an event loop of their own. The
 * callbacks run inside zookeeper_process(). Both libraries export them; in the threaded one the
 * threads do this work, and programs should not call these. */
#include "capi/deliver.h"
#include "capi/io.h"

#include <poll.h>

/* Why the connection was left since this was asked last. */
static int take_error(zhandle_t *zh)
{
    int error = zh->client.last_error;

    zh->client.last_error = 0;
    return client_is_dead(&zh->client) ? ZINVALIDSTATE : error;
}

int zookeeper_interest(zhandle_t *zh, int *fd, int *interest, struct timeval *tv)
{
    if (zh == NULL || fd == NULL || interest == NULL || tv == NULL)
        return ZBADARGUMENTS;
    handle_lock(zh);
    int64_t wake_at_ms = io_run(zh);
    io_send(zh);
    if (zh->client.link == CLIENT_LINK_TO_CLOSE) /* sending has failed */
        wake_at_ms = io_run(zh);
    client_take_done(&zh->client, &zh->items);
    short events = io_events(zh);
    *fd = zh->fd;
    *interest = (events & POLLIN ? ZOOKEEPER_READ : 0) | (events & POLLOUT ? ZOOKEEPER_WRITE : 0);
    int64_t left_ms =
        wake_at_ms == INT64_MAX ? zh->client.timeout_ms : wake_at_ms - handle_now_ms();
    if (left_ms < 0 || !list_empty(&zh->items))
        left_ms = 0;
    *tv = (struct timeval){.tv_sec = left_ms / 1000, .tv_usec = left_ms % 1000 * 1000};
    int rc = take_error(zh);
    handle_unlock(zh);
    return rc;
}

int zookeeper_process(zhandle_t *zh, int events)
{
    if (zh == NULL)
        return ZBADARGUMENTS;
    handle_lock(zh);
    if (client_is_dead(&zh->client) && list_empty(&zh->items) && list_empty(&zh->client.done)) {
        handle_unlock(zh);
        return ZINVALIDSTATE;
    }
    bool nothing = events != 0 && !io_receive(zh) && (events & ZOOKEEPER_READ) != 0;
    io_send(zh);
    (void)io_run(zh); /* zookeeper_interest() asks when to come again */
    client_take_done(&zh->client, &zh->items);
    int rc = take_error(zh);
    if (rc == ZOK && nothing && list_empty(&zh->items))
        rc = ZNOTHING;
    zh->delivering++;
    handle_unlock(zh);
    while (!list_empty(&zh->items))
        deliver(zh, CONTAINER_OF(zh->items.next, struct client_item, link));
    zh->delivering--;
    if (zh->delivering == 0 && zh->free_at_end)
        handle_free(zh);
    return rc;
}
