/* peer_bench.h: two rooms of peers on one loop, and the effects that a test writes in their replicas'
 * place. Turns end as in the daemon; a step between the first send and the clearing of the effects
 * fails the test. */
#ifndef TEST_LIB_PEER_BENCH_H
#define TEST_LIB_PEER_BENCH_H

#include "server/peer/peer.h"
#include "test/lib/sockets.h"

enum { HEARD_MAX = 4096, CONNECTIONS_MAX = 8 };

/* One server's side: what its replica heard, and the effects that the test writes in its place. */
struct peer_side {
    struct host host; /* the first member */
    struct effects effects;
    struct peers *peers;
    struct replica_event heard[HEARD_MAX];
    size_t heard_count;
    struct {
        uint64_t connection;
        struct buffer bytes;
    } mail[CONNECTIONS_MAX];
    size_t mail_count;
    bool in_carrying_out;
    void (*react)(struct peer_side *side, const struct replica_event *event);
    int cannot_listen;
};

struct peer_bench {
    uv_loop_t loop;
    uv_prepare_t before_poll;
    uv_check_t after_poll;
    struct peer_side *left, *right;
};

struct peer_options peer_side_options(void); /* any free ports of the loopback */
struct peer_bench *peer_bench_new(void);
struct peer_bench *peer_bench_new_with(struct peer_options left);
/* Right has dialed as its connection 1, which is left's connection 2. */
struct peer_bench *peer_bench_connected(struct peer_options left);
void peer_bench_free(struct peer_bench *bench); /* nothing may be told any more */
void peer_bench_dial(struct peer_bench *bench, uint64_t connection); /* right dials left */
bool peer_bench_is_open(const struct peer_bench *bench);             /* as peer_bench_connected() */
/* A socket that the test reads and writes by hand; left's connection 2. */
int peer_bench_raw(struct peer_bench *bench);
/* Runs the loop until the socket gave so many bytes. */
void peer_bench_raw_read(struct peer_bench *bench, int fd, uint8_t *ret_bytes, size_t size);

/* --- effects --- */
void peer_side_dial(struct peer_side *side, uint64_t connection, const char *host, uint16_t port);
size_t peer_side_put(struct peer_side *side, struct slice bytes); /* their offset in peer_bytes */
void peer_side_send(struct peer_side *side, uint64_t connection, struct slice bytes);
void peer_side_add(struct peer_side *side, enum peer_effect_kind kind, uint64_t connection);
void peer_side_open(struct peer_side *side, enum peer_port port, bool open); /* or closed */
void peer_side_end_turn(struct peer_side *side); /* now; else in the next run of the loop */

/* --- what was heard --- */
size_t peer_side_heard(const struct peer_side *side, enum replica_event_kind kind,
                       uint64_t connection);
struct buffer *peer_side_mail(struct peer_side *side, uint64_t connection); /* all bytes from it */
size_t peer_log_count(
    const char *text); /* lines of the log with this text, since the bench is new */

#endif
