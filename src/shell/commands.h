/* commands.h: the functions behind the table of commands. Each gets the arguments without options,
 * the command's name first, and returns an exit code. */
#ifndef SHELL_COMMANDS_H
#define SHELL_COMMANDS_H

#include "shell/shell.h"

#define COMMAND(function)                                                                          \
    int function(struct shell *shell, const struct command *command, const struct java_words *words)

/* The table, in the order of names. */
const struct command *commands_table(size_t *ret_count);

/* The order of the options in the table is the order of these. */
enum { LS_STAT, LS_WATCH, LS_RECURSIVE, LS_HELP };
enum { CREATE_SEQUENTIAL, CREATE_EPHEMERAL, CREATE_CONTAINER, CREATE_TTL, CREATE_DATA_FILE };
enum { GET_STAT, GET_WATCH, GET_BASE64, GET_HEX, GET_RAW };
enum { SET_STAT, SET_VERSION, SET_BASE64, SET_DATA_FILE };
enum { ACL_STAT, ACL_VERSION, ACL_RECURSIVE };
enum { HELP_ALL };
enum { TREE_STAT, TREE_DEPTH };
enum {
    FIND_NAME,
    FIND_DEPTH,
    FIND_EPHEMERAL,
    FIND_OWNER,
    FIND_LARGER,
    FIND_SMALLER,
    FIND_OLDER,
    FIND_NEWER
};
enum { DU_DEPTH, DU_TOP };
enum { IMPORT_DRY_RUN, IMPORT_OVERWRITE, IMPORT_SKIP };
enum { QUOTA_COUNT, QUOTA_BYTES, QUOTA_HARD_COUNT, QUOTA_HARD_BYTES, QUOTA_KINDS };
enum { REMOVE_CHILD, REMOVE_DATA, REMOVE_ANY, REMOVE_LOCAL, REMOVE_PERSISTENT, REMOVE_RECURSIVE };
enum { CONFIG_CLIENT, CONFIG_WATCH, CONFIG_STAT };
enum {
    RECONFIG_STAT,
    RECONFIG_VERSION,
    RECONFIG_FILE,
    RECONFIG_MEMBERS,
    RECONFIG_ADD,
    RECONFIG_REMOVE
};
enum { LOCK_LIMIT, LOCK_GRACE, LOCK_DATA, LOCK_AGAIN };
enum { WAIT_OPTION_EXISTS, WAIT_OPTION_GONE, WAIT_OPTION_CHANGE, WAIT_OPTION_LIMIT };
enum {
    WATCH_OPTION_DATA,
    WATCH_OPTION_CHILDREN,
    WATCH_OPTION_RECURSIVE,
    WATCH_OPTION_COUNT,
    WATCH_OPTION_LIMIT
};
enum { TOP_OPTION_COUNT, TOP_OPTION_DELAY, TOP_OPTION_GIVEN };

/* commands_read.c */
COMMAND(run_ls);
COMMAND(run_ls2);
COMMAND(run_get);
COMMAND(run_stat);
COMMAND(run_get_acl);
COMMAND(run_get_ephemerals);
COMMAND(run_get_all_children_number);
COMMAND(run_who_am_i);
COMMAND(run_sync);
/* commands_write.c */
COMMAND(run_create);
COMMAND(run_set);
COMMAND(run_delete);
COMMAND(run_delete_all);
COMMAND(run_rmr);
COMMAND(run_set_acl);
/* commands_quota.c */
COMMAND(run_set_quota);
COMMAND(run_list_quota);
COMMAND(run_delete_quota);
/* commands_watch.c */
COMMAND(run_add_watch);
COMMAND(run_remove_watches);
COMMAND(run_print_watches);
/* commands_tree.c */
COMMAND(run_tree);
COMMAND(run_find);
COMMAND(run_du);
/* commands_export.c, commands_import.c */
COMMAND(run_export);
COMMAND(run_import);
/* commands_help.c */
COMMAND(run_help);
/* commands_service.c */
COMMAND(run_config);
COMMAND(run_reconfig);
COMMAND(run_add_auth);
COMMAND(run_connect);
COMMAND(run_close);
COMMAND(run_quit);
COMMAND(run_version);
COMMAND(run_history);
COMMAND(run_redo);
/* commands_lock.c: lock and elect */
COMMAND(run_lock);
/* commands_events.c */
COMMAND(run_watch);
COMMAND(run_wait);
/* commands_top.c */
COMMAND(run_top_command);
/* commands_bench.c */
COMMAND(run_bench);
/* commands_help.c */
COMMAND(run_help);

#endif
