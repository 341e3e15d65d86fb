/* log_thread.c: the thread of the transaction log. The loop and this thread exchange whole batches under one
 * lock, which is never held during a write or a sync. */
#include "server/writers/log_thread.h"

#include "base/array.h"
#include "io/log.h"
#include "server/config/exit_code.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { FULL_RETRY_MS = 1000, ENTRIES_FIRST = 64 };

struct entry {
    struct txnlog_append append;
    int64_t queued_ns;
};

struct entries {
    struct entry *items;
    size_t count, capacity;
};

/* A work, and how many of the entries stand before it. */
struct work {
    bool wanted;
    struct store_work what;
    size_t behind;
};

struct durable {
    bool news;
    int64_t zxid;
};

/* What the loop has not been told yet, in this order. */
struct news {
    struct durable before; /* the work */
    bool work_done;
    struct log_thread_outcome outcome;
    struct durable behind;
};

struct log_thread {
    uv_async_t async;
    struct log_thread_events events;
    struct store_actor *actor;
    struct log_thread_options options;
    pthread_t thread;
    bool work_running; /* the loop's own: since log_thread_work(), until it is told */

    pthread_mutex_t lock; /* for the rest of this block */
    pthread_cond_t wake;
    struct entries queue;
    struct work work; /* in the queue */
    bool stopping;
    struct news news;
    bool full; /* the disk is full, and nothing is acknowledged */
    struct metrics metrics;

    struct entries batch; /* the thread's own from here */
    struct work batch_work;
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
    entries->items =
        ARRAY_RESERVE(entries->items, entries->capacity, entries->count + 1, ENTRIES_FIRST);
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

    while (!thread->stopping && !thread->work.wanted &&
           (thread->options.batch_max <= 0 ||
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
    while (thread->queue.count == 0 && !thread->work.wanted && !thread->stopping)
        pthread_cond_wait(&thread->wake, &thread->lock);
    if (thread->queue.count > 0 && thread->options.flush_delay_ms > 0)
        wait_for_more_records(thread);
    ASSERT(thread->batch.count == 0);
    ASSERT(!thread->work.wanted || thread->work.behind <= thread->queue.count);
    struct entries taken = thread->queue;
    thread->queue = thread->batch;
    thread->queue.count = 0;
    thread->batch = taken;
    thread->batch_work = thread->work;
    thread->work.wanted = false;
    pthread_mutex_unlock(&thread->lock);
    return taken.count > 0 || thread->batch_work.wanted;
}

/* The disk is full: wait a second. False: the server is to end, and the batch stays unwritten. */
static bool wait_for_space(struct log_thread *thread, const char *what, const char *meanwhile)
{
    pthread_mutex_lock(&thread->lock);
    if (!thread->full)
        log_error("log",
                  "no space left for %s directory=%s; %s; it is tried again every second, so free "
                  "some space",
                  what, thread->options.directory, meanwhile);
    thread->full = true;
    int64_t until_ns = now_ns() + FULL_RETRY_MS * INT64_C(1000000);
    while (!thread->stopping && wait_until(thread, until_ns)) {
    }
    bool go_on = !thread->stopping;
    pthread_mutex_unlock(&thread->lock);
    return go_on;
}

static void tell_durable(struct log_thread *thread, int64_t zxid)
{
    struct news *news = &thread->news;

    ASSERT(!news->before.news || news->before.zxid < zxid || news->work_done);
    *(news->work_done ? &news->behind : &news->before) = (struct durable){true, zxid};
}

struct flush_times {
    int64_t start_ns, written_ns, end_ns;
};

/* Lock held. */
static void count_flush(struct log_thread *thread, const struct entry *entries, size_t count,
                        const struct flush_times *times)
{
    struct metrics *metrics = &thread->metrics;
    int64_t sync_ns = times->end_ns - times->written_ns;
    int64_t flush_ms = (times->end_ns - times->start_ns) / 1000000;

    metrics_observe(metrics, METRIC_FSYNC_TIME, sync_ns / 1000000);
    metrics_observe(metrics, METRIC_LOG_SYNC_TIME, sync_ns / 1000);
    metrics_observe(metrics, METRIC_LOG_BATCH_RECORDS, (int64_t)count);
    metrics_observe(metrics, METRIC_LOG_PROCESS_TIME, flush_ms);
    metrics_observe(metrics, METRIC_LOG_FLUSH_TIME, flush_ms);
    for (size_t i = 0; i < count; i++) {
        int64_t queued_ns = entries[i].queued_ns;
        metrics_observe(metrics, METRIC_LOG_QUEUE_TIME, (times->start_ns - queued_ns) / 1000000);
        metrics_observe(metrics, METRIC_LOG_QUEUE_FLUSH_TIME,
                        (times->end_ns - queued_ns) / 1000000);
    }
}

/* One write, one sync. False: given up, because the disk is full and the server ends. */
static bool flush(struct log_thread *thread, const struct entry *entries, size_t count)
{
    struct flush_times times = {.start_ns = now_ns()};
    struct txnlog_writer *writer = store_actor_log(thread->actor);
    enum status status;

    ASSERT(count > 0);
    thread->appends = ARRAY_RESERVE(thread->appends, thread->append_capacity, count, ENTRIES_FIRST);
    for (size_t i = 0; i < count; i++)
        thread->appends[i] = entries[i].append;
    while ((status = txnlog_writer_append(writer, thread->appends, count)) == STATUS_NO_SPACE) {
        if (!wait_for_space(thread, "the transaction log",
                            "writes wait and are not acknowledged, reads are served"))
            return false;
    }
    if (status != STATUS_OK)
        die(thread, "writing", status);
    times.written_ns = now_ns();
    status = txnlog_writer_sync(writer);
    if (status != STATUS_OK)
        die(thread, "syncing", status);

    struct txnlog_writer_info info;
    txnlog_writer_info(writer, &info);
    times.end_ns = now_ns();
    int64_t sync_ms = (times.end_ns - times.written_ns) / 1000000;
    thread->last_flush_ns = times.end_ns;
    pthread_mutex_lock(&thread->lock);
    if (thread->full)
        log_info("log", "there is space for the transaction log again; writes are served");
    thread->full = false;
    count_flush(thread, entries, count, &times);
    tell_durable(thread, entries[count - 1].append.zxid);
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

/* Entries [from, to) of the batch. False: the end, as flush(). */
static bool flush_range(struct log_thread *thread, size_t from, size_t to)
{
    size_t batch_max = thread->options.batch_max > 0 ? (size_t)thread->options.batch_max : to;

    while (from < to) {
        size_t count = to - from < batch_max ? to - from : batch_max;
        if (!flush(thread, thread->batch.items + from, count))
            return false;
        from += count;
    }
    return true;
}

static const char *work_text(enum store_work_kind kind)
{
    switch (kind) {
    case STORE_WRITE_EPOCHS:
        return "writing the epochs";
    case STORE_TRUNCATE:
        return "taking back what the leader does not have";
    case STORE_RELOAD:
        return "reading the files again";
    case STORE_RESTART_LOG:
        break;
    }
    return "putting the old files aside";
}

_Noreturn static void die_of_work(const struct log_thread *thread, const struct store_work *work,
                                  enum status status)
{
    log_error("store",
              "%s failed: %s zxid=0x%llx logs=%s; ending, the next start finishes or undoes it",
              work_text(work->kind), status_text(status), (unsigned long long)work->zxid,
              thread->options.directory);
    log_error("main", "Exiting JVM with code %d", EXIT_CODE_UNEXPECTED);
    _exit(EXIT_CODE_UNEXPECTED);
}

static bool is_refusal(enum store_work_kind kind, enum status status)
{
    return (kind == STORE_TRUNCATE && status == STATUS_NOT_FOUND) ||
           (kind == STORE_WRITE_EPOCHS && status == STATUS_INVALID);
}

/* False: the disk is full, and the server ends. */
static bool do_work(struct log_thread *thread, const struct store_work *work)
{
    struct snapshot_thread *snapshots =
        work->kind == STORE_WRITE_EPOCHS ? NULL : thread->options.snapshots;
    struct store_outcome outcome;

    if (snapshots != NULL)
        snapshot_thread_pause(snapshots);
    enum status status = store_actor_work(thread->actor, work, &outcome);
    while (status == STATUS_NO_SPACE && !store_actor_failed(thread->actor)) {
        store_outcome_deinit(&outcome);
        if (!wait_for_space(thread, "the epochs", "this server takes no part in the new epoch"))
            return false;
        status = store_actor_work(thread->actor, work, &outcome);
    }
    if (snapshots != NULL)
        snapshot_thread_resume(snapshots);
    const struct store_notes *notes = &outcome.recovery.notes;
    for (size_t i = 0; i < notes->count; i++)
        log_line(notes->notes[i].warning ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, "store", "%s",
                 notes->notes[i].text);
    if (status != STATUS_OK && !is_refusal(work->kind, status))
        die_of_work(thread, work, status);
    pthread_mutex_lock(&thread->lock);
    if (thread->full)
        log_info("log", "there is space again; this server continues");
    thread->full = false;
    ASSERT(!thread->news.work_done); /* the loop wants one work at a time */
    thread->news.work_done = true;
    thread->news.outcome = (struct log_thread_outcome){.kind = work->kind,
                                                       .status = status,
                                                       .tree = outcome.recovery.tree,
                                                       .zxid = outcome.recovery.last_zxid};
    pthread_mutex_unlock(&thread->lock);
    store_outcome_deinit(&outcome);
    uv_async_send(&thread->async);
    return true;
}

static bool is_stopping(struct log_thread *thread)
{
    pthread_mutex_lock(&thread->lock);
    bool stopping = thread->stopping;
    pthread_mutex_unlock(&thread->lock);
    return stopping;
}

static void *run(void *argument)
{
    struct log_thread *thread = argument;

    while (take(thread)) {
        const struct work *work = &thread->batch_work;
        size_t count = thread->batch.count, first = work->wanted ? work->behind : count;
        if (count > 0) {
            pthread_mutex_lock(&thread->lock);
            metrics_observe(&thread->metrics, METRIC_LOG_QUEUE_RECORDS, (int64_t)count);
            pthread_mutex_unlock(&thread->lock);
        }
        if (!flush_range(thread, 0, first))
            return NULL;
        if (work->wanted) {
            if (is_stopping(thread))
                return NULL; /* what stands after it means nothing without it */
            if (!do_work(thread, &work->what))
                return NULL;
        }
        if (!flush_range(thread, first, count))
            return NULL;
        thread->batch.count = 0;
    }
    return NULL;
}

static void on_async(uv_async_t *async)
{
    struct log_thread *thread = async->data;
    const struct log_thread_events *events = &thread->events;

    pthread_mutex_lock(&thread->lock);
    struct news news = thread->news;
    thread->news = (struct news){.work_done = false};
    pthread_mutex_unlock(&thread->lock);
    if (news.before.news)
        events->durable(events->context, news.before.zxid);
    if (news.work_done) {
        ASSERT(thread->work_running);
        thread->work_running = false;
        events->work_done(events->context, &news.outcome);
    }
    if (news.behind.news)
        events->durable(events->context, news.behind.zxid);
}

struct log_thread *log_thread_start(uv_loop_t *loop, struct store_actor *actor,
                                    const struct log_thread_options *options,
                                    const struct log_thread_events *events)
{
    struct log_thread *thread = mem_zalloc(sizeof(*thread));
    pthread_condattr_t attributes;

    thread->events = *events;
    thread->actor = actor;
    thread->options = *options;
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

void log_thread_work(struct log_thread *thread, const struct store_work *work)
{
    ASSERT(!thread->work_running);
    thread->work_running = true;
    pthread_mutex_lock(&thread->lock);
    thread->work = (struct work){true, *work, thread->queue.count};
    pthread_cond_signal(&thread->wake);
    pthread_mutex_unlock(&thread->lock);
}

void log_thread_collect_metrics(struct log_thread *thread, struct metrics *all)
{
    pthread_mutex_lock(&thread->lock);
    metrics_collect(all, &thread->metrics, METRICS_OF_LOG);
    pthread_mutex_unlock(&thread->lock);
}

void log_thread_reset_metrics(struct log_thread *thread)
{
    pthread_mutex_lock(&thread->lock);
    metrics_reset(&thread->metrics);
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
    store_actor_free(thread->actor);
    if (thread->news.work_done && thread->news.outcome.tree != NULL)
        tree_free(thread->news.outcome.tree); /* nobody was there to take it */
    pthread_mutex_destroy(&thread->lock);
    pthread_cond_destroy(&thread->wake);
    mem_free(thread->queue.items);
    mem_free(thread->batch.items);
    mem_free(thread->appends);
    metrics_deinit(&thread->metrics);
    mem_free(thread);
}
