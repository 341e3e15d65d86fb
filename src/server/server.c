/* server.c: the loop and its turns: each event is a step of the replica, and at the end of a turn the
 * effects of all steps are carried out once. */
#include "server/server.h"

#include "io/disk_posix.h"
#include "io/log.h"
#include "server/config/ensemble.h"
#include "server/front/front.h"
#include "server/peer/peer.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>

enum {
    SNAPSHOT_SLICE_BYTES = 16 << 10,
    SNAPSHOT_AWAITED_BYTES = 256 << 10, /* when no client is there to wait for the turn */
    NS_PER_US = 1000,
    STOP_WAIT_MS = 5000, /* for a log that cannot be written at the end */
    /* Of transactions that are kept in memory for learners that come back. */
    HISTORY_BYTES_MAX = 64 << 20
};

static int64_t now_ms(const struct server *server)
{
    return host_now_ms(&server->host);
}

static int64_t wall_ms(struct server *server)
{
    if (server->turn_wall_ms == 0) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        server->turn_wall_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    }
    return server->turn_wall_ms;
}

static void begin_turn(struct server *server)
{
    if (!turn_has_begun(&server->turn))
        turn_begin(&server->turn, replica_metrics(server->replica));
}

static void host_begin_turn(struct host *host)
{
    begin_turn(CONTAINER_OF(host, struct server, host));
}

static void step(struct server *server, struct replica_event *event)
{
    begin_turn(server);
    server->turn.events[event->kind]++;
    event->now_ms = now_ms(server);
    event->wall_ms = wall_ms(server);
    replica_step(server->replica, event, &server->effects);
    front_note_effects(server->front);
    if (server->peers != NULL)
        peers_note_effects(server->peers);
}

static void host_step(struct host *host, struct replica_event *event)
{
    step(CONTAINER_OF(host, struct server, host), event);
}

static bool host_is_word(const struct host *host, struct slice bytes)
{
    (void)host;
    ASSERT(bytes.size >= 4);
    return four_letter_find(bytes.data) != WORD_NONE;
}

static void host_answer_word(struct host *host, uint32_t asker, struct slice bytes,
                             struct buffer *answer)
{
    struct server *server = CONTAINER_OF(host, struct server, host);
    const struct config *config = server->config;
    struct word_question question = {.asker = asker};

    question.word = four_letter_find(bytes.data);
    question.rest = slice_of(bytes.data + 4, bytes.size - 4);
    ASSERT(question.word != WORD_NONE);
    if (four_letter_allowed(question.word, config->words.whitelist, config->words.read_only_mode))
        words_answer(&server->words, &question, answer);
    else
        buffer_printf(answer, "%s is not executed because it is not in the whitelist.\n",
                      four_letter_name(question.word));
}

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
    step(server, &event);
}

static void arm_wake(struct server *server)
{
    int64_t here_ms = now_ms(server), wanted_ms = here_ms + server->config->session.tick_ms;

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
    begin_turn(server);
    enum image_part kind = replica_snapshot_next(server->replica, &server->snapshot_part,
                                                 server->snapshot_awaited ? SNAPSHOT_AWAITED_BYTES
                                                                          : SNAPSHOT_SLICE_BYTES);
    server->turn.snapshot_bytes += server->snapshot_part.size;
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
    step(server, &event);
}

static void snapshot_begin(struct server *server, bool awaited)
{
    if (server->stopping)
        return;
    server->snapshot_running = true;
    server->snapshot_awaited = awaited;
    snapshot_thread_begin(server->snapshots, replica_snapshot_zxid(server->replica), awaited);
    uv_idle_start(&server->snapshot_idle, on_snapshot_idle);
}

static void on_purge(uv_timer_t *timer)
{
    struct server *server = timer->data;

    snapshot_thread_purge(server->snapshots);
}

/* --- carrying out --- */

static void finish_stop(struct server *server)
{
    front_close_all(server->front);
    uv_stop(&server->loop);
}

/* The log first, so that the disk works while the answers are sent. The replica is not stepped between
 * the first send and the clearing: a step may lengthen its last send, which must not be sent yet. */
/* What other servers are told once a turn. */
static void tell_peers(struct server *server)
{
    if (server->peers == NULL)
        return;
    replica_end_turn(server->replica, &server->effects);
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

static void carry_out_once(struct server *server)
{
    struct effects *effects = &server->effects;

    front_feed_waiting(server->front); /* steps: frames that waited */
    tell_peers(server);
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

static void carry_out(struct server *server)
{
    do
        carry_out_once(server);
    while (!nothing_to_carry_out(server));
    /* Whether a transaction of an ensemble is ever agreed is not for this server to wait for. */
    if (server->stopping &&
        (server->peers != NULL ||
         tree_last_zxid(replica_tree(server->replica)) >= server->appended_zxid))
        finish_stop(server);
}

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
    tell_peers(server);
    bool worked = !nothing_to_do(server) || server->stopping;

    if (worked)
        carry_out(server);
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

static void on_durable(void *context, int64_t zxid)
{
    struct server *server = context;
    struct replica_event event = {.kind = REPLICA_LOG_SYNCED, .zxid = zxid};

    step(server, &event);
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
    step(server, &event);
}

static void on_history(void *context, uint64_t connection, enum status status, struct slice packets)
{
    struct server *server = context;
    struct replica_event event = {
        .kind = REPLICA_HISTORY, .connection = connection, .status = status, .bytes = packets};

    if (status != STATUS_OK && status != STATUS_END)
        log_info("store", "A learner's history is not read from the log files: %s",
                 status_text(status));
    step(server, &event);
}

/* --- signals --- */

static void on_stop_deadline(uv_timer_t *timer)
{
    struct server *server = timer->data;

    log_warn("main",
             "the log could not be written before the server ended; the waiting writes were "
             "never acknowledged");
    finish_stop(server);
}

static void on_stop_signal(uv_signal_t *handle, int signal_number)
{
    struct server *server = handle->data;

    if (server->stopping) {
        finish_stop(server);
        return;
    }
    log_info("main", "%s received: the server syncs and answers outstanding writes, then ends",
             signal_number == SIGTERM ? "SIGTERM" : "SIGINT");
    server->stopping = true;
    supervisor_stopping(&server->supervisor);
    front_stop(server->front);
    uv_timer_start(&server->stop_deadline, on_stop_deadline, STOP_WAIT_MS, 0);
}

static void on_hang_up(uv_signal_t *handle, int signal_number)
{
    (void)handle;
    (void)signal_number;
    enum status status = log_reopen();
    if (status != STATUS_OK)
        log_warn("main", "the log file could not be opened again: %s", status_text(status));
    else
        log_info("main", "SIGHUP received, log file opened again");
}

static void watch_signals(struct server *server)
{
    struct {
        uv_signal_t *handle;
        uv_signal_cb callback;
        int number;
    } const signals[] = {{&server->on_term, on_stop_signal, SIGTERM},
                         {&server->on_int, on_stop_signal, SIGINT},
                         {&server->on_hup, on_hang_up, SIGHUP}};

    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
        uv_signal_init(&server->loop, signals[i].handle);
        signals[i].handle->data = server;
        uv_signal_start(signals[i].handle, signals[i].callback, signals[i].number);
    }
}

/* --- start --- */

static void init_handles(struct server *server)
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

static struct slice slice_or_null(const char *text)
{
    return text == NULL ? SLICE_NULL : slice_text(text);
}

/* The one place where the configuration becomes the replica's options. */
static struct replica_options replica_options_of(struct server *server)
{
    const struct config *config = server->config;
    uint64_t seed = 0;

    if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
        seed = uv_hrtime();
    return (struct replica_options){
        .tick_ms = config->session.tick_ms,
        .session_timeout_min_ms = config->session.timeout_min_ms,
        .session_timeout_max_ms = config->session.timeout_max_ms,
        .server_id = ensemble_session_server_id(config),
        .session_seed_ms = wall_ms(server),
        .random_seed = seed,
        .text_bytes_max = (size_t)config->jute.buffer_bytes_max + (size_t)config->jute.extra_bytes,
        .enforce_quota = config->request.enforce_quota,
        .skip_acl = config->request.skip_acl,
        .reconfig_enabled = config->request.reconfig_enabled,
        .digest_auth_enabled = config->auth.digest_enabled,
        .digest_algorithm = slice_text(config->auth.digest_algorithm),
        .super_digest = slice_or_null(config->auth.super_digest),
        .enforce_auth_schemes =
            config->auth.enforced ? slice_or_null(config->auth.enforced_schemes) : SLICE_NULL,
        .ensemble_names = slice_or_null(config->auth.ensemble_names),
        .ensemble_auth = config->auth.ensemble_enabled,
        .outstanding_max = config->request.outstanding_max,
        .throttle_requests_max = config->request.throttle_max,
        .throttle_stall_ms = config->request.throttle_stall_ms,
        .throttled_op_wait_ms = config->request.throttled_op_wait_ms,
        .local_sessions = ensemble_local_sessions(config),
        .local_upgrading = config->ensemble.local_upgrading,
        .container_check_interval_ms = config->container.check_interval_ms,
        .container_per_minute_max = config->container.per_minute_max,
        .container_never_used_max_ms = config->container.never_used_max_ms,
        .snap_count = config->snapshot.count,
        .snap_size_limit_bytes = config->snapshot.size_limit_bytes,
        .snapshot_last_zxid_section = config->snapshot.last_zxid_section,
    };
}

static void start_threads(struct server *server, struct store_actor *actor)
{
    const struct config *config = server->config;
    struct log_thread_options log_options = {
        .flush_delay_ms = config->log.flush_delay_ms,
        .write_queue_poll_ms = config->log.write_queue_poll_ms,
        .batch_max = config->log.batch_max,
        .fsync_warning_ms = config->log.fsync_warning_ms,
        .directory = server->log_path,
    };
    struct snapshot_thread_options snapshot_options = {
        .data = server->snapshot_disk,
        .log = server->log_disk,
        .directory = server->data_path,
        .compression = store_compression_of(config->snapshot.compression),
        .retain = (uint32_t)config->snapshot.retain,
        .text_bytes_max = (size_t)config->jute.buffer_bytes_max + (size_t)config->jute.extra_bytes,
    };
    struct snapshot_thread_events events = {on_snapshot_room, on_snapshot_done, on_history, server};
    struct log_thread_events log_events = {on_durable, on_work_done, server};

    server->snapshots = snapshot_thread_start(&server->loop, &snapshot_options, &events);
    log_options.snapshots = server->snapshots;
    server->log = log_thread_start(&server->loop, actor, &log_options, &log_events);
}

/* Who can answer a four-letter word. */
static void init_words(struct server *server)
{
    struct words *words = &server->words;
    const struct config *config = server->config;

    words->host = &server->host;
    words->replica = server->replica;
    words->front = server->front;
    words->log = server->log;
    words->snapshots = server->snapshots;
    words->metrics = &server->metrics;
    words->data_disk = server->data_disk;
    words->log_disk = server->log_disk;
    words->data_path = server->data_path;
    words->log_path = server->log_path;
    words->started_ms = now_ms(server);
    words->trace_mask = TRACE_MASK_DEFAULT;
    words->settings = (struct word_settings){
        .tick_ms = config->session.tick_ms,
        .session_timeout_min_ms = config->session.timeout_min_ms,
        .session_timeout_max_ms = config->session.timeout_max_ms,
        .connections_per_host_max = config->front.connections_per_host_max,
        .listen_backlog = config->front.listen_backlog,
        .server_id = ensemble_server_id(config),
        .init_limit = config->ensemble.init_limit,
        .sync_limit = config->ensemble.sync_limit,
        .membership = ensemble_distributed(config) ? config->ensemble.members : NULL,
        .local_sessions = ensemble_local_sessions(config),
    };
}

static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

enum exit_code server_open(struct server *server, const struct config *config)
{
    struct tree *tree = NULL;
    struct store_actor *actor = NULL;

    *server = (struct server){
        .config = config, .data_lock_fd = -1, .log_lock_fd = -1, .wake_armed_ms = INT64_MAX};
    raise_descriptor_limit();
    uv_loop_init(&server->loop);
    server->host = (struct host){.loop = &server->loop,
                                 .effects = &server->effects,
                                 .begin_turn = host_begin_turn,
                                 .step = host_step,
                                 .is_word = host_is_word,
                                 .answer_word = host_answer_word};
    init_handles(server);
    supervisor_open(&server->supervisor, &server->loop);
    watch_signals(server);
    enum exit_code code = startup_directories(server);
    if (code != EXIT_CODE_OK)
        return code;
    server->front = front_new(&server->host, &config->front, &config->jute);
    if (front_listen(server->front) != STATUS_OK)
        return EXIT_CODE_UNEXPECTED;
    code = startup_recover(server, &tree, &actor);
    if (code != EXIT_CODE_OK)
        return code;
    uv_update_time(&server->loop);
    struct replica_options options = replica_options_of(server);
    if (ensemble_distributed(config)) {
        peering_options(server);
        options.ensemble = &server->ensemble;
        options.history_bytes_max = HISTORY_BYTES_MAX;
        options.history_count_max = (size_t)config->ensemble.history_count;
    }
    options.traffic = server->traffic;
    server->traffic = NULL;
    server->replica = replica_new(&options, tree, now_ms(server));
    server->appended_zxid = tree_last_zxid(tree);
    server->host.replica = server->replica;
    start_threads(server, actor);
    peering_open(server);
    init_words(server);
    if (server->snapshot_wanted)
        server_snapshot_now(server);
    if (config->snapshot.purge_interval_ms > 0)
        uv_timer_start(&server->purge, on_purge, 0, (uint64_t)config->snapshot.purge_interval_ms);
    else
        log_info("purge", "Purge task is not scheduled.");
    return EXIT_CODE_OK;
}

void server_snapshot_now(struct server *server)
{
    struct replica_event event = {.kind = REPLICA_TICK};

    replica_request_snapshot(server->replica);
    step(server, &event);
}

enum exit_code server_run(struct server *server)
{
    front_serve(server->front);
    if (server->peers != NULL) {
        peers_start(server->peers);
        server->tick_due = true; /* the first step of a member: it looks, and dials the others */
        step_tick_if_due(server);
    } else {
        supervisor_status(&server->supervisor, "standalone: serving");
    }
    carry_out(server);
    supervisor_ready(&server->supervisor);
    uv_run(&server->loop, UV_RUN_DEFAULT);
    return server->exit_code;
}

static void close_handle(uv_handle_t *handle, void *context)
{
    (void)context;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

void server_close(struct server *server)
{
    if (server->front != NULL)
        front_close_all(server->front);
    if (server->peers != NULL)
        peers_close_all(server->peers);
    if (server->log != NULL)
        log_thread_stop(server->log);
    if (server->snapshots != NULL)
        snapshot_thread_stop(server->snapshots);
    uv_prepare_stop(&server->before_poll);
    uv_check_stop(&server->after_poll);
    uv_walk(&server->loop, close_handle, NULL);
    uv_run(&server->loop, UV_RUN_DEFAULT); /* connections free themselves when closed */
    if (server->log != NULL)
        log_thread_free(server->log);
    if (server->snapshots != NULL)
        snapshot_thread_free(server->snapshots);
    front_free(server->front);
    peering_free(server);
    if (server->replica != NULL)
        replica_free(server->replica);
    effects_deinit(&server->effects);
    buffer_deinit(&server->snapshot_part);
    metrics_deinit(&server->metrics);
    traffic_free(server->traffic);
    disk_posix_close(server->snapshot_disk);
    if (server->log_disk != server->data_disk)
        disk_posix_close(server->log_disk);
    disk_posix_close(server->data_disk);
    if (server->data_lock_fd >= 0)
        dir_unlock(server->data_lock_fd);
    if (server->log_lock_fd >= 0)
        dir_unlock(server->log_lock_fd);
    supervisor_close(&server->supervisor);
    mem_free(server->data_path);
    if (server->log_path != server->data_path)
        mem_free(server->log_path);
    uv_loop_close(&server->loop);
}
