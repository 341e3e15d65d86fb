/* effects.h: what the replica wants its host to do. Nothing else leaves the replica.
 *
 * While events are stepped, the rooms of the replica append to one struct. At the end of its turn the
 * host carries all of it out once, and clears it. replica.h has the whole contract of a turn. */
#ifndef REPLICA_EFFECTS_EFFECTS_H
#define REPLICA_EFFECTS_EFFECTS_H

#include "base/buffer.h"

#define CLIENT_NONE UINT32_MAX /* the number of no client */

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
    bool lacks_digest; /* the payload ends with the body: what the log adds, txnlog_format.h says */
    bool roll_before;  /* begin a new log file with this record */
};

enum image_part { /* what a step of writing a snapshot gave */
                  IMAGE_PART,
                  IMAGE_PART_SEALED, /* a part, and after it a seal: a checksum of all bytes so far */
                  IMAGE_END,         /* nothing: the part before was the last one */
                  IMAGE_LOST /* nothing: too much changed while the disk stalled; give the file up */
};

/* --- other servers of the ensemble ---
 *
 * A connection's number is never used again. The replica numbers those that it dials, from 1 on, the
 * odd numbers; the host numbers those that it accepts, the even ones. */
enum peer_port {
    PEER_PORT_ELECTION,
    PEER_PORT_QUORUM,
    PEER_PORT_MASTER /* of an observer master: observerMasterPort */
};

enum peer_effect_kind {
    PEER_DIAL, /* connect to host and port, the name being resolved anew. The host reports
                   REPLICA_PEER_OPENED, or REPLICA_PEER_CLOSED when it could not be */
    PEER_SEND, /* bytes [offset, offset + size) of effects->peer_bytes; several peers may share them */
    PEER_HOLD,   /* report REPLICA_PEER_READY when most of what was sent has left */
    PEER_CLOSE,  /* send what is queued, then close. REPLICA_PEER_CLOSED does not follow; nothing of
                   this connection is reported any more */
    PEER_LISTEN, /* accept learners: at the quorum port, this server leads; at that of an observer
                   master, it follows */
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
    int32_t timeout_ms;   /* PEER_DIAL: not longer than this; 0: as long as the host likes */
    const char *reason;   /* PEER_CLOSE: why, for the log; NULL: an ordinary end. PEER_NOTE.
                             Static text */
};

/* Work on the files that is no append. At most one at a time, after all appends of this turn and of
 * those before, which are made durable first. REPLICA_STORE_DONE says that it is done, durably. */
enum store_work_kind {
    STORE_WRITE_EPOCHS, /* accepted_epoch, then current_epoch; -1: that file stays as it is */
    STORE_TRUNCATE,     /* no record and no snapshot above zxid is left; then as STORE_RELOAD */
    STORE_RELOAD,       /* the tree as the files have it: REPLICA_STORE_DONE brings it */
    STORE_RESTART_LOG   /* all that is there is put aside, and the log goes on after zxid, whose
                           snapshot is to be written now. Done when a STORE_WRITE_EPOCHS with a
                           current epoch follows; before, a start or STORE_RELOAD may bring the old
                           state back (store/actor.h) */
};
struct store_work {
    enum store_work_kind kind;
    int64_t zxid;
    int64_t accepted_epoch, current_epoch;
    bool
        ends_quarantine; /* STORE_WRITE_EPOCHS: and then the quarantine is over (store/quarantine.h) */
};

/* The history that a learner lacks, from the log files, as packets: store/history_reader.h. Each but a close
 * is answered by REPLICA_HISTORY. */
enum history_work_kind {
    HISTORY_OPEN, /* what is above after_zxid, up to last_zxid; the first part is read at once */
    HISTORY_READ, /* the next part: after an answer that said that there is more */
    HISTORY_CLOSE /* no more of it is wanted, and no answer */
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
    const char *fatal; /* not NULL: end the process, saying this. Static text */
};

/* Empties it for the next turn. Its memory is kept, except for a very large one. */
void effects_clear(struct effects *effects);
void effects_deinit(struct effects *effects);

void effects_add_client(struct effects *effects, struct client_effect effect);
/* Bytes [offset, offset + size) for the client. Where they continue the effect before, it grows. */
void effects_add_send(struct effects *effects, uint32_t client, size_t offset, size_t size);
void effects_add_append(struct effects *effects, struct txnlog_append append);
void effects_add_peer(struct effects *effects, struct peer_effect effect);
/* Bytes [offset, offset + size) of peer_bytes; joined to the effect before where they continue it. */
void effects_add_peer_send(struct effects *effects, uint64_t connection, size_t offset,
                           size_t size);
void effects_add_history(struct effects *effects, struct history_work work);
void effects_begin_store(struct effects *effects, struct store_work work);

#endif
