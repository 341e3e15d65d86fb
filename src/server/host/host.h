/* host.h: what the daemon offers to the rooms that produce events: the loop, the time, and a
 * function to step the replica. front and peer use this interface and do not include server.h. */
#ifndef SERVER_HOST_HOST_H
#define SERVER_HOST_HOST_H

#include "replica/replica.h"

#include <uv.h>

struct host {
    uv_loop_t *loop;
    const struct effects *effects; /* of the running turn: to be looked at */
    const struct replica *replica; /* to be looked into; NULL while starting */
    /* An event has occurred: a turn begins, unless it has begun already. */
    void (*begin_turn)(struct host *host);
    /* Time and wall clock of the event are filled in. */
    void (*step)(struct host *host, struct replica_event *event);
    bool (*is_word)(const struct host *host,
                    struct slice bytes); /* a four-letter word begins them */
    /* Answers the four-letter word at the start of `bytes`. `asker`: the connection that asks. An empty
     * answer means: close the connection without a byte. */
    void (*answer_word)(struct host *host, uint32_t asker, struct slice bytes,
                        struct buffer *answer);
};

static inline int64_t host_now_ms(const struct host *host)
{
    return (int64_t)uv_now(host->loop);
}

#endif
