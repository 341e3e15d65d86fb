/* commands_lock.c: lock and elect: a command that runs only while its znode is the first of its queue.
 *
 * The command has ended before anyone else can be first: the servers end a session when its timeout has
 * passed since its last request; the command is told to end (SIGTERM) some time before that, the grace,
 * and is killed at the end of it. */
#include "shell/candidate.h"
#include "shell/commands.h"
#include "shell/job.h"
#include "shell/lasting.h"

#include <stdio.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { OWN_DATA_BYTES_MAX = 300, VARIABLE_BYTES_MAX = 4096, LEAVE_WAIT_MS = 1000 };
/* The default grace is this part of the session's timeout, and it may not be more than GRACE_PART_MIN:
 * a client notices only after two thirds of the timeout that its server is silent. */
enum { GRACE_PART = 6, GRACE_PART_MIN = 3 };

static const int forwarded[] = {SIGCHLD, SIGUSR1, SIGUSR2, SIGCONT, SIGWINCH, 0};

struct holder {
    const char *name; /* "lock", "elect" */
    struct lasting lasting;
    struct candidate candidate;
    struct job job;
    const char *const *words; /* of the command */
    int64_t limit_ms, grace_ms;
    const char *lost; /* why; NULL: it is not */
    bool doubtful;    /* the own znode has changed, and was not looked at yet */
    int timer_fd;     /* interrupts a request when the time has come to stop the command */
    int64_t kill_at_ms;
    bool again;
    int code;
};

static void say(const struct holder *holder, const char *text)
{
    answer_note("%s: %s: %s", holder->name, holder->candidate.parent, text);
}

/* --- waiting for it --- */

static int refuse_wait(const struct holder *holder, enum lasting_result result)
{
    if (result == LASTING_STOPPED)
        return EXIT_BY_SIGNAL + holder->lasting.stopped_by;
    if (result == LASTING_TIMED_OUT) {
        say(holder, "not obtained within the time limit");
        return EXIT_TIMED_OUT;
    }
    lasting_print_refusal(&holder->lasting, holder->name);
    return EXIT_NOT_RUN;
}

/* 0: first in the queue; else the exit code. */
static int wait_for_place(struct holder *holder)
{
    int64_t until_ms = lasting_until(holder->limit_ms);

    for (;;) {
        bool renewed = false; /* a limit of 0 is for the lock: whether it is free must be asked */
        enum lasting_result result =
            lasting_connect(&holder->lasting, holder->limit_ms == 0 ? -1 : until_ms, &renewed);
        if (renewed) {
            say(holder, "the session was lost; waiting again with a new one");
            candidate_forget(&holder->candidate);
        }
        if (result != LASTING_READY)
            return refuse_wait(holder, result);
        lasting_drop_events(&holder->lasting);
        enum candidate_place place = candidate_look(&holder->candidate);
        if (lasting_stopped(&holder->lasting))
            return refuse_wait(holder, LASTING_STOPPED);
        if (place == CANDIDATE_FIRST)
            return 0;
        if (place == CANDIDATE_FAILED) {
            (void)answer_fail_call(holder->candidate.failed, holder->candidate.parent);
            return EXIT_NOT_RUN;
        }
        if (until_ms >= 0 && service_now_ms() >= until_ms)
            return refuse_wait(holder, LASTING_TIMED_OUT);
        if (place == CANDIDATE_BEHIND)
            lasting_wait(&holder->lasting, until_ms);
    }
}

/* --- holding it --- */

static void lose(struct holder *holder, const char *why)
{
    if (holder->lost != NULL)
        return;
    holder->lost = why;
    holder->kill_at_ms = service_now_ms() + holder->grace_ms;
    holder->job.all_must_end = true;
    say(holder, why);
    job_signal(&holder->job, SIGTERM);
    job_signal(&holder->job, SIGCONT); /* a stopped program would not hear it */
}

/* When the command is to be stopped, if no server answers until then. */
static int64_t stop_at_ms(const struct holder *holder)
{
    return service_session_ends_ms(holder->lasting.shell->connection) - holder->grace_ms;
}

static void check_time(struct holder *holder)
{
    int64_t now_ms = service_now_ms();

    if (holder->lost != NULL) {
        if (now_ms >= holder->kill_at_ms)
            job_signal(&holder->job, SIGKILL);
    } else if (now_ms >= stop_at_ms(holder)) {
        lose(holder, "no server answers, and the session may end: the command is stopped");
    }
}

static void pass_signals(struct holder *holder)
{
    int signal_number;

    while ((signal_number = lasting_take_signal(&holder->lasting)) != 0) {
        bool paused = false;
        if (signal_number != SIGCHLD) {
            job_signal(&holder->job, signal_number);
            continue;
        }
        job_look(&holder->job, &paused);
        if (paused) {
            check_time(holder); /* the lock may be lost by now */
            job_continue(&holder->job);
        }
    }
}

static bool is_own_still_there(struct holder *holder)
{
    struct service *connection = holder->lasting.shell->connection;
    int64_t left_ms = stop_at_ms(holder) - service_now_ms();
    const struct itimerspec time = {
        .it_value = {.tv_sec = left_ms / 1000, .tv_nsec = left_ms % 1000 * 1000000 + 1}};

    if (left_ms <= 0 || timerfd_settime(holder->timer_fd, 0, &time, NULL) != 0)
        return true;
    service_interrupt_by(connection, holder->timer_fd);
    enum candidate_place place = candidate_check(&holder->candidate);
    service_interrupt_by(connection, -1);
    holder->doubtful = place != CANDIDATE_FIRST && place != CANDIDATE_BEHIND;
    return place != CANDIDATE_BEHIND;
}

static void check_place(struct holder *holder)
{
    struct lasting_event event;

    while (lasting_take_event(&holder->lasting, &event)) {
        if (event.type == EVENT_DELETED || event.type == EVENT_DATA_CHANGED)
            holder->doubtful = true;
        mem_free(event.path);
    }
    enum service_state state = service_state(holder->lasting.shell->connection);
    if (state == SERVICE_CLOSED)
        lose(holder, "the session was lost: the command is stopped");
    else if (holder->doubtful && holder->lost == NULL && state == SERVICE_CONNECTED &&
             !is_own_still_there(holder))
        lose(holder, "somebody has deleted the znode: the command is stopped");
}

static void hold(struct holder *holder)
{
    while (holder->job.pid != 0) {
        check_time(holder);
        int64_t until_ms = holder->lost != NULL ? holder->kill_at_ms : stop_at_ms(holder);
        if (holder->lost != NULL && service_now_ms() >= holder->kill_at_ms)
            until_ms = -1; /* it was killed: its end comes */
        lasting_wait(&holder->lasting, until_ms);
        pass_signals(holder);
        check_place(holder);
    }
}

/* 0: it was run, and holder->code is its exit code. */
static int run_command(struct holder *holder)
{
    char znode[VARIABLE_BYTES_MAX], number[64];
    const struct job_options options = {.words = holder->words,
                                        .signals = &holder->lasting.signals,
                                        .variables = {znode, number},
                                        .grace_ms = holder->grace_ms};

    snprintf(znode, sizeof(znode), "PADDOCK_ZNODE=%s", holder->candidate.own);
    snprintf(number, sizeof(number), "PADDOCK_FENCE=%lld", (long long)holder->candidate.czxid);
    holder->lost = NULL;
    holder->doubtful = false;
    service_interrupt_by(holder->lasting.shell->connection, -1);
    if (!job_start(&holder->job, &options))
        return EXIT_NOT_RUN;
    hold(holder);
    holder->code = holder->lost != NULL ? (int)EXIT_LOST : holder->job.code;
    return 0;
}

/* Without a connection the znode goes when the servers end the session. */
static void leave(struct holder *holder)
{
    struct service *connection = holder->lasting.shell->connection;

    service_interrupt_by(connection, -1);
    if (service_state(connection) == SERVICE_CLOSED ||
        service_state(connection) == SERVICE_AUTH_FAILED)
        return;
    if (!service_wait_connected(connection, LEAVE_WAIT_MS) ||
        !candidate_leave(&holder->candidate)) {
        if (holder->candidate.own != NULL || holder->candidate.asked)
            say(holder,
                "no server answers: the place in the queue is given up when the session ends");
    }
}

static int run_holder(struct holder *holder)
{
    int32_t timeout_ms;

    for (;;) {
        int code = wait_for_place(holder);
        if (code != 0)
            return code;
        timeout_ms = service_session_timeout_ms(holder->lasting.shell->connection);
        if (holder->grace_ms < 0)
            holder->grace_ms = timeout_ms / GRACE_PART;
        if (holder->grace_ms > timeout_ms / GRACE_PART_MIN) {
            (void)answer_fail(EXIT_USAGE,
                              "%s: the grace must not be longer than a third of the session's "
                              "timeout, which is %d ms",
                              holder->name, timeout_ms);
            return EXIT_NOT_RUN;
        }
        code = run_command(holder);
        if (code != 0)
            return code;
        if (holder->lost == NULL || !holder->again)
            return holder->code;
        leave(holder);
        service_interrupt_by(holder->lasting.shell->connection, holder->lasting.signal_fd);
        say(holder, "a candidate again");
    }
}

/* --- the commands --- */

static void describe_self(char data[OWN_DATA_BYTES_MAX])
{
    char host[256];

    if (gethostname(host, sizeof(host)) != 0)
        snprintf(host, sizeof(host), "localhost");
    host[sizeof(host) - 1] = '\0';
    snprintf(data, OWN_DATA_BYTES_MAX, "%s:%ld", host, (long)getpid());
}

static int lock_or_elect(struct shell *shell, const struct command *command,
                         const struct java_words *words)
{
    char self[OWN_DATA_BYTES_MAX];
    struct holder holder = {.name = command->name,
                            .limit_ms = -1,
                            .grace_ms = -1,
                            .again = words->given[LOCK_AGAIN],
                            .words = words->words + 2};

    if (words->word_count < 3) {
        (void)command_usage(command);
        return EXIT_NOT_RUN;
    }
    const char *path = words->words[1], *limit = words->value[LOCK_LIMIT],
               *grace = words->value[LOCK_GRACE], *data = words->value[LOCK_DATA];
    if (!shell_check_path(path) ||
        (limit != NULL && !lasting_parse_seconds(command->name, limit, &holder.limit_ms)) ||
        (grace != NULL && !lasting_parse_seconds(command->name, grace, &holder.grace_ms)))
        return EXIT_NOT_RUN;
    describe_self(self);
    if (!candidate_init(&holder.candidate, shell->connection, path,
                        slice_text(data == NULL ? self : data))) {
        (void)answer_fail(EXIT_FAILED, "%s: there are no random numbers for a name", command->name);
        return EXIT_NOT_RUN;
    }
    if (!lasting_begin(&holder.lasting, shell, forwarded)) {
        candidate_deinit(&holder.candidate);
        return EXIT_NOT_RUN;
    }
    holder.timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC);
    int code = run_holder(&holder);
    leave(&holder);
    close(holder.timer_fd);
    lasting_end(&holder.lasting);
    candidate_deinit(&holder.candidate);
    return code;
}

/* Whatever has failed: a code below 123 is the command's own. */
COMMAND(run_lock)
{
    int code = lock_or_elect(shell, command, words);

    answer_keep_code();
    return code;
}
