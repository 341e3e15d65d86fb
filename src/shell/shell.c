/* shell.c: from a line to a command, and what the commands share. What a command prints goes to stdout,
 * what it complains of to stderr, each flushed before the other is used, so that on a terminal they
 * stand in their order. */
#include "shell/shell.h"

#include "base/array.h"
#include "base/number.h"
#include "io/java_text.h"
#include "shell/calls.h"
#include "shell/texts.h"

#include <stdio.h>
#include <stdlib.h>

/* --- words --- */

static void add_word(struct split *split, const char *text, size_t size)
{
    split->words =
        ARRAY_RESERVE(split->words, split->capacity, (size_t)split->count + 1, ARRAY_FIRST);
    char *copy = mem_alloc(size + 1);
    memcpy(copy, text, size);
    copy[size] = '\0';
    split->words[split->count++] = copy;
}

static bool is_blank(char byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* A word that begins with a mark ends with the next mark of its kind; where there is none the mark is left
 * out. A line of blanks only is the word " ". */
void split_line(const char *line, struct split *ret_split)
{
    const char *at = line;

    memset(ret_split, 0, sizeof(*ret_split));
    while (*at != '\0') {
        if (is_blank(*at)) {
            at++;
            continue;
        }
        if (*at == '"' || *at == '\'') {
            const char *end = strchr(at + 1, *at);
            if (end != NULL)
                add_word(ret_split, at + 1, (size_t)(end - at) - 1);
            at = end == NULL ? at + 1 : end + 1;
            continue;
        }
        const char *end = at;
        while (*end != '\0' && !is_blank(*end))
            end++;
        add_word(ret_split, at, (size_t)(end - at));
        at = end;
    }
    if (ret_split->count == 0 && line[0] != '\0')
        add_word(ret_split, " ", 1);
}

void split_free(struct split *split)
{
    for (int i = 0; i < split->count; i++)
        mem_free(split->words[i]);
    mem_free(split->words);
}

/* --- running --- */

static const struct command *find_command(const struct shell *shell, const char *name)
{
    for (size_t i = 0; i < shell->command_count; i++) {
        if (strcmp(shell->commands[i].name, name) == 0)
            return &shell->commands[i];
    }
    return NULL;
}

int command_usage(const struct command *command)
{
    fflush(stdout);
    fprintf(stderr, "%s %s\n", command->name, command->usage);
    return EXIT_FAILED;
}

static int no_command(const struct shell *shell, const char *name)
{
    fflush(stdout);
    fputs("ZooKeeper -server host:port -client-configuration properties-file cmd args\n", stderr);
    for (size_t i = 0; i < shell->command_count; i++) {
        if (!shell->commands[i].old)
            fprintf(stderr, "\t%s %s\n", shell->commands[i].name, shell->commands[i].usage);
    }
    fprintf(stderr, "Command not found: Command not found %s\n", name);
    return EXIT_NO_COMMAND;
}

static bool is_alive(const struct shell *shell)
{
    if (shell->connection == NULL)
        return false;
    enum service_state state = service_state(shell->connection);
    return state != SERVICE_CLOSED && state != SERVICE_AUTH_FAILED;
}

static int refuse_options(const struct java_words *parsed)
{
    static const char *const classes[] = {[JAVA_WORDS_UNKNOWN] = "UnrecognizedOptionException",
                                          [JAVA_WORDS_NO_VALUE] = "MissingArgumentException",
                                          [JAVA_WORDS_AMBIGUOUS] = "AmbiguousOptionException"};

    fflush(stdout);
    fprintf(stderr, "org.apache.commons.cli.%s: %s\n", classes[parsed->kind], parsed->problem);
    return EXIT_FAILED;
}

int shell_run(struct shell *shell, const char *const *words, int count)
{
    const struct command *command = find_command(shell, words[0]);
    struct java_words parsed;
    int code;

    if (command == NULL)
        return no_command(shell, words[0]);
    if (command->when == NEEDS_SESSION && !is_alive(shell)) {
        puts("Not connected");
        return 0;
    }
    if (!java_options_parse(command->options, command->option_count, words, count, &parsed))
        code = refuse_options(&parsed);
    else if (parsed.word_count < command->words_min && parsed.given_count == 0)
        code = command_usage(command);
    else
        code = command->run(shell, command, &parsed);
    java_words_deinit(&parsed);
    return code;
}

static void keep(struct shell *shell, const char *line)
{
    shell->history = ARRAY_RESERVE(shell->history, shell->history_capacity,
                                   shell->history_count + 1, ARRAY_FIRST);
    char *copy = mem_alloc(strlen(line) + 1);
    memcpy(copy, line, strlen(line) + 1);
    shell->history[shell->history_count++] = copy;
}

void shell_run_line(struct shell *shell, const char *line)
{
    struct split split;

    if (line[0] == '\0')
        return;
    split_line(line, &split);
    keep(shell, line);
    if (split.count > 0)
        shell->code = shell_run(shell, (const char *const *)split.words, split.count);
    fflush(stdout);
    split_free(&split);
}

/* --- helpers --- */

bool shell_check_path(const char *path)
{
    char problem[SERVICE_PROBLEM_BYTES];

    if (path_check(slice_text(path), problem, sizeof(problem)))
        return true;
    fflush(stdout);
    fprintf(stderr, "%s\n", problem);
    return false;
}

int shell_fail(int32_t err, const char *path)
{
    error_print(err, path);
    return EXIT_FAILED;
}

bool shell_parse_int(const char *text, int32_t *ret_value)
{
    int64_t value;

    if (number_parse(slice_text(text), 10, &value) && value >= INT32_MIN && value <= INT32_MAX) {
        *ret_value = (int32_t)value;
        return true;
    }
    fflush(stdout);
    fprintf(stderr, "A number was expected. For input string: \"%s\"\n", text);
    return false;
}

void shell_print_text(struct slice bytes)
{
    struct buffer out;

    buffer_init(&out);
    java_put_text(&out, bytes);
    buffer_u8(&out, '\n');
    fwrite(out.data, 1, out.size, stdout);
    buffer_deinit(&out);
}

static void on_event(void *context, int32_t state, int32_t type, struct slice path)
{
    struct shell *shell = context;
    struct buffer out;

    if (shell->silent_watches)
        return;
    buffer_init(&out);
    if (path.data != NULL && type != 0)
        java_put_text(&out, path);
    else
        buffer_append(&out, SLICE("null"));
    printf("\nWATCHER::\n\nWatchedEvent state:%s type:%s path:%.*s\n", event_state_name(state),
           event_type_name(type), (int)out.size, (const char *)out.data);
    fflush(stdout);
    buffer_deinit(&out);
    if (shell->disturbed != NULL)
        shell->disturbed(shell);
}

bool shell_connect(struct shell *shell, const char *servers, char *ret_problem)
{
    const struct service_options options = {.servers = servers,
                                            .timeout_ms = shell->timeout_ms,
                                            .read_only = shell->read_only,
                                            .on_event = on_event,
                                            .context = shell};
    struct service *connection = service_new(&options, ret_problem);

    if (connection == NULL)
        return false;
    char *copy = mem_alloc(strlen(servers) + 1);
    memcpy(copy, servers, strlen(servers) + 1);
    mem_free(shell->servers);
    service_free(shell->connection);
    shell->servers = copy;
    shell->connection = connection;
    return true;
}

/* --- trees --- */

static int by_name(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

int32_t shell_children(struct shell *shell, const char *path, bool watch, char ***ret_names,
                       size_t *ret_count, struct zk_stat *ret_stat)
{
    struct jute_vector names;
    struct slice name;
    int32_t err = call_children(shell->connection, slice_text(path), watch, &names, ret_stat);

    *ret_names = NULL;
    *ret_count = 0;
    if (err != ZK_OK)
        return err;
    *ret_names = mem_alloc(sizeof(char *) * ((size_t)(names.count > 0 ? names.count : 0) + 1));
    while (jute_next_text(&names, &name)) {
        char *copy = mem_alloc(name.size + 1);
        memcpy(copy, name.data, name.size);
        copy[name.size] = '\0';
        (*ret_names)[(*ret_count)++] = copy;
    }
    qsort(*ret_names, *ret_count, sizeof(char *), by_name);
    return ZK_OK;
}

char *shell_child_path(const char *parent, const char *name)
{
    size_t size = strlen(parent) + strlen(name) + 2;
    char *path = mem_alloc(size);

    snprintf(path, size, "%s/%s", strcmp(parent, "/") == 0 ? "" : parent, name);
    return path;
}

int32_t shell_subtree(struct shell *shell, const char *root, char ***ret_paths, size_t *ret_count)
{
    size_t count = 1, capacity = ARRAY_FIRST;
    char **paths = mem_alloc(capacity * sizeof(*paths));
    int32_t err = ZK_OK;

    paths[0] = mem_alloc(strlen(root) + 1);
    memcpy(paths[0], root, strlen(root) + 1);
    for (size_t i = 0; i < count; i++) {
        struct zk_stat stat;
        char **names;
        size_t name_count;
        err = shell_children(shell, paths[i], false, &names, &name_count, &stat);
        if (err == ZK_NO_NODE && i > 0) /* deleted meanwhile */
            err = ZK_OK;
        paths = ARRAY_RESERVE(paths, capacity, count + name_count, ARRAY_FIRST);
        for (size_t j = 0; j < name_count; j++) {
            paths[count++] = shell_child_path(paths[i], names[j]);
            mem_free(names[j]);
        }
        mem_free(names);
        if (err != ZK_OK)
            break;
    }
    *ret_paths = paths;
    *ret_count = count;
    return err;
}
