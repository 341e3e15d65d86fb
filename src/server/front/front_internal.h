/* front_internal.h: what the files of front/ share. */
#ifndef SERVER_FRONT_FRONT_INTERNAL_H
#define SERVER_FRONT_FRONT_INTERNAL_H

#include "base/list.h"
#include "base/map.h"
#include "io/address.h"
#include "io/log.h"
#include "server/front/front.h"
#include "server/front/throttle.h"

enum { READ_BUFFER_BYTES = 256 << 10, NO_SEND = UINT32_MAX };

struct pending_write; /* bytes on their way, owned by libuv until they are out */

struct connection {
    uv_tcp_t tcp; /* the first member */
    struct front *front;
    uint32_t id; /* the replica's name for it: its place in front->connections */
    uint16_t port;
    struct address_host host;
    int64_t heard_ms;  /* last bytes in either direction */
    struct buffer in;  /* an incomplete frame, or frames that wait */
    struct buffer out; /* answers behind `writing` */
    struct pending_write *writing;
    size_t writing_bytes;
    uint32_t first_send, last_send; /* this turn's answers: a chain through front->next_send */
    size_t turn_bytes;              /* ... and how long they are */
    size_t stalled_bytes;           /* in the kernel's way at the last look */
    uint32_t large_bytes;           /* of large requests that were not answered yet */
    struct list dirty,
        waiting;       /* in front->dirty or front->ending; front->waiting or front->later */
    bool reading;      /* libuv reads */
    bool known;        /* the replica was told of it */
    bool paused;       /* by the replica */
    bool held;         /* the replica has more answers: REPLICA_CLIENT_READY */
    bool close_wanted; /* once this turn's answers are out */
    bool broken;       /* its answers cannot leave: close it now */
    bool closing;      /* no frames any more; out of the replica's sight */
    bool four_letter;
    bool closed; /* uv_close was called */
};

struct host_count { /* connections of one client host */
    struct address_host host;
    uint32_t count;
    struct host_count *next; /* same hash */
};

struct front {
    struct server *server;
    uv_tcp_t listener;
    uv_timer_t idle_check;
    bool listening, stopping;
    bool start_forgotten; /* srst: how the start went is no longer shown */
    uint8_t *read_buffer;
    struct connection **connections; /* by id; NULL: free */
    uint32_t connection_capacity, connection_count;
    uint32_t *free_ids;
    uint32_t free_id_count;
    uint32_t connections_max; /* what descriptors allow */
    struct map hosts;         /* hash of a host -> struct host_count */
    uint64_t host_seed;
    struct list dirty;   /* have answers in this turn, or are to be closed */
    struct list ending;  /* ... and are to be closed, their answers sent */
    struct list waiting; /* have frames that may be given now */
    struct list later;   /* ... in the next turn: they had their share of this one */
    uv_idle_t again;     /* keeps the loop from sleeping while there is a next turn's work */
    uint32_t *next_send; /* per client effect: the next one of the same connection */
    size_t next_send_capacity, observed;
    size_t observed_bytes; /* of the last observed effect, when it is a send */
    struct buffer scratch; /* one connection's answers, when they lie apart */
    size_t queue_bytes_max;
    int64_t large_bytes; /* of large requests in progress */
    struct throttle throttle;
    struct front_metrics metrics;
    struct log_limit bad_frames, refusals, slow_readers, expired;
    uint64_t trace_mask; /* stmk, gtmk */
    int bound_port;
};

/* connection.c */
void connection_start(struct connection *connection);
void connection_update_reading(struct connection *connection);
/* The bytes leave, or wait. False: the connection is broken, or too much waits: close it now. */
MUST_USE bool connection_send(struct connection *connection, struct slice bytes);
/* No more frames; what was sent leaves first. */
void connection_close(struct connection *connection);
void connection_close_now(struct connection *connection);
void connection_log_slow(const struct connection *connection); /* does not read its answers */
void connection_feed(struct connection *connection);           /* frames that waited in `in` */
size_t connection_queued(const struct connection *connection);
bool connection_has_share(const struct connection *connection); /* of memory for more answers */
void connection_address(const struct connection *connection, char *text); /* "/10.0.0.1:5000" */
enum { PEER_TEXT_MAX = ADDRESS_TEXT_MAX + 16 };

/* listener.c */
void front_forget(struct front *front, struct connection *connection); /* at its uv_close */

/* four_letter.c: true when these four bytes are a word; then the answer was sent. */
bool four_letter_try(struct connection *connection, const uint8_t *bytes, size_t size);

#endif
