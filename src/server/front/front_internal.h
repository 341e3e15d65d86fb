/* front_internal.h: what the files of this room share. Not for other rooms.
 *
 * From the bottom up: throttle.c, hosts.c, connection.c (one connection), effects.c (what the replica
 * wants done to connections), listener.c (accepting, idle check, the door). */
#ifndef SERVER_FRONT_FRONT_INTERNAL_H
#define SERVER_FRONT_FRONT_INTERNAL_H

#include "base/list.h"
#include "base/map.h"
#include "io/address.h"
#include "io/log.h"
#include "io/net/stream.h"
#include "server/front/front.h"
#include "server/front/throttle.h"

enum { NO_SEND = UINT32_MAX };

struct connection {
    struct stream stream;
    struct front *front;
    uint32_t id; /* its index in front->connections, by which the replica knows it */
    uint16_t port;
    struct address_host host;
    int64_t heard_ms;               /* last bytes in either direction */
    struct buffer in;               /* an incomplete frame, or frames that wait */
    uint32_t first_send, last_send; /* this turn's answers: a chain through front->next_send */
    size_t turn_bytes;              /* the length of these answers */
    size_t stalled_bytes;           /* what waited for the kernel at the last idle check */
    uint32_t large_bytes;           /* of large requests that were not answered yet */
    struct list in_answered;        /* in front->answered or front->ending */
    struct list in_waiting;         /* in front->waiting or front->waiting_next */
    bool known;                     /* to the replica */
    bool paused;                    /* by the replica */
    bool held;                      /* the replica has more answers: REPLICA_CLIENT_READY */
    bool close_wanted;              /* close it when this turn's answers are sent */
    bool broken;                    /* its answers cannot leave: close it now */
    bool closing;                   /* no more frames; the replica does not know it any more */
    bool asks_word;                 /* it sent a four-letter word */
};

struct host_counts {    /* connections of each client host (hosts.c) */
    struct map by_hash; /* hash of a host -> struct host_count */
    uint64_t seed;
};

struct front {
    struct host *host;
    const struct front_config *config;
    int32_t frame_bytes_max;
    struct net net;
    uv_tcp_t listener;
    uv_timer_t idle_check;
    bool idle_check_due; /* made behind the poll that follows: bytes may be waiting in it */
    bool listening, stopping;
    struct connection **connections; /* by id; NULL: free */
    uint32_t connection_capacity, connection_count;
    uint32_t *free_ids;
    uint32_t free_id_count;
    uint32_t connections_max; /* what descriptors allow */
    struct host_counts hosts;
    uint64_t random_state;    /* for the throttle's early drops */
    struct list answered;     /* have answers in this turn, or are to be closed */
    struct list ending;       /* ... and are to be closed, their answers sent */
    struct list waiting;      /* have frames that may be given now */
    struct list waiting_next; /* have frames that may be given in the next turn */
    uv_idle_t stay_awake;     /* runs while there is a next turn's work */
    uint32_t *next_send;      /* per client effect: the next one of the same connection */
    size_t next_send_capacity;
    size_t noted;          /* client effects that were looked at */
    size_t noted_frames;   /* frames in them */
    size_t noted_bytes;    /* of the last of them, when it is a send */
    struct buffer scratch; /* one connection's answers, when they lie apart */
    size_t queue_bytes_max;
    int64_t large_bytes; /* of large requests in progress */
    struct throttle throttle;
    struct metrics metrics;
    struct log_limit bad_frames, refusals, slow_readers, expired;
    int bound_port;
    void (*forget)(struct connection *connection); /* its stream is closed: its number is free */
};

/* effects.c */
/* The next poll does not sleep while there is work for the turn behind it. */
void front_update_stay_awake(struct front *front);

/* connection.c */
extern const struct stream_events connection_stream_events; /* the context is the connection */
void connection_start(struct connection *connection);
void connection_update_reading(struct connection *connection);
/* The bytes leave, or wait. False: the connection is broken, or too much waits: close it now. */
MUST_USE bool connection_send(struct connection *connection, struct slice bytes);
/* No more frames; what was sent leaves first. */
void connection_close(struct connection *connection);
void connection_close_now(struct connection *connection);
void connection_log_slow(const struct connection *connection); /* does not read its answers */
void connection_feed(struct connection *connection);           /* frames that waited in `in` */
void connection_address(const struct connection *connection, char ret_text[PEER_TEXT_MAX]);
/* What the replica knows of it. False: nothing. */
bool connection_client(const struct connection *connection, struct client_info *ret_info);
/* When silence ends it: a session's timeout, or that of connections without one, up to the next whole
 * interval. */
int64_t connection_idle_end_ms(const struct connection *connection);

/* hosts.c */
void hosts_init(struct host_counts *hosts, uint64_t seed);
void hosts_deinit(struct host_counts *hosts);
uint32_t hosts_count(const struct host_counts *hosts, struct address_host host);
void hosts_add(struct host_counts *hosts, struct address_host host);
void hosts_remove(struct host_counts *hosts, struct address_host host);

#endif
