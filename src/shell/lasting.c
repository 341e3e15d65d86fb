/* lasting.c: signals come through a descriptor, events are put into a list, and one wait sees both. So
 * nothing is done inside of a signal handler, and an event is handled where a request may be sent. */
#include "shell/lasting.h"

#include "base/array.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const int ending_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

static bool is_ending(int signal_number)
{
    for (size_t i = 0; i < ARRAY_LEN(ending_signals); i++) {
        if (ending_signals[i] == signal_number)
            return true;
    }
    return false;
}

static void keep_event(void *context, int32_t state, int32_t type, struct slice path)
{
    struct lasting *lasting = context;
    const uint64_t one = 1;

    lasting->events = ARRAY_RESERVE(lasting->events, lasting->event_capacity,
                                    lasting->event_count + 1, ARRAY_FIRST);
    char *copy = mem_alloc(path.size + 1);
    if (path.size > 0)
        memcpy(copy, path.data, path.size);
    copy[path.size] = '\0';
    lasting->events[lasting->event_count++] =
        (struct lasting_event){state, type, copy, service_last_zxid(lasting->shell->connection)};
    if (type == 0 && (state == EVENT_STATE_CONNECTED || state == EVENT_STATE_READ_ONLY))
        lasting->was_connected = true;
    (void)!write(lasting->event_fd, &one, sizeof(one));
}

static bool open_all(struct lasting *lasting, const sigset_t *signals)
{
    struct epoll_event readable = {.events = EPOLLIN};

    lasting->signal_fd = signalfd(-1, signals, SFD_NONBLOCK | SFD_CLOEXEC);
    lasting->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    lasting->wait_fd = epoll_create1(EPOLL_CLOEXEC);
    return lasting->signal_fd >= 0 && lasting->event_fd >= 0 && lasting->wait_fd >= 0 &&
           epoll_ctl(lasting->wait_fd, EPOLL_CTL_ADD, lasting->signal_fd, &readable) == 0 &&
           epoll_ctl(lasting->wait_fd, EPOLL_CTL_ADD, lasting->event_fd, &readable) == 0;
}

bool lasting_begin(struct lasting *lasting, struct shell *shell, const int *more)
{
    *lasting = (struct lasting){.shell = shell};
    sigset_t *signals = &lasting->signals;
    sigemptyset(signals);
    for (size_t i = 0; i < ARRAY_LEN(ending_signals); i++)
        sigaddset(signals, ending_signals[i]);
    for (; more != NULL && *more != 0; more++)
        sigaddset(signals, *more);
    sigprocmask(SIG_BLOCK, signals, &lasting->old_signals);
    lasting->was_connected = service_state(shell->connection) == SERVICE_CONNECTED ||
                             service_state(shell->connection) == SERVICE_READ_ONLY;
    shell->take_event = keep_event;
    shell->event_context = lasting;
    if (open_all(lasting, signals)) {
        service_interrupt_by(shell->connection, lasting->signal_fd);
        return true;
    }
    (void)answer_fail(EXIT_FAILED, "Cannot wait for signals: %s", strerror(errno));
    lasting_end(lasting);
    return false;
}

void lasting_end(struct lasting *lasting)
{
    service_interrupt_by(lasting->shell->connection, -1);
    if (!lasting->shell->interactive)
        service_close(lasting->shell->connection);
    lasting_drop_events(lasting);
    mem_free(lasting->events);
    lasting->shell->take_event = NULL;
    close(lasting->wait_fd);
    close(lasting->event_fd);
    close(lasting->signal_fd);
    sigprocmask(SIG_SETMASK, &lasting->old_signals, NULL);
}

void lasting_wait(struct lasting *lasting, int64_t until_ms)
{
    int64_t left_ms = until_ms < 0 ? -1 : until_ms - service_now_ms();

    if (lasting->event_count > 0)
        return;
    if (until_ms >= 0 && left_ms < 0)
        left_ms = 0;
    (void)service_wait(lasting->shell->connection, lasting->wait_fd,
                       left_ms > INT32_MAX ? INT32_MAX : (int)left_ms);
}

int lasting_take_signal(struct lasting *lasting)
{
    struct signalfd_siginfo info;

    if (read(lasting->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
        return 0;
    return (int)info.ssi_signo;
}

bool lasting_take_event(struct lasting *lasting, struct lasting_event *ret_event)
{
    uint64_t count;

    if (lasting->event_count == 0) {
        (void)!read(lasting->event_fd, &count, sizeof(count));
        return false;
    }
    *ret_event = lasting->events[0];
    lasting->event_count--;
    memmove(lasting->events, lasting->events + 1, lasting->event_count * sizeof(*ret_event));
    return true;
}

void lasting_drop_events(struct lasting *lasting)
{
    struct lasting_event event;

    while (lasting_take_event(lasting, &event))
        mem_free(event.path);
}

bool lasting_stopped(struct lasting *lasting)
{
    int signal_number;

    while ((signal_number = lasting_take_signal(lasting)) != 0) {
        if (lasting->stopped_by == 0 && is_ending(signal_number))
            lasting->stopped_by = signal_number;
    }
    return lasting->stopped_by != 0;
}

enum lasting_result lasting_connect(struct lasting *lasting, int64_t until_ms, bool *ret_renewed)
{
    struct service *connection = lasting->shell->connection;
    int64_t first_until_ms = service_now_ms() + lasting->shell->timeout_ms;

    for (;;) {
        enum service_state state = service_state(connection);
        int64_t wait_until_ms = until_ms;
        if (lasting_stopped(lasting))
            return LASTING_STOPPED;
        if (state == SERVICE_CONNECTED || state == SERVICE_READ_ONLY)
            return LASTING_READY;
        if (state == SERVICE_AUTH_FAILED)
            return LASTING_REFUSED;
        if (state == SERVICE_CLOSED) {
            service_renew(connection);
            *ret_renewed = true;
        }
        if (!lasting->was_connected && (until_ms < 0 || first_until_ms < until_ms))
            wait_until_ms = first_until_ms;
        if (wait_until_ms >= 0 && service_now_ms() >= wait_until_ms)
            return wait_until_ms == until_ms ? LASTING_TIMED_OUT : LASTING_REFUSED;
        int64_t left_ms = wait_until_ms < 0 ? -1 : wait_until_ms - service_now_ms();
        (void)service_wait(connection, lasting->signal_fd, (int)left_ms);
    }
}

void lasting_print_refusal(const struct lasting *lasting, const char *command)
{
    if (service_state(lasting->shell->connection) == SERVICE_AUTH_FAILED)
        (void)answer_fail(EXIT_NOT_PERMITTED, "%s: the server refuses the identity of addauth",
                          command);
    else
        (void)answer_fail(EXIT_NO_CONNECTION, "%s: no connection to %s: %s", command,
                          lasting->shell->servers, service_problem(lasting->shell->connection));
}

bool lasting_parse_seconds(const char *command, const char *text, int64_t *ret_ms)
{
    char *end;
    double seconds = strtod(text, &end);

    if (end != text && *end == '\0' && seconds >= 0 && seconds <= 1e6) {
        *ret_ms = (int64_t)(seconds * 1000 + 0.5);
        return true;
    }
    (void)answer_fail(EXIT_USAGE, "%s: a number of seconds was expected: %s", command, text);
    return false;
}

int64_t lasting_until(int64_t limit_ms)
{
    return limit_ms < 0 ? -1 : service_now_ms() + limit_ms;
}
