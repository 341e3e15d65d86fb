/* log_thread.h: the one thread that writes and syncs the transaction log, and does the other work
 * on the files that an ensemble needs.
 *
 * Group commit: it takes everything that waits, writes it, syncs once, and reports up to which zxid the
 * log is durable. When a write or sync fails, the process ends at once: it is unknown what is on the
 * disk, so nothing may be retried or answered. A full disk is the exception, because then the log is
 * unchanged: the batch is tried again every second, nothing is acknowledged meanwhile, and reads are
 * served.
 *
 * A job (struct store_work) is an entry of the queue: what was pushed before it is made durable
 * first, what is pushed after it is written when it is done. The snapshot thread pauses meanwhile:
 * an image that is being written is given up, and a purge ends first. A job that fails ends the
 * process. */
#ifndef SERVER_WRITERS_LOG_THREAD_H
#define SERVER_WRITERS_LOG_THREAD_H

#include "metrics/metrics.h"
#include "replica/store/actor.h"
#include "server/writers/snapshot_thread.h"

#include <uv.h>

struct log_thread_options {
    int64_t flush_delay_ms;            /* wait at most so long for more records; 0: do not wait */
    int64_t write_queue_poll_ms;       /* ... and at most so long for the next one */
    int32_t batch_max;                 /* records per sync; <= 0: all that wait */
    int64_t fsync_warning_ms;          /* slower syncs are logged */
    const char *directory;             /* for log lines */
    struct snapshot_thread *snapshots; /* rests during a work; NULL: there is none */
};

/* How a job ended. */
struct log_thread_outcome {
    enum store_work_kind kind;
    enum status status; /* OK, or what store_actor_work() calls a refusal: nothing was changed */
    struct tree *tree;  /* of STORE_TRUNCATE and STORE_RELOAD when OK: the callee's; else NULL */
    int64_t zxid;       /* the last one of these files */
};

struct log_thread_events { /* on the loop's thread, in the order in which things happened */
    void (*durable)(void *context, int64_t zxid); /* everything up to it survives a power loss */
    void (*work_done)(void *context, const struct log_thread_outcome *outcome);
    void *context;
};

struct log_thread;
/* Ownership of the actor passes. */
struct log_thread *log_thread_start(uv_loop_t *loop, struct store_actor *actor,
                                    const struct log_thread_options *options,
                                    const struct log_thread_events *events);
/* The payloads must stay valid until durable() reports their zxids. */
void log_thread_push(struct log_thread *thread, const struct txnlog_append *appends, size_t count);
/* After all that was pushed so far. One at a time: the next one after work_done(). */
void log_thread_work(struct log_thread *thread, const struct store_work *work);
void log_thread_collect_metrics(struct log_thread *thread, struct metrics *all);
void log_thread_reset_metrics(struct log_thread *thread); /* srst */
/* Writes what is queued (unless the disk is full), up to a work that was not begun: nobody was told
 * that it is done. Ends the thread and closes its handle; free it with log_thread_free() when the
 * loop has run dry. */
void log_thread_stop(struct log_thread *thread);
void log_thread_free(struct log_thread *thread);

#endif
