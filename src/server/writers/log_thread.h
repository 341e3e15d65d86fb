/* log_thread.h: the one thread that writes and syncs the transaction log.
 *
 * Group commit: it takes everything that waits, writes it, syncs once, and reports up to which zxid the
 * log is durable. When a write or sync fails, the process ends at once: it is unknown what is on the
 * disk, so nothing may be retried or answered. A full disk is the exception, because then the log is
 * unchanged: the batch is tried again every second, nothing is acknowledged meanwhile, and reads are
 * served. */
#ifndef SERVER_WRITERS_LOG_THREAD_H
#define SERVER_WRITERS_LOG_THREAD_H

#include "base/summary.h"
#include "replica/store/txnlog.h"

#include <uv.h>

struct log_thread_options {
    int64_t flush_delay_ms;      /* wait at most so long for more records; 0: do not wait */
    int64_t write_queue_poll_ms; /* ... and at most so long for the next one */
    int32_t batch_max;           /* records per sync; <= 0: all that wait */
    int64_t fsync_warning_ms;    /* slower syncs are logged */
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
    bool full; /* the disk is full, and nothing is acknowledged */
};

/* On the loop's thread: everything up to `zxid` survives a power loss. */
typedef void log_thread_durable(void *context, int64_t zxid);

struct log_thread;
/* Takes the writer. */
struct log_thread *log_thread_start(uv_loop_t *loop, struct txnlog_writer *writer,
                                    const struct log_thread_options *options,
                                    log_thread_durable *durable, void *context);
/* The payloads must stay valid until durable() reports their zxids. */
void log_thread_push(struct log_thread *thread, const struct txnlog_append *appends, size_t count);
void log_thread_stats(struct log_thread *thread, struct log_thread_stats *ret_stats);
void log_thread_reset_stats(struct log_thread *thread); /* all but file_bytes and full */
/* Writes what is queued (unless the disk is full), ends the thread and closes its handle; free it
 * with log_thread_free() when the loop has run dry. */
void log_thread_stop(struct log_thread *thread);
void log_thread_free(struct log_thread *thread);

#endif
