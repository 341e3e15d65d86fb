/* commands_watch.c: watches that stay, and the end of watches. */
#include "shell/calls.h"
#include "shell/commands.h"
#include "shell/texts.h"

#include <stdio.h>
#include <strings.h>

COMMAND(run_add_watch)
{
    enum zk_watch_mode mode = WATCH_ADD_RECURSIVE;
    const char *name = words->value[0];

    if (words->word_count != 2)
        return command_usage(command);
    if (name != NULL && strcasecmp(name, "PERSISTENT") == 0)
        mode = WATCH_ADD_PERSISTENT;
    else if (name != NULL && strcasecmp(name, "PERSISTENT_RECURSIVE") != 0)
        return command_usage(command);
    const char *path = words->words[1];
    if (!shell_check_path(path))
        return EXIT_FAILED;
    int32_t err = call_add_watch(shell->connection, slice_text(path), mode);
    if (err != ZK_OK)
        return answer_fail_call(err, path);
    answer_path(path);
    return 0;
}

/* Which kinds a type of the protocol covers, and the event that tells of the end of each. */
static const struct {
    enum zk_watcher_type type;
    unsigned kinds;
    int32_t event;
} ends[] = {{WATCHER_DATA, CLIENT_WATCH_DATA | CLIENT_WATCH_EXIST, 5},
            {WATCHER_CHILDREN, CLIENT_WATCH_CHILD, 6},
            {WATCHER_PERSISTENT, CLIENT_WATCH_PERSISTENT, 7},
            {WATCHER_RECURSIVE, CLIENT_WATCH_RECURSIVE, 7}};

/* The watches of row `i` are meant, and there are some. */
static bool is_met(const struct shell *shell, enum zk_watcher_type type, size_t i,
                   struct slice path)
{
    return (type == WATCHER_ANY || ends[i].type == type) &&
           service_has_watch(shell->connection, ends[i].kinds, path);
}

static bool has_any(const struct shell *shell, enum zk_watcher_type type, struct slice path)
{
    bool any = false;

    for (size_t i = 0; i < ARRAY_LEN(ends); i++)
        any = any || is_met(shell, type, i, path);
    return any;
}

/* One event for each kind of event, as Java's client gives them. */
static void drop_all(struct shell *shell, enum zk_watcher_type type, const char *path)
{
    int32_t told = 0;

    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        if (!is_met(shell, type, i, slice_text(path)))
            continue;
        service_drop_watch(shell->connection, ends[i].kinds, slice_text(path));
        bool tell = ends[i].event != told && !shell->silent_watches;
        if (tell && answer_is_json())
            answer_event(EVENT_STATE_CONNECTED, ends[i].event, slice_text(path));
        else if (tell)
            printf("\nWATCHER::\n\nWatchedEvent state:SyncConnected type:%s path:%s\n",
                   event_type_name(ends[i].event), path);
        told = ends[i].event;
    }
}

COMMAND(run_remove_watches)
{
    enum zk_watcher_type type = WATCHER_ANY;

    if (words->word_count < 2)
        return command_usage(command);
    const char *path = words->words[1];
    if (words->given[REMOVE_CHILD])
        type = WATCHER_CHILDREN;
    else if (words->given[REMOVE_DATA])
        type = WATCHER_DATA;
    else if (words->given[REMOVE_PERSISTENT])
        type = WATCHER_PERSISTENT;
    else if (words->given[REMOVE_RECURSIVE])
        type = WATCHER_RECURSIVE;
    if (!shell_check_path(path))
        return EXIT_FAILED;
    if (!has_any(shell, type, slice_text(path)))
        return answer_fail_call(ZK_NO_WATCHER, path);
    int32_t err = call_remove_watches(shell->connection, slice_text(path), type);
    if (err != ZK_OK && !words->given[REMOVE_LOCAL])
        return answer_fail_call(err, path);
    answer_path(path);
    drop_all(shell, type, path);
    return 0;
}

COMMAND(run_print_watches)
{
    (void)command;
    if (answer_is_json() && words->word_count == 1)
        json_bool(answer_json(), "printwatches", !shell->silent_watches);
    else if (words->word_count == 1)
        printf("printwatches is %s\n", shell->silent_watches ? "off" : "on");
    else
        shell->silent_watches = strcmp(words->words[1], "on") != 0;
    return 0;
}
