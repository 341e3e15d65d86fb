/* log_thread.c: the thread of the transaction log. The loop and this thread exchange whole batches under one
 * lock, which is never held during a write or a sync. */
#include "server/writers/log_thread.h"

#include "io/log.h"
#include "server/config/exit_code.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { FULL_RETRY_MS = 1000 };

struct entry {
    struct txnlog_append append;
    int64_t queued_ns;
};

struct entries {
    struct entry *items;
    size_t count, capacity;
};

struct log_thread {
    uv_async_t async;
    log_thread_durable *durable;
    void *context;
    struct txnlog_writer *writer;
    struct log_thread_options options;
    pthread_t thread;

    pthread_mutex_t lock; /* for the rest of this block */
    pthread_cond_t wake;
    struct entries queue;
    bool stopping;
    int64_t durable_zxid;
    struct log_thread_stats stats;

    struct entries batch;          /* the thread's own from here */
    struct txnlog_append *appends; /* the batch as the writer wants it */
    size_t append_capacity;
    int64_t last_flush_ns;
};

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void entries_add(struct entries *entries, const struct entry *entry)
{
    if (entries->count == entries->capacity) {
        entries->capacity = entries->capacity == 0 ? 64 : entries->capacity * 2;
        entries->items = mem_realloc(entries->items, entries->capacity * sizeof(*entries->items));
    }
    entries->items[entries->count++] = *entry;
}

_Noreturn static void die(const struct log_thread *thread, const char *what, enum status status)
{
    log_error("log",
              "%s the transaction log failed: %s directory=%s; the server ends now and leaves "
              "waiting requests unanswered, because it is not known what is on the disk",
              what, status_text(status), thread->options.directory);
    log_error("main", "Exiting JVM with code %d", EXIT_CODE_UNEXPECTED);
    _exit(EXIT_CODE_UNEXPECTED);
}

/* With the lock held. False: the time is over. */
static bool wait_until(struct log_thread *thread, int64_t until_ns)
{
    struct timespec until = {.tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000};

    return pthread_cond_timedwait(&thread->wake, &thread->lock, &until) == 0;
}

/* flushDelay: waits a while, so that more records join the batch. Lock held. */
static void wait_for_more_records(struct log_thread *thread)
{
    int64_t delay_ns = thread->options.flush_delay_ms * 1000000;
    int64_t poll_ns = thread->options.write_queue_poll_ms * 1000000;
    int64_t end_ns = thread->last_flush_ns + delay_ns;

    while (!thread->stopping && (thread->options.batch_max <= 0 ||
                                 thread->queue.count < (size_t)thread->options.batch_max)) {
        int64_t now = now_ns();
        size_t before = thread->queue.count;
        if (now >= end_ns)
            return;
        (void)wait_until(thread, now + poll_ns < end_ns ? now + poll_ns : end_ns);
        if (thread->queue.count == before)
            return;
    }
}

/* Take what waits. False: the end. */
static bool take(struct log_thread *thread)
{
    pthread_mutex_lock(&thread->lock);
    while (thread->queue.count == 0 && !thread->stopping)
        pthread_cond_wait(&thread->wake, &thread->lock);
    if (thread->queue.count > 0 && thread->options.flush_delay_ms > 0)
        wait_for_more_records(thread);
    struct entries taken = thread->queue;
    thread->queue = thread->batch;
    thread->queue.count = 0;
    thread->batch = taken;
    pthread_mutex_unlock(&thread->lock);
    return taken.count > 0;
}

/* The disk is full: wait a second. False: the server is to end, and the batch stays unwritten. */
static bool wait_for_space(struct log_thread *thread)
{
    pthread_mutex_lock(&thread->lock);
    if (!thread->stats.full)
        log_error(
            "log",
            "no space left for the transaction log directory=%s; writes wait and are "
            "not acknowledged, reads are served; it is tried again every second, so free some "
            "space",
            thread->options.directory);
    thread->stats.full = true;
    int64_t until_ns = now_ns() + FULL_RETRY_MS * INT64_C(1000000);
    while (!thread->stopping && wait_until(thread, until_ns)) {
    }
    bool go_on = !thread->stopping;
    pthread_mutex_unlock(&thread->lock);
    return go_on;
}

/* One write, one sync. False: given up, because the disk is full and the server ends. */
static bool flush(struct log_thread *thread, const struct entry *entries, size_t count)
{
    int64_t start_ns = now_ns();
    enum status status;

    if (thread->append_capacity < count) {
        thread->append_capacity = count;
        thread->appends = mem_realloc(thread->appends, count * sizeof(*thread->appends));
    }
    for (size_t i = 0; i < count; i++)
        thread->appends[i] = entries[i].append;
    while ((status = txnlog_writer_append(thread->writer, thread->appends, count)) ==
           STATUS_NO_SPACE) {
        if (!wait_for_space(thread))
            return false;
    }
    if (status != STATUS_OK)
        die(thread, "writing", status);
    int64_t written_ns = now_ns();
    status = txnlog_writer_sync(thread->writer);
    if (status != STATUS_OK)
        die(thread, "syncing", status);

    struct txnlog_writer_info info;
    txnlog_writer_info(thread->writer, &info);
    int64_t end_ns = now_ns(), sync_ms = (end_ns - written_ns) / 1000000;
    thread->last_flush_ns = end_ns;
    pthread_mutex_lock(&thread->lock);
    struct log_thread_stats *stats = &thread->stats;
    if (stats->full)
        log_info("log", "there is space for the transaction log again; writes are served");
    stats->full = false;
    summary_add(&stats->fsync_ms, sync_ms);
    summary_add(&stats->batch_records, (int64_t)count);
    summary_add(&stats->flush_ms, (end_ns - start_ns) / 1000000);
    for (size_t i = 0; i < count; i++) {
        summary_add(&stats->queue_ms, (start_ns - entries[i].queued_ns) / 1000000);
        summary_add(&stats->queue_flush_ms, (end_ns - entries[i].queued_ns) / 1000000);
    }
    stats->file_bytes = (int64_t)info.file_bytes;
    thread->durable_zxid = entries[count - 1].append.zxid;
    pthread_mutex_unlock(&thread->lock);
    uv_async_send(&thread->async);
    if (sync_ms > thread->options.fsync_warning_ms)
        log_warn("log",
                 "fsync-ing the write ahead log in %s took %lldms which will adversely "
                 "effect operation latency. File size is %llu bytes file=%s",
                 thread->options.directory, (long long)sync_ms, (unsigned long long)info.file_bytes,
                 info.file_name);
    return true;
}

static void *run(void *argument)
{
    struct log_thread *thread = argument;

    while (take(thread)) {
        size_t batch_max =
            thread->options.batch_max > 0 ? (size_t)thread->options.batch_max : thread->batch.count;
        pthread_mutex_lock(&thread->lock);
        summary_add(&thread->stats.queue_records, (int64_t)thread->batch.count);
        pthread_mutex_unlock(&thread->lock);
        for (size_t at = 0; at < thread->batch.count;) {
            size_t count = thread->batch.count - at;
            if (count > batch_max)
                count = batch_max;
            if (!flush(thread, thread->batch.items + at, count))
                return NULL;
            at += count;
        }
        thread->batch.count = 0;
    }
    return NULL;
}

static void on_async(uv_async_t *async)
{
    struct log_thread *thread = async->data;

    pthread_mutex_lock(&thread->lock);
    int64_t zxid = thread->durable_zxid;
    pthread_mutex_unlock(&thread->lock);
    thread->durable(thread->context, zxid);
}

struct log_thread *log_thread_start(uv_loop_t *loop, struct txnlog_writer *writer,
                                    const struct log_thread_options *options,
                                    log_thread_durable *durable, void *context)
{
    struct log_thread *thread = mem_zalloc(sizeof(*thread));
    pthread_condattr_t attributes;

    thread->durable = durable;
    thread->context = context;
    thread->writer = writer;
    thread->options = *options;
    thread->durable_zxid = INT64_MIN;
    if (thread->options.write_queue_poll_ms < 0)
        thread->options.write_queue_poll_ms = options->flush_delay_ms / 3;
    pthread_mutex_init(&thread->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&thread->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    int error = uv_async_init(loop, &thread->async, on_async);
    ASSERT(error == 0);
    thread->async.data = thread;
    error = pthread_create(&thread->thread, NULL, run, thread);
    ASSERT(error == 0);
    return thread;
}

void log_thread_push(struct log_thread *thread, const struct txnlog_append *appends, size_t count)
{
    struct entry entry = {.queued_ns = now_ns()};

    pthread_mutex_lock(&thread->lock);
    for (size_t i = 0; i < count; i++) {
        entry.append = appends[i];
        entries_add(&thread->queue, &entry);
    }
    pthread_cond_signal(&thread->wake);
    pthread_mutex_unlock(&thread->lock);
}

void log_thread_stats(struct log_thread *thread, struct log_thread_stats *ret_stats)
{
    pthread_mutex_lock(&thread->lock);
    *ret_stats = thread->stats;
    pthread_mutex_unlock(&thread->lock);
}

void log_thread_reset_stats(struct log_thread *thread)
{
    pthread_mutex_lock(&thread->lock);
    thread->stats = (struct log_thread_stats){.file_bytes = thread->stats.file_bytes,
                                              .full = thread->stats.full};
    pthread_mutex_unlock(&thread->lock);
}

void log_thread_stop(struct log_thread *thread)
{
    pthread_mutex_lock(&thread->lock);
    thread->stopping = true;
    pthread_cond_signal(&thread->wake);
    pthread_mutex_unlock(&thread->lock);
    pthread_join(thread->thread, NULL);
    uv_close((uv_handle_t *)&thread->async, NULL);
}

void log_thread_free(struct log_thread *thread)
{
    txnlog_writer_free(thread->writer);
    pthread_mutex_destroy(&thread->lock);
    pthread_cond_destroy(&thread->wake);
    mem_free(thread->queue.items);
    mem_free(thread->batch.items);
    mem_free(thread->appends);
    mem_free(thread);
}
