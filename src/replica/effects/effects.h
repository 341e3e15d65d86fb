/* effects.h: what the replica wants done: the only thing that leaves it.
 *
 * The rooms of the replica append to one struct while events are stepped; the host carries all of
 * it out once, at the end of its turn, and clears it. replica.h has the turn's whole contract. */
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
    CLIENT_HOLD /* more answers are ready than should leave at once: report REPLICA_CLIENT_READY
                   when most of what was sent has left */
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
    bool lacks_digest; /* nothing behind the body: the log writes one of version 0 */
    bool roll_before;  /* begin a new log file with this record */
};

enum image_part { /* what a step of writing a snapshot gave */
                  IMAGE_PART,
                  IMAGE_PART_SEALED, /* a part, and behind it a seal: a checksum of all bytes so far */
                  IMAGE_END,         /* nothing: the part before was the last one */
                  IMAGE_LOST /* nothing: too much changed while the disk stalled; give the file up */
};

struct effects { /* zero it before first use; owned by the host */
    struct buffer bytes;
    struct client_effect *clients;
    struct txnlog_append *appends;
    size_t client_count, client_capacity, append_count, append_capacity;
    bool snapshot_begin; /* start writing an image: replica_snapshot_next() until it ends */
    int64_t wake_at_ms;  /* send REPLICA_TICK no later than this; INT64_MAX: no wish */
};

/* Empties it for the next turn. Keeps its memory, but for what one huge turn needed. */
void effects_clear(struct effects *effects);
void effects_deinit(struct effects *effects);

void effects_add_client(struct effects *effects, struct client_effect effect);
/* Bytes [offset, offset + size) for the client; joined to the effect before where they continue it. */
void effects_add_send(struct effects *effects, uint32_t client, size_t offset, size_t size);
void effects_add_append(struct effects *effects, struct txnlog_append append);

#endif
