/* lasting.h: waiting, for commands that keep running: for signals, events of znodes and of the
 * session, and a time. Between lasting_begin() and lasting_end() signals do not end the program,
 * and events are not printed. */
#ifndef SHELL_LASTING_H
#define SHELL_LASTING_H

#include "shell/shell.h"

#include <signal.h>

/* Exit codes of commands that keep running: as those of timeout(1) and env(1), and one more. */
enum {
    EXIT_LOST = 123,      /* the lock was lost while the command ran */
    EXIT_TIMED_OUT = 124, /* the time limit has passed */
    EXIT_NOT_RUN = 125,   /* the command was not run */
    EXIT_BY_SIGNAL = 128  /* plus the number of the signal */
};

struct lasting_event {
    int32_t state, type; /* `type` 0: of the session */
    char *path;
    int64_t zxid; /* the newest one that the session had seen before */
};

struct lasting {
    struct shell *shell;
    int wait_fd, signal_fd, event_fd;
    sigset_t signals, old_signals;
    struct lasting_event *events; /* not taken yet; mem_free() each path */
    size_t event_count, event_capacity;
    bool was_connected; /* at some time */
    int stopped_by;     /* the signal that asked the command to end; 0: none did */
};

/* Catches the signals that end a program, and `more` (0: no more). False: reported. */
MUST_USE bool lasting_begin(struct lasting *lasting, struct shell *shell, const int *more);
/* Closes the session, too, when the command was the only one of this run. */
void lasting_end(struct lasting *lasting);

/* Waits until there is an event or a signal, the state of the session has changed, or the time is
 * until_ms (of service_now_ms(); -1: no limit). */
void lasting_wait(struct lasting *lasting, int64_t until_ms);
/* The next signal; 0: there is none. */
int lasting_take_signal(struct lasting *lasting);
/* The next event; mem_free() its path. */
bool lasting_take_event(struct lasting *lasting, struct lasting_event *ret_event);
void lasting_drop_events(struct lasting *lasting);

/* Handles all signals. True: one of them, now or earlier, asks the command to end. */
bool lasting_stopped(struct lasting *lasting);

/* Waits until there is a connected session. A lost session is replaced by a new one, and
 * *ret_renewed is set. */
enum lasting_result { LASTING_READY, LASTING_TIMED_OUT, LASTING_STOPPED, LASTING_REFUSED };
enum lasting_result lasting_connect(struct lasting *lasting, int64_t until_ms, bool *ret_renewed);
/* Reports on stderr that there is no server, or that an identity was refused. */
void lasting_print_refusal(const struct lasting *lasting, const char *command);

/* Parses seconds, such as "2.5", into milliseconds. False: not a number; reported. */
MUST_USE bool lasting_parse_seconds(const char *command, const char *text, int64_t *ret_ms);
/* until_ms from a time limit (-1: none). */
int64_t lasting_until(int64_t limit_ms);

#endif
