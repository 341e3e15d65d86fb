/* mntr.c: the mntr word: what can be measured here, and honest zeros for the names that monitors
 * know and that mean nothing in this program. */
#include "server/words/words_internal.h"

#include "server/config/version.h"
#include "server/words/java_text.h"

#include <dirent.h>
#include <sys/resource.h>

static const char *const zero_counters[] = {
    "proposal_count",
    "stale_requests_dropped",
    "insecure_admin_count",
    "cnxn_closed_without_zk_server_running",
    "looking_count",
    "dead_watchers_queued",
    "stale_requests",
    "learner_proposal_received_count",
    "dead_watchers_cleared",
    "response_packet_cache_hits",
    "add_dead_watcher_stall_time",
    "requests_not_forwarded_to_commit_processor",
    "response_packet_cache_misses",
    "ensemble_auth_success",
    "learner_commit_received_count",
    "stale_replies",
    "ensemble_auth_fail",
    "diff_count",
    "response_packet_get_children_cache_misses",
    "quit_leading_due_to_disloyal_voter",
    "snap_count",
    "unrecoverable_error_count",
    "unsuccessful_handshake",
    "commit_count",
    "response_packet_get_children_cache_hits",
    "request_commit_queued",
    "ensemble_auth_skip",
    "skip_learner_request_to_next_processor_count",
    "tls_handshake_exceeded",
    "revalidate_count",
    "restore_error_count",
    "restore_rate_limited_count",
    "snapshot_error_count",
    "snapshot_rate_limited_count",
};
static const char *const zero_summaries[] = {
    "socket_closing_time",
    "proposal_process_time",
    "leader_unavailable_time",
    "session_queues_drained",
    "write_commit_proc_req_queued",
    "read_commit_proc_req_queued",
    "follower_sync_time",
    "prep_processor_queue_size",
    "inflight_snap_count",
    "reads_issued_from_session_queue",
    "learner_request_processor_queue_size",
    "unavailable_time",
    "reads_after_write_in_session_queue",
    "requests_in_session_queue",
    "write_commit_proc_issued",
    "prep_process_time",
    "pending_session_queue_size",
    "time_waiting_empty_pool_in_commit_processor_read_ms",
    "commit_process_time",
    "inflight_diff_count",
    "netty_queued_buffer_capacity",
    "election_time",
    "commit_commit_proc_req_queued",
    "write_batch_time_in_commit_processor",
    "read_commit_proc_issued",
    "concurrent_request_processing_in_commit_processor",
    "observer_sync_time",
    "restore_time",
};
static const char *const zero_percentiles[] = {
    "prep_processor_queue_time_ms",
    "jvm_pause_time_ms",
    "close_session_prep_time",
    "read_commitproc_time_ms",
    "local_write_committed_time_ms",
    "quorum_ack_latency",
    "om_commit_process_time_ms",
    "read_final_proc_time_ms",
    "commit_propagation_latency",
    "dead_watchers_cleaner_latency",
    "write_final_proc_time_ms",
    "proposal_ack_creation_latency",
    "proposal_latency",
    "om_proposal_process_time_ms",
    "server_write_committed_time_ms",
    "write_commitproc_time_ms",
};

static const struct summary nothing;

static void put_number(struct buffer *out, const char *name, int64_t value)
{
    buffer_printf(out, "zk_%s\t%lld\n", name, (long long)value);
}

static void put_summary(struct buffer *out, const char *name, const struct summary *summary)
{
    buffer_printf(out, "zk_avg_%s\t", name);
    java_put_average(out, summary->sum, summary->count);
    buffer_printf(out, "\nzk_min_%s\t%lld\nzk_max_%s\t%lld\nzk_cnt_%s\t%lld\nzk_sum_%s\t%lld\n",
                  name, (long long)summary->min, name, (long long)summary->max, name,
                  (long long)summary->count, name, (long long)summary->sum);
}

static void put_percentiles(struct buffer *out, const char *name, const struct summary *summary)
{
    put_summary(out, name, summary);
    buffer_printf(out, "zk_p50_%s\t%lld\nzk_p95_%s\t%lld\nzk_p99_%s\t%lld\nzk_p999_%s\t%lld\n",
                  name, (long long)summary_percentile(summary, 0.5), name,
                  (long long)summary_percentile(summary, 0.95), name,
                  (long long)summary_percentile(summary, 0.99), name,
                  (long long)summary_percentile(summary, 0.999));
}

static void put_traffic(struct buffer *out, struct slice name, const char *kind,
                        const struct tree_traffic *traffic)
{
    if (!traffic->known)
        return;
    struct buffer set = {0};
    buffer_append(&set, name);
    buffer_printf(&set, "_%s_per_namespace", kind);
    buffer_u8(&set, 0);
    const struct summary summary = {
        .count = traffic->count, .sum = traffic->sum, .min = traffic->min, .max = traffic->max};
    put_summary(out, (const char *)set.data, &summary);
    buffer_deinit(&set);
}

static void put_of_namespace(struct buffer *out, struct slice name, const char *what, int64_t value)
{
    buffer_append(out, SLICE("zk_"));
    buffer_append(out, name);
    buffer_printf(out, "_%s_per_namespace\t%lld\n", what, (long long)value);
}

static void put_quota(void *context, struct slice name, const struct tree_quota_sum *sum)
{
    struct buffer *out = context;

    if (sum->limited) {
        put_of_namespace(out, name, "quota_count_limit", sum->count_limit);
        put_of_namespace(out, name, "quota_bytes_limit", sum->bytes_limit);
    }
    if (sum->counted) {
        put_of_namespace(out, name, "quota_count_usage", sum->count);
        put_of_namespace(out, name, "quota_bytes_usage", sum->bytes);
    }
}

static void put_namespaces(const struct tree *tree, struct buffer *out)
{
    for (const struct tree_namespace *at = tree_namespaces(tree); at != NULL; at = at->older) {
        put_traffic(out, at->name, "read", &at->read);
        put_traffic(out, at->name, "write", &at->write);
        if (at->quota_known)
            put_of_namespace(out, at->name, "quota_exceeded_error", at->quota_exceeded);
    }
    tree_quota_visit_all(tree, put_quota, out);
}

static int64_t open_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    int64_t count = -4; /* ".", "..", this one, and the first step */

    if (directory == NULL)
        return 0;
    do {
        count++;
    } while (readdir(directory) != NULL);
    closedir(directory);
    return count;
}

static void put_gauges(const struct words *words, const struct replica_counts *counts,
                       struct buffer *out)
{
    const struct front_metrics *front = front_metrics(words->front);
    struct rlimit limit = {0};

    (void)getrlimit(RLIMIT_NOFILE, &limit);
    put_number(out, "ephemerals_count", counts->ephemerals);
    put_number(out, "num_alive_connections", front_connection_count(words->front));
    buffer_printf(out, "zk_avg_latency\t");
    java_put_average(out, counts->latency_sum_ms, counts->latency_count);
    buffer_printf(out, "\n");
    put_number(out, "outstanding_requests", counts->outstanding);
    put_number(out, "znode_count", counts->znodes + ROOT_COUNTED_AGAIN);
    put_number(out, "global_sessions", counts->sessions);
    put_number(out, "non_mtls_remote_conn_count", 0);
    put_number(out, "last_client_response_size", counts->clients.response_last_bytes);
    put_number(out, "packets_sent", counts->clients.packets_sent + front->four_letter_sent);
    put_number(out, "packets_received",
               counts->clients.packets_received + front->four_letter_received);
    put_number(out, "max_client_response_size", counts->clients.response_max_bytes);
    buffer_printf(out, "zk_connection_drop_probability\t");
    java_put_double(out, front_drop_probability(words->front));
    buffer_printf(out, "\n");
    put_number(out, "watch_count", counts->clients.watches_all);
    put_number(out, "auth_failed_count", 0); /* of TLS certificates, nothing else */
    put_number(out, "min_latency", counts->latency_min_ms);
    put_number(out, "max_file_descriptor_count", (int64_t)limit.rlim_cur);
    put_number(out, "approximate_data_size", (int64_t)counts->data_bytes + ROOT_COUNTED_AGAIN);
    put_number(out, "open_file_descriptor_count", open_descriptors());
    put_number(out, "local_sessions", 0);
    put_number(out, "uptime", host_now_ms(words->host) - words->started_ms);
    put_number(out, "max_latency", counts->latency_max_ms);
    put_number(out, "outstanding_tls_handshake", 0);
    put_number(out, "min_client_response_size", counts->clients.response_min_bytes);
    put_number(out, "non_mtls_local_conn_count", 0);
}

void words_put_metrics(const struct words *words, struct buffer *out)
{
    const struct front_metrics *front = front_metrics(words->front);
    struct replica_counts counts;
    struct log_thread_stats log;
    struct summary snapshots, load = {0}, snapshot_load = {0}, replay = {0}, replayed = {0};

    replica_counts(words->replica, &counts);
    const struct metrics *replica = replica_metrics(words->replica);
    log_thread_stats(words->log, &log);
    snapshot_thread_times(words->snapshots, &snapshots);
    struct summary throttle = *metrics_summary(replica, METRIC_THROTTLE_LATENCY);
    summary_add_times(&throttle, 0, /* all that were not held back */
                      replica->values[METRIC_REQUESTS_PREPARED] +
                          replica->values[METRIC_REQUESTS_UNKNOWN] - throttle.count);
    if (!words->start_forgotten) {
        summary_add(&load, words->start.load_ms);
        summary_add(&snapshot_load, words->start.snapshot_load_ms);
    }
    if (!words->start_forgotten && words->start.replayed > 0) {
        summary_add(&replay, words->start.replay_ms);
        summary_add(&replayed, (int64_t)words->start.replayed);
    }
    const struct {
        const char *name;
        int64_t value;
    } counters[] = {
        {"watch_bytes", replica->values[METRIC_WATCH_BYTES]},
        {"throttled_ops", replica->values[METRIC_THROTTLED_OPS]},
        {"request_throttle_wait_count", replica->values[METRIC_REQUESTS_THROTTLED]},
        {"large_requests_rejected", front->large_requests_rejected},
        {"connection_rejected", front->connections_rejected},
        {"sessionless_connections_expired", front->sessionless_expired},
        {"connection_drop_count", front->connections_dropped},
        {"digest_mismatches_count", replica->values[METRIC_DIGEST_MISMATCHES]},
        {"bytes_received_count", front->bytes_received},
        {"prep_processor_request_queued", replica->values[METRIC_REQUESTS_PREPARED]},
        {"connection_request_count", front->connect_requests},
        {"response_bytes", replica->values[METRIC_RESPONSE_BYTES]},
        {"connection_revalidate_count", replica->values[METRIC_REVALIDATIONS]},
        {"sync_processor_request_queued", replica->values[METRIC_REQUESTS_PREPARED]},
        {"outstanding_changes_queued", counts.changes_queued},
        {"outstanding_changes_removed", counts.changes_applied},
        {"stale_sessions_expired", replica->values[METRIC_SESSIONS_EXPIRED]},
    };
    const struct {
        const char *name;
        const struct summary *summary;
    } summaries[] =
        {
            {"connection_token_deficit", &front->token_deficit},
            {"startup_txns_load_time", &replay},
            {"sync_processor_queue_size", &log.queue_records},
            {"fsynctime", &log.fsync_ms},
            {"snapshottime", &snapshots},
            {"startup_txns_loaded", &replayed},
            {"dbinittime", &load},
            {"sync_processor_batch_size", &log.batch_records},
            {"sync_process_time", &log.flush_ms},
            {"startup_snap_load_time", &snapshot_load},
            {"node_created_watch_count", metrics_summary(replica, METRIC_WATCHERS_CREATED)},
            {"node_deleted_watch_count", metrics_summary(replica, METRIC_WATCHERS_DELETED)},
            {"node_changed_watch_count", metrics_summary(replica, METRIC_WATCHERS_CHANGED)},
            {"node_children_watch_count", metrics_summary(replica, METRIC_WATCHERS_CHILDREN)},
        },
      percentiles[] = {
          {"readlatency", metrics_summary(replica, METRIC_READ_LATENCY)},
          {"updatelatency", metrics_summary(replica, METRIC_WRITE_LATENCY)},
          {"propagation_latency", metrics_summary(replica, METRIC_PROPAGATION_LATENCY)},
          {"request_throttle_queue_time_ms", &throttle},
          {"sync_processor_queue_and_flush_time_ms", &log.queue_flush_ms},
          {"sync_processor_queue_flush_time_ms", &log.flush_ms},
          {"sync_processor_queue_time_ms", &log.queue_ms},
      };

    buffer_printf(out, "zk_version\t%s\nzk_server_state\t%s\n", VERSION_LINE, words_mode(words));
    put_gauges(words, &counts, out);
    for (size_t i = 0; i < ARRAY_LEN(counters); i++)
        put_number(out, counters[i].name, counters[i].value);
    for (size_t i = 0; i < ARRAY_LEN(zero_counters); i++)
        put_number(out, zero_counters[i], 0);
    for (size_t i = 0; i < ARRAY_LEN(summaries); i++)
        put_summary(out, summaries[i].name, summaries[i].summary);
    for (size_t i = 0; i < ARRAY_LEN(zero_summaries); i++)
        put_summary(out, zero_summaries[i], &nothing);
    for (size_t i = 0; i < ARRAY_LEN(percentiles); i++)
        put_percentiles(out, percentiles[i].name, percentiles[i].summary);
    for (size_t i = 0; i < ARRAY_LEN(zero_percentiles); i++)
        put_percentiles(out, zero_percentiles[i], &nothing);
    put_namespaces(replica_tree(words->replica), out);
}
