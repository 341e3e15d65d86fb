/* commands_service.c: the service as a whole, the session, and the shell itself. */
#include "base/number.h"
#include "shell/calls.h"
#include "shell/commands.h"
#include "shell/texts.h"
#include "wire/version.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* --- config and reconfig --- */

/* "version host:port,host:port": what clients need of the text of a configuration. */
static void print_for_clients(struct slice text)
{
    const char *version = "";
    int version_size = 0;
    bool first = true;
    struct buffer out;

    buffer_init(&out);
    while (text.size > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.size);
        size_t size = end == NULL ? text.size : (size_t)(end - text.data);
        struct slice line = slice_trim(slice_of(text.data, size));
        const uint8_t *semicolon = line.size == 0 ? NULL : memchr(line.data, ';', line.size);
        if (slice_starts_with(line, SLICE("version="))) {
            version = (const char *)line.data + 8;
            version_size = (int)line.size - 8;
        } else if (slice_starts_with(line, SLICE("server."))) {
            buffer_printf(&out, "%s", first ? "" : ",");
            first = false;
            if (semicolon != NULL)
                buffer_append(
                    &out, slice_of(semicolon + 1, (size_t)(line.data + line.size - semicolon - 1)));
        }
        text = slice_of(text.data + size, text.size - size);
        if (text.size > 0)
            text = slice_of(text.data + 1, text.size - 1);
    }
    if (answer_is_json()) {
        json_text(answer_json(), "version", slice_of(version, (size_t)version_size));
        json_text(answer_json(), "clients", slice_of(out.data, out.size));
    } else {
        printf("%.*s %.*s\n", version_size, version, (int)out.size, (const char *)out.data);
    }
    buffer_deinit(&out);
}

COMMAND(run_config)
{
    static const char path[] = "/zookeeper/config";
    struct slice data;
    struct zk_stat stat;

    (void)command;
    int32_t err =
        call_get(shell->connection, SLICE(path), words->given[CONFIG_WATCH], &data, &stat);
    if (err != ZK_OK)
        return answer_fail_call(err, path);
    if (words->given[CONFIG_CLIENT])
        print_for_clients(data);
    else if (answer_is_json())
        json_text(answer_json(), "config", data);
    else
        shell_print_text(data);
    answer_stat(&stat, words->given[CONFIG_STAT]);
    return 0;
}

static int refuse(const char *sentence)
{
    return answer_fail(EXIT_USAGE, "%s", sentence);
}

/* The server lines of a file of members, joined by commas. False: said. */
static bool read_members(const char *path, struct buffer *out)
{
    char line[4096];
    FILE *file = fopen(path, "re");

    if (file == NULL) {
        (void)answer_fail(EXIT_BAD_FILE, "Error processing %s%s (%s)", path, path, strerror(errno));
        return false;
    }
    while (fgets(line, sizeof(line), file) != NULL) {
        struct slice text = slice_trim(slice_text(line));
        if (!slice_starts_with(text, SLICE("server.")) &&
            !slice_starts_with(text, SLICE("group")) && !slice_starts_with(text, SLICE("weight")))
            continue;
        if (out->size > 0)
            buffer_u8(out, ',');
        buffer_append(out, text);
    }
    fclose(file);
    buffer_u8(out, '\0');
    return true;
}

static int reconfig(struct shell *shell, const struct java_words *words, struct call_reconfig *call)
{
    struct slice data;
    struct zk_stat stat;
    int32_t err = call_reconfig(shell->connection, call, &data, &stat);

    if (err != ZK_OK)
        return answer_fail_call(err, "");
    if (answer_is_json()) {
        json_text(answer_json(), "config", data);
    } else {
        puts("Committed new configuration:");
        shell_print_text(data);
    }
    answer_stat(&stat, words->given[RECONFIG_STAT]);
    return 0;
}

COMMAND(run_reconfig)
{
    const char *const *values = words->value;
    struct call_reconfig call = {.version = -1,
                                 .joining = values[RECONFIG_ADD],
                                 .leaving = values[RECONFIG_REMOVE],
                                 .members = values[RECONFIG_MEMBERS]};
    bool bulk = words->given[RECONFIG_FILE] || words->given[RECONFIG_MEMBERS];
    bool steps = words->given[RECONFIG_ADD] || words->given[RECONFIG_REMOVE];

    if (!bulk && !steps)
        return command_usage(command);
    if (words->given[RECONFIG_VERSION] &&
        !number_parse(slice_text(values[RECONFIG_VERSION]), 16, &call.version))
        return refuse("-v must be followed by a long (configuration version)");
    if (bulk && steps)
        return refuse(
            "Can't use -file or -members together with -add or -remove (mixing incremental "
            "and non-incremental modes is not allowed)");
    if (words->given[RECONFIG_FILE] && words->given[RECONFIG_MEMBERS])
        return refuse("Can't use -file and -members together (conflicting non-incremental modes)");
    struct buffer members;
    buffer_init(&members);
    int code = EXIT_FAILED;
    if (!words->given[RECONFIG_FILE] || read_members(values[RECONFIG_FILE], &members)) {
        if (words->given[RECONFIG_FILE])
            call.members = (const char *)members.data;
        code = reconfig(shell, words, &call);
    }
    buffer_deinit(&members);
    return code;
}

/* --- the session --- */

COMMAND(run_add_auth)
{
    (void)command;
    struct slice auth = words->word_count > 2 ? slice_text(words->words[2]) : SLICE_NULL;

    (void)service_wait_connected(shell->connection, shell->timeout_ms);
    service_add_auth(shell->connection, slice_text(words->words[1]), auth);
    return 0;
}

COMMAND(run_connect)
{
    char problem[SERVICE_PROBLEM_BYTES];
    char *servers = shell->servers;

    (void)command;
    if (shell->connection != NULL)
        service_close(shell->connection);
    if (!shell_connect(shell, words->word_count > 1 ? words->words[1] : servers, problem))
        return refuse(problem);
    return 0;
}

COMMAND(run_close)
{
    (void)command;
    (void)words;
    service_close(shell->connection);
    return 0;
}

COMMAND(run_quit)
{
    (void)command;
    (void)words;
    if (shell->connection != NULL)
        service_close(shell->connection);
    shell->over = true;
    return shell->code;
}

COMMAND(run_version)
{
    (void)shell;
    if (words->word_count > 1)
        return command_usage(command);
    if (answer_is_json())
        json_text(answer_json(), "version", SLICE(VERSION_LINE));
    else
        puts("ZooKeeper CLI version: " VERSION_LINE);
    return 0;
}

/* --- history --- */

enum { HISTORY_SHOWN = 11 };

COMMAND(run_history)
{
    (void)command;
    (void)words;
    size_t first = shell->history_count > HISTORY_SHOWN ? shell->history_count - HISTORY_SHOWN : 0;
    if (answer_is_json()) {
        json_int(answer_json(), "first", (int64_t)first);
        json_open(answer_json(), "history", '[');
        for (size_t i = first; i < shell->history_count; i++)
            json_text(answer_json(), NULL, slice_text(shell->history[i]));
        json_close(answer_json(), ']');
        return 0;
    }
    if (shell->history_count == 0)
        puts("0 - null");
    for (size_t i = first; i < shell->history_count; i++)
        printf("%zu - %s\n", i, shell->history[i]);
    return 0;
}

/* The command that is done again takes the place of "redo" in the history. */
COMMAND(run_redo)
{
    struct split split;
    int32_t number;

    (void)command;
    if (words->word_count < 2)
        return 0;
    if (!shell_parse_int(words->words[1], &number))
        return EXIT_FAILED;
    if (number < 0 || (size_t)number + 1 >= shell->history_count)
        return refuse("Command index out of range");
    const char *line = shell->history[number];
    split_line(line, &split);
    int code;
    if (split.count > 0 && strcmp(split.words[0], "redo") == 0) {
        code = refuse("No redoing redos");
    } else {
        char **last = &shell->history[shell->history_count - 1];
        mem_free(*last);
        *last = mem_alloc(strlen(line) + 1);
        memcpy(*last, line, strlen(line) + 1);
        code = shell_run(shell, (const char *const *)split.words, split.count);
    }
    split_free(&split);
    return code;
}
