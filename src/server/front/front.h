/* front.h: the connections of clients: frames in, answers out, limits.
 *
 * Frames are given to the replica from the buffer that all streams share; a connection has a buffer of its
 * own only while a frame is incomplete or must wait. All answers of a turn to one connection are
 * sent with one call. What the kernel does not accept waits, up to a bound; beyond it the client is
 * disconnected. */
#ifndef SERVER_FRONT_FRONT_H
#define SERVER_FRONT_FRONT_H

#include "io/address.h"
#include "server/config/config.h"
#include "server/host/host.h"

struct front;
/* Host and config are borrowed for its lifetime. */
struct front *front_new(struct host *host, const struct front_config *config,
                        const struct jute_config *jute);
void front_free(struct front *front); /* may be NULL; all connections are closed */

/* Call it after config_resolve(). Binds and listens when there is a client port, and logs it.
 * Connections wait until front_serve(). STATUS_BUSY, STATUS_IO: it was logged. */
MUST_USE enum status front_listen(struct front *front);
void front_serve(struct front *front);
void front_stop(struct front *front); /* accepts and reads nothing more */
void front_close_all(struct front *front);

/* --- the turn, in this order (replica.h has its contract) --- */
/* After every step: assigns the sends that it added to their connections; pauses and holds are
 * carried out at once. */
void front_note_effects(struct front *front);
void front_feed_waiting(struct front *front); /* steps the frames that waited and may go on */
/* Call it after everything that has arrived was read: if a check is due, closes connections that
 * were silent for too long; steps the replica. */
void front_end_silent(struct front *front);
void front_flush(struct front *front);           /* one send for each connection; steps nothing */
void front_effects_cleared(struct front *front); /* call it after the effects were cleared */
/* Closes connections that are to end; steps the replica. */
void front_end_connections(struct front *front);
bool front_has_work(const struct front *front);

/* --- for four-letter words and metrics --- */
enum { PEER_TEXT_MAX = ADDRESS_TEXT_MAX + 16 };
struct connection_facts {
    uint32_t id;
    char peer[PEER_TEXT_MAX]; /* "/10.0.0.1:5000" */
    bool reads, writes;       /* waits for requests, for room to answer */
    bool asks_word;           /* it sent a four-letter word */
    bool is_client;           /* the replica knows it, as `client` says */
    struct client_info client;
    int64_t idle_end_ms; /* when it is closed if it stays silent, monotonic */
};
/* Walk: start with *cursor = 0; false ends. */
bool front_next_connection(const struct front *front, uint32_t *cursor,
                           struct connection_facts *ret_facts);
uint32_t front_connection_count(const struct front *front);
int front_port(const struct front *front); /* 0: none */
void front_collect_metrics(const struct front *front, struct metrics *all);
void front_reset_metrics(struct front *front); /* srst */

#endif
