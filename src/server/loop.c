/* loop.c: the loop and its turns: each event is a step of the replica, and at the end of a turn the
 * effects of all steps are carried out once. */
#include "server/server.h"

#include "io/log.h"
#include "server/front/front.h"
#include "server/peer/peer.h"

#include <time.h>

enum {
    SNAPSHOT_SLICE_BYTES = 16 << 10,
    SNAPSHOT_AWAITED_BYTES = 256 << 10, /* when no client is there to wait for the turn */
    NS_PER_US = 1000
};

int64_t loop_wall_ms(struct server *server)
{
    if (server->turn_wall_ms == 0) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        server->turn_wall_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    }
    return server->turn_wall_ms;
}

void loop_begin_turn(struct server *server)
{
    if (!turn_has_begun(&server->turn))
        turn_begin(&server->turn, replica_metrics(server->replica));
}

void loop_step(struct server *server, struct replica_event *event)
{
    ASSERT(event->kind < ARRAY_LEN(server->turn.events));
    loop_begin_turn(server);
    server->turn.events[event->kind]++;
    event->now_ms = host_now_ms(&server->host);
    event->wall_ms = loop_wall_ms(server);
    replica_step(server->replica, event, &server->effects);
    front_note_effects(server->front);
    if (server->peers != NULL)
        peers_note_effects(server->peers);
}

/* --- ticks --- */

static void on_tick_idle(uv_idle_t *idle)
{
    (void)idle; /* while a tick is due the poll does not sleep */
}

static void on_wake(uv_timer_t *timer)
{
    struct server *server = timer->data;

    server->wake_armed_ms = INT64_MAX;
    server->tick_due = true; /* stepped after the poll that follows: a ping may be waiting in it */
    uv_idle_start(&server->tick_idle, on_tick_idle);
}

static void step_tick_if_due(struct server *server)
{
    struct replica_event event = {.kind = REPLICA_TICK};

    if (!server->tick_due)
        return;
    server->tick_due = false;
    uv_idle_stop(&server->tick_idle);
    peering_ask_oracle(server); /* before anything is decided by what it said */
    loop_step(server, &event);
}

static void arm_wake(struct server *server)
{
    int64_t here_ms = host_now_ms(&server->host);
    int64_t wanted_ms = here_ms + server->config->session.tick_ms;

    if (server->effects.wake_at_ms > 0 && server->effects.wake_at_ms < wanted_ms)
        wanted_ms = server->effects.wake_at_ms;
    if (server->tick_due || wanted_ms >= server->wake_armed_ms)
        return;
    server->wake_armed_ms = wanted_ms;
    uint64_t delay_ms = wanted_ms > here_ms ? (uint64_t)(wanted_ms - here_ms) : 0;
    uv_timer_start(&server->wake, on_wake, delay_ms, 0);
}

/* --- snapshots: one part in each turn, while the writer has room --- */

static void snapshot_slice(struct server *server)
{
    if (!server->snapshot_running)
        return;
    if (!snapshot_thread_has_room(server->snapshots)) {
        uv_idle_stop(&server->snapshot_idle);
        return;
    }
    loop_begin_turn(server);
    enum image_part kind = replica_snapshot_next(server->replica, &server->snapshot_part,
                                                 server->snapshot_awaited ? SNAPSHOT_AWAITED_BYTES
                                                                          : SNAPSHOT_SLICE_BYTES);
    server->turn.snapshot_bytes += server->snapshot_part.size;
    if (kind == IMAGE_PART && server->snapshot_part.size == 0)
        return; /* the walk passed only nodes that are deleted or written already */
    if (kind == IMAGE_PART || kind == IMAGE_PART_SEALED) {
        snapshot_thread_push(server->snapshots, &server->snapshot_part, kind == IMAGE_PART_SEALED);
        return;
    }
    server->snapshot_running = false;
    uv_idle_stop(&server->snapshot_idle);
    if (kind == IMAGE_END)
        snapshot_thread_finish(server->snapshots);
    else
        snapshot_thread_give_up(server->snapshots);
}

static void on_snapshot_idle(uv_idle_t *idle)
{
    snapshot_slice(idle->data);
}

static void on_snapshot_room(void *context)
{
    struct server *server = context;

    if (server->snapshot_running)
        uv_idle_start(&server->snapshot_idle, on_snapshot_idle);
}

static void on_snapshot_done(void *context, bool written)
{
    struct server *server = context;
    struct replica_event event = {.kind = REPLICA_SNAPSHOT_DONE,
                                  .status = written ? STATUS_OK : STATUS_IO};

    server->snapshot_running = false;
    uv_idle_stop(&server->snapshot_idle);
    loop_step(server, &event);
}

static void snapshot_begin(struct server *server, bool awaited)
{
    ASSERT(!server->snapshot_running);
    if (server->stopping)
        return;
    server->snapshot_running = true;
    server->snapshot_awaited = awaited;
    snapshot_thread_begin(server->snapshots, replica_snapshot_zxid(server->replica), awaited);
    uv_idle_start(&server->snapshot_idle, on_snapshot_idle);
}

/* --- carrying out --- */

void loop_end(struct server *server)
{
    front_close_all(server->front);
    uv_stop(&server->loop);
}

/* All events that have arrived were stepped: what they mean for the turn as a whole. */
static void end_steps(struct server *server)
{
    replica_end_turn(server->replica, &server->effects);
    if (server->peers == NULL)
        return;
    front_note_effects(server->front);
    peers_note_effects(server->peers);
    peering_log(server);
}

/* The replica cannot go on, and says why. */
static void end_if_fatal(struct server *server)
{
    if (server->effects.fatal == NULL || server->exit_code != EXIT_CODE_OK)
        return;
    log_error("main", "%s", server->effects.fatal);
    server->exit_code = EXIT_CODE_UNEXPECTED;
    uv_stop(&server->loop);
}

/* The log first, so that the disk works while the answers are sent. The replica is not stepped between
 * the first send and the clearing: a step may lengthen its last send, which must not be sent yet. */
static void carry_out_once(struct server *server)
{
    struct effects *effects = &server->effects;

    front_feed_waiting(server->front); /* steps: frames that waited */
    end_steps(server);
    end_if_fatal(server);
    if (effects->append_count > 0) {
        server->appended_zxid = effects->appends[effects->append_count - 1].zxid;
        log_thread_push(server->log, effects->appends, effects->append_count);
        server->turn.records += effects->append_count;
    }
    if (effects->store_begin)
        log_thread_work(server->log, &effects->store_work);
    for (size_t i = 0; i < effects->history_count; i++)
        snapshot_thread_history(server->snapshots, &effects->histories[i]);
    if (server->peers != NULL)
        peers_carry_out(server->peers);
    server->turn.sent_bytes += effects->bytes.size;
    front_flush(server->front);
    bool begin = effects->snapshot_begin, awaited = effects->snapshot_awaited;
    arm_wake(server);
    effects_clear(effects);
    front_effects_cleared(server->front);
    if (server->peers != NULL)
        peers_effects_cleared(server->peers);
    if (begin)
        snapshot_begin(server, awaited);
    front_end_connections(server->front); /* steps: what they leave behind */
    if (server->peers != NULL)
        peers_end_connections(server->peers);
}

static bool nothing_to_carry_out(const struct server *server)
{
    const struct effects *effects = &server->effects;

    return effects->client_count == 0 && effects->append_count == 0 && effects->peer_count == 0 &&
           effects->history_count == 0 && !effects->snapshot_begin && !effects->store_begin;
}

void loop_carry_out(struct server *server)
{
    do
        carry_out_once(server);
    while (!nothing_to_carry_out(server));
    /* Whether a transaction of an ensemble is ever agreed is not for this server to wait for. */
    if (server->stopping &&
        (server->peers != NULL ||
         tree_last_zxid(replica_tree(server->replica)) >= server->appended_zxid))
        loop_end(server);
}

/* --- turns --- */

static bool nothing_to_do(const struct server *server)
{
    int64_t wish_ms = server->effects.wake_at_ms;

    return nothing_to_carry_out(server) && !front_has_work(server->front) &&
           !(server->peers != NULL && peers_has_work(server->peers)) &&
           (server->tick_due || server->wake_armed_ms != INT64_MAX) &&
           !(wish_ms > 0 && wish_ms < server->wake_armed_ms);
}

/* Was there anything? */
static bool end_turn(struct server *server)
{
    end_steps(server);
    bool worked = !nothing_to_do(server) || server->stopping;

    if (worked)
        loop_carry_out(server);
    server->turn_wall_ms = 0;
    return worked;
}

static void on_busy_idle(uv_idle_t *idle)
{
    (void)idle; /* while it is active the poll does not sleep */
}

/* paddock.busyPollMicros: for so long after the last turn that had something to do, the loop asks the
 * sockets and the other threads again and again. The next request then finds it awake. */
static void poll_busily(struct server *server, bool worked)
{
    uint64_t now_ns = uv_hrtime();

    if (worked) {
        server->worked_ns = now_ns;
        uv_idle_start(&server->busy_idle, on_busy_idle);
    } else if (now_ns - server->worked_ns >
               (uint64_t)server->config->loop.busy_poll_us * NS_PER_US) {
        uv_idle_stop(&server->busy_idle);
    }
}

static void on_before_poll(uv_prepare_t *prepare)
{
    struct server *server = prepare->data;

    (void)end_turn(server); /* what timers and idle handles caused */
    if (turn_has_begun(&server->turn))
        turn_end(&server->turn, replica_metrics(server->replica), &server->metrics);
}

static void on_after_poll(uv_check_t *check)
{
    struct server *server = check->data;

    front_feed_waiting(server->front); /* what had to wait came before the tick */
    front_end_silent(server->front);
    step_tick_if_due(server);
    bool worked = end_turn(server);
    if (server->config->loop.busy_poll_us > 0)
        poll_busily(server, worked);
}

void loop_open(struct server *server)
{
    uv_prepare_init(&server->loop, &server->before_poll);
    uv_check_init(&server->loop, &server->after_poll);
    uv_idle_init(&server->loop, &server->snapshot_idle);
    uv_idle_init(&server->loop, &server->tick_idle);
    uv_idle_init(&server->loop, &server->busy_idle);
    uv_timer_init(&server->loop, &server->wake);
    uv_timer_init(&server->loop, &server->purge);
    uv_timer_init(&server->loop, &server->stop_deadline);
    server->before_poll.data = server->after_poll.data = server->snapshot_idle.data = server;
    server->wake.data = server->purge.data = server->stop_deadline.data = server;
    uv_prepare_start(&server->before_poll, on_before_poll);
    uv_check_start(&server->after_poll, on_after_poll);
}

/* --- what the threads report --- */

static void on_durable(void *context, int64_t zxid)
{
    struct server *server = context;
    struct replica_event event = {.kind = REPLICA_LOG_SYNCED, .zxid = zxid};

    loop_step(server, &event);
}

static void on_work_done(void *context, const struct log_thread_outcome *outcome)
{
    struct server *server = context;
    struct replica_event event = {.kind = REPLICA_STORE_DONE,
                                  .status = outcome->status,
                                  .zxid = outcome->zxid,
                                  .tree = outcome->tree};

    if (outcome->status == STATUS_OK && outcome->kind != STORE_WRITE_EPOCHS)
        server->appended_zxid = outcome->zxid; /* the log ends there now */
    loop_step(server, &event);
}

static void on_history(void *context, uint64_t connection, enum status status, struct slice packets)
{
    struct server *server = context;
    struct replica_event event = {
        .kind = REPLICA_HISTORY, .connection = connection, .status = status, .bytes = packets};

    if (status != STATUS_OK && status != STATUS_END)
        log_info("store", "A learner's history is not read from the log files: %s",
                 status_text(status));
    loop_step(server, &event);
}

struct log_thread_events loop_log_events(struct server *server)
{
    return (struct log_thread_events){on_durable, on_work_done, server};
}

struct snapshot_thread_events loop_snapshot_events(struct server *server)
{
    return (struct snapshot_thread_events){on_snapshot_room, on_snapshot_done, on_history, server};
}
