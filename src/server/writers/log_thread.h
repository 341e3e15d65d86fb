/* log_thread.h: the one thread that writes and syncs the transaction log.
 *
 * Takes everything that waits, writes it, syncs once, and says "durable up to zxid z": group commit.
 * A write or sync that fails ends the process at once, without an answer to anybody and without a
 * retry: nobody knows what the disk holds. A full disk is the exception: the
 * log is untouched then, so the batch waits and is tried again every second, nothing is acknowledged
 * meanwhile, and reads go on. */
#ifndef SERVER_WRITERS_LOG_THREAD_H
#define SERVER_WRITERS_LOG_THREAD_H

#include "base/summary.h"
#include "replica/store/txnlog.h"

#include <uv.h>

struct log_thread_options {
    int64_t flush_delay_ms;      /* wait for company this long at most; 0: never */
    int64_t write_queue_poll_ms; /* ... but not longer than this for the next one */
    int32_t batch_max;           /* records per sync; <= 0: all that wait */
    int64_t fsync_warning_ms;    /* slower syncs are told */
    const char *directory;       /* for log lines */
};

struct log_thread_stats {
    struct summary fsync_ms; /* of one sync */
    struct summary batch_records;
    struct summary flush_ms;       /* write and sync of one batch */
    struct summary queue_ms;       /* from being queued to being taken */
    struct summary queue_flush_ms; /* from being queued to being durable */
    struct summary queue_records;  /* how many waited when the thread looked */
    int64_t file_bytes;
    bool full; /* the disk is; nothing is acknowledged */
};

/* On the loop's thread: everything up to `zxid` survives a power loss. */
typedef void log_thread_durable(void *context, int64_t zxid);

struct log_thread;
/* Takes the writer. */
struct log_thread *log_thread_start(uv_loop_t *loop, struct txnlog_writer *writer,
                                    const struct log_thread_options *options,
                                    log_thread_durable *durable, void *context);
/* Payloads stay where they are until durable() has passed them. */
void log_thread_push(struct log_thread *thread, const struct txnlog_append *appends, size_t count);
void log_thread_stats(struct log_thread *thread, struct log_thread_stats *ret_stats);
void log_thread_reset_stats(struct log_thread *thread); /* what happened, not what is */
/* Writes what is queued (unless the disk is full), ends the thread and closes its handle; free it
 * with log_thread_free() when the loop has run dry. */
void log_thread_stop(struct log_thread *thread);
void log_thread_free(struct log_thread *thread);

#endif
