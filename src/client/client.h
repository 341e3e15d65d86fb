/* client.h: the protocol machine of a client: one session, over one connection at a time.
 *
 * The host reports what happens (a connection is open, bytes arrived, time passed) and does what
 * client_step() asks for: connect, close, resolve names. client_take_output() returns the bytes to
 * send; client_take_done() returns complete requests and events. Times are in milliseconds of any
 * clock that does not go back. Not thread-safe.
 *
 * Nothing here ends the process when memory is exhausted. A request is refused then. When there is no
 * memory for what the connection needs, it is closed, and what was not answered completes with
 * CLIENT_CONNECTION_LOST; session and watches survive. Every event of the session is told all the same:
 * its memory was reserved when the connection was made. */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include "base/buffer.h"
#include "base/list.h"
#include "client/servers.h"
#include "client/watches.h"
#include "wire/zk.h"

/* Errors that the client itself finds. Others come from the server (enum zk_error). */
enum client_error {
    CLIENT_OK = 0,
    CLIENT_NO_MEMORY = -1,       /* never of a request that was sent */
    CLIENT_INCONSISTENT = -2,    /* a reply to no request */
    CLIENT_CONNECTION_LOST = -4, /* it is not known whether the request was executed */
    CLIENT_MALFORMED = -5,       /* bytes from the server that cannot be decoded */
    CLIENT_TIMED_OUT = -7,       /* the server has been silent for 2/3 of the timeout */
    CLIENT_BAD_ARGUMENTS = -8,
    CLIENT_INVALID_STATE = -9, /* expired, authentication failed, closed */
    CLIENT_SESSION_EXPIRED = -112,
    CLIENT_INVALID_ACL = -114,
    CLIENT_AUTH_FAILED = -115,
    CLIENT_CLOSING = -116,
    CLIENT_NO_WATCHER = -121
};

enum client_state {
    CLIENT_STATE_DOWN = 0, /* between two attempts, or closed */
    CLIENT_STATE_CONNECTING = 1,
    CLIENT_STATE_ASSOCIATING = 2, /* connected; the handshake is under way */
    CLIENT_STATE_CONNECTED = 3,
    CLIENT_STATE_READ_ONLY = 5,
    CLIENT_STATE_NEW = 999,
    CLIENT_STATE_EXPIRED = -112,
    CLIENT_STATE_AUTH_FAILED = -113
};

enum { CLIENT_EVENT_SESSION = -1 };

/* What client_take_done() gives, in the order in which it happened. */
enum client_item_kind { CLIENT_ITEM_REQUEST, CLIENT_ITEM_EVENT, CLIENT_ITEM_AUTH };
struct client_item {
    struct list link;
    enum client_item_kind kind;
};

/* When a request's watch is set, and of which kind: by its reply. */
enum client_watch_rule {
    CLIENT_SETS_NO_WATCH,
    CLIENT_SETS_DATA,  /* on success */
    CLIENT_SETS_CHILD, /* on success */
    CLIENT_SETS_EXIST, /* on success a data watch; when there is no such znode an exist watch */
    CLIENT_SETS_PERSISTENT,
    CLIENT_SETS_RECURSIVE,
    CLIENT_REMOVES_WATCH, /* removes it, with these kinds, on success */
    CLIENT_REMOVES_ALL    /* removes those of all watchers */
};

/* A request; the host's own struct begins with it, and the host frees it when it is complete. */
enum { CLIENT_REPLY_INLINE_BYTES = 200 };
struct client_request {
    struct client_item item;
    int32_t xid, op, err;
    bool answered; /* `err` is the server's; otherwise the client's own */
    enum client_watch_rule watch_rule;
    unsigned removed_kinds;
    struct client_watch *watch; /* mem_free() it when the request is complete, unless it is NULL */
    uint8_t *reply;             /* the body, followed by a zero byte; NULL without one */
    size_t reply_size;
    uint8_t reply_inline[CLIENT_REPLY_INLINE_BYTES];
};
void client_request_init(struct client_request *request);
/* Frees the parts of the request; not the request itself. */
void client_request_deinit(struct client_request *request);

/* Of a session or of a znode. mem_free(). The host calls the watchers, and for a session's event its
 * own default one, too. */
struct client_event {
    struct client_item item;
    int32_t type, state; /* CLIENT_EVENT_SESSION with enum client_state; or enum zk_event */
    const char *path;    /* without the chroot; "" for a session's event */
    uint32_t unlisted;   /* not 0: no memory for the watchers; see client_event_watcher_after() */
    size_t watcher_count;
    struct client_watcher watchers[];
};

/* Authentication data; the client keeps it and sends it after each handshake. The item completes
 * once, with `err`; the client owns the memory. */
struct client_auth {
    struct client_item item;
    struct list link;
    int32_t err;
    bool answer_wanted, in_flight;
    void (*function)(void); /* the host's */
    const void *context;
    size_t scheme_size, cert_size;
    uint8_t bytes[]; /* scheme, then certificate */
};

/* A connection tells two events of its session at most: that it begins and that it ends. */
enum { CLIENT_EVENTS_RESERVED = 2 };

enum client_link {
    CLIENT_LINK_NONE,
    CLIENT_LINK_CONNECTING,
    CLIENT_LINK_OPEN,
    CLIENT_LINK_TO_CLOSE
};

/* For a host that sends a few kinds of requests again and again (client_send()) and keeps its own account
 * of them: the answer to one. They come in the order of the requests. False: there was no such request, and the
 * connection is left with CLIENT_INCONSISTENT. It may make requests, and nothing else. */
typedef bool client_on_answer(void *context, int32_t xid, int32_t err);

/* The host's part of keeping a reply, called before its watch is set. False: no memory; then it is as if the
 * reply had not come, and the connection is left. */
typedef bool client_on_reply(struct client_request *request);

struct client_options {
    int32_t timeout_ms;
    int32_t connect_timeout_ms; /* limit for each server to grant a session; 0: 2/3 of timeout_ms */
    int64_t session_id;         /* 0: a new session */
    uint8_t password[PASSWORD_BYTES];
    bool may_be_read_only;
    int32_t first_xid;
    uint64_t seed;
    bool servers_in_order;
    struct slice chroot;         /* copied */
    client_on_answer *on_answer; /* NULL: all requests are kept */
    void *on_answer_context;
    client_on_reply *on_reply; /* NULL: nothing to do */
};

struct client {
    int64_t session_id;
    bool session_moves; /* false when a read-only server gave it: no other server knows it */
    uint8_t password[PASSWORD_BYTES];
    int32_t timeout_ms, next_xid;
    int32_t wanted_timeout_ms, connect_timeout_ms; /* client_options */
    int64_t last_zxid;   /* what the server has shown: one that is behind it will not do */
    int64_t events_zxid; /* all events up to here have come: watches are set again since then */
    uint32_t resent_unanswered; /* requests that set watches again: their events may be missing */
    enum client_state state;
    enum client_link link;
    bool may_be_read_only, resolved, closing, closed;
    struct buffer chroot;
    struct client_servers servers;
    struct client_address server; /* connected to, or last tried */
    uint32_t failures;            /* attempts that failed since a connection that lasted */
    int64_t session_at_ms;        /* when the last handshake succeeded */
    int64_t retry_at_ms, last_sent_ms, last_received_ms;
    int64_t probe_at_ms; /* read-only: when to look for a better server */
    int32_t probe_delay_ms;
    uint32_t unanswered; /* frames of this connection that were handed out for sending */
    bool asked;          /* some of them have been sent, since asked_at_ms */
    int64_t asked_at_ms;
    int64_t alive_at_ms; /* a server heard the session at this time or later; INT64_MAX: none has */
    int32_t last_error;  /* why the last connection was closed */
    struct buffer first; /* handshake, authentication, watches: before `out` */
    struct buffer out;   /* requests; waits for the handshake */
    size_t frame_at;     /* the frame in `out` that is being written */
    uint32_t out_frames; /* whole ones in `out` */
    struct buffer in, scratch;
    struct list pending, done, auths;
    struct client_request *close_request;
    client_on_answer *on_answer;
    void *on_answer_context;
    client_on_reply *on_reply;
    uint32_t session_events;                               /* so far */
    struct client_event *reserved[CLIENT_EVENTS_RESERVED]; /* NULL: used */
    struct client_watches watches;
};

/* False: no memory for the chroot. */
MUST_USE bool client_init(struct client *client, const struct client_options *options);
/* Frees all replies, not the requests: they must be complete. */
void client_deinit(struct client *client);

/* What the host is to do next. Call again at once after each, until it is CLIENT_WAIT. */
enum client_action {
    CLIENT_WAIT,       /* until wake_at_ms (INT64_MAX: for ever), bytes, or a request */
    CLIENT_RESOLVE,    /* the names; then client_set_servers() or client_not_resolved() */
    CLIENT_CONNECT,    /* to `address`; then client_connected() or client_lost() */
    CLIENT_DISCONNECT, /* close the connection, drop what was not sent yet */
    CLIENT_PROBE       /* ask `address` with the word isro; then client_probed() */
};
struct client_step {
    enum client_action action;
    const struct client_address *address;
    int64_t wake_at_ms;
};
void client_step(struct client *client, int64_t now_ms, struct client_step *ret_step);

/* Takes ownership of `items` (mem_try_alloc()). */
void client_set_servers(struct client *client, struct client_address *items, uint32_t count,
                        int64_t now_ms);
void client_not_resolved(struct client *client, int64_t now_ms);
void client_connected(struct client *client, int64_t now_ms);
/* The connection, or the attempt, has failed. */
void client_lost(struct client *client, enum client_error err, int64_t now_ms);
void client_probed(struct client *client, bool read_write, int64_t now_ms);
/* Makes the next server of the list the current one. An open connection stays open. */
void client_next_server(struct client *client);

/* Swaps the bytes to send with *empty, whose size is 0. False: there are none now. */
MUST_USE bool client_take_output(struct client *client, struct buffer *empty);
/* Reports that some of them were sent; now_ms is a time before that. */
void client_sent(struct client *client, int64_t now_ms);

/* Moves everything that is done to the end of `ret_items`. */
void client_take_done(struct client *client, struct list *ret_items);

/* Of an `unlisted` event: the watcher that comes after *watcher in an order of their own; the first one is
 * after {NULL, NULL}. False: there is none. It needs no memory. */
bool client_event_watcher_after(const struct client *client, const struct client_event *event,
                                struct client_watcher *watcher);

/* A frame of at most `body_bytes_max` bytes: what is written to client->out between the two is its
 * body. CLIENT_OK, CLIENT_INVALID_STATE or CLIENT_NO_MEMORY. */
MUST_USE enum client_error client_frame_open(struct client *client, struct client_request *request,
                                             int32_t op, size_t body_bytes_max);
void client_frame_close(struct client *client, struct client_request *request);

static inline int32_t client_xid_after(int32_t xid)
{
    return xid == INT32_MAX ? 1 : xid + 1;
}

/* Stores the authentication data and sends it. CLIENT_NO_MEMORY, CLIENT_INVALID_STATE. */
MUST_USE enum client_error client_add_auth(struct client *client, struct slice scheme,
                                           struct slice cert, void (*function)(void),
                                           const void *context);

/* Completes all requests with CLIENT_CLOSING, and if there is a session, ends it with `request`,
 * which completes as the last one. client->closed is set when there is nothing left to wait for. */
void client_close_session(struct client *client, struct client_request *request, int64_t now_ms);

/* After the end of a session: begins a new one, with the same servers, authentication and
 * watches. */
void client_renew(struct client *client, int64_t now_ms);

/* No server ends the session before this time: its timeout has not passed since the newest request
 * that a server is known to have received. INT64_MAX: there is no session that servers keep. */
int64_t client_session_ends_ms(const struct client *client);

/* The session is over, or will never exist. */
static inline bool client_is_dead(const struct client *client)
{
    return client->state < 0;
}

static inline bool client_has_session(const struct client *client)
{
    return client->state == CLIENT_STATE_CONNECTED || client->state == CLIENT_STATE_READ_ONLY;
}

/* For input.c. */
void client_fail(struct client *client, enum client_error err, int64_t now_ms);
void client_end(struct client *client, enum client_state state, enum client_error err);
void client_session_event(struct client *client, int32_t state);
void client_complete(struct client *client, struct client_request *request, int32_t err);
void client_auth_done(struct client *client, struct client_auth *auth, int32_t err);
void client_note_answer(struct client *client);

#endif
