/* job.h: a program that is run while something is held, and that must not run longer. It has its
 * own process group, which is ended as a whole, and the terminal while it runs. */
#ifndef SHELL_JOB_H
#define SHELL_JOB_H

#include "base/base.h"

#include <signal.h>
#include <sys/types.h>

/* Exit codes, as those of timeout(1) and env(1). */
enum { JOB_NOT_EXECUTABLE = 126, JOB_NOT_FOUND = 127, JOB_BY_SIGNAL = 128 };

struct job {
    pid_t pid;      /* and of its group; 0: it has ended */
    pid_t guard;    /* ends the group when this process is killed; 0: none */
    int guard_pipe; /* the guard notices its end */
    int terminal;   /* its descriptor, when the group has been given it; -1 */
    int code;       /* the exit code, when it has ended */
    /* Processes that the program leaves behind are killed with it. */
    bool all_must_end;
};

struct job_options {
    const char *const *words; /* the program and its arguments, NULL at the end */
    const sigset_t *signals;  /* blocked while it runs */
    const char *variables[4]; /* "NAME=value", NULL at the end */
    int64_t grace_ms;         /* between SIGTERM and SIGKILL, when this process is killed */
};

/* False: no memory or process for it; reported. A program that cannot be executed ends at once with
 * JOB_NOT_FOUND or JOB_NOT_EXECUTABLE, and says why. */
MUST_USE bool job_start(struct job *job, const struct job_options *options);
/* After SIGCHLD. A program that was stopped from the terminal (Ctrl-Z) stops this one too, until it is
 * continued; then *ret_paused is set, and job_continue() is to be called. */
void job_look(struct job *job, bool *ret_paused);
void job_continue(struct job *job);
void job_signal(const struct job *job, int signal_number); /* to the whole group */

#endif
