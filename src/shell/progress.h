/* progress.h: a progress bar on stderr for long work. Nothing is shown when stderr is not a
 * terminal, or when the work takes only a moment. */
#ifndef SHELL_PROGRESS_H
#define SHELL_PROGRESS_H

#include "base/base.h"

struct progress {
    const char *what, *unit; /* "export", "znodes" */
    int64_t done, total;     /* total 0: not known */
    int64_t start_ms, shown_ms;
    bool on, visible;
};

void progress_start(struct progress *progress, const char *what, const char *unit, int64_t total);
void progress_add(struct progress *progress, int64_t more);
/* Removes the bar. */
void progress_end(struct progress *progress);

#endif
