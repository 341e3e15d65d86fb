/* front.h: the clients' side of the daemon: connections, frames, four-letter words, limits.
 *
 * Frames go to the replica straight out of one read buffer that all connections share; a connection
 * keeps bytes of its own only while a frame is incomplete or must wait. Answers of one turn leave in
 * one send per connection; what the kernel does not take waits here, up to a bound, and a client that
 * lets more pile up is closed. */
#ifndef SERVER_FRONT_FRONT_H
#define SERVER_FRONT_FRONT_H

#include "server/server.h"

struct front_metrics {
    int64_t bytes_received;
    int64_t connections_rejected; /* by a limit or the throttle */
    int64_t connections_dropped;  /* ended by the other side while we would have gone on */
    int64_t connect_requests;
    int64_t sessionless_expired, large_requests_rejected;
    int64_t four_letter_received, four_letter_sent; /* since srst */
    struct summary token_deficit;
};

struct front *front_new(struct server *server);
void front_free(struct front *front); /* NULL is fine; all connections are closed */

/* Binds and listens when there is a client port, and says so in the log. Connections wait until
 * front_serve(). STATUS_BUSY, STATUS_IO, ...: it was logged. */
MUST_USE enum status front_listen(struct front *front);
void front_serve(struct front *front);
void front_stop(struct front *front); /* accepts and reads nothing more */
void front_close_all(struct front *front);

/* Looks at the effects that the last step added: sends are linked to their connections, pauses hold
 * at once. */
void front_observe(struct front *front);
void front_resume(struct front *front);          /* frames that waited for CLIENT_RESUME */
void front_flush(struct front *front);           /* one send per connection; steps nothing */
void front_cleared(struct front *front);         /* the effects are gone */
void front_end_connections(struct front *front); /* those to be closed; steps the replica */
bool front_has_work(const struct front *front);

#endif
