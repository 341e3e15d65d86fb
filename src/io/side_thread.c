/* side_thread.c: one thread that does one work at a time. It sleeps when it has none. */
#include "io/side_thread.h"

#include "base/base.h"

#include <pthread.h>

struct side_thread {
    struct side_work side; /* first */
    pthread_t thread;
    pthread_mutex_t lock; /* for the rest */
    pthread_cond_t wake, done;
    void (*work)(void *argument); /* NULL: none is under way */
    void *argument;
    bool stopping;
};

static void *run(void *context)
{
    struct side_thread *thread = context;

    pthread_mutex_lock(&thread->lock);
    for (;;) {
        while (thread->work == NULL && !thread->stopping)
            pthread_cond_wait(&thread->wake, &thread->lock);
        if (thread->work == NULL)
            break;
        pthread_mutex_unlock(&thread->lock);
        thread->work(thread->argument);
        pthread_mutex_lock(&thread->lock);
        thread->work = NULL;
        pthread_cond_signal(&thread->done);
    }
    pthread_mutex_unlock(&thread->lock);
    return NULL;
}

static void begin(struct side_work *side, void (*work)(void *argument), void *argument)
{
    struct side_thread *thread = (struct side_thread *)side;

    pthread_mutex_lock(&thread->lock);
    ASSERT(thread->work == NULL && !thread->stopping);
    thread->argument = argument;
    thread->work = work;
    pthread_cond_signal(&thread->wake);
    pthread_mutex_unlock(&thread->lock);
}

static void wait_done(struct side_work *side)
{
    struct side_thread *thread = (struct side_thread *)side;

    pthread_mutex_lock(&thread->lock);
    while (thread->work != NULL)
        pthread_cond_wait(&thread->done, &thread->lock);
    pthread_mutex_unlock(&thread->lock);
}

static void thread_free(struct side_thread *thread)
{
    pthread_cond_destroy(&thread->done);
    pthread_cond_destroy(&thread->wake);
    pthread_mutex_destroy(&thread->lock);
    mem_free(thread);
}

struct side_work *side_thread_new(void)
{
    struct side_thread *thread = mem_zalloc(sizeof(*thread));

    thread->side = (struct side_work){.begin = begin, .wait = wait_done};
    pthread_mutex_init(&thread->lock, NULL);
    pthread_cond_init(&thread->wake, NULL);
    pthread_cond_init(&thread->done, NULL);
    if (pthread_create(&thread->thread, NULL, run, thread) != 0) {
        thread_free(thread);
        return NULL;
    }
    return &thread->side;
}

void side_thread_free(struct side_work *side)
{
    struct side_thread *thread = (struct side_thread *)side;

    if (thread == NULL)
        return;
    pthread_mutex_lock(&thread->lock);
    ASSERT(thread->work == NULL);
    thread->stopping = true;
    pthread_cond_signal(&thread->wake);
    pthread_mutex_unlock(&thread->lock);
    pthread_join(thread->thread, NULL);
    thread_free(thread);
}
