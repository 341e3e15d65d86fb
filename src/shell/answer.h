/* answer.h: the output of commands: lines as ZooKeeper's, or JSON, one object for each command.
 *
 * As lines, data goes to stdout and errors to stderr. As JSON, everything goes into the object of
 * the command, which is written to stdout when the command ends:
 *     {"command":"get", ...what the command adds..., "notes":[...], "error":{...}, "exitCode":0}
 * The process has one stdout, so there is one answer at a time. */
#ifndef SHELL_ANSWER_H
#define SHELL_ANSWER_H

#include "shell/json_output.h"

/* Exit codes. Java's shell knows 0, 1, 2 (at the start), 127 and 130; the others say more, and are used
 * when answer_use_codes() was called, or by commands that Java's shell does not have. */
enum {
    EXIT_FAILED = 1,
    EXIT_BAD_CONFIGURATION =
        2, /* at the start; later: wrong arguments, options, paths or numbers */
    EXIT_USAGE = 2,
    EXIT_NO_NODE = 3,
    EXIT_NODE_EXISTS = 4,
    EXIT_BAD_VERSION = 5,
    EXIT_NOT_EMPTY = 6,
    EXIT_NOT_PERMITTED = 7,
    EXIT_NO_CONNECTION = 8,
    EXIT_SESSION_OVER = 9,
    EXIT_QUOTA = 10,
    EXIT_PARTLY = 11,   /* only a part was done, and the output says which */
    EXIT_BAD_FILE = 12, /* a file could not be read, written or understood */
    EXIT_NO_COMMAND = 127,
    EXIT_INTERRUPTED = 130
};

void answer_use_json(bool json);
bool answer_is_json(void);
void answer_use_codes(bool codes);

/* Around each command. Nested ones (redo) share the answer of the outer one. */
void answer_begin(const char *command);
/* `code`: as Java has it; `own`: Java's shell has no such command. The exit code. */
int answer_end(int code, bool own);
bool answer_is_under_way(void);
/* The exit code that the command returns counts, whatever errors were reported. */
void answer_keep_code(void);
/* The object of the running command, to add to. Only as JSON. */
struct json *answer_json(void);
/* Writes out what was collected, if it is much: for lists of any length. */
void answer_flush(void);

/* A line on stderr that does not mean failure. As JSON it is one of the notes. */
void answer_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A line on stderr that says why the command failed; as JSON the message of the error. The code is kept
 * for answer_end(). EXIT_FAILED. */
int answer_fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same, but the line goes to stdout, where Java's shell says it. */
int answer_fail_on_stdout(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same for an error of a call; `path` may be NULL. */
int answer_fail_call(int32_t err, const char *path);
/* The exit code of an error of a call. */
int answer_code(int32_t err);

/* As JSON "path"; as a line nothing. */
void answer_path(const char *path);
/* As JSON "stat"; as lines the eleven of a stat, when `asked`. */
void answer_stat(const struct zk_stat *stat, bool asked);

/* An event of a watch or of the session, in a line of its own, never inside an object. */
void answer_event(int32_t state, int32_t type, struct slice path);

#endif
