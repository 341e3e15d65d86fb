/* handlers.c: a value becomes a field of the config, or a problem.
 *
 * What is refused or warned about, and the message, are Java's; what was expected is added after
 * it. A handler looks at its own value only; checks across keys are in config.c. */
#include "server/config/handlers.h"

#include "server/config/values.h"

#include <string.h>
#include <strings.h>

enum { BUSY_POLL_US_MAX = 1000, COMMIT_LOG_COUNT_MIN = 500 };

static bool is_harmless(const struct setting *setting)
{
    const char *harmless = setting->key->harmless_value;

    return harmless != NULL && strcasecmp(setting->value, harmless) == 0;
}

void key_take_nothing(struct config *config, const struct setting *setting)
{
    (void)config;
    (void)setting;
}

static void warn_no_effect(struct config *config, const struct setting *setting)
{
    config_warn(config, setting->line, "%s=%s is known and has no effect yet", setting->name,
                setting->value);
}

void key_take_without_effect(struct config *config, const struct setting *setting)
{
    if (!is_harmless(setting))
        warn_no_effect(config, setting);
}

/* --- one value into one field --- */

/* "expected" texts stand after Java's own sentence. */
static void complain(struct config *config, const struct setting *setting, const char *expected)
{
    if (setting->key->place != KEY_FILE_LINE)
        config_warn(config, setting->line, "%s: \"%s\" is ignored, expected %s", setting->name,
                    setting->value, expected);
    else
        config_invalid(config, setting->line, "%s: For input string: \"%s\", expected %s",
                       setting->name, setting->value, expected);
}

static void invalid_bool(struct config *config, const struct setting *setting)
{
    config_invalid(config, setting->line, "Invalid option %s for %s. Choose 'true' or 'false.'",
                   setting->value, setting->name);
}

static int64_t kb_to_bytes(int64_t kb)
{
    return kb > INT64_MAX / 1024 ? INT64_MAX : kb < 0 ? -1 : kb * 1024;
}

static void take_kb(struct config *config, const struct setting *setting, int64_t *ret_bytes)
{
    int64_t kb = 0;

    if (java_decode_long(setting->value, &kb))
        *ret_bytes = kb_to_bytes(kb);
    else
        complain(config, setting, "a number of KB");
}

void key_take_field(struct config *config, const struct setting *setting)
{
    void *at = (char *)config + setting->key->offset;
    bool file_line = setting->key->place == KEY_FILE_LINE ||
                     (setting->key->place == KEY_LINE_OR_PROPERTY && setting->line != 0);
    const char *value = setting->value;

    switch (setting->key->type) {
    case VALUE_INT:
        if (!(file_line ? java_parse_int(value, at) : java_decode_int(value, at)))
            complain(config, setting, "a whole number of 32 bits");
        break;
    case VALUE_LONG:
        if (!java_decode_long(value, at))
            complain(config, setting, "a whole number of 64 bits");
        break;
    case VALUE_KB:
        take_kb(config, setting, at);
        break;
    case VALUE_DOUBLE:
        if (!java_parse_double(value, at))
            complain(config, setting, "a number");
        break;
    case VALUE_BOOL:
        if (!file_line)
            *(bool *)at = strcasecmp(value, "true") == 0;
        else if (!java_parse_bool(value, at))
            invalid_bool(config, setting);
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

/* --- numbers with a rule of their own --- */

static bool parse_port(struct config *config, const struct setting *setting, int32_t *ret_port)
{
    int32_t port = 0;

    if (!java_parse_int(setting->value, &port)) {
        config_invalid(config, setting->line,
                       "%s: For input string: \"%s\", expected a port number 0..65535",
                       setting->name, setting->value);
        return false;
    }
    if (port < 0 || port > 65535) {
        config_invalid(config, setting->line, "%s: port out of range:%d, expected 0..65535",
                       setting->name, port);
        return false;
    }
    *ret_port = port;
    return true;
}

void key_take_client_port(struct config *config, const struct setting *setting)
{
    if (parse_port(config, setting, &config->front.port))
        config->front.port_set = true;
}

/* Below 0 it is as if it were not given. */
void key_take_observer_master_port(struct config *config, const struct setting *setting)
{
    int32_t port;

    config->ensemble.observer_master_port = 0;
    if (!java_parse_int(setting->value, &port) || port > 0)
        (void)parse_port(config, setting, &config->ensemble.observer_master_port);
}

/* Java keeps what it commits once more for observers that are being synchronised; here that is what is kept
 * for all learners. */
void key_take_size_limit(struct config *config, const struct setting *setting)
{
    if (strcmp(setting->value, "33554432") != 0)
        config_warn(config, setting->line,
                    "%s=%s has no effect: for observers the same transactions are kept as for all "
                    "learners, 64 MB or as commitLogCount says",
                    setting->name, setting->value);
}

void key_take_purge_interval(struct config *config, const struct setting *setting)
{
    if (!purge_interval_parse(setting->value, &config->snapshot.purge_interval_ms))
        complain(config, setting, "a number of hours, or a number with ms, s, m, h or d after it");
}

/* Java has words of its own for a bad value of this one. */
void key_take_prealloc_size(struct config *config, const struct setting *setting)
{
    int64_t kb = 0;

    if (java_decode_long(setting->value, &kb))
        config->log.prealloc_bytes = kb_to_bytes(kb);
    else
        config_warn(config, setting->line, "%s is not a valid value for preAllocSize",
                    setting->value);
}

void key_take_snapshot_size_factor(struct config *config, const struct setting *setting)
{
    double factor = 0;

    if (!java_parse_double(setting->value, &factor) || factor > 1)
        config_warn(config, setting->line,
                    "snapshotSizeFactor: \"%s\" is ignored, expected a number up to 1; it stays %g",
                    setting->value, config->ensemble.snapshot_size_factor);
    else
        config->ensemble.snapshot_size_factor = factor;
}

void key_take_commit_log_count(struct config *config, const struct setting *setting)
{
    int32_t count = 0;

    if (!java_parse_int(setting->value, &count)) {
        config_warn(config, setting->line, "commitLogCount: \"%s\" is ignored, expected a number",
                    setting->value);
        return;
    }
    if (count < COMMIT_LOG_COUNT_MIN)
        config_warn(config, setting->line, "commitLogCount: %d is too few: it is %d", count,
                    COMMIT_LOG_COUNT_MIN);
    config->ensemble.history_count = count < COMMIT_LOG_COUNT_MIN ? COMMIT_LOG_COUNT_MIN : count;
}

void key_take_busy_poll(struct config *config, const struct setting *setting)
{
    int32_t micros = 0;

    if (!java_decode_int(setting->value, &micros) || micros < 0 || micros > BUSY_POLL_US_MAX)
        config_invalid(config, setting->line, "%s: \"%s\", expected microseconds, 0 (off) to %d",
                       setting->name, setting->value, BUSY_POLL_US_MAX);
    else
        config->loop.busy_poll_us = micros;
}

void key_take_election_algorithm(struct config *config, const struct setting *setting)
{
    int32_t number = 0;

    if (!java_parse_int(setting->value, &number))
        complain(config, setting, "3");
    else if (number != 3)
        config_invalid(config, setting->line, "Invalid electionAlg value. Only 3 is supported.");
}

/* --- security that we do not have --- */

static void refuse_security(struct config *config, const struct setting *setting, const char *what)
{
    config_refuse(
        config, setting->line,
        "%s=%s asks for %s, which this release does not have; it refuses to run with less "
        "security than its configuration asks for",
        setting->name, setting->value, what);
}

void key_take_security(struct config *config, const struct setting *setting)
{
    bool asked = true;

    if (setting->key->place == KEY_FILE_LINE && !java_parse_bool(setting->value, &asked))
        invalid_bool(config, setting);
    else if (!is_harmless(setting))
        refuse_security(config, setting, "TLS, SASL or x509");
}

void key_take_secure_client_port(struct config *config, const struct setting *setting)
{
    int32_t port = 0;

    if (parse_port(config, setting, &port))
        refuse_security(config, setting, "TLS");
}

/* --- names of Java classes: their package does not matter --- */

static const char *class_name(const struct setting *setting)
{
    const char *dot = strrchr(setting->value, '.');

    return dot == NULL ? setting->value : dot + 1;
}

static bool is_class(const struct setting *setting, const char *one, const char *other)
{
    const char *class = class_name(setting);

    return strcmp(class, one) == 0 || strcmp(class, other) == 0;
}

void key_take_auth_provider(struct config *config, const struct setting *setting)
{
    const char *class = class_name(setting);

    if (strcmp(class, "EnsembleAuthenticationProvider") == 0)
        config->auth.ensemble_enabled = true;
    else if (strstr(class, "SASL") != NULL || strstr(class, "X509") != NULL ||
             strstr(class, "Kerberos") != NULL)
        refuse_security(config, setting, "SASL or x509");
    else if (!is_class(setting, "DigestAuthenticationProvider", "IPAuthenticationProvider"))
        config_warn(config, setting->line, "Problems loading %s: there is no such class here",
                    setting->value);
}

void key_take_connection_factory(struct config *config, const struct setting *setting)
{
    if (!is_class(setting, "NIOServerCnxnFactory", "NettyServerCnxnFactory"))
        config_refuse(config, setting->line,
                      "serverCnxnFactory: Couldn't instantiate %s, expected "
                      "org.apache.zookeeper.server.NIOServerCnxnFactory or NettyServerCnxnFactory",
                      setting->value);
}

void key_take_watch_manager(struct config *config, const struct setting *setting)
{
    if (!is_class(setting, "WatchManager", "WatchManagerOptimized"))
        config_refuse(config, setting->line,
                      "watchManagerName: Couldn't instantiate %s, expected "
                      "org.apache.zookeeper.server.watch.WatchManager or WatchManagerOptimized",
                      setting->value);
}

void key_take_metrics_provider(struct config *config, const struct setting *setting)
{
    if (strcmp(class_name(setting), "PrometheusMetricsProvider") == 0)
        warn_no_effect(config, setting);
    else if (!is_class(setting, "DefaultMetricsProvider", "NullMetricsProvider"))
        config_invalid(config, setting->line,
                       "%s: ClassNotFoundException: %s, expected "
                       "org.apache.zookeeper.metrics.impl.DefaultMetricsProvider",
                       setting->name, setting->value);
}
