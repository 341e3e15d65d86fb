/* sockets.h: a loop to wait in, and sockets of the loopback that behave as a test needs them.
 *
 * SOCKETS_UNTIL(loop, condition) runs the loop until the condition holds; a test that waits for 30
 * seconds fails. */
#ifndef TEST_LIB_SOCKETS_H
#define TEST_LIB_SOCKETS_H

#include "test/lib/check.h"

#include <uv.h>

#define SOCKETS_UNTIL(loop, condition)                                                             \
    do {                                                                                           \
        struct sockets_deadline deadline;                                                          \
        sockets_deadline(loop, &deadline, #condition);                                             \
        while (!(condition))                                                                       \
            uv_run(loop, UV_RUN_ONCE);                                                             \
        sockets_in_time(loop, &deadline);                                                          \
    } while (0)
struct sockets_deadline {
    uv_timer_t timer;
    const char *condition;
    uint64_t end_ms;
};
void sockets_deadline(uv_loop_t *loop, struct sockets_deadline *deadline, const char *condition);
void sockets_in_time(uv_loop_t *loop, struct sockets_deadline *deadline);
/* Runs until nothing is left to happen, and closes it. */
void sockets_run_dry(uv_loop_t *loop);

/* Blocking sockets at 127.0.0.1. */
int sockets_bound(uint16_t *ret_port); /* taken, but nobody listens: a dial is refused */
int sockets_listening(int backlog, uint16_t *ret_port);
int sockets_connect(uint16_t port);
/* Listens, and answers to no connection any more: whoever dials waits. */
struct sockets_deaf {
    int listener, waiting[4];
    uint16_t port;
};
void sockets_deaf(struct sockets_deaf *deaf);
void sockets_deaf_close(struct sockets_deaf *deaf);

#endif
