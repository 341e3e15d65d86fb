#include "test/lib/peer_bench.h"

#include "io/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct buffer *peer_side_mail(struct peer_side *side, uint64_t connection)
{
    for (size_t i = 0; i < side->mail_count; i++) {
        if (side->mail[i].connection == connection)
            return &side->mail[i].bytes;
    }
    CHECK(side->mail_count < CONNECTIONS_MAX);
    side->mail[side->mail_count].connection = connection;
    return &side->mail[side->mail_count++].bytes;
}

static void side_step(struct host *host, struct replica_event *event)
{
    struct peer_side *side = CONTAINER_OF(host, struct peer_side, host);

    CHECK(!side->in_carrying_out);
    CHECK(side->heard_count < HEARD_MAX);
    side->heard[side->heard_count++] = *event;
    if (event->kind == REPLICA_PEER_BYTES)
        buffer_append(peer_side_mail(side, event->connection), event->bytes);
    if (side->react != NULL)
        side->react(side, event);
    peers_note_effects(side->peers);
}

void peer_side_end_turn(struct peer_side *side)
{
    if (side->peers == NULL)
        return;
    while (side->effects.peer_count > 0 || peers_has_work(side->peers)) {
        peers_note_effects(side->peers);
        side->in_carrying_out = true;
        peers_carry_out(side->peers);
        side->in_carrying_out = false;
        effects_clear(&side->effects);
        peers_effects_cleared(side->peers);
        peers_end_connections(side->peers);
    }
}

static void end_turns(struct peer_bench *bench)
{
    peer_side_end_turn(bench->left);
    peer_side_end_turn(bench->right);
}

static void on_before_poll(uv_prepare_t *prepare)
{
    end_turns(prepare->data);
}

static void on_after_poll(uv_check_t *check)
{
    end_turns(check->data);
}

static void on_cannot_listen(void *context)
{
    ((struct peer_side *)context)->cannot_listen++;
}

/* --- the log goes to a file that is empty at the start of each test --- */

static char log_path[] = "/tmp/paddock-test-peer-XXXXXX";

static void log_remove(void)
{
    unlink(log_path);
}

static void log_begin(void)
{
    static bool begun;

    if (!begun) {
        int fd = mkstemp(log_path);
        CHECK(fd >= 0);
        close(fd);
        atexit(log_remove);
        CHECK_STATUS(log_open(log_path, LOG_LEVEL_INFO), STATUS_OK);
    }
    begun = true;
    CHECK_I64("empty", truncate(log_path, 0), 0);
}

/* The lines that have this text. */
size_t peer_log_count(const char *text)
{
    FILE *file = fopen(log_path, "r");
    char line[4096];
    size_t count = 0;

    CHECK(file != NULL);
    while (fgets(line, sizeof(line), file) != NULL)
        count += strstr(line, text) != NULL;
    fclose(file);
    return count;
}

static const struct peer_address loopback = {"127.0.0.1", 0};

struct peer_options peer_side_options(void)
{
    return (struct peer_options){.election = &loopback,
                                 .quorum = &loopback,
                                 .master = &loopback,
                                 .election_count = 1,
                                 .quorum_count = 1,
                                 .master_count = 1,
                                 .bind_attempts_max = 1,
                                 .connect_timeout_ms = 5000,
                                 .tcp_keep_alive = true,
                                 .queue_bytes_max = PEER_QUEUE_BYTES_MAX,
                                 .cannot_listen = on_cannot_listen};
}

static struct peer_side *side_new(uv_loop_t *loop, struct peer_options options)
{
    struct peer_side *side = mem_zalloc(sizeof(*side));

    side->host = (struct host){.loop = loop, .effects = &side->effects, .step = side_step};
    options.context = side;
    side->peers = peers_new(&side->host, &options);
    peers_start(side->peers);
    return side;
}

struct peer_bench *peer_bench_new_with(struct peer_options left)
{
    struct peer_bench *bench = mem_zalloc(sizeof(*bench));

    log_begin();
    uv_loop_init(&bench->loop);
    bench->left = side_new(&bench->loop, left);
    bench->right = side_new(&bench->loop, peer_side_options());
    uv_prepare_init(&bench->loop, &bench->before_poll);
    uv_check_init(&bench->loop, &bench->after_poll);
    bench->before_poll.data = bench->after_poll.data = bench;
    uv_prepare_start(&bench->before_poll, on_before_poll);
    uv_check_start(&bench->after_poll, on_after_poll);
    return bench;
}

struct peer_bench *peer_bench_new(void)
{
    return peer_bench_new_with(peer_side_options());
}

static void side_free(struct peer_side *side)
{
    peers_free(side->peers);
    effects_deinit(&side->effects);
    for (size_t i = 0; i < side->mail_count; i++)
        buffer_deinit(&side->mail[i].bytes);
    mem_free(side);
}

void peer_bench_free(struct peer_bench *bench)
{
    peers_close_all(bench->left->peers);
    peers_close_all(bench->right->peers);
    uv_close((uv_handle_t *)&bench->before_poll, NULL);
    uv_close((uv_handle_t *)&bench->after_poll, NULL);
    size_t heard = bench->left->heard_count + bench->right->heard_count;
    sockets_run_dry(&bench->loop);
    CHECK_U64("nothing is told of what was closed at the end",
              bench->left->heard_count + bench->right->heard_count, heard);
    side_free(bench->left);
    side_free(bench->right);
    mem_free(bench);
}

/* --- effects and what was heard, in short words --- */

void peer_side_dial(struct peer_side *side, uint64_t connection, const char *host, uint16_t port)
{
    effects_add_peer(&side->effects, (struct peer_effect){.kind = PEER_DIAL,
                                                          .connection = connection,
                                                          .port = PEER_PORT_ELECTION,
                                                          .host = slice_text(host),
                                                          .port_number = port});
}

void peer_bench_dial(struct peer_bench *bench, uint64_t connection) /* right dials */
{
    peer_side_dial(bench->right, connection, "127.0.0.1",
                   peers_port(bench->left->peers, PEER_PORT_ELECTION));
}

size_t peer_side_put(struct peer_side *side, struct slice bytes)
{
    size_t offset = side->effects.peer_bytes.size;

    buffer_append(&side->effects.peer_bytes, bytes);
    return offset;
}

void peer_side_send(struct peer_side *side, uint64_t connection, struct slice bytes)
{
    effects_add_peer_send(&side->effects, connection, peer_side_put(side, bytes), bytes.size);
}

void peer_side_add(struct peer_side *side, enum peer_effect_kind kind, uint64_t connection)
{
    effects_add_peer(&side->effects, (struct peer_effect){.kind = kind, .connection = connection});
}

void peer_side_open(struct peer_side *side, enum peer_port port, bool open)
{
    effects_add_peer(&side->effects, (struct peer_effect){
                                         .kind = open ? PEER_LISTEN : PEER_UNLISTEN, .port = port});
}

size_t peer_side_heard(const struct peer_side *side, enum replica_event_kind kind,
                       uint64_t connection)
{
    size_t count = 0;

    for (size_t i = 0; i < side->heard_count; i++)
        count += side->heard[i].kind == kind && side->heard[i].connection == connection;
    return count;
}

bool peer_bench_is_open(const struct peer_bench *bench)
{
    return peer_side_heard(bench->right, REPLICA_PEER_OPENED, 1) > 0 &&
           peer_side_heard(bench->left, REPLICA_PEER_OPENED, 2) > 0;
}

/* Right has dialed as its connection 1, which is left's connection 2. */
struct peer_bench *peer_bench_connected(struct peer_options left)
{
    struct peer_bench *bench = peer_bench_new_with(left);

    peer_bench_dial(bench, 1);
    SOCKETS_UNTIL(&bench->loop, peer_bench_is_open(bench));
    return bench;
}

/* Left and a socket that the test reads and writes by hand; left's connection is 2. */
int peer_bench_raw(struct peer_bench *bench)
{
    int fd = sockets_connect(peers_port(bench->left->peers, PEER_PORT_ELECTION));

    SOCKETS_UNTIL(&bench->loop, peer_side_heard(bench->left, REPLICA_PEER_OPENED, 2) > 0);
    return fd;
}

/* Runs the loop until the socket gave so many bytes. */
void peer_bench_raw_read(struct peer_bench *bench, int fd, uint8_t *ret_bytes, size_t size)
{
    size_t done = 0;

    while (done < size) {
        ssize_t got = recv(fd, ret_bytes + done, size - done, MSG_DONTWAIT);
        CHECK(got > 0 || (got < 0 && errno == EAGAIN));
        if (got > 0)
            done += (size_t)got;
        else
            uv_run(&bench->loop, UV_RUN_NOWAIT);
    }
}
