/* table.h: every metric, one row each: METRIC(id, owner, "name", kind, "unit", "help").
 *
 * The id is what code counts by; the name is what operators see, with "zk_" before it in mntr. The
 * owner counts it. A metric of NOBODY exists because monitors look for its name; it has no meaning
 * here, or not yet, and is shown as 0. Names that ZooKeeper does not have begin with "paddock_".
 *
 * The order is the order in which mntr shows them. Some are of a leader or of a member of an ensemble
 * only: metric_is_of_role(). */
#ifndef METRICS_TABLE_H
#define METRICS_TABLE_H

/* clang-format off */
/* States. */
#define METRICS_TABLE_STATES(METRIC) \
    METRIC(EPHEMERALS, REPLICA, "ephemerals_count", GAUGE, "znodes", "Ephemeral znodes.") \
    METRIC(CONNECTIONS, FRONT, "num_alive_connections", GAUGE, "connections", "Connections of clients.") \
    METRIC(LATENCY_AVERAGE, REPLICA, "avg_latency", REAL, "ms", "From a request's arrival to its answer, on average since srst.") \
    METRIC(PROPOSAL_SIZE_MIN, REPLICA, "min_proposal_size", GAUGE, "bytes", "Size of the smallest transaction that this leader proposed; -1: none since srst.") \
    METRIC(OUTSTANDING, REPLICA, "outstanding_requests", GAUGE, "requests", "Requests that were taken in and are not answered yet.") \
    METRIC(ZNODES, REPLICA, "znode_count", GAUGE, "znodes", "Znodes; the root counts twice, as in ZooKeeper.") \
    METRIC(SESSIONS, REPLICA, "global_sessions", GAUGE, "sessions", "Sessions that are alive.") \
    METRIC(NON_MTLS_REMOTE, NOBODY, "non_mtls_remote_conn_count", GAUGE, "connections", "Connections from other hosts without a certificate.") \
    METRIC(RESPONSE_LAST, REPLICA, "last_client_response_size", GAUGE, "bytes", "Size of the last answer or event; -1: none since srst.") \
    METRIC(PACKETS_SENT, FRONT, "packets_sent", COUNTER, "packets", "Answers, events and pieces of answers to four-letter words that were sent.") \
    METRIC(PACKETS_RECEIVED, FRONT, "packets_received", COUNTER, "packets", "Requests and four-letter words that came in.") \
    METRIC(PROPOSAL_SIZE_MAX, REPLICA, "max_proposal_size", GAUGE, "bytes", "Size of the largest transaction that this leader proposed; -1: none since srst.") \
    METRIC(RESPONSE_MAX, REPLICA, "max_client_response_size", GAUGE, "bytes", "Size of the largest answer or event; -1: none since srst.") \
    METRIC(SYNCED_FOLLOWERS, REPLICA, "synced_followers", GAUGE, "servers", "Followers that have this leader's history, without it.") \
    METRIC(DROP_PROBABILITY, FRONT, "connection_drop_probability", REAL, "", "How likely the connection throttle refuses a connection at random.") \
    METRIC(WATCHES, REPLICA, "watch_count", GAUGE, "watches", "Watches that are set.") \
    METRIC(SYNCED_NON_VOTING, REPLICA, "synced_non_voting_followers", GAUGE, "servers", "Those of them that do not vote.") \
    METRIC(SYNCED_OBSERVERS, REPLICA, "synced_observers", GAUGE, "servers", "Observers that learn from this server and have its history.") \
    METRIC(AUTH_FAILED, NOBODY, "auth_failed_count", GAUGE, "connections", "TLS certificates that were refused.") \
    METRIC(LATENCY_MIN, REPLICA, "min_latency", GAUGE, "ms", "From a request's arrival to its answer, at least since srst.") \
    METRIC(DESCRIPTORS_MAX, SERVER, "max_file_descriptor_count", GAUGE, "descriptors", "File descriptors that the process may open.") \
    METRIC(DATA_BYTES, REPLICA, "approximate_data_size", GAUGE, "bytes", "Paths and data of all znodes.") \
    METRIC(DESCRIPTORS, SERVER, "open_file_descriptor_count", GAUGE, "descriptors", "File descriptors that are open.") \
    METRIC(PROPOSAL_SIZE_LAST, REPLICA, "last_proposal_size", GAUGE, "bytes", "Size of the last transaction that this leader proposed; -1: none since srst.") \
    METRIC(PENDING_SYNCS, REPLICA, "pending_syncs", GAUGE, "requests", "Syncs that this leader has not answered.") \
    METRIC(LEADER_UPTIME, REPLICA, "leader_uptime", GAUGE, "ms", "Since this leader began to serve.") \
    METRIC(LOCAL_SESSIONS, REPLICA, "local_sessions", GAUGE, "sessions", "Sessions that only one server of an ensemble knows.") \
    METRIC(UPTIME, SERVER, "uptime", GAUGE, "ms", "Since serving began.") \
    METRIC(LATENCY_MAX, REPLICA, "max_latency", GAUGE, "ms", "From a request's arrival to its answer, at most since srst.") \
    METRIC(OUTSTANDING_TLS, NOBODY, "outstanding_tls_handshake", GAUGE, "connections", "TLS handshakes that are not finished.") \
    METRIC(LEARNERS, REPLICA, "learners", GAUGE, "servers", "Followers and observers that are connected to this leader.") \
    METRIC(RESPONSE_MIN, REPLICA, "min_client_response_size", GAUGE, "bytes", "Size of the smallest answer or event; -1: none since srst.") \
    METRIC(NON_MTLS_LOCAL, NOBODY, "non_mtls_local_conn_count", GAUGE, "connections", "Connections from this host without a certificate.") \
    METRIC(QUORUM_SIZE, REPLICA, "quorum_size", GAUGE, "servers", "Voters of the ensemble.")

/* Counters. */
#define METRICS_TABLE_COUNTERS(METRIC) \
    METRIC(WATCH_BYTES, REPLICA, "watch_bytes", COUNTER, "bytes", "Bytes of watch events sent to clients.") \
    METRIC(THROTTLED_OPS, REPLICA, "throttled_ops", COUNTER, "requests", "Requests answered with ThrottledOp because they waited too long.") \
    METRIC(REQUESTS_THROTTLED, REPLICA, "request_throttle_wait_count", COUNTER, "requests", "Requests that the request throttle held back.") \
    METRIC(LARGE_REQUESTS_REJECTED, FRONT, "large_requests_rejected", COUNTER, "requests", "Requests refused because large ones in progress had taken largeRequestMaxBytes.") \
    METRIC(CONNECTIONS_REJECTED, FRONT, "connection_rejected", COUNTER, "connections", "Connections refused by a limit or by the connection throttle.") \
    METRIC(SESSIONLESS_EXPIRED, FRONT, "sessionless_connections_expired", COUNTER, "connections", "Connections closed because no session began on them.") \
    METRIC(CONNECTIONS_DROPPED, FRONT, "connection_drop_count", COUNTER, "connections", "Connections that the other side ended while we would have gone on.") \
    METRIC(DIGEST_MISMATCHES, REPLICA, "digest_mismatches_count", COUNTER, "transactions", "Transactions after which the tree's digest was not the one in the transaction.") \
    METRIC(BYTES_RECEIVED, FRONT, "bytes_received_count", COUNTER, "bytes", "Bytes of all requests and four-letter words.") \
    METRIC(REQUESTS_PREPARED, REPLICA, "prep_processor_request_queued", COUNTER, "requests", "Requests that were decided: read, or judged and proposed.") \
    METRIC(CONNECT_REQUESTS, FRONT, "connection_request_count", COUNTER, "connections", "Connections that asked for a session.") \
    METRIC(RESPONSE_BYTES, REPLICA, "response_bytes", COUNTER, "bytes", "Bytes of all answers to requests but pings.") \
    METRIC(REVALIDATIONS, REPLICA, "connection_revalidate_count", COUNTER, "connections", "Connections that asked for a session they had before.") \
    METRIC(REQUESTS_SYNCED, REPLICA, "sync_processor_request_queued", COUNTER, "requests", "The same as prep_processor_request_queued: in ZooKeeper reads pass the log's queue, too.") \
    METRIC(CHANGES_QUEUED, REPLICA, "outstanding_changes_queued", COUNTER, "changes", "Changes of znodes that were proposed.") \
    METRIC(CHANGES_APPLIED, REPLICA, "outstanding_changes_removed", COUNTER, "changes", "Changes of znodes that were proposed and then applied.") \
    METRIC(SESSIONS_EXPIRED, REPLICA, "stale_sessions_expired", COUNTER, "sessions", "Sessions that expired.") \
    METRIC(PROPOSAL_COUNT, REPLICA, "proposal_count", COUNTER, "", "Transactions that this server proposed as leader.") \
    METRIC(STALE_REQUESTS_DROPPED, REPLICA, "stale_requests_dropped", COUNTER, "", "Requests that were held back, and dropped because nobody waited for them any more.") \
    METRIC(INSECURE_ADMIN_COUNT, NOBODY, "insecure_admin_count", COUNTER, "", "Requests to the AdminServer without TLS.") \
    METRIC(CNXN_CLOSED_WITHOUT_ZK_SERVER_RUNNING, NOBODY, "cnxn_closed_without_zk_server_running", COUNTER, "", "Connections closed because no server was running.") \
    METRIC(LOOKING_COUNT, REPLICA, "looking_count", COUNTER, "", "Times that this server began to look for a leader.") \
    METRIC(DEAD_WATCHERS_QUEUED, NOBODY, "dead_watchers_queued", COUNTER, "", "Closed connections whose watches were to be removed.") \
    METRIC(STALE_REQUESTS, REPLICA, "stale_requests", COUNTER, "", "Requests that were held back, and executed although nobody waited for them any more.") \
    METRIC(LEARNER_PROPOSAL_RECEIVED_COUNT, REPLICA, "learner_proposal_received_count", COUNTER, "", "Proposals that came from the leader while this server followed it.") \
    METRIC(DEAD_WATCHERS_CLEARED, NOBODY, "dead_watchers_cleared", COUNTER, "", "Closed connections whose watches were removed.") \
    METRIC(RESPONSE_PACKET_CACHE_HITS, NOBODY, "response_packet_cache_hits", COUNTER, "", "Answers taken from the cache of answers.") \
    METRIC(ADD_DEAD_WATCHER_STALL_TIME, NOBODY, "add_dead_watcher_stall_time", COUNTER, "", "Time spent waiting to queue closed connections.") \
    METRIC(REQUESTS_NOT_FORWARDED_TO_COMMIT_PROCESSOR, NOBODY, "requests_not_forwarded_to_commit_processor", COUNTER, "", "Requests that the leader answered itself.") \
    METRIC(RESPONSE_PACKET_CACHE_MISSES, NOBODY, "response_packet_cache_misses", COUNTER, "", "Answers not found in the cache of answers.") \
    METRIC(ENSEMBLE_AUTH_SUCCESS, NOBODY, "ensemble_auth_success", COUNTER, "", "Clients that named the right ensemble.") \
    METRIC(LEARNER_COMMIT_RECEIVED_COUNT, REPLICA, "learner_commit_received_count", COUNTER, "", "Commits that came from the leader while this server followed or observed it.") \
    METRIC(STALE_REPLIES, REPLICA, "stale_replies", COUNTER, "", "Answers for which nobody waited any more.") \
    METRIC(ENSEMBLE_AUTH_FAIL, NOBODY, "ensemble_auth_fail", COUNTER, "", "Clients that named a wrong ensemble.") \
    METRIC(DIFF_COUNT, REPLICA, "diff_count", COUNTER, "", "Learners that this leader brought up to date with transactions, or by taking some back.") \
    METRIC(RESPONSE_PACKET_GET_CHILDREN_CACHE_MISSES, NOBODY, "response_packet_get_children_cache_misses", COUNTER, "", "Lists of children not found in the cache of answers.") \
    METRIC(QUIT_LEADING_DUE_TO_DISLOYAL_VOTER, NOBODY, "quit_leading_due_to_disloyal_voter", COUNTER, "", "Times that a leader gave up because a voter had left it.") \
    METRIC(SNAP_COUNT, REPLICA, "snap_count", COUNTER, "", "Learners that this leader brought up to date with a snapshot.") \
    METRIC(UNRECOVERABLE_ERROR_COUNT, NOBODY, "unrecoverable_error_count", COUNTER, "", "Errors that ended the server.") \
    METRIC(UNSUCCESSFUL_HANDSHAKE, NOBODY, "unsuccessful_handshake", COUNTER, "", "TLS handshakes that failed.") \
    METRIC(COMMIT_COUNT, REPLICA, "commit_count", COUNTER, "", "Transactions that this server committed as leader.") \
    METRIC(RESPONSE_PACKET_GET_CHILDREN_CACHE_HITS, NOBODY, "response_packet_get_children_cache_hits", COUNTER, "", "Lists of children taken from the cache of answers.") \
    METRIC(REQUEST_COMMIT_QUEUED, REPLICA, "request_commit_queued", COUNTER, "", "Commits, of this server as leader or from its leader.") \
    METRIC(ENSEMBLE_AUTH_SKIP, NOBODY, "ensemble_auth_skip", COUNTER, "", "Clients that named no ensemble.") \
    METRIC(SKIP_LEARNER_REQUEST_TO_NEXT_PROCESSOR_COUNT, NOBODY, "skip_learner_request_to_next_processor_count", COUNTER, "", "Requests of learners that were only forwarded.") \
    METRIC(TLS_HANDSHAKE_EXCEEDED, NOBODY, "tls_handshake_exceeded", COUNTER, "", "Connections refused because too many TLS handshakes were going on.") \
    METRIC(REVALIDATE_COUNT, REPLICA, "revalidate_count", COUNTER, "", "Sessions that a learner asked this leader about.") \
    METRIC(RESTORE_ERROR_COUNT, NOBODY, "restore_error_count", COUNTER, "", "Restores through the AdminServer that failed.") \
    METRIC(RESTORE_RATE_LIMITED_COUNT, NOBODY, "restore_rate_limited_count", COUNTER, "", "Restores through the AdminServer that came too soon.") \
    METRIC(SNAPSHOT_ERROR_COUNT, NOBODY, "snapshot_error_count", COUNTER, "", "Snapshots through the AdminServer that failed.") \
    METRIC(SNAPSHOT_RATE_LIMITED_COUNT, NOBODY, "snapshot_rate_limited_count", COUNTER, "", "Snapshots through the AdminServer that came too soon.")

/* Sizes and times. */
#define METRICS_TABLE_SUMMARIES(METRIC) \
    METRIC(TOKEN_DEFICIT, FRONT, "connection_token_deficit", SUMMARY, "tokens", "Tokens that the connection throttle lacked when a session was asked for.") \
    METRIC(REPLAY_TIME, SERVER, "startup_txns_load_time", SUMMARY, "ms", "Replay of the log at the start.") \
    METRIC(LOG_QUEUE_RECORDS, LOG, "sync_processor_queue_size", SUMMARY, "records", "Records that waited when the log thread looked.") \
    METRIC(FSYNC_TIME, LOG, "fsynctime", SUMMARY, "ms", "One sync of the log.") \
    METRIC(SNAPSHOT_TIME, SNAPSHOTS, "snapshottime", SUMMARY, "ms", "Writing one snapshot.") \
    METRIC(REPLAYED, SERVER, "startup_txns_loaded", SUMMARY, "transactions", "Transactions replayed at the start.") \
    METRIC(LOAD_TIME, SERVER, "dbinittime", SUMMARY, "ms", "From the first file read to the whole tree, at the start.") \
    METRIC(LOG_BATCH_RECORDS, LOG, "sync_processor_batch_size", SUMMARY, "records", "Records written with one sync.") \
    METRIC(LOG_PROCESS_TIME, LOG, "sync_process_time", SUMMARY, "ms", "Write and sync of one batch.") \
    METRIC(SNAPSHOT_LOAD_TIME, SERVER, "startup_snap_load_time", SUMMARY, "ms", "Loading the snapshot at the start.") \
    METRIC(WATCHERS_CREATED, REPLICA, "node_created_watch_count", SUMMARY, "watchers", "How many watchers waited for the creation of a znode.") \
    METRIC(WATCHERS_DELETED, REPLICA, "node_deleted_watch_count", SUMMARY, "watchers", "How many watchers waited for the deletion of a znode.") \
    METRIC(WATCHERS_CHANGED, REPLICA, "node_changed_watch_count", SUMMARY, "watchers", "How many watchers waited for a change of a znode's data.") \
    METRIC(WATCHERS_CHILDREN, REPLICA, "node_children_watch_count", SUMMARY, "watchers", "How many watchers waited for a change of a znode's children.") \
    METRIC(SOCKET_CLOSING_TIME, NOBODY, "socket_closing_time", SUMMARY, "ms", "Closing a socket.") \
    METRIC(PROPOSAL_PROCESS_TIME, NOBODY, "proposal_process_time", SUMMARY, "ms", "Handing a proposal on.") \
    METRIC(LEADER_UNAVAILABLE_TIME, REPLICA, "leader_unavailable_time", SUMMARY, "ms", "How long this server did not serve before it served as leader.") \
    METRIC(SESSION_QUEUES_DRAINED, NOBODY, "session_queues_drained", SUMMARY, "", "Sessions whose waiting requests were let go in one turn.") \
    METRIC(WRITE_COMMIT_PROC_REQ_QUEUED, NOBODY, "write_commit_proc_req_queued", SUMMARY, "", "Writes that waited for their commit.") \
    METRIC(READ_COMMIT_PROC_REQ_QUEUED, NOBODY, "read_commit_proc_req_queued", SUMMARY, "", "Reads that waited behind writes.") \
    METRIC(FOLLOWER_SYNC_TIME, REPLICA, "follower_sync_time", SUMMARY, "ms", "How long this follower took to be brought up to date.") \
    METRIC(PREP_PROCESSOR_QUEUE_SIZE, NOBODY, "prep_processor_queue_size", SUMMARY, "", "Requests that waited to be judged.") \
    METRIC(INFLIGHT_SNAP_COUNT, REPLICA, "inflight_snap_count", SUMMARY, "", "Learners that were being brought up to date with a snapshot, whenever one began or was done.") \
    METRIC(READS_ISSUED_FROM_SESSION_QUEUE, NOBODY, "reads_issued_from_session_queue", SUMMARY, "", "Reads let go behind a write of their session.") \
    METRIC(LEARNER_REQUEST_PROCESSOR_QUEUE_SIZE, NOBODY, "learner_request_processor_queue_size", SUMMARY, "", "Requests of learners that waited.") \
    METRIC(UNAVAILABLE_TIME, REPLICA, "unavailable_time", SUMMARY, "ms", "How long this server of an ensemble did not serve.") \
    METRIC(READS_AFTER_WRITE_IN_SESSION_QUEUE, NOBODY, "reads_after_write_in_session_queue", SUMMARY, "", "Reads that waited behind one write.") \
    METRIC(REQUESTS_IN_SESSION_QUEUE, NOBODY, "requests_in_session_queue", SUMMARY, "", "Requests that waited in one session.") \
    METRIC(WRITE_COMMIT_PROC_ISSUED, NOBODY, "write_commit_proc_issued", SUMMARY, "", "Writes let go in one turn.") \
    METRIC(PREP_PROCESS_TIME, NOBODY, "prep_process_time", SUMMARY, "ms", "Judging a request.") \
    METRIC(PENDING_SESSION_QUEUE_SIZE, NOBODY, "pending_session_queue_size", SUMMARY, "", "Sessions with waiting requests.") \
    METRIC(TIME_WAITING_EMPTY_POOL_IN_COMMIT_PROCESSOR_READ_MS, NOBODY, "time_waiting_empty_pool_in_commit_processor_read_ms", SUMMARY, "", "Waiting until all reads were done.") \
    METRIC(COMMIT_PROCESS_TIME, NOBODY, "commit_process_time", SUMMARY, "ms", "Handing a commit on.") \
    METRIC(INFLIGHT_DIFF_COUNT, REPLICA, "inflight_diff_count", SUMMARY, "", "Learners that were being brought up to date with transactions, whenever one began or was done.") \
    METRIC(NETTY_QUEUED_BUFFER_CAPACITY, NOBODY, "netty_queued_buffer_capacity", SUMMARY, "", "Bytes that Netty had queued.") \
    METRIC(ELECTION_TIME, REPLICA, "election_time", SUMMARY, "ms", "How long this voter looked for a leader.") \
    METRIC(COMMIT_COMMIT_PROC_REQ_QUEUED, NOBODY, "commit_commit_proc_req_queued", SUMMARY, "", "Commits that waited.") \
    METRIC(WRITE_BATCH_TIME_IN_COMMIT_PROCESSOR, NOBODY, "write_batch_time_in_commit_processor", SUMMARY, "", "A batch of writes.") \
    METRIC(READ_COMMIT_PROC_ISSUED, NOBODY, "read_commit_proc_issued", SUMMARY, "", "Reads let go in one turn.") \
    METRIC(CONCURRENT_REQUEST_PROCESSING_IN_COMMIT_PROCESSOR, NOBODY, "concurrent_request_processing_in_commit_processor", SUMMARY, "", "Requests in work at one time.") \
    METRIC(OBSERVER_SYNC_TIME, REPLICA, "observer_sync_time", SUMMARY, "ms", "How long this observer took to be brought up to date.") \
    METRIC(RESTORE_TIME, NOBODY, "restore_time", SUMMARY, "ms", "A restore through the AdminServer.")

/* The same, with percentiles. */
#define METRICS_TABLE_PERCENTILES(METRIC) \
    METRIC(READ_LATENCY, REPLICA, "readlatency", PERCENTILES, "ms", "From a read's arrival to its answer.") \
    METRIC(WRITE_LATENCY, REPLICA, "updatelatency", PERCENTILES, "ms", "From a write's arrival to its answer.") \
    METRIC(PROPAGATION_LATENCY, REPLICA, "propagation_latency", PERCENTILES, "ms", "From a transaction's proposal to its being applied here.") \
    METRIC(THROTTLE_LATENCY, REPLICA, "request_throttle_queue_time_ms", PERCENTILES, "ms", "How long the request throttle held requests back; 0 for all others.") \
    METRIC(LOG_QUEUE_FLUSH_TIME, LOG, "sync_processor_queue_and_flush_time_ms", PERCENTILES, "ms", "From a record's being queued to its being durable.") \
    METRIC(LOG_FLUSH_TIME, LOG, "sync_processor_queue_flush_time_ms", PERCENTILES, "ms", "Write and sync of one batch.") \
    METRIC(LOG_QUEUE_TIME, LOG, "sync_processor_queue_time_ms", PERCENTILES, "ms", "From a record's being queued to its being taken.") \
    METRIC(PREP_PROCESSOR_QUEUE_TIME_MS, NOBODY, "prep_processor_queue_time_ms", PERCENTILES, "ms", "How long requests waited to be judged.") \
    METRIC(JVM_PAUSE_TIME_MS, NOBODY, "jvm_pause_time_ms", PERCENTILES, "ms", "Pauses of the Java machine; see paddock_turn_time_us for ours.") \
    METRIC(CLOSE_SESSION_PREP_TIME, NOBODY, "close_session_prep_time", PERCENTILES, "ms", "Judging the end of a session.") \
    METRIC(READ_COMMITPROC_TIME_MS, NOBODY, "read_commitproc_time_ms", PERCENTILES, "ms", "How long reads waited behind writes.") \
    METRIC(LOCAL_WRITE_COMMITTED_TIME_MS, NOBODY, "local_write_committed_time_ms", PERCENTILES, "ms", "From a write of this server's client to its commit.") \
    METRIC(QUORUM_ACK_LATENCY, REPLICA, "quorum_ack_latency", PERCENTILES, "ms", "From a transaction's proposal to its commit by this leader.") \
    METRIC(OM_COMMIT_PROCESS_TIME_MS, NOBODY, "om_commit_process_time_ms", PERCENTILES, "ms", "An observer master's handing on of a commit.") \
    METRIC(READ_FINAL_PROC_TIME_MS, NOBODY, "read_final_proc_time_ms", PERCENTILES, "ms", "Answering a read.") \
    METRIC(COMMIT_PROPAGATION_LATENCY, REPLICA, "commit_propagation_latency", PERCENTILES, "ms", "From a transaction's proposal, by the leader's clock, to its commit's coming to this learner.") \
    METRIC(DEAD_WATCHERS_CLEANER_LATENCY, NOBODY, "dead_watchers_cleaner_latency", PERCENTILES, "ms", "Removing the watches of closed connections.") \
    METRIC(WRITE_FINAL_PROC_TIME_MS, NOBODY, "write_final_proc_time_ms", PERCENTILES, "ms", "Answering a write.") \
    METRIC(PROPOSAL_ACK_CREATION_LATENCY, REPLICA, "proposal_ack_creation_latency", PERCENTILES, "ms", "From a transaction's proposal, by the leader's clock, to this voter's acknowledgement.") \
    METRIC(PROPOSAL_LATENCY, REPLICA, "proposal_latency", PERCENTILES, "ms", "From a transaction's proposal, by the leader's clock, to its coming to this follower.") \
    METRIC(OM_PROPOSAL_PROCESS_TIME_MS, NOBODY, "om_proposal_process_time_ms", PERCENTILES, "ms", "An observer master's handing on of a proposal.") \
    METRIC(SERVER_WRITE_COMMITTED_TIME_MS, NOBODY, "server_write_committed_time_ms", PERCENTILES, "ms", "From any write to its commit.") \
    METRIC(WRITE_COMMITPROC_TIME_MS, NOBODY, "write_commitproc_time_ms", PERCENTILES, "ms", "How long writes waited for their commit.")

/* Not in ZooKeeper. */
#define METRICS_TABLE_OWN(METRIC) \
    METRIC(REQUESTS_UNKNOWN, REPLICA, "paddock_unknown_requests", COUNTER, "requests", "Requests of no known operation.") \
    METRIC(ZXIDS_LEFT, REPLICA, "paddock_epoch_zxids_left", GAUGE, "transactions", "Transactions of this leader until a new one must be elected, because the epoch has no more zxids.") \
    METRIC(TURN_TIME, SERVER, "paddock_turn_time_us", PERCENTILES, "us", "One turn of the event loop, from the first thing that happened to the next poll; no client is heard meanwhile.") \
    METRIC(TURN_CPU_TIME, SERVER, "paddock_turn_cpu_time_us", PERCENTILES, "us", "Processor time of the turns that took 1 ms or more; the rest of their time they waited for a processor.") \
    METRIC(LOG_SYNC_TIME, LOG, "paddock_log_sync_time_us", PERCENTILES, "us", "One sync of the log.")

#define METRICS_TABLE(METRIC) \
    METRICS_TABLE_STATES(METRIC) \
    METRICS_TABLE_COUNTERS(METRIC) \
    METRICS_TABLE_SUMMARIES(METRIC) \
    METRICS_TABLE_PERCENTILES(METRIC) \
    METRICS_TABLE_OWN(METRIC)
/* clang-format on */

#endif
