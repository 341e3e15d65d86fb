/* driver.h: drives one replica through its turns, as the daemon does, without a socket, a clock, a
 * thread or a file of the system.
 *
 * It is the host of replica.h's contract. Events are stepped. At the end of a turn the effects are carried
 * out once: frames go into each client's mailbox, records to the log, closes, pauses and holds are
 * noted, an image is begun. Then the effects are cleared, and what this has caused is stepped in the next
 * turn. Effects are looked at only there, so a send that grows during the turn is taken whole. The driver
 * asserts the contract.
 *
 * Nothing happens by itself: time passes, and the log becomes durable, when the user calls a function for
 * it. The same calls give the same effects.
 *
 * With options.disk, the log and the images are written to that disk, by the writers of the daemon. When
 * the disk fails the process counts as ended: `status` says why, and calls have no effect. */
#ifndef SIM_DRIVER_H
#define SIM_DRIVER_H

#include "base/arena.h"
#include "replica/replica.h"
#include "replica/store/snapshot.h"
#include "replica/store/txnlog.h"

enum { DRIVER_CLIENTS = 16 };

struct driver_options {
    bool turn_by_hand;  /* a turn ends at driver_end_turn(); false: after every event */
    bool room_by_hand;  /* a held client has room again at driver_ready(); false: at once */
    bool close_by_hand; /* a client that was closed is gone at driver_gone(); false: at once */
    struct disk *disk;  /* NULL: the log is kept in `records` alone, images are dropped */
    /* With a disk: how the log goes on there (from recovery). */
    struct txnlog_options log;
    struct txnlog_position log_position;
};

/* One connection and its mailbox. Fields are for reading; those of the session may be written, too. */
struct driver_client {
    bool open;                /* from driver_open() to its end */
    bool closed;              /* the replica wants its end: nothing comes any more */
    const char *close_reason; /* then; NULL: an ordinary end */
    bool paused;              /* the replica wants no frames; what comes all the same, it queues */
    bool held;                /* the replica waits for driver_ready() */
    int hold_count;
    bool answered;         /* its ConnectResponse is in the mail, or was */
    uint64_t gone_in_turn; /* its number is not used again in the turn in which the client ended */
    struct buffer mail; /* whole frames, each after its size; up to read_at they were looked at */
    size_t read_at;
    /* What its last ConnectResponse said; a refusal: 0. Outlives the connection. */
    int64_t session_id;
    int32_t timeout_ms;
    int32_t last_xid; /* of its last request, for whoever makes them */
};

struct driver_record {     /* one record that was handed to the log */
    struct buffer payload; /* a copy */
    struct slice borrowed; /* the replica's own bytes, until they are durable */
    int64_t zxid;
    bool lacks_digest, roll_before;
};

/* The events that were stepped, with their times and copies of their bytes. */
struct driver_journal {
    struct replica_event *events;
    size_t count, capacity;
    struct arena arena;
};
void driver_journal_init(struct driver_journal *journal);
void driver_journal_deinit(struct driver_journal *journal);

/* Fields are for reading, but for the two at the end and as said at driver_client. */
struct driver {
    struct replica *replica;
    struct effects effects; /* of the turn at hand */
    uint64_t turn;          /* its number, from 1 on */
    struct driver_options options;
    enum status status;      /* what the disk answered, if it failed */
    int64_t now_ms, wall_ms; /* wall_ms may be set: the operator did */
    int32_t tick_ms;
    struct driver_client clients[DRIVER_CLIENTS];
    /* the log */
    struct driver_record *records; /* all of them, in the order of zxids */
    size_t record_count, record_capacity;
    size_t durable_count;
    int64_t appended_zxid;        /* the last one that was handed over */
    struct txnlog_writer *writer; /* NULL without a disk */
    /* images */
    bool image_running;
    uint64_t image_count; /* begun so far */
    struct snapshot_file *image_file;
    struct buffer image_part;
    /* NULL, or where to write: */
    struct buffer *transcript;      /* every effect, as bytes */
    struct driver_journal *journal; /* every event */
};

/* Takes the tree. The clock is at now_ms = 500 and wall_ms = replica's session_seed_ms. */
void driver_init(struct driver *driver, const struct driver_options *options,
                 const struct replica_options *replica, struct tree *tree);
/* The process ends as by a kill: nothing more is written, synced or sent. */
void driver_deinit(struct driver *driver);

/* Steps one event, at the time in it, and ends the turn unless turn_by_hand. The functions below do this
 * for each kind of event. */
void driver_step(struct driver *driver, const struct replica_event *event);
void driver_end_turn(struct driver *driver);

/* --- clients --- */
void driver_open(struct driver *driver, uint32_t client); /* from 127.0.0.1 */
void driver_frame(struct driver *driver, uint32_t client, struct slice payload);
void driver_gone(struct driver *driver, uint32_t client);  /* its connection is no more */
void driver_ready(struct driver *driver, uint32_t client); /* nothing when it is not held */
/* Sends a ConnectRequest with the right password. session_id 0: for a new session. */
void driver_shake(struct driver *driver, uint32_t client, int64_t session_id, int32_t timeout_ms);
/* Takes the next frame out of the mail; valid until more comes. False: there is none. */
bool driver_next_frame(struct driver *driver, uint32_t client, struct slice *ret_payload);

/* --- the log: it has what finished turns handed over --- */
/* Records up to `zxid` are written in one batch, synced, and reported durable. */
void driver_sync_to(struct driver *driver, int64_t zxid);
void driver_sync(struct driver *driver); /* all of them */

/* --- time --- */
void driver_jump(struct driver *driver,
                 int64_t ms); /* time, then one tick: the process stood still */
void driver_pass(struct driver *driver, int64_t ms); /* time, with a tick whenever one is due */

/* --- the running image --- */
/* Writes the next part, about bytes_max bytes; after the last one ends the file and reports
 * REPLICA_SNAPSHOT_DONE. False: no image runs (any more). */
bool driver_image_next(struct driver *driver, size_t bytes_max);
void driver_image_finish(struct driver *driver);  /* all that is left of it */
void driver_image_give_up(struct driver *driver); /* half way, the disk being full */

#endif
