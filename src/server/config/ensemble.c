/* ensemble.c: the server.N, group.N and weight.N lines of a configuration, checked as Java checks them. */
#include "server/config/ensemble.h"

#include "base/number.h"
#include "replica/membership/membership.h"
#include "server/config/values.h"

#include <string.h>
#include <strings.h>

static bool is_member_key(const char *key)
{
    return strncmp(key, "server.", 7) == 0 || strncmp(key, "group", 5) == 0 ||
           strncmp(key, "weight", 6) == 0;
}

/* Of server.N; 0: there is none. */
static int line_of_server(const struct properties *lines, int64_t id)
{
    int line = 0;
    int64_t number;

    for (size_t i = 0; i < lines->count; i++) {
        if (strncmp(lines->items[i].key, "server.", 7) == 0 &&
            java_parse_long(lines->items[i].key + 7, &number) && number == id)
            line = lines->items[i].line;
    }
    return line;
}

static void report(struct config *config, int line, struct buffer *problem)
{
    config_invalid(config, line, "%.*s", (int)problem->size, (const char *)problem->data);
    problem->size = 0;
}

/* What the lines say, without those that are wrong; each of these is reported. */
static struct membership *read_members(struct config *config, const struct properties *lines)
{
    struct membership *membership = membership_new();
    struct buffer problem = {0};
    int64_t server = 0;
    bool right = true;

    for (size_t i = 0; i < lines->count; i++) {
        const struct property *line = &lines->items[i];
        if (!is_member_key(line->key) || properties_overridden(lines, i, NULL) ||
            membership_add(membership, slice_text(line->key), slice_text(line->value),
                           config->ensemble.multi_address, &problem) == STATUS_OK)
            continue;
        report(config, line->line, &problem);
        right = false;
    }
    if (right && membership_finish(membership, &problem, &server) != STATUS_OK)
        report(config, line_of_server(lines, server), &problem);
    buffer_deinit(&problem);
    return membership;
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

/* Java names the file after the version of the configuration that it holds, in hexadecimal. */
static int64_t version_of_file(const char *name)
{
    const char *dot = strrchr(name, '.');
    int64_t version;

    return dot != NULL && number_parse(slice_text(dot + 1), 16, &version) ? version : 0;
}

/* Java ignores it in silence, too. */
static void check_oracle(struct config *config)
{
    const struct ensemble_config *ensemble = &config->ensemble;

    if (ensemble->oracle_path != NULL && ensemble->members != NULL &&
        !membership_heeds_oracle(ensemble->members))
        config_warn(config, 0,
                    "oraclePath has no effect: it is asked only where there are two voters, and no "
                    "groups");
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
    if (dynamic != NULL)
        check_dynamic(config, dynamic);
    struct membership *membership = read_members(config, dynamic != NULL ? dynamic : &config->file);
    if (dynamic != NULL)
        membership->version = version_of_file(config->ensemble.dynamic_file);
    config->ensemble.voters = (int32_t)membership->voter_count;
    config->ensemble.observers = (int32_t)(membership->member_count - membership->voter_count);
    membership_free(config->ensemble.members);
    config->ensemble.members = membership;
    check_counts(config);
}

bool ensemble_distributed(const struct config *config)
{
    return config->ensemble.voters > 1 ||
           (!config->ensemble.standalone_enabled && config->ensemble.voters > 0);
}

bool ensemble_observer_logs(const struct config *config)
{
    const char *property = config->ensemble.observer_sync;

    return property != NULL ? strcasecmp(property, "true") == 0 : config->ensemble.sync_enabled;
}

bool ensemble_local_sessions(const struct config *config)
{
    return ensemble_distributed(config) && config->ensemble.local_sessions;
}

int64_t ensemble_server_id(const struct config *config)
{
    return ensemble_distributed(config) ? config->ensemble.my_id : 0;
}

uint8_t ensemble_session_server_id(const struct config *config)
{
    return ensemble_distributed(config) ? (uint8_t)config->ensemble.my_id : 1;
}

void ensemble_client_address_differs(struct config *config, const struct client_hosts *hosts,
                                     int32_t line_port)
{
    config_invalid(config, hosts->line,
                   "client address for this server (id = %lld) in static config file is "
                   "%s:%d is different from client address found in dynamic file: %s:%d",
                   (long long)hosts->id,
                   hosts->from_key == NULL ? "0.0.0.0/0.0.0.0" : hosts->from_key,
                   config->front.port, hosts->from_line, line_port);
}

/* The part after `;` of the own line is the client port, and must agree with clientPort. */
static void take_client_part(struct config *config, const struct member *member, int line)
{
    const char *client_host = config_text(config, "%.*s", (int)member->client_host.size,
                                          (const char *)member->client_host.data);
    struct client_hosts hosts = {.from_key = config->front.address,
                                 .from_line = client_host,
                                 .id = member->id,
                                 .line = line};

    if (config->front.port_set && member->client_port != config->front.port) {
        ensemble_client_address_differs(config, &hosts, member->client_port);
        return;
    }
    if (config->front.port_set && hosts.from_key != NULL &&
        strcmp(hosts.from_key, client_host) != 0)
        config->ensemble.client_hosts = hosts; /* two names can be one host */
    config->front.port_set = true;
    config->front.port = member->client_port;
    config->front.address = strcmp(client_host, "0.0.0.0") == 0 ? NULL : client_host;
}

static void check_own_line(struct config *config, const struct member *member, int line)
{
    bool observer = member->role == MEMBER_OBSERVER;

    if (config->ensemble.peer_type != NULL &&
        observer != (strcasecmp(config->ensemble.peer_type, "observer") == 0))
        config_warn(config, line,
                    "Peer type from servers list (%s) doesn't match "
                    "peerType (%s). Defaulting to servers list.",
                    observer ? "OBSERVER" : "PARTICIPANT", observer ? "PARTICIPANT" : "OBSERVER");
    if (member->client_host.data != NULL)
        take_client_part(config, member, line);
}

void ensemble_check(struct config *config, const struct properties *dynamic)
{
    const struct properties *lines = dynamic != NULL ? dynamic : &config->file;
    bool listed = false;

    if (config->ensemble.my_id >= 0 && config_error(config) == NULL) {
        struct membership *membership = read_members(config, lines);
        const struct member *own = membership_find(membership, config->ensemble.my_id);
        listed = own != NULL;
        if (listed)
            check_own_line(config, own, line_of_server(lines, own->id));
        membership_free(membership);
    }
    config->front.throttle.weight_new = ensemble_local_sessions(config)
                                            ? config->front.throttle.weight_local
                                            : config->front.throttle.weight_global;
    check_oracle(config);
    if (!ensemble_distributed(config))
        return;
    if (config->words.read_only_mode && !config->ensemble.local_sessions)
        config_warn(config, 0,
                    "readonlymode.enabled=true and localSessionsEnabled=false: a server without a "
                    "quorum can make no session, so it serves nobody");
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
}
