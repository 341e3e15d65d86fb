/* table.h: every metric, one row each: METRIC(id, "name", KIND, "unit", "help").
 *
 * The id is what code counts by; the name is what operators see, with "zk_" before it in mntr. */
#ifndef METRICS_TABLE_H
#define METRICS_TABLE_H

/* clang-format off */
#define METRICS_TABLE(METRIC) \
    METRIC(WATCH_BYTES, "watch_bytes", METRIC_COUNTER, "bytes", "Bytes of watch events sent to clients.") \
    METRIC(THROTTLED_OPS, "throttled_ops", METRIC_COUNTER, "requests", "Requests answered with ThrottledOp because they waited too long.") \
    METRIC(REQUESTS_THROTTLED, "request_throttle_wait_count", METRIC_COUNTER, "requests", "Requests that the request throttle held back.") \
    METRIC(DIGEST_MISMATCHES, "digest_mismatches_count", METRIC_COUNTER, "transactions", "Transactions after which the tree's digest was not the one in the transaction.") \
    METRIC(REQUESTS_PREPARED, "prep_processor_request_queued", METRIC_COUNTER, "requests", "Requests that were decided: read, or judged and proposed.") \
    METRIC(RESPONSE_BYTES, "response_bytes", METRIC_COUNTER, "bytes", "Bytes of all answers to requests but pings.") \
    METRIC(REVALIDATIONS, "connection_revalidate_count", METRIC_COUNTER, "connections", "Connections that asked for a session they had before.") \
    METRIC(SESSIONS_EXPIRED, "stale_sessions_expired", METRIC_COUNTER, "sessions", "Sessions that expired.") \
    METRIC(REQUESTS_UNKNOWN, "unknown_requests", METRIC_COUNTER, "requests", "Requests of no known operation.") \
    METRIC(WATCHERS_CREATED, "node_created_watch_count", METRIC_SUMMARY, "watchers", "How many watchers waited for the creation of a znode.") \
    METRIC(WATCHERS_DELETED, "node_deleted_watch_count", METRIC_SUMMARY, "watchers", "How many watchers waited for the deletion of a znode.") \
    METRIC(WATCHERS_CHANGED, "node_changed_watch_count", METRIC_SUMMARY, "watchers", "How many watchers waited for a change of a znode's data.") \
    METRIC(WATCHERS_CHILDREN, "node_children_watch_count", METRIC_SUMMARY, "watchers", "How many watchers waited for a change of a znode's children.") \
    METRIC(READ_LATENCY, "readlatency", METRIC_PERCENTILES, "ms", "From a read's arrival to its answer.") \
    METRIC(WRITE_LATENCY, "updatelatency", METRIC_PERCENTILES, "ms", "From a write's arrival to its answer.") \
    METRIC(PROPAGATION_LATENCY, "propagation_latency", METRIC_PERCENTILES, "ms", "From a transaction's proposal to its being applied here.") \
    METRIC(THROTTLE_LATENCY, "request_throttle_queue_time_ms", METRIC_PERCENTILES, "ms", "How long the request throttle held requests back.")
/* clang-format on */

#endif
