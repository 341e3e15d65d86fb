/* handle.h: the struct behind a zhandle_t, for the files of this room.
 *
 * One lock protects all of it, unless a field says otherwise. Callbacks of the user run without it. The
 * files here are in both libraries; threads.h says in what they differ. */
#ifndef CAPI_HANDLE_H
#define CAPI_HANDLE_H

#include "capi/public.h"
#include "client/client.h"

#include <pthread.h>
#include <stdatomic.h>

enum { HANDLE_RECEIVE_BYTES = 64 * 1024, HANDLE_SERVER_TEXT_BYTES = 64 };

/* A synchronous call that waits, on its caller's stack. */
struct handle_wait {
    pthread_cond_t done_cond;
    bool done;
};

/* What a request becomes when it is complete. */
enum call_kind {
    CALL_VOID,
    CALL_STAT,
    CALL_DATA,
    CALL_STRINGS,
    CALL_STRINGS_STAT,
    CALL_STRING,
    CALL_STRING_STAT,
    CALL_ACL,
    CALL_MULTI,
    CALL_NOTHING /* a close, a wait: no function is called */
};
struct call {
    struct client_request request;
    enum call_kind kind;
    void (*function)(void); /* of the kind's type; NULL: none */
    const void *data;
    struct handle_wait *wait; /* of a synchronous call; else NULL */
    const zoo_op_t *ops;      /* CALL_MULTI */
    zoo_op_result_t *results;
    int op_count;
    struct String_vector names; /* what reply_keep_names() has made */
};

struct _zhandle {
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* closed, nobody sends any more, no call waits any more */
    struct client client;
    watcher_fn watcher;
    void *context;
    _Atomic(log_callback_fn) log_callback;
    clientid_t id;
    char server_text[HANDLE_SERVER_TEXT_BYTES];
    char *hosts; /* without the chroot */
    unsigned hosts_version;
    int resolution_delay_ms;
    int64_t resolved_at_ms;

    int fd; /* -1: none. Closed only when no thread sends */
    bool connecting, send_blocked, sending_now, wants_to_disconnect;
    struct buffer sending; /* taken from the client; `sent` bytes of it are gone */
    size_t sent;
    uint8_t *received;          /* HANDLE_RECEIVE_BYTES; only for the thread that reads */
    struct list items;          /* complete; to be delivered */
    unsigned waiting;           /* synchronous calls */
    unsigned delivering;        /* zookeeper_process() runs callbacks */
    bool free_at_end;           /* a callback has closed the handle */
    pthread_mutex_t auth_mutex; /* of zoo_lock_auth(); nothing here takes it */

    struct threads *threads; /* threads.h; NULL: there are none */
};

int64_t handle_now_ms(void);
static inline void handle_lock(zhandle_t *zh)
{
    pthread_mutex_lock(&zh->mutex);
}
static inline void handle_unlock(zhandle_t *zh)
{
    pthread_mutex_unlock(&zh->mutex);
}

/* NULL, with errno as zookeeper_init() has it. */
zhandle_t *handle_make(const char *host, watcher_fn watcher, int timeout_ms, const clientid_t *id,
                       void *context, int flags, log_callback_fn log_callback);
/* Call it when the handle is no longer used and its items have been delivered. */
void handle_free(zhandle_t *zh);
/* Copies what the public getters return. */
void handle_show(zhandle_t *zh);

#endif
