/* service.h: one session with a ZooKeeper service, as the shell needs it: a call blocks until its
 * answer is there. The shell uses the network only through it. Below it the client machine
 * (client/client.h) keeps the session alive, finds another server when one is lost, and sets
 * watches again.
 *
 * Paths are the user's: the chroot of the connect string is added and removed here. */
#ifndef SHELL_SERVICE_H
#define SHELL_SERVICE_H

#include "client/client.h"

enum service_state {
    SERVICE_CONNECTING,
    SERVICE_CONNECTED,
    SERVICE_READ_ONLY,
    SERVICE_CLOSED,
    SERVICE_AUTH_FAILED
};

/* Errors of requests that did not reach a server. */
enum { CALL_CONNECTION_LOSS = -4, CALL_INTERRUPTED = -1000 };

/* States of events as they are on the wire; those below zero are the shell's own. */
enum {
    EVENT_STATE_CLOSED = -1,
    EVENT_STATE_DISCONNECTED = 0,
    EVENT_STATE_CONNECTED = 3,
    EVENT_STATE_AUTH_FAILED = 4,
    EVENT_STATE_READ_ONLY = 5,
    EVENT_STATE_EXPIRED = -112
};
/* `type` 0: the state changed, and there is no path. The path is valid during the call. */
typedef void service_event(void *context, int32_t state, int32_t type, struct slice path);

struct service_options {
    const char *servers; /* host:port,host:port/chroot */
    int32_t timeout_ms;
    bool read_only; /* a server without a majority will do */
    service_event *on_event;
    void *context;
};

enum { SERVICE_PROBLEM_BYTES = 512 };

struct service;
/* Does not wait for a server. NULL: the connect string is invalid; see `ret_problem`. */
struct service *service_new(const struct service_options *options,
                            char ret_problem[SERVICE_PROBLEM_BYTES]);
void service_free(struct service *connection); /* the session lives on until its timeout */
/* Ends the session, which makes an event. */
void service_close(struct service *connection);

enum service_state service_state(const struct service *connection);

/* After the end of a session: a new one, with the same servers, identities and watches. */
void service_renew(struct service *connection);
/* Milliseconds of a clock that also runs while the machine is suspended. */
int64_t service_now_ms(void);
/* From this time on the servers may have ended the session: its timeout has passed since the last request
 * that was answered was sent. INT64_MAX: there is no session yet. */
int64_t service_session_ends_ms(const struct service *connection);
int32_t service_session_timeout_ms(const struct service *connection);
const char *service_problem(const struct service *connection); /* why there is no connection */
int64_t service_last_zxid(const struct service *connection);
/* While `fd` can be read, a call that would wait is CALL_INTERRUPTED; whether it was executed is not known.
 * -1: calls are not interrupted. */
void service_interrupt_by(struct service *connection, int fd);

/* Does what is due until `fd` can be read (true), or until time_ms have passed or something has happened
 * to the session (false). fd -1: nothing but the session; time_ms -1: no limit. */
bool service_wait(struct service *connection, int fd, int time_ms);
/* Waits until there is a session, all servers were tried in vain, or time_ms have passed. */
bool service_wait_connected(struct service *connection, int time_ms);

/* The address of the server that it is connected to. False: there is none. */
struct sockaddr_storage;
MUST_USE bool service_peer(const struct service *connection, struct sockaddr_storage *ret_address,
                           unsigned *ret_size);

/* One request and its answer, whose body is valid until the next call. ZK_OK or the server's error;
 * CALL_CONNECTION_LOSS: no server could be reached, or the connection broke before the answer.
 * CALL_INTERRUPTED: see service_interrupt_by(). ZK_SESSION_EXPIRED: the session is over. The answer may set a
 * watch on `path`, which is the user's. */
int32_t service_call(struct service *connection, int32_t op, struct slice request,
                     enum client_watch_rule rule, struct slice path, struct slice *ret_answer);

/* --- many requests at once --- */
/* `err` and the answer are those of service_call(); the answer is valid during the call. It may not send. */
typedef void service_answered(void *context, int32_t err, struct slice answer);
/* Sends and does not wait. The answers come in the order of the requests, each once, whatever becomes
 * of the connection. service_call() first waits for all of them. */
void service_send(struct service *connection, int32_t op, struct slice request,
                  service_answered *answered, void *context);
/* Waits until at most `left` answers are outstanding. */
void service_settle(struct service *connection, size_t left);

/* Authentication data: sent now and again to each new server. Does not wait for the answer: when a
 * server refuses it, there is an event, and the session is over. */
void service_add_auth(struct service *connection, struct slice scheme, struct slice credentials);

/* A path as the server knows it, with the chroot. Valid until the next call of a service_ function. */
struct slice service_server_path(struct service *connection, struct slice path);
/* A path from an answer, without the chroot. */
struct slice service_own_path(const struct service *connection, struct slice path);

/* Which watches this session has at a server. `kinds`: a set of enum client_watch_kind. */
bool service_has_watch(struct service *connection, unsigned kinds, struct slice path);
void service_drop_watch(struct service *connection, unsigned kinds, struct slice path);

#endif
