#include "server/config/keys.h"

#include "server/config/values.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define AT(field) offsetof(struct config, field)
#define PARSED(name, kind, field)                                                                  \
    {                                                                                              \
        name, KEY_PARSED, KEY_APPLIED, kind, AT(field), NULL                                       \
    }
#define PROPERTY(name, kind, field)                                                                \
    {                                                                                              \
        name, KEY_PROPERTY, KEY_APPLIED, kind, AT(field), NULL                                     \
    }
#define BARE(name, kind, field)                                                                    \
    {                                                                                              \
        name, KEY_BARE, KEY_APPLIED, kind, AT(field), NULL                                         \
    }
#define OTHER(name, source, effect, quiet)                                                         \
    {                                                                                              \
        name, source, effect, VALUE_TEXT, 0, quiet                                                 \
    }

static const struct key keys[] = {
    /* what the parser of QuorumPeerConfig.java knows */
    PARSED("dataDir", VALUE_TEXT, directories.data),
    PARSED("dataLogDir", VALUE_TEXT, directories.log),
    OTHER("clientPort", KEY_PARSED, KEY_HANDLED, NULL),
    PARSED("clientPortAddress", VALUE_TEXT, front.address),
    OTHER("secureClientPort", KEY_PARSED, KEY_HANDLED, NULL),
    OTHER("secureClientPortAddress", KEY_PARSED, KEY_HANDLED, NULL),
    PARSED("clientPortListenBacklog", VALUE_INT, front.listen_backlog),
    PARSED("tickTime", VALUE_INT, session.tick_ms),
    PARSED("maxClientCnxns", VALUE_INT, front.connections_per_host_max),
    PARSED("minSessionTimeout", VALUE_INT, session.timeout_min_ms),
    PARSED("maxSessionTimeout", VALUE_INT, session.timeout_max_ms),
    PARSED("initLimit", VALUE_INT, ensemble.init_limit),
    PARSED("syncLimit", VALUE_INT, ensemble.sync_limit),
    PARSED("peerType", VALUE_TEXT, ensemble.peer_type),
    PARSED("dynamicConfigFile", VALUE_TEXT, ensemble.dynamic_file),
    PARSED("initialConfig", VALUE_TEXT, ensemble.initial_config),
    PARSED("autopurge.snapRetainCount", VALUE_INT, snapshot.retain),
    OTHER("autopurge.purgeInterval", KEY_PARSED, KEY_HANDLED, NULL),
    PARSED("standaloneEnabled", VALUE_BOOL, ensemble.standalone_enabled),
    PARSED("reconfigEnabled", VALUE_BOOL, request.reconfig_enabled),
    OTHER("electionAlg", KEY_PARSED, KEY_HANDLED, NULL),
    OTHER("metricsProvider.className", KEY_PARSED, KEY_HANDLED, NULL),
    OTHER("metricsProvider.*", KEY_PARSED, KEY_QUIET, NULL),
    OTHER("server.*", KEY_PARSED, KEY_HANDLED, NULL),
    OTHER("group*", KEY_PARSED, KEY_HANDLED, NULL),
    OTHER("weight*", KEY_PARSED, KEY_HANDLED, NULL),
    /* ... of which these only matter among several servers, but a bad value is an error */
    PARSED("observerMasterPort", VALUE_INT, checked_only.number),
    PARSED("connectToLearnerMasterLimit", VALUE_INT, checked_only.number),
    PARSED("quorumListenOnAllIPs", VALUE_BOOL, checked_only.flag),
    PARSED("syncEnabled", VALUE_BOOL, checked_only.flag),
    PARSED("localSessionsEnabled", VALUE_BOOL, checked_only.flag),
    PARSED("localSessionsUpgradingEnabled", VALUE_BOOL, checked_only.flag),
    OTHER("portUnification", KEY_PARSED, KEY_SECURITY, "false"),
    OTHER("sslQuorumReloadCertFiles", KEY_PARSED, KEY_SECURITY, "false"),
    OTHER("sslQuorum", KEY_PARSED, KEY_SECURITY, "false"),
    OTHER("quorum.auth.enableSasl", KEY_PARSED, KEY_SECURITY, "false"),
    OTHER("quorum.auth.learnerRequireSasl", KEY_PARSED, KEY_SECURITY, "false"),
    OTHER("quorum.auth.serverRequireSasl", KEY_PARSED, KEY_SECURITY, "false"),
    OTHER("quorum.auth.*", KEY_PARSED, KEY_QUIET, NULL), /* details of the three above */
    PARSED("quorum.cnxn.threads.size", VALUE_INT, checked_only.number),
    PARSED("multiAddress.enabled", VALUE_BOOL, ensemble.multi_address),
    PARSED("multiAddress.reachabilityCheckTimeoutMs", VALUE_INT, checked_only.number),
    PARSED("multiAddress.reachabilityCheckEnabled", VALUE_BOOL, checked_only.flag),
    OTHER("oraclePath", KEY_PARSED, KEY_QUIET, NULL),
    PARSED("jvm.pause.monitor", VALUE_BOOL, checked_only.flag),
    OTHER("jvm.pause.*", KEY_PARSED, KEY_QUIET, NULL),

    /* system properties: requests and storage */
    PROPERTY("globalOutstandingLimit", VALUE_INT, request.outstanding_max),
    PROPERTY("preAllocSize", VALUE_KB, log.prealloc_bytes),
    PROPERTY("snapCount", VALUE_INT, snapshot.count),
    PROPERTY("snapSizeLimitInKb", VALUE_KB, snapshot.size_limit_bytes),
    PROPERTY("txnLogSizeLimitInKb", VALUE_KB, log.size_limit_bytes),
    PROPERTY("forceSync", VALUE_NOT_NO, log.force_sync),
    PROPERTY("fsync.warningthresholdms", VALUE_LONG, log.fsync_warning_ms),
    PROPERTY("flushDelay", VALUE_LONG, log.flush_delay_ms),
    PROPERTY("maxWriteQueuePollTime", VALUE_LONG, log.write_queue_poll_ms),
    PROPERTY("maxBatchSize", VALUE_INT, log.batch_max),
    PROPERTY("snapshot.compression.method", VALUE_TEXT, snapshot.compression),
    PROPERTY("snapshot.trust.empty", VALUE_BOOL, recovery.trust_empty),
    PROPERTY("serializeLastProcessedZxid.enabled", VALUE_BOOL, snapshot.last_zxid_section),
    PROPERTY("digest.enabled", VALUE_BOOL, tree.digest_enabled),
    PROPERTY("datadir.autocreate", VALUE_BOOL, directories.autocreate),
    PROPERTY("db.autocreate", VALUE_BOOL, recovery.db_autocreate),
    PROPERTY("largeRequestMaxBytes", VALUE_INT, front.large_request_bytes_max),
    PROPERTY("largeRequestThreshold", VALUE_INT, front.large_request_threshold),
    PROPERTY("extendedTypesEnabled", VALUE_BOOL, tree.extended_types),
    PROPERTY("emulate353TTLNodes", VALUE_BOOL, tree.emulate_353_ttl),
    PROPERTY("enforceQuota", VALUE_BOOL, request.enforce_quota),
    PROPERTY("skipACL", VALUE_YES, request.skip_acl),
    PROPERTY("throttled_op_wait_time", VALUE_INT, request.throttled_op_wait_ms),
    PROPERTY("request_throttle_max_requests", VALUE_INT, request.throttle_max),
    PROPERTY("request_throttle_stall_time", VALUE_INT, request.throttle_stall_ms),
    OTHER("request_throttle_drop_stale", KEY_PROPERTY, KEY_NOT_YET, "true"),
    OTHER("closeSessionTxn.enabled", KEY_PROPERTY, KEY_NOT_YET, "true"),
    OTHER("enableEagerACLCheck", KEY_PROPERTY, KEY_NOT_YET, "false"),
    OTHER("request_stale_connection_check", KEY_PROPERTY, KEY_NOT_YET, "true"),
    OTHER("request_stale_latency_check", KEY_PROPERTY, KEY_NOT_YET, "false"),
    OTHER("watchManagerName", KEY_PROPERTY, KEY_HANDLED, NULL),
    OTHER("pathStats.enabled", KEY_PROPERTY, KEY_NOT_YET, "false"),
    OTHER("pathStats.*", KEY_PROPERTY, KEY_QUIET, NULL),
    /* ... of the Java program's inside */
    OTHER("commitLogCount", KEY_PROPERTY, KEY_QUIET, NULL),
    OTHER("snapshotSizeFactor", KEY_PROPERTY, KEY_QUIET, NULL),
    OTHER("maxResponseCacheSize", KEY_PROPERTY, KEY_QUIET, NULL),
    OTHER("maxGetChildrenResponseCacheSize", KEY_PROPERTY, KEY_QUIET, NULL),
    OTHER("intBufferStartingSizeBytes", KEY_PROPERTY, KEY_QUIET, NULL),
    OTHER("request_throttler.shutdownTimeout", KEY_PROPERTY, KEY_QUIET, NULL),
    OTHER("watcherClean*", KEY_PROPERTY, KEY_QUIET, NULL),
    OTHER("maxInProcessingDeadWatchers", KEY_PROPERTY, KEY_QUIET, NULL),
    OTHER("bitHashCacheSize", KEY_PROPERTY, KEY_QUIET, NULL),
    OTHER("commitProcessor.*", KEY_PROPERTY, KEY_QUIET, NULL),
    OTHER("jmx.*", KEY_PROPERTY, KEY_QUIET, NULL),

    /* connections */
    OTHER("serverCnxnFactory", KEY_PROPERTY, KEY_HANDLED, NULL),
    PROPERTY("maxCnxns", VALUE_INT, front.connections_max),
    PROPERTY("4lw.commands.whitelist", VALUE_TEXT, words.whitelist),
    PROPERTY("connection_throttle_tokens", VALUE_INT, front.throttle.tokens_max),
    PROPERTY("connection_throttle_fill_time", VALUE_INT, front.throttle.fill_time_ms),
    PROPERTY("connection_throttle_fill_count", VALUE_INT, front.throttle.fill_count),
    PROPERTY("connection_throttle_freeze_time", VALUE_INT, front.throttle.freeze_time_ms),
    PROPERTY("connection_throttle_drop_increase", VALUE_DOUBLE, front.throttle.drop_increase),
    PROPERTY("connection_throttle_drop_decrease", VALUE_DOUBLE, front.throttle.drop_decrease),
    PROPERTY("connection_throttle_decrease_ratio", VALUE_DOUBLE, front.throttle.decrease_ratio),
    PROPERTY("connection_throttle_weight_enabled", VALUE_BOOL, front.throttle.weighted),
    PROPERTY("connection_throttle_global_session_weight", VALUE_INT, front.throttle.weight_global),
    PROPERTY("connection_throttle_local_session_weight", VALUE_INT, front.throttle.weight_local),
    PROPERTY("connection_throttle_renew_session_weight", VALUE_INT, front.throttle.weight_renew),
    PROPERTY("nio.sessionlessCnxnTimeout", VALUE_INT, front.sessionless_timeout_ms),
    OTHER("nio.*", KEY_PROPERTY, KEY_QUIET, NULL),
    OTHER("netty.*", KEY_PROPERTY, KEY_QUIET, NULL),
    PROPERTY("clientTcpKeepAlive", VALUE_BOOL, front.tcp_keep_alive),
    OTHER("tcpKeepAlive", KEY_PROPERTY, KEY_QUIET, NULL), /* election sockets */
    OTHER("client.portUnification", KEY_PROPERTY, KEY_SECURITY, "false"),
    OTHER("client.certReload", KEY_PROPERTY, KEY_SECURITY, "false"),

    /* among several servers */
    OTHER("leaderServes", KEY_PROPERTY, KEY_QUIET, NULL),
    OTHER("cnxTimeout", KEY_PROPERTY, KEY_QUIET, NULL),
    OTHER("quorumCnxnTimeoutMs", KEY_PROPERTY, KEY_QUIET, NULL),
    OTHER("electionPortBindRetry", KEY_PROPERTY, KEY_QUIET, NULL),
    OTHER("fastleader.*", KEY_PROPERTY, KEY_QUIET, NULL),
    OTHER("leader.*", KEY_PROPERTY, KEY_QUIET, NULL),
    OTHER("learner.*", KEY_PROPERTY, KEY_QUIET, NULL),
    OTHER("follower.*", KEY_PROPERTY, KEY_QUIET, NULL),
    OTHER("observer.*", KEY_PROPERTY, KEY_QUIET, NULL),
    OTHER("observerMaster.*", KEY_PROPERTY, KEY_QUIET, NULL),
    OTHER("leaderConnectDelayDuringRetryMs", KEY_PROPERTY, KEY_QUIET, NULL),
    OTHER("forceSnapshotSync", KEY_PROPERTY, KEY_QUIET, NULL),
    OTHER("forward_learner_requests_to_commit_processor_disabled", KEY_PROPERTY, KEY_QUIET, NULL),
    OTHER("messageTracker.*", KEY_PROPERTY, KEY_QUIET, NULL),

    /* who is who */
    PROPERTY("DigestAuthenticationProvider.enabled", VALUE_BOOL, auth.digest_enabled),
    PROPERTY("DigestAuthenticationProvider.superDigest", VALUE_TEXT, auth.super_digest),
    PROPERTY("DigestAuthenticationProvider.digestAlg", VALUE_TEXT, auth.digest_algorithm),
    PROPERTY("enforce.auth.enabled", VALUE_BOOL, auth.enforced),
    PROPERTY("enforce.auth.schemes", VALUE_TEXT, auth.enforced_schemes),
    PROPERTY("ensembleAuthName", VALUE_TEXT, auth.ensemble_names),
    OTHER("authProvider.*", KEY_PROPERTY, KEY_HANDLED, NULL),
    OTHER("ssl.*", KEY_PROPERTY, KEY_SECURITY, NULL),
    OTHER("X509AuthenticationProvider.*", KEY_PROPERTY, KEY_SECURITY, NULL),
    OTHER("sessionRequireClientSASLAuth", KEY_PROPERTY, KEY_SECURITY, "false"),
    OTHER("allowSaslFailedClients", KEY_PROPERTY, KEY_SECURITY, "false"),
    OTHER("SASLAuthenticationProvider.*", KEY_PROPERTY, KEY_SECURITY, NULL),
    OTHER("superUser*", KEY_PROPERTY, KEY_SECURITY, NULL),
    OTHER("letAnySaslUserDoX", KEY_PROPERTY, KEY_SECURITY, NULL),
    OTHER("requireKerberosConfig", KEY_PROPERTY, KEY_SECURITY, "false"),
    OTHER("sasl.*", KEY_PROPERTY, KEY_SECURITY, NULL),
    OTHER("kerberos.*", KEY_PROPERTY, KEY_NOT_YET, "false"),
    OTHER("security.auth_to_local", KEY_PROPERTY, KEY_NOT_YET, NULL),
    OTHER("server.realm", KEY_PROPERTY, KEY_NOT_YET, NULL),
    OTHER("fips-mode", KEY_PROPERTY, KEY_NOT_YET, NULL),
    OTHER("IPAuthenticationProvider.usexforwardedfor", KEY_PROPERTY, KEY_NOT_YET, "false"),
    OTHER("java.security.auth.login.config", KEY_BARE, KEY_SECURITY, NULL),

    /* the AdminServer and the audit log come later */
    OTHER("admin.enableServer", KEY_PROPERTY, KEY_NOT_YET, "false"),
    OTHER("admin.*", KEY_PROPERTY, KEY_NOT_YET, NULL),
    OTHER("audit.enable", KEY_PROPERTY, KEY_NOT_YET, "false"),
    OTHER("audit.*", KEY_PROPERTY, KEY_NOT_YET, NULL),

    OTHER("paddock.busyPollMicros", KEY_BARE, KEY_HANDLED, NULL), /* not of ZooKeeper */

    /* properties without prefix, which Java's zoo.cfg cannot set */
    BARE("readonlymode.enabled", VALUE_BOOL, words.read_only_mode),
    BARE("jute.maxbuffer", VALUE_INT, jute.buffer_bytes_max),
    BARE("jute.maxbuffer.extrasize", VALUE_INT, jute.extra_bytes),
    BARE("znode.container.checkIntervalMs", VALUE_INT, container.check_interval_ms),
    BARE("znode.container.maxPerMinute", VALUE_INT, container.per_minute_max),
    BARE("znode.container.maxNeverUsedIntervalMs", VALUE_LONG, container.never_used_max_ms),
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

/* "expected" texts stand behind Java's own sentence. */
static void complain(struct config *config, const struct key *key, const char *name,
                     const char *value, int line, const char *expected)
{
    if (key->source != KEY_PARSED) {
        config_warn(config, line, "%s: \"%s\" is ignored, expected %s", name, value, expected);
    } else if (key->kind == VALUE_BOOL) {
        config_invalid(config, line, "Invalid option %s for %s. Choose 'true' or 'false.'", value,
                       name);
    } else {
        config_invalid(config, line, "%s: For input string: \"%s\", expected %s", name, value,
                       expected);
    }
}

void key_apply(struct config *config, const struct key *key, const char *name, const char *value,
               int line)
{
    void *at = (char *)config + key->offset;
    bool parsed = key->source == KEY_PARSED, right = true;
    int64_t number = 0;

    switch (key->kind) {
    case VALUE_INT:
        right = parsed ? java_parse_int(value, at) : java_decode_int(value, at);
        if (!right)
            complain(config, key, name, value, line, "a whole number of 32 bits");
        break;
    case VALUE_LONG:
        if (!java_decode_long(value, at))
            complain(config, key, name, value, line, "a whole number of 64 bits");
        break;
    case VALUE_KB:
        right = java_decode_long(value, &number);
        if (!right && strcmp(name, "preAllocSize") == 0) /* Java's own words for this one */
            config_warn(config, line, "%s is not a valid value for preAllocSize", value);
        else if (!right)
            complain(config, key, name, value, line, "a number of KB");
        else
            *(int64_t *)at = number > INT64_MAX / 1024 ? INT64_MAX
                             : number < 0              ? -1
                                                       : number * 1024;
        break;
    case VALUE_DOUBLE:
        if (!java_parse_double(value, at))
            complain(config, key, name, value, line, "a number");
        break;
    case VALUE_BOOL:
        if (!parsed)
            *(bool *)at = strcasecmp(value, "true") == 0;
        else if (!java_parse_bool(value, at))
            complain(config, key, name, value, line, "true or false");
        break;
    case VALUE_YES:
        *(bool *)at = strcmp(value, "yes") == 0;
        break;
    case VALUE_NOT_NO:
        *(bool *)at = strcmp(value, "no") != 0;
        break;
    case VALUE_TEXT:
        *(const char **)at = value;
        break;
    }
}
