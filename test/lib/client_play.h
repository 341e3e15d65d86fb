/* client_play.h: a client's machine whose server and clock the test plays. There is one at a time, between
 * play_begin() and play_end(). When what is expected is missing or different, the test fails. */
#ifndef TEST_LIB_CLIENT_PLAY_H
#define TEST_LIB_CLIENT_PLAY_H

#include "client/client.h"
#include "wire/jute.h"
#include "wire/records.h"

enum { PLAY_TIMEOUT_MS = 6000, PLAY_SESSION = 0x1234 };

struct client_play {
    struct client client;
    int64_t now_ms;
    struct list items;    /* what the machine has given back and nobody has looked at */
    struct buffer output; /* what the server has been sent */
    size_t taken;         /* of it, by play_next_frame() */
};
extern struct client_play play;

void play_begin(void);
/* The timeout, the first xid and the order of servers are the play's own. */
void play_begin_with(struct client_options options);
void play_end(void);

/* What the host does. */
enum client_action play_next_action(void);
void play_give_servers(uint32_t count); /* addresses of one byte: 0, 1, ... */
void play_open(void);                   /* as far as an open connection */
void play_connect(void);                /* as far as the session PLAY_SESSION */
void play_lose_and_open(void);
void play_send_at(int64_t sent_at_ms); /* all that is there */
void play_collect_output(void);

/* What the server reads and says. */
int64_t play_asked_session(void); /* in the handshake */
bool play_next_frame(struct request_header *ret_header, struct reader *ret_body); /* false: none */
void play_shake_hands(int64_t session_id, int32_t timeout_ms, bool read_only);
void play_answer(int32_t xid, int64_t zxid, int32_t err, struct slice body);
void play_event(int32_t type, const char *path, int64_t zxid);

/* What comes back to whoever made a request. */
void play_nobody(void); /* a watcher's function */
void play_get(struct client_request *request, const char *path, bool watch);
struct client_item *play_next_item(void); /* NULL: none */
void play_expect_event(int32_t type, int32_t state, const char *path, size_t watchers);
void play_expect_session_event(int32_t state);
void play_expect_done(struct client_request *request, int32_t err);

#endif
