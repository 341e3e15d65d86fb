#include "io/net/dial.h"

#include "test/lib/names.h"
#include "test/lib/sockets.h"

#include <unistd.h>

struct outcome {
    int count, fd, error;
};

static void on_done(void *context, int fd, int error)
{
    struct outcome *outcome = context;

    outcome->count++;
    outcome->fd = fd;
    outcome->error = error;
}

/* Dials and waits for the end of it. */
static struct outcome dialed(const char *host, uint16_t port, int64_t timeout_ms)
{
    struct outcome outcome = {.fd = -1};
    uv_loop_t loop;

    uv_loop_init(&loop);
    dial_start(&loop, host, port, timeout_ms, on_done, &outcome);
    CHECK_I64("nothing is told before dial_start() has returned", outcome.count, 0);
    SOCKETS_UNTIL(&loop, outcome.count > 0);
    sockets_run_dry(&loop);
    CHECK_I64("told once", outcome.count, 1);
    return outcome;
}

TEST(a_dial_to_a_number_connects)
{
    uint16_t port;
    int listener = sockets_listening(8, &port);
    struct outcome outcome = dialed("127.0.0.1", port, 5000);

    CHECK_I64("error", outcome.error, 0);
    int accepted = accept(listener, NULL, NULL);
    CHECK_I64("sent", write(outcome.fd, "hello", 5), 5);
    char text[8] = "";
    CHECK_I64("received", read(accepted, text, sizeof(text)), 5);
    close(accepted);
    close(outcome.fd);
    close(listener);
}

TEST(a_refused_dial_says_so)
{
    uint16_t port;
    int fd = sockets_bound(&port);
    struct outcome outcome = dialed("127.0.0.1", port, 5000);

    CHECK_I64("fd", outcome.fd, -1);
    CHECK_I64("error", outcome.error, UV_ECONNREFUSED);
    close(fd);
}

TEST(a_name_that_means_nothing_is_an_answer)
{
    struct outcome outcome = dialed("no-such-peer", 2888, 5000);

    CHECK_I64("fd", outcome.fd, -1);
    CHECK_I64("error", outcome.error, UV_EAI_NONAME);
}

TEST(a_text_that_cannot_be_a_name_is_an_answer)
{
    char host[400];

    memset(host, 'a', sizeof(host) - 1);
    host[sizeof(host) - 1] = '\0';
    struct outcome outcome = dialed(host, 2888, 5000);
    CHECK_I64("fd", outcome.fd, -1);
    CHECK(outcome.error < 0);
}

TEST(every_address_of_a_name_is_tried_in_turn)
{
    uint16_t port;
    int listener = sockets_listening(8, &port);

    names_set("peer", "127.0.0.3 127.0.0.2 127.0.0.1"); /* only the last one listens */
    struct outcome outcome = dialed("peer", port, 5000);
    CHECK_I64("error", outcome.error, 0);
    close(outcome.fd);
    close(listener);
    names_forget();
}

TEST(a_name_is_looked_up_anew_by_each_dial)
{
    uint16_t port;
    int listener = sockets_listening(8, &port);

    names_set("peer", "127.0.0.3");
    CHECK_I64("the old address", dialed("peer", port, 5000).error, UV_ECONNREFUSED);
    names_set("peer", "127.0.0.1"); /* it has moved */
    struct outcome outcome = dialed("peer", port, 5000);
    CHECK_I64("the new address", outcome.error, 0);
    CHECK_I64("looked up", names_looked_up("peer"), 2);
    close(outcome.fd);
    close(listener);
    names_forget();
}

TEST(an_address_that_does_not_answer_is_given_up_in_time)
{
    struct sockets_deaf deaf;

    sockets_deaf(&deaf);
    struct outcome outcome = dialed("127.0.0.1", deaf.port, 50);
    CHECK_I64("error", outcome.error, UV_ETIMEDOUT);
    sockets_deaf_close(&deaf);
}

TEST(behind_an_address_that_does_not_answer_the_next_one_is_tried)
{
    struct sockets_deaf deaf;

    sockets_deaf(&deaf);
    names_set("peer", "127.0.0.1 127.0.0.2"); /* nobody listens at the second */
    /* The look-up has so long, too, and its thread may have to wait for a processor. */
    struct outcome outcome = dialed("peer", deaf.port, 2000);
    CHECK_I64("error", outcome.error, UV_ECONNREFUSED);
    sockets_deaf_close(&deaf);
    names_forget();
}

TEST(a_look_up_that_hangs_is_given_up_in_time)
{
    struct outcome outcome = {.fd = -1};
    uv_loop_t loop;

    uv_loop_init(&loop);
    names_set("peer", "127.0.0.1");
    names_hang("peer");
    dial_start(&loop, "peer", 2888, 50, on_done, &outcome);
    SOCKETS_UNTIL(&loop, outcome.count > 0);
    CHECK_I64("error", outcome.error, UV_ETIMEDOUT);
    names_forget();
    sockets_run_dry(&loop);
    CHECK_I64("told once", outcome.count, 1);
}

TEST(a_cancelled_dial_tells_nobody)
{
    struct outcome outcome = {.fd = -1};
    struct sockets_deaf deaf;
    uv_loop_t loop;
    uint16_t port;
    int bound = sockets_bound(&port);

    uv_loop_init(&loop);
    sockets_deaf(&deaf);
    names_set("peer", "127.0.0.1");
    names_hang("peer");
    struct dial *dials[] = {
        dial_start(&loop, "peer", 2888, 5000, on_done, &outcome),           /* looking up */
        dial_start(&loop, "127.0.0.1", deaf.port, 5000, on_done, &outcome), /* connecting */
        dial_start(&loop, "127.0.0.1", port, 5000, on_done, &outcome),      /* refused by then */
    };
    for (size_t i = 0; i < ARRAY_LEN(dials); i++)
        dial_cancel(dials[i]);
    names_forget();
    sockets_run_dry(&loop);
    CHECK_I64("told", outcome.count, 0);
    sockets_deaf_close(&deaf);
    close(bound);
}
