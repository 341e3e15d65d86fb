/* tool_host.c: signals set a flag and nothing else; the code that sees the flag removes an
 * unfinished file, or leaves it under a name that says what it is. */
#include "tools/tool_host.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { FILE_MODE = 0600, SHOW_EVERY_MS = 100, MEGABYTE = 1000000 };

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

void tool_interrupt_watch(void)
{
    struct sigaction action = {.sa_handler = on_signal}; /* reads are broken off, too */

    sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGHUP, &action, NULL);
}

bool tool_interrupted(void)
{
    return interrupted != 0;
}

/* Signals are let through only while it waits, so that none is overlooked just before. */
bool tool_wait_for_input(void)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    sigset_t signals, before;

    (void)setvbuf(stdin, NULL, _IONBF, 0); /* what is read ahead would not be seen here */
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &signals, &before);
    bool ready = !tool_interrupted() && ppoll(&input, 1, NULL, &before) > 0;
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    return ready;
}

bool tool_ask(const char *question)
{
    char line[64];

    fflush(stdout);
    fprintf(stderr, "%s (yes/no) ", question);
    if (!tool_wait_for_input() || fgets(line, sizeof(line), stdin) == NULL) {
        fputc('\n', stderr);
        return false;
    }
    line[strcspn(line, "\r\n")] = '\0';
    return strcasecmp(line, "yes") == 0 || strcasecmp(line, "y") == 0;
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void tool_progress_begin(struct tool_progress *progress, const char *what, uint64_t total_bytes)
{
    *progress = (struct tool_progress){
        .what = what, .total_bytes = total_bytes, .on = isatty(STDERR_FILENO) != 0};
}

void tool_progress_show(struct tool_progress *progress, uint64_t bytes)
{
    if (!progress->on)
        return;
    int64_t now = now_ms();
    if (progress->shown && now - progress->shown_at_ms < SHOW_EVERY_MS)
        return;
    progress->shown = true;
    progress->shown_at_ms = now;
    if (progress->total_bytes == 0) {
        fprintf(stderr, "\r%s  %.1f MB\033[K", progress->what, (double)bytes / MEGABYTE);
        return;
    }
    if (bytes > progress->total_bytes)
        bytes = progress->total_bytes;
    fprintf(stderr, "\r%s  %3d%%  %.1f MB of %.1f MB\033[K", progress->what,
            (int)((double)bytes * 100 / (double)progress->total_bytes), (double)bytes / MEGABYTE,
            (double)progress->total_bytes / MEGABYTE);
}

void tool_progress_end(struct tool_progress *progress)
{
    if (progress->shown)
        fputs("\r\033[K", stderr);
    progress->on = progress->shown = false;
}

char *tool_join(const char *left, const char *middle, const char *right)
{
    size_t size = strlen(left) + strlen(middle) + strlen(right) + 1;
    char *text = mem_alloc(size);

    snprintf(text, size, "%s%s%s", left, middle, right);
    return text;
}

static bool fail(const char *path)
{
    fprintf(stderr, "paddock: %s: %s\n", path, strerror(errno));
    return false;
}

bool tool_output_open(struct tool_output *output, const char *path, bool overwrite)
{
    if (!overwrite && access(path, F_OK) == 0) {
        fprintf(stderr, "paddock: %s exists already; nothing was written\n", path);
        return false;
    }
    char *partial = tool_join(path, ".partial", "");
    int fd = open(partial, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);
    bool good = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
    if (!good && fd >= 0 && errno == EWOULDBLOCK)
        fprintf(stderr, "paddock: %s is being written by another process\n", partial);
    else if (!good || ftruncate(fd, 0) != 0)
        good = fail(partial);
    if (!good) {
        if (fd >= 0)
            close(fd);
        mem_free(partial);
        return false;
    }
    *output = (struct tool_output){.path = tool_join(path, "", ""), .partial = partial, .fd = fd};
    return true;
}

bool tool_output_write(struct tool_output *output, uint64_t offset, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;

    while (size > 0) {
        ssize_t done = pwrite(output->fd, at, size, (off_t)offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return fail(output->partial);
        at += done;
        offset += (uint64_t)done;
        size -= (size_t)done;
    }
    return true;
}

static void release(struct tool_output *output)
{
    close(output->fd);
    mem_free(output->path);
    mem_free(output->partial);
}

void tool_output_discard(struct tool_output *output)
{
    if (unlink(output->partial) != 0)
        (void)fail(output->partial);
    release(output);
}

static bool sync_directory(const char *path)
{
    char *copy = tool_join(path, "", "");
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0)
        close(fd);
    mem_free(copy);
    return good;
}

bool tool_output_finish(struct tool_output *output, bool overwrite)
{
    bool good = fsync(output->fd) == 0;

    /* link() does not replace what has come to be there meanwhile. */
    if (good && overwrite)
        good = rename(output->partial, output->path) == 0;
    else if (good)
        good = link(output->partial, output->path) == 0 && unlink(output->partial) == 0;
    if (!good) {
        (void)fail(output->path);
        tool_output_discard(output);
        return false;
    }
    good = sync_directory(output->path) || fail(output->path);
    release(output);
    return good;
}

bool tool_flush(void)
{
    if (fflush(stdout) == 0 && ferror(stdout) == 0)
        return true;
    return fail("standard output");
}
