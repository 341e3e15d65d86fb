/* commands.c: the table of all commands. The words in `usage` are ZooKeeper's: people and scripts know
 * them. */
#include "shell/commands.h"

static const struct java_option ls_options[] = {
    [LS_STAT] = {"s", NULL, false},
    [LS_WATCH] = {"w", NULL, false},
    [LS_RECURSIVE] = {"R", NULL, false},
    [LS_HELP] = {"?", NULL, false},
};
static const struct java_option create_options[] = {
    [CREATE_SEQUENTIAL] = {"s", NULL, false},
    [CREATE_EPHEMERAL] = {"e", NULL, false},
    [CREATE_CONTAINER] = {"c", NULL, false},
    [CREATE_TTL] = {"t", NULL, true},
};
static const struct java_option get_options[] = {
    [GET_STAT] = {"s", NULL, false},
    [GET_WATCH] = {"w", NULL, false},
    [GET_BASE64] = {"b", NULL, false},
    [GET_HEX] = {"x", NULL, false},
};
static const struct java_option set_options[] = {
    [SET_STAT] = {"s", NULL, false},
    [SET_VERSION] = {"v", NULL, true},
    [SET_BASE64] = {"b", NULL, false},
};
static const struct java_option watch_options[] = {{"w", NULL, false}};
static const struct java_option version_options[] = {{"v", NULL, true}};
static const struct java_option stat_options[] = {{"s", NULL, false}};
static const struct java_option batch_options[] = {{"b", NULL, true}};
static const struct java_option mode_options[] = {{"m", NULL, true}};
static const struct java_option acl_options[] = {
    [ACL_STAT] = {"s", NULL, false},
    [ACL_VERSION] = {"v", NULL, true},
    [ACL_RECURSIVE] = {"R", NULL, false},
};
static const struct java_option set_quota_options[] = {
    [QUOTA_COUNT] = {"n", NULL, true},
    [QUOTA_BYTES] = {"b", NULL, true},
    [QUOTA_HARD_COUNT] = {"N", NULL, true},
    [QUOTA_HARD_BYTES] = {"B", NULL, true},
};
static const struct java_option delete_quota_options[] = {
    [QUOTA_COUNT] = {"n", NULL, false},
    [QUOTA_BYTES] = {"b", NULL, false},
    [QUOTA_HARD_COUNT] = {"N", NULL, false},
    [QUOTA_HARD_BYTES] = {"B", NULL, false},
};
static const struct java_option remove_options[] = {
    [REMOVE_CHILD] = {"c", NULL, false},      [REMOVE_DATA] = {"d", NULL, false},
    [REMOVE_ANY] = {"a", NULL, false},        [REMOVE_LOCAL] = {"l", NULL, false},
    [REMOVE_PERSISTENT] = {"p", NULL, false}, [REMOVE_RECURSIVE] = {"r", NULL, false},
};
static const struct java_option config_options[] = {
    [CONFIG_CLIENT] = {"c", NULL, false},
    [CONFIG_WATCH] = {"w", NULL, false},
    [CONFIG_STAT] = {"s", NULL, false},
};
static const struct java_option reconfig_options[] = {
    [RECONFIG_STAT] = {"s", NULL, false},   [RECONFIG_VERSION] = {"v", NULL, true},
    [RECONFIG_FILE] = {"file", NULL, true}, [RECONFIG_MEMBERS] = {"members", NULL, true},
    [RECONFIG_ADD] = {"add", NULL, true},   [RECONFIG_REMOVE] = {"remove", NULL, true},
};

#define OPTIONS(list) list, (int)ARRAY_LEN(list)
#define NO_OPTIONS NULL, 0

/* In the order of their names. */
static const struct command commands[] = {
    {"addWatch",
     "[-m mode] path # optional mode is one of [PERSISTENT, PERSISTENT_RECURSIVE] - default is "
     "PERSISTENT_RECURSIVE",
     OPTIONS(mode_options), 2, NEEDS_SESSION, run_add_watch, false},
    {"addauth", "scheme auth", NO_OPTIONS, 2, NEEDS_SESSION, run_add_auth, false},
    {"close", "", NO_OPTIONS, 1, NEEDS_SESSION, run_close, false},
    {"config", "[-c] [-w] [-s]", OPTIONS(config_options), 1, NEEDS_SESSION, run_config, false},
    {"connect", "host:port", NO_OPTIONS, 1, ANY_TIME, run_connect, false},
    {"create", "[-s] [-e] [-c] [-t ttl] path [data] [acl]", OPTIONS(create_options), 2,
     NEEDS_SESSION, run_create, false},
    {"delete", "[-v version] path", OPTIONS(version_options), 2, NEEDS_SESSION, run_delete, false},
    {"deleteall", "path [-b batch size]", OPTIONS(batch_options), 2, NEEDS_SESSION, run_delete_all,
     false},
    {"delquota", "[-n|-b|-N|-B] path", OPTIONS(delete_quota_options), 2, NEEDS_SESSION,
     run_delete_quota, false},
    {"exit", "", NO_OPTIONS, 1, ANY_TIME, run_quit, true},
    {"get", "[-s] [-w] path", OPTIONS(get_options), 2, NEEDS_SESSION, run_get, false},
    {"getAcl", "[-s] path", OPTIONS(stat_options), 2, NEEDS_SESSION, run_get_acl, false},
    {"getAllChildrenNumber", "path", NO_OPTIONS, 2, NEEDS_SESSION, run_get_all_children_number,
     false},
    {"getEphemerals", "path", NO_OPTIONS, 1, NEEDS_SESSION, run_get_ephemerals, false},
    {"history", "", NO_OPTIONS, 1, ANY_TIME, run_history, false},
    {"listquota", "path", NO_OPTIONS, 2, NEEDS_SESSION, run_list_quota, false},
    {"ls", "[-s] [-w] [-R] path", OPTIONS(ls_options), 2, NEEDS_SESSION, run_ls, false},
    {"ls2", "path [watch]", NO_OPTIONS, 2, NEEDS_SESSION, run_ls2, true},
    {"printwatches", "on|off", NO_OPTIONS, 1, ANY_TIME, run_print_watches, false},
    {"quit", "", NO_OPTIONS, 1, ANY_TIME, run_quit, false},
    {"reconfig",
     "[-s] [-v version] [[-file path] | [-members serverID=host:port1:port2;port3[,...]*]] | [-add "
     "serverId=host:port1:port2;port3[,...]]* [-remove serverId[,...]*]",
     OPTIONS(reconfig_options), 1, NEEDS_SESSION, run_reconfig, false},
    {"redo", "cmdno", NO_OPTIONS, 1, ANY_TIME, run_redo, false},
    {"removewatches", "path [-c|-d|-a] [-l]", OPTIONS(remove_options), 2, NEEDS_SESSION,
     run_remove_watches, false},
    {"rmr", "path", NO_OPTIONS, 2, NEEDS_SESSION, run_rmr, true},
    {"set", "[-s] [-v version] path data", OPTIONS(set_options), 3, NEEDS_SESSION, run_set, false},
    {"setAcl", "[-s] [-v version] [-R] path acl", OPTIONS(acl_options), 3, NEEDS_SESSION,
     run_set_acl, false},
    {"setquota", "-n|-b|-N|-B val path", OPTIONS(set_quota_options), 1, NEEDS_SESSION,
     run_set_quota, false},
    {"stat", "[-w] path", OPTIONS(watch_options), 2, NEEDS_SESSION, run_stat, false},
    {"sync", "path", NO_OPTIONS, 2, NEEDS_SESSION, run_sync, false},
    {"version", "", NO_OPTIONS, 1, ANY_TIME, run_version, false},
    {"whoami", "", NO_OPTIONS, 1, NEEDS_SESSION, run_who_am_i, false},
};

const struct command *commands_table(size_t *ret_count)
{
    *ret_count = ARRAY_LEN(commands);
    return commands;
}
