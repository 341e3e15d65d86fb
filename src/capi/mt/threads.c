/* threads.c: the threaded library: one thread that reads and keeps the connection, one that runs all
 * callbacks in order. Any thread may send: whoever makes a synchronous call, and the callbacks' thread
 * at the end of a batch, so that most requests need no switch of threads.
 *
 * A request that a callback makes may wait for the end of the batch of callbacks, but not for more than
 * a millisecond: the reading thread looks after it then. */
#include "capi/threads.h"

#include "capi/deliver.h"
#include "capi/io.h"
#include "capi/mt/inside.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { BATCH_WAIT_MS = 1 };

void threads_wake(zhandle_t *zh)
{
    struct threads *threads = zh->threads;
    uint64_t one = 1;

    if (threads->woken || !threads->polling)
        return; /* it looks at everything before it sleeps again */
    threads->woken = true;
    while (write(threads->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
        ;
}

void threads_wake_for_request(zhandle_t *zh)
{
    struct threads *threads = zh->threads;

    if (list_empty(&zh->client.done)) {
        if (zh->sending_now || zh->send_blocked || !client_has_session(&zh->client))
            return; /* it will be sent together with what is on its way */
        if (threads->may_wait && threads->in_batch &&
            pthread_equal(pthread_self(), threads->callbacks))
            return;
    }
    threads_wake(zh);
}

void threads_hand_over(zhandle_t *zh)
{
    struct list done, *at;

    list_init(&done);
    client_take_done(&zh->client, &done);
    while ((at = done.next) != &done) {
        struct client_item *item = CONTAINER_OF(at, struct client_item, link);
        list_remove(at);
        if (item->kind == CLIENT_ITEM_REQUEST) {
            struct client_request *request = CONTAINER_OF(item, struct client_request, item);
            struct handle_wait *wait = CONTAINER_OF(request, struct call, request)->wait;
            if (wait != NULL) {
                wait->done = true;
                pthread_cond_signal(&wait->done_cond);
                continue;
            }
        }
        list_add_last(&zh->items, at);
    }
    if (!list_empty(&zh->items) && !zh->threads->in_batch)
        pthread_cond_signal(&zh->threads->work);
}

static int wait_ms(int64_t until_ms)
{
    if (until_ms == INT64_MAX)
        return -1;
    int64_t left_ms = until_ms - handle_now_ms();
    return left_ms < 0 ? 0 : left_ms > INT32_MAX ? INT32_MAX : (int)left_ms;
}

/* Sleeps until something happens. Gives whether the socket is ready. */
static bool sleep_for_events(zhandle_t *zh, int64_t wake_at_ms)
{
    struct threads *threads = zh->threads;
    struct pollfd fds[2] = {{.fd = threads->wake_fd, .events = POLLIN},
                            {.fd = zh->fd, .events = io_events(zh)}};
    int timeout_ms = wait_ms(wake_at_ms);

    if (threads->may_wait && (timeout_ms < 0 || timeout_ms > BATCH_WAIT_MS))
        timeout_ms = BATCH_WAIT_MS;
    threads->polling = true;
    handle_unlock(zh);
    int ready = poll(fds, zh->fd < 0 ? 1 : 2, timeout_ms);
    handle_lock(zh);
    threads->polling = false;
    if (ready == 0)
        threads->may_wait = false;
    if (ready > 0 && fds[0].revents != 0) {
        uint64_t count;
        threads->woken = false;
        while (read(threads->wake_fd, &count, sizeof(count)) < 0 && errno == EINTR)
            ;
    }
    return ready > 0 && fds[1].revents != 0;
}

static void *run_io(void *argument)
{
    zhandle_t *zh = argument;
    struct threads *threads = zh->threads;

    handle_lock(zh);
    while (!threads->stop_io) {
        int64_t wake_at_ms = io_run(zh);
        io_send(zh);
        if (zh->client.link == CLIENT_LINK_TO_CLOSE)
            continue; /* sending has failed */
        threads_hand_over(zh);
        if (zh->client.closed)
            pthread_cond_broadcast(&zh->changed);
        if (threads->stop_io)
            break;
        if (sleep_for_events(zh, wake_at_ms)) {
            (void)io_receive(zh);
            bool any = !list_empty(&zh->client.done);
            threads_hand_over(zh);
            if (any)
                threads->may_wait = true;
        }
    }
    handle_unlock(zh);
    return NULL;
}

void threads_take_batch(zhandle_t *zh)
{
    struct list *items = &zh->items, *batch = &zh->threads->batch;

    items->next->prev = batch->prev;
    batch->prev->next = items->next;
    items->prev->next = batch;
    batch->prev = items->prev;
    list_init(items);
}

void threads_run_batch(zhandle_t *zh)
{
    struct list *batch = &zh->threads->batch;

    while (!list_empty(batch))
        deliver(zh, CONTAINER_OF(batch->next, struct client_item, link));
}

void threads_end(zhandle_t *zh)
{
    close(zh->threads->wake_fd);
    pthread_cond_destroy(&zh->threads->work);
    mem_free(zh->threads);
    handle_free(zh);
}

static void *run_callbacks(void *argument)
{
    zhandle_t *zh = argument;
    struct threads *threads = zh->threads;

    handle_lock(zh);
    for (;;) {
        while (list_empty(&zh->items) && !threads->stop_callbacks)
            pthread_cond_wait(&threads->work, &zh->mutex);
        if (list_empty(&zh->items))
            break;
        threads_take_batch(zh);
        threads->in_batch = true;
        handle_unlock(zh);
        threads_run_batch(zh);
        handle_lock(zh);
        threads->in_batch = false;
        if (threads->free_at_end)
            break;
        io_send(zh);
        if (zh->send_blocked || zh->client.link == CLIENT_LINK_TO_CLOSE)
            threads_wake(zh);
    }
    bool free_it = threads->free_at_end;
    handle_unlock(zh);
    if (free_it)
        threads_end(zh);
    return NULL;
}

/* Signals are for the program's own threads. */
static int make_thread(pthread_t *thread, void *(*run)(void *), zhandle_t *zh)
{
    sigset_t all, former;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &former);
    int error = pthread_create(thread, NULL, run, zh);
    pthread_sigmask(SIG_SETMASK, &former, NULL);
    return error;
}

bool threads_start(zhandle_t *zh)
{
    struct threads *threads = mem_try_zalloc(sizeof(*threads));
    int error = ENOMEM;

    if (threads == NULL)
        goto fail;
    list_init(&threads->batch);
    pthread_cond_init(&threads->work, NULL);
    zh->threads = threads;
    threads->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (threads->wake_fd < 0) {
        error = errno;
        goto fail;
    }
    error = make_thread(&threads->callbacks, run_callbacks, zh);
    if (error != 0)
        goto fail_with_fd;
    error = make_thread(&threads->io, run_io, zh);
    if (error == 0)
        return true;
    handle_lock(zh);
    threads->stop_callbacks = true;
    pthread_cond_signal(&threads->work);
    handle_unlock(zh);
    pthread_join(threads->callbacks, NULL);
fail_with_fd:
    close(threads->wake_fd);
fail:
    mem_free(threads);
    zh->threads = NULL;
    errno = error;
    return false;
}

void wait_for_answer(zhandle_t *zh, struct handle_wait *wait)
{
    handle_lock(zh);
    io_send(zh);
    if (zh->send_blocked || zh->client.link == CLIENT_LINK_TO_CLOSE ||
        !list_empty(&zh->client.done))
        threads_wake(zh);
    while (!wait->done)
        pthread_cond_wait(&wait->done_cond, &zh->mutex);
    zh->waiting--;
    if (zh->waiting == 0)
        pthread_cond_broadcast(&zh->changed);
    handle_unlock(zh);
}
