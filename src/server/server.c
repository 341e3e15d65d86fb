/* server.c: a server from its start to its end: its parts are made of the configuration, and signals end it.
 *
 * Between the two the loop has it (loop.c). */
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

enum {
    STOP_WAIT_MS = 5000, /* for a log that cannot be written at the end */
    /* Of transactions that are kept in memory for learners that come back. */
    HISTORY_BYTES_MAX = 64 << 20
};

/* --- what front and peer ask for --- */

static void host_begin_turn(struct host *host)
{
    loop_begin_turn(CONTAINER_OF(host, struct server, host));
}

static void host_step(struct host *host, struct replica_event *event)
{
    loop_step(CONTAINER_OF(host, struct server, host), event);
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

/* --- signals --- */

static void on_stop_deadline(uv_timer_t *timer)
{
    struct server *server = timer->data;

    log_warn("main",
             "the log could not be written before the server ended; the waiting writes were "
             "never acknowledged");
    loop_end(server);
}

static void on_stop_signal(uv_signal_t *handle, int signal_number)
{
    struct server *server = handle->data;

    if (server->stopping) {
        loop_end(server);
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
        .session_seed_ms = loop_wall_ms(server),
        .random_seed = seed,
        .text_bytes_max = (size_t)config->jute.buffer_bytes_max + (size_t)config->jute.extra_bytes,
        .enforce_quota = config->request.enforce_quota,
        .skip_acl = config->request.skip_acl,
        .reconfig_enabled = config->request.reconfig_enabled,
        .close_unlisted = !config->request.close_lists_paths,
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
        .throttle_keeps_stale = !config->request.throttle_drops_stale,
        .stale_connections_pass = !config->request.stale_connection_check,
        .stale_latency_check = config->request.stale_latency_check,
        .eager_acl_check = config->request.eager_acl_check,
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
    struct snapshot_thread_events events = loop_snapshot_events(server);
    struct log_thread_events log_events = loop_log_events(server);

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
    words->started_ms = host_now_ms(&server->host);
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

static void on_purge(uv_timer_t *timer)
{
    struct server *server = timer->data;

    snapshot_thread_purge(server->snapshots);
}

static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void request_snapshot(struct server *server)
{
    struct replica_event event = {.kind = REPLICA_TICK};

    replica_request_snapshot(server->replica);
    loop_step(server, &event);
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
    loop_open(server);
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
    server->replica = replica_new(&options, tree, host_now_ms(&server->host));
    server->appended_zxid = tree_last_zxid(tree);
    server->host.replica = server->replica;
    start_threads(server, actor);
    peering_open(server);
    init_words(server);
    if (server->snapshot_wanted)
        request_snapshot(server);
    if (config->snapshot.purge_interval_ms > 0)
        uv_timer_start(&server->purge, on_purge, 0, (uint64_t)config->snapshot.purge_interval_ms);
    else
        log_info("purge", "Purge task is not scheduled.");
    return EXIT_CODE_OK;
}

enum exit_code server_run(struct server *server)
{
    front_serve(server->front);
    if (server->peers != NULL)
        peers_start(server->peers);
    else
        supervisor_status(&server->supervisor, "standalone: serving");
    loop_carry_out(server);
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
