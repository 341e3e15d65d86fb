#include "server/config/ensemble.h"

#include "replica/membership/membership.h"
#include "test/lib/check.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Stands in for the C library's: no test of this file asks a network, and each look-up is counted. Names
 * that begin with "here" are 127.0.0.1, "there" is 127.0.0.2, the others are unknown. */
static int lookups;

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                struct addrinfo **ret_found)
{
    static struct sockaddr_in address;
    static struct addrinfo found;

    (void)hints;
    lookups++;
    if (strncmp(host, "here", 4) != 0 && strcmp(host, "there") != 0)
        return EAI_NONAME;
    address = (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(host[0] == 'h' ? INADDR_LOOPBACK : INADDR_LOOPBACK + 1),
        .sin_port = htons((uint16_t)atoi(service)),
    };
    found = (struct addrinfo){.ai_family = AF_INET,
                              .ai_addr = (struct sockaddr *)&address,
                              .ai_addrlen = sizeof(address)};
    *ret_found = &found;
    return 0;
}

void freeaddrinfo(struct addrinfo *found)
{
    (void)found;
}

/* A config of these lines. The caller deinits it. */
static void read(struct config *config, const char *text)
{
    config_init(config);
    config_parse(config, "zoo.cfg", slice_text(text));
    config_complete(config);
}

static const char base[] = "dataDir=/nowhere/data\nclientPort=2181\n";

static void read_more(struct config *config, const char *text)
{
    char all[1024];

    snprintf(all, sizeof(all), "%s%s", base, text);
    read(config, all);
}

static bool has_problem(const struct config *config, bool error, int line, const char *part)
{
    for (size_t i = 0; i < config->problem_count; i++) {
        if (config->problems[i].error == error && config->problems[i].line == line &&
            strstr(config->problems[i].text, part) != NULL)
            return true;
    }
    return false;
}

TEST(without_a_line_of_its_own_everything_has_java_s_default)
{
    struct config config;

    read_more(&config, "");
    CHECK(config_error(&config) == NULL);
    CHECK_I64("tickTime", config.session.tick_ms, 3000);
    CHECK_I64("minSessionTimeout", config.session.timeout_min_ms, 6000);
    CHECK_I64("maxSessionTimeout", config.session.timeout_max_ms, 60000);
    CHECK_I64("maxClientCnxns", config.front.connections_per_host_max, 60);
    CHECK_I64("jute.maxbuffer", config.jute.buffer_bytes_max, 1048575);
    CHECK_I64("extrasize", config.jute.extra_bytes, 1048575);
    CHECK_I64("preAllocSize", config.log.prealloc_bytes, 64 << 20);
    CHECK_I64("snapCount", config.snapshot.count, 100000);
    CHECK(config.log.force_sync && !config.request.skip_acl && config.auth.digest_enabled);
    CHECK_TEXT("dataLogDir", config.directories.log, config.directories.data);
    config_deinit(&config);
}

TEST(a_property_is_taken_with_and_without_its_prefix)
{
    struct config config;

    read_more(&config,
              "snapCount=7\nzookeeper.preAllocSize=128\njute.maxbuffer=4096\n"
              "znode.container.checkIntervalMs=5\nzookeeper.jute.maxbuffer.extrasize=2048\n");
    CHECK(config_error(&config) == NULL);
    CHECK_I64("snapCount", config.snapshot.count, 7);
    CHECK_I64("preAllocSize", config.log.prealloc_bytes, 128 << 10);
    CHECK_I64("jute.maxbuffer", config.jute.buffer_bytes_max, 4096);
    CHECK_I64("extrasize", config.jute.extra_bytes, 2048);
    CHECK_I64("container", config.container.check_interval_ms, 5);
    config_deinit(&config);
}

TEST(the_last_of_two_lines_wins_also_when_one_has_the_prefix)
{
    struct config config;

    read_more(&config, "zookeeper.snapCount=7\nsnapCount=9\ntickTime=2000\ntickTime=2500\n");
    CHECK_I64("snapCount", config.snapshot.count, 9);
    CHECK_I64("tickTime", config.session.tick_ms, 2500);
    config_deinit(&config);
}

TEST(words_of_the_jvm_flags_are_properties_and_the_file_wins_over_them)
{
    struct config config;

    config_init(&config);
    config_add_flags(&config, "-Xmx1g -Dzookeeper.snapCount=5 '-Dzookeeper.skipACL=yes' "
                              "-Djute.maxbuffer=0x1000 -DsnapCount=3");
    config_add_flags(&config, "-Dzookeeper.forceSync=no -Dzookeeper.snapCount=6 "
                              "\"-Dzookeeper.4lw.commands.whitelist=ruok, stat\"");
    config_parse(&config, "zoo.cfg", SLICE("dataDir=/nowhere/data\nforceSync=yes\n"));
    config_complete(&config);
    CHECK(config_error(&config) == NULL);
    CHECK_I64("the later word wins; one without prefix is another property", config.snapshot.count,
              6);
    CHECK(config.request.skip_acl);
    CHECK(config.log.force_sync);
    CHECK_I64("jute.maxbuffer", config.jute.buffer_bytes_max, 4096);
    CHECK_TEXT("quoted blanks", config.words.whitelist, "ruok, stat");
    config_deinit(&config);
}

TEST(a_word_does_not_set_what_java_reads_only_from_the_file)
{
    struct config config;

    config_init(&config);
    config_add_flags(&config, "-DtickTime=77 -Dzookeeper.tickTime=78");
    config_parse(&config, "zoo.cfg", slice_text(base));
    CHECK_I64("tickTime", config.session.tick_ms, 3000);
    config_deinit(&config);
}

TEST(garbage_in_a_property_is_ignored_with_a_warning)
{
    struct config config;

    read_more(&config, "globalOutstandingLimit=x\npreAllocSize=abc\n");
    CHECK(config_error(&config) == NULL);
    CHECK_I64("globalOutstandingLimit", config.request.outstanding_max, 1000);
    CHECK(has_problem(&config, false, 3, "globalOutstandingLimit"));
    CHECK(has_problem(&config, false, 4, "abc is not a valid value for preAllocSize"));
    config_deinit(&config);
}

TEST(a_comment_behind_a_value_is_understood_with_one_warning_a_line)
{
    struct config config;

    read(&config,
         "tickTime=2000  #ms\ndataDir=/nowhere/data\t# here\nclientPort=2181 # port\n"
         "preAllocSize\xef\xbc\x9a#words\nDigestAuthenticationProvider.superDigest=super:a#b=\n");
    CHECK(config_error(&config) == NULL);
    CHECK_I64("tickTime", config.session.tick_ms, 2000);
    CHECK_TEXT("dataDir", config.directories.data, "/nowhere/data");
    CHECK_I64("clientPort", config.front.port, 2181);
    CHECK_I64("preAllocSize", config.log.prealloc_bytes, 64 << 20);
    CHECK_TEXT("a sharp without a blank is data", config.auth.super_digest, "super:a#b=");
    CHECK_U64("warnings", config.problem_count, 4);
    for (int line = 1; line <= 4; line++)
        CHECK(has_problem(&config, false, line, line == 4 ? "full-width colon" : "comment"));
    config_deinit(&config);
}

TEST(busy_polling_is_off_unless_asked_for_and_takes_a_millisecond_at_most)
{
    static const char *const wrong[] = {"paddock.busyPollMicros=1001\n",
                                        "paddock.busyPollMicros=-1\n",
                                        "paddock.busyPollMicros=on\n"};
    struct config config;

    read_more(&config, "");
    CHECK_I64("default", config.loop.busy_poll_us, 0);
    config_deinit(&config);
    read_more(&config, "paddock.busyPollMicros=1000\n");
    CHECK(config_error(&config) == NULL);
    CHECK_I64("largest", config.loop.busy_poll_us, 1000);
    config_deinit(&config);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        read_more(&config, wrong[i]);
        CHECK(has_problem(&config, true, 3, "expected microseconds, 0 (off) to 1000"));
        CHECK_I64(wrong[i], config_error(&config)->code, EXIT_CODE_INVALID);
        config_deinit(&config);
    }
}

TEST(the_unsafe_switches_are_honoured_and_told_at_every_start)
{
    struct config config;

    read_more(&config, "forceSync=no\nskipACL=yes\nsnapshot.trust.empty=true\n");
    CHECK(config_error(&config) == NULL);
    CHECK(!config.log.force_sync && config.request.skip_acl && config.recovery.trust_empty);
    CHECK(has_problem(&config, false, 3, "forceSync=no"));
    CHECK(has_problem(&config, false, 4, "skipACL"));
    CHECK(has_problem(&config, false, 5, "snapshot.trust.empty"));
    config_deinit(&config);
}

TEST(what_asks_for_tls_sasl_or_x509_is_refused_with_a_sentence)
{
    static const char *const asking[] = {
        "secureClientPort=2281\n",
        "ssl.keyStore.location=/k\n",
        "ssl.quorum.trustStore.location=/k\n",
        "sslQuorum=true\n",
        "portUnification=true\n",
        "client.portUnification=true\n",
        "authProvider.1=org.apache.zookeeper.server.auth.SASLAuthenticationProvider\n",
        "authProvider.sasl=org.apache.zookeeper.server.auth.SASLAuthenticationProvider\n",
        "authProvider.x509=org.apache.zookeeper.server.auth.X509AuthenticationProvider\n",
        "zookeeper.authProvider.1=a.b.SASLAuthenticationProvider\n",
        "sessionRequireClientSASLAuth=true\n",
        "enforce.auth.enabled=true\nenforce.auth.schemes=digest,sasl\n",
        "enforce.auth.enabled=true\nenforce.auth.schemes=x509\n",
        "enforce.auth.enabled=true\n",
        "quorum.auth.enableSasl=true\n",
        "superUser=bob\n",
        "X509AuthenticationProvider.superUser=CN=bob\n",
        "java.security.auth.login.config=/jaas\n",
        "DigestAuthenticationProvider.digestAlg=ROT13\n",
    };

    for (size_t i = 0; i < ARRAY_LEN(asking); i++) {
        struct config config;
        read_more(&config, asking[i]);
        const struct config_problem *error = config_error(&config);
        if (error == NULL)
            check_failed(__FILE__, __LINE__, "accepted: %s", asking[i]);
        CHECK_I64(asking[i], error->code, EXIT_CODE_UNEXPECTED);
        config_deinit(&config);
    }
}

TEST(a_security_setting_that_is_switched_off_asks_for_nothing)
{
    struct config config;

    read_more(&config, "sslQuorum=false\nquorum.auth.enableSasl=FALSE\n"
                       "sessionRequireClientSASLAuth=false\nclient.portUnification=false\n"
                       "enforce.auth.enabled=true\nenforce.auth.schemes= digest , ip\n");
    CHECK(config_error(&config) == NULL);
    config_deinit(&config);
}

TEST(what_is_known_and_not_yet_effective_gets_one_warning)
{
    struct config config;

    read_more(&config, "audit.enable=true\nadmin.serverPort=8080\nadmin.enableServer=false\n"
                       "maxResponseCacheSize=4\nsomethingElse=1\n");
    CHECK(config_error(&config) == NULL);
    CHECK_U64("warnings", config.problem_count, 2);
    CHECK(has_problem(&config, false, 3, "audit.enable=true"));
    CHECK(has_problem(&config, false, 4, "admin.serverPort=8080"));
    config_deinit(&config);
}

static size_t problems_of(const char *line)
{
    struct config config;

    read_more(&config, line);
    CHECK(config_error(&config) == NULL);
    size_t count = config.problem_count;
    config_deinit(&config);
    return count;
}

/* Of all keys that are about several servers: one that has no effect here is told, unless the value says
 * what happens anyway, or the key is about the inside of Java's program. */
TEST(no_key_of_an_ensemble_is_ignored_without_a_word)
{
    static const struct {
        const char *told, *harmless;
    } rows[] = {
        {"observerMaster.sizeLimit=1000\n", "observerMaster.sizeLimit=33554432\n"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK_U64(rows[i].told, problems_of(rows[i].told), 1);
        CHECK_U64(rows[i].told, problems_of(rows[i].harmless), 0);
    }
}

TEST(keys_about_requests_come_to_their_fields)
{
    struct config config;

    read_more(&config, "");
    CHECK(config.request.throttle_drops_stale && config.request.stale_connection_check);
    CHECK(!config.request.stale_latency_check && !config.request.eager_acl_check);
    CHECK(config.request.close_lists_paths);
    config_deinit(&config);
    read_more(&config, "closeSessionTxn.enabled=false\nrequest_throttle_drop_stale=false\nrequest_"
                       "stale_connection_check=false\n"
                       "request_stale_latency_check=true\nenableEagerACLCheck=true\n");
    CHECK(config_error(&config) == NULL && config.problem_count == 0);
    CHECK(!config.request.throttle_drops_stale && !config.request.stale_connection_check);
    CHECK(config.request.stale_latency_check && config.request.eager_acl_check);
    CHECK(!config.request.close_lists_paths);
    config_deinit(&config);
}

/* Boolean.getBoolean() of the property, where there is one. */
TEST(sync_enabled_is_that_of_the_property_if_it_is_given)
{
    static const struct {
        const char *lines;
        bool logs;
    } rows[] = {
        {"", true},
        {"syncEnabled=true\n", true},
        {"syncEnabled=false\n", false},
        {"observer.syncEnabled=false\n", false},
        {"observer.syncEnabled=no\n", false},
        {"zookeeper.observer.syncEnabled=false\nsyncEnabled=true\n", false},
        {"syncEnabled=false\nobserver.syncEnabled=TRUE\n", true},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct config config;
        read_more(&config, rows[i].lines);
        CHECK(config_error(&config) == NULL && config.problem_count == 0);
        CHECK_I64(rows[i].lines, ensemble_observer_logs(&config), rows[i].logs);
        config_deinit(&config);
    }
}

TEST(keys_of_an_ensemble_come_to_their_fields)
{
    struct config config;

    read_more(&config, "initLimit=7\nsyncLimit=3\nconnectToLearnerMasterLimit=9\nleaderServes=no\n"
                       "localSessionsEnabled=true\nlocalSessionsUpgradingEnabled=true\n"
                       "readonlymode.enabled=true\nquorumListenOnAllIPs=true\ncnxTimeout=1234\n"
                       "electionPortBindRetry=5\ntcpKeepAlive=true\nmultiAddress.enabled=true\n"
                       "fastleader.minNotificationInterval=11\n"
                       "fastleader.maxNotificationInterval=22\nsnapshotSizeFactor=0.5\n"
                       "leader.maxConcurrentSnapSyncs=2\nleader.maxConcurrentDiffSyncs=3\n"
                       "forceSnapshotSync=true\nquorumCnxnTimeoutMs=44\n"
                       "leader.maxTimeToWaitForEpoch=55\n"
                       "leaderConnectDelayDuringRetryMs=66\ncommitLogCount=777\n"
                       "multiAddress.reachabilityCheckTimeoutMs=88\n"
                       "multiAddress.reachabilityCheckEnabled=false\n"
                       "observerMasterPort=2190\nobserver.reconnectDelayMs=33\n"
                       "observer.election.DelayMs=44\n");
    CHECK_I64("observerMasterPort", config.ensemble.observer_master_port, 2190);
    CHECK_I64("observer.reconnectDelayMs", config.ensemble.observer_reconnect_ms, 33);
    CHECK_I64("observer.election.DelayMs", config.ensemble.observer_election_ms, 44);
    CHECK(config.ensemble.snapshot_size_factor == 0.5);
    CHECK(config_error(&config) == NULL);
    CHECK_I64("initLimit", config.ensemble.init_limit, 7);
    CHECK_I64("syncLimit", config.ensemble.sync_limit, 3);
    CHECK_I64("connectToLearnerMasterLimit", config.ensemble.connect_limit, 9);
    CHECK(!config.ensemble.leader_serves);
    CHECK(config.ensemble.local_sessions && config.ensemble.local_upgrading);
    CHECK(config.words.read_only_mode && config.peers.listen_on_all);
    CHECK_I64("cnxTimeout", config.peers.connect_timeout_ms, 1234);
    CHECK_I64("electionPortBindRetry", config.peers.bind_retry, 5);
    CHECK(config.peers.tcp_keep_alive && config.ensemble.multi_address);
    CHECK_I64("fastleader.min", config.ensemble.resend_min_ms, 11);
    CHECK_I64("fastleader.max", config.ensemble.resend_max_ms, 22);
    CHECK_I64("SNAPs at once", config.ensemble.snap_syncs_max, 2);
    CHECK_I64("DIFFs at once", config.ensemble.diff_syncs_max, 3);
    CHECK(config.ensemble.force_snapshot);
    CHECK_I64("quorumCnxnTimeoutMs", config.ensemble.hello_timeout_ms, 44);
    CHECK_I64("maxTimeToWaitForEpoch", config.ensemble.epoch_wait_max_ms, 55);
    CHECK_I64("leaderConnectDelay", config.ensemble.redial_ms, 66);
    CHECK_I64("commitLogCount", config.ensemble.history_count, 777);
    CHECK_I64("reachabilityCheckTimeoutMs", config.ensemble.reach_timeout_ms, 88);
    CHECK(!config.ensemble.checks_reach);
    CHECK(!ensemble_local_sessions(&config)); /* it is no ensemble */
    config_deinit(&config);
}

TEST(a_commit_log_count_that_is_too_small_or_no_number_is_told)
{
    static const struct {
        const char *line;
        int32_t count;
        size_t problems;
    } rows[] = {{"commitLogCount=500\n", 500, 0},
                {"commitLogCount=499\n", 500, 1},
                {"commitLogCount=-1\n", 500, 1},
                {"commitLogCount=many\n", 0, 1}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct config config;
        read_more(&config, rows[i].line);
        CHECK(config_error(&config) == NULL);
        CHECK_I64(rows[i].line, config.ensemble.history_count, rows[i].count);
        CHECK_U64(rows[i].line, config.problem_count, rows[i].problems);
        config_deinit(&config);
    }
}

TEST(an_oracle_that_is_never_asked_is_told)
{
    struct config config;

    read_more(&config, "oraclePath=/nowhere/oracle\n"); /* it is no ensemble of two voters */
    config_complete(&config);
    CHECK(has_problem(&config, false, 0, "oraclePath has no effect"));
    CHECK_TEXT("and kept", config.ensemble.oracle_path, "/nowhere/oracle");
    config_deinit(&config);
}

TEST(several_addresses_are_allowed_by_a_line_and_by_the_property_that_java_reads)
{
    struct config config;

    config_init(&config);
    config_add_flags(&config, "-Dzookeeper.multiAddress.enabled=true");
    config_parse(&config, "zoo.cfg", SLICE("dataDir=/nowhere\nclientPort=1\n"));
    CHECK(config.ensemble.multi_address);
    config_deinit(&config);
    read_more(&config, "multiAddress.enabled=yes\n");
    CHECK_I64("code", config_error(&config)->code, EXIT_CODE_INVALID);
    config_deinit(&config);
}

TEST(local_sessions_cost_a_new_client_their_own_number_of_tokens)
{
    static const char three[] =
        "initLimit=1\nsyncLimit=1\nserver.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2\n";
    char lines[512];
    struct config config;

    read_more(&config, three);
    CHECK_I64("global", config.front.throttle.weight_new, 3);
    config_deinit(&config);
    snprintf(lines, sizeof(lines), "%slocalSessionsEnabled=true\n", three);
    read_more(&config, lines);
    CHECK_I64("local", config.front.throttle.weight_new, 1);
    CHECK(ensemble_local_sessions(&config));
    config_deinit(&config);
}

TEST(an_error_names_the_line_and_what_was_expected)
{
    struct config config;

    read_more(&config, "\ntickTime=2.5\nreconfigEnabled=yes\nautopurge.purgeInterval=soon\n");
    CHECK_I64("code", config_error(&config)->code, EXIT_CODE_INVALID);
    CHECK(has_problem(&config, true, 4, "expected a whole number"));
    CHECK(has_problem(&config, true, 5, "Choose 'true' or 'false.'"));
    CHECK(has_problem(&config, true, 6, "expected a number of hours"));
    config_deinit(&config);
}

TEST(what_java_calls_invalid_comes_before_what_only_we_refuse)
{
    struct config config;

    read_more(&config, "sslQuorum=true\ntickTime=x\n");
    CHECK_I64("code", config_error(&config)->code, EXIT_CODE_INVALID);
    config_deinit(&config);
}

TEST(one_server_line_is_a_server_alone_and_its_client_part_counts)
{
    struct config config;

    read(&config, "dataDir=/nowhere/data\nserver.1=h:2888:3888\n");
    CHECK(config_error(&config) == NULL);
    CHECK_I64("voters", config.ensemble.voters, 1);
    CHECK(has_problem(&config, false, 0, "only one server specified"));
    config_deinit(&config);
}

TEST(words_on_the_command_line_have_no_limit_of_connections)
{
    char port[] = "2181", dir[] = "/nowhere/data", tick[] = "2500", limit[] = "7", bad[] = "x";
    char *four[] = {port, dir, tick, limit}, *wrong[] = {bad, dir};
    struct config config;

    config_init(&config);
    CHECK(config_from_words(&config, 2, four));
    CHECK(config_error(&config) == NULL);
    CHECK_I64("maxClientCnxns", config.front.connections_per_host_max, 0);
    CHECK_I64("tickTime", config.session.tick_ms, 3000);
    config_deinit(&config);
    config_init(&config);
    CHECK(config_from_words(&config, 4, four));
    CHECK_I64("maxClientCnxns", config.front.connections_per_host_max, 7);
    CHECK_I64("tickTime", config.session.tick_ms, 2500);
    config_deinit(&config);
    config_init(&config);
    CHECK(!config_from_words(&config, 2, wrong));
    config_deinit(&config);
}

TEST(reading_and_checking_a_file_asks_no_network)
{
    struct config config;

    lookups = 0;
    read_more(&config, "clientPortAddress=nobody\nserver.1=a:2888:3888;b:2181\n"
                       "server.2=c:2888:3888\nserver.3=d:2888:3888\n");
    CHECK_I64("lookups", lookups, 0);
    config_deinit(&config);
    read_more(&config, "clientPortAddress=nobody\n");
    CHECK(config_error(&config) == NULL);
    CHECK_I64("lookups", lookups, 0);
    config_resolve(&config);
    CHECK(lookups > 0);
    CHECK(has_problem(&config, true, 3, "clientPortAddress: nobody: Name or service not known"));
    CHECK_I64("code", config_error(&config)->code, EXIT_CODE_INVALID);
    config_deinit(&config);
}

TEST(a_start_resolves_the_address_that_front_binds)
{
    struct sockaddr_in address;
    struct config config;

    read_more(&config, "clientPortAddress=here\n");
    config_resolve(&config);
    CHECK(config_error(&config) == NULL);
    memcpy(&address, &config.front.bind_address, sizeof(address));
    CHECK_U64("address", ntohl(address.sin_addr.s_addr), INADDR_LOOPBACK);
    CHECK_U64("port", ntohs(address.sin_port), 2181);
    config_deinit(&config);
}

/* A config of these lines, with a dataDir whose myid says 7. The caller deinits it. */
static void read_with_myid(struct config *config, const char *lines)
{
    char directory[] = "/tmp/test-config-XXXXXX", path[64], text[512];

    CHECK(mkdtemp(directory) != NULL);
    snprintf(path, sizeof(path), "%s/myid", directory);
    FILE *file = fopen(path, "w");
    CHECK(file != NULL);
    fputs("7\n", file);
    fclose(file);
    snprintf(text, sizeof(text), "dataDir=%s\nclientPort=2181\n%s", directory, lines);
    read(config, text);
    remove(path);
    remove(directory);
}

/* ... and whose own server line names a client address, too. */
static void read_client_address_twice(struct config *config, const char *key, const char *line)
{
    char lines[256];

    snprintf(lines, sizeof(lines), "clientPortAddress=%s\nserver.7=h:2888:3888;%s\n", key, line);
    read_with_myid(config, lines);
}

TEST(two_names_of_one_host_are_one_client_address)
{
    struct config config;

    read_client_address_twice(&config, "here", "here-too:2181");
    CHECK(config_error(&config) == NULL);
    config_resolve(&config);
    CHECK(config_error(&config) == NULL);
    CHECK_TEXT("the line's is taken", config.front.address, "here-too");
    config_deinit(&config);
}

TEST(two_client_addresses_are_refused_when_the_server_starts)
{
    struct config config;

    read_client_address_twice(&config, "here", "there:2181");
    CHECK(config_error(&config) == NULL);
    config_resolve(&config);
    CHECK(has_problem(&config, true, 4, "is here:2181 is different"));
    config_deinit(&config);
}

TEST(two_client_ports_are_refused_without_a_look_at_the_hosts)
{
    struct config config;

    read_client_address_twice(&config, "here", "here:2182");
    CHECK(has_problem(&config, true, 4, "is different from client address"));
    config_deinit(&config);
}

TEST(a_server_alone_has_its_ids_whatever_myid_says)
{
    static const char *const alone[] = {"", "server.7=h:2888:3888\n"};
    struct config config;

    for (size_t i = 0; i < ARRAY_LEN(alone); i++) {
        read_with_myid(&config, alone[i]);
        CHECK(config_error(&config) == NULL);
        CHECK_I64("in conf", ensemble_server_id(&config), 0);
        CHECK_I64("in session ids", ensemble_session_server_id(&config), 1);
        config_deinit(&config);
    }
}

TEST(a_server_of_an_ensemble_has_the_id_of_its_myid)
{
    struct config config;

    read_with_myid(&config, "initLimit=5\nsyncLimit=2\nserver.7=h:2888:3888\n"
                            "server.8=h:2889:3889\nserver.9=h:2890:3890\n");
    CHECK_I64("in conf", ensemble_server_id(&config), 7);
    CHECK_I64("in session ids", ensemble_session_server_id(&config), 7);
    config_deinit(&config);
}

/* As Java reads it; a number that is no port ends Java when it follows, and here at the start. */
TEST(an_observer_master_port_below_0_is_none_and_one_above_65535_is_an_error)
{
    struct config config;

    read_more(&config, "observerMasterPort=-1\n");
    CHECK(config_error(&config) == NULL);
    CHECK_I64("port", config.ensemble.observer_master_port, 0);
    config_deinit(&config);
    read_more(&config, "observerMasterPort=70000\n");
    CHECK(config_error(&config) != NULL);
    config_deinit(&config);
    read_more(&config, "observerMasterPort=many\n");
    CHECK(config_error(&config) != NULL);
    config_deinit(&config);
}

TEST(the_name_of_the_dynamic_file_ends_with_the_version_of_the_configuration)
{
    static const struct {
        const char *name;
        int64_t version;
    } rows[] = {{"zoo.cfg.dynamic.100000003", 0x100000003},
                {"zoo.cfg.dynamic.0", 0},
                {"zoo.cfg.dynamic", 0},
                {"zoo.cfg.dynamic.1g", 0},
                {"servers", 0}};
    char directory[] = "/tmp/paddock-config-XXXXXX", path[128], line[192];

    CHECK(mkdtemp(directory) != NULL);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct config config;
        (void)snprintf(path, sizeof(path), "%s/%s", directory, rows[i].name);
        FILE *file = fopen(path, "w");
        CHECK(file != NULL);
        CHECK(fputs("server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2\n", file) >= 0);
        CHECK(fclose(file) == 0);
        (void)snprintf(line, sizeof(line), "dynamicConfigFile=%s\n", path);
        read_more(&config, line);
        CHECK(config.ensemble.members != NULL);
        CHECK_I64(rows[i].name, config.ensemble.members->version, rows[i].version);
        config_deinit(&config);
        CHECK(remove(path) == 0);
    }
    CHECK(remove(directory) == 0);
}
