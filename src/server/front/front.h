/* front.h: the clients' side of the daemon: connections, frames, limits.
 *
 * Frames go to the replica straight out of the buffer that all streams share; a connection keeps bytes
 * of its own only while a frame is incomplete or must wait. Answers of one turn leave in one send per
 * connection; what the kernel does not take waits, up to a bound, and a client that lets more pile up
 * is closed. */
#ifndef SERVER_FRONT_FRONT_H
#define SERVER_FRONT_FRONT_H

#include "base/summary.h"
#include "io/address.h"
#include "server/config/config.h"
#include "server/host/host.h"

struct front_metrics {
    int64_t bytes_received;
    int64_t connections_rejected; /* by a limit or the throttle */
    int64_t connections_dropped;  /* ended by the other side while we would have gone on */
    int64_t connect_requests;
    int64_t sessionless_expired, large_requests_rejected;
    int64_t four_letter_received, four_letter_sent; /* since srst */
    struct summary token_deficit;
};

struct front;
/* Host and config are borrowed for life. */
struct front *front_new(struct host *host, const struct front_config *config,
                        const struct jute_config *jute);
void front_free(struct front *front); /* NULL is fine; all connections are closed */

/* The config was resolved. Binds and listens when there is a client port, and says so in the log. Connections wait until
 * front_serve(). STATUS_BUSY, STATUS_IO: it was logged. */
MUST_USE enum status front_listen(struct front *front);
void front_serve(struct front *front);
void front_stop(struct front *front); /* accepts and reads nothing more */
void front_close_all(struct front *front);

/* --- the turn, in this order (replica.h has its contract) --- */
/* Behind every step: looks at the effects that it added. Sends are linked to their connections, pauses
 * and holds count at once. */
void front_note_effects(struct front *front);
void front_feed_waiting(struct front *front);    /* steps: frames that waited for CLIENT_RESUME */
void front_flush(struct front *front);           /* one send per connection; steps nothing */
void front_effects_gone(struct front *front);    /* the effects were cleared */
void front_end_connections(struct front *front); /* those to be closed; steps the replica */
bool front_has_work(const struct front *front);

/* --- looking in, for four-letter words and metrics --- */
enum { PEER_TEXT_MAX = ADDRESS_TEXT_MAX + 16 };
struct connection_facts {
    uint32_t id;
    char peer[PEER_TEXT_MAX]; /* "/10.0.0.1:5000" */
    bool reads, writes;       /* waits for requests, for room to answer */
    bool asks_word;           /* it sent a four-letter word */
    bool is_client;           /* the replica knows it, as `client` says */
    struct client_info client;
    int64_t idle_end_ms; /* when silence ends it, monotonic */
};
/* Walk: start with *cursor = 0; false ends. */
bool front_next_connection(const struct front *front, uint32_t *cursor,
                           struct connection_facts *ret_facts);
uint32_t front_connection_count(const struct front *front);
int front_port(const struct front *front); /* 0: none */
double front_drop_probability(const struct front *front);
const struct front_metrics *front_metrics(const struct front *front);
void front_reset_metrics(struct front *front);

#endif
