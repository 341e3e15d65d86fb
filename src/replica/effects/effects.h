/* effects.h: what the replica wants its host to do. The replica has no other output.
 *
 * While events are stepped, the rooms of the replica append to one struct. At the end of its turn the
 * host carries all of it out once, and clears it. replica.h has the whole contract of a turn. */
#ifndef REPLICA_EFFECTS_EFFECTS_H
#define REPLICA_EFFECTS_EFFECTS_H

#include "base/buffer.h"

#define CLIENT_NONE UINT32_MAX /* no client has this number */

enum client_effect_kind {
    CLIENT_SEND,  /* bytes [offset, offset + size) of effects->bytes: whole frames */
    CLIENT_CLOSE, /* send what is queued, then close. The host then reports CLIENT_CLOSED */
    CLIENT_PAUSE, /* read no more from this client until CLIENT_RESUME; frames that still come
                      are queued */
    CLIENT_RESUME,
    CLIENT_HOLD /* more answers are ready than should be sent at once: report REPLICA_CLIENT_READY
                   when most of what was sent is written */
};
struct client_effect {
    enum client_effect_kind kind;
    uint32_t client;
    size_t offset, size;
    const char *reason; /* CLIENT_CLOSE: why, for the log; NULL: an ordinary end. Static text */
};

struct txnlog_append {    /* one record for the transaction log, in the order of zxids */
    struct slice payload; /* txn bytes with digest; valid until REPLICA_LOG_SYNCED passed it */
    int64_t zxid;
    bool lacks_digest; /* the payload ends with its body; txnlog_format.h says what the log adds */
    bool roll_before;  /* begin a new log file with this record (txnlog.h says when it waits) */
};

enum image_part { /* what a step of writing a snapshot produced */
                  IMAGE_PART,
                  IMAGE_PART_SEALED, /* a part, and after it a seal: a checksum of all bytes so far */
                  IMAGE_END,         /* no bytes: the part before was the last one */
                  IMAGE_LOST /* no bytes: too much changed while the disk stalled; discard the
                                file */
};

/* --- other servers of the ensemble ---
 *
 * The number of a connection is never reused. The replica gives odd numbers, from 1 on, to
 * connections that it opens; the host gives even numbers to those that it accepts. */
enum peer_port {
    PEER_PORT_ELECTION,
    PEER_PORT_QUORUM,
    PEER_PORT_MASTER /* of an observer master: observerMasterPort */
};

enum peer_effect_kind {
    PEER_DIAL, /* connect to host and port; the name is looked up each time. The host reports
                  REPLICA_PEER_OPENED, or REPLICA_PEER_CLOSED if that failed */
    PEER_SEND, /* bytes [offset, offset + size) of effects->peer_bytes; several peers may share them */
    PEER_HOLD,   /* report REPLICA_PEER_READY when most of what was sent is gone */
    PEER_CLOSE,  /* send what is queued, then close. REPLICA_PEER_CLOSED does not follow; nothing of
                   this connection is reported any more */
    PEER_LISTEN, /* accept learners, at the quorum port (this server leads) or at the port for
                    observers (it follows) */
    PEER_UNLISTEN, /* stop that */
    PEER_NOTE      /* log `reason` about this connection, which stays open */
};
struct peer_effect {
    enum peer_effect_kind kind;
    enum peer_port port; /* PEER_DIAL, PEER_LISTEN, PEER_UNLISTEN */
    uint64_t connection;
    size_t offset, size;
    struct slice host;    /* PEER_DIAL: as configured; valid until the turn's end */
    uint16_t port_number; /* PEER_DIAL */
    int32_t timeout_ms;   /* PEER_DIAL: the limit; 0: the host decides */
    const char *reason;   /* PEER_CLOSE: why, for the log; NULL: an ordinary end. PEER_NOTE.
                             Static text */
};

/* Work on the files other than appending. At most one at a time; it starts after all appends so
 * far, those of this turn included, are durable. REPLICA_STORE_DONE reports that it is done and
 * durable. */
enum store_work_kind {
    STORE_WRITE_EPOCHS, /* accepted_epoch, then current_epoch; -1: that file stays as it is */
    STORE_TRUNCATE,     /* no record and no snapshot above zxid is left; then as STORE_RELOAD */
    STORE_RELOAD,       /* read the tree from the files again: REPLICA_STORE_DONE has it */
    STORE_RESTART_LOG   /* rename all present files, and continue the log after zxid, whose snapshot
                         is to be written now. Complete when a STORE_WRITE_EPOCHS with a current
                         epoch follows; until then a start or STORE_RELOAD may restore the old state
                         (store/actor.h) */
};
struct store_work {
    enum store_work_kind kind;
    int64_t zxid;
    int64_t accepted_epoch, current_epoch;
    bool
        ends_quarantine; /* STORE_WRITE_EPOCHS: then end the quarantine, too (store/quarantine.h) */
};

/* The history that a learner lacks, from the log files, as packets: store/history_reader.h. Each but a close
 * is answered by REPLICA_HISTORY. */
enum history_work_kind {
    HISTORY_OPEN, /* what is above after_zxid, up to last_zxid; the first part is read at once */
    HISTORY_READ, /* the next part: after an answer that said that there is more */
    HISTORY_CLOSE /* stop; there is no answer */
};
struct history_work {
    enum history_work_kind kind;
    uint64_t connection; /* of the learner */
    int64_t after_zxid, last_zxid;
    uint64_t file_bytes_max; /* refuse to read more than this; 0: no limit */
};

struct effects { /* zero it before first use; owned by the host */
    struct buffer bytes;
    struct client_effect *clients;
    struct txnlog_append *appends;
    size_t client_count, client_capacity, append_count, append_capacity;
    size_t frame_count;    /* in all sends */
    bool snapshot_begin;   /* start writing an image: replica_snapshot_next() until it ends */
    bool snapshot_awaited; /* with snapshot_begin: nobody is served before it is written */
    int64_t wake_at_ms;    /* send REPLICA_TICK no later than this; INT64_MAX: no wish */
    /* of an ensemble */
    struct buffer peer_bytes;
    struct peer_effect *peers;
    size_t peer_count, peer_capacity;
    struct store_work store_work;
    bool store_begin; /* start store_work */
    struct history_work *histories;
    size_t history_count, history_capacity;
    const char *fatal; /* not NULL: end the process with this message. Static text */
};

/* Empties it for the next turn. Its memory is kept, except for a very large one. */
void effects_clear(struct effects *effects);
void effects_deinit(struct effects *effects);

void effects_add_client(struct effects *effects, struct client_effect effect);
/* Sends bytes [offset, offset + size) to the client; extends the effect before if they continue
 * it. */
void effects_add_send(struct effects *effects, uint32_t client, size_t offset, size_t size);
void effects_add_append(struct effects *effects, struct txnlog_append append);
void effects_add_peer(struct effects *effects, struct peer_effect effect);
/* Bytes [offset, offset + size) of peer_bytes; joined to the effect before where they continue it. */
void effects_add_peer_send(struct effects *effects, uint64_t connection, size_t offset,
                           size_t size);
void effects_add_history(struct effects *effects, struct history_work work);
void effects_begin_store(struct effects *effects, struct store_work work);

#endif
