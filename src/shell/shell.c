/* shell.c: from a line to a command, and what the commands share. What a command prints goes to stdout,
 * errors to stderr, each flushed before the other is used, so that on a terminal they appear in
 * order. */
#include "shell/shell.h"

#include "base/array.h"
#include "base/number.h"
#include "io/java_text.h"
#include "shell/calls.h"
#include "shell/texts.h"
#include "shell/walk.h"

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

const struct command *shell_find_command(const struct shell *shell, const char *name)
{
    for (size_t i = 0; i < shell->command_count; i++) {
        if (strcmp(shell->commands[i].name, name) == 0)
            return &shell->commands[i];
    }
    return NULL;
}

int command_usage(const struct command *command)
{
    return answer_fail(EXIT_USAGE, "%s %s", command->name, command->usage);
}

void shell_put_commands(const struct shell *shell)
{
    struct json *json = answer_json();

    json_open(json, "commands", '[');
    for (size_t i = 0; i < shell->command_count; i++) {
        const struct command *command = &shell->commands[i];
        json_open(json, NULL, '{');
        json_text(json, "name", slice_text(command->name));
        json_text(json, "usage", slice_text(command->usage));
        json_bool(json, "own", command->kind == OWN);
        json_close(json, '}');
    }
    json_close(json, ']');
}

void shell_print_commands(const struct shell *shell, FILE *file, bool own)
{
    for (size_t i = 0; i < shell->command_count; i++) {
        if (shell->commands[i].kind == (own ? OWN : LISTED))
            fprintf(file, "\t%s %s\n", shell->commands[i].name, shell->commands[i].usage);
    }
}

int shell_no_command(const struct shell *shell, const char *name)
{
    if (answer_is_json()) {
        shell_put_commands(shell);
    } else {
        fflush(stdout);
        fputs("ZooKeeper -server host:port -client-configuration properties-file cmd args\n",
              stderr);
        shell_print_commands(shell, stderr, false);
    }
    (void)answer_fail(EXIT_NO_COMMAND, "Command not found: Command not found %s", name);
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

    return answer_fail(EXIT_USAGE, "org.apache.commons.cli.%s: %s", classes[parsed->kind],
                       parsed->problem);
}

static int not_connected(void)
{
    (void)answer_fail_on_stdout(EXIT_NO_CONNECTION, "Not connected");
    return 0;
}

/* Words that are not looked into for options. */
static void take_raw(struct java_words *ret_words, const char *const *words, int count)
{
    *ret_words = (struct java_words){.word_count = count};
    ret_words->words = mem_alloc(((size_t)count + 1) * sizeof(char *));
    memcpy(ret_words->words, words, (size_t)count * sizeof(char *));
    ret_words->words[count] = NULL;
}

static int run_command(struct shell *shell, const struct command *command, const char *const *words,
                       int count)
{
    struct java_words parsed;
    int code = 0;

    if (command->when == NEEDS_SESSION && !is_alive(shell))
        return not_connected();
    if (command->option_count == RAW_WORDS)
        take_raw(&parsed, words, count);
    else if (!java_options_parse(command->options, command->option_count, words, count, &parsed))
        code = refuse_options(&parsed);
    else if (parsed.word_count < command->words_min && parsed.given_count == 0)
        code = command_usage(command);
    if (code == 0)
        code = command->run(shell, command, &parsed);
    java_words_deinit(&parsed);
    return code;
}

/* The form that is asked for with --output, at words[at]. False: it is none, or something else. */
static bool is_output_option(const char *const *words, int count, int at, const char **ret_form,
                             int *ret_words)
{
    if (strncmp(words[at], "--output=", 9) == 0) {
        *ret_form = words[at] + 9;
        *ret_words = 1;
        return true;
    }
    *ret_form = at + 1 < count ? words[at + 1] : "";
    *ret_words = at + 1 < count ? 2 : 1;
    return strcmp(words[at], "--output") == 0;
}

/* Takes the option out of the words. NULL: it is not there. */
static const char *take_output(const char **words, int *count)
{
    const char *form = NULL, *one;
    int kept = 0, at = 0, size;

    while (at < *count && strcmp(words[at], "--") != 0) {
        if (is_output_option(words, *count, at, &one, &size)) {
            form = one;
            at += size;
        } else {
            words[kept++] = words[at++];
        }
    }
    while (at < *count)
        words[kept++] = words[at++];
    *count = kept;
    return form;
}

bool shell_set_output(const char *form)
{
    if (strcmp(form, "json") != 0 && strcmp(form, "text") != 0)
        return false;
    answer_use_json(form[0] == 'j');
    return true;
}

bool shell_is_quiet(const struct shell *shell, const char *const *words, int count)
{
    const struct command *command = shell_find_command(shell, words[0]);
    const char *form;
    int size;

    if (answer_is_json() || (command != NULL && command->kind == OWN) ||
        (count > 1 && strcmp(words[0], "help") == 0)) /* help alone is no command of Java's */
        return true;
    for (int i = 1; i < count && strcmp(words[i], "--") != 0; i++) {
        if (is_output_option(words, count, i, &form, &size) && strcmp(form, "json") == 0)
            return true;
        if (strcmp(words[0], "get") == 0 && strcmp(words[i], "--raw") == 0)
            return true;
    }
    return false;
}

int shell_run(struct shell *shell, const char *const *given, int count)
{
    const char **words = mem_alloc(sizeof(char *) * ((size_t)count + 1));
    bool was_json = answer_is_json(), wrong = false;

    memcpy(words, given, sizeof(char *) * (size_t)count);
    const char *form = take_output(words, &count);
    if (form != NULL && !answer_is_under_way())
        wrong = !shell_set_output(form);
    if (count == 0)
        words[count++] = "--output";
    const struct command *command = shell_find_command(shell, words[0]);
    answer_begin(words[0]);
    int code;
    if (wrong)
        code = answer_fail(EXIT_USAGE, "--output takes text or json, not \"%s\"", form);
    else if (command == NULL)
        code = shell_no_command(shell, words[0]);
    else
        code = run_command(shell, command, words, count);
    code = answer_end(code, command != NULL && command->kind == OWN);
    if (!answer_is_under_way())
        answer_use_json(was_json);
    mem_free(words);
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
    (void)answer_fail(EXIT_USAGE, "%s", problem);
    return false;
}

bool shell_parse_int(const char *text, int32_t *ret_value)
{
    int64_t value;

    if (number_parse(slice_text(text), 10, &value) && value >= INT32_MIN && value <= INT32_MAX) {
        *ret_value = (int32_t)value;
        return true;
    }
    (void)answer_fail(EXIT_USAGE, "A number was expected. For input string: \"%s\"", text);
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

    if (shell->take_event != NULL) {
        shell->take_event(shell->event_context, state, type, path);
        return;
    }
    if (shell->silent_watches || (type == 0 && shell->silent_states))
        return;
    if (answer_is_json()) {
        answer_event(state, type, path);
        return;
    }
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

struct subtree {
    char **paths;
    size_t count, capacity;
    int32_t err;
};

static bool keep_path(void *context, const struct walk_node *node)
{
    struct subtree *subtree = context;
    size_t size = strlen(node->path) + 1;

    subtree->paths =
        ARRAY_RESERVE(subtree->paths, subtree->capacity, subtree->count + 1, ARRAY_FIRST);
    char *copy = mem_alloc(size);
    memcpy(copy, node->path, size);
    subtree->paths[subtree->count++] = copy;
    subtree->err = node->err;
    return node->err == ZK_OK;
}

int32_t shell_subtree(struct shell *shell, const char *root, char ***ret_paths, size_t *ret_count)
{
    const struct walk_options options = {.depth_max = WALK_ALL};
    struct subtree subtree = {.err = ZK_OK};
    int32_t err = walk(shell->connection, root, &options, keep_path, &subtree);

    *ret_paths = subtree.paths;
    *ret_count = subtree.count;
    return err == ZK_OK ? subtree.err : err;
}
