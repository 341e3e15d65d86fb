/* shell.h: what all commands share, and how a line becomes a command. */
#ifndef SHELL_SHELL_H
#define SHELL_SHELL_H

#include "shell/service.h"
#include "tools/java_options.h"
#include "wire/records.h"

enum { EXIT_FAILED = 1, EXIT_BAD_CONFIGURATION = 2, EXIT_NO_COMMAND = 127, EXIT_INTERRUPTED = 130 };

struct command;

struct shell {
    const struct command *commands; /* in the order of names */
    size_t command_count;
    struct service *connection;
    char *servers; /* as given: it stands in the prompt */
    int32_t timeout_ms;
    bool read_only;
    bool silent_watches; /* printwatches off */
    bool interactive;
    bool over; /* quit */
    int code;  /* of the last command: the exit code */
    /* A line is being typed: what is printed now needs the line to be shown again. */
    void (*disturbed)(struct shell *shell);
    void *editor;
    char **history; /* the lines, in the order of their numbers */
    size_t history_count, history_capacity;
};

/* --- commands --- */
struct command {
    const char *name;
    const char *usage; /* the words behind the name */
    const struct java_option *options;
    int option_count;
    int words_min; /* the name is one */
    enum { ANY_TIME, NEEDS_SESSION } when;
    /* Words: the name first. The exit code. */
    int (*run)(struct shell *shell, const struct command *command, const struct java_words *words);
    bool old; /* not in the list that help prints */
};
int command_usage(const struct command *command);

/* Runs a line of words. The exit code. */
int shell_run(struct shell *shell, const char *const *words, int count);
/* Runs a line as it was typed, and keeps it in the history. */
void shell_run_line(struct shell *shell, const char *line);

/* Splits a line as ZooKeeper's shell does. The words and their texts are mem_free()d by split_free(). */
struct split {
    char **words;
    int count;
    uint32_t capacity;
};
void split_line(const char *line, struct split *ret_split);
void split_free(struct split *split);

/* --- helpers of commands --- */
/* False: it is no path of a znode; said. */
bool shell_check_path(const char *path);
/* Prints an error of a call. EXIT_FAILED. */
int shell_fail(int32_t err, const char *path);
/* False: it is no number of 32 bits; said. */
bool shell_parse_int(const char *text, int32_t *ret_value);
/* Makes a new connection; false: the connect string is wrong, and `ret_problem` says how. */
bool shell_connect(struct shell *shell, const char *servers, char *ret_problem);
void shell_print_text(struct slice bytes); /* and the end of the line */

/* The children of `path`, in the order in which they are shown. mem_free() each name and the list. */
int32_t shell_children(struct shell *shell, const char *path, bool watch, char ***ret_names,
                       size_t *ret_count, struct zk_stat *ret_stat);
/* "/a" and "b": "/a/b". mem_free() it. */
char *shell_child_path(const char *parent, const char *name);
/* All paths of a subtree, the root first, level by level. mem_free() each and the list. */
int32_t shell_subtree(struct shell *shell, const char *root, char ***ret_paths, size_t *ret_count);

/* The editor: edit.c. */
int shell_interact(struct shell *shell);

#endif
