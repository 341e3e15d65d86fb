#include "server/config/ensemble.h"

#include "io/address.h"
#include "server/config/values.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { PARTS_MAX = 6 };

static const char wrong_form[] =
    " does not have the form server_config or server_config;client_config where server_config is "
    "the pipe separated list of host:port:port or host:port:port:type and client_config is port or "
    "host:port";

struct server_line {
    int64_t id;
    int line;
    bool observer;
    bool has_client;
    char client_host[256];
    int32_t client_port;
};

static bool set_again_later(const struct properties *lines, size_t index)
{
    for (size_t i = index + 1; i < lines->count; i++) {
        if (strcmp(lines->items[i].key, lines->items[index].key) == 0)
            return true; /* a later line of the same name wins */
    }
    return false;
}

/* "host:1:2" or "[::1]:1:2" cut at its colons. Returns how many parts there are, also when more
 * than fit. */
static size_t split_address(struct config *config, const char *text, const char *parts[PARTS_MAX])
{
    size_t count = 0;

    for (const char *at = text;;) {
        const char *end = *at == '[' && strchr(at, ']') != NULL ? strchr(at, ']') : at;
        end += strcspn(end, ":");
        if (count < PARTS_MAX)
            parts[count] = config_text(config, "%.*s", (int)(end - at), at);
        count++;
        if (*end == '\0')
            return count;
        at = end + 1;
    }
}

static bool parse_role(struct config *config, const char *text, int line, bool *ret_observer)
{
    while (*text == ' ' || *text == '\t')
        text++;
    const char *role = config_text(config, "%.*s", (int)strcspn(text, " \t"), text);
    if (strcasecmp(role, "observer") == 0) {
        *ret_observer = true;
    } else if (strcasecmp(role, "participant") == 0) {
        *ret_observer = false;
    } else {
        config_invalid(config, line, "Unrecognised peertype: %s", text);
        return false;
    }
    return true;
}

static bool parse_client_part(struct config *config, const char *whole, const char *text,
                              struct server_line *server)
{
    const char *parts[PARTS_MAX] = {NULL};
    size_t count = split_address(config, text, parts);

    if (count > 2) {
        config_invalid(config, server->line, "%s%s", whole, wrong_form);
        return false;
    }
    const char *host = count == 2 ? parts[0] : "0.0.0.0";
    if (!java_parse_int(parts[count - 1], &server->client_port)) {
        config_invalid(config, server->line, "Address unresolved: %s:%s", host, parts[count - 1]);
        return false;
    }
    server->has_client = true;
    snprintf(server->client_host, sizeof(server->client_host), "%s", host);
    return true;
}

static bool parse_peer_address(struct config *config, const char *whole, const char *text,
                               bool first, struct server_line *server)
{
    const char *parts[PARTS_MAX] = {NULL};
    size_t count = split_address(config, text, parts);
    int32_t quorum_port = 0, election_port = 0;
    bool observer = false;

    if (count < 3 || count > 4) {
        config_invalid(config, server->line, "%s%s", whole, wrong_form);
        return false;
    }
    for (size_t i = 1; i <= 2; i++) {
        if (!java_parse_int(parts[i], i == 1 ? &quorum_port : &election_port)) {
            config_invalid(config, server->line,
                           "Address unresolved: %s:%s, expected a port number", parts[0], parts[i]);
            return false;
        }
    }
    if (quorum_port == election_port) {
        config_invalid(config, server->line,
                       "Client and election port must be different! Please "
                       "update the configuration file on server.%lld",
                       (long long)server->id);
        return false;
    }
    if (count == 4 && !parse_role(config, parts[3], server->line, &observer))
        return false;
    if (count == 4 && !first && observer != server->observer) {
        config_invalid(config, server->line, "Multiple addresses should have similar type");
        return false;
    }
    if (count == 4)
        server->observer = observer;
    return true;
}

/* server.N=host:port:port[:role][|...][;[host:]clientPort] */
static bool parse_server(struct config *config, const struct property *property,
                         struct server_line *server)
{
    *server = (struct server_line){.line = property->line};
    if (!java_parse_long(property->key + 7, &server->id)) {
        config_invalid(config, property->line, "For input string: \"%s\", expected server.<number>",
                       property->key + 7);
        return false;
    }
    const char *value = property->value;
    size_t peer_size = strcspn(value, ";");
    if (value[peer_size] == ';') {
        const char *client = value + peer_size + 1;
        const char *text = config_text(config, "%.*s", (int)strcspn(client, ";"), client);
        if (!parse_client_part(config, value, text, server))
            return false;
    }
    const char *peers = config_text(config, "%.*s", (int)peer_size, value);
    if (strchr(peers, '|') != NULL && !config->ensemble.multi_address) {
        config_invalid(config, property->line,
                       "Multiple address feature is disabled, but multiple "
                       "addresses were specified for sid %lld",
                       (long long)server->id);
        return false;
    }
    for (bool first = true;; first = false) {
        size_t size = strcspn(peers, "|");
        const char *one = config_text(config, "%.*s", (int)size, peers);
        if (!parse_peer_address(config, value, one, first, server))
            return false;
        if (peers[size] == '\0')
            return true;
        peers += size + 1;
    }
}

static bool is_member_key(const char *key)
{
    return strncmp(key, "server.", 7) == 0 || strncmp(key, "group", 5) == 0 ||
           strncmp(key, "weight", 6) == 0;
}

/* How many groups name this server. */
static int groups_of(const struct properties *lines, int64_t id)
{
    int count = 0;

    for (size_t i = 0; i < lines->count; i++) {
        if (strncmp(lines->items[i].key, "group", 5) != 0 || set_again_later(lines, i))
            continue;
        for (const char *at = lines->items[i].value; *at != '\0';) {
            char number[24];
            int64_t member = 0;
            size_t size = strcspn(at, ":");
            snprintf(number, sizeof(number), "%.*s", (int)size, at);
            if (java_parse_long(number, &member) && member == id)
                count++;
            at += size + (at[size] == ':' ? 1 : 0);
        }
    }
    return count;
}

static void check_groups(struct config *config, const struct properties *lines,
                         const struct server_line *server)
{
    bool hierarchical = false;

    for (size_t i = 0; i < lines->count; i++)
        hierarchical = hierarchical || strncmp(lines->items[i].key, "group", 5) == 0 ||
                       strncmp(lines->items[i].key, "weight", 6) == 0;
    if (!hierarchical || server->observer)
        return;
    int groups = groups_of(lines, server->id);
    if (groups != 1)
        config_invalid(config, server->line, "Server %lldis %s", (long long)server->id,
                       groups == 0 ? "not in a group" : "in multiple groups");
}

static void check_dynamic(struct config *config, const struct properties *dynamic)
{
    for (size_t i = 0; i < config->file.count; i++) {
        if (is_member_key(config->file.items[i].key))
            config_invalid(config, config->file.items[i].line,
                           "parameter: %s must be in a separate dynamic config file",
                           config->file.items[i].key);
    }
    for (size_t i = 0; i < dynamic->count; i++) {
        const char *key = dynamic->items[i].key;
        if (strcmp(key, "version") == 0)
            config_invalid(config, 0, "%s:%d: dynamic file shouldn't have version inside",
                           config->ensemble.dynamic_file, dynamic->items[i].line);
        else if (!is_member_key(key))
            config_invalid(config, 0,
                           "%s:%d: Unrecognised parameter: %s, expected server.N, "
                           "group.N or weight.N",
                           config->ensemble.dynamic_file, dynamic->items[i].line, key);
    }
}

static void check_counts(struct config *config)
{
    if (config->ensemble.voters == 0) {
        if (!config->ensemble.standalone_enabled)
            config_invalid(config, 0,
                           "standaloneEnabled = false then number of participants "
                           "should be >0");
        else if (config->ensemble.observers > 0)
            config_invalid(config, 0, "Observers w/o participants is an invalid configuration");
    } else if (config->ensemble.voters == 1 && config->ensemble.standalone_enabled) {
        config_warn(config, 0, "Invalid configuration, only one server specified (ignoring)");
        if (config->ensemble.observers > 0)
            config_invalid(config, 0, "Observers w/o quorum is an invalid configuration");
    } else if (config->ensemble.voters <= 2) {
        config_warn(config, 0, "No server failure will be tolerated. You need at least 3 servers.");
    } else if (config->ensemble.voters % 2 == 0) {
        config_warn(config, 0, "Non-optimal configuration, consider an odd number of servers.");
    }
}

void ensemble_read(struct config *config, const struct properties *dynamic)
{
    const struct properties *lines = dynamic != NULL ? dynamic : &config->file;
    struct server_line server;

    if (dynamic != NULL)
        check_dynamic(config, dynamic);
    for (size_t i = 0; i < lines->count; i++) {
        if (strncmp(lines->items[i].key, "server.", 7) != 0 || set_again_later(lines, i) ||
            !parse_server(config, &lines->items[i], &server))
            continue;
        if (server.observer)
            config->ensemble.observers++;
        else
            config->ensemble.voters++;
        check_groups(config, lines, &server);
    }
    check_counts(config);
}

bool ensemble_distributed(const struct config *config)
{
    return config->ensemble.voters > 1 ||
           (!config->ensemble.standalone_enabled && config->ensemble.voters > 0);
}

static bool same_host(const char *left, const char *right)
{
    struct sockaddr_storage a, b;

    if (strcmp(left, right) == 0)
        return true;
    if (address_resolve(left, 0, &a) != STATUS_OK || address_resolve(right, 0, &b) != STATUS_OK)
        return false;
    struct address_host one = address_host((struct sockaddr *)&a);
    struct address_host other = address_host((struct sockaddr *)&b);
    return memcmp(&one, &other, sizeof(one)) == 0;
}

/* The part behind `;` of the own line is the client port, and must agree with clientPort. */
static void take_client_part(struct config *config, const struct server_line *server)
{
    if (config->front.port_set) {
        const char *host = config->front.address;
        bool agree = server->client_port == config->front.port &&
                     (host == NULL || same_host(host, server->client_host));
        if (!agree) {
            config_invalid(config, server->line,
                           "client address for this server (id = %lld) in static config file is "
                           "%s:%d is different from client address found in dynamic file: %s:%d",
                           (long long)server->id, host == NULL ? "0.0.0.0/0.0.0.0" : host,
                           config->front.port, server->client_host, server->client_port);
            return;
        }
    }
    config->front.port_set = true;
    config->front.port = server->client_port;
    config->front.address = strcmp(server->client_host, "0.0.0.0") == 0
                                ? NULL
                                : config_text(config, "%s", server->client_host);
}

void ensemble_check(struct config *config, const struct properties *dynamic)
{
    const struct properties *lines = dynamic != NULL ? dynamic : &config->file;
    struct server_line server;
    bool listed = false;

    for (size_t i = 0;
         i < lines->count && config->ensemble.my_id >= 0 && config_error(config) == NULL; i++) {
        if (strncmp(lines->items[i].key, "server.", 7) != 0 || set_again_later(lines, i) ||
            !parse_server(config, &lines->items[i], &server) || server.id != config->ensemble.my_id)
            continue;
        listed = true;
        if (config->ensemble.peer_type != NULL &&
            server.observer != (strcasecmp(config->ensemble.peer_type, "observer") == 0))
            config_warn(config, server.line,
                        "Peer type from servers list (%s) doesn't match "
                        "peerType (%s). Defaulting to servers list.",
                        server.observer ? "OBSERVER" : "PARTICIPANT",
                        server.observer ? "PARTICIPANT" : "OBSERVER");
        if (server.has_client)
            take_client_part(config, &server);
    }
    if (!ensemble_distributed(config))
        return;
    if (config->ensemble.init_limit == 0)
        config_invalid(config, 0, "initLimit is not set");
    if (config->ensemble.sync_limit == 0)
        config_invalid(config, 0, "syncLimit is not set");
    if (config->directories.data != NULL && config->ensemble.my_id < 0)
        config_invalid(config, 0,
                       "myid file is missing: expected %s/myid with the number of this "
                       "server",
                       config->directories.data);
    else if (!listed)
        config_refuse(config, 0, "My id %lld not in the peer list",
                      (long long)config->ensemble.my_id);
    config_refuse(config, 0,
                  "this release serves alone: an ensemble of %d voters and %d observers "
                  "comes later; without the server lines it runs standalone",
                  config->ensemble.voters, config->ensemble.observers);
}
