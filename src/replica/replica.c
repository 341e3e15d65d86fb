/* replica.c: gives each event to the room that it concerns, and connects two rooms where they need
 * each other. It decides nothing that a room can decide. */
#include "replica/replica.h"

#include <stdlib.h>

/* When no event came for longer than this many ticks, the whole process was stopped. Every session
 * then gets its full timeout again: its pings may be waiting in the socket. */
enum { PAUSE_TICKS = 2 };
/* Of a packet between servers, beside the request or transaction in it: identities, a configuration. */
enum { PACKET_OVERHEAD_BYTES = 1 << 20 };

struct replica {
    struct replica_options options;
    struct step step;
    struct tree *tree;
    struct acl_rules acl;
    struct proposals *proposals;
    struct clients *clients;
    struct proposals_observer observer;
    struct ensemble *ensemble; /* NULL: alone */
};

/* --- birth and death --- */

static struct acl_rules acl_rules_of(const struct replica_options *options)
{
    return (struct acl_rules){.skip_acl = options->skip_acl,
                              .digest_enabled = options->digest_auth_enabled,
                              .ensemble_enabled = options->ensemble_auth,
                              .digest_algorithm = options->digest_algorithm,
                              .super_digest = options->super_digest,
                              .ensemble_names = options->ensemble_names};
}

static struct proposals_options proposals_options_of(const struct replica_options *options,
                                                     const struct acl_rules *acl)
{
    return (struct proposals_options){
        .rules = {.acl = *acl,
                  .enforce_quota = options->enforce_quota,
                  .reconfig_enabled = options->reconfig_enabled,
                  .close_unlisted = options->close_unlisted,
                  .text_bytes_max = options->text_bytes_max},
        .sessions = {.tick_ms = options->tick_ms,
                     .server_id = options->server_id,
                     .session_seed_ms = options->session_seed_ms,
                     .local = options->local_sessions},
        .local_upgrading = options->local_upgrading,
        .janitor = {.check_interval_ms = options->container_check_interval_ms,
                    .per_minute_max = options->container_per_minute_max,
                    .never_used_max_ms = options->container_never_used_max_ms,
                    .mutant = options->mutant},
        .snapshots = {.snap_count = options->snap_count,
                      .size_limit_bytes = options->snap_size_limit_bytes,
                      .last_zxid_section = options->snapshot_last_zxid_section,
                      .random_seed = options->random_seed},
        .ensemble = options->ensemble != NULL,
        .history_bytes_max = options->ensemble != NULL ? options->history_bytes_max : 0,
        .history_count_max = options->history_count_max};
}

static struct clients_options clients_options_of(const struct replica_options *options)
{
    return (struct clients_options){.session_timeout_min_ms = options->session_timeout_min_ms,
                                    .session_timeout_max_ms = options->session_timeout_max_ms,
                                    .text_bytes_max = options->text_bytes_max,
                                    .enforce_auth_schemes = options->enforce_auth_schemes,
                                    .outstanding_max = options->outstanding_max,
                                    .throttle_requests_max = options->throttle_requests_max,
                                    .throttle_stall_ms = options->throttle_stall_ms,
                                    .throttled_op_wait_ms = options->throttled_op_wait_ms,
                                    .throttle_drops_stale = !options->throttle_keeps_stale,
                                    .stale_connection_check = !options->stale_connections_pass,
                                    .stale_latency_check = options->stale_latency_check,
                                    .eager_acl_check = options->eager_acl_check,
                                    .local_sessions = options->local_sessions};
}

struct replica *replica_new(const struct replica_options *options, struct tree *tree,
                            int64_t now_ms)
{
    struct replica *replica = mem_zalloc(sizeof(*replica));

    replica->options = *options;
    replica->tree = tree;
    replica->acl = acl_rules_of(options);
    arena_init(&replica->step.arena);
    replica->step.traffic =
        options->traffic != NULL ? options->traffic : traffic_new(options->random_seed);
    replica->step.mutant = options->mutant;
    replica->step.now_ms = now_ms;
    replica->step.wall_ms = options->session_seed_ms;
    const struct proposals_options proposals = proposals_options_of(options, &replica->acl);
    const struct clients_options clients = clients_options_of(options);
    replica->proposals = proposals_new(&proposals, tree, &replica->step);
    replica->clients =
        clients_new(&clients, replica->proposals, tree, &replica->acl, &replica->step);
    replica->observer = clients_observer(replica->clients);
    if (options->ensemble != NULL)
        replica->ensemble =
            ensemble_new(options->ensemble, options->tick_ms,
                         options->text_bytes_max + PACKET_OVERHEAD_BYTES, &replica->step,
                         &replica->tree, replica->proposals, replica->clients, &replica->observer);
    return replica;
}

void replica_free(struct replica *replica)
{
    if (replica == NULL)
        return;
    ensemble_free(replica->ensemble);
    clients_free(replica->clients);
    proposals_free(replica->proposals);
    arena_deinit(&replica->step.arena);
    metrics_deinit(&replica->step.metrics);
    traffic_free(replica->step.traffic);
    tree_free(replica->tree);
    mem_free(replica);
}

/* --- a step --- */

static void set_time(struct replica *replica, const struct replica_event *event)
{
    int64_t elapsed_ms = event->now_ms - replica->step.now_ms;

    if (elapsed_ms > 0)
        replica->step.now_ms = event->now_ms;
    replica->step.wall_ms = event->wall_ms;
    if (elapsed_ms <= (int64_t)replica->options.tick_ms * PAUSE_TICKS)
        return;
    if (!mutant_is(replica->step.mutant, MUTANT_TOUCH_AFTER_EXPIRY))
        proposals_touch_all_sessions(replica->proposals);
    if (replica->ensemble != NULL)
        ensemble_stood_still(replica->ensemble, elapsed_ms);
}

static void tick(struct replica *replica)
{
    proposals_apply_agreed(replica->proposals, &replica->observer);
    clients_touch_paused(replica->clients);
    clients_expire_local(replica->clients);
    proposals_tick(replica->proposals);
    clients_admit_waiting(replica->clients);
}

static void begin_snapshot(struct replica *replica)
{
    if ((!proposals_half_applied(replica->proposals) ||
         mutant_is(replica->step.mutant, MUTANT_MULTI_PARTIAL_ZXID)) &&
        (replica->ensemble == NULL || ensemble_may_snapshot(replica->ensemble)) &&
        snapshots_begin(proposals_snapshots(replica->proposals))) {
        replica->step.effects->snapshot_begin = true;
        replica->step.effects->snapshot_awaited =
            replica->ensemble != NULL && ensemble_awaits_snapshot(replica->ensemble);
    }
}

static int64_t wake_at_ms(const struct replica *replica)
{
    int64_t proposals_ms = proposals_wake_at_ms(replica->proposals);
    int64_t clients_ms = clients_wake_at_ms(replica->clients);
    int64_t ensemble_ms =
        replica->ensemble == NULL ? INT64_MAX : ensemble_wake_at_ms(replica->ensemble);

    if (ensemble_ms < clients_ms)
        clients_ms = ensemble_ms;
    return proposals_ms < clients_ms ? proposals_ms : clients_ms;
}

void replica_step(struct replica *replica, const struct replica_event *event,
                  struct effects *effects)
{
    replica->step.effects = effects;
    set_time(replica, event);
    switch (event->kind) {
    case REPLICA_CLIENT_OPENED:
        clients_opened(replica->clients, event->client, event->address);
        break;
    case REPLICA_CLIENT_FRAME:
        clients_frame(replica->clients, event->client, event->bytes);
        break;
    case REPLICA_CLIENT_CLOSED:
        clients_gone(replica->clients, event->client);
        break;
    case REPLICA_CLIENT_READY:
        clients_ready(replica->clients, event->client);
        break;
    case REPLICA_LOG_SYNCED:
        proposals_durable(replica->proposals, event->zxid, &replica->observer);
        clients_admit_waiting(replica->clients);
        break;
    case REPLICA_SNAPSHOT_DONE:
        snapshots_done(proposals_snapshots(replica->proposals));
        if (replica->ensemble != NULL)
            ensemble_snapshot_done(replica->ensemble, event->status == STATUS_OK);
        break;
    case REPLICA_TICK:
        tick(replica);
        if (replica->ensemble != NULL)
            ensemble_step(replica->ensemble, event);
        break;
    case REPLICA_PEER_OPENED:
    case REPLICA_PEER_BYTES:
    case REPLICA_PEER_CLOSED:
    case REPLICA_PEER_READY:
    case REPLICA_STORE_DONE:
    case REPLICA_HISTORY:
    case REPLICA_ORACLE:
        ASSERT(replica->ensemble != NULL);
        ensemble_step(replica->ensemble, event);
        break;
    }
    if (replica->ensemble != NULL)
        ensemble_settle(replica->ensemble);
    arena_reset(&replica->step.arena);
    replica->step.effects = NULL;
}

/* What always holds when a turn ends. It looks at no znode, session or client one by one, so it costs nothing
 * that can be measured. */
static void check(const struct replica *replica)
{
    proposals_check_turn(replica->proposals);
    clients_check_turn(replica->clients);
    if (replica->ensemble != NULL)
        ensemble_check_turn(replica->ensemble);
}

void replica_end_turn(struct replica *replica, struct effects *effects)
{
    replica->step.effects = effects;
    if (replica->ensemble != NULL) {
        ensemble_end_turn(replica->ensemble);
        ensemble_settle(replica->ensemble);
    }
    begin_snapshot(replica);
    if (replica->ensemble != NULL)
        clients_admit_waiting(replica->clients);
    check(replica);
    arena_reset(&replica->step.arena);
    effects->wake_at_ms = wake_at_ms(replica);
    replica->step.effects = NULL;
}

/* --- snapshots --- */

enum image_part replica_snapshot_next(struct replica *replica, struct buffer *out, size_t bytes_max)
{
    return snapshots_next(proposals_snapshots(replica->proposals), out, bytes_max);
}

int64_t replica_snapshot_zxid(const struct replica *replica)
{
    return snapshots_zxid(proposals_snapshots(replica->proposals));
}

void replica_request_snapshot(struct replica *replica)
{
    snapshots_request(proposals_snapshots(replica->proposals));
}

/* --- looking in --- */

void replica_counts(const struct replica *replica, struct replica_counts *ret_counts)
{
    struct clients_counts clients = clients_count(replica->clients);

    *ret_counts = (struct replica_counts){
        .last_zxid = tree_last_zxid(replica->tree),
        .znodes = tree_node_count(replica->tree),
        .ephemerals = tree_ephemeral_count(replica->tree),
        .sessions = session_table_count(proposals_sessions(replica->proposals)->table),
        .local_sessions = session_table_count(proposals_sessions(replica->proposals)->local),
        .data_bytes = tree_data_bytes(replica->tree),
        .outstanding = clients.waiting + (int64_t)proposals_count(replica->proposals),
        .clients = clients,
    };
}

const struct metrics *replica_metrics(const struct replica *replica)
{
    return &replica->step.metrics;
}

const struct traffic *replica_traffic(const struct replica *replica)
{
    return replica->step.traffic;
}

/* To four digits behind the point, as AvgMinMaxCounter.java has it. */
static double average(const struct summary *summary)
{
    if (summary->count == 0)
        return 0;
    return (double)(int64_t)((double)summary->sum / (double)summary->count * 10000 + 0.5) / 10000;
}

static void set_states(const struct replica *replica, struct metrics *all)
{
    struct replica_counts counts;

    replica_counts(replica, &counts);
    metrics_set(all, METRIC_EPHEMERALS, counts.ephemerals);
    metrics_set(all, METRIC_OUTSTANDING, counts.outstanding);
    metrics_set(all, METRIC_ZNODES, counts.znodes + ROOT_COUNTED_AGAIN);
    metrics_set(all, METRIC_SESSIONS, counts.sessions);
    metrics_set(all, METRIC_LOCAL_SESSIONS, counts.local_sessions);
    metrics_set(all, METRIC_DATA_BYTES, (int64_t)counts.data_bytes + ROOT_COUNTED_AGAIN);
    metrics_set(all, METRIC_RESPONSE_LAST, counts.clients.response_last_bytes);
    metrics_set(all, METRIC_RESPONSE_MIN, counts.clients.response_min_bytes);
    metrics_set(all, METRIC_RESPONSE_MAX, counts.clients.response_max_bytes);
    metrics_set(all, METRIC_WATCHES, counts.clients.watches_all);
}

static void set_latency(struct metrics *all)
{
    struct summary latency = *metrics_summary(all, METRIC_READ_LATENCY);

    summary_merge(&latency, metrics_summary(all, METRIC_WRITE_LATENCY));
    metrics_set_real(all, METRIC_LATENCY_AVERAGE, average(&latency));
    metrics_set(all, METRIC_LATENCY_MIN, latency.min);
    metrics_set(all, METRIC_LATENCY_MAX, latency.max);
}

void replica_collect_metrics(const struct replica *replica, struct metrics *all)
{
    metrics_collect(all, &replica->step.metrics, METRICS_OF_REPLICA);
    set_states(replica, all);
    if (replica->ensemble != NULL)
        ensemble_collect_metrics(replica->ensemble, all);
    set_latency(all);
    int64_t prepared = metrics_number(all, METRIC_REQUESTS_PREPARED);
    int64_t requests = prepared + metrics_number(all, METRIC_REQUESTS_UNKNOWN);
    metrics_set(all, METRIC_REQUESTS_SYNCED, prepared);
    metrics_observe_times(all, METRIC_THROTTLE_LATENCY, 0, /* all that were not held back */
                          requests - metrics_summary(all, METRIC_THROTTLE_LATENCY)->count);
}

void replica_reset_stats(struct replica *replica)
{
    metrics_reset(&replica->step.metrics);
    clients_reset_stats(replica->clients);
    if (replica->ensemble != NULL)
        ensemble_reset_stats(replica->ensemble);
    traffic_reset(replica->step.traffic);
}

static int by_end_then_id(const void *left, const void *right)
{
    const struct session *a = *(const struct session *const *)left;
    const struct session *b = *(const struct session *const *)right;

    if (a->bucket_end_ms != b->bucket_end_ms)
        return a->bucket_end_ms < b->bucket_end_ms ? -1 : 1;
    return (a->id > b->id) - (a->id < b->id);
}

static void visit_table(const struct session_table *sessions, replica_visit_session *visit,
                        void *context)
{
    const struct session **sorted = mem_alloc(session_table_count(sessions) * sizeof(*sorted));
    const struct session *session;
    size_t cursor = 0, count = 0;

    while ((session = session_table_next(sessions, &cursor)) != NULL)
        sorted[count++] = session;
    qsort(sorted, count, sizeof(*sorted), by_end_then_id);
    for (size_t i = 0; i < count; i++)
        visit(context, sorted[i]->bucket_end_ms, sorted[i]->id);
    mem_free(sorted);
}

void replica_visit_sessions(const struct replica *replica, replica_visit_session *visit,
                            void *context)
{
    visit_table(proposals_sessions(replica->proposals)->table, visit, context);
}

void replica_visit_local_sessions(const struct replica *replica, replica_visit_session *visit,
                                  void *context)
{
    visit_table(proposals_sessions(replica->proposals)->local, visit, context);
}

void replica_visit_digests(const struct replica *replica, replica_visit_digest *visit,
                           void *context)
{
    const struct digest_mark *mark;
    uint64_t cursor = 0;

    while ((mark = tree_digest_mark_next(replica->tree, &cursor)) != NULL)
        visit(context, mark->zxid, mark->digest);
}

bool replica_ensemble(const struct replica *replica, struct ensemble_info *ret_info)
{
    if (replica->ensemble == NULL)
        return false;
    *ret_info = ensemble_info(replica->ensemble);
    return true;
}

bool replica_half_applied(const struct replica *replica)
{
    return proposals_half_applied(replica->proposals);
}

const struct tree *replica_tree(const struct replica *replica)
{
    return replica->tree;
}

const struct clients *replica_clients(const struct replica *replica)
{
    return replica->clients;
}

void replica_reset_client_stats(struct replica *replica)
{
    clients_reset_each(replica->clients);
}
