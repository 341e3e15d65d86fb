/* peer_internal.h: what the files of this room share. Not for other rooms.
 *
 * From the bottom up: lines.c (what is said in the log), connection.c (one connection), doors.c (the
 * ports), effects.c (the turn). */
#ifndef SERVER_PEER_PEER_INTERNAL_H
#define SERVER_PEER_PEER_INTERNAL_H

#include "base/list.h"
#include "base/map.h"
#include "io/address.h"
#include "io/log.h"
#include "io/net/dial.h"
#include "io/net/listener.h"
#include "io/net/resolve.h"
#include "io/net/stream.h"
#include "server/peer/peer.h"

enum { PEER_NAME_MAX = HOST_TEXT_MAX + 8, PEER_PORTS = 3 };

struct peer_connection {
    struct stream stream;
    struct peers *peers;
    uint64_t number; /* the replica's name for it */
    enum peer_port port;
    bool accepted;
    char name[PEER_NAME_MAX];       /* host:port */
    char address[ADDRESS_TEXT_MAX]; /* of the other side */
    struct dial *dial;              /* while it is being opened */
    bool open;                      /* there is a stream */
    struct buffer early;            /* sent before it was open */
    struct slice *parts;            /* this turn's bytes, in effects->peer_bytes */
    size_t part_count, part_capacity;
    struct list in_all;    /* in peers->connections */
    struct list in_turn;   /* in peers->touched, then in peers->ending */
    struct list in_ready;  /* in peers->ready */
    bool closing;          /* the replica closes it: nothing more of it is reported */
    bool finished;         /* ... and that was carried out: only what waits has to leave */
    bool held;             /* the replica waits for REPLICA_PEER_READY */
    bool broken;           /* its bytes cannot leave: it ends after this turn */
    bool heard;            /* bytes have come from it */
    size_t stalled_bytes;  /* finished: what the kernel had not taken at the last look */
    int64_t linger_end_ms; /* finished: it is closed then, if nothing moves */
};

struct peer_door { /* one of the ports */
    struct peers *peers;
    enum peer_port port;
    struct listener **listeners; /* one for each address; NULL: closed */
    size_t count, failed;
    bool told; /* that it could not be bound */
};

/* What the log has said of dials to one host:port. */
struct peer_target {
    char name[PEER_NAME_MAX];
    bool tried;
    int error; /* of the last dial; 0: it was through */
};

struct peers {
    struct host *host;
    struct peer_options options;
    struct net net;
    struct peer_door doors[PEER_PORTS];
    struct map by_number; /* those that the replica knows */
    struct list connections, touched, ending, ready;
    size_t accepted_count;
    uint64_t next_number; /* of those that are accepted: even */
    size_t noted;         /* peer effects that were looked at */
    uv_idle_t stay_awake; /* runs while `ready` is not empty */
    uv_timer_t linger;    /* runs while a finished connection is open */
    struct peer_target *targets;
    size_t target_count, target_capacity;
    struct log_limit lines;
};

/* lines.c */
/* "what: why peer=... port=..."; why may be NULL. Strangers can cause these, so only some a second. */
void peer_log(const struct peer_connection *connection, enum log_level level, const char *what,
              const char *why);
void peer_log_dialed(const struct peer_connection *connection, int error); /* once per change */
const char *peer_port_text(enum peer_port port);

/* connection.c */
void peer_connection_dial(struct peers *peers, const struct peer_effect *effect);
void peer_connection_accept(struct peers *peers, enum peer_port port, uv_stream_t *socket);
void peer_connection_add_part(struct peer_connection *connection, struct slice bytes);
void peer_connection_flush(struct peer_connection *connection); /* the parts; may set `broken` */
/* What the replica sent leaves, then it ends. */
void peer_connection_finish(struct peer_connection *connection);
void peer_connection_close(struct peer_connection *connection); /* at once */
/* It has ended by itself: closed, and the replica is told unless it closes it. */
void peer_connection_lost(struct peer_connection *connection);
bool peer_connection_has_room(const struct peer_connection *connection);
void peer_connection_tell_ready(struct peer_connection *connection);
void peer_connection_check_linger(struct peer_connection *connection, int64_t now_ms);

/* doors.c */
void peer_door_open(struct peers *peers, enum peer_port port); /* open already: nothing */
void peer_door_close(struct peer_door *door);

#endif
