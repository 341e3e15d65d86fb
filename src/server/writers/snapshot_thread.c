/* snapshot_thread.c: the thread that writes snapshots and purges. Jobs are done in the order in which they
 * were handed over; the lock is never held while the disk is used. */
#include "server/writers/snapshot_thread.h"

#include "base/list.h"
#include "io/log.h"
#include "replica/store/recovery.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* Serving is more important: this thread has a low priority, and sleeps as long as it has worked, unless
 * the snapshot is awaited. */
enum { QUEUE_BYTES_MAX = 1 << 20, EXIT_CODE_SNAPSHOT = 10, NICENESS = 10, REST_NS_MAX = 50000000 };

enum job_kind { JOB_BEGIN, JOB_PART, JOB_FINISH, JOB_GIVE_UP, JOB_PURGE, JOB_HISTORY, JOB_PAUSE };

struct job {
    struct list link;
    enum job_kind kind;
    int64_t zxid;
    struct buffer bytes; /* of an image; of a history that was read */
    bool seal, awaited;
    struct history_work history;
    enum status status; /* of it */
};

struct snapshot_thread {
    uv_async_t async;
    struct snapshot_thread_options options;
    struct snapshot_thread_events events;
    pthread_t thread;

    pthread_mutex_t lock; /* for the rest of this block */
    pthread_cond_t wake;
    pthread_cond_t pausing; /* `paused` has changed */
    struct list jobs;
    struct list histories; /* jobs that are done */
    size_t queued_bytes;
    bool stopping, was_full, done, written;
    enum { RUNNING, PAUSE_WANTED, PAUSED } paused;
    struct metrics metrics;

    struct history_reader *reader; /* the thread's own, from here */
    struct snapshot_file *file;    /* the thread's own; NULL: none, or given up */
    int64_t zxid;
    uint64_t begun_ns;
    bool awaited;
};

static void report_done(struct snapshot_thread *thread, bool written)
{
    pthread_mutex_lock(&thread->lock);
    thread->done = true;
    thread->written = written;
    pthread_mutex_unlock(&thread->lock);
    uv_async_send(&thread->async);
}

static void give_up(struct snapshot_thread *thread, enum status status)
{
    if (status != STATUS_NO_SPACE) {
        log_error("snapshot",
                  "Severe unrecoverable error, exiting: writing the snapshot failed: %s "
                  "zxid=0x%llx directory=%s",
                  status_text(status), (unsigned long long)thread->zxid, thread->options.directory);
        log_error("main", "Exiting JVM with code %d", EXIT_CODE_SNAPSHOT);
        _exit(EXIT_CODE_SNAPSHOT);
    }
    log_error("snapshot",
              "no space left for a snapshot zxid=0x%llx directory=%s; it was given up "
              "and removed; the server continues, and writes the next one when it is due",
              (unsigned long long)thread->zxid, thread->options.directory);
    report_done(thread, /* written= */ false);
}

static void begin(struct snapshot_thread *thread, int64_t zxid, bool awaited)
{
    ASSERT(thread->file == NULL);
    thread->zxid = zxid;
    thread->awaited = awaited;
    thread->begun_ns = uv_hrtime();
    log_info("snapshot", "Snapshotting: 0x%llx to %s", (unsigned long long)zxid,
             thread->options.directory);
    enum status status =
        snapshot_file_begin(thread->options.data, zxid, thread->options.compression, &thread->file);
    if (status != STATUS_OK) {
        thread->file = NULL;
        give_up(thread, status);
    }
}

static void rest(uint64_t since_ns)
{
    uint64_t worked_ns = uv_hrtime() - since_ns;
    struct timespec pause = {.tv_nsec =
                                 worked_ns < REST_NS_MAX ? (long)worked_ns : (long)REST_NS_MAX};

    nanosleep(&pause, NULL);
}

static void write_part(struct snapshot_thread *thread, const struct job *job)
{
    uint64_t since_ns = uv_hrtime();

    if (thread->file == NULL)
        return; /* given up */
    enum status status = snapshot_file_write(thread->file, buffer_slice(&job->bytes));
    if (status == STATUS_OK && job->seal)
        status = snapshot_file_seal(thread->file);
    if (status == STATUS_OK) {
        if (!thread->awaited)
            rest(since_ns);
        return;
    }
    snapshot_file_abort(thread->file);
    thread->file = NULL;
    give_up(thread, status);
}

static void finish(struct snapshot_thread *thread)
{
    if (thread->file == NULL)
        return;
    uint64_t bytes = snapshot_file_bytes(thread->file);
    enum status status = snapshot_file_finish(thread->file);
    thread->file = NULL;
    if (status != STATUS_OK) {
        give_up(thread, status);
        return;
    }
    int64_t took_ms = (int64_t)((uv_hrtime() - thread->begun_ns) / 1000000);
    log_info("snapshot", "Snapshot taken zxid=0x%llx bytes=%llu took_ms=%lld",
             (unsigned long long)thread->zxid, (unsigned long long)bytes, (long long)took_ms);
    pthread_mutex_lock(&thread->lock);
    metrics_observe(&thread->metrics, METRIC_SNAPSHOT_TIME, took_ms);
    pthread_mutex_unlock(&thread->lock);
    report_done(thread, /* written= */ true);
}

static void give_up_slow(struct snapshot_thread *thread)
{
    if (thread->file == NULL)
        return; /* given up already */
    snapshot_file_abort(thread->file);
    thread->file = NULL;
    log_error(
        "snapshot",
        "too much changed while a snapshot was written zxid=0x%llx directory=%s; it was given "
        "up and removed; the server continues, and writes the next one when it is due",
        (unsigned long long)thread->zxid, thread->options.directory);
    report_done(thread, /* written= */ false);
}

/* Until snapshot_thread_resume(), which always comes. */
static void stay_paused(struct snapshot_thread *thread)
{
    if (thread->file != NULL) {
        snapshot_file_abort(thread->file);
        thread->file = NULL;
        log_info("snapshot",
                 "a snapshot was given up, because the files are about to change zxid=0x%llx",
                 (unsigned long long)thread->zxid);
        report_done(thread, /* written= */ false);
    }
    pthread_mutex_lock(&thread->lock);
    thread->paused = PAUSED;
    pthread_cond_broadcast(&thread->pausing);
    while (thread->paused ==
           PAUSED) /* the next pause may be wanted before this one's end is seen */
        pthread_cond_wait(&thread->pausing, &thread->lock);
    pthread_mutex_unlock(&thread->lock);
}

static void purge(struct snapshot_thread *thread)
{
    struct store_notes notes = {0};

    log_info("purge", "Purge task started.");
    enum status status =
        store_purge(thread->options.data, thread->options.log, thread->options.retain,
                    history_reader_oldest_zxid(thread->reader), &notes);
    for (size_t i = 0; i < notes.count; i++)
        log_line(notes.notes[i].warning ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, "purge", "%s",
                 notes.notes[i].text);
    store_notes_deinit(&notes);
    if (status != STATUS_OK)
        log_error("purge", "Error occurred while purging: %s", status_text(status));
    log_info("purge", "Purge task completed.");
}

/* The job goes back to the loop with its answer. */
static void read_history(struct snapshot_thread *thread, struct job *job)
{
    job->status = history_reader_work(thread->reader, &job->history, &job->bytes);
    pthread_mutex_lock(&thread->lock);
    list_add_last(&thread->histories, &job->link);
    pthread_mutex_unlock(&thread->lock);
    uv_async_send(&thread->async);
}

static void job_free(struct job *job)
{
    list_remove(&job->link);
    buffer_deinit(&job->bytes);
    mem_free(job);
}

/* NULL: the end. */
static struct job *take(struct snapshot_thread *thread)
{
    struct job *job = NULL;
    bool room = false;

    pthread_mutex_lock(&thread->lock);
    while (list_empty(&thread->jobs) && !thread->stopping)
        pthread_cond_wait(&thread->wake, &thread->lock);
    if (!thread->stopping) {
        job = CONTAINER_OF(thread->jobs.next, struct job, link);
        list_remove(&job->link);
        ASSERT(thread->queued_bytes >= job->bytes.size);
        thread->queued_bytes -= job->bytes.size;
        room = thread->was_full && thread->queued_bytes <= QUEUE_BYTES_MAX / 2;
    }
    pthread_mutex_unlock(&thread->lock);
    if (room)
        uv_async_send(&thread->async);
    return job;
}

static void *run(void *argument)
{
    struct snapshot_thread *thread = argument;
    struct job *job;

    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICENESS); /* it works without this, too */
    while ((job = take(thread)) != NULL) {
        switch (job->kind) {
        case JOB_BEGIN:
            begin(thread, job->zxid, job->awaited);
            break;
        case JOB_PART:
            write_part(thread, job);
            break;
        case JOB_FINISH:
            finish(thread);
            break;
        case JOB_GIVE_UP:
            give_up_slow(thread);
            break;
        case JOB_PURGE:
            purge(thread);
            break;
        case JOB_HISTORY:
            read_history(thread, job);
            continue; /* the job is the loop's */
        case JOB_PAUSE:
            stay_paused(thread);
            break;
        }
        job_free(job);
    }
    if (thread->file != NULL)
        snapshot_file_abort(thread->file);
    return NULL;
}

static struct job *take_history(struct snapshot_thread *thread)
{
    struct job *job = NULL;

    pthread_mutex_lock(&thread->lock);
    if (!list_empty(&thread->histories)) {
        job = CONTAINER_OF(thread->histories.next, struct job, link);
        list_remove(&job->link);
        list_init(&job->link);
    }
    pthread_mutex_unlock(&thread->lock);
    return job;
}

static void tell_histories(struct snapshot_thread *thread)
{
    struct job *job;

    while ((job = take_history(thread)) != NULL) {
        if (job->history.kind != HISTORY_CLOSE)
            thread->events.history(thread->events.context, job->history.connection, job->status,
                                   buffer_slice(&job->bytes));
        job_free(job);
    }
}

static void on_async(uv_async_t *async)
{
    struct snapshot_thread *thread = async->data;

    pthread_mutex_lock(&thread->lock);
    bool done = thread->done, written = thread->written;
    bool room = thread->was_full && thread->queued_bytes <= QUEUE_BYTES_MAX / 2;
    thread->done = false;
    if (room)
        thread->was_full = false;
    pthread_mutex_unlock(&thread->lock);
    if (room)
        thread->events.room(thread->events.context);
    if (done)
        thread->events.done(thread->events.context, written);
    tell_histories(thread);
}

struct snapshot_thread *snapshot_thread_start(uv_loop_t *loop,
                                              const struct snapshot_thread_options *options,
                                              const struct snapshot_thread_events *events)
{
    struct snapshot_thread *thread = mem_zalloc(sizeof(*thread));

    thread->options = *options;
    thread->events = *events;
    list_init(&thread->jobs);
    list_init(&thread->histories);
    thread->reader = history_reader_new(options->data, options->log, options->text_bytes_max);
    pthread_mutex_init(&thread->lock, NULL);
    pthread_cond_init(&thread->wake, NULL);
    pthread_cond_init(&thread->pausing, NULL);
    int error = uv_async_init(loop, &thread->async, on_async);
    ASSERT(error == 0);
    thread->async.data = thread;
    error = pthread_create(&thread->thread, NULL, run, thread);
    ASSERT(error == 0);
    return thread;
}

static void push_job(struct snapshot_thread *thread, struct job *job)
{
    pthread_mutex_lock(&thread->lock);
    list_add_last(&thread->jobs, &job->link);
    thread->queued_bytes += job->bytes.size;
    pthread_cond_signal(&thread->wake);
    pthread_mutex_unlock(&thread->lock);
}

static struct job *job_new(enum job_kind kind)
{
    struct job *job = mem_zalloc(sizeof(*job));

    job->kind = kind;
    return job;
}

void snapshot_thread_begin(struct snapshot_thread *thread, int64_t zxid, bool awaited)
{
    struct job *job = job_new(JOB_BEGIN);

    job->zxid = zxid;
    job->awaited = awaited;
    push_job(thread, job);
}

bool snapshot_thread_has_room(struct snapshot_thread *thread)
{
    pthread_mutex_lock(&thread->lock);
    bool room = thread->queued_bytes < QUEUE_BYTES_MAX;
    thread->was_full = thread->was_full || !room;
    pthread_mutex_unlock(&thread->lock);
    return room;
}

void snapshot_thread_push(struct snapshot_thread *thread, struct buffer *part, bool seal)
{
    struct job *job = job_new(JOB_PART);

    job->bytes = *part;
    buffer_init(part);
    job->seal = seal;
    push_job(thread, job);
}

void snapshot_thread_finish(struct snapshot_thread *thread)
{
    push_job(thread, job_new(JOB_FINISH));
}

void snapshot_thread_give_up(struct snapshot_thread *thread)
{
    push_job(thread, job_new(JOB_GIVE_UP));
}

void snapshot_thread_purge(struct snapshot_thread *thread)
{
    push_job(thread, job_new(JOB_PURGE));
}

void snapshot_thread_history(struct snapshot_thread *thread, const struct history_work *work)
{
    struct job *job = job_new(JOB_HISTORY);

    job->history = *work;
    push_job(thread, job);
}

void snapshot_thread_pause(struct snapshot_thread *thread)
{
    pthread_mutex_lock(&thread->lock);
    ASSERT(thread->paused == RUNNING);
    thread->paused = PAUSE_WANTED;
    pthread_mutex_unlock(&thread->lock);
    push_job(thread, job_new(JOB_PAUSE));
    pthread_mutex_lock(&thread->lock);
    while (thread->paused != PAUSED)
        pthread_cond_wait(&thread->pausing, &thread->lock);
    pthread_mutex_unlock(&thread->lock);
}

void snapshot_thread_resume(struct snapshot_thread *thread)
{
    pthread_mutex_lock(&thread->lock);
    ASSERT(thread->paused == PAUSED);
    thread->paused = RUNNING;
    pthread_cond_broadcast(&thread->pausing);
    pthread_mutex_unlock(&thread->lock);
}

void snapshot_thread_collect_metrics(struct snapshot_thread *thread, struct metrics *all)
{
    pthread_mutex_lock(&thread->lock);
    metrics_collect(all, &thread->metrics, METRICS_OF_SNAPSHOTS);
    pthread_mutex_unlock(&thread->lock);
}

void snapshot_thread_reset_metrics(struct snapshot_thread *thread)
{
    pthread_mutex_lock(&thread->lock);
    metrics_reset(&thread->metrics);
    pthread_mutex_unlock(&thread->lock);
}

void snapshot_thread_stop(struct snapshot_thread *thread)
{
    pthread_mutex_lock(&thread->lock);
    thread->stopping = true;
    pthread_cond_signal(&thread->wake);
    pthread_mutex_unlock(&thread->lock);
    pthread_join(thread->thread, NULL);
    uv_close((uv_handle_t *)&thread->async, NULL);
}

void snapshot_thread_free(struct snapshot_thread *thread)
{
    while (!list_empty(&thread->jobs))
        job_free(CONTAINER_OF(thread->jobs.next, struct job, link));
    while (!list_empty(&thread->histories))
        job_free(CONTAINER_OF(thread->histories.next, struct job, link));
    history_reader_free(thread->reader);
    pthread_mutex_destroy(&thread->lock);
    pthread_cond_destroy(&thread->wake);
    pthread_cond_destroy(&thread->pausing);
    metrics_deinit(&thread->metrics);
    mem_free(thread);
}
