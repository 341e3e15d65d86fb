/* edit.c: lines from a terminal, through libedit, or from a pipe. While it waits for a key the session is
 * served, so that pings go out and events are shown; an event does not break the line that is being
 * typed, which is shown again below it. */
#include "shell/complete.h"
#include "shell/shell.h"

#include <errno.h>
#include <histedit.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

enum {
    FIRST_WAIT_MS = 500,
    PROMPT_BYTES_MAX = 4096,
    HISTORY_KEPT = 1000,
    LISTED_MAX = 100, /* more candidates are not shown without being asked for again */
    WIDTH_DEFAULT = 80
};

struct editor {
    struct shell *shell;
    EditLine *line;
    History *history;
    char history_path[PROMPT_BYTES_MAX];
    bool reading;
};

static char prompt[PROMPT_BYTES_MAX];

static void write_prompt(const struct shell *shell)
{
    static const char *const names[] = {[SERVICE_CONNECTING] = "CONNECTING",
                                        [SERVICE_CONNECTED] = "CONNECTED",
                                        [SERVICE_READ_ONLY] = "CONNECTEDREADONLY",
                                        [SERVICE_CLOSED] = "CLOSED",
                                        [SERVICE_AUTH_FAILED] = "AUTH_FAILED"};

    snprintf(prompt, sizeof(prompt), "[zk: %s(%s) %zu] ", shell->servers,
             names[service_state(shell->connection)], shell->history_count);
}

static void make_prompt(struct shell *shell)
{
    /* Serves what has arrived. Its answer says whether an fd can be read, and there is none. */
    (void)service_wait(shell->connection, -1, 0);
    write_prompt(shell);
}

/* --- a pipe --- */

/* The next line without its end, in `line`; false: there is none. */
static bool read_line(struct shell *shell, struct buffer *input, size_t *at, struct buffer *line)
{
    line->size = 0;
    for (;;) {
        const uint8_t *end =
            *at == input->size ? NULL : memchr(input->data + *at, '\n', input->size - *at);
        size_t size = end == NULL ? input->size - *at : (size_t)(end - (input->data + *at));
        buffer_append(line, slice_of(input->data + *at, size));
        *at += size + (end != NULL);
        if (end != NULL)
            break;
        input->size = *at = 0;
        while (!service_wait(shell->connection, STDIN_FILENO, -1))
            continue;
        uint8_t *bytes = buffer_extend(input, 4096);
        ssize_t got = read(STDIN_FILENO, bytes, 4096);
        input->size = got > 0 ? (size_t)got : 0;
        if (got <= 0 && line->size == 0)
            return false;
        if (got <= 0)
            break;
    }
    if (line->size > 0 && line->data[line->size - 1] == '\r')
        line->size--;
    buffer_u8(line, '\0');
    return true;
}

static void run_pipe(struct shell *shell)
{
    struct buffer input, line;
    size_t at = 0;

    buffer_init(&input);
    buffer_init(&line);
    while (!shell->over) {
        make_prompt(shell);
        if (!answer_is_json())
            fputs(prompt, stdout);
        fflush(stdout);
        if (!read_line(shell, &input, &at, &line))
            break;
        if (!answer_is_json())
            puts((const char *)line.data);
        shell_run_line(shell, (const char *)line.data);
    }
    buffer_deinit(&line);
    buffer_deinit(&input);
}

/* --- a terminal --- */

static char *give_prompt(EditLine *line)
{
    (void)line;
    return prompt;
}

static struct editor *editor_of(EditLine *line)
{
    void *data = NULL;

    el_get(line, EL_CLIENTDATA, &data);
    return data;
}

static void show_line_again(struct shell *shell)
{
    struct editor *editor = shell->editor;

    if (!editor->reading)
        return;
    write_prompt(shell); /* what was shown above it may have changed the state */
    el_set(editor->line, EL_REFRESH);
}

/* One character; the session is served meanwhile. */
static int get_key(EditLine *line, wchar_t *ret_key)
{
    struct editor *editor = editor_of(line);
    mbstate_t state = {0};

    for (;;) {
        char byte;
        editor->reading = true;
        while (!service_wait(editor->shell->connection, STDIN_FILENO, -1))
            continue;
        editor->reading = false;
        ssize_t size = read(STDIN_FILENO, &byte, 1);
        if (size < 0 && errno == EINTR)
            continue;
        if (size <= 0)
            return (int)size;
        size_t used = mbrtowc(ret_key, &byte, 1, &state);
        if (used == (size_t)-2)
            continue; /* more bytes of it follow */
        if (used == (size_t)-1) {
            memset(&state, 0, sizeof(state));
            continue; /* no character: as if it had not been typed */
        }
        return 1;
    }
}

static size_t width(void)
{
    struct winsize size;

    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col
                                                                           : WIDTH_DEFAULT;
}

static unsigned char complete(EditLine *line, int key)
{
    struct editor *editor = editor_of(line);
    const LineInfo *info = el_line(line);
    struct completion completion;
    unsigned char result = CC_REFRESH;

    (void)key;
    completion_find(editor->shell, slice_of(info->buffer, (size_t)(info->cursor - info->buffer)),
                    &completion);
    struct slice common = completion_common(&completion);
    if (common.size > 0 || (completion.count == 1 && completion.first_word)) {
        bool blank = completion.count == 1 && completion.first_word;
        char *text = mem_alloc(common.size + 2);
        memcpy(text, common.data, common.size);
        text[common.size] = blank ? ' ' : '\0';
        text[common.size + 1] = '\0';
        el_insertstr(line, text);
        mem_free(text);
    }
    if (completion.count == 0) {
        result = CC_ERROR;
    } else if (completion.count > LISTED_MAX) {
        printf("\n%zu possibilities: too many to show\n", completion.count);
        result = CC_REDISPLAY;
    } else if (completion.count > 1) {
        fputc('\n', stdout);
        completion_print(&completion, width());
        result = CC_REDISPLAY;
    }
    fflush(stdout);
    completion_deinit(&completion);
    return result;
}

static void leave_interrupted(int signal_number)
{
    (void)signal_number;
    _exit(EXIT_INTERRUPTED);
}

/* Lines of earlier runs: PADDOCK_CLI_HISTORY, or ~/.paddock_cli_history. */
static void load_history(struct editor *editor)
{
    const char *path = getenv("PADDOCK_CLI_HISTORY"), *home = getenv("HOME");
    HistEvent event;

    editor->history = history_init();
    history(editor->history, &event, H_SETSIZE, HISTORY_KEPT);
    history(editor->history, &event, H_SETUNIQUE, 1);
    if (path != NULL)
        snprintf(editor->history_path, sizeof(editor->history_path), "%s", path);
    else if (home != NULL)
        snprintf(editor->history_path, sizeof(editor->history_path), "%s/.paddock_cli_history",
                 home);
    if (editor->history_path[0] != '\0')
        history(editor->history, &event, H_LOAD, editor->history_path);
}

/* Credentials do not belong into a file, which is written from the list as a whole. */
static void remember(struct editor *editor, const char *line)
{
    HistEvent event;

    if (strstr(line, "addauth") != NULL)
        return;
    history(editor->history, &event, H_ENTER, line);
    if (editor->history_path[0] != '\0')
        history(editor->history, &event, H_SAVE, editor->history_path);
}

static void run_terminal(struct shell *shell)
{
    struct editor editor = {.shell = shell};
    const struct sigaction interrupted = {.sa_handler = leave_interrupted};
    const char *typed;
    int count;

    sigaction(SIGINT, &interrupted, NULL);
    editor.line = el_init("zkCli", stdin, stdout, stderr);
    if (editor.line == NULL) {
        run_pipe(shell);
        return;
    }
    load_history(&editor);
    shell->editor = &editor;
    shell->disturbed = show_line_again;
    el_set(editor.line, EL_CLIENTDATA, &editor);
    el_set(editor.line, EL_PROMPT, give_prompt);
    el_set(editor.line, EL_EDITOR, "emacs");
    el_set(editor.line, EL_SIGNAL, 1);
    el_set(editor.line, EL_HIST, history, editor.history);
    el_set(editor.line, EL_GETCFN, get_key);
    el_set(editor.line, EL_ADDFN, "zk-complete", "completes commands and paths", complete);
    el_set(editor.line, EL_BIND, "^I", "zk-complete", NULL);
    el_set(editor.line, EL_BIND, "^R", "em-inc-search-prev", NULL);
    el_set(editor.line, EL_BIND, "^W", "ed-delete-prev-word", NULL);
    el_set(editor.line, EL_BIND, "^U", "vi-kill-line-prev", NULL);
    while (!shell->over) {
        make_prompt(shell);
        el_set(editor.line, EL_PREP_TERM, 1); /* before the prompt, or a key typed now is lost */
        typed = el_gets(editor.line, &count);
        if (typed == NULL || count <= 0) {
            fputc('\n', stdout);
            break;
        }
        char *line = mem_alloc((size_t)count + 1);
        memcpy(line, typed, (size_t)count + 1);
        line[strcspn(line, "\r\n")] = '\0';
        if (line[0] != '\0')
            remember(&editor, line);
        shell_run_line(shell, line);
        mem_free(line);
    }
    shell->disturbed = NULL;
    el_end(editor.line);
    history_end(editor.history);
}

int shell_interact(struct shell *shell)
{
    (void)service_wait_connected(shell->connection, FIRST_WAIT_MS);
    if (!answer_is_json())
        puts("Welcome to ZooKeeper!\nJLine support is enabled");
    fflush(stdout);
    if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
        run_terminal(shell);
    else
        run_pipe(shell);
    return shell->code;
}
