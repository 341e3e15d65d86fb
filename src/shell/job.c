/* job.c: the program never continues without this process: a guard process, which only waits for
 * the end of this one, then ends the group. */
#include "shell/job.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A terminal of which this process has the keyboard, or -1. */
static int find_terminal(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (isatty(fd) && tcgetpgrp(fd) == getpgrp())
            return fd;
    }
    return -1;
}

/* Whoever gives the terminal away from the background would be stopped for it. */
static void give_terminal(int terminal, pid_t group)
{
    sigset_t stop, old;

    if (terminal < 0)
        return;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTTOU);
    sigprocmask(SIG_BLOCK, &stop, &old);
    (void)tcsetpgrp(terminal, group);
    sigprocmask(SIG_SETMASK, &old, NULL);
}

static void run_program(const struct job_options *options, int terminal)
{
    (void)setpgid(0, 0);
    give_terminal(terminal, getpid());
    for (size_t i = 0; i < ARRAY_LEN(options->variables) && options->variables[i] != NULL; i++)
        (void)putenv((char *)(uintptr_t)options->variables[i]);
    sigprocmask(SIG_UNBLOCK, options->signals, NULL);
    execvp(options->words[0], (char *const *)(uintptr_t)options->words);
    int code = errno == ENOENT ? JOB_NOT_FOUND : JOB_NOT_EXECUTABLE;
    fprintf(stderr, "%s: %s\n", options->words[0], strerror(errno));
    _exit(code);
}

static void pause_ms(int64_t time_ms)
{
    struct timespec left = {.tv_sec = time_ms / 1000, .tv_nsec = time_ms % 1000 * 1000000};

    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        continue;
}

/* The pipe ends with one byte when all is well, and without it when the other process is gone. Nothing
 * else stays open here: nobody is to wait for the end of a file because of the guard. Its group is its
 * own: signals from the terminal, and the stop of this process's group, are not for it. */
static void guard(int pipe_end, pid_t group, int64_t grace_ms)
{
    char byte;
    ssize_t size;

    (void)setpgid(0, 0);
    (void)dup2(pipe_end, STDIN_FILENO);
    (void)close_range(STDIN_FILENO + 1, ~0U, 0);
    do
        size = read(STDIN_FILENO, &byte, 1);
    while (size < 0 && errno == EINTR);
    if (size == 0 && kill(-group, SIGTERM) == 0) {
        (void)kill(-group, SIGCONT);
        pause_ms(grace_ms);
        (void)kill(-group, SIGKILL);
    }
    _exit(0);
}

static void start_guard(struct job *job, const struct job_options *options)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return;
    job->guard = fork();
    if (job->guard == 0)
        guard(ends[0], job->pid, options->grace_ms);
    if (job->guard > 0)
        (void)setpgid(job->guard, job->guard); /* at once, whichever of the two runs first */
    close(ends[0]);
    job->guard_pipe = ends[1];
}

static void end_guard(struct job *job)
{
    if (job->guard <= 0)
        return;
    (void)!write(job->guard_pipe, "", 1);
    close(job->guard_pipe);
    while (waitpid(job->guard, NULL, 0) < 0 && errno == EINTR)
        continue;
    job->guard = 0;
}

bool job_start(struct job *job, const struct job_options *options)
{
    *job = (struct job){.terminal = find_terminal()};
    fflush(NULL);
    job->pid = fork();
    if (job->pid == 0)
        run_program(options, job->terminal);
    if (job->pid < 0) {
        fprintf(stderr, "%s: %s\n", options->words[0], strerror(errno));
        return false;
    }
    (void)setpgid(job->pid, job->pid);
    give_terminal(job->terminal, job->pid);
    start_guard(job, options);
    return true;
}

void job_signal(const struct job *job, int signal_number)
{
    if (job->pid > 0)
        (void)kill(-job->pid, signal_number);
}

static void end(struct job *job, int status)
{
    job->code = WIFSIGNALED(status) ? JOB_BY_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
    end_guard(job);
    give_terminal(job->terminal, getpgrp());
    job->pid = 0;
}

/* When the first process has ended; its number is still its own until it is waited for. */
static void kill_rest(const struct job *job)
{
    siginfo_t info = {0};

    if (waitid(P_PID, (id_t)job->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0)
        (void)kill(-job->pid, SIGKILL);
}

void job_look(struct job *job, bool *ret_paused)
{
    int status;

    *ret_paused = false;
    if (job->all_must_end)
        kill_rest(job);
    pid_t pid = waitpid(job->pid, &status, WNOHANG | WUNTRACED);

    if (pid <= 0)
        return;
    if (!WIFSTOPPED(status)) {
        end(job, status);
        return;
    }
    if (job->terminal < 0) /* whoever stopped it continues it */
        return;
    give_terminal(job->terminal, getpgrp());
    (void)kill(0, SIGSTOP);
    *ret_paused = true;
}

void job_continue(struct job *job)
{
    give_terminal(job->terminal, job->pid);
    job_signal(job, SIGCONT);
}
