/* close.c: ending a session without threads: this call waits for the server itself. */
#include "capi/calls.h"
#include "capi/deliver.h"
#include "capi/io.h"

#include <poll.h>

enum { CLOSE_WAIT_MS = 3000 };

static void run_callbacks(zhandle_t *zh)
{
    client_take_done(&zh->client, &zh->items);
    while (!list_empty(&zh->items))
        deliver(zh, CONTAINER_OF(zh->items.next, struct client_item, link));
}

/* Until the server has ended the session, or is silent for too long. */
static void end_session(zhandle_t *zh)
{
    int64_t until_ms = handle_now_ms() + CLOSE_WAIT_MS;

    handle_lock(zh);
    while (!zh->client.closed && handle_now_ms() < until_ms) {
        (void)io_run(zh); /* this waits until until_ms only, whatever is due */
        io_send(zh);
        if (zh->client.closed || zh->fd < 0)
            break;
        struct pollfd poll_fd = {.fd = zh->fd, .events = io_events(zh)};
        if (poll(&poll_fd, 1, (int)(until_ms - handle_now_ms())) > 0)
            (void)io_receive(zh);
    }
    client_lost(&zh->client, CLIENT_CLOSING, handle_now_ms());
    (void)io_run(zh); /* nobody comes again */
    handle_unlock(zh);
}

int zookeeper_close(zhandle_t *zh)
{
    if (zh == NULL)
        return ZBADARGUMENTS;
    int rc = call_close(zh, &(struct call_way){.kind = CALL_NOTHING});
    if (rc != ZOK)
        return rc;
    end_session(zh);
    run_callbacks(zh);
    if (zh->delivering > 0)
        zh->free_at_end = true;
    else
        handle_free(zh);
    return ZOK;
}
