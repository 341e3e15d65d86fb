/* keys.c: the table of every key: one row says its name, where it may stand, and which field or handler
 * takes its value. A new key is a row here, and nothing anywhere else unless it has a handler of its
 * own. */
#include "server/config/keys.h"

#include "server/config/handlers.h"

#include <string.h>

/* The C type of a field that takes values of a type: a row whose field has another one does not
 * compile. */
#define C_TYPE_INT int32_t
#define C_TYPE_LONG int64_t
#define C_TYPE_KB int64_t
#define C_TYPE_BOOL bool
#define C_TYPE_YES bool
#define C_TYPE_NOT_NO bool
#define C_TYPE_DOUBLE double
#define C_TYPE_TEXT const char *
#define OFFSET_OF(type, field)                                                                     \
    _Generic(((struct config *)NULL)->field, C_TYPE_##type : offsetof(struct config, field))

/* The value goes to a field, or to a handler. */
#define FIELD(name, place, type, field)                                                            \
    {                                                                                              \
        name, KEY_##place, key_take_field, VALUE_##type, OFFSET_OF(type, field), NULL              \
    }
#define CALL(name, place, handler)                                                                 \
    {                                                                                              \
        name, KEY_##place, handler, VALUE_TEXT, 0, NULL                                            \
    }
/* config_complete() and ensemble.c look at these lines once all of them are there. */
#define READ_LATER(name, place) CALL(name, place, key_take_nothing)
/* About a JVM, or about Java's queues, threads and sockets. */
#define IGNORED(name, place) CALL(name, place, key_take_nothing)
/* It would change what people see, and does not yet: one warning, except for a harmless value. */
#define NOT_YET(name, place, harmless)                                                             \
    {                                                                                              \
        name, KEY_##place, key_take_without_effect, VALUE_TEXT, 0, harmless                        \
    }
/* Asks for SASL, x509 or TLS: refused, except for a harmless value. */
#define SECURITY(name, place, harmless)                                                            \
    {                                                                                              \
        name, KEY_##place, key_take_security, VALUE_TEXT, 0, harmless                              \
    }

static const struct key keys[] = {
    /* keys of zoo.cfg in Java */
    FIELD("dataDir", FILE_LINE, TEXT, directories.data),
    FIELD("dataLogDir", FILE_LINE, TEXT, directories.log),
    CALL("clientPort", FILE_LINE, key_take_client_port),
    FIELD("clientPortAddress", FILE_LINE, TEXT, front.address),
    CALL("secureClientPort", FILE_LINE, key_take_secure_client_port),
    READ_LATER("secureClientPortAddress", FILE_LINE),
    FIELD("clientPortListenBacklog", FILE_LINE, INT, front.listen_backlog),
    FIELD("tickTime", FILE_LINE, INT, session.tick_ms),
    FIELD("maxClientCnxns", FILE_LINE, INT, front.connections_per_host_max),
    FIELD("minSessionTimeout", FILE_LINE, INT, session.timeout_min_ms),
    FIELD("maxSessionTimeout", FILE_LINE, INT, session.timeout_max_ms),
    FIELD("initLimit", FILE_LINE, INT, ensemble.init_limit),
    FIELD("syncLimit", FILE_LINE, INT, ensemble.sync_limit),
    FIELD("peerType", FILE_LINE, TEXT, ensemble.peer_type),
    FIELD("dynamicConfigFile", FILE_LINE, TEXT, ensemble.dynamic_file),
    IGNORED("initialConfig", FILE_LINE), /* nothing in Java reads it */
    FIELD("autopurge.snapRetainCount", FILE_LINE, INT, snapshot.retain),
    CALL("autopurge.purgeInterval", FILE_LINE, key_take_purge_interval),
    FIELD("standaloneEnabled", FILE_LINE, BOOL, ensemble.standalone_enabled),
    FIELD("reconfigEnabled", FILE_LINE, BOOL, request.reconfig_enabled),
    CALL("electionAlg", FILE_LINE, key_take_election_algorithm),
    CALL("metricsProvider.className", FILE_LINE, key_take_metrics_provider),
    IGNORED("metricsProvider.*", FILE_LINE),
    READ_LATER("server.*", FILE_LINE),
    READ_LATER("group*", FILE_LINE),
    READ_LATER("weight*", FILE_LINE),
    /* ... of which these only matter among several servers, but a bad value is an error */
    CALL("observerMasterPort", FILE_LINE, key_take_observer_master_port),
    FIELD("connectToLearnerMasterLimit", FILE_LINE, INT, ensemble.connect_limit),
    FIELD("quorumListenOnAllIPs", FILE_LINE, BOOL, peers.listen_on_all),
    FIELD("syncEnabled", FILE_LINE, BOOL, ensemble.sync_enabled),
    FIELD("localSessionsEnabled", FILE_LINE, BOOL, ensemble.local_sessions),
    FIELD("localSessionsUpgradingEnabled", FILE_LINE, BOOL, ensemble.local_upgrading),
    SECURITY("portUnification", FILE_LINE, "false"),
    SECURITY("sslQuorumReloadCertFiles", FILE_LINE, "false"),
    SECURITY("sslQuorum", FILE_LINE, "false"),
    SECURITY("quorum.auth.enableSasl", FILE_LINE, "false"),
    SECURITY("quorum.auth.learnerRequireSasl", FILE_LINE, "false"),
    SECURITY("quorum.auth.serverRequireSasl", FILE_LINE, "false"),
    IGNORED("quorum.auth.*", FILE_LINE), /* details of the three above */
    FIELD("quorum.cnxn.threads.size", FILE_LINE, INT, checked_only.number), /* of Java's threads */
    FIELD("multiAddress.enabled", LINE_OR_PROPERTY, BOOL, ensemble.multi_address),
    FIELD("multiAddress.reachabilityCheckTimeoutMs", FILE_LINE, INT, ensemble.reach_timeout_ms),
    FIELD("multiAddress.reachabilityCheckEnabled", FILE_LINE, BOOL, ensemble.checks_reach),
    FIELD("oraclePath", FILE_LINE, TEXT, ensemble.oracle_path),
    FIELD("jvm.pause.monitor", FILE_LINE, BOOL, checked_only.flag),
    IGNORED("jvm.pause.*", FILE_LINE),

    /* system properties: requests and storage */
    FIELD("globalOutstandingLimit", PROPERTY, INT, request.outstanding_max),
    CALL("preAllocSize", PROPERTY, key_take_prealloc_size),
    FIELD("snapCount", PROPERTY, INT, snapshot.count),
    FIELD("snapSizeLimitInKb", PROPERTY, KB, snapshot.size_limit_bytes),
    FIELD("txnLogSizeLimitInKb", PROPERTY, KB, log.size_limit_bytes),
    FIELD("forceSync", PROPERTY, NOT_NO, log.force_sync),
    FIELD("fsync.warningthresholdms", PROPERTY, LONG, log.fsync_warning_ms),
    FIELD("flushDelay", PROPERTY, LONG, log.flush_delay_ms),
    FIELD("maxWriteQueuePollTime", PROPERTY, LONG, log.write_queue_poll_ms),
    FIELD("maxBatchSize", PROPERTY, INT, log.batch_max),
    FIELD("snapshot.compression.method", PROPERTY, TEXT, snapshot.compression),
    FIELD("snapshot.trust.empty", PROPERTY, BOOL, recovery.trust_empty),
    FIELD("serializeLastProcessedZxid.enabled", PROPERTY, BOOL, snapshot.last_zxid_section),
    FIELD("digest.enabled", PROPERTY, BOOL, tree.digest_enabled),
    FIELD("datadir.autocreate", PROPERTY, BOOL, directories.autocreate),
    FIELD("db.autocreate", PROPERTY, BOOL, recovery.db_autocreate),
    FIELD("largeRequestMaxBytes", PROPERTY, INT, front.large_request_bytes_max),
    FIELD("largeRequestThreshold", PROPERTY, INT, front.large_request_threshold),
    FIELD("extendedTypesEnabled", PROPERTY, BOOL, tree.extended_types),
    FIELD("emulate353TTLNodes", PROPERTY, BOOL, tree.emulate_353_ttl),
    FIELD("enforceQuota", PROPERTY, BOOL, request.enforce_quota),
    FIELD("skipACL", PROPERTY, YES, request.skip_acl),
    FIELD("throttled_op_wait_time", PROPERTY, INT, request.throttled_op_wait_ms),
    FIELD("request_throttle_max_requests", PROPERTY, INT, request.throttle_max),
    FIELD("request_throttle_stall_time", PROPERTY, INT, request.throttle_stall_ms),
    FIELD("request_throttle_drop_stale", PROPERTY, BOOL, request.throttle_drops_stale),
    FIELD("request_stale_connection_check", PROPERTY, BOOL, request.stale_connection_check),
    FIELD("request_stale_latency_check", PROPERTY, BOOL, request.stale_latency_check),
    FIELD("enableEagerACLCheck", PROPERTY, BOOL, request.eager_acl_check),
    FIELD("closeSessionTxn.enabled", PROPERTY, BOOL, request.close_lists_paths),
    CALL("watchManagerName", PROPERTY, key_take_watch_manager),
    NOT_YET("pathStats.enabled", PROPERTY, "false"),
    IGNORED("pathStats.*", PROPERTY),
    /* ... of the Java program's inside */
    IGNORED("maxResponseCacheSize", PROPERTY),
    IGNORED("maxGetChildrenResponseCacheSize", PROPERTY),
    IGNORED("intBufferStartingSizeBytes", PROPERTY),
    IGNORED("request_throttler.shutdownTimeout", PROPERTY),
    IGNORED("watcherClean*", PROPERTY),
    IGNORED("maxInProcessingDeadWatchers", PROPERTY),
    IGNORED("bitHashCacheSize", PROPERTY),
    IGNORED("commitProcessor.*", PROPERTY),
    IGNORED("jmx.*", PROPERTY),

    /* connections */
    CALL("serverCnxnFactory", PROPERTY, key_take_connection_factory),
    FIELD("maxCnxns", PROPERTY, INT, front.connections_max),
    FIELD("4lw.commands.whitelist", PROPERTY, TEXT, words.whitelist),
    FIELD("connection_throttle_tokens", PROPERTY, INT, front.throttle.tokens_max),
    FIELD("connection_throttle_fill_time", PROPERTY, INT, front.throttle.fill_time_ms),
    FIELD("connection_throttle_fill_count", PROPERTY, INT, front.throttle.fill_count),
    FIELD("connection_throttle_freeze_time", PROPERTY, INT, front.throttle.freeze_time_ms),
    FIELD("connection_throttle_drop_increase", PROPERTY, DOUBLE, front.throttle.drop_increase),
    FIELD("connection_throttle_drop_decrease", PROPERTY, DOUBLE, front.throttle.drop_decrease),
    FIELD("connection_throttle_decrease_ratio", PROPERTY, DOUBLE, front.throttle.decrease_ratio),
    FIELD("connection_throttle_weight_enabled", PROPERTY, BOOL, front.throttle.weighted),
    FIELD("connection_throttle_global_session_weight", PROPERTY, INT, front.throttle.weight_global),
    FIELD("connection_throttle_local_session_weight", PROPERTY, INT, front.throttle.weight_local),
    FIELD("connection_throttle_renew_session_weight", PROPERTY, INT, front.throttle.weight_renew),
    FIELD("nio.sessionlessCnxnTimeout", PROPERTY, INT, front.sessionless_timeout_ms),
    IGNORED("nio.*", PROPERTY),
    IGNORED("netty.*", PROPERTY),
    FIELD("clientTcpKeepAlive", PROPERTY, BOOL, front.tcp_keep_alive),
    FIELD("tcpKeepAlive", PROPERTY, BOOL, peers.tcp_keep_alive),
    SECURITY("client.portUnification", PROPERTY, "false"),
    SECURITY("client.certReload", PROPERTY, "false"),

    /* among several servers */
    FIELD("leaderServes", PROPERTY, NOT_NO, ensemble.leader_serves),
    FIELD("cnxTimeout", PROPERTY, INT, peers.connect_timeout_ms),
    FIELD("quorumCnxnTimeoutMs", PROPERTY, INT, ensemble.hello_timeout_ms),
    FIELD("electionPortBindRetry", PROPERTY, INT, peers.bind_retry),
    FIELD("fastleader.minNotificationInterval", PROPERTY, INT, ensemble.resend_min_ms),
    FIELD("fastleader.maxNotificationInterval", PROPERTY, INT, ensemble.resend_max_ms),
    FIELD("leader.maxTimeToWaitForEpoch", PROPERTY, INT, ensemble.epoch_wait_max_ms),
    FIELD("leader.maxConcurrentSnapSyncs", PROPERTY, INT, ensemble.snap_syncs_max),
    FIELD("leader.maxConcurrentDiffSyncs", PROPERTY, INT, ensemble.diff_syncs_max),
    CALL("commitLogCount", PROPERTY, key_take_commit_log_count),
    CALL("snapshotSizeFactor", PROPERTY, key_take_snapshot_size_factor),
    /* ... of Java's sockets, threads and log lines */
    IGNORED("leader.ackLoggingFrequency", PROPERTY),
    IGNORED("leader.closeSocketAsync", BARE_PROPERTY),
    IGNORED("leader.nodelay", BARE_PROPERTY),
    IGNORED("learner.asyncSending", BARE_PROPERTY),
    IGNORED("learner.closeSocketAsync", BARE_PROPERTY),
    IGNORED("follower.nodelay", BARE_PROPERTY),
    IGNORED("follower.skipLearnerRequestToNextProcessor", PROPERTY),
    FIELD("observer.reconnectDelayMs", PROPERTY, LONG, ensemble.observer_reconnect_ms),
    FIELD("observer.election.DelayMs", PROPERTY, LONG, ensemble.observer_election_ms),
    FIELD("observer.syncEnabled", PROPERTY, TEXT, ensemble.observer_sync),
    NOT_YET("observer.*", PROPERTY, NULL),
    CALL("observerMaster.sizeLimit", PROPERTY, key_take_size_limit),
    FIELD("leaderConnectDelayDuringRetryMs", PROPERTY, INT, ensemble.redial_ms),
    FIELD("forceSnapshotSync", PROPERTY, BOOL, ensemble.force_snapshot),
    IGNORED("forward_learner_requests_to_commit_processor_disabled", PROPERTY),
    IGNORED("messageTracker.*", PROPERTY),

    /* who is who */
    FIELD("DigestAuthenticationProvider.enabled", PROPERTY, BOOL, auth.digest_enabled),
    FIELD("DigestAuthenticationProvider.superDigest", PROPERTY, TEXT, auth.super_digest),
    FIELD("DigestAuthenticationProvider.digestAlg", PROPERTY, TEXT, auth.digest_algorithm),
    FIELD("enforce.auth.enabled", PROPERTY, BOOL, auth.enforced),
    FIELD("enforce.auth.schemes", PROPERTY, TEXT, auth.enforced_schemes),
    FIELD("ensembleAuthName", PROPERTY, TEXT, auth.ensemble_names),
    CALL("authProvider.*", PROPERTY, key_take_auth_provider),
    SECURITY("ssl.*", PROPERTY, NULL),
    SECURITY("X509AuthenticationProvider.*", PROPERTY, NULL),
    SECURITY("sessionRequireClientSASLAuth", PROPERTY, "false"),
    SECURITY("allowSaslFailedClients", PROPERTY, "false"),
    SECURITY("SASLAuthenticationProvider.*", PROPERTY, NULL),
    SECURITY("superUser*", PROPERTY, NULL),
    SECURITY("letAnySaslUserDoX", PROPERTY, NULL),
    SECURITY("requireKerberosConfig", PROPERTY, "false"),
    SECURITY("sasl.*", PROPERTY, NULL),
    NOT_YET("kerberos.*", PROPERTY, "false"),
    NOT_YET("security.auth_to_local", PROPERTY, NULL),
    NOT_YET("server.realm", PROPERTY, NULL),
    NOT_YET("fips-mode", PROPERTY, NULL),
    NOT_YET("IPAuthenticationProvider.usexforwardedfor", PROPERTY, "false"),
    SECURITY("java.security.auth.login.config", BARE_PROPERTY, NULL),

    /* the AdminServer and the audit log come later */
    NOT_YET("admin.enableServer", PROPERTY, "false"),
    NOT_YET("admin.*", PROPERTY, NULL),
    NOT_YET("audit.enable", PROPERTY, "false"),
    NOT_YET("audit.*", PROPERTY, NULL),

    CALL("paddock.busyPollMicros", BARE_PROPERTY, key_take_busy_poll), /* not of ZooKeeper */

    /* properties without prefix, which Java's zoo.cfg cannot set */
    FIELD("readonlymode.enabled", BARE_PROPERTY, BOOL, words.read_only_mode),
    FIELD("jute.maxbuffer", BARE_PROPERTY, INT, jute.buffer_bytes_max),
    FIELD("jute.maxbuffer.extrasize", BARE_PROPERTY, INT, jute.extra_bytes),
    FIELD("znode.container.checkIntervalMs", BARE_PROPERTY, INT, container.check_interval_ms),
    FIELD("znode.container.maxPerMinute", BARE_PROPERTY, INT, container.per_minute_max),
    FIELD("znode.container.maxNeverUsedIntervalMs", BARE_PROPERTY, LONG,
          container.never_used_max_ms),
};

const struct key *key_find(const char *name)
{
    const struct key *pattern = NULL;
    size_t pattern_size = 0;

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        size_t size = strlen(keys[i].name);
        if (keys[i].name[size - 1] != '*') {
            if (strcmp(keys[i].name, name) == 0)
                return &keys[i];
        } else if (strncmp(keys[i].name, name, size - 1) == 0 && size > pattern_size) {
            pattern = &keys[i];
            pattern_size = size;
        }
    }
    return pattern;
}
