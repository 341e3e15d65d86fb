/* cell.h: what every recipe object has: an identity for watches and answers, a place where its
 * threads wait, and the state of the session from its events.
 *
 * A watch may fire long after its object was freed, and no call of the C API removes it reliably.
 * So the context of a watch is a number that is never used twice, and a number without an object is
 * ignored. An object that can be used again has another number each time. */
#ifndef RECIPES_CELL_H
#define RECIPES_CELL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <zookeeper/recipes.h>

#define RECIPES_NO_END INT64_MAX

struct cell {
    zhandle_t *zh;
    uint64_t id;
    struct cell *next;
    pthread_mutex_t mutex; /* guards everything below */
    pthread_cond_t cond;
    unsigned busy;  /* callbacks that run in this object now */
    bool changed;   /* something has happened since the last cell_wait() */
    bool cancelled; /* until a call has answered ZCLOSING */
    bool away;      /* the last event of the session: no connection */
    int dead;       /* the session is over: the error to answer */
    /* The object's own function; called without the mutex, after the fields above are up to date.
     * May be NULL. */
    void (*on_event)(struct cell *cell, int type, int state, const char *path);
};

/* ZSYSTEMERROR: the mutex or the condition cannot be made. */
int cell_init(struct cell *cell, zhandle_t *zh,
              void (*on_event)(struct cell *, int type, int state, const char *path));

/* Waits for callbacks that run in the object; later ones do not find it. */
void cell_deinit(struct cell *cell);

/* The same for what was asked and watched until now: the object has a new identity, for another use of it.
 * Its predecessor's answers, which may come late, would be taken for its own. */
void cell_renew(struct cell *cell);

/* The watcher to set, and the context for it and for completions. */
void cell_watch(zhandle_t *zh, int type, int state, const char *path, void *context);
void *cell_context(const struct cell *cell);

/* The object of a context, which is not freed before cell_leave(); NULL when it is gone. */
struct cell *cell_enter(const void *context);
void cell_leave(struct cell *cell);

int64_t cell_now_ms(void);
int64_t cell_deadline_ms(int timeout_ms);

/* What the mutex guards, read for the caller. */
void cell_forget_changes(struct cell *cell);
void cell_cancel(struct cell *cell);

/* Waits until something has happened, or until the time. ZOK, ZOPERATIONTIMEOUT, ZCLOSING, or why
 * the session is over. */
int cell_wait(struct cell *cell, int64_t deadline_ms);

/* After a call that answered *rc: true when it must be repeated; then a moment has passed and there
 * is a connection. When false, *rc is the result for the caller. */
bool cell_again(struct cell *cell, int64_t deadline_ms, int *rc);

/* Whether a request would get an answer now: from a server, or that the session is over. */
bool cell_has_server(zhandle_t *zh);

/* Lets a moment pass for a step that must not be left out although it cannot be made now: there is no memory
 * for it (ZSYSTEMERROR), or it is refused for now. False: the session is over, and so is the step. */
bool cell_wait_a_moment(zhandle_t *zh);

/* The same after a step that was not answered: also until there is a connection, but not for long. */
bool cell_wait_for_server(zhandle_t *zh);

/* Whether rc leaves it unknown if the request was executed. */
bool cell_unknown(int rc);

/* Whether the servers do not execute it now, but may do so later. */
bool cell_refused_now(int rc);

#endif
