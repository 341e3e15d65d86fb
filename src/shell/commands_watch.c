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
    int32_t event;
} ends[WATCH_KINDS] = {[WATCH_DATA] = {WATCHER_DATA, 5},
                       [WATCH_EXIST] = {WATCHER_DATA, 5},
                       [WATCH_CHILD] = {WATCHER_CHILDREN, 6},
                       [WATCH_PERSISTENT] = {WATCHER_PERSISTENT, 7},
                       [WATCH_RECURSIVE] = {WATCHER_RECURSIVE, 7}};

static bool covers(enum zk_watcher_type type, enum service_watch kind)
{
    return type == WATCHER_ANY || ends[kind].type == type;
}

static bool has_any(const struct shell *shell, enum zk_watcher_type type, struct slice path)
{
    for (int kind = 0; kind < WATCH_KINDS; kind++) {
        if (covers(type, (enum service_watch)kind) &&
            service_has_watch(shell->connection, (enum service_watch)kind, path))
            return true;
    }
    return false;
}

/* One event for each kind of event, as Java's client gives them. */
static void drop_all(struct shell *shell, enum zk_watcher_type type, const char *path)
{
    int32_t told = 0;

    for (int kind = 0; kind < WATCH_KINDS; kind++) {
        enum service_watch each = (enum service_watch)kind;
        if (!covers(type, each) || !service_has_watch(shell->connection, each, slice_text(path)))
            continue;
        service_drop_watch(shell->connection, each, slice_text(path));
        bool tell = ends[kind].event != told && !shell->silent_watches;
        if (tell && answer_is_json())
            answer_event(EVENT_STATE_CONNECTED, ends[kind].event, slice_text(path));
        else if (tell)
            printf("\nWATCHER::\n\nWatchedEvent state:SyncConnected type:%s path:%s\n",
                   event_type_name(ends[kind].event), path);
        told = ends[kind].event;
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
