/* commands_events.c: watch and wait. Both continue when connections and sessions are lost. Changes
 * that happened meanwhile are found by zxids: a znode has changed if a zxid in its stat is newer
 * than the newest zxid seen before. */
#include "shell/calls.h"
#include "shell/commands.h"
#include "shell/lasting.h"
#include "shell/texts.h"

#include "base/number.h"
#include "io/java_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* --- wait --- */

enum wait_for { WAIT_EXISTS, WAIT_GONE, WAIT_CHANGE };

struct waiter {
    struct lasting lasting;
    const char *path;
    enum wait_for what;
    bool has_first;
    int32_t first_err;
    struct zk_stat first;
};

static bool is_lost(int32_t err)
{
    return err == CALL_CONNECTION_LOSS || err == CALL_INTERRUPTED || err == ZK_SESSION_EXPIRED;
}

/* ZK_OK or ZK_NO_NODE, with watches that tell of any change; else the error. */
static int32_t look(struct waiter *waiter, struct zk_stat *ret_stat)
{
    struct service *connection = waiter->lasting.shell->connection;
    struct slice path = slice_text(waiter->path);
    struct jute_vector names;
    int32_t err = call_exists(connection, path, true, ret_stat);

    if (err != ZK_OK || waiter->what != WAIT_CHANGE)
        return err;
    return call_children(connection, path, true, &names, ret_stat);
}

static bool has_come(struct waiter *waiter, int32_t err, const struct zk_stat *stat)
{
    if (waiter->what != WAIT_CHANGE)
        return (err == ZK_OK) == (waiter->what == WAIT_EXISTS);
    if (!waiter->has_first) {
        waiter->has_first = true;
        waiter->first_err = err;
        waiter->first = *stat;
        return false;
    }
    return err != waiter->first_err || (err == ZK_OK && (stat->czxid != waiter->first.czxid ||
                                                         stat->mzxid != waiter->first.mzxid ||
                                                         stat->pzxid != waiter->first.pzxid));
}

static int end_wait(struct waiter *waiter, enum lasting_result result)
{
    if (result == LASTING_STOPPED)
        return EXIT_BY_SIGNAL + waiter->lasting.stopped_by;
    if (result == LASTING_TIMED_OUT)
        return EXIT_TIMED_OUT;
    lasting_print_refusal(&waiter->lasting, "wait");
    return EXIT_FAILED;
}

static int run_waiter(struct waiter *waiter, int64_t until_ms)
{
    for (;;) {
        struct zk_stat stat = {0};
        bool renewed = false;
        enum lasting_result result = lasting_connect(&waiter->lasting, until_ms, &renewed);
        if (result != LASTING_READY)
            return end_wait(waiter, result);
        lasting_drop_events(&waiter->lasting);
        int32_t err = look(waiter, &stat);
        if (err != ZK_OK && err != ZK_NO_NODE && !is_lost(err))
            return answer_fail_call(err, waiter->path);
        if (!is_lost(err) && has_come(waiter, err, &stat))
            return 0;
        if (until_ms >= 0 && service_now_ms() >= until_ms)
            return end_wait(waiter, LASTING_TIMED_OUT);
        if (!is_lost(err))
            lasting_wait(&waiter->lasting, until_ms);
    }
}

COMMAND(run_wait)
{
    struct waiter waiter = {.what = words->given[WAIT_OPTION_GONE]     ? WAIT_GONE
                                    : words->given[WAIT_OPTION_CHANGE] ? WAIT_CHANGE
                                                                       : WAIT_EXISTS};
    const char *limit = words->value[WAIT_OPTION_LIMIT];
    int64_t limit_ms = -1;

    if (words->word_count != 2 ||
        (words->given[WAIT_OPTION_GONE] && words->given[WAIT_OPTION_CHANGE]))
        return command_usage(command);
    waiter.path = words->words[1];
    if (!shell_check_path(waiter.path) ||
        (limit != NULL && !lasting_parse_seconds("wait", limit, &limit_ms)) ||
        !lasting_begin(&waiter.lasting, shell, NULL))
        return EXIT_FAILED;
    int code = run_waiter(&waiter, lasting_until(limit_ms));
    lasting_end(&waiter.lasting);
    return code;
}

/* --- watch --- */

struct watched {
    const char *path;
    bool existed;
};

struct watching {
    struct lasting lasting;
    struct watched *paths;
    size_t count;
    bool recursive, data, children;
    int64_t left; /* events to be shown; -1: no limit */
    int64_t seen_zxid;
    bool set, connected, lost_session;
};

static void print_time(void)
{
    struct timespec now;
    struct tm parts;
    char text[32];

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
    printf("%s.%03ldZ ", text, now.tv_nsec / 1000000);
}

static void print_state(int32_t state)
{
    if (answer_is_json()) {
        answer_event(state, 0, SLICE_NULL);
        return;
    }
    print_time();
    printf("%s%s\n", event_state_name(state),
           state == EVENT_STATE_EXPIRED ? ": the session was lost; a new one continues" : "");
    fflush(stdout);
}

static bool is_root_of_watch(const struct watching *watching, const char *path)
{
    for (size_t i = 0; i < watching->count; i++) {
        if (strcmp(watching->paths[i].path, path) == 0)
            return true;
    }
    return false;
}

static void show(struct watching *watching, int32_t type, const char *path)
{
    bool children = type == EVENT_CHILDREN_CHANGED || !is_root_of_watch(watching, path);
    struct buffer text;

    if (watching->left == 0 || (type == EVENT_DATA_CHANGED && !watching->data) ||
        (type != EVENT_DATA_CHANGED && children && !watching->children))
        return;
    if (watching->left > 0)
        watching->left--;
    if (answer_is_json()) {
        answer_event(EVENT_STATE_CONNECTED, type, slice_text(path));
        return;
    }
    print_time();
    printf("%s ", event_type_name(type));
    buffer_init(&text);
    java_put_text(&text, slice_text(path));
    buffer_u8(&text, '\n');
    fwrite(text.data, 1, text.size, stdout);
    buffer_deinit(&text);
    fflush(stdout);
}

/* What is newer than `since` at a znode and, when asked for, below it. */
static int32_t catch_up(struct watching *watching, struct watched *root, int64_t since)
{
    struct shell *shell = watching->lasting.shell;
    struct zk_stat stat;
    char **paths;
    size_t count;
    int32_t err = call_exists(shell->connection, slice_text(root->path), false, &stat);

    if (err == ZK_NO_NODE) {
        if (root->existed)
            show(watching, EVENT_DELETED, root->path);
        root->existed = false;
        return ZK_OK;
    }
    if (err != ZK_OK)
        return err;
    root->existed = true;
    if (!watching->recursive) {
        paths = mem_alloc(sizeof(*paths));
        paths[0] = mem_alloc(strlen(root->path) + 1);
        memcpy(paths[0], root->path, strlen(root->path) + 1);
        count = 1;
    } else {
        err = shell_subtree(shell, root->path, &paths, &count);
    }
    for (size_t i = 0; i < count; i++) {
        int32_t each =
            err != ZK_OK ? err : call_exists(shell->connection, slice_text(paths[i]), false, &stat);
        if (each == ZK_OK && stat.czxid > since)
            show(watching, EVENT_CREATED, paths[i]);
        else if (each == ZK_OK && stat.mzxid > since)
            show(watching, EVENT_DATA_CHANGED, paths[i]);
        if (each == ZK_OK && stat.pzxid > since && stat.pzxid != stat.czxid)
            show(watching, EVENT_CHILDREN_CHANGED, paths[i]);
        if (each != ZK_OK && each != ZK_NO_NODE)
            err = each;
        mem_free(paths[i]);
    }
    mem_free(paths);
    return err;
}

static int32_t set_watches(struct watching *watching)
{
    struct service *connection = watching->lasting.shell->connection;
    struct zk_stat stat;

    for (size_t i = 0; i < watching->count; i++) {
        struct watched *one = &watching->paths[i];
        int32_t err =
            call_add_watch(connection, slice_text(one->path),
                           watching->recursive ? WATCH_ADD_RECURSIVE : WATCH_ADD_PERSISTENT);
        if (err == ZK_OK)
            err = call_exists(connection, slice_text(one->path), false, &stat);
        if (err != ZK_OK && err != ZK_NO_NODE) {
            if (!is_lost(err))
                (void)answer_fail_call(err, one->path);
            return err;
        }
        one->existed = err == ZK_OK;
    }
    watching->set = true;
    return ZK_OK;
}

/* Sets the watches, or, after a loss, shows what has changed: the service has set them again. */
static int32_t begin_listening(struct watching *watching)
{
    int32_t err = ZK_OK;

    if (!watching->set) {
        err = set_watches(watching);
        if (err == ZK_OK)
            print_state(EVENT_STATE_CONNECTED);
    } else {
        if (!watching->connected)
            print_state(EVENT_STATE_CONNECTED);
        for (size_t i = 0; i < watching->count && err == ZK_OK; i++)
            err = catch_up(watching, &watching->paths[i], watching->seen_zxid);
        if (err != ZK_OK && !is_lost(err))
            (void)answer_fail_call(err, watching->paths[0].path);
    }
    watching->connected = err == ZK_OK;
    return err;
}

/* Events are delivered before the answers that show what they tell of: with a request after the last
 * event all that is not newer than its answer has been shown. */
static int32_t show_events(struct watching *watching, bool *ret_again)
{
    struct lasting_event event;
    bool any = false;

    *ret_again = false;
    while (lasting_take_event(&watching->lasting, &event)) {
        if (event.type == 0 && event.state == EVENT_STATE_DISCONNECTED) {
            if (watching->connected)
                watching->seen_zxid = event.zxid;
            watching->connected = false;
            *ret_again = watching->set;
            print_state(event.state);
        } else if (event.type == 0 && event.state == EVENT_STATE_EXPIRED) {
            print_state(event.state);
        } else if (event.type >= EVENT_CREATED && event.type <= EVENT_CHILDREN_CHANGED) {
            for (size_t i = 0; i < watching->count; i++) {
                if (strcmp(watching->paths[i].path, event.path) == 0)
                    watching->paths[i].existed = event.type != EVENT_DELETED;
            }
            show(watching, event.type, event.path);
            any = true;
        }
        mem_free(event.path);
    }
    if (!any || *ret_again)
        return ZK_OK;
    struct zk_stat stat;
    int32_t err = call_exists(watching->lasting.shell->connection,
                              slice_text(watching->paths[0].path), false, &stat);
    return err == ZK_NO_NODE || is_lost(err) ? (int32_t)ZK_OK : err;
}

static int run_watching(struct watching *watching, int64_t until_ms)
{
    bool again = true;

    for (;;) {
        bool renewed = false;
        enum lasting_result result = lasting_connect(&watching->lasting, until_ms, &renewed);
        if (result == LASTING_STOPPED)
            return EXIT_BY_SIGNAL + watching->lasting.stopped_by;
        if (result == LASTING_TIMED_OUT)
            return EXIT_TIMED_OUT;
        if (result == LASTING_REFUSED) {
            lasting_print_refusal(&watching->lasting, "watch");
            return EXIT_FAILED;
        }
        if (again) {
            int32_t err = begin_listening(watching);
            if (err != ZK_OK && !is_lost(err))
                return EXIT_FAILED;
            again = err != ZK_OK;
        }
        bool lost;
        int32_t err = show_events(watching, &lost);
        again = again || lost;
        if (err != ZK_OK)
            return answer_fail_call(err, watching->paths[0].path);
        if (watching->left == 0)
            return 0;
        if (until_ms >= 0 && service_now_ms() >= until_ms)
            return EXIT_TIMED_OUT;
        if (!again)
            lasting_wait(&watching->lasting, until_ms);
    }
}

static void end_watching(struct watching *watching)
{
    struct service *connection = watching->lasting.shell->connection;

    if (watching->lasting.shell->interactive) {
        service_interrupt_by(connection, -1);
        for (size_t i = 0; i < watching->count && watching->set; i++) {
            struct slice path = slice_text(watching->paths[i].path);
            (void)call_remove_watches(connection, path,
                                      watching->recursive ? WATCHER_RECURSIVE : WATCHER_PERSISTENT);
            service_drop_watch(
                connection, watching->recursive ? CLIENT_WATCH_RECURSIVE : CLIENT_WATCH_PERSISTENT,
                path);
        }
    }
    lasting_end(&watching->lasting);
}

COMMAND(run_watch)
{
    const char *limit = words->value[WATCH_OPTION_LIMIT],
               *number = words->value[WATCH_OPTION_COUNT];
    struct watching watching = {.recursive = words->given[WATCH_OPTION_RECURSIVE], .left = -1};
    int64_t limit_ms = -1;

    watching.data = words->given[WATCH_OPTION_DATA] || !words->given[WATCH_OPTION_CHILDREN];
    watching.children = words->given[WATCH_OPTION_CHILDREN] || !words->given[WATCH_OPTION_DATA];
    if (words->word_count < 2)
        return command_usage(command);
    if (limit != NULL && !lasting_parse_seconds("watch", limit, &limit_ms))
        return EXIT_FAILED;
    if (number != NULL &&
        (!number_parse(slice_text(number), 10, &watching.left) || watching.left < 1)) {
        return answer_fail(EXIT_USAGE, "watch: -n takes a number of events: %s", number);
    }
    for (int i = 1; i < words->word_count; i++) {
        if (!shell_check_path(words->words[i]))
            return EXIT_FAILED;
    }
    if (!lasting_begin(&watching.lasting, shell, NULL))
        return EXIT_FAILED;
    watching.count = (size_t)words->word_count - 1;
    watching.paths = mem_zalloc(watching.count * sizeof(*watching.paths));
    for (size_t i = 0; i < watching.count; i++)
        watching.paths[i].path = words->words[i + 1];
    int code = run_watching(&watching, lasting_until(limit_ms));
    end_watching(&watching);
    mem_free(watching.paths);
    return code;
}
