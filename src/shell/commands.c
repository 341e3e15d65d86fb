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
    [CREATE_SEQUENTIAL] = {"s", NULL, false},       [CREATE_EPHEMERAL] = {"e", NULL, false},
    [CREATE_CONTAINER] = {"c", NULL, false},        [CREATE_TTL] = {"t", NULL, true},
    [CREATE_DATA_FILE] = {NULL, "data-file", true},
};
static const struct java_option get_options[] = {
    [GET_STAT] = {"s", NULL, false},   [GET_WATCH] = {"w", NULL, false},
    [GET_BASE64] = {"b", NULL, false}, [GET_HEX] = {"x", NULL, false},
    [GET_RAW] = {NULL, "raw", false},
};
static const struct java_option set_options[] = {
    [SET_STAT] = {"s", NULL, false},
    [SET_VERSION] = {"v", NULL, true},
    [SET_BASE64] = {"b", NULL, false},
    [SET_DATA_FILE] = {NULL, "data-file", true},
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
static const struct java_option lock_options[] = {
    [LOCK_LIMIT] = {"t", "timeout", true},
    [LOCK_GRACE] = {"g", "grace", true},
    [LOCK_DATA] = {"d", "data", true},
};
static const struct java_option elect_options[] = {
    [LOCK_LIMIT] = {"t", "timeout", true},
    [LOCK_GRACE] = {"g", "grace", true},
    [LOCK_DATA] = {"d", "data", true},
    [LOCK_AGAIN] = {"a", "again", false},
};
static const struct java_option wait_options[] = {
    [WAIT_OPTION_EXISTS] = {"e", "exists", false},
    [WAIT_OPTION_GONE] = {"g", "gone", false},
    [WAIT_OPTION_CHANGE] = {"c", "change", false},
    [WAIT_OPTION_LIMIT] = {"t", "timeout", true},
};
static const struct java_option watch_command_options[] = {
    [WATCH_OPTION_DATA] = {"d", "data", false},
    [WATCH_OPTION_CHILDREN] = {"c", "children", false},
    [WATCH_OPTION_RECURSIVE] = {"r", "recursive", false},
    [WATCH_OPTION_COUNT] = {"n", "count", true},
    [WATCH_OPTION_LIMIT] = {"t", "timeout", true},
};
static const struct java_option top_options[] = {
    [TOP_OPTION_COUNT] = {"n", "count", true},
    [TOP_OPTION_DELAY] = {"d", "delay", true},
    [TOP_OPTION_GIVEN] = {"s", "servers", false},
};

#define LOCK_HELP(what)                                                                            \
    "Runs the command while it holds " what ", and passes its exit code on.\n"                     \
    "-t, --timeout SECONDS  give up when it is not obtained by then: exit code 124\n"              \
    "-g, --grace SECONDS    from SIGTERM to SIGKILL when it is lost; at most a third of the\n"     \
    "                       session's timeout (a sixth)\n"                                         \
    "-d, --data TEXT        data of the znode that waits and holds (host:pid)\n"

static const char bench_help[] =
    "Load on the servers of the shell; `paddock bench --help` lists the options.\n";
static const char elect_help[] = LOCK_HELP("the leadership of an election") //
    "-a, --again            when leadership was lost: a candidate again, until the command\n"
    "                       ends by itself\n"
    "Exit codes: of the command; 123 leadership was lost, and the command was stopped; 124; 125\n"
    "the command was not run; 126, 127 it cannot be executed, not found; 128+N ended by signal "
    "N.\n";
static const char lock_help[] = LOCK_HELP("a lock") //
    "Exit codes: of the command; 123 the lock was lost, and the command was stopped; 124; 125 the\n"
    "command was not run; 126, 127 it cannot be executed, not found; 128+N ended by signal N.\n";
static const char top_help[] =
    "All servers of the ensemble, again each second. q or Ctrl-C ends it.\n"
    "-n, --count VIEWS      print as text, this many times\n"
    "-d, --delay SECONDS    from one view to the next (1)\n"
    "-s, --servers          only the servers of the connect string\n";
static const char wait_help[] =
    "Waits for a znode. The exit code is 0 when it happened, 124 when the time limit passed.\n"
    "-e, --exists           until it exists (when nothing else is given)\n"
    "-g, --gone             until it does not exist\n"
    "-c, --change           until it is created or deleted, or its data or children change\n"
    "-t, --timeout SECONDS  no longer than this\n";
static const char watch_help[] =
    "Prints what happens to znodes, a line for each event, until it is stopped.\n"
    "-d, --data             changes of data only\n"
    "-c, --children         changes of children only\n"
    "-r, --recursive        of all znodes below, too\n"
    "-n, --count EVENTS     end after this many events\n"
    "-t, --timeout SECONDS  end after this time: exit code 124\n";

static const struct java_option help_options[] = {[HELP_ALL] = {NULL, "all", false}};
static const struct java_option tree_options[] = {
    [TREE_STAT] = {"s", NULL, false},
    [TREE_DEPTH] = {NULL, "depth", true},
};
static const struct java_option find_options[] = {
    [FIND_NAME] = {NULL, "name", true},
    [FIND_DEPTH] = {NULL, "depth", true},
    [FIND_EPHEMERAL] = {NULL, "ephemeral", false},
    [FIND_OWNER] = {NULL, "owner", true},
    [FIND_LARGER] = {NULL, "larger", true},
    [FIND_SMALLER] = {NULL, "smaller", true},
    [FIND_OLDER] = {NULL, "older", true},
    [FIND_NEWER] = {NULL, "newer", true},
};
static const struct java_option du_options[] = {
    [DU_DEPTH] = {NULL, "depth", true},
    [DU_TOP] = {NULL, "top", true},
};
static const struct java_option import_options[] = {
    [IMPORT_DRY_RUN] = {NULL, "dry-run", false},
    [IMPORT_OVERWRITE] = {NULL, "overwrite", false},
    [IMPORT_SKIP] = {NULL, "skip", false},
};

#define OPTIONS(list) list, (int)ARRAY_LEN(list)
#define NO_OPTIONS NULL, 0

/* In the order of their names. */
static const struct command commands[] = {
    {"addWatch",
     "[-m mode] path # optional mode is one of [PERSISTENT, PERSISTENT_RECURSIVE] - default is "
     "PERSISTENT_RECURSIVE",
     OPTIONS(mode_options), 2, NEEDS_SESSION, run_add_watch, LISTED, NULL},
    {"addauth", "scheme auth", NO_OPTIONS, 2, NEEDS_SESSION, run_add_auth, LISTED, NULL},
    {"bench", "[options of paddock bench]", NULL, RAW_WORDS, 1, ANY_TIME, run_bench, OWN,
     bench_help},
    {"close", "", NO_OPTIONS, 1, NEEDS_SESSION, run_close, LISTED, NULL},
    {"config", "[-c] [-w] [-s]", OPTIONS(config_options), 1, NEEDS_SESSION, run_config, LISTED,
     NULL},
    {"connect", "host:port", NO_OPTIONS, 1, ANY_TIME, run_connect, LISTED, NULL},
    {"create", "[-s] [-e] [-c] [-t ttl] path [data] [acl]", OPTIONS(create_options), 2,
     NEEDS_SESSION, run_create, LISTED, NULL},
    {"delete", "[-v version] path", OPTIONS(version_options), 2, NEEDS_SESSION, run_delete, LISTED,
     NULL},
    {"deleteall", "path [-b batch size]", OPTIONS(batch_options), 2, NEEDS_SESSION, run_delete_all,
     LISTED, NULL},
    {"delquota", "[-n|-b|-N|-B] path", OPTIONS(delete_quota_options), 2, NEEDS_SESSION,
     run_delete_quota, LISTED, NULL},
    {"du", "[--depth n] [--top n] path", OPTIONS(du_options), 2, NEEDS_SESSION, run_du, OWN,
     "bytes of data and number of znodes of each subtree, the largest first\n"
     "--depth n   subtrees down to n levels below path are shown (1)\n"
     "--top n     only the n largest\n"},
    {"elect", "[-t seconds] [-g seconds] [-d data] [-a] path -- command...", OPTIONS(elect_options),
     1, NEEDS_SESSION, run_lock, OWN, elect_help},
    {"exit", "", NO_OPTIONS, 1, ANY_TIME, run_quit, OLD, NULL},
    {"export", "path file", NO_OPTIONS, 3, NEEDS_SESSION, run_export, OWN,
     "writes a subtree into a file as JSON, for import; file -: stdout\n"
     "ephemeral znodes, and /zookeeper when path is /, are left out\n"},
    {"find",
     "[--name pattern] [--ephemeral] [--owner session] [--larger size] [--smaller size] "
     "[--older age] [--newer age] [--depth n] path",
     OPTIONS(find_options), 2, NEEDS_SESSION, run_find, OWN,
     "--name pattern    with * ? [a-z]; the last part of the path, or all of it when it has a "
     "slash\n"
     "--ephemeral       only ephemeral znodes; --owner 0x..: those of this session\n"
     "--larger size     more bytes of data than this (100, 10k, 1m); --smaller: fewer\n"
     "--older age       not changed for this long (90, 90s, 5m, 2h, 7d); --newer: changed since\n"
     "--depth n         not deeper than n levels below path\n"},
    {"get", "[-s] [-w] path", OPTIONS(get_options), 2, NEEDS_SESSION, run_get, LISTED, NULL},
    {"getAcl", "[-s] path", OPTIONS(stat_options), 2, NEEDS_SESSION, run_get_acl, LISTED, NULL},
    {"getAllChildrenNumber", "path", NO_OPTIONS, 2, NEEDS_SESSION, run_get_all_children_number,
     LISTED, NULL},
    {"getEphemerals", "path", NO_OPTIONS, 1, NEEDS_SESSION, run_get_ephemerals, LISTED, NULL},
    {"help", "[--all] [command]", OPTIONS(help_options), 1, ANY_TIME, run_help, OLD, NULL},
    {"history", "", NO_OPTIONS, 1, ANY_TIME, run_history, LISTED, NULL},
    {"import", "[--dry-run] [--overwrite|--skip] file [path]", OPTIONS(import_options), 2,
     NEEDS_SESSION, run_import, OWN,
     "reads a file of export into path (where it was exported from); file -: stdin\n"
     "--dry-run     only checks, and says what would be done\n"
     "--overwrite   znodes that exist get data and ACL of the file\n"
     "--skip        znodes that exist stay as they are\n"
     "Without one of the two nothing is written when one exists.\n"},
    {"listquota", "path", NO_OPTIONS, 2, NEEDS_SESSION, run_list_quota, LISTED, NULL},
    {"lock", "[-t seconds] [-g seconds] [-d data] path -- command...", OPTIONS(lock_options), 1,
     NEEDS_SESSION, run_lock, OWN, lock_help},
    {"ls", "[-s] [-w] [-R] path", OPTIONS(ls_options), 2, NEEDS_SESSION, run_ls, LISTED, NULL},
    {"ls2", "path [watch]", NO_OPTIONS, 2, NEEDS_SESSION, run_ls2, OLD, NULL},
    {"printwatches", "on|off", NO_OPTIONS, 1, ANY_TIME, run_print_watches, LISTED, NULL},
    {"quit", "", NO_OPTIONS, 1, ANY_TIME, run_quit, LISTED, NULL},
    {"reconfig",
     "[-s] [-v version] [[-file path] | [-members serverID=host:port1:port2;port3[,...]*]] | [-add "
     "serverId=host:port1:port2;port3[,...]]* [-remove serverId[,...]*]",
     OPTIONS(reconfig_options), 1, NEEDS_SESSION, run_reconfig, LISTED, NULL},
    {"redo", "cmdno", NO_OPTIONS, 1, ANY_TIME, run_redo, LISTED, NULL},
    {"removewatches", "path [-c|-d|-a] [-l]", OPTIONS(remove_options), 2, NEEDS_SESSION,
     run_remove_watches, LISTED, NULL},
    {"rmr", "path", NO_OPTIONS, 2, NEEDS_SESSION, run_rmr, OLD, NULL},
    {"set", "[-s] [-v version] path data", OPTIONS(set_options), 3, NEEDS_SESSION, run_set, LISTED,
     NULL},
    {"setAcl", "[-s] [-v version] [-R] path acl", OPTIONS(acl_options), 3, NEEDS_SESSION,
     run_set_acl, LISTED, NULL},
    {"setquota", "-n|-b|-N|-B val path", OPTIONS(set_quota_options), 1, NEEDS_SESSION,
     run_set_quota, LISTED, NULL},
    {"stat", "[-w] path", OPTIONS(watch_options), 2, NEEDS_SESSION, run_stat, LISTED, NULL},
    {"sync", "path", NO_OPTIONS, 2, NEEDS_SESSION, run_sync, LISTED, NULL},
    {"top", "[-n views] [-d seconds] [-s]", OPTIONS(top_options), 1, NEEDS_SESSION, run_top_command,
     OWN, top_help},
    {"tree", "[-s] [--depth n] path", OPTIONS(tree_options), 2, NEEDS_SESSION, run_tree, OWN,
     "-s          with bytes of data and owners of ephemeral znodes\n"
     "--depth n   not deeper than n levels below path\n"},
    {"version", "", NO_OPTIONS, 1, ANY_TIME, run_version, LISTED, NULL},
    {"wait", "[-e|-g|-c] [-t seconds] path", OPTIONS(wait_options), 1, NEEDS_SESSION, run_wait, OWN,
     wait_help},
    {"watch", "[-d] [-c] [-r] [-n events] [-t seconds] path...", OPTIONS(watch_command_options), 1,
     NEEDS_SESSION, run_watch, OWN, watch_help},
    {"whoami", "", NO_OPTIONS, 1, NEEDS_SESSION, run_who_am_i, LISTED, NULL},
};

const struct command *commands_table(size_t *ret_count)
{
    *ret_count = ARRAY_LEN(commands);
    return commands;
}
