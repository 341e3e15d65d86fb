/* progress.c: one line that is written over, a few times a second. */
#include "shell/progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { FIRST_MS = 300, EVERY_MS = 100, BAR_COLUMNS = 30 };

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void progress_start(struct progress *progress, const char *what, const char *unit, int64_t total)
{
    *progress = (struct progress){.what = what,
                                  .unit = unit,
                                  .total = total,
                                  .start_ms = now_ms(),
                                  .on = isatty(STDERR_FILENO) == 1};
    progress->shown_ms = progress->start_ms + FIRST_MS - EVERY_MS;
}

static void show(struct progress *progress, int64_t now)
{
    int64_t time_ms = now - progress->start_ms;
    long long rate = time_ms > 0 ? (long long)(progress->done * 1000 / time_ms) : 0;

    if (!progress->visible)
        fflush(stdout);
    progress->visible = true;
    progress->shown_ms = now;
    if (progress->total <= 0) {
        fprintf(stderr, "\r%s: %lld %s, %lld/s\033[K", progress->what, (long long)progress->done,
                progress->unit, rate);
    } else {
        char bar[BAR_COLUMNS + 1];
        int64_t done = progress->done < progress->total ? progress->done : progress->total;
        int full = (int)(done * BAR_COLUMNS / progress->total);
        for (int i = 0; i < BAR_COLUMNS; i++)
            bar[i] = i < full ? '#' : '.';
        bar[BAR_COLUMNS] = '\0';
        fprintf(stderr, "\r%s: [%s] %lld/%lld %s, %lld/s\033[K", progress->what, bar,
                (long long)progress->done, (long long)progress->total, progress->unit, rate);
    }
    fflush(stderr);
}

void progress_add(struct progress *progress, int64_t more)
{
    progress->done += more;
    if (!progress->on)
        return;
    int64_t now = now_ms();
    if (now - progress->shown_ms >= EVERY_MS)
        show(progress, now);
}

void progress_end(struct progress *progress)
{
    if (progress->visible)
        fputs("\r\033[K", stderr);
    fflush(stderr);
    progress->on = progress->visible = false;
}
