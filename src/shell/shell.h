/* shell.h: what all commands share, and how a line becomes a command. */
#ifndef SHELL_SHELL_H
#define SHELL_SHELL_H

#include "shell/answer.h"
#include "shell/service.h"
#include "tools/java_options.h"
#include "wire/records.h"

#include <stdio.h>

struct command;

struct shell {
    const struct command *commands; /* in the order of names */
    size_t command_count;
    struct service *connection;
    char *servers; /* as given: it stands in the prompt */
    int32_t timeout_ms;
    bool read_only;
    bool silent_watches; /* printwatches off */
    bool silent_states;  /* events of the session are not said */
    bool interactive;
    bool over; /* quit */
    int code;  /* of the last command: the exit code */
    /* A line is being typed: what is printed now needs the line to be shown again. */
    void (*disturbed)(struct shell *shell);
    void *editor;
    /* A command that keeps running handles the events itself; NULL: they are printed. */
    service_event *take_event;
    void *event_context;
    char **history; /* the lines, in the order of their numbers */
    size_t history_count, history_capacity;
};

/* --- commands --- */
enum { RAW_WORDS = -1 };
struct command {
    const char *name;
    const char *usage; /* the arguments after the name */
    const struct java_option *options;
    int option_count; /* RAW_WORDS: the options belong to another program */
    int words_min;    /* the name counts */
    enum { ANY_TIME, NEEDS_SESSION } when;
    /* `words`: the name first. Returns the exit code. */
    int (*run)(struct shell *shell, const struct command *command, const struct java_words *words);
    /* Where help lists it: with Java's commands, nowhere, or apart from them. */
    enum { LISTED, OLD, OWN } kind;
    const char *help; /* for OWN: lines about the options, each with its line end; NULL: none */
};
int command_usage(const struct command *command);

/* Runs a line of words; "--output json" (or text) before "--" is taken out of them. The exit code. */
int shell_run(struct shell *shell, const char *const *given, int count);
/* text or json; false: it is neither. */
MUST_USE bool shell_set_output(const char *form);
/* Should this command print only its result on stdout, without lines about the connection? */
bool shell_is_quiet(const struct shell *shell, const char *const *words, int count);
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
/* False: not a path of a znode; reported. */
bool shell_check_path(const char *path);
/* False: not a number of 32 bits; reported. */
bool shell_parse_int(const char *text, int32_t *ret_value);
/* Makes a new connection; false: the connect string is invalid; see `ret_problem`. */
bool shell_connect(struct shell *shell, const char *servers, char *ret_problem);
void shell_print_text(struct slice bytes); /* and the end of the line */
const struct command *shell_find_command(const struct shell *shell, const char *name);
/* Reports an unknown command and lists the known ones. EXIT_NO_COMMAND. */
int shell_no_command(const struct shell *shell, const char *name);
void shell_put_commands(const struct shell *shell); /* as JSON: "commands" */
/* Prints the lines of help about Paddock's own commands, or about Java's. */
void shell_print_commands(const struct shell *shell, FILE *file, bool own);

/* The children of `path`, in the order in which they are shown. mem_free() each name and the list. */
int32_t shell_children(struct shell *shell, const char *path, bool watch, char ***ret_names,
                       size_t *ret_count, struct zk_stat *ret_stat);
/* All paths of a subtree, a parent before its children. mem_free() each and the list. */
int32_t shell_subtree(struct shell *shell, const char *root, char ***ret_paths, size_t *ret_count);

/* The editor: edit.c. */
int shell_interact(struct shell *shell);

#endif
