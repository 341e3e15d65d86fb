#include "io/net/stream.h"

#include "test/lib/sockets.h"

#include <sys/socket.h>
#include <unistd.h>

struct end { /* one end of a connection */
    struct stream stream;
    struct buffer received;
    int ended, closed;
};

static void on_bytes(void *context, const uint8_t *bytes, size_t size)
{
    buffer_append(&((struct end *)context)->received, slice_of(bytes, size));
}

static void on_ended(void *context, bool broken)
{
    struct end *end = context;

    CHECK(!broken);
    end->ended++;
}

static void on_written(void *context)
{
    (void)context;
}

static void on_closed(void *context)
{
    ((struct end *)context)->closed++;
}

static const struct stream_events events = {on_bytes, on_ended, on_written, on_closed};

struct pair {
    uv_loop_t loop;
    struct net net;
    struct end left, right;
};

static void pair_init(struct pair *pair)
{
    struct sockaddr_storage peer;
    uint16_t port;
    int listener = sockets_listening(1, &port), fd = sockets_connect(port);

    *pair = (struct pair){.left = {.ended = 0}};
    uv_loop_init(&pair->loop);
    net_init(&pair->net, &pair->loop);
    stream_init(&pair->left.stream, &pair->net, &events, &pair->left);
    stream_init(&pair->right.stream, &pair->net, &events, &pair->right);
    CHECK_STATUS(stream_open(&pair->left.stream, fd, &peer), STATUS_OK);
    CHECK_STATUS(stream_open(&pair->right.stream, accept(listener, NULL, NULL), &peer), STATUS_OK);
    close(listener);
}

static void pair_deinit(struct pair *pair)
{
    stream_close(&pair->left.stream);
    stream_close(&pair->right.stream);
    sockets_run_dry(&pair->loop);
    CHECK_I64("closed", pair->left.closed + pair->right.closed, 2);
    buffer_deinit(&pair->left.received);
    buffer_deinit(&pair->right.received);
    net_deinit(&pair->net);
}

PROPERTY(parts_arrive_as_if_they_stood_behind_one_another)
{
    enum { PARTS_MAX = 300 };
    struct pair pair;
    struct slice parts[PARTS_MAX];
    struct buffer sent = {0};
    uint8_t *bytes = mem_alloc(100000);

    pair_init(&pair);
    random_fill(&seed, bytes, 100000);
    for (int round = 0; round < 4; round++) { /* more than the kernel takes: later ones must wait */
        size_t count = (size_t)random_below(&seed, PARTS_MAX + 1);
        for (size_t i = 0; i < count; i++) {
            size_t size = random_below(&seed, 8) == 0 ? 0 : (size_t)random_below(&seed, 50000);
            parts[i] = slice_of(bytes + random_below(&seed, 50000), size);
            buffer_append(&sent, parts[i]);
        }
        CHECK_STATUS(stream_send_parts(&pair.left.stream, parts, count), STATUS_OK);
        CHECK_STATUS(stream_send(&pair.left.stream, slice_of(bytes, 10)), STATUS_OK);
        buffer_append(&sent, slice_of(bytes, 10));
    }
    stream_read(&pair.right.stream, true);
    SOCKETS_UNTIL(&pair.loop, pair.right.received.size >= sent.size);
    CHECK_SLICE("bytes", buffer_slice(&pair.right.received), buffer_slice(&sent));
    SOCKETS_UNTIL(&pair.loop, stream_queued(&pair.left.stream) == 0);
    pair_deinit(&pair);
    buffer_deinit(&sent);
    mem_free(bytes);
}

TEST(what_the_kernel_does_not_take_is_counted_as_queued)
{
    enum { BYTES = 64 << 20 };
    struct pair pair;
    uint8_t *bytes = mem_zalloc(BYTES);

    pair_init(&pair);
    CHECK_STATUS(stream_send(&pair.left.stream, slice_of(bytes, BYTES)), STATUS_OK);
    size_t queued = stream_queued(&pair.left.stream);
    CHECK(queued > 0 && queued < BYTES);
    CHECK_STATUS(stream_send(&pair.left.stream, slice_of(bytes, 1000)), STATUS_OK);
    CHECK_U64("queued", stream_queued(&pair.left.stream), queued + 1000);
    pair_deinit(&pair);
    mem_free(bytes);
}

TEST(the_end_of_the_output_comes_behind_what_was_sent)
{
    struct pair pair;

    pair_init(&pair);
    CHECK_STATUS(stream_send(&pair.left.stream, SLICE("last words")), STATUS_OK);
    stream_end_output(&pair.left.stream);
    stream_read(&pair.right.stream, true);
    SOCKETS_UNTIL(&pair.loop, pair.right.ended > 0);
    CHECK_SLICE("bytes", buffer_slice(&pair.right.received), SLICE("last words"));
    stream_read(&pair.left.stream, true); /* the other direction is still open */
    CHECK_STATUS(stream_send(&pair.right.stream, SLICE("heard")), STATUS_OK);
    SOCKETS_UNTIL(&pair.loop, pair.left.received.size == 5);
    pair_deinit(&pair);
}

TEST(what_nobody_reads_stays_unconfirmed)
{
    enum { BYTES = 64 << 20 };
    struct pair pair;
    uint8_t *bytes = mem_zalloc(BYTES);

    pair_init(&pair);
    CHECK_STATUS(stream_send(&pair.left.stream, slice_of(bytes, BYTES)), STATUS_OK);
    CHECK(stream_unconfirmed(&pair.left.stream) > 0);
    pair_deinit(&pair);
    mem_free(bytes);
}
