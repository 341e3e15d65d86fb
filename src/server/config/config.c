/* config.c: from the text of a zoo.cfg and -D properties to a checked configuration. */
#include "server/config/config.h"

#include "replica/membership/membership.h"
#include "server/config/ensemble.h"
#include "server/config/keys.h"
#include "server/config/values.h"
#include "wire/zk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { CONFIG_FILE_BYTES_MAX = 1 << 20 };

void config_init(struct config *config)
{
    *config = (struct config){
        .directories.autocreate = true,
        .front.listen_backlog = -1,
        .ensemble.my_id = -1,
        .ensemble.leader_serves = true,
        .ensemble.sync_enabled = true,
        .ensemble.snapshot_size_factor = 0.33,
        .ensemble.redial_ms = -1,
        .ensemble.epoch_wait_max_ms = -1,
        .ensemble.hello_timeout_ms = -1,
        .ensemble.checks_reach = true,
        .ensemble.reach_timeout_ms = 1000,
        .ensemble.snap_syncs_max = 10,
        .ensemble.diff_syncs_max = 100,
        .ensemble.resend_min_ms = 200,
        .ensemble.observer_election_ms = 200,
        .ensemble.resend_max_ms = 60000,
        .session.tick_ms = 3000,
        .session.timeout_min_ms = -1,
        .session.timeout_max_ms = -1,
        .front.connections_per_host_max = 60,
        .front.sessionless_timeout_ms = 10000,
        .jute.buffer_bytes_max = JUTE_MAXBUFFER_DEFAULT,
        .jute.extra_bytes = -1,
        .front.large_request_bytes_max = 104857600,
        .front.large_request_threshold = -1,
        .front.throttle.fill_time_ms = 1,
        .front.throttle.fill_count = 1,
        .front.throttle.freeze_time_ms = -1,
        .front.throttle.drop_increase = 0.02,
        .front.throttle.drop_decrease = 0.002,
        .front.throttle.weight_global = 3,
        .front.throttle.weight_local = 1,
        .front.throttle.weight_renew = 2,
        .request.outstanding_max = 1000,
        .request.throttle_stall_ms = 100,
        .request.throttle_drops_stale = true,
        .request.close_lists_paths = true,
        .request.stale_connection_check = true,
        .container.check_interval_ms = 60000,
        .container.per_minute_max = 10000,
        .auth.digest_enabled = true,
        .auth.digest_algorithm = "SHA1",
        .log.prealloc_bytes = 64 << 20,
        .log.size_limit_bytes = -1,
        .snapshot.size_limit_bytes = INT64_C(4194304) * 1024,
        .snapshot.count = 100000,
        .log.force_sync = true,
        .tree.digest_enabled = true,
        .snapshot.last_zxid_section = true,
        .recovery.db_autocreate = true,
        .snapshot.compression = "",
        .log.fsync_warning_ms = 1000,
        .log.write_queue_poll_ms = -1,
        .log.batch_max = 1000,
        .snapshot.retain = 3,
        .ensemble.standalone_enabled = true,
        .peers.connect_timeout_ms = 5000,
        .peers.bind_retry = 3,
    };
    arena_init(&config->arena);
}

void config_deinit(struct config *config)
{
    properties_deinit(&config->file);
    properties_deinit(&config->flags);
    mem_free(config->problems);
    membership_free(config->ensemble.members);
    arena_deinit(&config->arena);
}

static const char *trimmed(struct config *config, const char *text)
{
    struct slice bare = slice_trim(slice_text(text));

    return config_text(config, "%.*s", (int)bare.size, (const char *)bare.data);
}

/* The annotated files of tutorials: `tickTime=2000  #ms`. Java takes the comment for a part of the
 * value and refuses the file, or makes a directory of that name. */
static const char *without_comment(struct config *config, const struct property *property)
{
    struct stat info;

    for (const char *at = property->value; *at != '\0'; at++) {
        if (at[0] != '#' || at == property->value || (at[-1] != ' ' && at[-1] != '\t'))
            continue;
        if ((strcmp(property->key, "dataDir") == 0 || strcmp(property->key, "dataLogDir") == 0) &&
            stat(trimmed(config, property->value), &info) == 0) {
            config_warn(config, property->line,
                        "%s: the directory \"%s\" exists, so \"%s\" is taken as a part of its name",
                        property->key, property->value, at);
            return property->value;
        }
        const char *before =
            config_text(config, "%.*s", (int)(at - property->value), property->value);
        config_warn(config, property->line,
                    "%s: \"%s\" is taken as a comment; in a zoo.cfg a # begins one only at the "
                    "start of a line, and ZooKeeper in Java takes it as a part of the value",
                    property->key, at);
        return trimmed(config, before);
    }
    return property->value;
}

/* server.N values are not trimmed by Java, which then finds no port in "3881 ". */
static const char *tidy(struct config *config, const struct property *property)
{
    const char *value = without_comment(config, property);
    const char *trim = trimmed(config, value);

    if (value == property->value && strcmp(trim, value) != 0 &&
        strncmp(property->key, "server.", 7) == 0)
        config_warn(config, property->line,
                    "%s: the blank after the value is ignored; ZooKeeper in Java refuses it",
                    property->key);
    return trim;
}

static const char *property_name(const char *name)
{
    return strncmp(name, "zookeeper.", 10) == 0 ? name + 10 : name;
}

static void apply(struct config *config, const char *name, const char *value, int line)
{
    const struct key *key = key_find(name);
    struct setting setting = {.key = key, .name = name, .value = value, .line = line};

    if (key != NULL && (line != 0 || key->place != KEY_FILE_LINE))
        key->take(config, &setting);
}

/* One word of a shell: quotes and backslashes taken off. False: the end. */
static bool next_word(const char **at, struct buffer *word)
{
    char quote = '\0';

    word->size = 0;
    while (**at == ' ' || **at == '\t' || **at == '\n')
        (*at)++;
    if (**at == '\0')
        return false;
    for (; **at != '\0'; (*at)++) {
        char c = **at;
        if (quote == '\0' && (c == ' ' || c == '\t' || c == '\n'))
            break;
        if (quote == '\0' && (c == '\'' || c == '"')) {
            quote = c;
        } else if (c == quote) {
            quote = '\0';
        } else {
            if (c == '\\' && quote != '\'' && (*at)[1] != '\0')
                c = *++(*at);
            buffer_u8(word, (uint8_t)c);
        }
    }
    buffer_u8(word, '\0');
    return true;
}

void config_add_flags(struct config *config, const char *flags)
{
    struct buffer word;

    if (flags == NULL)
        return;
    buffer_init(&word);
    while (next_word(&flags, &word)) {
        const char *text = (const char *)word.data;
        if (strncmp(text, "-D", 2) != 0)
            continue;
        const char *equals = strchr(text, '=');
        size_t size = equals == NULL ? strlen(text) : (size_t)(equals - text);
        properties_add(&config->flags, config_text(config, "%.*s", (int)size - 2, text + 2),
                       config_text(config, "%s", equals == NULL ? "" : equals + 1), 0);
    }
    buffer_deinit(&word);
}

static void apply_words(struct config *config)
{
    for (size_t i = 0; i < config->flags.count; i++) {
        const struct property *word = &config->flags.items[i];
        const struct key *key = key_find(property_name(word->key));
        bool prefixed = strncmp(word->key, "zookeeper.", 10) == 0;
        /* Java reads zookeeper.X and nothing else for most; the bare ones are taken both ways. */
        if (key == NULL || properties_overridden(&config->flags, i, property_name) ||
            ((key->place == KEY_PROPERTY || key->place == KEY_LINE_OR_PROPERTY) && !prefixed))
            continue;
        apply(config, property_name(word->key), word->value, 0);
    }
}

void config_parse(struct config *config, const char *path, struct slice text)
{
    int bad_line = 0;

    config->path = config_text(config, "%s", path);
    apply_words(config);
    if (properties_parse(&config->file, text, &config->arena, &bad_line) != STATUS_OK) {
        config_invalid(config, bad_line,
                       "Malformed \\uxxxx encoding.: expected four hex digits after \\u; a "
                       "backslash is written \\\\");
        return;
    }
    for (size_t i = 0; i < config->file.count; i++) {
        struct property *property = &config->file.items[i];
        if (strstr(property->key, "\xef\xbc\x9a") != NULL) { /* the full-width colon */
            config_warn(config, property->line,
                        "a full-width colon does not end a name; the line sets nothing: %s",
                        property->key);
            continue;
        }
        property->value = tidy(config, property);
        if (!properties_overridden(&config->file, i, property_name))
            apply(config, property_name(property->key), property->value, property->line);
    }
}

int config_line_of(const struct config *config, const char *key)
{
    int line = 0;

    for (size_t i = 0; i < config->file.count; i++) {
        if (strcmp(property_name(config->file.items[i].key), key) == 0)
            line = config->file.items[i].line;
    }
    return line;
}

static bool given(const struct config *config, const char *key)
{
    return config_line_of(config, key) != 0;
}

static bool given_true(const struct config *config, const char *key)
{
    bool value = false;

    for (size_t i = 0; i < config->file.count; i++) {
        const struct property *property = &config->file.items[i];
        if (strcmp(property_name(property->key), key) == 0 &&
            java_parse_bool(property->value, &value))
            continue;
    }
    return value;
}

static void read_my_id(struct config *config)
{
    char line[64];
    struct stat info;

    if (config->directories.data == NULL)
        return;
    const char *path = config_text(config, "%s/myid", config->directories.data);
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode))
        return;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return;
    const char *got = fgets(line, sizeof(line), file);
    fclose(file);
    if (got != NULL)
        line[strcspn(line, "\r\n")] = '\0';
    if (got == NULL || !java_parse_long(line, &config->ensemble.my_id))
        config_invalid(config, 0,
                       "serverid %s is not a number: expected one number in the first "
                       "line of %s",
                       got == NULL ? "null" : line, path);
}

static bool read_file(struct config *config, const char *path, struct buffer *text)
{
    struct stat info;
    FILE *file = NULL;

    if (stat(path, &info) != 0) {
        config_invalid(config, 0, "%s file is missing", path);
        return false;
    }
    if (S_ISREG(info.st_mode) || S_ISFIFO(info.st_mode) || S_ISCHR(info.st_mode))
        file = fopen(path, "re");
    if (file == NULL) {
        config_invalid(config, 0, "%s (%s)", path,
                       S_ISDIR(info.st_mode) ? "Is a directory" : strerror(errno));
        return false;
    }
    for (;;) {
        size_t got = fread(buffer_extend(text, 4096), 1, 4096, file);
        text->size -= 4096 - got;
        if (got == 0 || text->size > CONFIG_FILE_BYTES_MAX)
            break;
    }
    fclose(file);
    if (text->size > CONFIG_FILE_BYTES_MAX) {
        config_invalid(config, 0, "%s is larger than 1 MB: expected a zoo.cfg", path);
        return false;
    }
    return true;
}

static void read_dynamic_file(struct config *config, struct properties *dynamic)
{
    struct buffer text;
    int line = 0;

    buffer_init(&text);
    if (read_file(config, config->ensemble.dynamic_file, &text) &&
        properties_parse(dynamic, buffer_slice(&text), &config->arena, &line) != STATUS_OK)
        config_invalid(config, 0, "%s:%d: Malformed \\uxxxx encoding.",
                       config->ensemble.dynamic_file, line);
    buffer_deinit(&text);
}

static void warn_relative(struct config *config, const char *key, const char *path)
{
    if (path[0] != '/' && strncmp(path, "./", 2) != 0)
        config_warn(config, config_line_of(config, key),
                    "%s is relative. Prepend ./ to indicate that you're sure!", path);
}

static void check_directories(struct config *config)
{
    if (config->directories.data == NULL || config->directories.data[0] == '\0') {
        config_invalid(config, config_line_of(config, "dataDir"), "dataDir is not set");
        return;
    }
    warn_relative(config, "dataDir", config->directories.data);
    if (config->directories.log == NULL)
        config->directories.log = config->directories.data;
    else
        warn_relative(config, "dataLogDir", config->directories.log);
}

static void check_sessions(struct config *config)
{
    if (config->session.tick_ms == 0) {
        config_invalid(config, config_line_of(config, "tickTime"), "tickTime is not set");
        return;
    }
    int64_t min_ms = config->session.timeout_min_ms, max_ms = config->session.timeout_max_ms;
    if (min_ms == -1)
        min_ms = (int64_t)config->session.tick_ms * 2;
    if (max_ms == -1)
        max_ms = (int64_t)config->session.tick_ms * 20;
    if (min_ms > max_ms) {
        int line = config_line_of(config, "minSessionTimeout");
        config_invalid(config, line != 0 ? line : config_line_of(config, "tickTime"),
                       "minSessionTimeout must not be larger than maxSessionTimeout: %lld and %lld",
                       (long long)min_ms, (long long)max_ms);
        return;
    }
    config->session.timeout_min_ms = (int32_t)(min_ms > INT32_MAX ? INT32_MAX : min_ms);
    config->session.timeout_max_ms = (int32_t)(max_ms > INT32_MAX ? INT32_MAX : max_ms);
    if (config->session.tick_ms < 0)
        config_invalid(config, config_line_of(config, "tickTime"), "tickTime: %d is negative",
                       config->session.tick_ms);
}

static void check_address(struct config *config)
{
    if (given(config, "secureClientPortAddress") && !given(config, "secureClientPort"))
        config_invalid(config, config_line_of(config, "secureClientPortAddress"),
                       "secureClientPortAddress is set but secureClientPort is not set");
    if (config->front.address != NULL && !given(config, "clientPort"))
        config_invalid(config, config_line_of(config, "clientPortAddress"),
                       "clientPortAddress is set but clientPort is not set");
}

static void check_quorum_sasl(struct config *config)
{
    bool enabled = given_true(config, "quorum.auth.enableSasl");
    bool learner = given_true(config, "quorum.auth.learnerRequireSasl");
    bool server = given_true(config, "quorum.auth.serverRequireSasl");

    if (server && !enabled)
        config_invalid(config, config_line_of(config, "quorum.auth.serverRequireSasl"),
                       "quorum.auth.enableSasl is disabled, so cannot enable "
                       "quorum.auth.serverRequireSasl");
    else if (learner && !enabled)
        config_invalid(config, config_line_of(config, "quorum.auth.learnerRequireSasl"),
                       "quorum.auth.enableSasl is disabled, so cannot enable "
                       "quorum.auth.learnerRequireSasl");
    else if (server && !learner)
        config_invalid(config, config_line_of(config, "quorum.auth.serverRequireSasl"),
                       "quorum.auth.learnerRequireSasl is disabled, so cannot enable "
                       "quorum.auth.serverRequireSasl");
}

static bool digest_known(const char *name)
{
    static const char *const known[] = {"MD5",      "SHA1",     "SHA-1",    "SHA",
                                        "SHA-224",  "SHA-256",  "SHA-384",  "SHA-512",
                                        "SHA3-224", "SHA3-256", "SHA3-384", "SHA3-512"};

    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (strcasecmp(known[i], name) == 0)
            return true;
    }
    return false;
}

static bool scheme_known(const struct config *config, struct slice scheme)
{
    return slice_equal(scheme, SLICE("ip")) || slice_equal(scheme, SLICE("world")) ||
           slice_equal(scheme, SLICE("auth")) ||
           (slice_equal(scheme, SLICE("digest")) && config->auth.digest_enabled) ||
           (slice_equal(scheme, SLICE("ensemble")) && config->auth.ensemble_enabled);
}

static void check_auth(struct config *config)
{
    int line = config_line_of(config, "enforce.auth.schemes");

    if (!digest_known(config->auth.digest_algorithm))
        config_refuse(config, config_line_of(config, "DigestAuthenticationProvider.digestAlg"),
                      "don't know this algorithm: %s, expected SHA1, SHA-256, SHA-512, ...",
                      config->auth.digest_algorithm);
    if (!config->auth.enforced)
        return;
    if (config->auth.enforced_schemes == NULL || config->auth.enforced_schemes[0] == '\0') {
        config_refuse(config, config_line_of(config, "enforce.auth.enabled"),
                      "zookeeper.enforce.auth.enabled is true, zookeeper.enforce.auth.schemes must "
                      "be configured");
        return;
    }
    for (const char *at = config->auth.enforced_schemes; *at != '\0';) {
        size_t size = strcspn(at, ",");
        struct slice scheme = slice_trim(slice_of(at, size));
        if (!scheme_known(config, scheme))
            config_refuse(config, line,
                          "enforce.auth.schemes: Authentication scheme %.*s is not available; it "
                          "refuses to run with less security than its configuration asks for",
                          (int)scheme.size, (const char *)scheme.data);
        at += size + (at[size] == ',' ? 1 : 0);
    }
}

static void raise_small_values(struct config *config)
{
    if (config->snapshot.retain < 3) {
        config_warn(config, config_line_of(config, "autopurge.snapRetainCount"),
                    "Invalid autopurge.snapRetainCount: %d. Defaulting to 3",
                    config->snapshot.retain);
        config->snapshot.retain = 3;
    }
    if (config->snapshot.count < 2) {
        config_warn(config, config_line_of(config, "snapCount"),
                    "SnapCount should be 2 or more. Now, snapCount is reset to 2");
        config->snapshot.count = 2;
    }
    if (config->front.large_request_bytes_max <= 0) {
        config_warn(config, config_line_of(config, "largeRequestMaxBytes"),
                    "Invalid value for largeRequestMaxBytes: %d. Using the default 104857600",
                    config->front.large_request_bytes_max);
        config->front.large_request_bytes_max = 104857600;
    }
    if (config->jute.buffer_bytes_max < 0)
        config->jute.buffer_bytes_max = JUTE_MAXBUFFER_DEFAULT;
    if (config->jute.extra_bytes < 0)
        config->jute.extra_bytes = config->jute.buffer_bytes_max;
    if (config->jute.extra_bytes < 1024)
        config->jute.extra_bytes = 1024;
    if (config->front.sessionless_timeout_ms <= 0)
        config->front.sessionless_timeout_ms = 10000;
    if (config->log.prealloc_bytes < 0)
        config->log.prealloc_bytes = 0;
}

static void warn_unsafe(struct config *config)
{
    if (!config->log.force_sync)
        config_warn(config, config_line_of(config, "forceSync"),
                    "forceSync=no: answers do not wait for the disk; a power loss loses "
                    "acknowledged writes");
    if (config->request.skip_acl)
        config_warn(config, config_line_of(config, "skipACL"),
                    "skipACL=\"yes\", ACL checks will be skipped: everybody may do everything");
    if (config->recovery.trust_empty)
        config_warn(config, config_line_of(config, "snapshot.trust.empty"),
                    "snapshot.trust.empty=true: a server that lost its snapshots starts with less "
                    "data than it had; remove the line after the start");
}

void config_complete(struct config *config)
{
    struct properties dynamic = {0};
    struct properties *lines = NULL;

    check_directories(config);
    check_sessions(config);
    check_address(config);
    check_quorum_sasl(config);
    check_auth(config);
    raise_small_values(config);
    if (config->ensemble.peer_type != NULL &&
        strcasecmp(config->ensemble.peer_type, "observer") != 0 &&
        strcasecmp(config->ensemble.peer_type, "participant") != 0)
        config_invalid(config, config_line_of(config, "peerType"), "Unrecognised peertype: %s",
                       config->ensemble.peer_type);
    if (config->ensemble.dynamic_file != NULL) {
        read_dynamic_file(config, &dynamic);
        lines = &dynamic;
    }
    ensemble_read(config, lines);
    read_my_id(config);
    ensemble_check(config, lines);
    properties_deinit(&dynamic);
    warn_unsafe(config);
}

void config_load(struct config *config, const char *path)
{
    struct buffer text;

    buffer_init(&text);
    if (read_file(config, path, &text)) {
        config_parse(config, path, buffer_slice(&text));
        if (path[0] != '/' && strncmp(path, "./", 2) != 0)
            config_warn(config, 0, "%s is relative. Prepend ./ to indicate that you're sure!",
                        path);
        config_complete(config);
    } else {
        config->path = config_text(config, "%s", path);
    }
    buffer_deinit(&text);
}

bool config_from_words(struct config *config, int word_count, char **words)
{
    int32_t port = 0;

    apply_words(config);
    config->front.connections_per_host_max = 0; /* as in Java: no limit in this form */
    if (!java_parse_int(words[0], &port) || port < 0 || port > 65535)
        return false;
    config->front.port = port;
    config->front.port_set = true;
    config->directories.data = config_text(config, "%s", words[1]);
    if (word_count > 2 && !java_parse_int(words[2], &config->session.tick_ms))
        return false;
    if (word_count > 3 && !java_parse_int(words[3], &config->front.connections_per_host_max))
        return false;
    config_complete(config);
    return true;
}
