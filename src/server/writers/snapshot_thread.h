/* snapshot_thread.h: the thread that writes snapshot files, removes old ones, and reads log files for
 * learners that are behind. So no file is removed while it is read.
 *
 * The loop's thread takes the image from the replica in parts and hands them over; about a megabyte may
 * wait here. A snapshot can be lost safely, because everything since the one before is in the log. So a
 * full disk is only logged; any other failure of the disk ends the process, as in Java (exit 10). */
#ifndef SERVER_WRITERS_SNAPSHOT_THREAD_H
#define SERVER_WRITERS_SNAPSHOT_THREAD_H

#include "base/buffer.h"
#include "metrics/metrics.h"
#include "replica/store/history_reader.h"
#include "replica/store/snapshot.h"

#include <uv.h>

struct snapshot_thread_options {
    struct disk *data, *log; /* data pushes its writes to the device (io/disk_posix.h) */
    const char *directory;   /* of data, for log lines */
    enum store_compression compression;
    uint32_t retain;       /* snapshots that a purge keeps */
    size_t text_bytes_max; /* jute.maxbuffer + extrasize */
};

struct snapshot_thread_events {                /* on the loop's thread */
    void (*room)(void *context);               /* parts may be pushed again */
    void (*done)(void *context, bool written); /* the image is written, or given up */
    /* Borrowed for the call. */
    void (*history)(void *context, uint64_t connection, enum status status, struct slice packets);
    void *context;
};

struct snapshot_thread;
struct snapshot_thread *snapshot_thread_start(uv_loop_t *loop,
                                              const struct snapshot_thread_options *options,
                                              const struct snapshot_thread_events *events);
/* awaited: nobody is served before it is written, so it is written without a rest. */
void snapshot_thread_begin(struct snapshot_thread *thread, int64_t zxid, bool awaited);
bool snapshot_thread_has_room(struct snapshot_thread *thread);
/* Takes the bytes and leaves an empty buffer. */
void snapshot_thread_push(struct snapshot_thread *thread, struct buffer *part, bool seal);
void snapshot_thread_finish(struct snapshot_thread *thread); /* that was the last part */
/* There will be no more parts: too much has changed while the disk was slow. */
void snapshot_thread_give_up(struct snapshot_thread *thread);
void snapshot_thread_purge(struct snapshot_thread *thread);
void snapshot_thread_history(struct snapshot_thread *thread, const struct history_work *work);
/* Any thread except the loop's. Returns when everything that was requested before is done, purges
 * included; until it is resumed the thread touches no file. An image that is not complete by then
 * is given up. */
void snapshot_thread_pause(struct snapshot_thread *thread);
void snapshot_thread_resume(struct snapshot_thread *thread);
void snapshot_thread_collect_metrics(struct snapshot_thread *thread, struct metrics *all);
void snapshot_thread_reset_metrics(struct snapshot_thread *thread); /* srst */
/* Gives up an unfinished file, ends the thread, closes the handle; free when the loop has run dry. */
void snapshot_thread_stop(struct snapshot_thread *thread);
void snapshot_thread_free(struct snapshot_thread *thread);

#endif
