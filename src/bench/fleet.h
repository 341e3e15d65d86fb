/* fleet.h: many client sessions on one thread and one epoll, each with several outstanding
 * requests.
 *
 * Reads and writes go in batches: everything that arrived is given to `on_reply`, and what that queued
 * leaves with one send per session. Nothing reconnects: a lost connection ends the run. */
#ifndef BENCH_FLEET_H
#define BENCH_FLEET_H

#include "client/client.h"

struct fleet;
struct fleet_session {
    struct fleet *fleet;
    uint32_t index;
    uint32_t in_flight; /* requests without an answer */
    struct client client;
    /* the rest is fleet.c's own */
    int fd;
    bool connected, ready, wants_write;
    struct buffer sending;
    size_t sent;
    int64_t *sent_at_ns; /* ring of in_flight_max */
    uint32_t first_sent;
    int32_t first_xid; /* of the oldest in flight */
};

typedef void fleet_on_reply(void *context, struct fleet_session *session, int32_t err,
                            int64_t latency_ns);
typedef void fleet_on_event(void *context); /* of a znode */

struct fleet_options {
    const char *servers; /* host:port,host:port */
    uint32_t session_count, in_flight_max;
    int32_t timeout_ms;
    fleet_on_reply *on_reply;
    fleet_on_event *on_event; /* NULL: nobody watches */
    void *context;
};

int64_t fleet_clock_ns(void);
/* Connects all sessions and completes their handshakes; NULL: the reason was printed on stderr. */
struct fleet *fleet_open(const struct fleet_options *options);
/* Wait at most `wait_ms` for something to arrive, handle it, send what was queued and pings that are
 * due. False: a connection was lost; reported on stderr. */
MUST_USE bool fleet_step(struct fleet *fleet, int wait_ms);
/* Closes the sessions properly and waits for that, unless a connection is lost. */
void fleet_close(struct fleet *fleet);
struct fleet_session *fleet_get(struct fleet *fleet, uint32_t index);
/* The longest time between two batches of replies since the last call. */
int64_t fleet_take_longest_silence_ns(struct fleet *fleet);

/* A request whose answer goes to on_reply; the client keeps nothing of it. It leaves at the end of the
 * step, or with fleet_flush(). */
void fleet_send(struct fleet_session *session, int32_t op, struct slice body);
/* The time from which the latency of the next requests counts: when they were due. */
void fleet_set_request_time(struct fleet *fleet, int64_t due_ns);
MUST_USE bool fleet_flush(struct fleet_session *session);

#endif
